//! Repulsion between the particles' trajectories.
//!
//! The distance of two particles is that of their whole trajectories, `d = |traj_i - traj_j|` over
//! all points and axes. Potentials sum over ordered pairs, so each pair counts twice.

use crate::config::Kernel;
use crate::real::Real;

/// Keeps the inverse distance and its gradient finite when trajectories coincide (m^2, m).
const SOFTENING: f64 = 1e-6;
/// Partial sums of a distance.
const LANES: usize = 8;

/// Evaluates a repulsion potential and its gradient. Cost grows with the square of the particles.
#[derive(Debug, Clone)]
pub struct Repulsion<F: Real = f32> {
    kernel: Kernel,
    squared_distances: Vec<F>,
    selection: Vec<F>,
}

impl<F: Real> Repulsion<F> {
    /// Room for `particles` particles.
    #[must_use]
    pub fn new(kernel: Kernel, particles: usize) -> Self {
        let pairs = match kernel {
            Kernel::InverseDistance => 0,
            Kernel::Rbf => particles * particles.saturating_sub(1) / 2,
        };
        Self {
            kernel,
            squared_distances: Vec::with_capacity(pairs),
            selection: Vec::with_capacity(pairs),
        }
    }

    /// Writes the potential's gradient with respect to the trajectories, `[B, stride]` like the
    /// trajectories, and returns the potential. Particles for which `lost` is set repel nobody.
    pub fn gradient(
        &mut self,
        trajectories: &[F],
        stride: usize,
        lost: &[bool],
        gradients: &mut [F],
    ) -> F {
        gradients.fill(F::default());
        match self.kernel {
            Kernel::InverseDistance => {
                let softening = F::from_f64(SOFTENING);
                accumulate(trajectories, stride, lost, gradients, |squared| {
                    // U = 1 / (r + e), r = sqrt(d^2 + e); dU/d(d^2) = -1 / (2 r (r + e)^2).
                    let r = (squared + softening).sqrt();
                    let value = F::from_f64(1.0) / (r + softening);
                    (value, -(value * value) / (r + r))
                })
            }
            Kernel::Rbf => {
                let bandwidth = self.median_bandwidth(trajectories, stride, lost);
                accumulate(trajectories, stride, lost, gradients, |squared| {
                    // U = exp(-d^2 / h); dU/d(d^2) = -U / h.
                    let value = (-(squared / bandwidth)).exp();
                    (value, -(value / bandwidth))
                })
            }
        }
    }

    /// The median heuristic of Stein variational inference: `h = median(d^2) / ln(B + 1)`.
    fn median_bandwidth(&mut self, trajectories: &[F], stride: usize, lost: &[bool]) -> F {
        self.squared_distances.clear();
        for_pairs(lost, |i, j| {
            self.squared_distances
                .push(squared_distance(trajectories, stride, i, j));
        });
        self.selection.clone_from(&self.squared_distances);
        let middle = self.selection.len() / 2;
        let alive = lost.iter().filter(|lost| !**lost).count();
        let median = if self.selection.is_empty() {
            F::default()
        } else {
            let order = |a: &F, b: &F| a.to_f64().total_cmp(&b.to_f64());
            *self.selection.select_nth_unstable_by(middle, order).1
        };
        // Coinciding particles would make the bandwidth 0.
        F::from_f64((median.to_f64() / (alive as f64 + 1.0).ln()).max(SOFTENING))
    }
}

/// Calls `visit` for every unordered pair of particles that are not lost.
fn for_pairs(lost: &[bool], mut visit: impl FnMut(usize, usize)) {
    for i in 0..lost.len() {
        for j in (i + 1)..lost.len() {
            if !lost[i] && !lost[j] {
                visit(i, j);
            }
        }
    }
}

fn squared_distance<F: Real>(trajectories: &[F], stride: usize, i: usize, j: usize) -> F {
    let a = &trajectories[i * stride..][..stride];
    let b = &trajectories[j * stride..][..stride];
    // Independent partial sums, which the compiler may keep in one register.
    let mut sums = [F::default(); LANES];
    let (blocks_a, rest_a) = a.as_chunks::<LANES>();
    let (blocks_b, rest_b) = b.as_chunks::<LANES>();
    for (a, b) in blocks_a.iter().zip(blocks_b) {
        for lane in 0..LANES {
            let difference = a[lane] - b[lane];
            sums[lane] += difference * difference;
        }
    }
    let mut sum = F::default();
    for (a, b) in rest_a.iter().zip(rest_b) {
        let difference = *a - *b;
        sum += difference * difference;
    }
    for lane in sums {
        sum += lane;
    }
    sum
}

