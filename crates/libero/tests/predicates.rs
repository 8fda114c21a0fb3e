//! Predicates on states of a toy scene.

#![allow(clippy::expect_used, reason = "a test may fail")]

mod support;

use serde_json::{Value, json};
use support::{CUP, DRAWER, KNOB, PLATE, native, qpos};

/// What is said of each state.
fn judged<const N: usize>(goal: Value, states: [Vec<f64>; N]) -> [bool; N] {
    let mut native = native(goal, &states);
    std::array::from_fn(|index| {
        native.reset(1 + index).expect("a state");
        native.succeeded()
    })
}

/// The first state with some positions changed.
fn at(changes: &[(usize, &[f64])]) -> Vec<f64> {
    let mut qpos = qpos();
    for (place, numbers) in changes {
        qpos[*place..*place + numbers.len()].copy_from_slice(numbers);
    }
    qpos
}

#[test]
fn on_an_object_means_touching_it_from_above_near_its_middle() {
    let cup = |x: f64, z: f64| at(&[(CUP, &[x, 0.0, z])]);
    let below = at(&[(CUP, &[0.5, 0.0, 0.23]), (PLATE, &[0.5, 0.0, 0.269])]);
    let states = [
        cup(0.5, 0.249),
        cup(0.529, 0.249),
        cup(0.531, 0.249),
        cup(0.5, 0.26),
        below,
    ];
    let expected = [true, true, false, false, false];
    assert_eq!(
        judged(json!([["on", "cup_1", "plate_1"]]), states),
        expected
    );
}

#[test]
fn on_a_region_means_above_its_box_and_touching_what_it_is_a_part_of() {
    // The cabinet's upper side is at z 0.21, its region's upper face at 0.212, the cup's half height 0.03.
    let cup = |x: f64, y: f64, z: f64| at(&[(CUP, &[x, y, z])]);
    let states = [
        cup(0.8, 0.3, 0.239),
        cup(0.87, 0.3, 0.239),
        cup(0.885, 0.3, 0.239),
        cup(0.8, 0.365, 0.239),
        cup(0.8, 0.3, 0.26),
    ];
    let expected = [true, true, false, false, false];
    assert_eq!(
        judged(json!([["on", "cup_1", "cabinet_1_top"]]), states),
        expected
    );
}

#[test]
fn a_region_of_the_table_needs_no_contact() {
    // Its centre is at (0.7, -0.3, 0.2), its upper face at 0.207.
    let cup = |y: f64, z: f64| at(&[(CUP, &[0.7, y, z])]);
    let states = [
        cup(-0.3, 0.23),
        cup(-0.3, 0.306),
        cup(-0.3, 0.308),
        cup(-0.3, 0.2015),
        cup(-0.345, 0.23),
    ];
    let expected = [true, true, false, false, false];
    assert_eq!(
        judged(json!([["on", "cup_1", "table_region"]]), states),
        expected
    );
}

#[test]
fn in_means_the_centre_inside_the_turned_box_or_just_below() {
    // The region is centred at (0.8, 0.3, 0.535) with half extents 0.06, 0.07, 0.03 along the world's axes.
    let cup = |x: f64, y: f64, z: f64| at(&[(CUP, &[x, y, z])]);
    let drawn = at(&[(CUP, &[0.8, 0.3, 0.535]), (DRAWER, &[-0.1])]);
    let states = [
        cup(0.8, 0.3, 0.535),
        cup(0.855, 0.365, 0.535),
        cup(0.8, 0.3, 0.496),
        cup(0.8, 0.3, 0.494),
        cup(0.8, 0.3, 0.566),
        cup(0.865, 0.3, 0.535),
        drawn,
    ];
    let expected = [true, true, true, false, false, false, false];
    assert_eq!(
        judged(json!([["in", "cup_1", "cabinet_1_inside"]]), states),
        expected
    );
}

#[test]
fn joints_are_compared_with_the_near_end_of_their_range() {
    let drawer = |q: f64| at(&[(DRAWER, &[q])]);
    let knob = |q: f64| at(&[(KNOB, &[q])]);
    for thing in ["cabinet_1", "cabinet_1_inside"] {
        let open = judged(json!([["open", thing]]), [-0.141, -0.139, 0.0].map(drawer));
        assert_eq!(open, [true, false, false], "{thing}");
        let close = judged(json!([["close", thing]]), [0.001, 0.0, -0.01].map(drawer));
        assert_eq!(close, [true, false, false], "{thing}");
    }
    let on = judged(json!([["turnon", "stove_1"]]), [0.5, 0.499].map(knob));
    assert_eq!(on, [true, false]);
    let off = judged(json!([["turnoff", "stove_1"]]), [-0.001, 0.0].map(knob));
    assert_eq!(off, [true, false]);
}

#[test]
fn up_means_a_metre_above_the_floor() {
    let cup = |z: f64| at(&[(CUP, &[0.5, 0.3, z])]);
    assert_eq!(
        judged(json!([["up", "cup_1"]]), [1.0, 0.99].map(cup)),
        [true, false]
    );
}

#[test]
fn all_of_a_goal_has_to_hold() {
    let goal = json!([["open", "cabinet_1"], ["turnon", "stove_1"]]);
    let states = [
        at(&[(DRAWER, &[-0.15]), (KNOB, &[1.0])]),
        at(&[(DRAWER, &[-0.15])]),
    ];
    let mut native = native(goal, &states);
    native.reset(1).expect("a state");
    assert!(native.succeeded());
    native.reset(2).expect("a state");
    assert!(!native.succeeded());
    assert_eq!(native.holds().collect::<Vec<_>>(), [true, false]);
}
