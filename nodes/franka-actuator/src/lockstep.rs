//! An arm in lockstep with a simulator: its states are the clock.

use std::fs::File;
use std::io::BufWriter;
use std::time::Duration;

use eyre::Result;
use tiller_closed_loop::journal::Recorder;
use tiller_closed_loop::{Actuator, ActuatorEffect, ActuatorEvent};
use tiller_motion::ActuatorConfig;

use crate::node::Machine;

pub(crate) struct Lockstep {
    actuator: Actuator,
    journal: Option<Recorder<BufWriter<File>>>,
}

impl Lockstep {
    pub(crate) fn new(config: ActuatorConfig, journal: Option<Recorder<BufWriter<File>>>) -> Self {
        Self {
            actuator: Actuator::new(config),
            journal,
        }
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
        // Its states say which episode it is in.
        if matches!(event, ActuatorEvent::Episode(_)) {
            return Ok(());
        }
        let recorded = self.journal.as_ref().map(|_| event.clone());
        self.actuator.on(event, now_ns, effects);
        if let (Some(journal), Some(event)) = (&mut self.journal, recorded) {
            journal.record(now_ns, &event, effects)?;
        }
        Ok(())
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
        if let Some(journal) = &mut self.journal {
            journal.flush()?;
        }
        Ok(())
    }
}
