//! Keeping clean estimates in range.

use super::config::Clip;
use crate::real::Real;

impl Clip {
    /// The range that holds for every chunk alike; infinite where there is none.
    #[must_use]
    pub fn fixed_range(&self) -> f64 {
        match *self {
            Self::Range(range) => range,
            Self::Off | Self::Dynamic { .. } => f64::INFINITY,
        }
    }

    /// Brings clean chunks `[.., stride]` into range. `magnitudes` is room for one chunk when
    /// thresholding is dynamic. Values that are not a number stay.
    pub fn apply<F: Real>(&self, clean: &mut [F], stride: usize, magnitudes: &mut [F]) {
        match *self {
            Self::Off => {}
            Self::Range(range) => {
                let range = F::from_f64(range);
                clean
                    .iter_mut()
                    .for_each(|value| *value = within(*value, range));
            }
            Self::Dynamic { ratio, max } => {
                for chunk in clean.chunks_exact_mut(stride) {
                    let quantile = quantile_of_magnitude(chunk, ratio, magnitudes);
                    let range = F::from_f64(quantile.clamp(1.0, max));
                    for value in chunk {
                        *value = within(*value, range) / range;
                    }
                }
            }
        }
    }
}

fn within<F: Real>(value: F, range: F) -> F {
    if value > range {
        range
    } else if value < -range {
        -range
    } else {
        value
    }
}

/// The quantile `ratio` of `|values|`, interpolated linearly between neighbours.
fn quantile_of_magnitude<F: Real>(values: &[F], ratio: f64, magnitudes: &mut [F]) -> f64 {
    for (magnitude, value) in magnitudes.iter_mut().zip(values) {
        *magnitude = if *value < F::default() {
            -*value
        } else {
            *value
        };
    }
    let magnitudes = &mut magnitudes[..values.len()];
    let position = ratio * (values.len() - 1) as f64;
    let below = position.floor();
    let order = |a: &F, b: &F| a.to_f64().total_cmp(&b.to_f64());
    let (_, low, higher) = magnitudes.select_nth_unstable_by(below as usize, order);
    let low = low.to_f64();
    let next = higher
        .iter()
        .map(|value| value.to_f64())
        .min_by(f64::total_cmp);
    match next {
        Some(next) if position > below => low + (next - low) * (position - below),
        _ => low,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_clips_every_number_alike() {
        let mut clean = [-3.0, 0.5, 2.0, f64::NAN];
        Clip::Range(1.5).apply(&mut clean, 2, &mut []);
        assert_eq!(clean[..3], [-1.5, 0.5, 1.5]);
        assert!(clean[3].is_nan());
        Clip::Off.apply(&mut clean, 2, &mut []);
        assert_eq!(clean[0], -1.5);
    }

    #[test]
    fn dynamic_thresholding_is_by_particle() {
        let clip = Clip::Dynamic {
            ratio: 0.5,
            max: 4.0,
        };
        // Medians of the magnitudes: 2, 0.2 and 9.
        let mut clean = [-2.0, 6.0, 1.0, 0.1, -0.2, 1.5, 9.0, -9.0, 9.0];
        clip.apply(&mut clean, 3, &mut [0.0; 3]);
        assert_eq!(clean[..3], [-1.0, 1.0, 0.5]);
        // Below 1 it is an ordinary clip, and `max` bounds the range.
        assert_eq!(clean[3..6], [0.1, -0.2, 1.0]);
        assert_eq!(clean[6..], [1.0, -1.0, 1.0]);
    }

    #[test]
    fn quantiles_are_interpolated() {
        let found = quantile_of_magnitude(&[-4.0, 1.0, 3.0, 2.0], 0.75, &mut [0.0; 4]);
        assert!((found - 3.25).abs() < 1e-12, "{found}");
        for (ratio, expected) in [(0.0, 1.0), (1.0, 4.0)] {
            let found = quantile_of_magnitude(&[-4.0, 1.0, 3.0, 2.0], ratio, &mut [0.0; 4]);
            assert_eq!(found, expected);
        }
    }
}
