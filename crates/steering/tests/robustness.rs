//! Bits, faults and limits.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod support;

use proptest::prelude::*;
use support::schedulers::{self, Told};
use support::{FnReward, MixturePolicy, Spoiled, arm_space, plain_space, quadratic, reach};
use tiller_core::ActionMode;
use tiller_steering::scheduler::SchedulerConfig;
use tiller_steering::{
    Denoiser, DenoiserError, GradientPoint, Kernel, Normalise, Reward, RewardError, Start, Steerer,
    SteeringConfig, SteeringError,
};

const ANCHOR: Start = Start::at([0.4, 0.0, 0.2]);

fn policy() -> MixturePolicy {
    MixturePolicy::gaussian(8, 4, vec![0.1; 32], 0.5)
}

fn told(scheduler: &SchedulerConfig) -> Told {
    Told::new(policy(), scheduler)
}

#[test]
fn a_particle_is_the_same_whatever_particles_are_beside_it() {
    let run = |particles| {
        let config = SteeringConfig {
            particles,
            diversity: None,
            feynman_kac: None,
            ..SteeringConfig::default()
        };
        let mut steerer = Steerer::new(config, arm_space(), 8).unwrap();
        let mut reward = reach([0.6, 0.1, 0.1]);
        let result = steerer.sample(&mut policy(), Some(&mut reward), &ANCHOR, 0.0, 9, 0);
        result.unwrap().samples[..32].to_vec()
    };
    assert_eq!(run(1), run(7));
}

#[test]
fn without_a_reward_the_policy_is_sampled_as_it_is() {
    let mut steerer = Steerer::new(SteeringConfig::default(), arm_space(), 8).unwrap();
    let sampled = steerer
        .sample(&mut policy(), None, &ANCHOR, 0.0, 2, 0)
        .unwrap()
        .clone();
    assert_eq!(
        (sampled.particles, sampled.selected, sampled.strength),
        (1, 0, 0.0)
    );
    let config = SteeringConfig {
        guide_scale: 0.0,
        diversity: None,
        feynman_kac: None,
        ..Default::default()
    };
    let mut plain = Steerer::new(config, arm_space(), 8).unwrap();
    let mut reward = reach([0.6, 0.1, 0.1]);
    let many = plain
        .sample(&mut policy(), Some(&mut reward), &ANCHOR, 0.0, 2, 0)
        .unwrap();
    assert_eq!(sampled.samples, many.samples[..32]);
}

#[test]
fn a_particle_that_the_denoiser_spoils_is_dropped_alone() {
    for bad in [f32::NAN, f32::INFINITY] {
        let mut steerer = Steerer::new(
            SteeringConfig {
                feynman_kac: None,
                ..Default::default()
            },
            arm_space(),
            8,
        )
        .unwrap();
        // Particle 2 would be the best by far.
        let spoil = |time: f32, out: &mut [f32]| {
            if time < 0.5 {
                out[2 * 32 + 5] = bad;
            }
        };
        let mut reward = reach([0.6, 0.1, 0.1]);
        let sampled = steerer
            .sample(
                &mut Spoiled(policy(), spoil),
                Some(&mut reward),
                &ANCHOR,
                0.0,
                0,
                0,
            )
            .unwrap();
        assert_eq!(sampled.lost, 1);
        assert!(sampled.rewards[2].is_nan());
        assert_eq!(sampled.weights[2], 0.0);
        assert_ne!(sampled.selected, 2);
        assert!(
            sampled
                .samples
                .iter()
                .chain(&sampled.chunk)
                .all(|value| value.is_finite())
        );
    }
}

#[test]
fn resampling_replaces_a_lost_particle() {
    let mut steerer = Steerer::new(SteeringConfig::default(), arm_space(), 8).unwrap();
    let spoil = |time: f32, out: &mut [f32]| {
        if (0.75..0.85).contains(&time) {
            out[..19 * 32].fill(f32::NAN);
        }
    };
    let mut reward = reach([0.6, 0.1, 0.1]);
    let sampled = steerer
        .sample(
            &mut Spoiled(policy(), spoil),
            Some(&mut reward),
            &ANCHOR,
            0.0,
            0,
            0,
        )
        .unwrap();
    assert_eq!(sampled.lost, 19);
    assert!(
        sampled.rewards.iter().all(|reward| reward.is_finite()),
        "all descend from the last"
    );
    assert_eq!(&sampled.ancestors[..20], &[19; 20]);
}

