//! Turning a reward's gradient into a push on the sample.
//!
//! The gradient is brought to unit root mean square (see [`Normalise`]), multiplied by the strength
//! and subtracted from the denoiser's prediction, so that the sample moves up the gradient.

use crate::config::Normalise;

/// Below this root mean square a gradient has no direction worth following.
const NEGLIGIBLE: f64 = 1e-12;

/// Partial sums of a mean square.
const LANES: usize = 8;

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
) {
    let (mut sum_of_squares, mut alive) = (0.0, 0u32);
    let rows = gradients.chunks_exact_mut(stride).zip(lost).zip(roots);
    for ((gradient, &lost), own) in rows {
        if lost {
            gradient.fill(0.0);
            *own = 0.0;
            continue;
        }
        let square = sum_of_squares_of(gradient) / guided as f64;
        let root = square.sqrt();
        *own = root as f32;
        alive += 1;
        sum_of_squares += square;
        if mode == Normalise::Particle {
            divide(gradient, root);
        }
    }
    if mode == Normalise::Batch {
        divide(gradients, (sum_of_squares / f64::from(alive.max(1))).sqrt());
    }
}

/// Columns that are normalised by themselves: those of the position or the joints, of the rotation, of
/// the gripper.
pub(crate) const BLOCKS: usize = 3;

/// The same with each block of columns by itself: `blocks` are columns of rows of `dim` numbers, `rows`
/// how many rows of a particle can be different from 0. `roots` are over all blocks.
pub(crate) fn normalise_blocks(
    mode: Normalise,
    gradients: &mut [f32],
    (stride, dim): (usize, usize),
    (blocks, rows): (&[Vec<usize>; BLOCKS], usize),
    lost: &[bool],
    roots: &mut [f32],
) {
    let entries = blocks.each_ref().map(|block| (block.len() * rows) as f64);
    let all: f64 = entries.iter().sum();
    let (mut sums, mut alive) = ([0.0; BLOCKS], 0u32);
    let particles = gradients
        .chunks_exact_mut(stride)
        .zip(lost)
        .zip(&mut *roots);
    for ((gradient, &lost), own) in particles {
        if lost {
            gradient.fill(0.0);
            *own = 0.0;
            continue;
        }
        alive += 1;
        let mut total = 0.0;
        for (block, columns) in blocks.iter().enumerate() {
            let square: f64 = gradient
                .chunks_exact(dim)
                .flat_map(|row| columns.iter().map(|column| f64::from(row[*column])))
                .map(|g| g * g)
                .sum();
            total += square;
            sums[block] += square / entries[block].max(1.0);
            if mode == Normalise::Particle {
                divide_columns(
                    gradient,
                    dim,
                    columns,
                    (square / entries[block].max(1.0)).sqrt(),
                );
            }
        }
        *own = (total / all.max(1.0)).sqrt() as f32;
    }
    if mode == Normalise::Batch {
        for (columns, sum) in blocks.iter().zip(sums) {
            let root = (sum / f64::from(alive.max(1))).sqrt();
            divide_columns(gradients, dim, columns, root);
        }
    }
}

fn divide_columns(gradients: &mut [f32], dim: usize, columns: &[usize], by: f64) {
    for row in gradients.chunks_exact_mut(dim) {
        for column in columns {
            divide(std::slice::from_mut(&mut row[*column]), by);
        }
    }
}

