//! Feynman-Kac steering: particles weighted and resampled by the reward of their clean estimates.
//!
//! A particle's weight is the product of potentials along its path. Whatever the potential, the
//! terminal correction makes the product telescope to `exp(lambda * R(x_final))`, so that the
//! weighted particles follow the policy's distribution tilted by the reward. Weights live in log
//! space; they are carried from step to step and reset only by a resampling.

use crate::config::Potential;

/// The weights of a population of particles.
#[derive(Debug, Clone)]
pub struct Weights {
    potential: Potential,
    lambda: f64,
    /// Log weight since the last resampling.
    log_weight: Vec<f64>,
    /// Log product of all potentials along the particle's path, resamplings included.
    log_product: Vec<f64>,
    /// What the potential remembers of the path: last, highest or summed reward.
    memory: Vec<f64>,
    normalised: Vec<f64>,
    ancestors: Vec<u32>,
    scratch: Vec<f64>,
}

impl Weights {
    /// Equal weights for up to `particles` particles.
    #[must_use]
    pub fn new(potential: Potential, lambda: f64, particles: usize) -> Self {
        let zeros = || Vec::with_capacity(particles);
        Self {
            potential,
            lambda,
            log_weight: zeros(),
            log_product: zeros(),
            memory: zeros(),
            normalised: zeros(),
            ancestors: Vec::with_capacity(particles),
            scratch: zeros(),
        }
    }

    /// Takes another inverse temperature, from the next sampling run on.
    pub(crate) fn set_lambda(&mut self, lambda: f64) {
        self.lambda = lambda;
    }

    /// Starts anew with `particles` equal weights.
    pub fn reset(&mut self, particles: usize) {
        let initial = match self.potential {
            Potential::Max => f64::NEG_INFINITY,
            Potential::Difference | Potential::Sum | Potential::Immediate => 0.0,
        };
        for (values, value) in [
            (&mut self.log_weight, 0.0),
            (&mut self.log_product, 0.0),
            (&mut self.memory, initial),
            (&mut self.normalised, 1.0 / particles as f64),
        ] {
            values.clear();
            values.resize(particles, value);
        }
    }

    /// Multiplies in the potential of the clean estimates' rewards. Lost particles get weight 0.
    pub fn update(&mut self, rewards: &[f32], lost: &[bool]) {
        for (b, &reward) in rewards.iter().enumerate() {
            if lost[b] {
                self.log_weight[b] = f64::NEG_INFINITY;
                continue;
            }
            let reward = f64::from(reward);
            let memory = &mut self.memory[b];
            let exponent = match self.potential {
                Potential::Difference => reward - std::mem::replace(memory, reward),
                Potential::Max => {
                    *memory = memory.max(reward);
                    *memory
                }
                Potential::Sum => {
                    *memory += reward;
                    *memory
                }
                Potential::Immediate => reward,
            };
            self.log_weight[b] += self.lambda * exponent;
            self.log_product[b] += self.lambda * exponent;
        }
        self.normalise();
    }

    /// Multiplies in what is missing for the product to be `exp(lambda * R(x_final))`.
    pub fn finish(&mut self, rewards: &[f32], lost: &[bool]) {
        for (b, &reward) in rewards.iter().enumerate() {
            if lost[b] {
                self.log_weight[b] = f64::NEG_INFINITY;
                continue;
            }
            let goal = self.lambda * f64::from(reward);
            self.log_weight[b] += goal - self.log_product[b];
            self.log_product[b] = goal;
        }
        self.normalise();
    }

    fn normalise(&mut self) {
        let highest = self
            .log_weight
            .iter()
            .copied()
            .fold(f64::NEG_INFINITY, f64::max);
        let mut sum = 0.0;
        for (normalised, log) in self.normalised.iter_mut().zip(&self.log_weight) {
            // With every particle lost `highest` is -inf too, and the difference not a number.
            *normalised = if *log == f64::NEG_INFINITY {
                0.0
            } else {
                (log - highest).exp()
            };
            sum += *normalised;
        }
        if sum > 0.0 {
            self.normalised.iter_mut().for_each(|weight| *weight /= sum);
        }
    }

    /// The weights, summing to 1 (all 0 when every particle is lost).
    #[must_use]
    pub fn normalised(&self) -> &[f64] {
        &self.normalised
    }

    /// The effective sample size `1 / sum w^2`, from 0 (all lost) to the number of particles.
    #[must_use]
    pub fn effective_size(&self) -> f64 {
        let squares: f64 = self.normalised.iter().map(|weight| weight * weight).sum();
        if squares > 0.0 { 1.0 / squares } else { 0.0 }
    }

