//! A multimodal policy that does what it likes, and steering that makes it do one thing.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod support;

use support::{FnReward, MixturePolicy, Mode, arm_space, reach};
use tiller_steering::scheduler::{DiffusionConfig, Prediction, SchedulerConfig, Spacing};
use tiller_steering::{EvolutionConfig, FeynmanKacConfig, Start, Steerer, SteeringConfig};

const HORIZON: usize = 16;
const ANCHOR: Start = Start::at([0.5, 0.0, 0.25]);

/// Ten behaviours: straight motions of 2 cm a step in ten directions, of which the first is rare.
fn policy(rare: f64) -> MixturePolicy {
    let modes = (0..10).map(|k| {
        let angle = k as f64 / 10.0 * std::f64::consts::TAU;
        let step = [
            0.66 * angle.cos(),
            0.66 * angle.sin(),
            if k % 2 == 0 { -0.4 } else { 0.2 },
        ];
        let gripper = if k % 3 == 0 { -1.0 } else { 1.0 };
        let mean = (0..HORIZON)
            .flat_map(|_| [step[0], step[1], step[2], gripper])
            .collect();
        let weight = if k == 0 { rare } else { (1.0 - rare) / 9.0 };
        Mode {
            weight,
            mean,
            deviation: 0.12,
        }
    });
    MixturePolicy {
        horizon: HORIZON,
        dim: 4,
        modes: modes.collect(),
    }
}

fn target(policy: &MixturePolicy, mode: usize, off: f32) -> [f32; 3] {
    let mut at = ANCHOR.pose.position_m.map(|value| value as f32);
    for (at, step) in at.iter_mut().zip(&policy.modes[mode].mean) {
        *at += *step as f32 * 0.03 * HORIZON as f32;
    }
    at[1] += off;
    at
}

/// How often the selected chunk shows behaviour 0, and the mean distance to the target in metres.
fn steer(config: &SteeringConfig, rare: f64, off: f32) -> (usize, f64) {
    const RUNS: u64 = 50;
    let mut policy = policy(rare);
    let target = target(&policy, 0, off);
    let mut steerer = Steerer::new(config.clone(), arm_space(), HORIZON).unwrap();
    let (mut hits, mut distance) = (0, 0.0);
    for seed in 0..RUNS {
        let sampled = steerer
            .sample(&mut policy, Some(&mut reach(target)), &ANCHOR, 0.0, seed, 0)
            .unwrap();
        let own = &sampled.samples[sampled.selected * HORIZON * 4..][..HORIZON * 4];
        let mode = policy.mode_of(own);
        hits += usize::from(mode == 0);
        distance -= f64::from(sampled.rewards[sampled.selected]) / RUNS as f64;
        // The gripper is the behaviour's own: nothing pushed it.
        for (action, mean) in own
            .chunks_exact(4)
            .zip(policy.modes[mode].mean.chunks_exact(4))
        {
            assert!(
                (f64::from(action[3]) - mean[3]).abs() < 0.6,
                "gripper {}",
                action[3]
            );
        }
    }
    (hits, distance)
}

#[test]
fn the_policy_alone_hardly_ever_does_it() {
    let unguided = SteeringConfig {
        guide_scale: 0.0,
        diversity: None,
        feynman_kac: None,
        ..SteeringConfig::default()
    };
    let (hits, distance) = steer(&unguided, 0.002, 0.0);
    assert!(hits < 10, "best of twenty alone: {hits}");
    assert!(distance > 0.2, "{distance}");
}

#[test]
fn guidance_picks_a_behaviour_shown_once_in_500_times() {
    let (hits, distance) = steer(&SteeringConfig::default(), 0.002, 0.0);
    assert!(hits >= 48, "{hits} of 50");
    assert!(distance < 0.01, "{distance}");
}

#[test]
fn guidance_corrects_a_behaviour_toward_a_target_6_cm_off() {
    let (hits, distance) = steer(&SteeringConfig::default(), 0.02, 0.06);
    assert!(hits >= 48, "{hits} of 50");
    assert!(distance < 0.01, "{distance}");
}

#[test]
fn a_finished_stage_is_hardly_steered() {
    let mut policy = policy(0.1);
    let target = target(&policy, 0, 0.0);
    let mut steerer = Steerer::new(SteeringConfig::default(), arm_space(), HORIZON).unwrap();
    let mut strength = |progress: f32| {
        let sampled = steerer
            .sample(
                &mut policy,
                Some(&mut reach(target)),
                &ANCHOR,
                progress,
                0,
                0,
            )
            .unwrap();
        sampled.trace.last().unwrap().strength
    };
    assert!(strength(1.2) < 0.15 * strength(0.0));
}

