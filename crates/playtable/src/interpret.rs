//! Which tasks of the table an instruction means.

use tiller_vlm::{AuthorRequest, EmbeddedAuthor, Goal, SceneKeypoint};

use crate::labels::labels;
use crate::task::Task;

/// The tasks that the oracle has to watch for, first things first, however the instruction words them;
/// `None` when it is not understood. The oracle must know before anything is seen, so everything that the
/// table holds counts as there.
pub(crate) fn tasks(instruction: &str) -> Option<Vec<Task>> {
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
    let goals = EmbeddedAuthor.understand_all(&request).ok()?;
    let task = |goal: &Goal| Task::from_instruction(&goal.to_string());
    goals.iter().map(task).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::objects::Block;

    #[test]
    fn every_task_is_known_by_its_instruction() {
        for task in Task::ALL {
            assert_eq!(tasks(task.instruction()), Some(vec![task]));
        }
    }

    #[test]
    fn other_words_for_the_same_are_understood() {
        assert_eq!(
            tasks("Please pull the drawer open."),
            Some(vec![Task::DrawerOpen])
        );
        assert_eq!(tasks("make coffee"), None);
    }

    #[test]
    fn chains_are_tasks_in_order() {
        let expected = vec![Task::DrawerOpen, Task::Push(Block::Red)];
        let chain = "push the red block, but first open the drawer";
        assert_eq!(tasks(chain), Some(expected));
        assert_eq!(tasks("open the drawer, then make coffee"), None);
    }
}
