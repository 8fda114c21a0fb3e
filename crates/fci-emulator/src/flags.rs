//! The robot's errors, in the order of the interface.

use std::fmt;

use franka::errors::{ERROR_COUNT, ERROR_NAMES};

/// One of the robot's 41 errors.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ErrorFlag(usize);

/// Which errors are set, byte by byte as they are sent.
pub(crate) type ErrorFlags = [u8; ERROR_COUNT];

impl ErrorFlag {
    /// The robot collided: what most people think of as a reflex.
    pub const CARTESIAN_REFLEX: Self = Self(7);
    /// A joint motion did not begin where the arm is.
    pub const JOINT_START_INVALID: Self = Self(11);
    /// A joint was commanded beyond its range.
    pub const JOINT_POSITION_LIMITS: Self = Self(12);
    /// A joint was commanded to move faster than it may.
    pub const JOINT_VELOCITY_LIMITS: Self = Self(13);
    /// A joint was commanded to accelerate harder than it may.
    pub const JOINT_VELOCITY_DISCONTINUITY: Self = Self(14);
    /// A joint's acceleration was commanded to change faster than it may.
    pub const JOINT_ACCELERATION_DISCONTINUITY: Self = Self(15);
    /// A Cartesian motion did not begin where the hand is.
    pub const CARTESIAN_START_INVALID: Self = Self(16);
    /// The hand was commanded to move faster than it may.
    pub const CARTESIAN_VELOCITY_LIMITS: Self = Self(18);
    /// The hand was commanded to accelerate harder than it may.
    pub const CARTESIAN_VELOCITY_DISCONTINUITY: Self = Self(19);
    /// The hand's acceleration was commanded to change faster than it may.
    pub const CARTESIAN_ACCELERATION_DISCONTINUITY: Self = Self(20);
    /// Twenty commands in a row did not arrive in time.
    pub const COMMUNICATION: Self = Self(25);
    /// A Cartesian motion leads a joint beyond its range.
    pub const CARTESIAN_JOINT_POSITION_LIMITS: Self = Self(27);
    /// A Cartesian motion leads a joint to move faster than it may.
    pub const CARTESIAN_JOINT_VELOCITY_LIMITS: Self = Self(28);
    /// A Cartesian motion leads a joint to accelerate harder than it may.
    pub const CARTESIAN_JOINT_VELOCITY_DISCONTINUITY: Self = Self(29);
    /// A Cartesian motion changes a joint's acceleration faster than it may.
    pub const CARTESIAN_JOINT_ACCELERATION_DISCONTINUITY: Self = Self(30);
    /// A pose was commanded that is none.
    pub const INVALID_FRAME: Self = Self(31);
    /// Torques were commanded to change faster than they may.
    pub const TORQUE_DISCONTINUITY: Self = Self(32);
    /// Torques were commanded beyond the motors' range.
    pub const TORQUE_RANGE: Self = Self(34);

    /// The error that libfranka calls so.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        ERROR_NAMES
            .iter()
            .position(|known| *known == name)
            .map(Self)
    }

    /// Its name in libfranka.
    #[must_use]
    pub fn name(self) -> &'static str {
        ERROR_NAMES[self.0]
    }

    /// This error alone.
    pub(crate) fn alone(self) -> ErrorFlags {
        let mut flags = [0; ERROR_COUNT];
        flags[self.0] = 1;
        flags
    }
}

impl fmt::Debug for ErrorFlag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Display for ErrorFlag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_are_the_interface_s() {
        let known = [
            (ErrorFlag::CARTESIAN_REFLEX, "cartesian_reflex"),
            (
                ErrorFlag::JOINT_START_INVALID,
                "joint_position_motion_generator_start_pose_invalid",
            ),
            (
                ErrorFlag::JOINT_POSITION_LIMITS,
                "joint_motion_generator_position_limits_violation",
            ),
            (
                ErrorFlag::JOINT_VELOCITY_LIMITS,
                "joint_motion_generator_velocity_limits_violation",
            ),
            (
                ErrorFlag::JOINT_VELOCITY_DISCONTINUITY,
                "joint_motion_generator_velocity_discontinuity",
            ),
            (
                ErrorFlag::JOINT_ACCELERATION_DISCONTINUITY,
                "joint_motion_generator_acceleration_discontinuity",
            ),
            (
                ErrorFlag::CARTESIAN_START_INVALID,
                "cartesian_position_motion_generator_start_pose_invalid",
            ),
            (
                ErrorFlag::CARTESIAN_VELOCITY_LIMITS,
                "cartesian_motion_generator_velocity_limits_violation",
            ),
            (
                ErrorFlag::CARTESIAN_VELOCITY_DISCONTINUITY,
                "cartesian_motion_generator_velocity_discontinuity",
            ),
            (
                ErrorFlag::CARTESIAN_ACCELERATION_DISCONTINUITY,
                "cartesian_motion_generator_acceleration_discontinuity",
            ),
            (
                ErrorFlag::COMMUNICATION,
                "communication_constraints_violation",
            ),
            (
                ErrorFlag::CARTESIAN_JOINT_POSITION_LIMITS,
                "cartesian_motion_generator_joint_position_limits_violation",
            ),
            (
                ErrorFlag::CARTESIAN_JOINT_VELOCITY_LIMITS,
                "cartesian_motion_generator_joint_velocity_limits_violation",
            ),
            (
                ErrorFlag::CARTESIAN_JOINT_VELOCITY_DISCONTINUITY,
                "cartesian_motion_generator_joint_velocity_discontinuity",
            ),
            (
                ErrorFlag::CARTESIAN_JOINT_ACCELERATION_DISCONTINUITY,
                "cartesian_motion_generator_joint_acceleration_discontinuity",
            ),
            (
                ErrorFlag::INVALID_FRAME,
                "cartesian_position_motion_generator_invalid_frame_flag",
            ),
            (
                ErrorFlag::TORQUE_DISCONTINUITY,
                "controller_torque_discontinuity",
            ),
            (ErrorFlag::TORQUE_RANGE, "tau_J_range_violation"),
        ];
        for (flag, name) in known {
            assert_eq!(flag.name(), name);
            assert_eq!(ErrorFlag::named(name), Some(flag));
        }
        assert_eq!(ErrorFlag::named("indigestion"), None);
    }
}
