//! Setpoints made steady for the robot: where it is told to be elsewhere than the setpoint says, for
//! a packet was lost or a motion begins, the difference is worn off without a jerk.
//!
//! The robot differences what it is told and stops by itself at a jump (`franka-rs`'s
//! `rate_limiting` has the numbers). A command that it did not get it replaces by constant
//! acceleration, and says where that led: `q_d`, `dq_d`, `ddq_d` of its state.

use franka::RobotState;
use tiller_motion::PERIOD_S;

/// How long a difference may be worn off, ticks: as short as it can be done gently, for what is worn
/// off slowly adds up where much is lost.
const TICKS: [u32; 5] = [50, 100, 200, 400, 800];

/// What is gentle beside the motion itself: an acceleration, rad/s2, and a jerk, rad/s3.
const GENTLE: (f64, f64) = (2.0, 1000.0);

/// A difference between what was sent and what the robot tells of it that is none, rad: what single
/// precision makes of a joint's angle.
const SAME_RAD: f64 = 5e-7;

/// Seven joints.
pub(crate) type Joints = [f64; 7];

/// How far apart, rad, at what rate, rad/s, with what acceleration, rad/s2.
#[derive(Debug, Clone, Copy, Default)]
struct Difference {
    p: f64,
    v: f64,
    a: f64,
}

impl Difference {
    /// Whether it can be worn off gently in `ticks`: bounds of the polynomial's acceleration, beyond
    /// the one that it begins with, and of its jerk.
    fn is_gentle(&self, ticks: u32) -> bool {
        let t = f64::from(ticks) * PERIOD_S;
        let (p, v, a) = (self.p.abs(), self.v.abs(), self.a.abs());
        let acceleration = 6.0 * p / (t * t) + 6.0 * v / t;
        let jerk = 60.0 * p / t.powi(3) + 36.0 * v / (t * t) + 9.0 * a / t;
        acceleration <= GENTLE.0 && jerk <= GENTLE.1
    }
}

/// A polynomial of the fifth degree that ends in rest at nothing.
#[derive(Debug, Clone, Copy, Default)]
struct Fading {
    coefficients: [f64; 6],
}

impl Fading {
    /// From a difference to nothing after `ticks`.
    fn new(difference: &Difference, ticks: u32) -> Self {
        let Difference { p, v, a } = *difference;
        let t = f64::from(ticks) * PERIOD_S;
        Self {
            coefficients: [
                p,
                v,
                0.5 * a,
                -(20.0 * p + 12.0 * v * t + 3.0 * a * t * t) / (2.0 * t.powi(3)),
                (30.0 * p + 16.0 * v * t + 3.0 * a * t * t) / (2.0 * t.powi(4)),
                -(12.0 * p + 6.0 * v * t + a * t * t) / (2.0 * t.powi(5)),
            ],
        }
    }

    fn at(&self, tick: u32) -> f64 {
        let t = f64::from(tick) * PERIOD_S;
        let horner = |sum: f64, c: &f64| sum * t + c;
        self.coefficients.iter().rev().fold(0.0, horner)
    }
}

/// The last setpoints, and the difference that is being worn off.
#[derive(Debug, Clone, Default)]
pub(crate) struct Steady {
    /// The last three, newest first, rad; fewer at the beginning.
    past: [Option<Joints>; 3],
    fading: [Fading; 7],
    /// Since when, and for how long, ticks.
    tick: u32,
    ticks: u32,
    /// What was sent last, rad.
    sent: Option<Joints>,
}

impl Steady {
    /// Begins anew: nothing was set or sent.
    pub(crate) fn reset(&mut self) {
        *self = Self::default();
    }

    /// Takes a setpoint whose moment has passed.
    pub(crate) fn pass(&mut self, setpoint: &Joints) {
        self.past = [Some(*setpoint), self.past[0], self.past[1]];
        self.tick = self.tick.saturating_add(1);
    }

    /// What to send for `setpoint` in answer to `state`; `is_late` where setpoints have passed.
    pub(crate) fn next(&mut self, setpoint: &Joints, state: &RobotState, is_late: bool) -> Joints {
        let is_elsewhere = self.sent.is_none_or(|sent| {
            (0..7).any(|joint| (sent[joint] - state.q_d[joint]).abs() > SAME_RAD)
        });
        if is_late || is_elsewhere {
            self.take_up(setpoint, state);
        }
        self.pass(setpoint);
        std::array::from_fn(|joint| {
            let left = if self.tick < self.ticks {
                self.fading[joint].at(self.tick)
            } else {
                0.0
            };
            setpoint[joint] + left
        })
    }

