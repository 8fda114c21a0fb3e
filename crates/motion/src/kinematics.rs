//! Forward and inverse kinematics of the Franka arm, from the base frame to the tool centre point.
//!
//! The tool centre point (TCP) lies between the fingertips: flange, turned by -45 degrees about z
//! (the hand's mounting angle), then [`HAND_TCP_M`] along the hand's z axis. Panda and FR3 share
//! this geometry. Lengths in metres, angles in radians, nothing allocates.

use nalgebra::{Matrix3, Rotation3, SMatrix, SVector, UnitQuaternion, Vector3};
use thiserror::Error;

use crate::limits::JointLimits;

/// Number of arm joints.
pub const JOINTS: usize = 7;

/// Joint angles in radians (or rates in rad/s), base to wrist.
pub type JointVector = [f64; JOINTS];

/// Rows: linear x y z (m/rad), angular x y z (rad/rad), in the base frame; one column a joint.
pub type Jacobian = SMatrix<f64, 6, JOINTS>;

/// Linear velocity (m/s) over angular velocity (rad/s), in the base frame.
pub type Twist = SVector<f64, 6>;

/// Neutral posture over the table: the gripper points straight down.
pub const HOME_Q: JointVector = [0.0, 0.0, 0.0, -1.9, 0.0, 1.9, std::f64::consts::FRAC_PI_4];

/// Distance from the hand's frame to the TCP along z, in metres (Franka hand, closed fingertips).
pub const HAND_TCP_M: f64 = 0.1034;

/// Orientation of a gripper that points straight down with the yaw of [`HOME_Q`] (w, x, y, z).
pub const DOWN_WXYZ: [f64; 4] = [0.0, 1.0, 0.0, 0.0];

/// Damping of the least squares; the reached velocity loses `lambda^2 / (sigma^2 + lambda^2)`.
pub const DAMPING: f64 = 0.03;

const FLANGE_M: f64 = 0.107;

/// Denavit-Hartenberg rows in Craig's convention: link length a (m), offset d (m), and the sine
/// and cosine of the twist alpha (a multiple of a quarter turn). Source: Franka's robot
/// specification.
const DH: [(f64, f64, f64, f64); JOINTS] = [
    (0.0, 0.333, 0.0, 1.0),
    (0.0, 0.0, -1.0, 0.0),
    (0.0, 0.316, 1.0, 0.0),
    (0.0825, 0.0, 1.0, 0.0),
    (-0.0825, 0.384, -1.0, 0.0),
    (0.0, 0.0, 1.0, 0.0),
    (0.088, 0.0, 1.0, 0.0),
];

/// Where the TCP is and how it is turned, in the base frame.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pose {
    /// Position in metres.
    pub position_m: [f64; 3],
    /// Unit quaternion, scalar first.
    pub quaternion_wxyz: [f64; 4],
}

impl Pose {
    /// A pose at `position_m` with the gripper straight down ([`DOWN_WXYZ`]).
    pub fn down(position_m: [f64; 3]) -> Self {
        Self {
            position_m,
            quaternion_wxyz: DOWN_WXYZ,
        }
    }
}

/// Positions of the joint axes and of the TCP for one joint vector.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Chain {
    origins: [Vector3<f64>; JOINTS],
    axes: [Vector3<f64>; JOINTS],
    pub(crate) position: Vector3<f64>,
    pub(crate) rotation: Matrix3<f64>,
}

impl Chain {
    pub(crate) fn new(q_rad: &JointVector) -> Self {
        let mut origins = [Vector3::zeros(); JOINTS];
        let mut axes = [Vector3::zeros(); JOINTS];
        let mut rotation = Matrix3::identity();
        let mut position = Vector3::zeros();
        for (joint, &(a, d, sin_alpha, cos_alpha)) in DH.iter().enumerate() {
            let (sin, cos) = q_rad[joint].sin_cos();
            position += rotation * Vector3::new(a, -sin_alpha * d, cos_alpha * d);
            rotation *= Matrix3::new(
                cos,
                -sin,
                0.0,
                sin * cos_alpha,
                cos * cos_alpha,
                -sin_alpha,
                sin * sin_alpha,
                cos * sin_alpha,
                cos_alpha,
            );
            origins[joint] = position;
            axes[joint] = rotation.column(2).into_owned();
        }
        position += rotation.column(2) * (FLANGE_M + HAND_TCP_M);
        let s = std::f64::consts::FRAC_1_SQRT_2;
        rotation *= Matrix3::new(s, s, 0.0, -s, s, 0.0, 0.0, 0.0, 1.0);
        Self {
            origins,
            axes,
            position,
            rotation,
        }
    }

