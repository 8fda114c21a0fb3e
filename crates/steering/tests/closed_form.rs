//! Where the answer is known: Gaussian policies and quadratic rewards.
//!
//! A policy whose data are Gaussian predicts velocity or noise as a linear function of the sample, so
//! the distribution that the discretised sampler produces is Gaussian too, and its mean and variance
//! follow by recursion, for flow matching and diffusion alike. Tilting it by a quadratic reward
//! gives a Gaussian again. What the sampler draws must agree with that within three standard errors.
//!
//! All potentials are put to the proof with the flow and DDPM, the default one with all schedulers.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod support;

use support::laws::{NEVER, discrete_law};
use support::schedulers::{DPM, Told, ddim, ddpm, diffusion, flow};
use support::{FnReward, MixturePolicy, Mode, assert_within_three_errors, plain_space, quadratic};
use tiller_steering::scheduler::{FlowSolver, SchedulerConfig, Step, Variance};
use tiller_steering::{
    FeynmanKacConfig, Normalise, Potential, Sampled, Start, Steerer, SteeringConfig, StrengthConfig,
};

const PARTICLES: usize = 20_000;
const HORIZON: usize = 2;
const DIM: usize = 3;
const STRIDE: usize = HORIZON * DIM;
const ANCHOR: Start = Start::at([0.0; 3]);
/// The policy's data: two actions, the same on every axis.
const MEAN: [f64; HORIZON] = [0.4, -0.2];
const DEVIATION: f64 = 0.6;
const POTENTIALS: [Potential; 4] = [
    Potential::Difference,
    Potential::Max,
    Potential::Sum,
    Potential::Immediate,
];

fn policy(scheduler: &SchedulerConfig) -> Told {
    let mean = MEAN.iter().flat_map(|m| [*m; DIM]).collect();
    Told::new(
        MixturePolicy::gaussian(HORIZON, DIM, mean, DEVIATION),
        scheduler,
    )
}

fn euler(steps: usize) -> SchedulerConfig {
    flow(FlowSolver::Euler, steps)
}

