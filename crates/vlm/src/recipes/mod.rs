//! How each goal is reached by a gripper that points straight down and is guided by position alone.
//!
//! Every recipe follows one pattern: travel high to a place above, go straight down to where the
//! contact begins, then move through the contact. Guidance never speaks of the gripper: whether the fingers open or
//! close is the policy's choice in the mode that guidance leads it to.

mod block;
mod furniture;
mod terms;

use crate::program::ProgramText;
use crate::scene::{Point, Scene};
use crate::understand::Goal;

/// Writes the program for a goal on the object that the keypoint shows.
pub(crate) fn write(goal: &Goal, point: &Point, scene: &Scene) -> ProgramText {
    let stages = match goal {
        Goal::OpenDrawer => furniture::open_drawer(point),
        Goal::CloseDrawer => furniture::close_drawer(point),
        Goal::SlideDoor(direction) => furniture::slide_door(point, *direction),
        Goal::TurnSwitch(on) => furniture::turn_switch(point, *on),
        Goal::PressButton => furniture::press_button(point),
        Goal::PushBlock { direction, .. } => block::push(point, *direction, scene),
        Goal::LiftBlock { .. } => block::lift(point),
    };
    let [x, y, z] = point.position_m;
    let note = format!(
        "Keypoint {} is the {}, seen at ({x:.3}, {y:.3}, {z:.3}).",
        point.index,
        goal.object(),
    );
    ProgramText {
        title: goal.to_string(),
        notes: vec![note],
        stages,
    }
}
