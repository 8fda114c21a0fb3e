//! Settings of the actuator, checked before it may move anything.

use thiserror::Error;
use tiller_core::{GRIPPER_OPEN_M, Problems};

use crate::limits::{Limits, within};

/// What to do with a value outside the limits. There is no "ignore".
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum OnViolation {
    /// The whole chunk is refused; what was under way goes on.
    Refuse,
    /// The value is moved to the nearest allowed one.
    Clamp,
}

/// How the hand is held while a chunk without rotation columns is executed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Orientation {
    /// As it is when the chunk comes.
    Hold,
    /// Straight down with the yaw of [`HOME_Q`](crate::kinematics::HOME_Q). Up to 0.35 rad it is
    /// turned there, gently; beyond that such chunks are refused, for nobody asked for the turn.
    StraightDown,
}

/// How motion is allowed again after readings were lost. After a stop that somebody asked for it
/// always takes [`Actuator::resume`](crate::Actuator::resume).
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Resume {
    /// By [`Actuator::resume`](crate::Actuator::resume).
    Manual,
    /// By itself, when at rest and readings have been good without a gap for so long.
    Automatic {
        /// How long, ns.
        after_ns: u64,
    },
}

/// Settings of the [`Actuator`](crate::Actuator).
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct ActuatorConfig {
    /// The robot's and the cell's limits. Default: [`Limits::panda`].
    pub limits: Limits,
    /// Oldest observation a chunk may be made from, ns. Default: 1 s.
    pub max_chunk_age_ns: u64,
    /// A step longer than `limits.max_step_m`, `limits.max_step_rad` or `limits.max_joint_step_rad`,
    /// or too fast for the speed limits. Default: clamp.
    pub on_step: OnViolation,
    /// A waypoint outside `limits.workspace` or the joints' limits. Default: clamp.
    pub on_workspace: OnViolation,
    /// An anchor further than `limits.max_anchor_gap_m` or `limits.max_anchor_gap_rad` from the
    /// actuator's. Default: refuse.
    pub on_anchor: OnViolation,
    /// Longest distance of the commanded anchor from the measured TCP at rest, m: without it a
    /// blocked arm would be pushed ever harder. Default: 0.02.
    pub max_anchor_lead_m: f64,
    /// The same for the angle of the hand where chunks turn it, and of every joint, rad.
    /// Default: 0.05.
    pub max_anchor_lead_rad: f64,
    /// Distance between commanded and measured TCP, or between reference and commanded TCP, at
    /// which the chunk is given up, m. Default: 0.1.
    pub max_tracking_error_m: f64,
    /// The same for the angle of the hand, or between reference and commanded joints, rad.
    /// Default: 0.5.
    pub max_tracking_error_rad: f64,
    /// Milliseconds without a good reading after which a controlled stop begins. Default: 20.
    pub max_missed_readings: u32,
    /// Longest pause of the control loop during which a chunk stays valid, ns. Default: 200 ms.
    pub max_loop_gap_ns: u64,
    /// Gripper width commanded by "open", m; "close" commands 0. Default: 0.08.
    pub gripper_open_m: f64,
    /// Openings above half by half of it open, below half by half of it close, between keep: with
    /// actions from -1 to +1, actions above it open and below its negative close. Default: 0.2.
    pub gripper_threshold: f64,
    /// How the hand is held where a policy says nothing about it. Default: straight down.
    pub orientation: Orientation,
    /// How motion is allowed again after readings were lost. Default: by hand.
    pub resume: Resume,
}

impl Default for ActuatorConfig {
    fn default() -> Self {
        Self {
            limits: Limits::panda(),
            max_chunk_age_ns: 1_000_000_000,
            on_step: OnViolation::Clamp,
            on_workspace: OnViolation::Clamp,
            on_anchor: OnViolation::Refuse,
            max_anchor_lead_m: 0.02,
            max_anchor_lead_rad: 0.05,
            max_tracking_error_m: 0.1,
            max_tracking_error_rad: 0.5,
            max_missed_readings: 20,
            max_loop_gap_ns: 200_000_000,
            gripper_open_m: GRIPPER_OPEN_M,
            gripper_threshold: 0.2,
            orientation: Orientation::StraightDown,
            resume: Resume::Manual,
        }
    }
}

impl ActuatorConfig {
    /// Everything that is wrong with the settings; empty when they are sound. Checks can be
    /// tightened, not switched off: values that would amount to that are problems.
    pub fn problems(&self) -> Problems {
        let mut problems = Problems::default();
        problems.extend("limits.", self.limits.problems());
        let missed = f64::from(self.max_missed_readings);
        within(
            &mut problems,
            &[
                ("max_chunk_age_ns", self.max_chunk_age_ns as f64, 60e9),
                ("max_anchor_lead_m", self.max_anchor_lead_m, 0.1),
                ("max_anchor_lead_rad", self.max_anchor_lead_rad, 0.3),
                ("max_tracking_error_m", self.max_tracking_error_m, 0.3),
                ("max_tracking_error_rad", self.max_tracking_error_rad, 1.0),
                ("max_missed_readings", missed, 1000.0),
                ("max_loop_gap_ns", self.max_loop_gap_ns as f64, 60e9),
                ("gripper_open_m", self.gripper_open_m, GRIPPER_OPEN_M),
                ("gripper_threshold", self.gripper_threshold, 0.9),
            ],
        );
        if let Resume::Automatic { after_ns } = self.resume {
            within(&mut problems, &[("resume.after_ns", after_ns as f64, 60e9)]);
        }
        problems
    }
}

/// Why an actuator could not be made.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum ActuatorError {
    /// The settings are unusable; every problem is listed.
    #[error("actuator settings: {0}")]
    Config(#[source] Problems),
    /// The robot's first reading is not finite or outside its joint limits.
    #[error("the robot's reading: {0}")]
    Reading(String),
}
