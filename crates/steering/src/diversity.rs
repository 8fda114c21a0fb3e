//! Repulsion between the particles' trajectories.
//!
//! The distance of two particles is that of their whole trajectories, `d = |traj_i - traj_j|` over
//! all points and axes. Potentials sum over ordered pairs, so each pair counts twice.
//!
//! Pairs are laid out as offsets: in the circle of `B` particles, particle `i` and particle `i + o`,
//! for `o` from 1 to `B / 2`, are every pair once. All pairs of an offset are evaluated side by
//! side, with the particles as lanes.
//!
//! All pairs together cost the square of the particles. With a bound on the neighbours only some
//! offsets are evaluated: a run of them from a random start, so that what is read together lies
//! together. Every offset is as likely, so that gradients, scaled by how many offsets there are to one
//! that is evaluated, are right on average; and what `i` does to `j`, `j` does to `i`. Particles start
//! from independent noise, so which of them are next to each other on the circle means nothing.

use crate::config::Kernel;
use crate::real::Real;

/// Keeps the inverse distance and its gradient finite when trajectories coincide (m^2, m).
const SOFTENING: f64 = 1e-6;
/// Pairs that are evaluated together.
const LANES: usize = 8;

/// Evaluates a repulsion potential and its gradient.
#[derive(Debug, Clone)]
pub struct Repulsion<F: Real = f32> {
    kernel: Kernel,
    /// Numbers `P * 3` in a trajectory.
    stride: usize,
    neighbours: Option<usize>,
    circle: Circle<F>,
    /// Offsets that are evaluated.
    offsets: Vec<usize>,
    /// Squared distances, for the median.
    selection: Vec<F>,
}

impl<F: Real> Repulsion<F> {
    /// Room for `particles` trajectories of `stride` numbers. Each is repelled by at most
    /// `neighbours` others (an odd number is rounded down, but not below 2), by all when `None`.
    #[must_use]
    pub fn new(kernel: Kernel, particles: usize, stride: usize, neighbours: Option<usize>) -> Self {
        let offsets = offsets_of(particles, neighbours);
        let pairs = match kernel {
            Kernel::InverseDistance => 0,
            Kernel::Rbf => particles * offsets,
        };
        Self {
            kernel,
            stride,
            neighbours,
            circle: Circle::new(particles, stride),
            offsets: Vec::with_capacity(offsets),
            selection: Vec::with_capacity(pairs),
        }
    }

    /// Writes the potential's gradient with respect to the trajectories, `[B, stride]` like the
    /// trajectories, and returns the potential. Particles for which `lost` is set, or whose
    /// trajectory is not finite, repel nobody. `uniform` in `[0, 1)` decides which others a particle
    /// meets if it does not meet all; then both results are estimates without bias (but for the
    /// bandwidth of [`Kernel::Rbf`], which is that of the pairs that meet).
    pub fn gradient(
        &mut self,
        trajectories: &[F],
        lost: &[bool],
        uniform: f64,
        gradients: &mut [F],
    ) -> F {
        let count = lost.len();
        let (all, some) = (count / 2, offsets_of(count, self.neighbours));
        self.offsets.clear();
        let start = if some < all {
            (uniform * all as f64) as usize
        } else {
            0
        };
        self.offsets
            .extend((start..start + some).map(|offset| 1 + offset % all));
        let scale = F::from_f64(all as f64 / some.max(1) as f64);
        self.circle.lay_out(trajectories, self.stride, lost);
        let one = F::from_f64(1.0);
        let potential = match self.kernel {
            Kernel::InverseDistance => {
                let softening = F::from_f64(SOFTENING);
                self.circle.accumulate(&self.offsets, scale, |squared| {
                    // U = 1 / (r + e), r = sqrt(d^2 + e); dU/d(d^2) = -1 / (2 r (r + e)^2).
                    let r = (squared + softening).sqrt();
                    let value = one / (r + softening);
                    (value, -(value * value) / (r + r))
                })
            }
            Kernel::Rbf => {
                let inverse = one / self.median_bandwidth();
                self.circle.accumulate(&self.offsets, scale, |squared| {
                    // U = exp(-d^2 / h); dU/d(d^2) = -U / h.
                    let value = (-(squared * inverse)).exp();
                    (value, -(value * inverse))
                })
            }
        };
        self.circle.collect(self.stride, gradients);
        potential
    }

