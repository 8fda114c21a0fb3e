//! Rigid transforms as the interface writes them: sixteen numbers, by columns.

use std::f64::consts::FRAC_PI_4;

use nalgebra::{Isometry3, Matrix3, Rotation3, Translation3, UnitQuaternion, Vector3};
use tiller_core::kinematics::HAND_TCP_M;

/// How far from orthonormal a rotation may be, as libfranka checks it.
const ORTHONORMAL: f64 = 1e-5;

/// No displacement and no rotation.
pub(crate) const IDENTITY: [f64; 16] = [
    1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0,
];

/// From the flange to between the fingertips of the Franka hand.
pub(crate) fn flange_to_fingertips() -> Isometry3<f64> {
    Isometry3::from_parts(
        Translation3::new(0.0, 0.0, HAND_TCP_M),
        UnitQuaternion::from_scaled_axis(-Vector3::z() * FRAC_PI_4),
    )
}

/// The transform that `columns` are, if they are one.
pub(crate) fn from_columns(columns: &[f64; 16]) -> Option<Isometry3<f64>> {
    let c = columns;
    let rotation = Matrix3::new(c[0], c[4], c[8], c[1], c[5], c[9], c[2], c[6], c[10]);
    let off = (rotation.transpose() * rotation - Matrix3::identity())
        .abs()
        .max();
    let last = [c[3], c[7], c[11], c[15] - 1.0];
    let is_rigid = columns.iter().all(|number| number.is_finite())
        && off <= ORTHONORMAL
        && rotation.determinant() > 0.0
        && last.iter().all(|number| number.abs() <= ORTHONORMAL);
    is_rigid.then(|| {
        let rotation = Rotation3::from_matrix_unchecked(rotation);
        Isometry3::from_parts(
            Translation3::new(c[12], c[13], c[14]),
            UnitQuaternion::from_rotation_matrix(&rotation),
        )
    })
}

/// The transform by columns.
pub(crate) fn columns(transform: &Isometry3<f64>) -> [f64; 16] {
    let mut columns = [0.0; 16];
    columns.copy_from_slice(transform.to_homogeneous().as_slice());
    columns
}

#[cfg(test)]
mod tests {
    use franka::Model;
    use franka::model::{FR3_URDF, Frame};
    use tiller_core::kinematics::{HOME_Q, forward};

    use super::*;

    #[test]
    fn the_fingertips_are_where_the_client_s_model_has_them() {
        let model = Model::from_urdf(FR3_URDF).unwrap();
        let tool = columns(&flange_to_fingertips());
        let theirs = model.pose_q(Frame::EndEffector, &HOME_Q, &tool, &IDENTITY);
        let ours = columns(&forward(&HOME_Q).isometry());
        for (ours, theirs) in ours.iter().zip(theirs) {
            assert!((ours - theirs).abs() < 1e-9, "{ours} {theirs}");
        }
    }

    #[test]
    fn what_is_no_rigid_transform_is_refused() {
        let pose = forward(&HOME_Q).isometry();
        let there = columns(&pose);
        let back = from_columns(&there).unwrap();
        assert!((back.translation.vector - pose.translation.vector).norm() < 1e-12);
        for (at, value) in [(0, 2.0), (12, f64::NAN), (15, 0.0)] {
            let mut broken = there;
            broken[at] = value;
            assert_eq!(from_columns(&broken), None, "{at}");
        }
    }
}
