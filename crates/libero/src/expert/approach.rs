//! Down onto a spot with open fingers. What is learned follows from the state alone; what is done errs.

use nalgebra::Vector3;
use tiller_core::Pose;
use tiller_world::HandStep;

use super::motion::{clipped, down, towards};
use super::phase::{CLOSED, Next, OPEN};
use super::view::{Load, Spot, View};
use tiller_world::Random;

/// Height above a spot from which the hand comes down, m, and the lowest such place.
const HOVER_M: f64 = 0.10;
const HOVER_LEAST_Z_M: f64 = 0.161;
/// The last part of the way, m.
const LAST_M: f64 = 0.035;
/// Fingers that are nearer to each other are not open, m.
const OPEN_WIDTH_M: f64 = 0.06;
/// Aside by less than this the hand may come down, m; while it is low, and while it is high.
const STRAIGHT_M: f64 = 0.012;
const LOW_STRAIGHT_M: f64 = 0.016;
/// Aside by more than this it goes over the spot first, m.
const NEAR_M: f64 = 0.04;
/// As near as that is there, m.
const THERE_M: f64 = 0.007;
/// Longest step in free space, m, and steps until it is left at what was reached.
const SPEED_M: f64 = 0.024;
const STEPS: u32 = 90;
/// Steps of the last part.
const LAST_STEPS: u32 = 25;
/// Fingers fumble where there is more noise than that.
const FUMBLE_NOISE: f64 = 0.3;
/// Share of the noise before the knob, where the arm is nearly folded.
const KNOB_NOISE: f64 = 0.4;
/// Near enough above the spot to err from there, m.
const ERR_FROM_M: f64 = 0.025;

/// A way that is gone instead of the right one.
#[derive(Debug, Clone)]
enum Error {
    /// To a place aside of the spot, for so many steps at most.
    Aside { by: Vector3<f64>, steps: u32 },
    /// There too; then the fingers close for so many steps, and the hand rises for so many.
    Miss {
        by: Vector3<f64>,
        steps: u32,
        closing: u32,
        rising: u32,
    },
}

/// Above, down.
#[derive(Debug, Clone)]
pub(super) struct Approach {
    spot: Spot,
    /// Longest step of the last part, m.
    last_speed_m: f64,
    /// Steps during which the fingers do the opposite.
    fumble: u32,
    errors: Vec<Error>,
    steps: u32,
    last_steps: u32,
}

/// The place above a spot from which the hand comes down.
pub(super) fn hover(view: &View<'_>, spot: Spot) -> Vector3<f64> {
    let at = view.spot(spot);
    Vector3::new(at.x, at.y, (at.z + HOVER_M).max(HOVER_LEAST_Z_M))
}

impl Approach {
    pub(super) fn draw(spot: Spot, is_first: bool, random: &mut Random) -> Self {
        let mut errors = Vec::new();
        if random.chance(0.35) {
            // Higher over the bottle, which would fall; before the knob never nearer to the arm's base,
            // where the arm folds and hardly comes away.
            let low_m = match spot {
                Spot::Of(Load::Bottle) => [-0.025, -0.025, 0.06],
                Spot::Knob => [0.0, -0.025, 0.04],
                _ => [-0.025, -0.025, 0.04],
            };
            errors.push(Error::Aside {
                by: random.in_box(low_m, [0.025, 0.025, 0.08]).into(),
                steps: 12,
            });
        }
        let may_miss = matches!(spot, Spot::Of(Load::Bowl | Load::Cheese));
        if may_miss && is_first && random.chance(0.25) {
            let aside = Vector3::from(random.in_box([0.025, 0.025, 0.02], [0.045; 3]));
            let signs = Vector3::new(random.sign(), random.sign(), 1.0);
            errors.push(Error::Miss {
                by: aside.component_mul(&signs),
                steps: 20,
                closing: 5,
                rising: if random.chance(0.5) { 4 } else { 0 },
            });
        }
        Self {
            spot,
            last_speed_m: random.uniform(0.011, 0.02),
            fumble: if random.chance(0.3) {
                random.uniform(2.0, 10.0) as u32
            } else {
                0
            },
            errors,
            steps: STEPS,
            last_steps: LAST_STEPS,
        }
    }

