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
//! ([`Side::approach_rate`]) that the cut is seldom met on the way, the slower the more joints have to
//! brake at once, for the tool must be able to do what they add up to ([`Tool::braking_share`]). Where
//! a cut joint does leave the whole, the others make up for it in the tool ([`Tool::nearest`]).
//!
//! In the same way nothing of the robot comes too near to itself, to the table or through a wall of its
//! box: what is wanted is slowed down so that braking gently ends before, and a step from where
//! braking as hard as may be would not is not made, but one that brakes.

use nalgebra::SVector;

use crate::PERIOD_S;
use crate::braking::{self, Side, Stop};
use crate::clearance::{self, LOOKS, Nearest, Rooms};
use crate::kinematics::{Chain, JOINTS, Jacobian, JointVector, Twist};
use crate::limits::Limits;
use crate::tool::Tool;

type Joints = SVector<f64, JOINTS>;

/// Shares of the highest decelerations that the ways to rest rely on: of one that is planned, and of
/// the last one that is possible.
const APPROACH_SHARE: f64 = 0.8;
const BRAKE_SHARE: f64 = 0.95;

/// Where the arm is and how it moves.
#[derive(Debug, Clone, Copy)]
struct Motion {
    position: JointVector,
    rate: Joints,
    acceleration: Joints,
    chain: Chain,
    jacobian: Jacobian,
    /// Acceleration of the tool at constant joint rates.
    drift: Twist,
    rooms: Rooms,
}

#[derive(Debug, Clone)]
pub(crate) struct JointLimiter {
    limits: Limits,
    motion: Motion,
    lowest: JointVector,
    highest: JointVector,
    max_rate: JointVector,
    max_acceleration: JointVector,
    max_jerk: JointVector,
    tool: Tool,
    /// Least rooms: none, or less where the start was too near and the arm has not got away yet.
    floors: Rooms,
    /// What the last step was slowed down for.
    held_back: Option<Nearest>,
}

impl JointLimiter {
    /// At rest at `position_rad`. A start within the position margin is allowed: the bound then is
    /// the start itself and tightens as the joint moves inward. So is one that is too near to
    /// something: it may only get further away.
    pub(crate) fn new(limits: &Limits, position_rad: JointVector) -> Self {
        let (joint, share) = (&limits.joint, &limits.operating);
        let scale = |row: &JointVector, factor: f64| row.map(|value| value * factor);
        let margin = limits.position_margin_rad;
        let chain = Chain::new(&position_rad);
        let rooms = Rooms::new(limits, &chain);
        Self {
            motion: Motion {
                position: position_rad,
                rate: Joints::zeros(),
                acceleration: Joints::zeros(),
                jacobian: chain.jacobian(),
                chain,
                drift: Twist::zeros(),
                rooms,
            },
            lowest: std::array::from_fn(|j| {
                (joint.position_min_rad[j] + margin).min(position_rad[j])
            }),
            highest: std::array::from_fn(|j| {
                (joint.position_max_rad[j] - margin).max(position_rad[j])
            }),
            max_rate: scale(&joint.velocity_rad_s, share.velocity),
            max_acceleration: scale(&joint.acceleration_rad_s2, share.acceleration),
            max_jerk: scale(&joint.jerk_rad_s3, share.jerk),
            tool: Tool::new(limits),
            floors: rooms.floors(),
            held_back: None,
            limits: *limits,
        }
    }

    pub(crate) fn position(&self) -> &JointVector {
        &self.motion.position
    }

    /// Where the tool is.
    pub(crate) fn chain(&self) -> &Chain {
        &self.motion.chain
    }

    pub(crate) fn jacobian(&self) -> &Jacobian {
        &self.motion.jacobian
    }

    /// How the tool moves.
    pub(crate) fn twist(&self) -> Twist {
        self.motion.jacobian * self.motion.rate
    }

    /// Highest speed (rad/s) and acceleration (rad/s2) that motion may use.
    pub(crate) fn capability(&self, joint: usize) -> (f64, f64) {
        (self.max_rate[joint], self.max_acceleration[joint])
    }

    pub(crate) fn is_at_rest(&self) -> bool {
        self.motion.rate.amax() < 1e-7 && self.motion.acceleration.amax() < 1e-4
    }

    /// What the last step was slowed down or braked for, so as not to come too near to it.
    pub(crate) fn held_back(&self) -> Option<&Nearest> {
        self.held_back.as_ref()
    }

    /// Moves one period towards `wanted_rad_s`.
    pub(crate) fn step(&mut self, wanted_rad_s: &JointVector) -> &JointVector {
        self.held_back = None;
        let before = self.motion;
        let wanted = Joints::from(*wanted_rad_s);
        self.move_towards(wanted);
        if wanted != Joints::zeros()
            && let Some(obstacle) = self.cannot_stop_before()
        {
            self.motion = before;
            self.move_towards(Joints::zeros());
            self.held_back = Some(obstacle);
        }
        self.floors.raise(&self.motion.rooms);
        &self.motion.position
    }

