//! How each goal is reached by a gripper that points straight down and is guided by position alone.
//!
//! Every recipe follows one pattern: travel high to a place above, go straight down to where the
//! contact begins, then move through the contact. Guidance never speaks of the gripper: whether the fingers open or
//! close is the policy's choice in the mode that guidance leads it to.

mod block;
mod furniture;
mod terms;

use crate::program::{ProgramText, StageText};
use crate::scene::{Point, Scene};
use crate::understand::{Direction, Goal};
use tiller_vlm::AuthorError;

/// How far a goal moves its object's keypoint, m: the middle of what its recipe is content with.
const DRAWER_MOVES_M: f64 = 0.150;
const DOOR_MOVES_M: f64 = 0.170;
const SWITCH_MOVES_M: f64 = 0.038;
const PUSH_MOVES_M: f64 = 0.085;

/// Writes the program for goals that are to be reached one after the other. Each recipe is written for
/// the scene as the goals before it will leave it.
///
/// # Errors
/// [`AuthorError::ObjectNotInScene`] when no keypoint shows a goal's object.
pub(crate) fn write(goals: &[Goal], scene: &Scene) -> Result<ProgramText, AuthorError> {
    let mut expected = scene.clone();
    let (mut titles, mut notes, mut stages) = (Vec::new(), Vec::new(), Vec::new());
    for goal in goals {
        let object = goal.object();
        let (Some(seen), Some(point)) = (scene.find(&object), expected.find(&object).cloned())
        else {
            let can = scene.abilities();
            return Err(AuthorError::ObjectNotInScene { object, can });
        };
        let [x, y, z] = seen.position_m;
        notes.push(format!(
            "Keypoint {} is the {object}, seen at ({x:.3}, {y:.3}, {z:.3}).",
            point.index,
        ));
        stages.extend(recipe(goal, &point, &expected));
        let moves = effect(goal, &point, &expected);
        expected.shift(&object, moves);
        titles.push(goal.to_string());
    }
    notes.dedup();
    Ok(ProgramText {
        title: titles.join(", then "),
        notes,
        stages,
    })
}

fn recipe(goal: &Goal, point: &Point, scene: &Scene) -> Vec<StageText> {
    match goal {
        Goal::OpenDrawer => furniture::open_drawer(point),
        Goal::CloseDrawer => furniture::close_drawer(point),
        Goal::SlideDoor(direction) => furniture::slide_door(point, *direction),
        Goal::TurnSwitch(on) => furniture::turn_switch(point, *on),
        Goal::PressButton => furniture::press_button(point),
        Goal::PushBlock { direction, .. } => block::push(point, *direction, scene),
        Goal::LiftBlock { .. } => block::lift(point),
    }
}

/// By how much the goal moves its object along the table, m.
fn effect(goal: &Goal, point: &Point, scene: &Scene) -> [f64; 2] {
    let (direction, length_m) = match goal {
        Goal::OpenDrawer => (Direction::Near, DRAWER_MOVES_M),
        Goal::CloseDrawer => (Direction::Away, DRAWER_MOVES_M),
        Goal::SlideDoor(direction) => (*direction, DOOR_MOVES_M),
        Goal::TurnSwitch(true) => (Direction::Away, SWITCH_MOVES_M),
        Goal::TurnSwitch(false) => (Direction::Near, SWITCH_MOVES_M),
        Goal::PushBlock { direction, .. } => {
            let direction = direction.unwrap_or_else(|| block::free_direction(point, scene));
            (direction, PUSH_MOVES_M)
        }
        Goal::PressButton | Goal::LiftBlock { .. } => return [0.0; 2],
    };
    direction.unit().map(|part| part * length_m)
}
