//! What is in the closed fingers moves as they do, seen or not.

use nalgebra::{Isometry3, Point3};

use super::object::Object;
use crate::hand::Hand;

/// Openings between which fingers hold something: closed ones are empty, open ones let go, m.
const HELD_M: std::ops::Range<f64> = 0.003..0.075;
/// The fingers stand still when they move less than this between two frames, and let go when they open
/// by more than that, m.
const STILL_M: f64 = 0.001;
const OPENED_M: f64 = 0.004;
/// A thing between the fingers has a point this near to the tool's centre, m.
const NEAR_M: f64 = 0.025;
/// What is seen this far from where the hand would have it between two frames does not go along, m.
const APART_M: f64 = 0.015;

/// What the hand holds.
#[derive(Debug, Default)]
pub(super) struct Grip {
    held: Option<Held>,
    /// The fingers' last opening, m.
    width_m: f64,
    /// A thing that turned out not to go along; nothing is held until the fingers open.
    is_refuted: bool,
}

#[derive(Debug, Clone, Copy)]
struct Held {
    object: usize,
    /// The object's motion as the tool sees it.
    tool_from_then: Isometry3<f64>,
    width_m: f64,
}

impl Grip {
    /// Takes the hand's state in this frame, and says which object it holds and where that has moved.
    pub(super) fn update(
        &mut self,
        hand: Option<&Hand>,
        objects: &[Object],
    ) -> Option<(usize, Isometry3<f64>)> {
        let Some(hand) = hand else {
            self.held = None;
            return None;
        };
        let width_m = hand.gripper_width_m;
        let stands = (width_m - self.width_m).abs() < STILL_M;
        self.width_m = width_m;
        let tool = hand.world_from_tool.isometry();
        match self.held {
            Some(held) if width_m > held.width_m + OPENED_M || !HELD_M.contains(&width_m) => {
                self.held = None;
            }
            Some(_) => {}
            None if !HELD_M.contains(&width_m) => self.is_refuted = false,
            None if stands && !self.is_refuted => {
                let centre = Point3::from(tool.translation.vector);
                self.held = nearest(objects, &centre).map(|object| Held {
                    object,
                    tool_from_then: tool.inverse() * objects[object].motion.now_from_then,
                    width_m,
                });
            }
            None => {}
        }
        self.held
            .map(|held| (held.object, tool * held.tool_from_then))
    }

    /// Notes where the held object is seen: that it moves along in the fingers a little, or not at all.
    pub(super) fn seen(
        &mut self,
        hand: Option<&Hand>,
        object: usize,
        seen: &Isometry3<f64>,
        middle_m: &Point3<f64>,
    ) {
        let (Some(hand), Some(held)) = (hand, &mut self.held) else {
            return;
        };
        if held.object != object {
            return;
        }
        let tool = hand.world_from_tool.isometry();
        let carried = tool * held.tool_from_then;
        if (seen * middle_m - carried * middle_m).norm() > APART_M {
            (self.held, self.is_refuted) = (None, true);
            return;
        }
        held.tool_from_then = tool.inverse() * seen;
    }
}

/// The object with a point next to the tool's centre, if near enough.
fn nearest(objects: &[Object], centre: &Point3<f64>) -> Option<usize> {
    let mut best = (NEAR_M, None);
    for (index, object) in objects.iter().enumerate() {
        for point in object.points_m() {
            let apart_m = (point - centre).norm();
            if apart_m < best.0 {
                best = (apart_m, Some(index));
            }
        }
    }
    best.1
}
