//! What is said in the suite `ood-instruction`: sentences that somebody else than the author's
//! writer wrote.
//!
//! Of the frozen list ([`crate::unseen`]) strength 1 takes the shorter half of the sentences that ask for just the
//! task, 2 the longer half, 3 those that ask for more than the task, or for care.

use crate::goal::{Goal, Goals};
use crate::task::Task;
use crate::unseen::{Unseen, unseen};

/// An instruction and what it asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Spoken {
    /// What the author is told.
    pub(crate) text: String,
    /// The ids of what it asks for, first things first.
    pub(crate) tasks: Vec<String>,
}

impl Spoken {
    /// The instruction for an episode; the same task, strength and seed give the same one. Strength 0 is
    /// the task's own; those beyond 3 count as 3.
    pub(crate) fn new(task: Task, strength: u8, seed: u64) -> Self {
        let own = Self {
            text: task.instruction().to_owned(),
            tasks: vec![task.name().to_owned()],
        };
        if strength == 0 {
            return own;
        }
        let choices = choices(task, strength);
        let index = seed % choices.len().max(1) as u64;
        choices.get(index as usize).map_or(own, |said| Self {
            text: said.sentence.to_owned(),
            tasks: said.ids().map(str::to_owned).collect(),
        })
    }
}

fn choices(task: Task, strength: u8) -> Vec<Unseen> {
    let asks = |said: &Unseen| {
        let goals = Goals::from_ids(said.ids());
        goals.is_ok_and(|goals| goals.goals.contains(&Goal::Task(task)))
    };
    let (mut just, more): (Vec<_>, Vec<_>) = unseen()
        .filter(asks)
        .partition(|said| said.expected == Some(task.name()));
    just.sort_by_key(|said| said.sentence.split_whitespace().count());
    match strength {
        1 => just[..just.len() / 2].to_vec(),
        2 => just[just.len() / 2..].to_vec(),
        _ => more,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_task_is_asked_for_in_several_ways_at_every_strength() {
        for task in Task::ALL {
            for (strength, least) in [(1, 4), (2, 4), (3, 1)] {
                let texts: BTreeSet<String> = (0..40)
                    .map(|seed| Spoken::new(task, strength, seed))
                    .inspect(|spoken| {
                        let goals = Goals::from_ids(spoken.tasks.iter().map(String::as_str));
                        assert!(goals.unwrap().goals.contains(&Goal::Task(task)));
                    })
                    .map(|spoken| spoken.text)
                    .collect();
                assert!(texts.len() >= least, "{task:?} {strength}: {texts:?}");
            }
            let own = Spoken::new(task, 0, 7);
            assert_eq!(own.text, task.instruction());
        }
    }

    #[test]
    fn more_than_the_task_is_asked_for_at_the_third_strength_alone() {
        for task in Task::ALL {
            for seed in 0..40 {
                let is_just = |strength| Spoken::new(task, strength, seed).tasks == [task.name()];
                assert!(is_just(1) && is_just(2) && !is_just(3), "{task:?} {seed}");
            }
        }
    }
}
