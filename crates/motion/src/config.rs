//! Settings of the actuator, checked before it may move anything.

use thiserror::Error;

use crate::limits::Limits;

/// What to do with a value outside the limits. There is no "ignore".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnViolation {
    /// The whole chunk is refused; what was under way goes on.
    Refuse,
    /// The value is moved to the nearest allowed one.
    Clamp,
}

/// Settings of the [`Actuator`](crate::Actuator).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ActuatorConfig {
    /// The robot's and the cell's limits. Default: [`Limits::panda`].
    pub limits: Limits,
    /// Oldest observation a chunk may be made from, ns. Default: 1 s.
    pub max_chunk_age_ns: u64,
    /// A step longer than `limits.max_step_m`, or too fast for the speed limit. Default: clamp.
    pub on_step: OnViolation,
    /// A waypoint outside `limits.workspace`. Default: clamp.
    pub on_workspace: OnViolation,
    /// An anchor further than `limits.max_anchor_gap_m` from the actuator's. Default: refuse.
    pub on_anchor: OnViolation,
    /// Longest distance of the commanded anchor from the measured TCP at rest, m: without it a
    /// blocked arm would be pushed ever harder. Default: 0.02.
    pub max_anchor_lead_m: f64,
    /// Distance between commanded and measured TCP, or between reference and commanded TCP, at
    /// which the chunk is given up, m. Default: 0.1.
    pub max_tracking_error_m: f64,
    /// Milliseconds without a reading after which a controlled stop begins. Default: 20.
    pub max_missed_readings: u32,
    /// Longest pause of the control loop during which a chunk stays valid, ns. Default: 200 ms.
    pub max_loop_gap_ns: u64,
    /// Gripper width commanded by "open", m; "close" commands 0. Default: 0.08.
    pub gripper_open_m: f64,
    /// Gripper actions above it open, below its negative close, between keep. Default: 0.2.
    pub gripper_threshold: f64,
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
            max_tracking_error_m: 0.1,
            max_missed_readings: 20,
            max_loop_gap_ns: 200_000_000,
            gripper_open_m: 0.08,
            gripper_threshold: 0.2,
        }
    }
}

impl ActuatorConfig {
    /// Everything that is wrong with the settings; empty when they are sound. Checks can be
    /// tightened, not switched off: values that would amount to that are problems.
    pub fn problems(&self) -> Vec<String> {
        let mut problems = self.limits.problems();
        for (name, value, most) in [
            ("max_chunk_age_ns", self.max_chunk_age_ns as f64, 60e9),
            ("max_anchor_lead_m", self.max_anchor_lead_m, 0.1),
            ("max_tracking_error_m", self.max_tracking_error_m, 0.3),
            (
                "max_missed_readings",
                f64::from(self.max_missed_readings),
                1000.0,
            ),
            ("max_loop_gap_ns", self.max_loop_gap_ns as f64, 60e9),
            ("gripper_open_m", self.gripper_open_m, 0.08),
            ("gripper_threshold", self.gripper_threshold, 0.9),
        ] {
            if !(value > 0.0 && value <= most) {
                problems.push(format!(
                    "{name}: expected above 0 and at most {most}, found {value}"
                ));
            }
        }
        problems
    }
}

/// Why an actuator could not be made.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum ActuatorError {
    /// The settings are unusable; every problem is listed.
    #[error("actuator settings: {}", .0.join("; "))]
    Config(Vec<String>),
    /// The robot's first reading is not finite or outside its joint limits.
    #[error("the robot's reading: {0}")]
    Reading(String),
    /// The gripper does not point down, and turning it there unasked would not be safe.
    #[error(
        "expected the gripper within {expected_rad} rad of straight down, found {found_rad:.3}"
    )]
    Tilted {
        /// Largest angle allowed at the start.
        expected_rad: f64,
        /// Angle found.
        found_rad: f64,
    },
}
