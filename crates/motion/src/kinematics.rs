//! Inverse kinematics of the Franka arm; the forward kinematics are [`tiller_core::kinematics`].
//!
//! Lengths in metres, angles in radians, nothing allocates.

use nalgebra::{SMatrix, SVector, UnitQuaternion, Vector3};
use thiserror::Error;

pub use tiller_core::kinematics::{
    Chain, DOWN_WXYZ, FLANGE_M, HAND_TCP_M, HOME_Q, Jacobian, JointVector, down_rotation, forward,
    jacobian,
};
pub use tiller_core::{JOINTS, Pose};

use crate::limits::JointLimits;

/// Linear velocity (m/s) over angular velocity (rad/s), in the base frame.
pub type Twist = SVector<f64, 6>;

/// Damping of the least squares; the reached velocity loses `lambda^2 / (sigma^2 + lambda^2)`.
pub const DAMPING: f64 = 0.03;

/// Joint rates for a twist: `dq = inverse * twist`.
pub type DampedInverse = SMatrix<f64, JOINTS, 6>;

/// Damped least squares inverse, `J' (J J' + damping^2 I)^-1`.
pub fn damped_inverse(jacobian: &Jacobian, damping: f64) -> DampedInverse {
    let normal = jacobian * jacobian.transpose()
        + SMatrix::<f64, 6, 6>::identity() * (damping * damping).max(1e-12);
    // Positive definite by construction: a failure means non-finite input, answered by no motion.
    normal
        .cholesky()
        .map_or_else(DampedInverse::zeros, |factor| {
            jacobian.transpose() * factor.inverse()
        })
}

/// Joint rates (rad/s) that realise `twist` in the damped least squares sense, plus the part of
/// `posture_rad_s` that does not move the TCP: `dq = inverse (twist - J posture) + posture`.
pub fn damped_rates(
    jacobian: &Jacobian,
    inverse: &DampedInverse,
    twist: &Twist,
    posture_rad_s: &JointVector,
) -> JointVector {
    let posture = SVector::<f64, JOINTS>::from(*posture_rad_s);
    (inverse * (twist - jacobian * posture) + posture).into()
}

/// Why no joint vector was found for a pose.
#[derive(Debug, Clone, Copy, PartialEq, Error)]
pub enum InverseError {
    /// The pose or the seed is not a number.
    #[error("expected finite numbers in the pose and the seed")]
    NotFinite,
    /// The iteration ended away from the pose: out of reach, or blocked by joint limits.
    #[error(
        "expected to reach the pose within 1e-6, found {position_error_m:.4} m and \
         {rotation_error_rad:.4} rad away"
    )]
    NotReached {
        /// Distance left in metres.
        position_error_m: f64,
        /// Angle left in radians.
        rotation_error_rad: f64,
    },
}

