//! Which seeds are tried for which episode.

use eyre::Result;
use tiller_world::{TaskInfo, WorldInfo};

use super::record::Recorder;
use tiller_lerobot::Episode;

/// Scene seeds that are tried before an episode is given up.
const ATTEMPTS: u64 = 8;
const SEEDS_PER_TASK: u64 = 80_000;

/// Rounds in which the seeds of each task stay clear of the next task's.
pub(super) fn most_episodes(tasks: &[TaskInfo]) -> u64 {
    let shown = tasks.iter().map(|task| task.shown).max().unwrap_or(1);
    SEEDS_PER_TASK / ATTEMPTS / u64::from(shown.max(1))
}

/// One episode of the data set to be.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Slot {
    /// The task that it shows.
    pub(super) task: TaskInfo,
    /// First seed that is tried; the next ones follow upon failure.
    pub(super) seed: u64,
}

/// What came of a slot.
pub(super) struct Outcome {
    /// The first successful attempt.
    pub(super) episode: Option<Episode>,
    /// Unsuccessful attempts before it.
    pub(super) failures: u64,
}

/// Tasks take turns, so that every prefix of the data set is balanced; those whose scenes vary most come
/// more often. The seeds of a task do not depend on which other tasks are recorded.
pub(super) fn plan(
    info: &WorldInfo,
    tasks: &[TaskInfo],
    episodes_per_task: usize,
    seed: u64,
) -> Vec<Slot> {
    let slot = |episode: usize, task: &TaskInfo| {
        let known = info.tasks.iter().position(|known| known.id == task.id);
        Slot {
            task: task.clone(),
            seed: seed + SEEDS_PER_TASK * known.unwrap_or(0) as u64 + ATTEMPTS * episode as u64,
        }
    };
    let mut slots = Vec::new();
    for round in 0..episodes_per_task {
        for task in tasks {
            let shown = task.shown as usize;
            slots.extend((round * shown..(round + 1) * shown).map(|episode| slot(episode, task)));
        }
    }
    slots
}

/// Tries the seeds of a slot until one succeeds.
pub(super) fn fill(recorder: &mut Recorder, slot: &Slot) -> Result<Outcome> {
    for failures in 0..ATTEMPTS {
        if let Some(episode) = recorder.record(&slot.task, slot.seed + failures)? {
            return Ok(Outcome {
                episode: Some(episode),
                failures,
            });
        }
    }
    Ok(Outcome {
        episode: None,
        failures: ATTEMPTS,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use tiller_world::WorldKind;

    fn planned(kind: &dyn WorldKind, tasks: &[TaskInfo], rounds: usize) -> Vec<Slot> {
        plan(kind.info(), tasks, rounds, 1_000_000)
    }

    #[test]
    fn seeds_are_unique_whatever_fails() {
        let kind = tiller_playtable::kind();
        let slots = planned(&kind, &kind.info().tasks, 50);
        let mut seeds: Vec<u64> = slots
            .iter()
            .flat_map(|slot| (0..ATTEMPTS).map(|i| slot.seed + i))
            .collect();
        let tried = seeds.len();
        seeds.sort_unstable();
        seeds.dedup();
        assert_eq!(seeds.len(), tried);
    }

    #[test]
    fn blocks_are_shown_twice_as_often() {
        let kind = tiller_playtable::kind();
        let slots = planned(&kind, &kind.info().tasks, 5);
        let count = |name: &str| slots.iter().filter(|s| s.task.id == name).count();
        assert_eq!(
            ["drawer_open", "push_red", "lift_pink"].map(count),
            [5, 10, 10]
        );
    }

    #[test]
    fn a_task_keeps_its_seeds_when_others_are_left_out() {
        let kind = tiller_playtable::kind();
        let last = kind.info().tasks.last().unwrap();
        let all: Vec<Slot> = planned(&kind, &kind.info().tasks, 3)
            .into_iter()
            .filter(|slot| slot.task == *last)
            .collect();
        assert_eq!(all, planned(&kind, std::slice::from_ref(last), 3));
    }
}