    /// The median heuristic of Stein variational inference: `h = median(d^2) / ln(B + 1)`.
    fn median_bandwidth(&mut self) -> F {
        self.selection.clear();
        let (circle, selection) = (&self.circle, &mut self.selection);
        circle.for_lanes(&self.offsets, |first, offset| {
            let squared = circle.squared_distances(first, offset);
            let present = circle.present(first, offset);
            let both = squared.iter().zip(present);
            selection.extend(
                both.filter(|(_, present)| *present > F::default())
                    .map(|(squared, _)| *squared),
            );
        });
        let middle = selection.len() / 2;
        let median = if selection.is_empty() {
            F::default()
        } else {
            let order = |a: &F, b: &F| a.to_f64().total_cmp(&b.to_f64());
            *selection.select_nth_unstable_by(middle, order).1
        };
        let bandwidth = median.to_f64() / (circle.alive_count() as f64 + 1.0).ln();
        // Coinciding particles would make the bandwidth 0, distances that overflow infinite.
        F::from_f64(bandwidth.clamp(SOFTENING, f64::from(f32::MAX)))
    }
}

/// How many offsets are evaluated for `count` particles.
fn offsets_of(count: usize, neighbours: Option<usize>) -> usize {
    match neighbours {
        // An offset has two neighbours for each particle, one ahead and one behind.
        Some(neighbours) if neighbours + 1 < count => (neighbours / 2).max(1),
        _ => count / 2,
    }
}

/// Trajectories by coordinate, `[stride, width]`. After the last particle the first ones follow
/// again, so that the partner of a particle is always `offset` columns on.
#[derive(Debug, Clone, Default)]
struct Circle<F> {
    count: usize,
    width: usize,
    columns: Vec<F>,
    /// Gradients in the same layout.
    gradients: Vec<F>,
    /// `[stride]`, gradients of the particles under way: apart, since loads that overlap what was
    /// just stored stall.
    own: Vec<[F; LANES]>,
    /// `[width]`: 1, or 0 for a particle that repels nobody.
    alive: Vec<F>,
}

impl<F: Real> Circle<F> {
    fn new(particles: usize, stride: usize) -> Self {
        let width = Self::width_of(particles);
        Self {
            count: 0,
            width: 0,
            columns: Vec::with_capacity(stride * width),
            gradients: Vec::with_capacity(stride * width),
            own: vec![[F::default(); LANES]; stride],
            alive: Vec::with_capacity(width),
        }
    }

    fn width_of(count: usize) -> usize {
        count.next_multiple_of(LANES) + count / 2
    }

    fn lay_out(&mut self, trajectories: &[F], stride: usize, lost: &[bool]) {
        let (count, width) = (lost.len(), Self::width_of(lost.len()));
        (self.count, self.width) = (count, width);
        for values in [&mut self.columns, &mut self.gradients] {
            values.clear();
            values.resize(stride * width, F::default());
        }
        self.alive.clear();
        self.alive.resize(width, F::default());
        let rows = trajectories.chunks_exact(stride).zip(lost);
        for (b, (trajectory, lost)) in rows.enumerate() {
            if *lost || !trajectory.iter().all(|value| value.is_finite()) {
                continue;
            }
            self.alive[b] = F::from_f64(1.0);
            for (column, value) in self.columns[b..].iter_mut().step_by(width).zip(trajectory) {
                *column = *value;
            }
        }
        let rows = self.columns.chunks_exact_mut(width);
        for row in rows.chain([&mut self.alive[..]]) {
            for column in count..width {
                row[column] = row[column - count];
            }
        }
    }

    fn alive_count(&self) -> usize {
        let alive = self.alive[..self.count].iter();
        alive.filter(|alive| **alive > F::default()).count()
    }

    /// Visits `(first, offset)` for the pairs of the `LANES` particles from `first` on.
    fn for_lanes(&self, offsets: &[usize], mut visit: impl FnMut(usize, usize)) {
        for first in (0..self.count).step_by(LANES) {
            for &offset in offsets {
                visit(first, offset);
            }
        }
    }

    /// 1 for the pairs that exist, else 0.
    #[inline]
    fn present(&self, first: usize, offset: usize) -> [F; LANES] {
        // Half-way round the circle every pair would be met from both sides.
        let limit = if 2 * offset == self.count {
            offset
        } else {
            self.count
        };
        let (a, b) = (
            lanes(&self.alive, first),
            lanes(&self.alive, first + offset),
        );
        let mut present = [F::default(); LANES];
        for lane in 0..LANES {
            if first + lane < limit {
                present[lane] = a[lane] * b[lane];
            }
        }
        present
    }

    #[inline]
    fn squared_distances(&self, first: usize, offset: usize) -> [F; LANES] {
        let mut sums = [F::default(); LANES];
        for row in self.columns.chunks_exact(self.width) {
            let (a, b) = (lanes(row, first), lanes(row, first + offset));
            for lane in 0..LANES {
                let difference = a[lane] - b[lane];
                sums[lane] += difference * difference;
            }
        }
        sums
    }

