//! The scripted hand: legs, one after the other, each as the suite sees things at that moment.

use tiller_core::Pose;
use tiller_world::HandStep;

use super::Suite;
use super::snapshot::{Snapshot, ThingState};
use crate::oracle::thresholds::LIFT_M;

/// Longest step in free space, with something in the hand, and in contact, m.
pub(super) const FREE_M: f64 = 0.022;
pub(super) const CARRY_M: f64 = 0.018;
pub(super) const CONTACT_M: f64 = 0.010;
/// Largest turn in a step, rad.
const TURN_RAD: f64 = 0.10;
/// The hand is turned as it should be within this, rad.
const TURNED_RAD: f64 = 0.03;
/// Steps for which fingers close or open.
pub(super) const FINGER_STEPS: u32 = 5;
/// Steps that a leg may take before the attempt has failed, and attempts before the hand gives up.
const LEG_STEPS: u32 = 80;
const ATTEMPTS: u32 = 4;

/// When a leg is over.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Until {
    /// The hand is there, within this along the table and in height, m.
    There(f64),
    /// So many steps have passed.
    Steps(u32),
    /// This is true; the attempt has failed where the hand is there before.
    Met(bool),
}

/// Where the hand goes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Leg {
    /// m.
    pub(crate) to_m: [f64; 3],
    /// How far the hand is to be turned about z from pointing ahead, rad.
    pub(crate) yaw_rad: f64,
    pub(crate) open: bool,
    /// Longest step, m.
    pub(crate) speed_m: f64,
    pub(crate) until: Until,
}

impl Leg {
    /// To a place in free space, with open fingers and the hand pointing ahead, to within a centimetre.
    pub(super) fn to(to_m: [f64; 3]) -> Self {
        Self {
            to_m,
            yaw_rad: 0.0,
            open: true,
            speed_m: FREE_M,
            until: Until::There(0.010),
        }
    }

    /// Straight up from wherever the hand is, turned as it is.
    pub(super) fn up(now: &Snapshot, z_m: f64) -> Self {
        let [x, y, z] = now.hand_m;
        Self {
            yaw_rad: now.hand_yaw_rad,
            ..Self::to([x, y, z_m.max(z)])
        }
    }

    /// Stays where it should be by then, for fingers to close or open.
    pub(super) fn wait(self) -> Self {
        Self {
            speed_m: 0.004,
            until: Until::Steps(FINGER_STEPS),
            ..self
        }
    }

    pub(super) fn closed(self) -> Self {
        Self {
            open: false,
            ..self
        }
    }

    pub(super) fn turned(self, yaw_rad: f64) -> Self {
        Self { yaw_rad, ..self }
    }

    pub(super) fn at_speed(self, speed_m: f64) -> Self {
        Self { speed_m, ..self }
    }

    pub(super) fn until(self, until: Until) -> Self {
        Self { until, ..self }
    }
}

/// Heights at which the hand travels and grasps what lies on the table, m.
pub(super) const TRAVEL_Z_M: f64 = 0.15;
pub(super) const GRASP_Z_M: f64 = 0.022;
/// Height of the middle of a block that is lifted, with some to spare, m.
pub(super) const LIFTED_Z_M: f64 = 0.02 + LIFT_M + 0.03;
/// Legs of a [`grasp`].
pub(super) const GRASP_LEGS: usize = 4;

/// The legs of a grasp from above, numbers 0 to 3: up, over the place, down around it, fingers closed.
pub(super) fn grasp(number: usize, now: &Snapshot, [x, y, z]: [f64; 3], yaw_rad: f64) -> Leg {
    match number {
        0 => Leg::up(now, TRAVEL_Z_M),
        1 => Leg::to([x, y, TRAVEL_Z_M])
            .turned(yaw_rad)
            .until(Until::There(0.005)),
        2 => Leg::to([x, y, z])
            .turned(yaw_rad)
            .until(Until::There(0.005)),
        _ => Leg::to([x, y, z]).turned(yaw_rad).closed().wait(),
    }
}

