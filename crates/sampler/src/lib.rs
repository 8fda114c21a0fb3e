//! Binds policy, reward and steering into one step: observation to action chunk.
//!
//! A [`Pilot`] holds the sampler, the reward program and the stage that the robot is in. Each
//! [`Pilot::plan`] asks the policy (whose observation is already encoded) for a chunk, steered by
//! the stage's reward; each [`Pilot::progress`] says how far the stage is, without planning.
//! The node and the command line run this very code.
//!
//! Positions are metres in the robot base frame, keypoints in the order the program was compiled
//! for.

mod bound;
mod config;
mod error;
mod goal;
mod pilot;
mod plan;
mod progress;
mod stall;

pub use config::PilotConfig;
pub use error::PilotError;
pub use pilot::Pilot;
pub use plan::{CarryOn, Plan, Request, Timings};
pub use progress::{GoalSource, Reading, Scale};
pub use stall::StallConfig;
