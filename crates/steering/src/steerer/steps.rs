//! Down the schedule: asking the denoiser, stepping, re-noising, dropping what is not a number.

use super::{Run, Steerer};
use crate::denoiser::{Denoiser, Reward};
use crate::error::SteeringError;
use crate::finite::all_finite;
use crate::random::Purpose;
use crate::sampled::StepTrace;
use crate::scheduler::Level;

impl Steerer {
    /// The noise level at which step `step` starts.
    pub(super) fn level(&self, step: usize) -> Level {
        self.solver.schedule().steps()[step].from
    }

    /// One evaluation at the level of step `at`: predicts, pushes and clips.
    pub(super) fn evaluate_at(
        &mut self,
        denoiser: &mut dyn Denoiser,
        reward: &mut Option<&mut dyn Reward>,
        run: &Run,
        at: usize,
        guided: bool,
    ) -> Result<StepTrace, SteeringError> {
        self.predict(denoiser, run, at)?;
        let trace = match reward {
            Some(reward) if guided => self.guide(&mut **reward, run, at)?,
            Some(_) => self.repel(run, at),
            None => self.free(at),
        };
        self.record(run, at, trace.phase);
        self.clip(run, at);
        Ok(trace)
    }

    /// Asks the denoiser and splits the samples into clean chunk and noise.
    fn predict(
        &mut self,
        denoiser: &mut dyn Denoiser,
        run: &Run,
        step: usize,
    ) -> Result<(), SteeringError> {
        let (stride, count) = (self.stride(), run.particles);
        let time = self.level(step).time as f32;
        let buffers = &mut self.buffers;
        let used = ..count * stride;
        denoiser.predict(
            &buffers.sample[used],
            count,
            time,
            &mut buffers.prediction[used],
        )?;
        self.solver.split(
            step,
            &buffers.sample[used],
            &buffers.prediction[used],
            &mut buffers.clean[used],
            &mut buffers.noise[used],
        );
        self.drop_unsound(count, step)?;
        let level = self.level(step);
        let buffers = &mut self.buffers;
        self.inpainting
            .apply(&level, &mut buffers.clean[used], &mut buffers.noise[used]);
        Ok(())
    }

    /// Drops the particles whose estimates are not finite. A lost particle rests at 0, so that
    /// nothing downstream sees what it was.
    pub(super) fn drop_unsound(&mut self, count: usize, step: usize) -> Result<(), SteeringError> {
        let stride = self.stride();
        let buffers = &mut self.buffers;
        for particle in 0..count {
            let own = particle * stride..(particle + 1) * stride;
            let sound =
                all_finite(&buffers.clean[own.clone()]) && all_finite(&buffers.noise[own.clone()]);
            if !sound && !buffers.lost[particle] {
                self.sampled.lost += 1;
                buffers.lost[particle] = true;
            }
            if buffers.lost[particle] {
                for values in [&mut buffers.sample, &mut buffers.clean, &mut buffers.noise] {
                    values[own.clone()].fill(0.0);
                }
            }
        }
        self.require_survivors(count, step)
    }

    pub(super) fn require_survivors(
        &self,
        particles: usize,
        step: usize,
    ) -> Result<(), SteeringError> {
        if self.buffers.lost[..particles].iter().all(|lost| *lost) {
            return Err(SteeringError::AllLost {
                particles,
                step,
                steps: self.config.steps(),
            });
        }
        Ok(())
    }

    /// Moves the samples to where a corrected step is evaluated again.
    pub(super) fn look_ahead(&mut self, run: &Run, step: usize) {
        let used = ..run.particles * self.stride();
        let buffers = &mut self.buffers;
        self.solver.look_ahead(
            step,
            &buffers.clean[used],
            &buffers.noise[used],
            &mut buffers.sample[used],
        );
    }

    /// Corrects the estimates by those of the second evaluation.
    pub(super) fn correct(&mut self, run: &Run, step: usize) {
        let used = ..run.particles * self.stride();
        let buffers = &mut self.buffers;
        self.solver
            .correct(step, &mut buffers.clean[used], &mut buffers.noise[used]);
    }

    /// Steps to the next noise level.
    pub(super) fn advance(&mut self, run: &Run, step: usize, inner: usize) {
        let eta = match self.config.feynman_kac {
            Some(settings) if run.stochastic => f64::from(settings.eta),
            _ => 0.0,
        };
        let used = ..run.particles * self.stride();
        let buffers = &mut self.buffers;
        let fresh = self.solver.advance(
            step,
            eta,
            &buffers.clean[used],
            &buffers.noise[used],
            &mut buffers.sample[used],
        );
        if fresh > 0.0 {
            self.add_noise(run, Purpose::Step, step, inner, fresh);
        }
    }

    /// Takes the samples back to the level they came from.
    pub(super) fn renoise(&mut self, run: &Run, step: usize, inner: usize) {
        let plan = &self.solver.schedule().steps()[step];
        let (factor, deviation) = plan.from.renoise(&plan.to);
        self.solver.restart();
        let used = ..run.particles * self.stride();
        for value in &mut self.buffers.sample[used] {
            *value *= factor as f32;
        }
        self.add_noise(run, Purpose::Renoise, step, inner, deviation);
    }

    fn add_noise(
        &mut self,
        run: &Run,
        purpose: Purpose,
        step: usize,
        inner: usize,
        deviation: f64,
    ) {
        let stride = self.stride();
        let buffers = &mut self.buffers;
        let samples = buffers.sample.chunks_exact_mut(stride).take(run.particles);
        for (particle, sample) in samples.enumerate() {
            run.random
                .normal(purpose, step, inner, particle, &mut buffers.fresh);
            for (value, fresh) in sample.iter_mut().zip(&buffers.fresh) {
                *value += deviation as f32 * fresh;
            }
        }
    }
}
