//! Heun's method for flow matching.

use super::config::FlowConfig;
use super::{Level, Step, flow_euler};
use crate::real::Real;

/// Euler's steps, each corrected by a second evaluation where Euler would arrive; the mean of both
/// velocities is of second order. The last step is Euler's, as in diffusers: the denoiser is never
/// asked at the data's own time, and the step ends at its clean estimate.
///
/// A guided flow follows `dx/dt = v - lambda g`. Heun's method is of second order only if it sees
/// that whole field twice, so guidance acts on both evaluations, each with the strength of its own
/// level. Stochastic steps are of first order anyway and take one evaluation.
pub(super) fn steps(config: &FlowConfig) -> Vec<Step> {
    let mut steps = flow_euler::steps(config);
    let last = steps.len().saturating_sub(1);
    for step in &mut steps[..last] {
        step.corrected = true;
    }
    steps
}

/// Makes of the estimates at both ends of a step those at its start that lead along the mean
/// velocity. Without clipping, `signal * clean + noise_level * noise` is the sample before and after.
pub(super) fn average<F: Real>(
    from: &Level,
    first_clean: &[F],
    first_noise: &[F],
    clean: &mut [F],
    noise: &mut [F],
) {
    let (signal, level, half) = (
        F::from_f64(from.signal),
        F::from_f64(from.noise),
        F::from_f64(0.5),
    );
    let first = first_clean.iter().zip(first_noise);
    for ((clean, noise), (c, n)) in clean.iter_mut().zip(noise).zip(first) {
        let sample = signal * *c + level * *n;
        let velocity = half * ((*n - *c) + (*noise - *clean));
        *clean = sample - level * velocity;
        *noise = sample + signal * velocity;
    }
}
