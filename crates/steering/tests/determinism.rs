//! Same inputs and seed, same bits: whatever ran before, and whatever runs beside.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod support;

use std::sync::Barrier;

use support::schedulers::{self, Told};
use support::{MixturePolicy, arm_space, reach};
use tiller_steering::scheduler::SchedulerConfig;
use tiller_steering::{
    DiversityConfig, FeynmanKacConfig, Kernel, Start, Steerer, SteeringConfig, TraceLevel,
};

const ANCHOR: Start = Start::at([0.4, 0.0, 0.2]);

/// Everything that draws random numbers.
fn config(scheduler: &SchedulerConfig, kernel: Kernel) -> SteeringConfig {
    SteeringConfig {
        scheduler: scheduler.clone(),
        mcmc_steps: 2,
        diversity: Some(DiversityConfig {
            kernel,
            neighbours: Some(6),
            ..DiversityConfig::default()
        }),
        feynman_kac: Some(FeynmanKacConfig {
            ess_threshold: 1.0,
            ..FeynmanKacConfig::default()
        }),
        trace: TraceLevel::Full,
        ..SteeringConfig::default()
    }
}

fn variants() -> Vec<(&'static str, SteeringConfig)> {
    let kernels = [Kernel::InverseDistance, Kernel::Rbf].into_iter();
    let each = schedulers::all(10).into_iter().zip(kernels.cycle());
    each.map(|((name, scheduler), kernel)| (name, config(&scheduler, kernel)))
        .collect()
}

/// All that a run returns, to the bit: each float is printed as the shortest text that reads back as
/// itself, and what is not a number is the same text too.
fn result(steerer: &mut Steerer, seed: u64, chunk_index: u64, steered: bool) -> String {
    let gaussian = MixturePolicy::gaussian(8, 4, vec![0.1; 32], 0.5);
    let mut policy = Told::new(gaussian, &steerer.config().scheduler.clone());
    let mut reward = reach([0.6, 0.1, 0.1]);
    let reward = steered.then_some(&mut reward as _);
    let sampled = steerer.sample(&mut policy, reward, &ANCHOR, 0.0, seed, chunk_index);
    format!("{:?}", sampled.unwrap())
}

fn cold(config: &SteeringConfig, seed: u64, chunk_index: u64) -> String {
    let mut steerer = Steerer::new(config.clone(), arm_space(), 8).unwrap();
    result(&mut steerer, seed, chunk_index, true)
}

#[test]
fn same_seed_same_bits_and_another_seed_or_chunk_others() {
    for (name, config) in variants() {
        let first = cold(&config, 3, 5);
        assert_eq!(first, cold(&config, 3, 5), "{name}");
        assert_ne!(first, cold(&config, 4, 5), "{name}");
        assert_ne!(first, cold(&config, 3, 6), "{name}");
    }
}

#[test]
fn a_sampler_that_has_run_before_gives_the_bits_of_a_new_one() {
    for (name, config) in variants() {
        let first = cold(&config, 1, 0);
        let mut steerer = Steerer::new(config, arm_space(), 8).unwrap();
        for other in 0..3 {
            // Other seeds, other numbers of particles.
            result(&mut steerer, 100 + other, 0, true);
            result(&mut steerer, 200 + other, 0, false);
            assert_eq!(result(&mut steerer, 1, 0, true), first, "{name}");
        }
    }
}

#[test]
fn samplers_on_two_threads_at_once_give_the_bits_of_one_alone() {
    let expected: Vec<String> = variants()
        .iter()
        .map(|(_, config)| cold(config, 7, 2))
        .collect();
    let start = Barrier::new(2);
    std::thread::scope(|scope| {
        let beside: Vec<_> = (0..2)
            .map(|_| {
                scope.spawn(|| {
                    start.wait();
                    for ((name, config), expected) in variants().iter().zip(&expected) {
                        let mut steerer = Steerer::new(config.clone(), arm_space(), 8).unwrap();
                        for _ in 0..3 {
                            assert_eq!(&result(&mut steerer, 7, 2, true), expected, "{name}");
                        }
                    }
                })
            })
            .collect();
        for thread in beside {
            assert!(thread.join().is_ok());
        }
    });
}
