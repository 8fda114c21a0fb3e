//! Seeded draws for scenes and experts. One seed and one stream give one sequence on every machine.

use rand_chacha::ChaCha8Rng;
use rand_core::{RngCore, SeedableRng};

/// A seeded source of numbers.
#[derive(Debug, Clone)]
pub struct Random(ChaCha8Rng);

impl Random {
    /// Streams with different numbers are independent for the same seed.
    #[must_use]
    pub fn new(seed: u64, stream: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(stream);
        Self(rng)
    }

    /// Uniform in [low, high).
    pub fn uniform(&mut self, low: f64, high: f64) -> f64 {
        // 53 bits fill the mantissa exactly.
        let unit = (self.0.next_u64() >> 11) as f64 / (1_u64 << 53) as f64;
        low + (high - low) * unit
    }

    /// Uniform in [-half, half).
    pub fn within(&mut self, half: f64) -> f64 {
        self.uniform(-half, half)
    }

    /// Uniform in the box between two corners.
    pub fn in_box(&mut self, low: [f64; 3], high: [f64; 3]) -> [f64; 3] {
        std::array::from_fn(|axis| self.uniform(low[axis], high[axis]))
    }

    /// True with probability one half.
    pub fn coin(&mut self) -> bool {
        self.0.next_u64() >> 63 == 1
    }

    /// True in that share of the draws.
    pub fn chance(&mut self, share: f64) -> bool {
        self.uniform(0.0, 1.0) < share
    }

    /// 1 or -1.
    pub fn sign(&mut self) -> f64 {
        if self.chance(0.5) { 1.0 } else { -1.0 }
    }

    /// Normally distributed with mean 0 and standard deviation 1 (Box and Muller 1958).
    pub fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.uniform(0.0, 1.0)).ln()).sqrt();
        radius * self.uniform(0.0, std::f64::consts::TAU).cos()
    }

    /// One of them.
    pub fn one_of<T: Copy>(&mut self, all: &[T]) -> Option<T> {
        let index = self.uniform(0.0, all.len() as f64) as usize;
        all.get(index).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn same_seed_same_numbers_other_stream_others() {
        let draw = |seed, stream| {
            let mut random = Random::new(seed, stream);
            (0..8).map(|_| random.uniform(0.0, 1.0)).collect::<Vec<_>>()
        };
        assert_eq!(draw(3, 0), draw(3, 0));
        assert_ne!(draw(3, 0), draw(3, 1));
        assert!(draw(3, 0).iter().all(|x| (0.0..1.0).contains(x)));
    }

    #[test]
    fn normal_draws_have_their_mean_and_deviation() {
        let mut random = Random::new(7, 0);
        let draws: Vec<f64> = (0..10_000).map(|_| random.normal()).collect();
        let mean = draws.iter().sum::<f64>() / 1e4;
        let square = draws.iter().map(|x| x * x).sum::<f64>() / 1e4;
        assert!(
            mean.abs() < 0.05 && (square - 1.0).abs() < 0.05,
            "{mean} {square}"
        );
    }
}
