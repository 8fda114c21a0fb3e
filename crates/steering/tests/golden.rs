//! Trajectories and repulsion: numbers from PyTorch.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod support;

use support::golden::{assert_close, fixture, numbers};
use tiller_core::ActionLayout;
use tiller_steering::diversity::Repulsion;
use tiller_steering::{ActionSpace, Kernel, Start, Trajectories, TrajectoriesMut, TrajectoryMap};

/// Trajectories, repulsion and its gradient with respect to the normalised sample.
fn diversity(name: &str, scale: [f32; 7], offset: [f32; 7]) {
    let fixture = fixture("diversity.json");
    let steps = fixture["n_action_steps"].as_u64().unwrap() as usize;
    let space = ActionSpace {
        layout: ActionLayout {
            ignored: vec![3, 4, 5],
            ..ActionLayout::position_deltas(7, [0, 1, 2], Some(6), 10.0)
        },
        scale: scale.to_vec(),
        offset: offset.to_vec(),
    };
    let samples = numbers(&fixture["sample"]);
    let mut map = TrajectoryMap::<f64>::new(&space, 16, 0, steps);
    let start = numbers(&fixture["start_pos"]);
    let start = Start::at([start[0], start[1], start[2]]);
    let stride = map.points() * 3;
    let mut trajectories = vec![0.0; 4 * stride];
    let positions = TrajectoriesMut::of_positions(&mut trajectories);
    map.forward(&samples, &start, positions);
    // The recorded scales went through single precision.
    let expected = numbers(&fixture[&format!("traj_{name}")]);
    assert_close("trajectory", &trajectories, &expected, 1e-6);
    let mut at_points = vec![0.0; trajectories.len()];
    let mut repulsion = Repulsion::new(Kernel::InverseDistance, 4, stride, None);
    let potential = repulsion.gradient(&trajectories, &[false; 4], 0.0, &mut at_points);
    let expected = fixture[&format!("potential_{name}")].as_f64().unwrap();
    assert!(
        (potential - expected).abs() < 1e-6 * expected,
        "{potential} is not {expected}"
    );
    let mut gradient = vec![0.0; samples.len()];
    let at_points = Trajectories::of_positions(&at_points);
    map.adjoint(&samples, &start, &at_points, &mut gradient);
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
