//! Where something is and how it is turned.

use nalgebra::{Isometry3, Matrix3, Quaternion, Rotation3, Translation3, UnitQuaternion, Vector3};
use serde::{Deserialize, Serialize};

/// A pose in the frame that its name says, such as `base_from_tool`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Pose {
    /// Position, m.
    pub position_m: [f64; 3],
    /// Orientation as a quaternion `[w, x, y, z]` of unit length.
    pub quaternion_wxyz: [f64; 4],
}

impl Default for Pose {
    fn default() -> Self {
        Self::IDENTITY
    }
}

impl Pose {
    /// No displacement and no rotation.
    pub const IDENTITY: Self = Self {
        position_m: [0.0; 3],
        quaternion_wxyz: [1.0, 0.0, 0.0, 0.0],
    };

    /// From a position (m) and a rotation matrix, which must be orthonormal.
    #[must_use]
    pub fn new(position_m: Vector3<f64>, rotation: &Matrix3<f64>) -> Self {
        let rotation = Rotation3::from_matrix_unchecked(*rotation);
        Self::from_parts(position_m, &UnitQuaternion::from_rotation_matrix(&rotation))
    }

    /// From a position (m) and an orientation.
    #[must_use]
    pub fn from_parts(position_m: Vector3<f64>, rotation: &UnitQuaternion<f64>) -> Self {
        let [x, y, z, w]: [f64; 4] = rotation.coords.into();
        Self {
            position_m: position_m.into(),
            quaternion_wxyz: [w, x, y, z],
        }
    }

    /// The position, m.
    #[must_use]
    pub fn position(&self) -> Vector3<f64> {
        self.position_m.into()
    }

    /// The orientation; a quaternion of zero length counts as no rotation.
    #[must_use]
    pub fn rotation(&self) -> UnitQuaternion<f64> {
        let [w, x, y, z] = self.quaternion_wxyz;
        UnitQuaternion::try_new(Quaternion::new(w, x, y, z), 1e-12)
            .unwrap_or_else(UnitQuaternion::identity)
    }

    /// The orientation as a matrix whose columns are the turned frame's axes.
    #[must_use]
    pub fn matrix(&self) -> Matrix3<f64> {
        self.rotation().to_rotation_matrix().into_inner()
    }

    /// As nalgebra's rigid transform.
    #[must_use]
    pub fn isometry(&self) -> Isometry3<f64> {
        Isometry3::from_parts(Translation3::from(self.position()), self.rotation())
    }

    /// Whether all numbers are finite and the quaternion has unit length, give or take 1 %.
    #[must_use]
    pub fn is_valid(&self) -> bool {
        let norm = self
            .quaternion_wxyz
            .iter()
            .map(|v| v * v)
            .sum::<f64>()
            .sqrt();
        self.position_m.iter().all(|value| value.is_finite()) && (norm - 1.0).abs() < 0.01
    }

    /// Distance of the positions (m) and angle between the orientations (rad).
    #[must_use]
    pub fn distance_to(&self, other: &Self) -> (f64, f64) {
        (
            (self.position() - other.position()).norm(),
            self.rotation().angle_to(&other.rotation()),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pose_survives_the_way_through_a_matrix() {
        let rotation = UnitQuaternion::from_euler_angles(0.3, -0.7, 2.1);
        let pose = Pose::from_parts(Vector3::new(0.4, -0.1, 0.2), &rotation);
        let again = Pose::new(pose.position(), &pose.matrix());
        let (distance, angle) = pose.distance_to(&again);
        assert!(
            distance < 1e-12 && angle < 1e-7,
            "{distance} m, {angle} rad"
        );
        assert!(pose.is_valid());
    }

    #[test]
    fn what_is_no_pose_is_not_valid() {
        let no_length = Pose {
            quaternion_wxyz: [0.0; 4],
            ..Pose::IDENTITY
        };
        assert!(!no_length.is_valid());
        assert_eq!(no_length.rotation(), UnitQuaternion::identity());
        let lost = Pose {
            position_m: [f64::NAN, 0.0, 0.0],
            ..Pose::IDENTITY
        };
        assert!(!lost.is_valid());
    }
}