/// Sums a pair potential given as `d^2 -> (U, dU/d(d^2))` over ordered pairs.
fn accumulate<F: Real>(
    trajectories: &[F],
    stride: usize,
    lost: &[bool],
    gradients: &mut [F],
    pair: impl Fn(F) -> (F, F),
) -> F {
    let mut potential = F::default();
    let four = F::from_f64(4.0);
    for_pairs(lost, |i, j| {
        let (value, slope) = pair(squared_distance(trajectories, stride, i, j));
        potential += value + value;
        // Twice for the ordered pairs, twice for the square's derivative.
        let factor = four * slope;
        let (head, tail) = gradients.split_at_mut(j * stride);
        let (of_i, of_j) = (&mut head[i * stride..][..stride], &mut tail[..stride]);
        let a = &trajectories[i * stride..][..stride];
        let b = &trajectories[j * stride..][..stride];
        let rows = of_i.iter_mut().zip(of_j).zip(a.iter().zip(b));
        for ((of_i, of_j), (a, b)) in rows {
            let push = factor * (*a - *b);
            *of_i += push;
            *of_j += -push;
        }
    });
    potential
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const STRIDE: usize = 6;

    fn evaluate(kernel: Kernel, trajectories: &[f64], lost: &[bool]) -> (f64, Vec<f64>) {
        let mut gradients = vec![7.0; trajectories.len()];
        let mut repulsion = Repulsion::new(kernel, lost.len());
        let potential = repulsion.gradient(trajectories, STRIDE, lost, &mut gradients);
        (potential, gradients)
    }

    proptest! {
        #[test]
        fn gradients_match_finite_differences(
            values in prop::collection::vec(-0.5..0.5f64, 4 * STRIDE),
        ) {
            let (_, gradients) = evaluate(Kernel::InverseDistance, &values, &[false; 4]);
            for k in 0..values.len() {
                let at = |step: f64| {
                    let mut moved = values.clone();
                    moved[k] += step;
                    evaluate(Kernel::InverseDistance, &moved, &[false; 4]).0
                };
                let difference = (at(1e-6) - at(-1e-6)) / 2e-6;
                let tolerance = 1e-5 * (1.0 + difference.abs());
                prop_assert!((gradients[k] - difference).abs() < tolerance);
            }
        }

        /// Renaming the particles renames the gradients and nothing else.
        #[test]
        fn repulsion_does_not_depend_on_the_order_of_particles(
            values in prop::collection::vec(-0.5..0.5f64, 4 * STRIDE),
            rbf in any::<bool>(),
        ) {
            let kernel = if rbf { Kernel::Rbf } else { Kernel::InverseDistance };
            let order = [2usize, 0, 3, 1];
            let permuted: Vec<f64> =
                order.iter().flat_map(|b| values[b * STRIDE..][..STRIDE].to_vec()).collect();
            let (potential, gradients) = evaluate(kernel, &values, &[false; 4]);
            let (other, moved) = evaluate(kernel, &permuted, &[false; 4]);
            prop_assert!((potential - other).abs() < 1e-9 * potential.abs());
            for (to, from) in order.iter().enumerate() {
                for k in 0..STRIDE {
                    let (a, b) = (gradients[from * STRIDE + k], moved[to * STRIDE + k]);
                    prop_assert!((a - b).abs() < 1e-9 * (1.0 + a.abs()));
                }
            }
        }
    }

    #[test]
    fn the_rbf_bandwidth_is_the_median_over_the_logarithm() {
        // Squared distances 1, 4 and 9 between three particles on a line: the median is 4.
        let mut line = vec![0.0; 3 * STRIDE];
        line[STRIDE] = 1.0;
        line[2 * STRIDE] = 3.0;
        let h = 4.0 / 4f64.ln();
        let expected: f64 = [1.0, 4.0, 9.0]
            .iter()
            .map(|d2: &f64| 2.0 * (-d2 / h).exp())
            .sum();
        let (potential, gradients) = evaluate(Kernel::Rbf, &line, &[false; 3]);
        assert!(
            (potential - expected).abs() < 1e-12,
            "{potential} is not {expected}"
        );
        assert!(
            gradients[0] > 0.0,
            "the potential falls as the first moves away from the others"
        );
    }

    #[test]
    fn coinciding_and_lost_particles_give_no_gradient() {
        for kernel in [Kernel::Rbf, Kernel::InverseDistance] {
            let (_, gradients) = evaluate(kernel, &[0.1; 2 * STRIDE], &[false; 2]);
            assert!(gradients.iter().all(|g| *g == 0.0));
            let mut values = vec![0.0; 2 * STRIDE];
            values[0] = f64::NAN;
            let (potential, gradients) = evaluate(kernel, &values, &[true, false]);
            assert_eq!((potential, gradients), (0.0, vec![0.0; 2 * STRIDE]));
        }
    }
}
