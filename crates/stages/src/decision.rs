//! What goes into the machine and what comes out of it.

use std::fmt;

use thiserror::Error;

use crate::gripper::GripperGoal;

/// What the machine needs to know of one stage of a program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StageInfo {
    /// The stage's own description, shown in reasons.
    pub description: String,
    /// The program has a done function for this stage; it then decides the advance alone.
    pub has_done: bool,
    /// The stage steers at all; false for the literal no-guidance stage.
    pub guided: bool,
    /// What the gripper has to do for the stage's goal, if the stage is about the gripper.
    pub gripper: Option<GripperGoal>,
}

impl StageInfo {
    /// A guided stage with a done function.
    pub fn with_done(description: &str) -> Self {
        Self {
            has_done: true,
            ..Self::by_progress(description)
        }
    }

    /// A guided stage without a done function: progress and the gripper decide. The gripper goal is
    /// read from the description ("grasp the block", "release it").
    pub fn by_progress(description: &str) -> Self {
        Self {
            description: description.to_owned(),
            has_done: false,
            guided: true,
            gripper: GripperGoal::from_description(description),
        }
    }
}

/// How far the current stage has come, as the sampler measured it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ProgressReading {
    /// When the observation was taken, ns.
    pub stamp_ns: u64,
    /// For how long the arm has followed chunks so far, ns from any origin: only then can progress rise.
    pub executed_ns: u64,
    /// The stage (1-based) that was steered.
    pub stage: u32,
    /// The visit of that stage; readings of another visit are ignored.
    pub visit: u32,
    /// Progress of the selected chunk.
    pub planned: f64,
    /// Progress of holding still now.
    pub achieved: f64,
    /// The stage's done value, complete at or above 0; `None` without a done function.
    pub done: Option<f64>,
}

/// A vision-language model's opinion on which stage should be active.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Advice {
    /// The visit that was active when the question was asked.
    pub asked_visit: u32,
    /// The stage (1-based) that should be active.
    pub stage: u32,
    /// The adviser's words.
    pub reason: String,
}

/// A question worth asking an adviser, at most one a visit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// The active stage.
    pub stage: u32,
    /// The active visit, to be echoed by the advice.
    pub visit: u32,
    /// Why it is asked.
    pub trigger: String,
}

/// Why advice was not taken.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum AdviceRefusal {
    /// No program is active, or it has ended.
    #[error("no stage is active")]
    Inactive,
    /// The advice is for a visit that is over.
    #[error("the advice is for visit {found}, expected visit {expected}: it came too late")]
    Stale {
        /// The active visit.
        expected: u32,
        /// The visit that the advice was for.
        found: u32,
    },
    /// The advice names a stage that the program does not have.
    #[error("the advice names stage {found}, expected one of 1..={stages}")]
    NoSuchStage {
        /// Stages of the program.
        stages: u32,
        /// The stage that was named.
        found: u32,
    },
    /// Following the advice would exceed the visits allowed for a stage.
    #[error("stage {stage} has had {visits} visits already, the most that are allowed")]
    TooManyVisits {
        /// The stage that was named.
        stage: u32,
        /// Its visits so far.
        visits: u32,
    },
}

/// A program that cannot be run.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ProgramRefusal {
    /// No stages at all.
    #[error("expected a program with at least one stage, found none")]
    NoStages,
}

/// What kind of decision was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DecisionKind {
    /// A later stage begins (also the first one).
    Advance,
    /// The same stage goes on; with a new visit number when it is entered afresh.
    Stay,
    /// An earlier stage begins again.
    Back,
    /// Guidance resumes in the same visit.
    GuidanceOn,
    /// Guidance pauses in the same visit.
    GuidanceOff,
    /// The last stage is complete.
    Finished,
    /// The budget of tries is spent.
    GiveUp,
}

impl fmt::Display for DecisionKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Advance => "advance",
            Self::Stay => "stay",
            Self::Back => "back",
            Self::GuidanceOn => "guidance_on",
            Self::GuidanceOff => "guidance_off",
            Self::Finished => "finished",
            Self::GiveUp => "give_up",
        })
    }
}

/// A change of what the sampler should do, with its reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// What kind of change it is.
    pub kind: DecisionKind,
    /// The active stage, 1-based; stays at the last one after the end.
    pub stage: u32,
    /// Counts every entry of any stage over the machine's life, so that it never repeats.
    pub visit: u32,
    /// Whether the sampler should steer.
    pub guidance: bool,
    /// Why, in words for a person.
    pub reason: String,
}

impl Decision {
    /// True when the program has ended, well or not.
    pub fn is_final(&self) -> bool {
        matches!(self.kind, DecisionKind::Finished | DecisionKind::GiveUp)
    }
}
