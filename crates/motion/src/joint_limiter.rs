//! The last filter before the robot: whatever joint rates are asked for, the setpoints that come out
//! keep position, velocity, acceleration and jerk limits of every joint, and the speed and
//! acceleration limits of the tool.
//!
//! All of them are finite differences of the setpoint stream at [`PERIOD_S`], the very quantities
//! that a robot's controller computes from it. The joints change their rates together: the wanted
//! acceleration is one vector, scaled as a whole into every joint's and the tool's limits, and the
//! present one moves towards it along a straight line as fast as the joint with the least jerk to
//! spare. What is between two accelerations that the tool may have, it may have too, so joints that
//! brake never add up to more than their scaled whole.
//!
//! Under this lies a guarantee for every joint alone: its acceleration is cut to an interval from
//! wherever the step leads the joint can still brake before its velocity and its position limit.
//! Being able to brake is thus kept from one step to the next. Bounds are approached slowly enough
//! ([`Side::approach_rate`]) that the cut is not met on the way.

use nalgebra::{SVector, Vector3};

use crate::PERIOD_S;
use crate::braking::Side;
use crate::kinematics::{Chain, JOINTS, Jacobian, JointVector, Twist};
use crate::limits::Limits;

type Joints = SVector<f64, JOINTS>;

/// Highest speed and acceleration of the tool, of its position or its orientation.
#[derive(Debug, Clone, Copy)]
struct Bound {
    speed: f64,
    acceleration: f64,
}

#[derive(Debug, Clone)]
pub(crate) struct JointLimiter {
    position: JointVector,
    rate: Joints,
    acceleration: Joints,
    lowest: JointVector,
    highest: JointVector,
    max_rate: JointVector,
    max_acceleration: JointVector,
    max_jerk: JointVector,
    linear: Bound,
    angular: Bound,
    chain: Chain,
    jacobian: Jacobian,
    /// Acceleration of the tool at constant joint rates.
    drift: Twist,
}

impl JointLimiter {
    /// At rest at `position_rad`. A start within the position margin is allowed: the bound then is
    /// the start itself and tightens as the joint moves inward.
    pub(crate) fn new(limits: &Limits, position_rad: JointVector) -> Self {
        let (joint, tool, share) = (&limits.joint, &limits.cartesian, &limits.operating);
        let scale = |row: &JointVector, factor: f64| row.map(|value| value * factor);
        let margin = limits.position_margin_rad;
        let chain = Chain::new(&position_rad);
        Self {
            position: position_rad,
            rate: Joints::zeros(),
            acceleration: Joints::zeros(),
            lowest: std::array::from_fn(|j| {
                (joint.position_min_rad[j] + margin).min(position_rad[j])
            }),
            highest: std::array::from_fn(|j| {
                (joint.position_max_rad[j] - margin).max(position_rad[j])
            }),
            max_rate: scale(&joint.velocity_rad_s, share.velocity),
            max_acceleration: scale(&joint.acceleration_rad_s2, share.acceleration),
            max_jerk: scale(&joint.jerk_rad_s3, share.jerk),
            linear: Bound {
                speed: tool.speed_m_s * share.velocity,
                acceleration: tool.acceleration_m_s2 * share.acceleration,
            },
            angular: Bound {
                speed: tool.rotation_speed_rad_s * share.velocity,
                acceleration: tool.rotation_acceleration_rad_s2 * share.acceleration,
            },
            jacobian: chain.jacobian(),
            chain,
            drift: Twist::zeros(),
        }
    }

    pub(crate) fn position(&self) -> &JointVector {
        &self.position
    }

    /// Where the tool is.
    pub(crate) fn chain(&self) -> &Chain {
        &self.chain
    }

    pub(crate) fn jacobian(&self) -> &Jacobian {
        &self.jacobian
    }

    /// How the tool moves.
    pub(crate) fn twist(&self) -> Twist {
        self.jacobian * self.rate
    }

    /// Highest speed (rad/s) and acceleration (rad/s2) that motion may use.
    pub(crate) fn capability(&self, joint: usize) -> (f64, f64) {
        (self.max_rate[joint], self.max_acceleration[joint])
    }

    pub(crate) fn is_at_rest(&self) -> bool {
        self.rate.amax() < 1e-7 && self.acceleration.amax() < 1e-4
    }

    /// Moves one period towards `wanted_rad_s`.
    pub(crate) fn step(&mut self, wanted_rad_s: &JointVector) -> &JointVector {
        let sides: [[Side; 2]; JOINTS] = std::array::from_fn(|joint| self.sides(joint));
        let wanted = self.allowed_rates(&sides, Joints::from(*wanted_rad_s));
        let target = self.allowed_acceleration(&(wanted - self.rate));
        let change = target - self.acceleration;
        let ease = (0..JOINTS)
            .map(|joint| self.max_jerk[joint] * PERIOD_S / change[joint].abs().max(1e-12))
            .fold(1.0, f64::min);
        let together = self.acceleration + change * ease;
        for (joint, [up, down]) in sides.iter().enumerate() {
            let most = self.max_acceleration[joint];
            let now = self.acceleration[joint];
            let jump = self.max_jerk[joint] * PERIOD_S;
            let low = (now - jump).max(-most);
            let high = up.highest_acceleration(low, (now + jump).min(most));
            let low = -down.highest_acceleration(-high, -low);
            let acceleration = together[joint].clamp(low, high);
            self.acceleration[joint] = acceleration;
            self.rate[joint] += acceleration * PERIOD_S;
            self.position[joint] += self.rate[joint] * PERIOD_S;
        }
        self.chain = Chain::new(&self.position);
        let jacobian = self.chain.jacobian();
        self.drift = (jacobian - self.jacobian) * self.rate / PERIOD_S;
        self.jacobian = jacobian;
        &self.position
    }

