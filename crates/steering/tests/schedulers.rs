//! What must hold of every scheduler: its order, its marginals, and that nothing depends on how the
//! policy states its predictions.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod support;

use support::schedulers::{
    self, DEVIATION, DPM, MEAN, Told, alone, ddim, ddpm, diffusion, exact, flow, gaussian,
    unclipped,
};
use support::walk::walk;
use support::{assert_within_three_errors, plain_space, quadratic, reach};
use tiller_steering::scheduler::{
    BetaSchedule, Clip, DiffusionConfig, FlowConfig, FlowSolver, FlowTime, Level, Prediction,
    Schedule, SchedulerConfig, Solver, Spacing, Step, Variance,
};
use tiller_steering::{FeynmanKacConfig, Start, Steerer, SteeringConfig};

const NEVER: usize = usize::MAX;

/// Where samples end that start at `x`, when step `i` draws the noise `z(i, column)`; steps from
/// `stochastic_from` on are ancestral.
fn end(
    config: &SchedulerConfig,
    mut x: Vec<f64>,
    stochastic_from: usize,
    z: impl Fn(usize, usize) -> f64,
) -> Vec<f64> {
    let mut solver = Solver::new(Schedule::new(config).unwrap(), x.len(), 1);
    let eta = |step: usize| if step >= stochastic_from { 1.0 } else { 0.0 };
    let predict = |step: &Step, x: &[f64]| exact(config, step, x);
    walk(&mut solver, &mut x, predict, eta, |_, arrival| {
        for (column, x) in arrival.sample.iter_mut().enumerate() {
            *x += arrival.fresh * z(arrival.index, column);
        }
    });
    x
}

/// Mean and variance of what the discretised sampler draws. All methods are affine in the initial
/// noise and in that of every step, so one column for each of them says it all.
fn law(config: &SchedulerConfig, stochastic_from: usize) -> (f64, f64) {
    let mut start = vec![0.0; config.steps() + 2];
    start[1] = 1.0;
    let ends = end(config, start, stochastic_from, |step, column| {
        f64::from(u8::from(column == step + 2))
    });
    let variance = ends[1..].iter().map(|end| (end - ends[0]).powi(2)).sum();
    (ends[0], variance)
}

/// How far a deterministic method is from the exact flow halfway down, at the level `half`. (The last
/// step, to the data, is of first order in all methods.)
fn error(config: &SchedulerConfig, half: f64) -> f64 {
    let schedule = Schedule::new(config).unwrap();
    let first = schedule.steps()[0].from;
    let spread = |level: &Level| (level.signal * DEVIATION).hypot(level.noise);
    let start = 1.3;
    let mut solver = Solver::new(schedule, 1, 1);
    let predict = |step: &Step, x: &[f64]| exact(config, step, x);
    let mut error = f64::NAN;
    walk(
        &mut solver,
        &mut [start],
        predict,
        |_| 0.0,
        |_, arrival| {
            let to = arrival.step.to;
            if to.time == half {
                let along = (start - first.signal * MEAN) / spread(&first);
                error = (arrival.sample[0] - to.signal * MEAN - spread(&to) * along).abs();
            }
        },
    );
    error
}

#[test]
fn methods_converge_at_their_order() {
    let by_steps = |solver| [20, 40, 80].map(|n| error(&flow(solver, n), 0.5));
    // Strides of the training steps that halve exactly: with the data there are 32, 64 and 128.
    let by_strides = |solver, data| {
        [32_usize, 64, 128].map(|n| {
            let config = SchedulerConfig::Diffusion(DiffusionConfig {
                solver,
                steps: n - data,
                train_steps: 8192,
                betas: BetaSchedule::Linear {
                    start: 1e-4,
                    end: 5e-4,
                },
                clip: Clip::Off,
                ..DiffusionConfig::default()
            });
            error(&config, 4096.0)
        })
    };
    for (name, order, errors) in [
        ("Euler", 1.0, by_steps(FlowSolver::Euler)),
        ("Heun", 2.0, by_steps(FlowSolver::Heun)),
        ("DDIM", 1.0, by_strides(ddim(0.0), 0)),
        ("DPM-Solver++ (2M)", 2.0, by_strides(DPM, 1)),
    ] {
        let observed = (errors[1] / errors[2]).log2();
        let off = (observed - order).abs();
        assert!(off < 0.2, "{name}: {errors:?}, order {observed}");
    }
}

