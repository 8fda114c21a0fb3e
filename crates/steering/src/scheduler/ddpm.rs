//! Ancestral sampling.

use super::config::{DiffusionConfig, Variance};
use super::diffusion::{alphas_cumprod, timesteps};
use super::{Level, Step, Transition};

/// Steps whose mean is that of `q(x_prev | x_t, x_0)` at the clean estimate (Ho et al. 2020,
/// equation 7). With the noise that the sample holds beside the (clipped) clean estimate that mean
/// is of the common form, `signal' * clean + sqrt(alpha) (1 - abar') / sqrt(1 - abar) * noise`:
/// with `fixed_small` it is the common stochastic step with `eta = 1`. With `fixed_large` the
/// fresh noise is larger than what the mean leaves out, as in diffusers.
pub(super) fn steps(config: &DiffusionConfig, variance: Variance) -> Vec<Step> {
    let abar = alphas_cumprod(config);
    let timesteps = timesteps(config);
    let level = |index: usize| match timesteps.get(index) {
        Some(&t) => Level::diffusion(t as f64, abar[t]),
        None => Level::DATA,
    };
    let step = |index: usize| {
        let (from, to) = (level(index), level(index + 1));
        let alpha = (from.signal / to.signal).powi(2);
        let beta = 1.0 - alpha;
        let kept = (to.noise / from.noise).powi(2);
        let fresh = match variance {
            Variance::FixedSmall => kept * beta,
            // The first training step adds nothing.
            Variance::FixedLarge if timesteps[index] == 0 => 0.0,
            Variance::FixedLarge => beta,
        };
        let transition = Transition {
            clean: to.signal,
            noise: alpha.sqrt() * kept * from.noise,
            fresh: fresh.sqrt(),
        };
        Step::diffusion(config.prediction, from, to, transition)
    };
    (0..timesteps.len()).map(step).collect()
}
