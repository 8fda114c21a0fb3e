//! What pushes the particles in a step: repulsion, the reward, resampling.

use super::{Run, Steerer};
use crate::config::{GradientPoint, Normalise};
use crate::denoiser::Reward;
use crate::error::SteeringError;
use crate::finite::all_finite;
use crate::guidance;
use crate::guide::Guide;
use crate::random::Purpose;
use crate::sampled::{Phase, StepTrace};
use crate::scheduler::copy_ancestors;

/// Particles whose gradients are turned into a push while they are in the nearest cache.
const PUSHED_TOGETHER: usize = 16;

impl Steerer {
    /// The trace of a step that nothing pushes.
    pub(super) fn free(&self, step: usize) -> StepTrace {
        StepTrace {
            time: self.level(step).time as f32,
            phase: Phase::Free,
            reward_mean: f32::NAN,
            reward_max: f32::NAN,
            gradient_norm: 0.0,
            strength: 0.0,
            ess: f32::NAN,
            resampled: false,
            lost: 0,
        }
    }

    /// Phase 1: pushes the particles' trajectories apart.
    pub(super) fn repel(&mut self, run: &Run, step: usize) -> StepTrace {
        let mut trace = self.free(step);
        let (Some(repulsion), Some(diversity)) = (&mut self.repulsion, self.config.diversity)
        else {
            return trace;
        };
        trace.phase = Phase::Diversity;
        let (points, count) = (self.map.points() * 3, run.particles);
        self.buffers.lay_out(&self.map, run, self.config.at, false);
        let buffers = &mut self.buffers;
        repulsion.gradient(
            &buffers.trajectories.positions[..count * points],
            &buffers.lost[..count],
            run.random.uniform(Purpose::Neighbours, step),
            &mut buffers.trajectory_gradient.positions[..count * points],
        );
        // The potential must fall, so the push is against its gradient.
        let strength = -f64::from(diversity.scale) * self.level(step).noise_share();
        self.push(run, step, strength, Guide::default(), &mut trace);
        trace.strength = -trace.strength;
        trace
    }

    /// Phase 2: pushes every particle up its reward.
    pub(super) fn guide(
        &mut self,
        reward: &mut dyn Reward,
        run: &Run,
        step: usize,
    ) -> Result<StepTrace, SteeringError> {
        let mut trace = self.free(step);
        trace.phase = Phase::Guided;
        self.evaluate(reward, run, step, self.config.at)?;
        let share = self.level(step).noise_share();
        let scale = f64::from(self.config.guide_scale) * f64::from(self.gain);
        let strength = scale * f64::from(run.strength) * share;
        let reached = Guide {
            rotation: self.config.guide.rotation && run.reads.rotations,
            gripper: self.config.guide.gripper && run.reads.gripper,
        };
        self.push(run, step, strength, reached, &mut trace);
        if self.config.at == GradientPoint::Noisy {
            // Weights and readings are always about the clean estimate.
            self.evaluate(reward, run, step, GradientPoint::Clean)?;
        }
        let (mut sum, mut highest, mut alive) = (0.0, f32::NEG_INFINITY, 0u32);
        for (reward, lost) in self.buffers.rewards[..run.particles]
            .iter()
            .zip(&self.buffers.lost)
        {
            if !lost {
                sum += f64::from(*reward);
                highest = highest.max(*reward);
                alive += 1;
            }
        }
        trace.reward_mean = (sum / f64::from(alive.max(1))) as f32;
        trace.reward_max = highest;
        Ok(trace)
    }

    /// Rewards and trajectory gradients of the samples at `at`; drops particles without a number.
    pub(super) fn evaluate(
        &mut self,
        reward: &mut dyn Reward,
        run: &Run,
        step: usize,
        at: GradientPoint,
    ) -> Result<(), SteeringError> {
        let (points, count) = (self.map.points(), run.particles);
        self.buffers.lay_out(&self.map, run, at, true);
        let buffers = &mut self.buffers;
        reward.evaluate_whole(
            &buffers.trajectories.view(0, count * points),
            &mut buffers.rewards[..count],
            &mut buffers.trajectory_gradient.view_mut(count * points),
        )?;
        for particle in 0..count {
            let first = particle * points;
            let gradient = buffers.trajectory_gradient.view(first, first + points);
            let finite = buffers.rewards[particle].is_finite()
                && all_finite(gradient.positions)
                && all_finite(gradient.rotations)
                && all_finite(gradient.gripper);
            if !finite && !buffers.lost[particle] {
                buffers.lost[particle] = true;
                self.sampled.lost += 1;
            }
        }
        self.require_survivors(count, step)
    }

