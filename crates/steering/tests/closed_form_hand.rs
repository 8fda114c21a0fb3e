//! Where the answer is known for the whole hand: a Gaussian policy over poses and openings, and a reward
//! that is quadratic in the rotation's tangent at the start and in the gripper's opening.
//!
//! One action turns the hand by a rotation vector `w`, so `log(R R0') = w` and the reward is quadratic in
//! the policy's own columns. Samples, whether tilted by resampling or pushed by the gradient, which
//! has to come back through SO(3) and the gripper's range, are then Gaussian with known moments.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod support;

use nalgebra::{Matrix3, Vector3};
use support::hand::Last;
use support::laws::{NEVER, discrete_law};
use support::schedulers::{Told, ddpm, diffusion, flow};
use support::{MixturePolicy, assert_within_three_errors};
use tiller_core::rotation::{left_jacobian, log};
use tiller_core::{
    ActionLayout, ActionMode, ArmColumns, Frame, GripperColumn, Pose, Reads, RotationColumns,
    RotationKind,
};
use tiller_steering::scheduler::{FlowSolver, SchedulerConfig, Step, Variance};
use tiller_steering::{
    ActionSpace, FeynmanKacConfig, Guide, Normalise, Potential, Reward, Sampled, Start, Steerer,
    SteeringConfig, StrengthConfig,
};

const PARTICLES: usize = 20_000;
/// Position, rotation vector, gripper.
const DIM: usize = 7;
const MEAN: [f64; DIM] = [0.1, -0.2, 0.0, 0.3, -0.1, 0.2, 0.5];
const DEVIATION: f64 = 0.25;
/// Where the reward wants the rotation vector and the opening.
const TURN: [f64; 3] = [0.6, 0.2, -0.3];
const OPENING: f64 = 0.1;
/// The gripper's column means 0.2 when it is closed and 1.4 when it is open.
const CLOSED: f64 = 0.2;
const RANGE: f64 = 1.2;
const FIRST: usize = 6;
const STEPS: usize = 12;

fn space() -> ActionSpace {
    ActionSpace::plain(ActionLayout {
        arm: ArmColumns::Pose {
            position: [0, 1, 2],
            rotation: Some(RotationColumns {
                columns: vec![3, 4, 5],
                kind: RotationKind::RotationVector,
            }),
        },
        gripper: Some(GripperColumn {
            column: 6,
            closed: CLOSED,
            open: CLOSED + RANGE,
        }),
        mode: ActionMode::DeltaPose(Frame::Base),
        ..ActionLayout::position_deltas(DIM, [0, 1, 2], Some(6), 10.0)
    })
}

/// A hand that is turned anyhow: only turns from there count.
fn start() -> Start {
    let turned = Pose::new(
        Vector3::new(0.4, 0.1, 0.3),
        &tiller_core::rotation::exp(&Vector3::new(2.0, -0.7, 1.1)),
    );
    Start {
        opening: 0.5,
        ..Start::from(turned)
    }
}

/// `-(weight / 2) (|log(R R0') - TURN|^2 + (opening - OPENING)^2)`.
fn grasp(weight: f64) -> impl Reward {
    let from = start().pose.matrix();
    Last {
        reads: Reads {
            rotations: true,
            gripper: true,
        },
        of_last: move |_: Vector3<f64>, rotation: Matrix3<f64>, opening: f32| {
            let vector = log(&(rotation * from.transpose()));
            let off = vector - Vector3::from(TURN);
            let wide = f64::from(opening) - OPENING;
            let inverse = left_jacobian(&vector).try_inverse().unwrap();
            let value = -weight / 2.0 * (off.norm_squared() + wide * wide);
            let torque = inverse.tr_mul(&(off * -weight));
            (
                value as f32,
                Vector3::zeros(),
                torque,
                (-weight * wide) as f32,
            )
        },
    }
}

fn policy(scheduler: &SchedulerConfig) -> Told {
    Told::new(
        MixturePolicy::gaussian(1, DIM, MEAN.to_vec(), DEVIATION),
        scheduler,
    )
}

fn config(scheduler: &SchedulerConfig) -> SteeringConfig {
    SteeringConfig {
        particles: PARTICLES,
        scheduler: scheduler.clone(),
        guidance_start: FIRST as f32 / scheduler.steps() as f32,
        guide: Guide {
            rotation: true,
            gripper: true,
        },
        guide_scale: 0.0,
        diversity: None,
        feynman_kac: None,
        ..SteeringConfig::default()
    }
}

/// Weighted mean and variance of each column.
fn moments(sampled: &Sampled) -> [[f64; 2]; DIM] {
    std::array::from_fn(|column| {
        let expect = |f: &dyn Fn(f64) -> f64| -> f64 {
            let particles = sampled.samples.chunks_exact(DIM).zip(&sampled.weights);
            particles
                .map(|(sample, weight)| weight * f(f64::from(sample[column])))
                .sum()
        };
        let mean = expect(&|x| x);
        [mean, expect(&|x| (x - mean).powi(2))]
    })
}

fn compare(what: &str, runs: &[[[f64; 2]; DIM]], expected: [(f64, f64); DIM]) {
    for (column, (mean, variance)) in expected.into_iter().enumerate() {
        for (moment, (name, value)) in [("mean", mean), ("variance", variance)].iter().enumerate() {
            let estimates: Vec<f64> = runs.iter().map(|run| run[column][moment]).collect();
            let what = format!("{what}, column {column}, {name}");
            assert_within_three_errors(&what, &estimates, *value);
        }
    }
}

