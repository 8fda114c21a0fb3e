//! How old what is acted on is: from a picture to keypoints, to a chunk, to the arm.

use std::collections::VecDeque;
use std::time::Duration;

use serde::Serialize;
use tiller_messages::{ActionChunk, ExecutionState, Keypoints};
use tiller_report::live::Hop;

/// Chunks that may be on their way at a time; more are never seen to arrive.
const ON_THE_WAY: usize = 16;

/// Pictures of which it is known when they were sent: planning may take as long as they last.
const PICTURES: usize = 256;

/// Values that percentiles are of, the newest ones.
const NEWEST: usize = 4_096;

/// A few numbers of a distribution, ms.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub(crate) struct Percentiles {
    /// How many values there were; percentiles are of the newest 4096.
    pub(crate) count: usize,
    /// Half of them are below.
    pub(crate) p50_ms: f64,
    /// 95 of 100 are below.
    pub(crate) p95_ms: f64,
    /// 99 of 100 are below.
    pub(crate) p99_ms: f64,
    /// The longest.
    pub(crate) longest_ms: f64,
}

/// The latencies of a run.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub(crate) struct Latencies {
    /// From the stamp of the observation that a chunk was planned from to the state in which the
    /// arm had the chunk, in robot time.
    pub(crate) observation_to_execution: Percentiles,
    /// Planning, in wall time.
    pub(crate) planning: Percentiles,
    /// From a chunk's sending to that of the first state of its execution, in wall time.
    pub(crate) chunk_to_execution: Percentiles,
    /// From a picture's sending to that of the keypoints seen in it, in wall time.
    pub(crate) image_to_keypoints: Percentiles,
    /// From the sending of the newest picture that a chunk may have been planned from to that of the chunk,
    /// in wall time.
    pub(crate) image_to_chunk: Percentiles,
    /// From the sending of that picture to that of the first state of the chunk's execution, in wall time.
    pub(crate) image_to_execution: Percentiles,
}

/// The newest values of a distribution, ms.
#[derive(Debug, Default)]
pub(crate) struct Values {
    newest: VecDeque<f64>,
    count: usize,
    /// Of all.
    longest: f64,
}

impl Values {
    fn push(&mut self, ms: f64) {
        self.count += 1;
        self.longest = self.longest.max(ms);
        self.newest.truncate(NEWEST - 1);
        self.newest.push_front(ms);
    }

    pub(crate) fn push_time(&mut self, time: Duration) {
        self.push(time.as_secs_f64() * 1e3);
    }

    pub(crate) fn percentiles(&self) -> Percentiles {
        let mut sorted = Vec::from_iter(self.newest.iter().copied());
        sorted.sort_by(f64::total_cmp);
        let rounded = |ms: f64| (ms * 100.0).round() / 100.0;
        let at = |share: f64| {
            let rank = (share * sorted.len() as f64).ceil() as usize;
            rounded(sorted.get(rank.saturating_sub(1)).copied().unwrap_or(0.0))
        };
        Percentiles {
            count: self.count,
            p50_ms: at(0.5),
            p95_ms: at(0.95),
            p99_ms: at(0.99),
            longest_ms: rounded(self.longest),
        }
    }
}

/// A chunk on its way to the arm.
#[derive(Debug)]
struct Underway {
    session: u64,
    seq: u64,
    /// Of its observation, ns.
    stamp_ns: u64,
    sent: Duration,
    picture_sent: Option<Duration>,
}

/// Follows pictures and chunks to the arm. Wall times are those at which messages were sent, since any
/// fixed moment.
#[derive(Debug, Default)]
pub(crate) struct LatencyTally {
    /// Stamp, ns, and wall time of the newest pictures, newest first.
    pictures: VecDeque<(u64, Duration)>,
    on_the_way: VecDeque<Underway>,
    observation: Values,
    planning: Values,
    chunk: Values,
    picture_to_keypoints: Values,
    picture_to_chunk: Values,
    picture_to_execution: Values,
}

impl LatencyTally {
    /// Takes a picture's stamp.
    pub(crate) fn on_picture(&mut self, stamp_ns: u64, sent: Duration) {
        self.pictures.truncate(PICTURES - 1);
        self.pictures.push_front((stamp_ns, sent));
    }

    /// Takes keypoints; those of a picture that was not heard say nothing.
    pub(crate) fn on_keypoints(&mut self, keypoints: &Keypoints, sent: Duration) {
        let seen_in = |(stamp_ns, _): &&(u64, Duration)| *stamp_ns == keypoints.stamp_ns;
        if let Some((_, picture_sent)) = self.pictures.iter().find(seen_in) {
            let taken = sent.saturating_sub(*picture_sent);
            self.picture_to_keypoints.push_time(taken);
        }
    }

    /// Takes a chunk.
    pub(crate) fn on_chunk(&mut self, chunk: &ActionChunk, sent: Duration) {
        if chunk.planning_ns > 0 {
            self.planning.push(chunk.planning_ns as f64 * 1e-6);
        }
        let not_after = |(stamp_ns, _): &&(u64, Duration)| *stamp_ns <= chunk.stamp_ns;
        let picture = self.pictures.iter().find(not_after);
        let picture_sent = picture.map(|(_, picture_sent)| *picture_sent);
        if let Some(picture_sent) = picture_sent {
            let taken = sent.saturating_sub(picture_sent);
            self.picture_to_chunk.push_time(taken);
        }
        self.on_the_way.truncate(ON_THE_WAY - 1);
        self.on_the_way.push_front(Underway {
            session: chunk.session,
            seq: chunk.seq,
            stamp_ns: chunk.stamp_ns,
            sent,
            picture_sent,
        });
    }

