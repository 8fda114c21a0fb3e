//! Differential inverse kinematics: joint setpoints that follow a moving Cartesian reference.
//!
//! Each period the reference's velocity, plus a correction of the distance to it, is limited in
//! speed, acceleration and jerk, turned into joint rates by damped least squares with the gripper
//! kept straight down, and passed through the [`JointLimiter`]. Where limits hold the arm back the
//! distance grows and is made up later along a braking curve, without overshoot.

use nalgebra::{Matrix3, Vector3};

use crate::PERIOD_S;
use crate::joint_limiter::JointLimiter;
use crate::kinematics::{
    Chain, DAMPING, DampedInverse, HOME_Q, JOINTS, Jacobian, JointVector, Twist, damped_inverse,
    damped_rates, down_rotation,
};
use crate::limits::Limits;
use crate::reference::{Upcoming, WINDOW_S};

/// Rate at which a small distance to the reference decays, 1/s.
const POSITION_GAIN: f64 = 40.0;
/// Deceleration that making up a large distance relies on, m/s2.
const CATCH_UP_M_S2: f64 = 1.5;
/// Rate at which a tilt decays, 1/s, and the highest speed of doing so, rad/s.
const ROTATION_GAIN: f64 = 10.0;
const ROTATION_SPEED_RAD_S: f64 = 0.5;
/// Rate at which the elbow drifts back to [`HOME_Q`], 1/s, and its highest speed, rad/s.
const POSTURE_GAIN: f64 = 1.0;
const POSTURE_SPEED_RAD_S: f64 = 0.2;
/// Speed of the TCP from which the elbow may drift at its full rate: at rest it stands still, m/s.
const POSTURE_FADE_M_S: f64 = 0.1;

/// Share of the operating limits that the schedule may use; the rest is for corrections.
const SCHEDULE_SHARE: f64 = 0.85;

#[derive(Debug, Clone)]
pub(crate) struct Follower {
    limiter: JointLimiter,
    down: Matrix3<f64>,
    max_speed: f64,
    max_acceleration: f64,
    max_jerk: f64,
    chain: Chain,
    jacobian: Jacobian,
    inverse: DampedInverse,
    velocity: Vector3<f64>,
    acceleration: Vector3<f64>,
    /// Before the first chunk nothing moves, not even to straighten the gripper.
    engaged: bool,
}

impl Follower {
    /// At rest at `q_rad`.
    pub(crate) fn new(limits: &Limits, q_rad: JointVector) -> Self {
        let (hard, share) = (&limits.cartesian, &limits.operating);
        let chain = Chain::new(&q_rad);
        let jacobian = chain.jacobian();
        Self {
            limiter: JointLimiter::new(limits, q_rad),
            down: down_rotation(),
            max_speed: hard.speed_m_s * share.velocity,
            max_acceleration: hard.acceleration_m_s2 * share.acceleration,
            max_jerk: hard.jerk_m_s3 * share.jerk,
            chain,
            jacobian,
            inverse: damped_inverse(&jacobian, DAMPING),
            velocity: Vector3::zeros(),
            acceleration: Vector3::zeros(),
            engaged: false,
        }
    }

    pub(crate) fn engage(&mut self) {
        self.engaged = true;
    }

    pub(crate) fn q_rad(&self) -> &JointVector {
        self.limiter.position()
    }

    /// Commanded TCP position, m.
    pub(crate) fn position(&self) -> Vector3<f64> {
        self.chain.position
    }

    pub(crate) fn is_at_rest(&self) -> bool {
        self.limiter.is_at_rest()
    }

    /// The pace, 0 to 1, at which the schedule may go on so that the joints can follow it.
    ///
    /// The smoothing turns a change of the schedule's velocity into an acceleration over
    /// [`WINDOW_S`]. Speed and acceleration of every joint, and the TCP's acceleration, are linear
    /// in the pace; the highest one that keeps all of them is taken.
    pub(crate) fn pace(&self, upcoming: &Upcoming) -> f64 {
        let rates = self.inverse.fixed_columns::<3>(0);
        let entering = rates * upcoming.entering;
        let leaving = rates * upcoming.leaving;
        let mut pace = 1.0f64;
        let mut keep = |rate: f64, from: f64, most: f64| {
            if rate.abs() > 1e-9 {
                let room = (most * SCHEDULE_SHARE + from * rate.signum()).max(0.0);
                pace = pace.min(room / rate.abs());
            }
        };
        for joint in 0..JOINTS {
            let (speed, acceleration) = self.limiter.capability(joint);
            keep(entering[joint], 0.0, speed);
            keep(entering[joint], leaving[joint], acceleration * WINDOW_S);
            // Slow enough to come to rest: the schedule may end at any time.
            keep(entering[joint], 0.0, acceleration * WINDOW_S);
        }
        for axis in 0..3 {
            let most = self.max_acceleration * WINDOW_S / 3f64.sqrt();
            keep(upcoming.entering[axis], upcoming.leaving[axis], most);
        }
        pace
    }

    /// One period towards rest.
    pub(crate) fn brake(&mut self) {
        self.velocity = Vector3::zeros();
        self.acceleration = Vector3::zeros();
        self.move_by(&[0.0; JOINTS]);
    }

    /// One period after a reference that is at `position` (m) and moves at `velocity` (m/s).
    pub(crate) fn follow(&mut self, position: Vector3<f64>, velocity: Vector3<f64>) {
        if !self.engaged {
            return;
        }
        let distance = position - self.chain.position;
        let length = distance.norm();
        let speed = (POSITION_GAIN * length).min((2.0 * CATCH_UP_M_S2 * length).sqrt());
        let correction = distance * (speed / length.max(1e-12));
        self.ease_towards(at_most(velocity + correction, self.max_speed));

        let tilt = self.chain.rotation_to(&self.down) * ROTATION_GAIN;
        let mut twist = Twist::zeros();
        twist.fixed_rows_mut::<3>(0).copy_from(&self.velocity);
        twist
            .fixed_rows_mut::<3>(3)
            .copy_from(&at_most(tilt, ROTATION_SPEED_RAD_S));

        let fade = (self.velocity.norm() / POSTURE_FADE_M_S).min(1.0);
        let q = self.limiter.position();
        let posture: JointVector = std::array::from_fn(|joint| {
            let rate = POSTURE_GAIN * (HOME_Q[joint] - q[joint]);
            fade * rate.clamp(-POSTURE_SPEED_RAD_S, POSTURE_SPEED_RAD_S)
        });
        let rates = damped_rates(&self.jacobian, &self.inverse, &twist, &posture);
        self.move_by(&rates);
    }

    /// Changes the wanted TCP velocity as fast as acceleration and jerk allow.
    fn ease_towards(&mut self, wanted: Vector3<f64>) {
        let change = wanted - self.velocity;
        let size = change.norm();
        let most = (size / PERIOD_S)
            .min((2.0 * self.max_jerk * size).sqrt())
            .min(self.max_acceleration);
        let target = change * (most / size.max(1e-12));
        self.acceleration += at_most(target - self.acceleration, self.max_jerk * PERIOD_S);
        self.velocity += self.acceleration * PERIOD_S;
    }

    fn move_by(&mut self, rates: &JointVector) {
        self.limiter.step(rates);
        self.chain = Chain::new(self.limiter.position());
        self.jacobian = self.chain.jacobian();
        self.inverse = damped_inverse(&self.jacobian, DAMPING);
    }
}

fn at_most(vector: Vector3<f64>, length: f64) -> Vector3<f64> {
    vector * (length / vector.norm().max(length))
}
