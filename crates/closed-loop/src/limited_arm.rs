//! The only way to a driver: everything that it is told has passed the machine and its limits.

use std::io::Write;

use thiserror::Error;
use tiller_messages::ArmState;
use tiller_motion::kinematics::forward;
use tiller_motion::{ActuatorConfig, Arm, Setpoint};

use crate::actuator::{Actuator, ActuatorEffect, ActuatorEvent};
use crate::journal::{JournalError, Recorder};

/// Why a millisecond of a limited arm went wrong; the next one is tried all the same.
#[derive(Debug, Error)]
pub enum LimitedArmError<E: std::error::Error + 'static> {
    /// The robot could not be read; it was commanded all the same, and is braked where that goes on.
    #[error("reading the robot failed")]
    Read(#[source] E),
    /// The robot did not take a setpoint.
    #[error("commanding the robot failed")]
    Command(#[source] E),
    /// The record of it could not be written.
    #[error(transparent)]
    Journal(#[from] JournalError),
}

/// A millisecond, ns.
const TICK_NS: u64 = 1_000_000;

/// An arm that can only be moved through an [`Actuator`].
pub struct LimitedArm<A: Arm> {
    arm: A,
    machine: Actuator,
    journal: Option<Recorder<Box<dyn Write + Send>>>,
    effects: Vec<ActuatorEffect>,
}

impl<A: Arm> LimitedArm<A> {
    /// Takes over `arm`; it is moved from where its first reading finds it. What it is told and what
    /// it answers goes into `journal`, which costs time and memory.
    pub fn new(
        arm: A,
        config: ActuatorConfig,
        journal: Option<Recorder<Box<dyn Write + Send>>>,
    ) -> Self {
        Self {
            arm,
            machine: Actuator::driven(config),
            journal,
            effects: Vec::with_capacity(8),
        }
    }

    /// Takes an event, such as a chunk, at `now_ns`; what it leads to is passed to `tell`. To resume an
    /// arm that has stopped by itself is to recover it first.
    ///
    /// # Errors
    /// When the journal cannot be written.
    pub fn on(
        &mut self,
        event: ActuatorEvent,
        now_ns: u64,
        mut tell: impl FnMut(ActuatorEffect),
    ) -> Result<(), JournalError> {
        let event = match event {
            ActuatorEvent::Resume => self.resumed(),
            event => event,
        };
        let recorded = self.feed(event, now_ns);
        self.effects.drain(..).for_each(&mut tell);
        recorded
    }

    fn resumed(&mut self) -> ActuatorEvent {
        match self.arm.recover() {
            Ok(false) => ActuatorEvent::Resume,
            Ok(true) => ActuatorEvent::Recovered,
            Err(error) => ActuatorEvent::Refused {
                kind: "not_resumed".to_owned(),
                text: format!("the robot is not ready: {error}"),
            },
        }
    }

    /// Whether a tick waits for the robot: it then needs no other clock.
    pub fn keeps_time(&self) -> bool {
        self.arm.elapsed_ms().is_some()
    }

    /// One millisecond: read, limit, command. Call at 1 kHz, or without a pause where the arm keeps
    /// time; `now_ns` stamps the reading. Where the robot's clock has gone on further, milliseconds
    /// without a reading come first. Allocates nothing, unless there is something to tell.
    ///
    /// A failed reading is commanded through: the arm keeps getting setpoints, which brake once
    /// readings have been missing for the configured time.
    ///
    /// # Errors
    /// When reading (after having commanded) or commanding failed.
    pub fn tick(
        &mut self,
        now_ns: u64,
        mut tell: impl FnMut(ActuatorEffect),
    ) -> Result<(), LimitedArmError<A::Error>> {
        let reading = self.arm.read();
        let state = reading.as_ref().ok().map(|reading| ArmState {
            stamp_ns: now_ns,
            q_rad: reading.q_rad,
            dq_rad_s: reading.dq_rad_s,
            tcp: forward(&reading.q_rad),
            gripper_width_m: reading.gripper_width_m,
            ..Default::default()
        });
        let due = u64::from(self.arm.elapsed_ms().unwrap_or(1).max(1));
        let mut state = state;
        let mut recorded = Ok(());
        let mut commanded = Ok(());
        for left in (0..due).rev() {
            let measured = if left == 0 { state.take() } else { None };
            let at_ns = now_ns.saturating_sub(left * TICK_NS);
            recorded = recorded.and(self.feed(ActuatorEvent::Tick(measured), at_ns));
            for effect in self.effects.drain(..) {
                match effect {
                    ActuatorEffect::Setpoint(q_rad, gripper_width_m) => {
                        let setpoint = Setpoint {
                            q_rad,
                            gripper_width_m,
                        };
                        commanded = commanded.and(self.arm.command(&setpoint));
                    }
                    effect => tell(effect),
                }
            }
        }
        commanded.map_err(LimitedArmError::Command)?;
        recorded?;
        reading.map(|_| ()).map_err(LimitedArmError::Read)
    }

    fn feed(&mut self, event: ActuatorEvent, now_ns: u64) -> Result<(), JournalError> {
        let copy = self.journal.as_ref().map(|_| event.clone());
        self.machine.on(event, now_ns, &mut self.effects);
        match (&mut self.journal, copy) {
            (Some(journal), Some(event)) => journal.record(now_ns, &event, &self.effects),
            _ => Ok(()),
        }
    }

    /// Whether the arm stands still for good, or never moved.
    pub fn is_stopped(&self) -> bool {
        self.machine.is_stopped()
    }

    /// The arm itself, to look at; it cannot be commanded this way.
    pub fn arm(&self) -> &A {
        &self.arm
    }
}

#[cfg(test)]
mod tests;