#[test]
fn fresh_noise_leaves_the_marginals_as_they_are() {
    const STEPS: usize = 800;
    for (name, config) in [
        ("Euler", flow(FlowSolver::Euler, STEPS)),
        ("Heun", flow(FlowSolver::Heun, STEPS)),
        ("SDE", flow(FlowSolver::Sde { eta: 1.0 }, STEPS)),
        ("SDE, eta 0.5", flow(FlowSolver::Sde { eta: 0.5 }, STEPS)),
        ("DDPM", diffusion(ddpm(Variance::FixedSmall), STEPS, STEPS)),
        ("large", diffusion(ddpm(Variance::FixedLarge), STEPS, STEPS)),
        ("DDIM", diffusion(ddim(0.0), STEPS, STEPS)),
        ("DDIM, eta 0.5", diffusion(ddim(0.5), STEPS, STEPS)),
        ("DDIM, eta 1", diffusion(ddim(1.0), STEPS, STEPS)),
        ("DPM-Solver++", diffusion(DPM, STEPS - 1, STEPS)),
    ] {
        for stochastic_from in [NEVER, 0, STEPS / 2] {
            let (mean, variance) = law(&config, stochastic_from);
            assert!((mean - MEAN).abs() < 2e-3, "{name}: mean {mean}");
            let off = variance.sqrt() / DEVIATION - 1.0;
            assert!(off.abs() < 5e-3, "{name}, {stochastic_from}: {off}");
        }
    }
}

#[test]
fn the_sampler_draws_what_the_recursion_says() {
    const PARTICLES: usize = 20_000;
    for (name, config) in schedulers::all(12) {
        let config = unclipped(config);
        let (mean, variance) = law(&config, NEVER);
        let mut policy = Told::new(gaussian(MEAN, DEVIATION), &config);
        let mut steerer = Steerer::new(alone(config, PARTICLES), plain_space(), 1).unwrap();
        let sampled = steerer
            .sample(&mut policy, None, &Start::at([0.0; 3]), 0.0, 3, 0)
            .unwrap();
        // All numbers are independent.
        let count = sampled.samples.len() as f64;
        let expect = |f: &dyn Fn(f64) -> f64| {
            sampled
                .samples
                .iter()
                .map(|x| f(f64::from(*x)))
                .sum::<f64>()
                / count
        };
        let off = (expect(&|x| x) - mean) / (variance / count).sqrt();
        assert!(off.abs() < 3.0, "{name}: mean {off} errors off");
        let spread = expect(&|x| (x - mean).powi(2));
        let off = (spread / variance - 1.0) / (2.0 / count).sqrt();
        assert!(off.abs() < 3.0, "{name}: variance {off} errors off");
    }
}

#[test]
fn resampled_particles_follow_the_tilted_gaussian_whatever_the_scheduler() {
    const STEPS: usize = 12;
    const FIRST: usize = 6;
    let (lambda, weight, target) = (2.0f32, 0.5f32, 1.2f32);
    for (name, config) in schedulers::all(STEPS) {
        let config = unclipped(config);
        let steering = SteeringConfig {
            guidance_start: FIRST as f32 / STEPS as f32,
            feynman_kac: Some(FeynmanKacConfig {
                lambda,
                // The first weighing resamples, and what follows is stochastic.
                ess_threshold: 1.0,
                every: 3,
                ..FeynmanKacConfig::default()
            }),
            ..alone(config.clone(), 10_000)
        };
        let (mean, variance) = law(&config, FIRST);
        let gain = variance / (variance + 1.0 / f64::from(lambda * weight));
        let expected = [
            mean + gain * (f64::from(target) - mean),
            variance * (1.0 - gain),
        ];
        let mut policy = Told::new(gaussian(MEAN, DEVIATION), &config);
        let mut steerer = Steerer::new(steering, plain_space(), 1).unwrap();
        let (mut means, mut variances) = (Vec::new(), Vec::new());
        for seed in 0..10 {
            let mut reward = quadratic([target; 3], weight);
            let sampled = steerer
                .sample(
                    &mut policy,
                    Some(&mut reward),
                    &Start::at([0.0; 3]),
                    0.0,
                    seed,
                    0,
                )
                .unwrap();
            assert!(sampled.trace[FIRST].resampled, "{name}");
            let expect = |f: &dyn Fn(f64) -> f64| {
                let rows = sampled.samples.chunks_exact(3).zip(&sampled.weights);
                rows.map(|(x, weight)| {
                    weight * x.iter().map(|x| f(f64::from(*x))).sum::<f64>() / 3.0
                })
                .sum::<f64>()
            };
            let mean = expect(&|x| x);
            means.push(mean);
            variances.push(expect(&|x| (x - expected[0]).powi(2)));
        }
        assert_within_three_errors(&format!("{name}, mean"), &means, expected[0]);
        assert_within_three_errors(&format!("{name}, variance"), &variances, expected[1]);
    }
}

