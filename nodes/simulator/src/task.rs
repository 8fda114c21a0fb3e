//! Which tasks of the table an instruction means.

use tiller_playtable::{Task, labels};
use tiller_playtable_author::{EmbeddedAuthor, Goal};
use tiller_vlm::{AuthorRequest, SceneKeypoint};

/// The tasks that the oracle has to watch for, first things first, however the instruction words them; none
/// when it is not understood. The oracle must know before anything is seen, so everything that the
/// table holds counts as there.
pub(crate) fn from_instruction(instruction: &str) -> Vec<Task> {
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
    let spec = EmbeddedAuthor.understand_all(&request).unwrap_or_default();
    let task = |goal: &Goal| Task::from_instruction(&goal.to_string());
    let tasks: Option<Vec<Task>> = spec.goals.iter().map(task).collect();
    tasks.unwrap_or_default()
}

/// The tasks of a list of names such as `drawer_open, push_red`; the error is a name that is none.
pub(crate) fn from_names(names: &str) -> Result<Vec<Task>, String> {
    let task = |name: &str| Task::from_name(name).ok_or_else(|| name.to_owned());
    names.split(',').map(str::trim).map(task).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use tiller_playtable::Block;

    #[test]
    fn every_task_is_known_by_its_instruction() {
        for task in Task::ALL {
            assert_eq!(from_instruction(task.instruction()), [task]);
        }
    }

    #[test]
    fn other_words_for_the_same_are_understood() {
        assert_eq!(
            from_instruction("Please pull the drawer open."),
            [Task::DrawerOpen]
        );
        assert_eq!(from_instruction("make coffee"), []);
    }

    #[test]
    fn chains_are_tasks_in_order() {
        let expected = [Task::DrawerOpen, Task::Push(Block::Red)];
        let chain = "push the red block, but first open the drawer";
        assert_eq!(from_instruction(chain), expected);
        assert_eq!(from_instruction("open the drawer, then make coffee"), []);
        let named = from_names("drawer_open, push_red");
        assert_eq!(named.as_deref(), Ok(&expected[..]));
        assert_eq!(from_names("drawer_open,"), Err(String::new()));
    }
}