    /// Takes an execution state.
    pub(crate) fn on_execution(&mut self, state: &ExecutionState, sent: Duration) {
        let arrived = (state.chunk_session, state.chunk_seq);
        let found = self
            .on_the_way
            .iter()
            .position(|chunk| (chunk.session, chunk.seq) == arrived);
        if let Some(index) = found
            && let Some(chunk) = self.on_the_way.remove(index)
        {
            let age_ns = state.stamp_ns.saturating_sub(chunk.stamp_ns);
            self.observation.push(age_ns as f64 * 1e-6);
            self.chunk.push_time(sent.saturating_sub(chunk.sent));
            if let Some(picture_sent) = chunk.picture_sent {
                let taken = sent.saturating_sub(picture_sent);
                self.picture_to_execution.push_time(taken);
            }
        }
    }

    /// The numbers so far.
    pub(crate) fn latencies(&self) -> Latencies {
        Latencies {
            observation_to_execution: self.observation.percentiles(),
            planning: self.planning.percentiles(),
            chunk_to_execution: self.chunk.percentiles(),
            image_to_keypoints: self.picture_to_keypoints.percentiles(),
            image_to_chunk: self.picture_to_chunk.percentiles(),
            image_to_execution: self.picture_to_execution.percentiles(),
        }
    }

    /// The same in the order of the way, for people.
    pub(crate) fn hops(&self) -> Vec<Hop> {
        let found = self.latencies();
        let hops = [
            ("image to keypoints", found.image_to_keypoints),
            ("image to chunk", found.image_to_chunk),
            ("of which planning", found.planning),
            ("chunk to its execution", found.chunk_to_execution),
            ("image to execution", found.image_to_execution),
            ("the same in robot time", found.observation_to_execution),
        ];
        hops.into_iter()
            .map(|(name, hop)| Hop {
                name: name.to_owned(),
                count: hop.count,
                p50_ms: hop.p50_ms,
                p99_ms: hop.p99_ms,
                longest_ms: hop.longest_ms,
            })
            .collect()
    }
}

/// Nearest ranks.
#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_nearest_ranks() {
        let mut values = Values::default();
        (1..=200).rev().for_each(|ms| values.push(f64::from(ms)));
        let found = values.percentiles();
        assert_eq!(
            (found.p50_ms, found.p95_ms, found.p99_ms),
            (100.0, 190.0, 198.0)
        );
        assert_eq!(found.longest_ms, 200.0);
        assert_eq!(Values::default().percentiles().count, 0);
    }

    #[test]
    fn long_runs_keep_the_newest_values() {
        let mut values = Values::default();
        (0..NEWEST).for_each(|_| values.push(900.0));
        (0..NEWEST).for_each(|_| values.push(1.0));
        let found = values.percentiles();
        assert_eq!((found.count, found.p99_ms), (2 * NEWEST, 1.0));
        assert_eq!(found.longest_ms, 900.0, "of the whole run");
        assert_eq!(values.newest.len(), NEWEST);
    }

    #[test]
    fn a_picture_is_followed_to_keypoints_and_through_a_chunk_to_the_arm() {
        let mut tally = LatencyTally::default();
        let at = Duration::from_millis;
        (0..10).for_each(|k| tally.on_picture(k * 40_000_000, at(1_000 + k * 40)));
        let seen = |stamp_ms: u64| Keypoints {
            stamp_ns: stamp_ms * 1_000_000,
            ..Default::default()
        };
        tally.on_keypoints(&seen(80), at(1_086));
        tally.on_keypoints(&seen(81), at(1_090));
        // Its observation is older than the newest pictures, and between two of them.
        let chunk = ActionChunk {
            seq: 1,
            stamp_ns: 100_000_000,
            ..Default::default()
        };
        tally.on_chunk(&chunk, at(1_400));
        let state = ExecutionState {
            chunk_seq: 1,
            ..Default::default()
        };
        tally.on_execution(&state, at(1_420));
        let found = tally.latencies();
        assert_eq!(
            (
                found.image_to_keypoints.count,
                found.image_to_keypoints.p50_ms
            ),
            (1, 6.0)
        );
        assert_eq!(found.image_to_chunk.p50_ms, 320.0);
        assert_eq!(found.image_to_execution.p50_ms, 340.0);
        assert_eq!(tally.hops()[0].p99_ms, 6.0);
    }

    #[test]
    fn a_chunk_is_followed_to_the_arm() {
        let mut tally = LatencyTally::default();
        let chunk = ActionChunk {
            session: 2,
            seq: 5,
            stamp_ns: 1_000_000_000,
            planning_ns: 30_000_000,
            ..Default::default()
        };
        let state = |seq, ms: u64| ExecutionState {
            stamp_ns: ms * 1_000_000,
            chunk_session: 2,
            chunk_seq: seq,
            ..Default::default()
        };
        tally.on_chunk(&chunk, Duration::from_millis(40));
        tally.on_execution(&state(4, 1_060), Duration::from_millis(50));
        tally.on_execution(&state(5, 1_080), Duration::from_millis(60));
        tally.on_execution(&state(5, 1_100), Duration::from_millis(80));
        let found = tally.latencies();
        assert_eq!(found.observation_to_execution.count, 1);
        assert_eq!(found.observation_to_execution.p50_ms, 80.0);
        assert_eq!(found.planning.p50_ms, 30.0);
        assert_eq!(found.chunk_to_execution.p50_ms, 20.0);
    }
}
