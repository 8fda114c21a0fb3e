//! The last filter before the robot: whatever joint rates are asked for, the setpoints that come out
//! keep position, velocity, acceleration and jerk limits.
//!
//! All four are finite differences of the setpoint stream at [`PERIOD_S`], the very quantities that
//! a robot's controller computes from it. Each joint may accelerate within an interval that jerk and
//! acceleration leave; the interval is cut so that, from wherever the step leads, the joint can
//! still brake before its velocity limit and before its position limit. Being able to brake is thus
//! kept from one step to the next.

use crate::PERIOD_S;
use crate::kinematics::{JOINTS, JointVector};
use crate::limits::Limits;

#[derive(Debug, Clone)]
pub(crate) struct JointLimiter {
    position: JointVector,
    rate: JointVector,
    acceleration: JointVector,
    lowest: JointVector,
    highest: JointVector,
    max_rate: JointVector,
    max_acceleration: JointVector,
    max_jerk: JointVector,
}

impl JointLimiter {
    /// At rest at `position_rad`. A start within the position margin is allowed: the bound then is
    /// the start itself and tightens as the joint moves inward.
    pub(crate) fn new(limits: &Limits, position_rad: JointVector) -> Self {
        let joint = &limits.joint;
        let scale = |row: &JointVector, factor: f64| row.map(|value| value * factor);
        let margin = limits.position_margin_rad;
        Self {
            position: position_rad,
            rate: [0.0; JOINTS],
            acceleration: [0.0; JOINTS],
            lowest: joint.position_min_rad.map(|bound| bound + margin),
            highest: joint.position_max_rad.map(|bound| bound - margin),
            max_rate: scale(&joint.velocity_rad_s, limits.operating.velocity),
            max_acceleration: scale(&joint.acceleration_rad_s2, limits.operating.acceleration),
            max_jerk: scale(&joint.jerk_rad_s3, limits.operating.jerk),
        }
        .with_bounds_at_start()
    }

    fn with_bounds_at_start(mut self) -> Self {
        for joint in 0..JOINTS {
            self.lowest[joint] = self.lowest[joint].min(self.position[joint]);
            self.highest[joint] = self.highest[joint].max(self.position[joint]);
        }
        self
    }

    pub(crate) fn position(&self) -> &JointVector {
        &self.position
    }

    /// Highest speed (rad/s) and acceleration (rad/s2) that motion may use.
    pub(crate) fn capability(&self, joint: usize) -> (f64, f64) {
        (self.max_rate[joint], self.max_acceleration[joint])
    }

    pub(crate) fn is_at_rest(&self) -> bool {
        self.rate.iter().all(|rate| rate.abs() < 1e-7)
            && self
                .acceleration
                .iter()
                .all(|acceleration| acceleration.abs() < 1e-4)
    }

    /// Moves one period towards `wanted_rad_s`. The wanted rates, and the change to them, are scaled
    /// as a whole, so that a joint at its limit slows the others down instead of bending the path.
    pub(crate) fn step(&mut self, wanted_rad_s: &JointVector) -> &JointVector {
        let scale_to = |values: &JointVector, bounds: &JointVector| {
            values
                .iter()
                .zip(bounds)
                .map(|(value, bound)| bound / value.abs().max(1e-12))
                .fold(1.0, f64::min)
        };
        let slow_down = scale_to(wanted_rad_s, &self.max_rate);
        let change: JointVector =
            std::array::from_fn(|joint| wanted_rad_s[joint] * slow_down - self.rate[joint]);
        let ease = scale_to(
            &change,
            &self.max_acceleration.map(|bound| bound * PERIOD_S),
        );
        for (joint, change) in change.into_iter().enumerate() {
            let acceleration = self.allowed_acceleration(joint, change, ease);
            self.acceleration[joint] = acceleration;
            self.rate[joint] += acceleration * PERIOD_S;
            self.position[joint] += self.rate[joint] * PERIOD_S;
        }
        &self.position
    }

    fn allowed_acceleration(&self, joint: usize, change: f64, ease: f64) -> f64 {
        let jerk = self.max_jerk[joint];
        let most = self.max_acceleration[joint];
        let now = self.acceleration[joint];
        let mut low = (now - jerk * PERIOD_S).max(-most);
        let mut high = (now + jerk * PERIOD_S).min(most);
        let rate = self.rate[joint];
        let up = Side {
            rate,
            room: self.highest[joint] - self.position[joint],
            max_rate: self.max_rate[joint],
            max_acceleration: most,
            jerk,
        };
        let down = Side {
            rate: -rate,
            room: self.position[joint] - self.lowest[joint],
            ..up
        };
        high = up.highest_acceleration(low, high);
        low = -down.highest_acceleration(-high, -low);
        // The acceleration that makes the change, but never more than jerk can take back in time.
        let wanted = (ease * change / PERIOD_S)
            .abs()
            .min((2.0 * jerk * change.abs()).sqrt());
        wanted.copysign(change).clamp(low, high)
    }
}

