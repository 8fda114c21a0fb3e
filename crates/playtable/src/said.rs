//! What is said in the suite `ood-instruction`, and what counts as having done it.
//!
//! Strength 1 uses other words, 2 longer sentences with relative clauses and negations, 3 chains two
//! tasks. None of the sentences is known to the author: it understands them by its rules or not at all.

use crate::objects::Block;
use crate::task::Task;

/// An instruction and what it asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Spoken {
    /// What the author is told.
    pub(crate) text: String,
    /// The tasks that it asks for, first things first.
    pub(crate) tasks: Vec<Task>,
}

impl Spoken {
    /// The instruction for an episode; the same task, strength and seed give the same one. Strength 0 is
    /// the task's own; those beyond 3 count as 3.
    pub(crate) fn new(task: Task, strength: u8, seed: u64) -> Self {
        match strength {
            0 => Self::single(task.instruction(), task),
            1 => Self::single(pick(&other_words(task), seed), task),
            2 => Self::single(&longer(task, seed), task),
            _ => chained(task, seed),
        }
    }

    fn single(text: &str, task: Task) -> Self {
        Self {
            text: text.to_owned(),
            tasks: vec![task],
        }
    }
}

fn pick<T: AsRef<str>>(choices: &[T], seed: u64) -> &str {
    let index = seed % choices.len().max(1) as u64;
    choices.get(index as usize).map_or("", AsRef::as_ref)
}

fn colour(block: Block) -> &'static str {
    match block {
        Block::Red => "red",
        Block::Blue => "blue",
        Block::Pink => "pink",
    }
}

fn other_words(task: Task) -> Vec<String> {
    let fixed: &[&str] = match task {
        Task::DrawerOpen => &[
            "pull the drawer out",
            "tug the drawer handle",
            "slide the drawer open",
        ],
        Task::DrawerClose => &[
            "shut the drawer",
            "push the drawer back in",
            "slide the drawer shut",
        ],
        Task::DoorLeft => &[
            "shove the door leftwards",
            "move the sliding door to the left side",
        ],
        Task::DoorRight => &[
            "shove the door rightwards",
            "move the sliding door to the right side",
        ],
        Task::SwitchOn => &[
            "flip the lever on",
            "activate the switch",
            "toggle the light switch on",
        ],
        Task::SwitchOff => &[
            "flip the lever off",
            "deactivate the switch",
            "toggle the light switch off",
        ],
        Task::ButtonPress => &[
            "hit the button",
            "push down on the button",
            "tap the button",
        ],
        Task::Push(block) => {
            let name = colour(block);
            return [
                "nudge the NAME cube",
                "shove the NAME brick",
                "displace the NAME block",
            ]
            .map(|text| text.replace("NAME", name))
            .to_vec();
        }
        Task::Lift(block) => {
            let name = colour(block);
            return [
                "pick up the NAME cube",
                "hoist the NAME brick",
                "grasp the NAME block and raise it",
            ]
            .map(|text| text.replace("NAME", name))
            .to_vec();
        }
    };
    fixed.iter().map(|text| (*text).to_owned()).collect()
}

/// A task on something else, by seed: to be left alone, or to be done as well.
fn another(task: Task, seed: u64) -> Task {
    let others: Vec<Task> = Task::ALL
        .into_iter()
        .filter(|other| thing(*other) != thing(task) && !matches!(other, Task::Lift(_)))
        .collect();
    others[(seed / 7) as usize % others.len()]
}

/// What a task works on.
fn thing(task: Task) -> String {
    match task {
        Task::DrawerOpen | Task::DrawerClose => "drawer".to_owned(),
        Task::DoorLeft | Task::DoorRight => "door".to_owned(),
        Task::SwitchOn | Task::SwitchOff => "switch".to_owned(),
        Task::ButtonPress => "button".to_owned(),
        Task::Push(block) | Task::Lift(block) => format!("{} block", colour(block)),
    }
}

fn longer(task: Task, seed: u64) -> String {
    let (other, say) = (another(task, seed), task.instruction());
    let (avoid, object) = (other.instruction(), thing(other));
    let mut choices = vec![
        format!("do not {avoid}, {say} instead"),
        format!("I would like you to {say} without touching the {object}"),
        format!("leave the {object} alone and {say}"),
        format!("please {say}, but do not {avoid}"),
    ];
    if let Task::Push(block) | Task::Lift(block) = task {
        let (verb, name) = (say.split(' ').next().unwrap_or(""), colour(block));
        choices.push(format!("{verb} the block that is {name}, not the {object}"));
        choices.push(format!(
            "could you {verb} the one which is {name}, the block, for me"
        ));
    }
    pick(&choices, seed).to_owned()
}

fn chained(task: Task, seed: u64) -> Spoken {
    if let (Task::DrawerOpen, 0) = (task, seed % 3) {
        let block = Block::ALL[(seed / 3) as usize % 3];
        return Spoken {
            text: format!(
                "open the drawer, then push the {} block towards it",
                colour(block)
            ),
            tasks: vec![task, Task::Push(block)],
        };
    }
    let other = another(task, seed);
    // A hand that holds a block can do nothing else: lifts come last.
    let tasks = match task {
        Task::Lift(_) => vec![other, task],
        _ => vec![task, other],
    };
    let (a, b) = (tasks[0].instruction(), tasks[1].instruction());
    let choices = [
        format!("{a}, then {b}"),
        format!("{a} and then {b}"),
        format!("first {a}, after that {b}"),
        format!("before you {b}, {a}"),
        format!("{b}, but first {a}"),
    ];
    Spoken {
        text: pick(&choices, seed).to_owned(),
        tasks,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tiller_playtable_author::EmbeddedAuthor;
    use tiller_vlm::{AuthorRequest, SceneKeypoint};

    const NAMES: [&str; 7] = [
        "drawer handle",
        "door handle",
        "switch",
        "button",
        "red block",
        "blue block",
        "pink block",
    ];

    #[test]
    fn what_is_said_is_what_is_asked_for() {
        let keypoints: Vec<SceneKeypoint> = (0..)
            .zip(NAMES)
            .map(|(index, name)| SceneKeypoint {
                index,
                name: name.to_owned(),
                position_m: [0.4 + 0.02 * index as f64, 0.05 * index as f64, 0.03],
            })
            .collect();
        let mut wrong = Vec::new();
        for task in Task::ALL {
            for strength in 0..=3 {
                for seed in 0..40 {
                    let spoken = Spoken::new(task, strength, seed);
                    assert_eq!(spoken, Spoken::new(task, strength, seed));
                    let request = AuthorRequest {
                        hand: tiller_vlm::HandAccess::POSITIONS,
                        instruction: spoken.text.clone(),
                        keypoints: keypoints.clone(),
                    };
                    let found = EmbeddedAuthor.understand_all(&request).map(|spec| {
                        spec.goals
                            .iter()
                            .map(|goal| goal.name())
                            .collect::<Vec<_>>()
                    });
                    let expected: Vec<&str> = spoken.tasks.iter().map(|task| task.name()).collect();
                    let is_right = found.as_ref().is_ok_and(|found| *found == expected);
                    if !is_right {
                        wrong.push(format!("{}: {found:?}, expected {expected:?}", spoken.text));
                    }
                }
            }
        }
        wrong.sort();
        wrong.dedup();
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }
}
