//! Which task of the table an instruction means.

use tiller_playtable::{Task, labels};
use tiller_vlm::{AuthorRequest, EmbeddedAuthor, SceneKeypoint};

/// The task that the oracle has to watch for, however the instruction words it. The oracle must
/// know before anything is seen, so everything that the table holds counts as there.
pub(crate) fn from_instruction(instruction: &str) -> Option<Task> {
    let keypoints = labels()
        .iter()
        .enumerate()
        .map(|(index, (_, name))| SceneKeypoint {
            index,
            name: (*name).to_owned(),
            position_m: [0.0; 3],
        })
        .collect();
    let request = AuthorRequest {
        instruction: instruction.to_owned(),
        keypoints,
    };
    let goal = EmbeddedAuthor.understand(&request).ok()?;
    Task::from_instruction(&goal.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_task_is_known_by_its_instruction() {
        for task in Task::ALL {
            assert_eq!(from_instruction(task.instruction()), Some(task));
        }
    }

    #[test]
    fn other_words_for_the_same_are_understood() {
        assert_eq!(
            from_instruction("Please pull the drawer open."),
            Some(Task::DrawerOpen)
        );
        assert_eq!(from_instruction("make coffee"), None);
    }
}
