//! Walking down a schedule as the sampler does, in any precision.

use tiller_steering::Real;
use tiller_steering::scheduler::{Solver, Step};

/// What there is after a step.
pub(crate) struct Arrival<'a, F> {
    pub(crate) index: usize,
    pub(crate) step: Step,
    /// The clean estimates of the (first) evaluation.
    pub(crate) clean: &'a [F],
    /// The samples of the next level, still without the fresh noise.
    pub(crate) sample: &'a mut [F],
    /// Standard deviation of the fresh noise that is to be added.
    pub(crate) fresh: f64,
}

/// Takes all steps of a schedule from the samples `x`. `predict` is asked for predictions at the
/// level where a step starts, `eta` for the least stochasticity of a step, and `arrive` adds the
/// fresh noise.
pub(crate) fn walk<F: Real>(
    solver: &mut Solver<F>,
    x: &mut [F],
    predict: impl Fn(&Step, &[F]) -> Vec<F>,
    eta: impl Fn(usize) -> f64,
    mut arrive: impl FnMut(&mut Solver<F>, Arrival<'_, F>),
) {
    let (mut clean, mut noise) = (x.to_vec(), x.to_vec());
    solver.restart();
    for index in 0..solver.schedule().steps().len() {
        let steps = solver.schedule().steps();
        let (step, prediction) = (steps[index], predict(&steps[index], x));
        solver.split(index, x, &prediction, &mut clean, &mut noise);
        solver.clip(index, x, &mut clean, &mut noise);
        let first = clean.clone();
        if step.corrected && eta(index) == 0.0 {
            solver.look_ahead(index, &clean, &noise, x);
            let prediction = predict(&solver.schedule().steps()[index + 1], x);
            solver.split(index + 1, x, &prediction, &mut clean, &mut noise);
            solver.clip(index + 1, x, &mut clean, &mut noise);
            solver.correct(index, &mut clean, &mut noise);
        }
        let fresh = solver.advance(index, eta(index), &clean, &noise, x);
        let arrival = Arrival {
            index,
            step,
            clean: &first,
            sample: x,
            fresh,
        };
        arrive(solver, arrival);
    }
}
