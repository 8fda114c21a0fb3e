//! Numbers from PyTorch and diffusers.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

use serde::Deserialize;
use serde_json::Value;
use tiller_steering::diversity::Repulsion;
use tiller_steering::scheduler::{FlowEuler, Scheduler, Transition};
use tiller_steering::{ActionMode, ActionSpace, Kernel, Real, TrajectoryMap};

fn fixture(name: &str) -> Value {
    let path = format!("{}/tests/fixtures/{name}", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn numbers(value: &Value) -> Vec<f64> {
    match value {
        Value::Array(items) => items.iter().flat_map(numbers).collect(),
        value => vec![value.as_f64().unwrap()],
    }
}

fn assert_close(what: &str, found: &[f64], expected: &[f64], tolerance: f64) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (i, (found, expected)) in found.iter().zip(expected).enumerate() {
        let allowed = tolerance * (1.0 + expected.abs());
        assert!(
            (found - expected).abs() <= allowed,
            "{what}[{i}]: {found} is not {expected}"
        );
    }
}

#[derive(Deserialize)]
struct Step {
    t: f64,
    x_next: Vec<f64>,
}

/// Runs the recorded fake model `0.1 x + F` through ten Euler steps.
fn euler<F: Real>(tolerance: f64) {
    let fixture = fixture("schedulers.json");
    let cast = |name: &str| -> Vec<F> {
        numbers(&fixture[name])
            .into_iter()
            .map(F::from_f64)
            .collect()
    };
    let steps: Vec<Step> =
        serde_json::from_value(fixture["flow_euler_10_pi_convention_f64"].clone()).unwrap();
    let (mut x, bias) = (cast("x_init"), cast("F"));
    let scheduler = FlowEuler::new(steps.len());
    let (mut clean, mut noise) = (x.clone(), x.clone());
    for (i, step) in steps.iter().enumerate() {
        let levels = scheduler.levels();
        assert!(
            (levels[i].time - step.t).abs() < 1e-12,
            "time {} is not {}",
            levels[i].time,
            step.t
        );
        let velocity: Vec<F> = x
            .iter()
            .zip(&bias)
            .map(|(x, b)| F::from_f64(0.1) * *x + *b)
            .collect();
        scheduler.split(i, &x, &velocity, &mut clean, &mut noise);
        Transition::new(&levels[i], &levels[i + 1], 0.0).apply(&clean, &noise, &mut x);
        let found: Vec<f64> = x.iter().map(|x| x.to_f64()).collect();
        assert_close(
            &format!("x after step {i}"),
            &found,
            &step.x_next,
            tolerance,
        );
    }
}

#[test]
fn flow_euler_agrees_in_double_precision() {
    euler::<f64>(1e-9);
}

#[test]
fn flow_euler_agrees_in_single_precision() {
    euler::<f32>(1e-5);
}

/// Trajectories, repulsion and its gradient with respect to the normalised sample.
fn diversity(name: &str, scale: [f32; 7], offset: [f32; 7]) {
    let fixture = fixture("diversity.json");
    let steps = fixture["n_action_steps"].as_u64().unwrap() as usize;
    let space = ActionSpace {
        dim: 7,
        position_columns: [0, 1, 2],
        gripper_column: Some(6),
        scale: scale.to_vec(),
        offset: offset.to_vec(),
        mode: ActionMode::Delta,
    };
    let samples = numbers(&fixture["sample"]);
    let map = TrajectoryMap::<f64>::new(&space, 16, steps);
    let start = numbers(&fixture["start_pos"]);
    let stride = map.points() * 3;
    let mut trajectories = vec![0.0; 4 * stride];
    map.forward(&samples, [start[0], start[1], start[2]], &mut trajectories);
    // The recorded scales went through single precision.
    let expected = numbers(&fixture[&format!("traj_{name}")]);
    assert_close("trajectory", &trajectories, &expected, 1e-6);
    let mut at_points = vec![0.0; trajectories.len()];
    let mut repulsion = Repulsion::new(Kernel::InverseDistance, 4);
    let potential = repulsion.gradient(&trajectories, stride, &[false; 4], &mut at_points);
    let expected = fixture[&format!("potential_{name}")].as_f64().unwrap();
    assert!(
        (potential - expected).abs() < 1e-6 * expected,
        "{potential} is not {expected}"
    );
    let mut gradient = vec![0.0; samples.len()];
    map.adjoint(&at_points, &mut gradient);
    let expected = numbers(&fixture[&format!("diffusion_gradient_{name}")]);
    assert_close("gradient", &gradient, &expected, 1e-6);
}

#[test]
fn repulsion_agrees_for_plain_actions() {
    diversity("identity", [0.02; 7], [0.0; 7]);
}

#[test]
fn repulsion_agrees_for_min_max_actions() {
    let fixture = fixture("diversity.json");
    let (min, max) = (
        numbers(&fixture["action_min"]),
        numbers(&fixture["action_max"]),
    );
    let column = |f: &dyn Fn(usize) -> f64| std::array::from_fn(|i| (0.02 * f(i)) as f32);
    diversity(
        "minmax",
        column(&|i| (max[i] - min[i]) / 2.0),
        column(&|i| (max[i] + min[i]) / 2.0),
    );
}
