//! What the actuator refuses, clamps and stops for, and how it says so.

use std::collections::VecDeque;
use std::fmt;

use thiserror::Error;

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
    /// A chunk started too far from the commanded position.
    AnchorGap,
    /// A step was longer than allowed.
    StepTooLarge,
    /// A waypoint lay outside the workspace.
    OutsideWorkspace,
    /// A gripper value lay outside -1 to +1.
    GripperRange,
    /// The robot fell too far behind its setpoints, or the setpoints behind the reference.
    TrackingLost,
    /// The robot's reading was missing, not finite, or outside the joint limits.
    ReadingLost,
    /// The control loop did not run for too long while a chunk was executing.
    LoopGap,
    /// A controlled stop was asked for.
    StopRequested,
    /// A chunk came while stopping or stopped.
    NotAccepting,
    /// Motion was allowed again after a stop.
    Resumed,
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
            Self::GripperRange => "gripper_range",
            Self::TrackingLost => "tracking_lost",
            Self::ReadingLost => "reading_lost",
            Self::LoopGap => "loop_gap",
            Self::StopRequested => "stop_requested",
            Self::NotAccepting => "not_accepting",
            Self::Resumed => "resumed",
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
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SafetyEvent {
    /// When, on the clock passed to the actuator, ns.
    pub stamp_ns: u64,
    /// What.
    pub kind: SafetyKind,
    /// What exactly, with the expected and the found value.
    pub text: String,
}

/// Why a chunk was not accepted; the motion under way goes on.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("chunk {seq} refused ({kind}): {text}")]
pub struct Refusal {
    /// The chunk's sequence number.
    pub seq: u64,
    /// What was wrong.
    pub kind: SafetyKind,
    /// What exactly, with the expected and the found value.
    pub text: String,
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
    pub(crate) fn push(&mut self, stamp_ns: u64, kind: SafetyKind, text: String) {
        if self.events.len() == KEPT {
            self.events.pop_front();
            self.dropped += 1;
        }
        self.last_ns = stamp_ns;
        self.events.push_back(SafetyEvent {
            stamp_ns,
            kind,
            text,
        });
    }

    pub(crate) fn drain(&mut self) -> Vec<SafetyEvent> {
        let mut events: Vec<_> = self.events.drain(..).collect();
        let dropped = std::mem::take(&mut self.dropped);
        if dropped > 0 {
            events.push(SafetyEvent {
                stamp_ns: self.last_ns,
                kind: SafetyKind::EventsDropped,
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
            log.push(stamp, SafetyKind::Stale, String::new());
        }
        let events = log.drain();
        assert_eq!(events.len(), KEPT + 1);
        assert_eq!(events[0].stamp_ns, 44);
        assert_eq!(events[KEPT].kind, SafetyKind::EventsDropped);
        assert!(log.drain().is_empty());
    }
}