    /// Sums a pair potential given as `d^2 -> (U, dU/d(d^2))` over ordered pairs, times `scale`.
    fn accumulate(&mut self, offsets: &[usize], scale: F, pair: impl Fn(F) -> (F, F)) -> F {
        let mut gradients = std::mem::take(&mut self.gradients);
        let mut own = std::mem::take(&mut self.own);
        let mut potentials = [F::default(); LANES];
        // Twice for the ordered pairs, twice for the square's derivative.
        let (two, four) = (scale + scale, scale + scale + scale + scale);
        for first in (0..self.count).step_by(LANES) {
            own.fill([F::default(); LANES]);
            for &offset in offsets {
                let squared = self.squared_distances(first, offset);
                let present = self.present(first, offset);
                let mut factors = [F::default(); LANES];
                for lane in 0..LANES {
                    let (value, slope) = pair(squared[lane]);
                    potentials[lane] += two * value * present[lane];
                    factors[lane] = four * slope * present[lane];
                }
                let rows = self.columns.chunks_exact(self.width);
                let of_rows = gradients.chunks_exact_mut(self.width).zip(&mut own);
                for (row, (of_row, own)) in rows.zip(of_rows) {
                    let (a, b) = (lanes(row, first), lanes(row, first + offset));
                    // One array after the other, which the compiler turns into whole registers.
                    let mut pushes = [F::default(); LANES];
                    for lane in 0..LANES {
                        pushes[lane] = factors[lane] * (a[lane] - b[lane]);
                    }
                    for lane in 0..LANES {
                        own[lane] += pushes[lane];
                    }
                    let of_other = &mut of_row[first + offset..first + offset + LANES];
                    for lane in 0..LANES {
                        of_other[lane] += -pushes[lane];
                    }
                }
            }
            for (of_row, own) in gradients.chunks_exact_mut(self.width).zip(&own) {
                let of_first = &mut of_row[first..first + LANES];
                for lane in 0..LANES {
                    of_first[lane] += own[lane];
                }
            }
        }
        (self.gradients, self.own) = (gradients, own);
        let mut potential = F::default();
        for value in potentials {
            potential += value;
        }
        potential
    }

    /// Writes the gradients `[B, stride]`, with those of the second round added to the first.
    fn collect(&mut self, stride: usize, gradients: &mut [F]) {
        let (count, width) = (self.count, self.width);
        for (c, row) in self.gradients.chunks_exact_mut(width).enumerate() {
            for column in count..count + count / 2 {
                let again = row[column];
                row[column - count] += again;
            }
            let of_column = gradients[c..].iter_mut().step_by(stride);
            for (gradient, value) in of_column.zip(&row[..count]) {
                *gradient = *value;
            }
        }
    }
}

