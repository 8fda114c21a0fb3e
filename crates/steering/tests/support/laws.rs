//! What the discretised sampler makes of a Gaussian, exactly.

use tiller_steering::scheduler::{Schedule, SchedulerConfig, Step};

/// A step that never comes.
pub(crate) const NEVER: usize = usize::MAX;

/// Mean and variance of one entry of data with that mean and deviation, by exact recursion through the steps.
/// Steps from `stochastic_from` on draw fresh noise; `push` is subtracted from a step's prediction.
///
/// Every step is affine, so the sample is kept as `x[0] + sum x[k] z_k` of the standard normal
/// numbers drawn so far: the initial one, then one for each step.
pub(crate) fn discrete_law(
    scheduler: &SchedulerConfig,
    (mean, deviation): (f64, f64),
    stochastic_from: usize,
    push: impl Fn(usize, &Step) -> f64,
) -> (f64, f64) {
    let is_flow = matches!(scheduler, SchedulerConfig::Flow(_));
    let mut x = vec![0.0, 1.0];
    // Clean estimates of the step before, along a smooth path.
    let mut before: Option<Vec<f64>> = None;
    let steps = Schedule::new(scheduler).unwrap().steps().to_vec();
    for (i, plan) in steps.iter().enumerate() {
        let (signal, level) = (plan.from.signal, plan.from.noise);
        let step = plan.with_noise(if i >= stochastic_from { 1.0 } else { 0.0 });
        let total = (signal * deviation).powi(2) + level * level;
        let gain = push(i, plan);
        let (mut clean, mut noise) = (x.clone(), x.clone());
        for k in 0..x.len() {
            let constant = if k == 0 { 1.0 } else { 0.0 };
            let off = x[k] - signal * mean * constant;
            clean[k] = mean * constant + signal * deviation.powi(2) / total * off;
            noise[k] = level / total * off;
            // clean = x - t v, noise = x + (1 - t) v; clean = (x - level eps) / signal, noise = eps.
            let (of_clean, of_noise) = if is_flow {
                (level, signal)
            } else {
                (level / signal, 1.0)
            };
            clean[k] += of_clean * gain * constant;
            noise[k] -= of_noise * gain * constant;
            x[k] = step.clean * clean[k] + step.noise * noise[k];
        }
        let deterministic = step.fresh == 0.0;
        if let Some(before) = before.filter(|_| deterministic) {
            for (k, x) in x.iter_mut().enumerate() {
                *x += plan.extrapolation * (clean[k] - before.get(k).unwrap_or(&0.0));
            }
        }
        before = deterministic.then_some(clean);
        x.push(step.fresh);
    }
    (x[0], x[1..].iter().map(|x| x * x).sum())
}
