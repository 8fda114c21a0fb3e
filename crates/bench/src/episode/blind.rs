//! Controls: what remains of a result when the policy sees nothing.

use eyre::{Result, eyre};
use tiller_core::ArmColumns;
use tiller_policy::Policy;
use tiller_steering::scheduler::{Schedule, Step};
use tiller_steering::{Denoiser, DenoiserError};

/// What takes sight from the policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blind {
    /// It sees the pictures of the first look throughout.
    FrozenImages,
    /// Normal numbers take its place.
    Gaussian,
}

/// Standard deviations of normalised actions: half of what the policy's training data reach, and a tenth of that
/// where the hand turns, or it would tumble.
const DEVIATION: f64 = 0.5;
const ROTATION_DEVIATION: f64 = 0.05;

/// The perfect denoiser of chunks of independent normal numbers, under the schedule of a policy.
///
/// For data of deviation `s`, `E[data | x] = a s^2 x / (a^2 s^2 + b^2)` where `x = a data + b noise`.
#[derive(Clone, Debug)]
pub(crate) struct Gaussian {
    steps: Vec<Step>,
    /// Variance of each column.
    variances: Vec<f64>,
    horizon: usize,
}

impl Gaussian {
    /// One that answers in the terms of the policy.
    ///
    /// # Errors
    /// When the policy's sampler cannot be laid out.
    pub(crate) fn new(policy: &Policy) -> Result<Self> {
        let schedule = Schedule::new(policy.sampler()).map_err(|problems| eyre!("{problems}"))?;
        let mut variances = vec![DEVIATION * DEVIATION; policy.action_dim()];
        if let ArmColumns::Pose {
            rotation: Some(rotation),
            ..
        } = policy.action_space().layout.arm
        {
            for column in rotation.columns {
                variances[column] = ROTATION_DEVIATION * ROTATION_DEVIATION;
            }
        }
        Ok(Self {
            steps: schedule.steps().to_vec(),
            variances,
            horizon: policy.horizon(),
        })
    }
}

impl Denoiser for Gaussian {
    fn horizon(&self) -> usize {
        self.horizon
    }

    fn action_dim(&self) -> usize {
        self.variances.len()
    }

    fn predict(
        &mut self,
        sample: &[f32],
        _particles: usize,
        time: f32,
        out: &mut [f32],
    ) -> Result<(), DenoiserError> {
        let apart = |step: &&Step| (step.from.time - f64::from(time)).abs();
        let step = self.steps.iter();
        let step = step.min_by(|a, b| apart(a).total_cmp(&apart(b)));
        let step = step.ok_or_else(|| DenoiserError::new("a schedule without steps".to_owned()))?;
        let (signal, noise) = (step.from.signal, step.from.noise);
        let [of_sample, of_prediction] = step.estimate.clean;
        let factors: Vec<f64> = self
            .variances
            .iter()
            .map(|variance| {
                let clean = signal * variance / (signal * signal * variance + noise * noise);
                (clean - of_sample) / of_prediction
            })
            .collect();
        let columns = factors.iter().cycle();
        for ((out, sample), factor) in out.iter_mut().zip(sample).zip(columns) {
            *out = (factor * f64::from(*sample)) as f32;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tiller_core::ActionLayout;
    use tiller_steering::scheduler::{DiffusionConfig, FlowConfig, SchedulerConfig};
    use tiller_steering::{ActionSpace, Start, Steerer, SteeringConfig};

    /// Samples without a reward have the deviations that were asked for, whatever the sampler predicts.
    #[test]
    fn its_chunks_are_normal_numbers() {
        let flow = SchedulerConfig::Flow(FlowConfig {
            steps: 50,
            ..FlowConfig::default()
        });
        let diffusion = SchedulerConfig::Diffusion(DiffusionConfig {
            steps: 50,
            ..DiffusionConfig::default()
        });
        for scheduler in [flow, diffusion] {
            let schedule = Schedule::new(&scheduler).unwrap();
            let mut gaussian = Gaussian {
                steps: schedule.steps().to_vec(),
                variances: vec![0.09, 0.09, 0.09, 0.0025],
                horizon: 8,
            };
            let config = SteeringConfig {
                scheduler,
                ..SteeringConfig::default()
            };
            let layout = ActionLayout::position_deltas(4, [0, 1, 2], Some(3), 10.0);
            let space = ActionSpace::plain(layout);
            let mut steerer = Steerer::new(config, space, 8).unwrap();
            let start = Start::at([0.4, 0.0, 0.2]);
            // A chunk at a time, as a policy is left alone.
            let mut squares = [0.0; 4];
            for chunk in 0..400 {
                let sampled = steerer
                    .sample(&mut gaussian, None, &start, 0.0, 7, chunk)
                    .unwrap();
                for row in sampled.sample_of(0).chunks_exact(4) {
                    for (sum, value) in squares.iter_mut().zip(row) {
                        *sum += value.powi(2);
                    }
                }
            }
            let deviations = squares.map(|sum: f32| (sum / 3200.0).sqrt());
            // Fifty steps are a little short of the exact flow.
            assert!((deviations[0] - 0.29).abs() < 0.02, "{deviations:?}");
            assert!((deviations[3] - 0.043).abs() < 0.006, "{deviations:?}");
        }
    }
}
