//! One episode: what was asked for, and what came of it.

use std::fmt;

use serde::{Deserialize, Serialize};
use tiller_core::SECOND_NS;

/// How long what was asked for must hold before it counts as a success, ns of simulation, unless a world has
/// [rules of its own](Episode::holding).
pub const HOLD_NS: u64 = SECOND_NS;

/// Training scenes have seeds from here on, benchmarks below it: a benchmark's scene was never seen in training.
pub const FIRST_TRAINING_SEED: u64 = 1_000_000;

/// How an episode begins.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EpisodeSpec {
    /// Ids of the tasks that are asked for, first things first. The scene is one in which they are feasible
    /// and not yet achieved. None: a free run, in which every task counts.
    pub tasks: Vec<String>,
    /// Seed of the scene; the same one gives the same scene.
    pub seed: u64,
    /// How the scene departs from the plain ones.
    pub variation: Option<Variation>,
    /// What was said, for worlds that show it to somebody.
    pub instruction: Option<String>,
}

/// A departure from the plain scenes, by name.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Variation {
    /// What it departs in: the name of one of the world's [axes](crate::WorldInfo::axes).
    pub axis: String,
    /// How far, from 1.
    pub strength: u8,
}

impl fmt::Display for Variation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.axis, self.strength)
    }
}

/// What a world says of an episode.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Verdict {
    /// Ids of the tasks that were asked for.
    pub tasks: Vec<String>,
    /// All of them are achieved at this moment; never in a free run.
    pub achieved: bool,
    /// They have been for [`HOLD_NS`], or as long as the world has it; stays so.
    pub success: bool,
    /// Ids of all tasks that were achieved since the start, asked for or not, in the world's order.
    pub completed: Vec<String>,
    /// What happened beside.
    pub collateral: Vec<Collateral>,
}

/// Something that was moved or touched and should not have been. [`Display`](fmt::Display) writes
/// `pink cup: moved 0.11 m`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Collateral {
    /// The thing.
    pub thing: String,
    /// What happened to it, in words.
    pub what: String,
}

impl fmt::Display for Collateral {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.thing, self.what)
    }
}

/// Whether something has held without a break for long enough.
///
/// ```
/// use tiller_world::Held;
///
/// let mut held = Held::new(1_000);
/// assert!(!held.observe(0, true));
/// assert!(!held.observe(500, false));
/// assert!(!held.observe(900, true));
/// assert!(!held.observe(1_899, true));
/// assert!(held.observe(1_900, true));
/// assert!(held.observe(2_000, false), "once is enough");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Held {
    for_ns: u64,
    since_ns: Option<u64>,
    done: bool,
}

impl Held {
    /// Nothing has held yet; `for_ns` is how long it must.
    #[must_use]
    pub fn new(for_ns: u64) -> Self {
        Self {
            for_ns,
            since_ns: None,
            done: false,
        }
    }

    /// Takes in whether it holds at `now_ns`; true once it has held for long enough, and from then on.
    pub fn observe(&mut self, now_ns: u64, holds: bool) -> bool {
        if holds {
            let since_ns = *self.since_ns.get_or_insert(now_ns);
            self.done |= now_ns.saturating_sub(since_ns) >= self.for_ns;
        } else {
            self.since_ns = None;
        }
        self.done
    }
}

/// Keeps the verdict of an episode; a world tells it what it sees after every step.
///
/// ```
/// use tiller_world::{Episode, HOLD_NS};
///
/// let mut episode = Episode::new(vec!["stack".to_owned()]);
/// episode.observe(0, true);
/// assert!(episode.verdict().achieved && !episode.verdict().success);
/// episode.observe(HOLD_NS, true);
/// assert!(episode.verdict().success);
/// ```
#[derive(Debug, Clone)]
pub struct Episode {
    verdict: Verdict,
    held: Held,
}

impl Episode {
    /// An episode in which these tasks are asked for.
    #[must_use]
    pub fn new(tasks: Vec<String>) -> Self {
        Self::holding(tasks, HOLD_NS)
    }

    /// One of a world with rules of its own: what was asked for must hold for `hold_ns`, 0 for at once.
    #[must_use]
    pub fn holding(tasks: Vec<String>, hold_ns: u64) -> Self {
        Self {
            verdict: Verdict {
                tasks,
                ..Verdict::default()
            },
            held: Held::new(hold_ns),
        }
    }

    /// Takes in whether everything that was asked for is achieved at `now_ns`.
    pub fn observe(&mut self, now_ns: u64, achieved: bool) {
        let verdict = &mut self.verdict;
        verdict.achieved = achieved && !verdict.tasks.is_empty();
        verdict.success = self.held.observe(now_ns, verdict.achieved);
    }

    /// Takes in the tasks that were achieved so far, asked for or not. Allocates only when they change.
    pub fn completed<'a>(&mut self, tasks: impl Iterator<Item = &'a str> + Clone) {
        let known = &mut self.verdict.completed;
        if !tasks.clone().eq(known.iter().map(String::as_str)) {
            known.clear();
            known.extend(tasks.map(ToOwned::to_owned));
        }
    }

    /// Notes what happened beside; newer words on the same thing replace the older ones.
    pub fn collateral(&mut self, thing: &str, what: String) {
        let known = &mut self.verdict.collateral;
        match known.iter_mut().find(|known| known.thing == thing) {
            Some(known) => known.what = what,
            None => known.push(Collateral {
                thing: thing.to_owned(),
                what,
            }),
        }
    }

    /// How things stand.
    #[must_use]
    pub fn verdict(&self) -> &Verdict {
        &self.verdict
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn without_a_time_to_hold_success_comes_at_once_and_stays() {
        let mut episode = Episode::holding(vec!["stack".to_owned()], 0);
        episode.observe(0, false);
        assert!(!episode.verdict().success);
        episode.observe(1, true);
        episode.observe(2, false);
        assert!(episode.verdict().success && !episode.verdict().achieved);
    }

    #[test]
    fn a_free_run_never_succeeds() {
        let mut episode = Episode::new(Vec::new());
        episode.observe(0, true);
        episode.observe(2 * HOLD_NS, true);
        episode.completed(["stack"].into_iter());
        let verdict = episode.verdict();
        assert!(!verdict.achieved && !verdict.success);
        assert_eq!(verdict.completed, ["stack"]);
    }

    #[test]
    fn a_thing_is_told_of_once_in_its_newest_words() {
        let mut episode = Episode::new(Vec::new());
        episode.collateral("cup", "moved 0.03 m".to_owned());
        episode.collateral("plate", "touched".to_owned());
        episode.collateral("cup", "moved 0.08 m".to_owned());
        let words: Vec<String> = episode
            .verdict()
            .collateral
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(words, ["cup: moved 0.08 m", "plate: touched"]);
    }

    proptest! {
        /// Against the definition: some run of observations that all hold spans the time.
        #[test]
        fn held_is_what_it_says(holds in proptest::collection::vec(any::<bool>(), 1..60), need in 1_u64..8) {
            let mut held = Held::new(need);
            let mut run: Option<u64> = None;
            let mut expected = false;
            for (now, holds) in (0_u64..).zip(holds) {
                run = if holds { Some(run.map_or(0, |length| length + 1)) } else { None };
                expected |= run.is_some_and(|length| length >= need);
                prop_assert_eq!(held.observe(now, holds), expected);
            }
        }
    }
}
