//! Where the TCP may be sent.

use nalgebra::{UnitQuaternion, Vector3};
use tiller_core::WorkspaceBox;

use crate::kinematics::{FLANGE_M, HAND_TCP_M};

/// Where the TCP may be sent: a box, and within it what the arm can reach.
///
/// The box is a safety limit. The reach keeps plans away from the stretched and the folded arm,
/// where the TCP can hardly be moved; braking next to it may take a few centimetres more.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Workspace {
    /// The box.
    pub bounds: WorkspaceBox,
    /// Shortest distance from the shoulder to the wrist, m: the elbow's limit with some room.
    pub min_reach_m: f64,
    /// Longest distance from the shoulder to the wrist, m; 0.719 would be the stretched arm.
    pub max_reach_m: f64,
}

/// The shoulder above the base, m.
const SHOULDER_M: Vector3<f64> = Vector3::new(0.0, 0.0, 0.333);
/// Distance of the wrist from the TCP along the hand, m.
const WRIST_BEHIND_TCP_M: f64 = FLANGE_M + HAND_TCP_M;
/// Distance of the wrist from the hand's axis, m: towards the shoulder in ordinary postures.
const WRIST_ASIDE_M: f64 = 0.088;

impl Workspace {
    /// The nearest allowed position of a hand that points straight down: into the box first, then
    /// along the line from the shoulder into reach.
    pub fn clamp(&self, position_m: [f64; 3]) -> [f64; 3] {
        self.clamp_along(position_m.into(), &-Vector3::z()).into()
    }

    /// The nearest allowed position of a hand turned like this, as [`Workspace::clamp`].
    pub(crate) fn clamp_turned(
        &self,
        position: Vector3<f64>,
        rotation: &UnitQuaternion<f64>,
    ) -> Vector3<f64> {
        self.clamp_along(position, &(rotation * Vector3::z()))
    }

    fn clamp_along(&self, position: Vector3<f64>, approach: &Vector3<f64>) -> Vector3<f64> {
        let inside = Vector3::from(self.bounds.clamp(position.into()));
        let from_shoulder = inside - approach * WRIST_BEHIND_TCP_M - SHOULDER_M;
        let across = from_shoulder - approach * approach.dot(&from_shoulder);
        let radius = across.norm();
        if radius <= WRIST_ASIDE_M {
            return inside;
        }
        let wrist = from_shoulder - across * (WRIST_ASIDE_M / radius);
        let distance = wrist.norm();
        let within = distance.clamp(self.min_reach_m, self.max_reach_m);
        inside + wrist * (within / distance - 1.0)
    }

    /// How far `position_m` is from where [`Workspace::clamp`] would put it, m.
    pub fn excess_m(&self, position_m: [f64; 3]) -> f64 {
        (Vector3::from(position_m) - Vector3::from(self.clamp(position_m))).norm()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kinematics::{HOME_Q, forward};
    use crate::limits::Limits;

    #[test]
    fn home_is_inside_and_what_is_out_of_reach_is_drawn_in() {
        let workspace = Limits::panda().workspace;
        let home = forward(&HOME_Q);
        assert_eq!(workspace.excess_m(home.position_m), 0.0);
        let far = [0.9, 0.5, 0.1];
        let drawn = workspace.clamp(far);
        assert!(workspace.excess_m(far) > 0.1 && workspace.excess_m(drawn) < 1e-9);
    }

    #[test]
    fn a_hand_that_points_forward_reaches_further() {
        let workspace = Limits::panda().workspace;
        let far = Vector3::new(0.85, 0.0, 0.4);
        let forward = UnitQuaternion::from_euler_angles(0.0, std::f64::consts::FRAC_PI_2, 0.0);
        assert_eq!(workspace.clamp_turned(far, &forward), far);
        assert!(workspace.excess_m(far.into()) > 0.05);
    }
}
