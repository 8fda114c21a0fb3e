use std::collections::BTreeSet;
use std::path::PathBuf;

use tiller_closed_loop::{Ahead, GrowthConfig, PlannerConfig};
use tiller_core::ActionLayout;
use tiller_grounding::GroundingConfig;
use tiller_policy::Provider;
use tiller_stages::StageConfig;
use tiller_steering::{
    ActionSpace, Denoiser, DenoiserError, Phase, Reward, RewardError, Sampled, Start, Steerer,
    SteeringConfig,
};

use super::*;
use crate::Handicap;

fn base() -> RunnerConfig {
    RunnerConfig {
        guide: None,
        handicap: Handicap::default(),
        blind: None,
        policy: PathBuf::new(),
        threads: 1,
        provider: Provider::Cpu,
        planner: PlannerConfig::default(),
        growth: GrowthConfig::default(),
        stages: StageConfig::default(),
        last_stage_only: false,
        grounding: GroundingConfig::default(),
        ahead: Ahead::Measured,
        planning_ns: 60_000_000,
    }
}

/// A policy that sees through the noise to a chunk in the middle of it.
struct Middle;

impl Denoiser for Middle {
    fn horizon(&self) -> usize {
        8
    }

    fn action_dim(&self) -> usize {
        4
    }

    fn predict(
        &mut self,
        sample: &[f32],
        _: usize,
        _: f32,
        out: &mut [f32],
    ) -> Result<(), DenoiserError> {
        for (out, sample) in out.iter_mut().zip(sample) {
            *out = -0.8 * sample;
        }
        Ok(())
    }
}

/// Farther along x is better. Counts how often it is asked.
struct Forward(usize);

impl Reward for Forward {
    fn evaluate(
        &mut self,
        trajectories: &[f32],
        values: &mut [f32],
        gradients: &mut [f32],
    ) -> Result<(), RewardError> {
        self.0 += 1;
        let stride = trajectories.len() / values.len();
        gradients.fill(0.0);
        for (b, value) in values.iter_mut().enumerate() {
            *value = trajectories[b * stride + stride - 3];
            gradients[b * stride + stride - 3] = 1.0;
        }
        Ok(())
    }
}

/// A chunk sampled with `method`, and how often the reward was asked. The inverse temperature is high,
/// so that resampling happens where it can.
fn sample(method: Method) -> (Sampled, usize) {
    let mut base = base();
    if let Some(resampling) = &mut base.planner.steering.feynman_kac {
        resampling.lambda = 1e4;
    }
    let config = method.configure(&base).planner.steering;
    let (low, high) = ([-0.03, -0.03, -0.03, -1.0], [0.03, 0.03, 0.03, 1.0]);
    let layout = ActionLayout::position_deltas(4, [0, 1, 2], Some(3), 10.0);
    let space = ActionSpace::from_min_max(layout, &low, &high);
    let mut steerer = Steerer::new(config, space, 8).unwrap();
    let mut reward = Forward(0);
    let sampled = steerer
        .sample(
            &mut Middle,
            Some(&mut reward),
            &Start::at([0.4, 0.0, 0.2]),
            0.0,
            7,
            0,
        )
        .unwrap();
    (sampled.clone(), reward.0)
}

fn has(sampled: &Sampled, phase: Phase) -> bool {
    sampled.trace.iter().any(|step| step.phase == phase)
}

fn pushed(sampled: &Sampled) -> bool {
    let guided = sampled
        .trace
        .iter()
        .filter(|step| step.phase == Phase::Guided);
    guided.map(|step| step.strength).any(|s| s > 0.0)
}

#[test]
fn names_are_read_back_and_unknown_ones_are_told_the_others() {
    let names: BTreeSet<String> = Method::ALL.iter().map(ToString::to_string).collect();
    assert_eq!(names.len(), Method::ALL.len());
    for method in Method::ALL {
        assert_eq!(method.to_string().parse(), Ok(method));
        assert!(Method::help().contains(&format!("  {method} ")), "{method}");
    }
    let message = "particles_7".parse::<Method>().unwrap_err();
    assert!(message.contains("particles_10, particles_20"), "{message}");
    for method in Method::ALL {
        let compared = [&Method::BASELINES[..], &Method::CONTROLS[..]]
            .iter()
            .any(|group| group.contains(&method));
        let ablation = Method::ablations().contains(&method);
        assert!(compared || ablation, "{method} is in no group");
        assert_eq!(compared && ablation, method == Method::Full, "{method}");
    }
}

#[test]
fn every_method_but_the_full_one_changes_its_own_switch_only() {
    let full = base();
    let steering = |change: fn(&mut SteeringConfig)| {
        let mut config = base();
        change(&mut config.planner.steering);
        config
    };
    let cases = [
        (Method::Full, base()),
        (Method::Unsteered, base()),
        (Method::NoGradient, steering(|s| s.guide_scale = 0.0)),
        (Method::NoDiversity, steering(|s| s.diversity = None)),
        (Method::NoFeynmanKac, steering(|s| s.feynman_kac = None)),
        (Method::Particles(5), steering(|s| s.particles = 5)),
        (Method::Mcmc(4), steering(|s| s.mcmc_steps = 4)),
    ];
    for (method, expected) in cases {
        assert_eq!(method.configure(&full), expected, "{method}");
    }
    for method in Method::ALL {
        let config = method.configure(&full);
        assert!(config.planner.validate(16).is_ok(), "{method}");
        assert_eq!(
            config.last_stage_only,
            method == Method::NoStages,
            "{method}"
        );
    }
}

#[test]
fn a_fixed_strength_neither_fades_nor_grows() {
    let config = Method::FixedStrength.configure(&base());
    for progress in [-0.2, 0.0, 0.5, 1.0, 1.2] {
        assert_eq!(config.planner.steering.strength.at(progress), 1.0);
    }
    assert_eq!(config.growth.most, 1.0);
    let config = Method::NoGrowth.configure(&base());
    assert_eq!(config.growth.most, 1.0);
    assert_eq!(config.planner, base().planner);
}

#[test]
fn the_best_of_n_is_chosen_by_reward_without_a_push() {
    let (sampled, asked) = sample(Method::BestOfN);
    assert_eq!(sampled.particles, 20);
    assert!(
        sampled
            .trace
            .iter()
            .all(|step| step.phase == Phase::Free && step.gradient_norm == 0.0 && !step.resampled)
    );
    assert_eq!(asked, 1, "about the finished chunks only");
    let best = sampled.rewards[sampled.selected];
    assert!(sampled.rewards.iter().all(|reward| *reward <= best));
    let lowest = sampled
        .rewards
        .iter()
        .copied()
        .fold(f32::INFINITY, f32::min);
    assert!(lowest < best, "there was something to choose from");
}

#[test]
fn every_baseline_has_its_part_of_the_full_method() {
    let parts = |method| {
        let (sampled, _) = sample(method);
        let resampled = sampled.trace.iter().any(|step| step.resampled);
        (has(&sampled, Phase::Diversity), pushed(&sampled), resampled)
    };
    assert_eq!(parts(Method::Full), (true, true, true));
    assert_eq!(parts(Method::Gradient), (false, true, false));
    assert_eq!(parts(Method::Resampling), (false, false, true));
    assert_eq!(parts(Method::NoGradient), (true, false, true));
    assert_eq!(parts(Method::NoDiversity), (false, true, true));
    assert_eq!(parts(Method::NoFeynmanKac), (true, true, false));
}
