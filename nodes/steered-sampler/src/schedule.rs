//! When the next chunk is due, and whether it is planned while the last one is executed.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use tiller_messages::RobotState;

/// How many delays are remembered: the longest of them counts.
const MEMORY: usize = 8;

/// Steps to plan ahead before any delay was measured.
const FIRST_GUESS: u32 = 2;

/// When the next chunk is planned, seen from the end of the one under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ahead {
    /// So many steps before it; 0 plans while the arm rests.
    Steps(u32),
    /// As many as planning has taken lately, and one for the pictures to arrive.
    Measured,
}

/// Follows the chunk under way by what the robot's state says of it.
#[derive(Debug)]
pub(crate) struct Schedule {
    answer_limit: Duration,
    ahead: Ahead,
    under_way: Option<UnderWay>,
    /// Stamp of the state at which the last plan was due, ns.
    asked_ns: u64,
    /// How long it lately took from there until the robot had the chunk, ns.
    delays_ns: VecDeque<u64>,
    unanswered: u64,
}

#[derive(Debug)]
struct UnderWay {
    seq: u64,
    execute_steps: u32,
    step_ns: u64,
    /// A plan that may be carried on; else the arm is being brought to rest.
    is_plan: bool,
    /// It leads to a goal that is given up: the next chunk is due at once.
    outdated: bool,
    sent_at: Instant,
    /// Stamp of the state at which it was due, ns; none once its delay is known.
    asked_ns: Option<u64>,
    due_ns: Option<u64>,
}

/// A chunk that was sent.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SentChunk {
    pub(crate) seq: u64,
    pub(crate) execute_steps: u32,
    pub(crate) rate_hz: f64,
    /// Whether the next chunk may carry it on.
    pub(crate) is_plan: bool,
}

/// How a chunk carries on the one under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Joint {
    /// The chunk under way.
    pub(crate) seq: u64,
    /// The step of it that is being executed.
    pub(crate) step: u32,
    /// Steps from there on that are executed before the next chunk can take over.
    pub(crate) frozen: u32,
    /// Whether both lead to the same goal.
    pub(crate) same_goal: bool,
}

/// What the schedule says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Due {
    /// A chunk is under way.
    NotYet,
    /// A chunk may be planned from what was seen at or after `since_ns`.
    Now {
        since_ns: u64,
        /// Set if it is to carry on the one under way.
        joint: Option<Joint>,
    },
}

impl Schedule {
    /// A chunk that does not show up in the robot's state within `answer_limit` counts as lost.
    pub(crate) fn new(answer_limit: Duration, ahead: Ahead) -> Self {
        Self {
            answer_limit,
            ahead,
            under_way: None,
            asked_ns: 0,
            delays_ns: VecDeque::with_capacity(MEMORY),
            unanswered: 0,
        }
    }

    /// Notes that a chunk was sent.
    pub(crate) fn sent(&mut self, chunk: SentChunk, now: Instant) {
        self.under_way = Some(UnderWay {
            seq: chunk.seq,
            execute_steps: chunk.execute_steps,
            step_ns: (1e9 / chunk.rate_hz) as u64,
            is_plan: chunk.is_plan,
            outdated: false,
            sent_at: now,
            asked_ns: chunk.is_plan.then_some(self.asked_ns),
            due_ns: None,
        });
    }

    /// Steps before the end of a chunk at which the next is planned.
    fn ahead_steps(&self, step_ns: u64) -> u32 {
        match (self.ahead, self.delays_ns.iter().max()) {
            (Ahead::Steps(steps), _) => steps,
            (Ahead::Measured, None) => FIRST_GUESS,
            (Ahead::Measured, Some(longest)) => {
                // The step that is under way when planning begins is not a whole one any more.
                1 + u32::try_from(longest.div_ceil(step_ns.max(1))).unwrap_or(u32::MAX - 1)
            }
        }
    }

    /// The goal has changed: what is left of the chunk under way leads elsewhere. Says whether that
    /// can be mended by a chunk that carries it on; else the arm has to be brought to rest.
    pub(crate) fn goal_changed(&mut self) -> bool {
        match &mut self.under_way {
            Some(chunk) if self.ahead != Ahead::Steps(0) && chunk.is_plan => {
                chunk.outdated = true;
                true
            }
            _ => false,
        }
    }

