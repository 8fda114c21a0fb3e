//! An arm in lockstep with a simulator: its states are the clock.

use std::time::Duration;

use eyre::Result;
use tiller_closed_loop::journal::{Pending, Recorder};
use tiller_closed_loop::{Actuator, ActuatorEffect, ActuatorEvent, Guard};
use tiller_motion::ActuatorConfig;

use crate::node::Machine;
use crate::signals;

pub(crate) struct Lockstep {
    actuator: Actuator,
    journal: Option<Recorder<Pending>>,
}

impl Lockstep {
    pub(crate) fn new(
        config: ActuatorConfig,
        guard: &Guard,
        journal: Option<Recorder<Pending>>,
    ) -> Self {
        Self {
            actuator: Actuator::new(config).guarded(guard),
            journal,
        }
    }

    fn feed(
        &mut self,
        event: ActuatorEvent,
        now_ns: u64,
        effects: &mut Vec<ActuatorEffect>,
    ) -> Result<()> {
        let recorded = self.journal.as_ref().map(|_| event.clone());
        let before = effects.len();
        self.actuator.on(event, now_ns, effects);
        if let (Some(journal), Some(event)) = (&mut self.journal, recorded) {
            journal.record(now_ns, &event, &effects[before..])?;
        }
        Ok(())
    }
}

impl Machine for Lockstep {
    fn patience(&self) -> Duration {
        Duration::from_millis(200)
    }

    fn on(
        &mut self,
        event: ActuatorEvent,
        now_ns: u64,
        effects: &mut Vec<ActuatorEffect>,
    ) -> Result<()> {
        if signals::is_stop_asked() {
            self.feed(signals::stop(), now_ns, effects)?;
        }
        // Its states say which episode it is in.
        if matches!(event, ActuatorEvent::Episode(_)) {
            return Ok(());
        }
        self.feed(event, now_ns, effects)
    }

    fn is_stopped(&self) -> bool {
        self.actuator.is_stopped()
    }

    fn finish(
        &mut self,
        reason: Option<String>,
        now_ns: u64,
        effects: &mut Vec<ActuatorEffect>,
    ) -> Result<()> {
        if let Some(reason) = reason {
            self.on(ActuatorEvent::Finish { reason }, now_ns, effects)?;
        }
        Ok(())
    }
}
