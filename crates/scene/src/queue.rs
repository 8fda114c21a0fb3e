//! A queue that gives up old pictures before it makes anybody wait.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::Shown;

/// What has been given up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Kept {
    /// Things that were handed on.
    pub taken: u64,
    /// Pictures that were given up for newer ones.
    pub dropped_heavy: u64,
    /// Other things that were given up for newer ones.
    pub dropped_light: u64,
}

/// Between who hears messages and who draws them. To put something in never waits for who draws: where
/// there is no room, the oldest of its kind goes.
#[derive(Debug)]
pub struct ViewQueue {
    state: Mutex<State>,
    something: Condvar,
    /// Pictures and their like that may wait.
    most_heavy: usize,
    /// Other things that may wait.
    most_light: usize,
}

#[derive(Debug, Default)]
struct State {
    waiting: VecDeque<Shown>,
    heavy: usize,
    is_closed: bool,
    kept: Kept,
}

impl ViewQueue {
    /// A queue for so many heavy and other things, at least one each.
    #[must_use]
    pub fn new(most_heavy: usize, most_light: usize) -> Self {
        Self {
            state: Mutex::default(),
            something: Condvar::new(),
            most_heavy: most_heavy.max(1),
            most_light: most_light.max(1),
        }
    }

    /// Puts something in.
    pub fn put(&self, shown: Shown) {
        let mut state = self.state();
        let is_heavy = shown.what.is_heavy();
        let count = match is_heavy {
            true => state.heavy,
            false => state.waiting.len() - state.heavy,
        };
        let most = match is_heavy {
            true => self.most_heavy,
            false => self.most_light,
        };
        if count >= most {
            state.drop_oldest(is_heavy);
        }
        state.heavy += usize::from(is_heavy);
        state.waiting.push_back(shown);
        drop(state);
        self.something.notify_one();
    }

    /// The oldest thing, waited for at most this long; `Err` when nothing will come any more.
    ///
    /// # Errors
    /// What was given up, after the last thing was taken.
    pub fn take(&self, limit: Duration) -> Result<Option<Shown>, Kept> {
        let mut state = self.state();
        if state.waiting.is_empty() && !state.is_closed {
            let waited = self.something.wait_timeout(state, limit);
            (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        }
        match state.waiting.pop_front() {
            Some(shown) => {
                state.heavy -= usize::from(shown.what.is_heavy());
                state.kept.taken += 1;
                Ok(Some(shown))
            }
            None if state.is_closed => Err(state.kept),
            None => Ok(None),
        }
    }

    /// Nothing more comes; what waits can still be taken.
    pub fn close(&self) {
        self.state().is_closed = true;
        self.something.notify_all();
    }

    /// What was given up so far.
    #[must_use]
    pub fn kept(&self) -> Kept {
        self.state().kept
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Whoever panicked has changed a count at most.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn drop_oldest(&mut self, is_heavy: bool) {
        let is_alike = |shown: &Shown| shown.what.is_heavy() == is_heavy;
        let Some(index) = self.waiting.iter().position(is_alike) else {
            return;
        };
        self.waiting.remove(index);
        match is_heavy {
            true => {
                self.heavy -= 1;
                self.kept.dropped_heavy += 1;
            }
            false => self.kept.dropped_light += 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::What;

    const NOW: Duration = Duration::ZERO;

    fn picture(number: u64) -> Shown {
        let what = What::Picture {
            width: 1,
            height: 1,
            rgb: vec![0; 3],
        };
        Shown {
            path: "p".to_owned(),
            stamp_ns: Some(number),
            what,
        }
    }

    fn value(number: u64) -> Shown {
        Shown {
            what: What::Series(vec![number as f64]),
            ..picture(number)
        }
    }

    fn stamps(queue: &ViewQueue) -> Vec<u64> {
        let taken = std::iter::from_fn(|| queue.take(NOW).ok().flatten());
        taken.filter_map(|shown| shown.stamp_ns).collect()
    }

    #[test]
    fn old_pictures_go_and_numbers_stay_in_order() {
        let queue = ViewQueue::new(2, 10);
        queue.put(picture(1));
        queue.put(value(2));
        queue.put(picture(3));
        queue.put(picture(4));
        queue.put(value(5));
        assert_eq!(stamps(&queue), [2, 3, 4, 5]);
        let kept = queue.kept();
        assert_eq!(
            (kept.taken, kept.dropped_heavy, kept.dropped_light),
            (4, 1, 0)
        );
    }

    #[test]
    fn what_waits_at_the_end_is_taken_and_then_the_end_is_told() {
        let queue = ViewQueue::new(1, 1);
        queue.put(value(1));
        queue.put(value(2));
        queue.close();
        assert_eq!(queue.take(NOW).unwrap().unwrap().stamp_ns, Some(2));
        assert_eq!(
            queue
                .take(Duration::from_secs(60))
                .unwrap_err()
                .dropped_light,
            1
        );
    }

    #[test]
    fn who_draws_is_woken() {
        let queue = ViewQueue::new(1, 1);
        std::thread::scope(|scope| {
            let taken = scope.spawn(|| {
                loop {
                    if let Some(shown) = queue.take(Duration::from_secs(60)).unwrap() {
                        return shown.stamp_ns;
                    }
                }
            });
            queue.put(value(7));
            assert_eq!(taken.join().unwrap(), Some(7));
        });
    }

    proptest! {
        /// However much comes, no more than the bounds waits, and nothing is lost without being counted.
        #[test]
        fn it_is_bounded_and_counts(heavy in prop::collection::vec(any::<bool>(), 0..200)) {
            let queue = ViewQueue::new(3, 5);
            for (number, is_heavy) in heavy.iter().enumerate() {
                let number = number as u64;
                queue.put(if *is_heavy { picture(number) } else { value(number) });
                let state = queue.state();
                prop_assert!(state.heavy <= 3 && state.waiting.len() - state.heavy <= 5);
            }
            let taken = stamps(&queue);
            prop_assert!(taken.is_sorted());
            let kept = queue.kept();
            let all = kept.taken + kept.dropped_heavy + kept.dropped_light;
            prop_assert_eq!(all, heavy.len() as u64);
        }
    }
}
