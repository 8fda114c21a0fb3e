//! Chunks that carry on the one under way: no jump, the same behaviour, and still steerable.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod support;

use support::schedulers::{Told, all};
use support::{MixturePolicy, Mode, arm_space, reach};
use tiller_core::Continuation;
use tiller_steering::{Start, Steerer, SteeringConfig};

const HORIZON: usize = 16;
const DIM: usize = 4;
const ANCHOR: Start = Start::at([0.5, 0.0, 0.25]);

/// Left or right, at the same odds.
fn policy() -> MixturePolicy {
    let mode = |direction: f64| Mode {
        weight: 0.5,
        mean: [0.0, 0.6 * direction, 0.1, -0.5].repeat(HORIZON),
        deviation: 0.15,
    };
    MixturePolicy {
        horizon: HORIZON,
        dim: DIM,
        modes: vec![mode(1.0), mode(-1.0)],
    }
}

/// A plan of the second behaviour, with a swing of its own.
fn plan() -> Vec<f32> {
    let row = |t: usize| [0.1 * (t as f32).sin(), -0.6, 0.1, -0.5];
    (0..HORIZON).flat_map(row).collect()
}

fn config() -> SteeringConfig {
    SteeringConfig {
        particles: 8,
        unsteered_particles: 8,
        ..SteeringConfig::default()
    }
}

/// The next chunk carries on [`plan`].
fn carry_on(steerer: &mut Steerer, step: u32, frozen_steps: u32, softness: f32) {
    let continuation = Continuation {
        seq: 1,
        step,
        frozen_steps,
    };
    steerer.carry_on(&plan(), &continuation, softness).unwrap();
}

#[test]
fn frozen_steps_are_repeated_to_the_bit_by_every_scheduler() {
    let plan = plan();
    let space = arm_space();
    for (name, scheduler) in all(10) {
        for mcmc_steps in [1, 2] {
            let config = SteeringConfig {
                scheduler: scheduler.clone(),
                mcmc_steps,
                ..config()
            };
            let mut steerer = Steerer::new(config, space.clone(), HORIZON).unwrap();
            let mut told = Told::new(policy(), &scheduler);
            carry_on(&mut steerer, 6, 3, 0.5);
            let mut reward = reach([0.5, -0.3, 0.3]);
            let sampled = steerer
                .sample(&mut told, Some(&mut reward), &ANCHOR, 0.0, 1, 0)
                .unwrap();
            for sample in sampled.samples.chunks_exact(HORIZON * DIM) {
                assert_eq!(sample[..3 * DIM], plan[6 * DIM..9 * DIM], "{name}");
                // And no further.
                assert_ne!(sample[3 * DIM..4 * DIM], plan[9 * DIM..10 * DIM], "{name}");
            }
            let mut executed = vec![0.0; 3 * DIM];
            space.unnormalise(&plan[6 * DIM..9 * DIM], &mut executed);
            assert_eq!(sampled.chunk[..3 * DIM], executed, "{name}");
            assert_eq!(sampled.lost, 0, "{name}");
        }
    }
}

#[test]
fn the_policy_goes_on_with_what_it_began() {
    let mut policy = policy();
    let mut steerer = Steerer::new(config(), arm_space(), HORIZON).unwrap();
    let mut shares = [0; 2];
    for seed in 0..40 {
        for (softness, count) in [1.0, 0.0].into_iter().zip(&mut shares) {
            carry_on(&mut steerer, 6, 2, softness);
            let sampled = steerer
                .sample(&mut policy, None, &ANCHOR, 0.0, seed, 0)
                .unwrap();
            let chunks = sampled.samples.chunks_exact(HORIZON * DIM);
            *count += chunks.filter(|chunk| policy.mode_of(chunk) == 1).count();
        }
    }
    // Of 320 chunks; without softness it is a coin that decides.
    assert!(shares[0] > 300, "{shares:?}");
    assert!((120..200).contains(&shares[1]), "{shares:?}");
}

