//! DPM-Solver++ (2M).

use super::config::DiffusionConfig;
use super::diffusion::{alphas_cumprod, timesteps};
use super::{Level, Step, Transition};

/// The multistep solver of second order on clean estimates, midpoint form (Lu et al. 2022,
/// "DPM-Solver++", algorithm 2). With `lambda = ln(signal / noise)`, `h` its growth in this step
/// and `h0` in the one before, the step is
///
/// `x' = signal' * clean + noise' * noise + signal' (1 - exp(-h)) h / (2 h0) * (clean - previous)`,
///
/// DDIM's and a correction by the change of the clean estimate. The first step has no previous
/// one, and in the last, to the data, `h` is infinite: both are of first order.
pub(super) fn steps(config: &DiffusionConfig) -> Vec<Step> {
    let abar = alphas_cumprod(config);
    let mut levels: Vec<Level> = timesteps(config)
        .into_iter()
        .map(|t| Level::diffusion(t as f64, abar[t]))
        .collect();
    levels.push(Level::DATA);
    let lambda = |level: &Level| (level.signal / level.noise).ln();
    let count = levels.len() - 1;
    let step = |index: usize| {
        let (from, to) = (levels[index], levels[index + 1]);
        let mut step = Step::diffusion(
            config.prediction,
            from,
            to,
            Transition::new(&from, &to, 0.0),
        );
        if index > 0 && index + 1 < count {
            let h = lambda(&to) - lambda(&from);
            let h0 = lambda(&from) - lambda(&levels[index - 1]);
            step.extrapolation = to.signal * (1.0 - (-h).exp()) * h / (2.0 * h0);
        }
        step
    };
    (0..count).map(step).collect()
}
