//! The only way to a driver: everything that it is told has passed the machine and its limits.

use std::error::Error;

use tiller_messages::ArmState;
use tiller_motion::kinematics::forward;
use tiller_motion::{ActuatorConfig, Arm, ArmFault, Setpoint};

use crate::actuator::{Actuator, ActuatorEffect, ActuatorEvent, Guard};
use crate::journal::{JournalError, Pending, Recorder};
use crate::recovery::Recovery;

/// Why a millisecond of a limited arm went wrong; the next one is tried all the same.
#[derive(Debug, thiserror::Error)]
pub enum LimitedArmError<E: Error + 'static> {
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

/// A round of the control loop that takes longer than this, ns, is passed on as late.
const LATE_NS: u64 = 3 * TICK_NS;

/// An arm that can only be moved through an [`Actuator`].
pub struct LimitedArm<A: Arm> {
    arm: A,
    machine: Actuator,
    journal: Option<Recorder<Pending>>,
    effects: Vec<ActuatorEffect>,
    /// What is wrong with the arm as it was told last; the inner one where it may move all the same.
    failing: Option<Option<ArmFault>>,
    is_homing: bool,
    recovery: Recovery,
    /// When the last tick was, ns; none where it was no ordinary one.
    ticked_ns: Option<u64>,
    /// Whether the last tick commanded the arm: the first command may take its time.
    was_commanded: bool,
}

/// Settings of the machine for an arm that tells its state every `period_ms`: between two states of a slow controller
/// none is missed, nor is the arm braked for want of one.
#[must_use]
pub fn driven_config(config: ActuatorConfig, period_ms: u32) -> ActuatorConfig {
    let between = 2 * (period_ms.max(1) - 1);
    ActuatorConfig {
        max_missed_readings: config.max_missed_readings + between,
        ..config
    }
}

impl<A: Arm> LimitedArm<A> {
    /// Takes over `arm`; it is moved from where its first reading finds it. What it is told and what
    /// it answers goes into `journal`, which costs time and memory.
    pub fn new(arm: A, config: ActuatorConfig, journal: Option<Recorder<Pending>>) -> Self {
        let config = driven_config(config, arm.period_ms());
        Self {
            arm,
            machine: Actuator::driven(config),
            journal,
            effects: Vec::with_capacity(8),
            failing: None,
            is_homing: false,
            recovery: Recovery::new(None),
            ticked_ns: None,
            was_commanded: false,
        }
    }

    /// The same with a machine that demands what `guard` says.
    #[must_use]
    pub fn guarded(self, guard: &Guard) -> Self {
        Self {
            machine: self.machine.guarded(guard),
            recovery: Recovery::new(guard.recovery),
            ..self
        }
    }

    /// Takes an event, such as a chunk, at `now_ns`; what it leads to is passed to `tell`. To resume an
    /// arm that has stopped by itself is to recover it first, to arm one for the first time to home
    /// its hand, where that is set.
    ///
    /// # Errors
    /// When the journal cannot be written.
    pub fn on(
        &mut self,
        event: ActuatorEvent,
        now_ns: u64,
        mut tell: impl FnMut(ActuatorEffect),
    ) -> Result<(), JournalError> {
        let is_to_arm = matches!(event, ActuatorEvent::Arm);
        let is_to_resume = matches!(event, ActuatorEvent::Resume);
        let event = match event {
            ActuatorEvent::Resume => {
                self.recovery.leave();
                if self.arm.fault().is_some() {
                    let recorded = self.feed(ActuatorEvent::Recovering, now_ns);
                    self.effects.drain(..).for_each(&mut tell);
                    recorded?;
                }
                // That took as long as it took.
                self.was_commanded = false;
                self.resumed()
            }
            event => event,
        };
        let is_recovered = matches!(event, ActuatorEvent::Recovered);
        let mut recorded = self.feed(event, now_ns);
        if is_to_resume && is_recovered && self.machine.is_paused() {
            // It was paused when it stopped by itself: the operator's word is about both.
            recorded = recorded.and_then(|()| self.feed(ActuatorEvent::Resume, now_ns));
        }
        if is_to_arm && self.machine.is_armed() && !self.is_homing {
            recorded = recorded.and_then(|()| self.home(now_ns));
        }
        self.effects.drain(..).for_each(&mut tell);
        recorded
    }

