//! Whether the arm may move at all, and what the machine is doing as everybody is told.

use tiller_messages::{ActionChunk, ExecutionMode};
use tiller_motion::{ArmFault, Mode};

use super::{Actuator, ActuatorEffect, Guard};
use crate::notice::Notice;
use crate::watchdog::Source;

/// What allows motion, beside motion's own machine.
#[derive(Debug)]
pub(super) struct Permission {
    requires_arming: bool,
    /// Whether reflexes are recovered from without being asked.
    survives_reflexes: bool,
    is_armed: bool,
    /// Whether the arm is sent setpoints: from when it was first armed, for it then wants one every
    /// millisecond, moving or not.
    is_commanded: bool,
    /// Whether a chunk was taken since the arm was allowed to move.
    pub(super) has_begun: bool,
    pub(super) is_homing: bool,
    is_recovering: bool,
    /// Why an operator has the arm rest for a while.
    pub(super) paused: Option<String>,
    /// Why the arm would not move.
    fault: Option<ArmFault>,
}

impl Permission {
    /// For an arm that keeps its own time, or one that waits for an answer to each of its states.
    pub(super) fn new(guard: &Guard, is_driven: bool) -> Self {
        Self {
            requires_arming: guard.requires_arming,
            survives_reflexes: guard.recovery.is_some(),
            is_armed: !guard.requires_arming,
            is_commanded: !guard.requires_arming || !is_driven,
            has_begun: false,
            is_homing: false,
            is_recovering: false,
            paused: None,
            fault: None,
        }
    }

    /// Whether chunks are executed, or would be.
    pub(super) fn is_armed(&self) -> bool {
        self.is_armed
    }

    /// Whether chunks are executed now; they are checked in any case.
    pub(super) fn executes(&self) -> bool {
        self.is_armed && !self.is_homing
    }

    /// Whether an arm that keeps its own time is sent setpoints.
    pub(super) fn is_commanded(&self) -> bool {
        self.is_commanded
    }

    /// Whoever stops the arm takes away what `tiller arm` has given.
    pub(super) fn disarm(&mut self) {
        self.is_armed = !self.requires_arming;
    }

    /// A good reading: whatever was wrong with the arm is over.
    pub(super) fn is_read(&mut self) {
        self.fault = None;
    }

    /// What an operator has to do before the arm moves, and what that means.
    pub(super) fn awaits(&self, motion: Mode) -> Option<(&'static str, &'static str)> {
        match self.mode(motion, false) {
            ExecutionMode::Idle => Some((
                "`tiller arm`",
                "nothing moves until then; chunks are planned and checked",
            )),
            ExecutionMode::Paused => Some((
                "`tiller resume`",
                "an operator has paused the arm: nothing moves, and no time passes in the stage",
            )),
            ExecutionMode::Stopped | ExecutionMode::Fault if self.requires_arming => Some((
                "`tiller resume`",
                "the arm was stopped, or has stopped by itself; `tiller arm` comes after it",
            )),
            _ => None,
        }
    }

    /// What the machine is doing, where a watchdog holds it or does not.
    pub(super) fn mode(&self, motion: Mode, is_held: bool) -> ExecutionMode {
        if self.is_recovering {
            return ExecutionMode::Recovering;
        }
        if self.fault.is_some() {
            return ExecutionMode::Fault;
        }
        match motion {
            Mode::Stopping => ExecutionMode::Stopping,
            Mode::Stopped if self.paused.is_some() => ExecutionMode::Paused,
            Mode::Stopped => ExecutionMode::Stopped,
            _ if self.is_homing => ExecutionMode::Homing,
            _ if !self.is_armed => ExecutionMode::Idle,
            _ if is_held => ExecutionMode::Held,
            Mode::Executing => ExecutionMode::Executing,
            Mode::Holding if self.has_begun => ExecutionMode::Holding,
            Mode::Holding => ExecutionMode::Ready,
        }
    }
}

impl Actuator {
    pub(super) fn on_stop(&mut self, reason: String) {
        if let Some(motion) = &mut self.motion {
            motion.stop(&reason, self.now_ns);
        }
        self.stopped = Some(reason);
        self.permission.paused = None;
        self.permission.disarm();
        self.watchdog.forget(Source::Chunk);
        self.is_due = true;
    }

    /// A rest for a while. Who stands by goes on doing so: the arm is armed after it as it was before. A stop
    /// is more, and stays.
    pub(super) fn on_pause(&mut self, reason: String) {
        self.is_due = true;
        if self.stopped.is_some() {
            return;
        }
        if let Some(motion) = &mut self.motion {
            motion.pause(&reason, self.now_ns);
        }
        self.permission.paused = Some(reason);
        self.watchdog.forget(Source::Chunk);
    }