#[test]
fn a_particle_without_a_reward_is_dropped_alone() {
    let mut steerer = Steerer::new(
        SteeringConfig {
            feynman_kac: None,
            ..Default::default()
        },
        arm_space(),
        8,
    )
    .unwrap();
    let mut call = 0;
    let mut reward = FnReward(|trajectory: &[f32], gradient: &mut [f32]| {
        call += 1;
        gradient.fill(0.1);
        if call % 20 == 4 {
            f32::NAN
        } else {
            trajectory[24]
        }
    });
    let sampled = steerer
        .sample(&mut policy(), Some(&mut reward), &ANCHOR, 0.0, 0, 0)
        .unwrap();
    assert_eq!(sampled.lost, 1);
    assert!(sampled.rewards[3].is_nan());
    assert_eq!(
        sampled
            .rewards
            .iter()
            .filter(|reward| reward.is_finite())
            .count(),
        19
    );
}

#[test]
fn when_all_particles_are_lost_there_is_an_error_and_the_next_run_works() {
    let mut steerer = Steerer::new(SteeringConfig::default(), arm_space(), 8).unwrap();
    let all = |_: f32, out: &mut [f32]| out.fill(f32::NAN);
    let mut spoiled = Spoiled(policy(), all);
    let mut good = reach([0.6, 0.1, 0.1]);
    let error = steerer
        .sample(&mut spoiled, Some(&mut good), &ANCHOR, 0.0, 0, 0)
        .unwrap_err();
    assert!(matches!(
        error,
        SteeringError::AllLost {
            particles: 20,
            step: 0,
            steps: 10
        }
    ));
    assert!(
        error
            .to_string()
            .contains("all 20 particles were lost by step 0 of 10"),
        "{error}"
    );
    let error = steerer
        .sample(&mut spoiled, None, &ANCHOR, 0.0, 0, 0)
        .unwrap_err();
    assert!(matches!(error, SteeringError::AllLost { particles: 1, .. }));
    let mut bad = FnReward(|_: &[f32], _: &mut [f32]| f32::NAN);
    let error = steerer
        .sample(&mut policy(), Some(&mut bad), &ANCHOR, 0.0, 0, 0)
        .unwrap_err();
    assert!(
        matches!(error, SteeringError::AllLost { step: 2, .. }),
        "{error}"
    );
    assert!(
        steerer
            .sample(&mut policy(), Some(&mut good), &ANCHOR, 0.0, 0, 0)
            .is_ok()
    );
}

#[test]
fn failures_of_denoiser_and_reward_are_passed_on() {
    struct Broken;
    impl Denoiser for Broken {
        fn horizon(&self) -> usize {
            8
        }
        fn action_dim(&self) -> usize {
            4
        }
        fn predict(
            &mut self,
            _: &[f32],
            _: usize,
            _: f32,
            _: &mut [f32],
        ) -> Result<(), DenoiserError> {
            Err(DenoiserError::new("no session"))
        }
    }
    impl Reward for Broken {
        fn evaluate(&mut self, _: &[f32], _: &mut [f32], _: &mut [f32]) -> Result<(), RewardError> {
            Err(RewardError::new("no keypoints"))
        }
    }
    let mut steerer = Steerer::new(SteeringConfig::default(), arm_space(), 8).unwrap();
    let error = steerer
        .sample(&mut Broken, None, &ANCHOR, 0.0, 0, 0)
        .unwrap_err();
    assert_eq!(error.to_string(), "the denoiser failed: no session");
    let error = steerer
        .sample(&mut policy(), Some(&mut Broken), &ANCHOR, 0.0, 0, 0)
        .unwrap_err();
    assert_eq!(error.to_string(), "the reward failed: no keypoints");
}