    /// Systematic resampling with the one number `uniform` in `[0, 1)`: particle `b` becomes a copy
    /// of `ancestors[b]`, and a particle of weight `w` has `floor(B w)` or `ceil(B w)` copies.
    /// Weights become equal again. Returns the ancestors; the caller moves what else it keeps per
    /// particle. Must not be called when every particle is lost.
    pub fn resample(&mut self, uniform: f64) -> &[u32] {
        let count = self.normalised.len();
        self.ancestors.clear();
        let (mut ancestor, mut cumulative) = (0, self.normalised[0]);
        for b in 0..count {
            let target = (b as f64 + uniform) / count as f64;
            while cumulative <= target && ancestor + 1 < count {
                ancestor += 1;
                cumulative += self.normalised[ancestor];
            }
            self.ancestors.push(ancestor as u32);
        }
        // Rounding can leave the sum a little below 1 and run past the last particle with weight.
        let last = self
            .normalised
            .iter()
            .rposition(|weight| *weight > 0.0)
            .unwrap_or(0) as u32;
        self.ancestors
            .iter_mut()
            .for_each(|ancestor| *ancestor = (*ancestor).min(last));
        for values in [&mut self.log_product, &mut self.memory] {
            self.scratch.clone_from(values);
            for (value, &ancestor) in values.iter_mut().zip(&self.ancestors) {
                *value = self.scratch[ancestor as usize];
            }
        }
        self.log_weight.fill(0.0);
        self.normalised.fill(1.0 / count as f64);
        &self.ancestors
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ALL: [Potential; 4] = [
        Potential::Difference,
        Potential::Max,
        Potential::Sum,
        Potential::Immediate,
    ];

    fn weights(potential: Potential, lambda: f64, particles: usize) -> Weights {
        let mut weights = Weights::new(potential, lambda, particles);
        weights.reset(particles);
        weights
    }

    proptest! {
        /// The product telescopes to the final reward alone, whatever happened before.
        #[test]
        fn the_terminal_correction_leaves_only_the_final_reward(
            history in prop::collection::vec(prop::collection::vec(-50.0..50.0f32, 5), 1..6),
            last in prop::collection::vec(-50.0..50.0f32, 5),
            lambda in 0.0..20.0f64,
        ) {
            for potential in ALL {
                let mut weights = weights(potential, lambda, 5);
                for rewards in &history {
                    weights.update(rewards, &[false; 5]);
                    let sum: f64 = weights.normalised().iter().sum();
                    prop_assert!((sum - 1.0).abs() < 1e-9);
                    prop_assert!(weights.effective_size() > 1.0 - 1e-9);
                    prop_assert!(weights.effective_size() < 5.0 + 1e-9);
                }
                weights.finish(&last, &[false; 5]);
                let highest = last.iter().copied().fold(f32::MIN, f32::max);
                let tilted: Vec<f64> =
                    last.iter().map(|r| (lambda * f64::from(r - highest)).exp()).collect();
                let sum: f64 = tilted.iter().sum();
                for (found, expected) in weights.normalised().iter().zip(&tilted) {
                    prop_assert!((found - expected / sum).abs() < 1e-6, "{potential:?}");
                }
            }
        }

        #[test]
        fn systematic_resampling_copies_in_proportion(
            rewards in prop::collection::vec(-2.0..2.0f32, 1..40),
            uniform in 0.0..1.0f64,
        ) {
            let count = rewards.len();
            let mut weights = weights(Potential::Immediate, 1.0, count);
            weights.update(&rewards, &vec![false; count]);
            let before = weights.normalised().to_vec();
            let ancestors = weights.resample(uniform).to_vec();
            prop_assert!(ancestors.is_sorted());
            for (b, weight) in before.iter().enumerate() {
                let copies = ancestors.iter().filter(|a| **a as usize == b).count() as f64;
                let expected = weight * count as f64;
                prop_assert!((copies - expected).abs() < 1.0 + 1e-9, "{copies} of {expected}");
            }
            prop_assert!((weights.effective_size() - count as f64).abs() < 1e-9);
        }
    }

    #[test]
    fn lost_particles_have_no_weight_and_no_children() {
        let mut weights = weights(Potential::Difference, 1.0, 3);
        weights.update(&[f32::NAN, 1.0, 1.0], &[true, false, false]);
        assert_eq!(weights.normalised(), &[0.0, 0.5, 0.5]);
        assert!(weights.resample(0.999).iter().all(|a| *a != 0));
        weights.update(&[f32::NAN; 3], &[true; 3]);
        assert_eq!(weights.effective_size(), 0.0);
    }

    #[test]
    fn extreme_rewards_stay_in_range() {
        let mut weights = weights(Potential::Sum, 1e6, 2);
        weights.update(&[1e30, -1e30], &[false, false]);
        assert_eq!(weights.normalised(), &[1.0, 0.0]);
    }

    #[test]
    fn weights_are_carried_when_there_is_no_resampling() {
        let mut carried = weights(Potential::Immediate, 1.0, 2);
        carried.update(&[0.0, 1.0], &[false; 2]);
        carried.update(&[0.0, 1.0], &[false; 2]);
        let ratio = carried.normalised()[1] / carried.normalised()[0];
        assert!((ratio.ln() - 2.0).abs() < 1e-9, "{ratio}");
    }
}