/// `LANES` columns of a row.
#[inline]
fn lanes<F: Real>(row: &[F], first: usize) -> [F; LANES] {
    let mut lanes = [F::default(); LANES];
    lanes.copy_from_slice(&row[first..first + LANES]);
    lanes
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::random::{Purpose, Random};

    const STRIDE: usize = 6;

    fn evaluate(kernel: Kernel, trajectories: &[f64], lost: &[bool]) -> (f64, Vec<f64>) {
        let mut gradients = vec![7.0; trajectories.len()];
        let mut repulsion = Repulsion::new(kernel, lost.len(), STRIDE, None);
        let potential = repulsion.gradient(trajectories, lost, 0.5, &mut gradients);
        (potential, gradients)
    }

    /// The definition: every ordered pair, one after the other.
    fn pair_by_pair(trajectories: &[f64], lost: &[bool]) -> (f64, Vec<f64>) {
        let (mut potential, mut gradients) = (0.0, vec![0.0; trajectories.len()]);
        let row = |b: usize| &trajectories[b * STRIDE..][..STRIDE];
        for i in (0..lost.len()).filter(|i| !lost[*i]) {
            for j in (0..lost.len()).filter(|j| *j != i && !lost[*j]) {
                let off: Vec<f64> = row(i).iter().zip(row(j)).map(|(a, b)| a - b).collect();
                let r = (off.iter().map(|o| o * o).sum::<f64>() + SOFTENING).sqrt();
                potential += 1.0 / (r + SOFTENING);
                let slope = -1.0 / (r * (r + SOFTENING).powi(2));
                for (k, off) in off.iter().enumerate() {
                    gradients[i * STRIDE + k] += slope * off;
                    gradients[j * STRIDE + k] -= slope * off;
                }
            }
        }
        (potential, gradients)
    }

    fn assert_same(what: &str, found: &[f64], expected: &[f64]) -> Result<(), TestCaseError> {
        for (k, (found, expected)) in found.iter().zip(expected).enumerate() {
            prop_assert!(
                (found - expected).abs() < 1e-9 * (1.0 + expected.abs()),
                "{what} {k}: {found} is not {expected}"
            );
        }
        Ok(())
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

        /// Any number of particles, whole blocks of lanes or not, some of them lost.
        #[test]
        fn all_neighbours_are_every_pair_once(
            values in prop::collection::vec(-0.5..0.5f64, 27 * STRIDE),
            lost in prop::collection::vec(prop::bool::weighted(0.2), 1..27),
        ) {
            let values = &values[..lost.len() * STRIDE];
            let (potential, gradients) = evaluate(Kernel::InverseDistance, values, &lost);
            let (expected, expected_gradients) = pair_by_pair(values, &lost);
            assert_same("potential", &[potential], &[expected])?;
            assert_same("gradient", &gradients, &expected_gradients)?;
        }

        /// As many draws as there are offsets, evenly spread, evaluate each of these equally often.
        #[test]
        fn some_neighbours_are_all_of_them_on_average(
            values in prop::collection::vec(-0.5..0.5f64, 26 * STRIDE),
            count in 4usize..27,
            neighbours in 2usize..26,
        ) {
            let values = &values[..count * STRIDE];
            let lost: Vec<bool> = (0..count).map(|b| b == 3).collect();
            let kernel = Kernel::InverseDistance;
            let mut repulsion = Repulsion::new(kernel, count, STRIDE, Some(neighbours));
            let draws = count / 2;
            let (mut mean, mut gradients) = (vec![0.0; values.len()], vec![0.0; values.len()]);
            let (mut potential, mut most) = (0.0, 0);
            for draw in 0..draws {
                let uniform = (draw as f64 + 0.5) / draws as f64;
                potential += repulsion.gradient(values, &lost, uniform, &mut gradients) / draws as f64;
                mean.iter_mut().zip(&gradients).for_each(|(m, g)| *m += g / draws as f64);
                most = most.max(2 * repulsion.offsets.len());
            }
            let (expected, expected_gradients) = evaluate(kernel, values, &lost);
            assert_same("potential", &[potential], &[expected])?;
            assert_same("gradient", &mean, &expected_gradients)?;
            prop_assert!(most <= neighbours.max(2) || neighbours + 1 >= count);
            if neighbours + 1 >= count {
                prop_assert_eq!(gradients, expected_gradients);
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
    fn some_neighbours_repel_by_the_kernel_of_the_median_like_all() {
        let mut random = vec![0.0f32; 400 * STRIDE];
        Random::new(1, 0).normal(Purpose::Initial, 0, 0, 0, &mut random);
        let values: Vec<f64> = random.iter().map(|z| f64::from(*z)).collect();
        let (_, expected) = evaluate(Kernel::Rbf, &values, &[false; 400]);
        let mut repulsion = Repulsion::new(Kernel::Rbf, 400, STRIDE, Some(40));
        let (mut mean, mut gradients) = (vec![0.0; values.len()], vec![0.0; values.len()]);
        for draw in 0..10 {
            let uniform = (f64::from(draw) + 0.5) / 10.0;
            repulsion.gradient(&values, &[false; 400], uniform, &mut gradients);
            mean.iter_mut()
                .zip(&gradients)
                .for_each(|(m, g)| *m += g / 10.0);
        }
        let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        let off: Vec<f64> = mean.iter().zip(&expected).map(|(a, b)| a - b).collect();
        let error = (dot(&off, &off) / dot(&expected, &expected)).sqrt();
        assert!(error < 0.02, "the bandwidths differ a little: {error}");
    }

    #[test]
    fn trajectories_that_overflow_repel_nobody() {
        for kernel in [Kernel::Rbf, Kernel::InverseDistance] {
            let mut values = [0.1f32; 4 * STRIDE];
            values[0] = f32::INFINITY;
            values[STRIDE] = f32::MAX;
            values[2 * STRIDE] = 0.2;
            let mut gradients = [7.0; 4 * STRIDE];
            let mut repulsion = Repulsion::new(kernel, 4, STRIDE, None);
            repulsion.gradient(&values, &[false; 4], 0.0, &mut gradients);
            assert!(gradients.iter().all(|g| g.is_finite()), "{kernel:?}");
            assert_eq!(gradients[..2 * STRIDE], [0.0; 2 * STRIDE], "{kernel:?}");
            assert!(gradients[2 * STRIDE] < 0.0, "{kernel:?}");
        }
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