/// Joint angles within `limits` whose TCP pose is `pose`, near `seed_rad`.
///
/// Damped least squares with the damping shrinking with the error; at most 300 iterations. Reaches
/// 1e-6 m and 1e-6 rad or says how far away it ended. Not for the control loop: the actuator
/// follows velocities.
///
/// ```
/// use tiller_motion::{kinematics::{forward, inverse, Pose, HOME_Q}, limits::Limits};
/// let pose = Pose::down([0.5, 0.1, 0.2]);
/// let q = inverse(&pose, &HOME_Q, &Limits::panda().joint)?;
/// assert!((forward(&q).position_m[1] - 0.1).abs() < 1e-5);
/// assert!(inverse(&Pose::down([2.0, 0.0, 0.2]), &HOME_Q, &Limits::panda().joint).is_err());
/// # Ok::<(), tiller_motion::kinematics::InverseError>(())
/// ```
pub fn inverse(
    pose: &Pose,
    seed_rad: &JointVector,
    limits: &JointLimits,
) -> Result<JointVector, InverseError> {
    const TOLERANCE: f64 = 1e-6;
    let [w, x, y, z] = pose.quaternion_wxyz;
    let all = pose
        .position_m
        .iter()
        .chain(&pose.quaternion_wxyz)
        .chain(seed_rad);
    if !all.into_iter().all(|value| value.is_finite()) {
        return Err(InverseError::NotFinite);
    }
    let target = UnitQuaternion::from_quaternion(nalgebra::Quaternion::new(w, x, y, z))
        .to_rotation_matrix()
        .into_inner();
    let position = Vector3::from(pose.position_m);
    let mut q = *seed_rad;
    let mut left = (f64::INFINITY, f64::INFINITY);
    for _ in 0..300 {
        let chain = Chain::new(&q);
        let linear = position - chain.position;
        let angular = chain.rotation_to(&target);
        left = (linear.norm(), angular.norm());
        if left.0 < TOLERANCE && left.1 < TOLERANCE {
            return Ok(q);
        }
        let mut twist = Twist::zeros();
        twist
            .fixed_rows_mut::<3>(0)
            .copy_from(&(linear * (0.2 / left.0).min(1.0)));
        twist
            .fixed_rows_mut::<3>(3)
            .copy_from(&(angular * (0.4 / left.1).min(1.0)));
        let damping = DAMPING * ((left.0 + left.1) / 0.05).min(1.0);
        let posture = std::array::from_fn(|joint| 0.05 * (seed_rad[joint] - q[joint]));
        let jacobian = chain.jacobian();
        let inverse = damped_inverse(&jacobian, damping);
        let step = damped_rates(&jacobian, &inverse, &twist, &posture);
        for joint in 0..JOINTS {
            q[joint] = (q[joint] + step[joint]).clamp(
                limits.position_min_rad[joint],
                limits.position_max_rad[joint],
            );
        }
    }
    Err(InverseError::NotReached {
        position_error_m: left.0,
        rotation_error_rad: left.1,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::limits::Limits;

    fn joint_vector() -> impl Strategy<Value = JointVector> {
        let limits = Limits::panda().joint;
        prop::array::uniform7(0.02..0.98f64).prop_map(move |share| {
            std::array::from_fn(|joint| {
                let (low, high) = (
                    limits.position_min_rad[joint],
                    limits.position_max_rad[joint],
                );
                low + share[joint] * (high - low)
            })
        })
    }

    /// Gripper-down postures over the table.
    fn table_pose() -> impl Strategy<Value = Pose> {
        (0.4..0.65f64, -0.35..0.35f64, -0.15..0.4f64).prop_map(|(x, y, z)| Pose::down([x, y, z]))
    }

    proptest! {
        #[test]
        fn inverse_finds_table_poses_from_home(pose in table_pose()) {
            for limits in [Limits::panda().joint, Limits::fr3().joint] {
                let q = inverse(&pose, &HOME_Q, &limits)?;
                let found = forward(&q);
                for axis in 0..3 {
                    prop_assert!((found.position_m[axis] - pose.position_m[axis]).abs() < 1e-6);
                }
                prop_assert!(found.quaternion_wxyz[1].abs() > 1.0 - 1e-9);
                for (joint, angle) in q.into_iter().enumerate() {
                    prop_assert!(angle >= limits.position_min_rad[joint]);
                    prop_assert!(angle <= limits.position_max_rad[joint]);
                }
            }
        }

        #[test]
        fn posture_motion_does_not_move_the_tcp(
            q in joint_vector(), posture in prop::array::uniform7(-1.0..1.0f64),
        ) {
            let matrix = jacobian(&q);
            let rates = damped_rates(&matrix, &damped_inverse(&matrix, 1e-5), &Twist::zeros(), &posture);
            let twist = matrix * SVector::<f64, JOINTS>::from(rates);
            prop_assert!(twist.norm() < 1e-4, "{}", twist.norm());
        }
    }

    #[test]
    fn inverse_says_how_far_an_unreachable_pose_is() {
        let error = inverse(
            &Pose::down([1.5, 0.0, 0.2]),
            &HOME_Q,
            &Limits::panda().joint,
        );
        let Err(InverseError::NotReached {
            position_error_m, ..
        }) = error
        else {
            panic!("{error:?}");
        };
        assert!(position_error_m > 0.3);
        let nan = inverse(
            &Pose::down([f64::NAN, 0.0, 0.2]),
            &HOME_Q,
            &Limits::panda().joint,
        );
        assert_eq!(nan, Err(InverseError::NotFinite));
    }
}
