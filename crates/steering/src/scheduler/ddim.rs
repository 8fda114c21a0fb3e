//! Denoising diffusion implicit models.

use super::config::DiffusionConfig;
use super::diffusion::{alphas_cumprod, timesteps};
use super::{Level, Step, Transition};

/// Steps of Song et al. 2021, equation 12, with `eta` times the noise of ancestral sampling
/// (equation 16). The noise stays the predicted one when the clean estimate is clipped
/// (`use_clipped_model_output = False` in diffusers).
///
/// As in diffusers a step leads `train_steps / steps` training steps down, whatever the spacing;
/// where that is not the next step visited, the sample arrives at a level a little off.
pub(super) fn steps(config: &DiffusionConfig, eta: f64, set_alpha_to_one: bool) -> Vec<Step> {
    let abar = alphas_cumprod(config);
    let stride = config.train_steps / config.steps;
    let last = if set_alpha_to_one {
        Level::DATA
    } else {
        Level::diffusion(0.0, abar[0])
    };
    let step = |t: usize| {
        let from = Level::diffusion(t as f64, abar[t]);
        let to = t
            .checked_sub(stride)
            .map_or(last, |t| Level::diffusion(t as f64, abar[t]));
        let transition = Transition::new(&from, &to, eta);
        Step::diffusion(config.prediction, from, to, transition)
    };
    timesteps(config).into_iter().map(step).collect()
}