#[test]
fn wrong_shapes_and_arguments_are_refused() {
    let mut steerer = Steerer::new(SteeringConfig::default(), arm_space(), 9).unwrap();
    let error = steerer
        .sample(&mut policy(), None, &ANCHOR, 0.0, 0, 0)
        .unwrap_err();
    assert_eq!(error.to_string(), "the denoiser's horizon is 8, expected 9");
    let mut steerer = Steerer::new(SteeringConfig::default(), arm_space(), 8).unwrap();
    let error = steerer
        .sample(
            &mut policy(),
            None,
            &Start::at([0.0, f64::NAN, 0.0]),
            0.0,
            0,
            0,
        )
        .unwrap_err();
    assert!(matches!(
        error,
        SteeringError::NotFinite {
            what: "the start",
            ..
        }
    ));
    let error = steerer
        .sample(&mut policy(), None, &ANCHOR, f32::NAN, 0, 0)
        .unwrap_err();
    assert!(matches!(
        error,
        SteeringError::NotFinite {
            what: "the progress",
            ..
        }
    ));
}

#[test]
fn configuration_and_action_space_are_judged_together() {
    let config = SteeringConfig {
        particles: 0,
        guided_steps: Some(9),
        ..Default::default()
    };
    let mut space = arm_space();
    space.layout.rate_hz = 0.0;
    let error = Steerer::new(config, space, 8).unwrap_err();
    let SteeringError::Config(problems) = error else {
        panic!("{error}")
    };
    let names: Vec<_> = problems.found.iter().map(|p| p.name.as_str()).collect();
    assert_eq!(names, ["particles", "action.rate_hz", "guided_steps"]);
}

#[test]
fn the_first_of_equal_rewards_is_selected() {
    let mut steerer = Steerer::new(SteeringConfig::default(), arm_space(), 8).unwrap();
    let mut flat = FnReward(|_: &[f32], _: &mut [f32]| 1.0);
    let sampled = steerer
        .sample(&mut policy(), Some(&mut flat), &ANCHOR, 0.0, 0, 0)
        .unwrap();
    assert_eq!(sampled.selected, 0);
    assert!(
        sampled.trace.iter().all(|step| !step.resampled),
        "equal weights need no resampling"
    );
}

#[test]
fn guided_steps_bound_what_the_reward_sees_and_moves() {
    // With a deterministic sampler, actions beyond the guided ones are the unguided policy's.
    let run = |guide_scale| {
        let config = SteeringConfig {
            guide_scale,
            guided_steps: Some(5),
            diversity: None,
            feynman_kac: None,
            ..Default::default()
        };
        let mut steerer = Steerer::new(config, arm_space(), 8).unwrap();
        assert_eq!(steerer.points(), 6);
        let mut reward = reach([0.6, 0.1, 0.1]);
        let sampled = steerer
            .sample(&mut policy(), Some(&mut reward), &ANCHOR, 0.0, 0, 0)
            .unwrap();
        assert_eq!(sampled.candidates.len(), 20 * 6 * 3);
        sampled.samples[..32].to_vec()
    };
    let (guided, free) = (run(1.0), run(0.0));
    assert_ne!(guided[..5 * 4], free[..5 * 4]);
    assert_eq!(guided[5 * 4..], free[5 * 4..]);
    // The gripper is the fourth column.
    for step in 0..8 {
        assert_eq!(guided[step * 4 + 3], free[step * 4 + 3]);
    }
}

