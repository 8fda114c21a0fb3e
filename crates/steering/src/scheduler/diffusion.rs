//! The training schedule of diffusion, and which of its steps are visited.

use super::config::{BetaSchedule, DiffusionConfig, Spacing};

/// `abar_t`, the products of `1 - beta`, one a training step.
pub(super) fn alphas_cumprod(config: &DiffusionConfig) -> Vec<f64> {
    let mut product = 1.0;
    (0..config.train_steps)
        .map(|step| {
            product *= 1.0 - beta(config, step);
            product
        })
        .collect()
}

fn beta(config: &DiffusionConfig, step: usize) -> f64 {
    let share = step as f64 / config.train_steps.saturating_sub(1).max(1) as f64;
    match config.betas {
        BetaSchedule::SquaredCosCapV2 => {
            let alpha_bar = |step: usize| {
                let time = step as f64 / config.train_steps as f64;
                let angle = (time + 0.008) / 1.008 * std::f64::consts::FRAC_PI_2;
                angle.cos().powi(2)
            };
            (1.0 - alpha_bar(step + 1) / alpha_bar(step)).min(0.999)
        }
        BetaSchedule::Linear { start, end } => start + share * (end - start),
        BetaSchedule::ScaledLinear { start, end } => {
            (start.sqrt() + share * (end.sqrt() - start.sqrt())).powi(2)
        }
    }
}

/// The training steps that are visited, falling. Rounds to even where two are as near.
pub(super) fn timesteps(config: &DiffusionConfig) -> Vec<usize> {
    let (train, points) = (config.train_steps, config.points());
    let mut timesteps: Vec<usize> = match config.spacing {
        Spacing::Leading => {
            let ratio = train / points;
            let at = |point| point * ratio + config.steps_offset;
            (0..points).rev().map(at).collect()
        }
        Spacing::Trailing => {
            let last = train as f64;
            // As numpy's `arange` steps, so that ties round the same way.
            let step = (last - last / points as f64) - last;
            let at = |point| (last + point as f64 * step).round_ties_even();
            (0..points)
                .map(|point| (at(point) as usize).saturating_sub(1))
                .collect()
        }
        Spacing::Linspace => {
            let step = (train - 1) as f64 / (points - 1).max(1) as f64;
            let at = |point| (point as f64 * step).round_ties_even() as usize;
            (0..points).rev().map(at).collect()
        }
    };
    // Where a solver counts the data as a point, they come last.
    timesteps.truncate(config.steps);
    timesteps
}
