//! The steering crate's traits bound to a compiled reward and to a clock.

use std::time::{Duration, Instant};

use tiller_core::{Reads, Trajectories, TrajectoriesMut};
use tiller_reward::{EvaluateError, Evaluator, Real, Scene};
use tiller_steering::{Denoiser, DenoiserError, Reward, RewardError};

use super::goal::Landscape;

/// Evaluates, leaving it to the caller to look for particles without a finite number.
fn evaluate<T: Real>(
    evaluator: &mut Evaluator<T>,
    scene: &Scene<'_>,
    trajectories: &Trajectories<'_, T>,
    values: &mut [T],
    gradients: Option<TrajectoriesMut<'_, T>>,
) -> Result<(), EvaluateError> {
    match evaluator.evaluate_whole(scene, trajectories, values, gradients) {
        // All values have been written; the others are good.
        Err(EvaluateError::NotFinite { .. }) => Ok(()),
        result => result,
    }
}

/// A stage's reward in the scene of one moment, for the sampler.
pub(crate) struct BoundReward<'a> {
    pub(crate) reads: Reads,
    pub(crate) evaluator: &'a mut Evaluator<f32>,
    pub(crate) scene: Scene<'a>,
    pub(crate) spent: Duration,
}

impl Reward for BoundReward<'_> {
    fn reads(&self) -> Reads {
        self.reads
    }

    fn evaluate(
        &mut self,
        trajectories: &[f32],
        values: &mut [f32],
        gradients: &mut [f32],
    ) -> Result<(), RewardError> {
        self.evaluate_whole(
            &Trajectories::of_positions(trajectories),
            values,
            &mut TrajectoriesMut::of_positions(gradients),
        )
    }

    fn evaluate_whole(
        &mut self,
        trajectories: &Trajectories<'_>,
        values: &mut [f32],
        gradients: &mut TrajectoriesMut<'_>,
    ) -> Result<(), RewardError> {
        let start = Instant::now();
        let gradients = TrajectoriesMut {
            positions: gradients.positions,
            rotations: gradients.rotations,
            gripper: gradients.gripper,
        };
        let result = evaluate(
            self.evaluator,
            &self.scene,
            trajectories,
            values,
            Some(gradients),
        );
        self.spent += start.elapsed();
        result.map_err(RewardError::new)
    }
}

/// The same in double precision, for measuring progress and searching the goal.
pub(crate) struct ExactReward<'a> {
    pub(crate) evaluator: &'a mut Evaluator<f64>,
    pub(crate) scene: Scene<'a>,
}

impl Landscape for ExactReward<'_> {
    type Error = EvaluateError;

    fn evaluate(
        &mut self,
        trajectories: &Trajectories<'_, f64>,
        values: &mut [f64],
        gradients: Option<TrajectoriesMut<'_, f64>>,
    ) -> Result<(), EvaluateError> {
        evaluate(self.evaluator, &self.scene, trajectories, values, gradients)
    }
}

/// A denoiser whose calls are timed and counted.
pub(crate) struct TimedDenoiser<'a> {
    pub(crate) inner: &'a mut dyn Denoiser,
    pub(crate) spent: Duration,
    pub(crate) calls: usize,
}

impl Denoiser for TimedDenoiser<'_> {
    fn horizon(&self) -> usize {
        self.inner.horizon()
    }

    fn action_dim(&self) -> usize {
        self.inner.action_dim()
    }

    fn predict(
        &mut self,
        sample: &[f32],
        particles: usize,
        time: f32,
        out: &mut [f32],
    ) -> Result<(), DenoiserError> {
        let start = Instant::now();
        let result = self.inner.predict(sample, particles, time, out);
        self.spent += start.elapsed();
        self.calls += 1;
        result
    }
}
