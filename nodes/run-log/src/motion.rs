//! Whether the arm kept moving from chunk to chunk.

use serde::Serialize;
use tiller_messages::{ExecutionMode, ExecutionState};

/// The motion of a run in numbers.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub(crate) struct Motion {
    /// Chunks that the robot took up.
    pub(crate) chunks: u64,
    /// How often the arm held still for want of a chunk and then went on.
    pub(crate) rests: u64,
    /// How long these took in all, s of simulation or robot time.
    pub(crate) rest_s: f64,
}

/// Follows the robot's state.
#[derive(Debug, Default)]
pub(crate) struct MotionTally {
    motion: Motion,
    chunk_seq: u64,
    /// Since when the arm has been holding after it had moved, ns.
    holding_since_ns: Option<u64>,
}

impl MotionTally {
    /// Takes a state.
    pub(crate) fn on_state(&mut self, state: &ExecutionState) {
        if state.chunk_seq != self.chunk_seq {
            self.chunk_seq = state.chunk_seq;
            self.motion.chunks += 1;
        }
        if state.mode != ExecutionMode::Executing {
            if self.motion.chunks > 0 {
                self.holding_since_ns.get_or_insert(state.stamp_ns);
            }
        } else if let Some(since_ns) = self.holding_since_ns.take() {
            self.motion.rests += 1;
            self.motion.rest_s += state.stamp_ns.saturating_sub(since_ns) as f64 * 1e-9;
        }
    }

    /// The numbers so far. The rest at the end, from which nothing went on, is not among them.
    pub(crate) fn motion(&self) -> Motion {
        self.motion
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_rests_between_two_motions_count() {
        let mut tally = MotionTally::default();
        let states = [
            (0, 0, true),
            (100, 1, false),
            (900, 1, true),
            (950, 1, true),
            (1_000, 2, false),
            (1_100, 3, false),
            (1_800, 3, true),
        ];
        for (stamp_ms, chunk_seq, holding) in states {
            tally.on_state(&ExecutionState {
                stamp_ns: stamp_ms * 1_000_000,
                chunk_seq,
                mode: if holding {
                    ExecutionMode::Holding
                } else {
                    ExecutionMode::Executing
                },
                ..Default::default()
            });
        }
        let motion = tally.motion();
        assert_eq!((motion.chunks, motion.rests), (3, 1));
        assert!((motion.rest_s - 0.1).abs() < 1e-12);
    }
}
