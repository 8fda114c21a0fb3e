//! A load is taken to its place and set down there.

use nalgebra::Vector3;
use tiller_core::Pose;
use tiller_world::HandStep;

use super::motion::{down, towards};
use super::phase::{CLOSED, Next, OPEN, Phase};
use super::view::{Goal, Load, View};

/// Aside by less than this the load comes down, m; before and after it has begun to.
const ABOVE_M: f64 = 0.015;
const STILL_ABOVE_M: f64 = 0.03;
/// Aside by more than this it is lifted first, m.
const FAR_M: f64 = 0.05;
/// So far below its height it is not lifted yet, m.
const LIFTED_M: f64 = 0.02;
/// As near as that is there, m.
const THERE_M: f64 = 0.010;
/// Steps after which it is let go wherever it is, in all and from when it comes down.
const STEPS: u32 = 100;
const LOWERING_STEPS: u32 = 25;
/// Steps in which the fingers open.
const OPENING_STEPS: u32 = 4;
/// Longest steps, m: upwards, across, down.
const SPEEDS_M: [f64; 3] = [0.021, 0.0225, 0.016];

/// Up, across, down.
#[derive(Debug, Clone)]
struct Way {
    goal: Goal,
    lift_z_m: f64,
    lowering: u32,
}

impl Way {
    /// The next step with its noise; none when the load is there.
    fn step(&mut self, load: Load, view: &View<'_>, anchor: &Pose) -> Option<(HandStep, f64)> {
        let hand = view.hand_m();
        let place = view.goal(self.goal) + hand - view.load(load);
        let aside_m = (place - hand).xy().norm();
        let limit_m = if self.lowering > 0 {
            STILL_ABOVE_M
        } else {
            ABOVE_M
        };
        let [up, across, down_m] = SPEEDS_M;
        let (target, speed_m, noise) = if aside_m < limit_m {
            self.lowering += 1;
            if (place - hand).norm() < THERE_M || self.lowering > LOWERING_STEPS {
                return None;
            }
            (place, down_m, 0.1)
        } else if hand.z < self.lift_z_m - LIFTED_M && aside_m > FAR_M {
            let [x, y, _] = anchor.position_m;
            (Vector3::new(x, y, self.lift_z_m), up, 0.2)
        } else {
            (Vector3::new(place.x, place.y, self.lift_z_m), across, 0.4)
        };
        Some((
            towards(anchor, target, Some(&down()), speed_m, CLOSED),
            noise,
        ))
    }
}

/// To a place, or in error to another one on the table.
#[derive(Debug, Clone)]
pub(super) struct Carry {
    load: Load,
    right: Way,
    wrong: Option<Way>,
    steps: u32,
    /// Steps for which the fingers have been opening at the wrong place.
    opening: u32,
}

impl Carry {
    pub(super) fn new(load: Load, goal: Goal, lift_z_m: f64) -> Self {
        Self {
            load,
            right: Way {
                goal,
                lift_z_m,
                lowering: 0,
            },
            wrong: None,
            steps: STEPS,
            opening: 0,
        }
    }

    /// It is done as if this place were right; learned is what is.
    pub(super) fn wrongly(mut self, place_m: Vector3<f64>, lift_z_m: f64) -> Self {
        self.wrong = Some(Way {
            goal: Goal::At(place_m),
            lift_z_m,
            lowering: 0,
        });
        self
    }

    pub(super) fn next(&mut self, view: &View<'_>, anchor: &Pose, gripper: &mut f64) -> Next {
        let right = self.right.step(self.load, view, anchor);
        let is_late = self.steps == 0;
        self.steps = self.steps.saturating_sub(1);
        let Some(wrong) = &mut self.wrong else {
            return match right {
                Some((learned, noise)) if !is_late => Next::Step {
                    learned,
                    executed: None,
                    noise,
                },
                _ => Next::Done(vec![Phase::Grip {
                    gripper: OPEN,
                    steps: OPENING_STEPS,
                }]),
            };
        };
        let still = |gripper| HandStep {
            gripper,
            ..HandStep::default()
        };
        let (learned, noise) = right.unwrap_or((still(CLOSED), 0.0));
        let executed = if self.opening == 0 && !is_late {
            wrong.step(self.load, view, anchor)
        } else {
            None
        };
        let executed = match executed {
            Some((step, _)) => step,
            None if self.opening == OPENING_STEPS => {
                *gripper = OPEN;
                return Next::Done(Vec::new());
            }
            None => {
                self.opening += 1;
                still(OPEN)
            }
        };
        Next::Step {
            learned,
            executed: Some(executed),
            noise,
        }
    }
}
