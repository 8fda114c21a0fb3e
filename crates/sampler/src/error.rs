//! Why there is no plan or no reading.

use thiserror::Error;
use tiller_core::Problems;
use tiller_reward::EvaluateError;
use tiller_steering::SteeringError;

/// What went wrong, with what was expected and what was found.
#[derive(Debug, Error)]
pub enum PilotError {
    /// The settings are not usable.
    #[error(transparent)]
    Config(#[from] Problems),
    /// The stage does not exist in the program.
    #[error("stage {found} does not exist, the program has stages 1 to {stages}")]
    NoSuchStage {
        /// The stage asked for.
        found: u32,
        /// Stages in the program; 0 when there is no program.
        stages: usize,
    },
    /// There is another number of keypoints than the program was compiled for.
    #[error("the program was compiled for {expected} keypoints, found {found}")]
    KeypointCount {
        /// Keypoints at compile time.
        expected: usize,
        /// Keypoints given.
        found: usize,
    },
    /// A position is not a finite number.
    #[error("{what} is not finite: [{}, {}, {}]", .found[0], .found[1], .found[2])]
    NotFinite {
        /// Which position.
        what: String,
        /// Its value, metres.
        found: [f64; 3],
    },
    /// The program has no finite value where the robot is.
    #[error("the program's value of {what} is not finite")]
    RewardNotFinite {
        /// Of what: holding still, the selected chunk, being done.
        what: &'static str,
    },
    /// There is no plan to carry on.
    #[error("expected a plan under way to carry on, found none")]
    NothingUnderWay,
    /// The reward could not be evaluated.
    #[error(transparent)]
    Evaluate(#[from] EvaluateError),
    /// No chunk could be sampled.
    #[error(transparent)]
    Steering(#[from] SteeringError),
}