    /// Subtracts `strength` times the normalised gradient from the prediction. `reached` says for
    /// what beside positions there is a gradient that may move something.
    fn push(
        &mut self,
        run: &Run,
        step: usize,
        strength: f64,
        reached: Guide,
        trace: &mut StepTrace,
    ) {
        let (stride, points, count) = (self.stride(), self.map.points(), run.particles);
        let past = self.config.execute_start;
        let frozen = self.inpainting.frozen_rows().saturating_sub(past);
        let rows = self.map.steps().saturating_sub(frozen);
        let guided = (rows * self.blocks.arm()).max(1);
        let alone = reached == Guide::default() && !self.blocks.coupled;
        let response = self.solver.schedule().steps()[step].response;
        let gain = (strength * response.clean) as f32;
        // The noise answers to what is left of the push once the clean estimate is in range: at high
        // noise a push of the noise alone would lead down the gradient.
        let share = if response.clean > 0.0 {
            (response.noise / response.clean) as f32
        } else {
            0.0
        };
        let most = self.solver.schedule().clip().fixed_range() as f32;
        let buffers = &mut self.buffers;
        let at_once = match self.config.normalise {
            Normalise::Batch => count,
            Normalise::Particle | Normalise::None => PUSHED_TOGETHER,
        };
        for first in (0..count).step_by(at_once) {
            let end = count.min(first + at_once);
            let own = first * stride..end * stride;
            let gradient = &mut buffers.gradient[..own.len()];
            let mut at_points = buffers
                .trajectory_gradient
                .view(first * points, end * points);
            // What cannot be moved is left out, not computed and thrown away.
            if !reached.rotation {
                at_points.rotations = &[];
            }
            if !reached.gripper {
                at_points.gripper = &[];
            }
            let source = match self.config.at {
                GradientPoint::Clean => &buffers.clean[own.clone()],
                GradientPoint::Noisy => &buffers.sample[own.clone()],
            };
            self.map.adjoint(source, &run.start, &at_points, gradient);
            self.inpainting.hold(gradient);
            let lost = &buffers.lost[first..end];
            let norms = &mut buffers.gradient_norms[first..end];
            let mode = self.config.normalise;
            self.blocks.hold(gradient, self.space.dim());
            if alone {
                guidance::normalise(mode, gradient, stride, guided, lost, norms);
            } else {
                let shape = (stride, self.space.dim());
                let moved = (&self.blocks.moved, rows);
                guidance::normalise_blocks(mode, gradient, shape, moved, lost, norms);
                self.blocks
                    .weigh_gripper(gradient, self.space.dim(), self.config.gripper_scale);
            }
            let estimates = buffers.clean[own.clone()]
                .iter_mut()
                .zip(&mut buffers.noise[own]);
            for ((clean, noise), gradient) in estimates.zip(gradient.iter()) {
                let pushed = *clean + gain * gradient;
                *noise += share * (pushed.clamp(-most, most) - clean.clamp(-most, most));
                *clean = pushed;
            }
        }
        let alive = buffers.lost[..count].iter().filter(|lost| !**lost).count();
        let norms = buffers.gradient_norms[..count]
            .iter()
            .map(|norm| f64::from(*norm));
        trace.gradient_norm = (norms.sum::<f64>() / alive.max(1) as f64) as f32;
        trace.strength = strength as f32;
    }

    /// Writes down what step `step` is like for every particle, if that is asked for. A repeated or
    /// corrected step overwrites what was there.
    pub(super) fn record(&mut self, run: &Run, step: usize, phase: Phase) {
        let Some(record) = &mut self.sampled.particle_trace else {
            return;
        };
        let (points, count) = (self.map.points() * 3, run.particles);
        let buffers = &mut self.buffers;
        // Repulsion at the noisy samples and free steps did not look at the clean estimates.
        let seen = match phase {
            Phase::Guided => true,
            Phase::Diversity => self.config.at == GradientPoint::Clean,
            Phase::Free => false,
        };
        if !seen {
            buffers.lay_out(&self.map, run, GradientPoint::Clean, false);
        }
        let rows = step * count..(step + 1) * count;
        let rewards = &mut record.rewards[rows.clone()];
        let norms = &mut record.gradient_norms[rows.clone()];
        let paths = &mut record.trajectories[rows.start * points..rows.end * points];
        for b in 0..count {
            let path = &mut paths[b * points..][..points];
            if buffers.lost[b] {
                rewards[b] = f32::NAN;
                norms[b] = f32::NAN;
                path.fill(f32::NAN);
                continue;
            }
            rewards[b] = if phase == Phase::Guided {
                buffers.rewards[b]
            } else {
                f32::NAN
            };
            norms[b] = if phase == Phase::Free {
                0.0
            } else {
                buffers.gradient_norms[b]
            };
            path.copy_from_slice(&buffers.trajectories.positions[b * points..][..points]);
        }
    }

    /// Keeps the clean estimates in range.
    pub(super) fn clip(&mut self, run: &Run, step: usize) {
        let used = ..run.particles * self.stride();
        let buffers = &mut self.buffers;
        self.solver.clip(
            step,
            &buffers.sample[used],
            &mut buffers.clean[used],
            &mut buffers.noise[used],
        );
    }

    /// Phase 3: weighs the particles by the rewards of their clean estimates and resamples them
    /// when too few of them carry the weight.
    pub(super) fn reweigh(&mut self, run: &mut Run, step: usize, trace: &mut StepTrace) {
        let (Some(weights), Some(settings)) = (&mut self.weights, self.config.feynman_kac) else {
            return;
        };
        if !(step - self.config.first_guided_step()).is_multiple_of(settings.every) {
            return;
        }
        let count = run.particles;
        let buffers = &mut self.buffers;
        weights.update(&buffers.rewards[..count], &buffers.lost[..count]);
        trace.ess = weights.effective_size() as f32;
        if f64::from(trace.ess) >= f64::from(settings.ess_threshold) * count as f64 {
            return;
        }
        trace.resampled = true;
        run.stochastic = true;
        let ancestors = weights.resample(run.random.uniform(Purpose::Resample, step));
        let used = ..count * self.horizon * self.space.dim();
        // `prediction` is spent by now and serves as the room to copy from.
        let room = &mut buffers.prediction[used];
        copy_ancestors(&mut buffers.clean[used], ancestors, room);
        copy_ancestors(&mut buffers.noise[used], ancestors, room);
        self.solver.resample(ancestors, room);
        // Only particles with weight have descendants.
        buffers.lost[..count].fill(false);
        self.sampled.resamplings.push(step);
        self.sampled.ancestors.extend_from_slice(ancestors);
    }
}
