//! Forward kinematics of the Franka arm, from the base frame to the tool centre point.
//!
//! The tool centre point (TCP) lies between the fingertips: flange, turned by -45 degrees about z
//! (the hand's mounting angle), then [`HAND_TCP_M`] along the hand's z axis. Panda and FR3 share
//! this geometry. Lengths in metres, angles in radians, nothing allocates.

use nalgebra::{Matrix3, SMatrix, Vector3};

use crate::{JOINTS, Pose};

/// Joint angles in radians (or rates in rad/s), base to wrist.
pub type JointVector = [f64; JOINTS];

/// Rows: linear x y z (m/rad), angular x y z (rad/rad), in the base frame; one column a joint.
pub type Jacobian = SMatrix<f64, 6, JOINTS>;

/// Neutral posture over the table: the gripper points straight down.
pub const HOME_Q: JointVector = [0.0, 0.0, 0.0, -1.9, 0.0, 1.9, std::f64::consts::FRAC_PI_4];

/// Distance from the hand's frame to the TCP along z, in metres (Franka hand, closed fingertips).
pub const HAND_TCP_M: f64 = 0.1034;

/// Orientation of a gripper that points straight down with the yaw of [`HOME_Q`] (w, x, y, z).
pub const DOWN_WXYZ: [f64; 4] = [0.0, 1.0, 0.0, 0.0];

/// From the last joint's frame to the flange along z, in metres.
pub const FLANGE_M: f64 = 0.107;

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

impl Pose {
    /// A pose at `position_m` with the gripper straight down ([`DOWN_WXYZ`]).
    #[must_use]
    pub const fn down(position_m: [f64; 3]) -> Self {
        Self {
            position_m,
            quaternion_wxyz: DOWN_WXYZ,
        }
    }
}

/// Where the links and the TCP are for one joint vector, in the base frame. A link turns about the z
/// axis of its own frame.
#[derive(Debug, Clone, Copy)]
pub struct Chain {
    /// Origins of the frames of links 1 to 7, m.
    pub origins: [Vector3<f64>; JOINTS],
    /// Their orientations.
    pub rotations: [Matrix3<f64>; JOINTS],
    /// Position of the TCP, m.
    pub position: Vector3<f64>,
    /// Orientation of the TCP: its columns are the hand's axes.
    pub rotation: Matrix3<f64>,
}

impl Chain {
    /// The chain at `q_rad`.
    #[must_use]
    pub fn new(q_rad: &JointVector) -> Self {
        let mut origins = [Vector3::zeros(); JOINTS];
        let mut rotations = [Matrix3::zeros(); JOINTS];
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
            rotations[joint] = rotation;
        }
        position += rotation.column(2) * (FLANGE_M + HAND_TCP_M);
        let s = std::f64::consts::FRAC_1_SQRT_2;
        rotation *= Matrix3::new(s, s, 0.0, -s, s, 0.0, 0.0, 0.0, 1.0);
        Self {
            origins,
            rotations,
            position,
            rotation,
        }
    }

    /// Geometric Jacobian of the TCP: `twist = jacobian * dq`.
    #[must_use]
    pub fn jacobian(&self) -> Jacobian {
        let mut jacobian = Jacobian::zeros();
        for (joint, rotation) in self.rotations.iter().enumerate() {
            let axis = rotation.column(2);
            let linear = axis.cross(&(self.position - self.origins[joint]));
            jacobian.fixed_view_mut::<3, 1>(0, joint).copy_from(&linear);
            jacobian.fixed_view_mut::<3, 1>(3, joint).copy_from(&axis);
        }
        jacobian
    }

    /// Pose of the TCP.
    #[must_use]
    pub fn pose(&self) -> Pose {
        Pose::new(self.position, &self.rotation)
    }

    /// Rotation vector (rad, base frame) that turns this orientation into `target`; exact for small
    /// angles, its sine beyond, and of the right sign up to a half turn.
    #[must_use]
    pub fn rotation_to(&self, target: &Matrix3<f64>) -> Vector3<f64> {
        let mut error = Vector3::zeros();
        for column in 0..3 {
            error += self.rotation.column(column).cross(&target.column(column));
        }
        error * 0.5
    }
}

/// Matrix of [`DOWN_WXYZ`].
#[must_use]
pub fn down_rotation() -> Matrix3<f64> {
    Matrix3::from_diagonal(&Vector3::new(1.0, -1.0, -1.0))
}

/// Pose of the TCP at `q_rad`.
#[must_use]
pub fn forward(q_rad: &JointVector) -> Pose {
    Chain::new(q_rad).pose()
}

/// Geometric Jacobian of the TCP at `q_rad`: `twist = jacobian * dq`.
#[must_use]
pub fn jacobian(q_rad: &JointVector) -> Jacobian {
    Chain::new(q_rad).jacobian()
}

#[cfg(test)]
mod tests {
    use std::f64::consts::{FRAC_PI_2, FRAC_PI_4};

    use proptest::prelude::*;

    use super::*;

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

    proptest! {
        #[test]
        fn jacobian_matches_finite_differences(q in prop::array::uniform7(-2.8..2.8f64)) {
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
    }
}
