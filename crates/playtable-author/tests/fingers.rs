//! Programs for policies whose fingers rewards may move.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod common;

use common::{TABLE, request};
use tiller_core::{Trajectories, TrajectoriesMut};
use tiller_playtable_author::EmbeddedAuthor;
use tiller_reward::{
    Access, CompileOptions, Evaluator, HandAccess, Moment, Program, Scene, compile,
};
use tiller_vlm::{Author, AuthorRequest};

const POINTS: usize = 17;
const HAND: HandAccess = HandAccess {
    rotations: Access::Absent,
    gripper: Access::Guide,
};

fn answer(instruction: &str) -> String {
    let request = AuthorRequest {
        hand: HAND,
        ..request(instruction)
    };
    EmbeddedAuthor.author(&request).unwrap().text
}

fn program(instruction: &str) -> Program {
    let text = answer(instruction);
    let options = CompileOptions {
        hand: HAND,
        ..CompileOptions::new(TABLE.len(), POINTS)
    };
    compile(&text, &options)
        .map_err(|errors| errors.render(&text))
        .unwrap()
}

fn positions() -> Vec<[f64; 3]> {
    TABLE.iter().map(|(_, position)| *position).collect()
}

/// How the reward changes as fingers that are half open all along the way open further.
fn pull_open(program: &Program, stage: usize) -> f64 {
    let way = [0.45, 0.0, 0.2].repeat(POINTS);
    let (fingers, mut values) = ([0.5; POINTS], [0.0]);
    let (mut slopes, mut pulls) = (vec![0.0; way.len()], [0.0; POINTS]);
    let trajectories = Trajectories {
        positions: &way,
        rotations: &[],
        gripper: &fingers,
    };
    let gradients = TrajectoriesMut {
        positions: &mut slopes,
        rotations: &mut [],
        gripper: &mut pulls,
    };
    Evaluator::<f64>::new(&program.stages[stage].guidance, 1)
        .evaluate_whole(
            &Scene::from(&positions()[..]),
            &trajectories,
            &mut values,
            Some(gradients),
        )
        .unwrap();
    assert!(values[0] < 0.0);
    pulls.iter().sum()
}

#[test]
fn a_lift_opens_its_fingers_above_and_closes_them_around() {
    let program = program("lift the red block");
    let pulls: Vec<f64> = (0..4).map(|stage| pull_open(&program, stage)).collect();
    assert_eq!(program.stages.len(), 4);
    assert!(pulls[0] > 0.01 && pulls[1] > 0.01, "{pulls:?}");
    assert!(pulls[2] < -0.01 && pulls[3] < -0.01, "{pulls:?}");
}

#[test]
fn a_stage_waits_for_the_fingers_that_it_asks_for() {
    let program = program("lift the red block");
    let keypoints = positions();
    let done = |stage: usize, end_effector_m, gripper_width_m| {
        let done = program.stages[stage].done.as_ref().unwrap();
        let moment = Moment {
            gripper_width_m,
            ..Moment::at(&keypoints, &keypoints, end_effector_m)
        };
        done.value(&moment).unwrap() >= 0.0
    };
    let (above, around) = ([0.457, 0.02, 0.14], [0.457, 0.02, 0.022]);
    assert!(done(0, above, 0.078) && !done(0, above, 0.04));
    assert!(done(1, around, 0.078) && !done(1, around, 0.04) && !done(1, above, 0.078));
    // Around a block they stop; around nothing they close for good.
    assert!(done(2, around, 0.04) && !done(2, around, 0.078) && !done(2, around, 0.001));
}

#[test]
fn fingers_are_asked_for_only_where_something_is_grasped() {
    let reads = |instruction: &str| {
        let stages = program(instruction).stages;
        let reads = stages.iter().map(|stage| stage.guidance.reads().gripper);
        reads.collect::<Vec<_>>()
    };
    for instruction in ["open the drawer", "press the button", "push the red block"] {
        assert!(!reads(instruction).contains(&true), "{instruction}");
    }
    let put = reads("put the red block into the drawer");
    let grasped = put.iter().filter(|reads| **reads).count();
    assert_eq!(grasped, 7, "{put:?}");
}

#[test]
fn a_lift_with_fingers_reads_as_it_should() {
    insta::assert_snapshot!("lift_blue_with_fingers", answer("lift the blue block"));
}

#[test]
fn programs_with_fingers_fit_trajectories_of_any_length() {
    for points in [2, 3, 5, 65] {
        for instruction in ["lift the red block", "put the red block into the drawer"] {
            let text = answer(instruction);
            let options = CompileOptions::new(TABLE.len(), points);
            if let Err(errors) = compile(&text, &options) {
                panic!("{instruction}, {points} points: {}", errors.render(&text));
            }
        }
    }
}
