//! What the actuator is doing, as others need it.

use std::fmt;

use thiserror::Error;
use tiller_core::Pose;

use crate::kinematics::JointVector;
use crate::violation::{Quantity, Violation};

/// What the actuator is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mode {
    /// No steps are left: standing at, or settling on, the last waypoint.
    Holding,
    /// Following a chunk.
    Executing,
    /// Braking after a stop or lost readings.
    Stopping,
    /// At rest after a stop; chunks are refused until [`Actuator::resume`](crate::Actuator::resume).
    Stopped,
}

impl Mode {
    /// Stable name, for messages and logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Holding => "holding",
            Self::Executing => "executing",
            Self::Stopping => "stopping",
            Self::Stopped => "stopped",
        }
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The actuator's state as others need it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ActuatorStatus {
    /// Sequence number of the last chunk accepted; 0 before the first.
    pub chunk_seq: u64,
    /// Steps of that chunk that are over.
    pub chunk_step: u32,
    /// What the actuator is doing.
    pub mode: Mode,
    /// Where the next chunk should start, in the base frame: where the schedule is now, drawn back by
    /// as much as the measured TCP is further than
    /// [`ActuatorConfig::max_anchor_lead_m`](crate::ActuatorConfig::max_anchor_lead_m) or its angle
    /// further than `max_anchor_lead_rad` from the commanded one; an orientation that the last
    /// chunk only held is not drawn back. At rest it is the commanded pose within that distance of
    /// the measured one.
    pub anchor: Pose,
    /// The same in joints, rad: where a joint chunk starts.
    pub anchor_q_rad: JointVector,
    /// Where step `chunk_step` of the chunk begins, as executed, clamped where the chunk was: from
    /// there a chunk that carries it on leads. The anchor where there is no chunk.
    pub step_start: Pose,
    /// The same in joints, rad; of a chunk of poses those of the anchor.
    pub step_start_q_rad: JointVector,
    /// Readings that were not believed since the start.
    pub refused_readings: u64,
}

/// Why motion was not allowed again.
#[derive(Debug, Clone, Copy, PartialEq, Error)]
pub enum ResumeError {
    /// Only a stopped actuator can resume.
    #[error("expected to be stopped, found {0}")]
    NotStopped(Mode),
    /// The robot gives no good readings.
    #[error("expected a good reading, found none for {0} ms")]
    NoReading(u32),
    /// The robot was moved meanwhile: start a new actuator from where it is.
    #[error("expected the robot within {expected_m} m of where it stopped, found {found_m:.3} m")]
    Displaced {
        /// Largest distance allowed.
        expected_m: f64,
        /// Distance found.
        found_m: f64,
    },
    /// A joint was moved meanwhile: start a new actuator from where the robot is.
    #[error(
        "expected joint {joint} within {expected_rad} rad of where it stopped, found \
         {found_rad:.3} rad"
    )]
    JointMoved {
        /// Which one, from 1.
        joint: usize,
        /// Largest angle allowed.
        expected_rad: f64,
        /// Angle found.
        found_rad: f64,
    },
}

impl ResumeError {
    /// The limit and the value, of those that have them.
    #[must_use]
    pub fn violation(&self) -> Option<Violation> {
        match *self {
            Self::NotStopped(_) | Self::NoReading(_) => None,
            Self::Displaced {
                expected_m,
                found_m,
            } => Some(Violation::new(Quantity::Displaced, expected_m, found_m)),
            Self::JointMoved {
                joint,
                expected_rad,
                found_rad,
            } => {
                let quantity = Quantity::JointDisplaced(joint - 1);
                Some(Violation::new(quantity, expected_rad, found_rad))
            }
        }
    }
}