    pub(crate) fn jacobian(&self) -> Jacobian {
        let mut jacobian = Jacobian::zeros();
        for (joint, axis) in self.axes.iter().enumerate() {
            let linear = axis.cross(&(self.position - self.origins[joint]));
            jacobian.fixed_view_mut::<3, 1>(0, joint).copy_from(&linear);
            jacobian.fixed_view_mut::<3, 1>(3, joint).copy_from(axis);
        }
        jacobian
    }

    /// Rotation vector (rad, base frame) that turns this orientation into `target`; exact for small
    /// angles, its sine beyond, and of the right sign up to a half turn.
    pub(crate) fn rotation_to(&self, target: &Matrix3<f64>) -> Vector3<f64> {
        let mut error = Vector3::zeros();
        for column in 0..3 {
            error += self.rotation.column(column).cross(&target.column(column));
        }
        error * 0.5
    }
}

/// Matrix of [`DOWN_WXYZ`].
pub(crate) fn down_rotation() -> Matrix3<f64> {
    Matrix3::from_diagonal(&Vector3::new(1.0, -1.0, -1.0))
}

/// Pose of the TCP at `q_rad`.
pub fn forward(q_rad: &JointVector) -> Pose {
    let chain = Chain::new(q_rad);
    let rotation = Rotation3::from_matrix_unchecked(chain.rotation);
    let quaternion = UnitQuaternion::from_rotation_matrix(&rotation);
    Pose {
        position_m: chain.position.into(),
        quaternion_wxyz: [quaternion.w, quaternion.i, quaternion.j, quaternion.k],
    }
}

/// Geometric Jacobian of the TCP at `q_rad`: `twist = jacobian * dq`.
pub fn jacobian(q_rad: &JointVector) -> Jacobian {
    Chain::new(q_rad).jacobian()
}

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
    use std::f64::consts::{FRAC_PI_2, FRAC_PI_4};

    use proptest::prelude::*;

    use super::*;
    use crate::limits::Limits;

    fn assert_at(q: &JointVector, expected: [f64; 3]) {
        let found = forward(q).position_m;
        for axis in 0..3 {
            assert!(
                (found[axis] - expected[axis]).abs() < 1e-4,
                "{found:?} != {expected:?}"
            );
        }
    }

    #[test]
    fn forward_matches_the_stretched_arm() {
        // x: a4 + a5 + a7; z: d1 + d3 + d5 less flange and hand, which then point down.
        assert_at(
            &[0.0; JOINTS],
            [0.088, 0.0, 0.333 + 0.316 + 0.384 - 0.107 - 0.1034],
        );
    }

    #[test]
    fn forward_matches_franka_ready_pose() {
        let ready = [
            0.0,
            -FRAC_PI_4,
            0.0,
            -3.0 * FRAC_PI_4,
            0.0,
            FRAC_PI_2,
            FRAC_PI_4,
        ];
        assert_at(&ready, [0.3069, 0.0, 0.4869]);
        let [w, x, y, z] = forward(&ready).quaternion_wxyz;
        assert!(x.abs() > 1.0 - 1e-9 && w.abs() + y.abs() + z.abs() < 1e-9);
    }

    #[test]
    fn home_points_straight_down_over_the_table() {
        assert_at(&HOME_Q, [0.560551, 0.0, 0.392527]);
        assert!(Chain::new(&HOME_Q).rotation_to(&down_rotation()).norm() < 1e-12);
    }

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
        fn jacobian_matches_finite_differences(q in joint_vector()) {
            const H: f64 = 1e-6;
            let analytic = jacobian(&q);
            for joint in 0..JOINTS {
                let (mut ahead, mut behind) = (q, q);
                ahead[joint] += H;
                behind[joint] -= H;
                let (ahead, behind) = (Chain::new(&ahead), Chain::new(&behind));
                let linear = (ahead.position - behind.position) / (2.0 * H);
                let angular = behind.rotation_to(&ahead.rotation) / (2.0 * H);
                for axis in 0..3 {
                    prop_assert!((analytic[(axis, joint)] - linear[axis]).abs() < 1e-8);
                    prop_assert!((analytic[(axis + 3, joint)] - angular[axis]).abs() < 1e-8);
                }
            }
        }

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
