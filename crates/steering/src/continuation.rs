//! Chunks that carry on the one under way: real-time chunking.
//!
//! While a chunk is planned, the robot executes the one before. The steps that it will have
//! executed by then are frozen: the new chunk repeats them exactly. The steps that both plans
//! cover are drawn toward the old one, the less the later they are (Black, Galliker and Levine,
//! "Real-Time Execution of Action Chunking Flow Policies", 2025, equation 5). Both happen to the
//! clean estimate of every sampling step, with the noise estimate changed along, so that the two
//! still explain the sample: the policy completes what it is given instead of being overruled at
//! the end.
//!
//! The paper lets the policy's own gradient carry the known steps over to the others. A denoiser
//! in ONNX has no gradient, so here the whole overlap is drawn alike while noise prevails: that is
//! when a multimodal policy decides which behaviour the chunk will be.

use tiller_core::Continuation;

use crate::error::SteeringError;
use crate::scheduler::Level;

/// What a sampling run keeps of the chunk under way.
#[derive(Debug, Default)]
pub(crate) struct Inpainting {
    softness: f32,
    /// Leading rows that are frozen; none when a chunk starts afresh.
    frozen: usize,
    /// Leading rows that the old plan covers; none when a chunk starts afresh.
    overlap: usize,
    dim: usize,
    /// `[T, D]`: the old plan, shifted so that its row `t` is the new chunk's row `t`.
    plan: Vec<f32>,
    /// `[T]`: how much rows of the overlap are drawn toward it, apart from the frozen ones.
    weights: Vec<f32>,
}

impl Inpainting {
    /// Room for chunks of `horizon` actions of `dim` columns.
    pub(crate) fn new(horizon: usize, dim: usize) -> Self {
        Self {
            softness: 0.0,
            frozen: 0,
            overlap: 0,
            dim,
            plan: vec![0.0; horizon * dim],
            weights: vec![0.0; horizon],
        }
    }

    /// What comes next starts afresh.
    pub(crate) fn clear(&mut self) {
        self.frozen = 0;
        self.overlap = 0;
    }

    /// Prepares a run, see [`Steerer::carry_on`](crate::Steerer::carry_on). `start` is the row of the
    /// first action that is executed; rows before it are of the past and always known. So row `start`
    /// of the new chunk is row `start + step` of the plan, and row 0 is row `step`.
    pub(crate) fn prepare(
        &mut self,
        plan: &[f32],
        continuation: &Continuation,
        softness: f32,
        start: usize,
    ) -> Result<(), SteeringError> {
        self.clear();
        let horizon = self.weights.len();
        let refuse =
            |expected: String, found: String| Err(SteeringError::Continuation { expected, found });
        let [step, frozen] = [continuation.step, continuation.frozen_steps]
            .map(|steps| usize::try_from(steps).unwrap_or(usize::MAX));
        if plan.len() != self.plan.len() {
            return refuse(
                format!("{} numbers", self.plan.len()),
                plan.len().to_string(),
            );
        }
        let end = step.saturating_add(frozen);
        if end > horizon - start {
            return refuse(format!("steps up to {}", horizon - start), end.to_string());
        }
        if let Some(value) = plan.iter().find(|value| !value.is_finite()) {
            return refuse("finite numbers".to_owned(), value.to_string());
        }
        if !(0.0..=1.0).contains(&softness) {
            return refuse("a softness from 0 to 1".to_owned(), softness.to_string());
        }
        self.plan.fill(0.0);
        let known = &plan[step * self.dim..];
        self.plan[..known.len()].copy_from_slice(known);
        self.softness = softness;
        self.frozen = start + frozen;
        self.overlap = horizon - step;
        for row in self.frozen..self.overlap {
            self.weights[row] = fading(row, self.frozen, self.overlap);
        }
        Ok(())
    }

    /// Sets the gradient `[B, T, D]` of frozen rows to 0: nothing can move them.
    pub(crate) fn hold(&self, gradients: &mut [f32]) {
        let frozen = self.frozen * self.dim;
        for gradient in gradients.chunks_exact_mut(self.plan.len()) {
            gradient[..frozen].fill(0.0);
        }
    }

    /// Writes the plan into the frozen rows of finished samples `[B, T, D]`: a scheduler whose last
    /// level keeps some noise does not repeat them to the bit.
    pub(crate) fn freeze(&self, samples: &mut [f32]) {
        let frozen = self.frozen * self.dim;
        for sample in samples.chunks_exact_mut(self.plan.len()) {
            sample[..frozen].copy_from_slice(&self.plan[..frozen]);
        }
    }

    /// Leading rows that are frozen.
    pub(crate) fn frozen_rows(&self) -> usize {
        self.frozen
    }

