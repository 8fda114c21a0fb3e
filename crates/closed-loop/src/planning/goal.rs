//! The highest reward that a trajectory can reach within the motion limits.
//!
//! Gradients of a compiled reward cost microseconds, so the goal of a stage is searched directly:
//! several trajectories climb the reward's gradient side by side, every step kept inside its box.

use tiller_steering::random::{Purpose, Random};

/// Trajectories that climb together: one block of the reward's evaluator.
const CLIMBERS: usize = 24;
/// Steps of the climb; a straight line across the box takes one.
const ITERATIONS: usize = 120;
/// Random trajectories in the check whether a reward ever becomes positive.
const PROBES: usize = 96;
/// Above this a reward counts as positive; rounding is below it.
const POSITIVE: f64 = 1e-9;
/// The probes must be the same in every run.
const SEED: u64 = 0x7117_e500;

/// What is asked of a reward: values `[B]` and, if wanted, gradients of trajectories `[B, P, 3]`.
pub(crate) trait Landscape {
    type Error;
    fn evaluate(
        &mut self,
        trajectories: &[f64],
        values: &mut [f64],
        gradients: Option<&mut [f64]>,
    ) -> Result<(), Self::Error>;
}

/// Where trajectories start and how they may move.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reach<'a> {
    pub(crate) anchor: [f64; 3],
    pub(crate) keypoints: &'a [[f64; 3]],
    /// Points `P` of a trajectory, the anchor included.
    pub(crate) points: usize,
    /// Largest displacement along an axis in one step, metres.
    pub(crate) max_step_m: f64,
}

impl Reach<'_> {
    fn actions(&self) -> usize {
        self.points - 1
    }

    /// The keypoints that are known.
    fn targets(&self) -> impl Iterator<Item = [f64; 3]> + '_ {
        let known = |keypoint: &[f64; 3]| keypoint.iter().all(|value| value.is_finite());
        self.keypoints.iter().copied().filter(known)
    }

    /// Random numbers that depend on nothing but the index.
    fn direction(index: usize) -> [f64; 3] {
        let mut normal = [0.0f32; 3];
        Random::new(SEED, 0).normal(Purpose::Initial, 0, 0, index, &mut normal);
        normal.map(f64::from)
    }

    /// The displacement of each step on the straight way to `target`, unlimited.
    fn straight_to(&self, target: [f64; 3]) -> [f64; 3] {
        std::array::from_fn(|axis| (target[axis] - self.anchor[axis]) / self.actions() as f64)
    }

    /// The displacement of each step in direction `index` with the longest axis at `share` of the
    /// limit.
    fn random_step(&self, index: usize, share: f64) -> [f64; 3] {
        let direction = Self::direction(index);
        let longest = direction
            .iter()
            .fold(f64::MIN_POSITIVE, |most, d| most.max(d.abs()));
        direction.map(|d| d / longest * share * self.max_step_m)
    }

    /// Appends the points of a trajectory with constant steps.
    fn push_line(&self, step: [f64; 3], points: &mut Vec<f64>) {
        for index in 0..self.points {
            points.extend((0..3).map(|axis| self.anchor[axis] + index as f64 * step[axis]));
        }
    }
}

/// Whether the reward is positive on any probe: holding still, going straight to every keypoint,
/// and going in random directions at the speed limit and far below it.
pub(crate) fn becomes_positive<L: Landscape>(
    landscape: &mut L,
    reach: &Reach<'_>,
) -> Result<bool, L::Error> {
    let mut trajectories = Vec::new();
    reach.push_line([0.0; 3], &mut trajectories);
    for keypoint in reach.targets() {
        reach.push_line(reach.straight_to(keypoint), &mut trajectories);
    }
    for index in 0..PROBES {
        let share = [1.0, 0.5, 0.1][index % 3];
        reach.push_line(reach.random_step(index, share), &mut trajectories);
    }
    let mut values = vec![0.0; trajectories.len() / (reach.points * 3)];
    landscape.evaluate(&trajectories, &mut values, None)?;
    Ok(values.iter().any(|value| *value > POSITIVE))
}

/// The highest reward found by climbing from several starts within the motion limits; never below
/// that of holding still. Values that are not finite are passed over.
pub(crate) fn highest_reward<L: Landscape>(
    landscape: &mut L,
    reach: &Reach<'_>,
) -> Result<f64, L::Error> {
    let (actions, width) = (reach.actions(), reach.points * 3);
    let mut steps = vec![0.0; CLIMBERS * actions * 3];
    let mut targets = reach.targets();
    for (climber, steps) in steps.chunks_exact_mut(actions * 3).enumerate() {
        let step = match climber.checked_sub(1) {
            None => [0.0; 3],
            Some(index) => match targets.next() {
                Some(keypoint) => reach.straight_to(keypoint),
                None => reach.random_step(index, 0.5),
            },
        };
        for action in steps.chunks_exact_mut(3) {
            action.copy_from_slice(&step.map(|s| s.clamp(-reach.max_step_m, reach.max_step_m)));
        }
    }
    let mut trajectories = vec![0.0; CLIMBERS * width];
    let mut gradients = vec![0.0; CLIMBERS * width];
    let mut values = vec![0.0; CLIMBERS];
    let mut best = f64::NEG_INFINITY;
    for iteration in 0..=ITERATIONS {
        integrate(reach, &steps, &mut trajectories);
        landscape.evaluate(&trajectories, &mut values, Some(&mut gradients))?;
        for value in values.iter().filter(|value| value.is_finite()) {
            best = best.max(*value);
        }
        // A shrinking step: across the box at first, a thousandth of it in the end.
        let share = 1.0 - iteration as f64 / (ITERATIONS + 1) as f64;
        let length = reach.max_step_m * share * share * share;
        climb(reach, &gradients, length, &mut steps);
    }
    Ok(best)
}

