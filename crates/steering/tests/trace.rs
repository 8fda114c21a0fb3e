//! What a run records of its steps.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod support;

use support::schedulers::{self, Told, alone};
use support::{MixturePolicy, Spoiled, arm_space, reach};
use tiller_steering::{
    FeynmanKacConfig, GradientPoint, Phase, Sampled, Start, Steerer, SteeringConfig, TraceLevel,
};

const ANCHOR: Start = Start::at([0.4, 0.0, 0.2]);
const TARGET: [f32; 3] = [0.6, 0.1, 0.1];
const STEPS: usize = 10;
/// Points of a trajectory of 8 actions, three coordinates each.
const PATH: usize = 9 * 3;

fn policy() -> MixturePolicy {
    MixturePolicy::gaussian(8, 4, vec![0.1; 32], 0.5)
}

fn full() -> SteeringConfig {
    SteeringConfig {
        feynman_kac: Some(FeynmanKacConfig {
            lambda: 100.0,
            ..FeynmanKacConfig::default()
        }),
        trace: TraceLevel::Full,
        ..SteeringConfig::default()
    }
}

/// A run in which particle 2 is spoiled in step `spoiled`.
fn run(config: SteeringConfig, spoiled: Option<usize>) -> Sampled {
    let mut call = 0;
    let mut policy = Spoiled(
        Told::new(policy(), &config.scheduler),
        |_: f32, out: &mut [f32]| {
            if Some(call) == spoiled {
                out[2 * 32] = f32::NAN;
            }
            call += 1;
        },
    );
    let mut steerer = Steerer::new(config, arm_space(), 8).unwrap();
    let mut reward = reach(TARGET);
    let result = steerer.sample(&mut policy, Some(&mut reward), &ANCHOR, 0.0, 3, 0);
    result.unwrap().clone()
}

#[test]
fn recording_changes_nothing_about_the_samples() {
    for (name, scheduler) in schedulers::all(STEPS) {
        for at in [GradientPoint::Clean, GradientPoint::Noisy] {
            let scheduler = scheduler.clone();
            let full = SteeringConfig {
                scheduler,
                at,
                ..full()
            };
            let summary = SteeringConfig {
                trace: TraceLevel::Summary,
                ..full.clone()
            };
            let (recorded, plain) = (run(full, None), run(summary, None));
            assert_eq!(recorded.samples, plain.samples, "{name}");
            assert_eq!(recorded.ancestors, plain.ancestors, "{name}");
            assert!(recorded.particle_trace.is_some() && plain.particle_trace.is_none());
        }
    }
}

#[test]
fn every_particle_can_be_followed() {
    for (name, scheduler) in schedulers::all(STEPS) {
        let config = SteeringConfig {
            scheduler,
            mcmc_steps: 2,
            ..full()
        };
        let sampled = run(config, None);
        let (count, record) = (sampled.particles, sampled.particle_trace.unwrap());
        assert_eq!(record.rewards.len(), STEPS * count);
        assert_eq!(record.gradient_norms.len(), STEPS * count);
        assert_eq!(record.trajectories.len(), STEPS * count * PATH);
        for (step, trace) in sampled.trace.iter().enumerate() {
            let row = step * count..(step + 1) * count;
            let rewards = &record.rewards[row.clone()];
            let norms = &record.gradient_norms[row.clone()];
            let mean = |values: &[f32]| values.iter().sum::<f32>() / count as f32;
            assert!((mean(norms) - trace.gradient_norm).abs() <= 1e-5 * trace.gradient_norm);
            let paths = record.trajectories.chunks_exact(PATH);
            for (path, reward) in paths.skip(row.start).zip(rewards) {
                assert_eq!(path[..3], [0.4, 0.0, 0.2], "{name}");
                let off = |axis: usize| (path[PATH - 3 + axis] - TARGET[axis]).powi(2);
                let distance = (off(0) + off(1) + off(2)).sqrt();
                match trace.phase {
                    Phase::Guided => assert!((reward + distance).abs() < 1e-6, "{name}"),
                    Phase::Diversity | Phase::Free => assert!(reward.is_nan()),
                }
            }
            if trace.phase == Phase::Guided {
                assert!((mean(rewards) - trace.reward_mean).abs() < 1e-5);
                let highest = rewards.iter().copied().fold(f32::MIN, f32::max);
                assert_eq!(highest, trace.reward_max);
                assert!(norms.iter().all(|norm| *norm > 0.0));
            }
        }
    }
}

#[test]
fn resamplings_are_dated() {
    let sampled = run(full(), None);
    let resampled: Vec<usize> = (0..STEPS)
        .filter(|step| sampled.trace[*step].resampled)
        .collect();
    assert_eq!(sampled.resamplings, resampled);
    assert!(resampled.len() > 1 && resampled[0] >= 2, "{resampled:?}");
    let ancestors = sampled.ancestors.chunks_exact(sampled.particles);
    assert_eq!(ancestors.len(), resampled.len());
    for ancestors in ancestors {
        assert!(ancestors.is_sorted());
        assert!(ancestors.iter().any(|ancestor| *ancestor != ancestors[0]));
    }
    // Copies of one particle part again.
    let record = sampled.particle_trace.unwrap();
    let first = &sampled.ancestors[..sampled.particles];
    let twins: Vec<usize> = (1..first.len())
        .filter(|b| first[*b] == first[*b - 1])
        .collect();
    assert!(!twins.is_empty());
    let next = &record.rewards[(resampled[0] + 1) * sampled.particles..];
    assert!(twins.iter().any(|b| next[*b] != next[*b - 1]));
}

#[test]
fn what_is_lost_is_counted_in_its_step_and_has_no_numbers() {
    for step in [0, 1, 5, STEPS - 1] {
        let config = SteeringConfig {
            feynman_kac: None,
            ..full()
        };
        let sampled = run(config, Some(step));
        let lost: Vec<usize> = sampled.trace.iter().map(|trace| trace.lost).collect();
        let expected: Vec<usize> = (0..STEPS).map(|at| usize::from(at == step)).collect();
        assert_eq!((lost, sampled.lost), (expected, 1));
        let record = sampled.particle_trace.unwrap();
        for at in 0..STEPS {
            let of_2 = at * sampled.particles + 2;
            let path = &record.trajectories[of_2 * PATH..][..PATH];
            assert_eq!(record.gradient_norms[of_2].is_nan(), at >= step);
            assert_eq!(path.iter().all(|point| point.is_nan()), at >= step);
            assert!(!record.gradient_norms[of_2 - 1].is_nan());
        }
    }
}

#[test]
fn the_policys_own_way_is_recorded_too() {
    let config = SteeringConfig {
        trace: TraceLevel::Full,
        ..alone(schedulers::unclipped(Default::default()), 5)
    };
    let mut steerer = Steerer::new(config, arm_space(), 8).unwrap();
    let result = steerer.sample(&mut policy(), None, &ANCHOR, 0.0, 3, 0);
    let sampled = result.unwrap();
    let record = sampled.particle_trace.as_ref().unwrap();
    assert!(record.rewards.iter().all(|reward| reward.is_nan()));
    assert!(record.gradient_norms.iter().all(|norm| *norm == 0.0));
    // The flow's last step ends at its clean estimate.
    let last = &record.trajectories[(STEPS - 1) * 5 * PATH..];
    for (found, expected) in last.iter().zip(&sampled.candidates) {
        assert!((found - expected).abs() < 1e-6);
    }
}
