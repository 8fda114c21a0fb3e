//! Which seeds are tried for which episode.

use eyre::Result;
use tiller_playtable::Task;

use super::record::Recorder;
use tiller_lerobot::Episode;

/// Scene seeds that are tried before an episode is given up.
const ATTEMPTS: u64 = 8;
/// Episodes of one task whose seeds stay clear of the next task's.
pub(super) const MAX_EPISODES_PER_TASK: u64 = SEEDS_PER_TASK / ATTEMPTS / MOST_SHOWN as u64;
const MOST_SHOWN: usize = 2;
const SEEDS_PER_TASK: u64 = 80_000;

/// One episode of the data set to be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Slot {
    /// The task that it shows.
    pub(super) task: Task,
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

/// Tasks take turns, so that every prefix of the data set is balanced: those on blocks, whose scenes
/// vary most, come twice as often. The seeds of a task do not depend on which other tasks are recorded.
pub(super) fn plan(tasks: &[Task], episodes_per_task: usize, seed: u64) -> Vec<Slot> {
    let slot = |episode: usize, task: &Task| {
        let index = Task::ALL
            .iter()
            .position(|known| known == task)
            .unwrap_or(0) as u64;
        Slot {
            task: *task,
            seed: seed + SEEDS_PER_TASK * index + ATTEMPTS * episode as u64,
        }
    };
    (0..episodes_per_task)
        .flat_map(|round| {
            tasks.iter().flat_map(move |task| {
                let shown = shown(*task);
                (round * shown..(round + 1) * shown).map(move |episode| slot(episode, task))
            })
        })
        .collect()
}

/// How often a task is shown in each round.
fn shown(task: Task) -> usize {
    match task {
        Task::Push(_) | Task::Lift(_) => MOST_SHOWN,
        _ => 1,
    }
}

/// Tries the seeds of a slot until one succeeds.
pub(super) fn fill(recorder: &mut Recorder, slot: &Slot) -> Result<Outcome> {
    for failures in 0..ATTEMPTS {
        if let Some(episode) = recorder.record(slot.task, slot.seed + failures)? {
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

    #[test]
    fn seeds_are_unique_whatever_fails() {
        let slots = plan(&Task::ALL, 50, 1_000_000);
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
        let slots = plan(&Task::ALL, 5, 1_000_000);
        let count = |name: &str| slots.iter().filter(|s| s.task.name() == name).count();
        assert_eq!(
            ["drawer_open", "push_red", "lift_pink"].map(count),
            [5, 10, 10]
        );
    }

    #[test]
    fn a_task_keeps_its_seeds_when_others_are_left_out() {
        let last = Task::ALL[Task::ALL.len() - 1];
        let all: Vec<Slot> = plan(&Task::ALL, 3, 1_000_000)
            .into_iter()
            .filter(|slot| slot.task == last)
            .collect();
        assert_eq!(all, plan(&[last], 3, 1_000_000));
    }
}