/// Samplers of diffusion that are told the noise: stochastic, deterministic until particles are
/// resampled, and with a memory besides.
fn diffusions(steps: usize) -> [(&'static str, SchedulerConfig); 3] {
    let diffusion = |solver| diffusion(solver, steps, 1000);
    [
        ("DDPM", diffusion(ddpm(Variance::FixedSmall))),
        ("DDIM", diffusion(ddim(0.0))),
        ("DPM-Solver++ (2M)", diffusion(DPM)),
    ]
}

fn plain(scheduler: &SchedulerConfig) -> SteeringConfig {
    SteeringConfig {
        particles: PARTICLES,
        unsteered_particles: PARTICLES,
        scheduler: scheduler.clone(),
        guide_scale: 0.0,
        diversity: None,
        feynman_kac: None,
        ..SteeringConfig::default()
    }
}

/// Mean and covariance of two independent Gaussian actions tilted by
/// `exp(-precision (x0 + x1 - target)^2 / 2)`: means, then variance, covariance, variance.
fn tilted(laws: [(f64, f64); 2], precision: f64, target: f64) -> [f64; 5] {
    let [(m0, v0), (m1, v1)] = laws;
    // Sherman-Morrison: adding one observation of the sum.
    let gain = 1.0 / (v0 + v1 + 1.0 / precision);
    let off = target - m0 - m1;
    [
        m0 + v0 * gain * off,
        m1 + v1 * gain * off,
        v0 - v0 * gain * v0,
        -v0 * gain * v1,
        v1 - v1 * gain * v1,
    ]
}

/// Weighted estimates of the same five numbers, averaged over the three axes.
fn moments(sampled: &Sampled) -> [f64; 5] {
    let mut moments = [0.0; 5];
    for axis in 0..DIM {
        let entry = |particle: usize, step: usize| {
            f64::from(sampled.samples[particle * STRIDE + step * DIM + axis])
        };
        let expect = |f: &dyn Fn(usize) -> f64| {
            sampled
                .weights
                .iter()
                .enumerate()
                .map(|(b, weight)| weight * f(b))
                .sum::<f64>()
        };
        let (m0, m1) = (expect(&|b| entry(b, 0)), expect(&|b| entry(b, 1)));
        let own = [
            m0,
            m1,
            expect(&|b| (entry(b, 0) - m0).powi(2)),
            expect(&|b| (entry(b, 0) - m0) * (entry(b, 1) - m1)),
            expect(&|b| (entry(b, 1) - m1).powi(2)),
        ];
        moments
            .iter_mut()
            .zip(own)
            .for_each(|(sum, own)| *sum += own / DIM as f64);
    }
    moments
}

const NAMES: [&str; 5] = ["mean 0", "mean 1", "variance 0", "covariance", "variance 1"];

/// Compares independent runs; their spread gives the standard error.
fn compare_runs(what: &str, runs: &[[f64; 5]], expected: [f64; 5]) {
    for (i, name) in NAMES.iter().enumerate() {
        let estimates: Vec<f64> = runs.iter().map(|run| run[i]).collect();
        assert_within_three_errors(&format!("{what}, {name}"), &estimates, expected[i]);
    }
}

/// Compares one run of independent particles, whose standard errors are known: the three axes make
/// `3 PARTICLES` draws of two independent numbers with variance `variance`.
fn compare_independent(what: &str, found: [f64; 5], means: [f64; 2], variance: f64) {
    let root = (3.0 * PARTICLES as f64).sqrt();
    let (of_mean, of_variance) = (variance.sqrt() / root, variance * 2f64.sqrt() / root);
    let errors = [of_mean, of_mean, of_variance, variance / root, of_variance];
    let expected = [means[0], means[1], variance, 0.0, variance];
    for i in 0..5 {
        let off = (found[i] - expected[i]).abs() / errors[i];
        let (name, found, expected) = (NAMES[i], found[i], expected[i]);
        assert!(
            off <= 3.0,
            "{what}, {name}: {found} is {off:.2} errors from {expected}"
        );
    }
}

#[test]
fn an_unguided_run_matches_the_prior() {
    // Enough steps for the discretisation to be far below the standard error.
    let scheduler = euler(600);
    let mut steerer = Steerer::new(plain(&scheduler), plain_space(), HORIZON).unwrap();
    let sampled = steerer
        .sample(&mut policy(&scheduler), None, &ANCHOR, 0.0, 0, 0)
        .unwrap();
    compare_independent("prior", moments(sampled), MEAN, DEVIATION * DEVIATION);
}

#[test]
fn an_unguided_diffusion_matches_its_discrete_prior() {
    for (name, scheduler) in diffusions(20) {
        let laws = MEAN.map(|mean| discrete_law(&scheduler, (mean, DEVIATION), NEVER, |_, _| 0.0));
        let mut steerer = Steerer::new(plain(&scheduler), plain_space(), HORIZON).unwrap();
        let sampled = steerer
            .sample(&mut policy(&scheduler), None, &ANCHOR, 0.0, 0, 0)
            .unwrap();
        compare_independent(name, moments(sampled), laws.map(|law| law.0), laws[0].1);
    }
}

#[test]
fn the_discretisation_converges_to_the_prior_with_and_without_fresh_noise() {
    for (name, scheduler) in diffusions(999).into_iter().chain([("flow", euler(3000))]) {
        for stochastic_from in [0, 300, NEVER] {
            let (mean, variance) =
                discrete_law(&scheduler, (MEAN[0], DEVIATION), stochastic_from, |_, _| {
                    0.0
                });
            assert!((mean - MEAN[0]).abs() < 2e-3, "{name}: {mean}");
            let off = variance.sqrt() / DEVIATION - 1.0;
            assert!(off.abs() < 5e-3, "{name}: {variance}");
        }
    }
}

/// Resamples from the middle on and compares with the tilted Gaussian.
fn assert_tilted(name: &str, scheduler: &SchedulerConfig, potential: Potential) {
    const FIRST: usize = 6;
    let (lambda, weight, target) = (2.0f32, 0.5f32, 1.2f32);
    // The threshold 1 makes the first weighing resample, so that what follows is stochastic.
    let laws = MEAN.map(|mean| discrete_law(scheduler, (mean, DEVIATION), FIRST, |_, _| 0.0));
    let expected = tilted(laws, f64::from(lambda * weight), f64::from(target));
    let config = SteeringConfig {
        guidance_start: FIRST as f32 / scheduler.steps() as f32,
        feynman_kac: Some(FeynmanKacConfig {
            potential,
            lambda,
            ess_threshold: 1.0,
            every: 3,
            eta: 1.0,
        }),
        ..plain(scheduler)
    };
    let mut steerer = Steerer::new(config, plain_space(), HORIZON).unwrap();
    let mut policy = policy(scheduler);
    let mut runs = Vec::new();
    for seed in 0..12 {
        let mut reward = quadratic([target; 3], weight);
        let sampled = steerer
            .sample(&mut policy, Some(&mut reward), &ANCHOR, 0.0, seed, 0)
            .unwrap();
        assert!(sampled.trace[FIRST].resampled, "{name}, {potential:?}");
        runs.push(moments(sampled));
    }
    compare_runs(&format!("{name}, {potential:?}"), &runs, expected);
}

#[test]
fn feynman_kac_samples_match_the_tilted_gaussian_for_every_potential() {
    for potential in POTENTIALS {
        assert_tilted("flow", &euler(12), potential);
    }
}

#[test]
fn diffusion_with_feynman_kac_matches_the_tilted_gaussian() {
    let [ddpm, ddim, dpm] = diffusions(12);
    for potential in POTENTIALS {
        assert_tilted(ddpm.0, &ddpm.1, potential);
    }
    for (name, scheduler) in [ddim, dpm] {
        assert_tilted(name, &scheduler, Potential::Difference);
    }
}

#[test]
fn guidance_moves_the_mean_by_what_the_recursion_says() {
    const STEPS: usize = 20;
    const FIRST: usize = 6;
    let (slope, scale, progress) = (0.3f32, 2.0f32, 0.8f32);
    let strength = StrengthConfig::default();
    // The reward `slope * x` of the end point has the gradient `slope` for both actions.
    let push = |i: usize, step: &Step| {
        if i < FIRST {
            return 0.0;
        }
        let share = step.from.noise / step.from.signal.hypot(step.from.noise);
        f64::from(scale) * f64::from(strength.at(progress)) * share * f64::from(slope)
    };
    for (name, scheduler) in diffusions(STEPS)
        .into_iter()
        .chain([("flow", euler(STEPS))])
    {
        let config = SteeringConfig {
            guide_scale: scale,
            guidance_start: FIRST as f32 / STEPS as f32,
            normalise: Normalise::None,
            strength,
            ..plain(&scheduler)
        };
        let (guided, variance) = discrete_law(&scheduler, (MEAN[0], DEVIATION), NEVER, push);
        let (second, _) = discrete_law(&scheduler, (MEAN[1], DEVIATION), NEVER, push);
        let (unguided, _) = discrete_law(&scheduler, (MEAN[0], DEVIATION), NEVER, |_, _| 0.0);
        assert!(guided > unguided + 0.02, "{name}: the reward rises along x");
        let mut steerer = Steerer::new(config, plain_space(), HORIZON).unwrap();
        let mut reward = FnReward(|trajectory: &[f32], gradient: &mut [f32]| {
            let end = trajectory.len() - 3;
            gradient[end..].fill(slope);
            trajectory[end..].iter().sum::<f32>() * slope
        });
        let sampled = steerer
            .sample(
                &mut policy(&scheduler),
                Some(&mut reward),
                &ANCHOR,
                progress,
                0,
                0,
            )
            .unwrap();
        compare_independent(name, moments(sampled), [guided, second], variance);
    }
}

#[test]
fn repeated_steps_leave_the_policy_where_it_is() {
    // Without a push, re-noising and denoising again keeps the distribution (up to the
    // discretisation, which is the same for the mean here: the data mean is 0).
    let config = SteeringConfig {
        mcmc_steps: 3,
        guidance_start: 0.0,
        ..plain(&euler(60))
    };
    let config = SteeringConfig {
        particles: 4000,
        ..config
    };
    let mut steerer = Steerer::new(config, plain_space(), HORIZON).unwrap();
    let mut policy = MixturePolicy::gaussian(HORIZON, DIM, vec![0.0; STRIDE], 1.0);
    let mut runs = Vec::new();
    for seed in 0..8 {
        let mut reward = quadratic([5.0; 3], 1.0);
        let sampled = steerer
            .sample(&mut policy, Some(&mut reward), &ANCHOR, 0.0, seed, 0)
            .unwrap();
        runs.push(moments(sampled));
    }
    for i in [0, 1, 3] {
        let estimates: Vec<f64> = runs.iter().map(|run| run[i]).collect();
        assert_within_three_errors("repeated", &estimates, 0.0);
    }
    let variance = support::mean_and_error(&runs.iter().map(|run| run[2]).collect::<Vec<_>>()).0;
    assert!((variance - 1.0).abs() < 0.05, "{variance}");
}

#[test]
fn resampling_alone_picks_modes_in_proportion_to_the_exponential_reward() {
    const STEPS: usize = 12;
    let mode = |x: f64| Mode {
        weight: 0.5,
        mean: vec![x, 0.0, 0.0],
        deviation: 0.1,
    };
    let policy = MixturePolicy {
        horizon: 1,
        dim: DIM,
        modes: vec![mode(-1.0), mode(1.0)],
    };
    let [ddpm, ..] = diffusions(STEPS);
    let (lambda, gain) = (1.5f32, 0.7f32);
    // The reward of the right mode is higher by `gain`; there is no gradient to follow.
    let mut reward = FnReward(
        |trajectory: &[f32], _: &mut [f32]| {
            if trajectory[3] > 0.0 { gain } else { 0.0 }
        },
    );
    let tilt = f64::from(lambda * gain).exp();
    for (potential, (name, scheduler)) in POTENTIALS.into_iter().flat_map(|potential| {
        [
            (potential, ("flow", euler(STEPS))),
            (potential, ddpm.clone()),
        ]
    }) {
        let mut policy = Told::new(policy.clone(), &scheduler);
        let config = SteeringConfig {
            particles: PARTICLES / 2,
            guidance_start: 0.5,
            feynman_kac: Some(FeynmanKacConfig {
                potential,
                lambda,
                ess_threshold: 0.9,
                every: 3,
                eta: 1.0,
            }),
            ..plain(&scheduler)
        };
        let mut steerer = Steerer::new(config, plain_space(), 1).unwrap();
        let mut shares = Vec::new();
        for seed in 0..24 {
            let sampled = steerer
                .sample(&mut policy, Some(&mut reward), &ANCHOR, 0.0, seed, 0)
                .unwrap();
            let right =
                |(sample, weight): (&[f32], &f64)| if sample[0] > 0.0 { *weight } else { 0.0 };
            shares.push(
                sampled
                    .samples
                    .chunks_exact(DIM)
                    .zip(&sampled.weights)
                    .map(right)
                    .sum(),
            );
        }
        assert_within_three_errors(
            &format!("{name}, {potential:?}"),
            &shares,
            tilt / (1.0 + tilt),
        );
    }
}
