//! The arm: what it measures and what it is told.

use crate::message::message;
use crate::{Message, MessageError};

/// Joints of a Franka arm.
pub const JOINTS: usize = 7;

message! {
    /// The arm's measured state, and which action chunk it is executing.
    pub struct RobotState {
        /// Counts from 1.
        pub seq: u64,
        /// When it was measured, ns.
        pub stamp_ns: u64,
        /// Joint positions, `[7]`, rad.
        pub q_rad: [f64; JOINTS],
        /// Joint velocities, `[7]`, rad/s.
        pub dq_rad_s: [f64; JOINTS],
        /// Tool centre point (between the fingertips) in the base frame, `[3]`, m.
        pub tcp_position_m: [f64; 3],
        /// Its orientation, `[w, x, y, z]`, unit length.
        pub tcp_quaternion_wxyz: [f64; 4],
        /// Opening between the fingers, m; 0 closed, 0.08 open.
        pub gripper_width_m: f64,
        /// Where the next chunk's deltas start: the commanded tool position, near the measured
        /// one, `[3]`, m.
        pub anchor_position_m: [f64; 3],
        /// The `seq` of the chunk being executed or last executed; 0 before the first.
        pub chunk_seq: u64,
        /// Policy steps of that chunk that are finished.
        pub chunk_step: u32,
        /// The arm is holding still for want of a fresh chunk.
        pub holding: bool,
    }
}

message! {
    /// Joint setpoints for the simulated arm.
    pub struct ArmCommand {
        /// Counts from 1.
        pub seq: u64,
        /// When the first setpoint applies, ns.
        pub stamp_ns: u64,
        /// Setpoints at 1 kHz, `[n x 7]` row-major, rad.
        pub q_rad: Vec<f64>,
        /// Opening of the gripper that is commanded, m.
        pub gripper_width_m: f64,
        /// As in [`RobotState`], at the end of these setpoints.
        pub anchor_position_m: [f64; 3],
        /// As in [`RobotState`].
        pub chunk_seq: u64,
        /// As in [`RobotState`].
        pub chunk_step: u32,
        /// As in [`RobotState`].
        pub holding: bool,
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
