//! What experts do one after the other.

use nalgebra::{Matrix3, Vector3};
use tiller_core::{Pose, rotation};
use tiller_world::HandStep;

use super::approach::Approach;
use super::carry::Carry;
use super::motion::{Manner, towards};
use super::view::{Load, View};

pub(super) const OPEN: f64 = 1.0;
pub(super) const CLOSED: f64 = -1.0;
/// Height at which the hand travels, m.
pub(super) const TRAVEL_Z_M: f64 = 0.201;
/// Height to which it rises when it holds nothing and goes on, m.
pub(super) const LOW_TRAVEL_Z_M: f64 = 0.181;
/// The hand is turned as it should be within that, rad.
const TURNED_RAD: f64 = 0.15;
/// A load that is so much higher than it was is held, m.
const HELD_M: f64 = 0.03;
/// The knob is turned until that, rad; the stove is on from 0.5.
const KNOB_RAD: f64 = 0.65;
const KNOB_STEPS: u32 = 30;
const KNOB_TURN_RAD: f64 = 0.13;

/// What a phase wants.
pub(super) enum Next {
    /// A step; where `executed` is something it is done instead.
    Step {
        learned: HandStep,
        executed: Option<HandStep>,
        /// Scale of the noise.
        noise: f64,
    },
    /// Nothing more; these phases come next.
    Done(Vec<Phase>),
    /// It cannot be done.
    GiveUp,
}

/// Where a [`Go`] leads.
#[derive(Debug, Clone, Copy)]
pub(super) enum To {
    At(Vector3<f64>),
    /// Straight up from wherever it begins, to that height at least, and by that much at least, m.
    Up {
        z_m: f64,
        by_m: f64,
    },
    /// To that height and no lower than where it is; nothing where it is high already.
    Rise(f64),
}

/// To a place.
#[derive(Debug, Clone)]
pub(super) struct Go {
    pub(super) to: To,
    pub(super) orientation: Option<Matrix3<f64>>,
    /// As near as that is there, m.
    pub(super) within_m: f64,
    /// Steps after which it is left at that.
    pub(super) steps: u32,
    pub(super) manner: Manner,
}

/// One after the other.
#[derive(Debug, Clone)]
pub(super) enum Phase {
    Go(Go),
    Approach(Approach),
    /// Fingers are opened or closed for so many steps.
    Grip {
        gripper: f64,
        steps: u32,
    },
    /// Whether a load is held; if not, what comes instead.
    Held {
        load: Load,
        rest_z_m: f64,
        otherwise: Vec<Phase>,
    },
    Carry(Carry),
    /// Turns what is held between the fingers.
    Turn {
        at: Option<Vector3<f64>>,
        steps: u32,
    },
    Fail,
}

impl Phase {
    pub(super) fn go(place: Vector3<f64>, orientation: Matrix3<f64>, within_m: f64) -> Go {
        Go {
            to: To::At(place),
            orientation: Some(orientation),
            within_m,
            steps: 45,
            manner: Manner {
                speed_m: 0.024,
                noise: 1.0,
            },
        }
    }

    /// Up to where the hand travels.
    pub(super) fn rise(z_m: f64) -> Self {
        Self::Go(Go {
            to: To::Rise(z_m),
            manner: Manner {
                speed_m: 0.024,
                noise: 0.3,
            },
            ..Self::go(Vector3::zeros(), super::motion::down(), 0.03)
        })
    }

    pub(super) fn next(&mut self, view: &View<'_>, anchor: &Pose, gripper: &mut f64) -> Next {
        match self {
            Self::Go(go) => go.next(view, anchor, *gripper),
            Self::Approach(approach) => {
                *gripper = OPEN;
                approach.next(view, anchor)
            }
            Self::Grip { steps: 0, .. } => Next::Done(Vec::new()),
            Self::Grip {
                gripper: wanted,
                steps,
            } => {
                *steps -= 1;
                *gripper = *wanted;
                still(*gripper)
            }
            Self::Held {
                load,
                rest_z_m,
                otherwise,
            } => {
                if view.load(*load).z > *rest_z_m + HELD_M {
                    Next::Done(Vec::new())
                } else {
                    *gripper = OPEN;
                    Next::Done(std::mem::take(otherwise))
                }
            }
            Self::Carry(carry) => carry.next(view, anchor, gripper),
            Self::Turn { at, steps } => {
                if *steps == KNOB_STEPS || view.knob_rad() > KNOB_RAD {
                    return Next::Done(Vec::new());
                }
                *steps += 1;
                let at = *at.get_or_insert(view.hand_m());
                let step = HandStep {
                    rotation_rad: [0.0, 0.0, KNOB_TURN_RAD],
                    ..towards(anchor, at, None, 0.01, *gripper)
                };
                plain(step, 0.0)
            }
            Self::Fail => Next::GiveUp,
        }
    }
}

impl Go {
    fn next(&mut self, view: &View<'_>, anchor: &Pose, gripper: f64) -> Next {
        let hand = view.hand_m();
        let place = match self.to {
            To::At(place) => place,
            To::Up { z_m, by_m } => Vector3::new(hand.x, hand.y, z_m.max(hand.z + by_m)),
            To::Rise(z_m) if hand.z >= z_m - 0.02 => return Next::Done(Vec::new()),
            To::Rise(z_m) => Vector3::new(hand.x, hand.y, z_m),
        };
        self.to = To::At(place);
        let is_turned = self.orientation.is_none_or(|wanted| {
            rotation::log(&(wanted * view.tool.matrix().transpose())).norm() < TURNED_RAD
        });
        if self.steps == 0 || ((place - hand).norm() < self.within_m && is_turned) {
            return Next::Done(Vec::new());
        }
        self.steps -= 1;
        let step = towards(
            anchor,
            place,
            self.orientation.as_ref(),
            self.manner.speed_m,
            gripper,
        );
        plain(step, self.manner.noise)
    }
}

/// A step that is learned as it is done.
pub(super) fn plain(step: HandStep, noise: f64) -> Next {
    Next::Step {
        learned: step,
        executed: None,
        noise,
    }
}

/// The hand stays.
pub(super) fn still(gripper: f64) -> Next {
    let step = HandStep {
        gripper,
        ..HandStep::default()
    };
    plain(step, 0.0)
}
