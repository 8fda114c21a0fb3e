//! Which seeds are tried for which episode, and the threads that work on them.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;

use eyre::{Result, eyre};
use tiller_playtable::Task;

use super::record::Recorder;
use crate::lerobot::Episode;

/// Scene seeds that are tried before an episode is given up.
const ATTEMPTS: u64 = 8;
/// Episodes of one task whose seeds stay clear of the next task's.
pub(super) const MAX_EPISODES_PER_TASK: u64 = SEEDS_PER_TASK / ATTEMPTS;
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

/// Tasks take turns, so that every prefix of the data set is balanced. The seeds of a task do not
/// depend on which other tasks are recorded.
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
        .flat_map(|i| tasks.iter().map(move |task| slot(i, task)))
        .collect()
}

/// Records every slot on `jobs` threads and hands the outcomes to `each` in the order of `slots`.
///
/// # Errors
/// The first error of a worker or of `each`.
pub(super) fn in_order(
    slots: &[Slot],
    jobs: usize,
    mut each: impl FnMut(&Slot, Outcome) -> Result<()>,
) -> Result<()> {
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        // Bounded, so that a slow disk does not fill the memory with episodes.
        let (sender, receiver) = mpsc::sync_channel(2 * jobs);
        for _ in 0..jobs {
            let (sender, next) = (sender.clone(), &next);
            scope.spawn(move || work(slots, next, &sender));
        }
        drop(sender);
        let mut waiting = BTreeMap::new();
        let mut written = 0;
        for (index, outcome) in receiver {
            let outcome = outcome.inspect_err(|_| {
                // The other workers stop at their next slot.
                next.store(slots.len(), Ordering::Relaxed);
            })?;
            waiting.insert(index, outcome);
            while let Some(outcome) = waiting.remove(&written) {
                each(&slots[written], outcome).inspect_err(|_| {
                    next.store(slots.len(), Ordering::Relaxed);
                })?;
                written += 1;
            }
        }
        if written == slots.len() {
            Ok(())
        } else {
            Err(eyre!("a recording thread ended early"))
        }
    })
}

type Message = (usize, Result<Outcome>);

fn work(slots: &[Slot], next: &AtomicUsize, sender: &mpsc::SyncSender<Message>) {
    let mut recorder = match Recorder::new() {
        Ok(recorder) => recorder,
        Err(error) => {
            // Nobody listens any more only when another thread failed first.
            let _ = sender.send((0, Err(error)));
            return;
        }
    };
    loop {
        let index = next.fetch_add(1, Ordering::Relaxed);
        let Some(slot) = slots.get(index) else { return };
        if sender.send((index, attempt(&mut recorder, slot))).is_err() {
            return;
        }
    }
}

fn attempt(recorder: &mut Recorder, slot: &Slot) -> Result<Outcome> {
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
    fn a_task_keeps_its_seeds_when_others_are_left_out() {
        let last = Task::ALL[Task::ALL.len() - 1];
        let all: Vec<Slot> = plan(&Task::ALL, 3, 1_000_000)
            .into_iter()
            .filter(|slot| slot.task == last)
            .collect();
        assert_eq!(all, plan(&[last], 3, 1_000_000));
    }
}