#[test]
fn repeated_steps_leave_a_standard_normal_policy_where_it_is() {
    for (name, config) in schedulers::all(100) {
        let config = unclipped(config);
        let steering = SteeringConfig {
            mcmc_steps: 3,
            guidance_start: 0.0,
            ..alone(config.clone(), 4000)
        };
        let mut policy = Told::new(gaussian(0.0, 1.0), &config);
        let mut steerer = Steerer::new(steering, plain_space(), 1).unwrap();
        let mut reward = quadratic([5.0; 3], 1.0);
        let sampled = steerer
            .sample(
                &mut policy,
                Some(&mut reward),
                &Start::at([0.0; 3]),
                0.0,
                0,
                0,
            )
            .unwrap();
        let count = sampled.samples.len() as f64;
        let mean = sampled.samples.iter().map(|x| f64::from(*x)).sum::<f64>() / count;
        assert!(mean.abs() < 3.0 / count.sqrt(), "{name}: {mean}");
        let squares = sampled
            .samples
            .iter()
            .map(|x| f64::from(x * x))
            .sum::<f64>()
            / count;
        // Chance, and the discretisation, which is coarser with fresh noise.
        let schedule = Schedule::new(&config).unwrap();
        let coarse = schedule
            .steps()
            .iter()
            .any(|step| step.transition.fresh > 0.0);
        let allowed = if coarse { 0.15 } else { 0.07 };
        assert!((squares - 1.0).abs() < allowed, "{name}: {squares}");
    }
}

/// Samples of a guided and resampled run, for comparing ways to say the same.
fn steered(config: &SchedulerConfig, strength: f32) -> Vec<f32> {
    let steering = SteeringConfig {
        scheduler: config.clone(),
        guide_scale: strength,
        mcmc_steps: 2,
        ..SteeringConfig::default()
    };
    let mut policy = Told::new(gaussian(MEAN, DEVIATION), config);
    let mut steerer = Steerer::new(steering, plain_space(), 1).unwrap();
    let mut reward = reach([0.9, 0.1, -0.3]);
    let result = steerer.sample(
        &mut policy,
        Some(&mut reward),
        &Start::at([0.0; 3]),
        0.0,
        5,
        0,
    );
    result.unwrap().samples.clone()
}

#[test]
fn guidance_does_not_depend_on_what_the_denoiser_predicts() {
    let largest = |a: &[f32], b: &[f32]| {
        let pairs = a.iter().zip(b);
        pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
    };
    for solver in [ddim(0.0), ddpm(Variance::FixedSmall), DPM] {
        for clip in [Clip::Off, Clip::Range(1.0)] {
            let with = |prediction| {
                SchedulerConfig::Diffusion(DiffusionConfig {
                    solver,
                    prediction,
                    clip,
                    // Far from pure noise, where rounding is amplified.
                    betas: BetaSchedule::Linear {
                        start: 0.001,
                        end: 0.05,
                    },
                    ..DiffusionConfig::default()
                })
            };
            let epsilon = steered(&with(Prediction::Epsilon), 1.0);
            let unguided = steered(&with(Prediction::Epsilon), 0.0);
            assert!(largest(&epsilon, &unguided) > 0.1, "guidance acts");
            for prediction in [Prediction::Sample, Prediction::VPrediction] {
                let off = largest(&steered(&with(prediction), 1.0), &epsilon);
                assert!(off < 1e-3, "{solver:?} {clip:?} {prediction:?}: {off}");
            }
        }
    }
    for solver in [
        FlowSolver::Euler,
        FlowSolver::Heun,
        FlowSolver::Sde { eta: 0.5 },
    ] {
        // Powers of two, so that both directions of time are exact.
        let forward = steered(&flow(solver, 8), 1.0);
        let SchedulerConfig::Flow(config) = flow(solver, 8) else {
            panic!("not a flow")
        };
        let backward = steered(
            &SchedulerConfig::Flow(FlowConfig {
                time: FlowTime::ZeroToOne,
                ..config
            }),
            1.0,
        );
        assert_eq!(forward, backward, "{solver:?}");
    }
}

#[test]
fn a_wrong_scheduler_is_refused_with_every_reason() {
    let config = SchedulerConfig::Diffusion(DiffusionConfig {
        solver: ddim(2.0),
        steps: 0,
        spacing: Spacing::Linspace,
        steps_offset: 3,
        ..DiffusionConfig::default()
    });
    assert_eq!(Schedule::new(&config).unwrap_err().found.len(), 3);
}
