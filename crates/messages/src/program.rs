//! The reward program on its way to the sampler, and what its author has to say.

use tiller_core::{EpisodeId, MAX_DESCRIPTION, MAX_INSTRUCTION, MAX_STATUS, ProgramId};

use crate::message::{check_length, message};
use crate::{Message, MessageError};

message! {
    /// A reward program that has been parsed, checked and compiled once by its sender.
    pub struct RewardProgram {
        /// Its number; larger than those of all programs before.
        pub id: ProgramId,
        /// The episode that it was written for.
        pub episode: EpisodeId,
        /// The keypoint generation that its indices refer to.
        pub generation: u32,
        /// Points of a trajectory that it was compiled for.
        pub points: u32,
        /// What the robot was asked to do.
        pub instruction: String,
        /// Number of stages, at least 1.
        pub num_stages: u32,
        /// The program's text.
        pub text: String,
        /// Who wrote it, such as `embedded`.
        pub source: String,
        /// What each stage is for, `[num_stages]`.
        pub descriptions: Vec<String>,
        /// Which stages say themselves when they are done, `[num_stages]`.
        pub has_done: Vec<bool>,
        /// Which stages leave the policy unguided, `[num_stages]`.
        pub unguided: Vec<bool>,
    }
    cut instruction to MAX_INSTRUCTION, source to MAX_DESCRIPTION, descriptions to MAX_DESCRIPTION;
    check RewardProgram::check;
}

impl RewardProgram {
    fn check(&self) -> Result<(), MessageError> {
        let stages = self.num_stages as usize;
        if stages == 0 {
            return Err(MessageError::Value {
                message: Self::NAME,
                column: "num_stages",
                expected: "1 or more".to_owned(),
                found: "0".to_owned(),
            });
        }
        check_length(Self::NAME, "descriptions", stages, self.descriptions.len())?;
        check_length(Self::NAME, "has_done", stages, self.has_done.len())?;
        check_length(Self::NAME, "unguided", stages, self.unguided.len())
    }
}

message! {
    /// A program for whoever decides about it, sound or not, and what has been decided.
    pub struct Proposal {
        /// Its number, larger than those of all before; the program has the same when it is sent.
        pub id: ProgramId,
        /// The episode that it was written for.
        pub episode: EpisodeId,
        /// The keypoint generation that its indices refer to.
        pub generation: u32,
        /// What the robot was asked to do.
        pub instruction: String,
        /// The program's text; empty where none was written.
        pub text: String,
        /// Who wrote it, such as `embedded`.
        pub source: String,
        /// `proposed`, `approved`, `refused` or `unsound`.
        pub state: ProposalState,
        /// What each stage is for; empty where the program is unsound.
        pub descriptions: Vec<String>,
        /// What is wrong with it, or doubtful, for people.
        pub diagnostics: Vec<String>,
        /// Answers that the author needed for it; 0 where nobody was asked.
        pub answers: u32,
    }
    cut instruction to MAX_INSTRUCTION, source to MAX_DESCRIPTION, descriptions to MAX_DESCRIPTION,
        diagnostics to MAX_STATUS;
}

/// What has become of a [`Proposal`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum ProposalState {
    /// It waits for a decision; the robot has no program meanwhile.
    #[default]
    Proposed,
    /// It is what the robot follows.
    Approved,
    /// An operator does not want it.
    Refused,
    /// It does not compile, and nobody can approve it.
    Unsound,
}

crate::column::words!(ProposalState {
    Proposed => "proposed",
    Approved => "approved",
    Refused => "refused",
    Unsound => "unsound",
});

message! {
    /// What an operator decides about a [`Proposal`].
    pub struct Approval {
        /// The proposal; a decision about another than the newest is void.
        pub program: ProgramId,
        /// `approve`, `refuse`, `edit` or `again`.
        pub decision: ApprovalDecision,
        /// The whole program as it was edited; empty for other decisions.
        pub text: String,
        /// Why, for people.
        pub reason: String,
    }
    cut reason to MAX_STATUS;
}

/// What may be decided about a [`Proposal`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum ApprovalDecision {
    /// The robot may follow it.
    Approve,
    /// It may not.
    #[default]
    Refuse,
    /// Another text is to be proposed in its place.
    Edit,
    /// The author is to write anew.
    Again,
}

crate::column::words!(ApprovalDecision {
    Approve => "approve",
    Refuse => "refuse",
    Edit => "edit",
    Again => "again",
});

message! {
    /// Something a node wants people to know.
    pub struct Status {
        /// The node that speaks.
        pub node: String,
        /// How grave it is.
        pub level: Level,
        /// A word that machines may test for, such as `refused`.
        pub code: String,
        /// The whole message, for people.
        pub text: String,
    }
    names node, code;
    cut text to MAX_STATUS;
}

/// How grave a [`Status`] is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Level {
    /// All is well.
    #[default]
    Info,
    /// It goes on, but not as wished.
    Warning,
    /// It does not go on.
    Error,
}

crate::column::words!(Level {
    Info => "info",
    Warning => "warning",
    Error => "error",
});
