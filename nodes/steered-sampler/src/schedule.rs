//! When the next chunk is due.

use std::time::{Duration, Instant};

use tiller_messages::RobotState;

/// Follows the chunk under way by what the robot's state says of it.
#[derive(Debug)]
pub(crate) struct Schedule {
    answer_limit: Duration,
    under_way: Option<UnderWay>,
    unanswered: u64,
}

#[derive(Debug)]
struct UnderWay {
    seq: u64,
    execute_steps: u32,
    sent_at: Instant,
    finished_ns: Option<u64>,
}

/// What the schedule says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Due {
    /// A chunk is under way.
    NotYet,
    /// A chunk may be planned from what was seen at or after this stamp, ns.
    Since(u64),
}

impl Schedule {
    /// A chunk that does not show up in the robot's state within `answer_limit` counts as lost.
    pub(crate) fn new(answer_limit: Duration) -> Self {
        Self {
            answer_limit,
            under_way: None,
            unanswered: 0,
        }
    }

    /// Notes that a chunk was sent.
    pub(crate) fn sent(&mut self, seq: u64, execute_steps: u32, now: Instant) {
        self.under_way = Some(UnderWay {
            seq,
            execute_steps,
            sent_at: now,
            finished_ns: None,
        });
    }

    /// Whether the next chunk is due. What was seen before the last one ended shows the arm in
    /// motion and must not be planned from.
    pub(crate) fn due(&mut self, state: &RobotState, now: Instant) -> Due {
        let Some(chunk) = &mut self.under_way else {
            return Due::Since(0);
        };
        if let Some(finished_ns) = chunk.finished_ns {
            return Due::Since(finished_ns);
        }
        if state.chunk_seq == chunk.seq {
            let over = state.holding || state.chunk_step >= chunk.execute_steps;
            if !over {
                return Due::NotYet;
            }
        } else {
            if now.duration_since(chunk.sent_at) < self.answer_limit {
                return Due::NotYet;
            }
            // Lost on the way, or refused by the actuator.
            self.unanswered += 1;
            tracing::warn!("chunk {} was not taken up: planning anew", chunk.seq);
        }
        chunk.finished_ns = Some(state.stamp_ns);
        Due::Since(state.stamp_ns)
    }

    /// Whether the robot is in the midst of a chunk.
    pub(crate) fn is_under_way(&self) -> bool {
        self.under_way
            .as_ref()
            .is_some_and(|chunk| chunk.finished_ns.is_none())
    }

    /// Chunks that the robot never took up.
    pub(crate) fn unanswered(&self) -> u64 {
        self.unanswered
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Duration = Duration::from_secs(1);

    fn state(stamp_ns: u64, chunk_seq: u64, chunk_step: u32, holding: bool) -> RobotState {
        RobotState {
            stamp_ns,
            chunk_seq,
            chunk_step,
            holding,
            ..Default::default()
        }
    }

    #[test]
    fn the_first_chunk_is_due_at_once() {
        let mut schedule = Schedule::new(LIMIT);
        assert_eq!(
            schedule.due(&state(5, 0, 0, true), Instant::now()),
            Due::Since(0)
        );
        assert!(!schedule.is_under_way());
    }

    #[test]
    fn the_next_one_is_due_when_the_steps_are_executed() {
        let (mut schedule, now) = (Schedule::new(LIMIT), Instant::now());
        schedule.sent(1, 8, now);
        // The state of before the chunk arrived: still holding for the last one.
        assert_eq!(schedule.due(&state(10, 0, 0, true), now), Due::NotYet);
        assert_eq!(schedule.due(&state(20, 1, 7, false), now), Due::NotYet);
        assert!(schedule.is_under_way());
        assert_eq!(schedule.due(&state(30, 1, 8, false), now), Due::Since(30));
        assert_eq!(
            schedule.due(&state(40, 1, 8, true), now),
            Due::Since(30),
            "it does not move"
        );
    }

    #[test]
    fn a_chunk_that_was_given_up_is_over() {
        let (mut schedule, now) = (Schedule::new(LIMIT), Instant::now());
        schedule.sent(1, 8, now);
        assert_eq!(schedule.due(&state(10, 1, 3, true), now), Due::Since(10));
    }

    #[test]
    fn a_chunk_that_never_arrives_is_replaced() {
        let (mut schedule, now) = (Schedule::new(LIMIT), Instant::now());
        schedule.sent(4, 8, now);
        assert_eq!(
            schedule.due(&state(10, 3, 8, true), now + LIMIT / 2),
            Due::NotYet
        );
        assert_eq!(
            schedule.due(&state(20, 3, 8, true), now + LIMIT),
            Due::Since(20)
        );
        assert_eq!(schedule.unanswered(), 1);
    }
}
