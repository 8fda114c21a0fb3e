//! What a measured state is answered with.

use tiller_core::EpisodeId;
use tiller_messages::{ArmCommand, ArmState, ExecutionState};

use super::{Actuator, ActuatorEffect};

/// A command and what everybody else may know.
#[derive(Debug, Clone)]
pub(super) struct Answer {
    pub(super) episode: EpisodeId,
    pub(super) command: ArmCommand,
    pub(super) execution: ExecutionState,
    /// Whether everybody was told what the arm measured.
    pub(super) is_believed: bool,
}

impl Answer {
    /// The command first: the arm waits for it.
    pub(super) fn tell(self, state: ArmState, effects: &mut Vec<ActuatorEffect>) {
        effects.push(ActuatorEffect::Command(self.command));
        if self.is_believed {
            effects.push(ActuatorEffect::Arm(state));
        }
        effects.push(ActuatorEffect::Execution(self.execution));
    }
}

impl Actuator {
    /// What the actuator is doing; nothing before the arm was seen.
    pub(super) fn execution(&self) -> Option<ExecutionState> {
        let status = self.motion.as_ref()?.status();
        let (refused_session, refused_seq) = self.refused;
        Some(ExecutionState {
            stamp_ns: self.now_ns,
            episode: self.episode,
            mode: self.permission.mode(status.mode, self.is_held()),
            anchor: status.anchor,
            anchor_q_rad: status.anchor_q_rad,
            step_start: status.step_start,
            step_start_q_rad: status.step_start_q_rad,
            chunk_session: self.chunk_session,
            chunk_seq: status.chunk_seq,
            chunk_step: status.chunk_step,
            refused_session,
            refused_seq,
            order: self.order,
            ..Default::default()
        })
    }
}
