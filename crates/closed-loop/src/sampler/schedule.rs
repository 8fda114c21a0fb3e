//! When the next chunk is due, and whether it is planned while the last one is executed.

use std::collections::VecDeque;
use std::sync::Arc;

use tiller_core::Continuation;
use tiller_messages::{ExecutionMode, ExecutionState};

use crate::planning::{CarryOn, UnderWay};

/// How many delays are remembered: the longest of them counts.
const MEMORY: usize = 8;

/// Steps to plan ahead before any delay was measured.
const FIRST_GUESS: u32 = 2;

/// When the next chunk is planned, seen from the end of the one under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Ahead {
    /// So many steps before it; 0 plans while the arm rests.
    Steps(u32),
    /// As many as planning has taken lately, and one for the observation to arrive.
    Measured,
}

/// Follows the chunk under way by what the actuator says of it.
#[derive(Debug)]
pub(crate) struct Schedule {
    session: u64,
    answer_limit_ns: u64,
    ahead: Ahead,
    sent: Option<Sent>,
    /// Stamp of the state at which the last plan was due, ns.
    asked_ns: u64,
    /// How long it lately took from there until the actuator had the chunk, ns.
    delays_ns: VecDeque<u64>,
}

#[derive(Debug)]
struct Sent {
    seq: u64,
    execute_steps: u32,
    step_ns: u64,
    /// What the next chunk may carry on; none for a chunk that brings the arm to rest.
    plan: Option<Arc<UnderWay>>,
    /// It leads to a goal that is given up: the next chunk is due at once.
    outdated: bool,
    sent_at_ns: u64,
    /// Stamp of the state at which it was due, ns; none once its delay is known.
    asked_ns: Option<u64>,
    due_ns: Option<u64>,
    is_lost: bool,
}

/// A chunk that is being sent.
#[derive(Debug, Clone)]
pub(crate) struct SentChunk {
    pub(crate) seq: u64,
    pub(crate) execute_steps: u32,
    pub(crate) rate_hz: f64,
    /// What the next chunk may carry on; none for a chunk that brings the arm to rest.
    pub(crate) plan: Option<Arc<UnderWay>>,
}

/// What the schedule says.
#[derive(Debug, Clone)]
pub(crate) enum Due {
    /// A chunk is under way.
    NotYet,
    /// A chunk may be planned from what was seen at or after `since_ns`.
    Now {
        since_ns: u64,
        /// Set if it is to carry on the one under way.
        carry_on: Option<CarryOn>,
    },
}

impl Schedule {
    /// A chunk of `session` that does not show up in the execution state within `answer_limit_ns`
    /// counts as lost.
    pub(crate) fn new(session: u64, answer_limit_ns: u64, ahead: Ahead) -> Self {
        Self {
            session,
            answer_limit_ns,
            ahead,
            sent: None,
            asked_ns: 0,
            delays_ns: VecDeque::with_capacity(MEMORY),
        }
    }

    /// Forgets the chunk under way: another episode has begun.
    pub(crate) fn clear(&mut self) {
        self.sent = None;
    }

    /// Notes that a chunk is sent at `now_ns`.
    pub(crate) fn sent(&mut self, chunk: SentChunk, now_ns: u64) {
        self.sent = Some(Sent {
            seq: chunk.seq,
            execute_steps: chunk.execute_steps,
            step_ns: (1e9 / chunk.rate_hz) as u64,
            asked_ns: chunk.plan.is_some().then_some(self.asked_ns),
            plan: chunk.plan,
            outdated: false,
            sent_at_ns: now_ns,
            due_ns: None,
            is_lost: false,
        });
    }

    /// Steps before the end of a chunk at which the next is planned; none if that cannot be, since
    /// more steps would pass meanwhile than a chunk has to be executed.
    fn ahead_steps(&self, step_ns: u64, execute_steps: u32) -> Option<u32> {
        let most = execute_steps.saturating_sub(1);
        let measured = |longest: u64| {
            // The step that is under way when planning begins is not a whole one any more.
            1 + u32::try_from(longest.div_ceil(step_ns.max(1))).unwrap_or(u32::MAX - 1)
        };
        match (self.ahead, self.delays_ns.iter().max()) {
            (Ahead::Steps(steps), _) => Some(steps.min(most)),
            (Ahead::Measured, None) => Some(FIRST_GUESS.min(most)),
            (Ahead::Measured, Some(longest)) => {
                Some(measured(*longest)).filter(|steps| *steps <= most)
            }
        }
        .filter(|steps| *steps > 0)
    }