    fn home(&mut self, now_ns: u64) -> Result<(), JournalError> {
        let event = match self.arm.home() {
            Ok(false) => return Ok(()),
            Ok(true) => {
                self.is_homing = true;
                ActuatorEvent::Homing(true)
            }
            Err(error) => ActuatorEvent::Failed {
                fault: self.arm.fault(),
                text: format!("homing the hand failed: {error}"),
            },
        };
        self.feed(event, now_ns)
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
    /// time; `clock` stamps the reading, ns, once it is there. Where the robot's clock has gone on
    /// further, milliseconds without a reading come first. Allocates nothing, unless there is something to tell.
    ///
    /// A failed reading is commanded through: the arm keeps getting setpoints, which brake once
    /// readings have been missing for the configured time.
    ///
    /// # Errors
    /// When reading (after having commanded) or commanding failed.
    pub fn tick(
        &mut self,
        clock: impl FnOnce() -> u64,
        mut tell: impl FnMut(ActuatorEffect),
    ) -> Result<(), LimitedArmError<A::Error>> {
        let reading = self.arm.read();
        let now_ns = clock();
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
        let mut recorded = self.note_round(due, now_ns);
        let mut commanded = Ok(());
        let mut is_commanded = false;
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
                        is_commanded = true;
                    }
                    effect => tell(effect),
                }
            }
        }
        if let Some(violation) = self.arm.clamped() {
            let event = ActuatorEvent::Clamped {
                quantity: violation.quantity.as_str().to_owned(),
                limit: violation.limit,
                value: violation.value,
                text: format!("{violation}: the arm's controller takes no more"),
            };
            recorded = recorded.and(self.feed(event, now_ns));
        }
        self.ticked_ns = (is_commanded && self.was_commanded).then_some(now_ns);
        self.was_commanded = is_commanded;
        if self.is_homing && !self.arm.is_homing() {
            self.is_homing = false;
            recorded = recorded.and(self.feed(ActuatorEvent::Homing(false), now_ns));
        }
        if self.recovery.is_due(now_ns) {
            recorded = recorded.and(self.recover(now_ns, &mut tell));
        }
        let done = commanded
            .map_err(LimitedArmError::Command)
            .and(reading.map(|_| ()).map_err(LimitedArmError::Read));
        recorded = recorded.and(self.note(&done, now_ns));
        self.effects.drain(..).for_each(tell);
        recorded?;
        done
    }

    /// Recovers from a reflex without being asked.
    fn recover(
        &mut self,
        now_ns: u64,
        tell: &mut impl FnMut(ActuatorEffect),
    ) -> Result<(), JournalError> {
        if self.arm.fault() != Some(ArmFault::Reflex) {
            return Ok(());
        }
        self.feed(ActuatorEvent::Recovering, now_ns)?;
        self.effects.drain(..).for_each(tell);
        self.was_commanded = false;
        let event = self.resumed();
        let has_failed = matches!(event, ActuatorEvent::Refused { .. });
        self.feed(event, now_ns)?;
        match has_failed {
            true => self.plan_recovery(now_ns),
            false => Ok(()),
        }
    }

    fn plan_recovery(&mut self, now_ns: u64) -> Result<(), JournalError> {
        match self.recovery.plan(now_ns) {
            Err(Some(reason)) => self.feed(ActuatorEvent::Stop { reason }, now_ns),
            Ok(()) | Err(None) => Ok(()),
        }
    }

    /// A round that took too long: by the robot's clock where that is the arm's, else by the caller's.
    fn note_round(&mut self, due: u64, now_ns: u64) -> Result<(), JournalError> {
        let Some(before_ns) = self.ticked_ns else {
            return Ok(());
        };
        let took_ns = match self.arm.elapsed_ms() {
            Some(_) => (due + 1).saturating_sub(self.arm.period_ms().into()) * TICK_NS,
            None => now_ns.saturating_sub(before_ns),
        };
        if took_ns <= LATE_NS {
            return Ok(());
        }
        self.feed(ActuatorEvent::Late(took_ns), now_ns)
    }

    /// What is wrong with the arm is told when it begins, or becomes another thing.
    fn note(
        &mut self,
        done: &Result<(), LimitedArmError<A::Error>>,
        now_ns: u64,
    ) -> Result<(), JournalError> {
        let Err(error) = done else {
            self.failing = None;
            return Ok(());
        };
        let fault = self.arm.fault();
        if self.failing.replace(fault) == Some(fault) {
            return Ok(());
        }
        let cause = error.source().map(|cause| format!(": {cause}"));
        let text = format!("{error}{}", cause.unwrap_or_default());
        self.feed(ActuatorEvent::Failed { fault, text }, now_ns)?;
        match fault {
            Some(ArmFault::Reflex) => self.plan_recovery(now_ns),
            Some(_) => {
                self.recovery.cancel();
                Ok(())
            }
            None => Ok(()),
        }
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
