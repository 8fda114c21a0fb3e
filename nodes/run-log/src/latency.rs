//! How old what a chunk was planned from is, and how long it takes to reach the arm.

use std::collections::VecDeque;
use std::time::Duration;

use serde::Serialize;
use tiller_messages::{ActionChunk, ExecutionState};

/// Chunks that may be on their way at a time; more are never seen to arrive.
const ON_THE_WAY: usize = 16;

/// A few numbers of a distribution, ms.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub(crate) struct Percentiles {
    /// How many values there were.
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
}

/// Follows chunks to the arm.
#[derive(Debug, Default)]
pub(crate) struct LatencyTally {
    on_the_way: VecDeque<(u64, u64, u64, Duration)>,
    observation_ms: Vec<f64>,
    planning_ms: Vec<f64>,
    chunk_ms: Vec<f64>,
}

impl LatencyTally {
    /// Takes a chunk that was sent at this wall time.
    pub(crate) fn on_chunk(&mut self, chunk: &ActionChunk, sent: Duration) {
        if chunk.planning_ns > 0 {
            self.planning_ms.push(chunk.planning_ns as f64 * 1e-6);
        }
        self.on_the_way.truncate(ON_THE_WAY - 1);
        self.on_the_way
            .push_front((chunk.session, chunk.seq, chunk.stamp_ns, sent));
    }

    /// Takes an execution state that was sent at this wall time.
    pub(crate) fn on_execution(&mut self, state: &ExecutionState, sent: Duration) {
        let arrived = (state.chunk_session, state.chunk_seq);
        let found = self
            .on_the_way
            .iter()
            .position(|(session, seq, ..)| (*session, *seq) == arrived);
        if let Some(index) = found
            && let Some((_, _, stamp_ns, chunk_sent)) = self.on_the_way.remove(index)
        {
            let age_ns = state.stamp_ns.saturating_sub(stamp_ns);
            self.observation_ms.push(age_ns as f64 * 1e-6);
            let taken = sent.saturating_sub(chunk_sent);
            self.chunk_ms.push(taken.as_secs_f64() * 1e3);
        }
    }

    /// The numbers so far.
    pub(crate) fn latencies(&self) -> Latencies {
        Latencies {
            observation_to_execution: percentiles(&self.observation_ms),
            planning: percentiles(&self.planning_ms),
            chunk_to_execution: percentiles(&self.chunk_ms),
        }
    }
}

/// Nearest ranks.
fn percentiles(values: &[f64]) -> Percentiles {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let at = |share: f64| {
        let rank = (share * sorted.len() as f64).ceil() as usize;
        let value = sorted.get(rank.saturating_sub(1)).copied().unwrap_or(0.0);
        (value * 100.0).round() / 100.0
    };
    Percentiles {
        count: sorted.len(),
        p50_ms: at(0.5),
        p95_ms: at(0.95),
        p99_ms: at(0.99),
        longest_ms: at(1.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_nearest_ranks() {
        let values: Vec<f64> = (1..=200).rev().map(f64::from).collect();
        let found = percentiles(&values);
        assert_eq!(
            (found.p50_ms, found.p95_ms, found.p99_ms),
            (100.0, 190.0, 198.0)
        );
        assert_eq!(found.longest_ms, 200.0);
        assert_eq!(percentiles(&[]).count, 0);
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
