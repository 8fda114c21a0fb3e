//! Joint setpoints that follow a moving reference.
//!
//! Each period the reference's velocity, plus a correction of the distance to it, becomes joint
//! rates that pass through the [`JointLimiter`]. For poses it is first limited in speed,
//! acceleration and jerk and turned into joint rates by damped least squares on the whole twist
//! (differential inverse kinematics). Where limits hold the arm back the distance grows and is made
//! up later along a braking curve, without overshoot.

use nalgebra::Vector3;

use crate::PERIOD_S;
use crate::clearance::Nearest;
use crate::joint_limiter::JointLimiter;
use crate::kinematics::{
    Chain, DAMPING, DampedInverse, HOME_Q, JOINTS, JointVector, Twist, damped_inverse, damped_rates,
};
use crate::limits::Limits;
use crate::reference::{Upcoming, WINDOW_S};
use crate::space::{self, Numbers, Space};

/// Rate at which a small distance to the reference decays, 1/s.
const GAIN: f64 = 40.0;
/// Deceleration that making up a large distance relies on: of the tool (m/s2), of its orientation
/// and of the joints (rad/s2).
const CATCH_UP_M_S2: f64 = 1.5;
const CATCH_UP_RAD_S2: f64 = 3.0;
/// Rate at which the elbow drifts back to [`HOME_Q`], 1/s, and its highest speed, rad/s.
const POSTURE_GAIN: f64 = 1.0;
const POSTURE_SPEED_RAD_S: f64 = 0.2;
/// Speeds of the TCP from which the elbow may drift at its full rate: at rest it stands still.
const POSTURE_FADE_M_S: f64 = 0.1;
const POSTURE_FADE_RAD_S: f64 = 0.5;

/// Share of the operating limits that the schedule may use; the rest is for corrections.
const SCHEDULE_SHARE: f64 = 0.85;

/// A wanted velocity that changes as fast as acceleration and jerk allow.
#[derive(Debug, Clone)]
struct Eased {
    velocity: Vector3<f64>,
    acceleration: Vector3<f64>,
    max_speed: f64,
    max_acceleration: f64,
    max_jerk: f64,
}

impl Eased {
    fn rest(max_speed: f64, max_acceleration: f64, max_jerk: f64) -> Self {
        Self {
            velocity: Vector3::zeros(),
            acceleration: Vector3::zeros(),
            max_speed,
            max_acceleration,
            max_jerk,
        }
    }

    fn set(&mut self, velocity: Vector3<f64>) {
        self.velocity = velocity;
        self.acceleration = Vector3::zeros();
    }

