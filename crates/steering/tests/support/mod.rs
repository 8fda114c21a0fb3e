//! Policies with a closed form, and rewards to steer them with.

#![allow(dead_code, reason = "every test file uses some of it")]

pub(crate) mod golden;
pub(crate) mod hand;
pub(crate) mod laws;
pub(crate) mod schedulers;
pub(crate) mod walk;

use tiller_core::ActionLayout;
use tiller_steering::scheduler::Level;
use tiller_steering::{ActionSpace, Denoiser, DenoiserError, Reward, RewardError};

/// One Gaussian of a mixture: `weight * N(mean, deviation^2 I)` over a whole chunk `[T, D]`.
#[derive(Clone)]
pub(crate) struct Mode {
    pub(crate) weight: f64,
    pub(crate) mean: Vec<f64>,
    pub(crate) deviation: f64,
}

/// The exact flow-matching velocity of a Gaussian mixture: `E[noise - data | x_t]`. For other
/// schedulers see [`schedulers::Told`].
#[derive(Clone)]
pub(crate) struct MixturePolicy {
    pub(crate) horizon: usize,
    pub(crate) dim: usize,
    pub(crate) modes: Vec<Mode>,
}

impl MixturePolicy {
    pub(crate) fn gaussian(horizon: usize, dim: usize, mean: Vec<f64>, deviation: f64) -> Self {
        Self {
            horizon,
            dim,
            modes: vec![Mode {
                weight: 1.0,
                mean,
                deviation,
            }],
        }
    }

    /// The mode that a chunk most likely belongs to.
    pub(crate) fn mode_of(&self, chunk: &[f32]) -> usize {
        let distance = |mode: &Mode| {
            mode.mean
                .iter()
                .zip(chunk)
                .map(|(m, x)| (m - f64::from(*x)).powi(2))
                .sum::<f64>()
        };
        (0..self.modes.len())
            .min_by(|a, b| distance(&self.modes[*a]).total_cmp(&distance(&self.modes[*b])))
            .unwrap_or_default()
    }
}

impl MixturePolicy {
    /// Writes what `told` makes of the expected clean number and the expected noise of samples
    /// `signal * clean + noise_level * noise`.
    pub(crate) fn predict_as(
        &self,
        sample: &[f32],
        level: &Level,
        out: &mut [f32],
        told: impl Fn(f64, f64) -> f64,
    ) {
        let stride = self.horizon * self.dim;
        let (signal, t) = (level.signal, level.noise);
        for (x, out) in sample
            .chunks_exact(stride)
            .zip(out.chunks_exact_mut(stride))
        {
            let log_density = |mode: &Mode| {
                let variance = (signal * mode.deviation).powi(2) + t * t;
                let squares: f64 = x
                    .iter()
                    .zip(&mode.mean)
                    .map(|(x, mean)| (f64::from(*x) - signal * mean).powi(2))
                    .sum();
                mode.weight.ln() - squares / (2.0 * variance) - stride as f64 / 2.0 * variance.ln()
            };
            let alone = self.modes.len() == 1;
            let highest = self
                .modes
                .iter()
                .filter(|_| !alone)
                .map(log_density)
                .fold(f64::NEG_INFINITY, f64::max);
            let total: f64 = self
                .modes
                .iter()
                .filter(|_| !alone)
                .map(|mode| (log_density(mode) - highest).exp())
                .sum();
            out.fill(0.0);
            for mode in &self.modes {
                let share = if alone {
                    1.0
                } else {
                    (log_density(mode) - highest).exp() / total
                };
                let variance = (signal * mode.deviation).powi(2) + t * t;
                let of_clean = signal * mode.deviation.powi(2) / variance;
                let of_noise = t / variance;
                for ((out, x), mean) in out.iter_mut().zip(x).zip(&mode.mean) {
                    let off = f64::from(*x) - signal * mean;
                    *out += (share * told(mean + of_clean * off, of_noise * off)) as f32;
                }
            }
        }
    }
}

impl Denoiser for MixturePolicy {
    fn horizon(&self) -> usize {
        self.horizon
    }

    fn action_dim(&self) -> usize {
        self.dim
    }