/// In double precision, which no gradient overflows, and in parts, which fill a register.
fn sum_of_squares_of(gradient: &[f32]) -> f64 {
    let mut sums = [0.0; LANES];
    let (blocks, rest) = gradient.as_chunks::<LANES>();
    for block in blocks {
        for lane in 0..LANES {
            sums[lane] += f64::from(block[lane]) * f64::from(block[lane]);
        }
    }
    for (sum, g) in sums.iter_mut().zip(rest) {
        *sum += f64::from(*g) * f64::from(*g);
    }
    sums.iter().sum()
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

    /// The normalised gradients and what their root mean squares were.
    fn normalised<const N: usize>(
        mode: Normalise,
        mut gradients: [f32; N],
        guided: usize,
        lost: [bool; 2],
    ) -> ([f32; N], [f32; 2]) {
        let mut roots = [7.0; 2];
        normalise(mode, &mut gradients, N / 2, guided, &lost, &mut roots);
        (gradients, roots)
    }

    fn root_mean_square(values: &[f32], guided: usize) -> f32 {
        (values.iter().map(|v| v * v).sum::<f32>() / guided as f32).sqrt()
    }

    #[test]
    fn an_outlier_does_not_mute_the_other_particles() {
        let original = [1e-3, 0.0, 0.0, 1e4, 0.0, -1e4];
        let (gradients, roots) = normalised(Normalise::Particle, original, 2, [false; 2]);
        assert!((root_mean_square(&gradients[..3], 2) - 1.0).abs() < 1e-6);
        assert!((root_mean_square(&gradients[3..], 2) - 1.0).abs() < 1e-6);
        assert!((roots[0] - 1e-3 * 0.5f32.sqrt()).abs() < 1e-9 && (roots[1] - 1e4).abs() < 0.01);
        let (batch, same) = normalised(Normalise::Batch, original, 2, [false; 2]);
        assert!(root_mean_square(&batch[..3], 2) < 1e-6);
        let (none, again) = normalised(Normalise::None, original, 2, [false; 2]);
        assert_eq!((none, same, again), (original, roots, roots));
    }

    #[test]
    fn every_entry_of_a_long_gradient_counts() {
        let gradients: [f32; 38] = std::array::from_fn(|i| (i % 19 + 1) as f32);
        let (_, roots) = normalised(Normalise::None, gradients, 1, [false; 2]);
        assert_eq!(roots, [2470f32.sqrt(); 2]);
    }

    #[test]
    fn no_gradient_stays_no_gradient() {
        for mode in [Normalise::Particle, Normalise::Batch] {
            let (gradients, roots) = normalised(mode, [0.0; 6], 3, [false; 2]);
            assert_eq!((gradients, roots), ([0.0; 6], [0.0; 2]));
        }
    }

    #[test]
    fn every_block_is_normalised_by_itself() {
        // Two particles of one row: two columns of position, one of rotation, one of neither.
        let original = [3e3, 4e3, 1e-3, 0.0, -6e3, 8e3, 2e-3, 0.0];
        let blocks = [vec![0, 1], vec![2], vec![]];
        let run = |mode| {
            let (mut gradients, mut roots) = (original, [7.0; 2]);
            let lost = [false; 2];
            normalise_blocks(
                mode,
                &mut gradients,
                (4, 4),
                (&blocks, 1),
                &lost,
                &mut roots,
            );
            (gradients, roots)
        };
        let (gradients, roots) = run(Normalise::Particle);
        for particle in gradients.chunks_exact(4) {
            assert!((root_mean_square(&particle[..2], 2) - 1.0).abs() < 1e-6);
            assert!((particle[2] - 1.0).abs() < 1e-6 && particle[3] == 0.0);
        }
        assert!((roots[0] - 5e3 / 3f32.sqrt()).abs() < 1e-2, "{roots:?}");
        // The second particle has twice the first one's gradient.
        let (batch, same) = run(Normalise::Batch);
        assert!((batch[2] - 0.4f32.sqrt()).abs() < 1e-6 && same == roots);
        assert!((batch[6] - 1.6f32.sqrt()).abs() < 1e-6);
        assert_eq!(run(Normalise::None).0, original);
    }

    #[test]
    fn lost_particles_are_not_pushed_and_do_not_count() {
        let spoiled = [f32::NAN, 1.0, 3.0, 4.0];
        let (gradients, roots) = normalised(Normalise::Batch, spoiled, 2, [true, false]);
        assert_eq!(roots, [0.0, 12.5f32.sqrt()]);
        assert_eq!(gradients[..2], [0.0, 0.0]);
        assert!((root_mean_square(&gradients[2..], 2) - 1.0).abs() < 1e-6);
    }
}