    /// Draws the clean estimates `[B, T, D]` at `level` toward the old plan; the noise estimates
    /// change so that `signal * clean + noise * eps` stays what it was.
    pub(crate) fn apply(&self, level: &Level, clean: &mut [f32], noise: &mut [f32]) {
        if self.overlap == 0 {
            return;
        }
        let along = if level.noise > 0.0 {
            (level.signal / level.noise) as f32
        } else {
            0.0
        };
        // Which behaviour a chunk becomes is decided while noise prevails.
        let undecided = (2.0 * level.noise_share()).min(1.0) as f32;
        let size = self.plan.len();
        for (clean, noise) in clean
            .chunks_exact_mut(size)
            .zip(noise.chunks_exact_mut(size))
        {
            for row in 0..self.overlap {
                let frozen = row < self.frozen;
                let weight = if frozen {
                    1.0
                } else {
                    let fading = self.weights[row];
                    self.softness * (fading + (1.0 - fading) * undecided)
                };
                for at in row * self.dim..(row + 1) * self.dim {
                    let change = weight * (self.plan[at] - clean[at]);
                    // A frozen action is repeated to the bit.
                    clean[at] = if frozen {
                        self.plan[at]
                    } else {
                        clean[at] + change
                    };
                    noise[at] -= along * change;
                }
            }
        }
    }
}

/// Equation 5: from just below 1 after the frozen rows to 0 at the end of the overlap.
fn fading(row: usize, frozen: usize, overlap: usize) -> f32 {
    let left = (overlap - row) as f64 / (overlap - frozen + 1) as f64;
    (left * left.exp_m1() / 1f64.exp_m1()) as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    const HORIZON: usize = 8;

    fn plan() -> Vec<f32> {
        (0..HORIZON * 2).map(|i| i as f32 * 0.01 - 0.05).collect()
    }

    fn at(step: u32, frozen_steps: u32) -> Continuation {
        Continuation {
            seq: 1,
            step,
            frozen_steps,
        }
    }

    fn prepared(step: u32, frozen: u32, softness: f32, start: usize) -> Inpainting {
        let mut inpainting = Inpainting::new(HORIZON, 2);
        let continuation = at(step, frozen);
        inpainting
            .prepare(&plan(), &continuation, softness, start)
            .unwrap();
        inpainting
    }

    #[test]
    fn weights_fall_from_the_frozen_rows_to_the_end_of_the_overlap() {
        let Inpainting {
            frozen,
            overlap,
            weights,
            ..
        } = prepared(2, 2, 1.0, 0);
        assert_eq!((frozen, overlap), (2, 6));
        assert_eq!(weights[6..], [0.0, 0.0]);
        assert!(weights[2..6].windows(2).all(|pair| pair[0] > pair[1]));
        assert!(weights[2] < 1.0 && weights[5] > 0.0);
        // Equation 5 at row 3, with 6 - 3 of 6 - 2 + 1 left.
        let c: f32 = 3.0 / 5.0;
        assert!((weights[3] - c * (c.exp() - 1.0) / (1f32.exp() - 1.0)).abs() < 1e-6);
        assert_eq!(prepared(2, 2, 1.0, 1).frozen_rows(), 3);
    }

    #[test]
    fn steps_count_executed_actions_from_the_start_on() {
        for start in [0, 1, 2] {
            let inpainting = prepared(3, 2, 1.0, start);
            // The first executed row of the new chunk is the executed step 3 of the plan.
            let rows = start * 2..(start + 2) * 2;
            assert_eq!(
                inpainting.plan[rows.clone()],
                plan()[rows.start + 6..rows.end + 6]
            );
            assert_eq!((inpainting.frozen, inpainting.overlap), (start + 2, 5));
        }
    }

    #[test]
    fn frozen_rows_repeat_the_plan_and_the_sample_stays_explained() {
        let inpainting = prepared(3, 2, 1.0, 0);
        let level = Level {
            time: 0.4,
            signal: 0.6,
            noise: 0.4,
        };
        let before: (Vec<f32>, Vec<f32>) = (vec![0.3; 32], vec![-0.2; 32]);
        let (mut clean, mut noise) = before.clone();
        inpainting.apply(&level, &mut clean, &mut noise);
        assert_eq!(clean[..4], plan()[6..10]);
        assert_eq!(clean[16..20], plan()[6..10]);
        assert_eq!(clean[10..16], before.0[10..16]);
        for at in 0..32 {
            let sample = 0.6 * before.0[at] + 0.4 * before.1[at];
            assert!((0.6 * clean[at] + 0.4 * noise[at] - sample).abs() < 1e-6);
        }
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let mut inpainting = Inpainting::new(HORIZON, 2);
        let plan = plan();
        assert!(inpainting.prepare(&plan, &at(6, 2), 1.0, 0).is_ok());
        for (plan, continuation, softness, start) in [
            (&plan[1..], at(6, 2), 1.0, 0),
            (&plan[..], at(6, 3), 1.0, 0),
            // What is past cannot be executed.
            (&plan[..], at(6, 2), 1.0, 1),
            (&plan[..], at(u32::MAX, 2), 1.0, 0),
            (&plan[..], at(6, 2), f32::NAN, 0),
        ] {
            let refused = inpainting.prepare(plan, &continuation, softness, start);
            assert!(refused.is_err(), "{continuation:?}");
        }
        // After a refusal nothing is left over.
        let mut clean = vec![0.5; 16];
        inpainting.apply(
            &Level {
                time: 1.0,
                signal: 0.5,
                noise: 0.5,
            },
            &mut clean,
            &mut [0.0; 16],
        );
        assert_eq!(clean, [0.5; 16]);
    }
}