    fn towards(&mut self, wanted: Vector3<f64>) {
        let change = at_most(wanted, self.max_speed) - self.velocity;
        let size = change.norm();
        let most = (size / PERIOD_S)
            .min((2.0 * self.max_jerk * size).sqrt())
            .min(self.max_acceleration);
        let target = change * (most / size.max(1e-12));
        self.acceleration += at_most(target - self.acceleration, self.max_jerk * PERIOD_S);
        self.velocity += self.acceleration * PERIOD_S;
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Follower {
    limiter: JointLimiter,
    inverse: DampedInverse,
    linear: Eased,
    angular: Eased,
    /// Before the first chunk nothing moves, not even to straighten the gripper.
    engaged: bool,
}

impl Follower {
    /// At rest at `q_rad`.
    pub(crate) fn new(limits: &Limits, q_rad: JointVector) -> Self {
        let (hard, share) = (&limits.cartesian, &limits.operating);
        let limiter = JointLimiter::new(limits, q_rad);
        Self {
            inverse: damped_inverse(limiter.jacobian(), DAMPING),
            limiter,
            linear: Eased::rest(
                hard.speed_m_s * share.velocity,
                hard.acceleration_m_s2 * share.acceleration,
                hard.jerk_m_s3 * share.jerk,
            ),
            angular: Eased::rest(
                hard.rotation_speed_rad_s * share.velocity,
                hard.rotation_acceleration_rad_s2 * share.acceleration,
                hard.rotation_jerk_rad_s3 * share.jerk,
            ),
            engaged: false,
        }
    }

    /// From now on it moves.
    pub(crate) fn engage(&mut self) {
        self.engaged = true;
    }

    /// Takes the motion as it is for the start of another kind of reference.
    pub(crate) fn take_up(&mut self) {
        let twist = self.limiter.twist();
        self.linear.set(twist.fixed_rows::<3>(0).into_owned());
        self.angular.set(twist.fixed_rows::<3>(3).into_owned());
    }

    pub(crate) fn q_rad(&self) -> &JointVector {
        self.limiter.position()
    }

    /// Where the tool is commanded to be.
    pub(crate) fn chain(&self) -> &Chain {
        self.limiter.chain()
    }

    /// What the arm was held back for, so as not to come too near to it.
    pub(crate) fn held_back(&self) -> Option<&Nearest> {
        self.limiter.held_back()
    }

    pub(crate) fn is_at_rest(&self) -> bool {
        self.limiter.is_at_rest()
    }

    /// The pace, 0 to 1, at which the schedule may go on so that the joints can follow it.
    ///
    /// The smoothing turns a change of the schedule's velocity into an acceleration over
    /// [`WINDOW_S`]. Speed and acceleration of every joint and of the tool are linear in the pace;
    /// the highest one that keeps all of them is taken.
    pub(crate) fn pace(&self, space: Space, upcoming: &Upcoming) -> f64 {
        let (entering, leaving) = (&upcoming.entering, &upcoming.leaving);
        // The joints' rates and the tool's twists, entering and leaving.
        let ((rates, old_rates), (tool, old_tool)) = match space {
            Space::Pose => {
                let (tool, old_tool) = (space::twist(entering), space::twist(leaving));
                let rates = (self.inverse * tool, self.inverse * old_tool);
                (rates, (tool, old_tool))
            }
            Space::Joints => {
                let jacobian = self.limiter.jacobian();
                let tool = (jacobian * entering, jacobian * leaving);
                ((*entering, *leaving), tool)
            }
        };
        let mut pace = 1.0f64;
        let mut keep = |rate: f64, from: f64, most: f64| {
            if rate.abs() > 1e-9 {
                let room = (most + from * rate.signum()).max(0.0);
                pace = pace.min(room / rate.abs());
            }
        };
        for (joint, (rate, old_rate)) in rates.iter().zip(&old_rates).enumerate() {
            let (speed, acceleration) = self.limiter.capability(joint);
            let change = acceleration * WINDOW_S * SCHEDULE_SHARE;
            keep(*rate, 0.0, speed * SCHEDULE_SHARE);
            keep(*rate, *old_rate, change);
            // Slow enough to come to rest: the schedule may end at any time.
            keep(*rate, 0.0, change);
        }
        for (rows, eased) in [(0..3, &self.linear), (3..6, &self.angular)] {
            let speed = tool.fixed_rows::<3>(rows.start).norm();
            keep(speed, 0.0, eased.max_speed);
            let change = eased.max_acceleration * WINDOW_S * SCHEDULE_SHARE / 3f64.sqrt();
            for row in rows {
                keep(tool[row], old_tool[row], change);
            }
        }
        pace
    }

    /// One period towards rest.
    pub(crate) fn brake(&mut self) {
        self.linear.set(Vector3::zeros());
        self.angular.set(Vector3::zeros());
        self.move_by(&[0.0; JOINTS]);
    }

    /// One period after a reference that is at `place` and moves by `velocity` a second.
    pub(crate) fn follow(&mut self, space: Space, place: &Numbers, velocity: &Numbers) {
        if !self.engaged {
            return;
        }
        match space {
            Space::Pose => self.follow_pose(place, velocity),
            Space::Joints => self.follow_joints(place, velocity),
        }
    }

    fn follow_pose(&mut self, place: &Numbers, velocity: &Numbers) {
        let chain = self.limiter.chain();
        let distance = space::position(place) - chain.position;
        let target = space::rotation(place).to_rotation_matrix();
        let turn = chain.rotation_to(target.matrix());
        self.linear
            .towards(space::position(velocity) + correction(distance, CATCH_UP_M_S2));
        self.angular
            .towards(space::turn(velocity) + correction(turn, CATCH_UP_RAD_S2));

        let mut twist = Twist::zeros();
        let (linear, angular) = (&self.linear.velocity, &self.angular.velocity);
        twist.fixed_rows_mut::<3>(0).copy_from(linear);
        twist.fixed_rows_mut::<3>(3).copy_from(angular);
        let fade = (linear.norm() / POSTURE_FADE_M_S)
            .max(angular.norm() / POSTURE_FADE_RAD_S)
            .min(1.0);
        let q = self.limiter.position();
        let posture: JointVector = std::array::from_fn(|joint| {
            let rate = POSTURE_GAIN * (HOME_Q[joint] - q[joint]);
            fade * rate.clamp(-POSTURE_SPEED_RAD_S, POSTURE_SPEED_RAD_S)
        });
        let rates = damped_rates(self.limiter.jacobian(), &self.inverse, &twist, &posture);
        self.move_by(&rates);
    }

    fn follow_joints(&mut self, place: &Numbers, velocity: &Numbers) {
        let distance = place - Numbers::from(*self.limiter.position());
        let rates = velocity + correction(distance, CATCH_UP_RAD_S2);
        self.move_by(&space::joints(&rates));
    }

    fn move_by(&mut self, rates: &JointVector) {
        self.limiter.step(rates);
        self.inverse = damped_inverse(self.limiter.jacobian(), DAMPING);
    }
}

/// The velocity that makes up a distance: proportional to it, but no faster than can be braked.
fn correction<const N: usize>(
    distance: nalgebra::SVector<f64, N>,
    deceleration: f64,
) -> nalgebra::SVector<f64, N> {
    let length = distance.norm();
    let speed = (GAIN * length).min((2.0 * deceleration * length).sqrt());
    distance * (speed / length.max(1e-12))
}

fn at_most(vector: Vector3<f64>, length: f64) -> Vector3<f64> {
    vector * (length / vector.norm().max(length))
}
