//! The stage machine: progress signals to stage decisions.
//!
//! A reward program has `N` stages. While the robot moves, the machine reads how far the current
//! stage has come and decides, alone and at once, which stage the sampler should steer towards.
//! It is pure: no clock, no threads, no messages. Every input carries its own stamp, so the same
//! inputs give the same decisions, live or replayed.
//!
//! ```
//! use tiller_stages::{DecisionKind, ProgressReading, StageConfig, StageInfo, StageMachine};
//!
//! let mut machine = StageMachine::new(StageConfig::default())?;
//! let first = machine.on_program(0, &[StageInfo::with_done("above the handle")])?;
//! assert_eq!((first.stage, first.visit), (1, 1));
//!
//! let mut reading = ProgressReading {
//!     stamp_ns: 1_000_000_000, executed_ns: 900_000_000, stage: 1, visit: 1,
//!     planned: 0.9, achieved: 0.9, done: Some(0.01),
//! };
//! assert!(machine.on_progress(&reading).is_none()); // one frame may be noise
//! reading.stamp_ns += 100_000_000;
//! let decision = machine.on_progress(&reading).ok_or("a decision is due")?;
//! assert_eq!(decision.kind, DecisionKind::Finished);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod config;
mod decision;
mod gripper;
mod machine;
mod schmitt;

pub use config::StageConfig;
pub use decision::{
    Advice, AdviceRefusal, Decision, DecisionKind, ProgramRefusal, ProgressReading, Query,
    StageInfo,
};
pub use gripper::{GripperEvent, GripperGoal, GripperWatch};
pub use machine::StageMachine;
pub use schmitt::{Crossing, SchmittTrigger};
