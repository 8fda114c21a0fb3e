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
    /// It sees a picture of another scene throughout.
    OtherImages,
    /// Normal numbers take its place.
    Wander,
    /// The same, but its fingers follow a rule of the hand's own height and width.
    Reflex,
}

impl Blind {
    /// Whether normal numbers take the policy's place.
    pub(crate) fn is_gaussian(self) -> bool {
        matches!(self, Self::Wander | Self::Reflex)
    }
}

/// Standard deviations of normalised actions: half of what the policy's training data reach, and a tenth of that
/// where the hand turns, or it would tumble.
const DEVIATION: f64 = 0.5;
const ROTATION_DEVIATION: f64 = 0.05;
/// Fingers that follow a rule hardly do anything else.
const RULED_DEVIATION: f64 = 0.05;

/// Heights of the tool above the workspace's floor, m: open fingers close below the one, fingers that closed on
/// nothing open above the other.
const CLOSES_BELOW_M: f64 = 0.05;
const OPENS_ABOVE_M: f64 = 0.10;
/// Fingers nearer than this hold nothing; ones further apart than that have not closed, m.
const EMPTY_M: f64 = 0.005;
const OPEN_M: f64 = 0.07;

/// What a rule of the hand's own height above the floor and of its width (m) has the fingers do: open, 1, or
/// close, 0.
pub(crate) fn reflex(height_m: f64, width_m: f64) -> f64 {
    let is_open = width_m > OPEN_M;
    let is_empty = width_m < EMPTY_M;
    let opens = if is_open {
        height_m > CLOSES_BELOW_M
    } else {
        is_empty && height_m > OPENS_ABOVE_M
    };
    f64::from(u8::from(opens))
}

/// The perfect denoiser of chunks of independent normal numbers, under the schedule of a policy.
///
/// For data of mean `m` and deviation `s`, `E[data | x] = m + a s^2 (x - a m) / (a^2 s^2 + b^2)` where
/// `x = a data + b noise`.
#[derive(Clone, Debug)]
pub(crate) struct Gaussian {
    steps: Vec<Step>,
    /// Mean and variance of each column.
    columns: Vec<(f64, f64)>,
    horizon: usize,
    /// The column of the gripper, and the normalised values that mean closed and open.
    gripper: Option<(usize, [f64; 2])>,
}

impl Gaussian {
    /// One that answers in the terms of the policy.
    ///
    /// # Errors
    /// When the policy's sampler cannot be laid out.
    pub(crate) fn new(policy: &Policy) -> Result<Self> {
        let schedule = Schedule::new(policy.sampler()).map_err(|problems| eyre!("{problems}"))?;
        let mut columns = vec![(0.0, DEVIATION * DEVIATION); policy.action_dim()];
        let space = policy.action_space();
        if let ArmColumns::Pose {
            rotation: Some(rotation),
            ..
        } = &space.layout.arm
        {
            for column in &rotation.columns {
                columns[*column].1 = ROTATION_DEVIATION * ROTATION_DEVIATION;
            }
        }
        let gripper = space.layout.gripper.map(|gripper| {
            let column = gripper.column;
            let (scale, offset) = (
                f64::from(space.scale[column]),
                f64::from(space.offset[column]),
            );
            let normalised = |value: f64| (value - offset) / scale;
            (column, [gripper.closed, gripper.open].map(normalised))
        });
        Ok(Self {
            steps: schedule.steps().to_vec(),
            columns,
            horizon: policy.horizon(),
            gripper,
        })
    }

    /// Fingers at random from now on, or as far open as `opening` says, 0 to 1.
    pub(crate) fn set_fingers(&mut self, opening: Option<f64>) {
        let Some((column, [closed, open])) = self.gripper else {
            return;
        };
        self.columns[column] = match opening {
            None => (0.0, DEVIATION * DEVIATION),
            Some(opening) => (
                closed + opening * (open - closed),
                RULED_DEVIATION * RULED_DEVIATION,
            ),
        };
    }
}

impl Denoiser for Gaussian {
    fn horizon(&self) -> usize {
        self.horizon
    }

    fn action_dim(&self) -> usize {
        self.columns.len()
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
        let columns = self.columns.iter().map(|(mean, variance)| {
            let slope = signal * variance / (signal * signal * variance + noise * noise);
            let rest = mean - slope * signal * mean;
            ((slope - of_sample) / of_prediction, rest / of_prediction)
        });
        let columns: Vec<(f64, f64)> = columns.collect();
        let columns = columns.iter().cycle();
        for ((out, sample), (factor, rest)) in out.iter_mut().zip(sample).zip(columns) {
            *out = (factor * f64::from(*sample) + rest) as f32;
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
                columns: vec![(0.0, 0.09), (0.0, 0.09), (0.2, 0.09), (0.0, 0.25)],
                horizon: 8,
                gripper: Some((3, [-1.0, 1.0])),
            };
            gaussian.set_fingers(Some(0.8));
            let config = SteeringConfig {
                scheduler,
                ..SteeringConfig::default()
            };
            let layout = ActionLayout::position_deltas(4, [0, 1, 2], Some(3), 10.0);
            let space = ActionSpace::plain(layout);
            let mut steerer = Steerer::new(config, space, 8).unwrap();
            let start = Start::at([0.4, 0.0, 0.2]);
            // A chunk at a time, as a policy is left alone.
            let (mut sums, mut squares) = ([0.0; 4], [0.0; 4]);
            for chunk in 0..400 {
                let sampled = steerer
                    .sample(&mut gaussian, None, &start, 0.0, 7, chunk)
                    .unwrap();
                for row in sampled.sample_of(0).chunks_exact(4) {
                    for (column, value) in row.iter().enumerate() {
                        sums[column] += value;
                        squares[column] += value.powi(2);
                    }
                }
            }
            let means = sums.map(|sum: f32| sum / 3200.0);
            let deviations: [f32; 4] = std::array::from_fn(|column| {
                (squares[column] / 3200.0 - means[column].powi(2)).sqrt()
            });
            // Fifty steps are a little short of the exact flow.
            assert!((deviations[0] - 0.29).abs() < 0.02, "{deviations:?}");
            assert!((deviations[3] - 0.043).abs() < 0.006, "{deviations:?}");
            assert!(
                means[0].abs() < 0.02 && (means[2] - 0.2).abs() < 0.02,
                "{means:?}"
            );
            assert!((means[3] - 0.6).abs() < 0.02, "{means:?}");
        }
    }

    #[test]
    fn fingers_by_the_rule() {
        assert_eq!(reflex(0.2, 0.08), 1.0, "open above everything");
        assert_eq!(reflex(0.03, 0.08), 0.0, "open near the table: closes");
        assert_eq!(reflex(0.03, 0.03), 0.0, "on a thing: holds it");
        assert_eq!(reflex(0.2, 0.03), 0.0, "wherever it goes");
        assert_eq!(reflex(0.03, 0.0), 0.0, "empty near the table: stays closed");
        assert_eq!(reflex(0.2, 0.0), 1.0, "empty above it: opens");
    }
}