#[test]
fn actions_before_the_execution_starts_are_neither_seen_nor_moved_nor_returned() {
    let run = |guide_scale, guided_steps| {
        let config = SteeringConfig {
            guide_scale,
            execute_start: 2,
            guided_steps,
            diversity: None,
            feynman_kac: None,
            ..Default::default()
        };
        let mut steerer = Steerer::new(config, arm_space(), 8).unwrap();
        let mut reward = reach([0.6, 0.1, 0.1]);
        let result = steerer.sample(&mut policy(), Some(&mut reward), &ANCHOR, 0.0, 0, 0);
        let sampled = result.unwrap().clone();
        (steerer.points(), sampled)
    };
    let ((points, guided), (_, free)) = (run(1.0, Some(3)), run(0.0, Some(3)));
    assert_eq!(points, 4);
    assert_eq!(guided.samples[..2 * 4], free.samples[..2 * 4]);
    assert_ne!(guided.samples[2 * 4..5 * 4], free.samples[2 * 4..5 * 4]);
    assert_eq!(guided.samples[5 * 4..8 * 4], free.samples[5 * 4..8 * 4]);
    // All that can be executed is what the trajectory covers and what is returned.
    let (points, sampled) = run(1.0, None);
    assert_eq!((points, sampled.chunk.len()), (7, 6 * 4));
    let path = &sampled.candidates[sampled.selected * 7 * 3..][..7 * 3];
    let mut x = ANCHOR.pose.position_m[0] as f32;
    for (action, point) in sampled.chunk.chunks_exact(4).zip(path[3..].chunks_exact(3)) {
        x += action[0];
        assert!((x - point[0]).abs() < 1e-6, "{x} is not {}", point[0]);
    }
    for (execute_start, guided_steps) in [(8, None), (6, Some(3))] {
        let config = SteeringConfig {
            execute_start,
            guided_steps,
            ..Default::default()
        };
        assert!(Steerer::new(config, arm_space(), 8).is_err());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// Whatever the settings: finite, clipped, weights summing to 1, the best one selected.
    #[test]
    fn every_run_is_sound(
        seed in any::<u64>(), particles in 1usize..12, steps in 1usize..12,
        guide_scale in 0.0..20.0f32, start in 0.0..=1.0f32, mcmc_steps in 1usize..3,
        noisy in any::<bool>(), rbf in any::<bool>(), absolute in any::<bool>(),
        normalise in 0usize..3, resample in any::<bool>(), method in any::<prop::sample::Index>(),
    ) {
        let (name, scheduler) = method.get(&schedulers::all(steps)).clone();
        let mut config = SteeringConfig {
            scheduler: scheduler.clone(), particles, guide_scale, guidance_start: start, mcmc_steps,
            at: if noisy { GradientPoint::Noisy } else { GradientPoint::Clean },
            normalise: [Normalise::Particle, Normalise::Batch, Normalise::None][normalise],
            ..SteeringConfig::default()
        };
        if let Some(diversity) = &mut config.diversity {
            diversity.kernel = if rbf { Kernel::Rbf } else { Kernel::InverseDistance };
        }
        if !resample {
            config.feynman_kac = None;
        }
        let mut space = arm_space();
        if absolute {
            space.layout.mode = ActionMode::AbsolutePose;
        }
        let mut steerer = Steerer::new(config, space, 8).unwrap();
        let mut reward = quadratic([0.5, 0.1, 0.1], 3.0);
        let sampled =
            steerer.sample(&mut told(&scheduler), Some(&mut reward), &ANCHOR, 0.3, seed, 1).unwrap();
        prop_assert!(sampled.samples.iter().all(|x| (-1.0..=1.0).contains(x)), "{name}");
        prop_assert!(sampled.chunk.iter().all(|x| x.is_finite()));
        prop_assert!((sampled.weights.iter().sum::<f64>() - 1.0).abs() < 1e-9);
        let best = sampled.rewards[sampled.selected];
        prop_assert!(sampled.rewards.iter().all(|reward| *reward <= best));
        prop_assert_eq!(sampled.trace.len(), steps);
        prop_assert_eq!(sampled.lost, 0);
    }

    /// A reward that is not defined everywhere never makes the sampler panic.
    #[test]
    fn rewards_full_of_holes_are_survived(seed in any::<u64>(), holes in prop::collection::vec(any::<bool>(), 97)) {
        let config = SteeringConfig { particles: 3, ..Default::default() };
        let mut steerer = Steerer::new(config, plain_space(), 2).unwrap();
        let mut policy = MixturePolicy::gaussian(2, 3, vec![0.0; 6], 0.5);
        let mut calls = holes.iter().cycle();
        let mut reward = FnReward(|trajectory: &[f32], gradient: &mut [f32]| {
            gradient.fill(if *calls.next().unwrap() { f32::INFINITY } else { 0.5 });
            if *calls.next().unwrap() { f32::NAN } else { trajectory[3] }
        });
        match steerer.sample(&mut policy, Some(&mut reward), &ANCHOR, 0.0, seed, 0) {
            Ok(sampled) => prop_assert!(sampled.rewards[sampled.selected].is_finite()),
            Err(SteeringError::AllLost { .. }) => {}
            Err(error) => prop_assert!(false, "{error}"),
        }
    }
}
