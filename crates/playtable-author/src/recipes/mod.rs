//! How each goal is reached by a gripper that points straight down.
//!
//! Every recipe follows one pattern: travel high to a place above, go straight down to where the
//! contact begins, then move through the contact. Guidance speaks of the fingers only where it may move them
//! and where they matter, around a block; elsewhere whether they open or close is the policy's choice in
//! the mode that guidance leads it to.

pub(crate) mod block;
mod drawer;
mod furniture;
pub(crate) mod grasp;
mod room;
pub(crate) mod terms;

use tiller_reward::HandAccess;
use tiller_vlm::AuthorError;

use crate::program::KeepOut;
use crate::scene::{Point, Scene};
use crate::understand::{Direction, Goal, TaskSpec, Thing};
use grasp::Fingers;
use tiller_vlm::text::{ProgramText, StageText};

/// How far a goal moves its object's keypoint, m: the middle of what its recipe is content with.
const DRAWER_MOVES_M: f64 = 0.150;
const DOOR_MOVES_M: f64 = 0.170;
const SWITCH_MOVES_M: f64 = 0.038;
const PUSH_MOVES_M: f64 = 0.085;

/// How a block and a piece of furniture are stayed away from. A fingertip touches a block whose keypoint
/// is 3.6 cm away; from 5.8 cm on, where [`room`] lets the hand come down, the term is less
/// steep than a distance, so that it moves no target.
const BLOCK_RADIUS_M: f64 = 0.035;
const BLOCK_DEPTH_M: f64 = 0.150;
const FURNITURE_RADIUS_M: f64 = 0.060;
const FURNITURE_DEPTH_M: f64 = 0.200;

/// Writes the program for goals that are to be reached one after the other. Each recipe is written for
/// the scene as the goals before it will leave it.
///
/// # Errors
/// [`AuthorError::ObjectNotInScene`] when no keypoint shows a goal's object, [`AuthorError::NoRoom`]
/// when the hand would come down on something else.
pub(crate) fn write(
    spec: &TaskSpec,
    scene: &Scene,
    hand: HandAccess,
) -> Result<ProgramText, AuthorError> {
    let fingers = Fingers::of(hand);
    let mut expected = scene.clone();
    let (mut notes, mut stages) = (Vec::new(), Vec::new());
    for (index, goal) in spec.goals.iter().enumerate() {
        let object = goal.object();
        let seen = found(scene, &object)?;
        let [x, y, z] = seen.position_m;
        notes.push(format!(
            "Keypoint {} is the {object}, seen at ({x:.3}, {y:.3}, {z:.3}).",
            seen.index,
        ));
        let held = index
            .checked_sub(1)
            .is_some_and(|before| is_held(&spec.goals[before], goal));
        stages.extend(recipe(goal, held, &mut expected, &spec.avoid, fingers)?);
    }
    notes.dedup();
    let keep_out = keep_out(&spec.avoid, scene);
    for (thing, point, _) in &keep_out {
        notes.push(format!(
            "Keypoint {} is on the {}, which is not to be touched.",
            point,
            thing.name()
        ));
    }
    let terms: Vec<KeepOut> = keep_out.into_iter().map(|(.., term)| term).collect();
    KeepOut::apply(&terms, &mut stages);
    Ok(ProgramText {
        title: spec.wording(),
        notes,
        stages,
    })
}

fn found<'s>(scene: &'s Scene, object: &str) -> Result<&'s Point, AuthorError> {
    scene
        .find(object)
        .ok_or_else(|| AuthorError::ObjectNotInScene {
            object: object.to_owned(),
            can: scene.abilities(),
        })
}

/// A block that has just been lifted is in the hand.
fn is_held(before: &Goal, goal: &Goal) -> bool {
    matches!(
        (before, goal),
        (Goal::LiftBlock { colour: lifted }, Goal::PutInDrawer { colour }) if lifted == colour
    )
}

/// The stages of a goal. The scene becomes what the goal leaves behind.
fn recipe(
    goal: &Goal,
    held: bool,
    scene: &mut Scene,
    avoid: &[Thing],
    fingers: Fingers,
) -> Result<Vec<StageText>, AuthorError> {
    let object = goal.object();
    let point = found(scene, &object)?.clone();
    let (stages, direction, length_m) = match goal {
        Goal::OpenDrawer => (
            furniture::open_drawer(&point),
            Direction::Near,
            DRAWER_MOVES_M,
        ),
        Goal::CloseDrawer => (
            furniture::close_drawer(&point),
            Direction::Away,
            DRAWER_MOVES_M,
        ),
        Goal::SlideDoor(direction) => (
            furniture::slide_door(&point, *direction),
            *direction,
            DOOR_MOVES_M,
        ),
        Goal::TurnSwitch(on) => {
            let direction = if *on {
                Direction::Away
            } else {
                Direction::Near
            };
            let stages = furniture::turn_switch(&point, *on);
            (stages, direction, SWITCH_MOVES_M)
        }
        Goal::PushBlock { way, .. } => {
            let approach = room::approach(goal, &point, way.as_ref(), scene, avoid)?;
            let stages = block::push(&point, &approach);
            (stages, approach.direction, PUSH_MOVES_M)
        }
        Goal::PressButton => return Ok(furniture::press_button(&point)),
        Goal::LiftBlock { .. } => return Ok(grasp::lift(&point, fingers)),
        Goal::PutInDrawer { .. } => {
            let mut stages = Vec::new();
            let mut handle = found(scene, &Thing::Drawer.keypoint())?.clone();
            if drawer::is_shut(&handle) {
                stages = recipe(&Goal::OpenDrawer, false, scene, avoid, fingers)?;
                handle = found(scene, &Thing::Drawer.keypoint())?.clone();
            }
            stages.extend(drawer::put(&point, &handle, held, fingers));
            let way = drawer::way(&point, &handle);
            scene.shift(&object, way);
            return Ok(stages);
        }
    };
    scene.shift(&object, direction.unit().map(|part| part * length_m));
    Ok(stages)
}

/// The terms for what is to be left alone, with its thing and its keypoint.
fn keep_out<'t>(avoid: &'t [Thing], scene: &Scene) -> Vec<(&'t Thing, usize, KeepOut)> {
    let mut terms = Vec::new();
    for thing in avoid {
        let (radius_m, depth_m) = match thing {
            Thing::Block(_) => (BLOCK_RADIUS_M, BLOCK_DEPTH_M),
            _ => (FURNITURE_RADIUS_M, FURNITURE_DEPTH_M),
        };
        let points = scene
            .points()
            .filter(|point| thing.has_keypoint(&point.object));
        terms.extend(points.map(|point| {
            let term = KeepOut {
                keypoint: point.index,
                radius_m,
                depth_m,
            };
            (thing, point.index, term)
        }));
    }
    terms
}
