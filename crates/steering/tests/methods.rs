//! Heun's method and DPM-Solver++ within steering: what they remember, and when.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod support;

use std::cell::RefCell;

use support::schedulers::{DEVIATION, DPM, MEAN, Told, alone, diffusion, exact, flow, gaussian};
use support::walk::walk;
use support::{FnReward, Spoiled, plain_space, quadratic};
use tiller_steering::scheduler::{FlowConfig, FlowSolver, Schedule, SchedulerConfig, Solver, Step};
use tiller_steering::{
    FeynmanKacConfig, Normalise, Start, Steerer, SteeringConfig, StrengthConfig,
};

#[test]
fn heuns_method_is_of_second_order_for_the_guided_flow() {
    // A smooth push: the plain gradient of a quadratic reward.
    let end = |solver, steps| {
        let config = flow(solver, steps);
        let steering = SteeringConfig {
            guide_scale: 1.0,
            guidance_start: 0.0,
            normalise: Normalise::None,
            strength: StrengthConfig {
                steepness: 0.0,
                midpoint: 0.0,
            },
            ..alone(config.clone(), 1)
        };
        let mut policy = Told::new(gaussian(MEAN, DEVIATION), &config);
        let mut steerer = Steerer::new(steering, plain_space(), 1).unwrap();
        let mut reward = quadratic([3.0; 3], 1.0);
        let result = steerer.sample(
            &mut policy,
            Some(&mut reward),
            &Start::at([0.0; 3]),
            0.0,
            1,
            0,
        );
        f64::from(result.unwrap().samples[0])
    };
    for (solver, order) in [(FlowSolver::Euler, 1.0), (FlowSolver::Heun, 2.0)] {
        let ends = [10, 20, 40].map(|steps| end(solver, steps));
        let observed = ((ends[0] - ends[1]) / (ends[1] - ends[2])).abs().log2();
        assert!(
            (observed - order).abs() < 0.4,
            "{solver:?}: {ends:?}, order {observed}"
        );
    }
}

#[test]
fn heuns_method_asks_twice_in_all_steps_but_the_last_and_once_when_stochastic() {
    let config = SchedulerConfig::Flow(FlowConfig {
        solver: FlowSolver::Heun,
        ..FlowConfig::default()
    });
    let calls = |feynman_kac| {
        let steering = SteeringConfig {
            feynman_kac,
            guidance_start: 0.5,
            ..SteeringConfig {
                scheduler: config.clone(),
                ..SteeringConfig::default()
            }
        };
        let times = RefCell::new(Vec::new());
        let mut policy = Spoiled(
            Told::new(gaussian(MEAN, DEVIATION), &config),
            |time, _: &mut [f32]| {
                times.borrow_mut().push(time);
            },
        );
        let mut steerer = Steerer::new(steering, plain_space(), 1).unwrap();
        let mut reward = FnReward(|trajectory: &[f32], _: &mut [f32]| trajectory[3]);
        steerer
            .sample(
                &mut policy,
                Some(&mut reward),
                &Start::at([0.0; 3]),
                0.0,
                1,
                0,
            )
            .unwrap();
        assert!(times.borrow().iter().all(|time| *time > 0.0));
        times.into_inner().len()
    };
    assert_eq!(calls(None), 19);
    // The first guided step resamples: from there on there is one evaluation a step.
    let always = FeynmanKacConfig {
        ess_threshold: 1.0,
        ..FeynmanKacConfig::default()
    };
    assert_eq!(calls(Some(always)), 5 * 2 + 5);
}

/// Three numbers from different starts, handled between steps 4 and 5 as `between` says.
fn interrupted(between: impl Fn(&mut Solver<f64>, &mut [f64])) -> Vec<f64> {
    let config = diffusion(DPM, 10, 100);
    let mut x = vec![-1.0, 0.3, 1.5];
    let mut solver = Solver::new(Schedule::new(&config).unwrap(), 3, 1);
    let predict = |step: &Step, x: &[f64]| exact(&config, step, x);
    walk(
        &mut solver,
        &mut x,
        predict,
        |_| 0.0,
        |solver, arrival| {
            if arrival.index == 4 {
                between(solver, arrival.sample);
            }
        },
    );
    x
}

#[test]
fn the_memory_of_a_multistep_method_goes_with_the_ancestors() {
    let free = interrupted(|_, _| {});
    let resampled = interrupted(|solver, x| {
        let ancestors = [2, 2, 0];
        solver.resample(&ancestors, &mut [0.0; 3]);
        let before = [x[0], x[1], x[2]];
        for (x, ancestor) in x.iter_mut().zip(ancestors) {
            *x = before[ancestor as usize];
        }
    });
    assert_eq!(resampled, [free[2], free[2], free[0]]);
    // Samples that move without their memory end elsewhere.
    let torn = interrupted(|_, x| x.rotate_left(1));
    assert!((torn[0] - free[1]).abs() > 1e-6, "{torn:?} {free:?}");
}

#[test]
fn a_multistep_method_forgets_what_came_before_a_restart() {
    let config = diffusion(DPM, 10, 100);
    let restarted = interrupted(|solver, _| solver.restart());
    assert_ne!(restarted, interrupted(|_, _| {}));
    // With a restart before every step it is DDIM at the same levels.
    let mut always = vec![-1.0, 0.3, 1.5];
    let mut solver = Solver::new(Schedule::new(&config).unwrap(), 3, 1);
    let predict = |step: &Step, x: &[f64]| exact(&config, step, x);
    walk(
        &mut solver,
        &mut always,
        predict,
        |_| 0.0,
        |solver, _| solver.restart(),
    );
    let mut by_hand = vec![-1.0, 0.3, 1.5];
    for step in solver.schedule().steps() {
        let (mut clean, mut noise) = ([0.0; 3], [0.0; 3]);
        let prediction = exact(&config, step, &by_hand);
        step.estimate
            .split(&by_hand, &prediction, &mut clean, &mut noise);
        for ((x, clean), noise) in by_hand.iter_mut().zip(clean).zip(noise) {
            *x = step.to.signal * clean + step.to.noise * noise;
        }
    }
    for (found, expected) in always.iter().zip(&by_hand) {
        assert!((found - expected).abs() < 1e-12);
    }
}
