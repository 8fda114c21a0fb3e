//! The two things that callers bind: a policy and a reward.

use tiller_core::{Reads, Trajectories, TrajectoriesMut};

use crate::error::{DenoiserError, RewardError};

/// A policy's denoising network with the observation already bound.
pub trait Denoiser {
    /// Steps `T` in a chunk.
    fn horizon(&self) -> usize;

    /// Columns `D` of an action.
    fn action_dim(&self) -> usize;

    /// Predicts for all particles at once what the scheduler's configuration says: the noise, the
    /// clean chunk, a velocity.
    ///
    /// `sample` and `out` are `[particles, T, D]`, normalised; `time` is what the scheduler names
    /// the noise level (flow matching: from 0 to 1; diffusion: the training step). Values that are not
    /// finite lose only the particle they belong to.
    ///
    /// # Errors
    /// When the network cannot be run.
    fn predict(
        &mut self,
        sample: &[f32],
        particles: usize,
        time: f32,
        out: &mut [f32],
    ) -> Result<(), DenoiserError>;
}

/// A differentiable reward on the hand's trajectories.
///
/// One that reads positions only needs [`Self::evaluate`] alone. One that reads more says so in
/// [`Self::reads`] and writes [`Self::evaluate_whole`], which is all that a sampler calls.
pub trait Reward {
    /// What must be in the trajectories beside positions. The same during a whole sampling run.
    fn reads(&self) -> Reads {
        Reads::default()
    }

    /// Evaluates all particles: `trajectories` is `[B, P, 3]` in metres in the base frame, the
    /// first of the `P` points being the start; `values` is `[B]`, `gradients` is `[B, P, 3]` and
    /// must be overwritten. Values that are not finite lose only the particle they belong to.
    ///
    /// # Errors
    /// When the reward cannot be evaluated at all.
    fn evaluate(
        &mut self,
        trajectories: &[f32],
        values: &mut [f32],
        gradients: &mut [f32],
    ) -> Result<(), RewardError>;

    /// Evaluates all particles on whatever [`Self::reads`] asks for; `gradients` has the shapes of
    /// `trajectories` and must be overwritten.
    ///
    /// # Errors
    /// When the reward cannot be evaluated at all.
    fn evaluate_whole(
        &mut self,
        trajectories: &Trajectories<'_>,
        values: &mut [f32],
        gradients: &mut TrajectoriesMut<'_>,
    ) -> Result<(), RewardError> {
        self.evaluate(trajectories.positions, values, gradients.positions)
    }
}
