//! Counter-based randomness: every number is a function of its coordinates.
//!
//! One ChaCha8 key per `(seed, chunk)`; one stream per purpose, sampling step, inner repetition and
//! particle. Nothing is consumed in an order that threads or batch sizes could change, so particle
//! `b` gets the same noise whatever the number of particles beside it.

use rand_chacha::ChaCha8Rng;
use rand_core::{RngCore, SeedableRng};

/// What a random number is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// The noise that a sample starts from.
    Initial = 0,
    /// The fresh noise of a stochastic step.
    Step = 1,
    /// The noise that takes a sample back to the level it came from.
    Renoise = 2,
    /// The one uniform number of a systematic resampling.
    Resample = 3,
}

/// The random numbers of one chunk.
#[derive(Debug, Clone)]
pub struct Random {
    key: [u8; 32],
}

impl Random {
    /// The numbers of chunk `chunk_index` under `seed`.
    #[must_use]
    pub fn new(seed: u64, chunk_index: u64) -> Self {
        let mut key = *b"................tiller-steering1";
        key[..8].copy_from_slice(&seed.to_le_bytes());
        key[8..16].copy_from_slice(&chunk_index.to_le_bytes());
        Self { key }
    }

    fn stream(&self, purpose: Purpose, step: usize, inner: usize, particle: usize) -> ChaCha8Rng {
        let mut generator = ChaCha8Rng::from_seed(self.key);
        // Ranges are guaranteed by the configuration's limits.
        let stream = (purpose as u64) << 60
            | (inner as u64 & 0xfff) << 48
            | (step as u64 & 0xffff) << 32
            | (particle as u64 & 0xffff_ffff);
        generator.set_stream(stream);
        generator
    }

    /// Fills `out` with independent standard normal numbers (Box-Muller).
    pub fn normal(
        &self,
        purpose: Purpose,
        step: usize,
        inner: usize,
        particle: usize,
        out: &mut [f32],
    ) {
        let mut generator = self.stream(purpose, step, inner, particle);
        for pair in out.chunks_mut(2) {
            // Half-open away from 0, so that the logarithm is finite.
            let radius = (-2.0 * open_unit(generator.next_u32()).ln()).sqrt();
            let (sine, cosine) =
                (std::f32::consts::TAU * open_unit(generator.next_u32())).sin_cos();
            pair[0] = radius * cosine;
            if let Some(second) = pair.get_mut(1) {
                *second = radius * sine;
            }
        }
    }

    /// A number in `[0, 1)`.
    #[must_use]
    pub fn uniform(&self, purpose: Purpose, step: usize) -> f64 {
        let bits = self.stream(purpose, step, 0, 0).next_u64() >> 11;
        bits as f64 / (1u64 << 53) as f64
    }
}

/// `(0, 1]` in steps of 2^-32.
fn open_unit(bits: u32) -> f32 {
    ((f64::from(bits) + 1.0) / 4_294_967_296.0) as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draw(seed: u64, chunk: u64, purpose: Purpose, step: usize, particle: usize) -> Vec<f32> {
        let mut out = vec![0.0; 7];
        Random::new(seed, chunk).normal(purpose, step, 0, particle, &mut out);
        out
    }

    #[test]
    fn same_coordinates_same_bits() {
        assert_eq!(
            draw(1, 2, Purpose::Step, 3, 4),
            draw(1, 2, Purpose::Step, 3, 4)
        );
    }

    #[test]
    fn every_coordinate_matters() {
        let base = draw(1, 2, Purpose::Step, 3, 4);
        for other in [
            draw(2, 2, Purpose::Step, 3, 4),
            draw(1, 3, Purpose::Step, 3, 4),
            draw(1, 2, Purpose::Renoise, 3, 4),
            draw(1, 2, Purpose::Step, 4, 4),
            draw(1, 2, Purpose::Step, 3, 5),
        ] {
            assert_ne!(base, other);
        }
    }

    #[test]
    fn normal_numbers_are_standard() {
        let n = 200_000;
        let mut out = vec![0.0; n];
        Random::new(5, 0).normal(Purpose::Initial, 0, 0, 0, &mut out);
        let moment =
            |power: i32| out.iter().map(|z| f64::from(*z).powi(power)).sum::<f64>() / n as f64;
        // Standard errors of the first four moments: 1, sqrt 2, sqrt 15, sqrt 96 over sqrt n.
        let error = 3.0 / (n as f64).sqrt();
        assert!(moment(1).abs() < error, "{}", moment(1));
        assert!(
            (moment(2) - 1.0).abs() < error * 2f64.sqrt(),
            "{}",
            moment(2)
        );
        assert!(moment(3).abs() < error * 15f64.sqrt(), "{}", moment(3));
        assert!(
            (moment(4) - 3.0).abs() < error * 96f64.sqrt(),
            "{}",
            moment(4)
        );
        let lagged: f64 = out.windows(2).map(|w| f64::from(w[0] * w[1])).sum::<f64>() / n as f64;
        assert!(lagged.abs() < error, "{lagged}");
    }
}
