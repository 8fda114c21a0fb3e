//! Numbers that are not, whatever the scheduler.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod support;

use support::schedulers::{self, Told};
use support::{FnReward, MixturePolicy, Spoiled, arm_space, reach};
use tiller_steering::scheduler::{Schedule, SchedulerConfig};
use tiller_steering::{
    Denoiser, FeynmanKacConfig, Reward, Sampled, Start, Steerer, SteeringConfig, SteeringError,
};

const ANCHOR: Start = Start::at([0.4, 0.0, 0.2]);
const STEPS: usize = 10;
/// The first guided step.
const GUIDED: usize = 2;
const PARTICLES: usize = 20;
/// Numbers in one particle's chunk.
const CHUNK: usize = 32;

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
                let result = steerer.sample(&mut spoiled, Some(&mut reward), &ANCHOR, 0.0, 0, 0);
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
                .sample(&mut spoiled, Some(&mut reward), &ANCHOR, 0.0, 0, 0)
                .unwrap_err();
            assert!(matches!(error, SteeringError::AllLost { .. }), "{name}");
            let error = steerer
                .sample(&mut spoiled, None, &ANCHOR, 0.0, 0, 0)
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
    let result = steerer.sample(&mut spoiled, None, &ANCHOR, 0.0, 0, 0);
    match result {
        Ok(sampled) => assert!(sampled.samples.iter().all(|x| x.is_finite())),
        Err(error) => assert!(matches!(error, SteeringError::AllLost { .. }), "{error}"),
    }
}

fn config(scheduler: &SchedulerConfig, resample: bool) -> SteeringConfig {
    SteeringConfig {
        scheduler: scheduler.clone(),
        feynman_kac: resample.then(|| FeynmanKacConfig {
            ess_threshold: 1.0,
            ..FeynmanKacConfig::default()
        }),
        ..SteeringConfig::default()
    }
}

fn sample(
    config: SteeringConfig,
    denoiser: &mut dyn Denoiser,
    reward: &mut dyn Reward,
) -> Result<Sampled, SteeringError> {
    let mut steerer = Steerer::new(config, arm_space(), 8).unwrap();
    let sampled = steerer.sample(denoiser, Some(reward), &ANCHOR, 0.0, 0, 0);
    sampled.cloned()
}

/// The policy with `entries` of its predictions spoiled in step `at`.
fn spoiled_at(
    scheduler: &SchedulerConfig,
    at: usize,
    entries: std::ops::Range<usize>,
) -> impl Denoiser {
    let time = Schedule::new(scheduler).unwrap().steps()[at].from.time as f32;
    Spoiled(told(scheduler), move |now: f32, out: &mut [f32]| {
        if now == time {
            out[entries.clone()].fill(f32::NAN);
        }
    })
}

/// What a reward says that is not a number.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Fault {
    Value(f32),
    Gradient(f32),
}

const FAULTS: [Fault; 4] = [
    Fault::Value(f32::NAN),
    Fault::Value(f32::INFINITY),
    Fault::Gradient(f32::NAN),
    Fault::Gradient(f32::NEG_INFINITY),
];

/// A reward with the fault for the particles that `hit` picks, at evaluation `at`.
fn faulty(fault: Fault, at: usize, hit: impl Fn(usize) -> bool) -> impl Reward {
    let mut sound = reach([0.6, 0.1, 0.1]);
    let mut call = 0;
    FnReward(move |trajectory: &[f32], gradient: &mut [f32]| {
        let (evaluation, particle) = (call / PARTICLES, call % PARTICLES);
        call += 1;
        let value = (sound.0)(trajectory, gradient);
        match fault {
            _ if evaluation != at || !hit(particle) => value,
            Fault::Value(bad) => bad,
            Fault::Gradient(bad) => {
                gradient[7] = bad;
                value
            }
        }
    })
}

/// Particle 2 was dropped, once, in one of `steps` (`STEPS`: at the final reward), and nothing of it
/// has got into what is executed.
fn assert_dropped_alone(sampled: &Sampled, steps: &[usize], replaced: bool, what: &str) {
    let mut lost: Vec<usize> = sampled.trace.iter().map(|trace| trace.lost).collect();
    lost.push(sampled.lost - lost.iter().sum::<usize>());
    let step = lost.iter().position(|lost| *lost > 0).unwrap();
    assert!(steps.contains(&step), "{what}: lost in {step}");
    assert_eq!(sampled.lost, 1, "{what}");
    assert_eq!(sampled.rewards[2].is_nan(), !replaced, "{what}");
    let others = sampled.rewards.iter().filter(|reward| reward.is_finite());
    assert_eq!(others.count(), PARTICLES - usize::from(!replaced), "{what}");
    assert!(replaced || (sampled.weights[2] == 0.0 && sampled.selected != 2));
    let all = sampled.samples.iter().chain(&sampled.chunk);
    assert!(all.into_iter().all(|value| value.is_finite()), "{what}");
    assert!(sampled.candidates.iter().all(|value| value.is_finite()));
}

