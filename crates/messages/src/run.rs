//! The run as a whole: safety and success.

use crate::message::message;

message! {
    /// Something the actuator refused, clamped or stopped.
    pub struct SafetyEvent {
        /// Counts from 1.
        pub seq: u64,
        /// When, ns.
        pub stamp_ns: u64,
        /// A word that machines may test for, such as `stale_chunk`.
        pub kind: String,
        /// What was expected and what was found, for people.
        pub text: String,
    }
}

message! {
    /// What the simulation's task oracle says.
    pub struct TaskStatus {
        /// Counts from 1.
        pub seq: u64,
        /// When, ns.
        pub stamp_ns: u64,
        /// The tasks asked for, with commas between; empty if the instruction is none the oracle knows.
        pub task: String,
        /// That task is achieved.
        pub success: bool,
        /// All tasks achieved since the reset.
        pub completed: Vec<String>,
        /// The episode has ended; nothing follows.
        pub episode_over: bool,
        /// Why it ended; empty while it goes on.
        pub reason: String,
    }
}
