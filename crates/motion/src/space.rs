//! What a path is made of: poses of the tool or joint positions, both as seven numbers.

use nalgebra::{Quaternion, SVector, UnitQuaternion, Vector3};
use tiller_core::{ActionLayout, Pose};

use crate::kinematics::{JointVector, Twist};

/// A place on a path. Pose: position x, y, z (m) and quaternion i, j, k, w; joints: seven angles.
///
/// Also a way from one place to another. Pose: displacement (m) and rotation vector (rad), both in
/// the base frame, and 0; joints: seven differences.
pub(crate) type Numbers = SVector<f64, 7>;

/// Speeds at which the distance between the schedule and a new chunk's start is made up.
pub(crate) const BLEND_SPEED_M_S: f64 = 0.25;
pub(crate) const BLEND_TURN_RAD_S: f64 = 0.5;
pub(crate) const BLEND_JOINT_RAD_S: f64 = 0.25;

/// Which of the two the numbers are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Space {
    Pose,
    Joints,
}

impl Space {
    pub(crate) fn of(layout: &ActionLayout) -> Self {
        if layout.mode.is_joints() {
            Self::Joints
        } else {
            Self::Pose
        }
    }

    /// In messages.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Pose => "poses",
            Self::Joints => "joints",
        }
    }

    /// The place that is `way` from `from`.
    pub(crate) fn moved(self, from: &Numbers, way: &Numbers) -> Numbers {
        let mut to = from + way;
        if self == Self::Pose {
            let turned = turned(&orientation(from), &turn(way));
            to.fixed_rows_mut::<4>(3).copy_from(&turned.coords);
        }
        to
    }

    /// The shortest way between two places.
    pub(crate) fn between(self, from: &Numbers, to: &Numbers) -> Numbers {
        let mut way = to - from;
        if self == Self::Pose {
            let turn = turn_between(&orientation(from), &orientation(to));
            way.fixed_rows_mut::<3>(3).copy_from(&turn);
            way[6] = 0.0;
        }
        way
    }

    /// The same place, of the two quaternions that spell it the one nearer to `near`.
    pub(crate) fn nearer(self, mut place: Numbers, near: &Numbers) -> Numbers {
        if self == Self::Pose && orientation(&place).dot(&orientation(near)) < 0.0 {
            place.fixed_rows_mut::<4>(3).neg_mut();
        }
        place
    }

    /// A mean of places with its quaternion scaled to unit length.
    pub(crate) fn normalised(self, mut mean: Numbers) -> Numbers {
        if self == Self::Pose {
            let mut quaternion = mean.fixed_rows_mut::<4>(3);
            let norm = quaternion.norm();
            quaternion /= norm;
        }
        mean
    }

    /// Time that a way takes at the blend speeds, s.
    pub(crate) fn blend_time_s(self, way: &Numbers) -> f64 {
        match self {
            Self::Pose => {
                (position(way).norm() / BLEND_SPEED_M_S).max(turn(way).norm() / BLEND_TURN_RAD_S)
            }
            Self::Joints => way.amax() / BLEND_JOINT_RAD_S,
        }
    }
}

/// A pose as a place.
pub(crate) fn place(position: &Vector3<f64>, rotation: &UnitQuaternion<f64>) -> Numbers {
    let mut numbers = Numbers::zeros();
    numbers.fixed_rows_mut::<3>(0).copy_from(position);
    numbers.fixed_rows_mut::<4>(3).copy_from(&rotation.coords);
    numbers
}

/// A way of the tool.
pub(crate) fn way(displacement: &Vector3<f64>, turn: &Vector3<f64>) -> Numbers {
    let mut numbers = Numbers::zeros();
    numbers.fixed_rows_mut::<3>(0).copy_from(displacement);
    numbers.fixed_rows_mut::<3>(3).copy_from(turn);
    numbers
}

pub(crate) fn pose(place: &Numbers) -> Pose {
    Pose::from_parts(position(place), &rotation(place))
}

pub(crate) fn joints(place: &Numbers) -> JointVector {
    (*place).into()
}

/// The position of a place, or the displacement of a way.
pub(crate) fn position(numbers: &Numbers) -> Vector3<f64> {
    numbers.fixed_rows::<3>(0).into_owned()
}

/// The orientation of a place.
pub(crate) fn rotation(place: &Numbers) -> UnitQuaternion<f64> {
    UnitQuaternion::new_unchecked(orientation(place))
}

/// The rotation vector of a way.
pub(crate) fn turn(way: &Numbers) -> Vector3<f64> {
    way.fixed_rows::<3>(3).into_owned()
}

/// A way of the tool, or its change a second, as a twist.
pub(crate) fn twist(way: &Numbers) -> Twist {
    way.fixed_rows::<6>(0).into_owned()
}

fn orientation(place: &Numbers) -> Quaternion<f64> {
    Quaternion::from(place.fixed_rows::<4>(3).into_owned())
}

/// `rotation` after a turn by the rotation vector `by` in the base frame.
pub(crate) fn turned(rotation: &Quaternion<f64>, by: &Vector3<f64>) -> Quaternion<f64> {
    let half = 0.5 * by.norm();
    if half == 0.0 {
        return *rotation;
    }
    let (sin, cos) = half.sin_cos();
    Quaternion::from_parts(cos, by * (0.5 * sin / half)) * rotation
}

/// The shortest rotation vector (rad, base frame) that turns `from` into `to`.
pub(crate) fn turn_between(from: &Quaternion<f64>, to: &Quaternion<f64>) -> Vector3<f64> {
    let difference = to * from.conjugate();
    let (sin, cos) = (difference.imag(), difference.w);
    let size = sin.norm();
    // Twice the angle whose sine is `size`; within 1e-16 for small ones.
    let ratio = if size < 1e-3 && cos.abs() > 0.5 {
        2.0 + size * size / 3.0
    } else {
        2.0 * size.atan2(cos.abs()) / size
    };
    sin * ratio.copysign(cos)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_way_leads_where_it_was_measured_to(
            a in prop::array::uniform7(-1.0..1.0f64),
            b in prop::array::uniform7(-1.0..1.0f64),
            close in any::<bool>(),
        ) {
            let place = |v: [f64; 7], base: Option<&Numbers>| {
                let turn = Vector3::new(v[3], v[4], v[5]) * if base.is_some() { 1e-4 } else { 1.8 };
                let start = base.map_or_else(UnitQuaternion::identity, rotation);
                let rotation = UnitQuaternion::from_scaled_axis(turn) * start;
                super::place(&Vector3::new(v[0], v[1], v[2]), &rotation)
            };
            let from = place(a, None);
            let to = place(b, close.then_some(&from));
            let way = Space::Pose.between(&from, &to);
            prop_assert!(turn(&way).norm() <= std::f64::consts::PI + 1e-12);
            let reached = Space::Pose.nearer(Space::Pose.moved(&from, &way), &to);
            prop_assert!((reached - to).norm() < 1e-12, "{reached} {to}");
        }
    }

    #[test]
    fn nothing_between_a_place_and_itself() {
        let here = place(
            &Vector3::new(0.4, 0.0, 0.2),
            &UnitQuaternion::from_euler_angles(3.1, 0.2, -1.0),
        );
        assert!(Space::Pose.between(&here, &here).norm() < 1e-15);
        let mirrored =
            Space::Pose.nearer(-here, &here).fixed_rows::<4>(3) - here.fixed_rows::<4>(3);
        assert_eq!(mirrored.norm(), 0.0);
    }
}