#[test]
fn a_denoiser_may_spoil_a_particle_in_any_step() {
    for (name, scheduler) in schedulers::all(STEPS) {
        for at in [0, GUIDED - 1, GUIDED, STEPS / 2, STEPS - 1] {
            for resample in [false, true] {
                let what = format!("{name}, step {at}, resampling {resample}");
                let mut denoiser = spoiled_at(&scheduler, at, 2 * CHUNK + 5..2 * CHUNK + 6);
                let mut reward = reach([0.6, 0.1, 0.1]);
                let config = config(&scheduler, resample);
                let sampled = sample(config, &mut denoiser, &mut reward).unwrap();
                // Heun's method looks at a step's level in the step before.
                assert_dropped_alone(&sampled, &[at.saturating_sub(1), at], resample, &what);
            }
        }
    }
}

#[test]
fn a_reward_may_fail_for_a_particle_at_any_time() {
    let (name, scheduler) = &schedulers::all(STEPS)[0];
    for fault in FAULTS {
        for at in [0, 4, STEPS - GUIDED - 1, STEPS - GUIDED] {
            for resample in [false, true] {
                let what = format!("{name}, {fault:?} at {at}, resampling {resample}");
                let mut reward = faulty(fault, at, |particle| particle == 2);
                let config = config(scheduler, resample);
                let sampled = sample(config, &mut told(scheduler), &mut reward).unwrap();
                // After the last step nothing replaces a particle.
                let replaced = resample && GUIDED + at < STEPS;
                assert_dropped_alone(&sampled, &[GUIDED + at], replaced, &what);
            }
        }
    }
}

#[test]
fn the_error_names_the_step_at_which_all_were_lost() {
    let assert_lost_at = |result: Result<Sampled, SteeringError>, expected: usize, what: &str| {
        let error = result.unwrap_err();
        let text = error.to_string();
        let SteeringError::AllLost {
            particles,
            step,
            steps,
        } = error
        else {
            panic!("{what}: {text}");
        };
        assert_eq!((particles, step, steps), (PARTICLES, expected, STEPS));
        let named = format!("all 20 particles were lost by step {expected} of 10");
        assert!(text.contains(&named), "{what}: {text}");
    };
    for (name, scheduler) in schedulers::all(STEPS) {
        for at in [0, GUIDED, STEPS - 1] {
            let mut denoiser = spoiled_at(&scheduler, at, 0..PARTICLES * CHUNK);
            let mut reward = reach([0.6, 0.1, 0.1]);
            let result = sample(config(&scheduler, false), &mut denoiser, &mut reward);
            assert_lost_at(result, at, name);
        }
    }
    let (name, scheduler) = &schedulers::all(STEPS)[0];
    for fault in FAULTS {
        for at in [0, 4, STEPS - GUIDED] {
            let mut reward = faulty(fault, at, |_| true);
            let result = sample(config(scheduler, true), &mut told(scheduler), &mut reward);
            assert_lost_at(result, GUIDED + at, name);
        }
    }
}

#[test]
fn particles_lost_one_after_the_other_are_all_counted() {
    let (_, scheduler) = &schedulers::all(STEPS)[0];
    // Particle `k` goes in step `k`, for as long as there are steps.
    let levels: Vec<f32> = Schedule::new(scheduler)
        .unwrap()
        .steps()
        .iter()
        .map(|step| step.from.time as f32)
        .collect();
    let mut denoiser = Spoiled(told(scheduler), |now: f32, out: &mut [f32]| {
        let step = levels.iter().position(|time| *time == now).unwrap();
        out[step * CHUNK] = f32::INFINITY;
    });
    let mut reward = reach([0.6, 0.1, 0.1]);
    let sampled = sample(config(scheduler, false), &mut denoiser, &mut reward).unwrap();
    assert_eq!(sampled.lost, STEPS);
    assert!(sampled.trace.iter().all(|trace| trace.lost == 1));
    for (particle, reward) in sampled.rewards.iter().enumerate() {
        assert_eq!(reward.is_nan(), particle < STEPS);
    }
    assert!(sampled.selected >= STEPS);
}
