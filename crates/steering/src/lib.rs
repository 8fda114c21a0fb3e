//! Inference-time steering of diffusion and flow-matching samplers.
//!
//! A frozen policy denoises `B` action chunks ("particles") side by side. While it does, a
//! [`Steerer`] pushes them toward a reward on the trajectories that the chunks would execute:
//! first apart from each other ([`diversity`]), then up the reward's gradient ([`guidance`]), and
//! through [`feynman_kac`] resampling. At the end the particle with the highest reward is chosen.
//!
//! The crate is a leaf: it knows neither networks nor reward programs. Callers bind the two traits
//! [`Denoiser`] and [`Reward`].
//!
//! Shapes are row-major and written `[B, T, D]`: particles, horizon, action columns. Samples are
//! normalised as the policy was trained (usually `[-1, 1]`); trajectories are positions in metres and,
//! for rewards that ask, rotations and gripper openings ([`Trajectories`]).
//!
//! ```
//! use tiller_core::ActionLayout;
//! use tiller_steering::{ActionSpace, Denoiser, DenoiserError, Reward, RewardError};
//! use tiller_steering::{Start, Steerer, SteeringConfig};
//!
//! /// A policy whose every action is zero: its velocity is `noise - data = x / t`.
//! struct Still;
//! impl Denoiser for Still {
//!     fn horizon(&self) -> usize { 8 }
//!     fn action_dim(&self) -> usize { 4 }
//!     fn predict(
//!         &mut self, sample: &[f32], _particles: usize, time: f32, out: &mut [f32],
//!     ) -> Result<(), DenoiserError> {
//!         for (o, x) in out.iter_mut().zip(sample) { *o = x / time; }
//!         Ok(())
//!     }
//! }
//! /// Being far along x is good.
//! struct Forward;
//! impl Reward for Forward {
//!     fn evaluate(
//!         &mut self, trajectories: &[f32], values: &mut [f32], gradients: &mut [f32],
//!     ) -> Result<(), RewardError> {
//!         let stride = trajectories.len() / values.len();
//!         gradients.fill(0.0);
//!         for (b, value) in values.iter_mut().enumerate() {
//!             *value = trajectories[b * stride + stride - 3];
//!             gradients[b * stride + stride - 3] = 1.0;
//!         }
//!         Ok(())
//!     }
//! }
//! let layout = ActionLayout::position_deltas(4, [0, 1, 2], Some(3), 10.0);
//! let (min, max) = ([-0.03, -0.03, -0.03, -1.0], [0.03, 0.03, 0.03, 1.0]);
//! let space = ActionSpace::from_min_max(layout, &min, &max);
//! let mut steerer = Steerer::new(SteeringConfig::default(), space, 8)?;
//! let start = Start::at([0.4, 0.0, 0.2]);
//! let sampled = steerer.sample(&mut Still, Some(&mut Forward), &start, 0.0, 7, 0)?;
//! assert_eq!(sampled.chunk.len(), 8 * 4);
//! assert!(sampled.rewards[sampled.selected] > 0.4, "steered forward");
//! # Ok::<(), tiller_steering::SteeringError>(())
//! ```

mod action;
mod config;
mod continuation;
mod denoiser;
pub mod diversity;
mod error;
pub mod feynman_kac;
mod finite;
pub mod guidance;
mod guide;
pub mod random;
mod real;
mod sampled;
pub mod scheduler;
mod steerer;
mod trajectory;

pub use action::ActionSpace;
pub use config::{
    DiversityConfig, EvolutionConfig, FeynmanKacConfig, GradientPoint, Kernel, Normalise,
    Potential, SteeringConfig, StrengthConfig, TraceLevel,
};
pub use denoiser::{Denoiser, Reward};
pub use error::{DenoiserError, RewardError, SteeringError};
pub use guide::{Guide, UnknownBlock};
pub use real::Real;
pub use sampled::{ParticleTrace, Phase, Sampled, StepTrace};
pub use steerer::Steerer;
pub use tiller_core::{Reads, Trajectories, TrajectoriesMut};
pub use trajectory::{Start, TrajectoryMap};