/// One joint seen in the direction of one of its bounds.
struct Side {
    rate: f64,
    room: f64,
    max_rate: f64,
    max_acceleration: f64,
    jerk: f64,
}

impl Side {
    /// The highest acceleration in `[low, high]` after which braking is still possible, or `low`.
    fn highest_acceleration(&self, low: f64, high: f64) -> f64 {
        if self.can_brake_after(high) {
            return high;
        }
        if !self.can_brake_after(low) {
            return low;
        }
        let (mut safe, mut unsafe_) = (low, high);
        for _ in 0..20 {
            let middle = 0.5 * (safe + unsafe_);
            if self.can_brake_after(middle) {
                safe = middle;
            } else {
                unsafe_ = middle;
            }
        }
        safe
    }

    fn can_brake_after(&self, acceleration: f64) -> bool {
        let rate = self.rate + acceleration * PERIOD_S;
        // While jerk takes the acceleration back to zero the rate still rises by this much.
        let peak = rate + acceleration.max(0.0).powi(2) / (2.0 * self.jerk);
        if peak > self.max_rate {
            return false;
        }
        if peak <= 0.0 {
            return rate * PERIOD_S <= self.room;
        }
        let delay = (acceleration + self.max_acceleration).max(0.0) / self.jerk + PERIOD_S;
        let distance = peak * delay + peak * peak / (2.0 * self.max_acceleration);
        rate.max(0.0) * PERIOD_S + distance <= self.room
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kinematics::HOME_Q;
    use proptest::prelude::*;

    fn check(limits: &Limits, stream: &[JointVector]) -> Result<(), TestCaseError> {
        let mut last = (stream[0], [0.0; JOINTS], [0.0; JOINTS]);
        for q in &stream[1..] {
            for (j, &position) in q.iter().enumerate() {
                let (joint, share) = (&limits.joint, &limits.operating);
                let rate = (position - last.0[j]) / PERIOD_S;
                let acceleration = (rate - last.1[j]) / PERIOD_S;
                let jerk = (acceleration - last.2[j]) / PERIOD_S;
                prop_assert!(position >= joint.position_min_rad[j]);
                prop_assert!(position <= joint.position_max_rad[j]);
                prop_assert!(rate.abs() <= joint.velocity_rad_s[j] * share.velocity + 1e-9);
                let most = joint.acceleration_rad_s2[j] * share.acceleration;
                prop_assert!(acceleration.abs() <= most + 1e-6);
                prop_assert!(jerk.abs() <= joint.jerk_rad_s3[j] * share.jerk + 1e-2);
                last.1[j] = rate;
                last.2[j] = acceleration;
            }
            last.0 = *q;
        }
        Ok(())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn hostile_rates_stay_within_every_limit(
            demands in prop::collection::vec((prop::array::uniform7(-50.0..50.0f64), 1usize..900), 1..12),
            fr3 in any::<bool>(),
        ) {
            let limits = if fr3 { Limits::fr3() } else { Limits::panda() };
            let mut limiter = JointLimiter::new(&limits, HOME_Q);
            let mut stream = vec![HOME_Q];
            for (demand, ticks) in &demands {
                for _ in 0..*ticks {
                    stream.push(*limiter.step(demand));
                }
            }
            check(&limits, &stream)?;
            // Asked to stop, it stops, and soon.
            for _ in 0..1000 {
                stream.push(*limiter.step(&[0.0; JOINTS]));
            }
            prop_assert!(limiter.is_at_rest(), "{:?} {:?}", limiter.rate, limiter.acceleration);
            check(&limits, &stream)?;
        }
    }

    #[test]
    fn rates_within_the_limits_pass_unchanged() {
        let mut limiter = JointLimiter::new(&Limits::panda(), HOME_Q);
        let mut wanted = [0.0; JOINTS];
        for tick in 0..500 {
            let phase = f64::from(tick) * PERIOD_S * std::f64::consts::TAU * 2.0;
            wanted = [0.1 * (1.0 - phase.cos()); JOINTS];
            limiter.step(&wanted);
        }
        for (rate, wanted) in limiter.rate.iter().zip(&wanted) {
            assert!((rate - wanted).abs() < 1e-12);
        }
    }

    #[test]
    fn a_start_in_the_margin_does_not_move_by_itself() {
        let limits = Limits::panda();
        let mut q = HOME_Q;
        q[3] = limits.joint.position_max_rad[3] - 0.001;
        let mut limiter = JointLimiter::new(&limits, q);
        for _ in 0..100 {
            assert_eq!(limiter.step(&[0.0; JOINTS]), &q);
        }
    }
}
