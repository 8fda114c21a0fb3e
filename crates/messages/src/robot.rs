//! The arm: what it measures, what it is doing and what it is told.

use tiller_core::{EpisodeId, JOINTS, MAX_STATUS, Pose};

use crate::message::message;
use crate::{Message, MessageError};

message! {
    /// What an arm measured. `sim_arm_state` is the simulator's for the actuator alone; `arm_state`
    /// is the actuator's for everybody, whatever arm it moves.
    pub struct ArmState {
        /// When it was measured, ns.
        pub stamp_ns: u64,
        /// The episode that a simulated arm is in; 0 for an arm that knows of none.
        pub episode: EpisodeId,
        /// Joint positions, `[7]`, rad.
        pub q_rad: [f64; JOINTS],
        /// Joint velocities, `[7]`, rad/s.
        pub dq_rad_s: [f64; JOINTS],
        /// Pose of the tool centre point (between the fingertips) in the base frame.
        pub tcp: Pose,
        /// Opening between the fingers, m; 0 closed, 0.08 open.
        pub gripper_width_m: f64,
    }
}

message! {
    /// What the actuator is doing: which chunk it executes, and where the next one starts.
    pub struct ExecutionState {
        /// Stamp of the arm state that it belongs to, ns.
        pub stamp_ns: u64,
        /// The episode that is under way; 0 before the first.
        pub episode: EpisodeId,
        /// `idle`, `homing`, `ready`, `executing`, `holding`, `held`, `stopping`, `stopped`, `fault`,
        /// `recovering` or `paused`.
        pub mode: ExecutionMode,
        /// Where the next chunk's displacements start, in the base frame: the commanded tool pose,
        /// near the measured one.
        pub anchor: Pose,
        /// The joints of that pose, `[7]`, rad.
        pub anchor_q_rad: [f64; JOINTS],
        /// Where step `chunk_step` of the chunk begins, in the base frame, as it is executed: what
        /// was clamped is clamped here. The anchor where there is no chunk.
        pub step_start: Pose,
        /// The joints there, `[7]`, rad; of a chunk of poses those of the anchor.
        pub step_start_q_rad: [f64; JOINTS],
        /// The session of the chunk being executed or last executed; 0 before the first.
        pub chunk_session: u64,
        /// The `seq` of that chunk; 0 before the first.
        pub chunk_seq: u64,
        /// Policy steps of that chunk that are finished.
        pub chunk_step: u32,
        /// The session of the newest chunk that was refused; 0 if none was.
        pub refused_session: u64,
        /// The `seq` of the newest chunk that was refused; 0 if none was.
        pub refused_seq: u64,
        /// The [`Order`] that was taken last; 0 before the first.
        pub order: u64,
    }
}

/// What an actuator is doing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum ExecutionMode {
    /// Nothing moves before an operator arms the arm; chunks are checked, and not executed.
    Idle,
    /// The arm stands still while its hand finds out where its fingers are.
    Homing,
    /// The arm may move, and no chunk has come yet.
    Ready,
    /// Following a chunk.
    Executing,
    /// Standing still, or settling, for want of a fresh chunk.
    #[default]
    Holding,
    /// Brought to rest by a watchdog; chunks are refused until what is missing is back.
    Held,
    /// Braking after a stop, for a pause or after a fault.
    Stopping,
    /// At rest after a stop; chunks are refused until the actuator is told to resume.
    Stopped,
    /// The arm has stopped by itself, or is not ready.
    Fault,
    /// The arm is being made ready again after a fault.
    Recovering,
    /// Brought to rest by an operator who will go on: chunks are refused, and no time passes in a stage or an
    /// episode, until the actuator is told to resume.
    Paused,
}

impl ExecutionMode {
    /// Whether chunks are executed; in all other modes they are refused.
    #[must_use]
    pub fn takes_chunks(self) -> bool {
        matches!(self, Self::Ready | Self::Executing | Self::Holding)
    }
}

crate::column::words!(ExecutionMode {
    Idle => "idle",
    Homing => "homing",
    Ready => "ready",
    Executing => "executing",
    Holding => "holding",
    Held => "held",
    Stopping => "stopping",
    Stopped => "stopped",
    Fault => "fault",
    Recovering => "recovering",
    Paused => "paused",
});

message! {
    /// What an operator wants of the actuator; the output that it comes by says what: `stop`, `pause`,
    /// `resume` or `arm`.
    pub struct Order {
        /// Its number, larger than those before; [`ExecutionState::order`] acknowledges it.
        pub id: u64,
        /// Who or what asks, for people.
        pub reason: String,
    }
    cut reason to MAX_STATUS;
}

message! {
    /// Joint setpoints for the simulated arm.
    pub struct ArmCommand {
        /// Stamp of the arm state that it answers: when the first setpoint applies, ns.
        pub stamp_ns: u64,
        /// Setpoints at 1 kHz, `[n x 7]` row-major, rad.
        pub q_rad: Vec<f64>,
        /// Opening of the gripper that is commanded, m.
        pub gripper_width_m: f64,
    }
    check ArmCommand::check;
}

impl ArmCommand {
    /// The setpoints, one joint vector each.
    pub fn setpoints(&self) -> impl ExactSizeIterator<Item = [f64; JOINTS]> + '_ {
        self.q_rad
            .chunks_exact(JOINTS)
            .map(|q| std::array::from_fn(|j| q[j]))
    }

    fn check(&self) -> Result<(), MessageError> {
        if !self.q_rad.is_empty() && self.q_rad.len().is_multiple_of(JOINTS) {
            return Ok(());
        }
        Err(MessageError::Value {
            message: Self::NAME,
            column: "q_rad",
            expected: "one or more rows of 7 numbers".to_owned(),
            found: format!("{} numbers", self.q_rad.len()),
        })
    }
}
