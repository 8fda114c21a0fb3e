//! Euler's method for flow matching.

use super::{Level, Response, Scheduler};
use crate::real::Real;

/// `x_t = t * noise + (1 - t) * data`, time from 1 (noise) to 0 (data) in equal steps; the denoiser
/// predicts the velocity `v = dx/dt = noise - data`.
///
/// Hence `clean = x - t v`, `noise = x + (1 - t) v`, and the deterministic step between two levels
/// is Euler's: `(1 - s) clean + s noise = x - (t - s) v`.
#[derive(Debug, Clone)]
pub struct FlowEuler {
    levels: Vec<Level>,
}

impl FlowEuler {
    /// A schedule of `steps` equal steps (at least one).
    #[must_use]
    pub fn new(steps: usize) -> Self {
        let steps = steps.max(1);
        let level = |i: usize| {
            let t = (steps - i) as f64 / steps as f64;
            Level {
                time: t,
                signal: 1.0 - t,
                noise: t,
            }
        };
        Self {
            levels: (0..=steps).map(level).collect(),
        }
    }

    /// Splits samples into clean chunk and noise, in any precision; see [`Scheduler::estimate`].
    pub fn split<F: Real>(
        &self,
        step: usize,
        sample: &[F],
        velocity: &[F],
        clean: &mut [F],
        noise: &mut [F],
    ) {
        let level = self.levels[step];
        let (t, rest) = (F::from_f64(level.noise), F::from_f64(level.signal));
        let estimates = clean.iter_mut().zip(noise);
        for (((clean, noise), x), v) in estimates.zip(sample).zip(velocity) {
            *clean = *x - t * *v;
            *noise = *x + rest * *v;
        }
    }
}

impl Scheduler for FlowEuler {
    fn levels(&self) -> &[Level] {
        &self.levels
    }

    fn estimate(
        &self,
        step: usize,
        sample: &[f32],
        prediction: &[f32],
        clean: &mut [f32],
        noise: &mut [f32],
    ) {
        self.split(step, sample, prediction, clean, noise);
    }

    fn response(&self, step: usize) -> Response {
        let level = self.levels[step];
        Response {
            clean: level.noise,
            noise: -level.signal,
        }
    }
}