    /// Why a chunk is not for now, where the arm is paused.
    pub(super) fn paused(&self, chunk: &ActionChunk) -> Option<(&'static str, String)> {
        self.permission.paused.as_ref()?;
        let text = format!(
            "chunk {}: expected one once motion goes on, found the arm paused",
            chunk.seq
        );
        Some(("paused", text))
    }

    pub(super) fn on_resume(&mut self, effects: &mut Vec<ActuatorEffect>) {
        if let Some(name) = self.lacks() {
            let text = format!("expected `{name}` to be there, found nothing of it");
            effects.push(self.safety("not_resumed".to_owned(), text));
            return;
        }
        self.stopped = None;
        if !self.permission.is_commanded {
            self.permission.paused = None;
            // It may have been moved by hand meanwhile: where it is then, it will begin.
            self.begins_anew = true;
            let text = "motion is allowed again, once the arm is armed".to_owned();
            effects.push(ActuatorEffect::Tell(Notice::info("resumed", text)));
            return;
        }
        let Some(motion) = &mut self.motion else {
            self.permission.paused = None;
            return;
        };
        match motion.resume(self.now_ns) {
            Ok(()) => {
                self.permission.paused = None;
                self.permission.has_begun = false;
            }
            Err(error) => {
                effects.push(self.safety("not_resumed".to_owned(), error.to_string()));
            }
        }
    }

    pub(super) fn on_arm(&mut self, effects: &mut Vec<ActuatorEffect>) {
        if let Some(why) = self.not_to_be_armed() {
            effects.push(self.safety("not_armed".to_owned(), why));
            return;
        }
        if self.permission.is_armed {
            let text = "the arm was armed already".to_owned();
            effects.push(ActuatorEffect::Tell(Notice::info("armed", text)));
            return;
        }
        self.permission.is_armed = true;
        self.permission.has_begun = false;
        if !self.permission.is_commanded {
            self.permission.is_commanded = true;
            // It may have been moved by hand while it got no setpoints.
            self.begins_anew = true;
        }
        self.is_due = true;
        let text = "the arm is armed: from now on chunks move it".to_owned();
        effects.push(ActuatorEffect::Tell(Notice::info("armed", text)));
    }

    /// Whether an operator has the arm rest for a while.
    pub(crate) fn is_paused(&self) -> bool {
        self.permission.paused.is_some()
    }

    /// Why the arm cannot be armed now.
    fn not_to_be_armed(&self) -> Option<String> {
        let Some(motion) = &self.motion else {
            return Some("expected an arm that can be read, found none".to_owned());
        };
        if let Some(name) = self.lacks() {
            return Some(format!(
                "expected `{name}` to be there, found nothing of it: it is waited for, and then `tiller resume` comes \
                 first"
            ));
        }
        let what = match self.permission.mode(motion.mode(), false) {
            ExecutionMode::Fault => "an arm that has a fault",
            ExecutionMode::Recovering => "one that is being recovered",
            ExecutionMode::Stopping => "one that is braking",
            ExecutionMode::Stopped => "one that was stopped",
            _ => return None,
        };
        let why = self.stopped.as_deref().map(|why| format!(" ({why})"));
        let why = why.unwrap_or_default();
        Some(format!(
            "expected an arm that may move, found {what}{why}: `tiller resume` comes first"
        ))
    }

    pub(super) fn on_failed(
        &mut self,
        fault: Option<ArmFault>,
        text: String,
        effects: &mut Vec<ActuatorEffect>,
    ) {
        // What passes by itself comes often, and must not hide what does not.
        let kind = match fault {
            Some(_) => "arm_failed",
            None => "arm_missed",
        };
        if fault.is_some() {
            self.permission.fault = fault;
            if fault != Some(ArmFault::Reflex) || !self.permission.survives_reflexes {
                self.permission.disarm();
            }
            self.watchdog.forget(Source::Chunk);
            self.is_due = true;
        }
        effects.push(self.safety(kind.to_owned(), text));
    }

    /// Told at once: while the arm is being made ready, nothing else is.
    pub(super) fn on_recovering(&mut self, effects: &mut Vec<ActuatorEffect>) {
        self.permission.is_recovering = true;
        effects.extend(self.execution().map(ActuatorEffect::Execution));
        self.permission.is_recovering = false;
    }

    /// Setpoints are elsewhere than an arm that has stopped by itself: they begin anew.
    pub(super) fn on_recovered(&mut self, effects: &mut Vec<ActuatorEffect>) {
        self.motion = None;
        self.stopped = None;
        self.chunk_session = 0;
        self.permission.fault = None;
        self.permission.has_begun = false;
        self.permission.is_commanded = self.permission.is_armed;
        let text = "the arm is ready again: it starts from where it is".to_owned();
        effects.push(ActuatorEffect::Tell(Notice::info("recovered", text)));
    }
}
