//! Counter-based randomness: every number is a function of its coordinates.
//!
//! One ChaCha8 key per `(seed, chunk)`; one stream per purpose, sampling step, inner repetition and
//! particle. Nothing is consumed in an order that threads or batch sizes could change, so particle
//! `b` gets the same noise whatever the number of particles beside it. Logarithm, sine and cosine are
//! written out here, so that the bits depend on no mathematics library and the compiler can use SIMD.

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
    /// The one uniform number that decides which particles meet in a diversity step.
    Neighbours = 4,
    /// The noise that takes a finished chunk part of the way back, a generation a step.
    Mutate = 5,
    /// The one uniform number that chooses the parents of a generation.
    Parents = 6,
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

    /// Fills `out` with independent standard normal numbers (Box-Muller; none is beyond 5.8).
    pub fn normal(
        &self,
        purpose: Purpose,
        step: usize,
        inner: usize,
        particle: usize,
        out: &mut [f32],
    ) {
        let mut generator = self.stream(purpose, step, inner, particle);
        let mut words = [0u8; 2 * 4 * PAIRS];
        for block in out.chunks_mut(2 * PAIRS) {
            let pairs = block.len().div_ceil(2);
            let words = &mut words[..2 * 4 * pairs];
            generator.fill_bytes(words);
            let (lengths, angles) = words.split_at(4 * pairs);
            let (first, second) = block.split_at_mut(pairs);
            let draws = lengths.chunks_exact(4).zip(angles.chunks_exact(4));
            let mut spare = [0.0; PAIRS];
            for ((first, spare), (length, angle)) in first.iter_mut().zip(&mut spare).zip(draws) {
                let radius = (-2.0 * logarithm(top_24_bits(length) + 1)).sqrt();
                let (sine, cosine) = sine_cosine(top_24_bits(angle));
                *first = radius * cosine;
                *spare = radius * sine;
            }
            second.copy_from_slice(&spare[..second.len()]);
        }
    }

    /// A number in `[0, 1)`.
    #[must_use]
    pub fn uniform(&self, purpose: Purpose, step: usize) -> f64 {
        let bits = self.stream(purpose, step, 0, 0).next_u64() >> 11;
        bits as f64 / (1u64 << 53) as f64
    }
}

/// Pairs of normal numbers drawn at a time.
const PAIRS: usize = 32;

fn top_24_bits(word: &[u8]) -> i32 {
    // The highest byte is left out, so that the number is not negative.
    i32::from_le_bytes([word[0], word[1], word[2], 0])
}

/// `ln(k / 2^24)` for `k` from 1 to 2^24, to single precision: with `m` in `[sqrt(1/2), sqrt(2))`
/// and `k / 2^24 = 2^e m`, a polynomial in `m - 1` (Cephes' `logf`).
#[inline]
fn logarithm(k: i32) -> f32 {
    const SQRT_HALF_BITS: i32 = 0x3f35_04f3;
    let bits = (k as f32 / 16_777_216.0).to_bits() as i32;
    let exponent = (bits - SQRT_HALF_BITS) >> 23;
    let m = f32::from_bits((bits - (exponent << 23)) as u32);
    let (x, e) = (m - 1.0, exponent as f32);
    let z = x * x;
    let mut y = 7.037_683_6e-2;
    for coefficient in [
        -1.151_461e-1,
        1.167_699_9e-1,
        -1.242_014_1e-1,
        1.424_932_3e-1,
        -1.666_805_8e-1,
        2.000_071_5e-1,
        -2.499_999_4e-1,
        3.333_333e-1,
    ] {
        y = y * x + coefficient;
    }
    // ln 2 in two parts, the first of which multiplies exactly.
    x + (y * x * z - 2.121_944_4e-4 * e - 0.5 * z) + 0.693_359_4 * e
}

/// Sine and cosine of `2 pi k / 2^24` to single precision: polynomials on an eighth of the circle to
/// either side of the nearest quarter (Cephes' `sinf` and `cosf`).
#[inline]
fn sine_cosine(k: i32) -> (f32, f32) {
    let quarter = (k + (1 << 21)) >> 22;
    let x = (k - (quarter << 22)) as f32 * (std::f32::consts::TAU / 16_777_216.0);
    let z = x * x;
    let sine = x + x * z * (-1.666_665_5e-1 + z * (8.332_161e-3 - z * 1.951_529_6e-4));
    let cosine =
        1.0 - 0.5 * z + z * z * (4.166_664_6e-2 + z * (-1.388_731_6e-3 + z * 2.443_315_7e-5));
    let (s, c) = if quarter & 1 == 0 {
        (sine, cosine)
    } else {
        (cosine, sine)
    };
    let sign = |bit: i32, value: f32| if bit & 2 == 0 { value } else { -value };
    (sign(quarter, s), sign(quarter + 1, c))
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
    fn own_functions_are_those_of_the_mathematics_library() {
        for k in (1..=1 << 24)
            .step_by(997)
            .chain([1, 2, 3, (1 << 24) - 1, 1 << 24])
        {
            let u = f64::from(k) / f64::from(1 << 24);
            let (found, expected) = (f64::from(logarithm(k)), u.ln());
            assert!(
                (found - expected).abs() < 1e-6 * (0.1 + expected.abs()),
                "ln {u}: {found}"
            );
            let (sine, cosine) = sine_cosine(k - 1);
            let angle = (u - 1.0 / f64::from(1 << 24)) * std::f64::consts::TAU;
            assert!(
                (f64::from(sine) - angle.sin()).abs() < 2e-7,
                "sin {angle}: {sine}"
            );
            assert!(
                (f64::from(cosine) - angle.cos()).abs() < 2e-7,
                "cos {angle}: {cosine}"
            );
        }
    }

    #[test]
    fn odd_lengths_are_filled_to_the_end() {
        for length in [1, 2, 63, 64, 65, 129] {
            let mut out = vec![f32::NAN; length];
            Random::new(1, 1).normal(Purpose::Initial, 0, 0, 0, &mut out);
            assert!(out.iter().all(|z| z.is_finite()), "{length}");
            let different: std::collections::BTreeSet<u32> =
                out.iter().map(|z| z.to_bits()).collect();
            assert_eq!(different.len(), length);
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
