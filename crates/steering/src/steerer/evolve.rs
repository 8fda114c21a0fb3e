//! Generations of finished chunks: chosen by reward, noised part of the way, denoised again.

use super::{Run, Steerer, highest};
use crate::config::{EvolutionConfig, Potential};
use crate::denoiser::{Denoiser, Reward};
use crate::error::SteeringError;
use crate::feynman_kac::Weights;
use crate::random::Purpose;
use crate::scheduler::copy_ancestors;

/// What generations share.
#[derive(Debug)]
pub(super) struct Evolution {
    settings: EvolutionConfig,
    /// Chances of having children.
    chances: Weights,
    /// The best chunk so far, `[T, D]`, and its reward.
    best: Vec<f32>,
    best_reward: f32,
}

impl Evolution {
    pub(super) fn new(settings: EvolutionConfig, particles: usize, stride: usize) -> Self {
        Self {
            settings,
            chances: Weights::new(Potential::Immediate, 0.0, particles),
            best: vec![0.0; stride],
            best_reward: f32::NEG_INFINITY,
        }
    }
}

impl Steerer {
    /// Lets the finished chunks in `sample` evolve, if that is asked for. The last generation is not rewarded yet;
    /// see [`keep_best`](Self::keep_best).
    pub(super) fn evolve(
        &mut self,
        denoiser: &mut dyn Denoiser,
        reward: &mut dyn Reward,
        run: &mut Run,
    ) -> Result<(), SteeringError> {
        let Some(mut evolution) = self.evolution.take() else {
            return Ok(());
        };
        let result = self.generations(denoiser, reward, run, &mut evolution);
        self.evolution = Some(evolution);
        result
    }

    fn generations(
        &mut self,
        denoiser: &mut dyn Denoiser,
        reward: &mut dyn Reward,
        run: &mut Run,
        evolution: &mut Evolution,
    ) -> Result<(), SteeringError> {
        let (first, steps) = (self.config.first_evolved_step(), self.config.steps());
        let lambda = self.per_reward(evolution.settings.lambda);
        evolution.best_reward = f32::NEG_INFINITY;
        for generation in 0..evolution.settings.generations {
            self.judge(reward, run, evolution)?;
            let used = ..run.particles * self.stride();
            let buffers = &mut self.buffers;
            let (rewards, lost) = (
                &buffers.rewards[..run.particles],
                &buffers.lost[..run.particles],
            );
            evolution.chances.set_lambda(lambda);
            evolution.chances.reset(run.particles);
            evolution.chances.update(rewards, lost);
            let uniform = run.random.uniform(Purpose::Parents, generation);
            let ancestors = evolution.chances.resample(uniform);
            copy_ancestors(
                &mut buffers.sample[used],
                ancestors,
                &mut buffers.prediction[used],
            );
            // Only particles with a chance have children.
            buffers.lost[..run.particles].fill(false);
            self.mutate(run, first, generation);
            self.sampled.trace.truncate(first);
            let mut reward: Option<&mut dyn Reward> = Some(&mut *reward);
            for step in first..steps {
                self.step(denoiser, &mut reward, run, step)?;
            }
        }
        Ok(())
    }

    /// Rewards the finished chunks, and remembers the best.
    fn judge(
        &mut self,
        reward: &mut dyn Reward,
        run: &Run,
        evolution: &mut Evolution,
    ) -> Result<(), SteeringError> {
        self.settle(Some(reward), run)?;
        let stride = self.stride();
        let buffers = &mut self.buffers;
        for (reward, lost) in buffers.rewards.iter_mut().zip(&buffers.lost) {
            *reward = if *lost { f32::NAN } else { *reward };
        }
        if let Some(best) = highest(&buffers.rewards[..run.particles])
            && buffers.rewards[best] > evolution.best_reward
        {
            evolution.best_reward = buffers.rewards[best];
            let own = best * stride..(best + 1) * stride;
            evolution.best.copy_from_slice(&buffers.sample[own]);
        }
        Ok(())
    }

    /// Noises finished chunks to where step `first` starts.
    fn mutate(&mut self, run: &Run, first: usize, generation: usize) {
        let level = self.level(first);
        let stride = self.stride();
        self.solver.restart();
        let buffers = &mut self.buffers;
        let samples = buffers.sample.chunks_exact_mut(stride).take(run.particles);
        for (particle, sample) in samples.enumerate() {
            let fresh = &mut buffers.fresh;
            run.random
                .normal(Purpose::Mutate, generation, 0, particle, fresh);
            for (value, fresh) in sample.iter_mut().zip(fresh) {
                *value = level.signal as f32 * *value + level.noise as f32 * *fresh;
            }
        }
    }

    /// Puts the best chunk of all generations in the place of the worst of the last one, which has its rewards, where
    /// none of that is as good. Says whether it did: then there is a chunk in `sample` without a reward.
    pub(super) fn keep_best(&mut self, particles: usize) -> bool {
        let stride = self.stride();
        let Some(evolution) = &self.evolution else {
            return false;
        };
        let buffers = &mut self.buffers;
        // One that is lost is the worst.
        let reward = |index: usize| Some(buffers.rewards[index]).filter(|_| !buffers.lost[index]);
        let is_there = (0..particles)
            .filter_map(reward)
            .any(|reward| reward >= evolution.best_reward);
        let worst = (0..particles).min_by(|a, b| {
            reward(*a)
                .partial_cmp(&reward(*b))
                .unwrap_or(std::cmp::Ordering::Equal)
        });
        let Some(worst) = worst.filter(|_| !is_there) else {
            return false;
        };
        buffers.sample[worst * stride..][..stride].copy_from_slice(&evolution.best);
        if std::mem::replace(&mut buffers.lost[worst], false) {
            self.sampled.lost -= 1;
        }
        true
    }
}