    /// The goal has changed: what is left of the chunk under way leads elsewhere. Says whether that
    /// can be mended by a chunk that carries it on; else the arm has to be brought to rest.
    pub(crate) fn goal_changed(&mut self) -> bool {
        let Some(sent) = &self.sent else {
            return false;
        };
        let in_motion = self.ahead_steps(sent.step_ns, sent.execute_steps).is_some();
        match &mut self.sent {
            Some(sent) if in_motion && sent.plan.is_some() => {
                sent.outdated = true;
                true
            }
            _ => false,
        }
    }

    /// Whether the next chunk is due. One that is planned at rest must not be planned from what was
    /// seen before, which shows the arm in motion; one that is planned in motion may be planned
    /// from an observation up to one step old.
    pub(crate) fn due(&mut self, state: &ExecutionState, now_ns: u64) -> Due {
        self.measure(state);
        self.due_now(state, now_ns)
    }

    /// Notes that a plan is asked for in this state.
    pub(crate) fn asked(&mut self, state: &ExecutionState) {
        self.asked_ns = state.stamp_ns;
    }

    fn is_at(&self, state: &ExecutionState, seq: u64) -> bool {
        (state.chunk_session, state.chunk_seq) == (self.session, seq)
    }

    /// Takes note of how long the chunk under way took to arrive.
    fn measure(&mut self, state: &ExecutionState) {
        let Some(sent) = &mut self.sent else {
            return;
        };
        if (state.chunk_session, state.chunk_seq) == (self.session, sent.seq)
            && let Some(asked_ns) = sent.asked_ns.take()
        {
            self.delays_ns.truncate(MEMORY - 1);
            self.delays_ns
                .push_front(state.stamp_ns.saturating_sub(asked_ns));
        }
    }

    fn due_now(&mut self, state: &ExecutionState, now_ns: u64) -> Due {
        let at_rest = |since_ns| Due::Now {
            since_ns,
            carry_on: None,
        };
        let Some(seq) = self.sent.as_ref().map(|sent| sent.seq) else {
            return at_rest(0);
        };
        let session = self.session;
        let arrived = self.is_at(state, seq);
        let Some(sent) = &mut self.sent else {
            return at_rest(0);
        };
        if !arrived {
            if let Some(since_ns) = sent.due_ns {
                return at_rest(since_ns);
            }
            let refused = (state.refused_session, state.refused_seq) == (session, seq);
            if !refused && now_ns.saturating_sub(sent.sent_at_ns) < self.answer_limit_ns {
                return Due::NotYet;
            }
            sent.is_lost = true;
            return at_rest(*sent.due_ns.insert(state.stamp_ns));
        }
        let left = sent.execute_steps.saturating_sub(state.chunk_step);
        if state.mode != ExecutionMode::Executing || left == 0 {
            return at_rest(*sent.due_ns.get_or_insert(state.stamp_ns));
        }
        let (step_ns, execute_steps) = (sent.step_ns, sent.execute_steps);
        let Some(ahead_steps) = self.ahead_steps(step_ns, execute_steps) else {
            return Due::NotYet;
        };
        let Some(sent) = &self.sent else {
            return Due::NotYet;
        };
        let Some(plan) = sent
            .plan
            .as_ref()
            .filter(|_| left <= ahead_steps || sent.outdated)
        else {
            return Due::NotYet;
        };
        Due::Now {
            since_ns: state.stamp_ns.saturating_sub(step_ns),
            carry_on: Some(CarryOn {
                continuation: Continuation {
                    seq,
                    step: state.chunk_step,
                    frozen_steps: left.min(ahead_steps),
                },
                same_goal: !sent.outdated,
                under_way: Arc::clone(plan),
            }),
        }
    }

    /// Whether the robot is in the midst of a chunk.
    pub(crate) fn is_under_way(&self) -> bool {
        self.sent.as_ref().is_some_and(|sent| sent.due_ns.is_none())
    }

    /// The chunk that was lost or refused, once.
    pub(crate) fn take_lost(&mut self) -> Option<u64> {
        let sent = self.sent.as_mut()?;
        std::mem::take(&mut sent.is_lost).then_some(sent.seq)
    }

