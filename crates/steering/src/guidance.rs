//! Turning a reward's gradient into a push on the sample.
//!
//! The gradient is brought to unit root mean square (see [`Normalise`]), multiplied by the strength
//! and subtracted from the denoiser's prediction, so that the sample moves up the gradient.

use crate::config::Normalise;

/// Below this root mean square a gradient has no direction worth following.
const NEGLIGIBLE: f64 = 1e-12;

/// Root mean squares of gradients before they were normalised.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct GradientSize {
    /// Mean over the particles that are not lost.
    pub mean: f64,
}

/// Normalises `gradients` `[B, stride]` in place and writes the root mean squares that they had into
/// `roots` `[B]`. `guided` is the number of entries of a particle that can be different from 0: the
/// root mean square is over these. Lost particles get 0.
pub fn normalise(
    mode: Normalise,
    gradients: &mut [f32],
    stride: usize,
    guided: usize,
    lost: &[bool],
    roots: &mut [f32],
) -> GradientSize {
    let mean_square = |gradient: &[f32]| {
        gradient
            .iter()
            .map(|g| f64::from(*g) * f64::from(*g))
            .sum::<f64>()
            / guided as f64
    };
    let (mut sum_of_roots, mut sum_of_squares, mut alive) = (0.0, 0.0, 0u32);
    let rows = gradients.chunks_exact_mut(stride).zip(lost).zip(roots);
    for ((gradient, &lost), own) in rows {
        if lost {
            gradient.fill(0.0);
            *own = 0.0;
            continue;
        }
        let square = mean_square(gradient);
        let root = square.sqrt();
        *own = root as f32;
        alive += 1;
        sum_of_roots += root;
        sum_of_squares += square;
        if mode == Normalise::Particle {
            divide(gradient, root);
        }
    }
    let count = f64::from(alive.max(1));
    if mode == Normalise::Batch {
        divide(gradients, (sum_of_squares / count).sqrt());
    }
    GradientSize {
        mean: sum_of_roots / count,
    }
}

fn divide(values: &mut [f32], by: f64) {
    let factor = if by > NEGLIGIBLE {
        (1.0 / by) as f32
    } else {
        0.0
    };
    for value in values {
        *value *= factor;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn root_mean_square(values: &[f32], guided: usize) -> f32 {
        (values.iter().map(|v| v * v).sum::<f32>() / guided as f32).sqrt()
    }

    #[test]
    fn an_outlier_does_not_mute_the_other_particles() {
        let original = [1e-3, 0.0, 0.0, 1e4, 0.0, -1e4];
        let mut gradients = original;
        normalise(
            Normalise::Particle,
            &mut gradients,
            3,
            2,
            &[false, false],
            &mut [0.0; 2],
        );
        assert!((root_mean_square(&gradients[..3], 2) - 1.0).abs() < 1e-6);
        assert!((root_mean_square(&gradients[3..], 2) - 1.0).abs() < 1e-6);
        let mut batch = original;
        normalise(
            Normalise::Batch,
            &mut batch,
            3,
            2,
            &[false, false],
            &mut [0.0; 2],
        );
        assert!(root_mean_square(&batch[..3], 2) < 1e-6);
        let mut none = original;
        let size = normalise(
            Normalise::None,
            &mut none,
            3,
            2,
            &[false, false],
            &mut [0.0; 2],
        );
        assert_eq!(none, original);
        assert!((size.mean - 5000.0).abs() < 1.0, "{}", size.mean);
    }

    #[test]
    fn no_gradient_stays_no_gradient() {
        for mode in [Normalise::Particle, Normalise::Batch] {
            let mut gradients = [0.0; 6];
            normalise(mode, &mut gradients, 3, 3, &[false, false], &mut [0.0; 2]);
            assert_eq!(gradients, [0.0; 6]);
        }
    }

    #[test]
    fn lost_particles_are_not_pushed_and_do_not_count() {
        let mut gradients = [f32::NAN, 1.0, 3.0, 4.0];
        let mut roots = [7.0; 2];
        let size = normalise(
            Normalise::Batch,
            &mut gradients,
            2,
            2,
            &[true, false],
            &mut roots,
        );
        assert_eq!(roots, [0.0, 12.5f32.sqrt()]);
        assert_eq!(&gradients[..2], &[0.0, 0.0]);
        assert!((root_mean_square(&gradients[2..], 2) - 1.0).abs() < 1e-6);
        assert!((size.mean - 12.5f64.sqrt()).abs() < 1e-9);
    }
}
