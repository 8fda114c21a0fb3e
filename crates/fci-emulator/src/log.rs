//! What happened, for tests and people.

use crate::flags::ErrorFlag;

/// Most entries that are kept; later ones are dropped.
const MOST: usize = 100_000;

/// One thing that happened.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// A client connected to the robot.
    Connected,
    /// A client was turned away: it speaks another version.
    TurnedAway {
        /// Which.
        version: u16,
    },
    /// The client's connection to the robot ended.
    Disconnected,
    /// A motion began.
    MotionBegan {
        /// What is commanded.
        generator: String,
        /// Who controls.
        controller: String,
    },
    /// A motion ended.
    MotionEnded {
        /// As the client is told.
        status: String,
        /// Milliseconds since its first command.
        commanded_ms: u64,
    },
    /// The robot stopped by itself.
    Reflex(ErrorFlag),
    /// The user stop was pressed, or released.
    UserStop(bool),
    /// The robot's errors were cleared.
    Recovered,
    /// Something was set.
    Set(&'static str),
    /// The gripper was told to do something.
    Gripper(String),
    /// What the gripper was told ended so.
    GripperDone(String),
}

/// An event and the robot's cycle, which is a millisecond, in which it happened.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The cycle.
    pub cycle: u64,
    /// What happened.
    pub event: Event,
}

#[derive(Debug, Default)]
pub(crate) struct Log(Vec<Entry>);

impl Log {
    pub(crate) fn note(&mut self, cycle: u64, event: Event) {
        if self.0.len() < MOST {
            self.0.push(Entry { cycle, event });
        }
    }

    /// Those after the first `known`.
    pub(crate) fn since(&self, known: usize) -> &[Entry] {
        self.0.get(known..).unwrap_or_default()
    }
}