/// Straight up with what is held, turned as the hand is, until it has risen.
pub(super) fn raise(now: &Snapshot, is_up: bool) -> Leg {
    let [x, y, _] = now.hand_m;
    Leg::to([x, y, TRAVEL_Z_M + 0.02])
        .turned(now.hand_yaw_rad)
        .closed()
        .at_speed(CARRY_M)
        .until(Until::Met(is_up))
}

/// By how much what is held is off the hand along the table, m: both are brought over a place together.
pub(super) fn held_off_m(now: &Snapshot, held: &ThingState) -> [f64; 2] {
    [0, 1].map(|axis| (now.hand_m[axis] - held.position_m[axis]).clamp(-0.01, 0.01))
}

/// An angle of something that looks the same after that part of a turn, brought into half of it around 0, rad.
pub(super) fn fold(angle_rad: f64, period_rad: f64) -> f64 {
    angle_rad - period_rad * (angle_rad / period_rad).round()
}

/// A scripted hand at work on a task of a suite.
#[derive(Clone)]
pub(crate) struct Script {
    suite: &'static dyn Suite,
    task: usize,
    number: usize,
    steps: u32,
    attempts: u32,
}

impl Script {
    pub(super) fn new(suite: &'static dyn Suite, task: usize) -> Self {
        Self {
            suite,
            task,
            number: 0,
            steps: 0,
            attempts: 1,
        }
    }

    /// The next step of 100 ms from where actions start; `None` when it is finished or has given up. `now` is as
    /// things stand, but for the hand; `done` says whether the task holds.
    pub(super) fn act(&mut self, now: &mut Snapshot, anchor: Pose, done: bool) -> Option<HandStep> {
        now.hand_m = anchor.position_m;
        let turn = anchor.matrix();
        now.hand_yaw_rad = turn[(1, 0)].atan2(turn[(0, 0)]);
        loop {
            let Some(leg) = self.suite.leg(self.task, self.number, now) else {
                if done || self.attempts >= ATTEMPTS {
                    return None;
                }
                self.begin_anew();
                continue;
            };
            let is_over = match leg.until {
                Until::There(within_m) => is_there(&leg, now, within_m),
                Until::Steps(steps) => self.steps >= steps,
                Until::Met(met) => met,
            };
            if is_over {
                (self.number, self.steps) = (self.number + 1, 0);
                continue;
            }
            let is_stuck = matches!(leg.until, Until::Met(_)) && is_there(&leg, now, 0.003);
            if self.steps > LEG_STEPS || is_stuck && self.steps > 4 {
                if self.attempts >= ATTEMPTS {
                    return None;
                }
                self.begin_anew();
                continue;
            }
            self.steps += 1;
            return Some(step(&leg, now));
        }
    }

    fn begin_anew(&mut self) {
        self.attempts += 1;
        (self.number, self.steps) = (0, 0);
    }
}

fn is_there(leg: &Leg, now: &Snapshot, within_m: f64) -> bool {
    let off = [0, 1, 2].map(|axis| leg.to_m[axis] - now.hand_m[axis]);
    let turn = turn_rad(leg, now);
    off[0].hypot(off[1]) < within_m && off[2].abs() < within_m && turn.abs() < TURNED_RAD
}

/// What is left to be turned, rad: the shorter way.
fn turn_rad(leg: &Leg, now: &Snapshot) -> f64 {
    let turn = leg.yaw_rad - now.hand_yaw_rad;
    turn.sin().atan2(turn.cos())
}

/// A step on a leg: straight, no longer than its speed, and shorter just before its end.
fn step(leg: &Leg, now: &Snapshot) -> HandStep {
    let way = [0, 1, 2].map(|axis| leg.to_m[axis] - now.hand_m[axis]);
    let length = way.iter().map(|part| part * part).sum::<f64>().sqrt();
    let step = leg.speed_m.min((0.6 * length).max(0.004)).min(length);
    let share = if length > 1e-9 { step / length } else { 0.0 };
    let turn = turn_rad(leg, now).clamp(-TURN_RAD, TURN_RAD);
    HandStep {
        delta_m: way.map(|part| part * share),
        rotation_rad: [0.0, 0.0, turn],
        gripper: if leg.open { 1.0 } else { -1.0 },
    }
}
