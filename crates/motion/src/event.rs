//! What the actuator refuses, clamps and stops for, and how it says so.

use std::collections::VecDeque;
use std::fmt;

use thiserror::Error;

use crate::clearance::{Nearest, Obstacle};
use crate::config::OnViolation;
use crate::violation::{Quantity, Violation};

/// What kind of thing happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SafetyKind {
    /// A chunk held a value that is not finite.
    NotFinite,
    /// A chunk's sizes or rate made no sense.
    Malformed,
    /// A chunk was made from an observation that is too old.
    Stale,
    /// A chunk was stamped later than now.
    FromFuture,
    /// A chunk's sequence number did not increase.
    OutOfOrder,
    /// A chunk was to carry on another than the one under way, or from a step that it has not.
    NotContinuing,
    /// A chunk joined the one under way later than planned: some of its steps were skipped.
    JoinedLate,
    /// A chunk started too far from the commanded pose.
    AnchorGap,
    /// A step, turn or joint's way was longer than allowed.
    StepTooLarge,
    /// A waypoint lay outside the workspace.
    OutsideWorkspace,
    /// A waypoint lay outside the joints' limits.
    OutsideJointLimits,
    /// Links came, or would have come, too near to each other.
    SelfCollision,
    /// A link came, or would have come, too near to the table.
    TableTooNear,
    /// The hand was to be held straight down, from where that would be a turn that nobody asked for.
    Tilted,
    /// A gripper value lay beyond fully open or closed.
    GripperRange,
    /// The robot fell too far behind its setpoints, or the setpoints behind the reference.
    TrackingLost,
    /// One of the robot's readings was not finite, outside the joint limits or impossibly far from
    /// the last one: it was left out.
    ReadingRefused,
    /// There was no good reading for too long: a controlled stop began.
    ReadingLost,
    /// The control loop did not run for too long while a chunk was executing.
    LoopGap,
    /// A controlled stop was asked for.
    StopRequested,
    /// A rest was asked for, after which motion goes on.
    PauseRequested,
    /// A chunk came while stopping or stopped.
    NotAccepting,
    /// Motion was allowed again after a stop.
    Resumed,
    /// Motion could not be allowed again by itself.
    ResumeRefused,
    /// Events were lost because nobody fetched them.
    EventsDropped,
}

impl SafetyKind {
    /// Stable name in snake case, for messages and logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotFinite => "not_finite",
            Self::Malformed => "malformed",
            Self::Stale => "stale",
            Self::FromFuture => "from_future",
            Self::OutOfOrder => "out_of_order",
            Self::NotContinuing => "not_continuing",
            Self::JoinedLate => "joined_late",
            Self::AnchorGap => "anchor_gap",
            Self::StepTooLarge => "step_too_large",
            Self::OutsideWorkspace => "outside_workspace",
            Self::OutsideJointLimits => "outside_joint_limits",
            Self::SelfCollision => "self_collision",
            Self::TableTooNear => "table_too_near",
            Self::Tilted => "tilted",
            Self::GripperRange => "gripper_range",
            Self::TrackingLost => "tracking_lost",
            Self::ReadingRefused => "reading_refused",
            Self::ReadingLost => "reading_lost",
            Self::LoopGap => "loop_gap",
            Self::StopRequested => "stop_requested",
            Self::PauseRequested => "pause_requested",
            Self::NotAccepting => "not_accepting",
            Self::Resumed => "resumed",
            Self::ResumeRefused => "resume_refused",
            Self::EventsDropped => "events_dropped",
        }
    }
}

impl fmt::Display for SafetyKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Something that was refused, clamped or stopped, for the log and the operator.
#[derive(Debug, Clone, PartialEq)]
pub struct SafetyEvent {
    /// When, on the clock passed to the actuator, ns.
    pub stamp_ns: u64,
    /// What.
    pub kind: SafetyKind,
    /// The number of the chunk that it is about; `None` where it is about none.
    pub chunk_seq: Option<u64>,
    /// The limit and the value, of every kind that has them.
    pub violation: Option<Violation>,
    /// What exactly, for people; made from the violation where there is one.
    pub text: String,
}

/// Why a chunk was not accepted; the motion under way goes on.
#[derive(Debug, Clone, PartialEq, Error)]
#[error("chunk {seq} refused ({kind}): {text}")]
pub struct Refusal {
    /// The chunk's sequence number.
    pub seq: u64,
    /// What was wrong.
    pub kind: SafetyKind,
    /// The limit and the value, of every kind that has them.
    pub violation: Option<Violation>,
    /// What exactly, with the expected and the found value.
    pub text: String,
}

impl Refusal {
    pub(crate) fn new(seq: u64, kind: SafetyKind, reason: impl Into<Reason>) -> Self {
        let Reason { violation, text } = reason.into();
        Self {
            seq,
            kind,
            violation,
            text,
        }
    }
}