    /// A joint seen towards its upper and its lower bound.
    fn sides(&self, joint: usize) -> [Side; 2] {
        let up = Side {
            rate: self.rate[joint],
            room: self.highest[joint] - self.position[joint],
            max_rate: self.max_rate[joint],
            max_acceleration: self.max_acceleration[joint],
            jerk: self.max_jerk[joint],
        };
        let down = Side {
            rate: -up.rate,
            room: self.position[joint] - self.lowest[joint],
            ..up
        };
        [up, down]
    }

    /// What may be wanted: no joint faster than it can brake before its bound, and the whole no
    /// faster than every joint and the tool may be.
    fn allowed_rates(&self, sides: &[[Side; 2]; JOINTS], mut wanted: Joints) -> Joints {
        for (joint, [up, down]) in sides.iter().enumerate() {
            wanted[joint] = wanted[joint].clamp(-down.approach_rate(), up.approach_rate());
        }
        let twist = self.jacobian * wanted;
        let tool = (self.linear.speed / linear(&twist).norm().max(1e-12))
            .min(self.angular.speed / angular(&twist).norm().max(1e-12));
        let slow_down = (0..JOINTS)
            .map(|joint| self.max_rate[joint] / wanted[joint].abs().max(1e-12))
            .fold(tool.min(1.0), f64::min);
        wanted * slow_down
    }

    /// The acceleration that makes the change in one period, scaled as a whole: no joint's more than
    /// its limit nor than jerk can take back in time, and the tool's within its limits.
    fn allowed_acceleration(&self, change: &Joints) -> Joints {
        let ease = (0..JOINTS)
            .map(|joint| {
                let size = change[joint].abs().max(1e-12);
                let most = (2.0 * self.max_jerk[joint] * size)
                    .sqrt()
                    .min(self.max_acceleration[joint]);
                most * PERIOD_S / size
            })
            .fold(1.0, f64::min);
        let target = change * (ease / PERIOD_S);
        let twist = self.jacobian * target;
        let share = share_within(
            &linear(&twist),
            &linear(&self.drift),
            self.linear.acceleration,
        )
        .min(share_within(
            &angular(&twist),
            &angular(&self.drift),
            self.angular.acceleration,
        ));
        target * share
    }
}

fn linear(twist: &Twist) -> Vector3<f64> {
    twist.fixed_rows::<3>(0).into_owned()
}

fn angular(twist: &Twist) -> Vector3<f64> {
    twist.fixed_rows::<3>(3).into_owned()
}

/// The largest share of `part`, up to 1, that together with `rest` is no longer than `most`; 1 where
/// `rest` alone is too long, for then only braking helps.
fn share_within(part: &Vector3<f64>, rest: &Vector3<f64>, most: f64) -> f64 {
    let (size, across) = (part.norm_squared(), part.dot(rest));
    let room = most * most - rest.norm_squared();
    if room <= 0.0 || size <= 1e-18 {
        return 1.0;
    }
    // |s part + rest|^2 = most^2, a quadratic equation with one positive root.
    let root = (across * across + size * room).sqrt();
    let share = if across > 0.0 {
        room / (across + root)
    } else {
        (root - across) / size
    };
    share.min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kinematics::HOME_Q;
    use proptest::prelude::*;

    /// The tool as finite differences of where the chain puts it.
    fn check_tool(limits: &Limits, stream: &[JointVector]) -> Result<(), TestCaseError> {
        let chains: Vec<Chain> = stream.iter().map(Chain::new).collect();
        let tool = &limits.cartesian;
        let mut last = Twist::zeros();
        for pair in chains.windows(2) {
            let mut twist = Twist::zeros();
            let moved = (pair[1].position - pair[0].position) / PERIOD_S;
            let turned = pair[0].rotation_to(&pair[1].rotation) / PERIOD_S;
            twist.fixed_rows_mut::<3>(0).copy_from(&moved);
            twist.fixed_rows_mut::<3>(3).copy_from(&turned);
            let change = (twist - last) / PERIOD_S;
            for (found, most) in [
                (linear(&twist), tool.speed_m_s),
                (angular(&twist), tool.rotation_speed_rad_s),
                (linear(&change), tool.acceleration_m_s2),
                (angular(&change), tool.rotation_acceleration_rad_s2),
            ] {
                prop_assert!(found.norm() <= most, "{} > {most}", found.norm());
            }
            last = twist;
        }
        Ok(())
    }

    fn check(limits: &Limits, stream: &[JointVector]) -> Result<(), TestCaseError> {
        check_tool(limits, stream)?;
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
