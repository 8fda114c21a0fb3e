//! The run as a whole: safety and success.

use tiller_core::{
    EpisodeId, MAX_DESCRIPTION, MAX_INSTRUCTION, MAX_NAME, MAX_STATUS, visible_line,
};

use crate::message::message;
use crate::{Message, MessageError};

message! {
    /// Something the actuator refused, clamped or stopped.
    pub struct SafetyEvent {
        /// When, ns.
        pub stamp_ns: u64,
        /// A word that machines may test for, such as `stale_chunk`.
        pub kind: String,
        /// The chunk that it is about; null where it is about none.
        pub chunk_seq: Option<u64>,
        /// What was measured, with its unit at the end, such as `joint_4_position_rad`; null, as
        /// `limit` and `value`, where there is no number to it.
        pub quantity: Option<String>,
        /// What it may be, at most or at least.
        pub limit: Option<f64>,
        /// What it was.
        pub value: Option<f64>,
        /// The step of the chunk that it is about, from 0; null where it is about none.
        pub step: Option<u32>,
        /// What was expected and what was found, for people.
        pub text: String,
    }
    names kind;
    cut text to MAX_STATUS;
    check SafetyEvent::check;
}

impl SafetyEvent {
    fn check(&self) -> Result<(), MessageError> {
        let found = (&self.quantity, self.limit, self.value);
        let is_name = |name: &String| name.chars().count() <= MAX_NAME;
        match found {
            (None, None, None) => return Ok(()),
            (Some(name), Some(_), Some(_)) if is_name(name) => return Ok(()),
            _ => {}
        }
        Err(MessageError::Value {
            message: Self::NAME,
            column: "quantity, limit, value",
            expected: format!("all three or none, the first of at most {MAX_NAME} characters"),
            found: visible_line(&format!("{found:?}"), MAX_NAME),
        })
    }
}

message! {
    /// A piece of what a machine was told and what it answered, for replays: `tiller-closed-loop` writes and reads it.
    pub struct Journal {
        /// Where its bytes stand in the journal of this session; pieces overlap, for some may get lost.
        pub offset: u64,
        /// What the machine is and how it was set, from which its replay starts.
        pub header: Vec<u8>,
        /// The bytes; an entry may go on in the next piece.
        pub entries: Vec<u8>,
    }
}

message! {
    /// What a worker of a benchmark says of itself.
    pub struct BenchReport {
        /// A line of JSON, as `tiller-bench` writes and reads it.
        pub report: String,
    }
}

message! {
    /// What a worker of a benchmark is to do.
    pub struct BenchWork {
        /// A line of JSON, as `tiller-bench` writes and reads it.
        pub work: String,
    }
}

message! {
    /// What the simulation's task oracle says.
    pub struct TaskStatus {
        /// When, ns.
        pub stamp_ns: u64,
        /// The episode.
        pub episode: EpisodeId,
        /// The tasks asked for; empty if the instruction is none that the world can judge.
        pub tasks: Vec<String>,
        /// They are achieved, and have held for as long as the world demands.
        pub success: bool,
        /// All tasks achieved since the reset.
        pub completed: Vec<String>,
        /// What was moved or touched beside the task, in words.
        pub collateral: Vec<String>,
        /// The episode has ended.
        pub episode_over: bool,
        /// Why it ended; empty while it goes on.
        pub reason: String,
    }
    names tasks, completed;
    cut collateral to MAX_DESCRIPTION, reason to MAX_STATUS;
}

message! {
    /// An episode begins: programs, plans, stages and keypoints of others are void.
    pub struct Episode {
        /// Its number; larger than those of all episodes before.
        pub id: EpisodeId,
        /// From when on, ns: what was seen before belongs to another episode.
        pub stamp_ns: u64,
        /// What the robot is to do.
        pub instruction: String,
        /// Of the scene, where a world draws one.
        pub seed: u64,
        /// The tasks as the world names them; empty if it knows none for the instruction.
        pub tasks: Vec<String>,
        /// No further episode will come.
        pub last: bool,
    }
    names tasks;
    cut instruction to MAX_INSTRUCTION;
}
