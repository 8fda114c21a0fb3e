//! From the denoiser's prediction to a clean chunk and the noise on it.

use super::Level;
use super::config::Prediction;
use crate::real::Real;

/// Every prediction type is linear: `clean = a x + b p` and `noise = c x + d p` for the sample `x`
/// and the prediction `p`, so that `x = signal * clean + noise_level * noise`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    /// Factors of sample and prediction in the clean chunk.
    pub clean: [f64; 2],
    /// Factors of sample and prediction in the noise.
    pub noise: [f64; 2],
}

impl Estimate {
    /// Flow matching with the velocity `noise - data`: `clean = x - t v`, `noise = x + (1 - t) v`.
    #[must_use]
    pub fn velocity(level: &Level) -> Self {
        Self {
            clean: [1.0, -level.noise],
            noise: [1.0, level.signal],
        }
    }

    /// Flow matching with the velocity `data - noise`.
    #[must_use]
    pub fn reversed_velocity(level: &Level) -> Self {
        Self {
            clean: [1.0, level.noise],
            noise: [1.0, -level.signal],
        }
    }

    /// Diffusion.
    #[must_use]
    pub fn diffusion(prediction: Prediction, level: &Level) -> Self {
        let Level { signal, noise, .. } = *level;
        match prediction {
            Prediction::Epsilon => Self {
                clean: [1.0 / signal, -noise / signal],
                noise: [0.0, 1.0],
            },
            Prediction::Sample => Self {
                clean: [0.0, 1.0],
                noise: [1.0 / noise, -signal / noise],
            },
            // Salimans and Ho 2022, appendix D.
            Prediction::VPrediction => Self {
                clean: [signal, -noise],
                noise: [noise, signal],
            },
        }
    }

    /// Splits samples into clean chunk and noise. All slices have one length.
    pub fn split<F: Real>(&self, sample: &[F], prediction: &[F], clean: &mut [F], noise: &mut [F]) {
        let [a, b] = self.clean.map(F::from_f64);
        let [c, d] = self.noise.map(F::from_f64);
        let estimates = clean.iter_mut().zip(noise);
        for (((clean, noise), x), p) in estimates.zip(sample).zip(prediction) {
            *clean = a * *x + b * *p;
            *noise = c * *x + d * *p;
        }
    }
}

/// What subtracting 1 from the noise prediction (flow: from the velocity `noise - data`) does to
/// the two estimates, whatever the denoiser itself predicts. The sample stays what it is:
/// `signal * clean + noise_level * noise = 0`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Response {
    /// Change of the clean estimate.
    pub clean: f64,
    /// Change of the noise estimate.
    pub noise: f64,
}

impl Response {
    /// To a change of a flow's velocity.
    #[must_use]
    pub fn velocity(level: &Level) -> Self {
        Self {
            clean: level.noise,
            noise: -level.signal,
        }
    }

    /// To a change of the noise in diffusion.
    #[must_use]
    pub fn epsilon(level: &Level) -> Self {
        Self {
            clean: level.noise / level.signal,
            noise: -1.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The estimates that a prediction gives, for one number.
    fn split(estimate: Estimate, x: f64, p: f64) -> (f64, f64) {
        let (mut clean, mut noise) = ([0.0], [0.0]);
        estimate.split(&[x], &[p], &mut clean, &mut noise);
        (clean[0], noise[0])
    }

    /// What each kind of denoiser says of the same clean number and noise.
    fn predictions(level: &Level, clean: f64, noise: f64) -> [(Estimate, f64); 3] {
        [
            (Prediction::Epsilon, noise),
            (Prediction::Sample, clean),
            (
                Prediction::VPrediction,
                level.signal * noise - level.noise * clean,
            ),
        ]
        .map(|(kind, p)| (Estimate::diffusion(kind, level), p))
    }

    proptest! {
        #[test]
        fn all_diffusion_predictions_give_the_same_estimates_and_response(
            abar in 0.001..0.999f64, clean in -2.0..2.0f64, noise in -2.0..2.0f64,
            push in -1.0..1.0f64,
        ) {
            let level = Level::diffusion(5.0, abar);
            let x = level.signal * clean + level.noise * noise;
            // Noise is predicted lower by `push`; the sample is the same.
            let pushed = noise - push;
            let moved = (x - level.noise * pushed) / level.signal;
            let response = Response::epsilon(&level);
            let before = predictions(&level, clean, noise);
            let after = predictions(&level, moved, pushed);
            for ((estimate, p), (_, q)) in before.into_iter().zip(after) {
                let (first, second) = (split(estimate, x, p), split(estimate, x, q));
                let scale = 1.0 + moved.abs();
                prop_assert!((first.0 - clean).abs() < 1e-9 * scale / level.signal);
                prop_assert!((first.1 - noise).abs() < 1e-9 / level.noise);
                let difference = (second.0 - first.0 - push * response.clean).abs();
                prop_assert!(difference < 1e-9 * scale / level.signal);
                let difference = (second.1 - first.1 - push * response.noise).abs();
                prop_assert!(difference < 1e-9 * scale / level.noise);
            }
        }

        #[test]
        fn both_directions_of_a_flow_give_the_same_estimates_and_response(
            t in 0.0..1.0f64, clean in -2.0..2.0f64, noise in -2.0..2.0f64, push in -1.0..1.0f64,
        ) {
            let level = Level::flow(t, t);
            let x = level.signal * clean + level.noise * noise;
            let response = Response::velocity(&level);
            let velocity = noise - clean;
            for (estimate, sign) in
                [(Estimate::velocity(&level), 1.0), (Estimate::reversed_velocity(&level), -1.0)]
            {
                let first = split(estimate, x, sign * velocity);
                prop_assert!((first.0 - clean).abs() < 1e-12);
                prop_assert!((first.1 - noise).abs() < 1e-12);
                let second = split(estimate, x, sign * (velocity - push));
                prop_assert!((second.0 - first.0 - push * response.clean).abs() < 1e-12);
                prop_assert!((second.1 - first.1 - push * response.noise).abs() < 1e-12);
            }
        }
    }
}
