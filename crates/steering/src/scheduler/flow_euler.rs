//! Euler's method for flow matching.

use super::config::FlowConfig;
use super::{Level, Step, Transition};

/// `x_t = t * noise + (1 - t) * data` in equal steps from `t = 1` to 0 along `v = dx/dt = noise -
/// data` (Lipman et al. 2023). The common deterministic step is Euler's:
/// `(1 - s) clean + s noise = x - (t - s) v`.
pub(super) fn steps(config: &FlowConfig) -> Vec<Step> {
    stochastic(config, 0.0)
}

/// The same with fresh noise.
pub(super) fn stochastic(config: &FlowConfig, eta: f64) -> Vec<Step> {
    let level = |index: usize| {
        let t = (config.steps - index) as f64 / config.steps as f64;
        Level::flow(t, config.time.told(t))
    };
    let step = |index: usize| {
        let (from, to) = (level(index), level(index + 1));
        Step::flow(config.time, from, to, Transition::new(&from, &to, eta))
    };
    (0..config.steps).map(step).collect()
}