    pub(super) fn next(&mut self, view: &View<'_>, anchor: &Pose) -> Next {
        let (hand, spot) = (view.hand_m(), view.spot(self.spot));
        if self.steps == 0 || self.last_steps == 0 || (spot - hand).norm() < THERE_M {
            return Next::Done(Vec::new());
        }
        self.steps -= 1;
        let (learned, noise) = self.right(view, anchor);
        let noise = noise
            * if self.spot == Spot::Knob {
                KNOB_NOISE
            } else {
                1.0
            };
        let is_above = (hover(view, self.spot) - hand).norm() < ERR_FROM_M;
        let executed = match self.errors.last_mut() {
            Some(error) if is_above || error.is_under_way() => {
                let step = error.step(spot, hand, anchor, self.last_speed_m);
                if step.is_none() {
                    self.errors.pop();
                }
                step
            }
            _ => None,
        };
        if executed.is_some() {
            // Errors take their own time.
            self.steps += 1;
        } else if hand.z < spot.z + LAST_M + THERE_M {
            self.last_steps -= 1;
        }
        let executed = executed.or_else(|| {
            let fumbles = self.fumble > 0;
            self.fumble = self.fumble.saturating_sub(1);
            (fumbles && noise > FUMBLE_NOISE).then_some(HandStep {
                gripper: -learned.gripper,
                ..learned
            })
        });
        Next::Step {
            learned,
            executed,
            noise,
        }
    }

    /// What is right in this state, and how much noise it bears.
    fn right(&self, view: &View<'_>, anchor: &Pose) -> (HandStep, f64) {
        let (hand, spot, above) = (view.hand_m(), view.spot(self.spot), hover(view, self.spot));
        let aside_m = (spot - hand).xy().norm();
        let is_low = hand.z < spot.z + LAST_M + THERE_M;
        let over = |z_m: f64| Vector3::new(spot.x, spot.y, z_m);
        let (place, speed_m, noise) = if view.width_m < OPEN_WIDTH_M {
            // Closed fingers come down on nothing.
            let is_high = hand.z > above.z - 0.02;
            let up = Vector3::new(anchor.position_m[0], anchor.position_m[1], above.z);
            (if is_high { above } else { up }, SPEED_M, 0.31)
        } else if aside_m > NEAR_M {
            (above, SPEED_M, 1.0)
        } else if aside_m > if is_low { LOW_STRAIGHT_M } else { STRAIGHT_M } {
            (
                over((spot.z + LAST_M).max(anchor.position_m[2].min(above.z))),
                SPEED_M,
                0.5,
            )
        } else if !is_low {
            (over(spot.z + LAST_M), SPEED_M, 0.5)
        } else {
            (spot, self.last_speed_m, 0.15)
        };
        (towards(anchor, place, Some(&down()), speed_m, OPEN), noise)
    }
}

impl Error {
    fn is_under_way(&self) -> bool {
        match self {
            Self::Aside { steps, .. } => *steps < 12,
            Self::Miss { steps, closing, .. } => *steps < 20 || *closing < 5,
        }
    }

    /// The next step of it; none when it is over.
    fn step(
        &mut self,
        spot: Vector3<f64>,
        hand: Vector3<f64>,
        anchor: &Pose,
        speed_m: f64,
    ) -> Option<HandStep> {
        match self {
            Self::Aside { by, steps } => {
                let place = spot + *by;
                if *steps == 0 || (place - hand).norm() < 0.015 {
                    return None;
                }
                *steps -= 1;
                Some(towards(anchor, place, Some(&down()), 0.024, OPEN))
            }
            Self::Miss {
                by,
                steps,
                closing,
                rising,
            } => {
                let place = spot + *by;
                if *steps > 0 && (place - hand).norm() > 0.015 {
                    *steps -= 1;
                    return Some(towards(anchor, place, Some(&down()), speed_m, OPEN));
                }
                *steps = 0;
                if *closing > 0 {
                    *closing -= 1;
                    return Some(HandStep {
                        gripper: CLOSED,
                        ..HandStep::default()
                    });
                }
                if *rising == 0 {
                    return None;
                }
                *rising -= 1;
                Some(HandStep {
                    delta_m: clipped(Vector3::z(), 0.02).into(),
                    gripper: CLOSED,
                    ..HandStep::default()
                })
            }
        }
    }
}