    /// Notes what was sent in the end.
    pub(crate) fn sent(&mut self, sent: &Joints) {
        self.sent = Some(*sent);
    }

    /// Where the robot is told to be, against where the setpoints before `next` are.
    fn take_up(&mut self, next: &Joints, state: &RobotState) {
        let [now, before, older] = self.past;
        let now = now.unwrap_or(*next);
        let before = before.unwrap_or(now);
        let older = older.unwrap_or(before);
        let differences: [Difference; 7] = std::array::from_fn(|joint| {
            let rate = (now[joint] - before[joint]) / PERIOD_S;
            let rate_before = (before[joint] - older[joint]) / PERIOD_S;
            let a = state.ddq_d[joint] - (rate - rate_before) / PERIOD_S;
            Difference {
                p: state.q_d[joint] - now[joint],
                // A rate by differences is that of half a tick before.
                v: state.dq_d[joint] - rate + 0.5 * a * PERIOD_S,
                a,
            }
        });
        let is_gentle = |ticks: &u32| differences.iter().all(|one| one.is_gentle(*ticks));
        let [.., longest] = TICKS;
        self.ticks = TICKS.into_iter().find(is_gentle).unwrap_or(longest);
        self.fading = differences.map(|one| Fading::new(&one, self.ticks));
        self.tick = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(q: f64, dq: f64, ddq: f64) -> RobotState {
        let mut state = RobotState::default();
        (state.q_d[0], state.dq_d[0], state.ddq_d[0]) = (q, dq, ddq);
        state
    }

    #[test]
    fn a_difference_at_the_start_is_worn_off_gently() {
        let mut steady = Steady::default();
        let mut robot = state(0.05, 0.0, 0.0);
        let (mut fastest, mut hardest, mut jolt) = (0.0_f64, 0.0_f64, 0.0_f64);
        for _ in 0..900 {
            let sent = steady.next(&[0.0; 7], &robot, false);
            steady.sent(&sent);
            let dq = (sent[0] - robot.q_d[0]) / PERIOD_S;
            let ddq = (dq - robot.dq_d[0]) / PERIOD_S;
            fastest = fastest.max(dq.abs());
            hardest = hardest.max(ddq.abs());
            jolt = jolt.max(((ddq - robot.ddq_d[0]) / PERIOD_S).abs());
            robot = state(sent[0], dq, ddq);
        }
        assert_eq!(robot.q_d[0], 0.0);
        assert!(
            fastest < 0.4 && hardest < 4.0 && jolt < 200.0,
            "{fastest} {hardest} {jolt}"
        );
    }

    #[test]
    fn what_was_lost_is_joined_without_a_jolt() {
        // Setpoints that accelerate and whose acceleration changes; every ninth is lost.
        let at = |tick: i32| {
            let t = f64::from(tick) * PERIOD_S;
            [
                0.2 * (1.0 - (4.0 * t).cos()).powi(2),
                0.0,
                0.0,
                0.0,
                0.0,
                0.0,
                0.0,
            ]
        };
        let mut steady = Steady::default();
        let mut robot = state(0.0, 0.0, 0.0);
        let (mut late, mut jolt, mut off) = (0, 0.0_f64, 0.0_f64);
        for tick in 1..2000 {
            if tick % 9 == 0 {
                late += 1;
                let dq = robot.dq_d[0] + robot.ddq_d[0] * PERIOD_S;
                robot = state(robot.q_d[0] + dq * PERIOD_S, dq, robot.ddq_d[0]);
                steady.pass(&at(tick));
                continue;
            }
            let sent = steady.next(&at(tick), &robot, late > 0);
            steady.sent(&sent);
            late = 0;
            let dq = (sent[0] - robot.q_d[0]) / PERIOD_S;
            let ddq = (dq - robot.dq_d[0]) / PERIOD_S;
            jolt = jolt.max(((ddq - robot.ddq_d[0]) / PERIOD_S).abs());
            off = off.max((sent[0] - at(tick)[0]).abs());
            robot = state(sent[0], dq, ddq);
        }
        assert!(jolt < 200.0 && off < 5e-5, "{jolt} {off}");
    }
}