    /// Whether the next chunk is due. One that is planned at rest must not be planned from what was
    /// seen before, which shows the arm in motion; one that is planned in motion may be planned
    /// from pictures up to one step old.
    pub(crate) fn due(&mut self, state: &RobotState, now: Instant) -> Due {
        self.measure(state);
        let due = self.due_now(state, now);
        if due != Due::NotYet {
            self.asked_ns = state.stamp_ns;
        }
        due
    }

    /// Takes note of how long the chunk under way took to arrive.
    fn measure(&mut self, state: &RobotState) {
        let Some(chunk) = &mut self.under_way else {
            return;
        };
        if state.chunk_seq == chunk.seq
            && let Some(asked_ns) = chunk.asked_ns.take()
        {
            self.delays_ns.truncate(MEMORY - 1);
            self.delays_ns
                .push_front(state.stamp_ns.saturating_sub(asked_ns));
        }
    }

    fn due_now(&mut self, state: &RobotState, now: Instant) -> Due {
        let ahead_steps = self
            .under_way
            .as_ref()
            .map_or(0, |chunk| self.ahead_steps(chunk.step_ns));
        let at_once = |since_ns| Due::Now {
            since_ns,
            joint: None,
        };
        let Some(chunk) = &mut self.under_way else {
            return at_once(0);
        };
        if state.chunk_seq != chunk.seq {
            if let Some(since_ns) = chunk.due_ns {
                return at_once(since_ns);
            }
            if now.duration_since(chunk.sent_at) < self.answer_limit {
                return Due::NotYet;
            }
            // Lost on the way, or refused by the actuator.
            self.unanswered += 1;
            tracing::warn!("chunk {} was not taken up: planning anew", chunk.seq);
            return at_once(*chunk.due_ns.insert(state.stamp_ns));
        }
        let left = chunk.execute_steps.saturating_sub(state.chunk_step);
        if state.holding || left == 0 {
            return at_once(*chunk.due_ns.get_or_insert(state.stamp_ns));
        }
        let ahead = chunk.is_plan && (left <= ahead_steps || chunk.outdated);
        if !ahead {
            return Due::NotYet;
        }
        Due::Now {
            since_ns: state.stamp_ns.saturating_sub(chunk.step_ns),
            joint: Some(Joint {
                seq: chunk.seq,
                step: state.chunk_step,
                frozen: left.min(ahead_steps),
                same_goal: !chunk.outdated,
            }),
        }
    }