#[test]
fn resampling_alone_raises_the_share_of_the_rewarded_behaviour() {
    let share = |feynman_kac| {
        let config = SteeringConfig {
            guide_scale: 0.0,
            diversity: None,
            feynman_kac,
            ..SteeringConfig::default()
        };
        let mut policy = policy(0.1);
        let target = target(&policy, 0, 0.0);
        let mut steerer = Steerer::new(config, arm_space(), HORIZON).unwrap();
        let mut hits = 0;
        for seed in 0..20 {
            let sampled = steerer
                .sample(&mut policy, Some(&mut reach(target)), &ANCHOR, 0.0, seed, 0)
                .unwrap();
            let chunks = sampled.samples.chunks_exact(HORIZON * 4);
            hits += chunks.filter(|chunk| policy.mode_of(chunk) == 0).count();
        }
        hits
    };
    let (without, with) = (share(None), share(Some(FeynmanKacConfig::default())));
    assert!(
        with > 4 * without,
        "{with} of 400 particles, {without} without resampling"
    );
}

/// Where the clean estimate is clipped, pushing the noise alone would lead down the gradient.
#[test]
fn guidance_climbs_from_pure_noise_with_every_scheduler() {
    let policy = MixturePolicy::gaussian(HORIZON, 4, vec![0.0; HORIZON * 4], 0.3);
    let mut schedulers = support::schedulers::all(10);
    schedulers.push((
        "DDIM from pure noise",
        SchedulerConfig::Diffusion(DiffusionConfig {
            prediction: Prediction::VPrediction,
            spacing: Spacing::Trailing,
            steps: 10,
            train_steps: 100,
            ..DiffusionConfig::default()
        }),
    ));
    for (name, scheduler) in schedulers {
        let mean_reward = |guide_scale| {
            let config = SteeringConfig {
                guide_scale,
                scheduler: scheduler.clone(),
                guidance_start: 0.0,
                diversity: None,
                feynman_kac: None,
                ..SteeringConfig::default()
            };
            let mut told = support::schedulers::Told::new(policy.clone(), &scheduler);
            let mut steerer = Steerer::new(config, arm_space(), HORIZON).unwrap();
            let mut far = reach([0.5, 0.45, 0.25]);
            let sampled = steerer
                .sample(&mut told, Some(&mut far), &ANCHOR, 0.0, 1, 0)
                .unwrap();
            sampled.rewards.iter().sum::<f32>() / sampled.rewards.len() as f32
        };
        let (free, weak, strong) = (mean_reward(0.0), mean_reward(0.5), mean_reward(1.0));
        assert!(
            strong > weak && weak > free + 0.02,
            "{name}: {free} {weak} {strong}"
        );
    }
}

/// Without any gradient, and never worse than the best of the chunks that it began with.
#[test]
fn evolution_climbs_with_every_scheduler() {
    let policy = MixturePolicy::gaussian(HORIZON, 4, vec![0.0; HORIZON * 4], 0.3);
    for (name, scheduler) in support::schedulers::all(10) {
        let selected = |evolution, seed| {
            let config = SteeringConfig {
                guide_scale: 0.0,
                scheduler: scheduler.clone(),
                diversity: None,
                feynman_kac: None,
                evolution,
                ..SteeringConfig::default()
            };
            let mut told = support::schedulers::Told::new(policy.clone(), &scheduler);
            let mut steerer = Steerer::new(config, arm_space(), HORIZON).unwrap();
            let mut far = reach([0.5, 0.45, 0.25]);
            steerer.set_way(0.45);
            let sampled = steerer
                .sample(&mut told, Some(&mut far), &ANCHOR, 0.0, seed, 0)
                .unwrap();
            assert_eq!(sampled.trace.len(), 10, "a step is told of once");
            sampled.rewards[sampled.selected]
        };
        let mut gained = 0.0;
        for seed in 0..8 {
            let best_of_n = selected(None, seed);
            let evolved = selected(Some(EvolutionConfig::default()), seed);
            assert!(evolved >= best_of_n - 1e-6, "{name}, seed {seed}");
            gained += f64::from(evolved - best_of_n) / 8.0;
        }
        assert!(gained > 0.01, "{name}: only {gained} m nearer");
    }
}

/// A reward in centimetres, whose way is a hundred times as long, resamples as one in metres does.
#[test]
fn inverse_temperatures_count_in_ways() {
    let resampled = |unit: f32, way: f64| {
        let config = SteeringConfig {
            guide_scale: 0.0,
            diversity: None,
            ..SteeringConfig::default()
        };
        let mut policy = policy(0.1);
        let mut steerer = Steerer::new(config, arm_space(), HORIZON).unwrap();
        steerer.set_way(way);
        let mut in_metres = reach(target(&policy, 0, 0.0)).0;
        let mut reward = FnReward(move |trajectory: &[f32], gradient: &mut [f32]| {
            let value = unit * in_metres(trajectory, gradient);
            gradient.iter_mut().for_each(|slope| *slope *= unit);
            value
        });
        let sampled = steerer
            .sample(&mut policy, Some(&mut reward), &ANCHOR, 0.0, 3, 0)
            .unwrap();
        (sampled.resamplings.clone(), sampled.ancestors.clone())
    };
    let (in_metres, in_centimetres) = (resampled(1.0, 0.3), resampled(128.0, 0.3 * 128.0));
    assert!(!in_metres.0.is_empty(), "nothing was resampled");
    assert_eq!(in_metres, in_centimetres);
    assert_ne!(in_metres, resampled(1.0, 0.0), "no way is known");
}
