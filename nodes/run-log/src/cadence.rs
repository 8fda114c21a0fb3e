//! Whether the control loop kept its rhythm: the robot's states, as they were sent.

use std::time::Duration;

use serde::Serialize;
use tiller_core::EpisodeId;

use crate::latency::{Percentiles, Values};

/// Upper ends of the histogram's bins, ms; the last bin has none.
const BINS_MS: [f64; 13] = [
    1.5, 5.0, 10.0, 15.0, 18.0, 20.0, 22.0, 25.0, 30.0, 40.0, 60.0, 100.0, 200.0,
];

/// Robot time after its first state in which dora may still be connecting nodes, ns: what is lost on the way
/// then says nothing of the control loop.
const START_NS: u64 = 1_000_000_000;

/// The rhythm of a run in numbers.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub(crate) struct Cadence {
    /// States that were heard.
    pub(crate) states: u64,
    /// States that must have been between two others, by their stamps, and were not heard.
    pub(crate) missing: u64,
    /// The same in the first second, while nodes are being connected; none of those above.
    pub(crate) missing_at_start: u64,
    /// Wall time from one state to the next: bins that hold any, shortest first.
    pub(crate) intervals: Vec<Bin>,
    /// The same in a few numbers.
    pub(crate) period: Percentiles,
}

/// Intervals of about the same length.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(crate) struct Bin {
    /// None was longer, ms; `None` in the last bin.
    pub(crate) up_to_ms: Option<f64>,
    /// How many there were.
    pub(crate) count: u64,
}

/// Follows the robot's states.
#[derive(Debug, Default)]
pub(crate) struct CadenceTally {
    /// Its episode, stamp, ns of robot time, and when it was sent, since any fixed moment.
    last: Option<(EpisodeId, u64, Duration)>,
    /// Shortest time between stamps so far, ns: the loop's period.
    period_ns: Option<u64>,
    /// The first stamp, ns.
    first_ns: Option<u64>,
    /// At the start, and after it.
    spans: [Spans; 2],
    counts: [u64; BINS_MS.len() + 1],
    states: u64,
    periods: Values,
}

/// Robot time between states in all, ns, and how often.
#[derive(Debug, Default)]
struct Spans {
    spanned_ns: u64,
    count: u64,
}

impl Spans {
    /// States that must have been between those that came.
    fn missing(&self, period_ns: u64) -> u64 {
        let periods = (self.spanned_ns + period_ns / 2) / period_ns;
        periods.saturating_sub(self.count)
    }
}

impl CadenceTally {
    /// Takes a state's episode and stamp and the wall time at which it was sent.
    pub(crate) fn on_state(&mut self, episode: EpisodeId, stamp_ns: u64, sent: Duration) {
        self.states += 1;
        let first_ns = *self.first_ns.get_or_insert(stamp_ns);
        let last = self.last.replace((episode, stamp_ns, sent));
        // Between two episodes a simulator builds another scene, and its stamps go on from a later one.
        let Some((_, last_ns, last_sent)) = last.filter(|(before, ..)| *before == episode) else {
            return;
        };
        let Some(step_ns) = stamp_ns.checked_sub(last_ns).filter(|step| *step > 0) else {
            return;
        };
        let period_ns = self.period_ns.map_or(step_ns, |ns| ns.min(step_ns));
        self.period_ns = Some(period_ns);
        // A gap belongs to where it begins.
        let is_later = last_ns >= first_ns.saturating_add(START_NS);
        let spans = &mut self.spans[usize::from(is_later)];
        spans.spanned_ns += step_ns;
        spans.count += 1;
        let interval = sent.saturating_sub(last_sent);
        self.periods.push_time(interval);
        let ms = interval.as_secs_f64() * 1e3;
        let bin = BINS_MS.iter().position(|end| ms <= *end);
        self.counts[bin.unwrap_or(BINS_MS.len())] += 1;
    }

    /// The numbers so far.
    pub(crate) fn cadence(&self) -> Cadence {
        let period_ns = self.period_ns.unwrap_or(1);
        let [at_start, later] = self.spans.each_ref().map(|spans| spans.missing(period_ns));
        let ends = BINS_MS.iter().map(|end| Some(*end)).chain([None]);
        let bins = ends.zip(self.counts);
        Cadence {
            states: self.states,
            missing: later,
            missing_at_start: at_start,
            intervals: bins
                .filter(|(_, count)| *count > 0)
                .map(|(up_to_ms, count)| Bin { up_to_ms, count })
                .collect(),
            period: self.periods.percentiles(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of episodes one after the other, each of stamps and times of sending, ms.
    fn of_episodes(episodes: &[&[(u64, u64)]]) -> Cadence {
        let mut tally = CadenceTally::default();
        for (states, id) in episodes.iter().zip(1..) {
            for (stamp_ms, sent_ms) in *states {
                let sent = Duration::from_millis(*sent_ms);
                tally.on_state(EpisodeId(id), stamp_ms * 1_000_000, sent);
            }
        }
        tally.cadence()
    }

    fn after(states: &[(u64, u64)]) -> Cadence {
        of_episodes(&[states])
    }

    #[test]
    fn intervals_fall_into_bins_and_missing_states_are_counted() {
        let cadence = after(&[
            (7_000, 5),
            (8_000, 25),
            (8_020, 44),
            (8_080, 104),
            (8_100, 404),
        ]);
        assert_eq!((cadence.states, cadence.missing), (5, 2));
        let bins: Vec<_> = cadence
            .intervals
            .iter()
            .map(|bin| (bin.up_to_ms, bin.count))
            .collect();
        assert_eq!(bins, [(Some(20.0), 2), (Some(60.0), 1), (None, 1)]);
        assert_eq!(cadence.missing_at_start, 49);
        assert!((cadence.period.longest_ms - 300.0).abs() < 1e-9);
    }

    #[test]
    fn the_first_gap_may_be_the_longest_and_another_episode_is_none() {
        let first = after(&[(0, 0), (60, 60), (80, 80), (100, 100)]);
        assert_eq!((first.missing, first.missing_at_start), (0, 2));
        let again = after(&[(0, 0), (20, 20), (0, 900), (20, 920)]);
        assert_eq!((again.missing, again.period.longest_ms), (0, 20.0));
        // A simulator's stamps go on, from the next of its pictures.
        let states = |first_ms: u64| [0, 20, 40].map(|ms| (first_ms + ms, first_ms + ms));
        let (one, two) = (
            states(2_000),
            states(2_100).map(|(ms, sent)| (ms, sent + 400)),
        );
        let next = of_episodes(&[&one, &two]);
        assert_eq!(
            (next.states, next.missing, next.period.longest_ms),
            (6, 0, 20.0)
        );
        assert_eq!(after(&[]), Cadence::default());
    }
}