    fn predict(
        &mut self,
        sample: &[f32],
        particles: usize,
        time: f32,
        out: &mut [f32],
    ) -> Result<(), DenoiserError> {
        let stride = self.horizon * self.dim;
        assert_eq!(
            (sample.len(), out.len()),
            (particles * stride, particles * stride)
        );
        let level = Level::flow(f64::from(time), f64::from(time));
        self.predict_as(sample, &level, out, |clean, noise| noise - clean);
        Ok(())
    }
}

/// Spoils the output of another denoiser.
pub(crate) struct Spoiled<D, F>(pub(crate) D, pub(crate) F);

impl<D: Denoiser, F: FnMut(f32, &mut [f32])> Denoiser for Spoiled<D, F> {
    fn horizon(&self) -> usize {
        self.0.horizon()
    }
    fn action_dim(&self) -> usize {
        self.0.action_dim()
    }
    fn predict(
        &mut self,
        sample: &[f32],
        particles: usize,
        time: f32,
        out: &mut [f32],
    ) -> Result<(), DenoiserError> {
        self.0.predict(sample, particles, time, out)?;
        (self.1)(time, out);
        Ok(())
    }
}

/// A reward given as a function of one trajectory `[P * 3]` and its gradient.
pub(crate) struct FnReward<F>(pub(crate) F);

impl<F: FnMut(&[f32], &mut [f32]) -> f32> Reward for FnReward<F> {
    fn evaluate(
        &mut self,
        trajectories: &[f32],
        values: &mut [f32],
        gradients: &mut [f32],
    ) -> Result<(), RewardError> {
        let stride = trajectories.len() / values.len();
        gradients.fill(0.0);
        let rows = trajectories
            .chunks_exact(stride)
            .zip(gradients.chunks_exact_mut(stride));
        for ((trajectory, gradient), value) in rows.zip(values) {
            *value = (self.0)(trajectory, gradient);
        }
        Ok(())
    }
}

/// `-weight * |end - target|^2 / 2`.
pub(crate) fn quadratic(
    target: [f32; 3],
    weight: f32,
) -> FnReward<impl FnMut(&[f32], &mut [f32]) -> f32> {
    FnReward(move |trajectory: &[f32], gradient: &mut [f32]| {
        let end = trajectory.len() - 3;
        let mut value = 0.0;
        for axis in 0..3 {
            let off = trajectory[end + axis] - target[axis];
            value -= weight * off * off / 2.0;
            gradient[end + axis] = -weight * off;
        }
        value
    })
}

/// `-|end - target|`, what reward programs use most.
pub(crate) fn reach(target: [f32; 3]) -> FnReward<impl FnMut(&[f32], &mut [f32]) -> f32> {
    FnReward(move |trajectory: &[f32], gradient: &mut [f32]| {
        let end = trajectory.len() - 3;
        let off: [f32; 3] = std::array::from_fn(|axis| trajectory[end + axis] - target[axis]);
        let distance = off.iter().map(|o| o * o).sum::<f32>().sqrt();
        for axis in 0..3 {
            gradient[end + axis] = -off[axis] / distance.max(1e-9);
        }
        -distance
    })
}

/// Actions that are displacements as they stand: three columns, no scaling.
pub(crate) fn plain_space() -> ActionSpace {
    ActionSpace::plain(ActionLayout::position_deltas(3, [0, 1, 2], None, 10.0))
}

/// Displacements of at most 3 cm and a gripper.
pub(crate) fn arm_space() -> ActionSpace {
    ActionSpace::from_min_max(
        ActionLayout::position_deltas(4, [0, 1, 2], Some(3), 10.0),
        &[-0.03, -0.03, -0.03, -1.0],
        &[0.03, 0.03, 0.03, 1.0],
    )
}

/// Mean and standard error of independent estimates.
pub(crate) fn mean_and_error(estimates: &[f64]) -> (f64, f64) {
    let n = estimates.len() as f64;
    let mean = estimates.iter().sum::<f64>() / n;
    let variance = estimates.iter().map(|e| (e - mean).powi(2)).sum::<f64>() / (n - 1.0);
    (mean, (variance / n).sqrt())
}

/// Fails when the mean of the estimates is more than three standard errors from `expected`.
pub(crate) fn assert_within_three_errors(what: &str, estimates: &[f64], expected: f64) {
    let (mean, error) = mean_and_error(estimates);
    assert!(
        (mean - expected).abs() <= 3.0 * error,
        "{what}: {mean:.6} is {:.2} standard errors ({error:.6}) from {expected:.6}",
        (mean - expected).abs() / error
    );
}
