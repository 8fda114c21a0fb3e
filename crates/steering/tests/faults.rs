//! Numbers that are not, whatever the scheduler.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod support;

use support::schedulers::{self, Told};
use support::{MixturePolicy, Spoiled, arm_space, reach};
use tiller_steering::scheduler::SchedulerConfig;
use tiller_steering::{FeynmanKacConfig, Steerer, SteeringConfig, SteeringError};

const ANCHOR: [f32; 3] = [0.4, 0.0, 0.2];

fn policy() -> MixturePolicy {
    MixturePolicy::gaussian(8, 4, vec![0.1; 32], 0.5)
}

fn told(scheduler: &SchedulerConfig) -> Told {
    Told::new(policy(), scheduler)
}

#[test]
fn every_scheduler_drops_what_is_not_a_number() {
    for (name, scheduler) in schedulers::all(10) {
        for resample in [false, true] {
            let resampling = FeynmanKacConfig {
                ess_threshold: 1.0,
                ..FeynmanKacConfig::default()
            };
            let config = SteeringConfig {
                scheduler: scheduler.clone(),
                mcmc_steps: 2,
                feynman_kac: resample.then_some(resampling),
                ..SteeringConfig::default()
            };
            let mut steerer = Steerer::new(config, arm_space(), 8).unwrap();
            // Particle 2 alone, at one call somewhere in the middle.
            for bad in [f32::NAN, f32::NEG_INFINITY, f32::MAX] {
                let mut calls = 0;
                let spoil = |_: f32, out: &mut [f32]| {
                    calls += 1;
                    if calls == 6 {
                        out[2 * 32..3 * 32].fill(bad);
                    }
                };
                let mut reward = reach([0.6, 0.1, 0.1]);
                let mut spoiled = Spoiled(told(&scheduler), spoil);
                let result = steerer.sample(&mut spoiled, Some(&mut reward), ANCHOR, 0.0, 0, 0);
                let sampled = result.unwrap();
                let all = sampled.samples.iter().chain(&sampled.chunk);
                assert!(all.into_iter().all(|value| value.is_finite()), "{name}");
                assert!(sampled.rewards[sampled.selected].is_finite(), "{name}");
                if bad != f32::MAX {
                    assert_eq!(sampled.lost, 1, "{name}");
                    assert_eq!(sampled.rewards[2].is_nan(), !resample, "{name}");
                }
            }
            let all = |_: f32, out: &mut [f32]| out.fill(f32::NAN);
            let mut reward = reach([0.6, 0.1, 0.1]);
            let mut spoiled = Spoiled(told(&scheduler), all);
            let error = steerer
                .sample(&mut spoiled, Some(&mut reward), ANCHOR, 0.0, 0, 0)
                .unwrap_err();
            assert!(matches!(error, SteeringError::AllLost { .. }), "{name}");
            let error = steerer
                .sample(&mut spoiled, None, ANCHOR, 0.0, 0, 0)
                .unwrap_err();
            assert!(matches!(error, SteeringError::AllLost { .. }), "{name}");
        }
    }
}

#[test]
fn a_chunk_that_overflows_is_not_executed() {
    // Without clipping the last step hands on what the denoiser says.
    let scheduler = schedulers::unclipped(SchedulerConfig::default());
    let config = SteeringConfig {
        scheduler,
        ..Default::default()
    };
    let mut steerer = Steerer::new(config, arm_space(), 8).unwrap();
    let huge = |_: f32, out: &mut [f32]| out.fill(f32::MAX);
    let mut spoiled = Spoiled(policy(), huge);
    let result = steerer.sample(&mut spoiled, None, ANCHOR, 0.0, 0, 0);
    match result {
        Ok(sampled) => assert!(sampled.samples.iter().all(|x| x.is_finite())),
        Err(error) => assert!(matches!(error, SteeringError::AllLost { .. }), "{error}"),
    }
}
