//! How far the commanded arm is ahead of the measured one.

use nalgebra::{Matrix3, Rotation3, UnitQuaternion};
use tiller_core::Pose;

use crate::kinematics::{Chain, JointVector};
use crate::space::{self, Numbers, Space};
use crate::violation::{Quantity, Violation};

/// The arm where it is commanded to be and where it was measured.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lead<'a> {
    pub(crate) commanded: &'a Chain,
    pub(crate) commanded_q_rad: &'a JointVector,
    pub(crate) measured: &'a Chain,
    pub(crate) measured_q_rad: &'a JointVector,
}

impl Lead<'_> {
    /// How the robot is further behind its setpoint than `most` (m, rad).
    pub(crate) fn lost(&self, most: (f64, f64)) -> Option<Violation> {
        let quantities = (Quantity::TrackingError, Quantity::TrackingTurn);
        let (commanded, measured) = (self.commanded, self.measured);
        let behind_m = (commanded.position - measured.position).norm();
        apart(
            quantities,
            behind_m,
            (&commanded.rotation, &measured.rotation),
            most,
        )
    }

    /// How the setpoints are further behind the plan than `most` (m, rad): it is out of reach.
    pub(crate) fn out_of_reach(
        &self,
        space: Space,
        planned: &Numbers,
        most: (f64, f64),
    ) -> Option<Violation> {
        match space {
            Space::Pose => {
                let quantities = (Quantity::PlanError, Quantity::PlanTurn);
                let short_m = (space::position(planned) - self.commanded.position).norm();
                let rotation = space::rotation(planned).to_rotation_matrix();
                apart(
                    quantities,
                    short_m,
                    (&self.commanded.rotation, rotation.matrix()),
                    most,
                )
            }
            Space::Joints => {
                let short_rad = (planned - Numbers::from(*self.commanded_q_rad)).amax();
                (short_rad > most.1).then(|| Violation::new(Quantity::PlanTurn, most.1, short_rad))
            }
        }
    }

    /// A pose drawn back by as much as the commanded one is further than `most_m` and `most_rad`
    /// ahead of the measured one.
    pub(crate) fn drawn_back(&self, pose: &Pose, most_m: f64, most_rad: f64) -> Pose {
        let lead = self.commanded.position - self.measured.position;
        let back = lead * (most_m / lead.norm().max(most_m) - 1.0);
        let position = pose.position() + back;
        if !is_turned(&self.commanded.rotation, &self.measured.rotation, most_rad) {
            return Pose {
                position_m: position.into(),
                ..*pose
            };
        }
        let lead =
            quaternion(&self.commanded.rotation) * quaternion(&self.measured.rotation).inverse();
        let turn = lead.scaled_axis();
        let back = turn * (most_rad / turn.norm().max(most_rad) - 1.0);
        let rotation = UnitQuaternion::from_scaled_axis(back) * pose.rotation();
        Pose::from_parts(position, &rotation)
    }

    /// Joints drawn back in the same way.
    pub(crate) fn joints_drawn_back(&self, q_rad: &JointVector, most_rad: f64) -> JointVector {
        std::array::from_fn(|joint| {
            let lead = self.commanded_q_rad[joint] - self.measured_q_rad[joint];
            q_rad[joint] + lead.clamp(-most_rad, most_rad) - lead
        })
    }
}

/// A distance or a turn that is larger than it may be.
fn apart(
    (distance, turn): (Quantity, Quantity),
    found_m: f64,
    (a, b): (&Matrix3<f64>, &Matrix3<f64>),
    (most_m, most_rad): (f64, f64),
) -> Option<Violation> {
    if found_m > most_m {
        return Some(Violation::new(distance, most_m, found_m));
    }
    is_turned(a, b, most_rad).then(|| Violation::new(turn, most_rad, angle(a, b)))
}

/// Where the tool is.
pub(crate) fn place_of(chain: &Chain) -> Numbers {
    space::place(&chain.position, &quaternion(&chain.rotation))
}

fn quaternion(rotation: &Matrix3<f64>) -> UnitQuaternion<f64> {
    UnitQuaternion::from_rotation_matrix(&Rotation3::from_matrix_unchecked(*rotation))
}

/// Whether two orientations are further apart than an angle of at most a half turn, rad. The chord
/// between them is `2 sqrt(2) sin(angle / 2)`.
fn is_turned(a: &Matrix3<f64>, b: &Matrix3<f64>, most_rad: f64) -> bool {
    (a - b).norm_squared() > 8.0 * (0.5 * most_rad).sin().powi(2)
}

fn angle(a: &Matrix3<f64>, b: &Matrix3<f64>) -> f64 {
    quaternion(a).angle_to(&quaternion(b))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kinematics::HOME_Q;

    #[test]
    fn only_what_leads_too_far_is_drawn_back() {
        let commanded = Chain::new(&HOME_Q);
        let mut measured_q_rad = HOME_Q;
        measured_q_rad[6] += 0.2;
        let measured = Chain::new(&measured_q_rad);
        let lead = Lead {
            commanded: &commanded,
            commanded_q_rad: &HOME_Q,
            measured: &measured,
            measured_q_rad: &measured_q_rad,
        };
        let pose = space::pose(&place_of(&commanded));
        let (moved_m, turned_rad) = lead.drawn_back(&pose, 0.02, 0.05).distance_to(&pose);
        assert!(moved_m < 1e-12 && (turned_rad - 0.15).abs() < 1e-9);
        assert_eq!(lead.drawn_back(&pose, 0.02, 0.25), pose);
        assert_eq!(lead.joints_drawn_back(&HOME_Q, 0.25), HOME_Q);
        assert!((lead.joints_drawn_back(&HOME_Q, 0.05)[6] - HOME_Q[6] - 0.15).abs() < 1e-12);
        assert!(lead.lost((0.1, 0.19)).is_some() && lead.lost((0.1, 0.21)).is_none());
    }
}