    /// Whether the robot is in the midst of a chunk.
    pub(crate) fn is_under_way(&self) -> bool {
        self.under_way
            .as_ref()
            .is_some_and(|chunk| chunk.due_ns.is_none())
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
    const STEP_NS: u64 = 100_000_000;

    fn state(stamp_ns: u64, chunk_seq: u64, chunk_step: u32, holding: bool) -> RobotState {
        RobotState {
            stamp_ns,
            chunk_seq,
            chunk_step,
            holding,
            ..Default::default()
        }
    }

    fn plan(seq: u64) -> SentChunk {
        SentChunk {
            seq,
            execute_steps: 8,
            rate_hz: 10.0,
            is_plan: true,
        }
    }

    fn at_rest(since_ns: u64) -> Due {
        Due::Now {
            since_ns,
            joint: None,
        }
    }

    fn ahead(since_ns: u64, step: u32, frozen: u32, same_goal: bool) -> Due {
        Due::Now {
            since_ns,
            joint: Some(Joint {
                seq: 1,
                step,
                frozen,
                same_goal,
            }),
        }
    }

    #[test]
    fn the_first_chunk_is_due_at_once() {
        let mut schedule = Schedule::new(LIMIT, Ahead::Steps(2));
        let due = schedule.due(&state(5, 0, 0, true), Instant::now());
        assert_eq!(due, at_rest(0));
        assert!(!schedule.is_under_way());
    }

    #[test]
    fn at_rest_the_next_one_is_due_when_the_steps_are_executed() {
        let (mut schedule, now) = (Schedule::new(LIMIT, Ahead::Steps(0)), Instant::now());
        schedule.sent(plan(1), now);
        // The state of before the chunk arrived: still holding for the last one.
        assert_eq!(schedule.due(&state(10, 0, 0, true), now), Due::NotYet);
        assert_eq!(schedule.due(&state(20, 1, 7, false), now), Due::NotYet);
        assert!(schedule.is_under_way());
        assert_eq!(schedule.due(&state(30, 1, 8, false), now), at_rest(30));
        let later = schedule.due(&state(40, 1, 8, true), now);
        assert_eq!(later, at_rest(30), "it does not move");
        assert!(!schedule.goal_changed());
    }

    #[test]
    fn in_motion_it_is_due_before_the_last_steps() {
        let (mut schedule, now) = (Schedule::new(LIMIT, Ahead::Steps(2)), Instant::now());
        schedule.sent(plan(1), now);
        let at = |step: u32| state(u64::from(step) * STEP_NS, 1, step, false);
        assert_eq!(schedule.due(&at(5), now), Due::NotYet);
        assert_eq!(schedule.due(&at(6), now), ahead(5 * STEP_NS, 6, 2, true));
        assert_eq!(schedule.due(&at(7), now), ahead(6 * STEP_NS, 7, 1, true));
        // Too late for that.
        let over = state(9 * STEP_NS, 1, 8, true);
        assert_eq!(schedule.due(&over, now), at_rest(9 * STEP_NS));
    }

    #[test]
    fn another_goal_makes_it_due_at_once() {
        let (mut schedule, now) = (Schedule::new(LIMIT, Ahead::Steps(2)), Instant::now());
        schedule.sent(plan(1), now);
        assert!(schedule.goal_changed());
        let due = schedule.due(&state(2 * STEP_NS, 1, 2, false), now);
        assert_eq!(due, ahead(STEP_NS, 2, 2, false));
        // A chunk that brings the arm to rest is not carried on.
        let rest = SentChunk {
            execute_steps: 1,
            is_plan: false,
            ..plan(2)
        };
        schedule.sent(rest, now);
        assert!(!schedule.goal_changed());
        let due = schedule.due(&state(3 * STEP_NS, 2, 0, false), now);
        assert_eq!(due, Due::NotYet);
    }

    #[test]
    fn it_is_due_as_early_as_planning_has_taken_lately() {
        let (mut schedule, now) = (Schedule::new(LIMIT, Ahead::Measured), Instant::now());
        let mut due_at = |asked_ms: u64, seq: u64, taken_ms: u64| {
            let first = schedule.due(&state(asked_ms * 1_000_000, seq - 1, 8, true), now);
            assert_ne!(first, Due::NotYet);
            schedule.sent(plan(seq), now);
            let arrived_ns = (asked_ms + taken_ms) * 1_000_000;
            (0..8).find(|step| {
                let at = state(arrived_ns + u64::from(*step) * STEP_NS, seq, *step, false);
                schedule.due(&at, now) != Due::NotYet
            })
        };
        // Two steps cover 80 ms that begin anywhere in a step; three cover 150 ms.
        assert_eq!(due_at(1_000, 1, 80), Some(6));
        assert_eq!(due_at(3_000, 2, 150), Some(5));
        for seq in 3..3 + MEMORY as u64 - 1 {
            assert_eq!(due_at(2_000 * seq, seq, 20), Some(5), "chunk {seq}");
        }
        assert_eq!(due_at(40_000, 10, 20), Some(6), "150 ms are forgotten");
    }

    #[test]
    fn a_chunk_that_was_given_up_is_over() {
        let (mut schedule, now) = (Schedule::new(LIMIT, Ahead::Steps(2)), Instant::now());
        schedule.sent(plan(1), now);
        assert_eq!(schedule.due(&state(10, 1, 3, true), now), at_rest(10));
    }

    #[test]
    fn a_chunk_that_never_arrives_is_replaced() {
        let (mut schedule, now) = (Schedule::new(LIMIT, Ahead::Steps(2)), Instant::now());
        schedule.sent(plan(4), now);
        let waiting = schedule.due(&state(10, 3, 8, true), now + LIMIT / 2);
        assert_eq!(waiting, Due::NotYet);
        let lost = schedule.due(&state(20, 3, 8, true), now + LIMIT);
        assert_eq!(lost, at_rest(20));
        let still = schedule.due(&state(30, 3, 8, true), now + LIMIT);
        assert_eq!(still, at_rest(20));
        assert_eq!(schedule.unanswered(), 1);
    }
}