#[test]
fn the_seam_is_smoother_the_softer_it_is() {
    let (plan, mut policy) = (plan(), policy());
    let mut steerer = Steerer::new(config(), arm_space(), HORIZON).unwrap();
    let mut apart = |softness| {
        let mut sum = 0.0;
        for seed in 0..20 {
            carry_on(&mut steerer, 6, 2, softness);
            let sampled = steerer
                .sample(&mut policy, None, &ANCHOR, 0.0, seed, 0)
                .unwrap();
            for chunk in sampled.samples.chunks_exact(HORIZON * DIM) {
                let first = 2 * DIM..3 * DIM;
                let old = &plan[8 * DIM..9 * DIM];
                let distance = chunk[first].iter().zip(old).map(|(a, b)| (a - b).powi(2));
                sum += f64::from(distance.sum::<f32>()).sqrt();
            }
        }
        sum
    };
    let (free, half, full) = (apart(0.0), apart(0.5), apart(1.0));
    assert!(
        free > 1.2 * half && half > 1.2 * full,
        "{free} {half} {full}"
    );
}

#[test]
fn guidance_still_decides_what_is_not_frozen() {
    let mut policy = policy();
    let mut steerer = Steerer::new(config(), arm_space(), HORIZON).unwrap();
    let mut ends = [0.0, 0.0];
    for (reward_y, end) in [-0.6, 0.6].into_iter().zip(&mut ends) {
        carry_on(&mut steerer, 8, 2, 0.0);
        let mut reward = reach([0.5, reward_y, 0.3]);
        let sampled = steerer
            .sample(&mut policy, Some(&mut reward), &ANCHOR, 0.0, 3, 0)
            .unwrap();
        let points = (HORIZON + 1) * 3;
        *end = sampled.candidates[sampled.selected * points + points - 2];
    }
    assert!(ends[1] > ends[0] + 0.05, "{ends:?}");
}

#[test]
fn a_continuation_is_for_one_chunk_only() {
    let mut policy = policy();
    let mut fresh = Steerer::new(config(), arm_space(), HORIZON).unwrap();
    let expected = fresh
        .sample(&mut policy, None, &ANCHOR, 0.0, 5, 1)
        .unwrap()
        .samples
        .clone();
    let mut steerer = Steerer::new(config(), arm_space(), HORIZON).unwrap();
    carry_on(&mut steerer, 8, 2, 1.0);
    for carries_on in [true, false] {
        let sampled = steerer
            .sample(&mut policy, None, &ANCHOR, 0.0, 5, 1)
            .unwrap();
        assert_eq!(sampled.samples != expected, carries_on);
    }
}

/// Steps count executed actions: of a policy whose first actions are past, the first that the new
/// chunk executes repeats the executed step `step` of the old one.
#[test]
fn a_chunk_carries_on_whatever_is_past_in_it() {
    for execute_start in [0, 1, 2] {
        let config = SteeringConfig {
            execute_start,
            ..config()
        };
        let executed = (HORIZON - execute_start) * DIM;
        let mut steerer = Steerer::new(config, arm_space(), HORIZON).unwrap();
        let mut reward = reach([0.5, -0.3, 0.3]);
        let first = steerer
            .sample(&mut policy(), Some(&mut reward), &ANCHOR, 0.0, 1, 0)
            .unwrap()
            .clone();
        let (step, frozen) = (5, 3);
        let continuation = Continuation {
            seq: 1,
            step: step as u32,
            frozen_steps: frozen as u32,
        };
        let plan = first.sample_of(first.selected);
        assert_eq!(plan.len(), HORIZON * DIM);
        steerer.carry_on(plan, &continuation, 1.0).unwrap();
        // It starts where the old one is before its step 5.
        let next = steerer
            .sample(
                &mut policy(),
                Some(&mut reward),
                &first.path[step],
                0.0,
                1,
                1,
            )
            .unwrap();
        assert_eq!([first.chunk.len(), next.chunk.len()], [executed; 2]);
        assert_eq!(
            next.chunk[..frozen * DIM],
            first.chunk[step * DIM..(step + frozen) * DIM],
            "execute_start {execute_start}"
        );
        let old = first.trajectory_of(first.selected);
        for particle in 0..next.particles {
            let path = &next.trajectory_of(particle)[..(frozen + 1) * 3];
            for (found, expected) in path.iter().zip(&old[step * 3..]) {
                assert!((found - expected).abs() < 1e-6, "{found} is not {expected}");
            }
        }
    }
}
