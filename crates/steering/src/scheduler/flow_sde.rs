//! The stochastic equation with the flow's marginals.

use super::config::FlowConfig;
use super::{Step, flow_euler};

/// Stochastic steps from the first on. With `eps = x + (1 - t) v` and the score `-eps / t`, all
/// `x_s = x_t - (t - s) v + (t - s) sigma^2 / 2 * score + sigma sqrt(t - s) z`
/// have the flow's marginals (Ma et al. 2024, "SiT"); the common stochastic step is that one to
/// first order with `sigma^2 = 2 eta^2 t / (1 - t)`, and keeps the noise level exactly. The
/// deterministic schedulers take the same steps once particles were resampled.
pub(super) fn steps(config: &FlowConfig, eta: f64) -> Vec<Step> {
    flow_euler::stochastic(config, eta)
}

#[cfg(test)]
mod tests {
    use super::super::{Level, Transition};

    #[test]
    fn a_short_step_is_that_of_euler_and_maruyama() {
        let (clean, noise, h) = (0.7, -1.3, 1e-6);
        for t in [0.2, 0.5, 0.9] {
            for eta in [0.0, 0.5, 1.0] {
                let step = Transition::new(&Level::flow(t, t), &Level::flow(t - h, t - h), eta);
                let (x, velocity) = ((1.0 - t) * clean + t * noise, noise - clean);
                let variance = 2.0 * eta * eta * t / (1.0 - t);
                let score = -(x + (1.0 - t) * velocity) / t;
                let expected = x - h * velocity + h * variance / 2.0 * score;
                let found = step.clean * clean + step.noise * noise;
                assert!((found - expected).abs() < 1e-9, "{found} is not {expected}");
                let fresh = step.fresh * step.fresh / h;
                assert!(
                    (fresh - variance).abs() < 1e-3 * (1.0 + variance),
                    "{fresh}"
                );
            }
        }
    }
}
