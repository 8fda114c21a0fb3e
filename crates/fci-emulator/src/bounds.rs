//! What the robot lets itself be told: its limits as libfranka has them.
//!
//! They are taken from the client library's tables and from the robot's description, not from
//! `tiller-motion`'s, so that what is sent is judged by other numbers than those it was made with.

use franka::model::FR3_URDF;
use franka::rate_limiting as fr3;
use franka::rate_limiting::fer;
use franka::{JointVelocityLimitsConfig, LIMIT_EPS};
use tiller_core::JOINTS;
use tiller_motion::PERIOD_S;

use crate::{FciVersion, StartError};

/// What a client that differences the numbers of the robot's state, which are of single precision,
/// is off by: of accelerations, rad/s2, and of jerks, rad/s3.
const SLACK_RAD_S2: f64 = 0.3;
const SLACK_RAD_S3: f64 = 400.0;

/// How far from the arm a motion may begin, rad. The robot's own number is not published.
pub(crate) const START_RAD: f64 = 0.1;

/// How far from the hand a Cartesian motion may begin, m and rad.
pub(crate) const START_POSE: (f64, f64) = (0.05, 0.1);

/// Highest torques, Nm.
pub(crate) const TORQUE_NM: [f64; JOINTS] = [87.0, 87.0, 87.0, 87.0, 12.0, 12.0, 12.0];

/// Highest rate of torques, Nm/s.
pub(crate) const TORQUE_RATE_NM_S: f64 = 1000.0;

/// What single precision leaves of a torque's rate, Nm/s.
pub(crate) const SLACK_NM_S: f64 = 10.0;

/// A velocity, an acceleration and a jerk of the hand: highest ones.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rates {
    pub(crate) velocity: f64,
    pub(crate) acceleration: f64,
    pub(crate) jerk: f64,
}

/// Limits of one robot.
pub(crate) struct Bounds {
    pub(crate) lowest_rad: [f64; JOINTS],
    pub(crate) highest_rad: [f64; JOINTS],
    pub(crate) acceleration_rad_s2: [f64; JOINTS],
    pub(crate) jerk_rad_s3: [f64; JOINTS],
    /// Of the hand's position (m) and orientation (rad).
    pub(crate) linear: Rates,
    pub(crate) angular: Rates,
    velocity: Velocity,
}

enum Velocity {
    /// The same everywhere, rad/s.
    Flat([f64; JOINTS]),
    /// Lower towards the ends of the range, as the robot's description says.
    ByPosition(Box<JointVelocityLimitsConfig>),
}

impl Bounds {
    /// The limits of the robot that speaks `version`.
    pub(crate) fn new(version: FciVersion) -> Result<Self, StartError> {
        match version {
            FciVersion::V10 => Self::fr3(),
            FciVersion::V5 => Ok(Self::fer()),
        }
    }

    fn fr3() -> Result<Self, StartError> {
        let velocity = JointVelocityLimitsConfig::from_urdf(FR3_URDF)
            .map_err(|error| StartError::Model(error.to_string()))?;
        Ok(Self {
            lowest_rad: fr3::JOINT_POSITION_LIMITS.0,
            highest_rad: fr3::JOINT_POSITION_LIMITS.1,
            acceleration_rad_s2: fr3::MAX_JOINT_ACCELERATION.map(|most| most + SLACK_RAD_S2),
            jerk_rad_s3: fr3::MAX_JOINT_JERK.map(|most| most + SLACK_RAD_S3),
            linear: rates(
                fr3::MAX_TRANSLATIONAL_VELOCITY,
                fr3::MAX_TRANSLATIONAL_ACCELERATION,
                fr3::MAX_TRANSLATIONAL_JERK,
            ),
            angular: rates(
                fr3::MAX_ROTATIONAL_VELOCITY,
                fr3::MAX_ROTATIONAL_ACCELERATION,
                fr3::MAX_ROTATIONAL_JERK,
            ),
            velocity: Velocity::ByPosition(Box::new(velocity)),
        })
    }

    fn fer() -> Self {
        // The client's limit leaves room for packets that may get lost.
        let lost = |joint: usize| {
            fer::TOL_NUMBER_PACKETS_LOST * PERIOD_S * fer::MAX_JOINT_ACCELERATION[joint]
        };
        Self {
            lowest_rad: fer::JOINT_POSITION_LIMITS.0,
            highest_rad: fer::JOINT_POSITION_LIMITS.1,
            acceleration_rad_s2: fer::MAX_JOINT_ACCELERATION.map(|most| most + SLACK_RAD_S2),
            jerk_rad_s3: fer::MAX_JOINT_JERK.map(|most| most + SLACK_RAD_S3),
            linear: rates(
                fer::MAX_TRANSLATIONAL_VELOCITY,
                fer::MAX_TRANSLATIONAL_ACCELERATION,
                fer::MAX_TRANSLATIONAL_JERK,
            ),
            angular: rates(
                fer::MAX_ROTATIONAL_VELOCITY,
                fer::MAX_ROTATIONAL_ACCELERATION,
                fer::MAX_ROTATIONAL_JERK,
            ),
            velocity: Velocity::Flat(std::array::from_fn(|joint| {
                fer::MAX_JOINT_VELOCITY[joint] + lost(joint) + 2.0 * LIMIT_EPS
            })),
        }
    }

    /// Slowest and fastest that the joints may move at `q_rad`, rad/s.
    pub(crate) fn velocity_rad_s(&self, q_rad: &[f64; JOINTS]) -> ([f64; JOINTS], [f64; JOINTS]) {
        match &self.velocity {
            Velocity::Flat(most) => (most.map(|most| -most), *most),
            Velocity::ByPosition(table) => (
                table
                    .lower_limits(q_rad)
                    .map(|least| least - 2.0 * LIMIT_EPS),
                table.upper_limits(q_rad).map(|most| most + 2.0 * LIMIT_EPS),
            ),
        }
    }
}

fn rates(velocity: f64, acceleration: f64, jerk: f64) -> Rates {
    Rates {
        velocity: velocity + 2.0 * LIMIT_EPS,
        acceleration: acceleration + SLACK_RAD_S2,
        jerk: jerk + SLACK_RAD_S3,
    }
}

#[cfg(test)]
mod tests {
    use tiller_motion::limits::Limits;

    use super::*;

    #[test]
    fn our_own_table_is_within_the_robot_s() {
        for (version, own) in [
            (FciVersion::V10, Limits::fr3()),
            (FciVersion::V5, Limits::panda()),
        ] {
            let bounds = Bounds::new(version).unwrap();
            let own = own.joint;
            let middle: [f64; JOINTS] = std::array::from_fn(|joint| {
                0.5 * (own.position_min_rad[joint] + own.position_max_rad[joint])
            });
            let (slowest, fastest) = bounds.velocity_rad_s(&middle);
            for joint in 0..JOINTS {
                assert!(
                    own.position_min_rad[joint] >= bounds.lowest_rad[joint],
                    "{joint}"
                );
                assert!(
                    own.position_max_rad[joint] <= bounds.highest_rad[joint],
                    "{joint}"
                );
                assert!(own.velocity_rad_s[joint] <= fastest[joint], "{joint}");
                assert!(-own.velocity_rad_s[joint] >= slowest[joint], "{joint}");
                assert!(own.acceleration_rad_s2[joint] <= bounds.acceleration_rad_s2[joint]);
                assert!(own.jerk_rad_s3[joint] <= bounds.jerk_rad_s3[joint]);
            }
        }
    }
}