    /// When a chunk that does not show up counts as lost, ns.
    pub(crate) fn wake_at(&self) -> Option<u64> {
        let sent = self.sent.as_ref().filter(|sent| sent.due_ns.is_none())?;
        Some(sent.sent_at_ns + self.answer_limit_ns)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT_NS: u64 = 1_000_000_000;
    const STEP_NS: u64 = 100_000_000;
    const SESSION: u64 = 5;

    fn schedule(ahead: Ahead) -> Schedule {
        Schedule::new(SESSION, LIMIT_NS, ahead)
    }

    fn state(stamp_ns: u64, chunk_seq: u64, chunk_step: u32, executing: bool) -> ExecutionState {
        ExecutionState {
            stamp_ns,
            chunk_session: SESSION,
            chunk_seq,
            chunk_step,
            mode: if executing {
                ExecutionMode::Executing
            } else {
                ExecutionMode::Holding
            },
            ..Default::default()
        }
    }

    fn plan(seq: u64) -> SentChunk {
        SentChunk {
            seq,
            execute_steps: 8,
            rate_hz: 10.0,
            plan: Some(Arc::default()),
        }
    }

    /// `since_ns`, and `(step, frozen, same goal)` if it carries on.
    type Said = Option<(u64, Option<(u32, u32, bool)>)>;

    fn said(due: Due) -> Said {
        let Due::Now { since_ns, carry_on } = due else {
            return None;
        };
        let joined = carry_on.map(|carry_on| {
            let Continuation {
                step, frozen_steps, ..
            } = carry_on.continuation;
            (step, frozen_steps, carry_on.same_goal)
        });
        Some((since_ns, joined))
    }

    fn at_rest(since_ns: u64) -> Said {
        Some((since_ns, None))
    }

    #[test]
    fn the_first_chunk_is_due_at_once() {
        let mut schedule = schedule(Ahead::Steps(2));
        assert_eq!(said(schedule.due(&state(5, 0, 0, false), 0)), at_rest(0));
        assert!(!schedule.is_under_way());
    }

    #[test]
    fn at_rest_the_next_one_is_due_when_the_steps_are_executed() {
        let mut schedule = schedule(Ahead::Steps(0));
        schedule.sent(plan(1), 0);
        // The state of before the chunk arrived: still holding for the last one.
        assert_eq!(said(schedule.due(&state(10, 0, 0, false), 0)), None);
        assert_eq!(said(schedule.due(&state(20, 1, 7, true), 0)), None);
        assert!(schedule.is_under_way());
        assert_eq!(said(schedule.due(&state(30, 1, 8, true), 0)), at_rest(30));
        let later = said(schedule.due(&state(40, 1, 8, false), 0));
        assert_eq!(later, at_rest(30), "it does not move");
        assert!(!schedule.goal_changed());
    }

    #[test]
    fn in_motion_it_is_due_before_the_last_steps() {
        let mut schedule = schedule(Ahead::Steps(2));
        schedule.sent(plan(1), 0);
        let at = |step: u32| state(u64::from(step) * STEP_NS, 1, step, true);
        assert_eq!(said(schedule.due(&at(5), 0)), None);
        let due = said(schedule.due(&at(6), 0));
        assert_eq!(due, Some((5 * STEP_NS, Some((6, 2, true)))));
        let due = said(schedule.due(&at(7), 0));
        assert_eq!(due, Some((6 * STEP_NS, Some((7, 1, true)))));
        // Too late for that.
        let over = state(9 * STEP_NS, 1, 8, false);
        assert_eq!(said(schedule.due(&over, 0)), at_rest(9 * STEP_NS));
    }

    #[test]
    fn another_goal_makes_it_due_at_once() {
        let mut schedule = schedule(Ahead::Steps(2));
        schedule.sent(plan(1), 0);
        assert!(schedule.goal_changed());
        let due = said(schedule.due(&state(2 * STEP_NS, 1, 2, true), 0));
        assert_eq!(due, Some((STEP_NS, Some((2, 2, false)))));
        // A chunk that brings the arm to rest is not carried on.
        let rest = SentChunk {
            execute_steps: 1,
            plan: None,
            ..plan(2)
        };
        schedule.sent(rest, 0);
        assert!(!schedule.goal_changed());
        assert_eq!(said(schedule.due(&state(3 * STEP_NS, 2, 0, true), 0)), None);
    }

    #[test]
    fn never_more_is_frozen_than_a_chunk_has_to_be_executed() {
        let mut schedule = schedule(Ahead::Steps(8));
        schedule.sent(plan(1), 0);
        let due = said(schedule.due(&state(0, 1, 0, true), 0));
        assert_eq!(due, None, "eight steps are left, seven may be frozen");
        let due = said(schedule.due(&state(STEP_NS, 1, 1, true), 0));
        assert_eq!(due, Some((0, Some((1, 7, true)))));
        for steps in [1, 2, 8, 16] {
            let mut schedule = Schedule::new(SESSION, LIMIT_NS, Ahead::Steps(steps));
            let short = SentChunk {
                execute_steps: 1,
                ..plan(1)
            };
            schedule.sent(short, 0);
            let due = said(schedule.due(&state(0, 1, 0, true), 0));
            assert_eq!(due, None, "a chunk of one step leaves nothing to freeze");
            assert_eq!(said(schedule.due(&state(9, 1, 1, false), 0)), at_rest(9));
        }
    }

    #[test]
    fn a_planner_slower_than_its_chunks_plans_at_rest() {
        let mut schedule = schedule(Ahead::Measured);
        let first = state(STEP_NS, 0, 0, false);
        schedule.due(&first, 0);
        schedule.asked(&first);
        schedule.sent(plan(1), 0);
        // The chunk took a second to arrive.
        for step in 0..8 {
            let at = state(11 * STEP_NS + u64::from(step) * STEP_NS, 1, step, true);
            assert_eq!(said(schedule.due(&at, 0)), None, "step {step}");
        }
        let over = state(19 * STEP_NS, 1, 8, false);
        assert_eq!(said(schedule.due(&over, 0)), at_rest(19 * STEP_NS));
    }

    #[test]
    fn it_is_due_as_early_as_planning_has_taken_lately() {
        let mut schedule = schedule(Ahead::Measured);
        let mut due_at = |asked_ms: u64, seq: u64, taken_ms: u64| {
            let asked = state(asked_ms * 1_000_000, seq - 1, 8, false);
            assert!(said(schedule.due(&asked, 0)).is_some());
            schedule.asked(&asked);
            schedule.sent(plan(seq), 0);
            let arrived_ns = (asked_ms + taken_ms) * 1_000_000;
            (0..8).find(|step| {
                let at = state(arrived_ns + u64::from(*step) * STEP_NS, seq, *step, true);
                said(schedule.due(&at, 0)).is_some()
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
        let mut schedule = schedule(Ahead::Steps(2));
        schedule.sent(plan(1), 0);
        assert_eq!(said(schedule.due(&state(10, 1, 3, false), 0)), at_rest(10));
    }

    #[test]
    fn a_chunk_that_never_arrives_or_is_refused_is_replaced() {
        let mut schedule = schedule(Ahead::Steps(2));
        schedule.sent(plan(4), 0);
        assert_eq!(
            said(schedule.due(&state(10, 3, 8, false), LIMIT_NS / 2)),
            None
        );
        assert_eq!(schedule.wake_at(), Some(LIMIT_NS));
        let lost = said(schedule.due(&state(20, 3, 8, false), LIMIT_NS));
        assert_eq!(lost, at_rest(20));
        let still = said(schedule.due(&state(30, 3, 8, false), LIMIT_NS));
        assert_eq!(still, at_rest(20));
        assert_eq!(
            (schedule.take_lost(), schedule.take_lost()),
            (Some(4), None)
        );

        schedule.sent(plan(5), LIMIT_NS);
        let refused = ExecutionState {
            refused_session: SESSION,
            refused_seq: 5,
            ..state(40, 3, 8, false)
        };
        assert_eq!(said(schedule.due(&refused, LIMIT_NS)), at_rest(40));
        assert_eq!(schedule.take_lost(), Some(5));
    }

    #[test]
    fn a_chunk_of_another_session_is_not_ours() {
        let mut schedule = schedule(Ahead::Steps(2));
        schedule.sent(plan(1), 0);
        let old = ExecutionState {
            chunk_session: SESSION - 1,
            ..state(10, 1, 7, true)
        };
        assert_eq!(said(schedule.due(&old, 0)), None);
    }
}
