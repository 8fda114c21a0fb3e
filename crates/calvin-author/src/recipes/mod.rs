//! How each goal is reached, in stages that the experts' demonstrations contain.

mod approach;
mod blocks;
mod fixtures;
mod measures;
mod push;

use tiller_reward::{Access, HandAccess};
use tiller_vlm::AuthorError;
use tiller_vlm::recipe::Hand;
use tiller_vlm::text::ProgramText;

use crate::scene::Scene;
use crate::understand::Goal;

/// Writes the program for goals that are to be reached one after the other.
///
/// # Errors
/// [`AuthorError::SeveralTasks`] for more than fit in one program, [`AuthorError::Unsupported`] for a turn of a hand
/// that rewards do not move, [`AuthorError::NoRoom`] for a block that the hand cannot get behind.
pub(crate) fn write(
    instruction: &str,
    goals: &[Goal],
    scene: &Scene,
    access: HandAccess,
) -> Result<ProgramText, AuthorError> {
    let hand = Hand { access };
    let (mut notes, mut stages) = (Vec::new(), Vec::new());
    let mut held = None;
    for (index, goal) in goals.iter().enumerate() {
        notes.push(goal.thing().note());
        let can = || scene.abilities();
        let fixture = match goal {
            Goal::Open(handle) => Some(fixtures::drawer(handle, true)),
            Goal::Close(handle) => Some(fixtures::drawer(handle, false)),
            Goal::Slide(handle, side) => Some(fixtures::slide(handle, *side)),
            Goal::Bulb(switch, on) => Some(fixtures::switch(switch, *on)),
            Goal::Press(button) | Goal::Led(button, _) => Some(fixtures::button(button)),
            _ => None,
        };
        if let Some(fixture) = fixture {
            let goes_on = index + 1 < goals.len();
            stages.extend(fixture.stages(goes_on, hand));
        }
        match goal {
            Goal::Lift(block) => stages.extend(blocks::lift(block, hand)),
            Goal::Rotate(block, side) if access.rotations == Access::Guide => {
                let is_held = held == Some(block.index);
                stages.extend(blocks::rotate(block, *side, is_held, hand));
            }
            Goal::Rotate(block, _) => {
                return Err(AuthorError::Unsupported {
                    action: "turn the hand, and so not rotate".to_owned(),
                    object: block.name.clone(),
                    can: can(),
                });
            }
            Goal::Push(block, side) => stages.extend(blocks::push_aside(block, *side, hand)),
            Goal::PushInto(block, _) => {
                let no_room = || AuthorError::NoRoom {
                    goal: goal.to_string(),
                    obstacle: "slide".to_owned(),
                    can: can(),
                };
                stages.extend(blocks::push_into(block, hand, no_room)?);
            }
            _ => {}
        }
        held = match goal {
            Goal::Lift(block) => Some(block.index),
            _ => None,
        };
    }
    ProgramText::of_goals(instruction, goals, notes, stages)
}
