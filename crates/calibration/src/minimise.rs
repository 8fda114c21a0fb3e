//! Least squares of pixel errors that a few wrong ones cannot spoil.
//!
//! Levenberg-Marquardt (Marquardt 1963) with a Jacobian by central differences; Huber's loss (Huber 1964)
//! through weights that are taken anew in each round.

use nalgebra::{DMatrix, DVector, Vector2};

/// Errors above this count by their length and no longer by its square, pixels.
const HUBER_PX: f64 = 1.0;
const ROUNDS: usize = 60;
/// Damping at the start, and beyond which nothing more is to be gained.
const DAMPING: [f64; 2] = [1e-4, 1e12];
/// Relative gain of a round below which the minimum is reached.
const LEAST_GAIN: f64 = 1e-12;

/// The state near `start` with the least loss. `plus` moves a state by as many numbers as there are `steps`,
/// which say by how much each is moved to find a slope; `errors` are those of a state, pixels, always as many.
pub(crate) fn minimise<S>(
    start: S,
    steps: &[f64],
    plus: impl Fn(&S, &[f64]) -> S,
    errors: impl Fn(&S) -> Vec<Vector2<f64>>,
) -> S {
    let mut state = start;
    let mut found = errors(&state);
    let mut least = loss(&found);
    let mut damping = DAMPING[0];
    for _ in 0..ROUNDS {
        let slopes: Vec<Vec<Vector2<f64>>> = (0..steps.len())
            .map(|at| {
                let moved = |by: f64| {
                    let mut change = vec![0.0; steps.len()];
                    change[at] = by;
                    errors(&plus(&state, &change))
                };
                let (ahead, behind) = (moved(steps[at]), moved(-steps[at]));
                let pairs = ahead.iter().zip(&behind);
                pairs.map(|(a, b)| (a - b) / (2.0 * steps[at])).collect()
            })
            .collect();
        let (normal, gradient) = normal_equations(&slopes, &found);
        let before = least;
        while damping < DAMPING[1] {
            let mut damped = normal.clone();
            for at in 0..steps.len() {
                damped[(at, at)] += damping * normal[(at, at)].max(1e-12);
            }
            let change = damped.cholesky().map(|factor| factor.solve(&-&gradient));
            let next = change.map(|change| plus(&state, change.as_slice()));
            let better = next.map(|next| {
                let errors = errors(&next);
                (loss(&errors), next, errors)
            });
            match better {
                Some((loss, next, errors)) if loss < least => {
                    (state, found, least) = (next, errors, loss);
                    damping = (damping / 10.0).max(1e-12);
                    break;
                }
                _ => damping *= 10.0,
            }
        }
        if before - least <= LEAST_GAIN * before {
            break;
        }
    }
    state
}

/// Huber's loss of all errors; a number that is not finite is infinitely bad.
pub(crate) fn loss(errors: &[Vector2<f64>]) -> f64 {
    let one = |error: &Vector2<f64>| match error.norm() {
        small if small <= HUBER_PX => small * small,
        large => HUBER_PX * (2.0 * large - HUBER_PX),
    };
    let sum: f64 = errors.iter().map(one).sum();
    if sum.is_finite() { sum } else { f64::INFINITY }
}

/// `J' W J` and `J' W r`.
fn normal_equations(
    slopes: &[Vec<Vector2<f64>>],
    errors: &[Vector2<f64>],
) -> (DMatrix<f64>, DVector<f64>) {
    let weights: Vec<f64> = errors
        .iter()
        .map(|error| (HUBER_PX / error.norm().max(HUBER_PX)).min(1.0))
        .collect();
    let product = |a: &[Vector2<f64>], b: &[Vector2<f64>]| -> f64 {
        let pairs = a.iter().zip(b).zip(&weights);
        pairs.map(|((a, b), weight)| weight * a.dot(b)).sum()
    };
    let size = slopes.len();
    let normal = DMatrix::from_fn(size, size, |a, b| product(&slopes[a], &slopes[b]));
    let gradient = DVector::from_fn(size, |at, _| product(&slopes[at], errors));
    (normal, gradient)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_fitted_and_one_wrong_point_does_not_bend_it() {
        let line = |x: f64| 2.0 * x + 1.0;
        let mut points: Vec<[f64; 2]> = (0..20)
            .map(|x| [f64::from(x), line(f64::from(x))])
            .collect();
        points[7][1] += 500.0;
        let plus = |state: &[f64; 2], by: &[f64]| [state[0] + by[0], state[1] + by[1]];
        let errors = |state: &[f64; 2]| {
            let error = |p: &[f64; 2]| Vector2::new(state[0] * p[0] + state[1] - p[1], 0.0);
            points.iter().map(error).collect::<Vec<_>>()
        };
        let [slope, height] = minimise([0.0, 0.0], &[1e-6; 2], plus, errors);
        assert!((slope - 2.0).abs() < 0.02, "{slope}");
        assert!((height - 1.0).abs() < 0.2, "{height}");
    }

    #[test]
    fn what_is_not_finite_is_never_taken() {
        let plus = |state: &f64, by: &[f64]| state + by[0];
        // The root of 4 by a function that has no value below 1.
        let errors = |x: &f64| vec![Vector2::new((x - 1.0).sqrt() - 1.0, 0.0)];
        let found = minimise(1.5, &[1e-6], plus, errors);
        assert!((found - 2.0).abs() < 1e-6, "{found}");
    }
}
