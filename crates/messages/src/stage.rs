//! Where in the task the robot is.

use tiller_core::{EpisodeId, MAX_STATUS, ProgramId, Visit};

use crate::message::message;

message! {
    /// The switcher's decision: which stage is steered for, and whether at all.
    pub struct StageCommand {
        /// Stamp of the reading that decided it, ns.
        pub stamp_ns: u64,
        /// The episode that is under way.
        pub episode: EpisodeId,
        /// The program that the stage belongs to.
        pub program: ProgramId,
        /// Stage counted from 1; 0 when there is none.
        pub stage: u32,
        /// How many times stages have been entered, this one included.
        pub visit: u32,
        /// Steer for the stage; else the policy runs free.
        pub guidance: bool,
        /// The last stage is complete.
        pub finished: bool,
        /// The tries are spent without success.
        pub gave_up: bool,
        /// The decision in a word: `advance`, `stay`, `back`, `guidance_on`, `guidance_off`,
        /// `finished` or `give_up`.
        pub kind: String,
        /// Why, for people.
        pub reason: String,
    }
    names kind;
    cut reason to MAX_STATUS;
}

message! {
    /// The switcher asks a model whether the stage is right.
    pub struct StageQuery {
        /// The program under way.
        pub program: ProgramId,
        /// The stage in question, counted from 1.
        pub stage: u32,
        /// The visit in question.
        pub visit: u32,
        /// What makes the switcher ask.
        pub reason: String,
    }
    cut reason to MAX_STATUS;
}

message! {
    /// A model's answer to a [`StageQuery`].
    pub struct StageAdvice {
        /// The program that was asked about; advice for another one is void.
        pub program: ProgramId,
        /// The visit that was asked about; advice for another one is void.
        pub visit: u32,
        /// The stage to be in, counted from 1.
        pub stage: u32,
        /// Why, for people.
        pub reason: String,
    }
    cut reason to MAX_STATUS;
}

message! {
    /// How far the current stage has come.
    pub struct Progress {
        /// Stamp of the keypoints, ns.
        pub stamp_ns: u64,
        /// The program that is measured.
        pub program: ProgramId,
        /// Stage counted from 1; 0 when unsteered.
        pub stage: u32,
        /// The visit of that stage.
        pub visit: u32,
        /// Progress that the selected chunk will bring, -0.2 to 1.2.
        pub planned: f64,
        /// Progress of holding still now, -0.2 to 1.2.
        pub achieved: f64,
        /// Value of the stage's `done`; at or above 0 when complete; none if it has none.
        pub done: Option<f64>,
        /// How strongly the last chunk was pushed, 0 or more.
        pub guidance_strength: f64,
        /// Reward of the selected chunk.
        pub reward: f64,
        /// Effective number of particles at the end of sampling.
        pub ess: f64,
    }
}

impl StageCommand {
    /// The visit that is commanded.
    pub fn visit(&self) -> Visit {
        Visit {
            program: self.program,
            stage: self.stage,
            visit: self.visit,
        }
    }

    /// Whether the program has ended, well or not.
    pub fn is_over(&self) -> bool {
        self.finished || self.gave_up
    }
}