/// What the reward wants of a column, and the slope of what it measures along it; nothing of positions.
fn wanted(column: usize) -> Option<(f64, f64)> {
    match column {
        0..3 => None,
        3..6 => Some((TURN[column - 3], 1.0)),
        _ => Some((CLOSED + RANGE * OPENING, 1.0 / RANGE)),
    }
}

fn schedulers() -> [(&'static str, SchedulerConfig); 2] {
    let ddpm = diffusion(ddpm(Variance::FixedSmall), STEPS, 1000);
    [("flow", flow(FlowSolver::Euler, STEPS)), ("DDPM", ddpm)]
}

#[test]
fn resampling_tilts_rotation_and_gripper_as_the_gaussian_says() {
    let (lambda, weight) = (2.0f32, 1.5);
    for (name, scheduler) in schedulers() {
        let config = SteeringConfig {
            feynman_kac: Some(FeynmanKacConfig {
                potential: Potential::Difference,
                lambda,
                ess_threshold: 1.0,
                every: 3,
                eta: 1.0,
            }),
            ..config(&scheduler)
        };
        let expected = std::array::from_fn(|column| {
            let law = (MEAN[column], DEVIATION);
            let (mean, variance) = discrete_law(&scheduler, law, FIRST, |_, _| 0.0);
            let Some((target, slope)) = wanted(column) else {
                return (mean, variance);
            };
            let precision = f64::from(lambda) * weight * slope * slope;
            let tilted = 1.0 / (1.0 / variance + precision);
            (tilted * (mean / variance + precision * target), tilted)
        });
        let mut steerer = Steerer::new(config, space(), 1).unwrap();
        let mut policy = policy(&scheduler);
        let runs: Vec<_> = (0..12)
            .map(|seed| {
                let mut reward = grasp(weight);
                let sampled = steerer
                    .sample(&mut policy, Some(&mut reward), &start(), 0.0, seed, 0)
                    .unwrap();
                moments(sampled)
            })
            .collect();
        compare(name, &runs, expected);
    }
}

/// The gradient of a quadratic reward is linear in the clean estimate, so the push shrinks what is
/// left to the goal by the same factor in every particle; see [`pushed_law`].
#[test]
fn guidance_moves_rotation_and_gripper_by_what_the_recursion_says() {
    let (weight, scale, progress) = (1.0, 4.0f32, 0.4f32);
    let strength = StrengthConfig::default();
    for (name, scheduler) in schedulers() {
        let config = SteeringConfig {
            guide_scale: scale,
            normalise: Normalise::None,
            strength,
            ..config(&scheduler)
        };
        let push = |i: usize, step: &Step| {
            if i < FIRST {
                return 0.0;
            }
            let share = step.from.noise / step.from.signal.hypot(step.from.noise);
            f64::from(scale) * f64::from(strength.at(progress)) * share
        };
        let expected: [(f64, f64); DIM] = std::array::from_fn(|column| {
            let (target, slope) = wanted(column).unwrap_or((0.0, 0.0));
            pushed_law(&scheduler, MEAN[column], |i, step| {
                let stiffness = weight * slope * slope * push(i, step);
                (stiffness, target)
            })
        });
        // What is left alone has the policy's own law.
        let own = discrete_law(&scheduler, (MEAN[0], DEVIATION), NEVER, |_, _| 0.0);
        assert!((expected[0].0 - own.0).abs() < 1e-12 && (expected[0].1 - own.1).abs() < 1e-12);
        assert!(expected[3].0 > MEAN[3] + 0.05 && expected[6].0 < MEAN[6] - 0.02);
        let mut steerer = Steerer::new(config, space(), 1).unwrap();
        let mut policy = policy(&scheduler);
        let runs: Vec<_> = (0..12)
            .map(|seed| {
                let mut reward = grasp(weight);
                let sampled = steerer
                    .sample(&mut policy, Some(&mut reward), &start(), progress, seed, 0)
                    .unwrap();
                moments(sampled)
            })
            .collect();
        compare(name, &runs, expected);
    }
}

/// Mean and variance of one entry whose clean estimate `c` is pushed by `stiffness (target - c)` in every
/// step. As in [`discrete_law`] the sample is `x[0] + sum x[k] z_k`, and every step is affine.
fn pushed_law(
    scheduler: &SchedulerConfig,
    mean: f64,
    push: impl Fn(usize, &Step) -> (f64, f64),
) -> (f64, f64) {
    let is_flow = matches!(scheduler, SchedulerConfig::Flow(_));
    let schedule = tiller_steering::scheduler::Schedule::new(scheduler).unwrap();
    let mut x = vec![0.0, 1.0];
    for (i, plan) in schedule.steps().iter().enumerate() {
        let (signal, level) = (plan.from.signal, plan.from.noise);
        let total = (signal * DEVIATION).powi(2) + level * level;
        let (stiffness, target) = push(i, plan);
        let step = plan.with_noise(0.0);
        let (of_clean, of_noise) = if is_flow {
            (level, signal)
        } else {
            (level / signal, 1.0)
        };
        for (k, x) in x.iter_mut().enumerate() {
            let constant = if k == 0 { 1.0 } else { 0.0 };
            let off = *x - signal * mean * constant;
            let clean = mean * constant + signal * DEVIATION.powi(2) / total * off;
            let noise = level / total * off;
            let gradient = stiffness * (target * constant - clean);
            *x = step.clean * (clean + of_clean * gradient)
                + step.noise * (noise - of_noise * gradient);
        }
        x.push(step.fresh);
    }
    (x[0], x[1..].iter().map(|x| x * x).sum())
}