/// Points from steps: the cumulative sum from the anchor.
fn integrate(reach: &Reach<'_>, steps: &[f64], trajectories: &mut [f64]) {
    let stride = reach.actions() * 3;
    let pairs = steps
        .chunks_exact(stride)
        .zip(trajectories.chunks_exact_mut(reach.points * 3));
    for (steps, points) in pairs {
        let mut position = reach.anchor;
        points[..3].copy_from_slice(&position);
        for (step, point) in steps.chunks_exact(3).zip(points[3..].chunks_exact_mut(3)) {
            for axis in 0..3 {
                position[axis] += step[axis];
            }
            point.copy_from_slice(&position);
        }
    }
}

/// Moves every trajectory's steps up its gradient, the entry with the steepest slope by `length`,
/// and back into the box.
fn climb(reach: &Reach<'_>, gradients: &[f64], length: f64, steps: &mut [f64]) {
    let stride = reach.actions() * 3;
    let pairs = gradients
        .chunks_exact(reach.points * 3)
        .zip(steps.chunks_exact_mut(stride));
    let mut slope = vec![0.0; stride];
    for (gradient, steps) in pairs {
        // dR/dstep_j = sum of dR/dpoint_k over the points k > j.
        let mut sum = [0.0; 3];
        let rows = slope.chunks_exact_mut(3).zip(gradient[3..].chunks_exact(3));
        for (slope, gradient) in rows.rev() {
            for axis in 0..3 {
                sum[axis] += gradient[axis];
            }
            slope.copy_from_slice(&sum);
        }
        let steepest = slope.iter().fold(0.0f64, |most, s| most.max(s.abs()));
        if !(steepest.is_finite() && steepest > 0.0) {
            continue;
        }
        for (step, slope) in steps.iter_mut().zip(&slope) {
            let moved = *step + length * slope / steepest;
            *step = moved.clamp(-reach.max_step_m, reach.max_step_m);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use proptest::prelude::*;

    use super::*;

    /// `peak - |end - target|^2`.
    struct Bowl {
        peak: f64,
        target: [f64; 3],
    }

    impl Landscape for Bowl {
        type Error = Infallible;
        fn evaluate(
            &mut self,
            trajectories: &[f64],
            values: &mut [f64],
            gradients: Option<&mut [f64]>,
        ) -> Result<(), Infallible> {
            let width = trajectories.len() / values.len();
            let mut slopes = vec![0.0; trajectories.len()];
            for (b, value) in values.iter_mut().enumerate() {
                *value = self.peak;
                for axis in 0..3 {
                    let at = (b + 1) * width - 3 + axis;
                    let off = trajectories[at] - self.target[axis];
                    *value -= off * off;
                    slopes[at] = -2.0 * off;
                }
            }
            if let Some(gradients) = gradients {
                gradients.copy_from_slice(&slopes);
            }
            Ok(())
        }
    }

    fn reach(keypoints: &[[f64; 3]]) -> Reach<'_> {
        Reach {
            anchor: [0.4, 0.0, 0.2],
            keypoints,
            points: 17,
            max_step_m: 0.03,
        }
    }

    proptest! {
        #[test]
        fn a_target_within_reach_is_reached(
            x in -0.45..0.45f64, y in -0.45..0.45f64, z in -0.45..0.45f64,
        ) {
            let mut bowl = Bowl { peak: 3.0, target: [0.4 + x, y, 0.2 + z] };
            let found = highest_reward(&mut bowl, &reach(&[])).unwrap();
            prop_assert!(found <= 3.0 && found > 3.0 - 1e-4, "{found}");
        }
    }

    #[test]
    fn the_motion_limit_bounds_what_is_out_of_reach() {
        // 16 steps of 0.03 m reach 0.48 m of the 0.6 m along x.
        let mut bowl = Bowl {
            peak: 1.0,
            target: [1.0, 0.0, 0.2],
        };
        let found = highest_reward(&mut bowl, &reach(&[])).unwrap();
        assert!((found - (1.0 - 0.12f64.powi(2))).abs() < 1e-4, "{found}");
    }

    #[test]
    fn probes_tell_positive_rewards_from_penalties() {
        let keypoint = [[0.7, 0.3, 0.05]];
        let mut penalty = Bowl {
            peak: 0.0,
            target: keypoint[0],
        };
        assert!(!becomes_positive(&mut penalty, &reach(&keypoint)).unwrap());
        // Positive only within a centimetre of the keypoint.
        let mut bonus = Bowl {
            peak: 1e-4,
            target: keypoint[0],
        };
        assert!(becomes_positive(&mut bonus, &reach(&keypoint)).unwrap());
    }
}