/// What to say of something: its numbers, or words where it has none.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Reason {
    pub(crate) violation: Option<Violation>,
    pub(crate) text: String,
}

impl From<Violation> for Reason {
    fn from(violation: Violation) -> Self {
        Self {
            violation: Some(violation),
            text: violation.to_string(),
        }
    }
}

impl From<String> for Reason {
    fn from(text: String) -> Self {
        Self {
            violation: None,
            text,
        }
    }
}

impl From<&str> for Reason {
    fn from(text: &str) -> Self {
        text.to_owned().into()
    }
}

impl Nearest {
    /// What to say of it.
    pub(crate) fn violation(&self) -> (SafetyKind, Violation) {
        let of = |quantity| Violation::new(quantity, self.limit_m, self.distance_m);
        match self.obstacle {
            Obstacle::Links(a, b) => (SafetyKind::SelfCollision, of(Quantity::BetweenLinks(a, b))),
            Obstacle::Table(link) => (SafetyKind::TableTooNear, of(Quantity::AboveTable(link))),
            Obstacle::Wall => (
                SafetyKind::OutsideWorkspace,
                Violation::new(Quantity::Outside, -self.limit_m, -self.distance_m),
            ),
        }
    }
}

/// Most kinds of clamped values that one chunk can have.
const CLAMPED_KINDS: usize = 7;

/// Collects the worst clamped value of each kind, so that one chunk gives one event a kind.
pub(crate) struct Report<'a> {
    seq: u64,
    worst: [Option<(f64, SafetyKind, Violation)>; CLAMPED_KINDS],
    clamped: &'a mut dyn FnMut(SafetyKind, Violation),
}

impl<'a> Report<'a> {
    /// `clamped` hears of every kind in the end.
    pub(crate) fn new(seq: u64, clamped: &'a mut dyn FnMut(SafetyKind, Violation)) -> Self {
        Self {
            seq,
            worst: [None; CLAMPED_KINDS],
            clamped,
        }
    }

    /// Notes a value of which `size` says how bad it is among those of its kind.
    pub(crate) fn add(
        &mut self,
        policy: OnViolation,
        kind: SafetyKind,
        size: f64,
        violation: Violation,
    ) -> Result<(), Refusal> {
        if policy == OnViolation::Refuse {
            return Err(Refusal::new(self.seq, kind, violation));
        }
        let of_kind = |slot: &&mut Option<(f64, SafetyKind, Violation)>| {
            slot.is_none_or(|(_, other, _)| other == kind)
        };
        if let Some(slot) = self.worst.iter_mut().find(of_kind)
            && slot.is_none_or(|(worst, ..)| size > worst)
        {
            *slot = Some((size, kind, violation));
        }
        Ok(())
    }

    pub(crate) fn finish(self) {
        for (_, kind, violation) in self.worst.into_iter().flatten() {
            (self.clamped)(kind, violation);
        }
    }
}

/// Events waiting to be fetched; bounded, and a loss is itself an event.
#[derive(Debug, Clone, Default)]
pub(crate) struct EventLog {
    events: VecDeque<SafetyEvent>,
    dropped: u64,
    last_ns: u64,
}

const KEPT: usize = 256;

impl EventLog {
    pub(crate) fn push(
        &mut self,
        stamp_ns: u64,
        kind: SafetyKind,
        chunk_seq: Option<u64>,
        reason: impl Into<Reason>,
    ) {
        if self.events.len() == KEPT {
            self.events.pop_front();
            self.dropped += 1;
        }
        self.last_ns = stamp_ns;
        let Reason { violation, text } = reason.into();
        self.events.push_back(SafetyEvent {
            stamp_ns,
            kind,
            chunk_seq,
            violation,
            text,
        });
    }

    pub(crate) fn drain(&mut self) -> Vec<SafetyEvent> {
        let mut events: Vec<_> = self.events.drain(..).collect();
        let dropped = std::mem::take(&mut self.dropped);
        if dropped > 0 {
            let found = KEPT as f64 + dropped as f64;
            events.push(SafetyEvent {
                stamp_ns: self.last_ns,
                kind: SafetyKind::EventsDropped,
                chunk_seq: None,
                violation: Some(Violation::new(Quantity::Events, KEPT as f64, found)),
                text: format!("{dropped} older events were lost: fetch them more often"),
            });
        }
        events
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overflow_is_reported() {
        let mut log = EventLog::default();
        for stamp in 0..300 {
            log.push(stamp, SafetyKind::Stale, None, "");
        }
        let events = log.drain();
        assert_eq!(events.len(), KEPT + 1);
        assert_eq!(events[0].stamp_ns, 44);
        assert_eq!(events[KEPT].kind, SafetyKind::EventsDropped);
        let lost = events[KEPT].violation.unwrap();
        assert_eq!((lost.limit, lost.value), (256.0, 300.0));
        assert!(log.drain().is_empty());
    }
}
