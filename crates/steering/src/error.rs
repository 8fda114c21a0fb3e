//! What can go wrong, with what was expected and what was found.

use thiserror::Error;
use tiller_core::Problems;

/// The denoiser could not predict.
#[derive(Debug, Error)]
#[error("the denoiser failed: {0}")]
pub struct DenoiserError(#[source] pub Box<dyn std::error::Error + Send + Sync>);

impl DenoiserError {
    /// Wraps any error or message.
    pub fn new(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self(source.into())
    }
}

/// The reward could not be evaluated.
#[derive(Debug, Error)]
#[error("the reward failed: {0}")]
pub struct RewardError(#[source] pub Box<dyn std::error::Error + Send + Sync>);

impl RewardError {
    /// Wraps any error or message.
    pub fn new(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self(source.into())
    }
}

/// Why no chunk could be sampled.
#[derive(Debug, Error)]
pub enum SteeringError {
    /// The configuration or the action space is not usable.
    #[error("steering cannot be set up: {0}")]
    Config(#[from] Problems),
    /// The denoiser's shape is not the one this sampler was built for.
    #[error("the denoiser's {what} is {found}, expected {expected}")]
    Shape {
        /// Which dimension.
        what: &'static str,
        /// What the sampler was built with.
        expected: usize,
        /// What the denoiser says.
        found: usize,
    },
    /// The chunk under way cannot be carried on as asked.
    #[error("the plan under way cannot be carried on: expected {expected}, found {found}")]
    Continuation {
        /// What would fit.
        expected: String,
        /// What was given.
        found: String,
    },
    /// A joint-space policy was started without joints.
    #[error("the start has no joints, which a policy in `{mode}` needs")]
    NoJoints {
        /// The policy's mode.
        mode: &'static str,
    },
    /// The reward reads what the policy's actions do not have.
    #[error("the reward reads the gripper, expected a column for it in the policy's actions")]
    NoGripper,
    /// An argument is not a finite number.
    #[error("{what} must be finite, found {found}")]
    NotFinite {
        /// Which argument.
        what: &'static str,
        /// Its value.
        found: f64,
    },
    /// An argument is negative.
    #[error("{what} must not be negative, found {found}")]
    Negative {
        /// Which argument.
        what: &'static str,
        /// Its value.
        found: f32,
    },
    /// The denoiser failed.
    #[error(transparent)]
    Denoiser(#[from] DenoiserError),
    /// The reward failed.
    #[error(transparent)]
    Reward(#[from] RewardError),
    /// Every particle turned into something that is not a number: there is nothing to execute.
    #[error(
        "all {particles} particles were lost by step {step} of {steps}: the denoiser or the \
         reward returned values that are not finite"
    )]
    AllLost {
        /// How many particles there were.
        particles: usize,
        /// The sampling step at which the last one was lost (`steps` = at the final reward).
        step: usize,
        /// Number of sampling steps.
        steps: usize,
    },
}