    fn move_towards(&mut self, wanted: Joints) {
        let sides: [[Side; 2]; JOINTS] = std::array::from_fn(|joint| self.sides(joint));
        let needs = Joints::from_fn(|joint, _| {
            let [up, down] = &sides[joint];
            down.needed_deceleration() - up.needed_deceleration()
        });
        let share = self.tool.braking_share(
            (&self.motion.jacobian, &self.motion.drift),
            &needs,
            &self.max_acceleration,
            braking::APPROACH_SHARE,
        );
        let wanted = self.allowed_rates(&sides, share, wanted);
        let wanted = self.kept_clear(wanted);
        let target = self.allowed_acceleration(&(wanted - self.motion.rate));
        let motion = &self.motion;
        let change = target - motion.acceleration;
        let ease = (0..JOINTS)
            .map(|joint| self.max_jerk[joint] * PERIOD_S / change[joint].abs().max(1e-12))
            .fold(1.0, f64::min);
        let together = motion.acceleration + change * ease;
        let together = self.braking_as_needed(together, &needs, share);
        let (mut lows, mut highs) = (Joints::zeros(), Joints::zeros());
        for (joint, [up, down]) in sides.iter().enumerate() {
            let most = self.max_acceleration[joint];
            let now = motion.acceleration[joint];
            let jump = self.max_jerk[joint] * PERIOD_S;
            let low = (now - jump).max(-most);
            highs[joint] = up.highest_acceleration(low, (now + jump).min(most));
            lows[joint] = -down.highest_acceleration(-highs[joint], -low);
        }
        let model = (&motion.jacobian, &motion.drift);
        let acceleration = self.tool.nearest(model, together, &lows, &highs);
        let motion = &mut self.motion;
        motion.acceleration = acceleration;
        motion.rate += acceleration * PERIOD_S;
        for joint in 0..JOINTS {
            motion.position[joint] += motion.rate[joint] * PERIOD_S;
        }
        motion.chain = Chain::new(&motion.position);
        let jacobian = motion.chain.jacobian();
        motion.drift = (jacobian - motion.jacobian) * motion.rate / PERIOD_S;
        motion.jacobian = jacobian;
        motion.rooms = Rooms::new(&self.limits, &motion.chain);
    }

    /// `together`, but for joints that need more than the share of their decelerations that they rely on at
    /// their bounds: those brake for themselves, for of the whole their part may be too small.
    fn braking_as_needed(&self, mut together: Joints, needs: &Joints, share: f64) -> Joints {
        for (joint, &need) in needs.iter().enumerate() {
            let most = self.max_acceleration[joint];
            let planned = share * most;
            if need.abs() > planned {
                // The more above what is needed, so that what is planned does again.
                let brake = (need * need / planned).min(most);
                let braking = brake.max(together[joint] * need.signum());
                together[joint] = braking * need.signum();
            }
        }
        together
    }

    /// The way to rest from these rates when braking with so much of what the joints and the tool can
    /// do.
    fn stop(&self, rates: &Joints, share: f64) -> Stop {
        let twist = self.motion.jacobian * rates;
        let joints = (0..JOINTS)
            .map(|joint| rates[joint].abs() / self.max_acceleration[joint])
            .fold(0.0, f64::max);
        let build_up = (0..JOINTS)
            .map(|joint| {
                let change = self.max_acceleration[joint] + self.motion.acceleration[joint].abs();
                change / self.max_jerk[joint]
            })
            .fold(0.0, f64::max);
        Stop {
            delay_s: build_up + 2.0 * PERIOD_S,
            braking_s: joints.max(self.tool.braking_s(&twist)) / share,
        }
    }

    /// What may be wanted: so much of it that braking gently ends before anything is too near.
    fn kept_clear(&mut self, wanted: Joints) -> Joints {
        let stop = self.stop(&wanted, APPROACH_SHARE);
        let motion = &self.motion;
        let (way_s, obstacle) = clearance::free_way_s(
            &self.limits,
            (&motion.position, &motion.rooms),
            &wanted,
            stop.way_s(),
            &self.floors,
            LOOKS,
        );
        if obstacle.is_some() {
            self.held_back = obstacle;
            return wanted * stop.share_within(way_s);
        }
        wanted
    }

    /// The rates once jerk has taken the acceleration back, meanwhile they still change.
    fn peak(&self) -> Joints {
        let motion = &self.motion;
        let take_back = (0..JOINTS)
            .map(|joint| motion.acceleration[joint].abs() / self.max_jerk[joint])
            .fold(0.0, f64::max);
        motion.rate + motion.acceleration * (0.5 * take_back)
    }

    /// What the arm would come too near to, however it brakes from here.
    fn cannot_stop_before(&self) -> Option<Nearest> {
        let motion = &self.motion;
        let peak = self.peak();
        let stop = self.stop(&peak, BRAKE_SHARE);
        let (_, obstacle) = clearance::free_way_s(
            &self.limits,
            (&motion.position, &motion.rooms),
            &peak,
            stop.way_s(),
            &self.floors,
            LOOKS,
        );
        obstacle
    }

    /// A joint seen towards its upper and its lower bound.
    fn sides(&self, joint: usize) -> [Side; 2] {
        let up = Side {
            rate: self.motion.rate[joint],
            room: self.highest[joint] - self.motion.position[joint],
            max_rate: self.max_rate[joint],
            max_acceleration: self.max_acceleration[joint],
            jerk: self.max_jerk[joint],
        };
        let down = Side {
            rate: -up.rate,
            room: self.motion.position[joint] - self.lowest[joint],
            ..up
        };
        [up, down]
    }

    /// What may be wanted: no joint faster than it can brake before its bound, and the whole no
    /// faster than every joint and the tool may be.
    fn allowed_rates(&self, sides: &[[Side; 2]; JOINTS], share: f64, mut wanted: Joints) -> Joints {
        for (joint, [up, down]) in sides.iter().enumerate() {
            let (lowest, highest) = (-down.approach_rate(share), up.approach_rate(share));
            wanted[joint] = wanted[joint].clamp(lowest, highest);
        }
        let twist = self.motion.jacobian * wanted;
        let slow_down = (0..JOINTS)
            .map(|joint| self.max_rate[joint] / wanted[joint].abs().max(1e-12))
            .fold(self.tool.speed_share(&twist), f64::min);
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
        let twist = self.motion.jacobian * target;
        let share = self.tool.acceleration_share(&twist, &self.motion.drift);
        target * share
    }
}

#[cfg(test)]
mod tests;
