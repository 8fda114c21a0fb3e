//! What a measured state is answered with.

use tiller_core::EpisodeId;
use tiller_messages::{ArmCommand, ArmState, ExecutionMode, ExecutionState};
use tiller_motion::{Actuator as Motion, Mode};

use super::ActuatorEffect;

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

/// What the actuator is doing.
pub(super) fn execution(
    motion: &Motion,
    episode: EpisodeId,
    stamp_ns: u64,
    chunk_session: u64,
    (refused_session, refused_seq): (u64, u64),
) -> ExecutionState {
    let status = motion.status();
    ExecutionState {
        stamp_ns,
        episode,
        mode: match status.mode {
            Mode::Holding => ExecutionMode::Holding,
            Mode::Executing => ExecutionMode::Executing,
            Mode::Stopping => ExecutionMode::Stopping,
            Mode::Stopped => ExecutionMode::Stopped,
        },
        anchor: status.anchor,
        anchor_q_rad: status.anchor_q_rad,
        chunk_session,
        chunk_seq: status.chunk_seq,
        chunk_step: status.chunk_step,
        refused_session,
        refused_seq,
        ..Default::default()
    }
}
