//! From noise to a chunk: noise levels and the steps between them.
//!
//! Every scheduler here writes its sample as `x = signal * clean + noise_level * noise` and its
//! step in one form, with `q` the fresh noise of a stochastic step (0: deterministic):
//!
//! `x_next = signal' * clean + sqrt(noise_level'^2 - q^2) * noise + q * z`,
//!
//! which keeps the noise level, and so the marginals, whatever `q` is. To first order in the step
//! it is the Euler-Maruyama step of the reverse SDE with `score = -noise / noise_level`.
//!
//! So a scheduler is a table of [`Step`]s, laid out once by [`Schedule::new`]: how the prediction
//! splits the sample, how both estimates answer to a push, and the [`Transition`]. Two methods need
//! more: DPM-Solver++ (2M) adds a multiple of the change of the clean estimate since the step
//! before, and Heun's method evaluates twice. [`Solver`] holds what they remember. (DDPM with
//! `fixed_large` is the one exception to the form: its noise is larger by design.)

mod clip;
mod config;
mod ddim;
mod ddpm;
mod diffusion;
mod dpm_solver_pp_2m;
mod estimate;
mod flow_euler;
mod flow_heun;
mod flow_sde;
mod schedule;
mod solver;

pub use config::{
    BetaSchedule, Clip, DiffusionConfig, DiffusionSolver, FlowConfig, FlowSolver, FlowTime,
    Prediction, SchedulerConfig, Spacing, Variance,
};
pub use estimate::{Estimate, Response};
pub use schedule::{Schedule, Step};
pub use solver::Solver;
pub(crate) use solver::copy_ancestors;

use crate::real::Real;

/// One point of the noise schedule.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Level {
    /// What the denoiser is told: a flow's time in the policy's direction, or the training step.
    pub time: f64,
    /// Factor of the clean chunk in the sample (`sqrt(abar)` in diffusion, `1 - t` in flow).
    pub signal: f64,
    /// Factor of the noise in the sample (`sqrt(1 - abar)` in diffusion, `t` in flow).
    pub noise: f64,
}

impl FlowTime {
    /// What the policy calls the time `t` that is 1 at noise and 0 at data.
    fn told(self, t: f64) -> f64 {
        match self {
            Self::OneToZero => t,
            Self::ZeroToOne => 1.0 - t,
        }
    }
}

impl Level {
    /// The data of diffusion; no denoiser is asked there.
    pub const DATA: Self = Self {
        time: -1.0,
        signal: 1.0,
        noise: 0.0,
    };

    /// The level of flow matching at `t`, 1 at noise and 0 at data, which the policy calls `time`.
    #[must_use]
    pub fn flow(t: f64, time: f64) -> Self {
        Self {
            time,
            signal: 1.0 - t,
            noise: t,
        }
    }

    /// The level of diffusion at training step `time` with the cumulative product `abar`.
    #[must_use]
    pub fn diffusion(time: f64, abar: f64) -> Self {
        Self {
            time,
            signal: abar.sqrt(),
            noise: (1.0 - abar).sqrt(),
        }
    }

    /// `noise / sqrt(signal^2 + noise^2)`: the noise's share of the sample's standard deviation.
    ///
    /// In diffusion this is `sqrt(1 - abar)`; flow matching gets the same number at the same
    /// signal-to-noise ratio.
    #[must_use]
    pub fn noise_share(&self) -> f64 {
        self.noise / self.signal.hypot(self.noise)
    }

    /// Standard deviation of the fresh noise in a step to `next`: `eta` times that of ancestral
    /// sampling.
    #[must_use]
    pub fn fresh_noise(&self, next: &Self, eta: f64) -> f64 {
        if self.noise <= 0.0 {
            return 0.0;
        }
        eta * self.renoise(next).1 * next.noise / self.noise
    }

    /// How to take a sample from the cleaner level `next` back to this one:
    /// `x = factor * x_next + deviation * z`. Returns `(factor, deviation)`.
    #[must_use]
    pub fn renoise(&self, next: &Self) -> (f64, f64) {
        let factor = self.signal / next.signal;
        let kept = factor * next.noise;
        (
            factor,
            (self.noise * self.noise - kept * kept).max(0.0).sqrt(),
        )
    }
}

/// The coefficients of one step `x_next = clean * c + noise * n + z * q`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Transition {
    /// Factor of the clean estimate.
    pub clean: f64,
    /// Factor of the noise estimate.
    pub noise: f64,
    /// Standard deviation of the fresh noise.
    pub fresh: f64,
}

impl Transition {
    /// The step from `from` to `to` with stochasticity `eta` (0 deterministic, 1 ancestral).
    #[must_use]
    pub fn new(from: &Level, to: &Level, eta: f64) -> Self {
        let fresh = from.fresh_noise(to, eta);
        let noise = (to.noise * to.noise - fresh * fresh).max(0.0).sqrt();
        Self {
            clean: to.signal,
            noise,
            fresh,
        }
    }

    /// Writes the next sample, without the fresh noise.
    pub fn apply<F: Real>(&self, clean: &[F], noise: &[F], next: &mut [F]) {
        let (c, n) = (F::from_f64(self.clean), F::from_f64(self.noise));
        for ((next, clean), noise) in next.iter_mut().zip(clean).zip(noise) {
            *next = *clean * c + *noise * n;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn level(t: f64) -> Level {
        Level::flow(t, t)
    }

    proptest! {
        /// Whatever the stochasticity, a step keeps the variance of the noise.
        #[test]
        fn a_step_keeps_the_noise_level(t in 0.01..1.0f64, share in 0.0..1.0f64, eta in 0.0..=1.0f64) {
            let (from, to) = (level(t), level(t * share));
            let step = Transition::new(&from, &to, eta);
            let variance = step.noise * step.noise + step.fresh * step.fresh;
            prop_assert!((variance - to.noise * to.noise).abs() < 1e-12);
        }

        /// Re-noising brings signal and noise back to the level.
        #[test]
        fn renoising_restores_the_level(t in 0.01..=1.0f64, share in 0.0..0.99f64) {
            let (from, to) = (level(t), level(t * share));
            let (factor, deviation) = from.renoise(&to);
            prop_assert!((factor * to.signal - from.signal).abs() < 1e-12);
            let variance = (factor * to.noise).powi(2) + deviation * deviation;
            prop_assert!((variance - from.noise * from.noise).abs() < 1e-12);
        }
    }

    #[test]
    fn the_last_step_adds_no_noise() {
        assert_eq!(
            Transition::new(&level(0.1), &level(0.0), 1.0),
            Transition {
                clean: 1.0,
                noise: 0.0,
                fresh: 0.0
            }
        );
    }

    #[test]
    fn from_pure_noise_an_ancestral_step_draws_new_noise_altogether() {
        let step = Transition::new(&level(1.0), &level(0.5), 1.0);
        assert_eq!((step.noise, step.fresh), (0.0, 0.5));
    }
}
