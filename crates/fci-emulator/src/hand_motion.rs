//! Motions of the hand: a commanded pose or twist becomes a position of the joints.

use nalgebra::{Isometry3, SMatrix, SVector, UnitQuaternion, Vector3};
use tiller_core::JOINTS;
use tiller_core::kinematics::Chain;
use tiller_motion::PERIOD_S;

use crate::bounds::{Bounds, Rates, START_POSE};
use crate::flags::ErrorFlag;
use crate::reference::{HAND_MOTION, Reference};

/// Linear over angular, in the base frame: m/s and rad/s, or m/s2 and rad/s2.
pub(crate) type Twist = SVector<f64, 6>;

/// Damping of the least squares: small, for the pose is to be met.
const DAMPING: f64 = 1e-6;

/// Steps of Newton's method; a millisecond's way needs two.
const STEPS: usize = 3;

/// The commanded hand.
#[derive(Debug, Clone)]
pub(crate) struct HandReference {
    pub(crate) pose: Isometry3<f64>,
    pub(crate) twist: Twist,
    pub(crate) acceleration: Twist,
}

impl HandReference {
    pub(crate) fn at_rest(pose: Isometry3<f64>) -> Self {
        Self {
            pose,
            twist: Twist::zeros(),
            acceleration: Twist::zeros(),
        }
    }

    /// Whether a motion may begin with this pose.
    pub(crate) fn check_start(&self, pose: &Isometry3<f64>) -> Result<(), ErrorFlag> {
        let away_m = (pose.translation.vector - self.pose.translation.vector).norm();
        let away_rad = pose.rotation.angle_to(&self.pose.rotation);
        let is_near = away_m <= START_POSE.0 && away_rad <= START_POSE.1;
        is_near
            .then_some(())
            .ok_or(ErrorFlag::CARTESIAN_START_INVALID)
    }

    /// Takes a commanded pose of the end effector; `flange_side_from_tool` leads from it to the
    /// frame whose kinematics are known.
    pub(crate) fn go_to(
        &mut self,
        pose: Isometry3<f64>,
        tool_inverse: &Isometry3<f64>,
        joints: &mut Reference,
        bounds: &Bounds,
    ) -> Result<(), ErrorFlag> {
        let way = pose.translation.vector - self.pose.translation.vector;
        let turn = (pose.rotation * self.pose.rotation.inverse()).scaled_axis();
        let mut twist = Twist::zeros();
        twist.fixed_rows_mut::<3>(0).copy_from(&(way / PERIOD_S));
        twist.fixed_rows_mut::<3>(3).copy_from(&(turn / PERIOD_S));
        self.take(pose, twist, tool_inverse, joints, bounds)
    }

    /// Takes a commanded twist of the end effector.
    pub(crate) fn go_on(
        &mut self,
        twist: Twist,
        tool_inverse: &Isometry3<f64>,
        joints: &mut Reference,
        bounds: &Bounds,
    ) -> Result<(), ErrorFlag> {
        let pose = moved(&self.pose, &twist);
        self.take(pose, twist, tool_inverse, joints, bounds)
    }

    fn take(
        &mut self,
        pose: Isometry3<f64>,
        twist: Twist,
        tool_inverse: &Isometry3<f64>,
        joints: &mut Reference,
        bounds: &Bounds,
    ) -> Result<(), ErrorFlag> {
        let acceleration = (twist - self.twist) / PERIOD_S;
        let jerk = (acceleration - self.acceleration) / PERIOD_S;
        for (first, most) in [(0, &bounds.linear), (3, &bounds.angular)] {
            let size = |all: &Twist| all.fixed_rows::<3>(first).norm();
            check([size(&twist), size(&acceleration), size(&jerk)], most)?;
        }
        let q_rad = solve(&joints.q_rad, &(pose * tool_inverse));
        joints.go_to(&q_rad, bounds, &HAND_MOTION)?;
        *self = Self {
            pose,
            twist,
            acceleration,
        };
        Ok(())
    }

    /// A command did not come: on with the same acceleration.
    pub(crate) fn extrapolate(&mut self) {
        self.twist += self.acceleration * PERIOD_S;
        self.pose = moved(&self.pose, &self.twist);
    }
}

fn check(found: [f64; 3], most: &Rates) -> Result<(), ErrorFlag> {
    for (found, most, flag) in [
        (
            found[0],
            most.velocity,
            ErrorFlag::CARTESIAN_VELOCITY_LIMITS,
        ),
        (
            found[1],
            most.acceleration,
            ErrorFlag::CARTESIAN_VELOCITY_DISCONTINUITY,
        ),
        (
            found[2],
            most.jerk,
            ErrorFlag::CARTESIAN_ACCELERATION_DISCONTINUITY,
        ),
    ] {
        if found.is_nan() || found > most {
            return Err(flag);
        }
    }
    Ok(())
}

/// Where a twist leads in a millisecond.
fn moved(pose: &Isometry3<f64>, twist: &Twist) -> Isometry3<f64> {
    let way: Vector3<f64> = twist.fixed_rows::<3>(0) * PERIOD_S;
    let turn: Vector3<f64> = twist.fixed_rows::<3>(3) * PERIOD_S;
    let rotation = UnitQuaternion::from_scaled_axis(turn) * pose.rotation;
    Isometry3::from_parts((pose.translation.vector + way).into(), rotation)
}

/// The joints near `q_rad` that bring the tool to `pose`, by damped least squares.
fn solve(q_rad: &[f64; JOINTS], pose: &Isometry3<f64>) -> [f64; JOINTS] {
    let wanted = pose.rotation.to_rotation_matrix().into_inner();
    let mut q = SVector::<f64, JOINTS>::from(*q_rad);
    for _ in 0..STEPS {
        let chain = Chain::new(&q.into());
        let mut error = Twist::zeros();
        error
            .fixed_rows_mut::<3>(0)
            .copy_from(&(pose.translation.vector - chain.position));
        error
            .fixed_rows_mut::<3>(3)
            .copy_from(&chain.rotation_to(&wanted));
        let jacobian = chain.jacobian();
        let normal = jacobian * jacobian.transpose() + SMatrix::<f64, 6, 6>::identity() * DAMPING;
        if let Some(factor) = normal.cholesky() {
            q += jacobian.transpose() * factor.solve(&error);
        }
    }
    q.into()
}

#[cfg(test)]
mod tests {
    use tiller_core::kinematics::{HOME_Q, forward};

    use super::*;
    use crate::FciVersion;

    #[test]
    fn a_smooth_way_of_the_hand_is_followed_and_a_step_is_not() {
        let bounds = Bounds::new(FciVersion::V10).unwrap();
        let start = forward(&HOME_Q).isometry();
        let mut hand = HandReference::at_rest(start);
        let mut joints = Reference::at_rest(HOME_Q);
        let none = Isometry3::identity();
        let mut pose = start;
        for tick in 1..=2000 {
            let t = f64::from(tick) / 2000.0;
            let share = t * t * t * (10.0 - 15.0 * t + 6.0 * t * t);
            pose.translation.vector =
                start.translation.vector + Vector3::new(0.05, 0.1, -0.05) * share;
            hand.go_to(pose, &none, &mut joints, &bounds).unwrap();
        }
        let reached = forward(&joints.q_rad);
        let off_m = (reached.position() - pose.translation.vector).norm();
        assert!(off_m < 1e-6, "{off_m}");
        pose.translation.vector.x += 0.01;
        let refused = hand.go_to(pose, &none, &mut joints, &bounds);
        assert_eq!(refused, Err(ErrorFlag::CARTESIAN_VELOCITY_LIMITS));
    }
}
