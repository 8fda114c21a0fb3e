//! The written programs compile, pull the right way and know when they are done.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod common;

use common::{TABLE, author, request};
use proptest::prelude::*;
use tiller_playtable_author::EmbeddedAuthor;
use tiller_reward::{CompileOptions, Evaluator, Moment, Program, compile};
use tiller_vlm::{Author, AuthorRequest};

const POINTS: usize = 17;

/// The canonical instruction of every task.
const TASKS: &[&str] = &[
    "open the drawer",
    "close the drawer",
    "slide the door to the left",
    "slide the door to the right",
    "turn on the switch",
    "turn off the switch",
    "press the button",
    "push the red block",
    "push the blue block",
    "push the pink block",
    "lift the red block",
    "lift the blue block",
    "lift the pink block",
];

fn positions() -> Vec<[f64; 3]> {
    TABLE.iter().map(|(_, position)| *position).collect()
}

fn program_of(request: &AuthorRequest) -> Program {
    let answer = EmbeddedAuthor.author(request).unwrap();
    let options = CompileOptions::new(request.keypoints.len(), POINTS);
    match compile(&answer.text, &options) {
        Ok(program) => program,
        Err(errors) => panic!("{}\n{}", request.instruction, errors.render(&answer.text)),
    }
}

fn program(instruction: &str) -> Program {
    program_of(&request(instruction))
}

/// Reward and gradient of holding still at a point.
fn evaluate(program: &Program, stage: usize, at: [f64; 3]) -> (f64, Vec<f64>) {
    let trajectory: Vec<f64> = std::iter::repeat_n(at, POINTS).flatten().collect();
    let (mut values, mut gradients) = ([0.0], vec![0.0; 3 * POINTS]);
    let mut evaluator = Evaluator::<f64>::new(&program.stages[stage].guidance, 1);
    evaluator
        .evaluate(&positions(), &trajectory, &mut values, Some(&mut gradients))
        .unwrap();
    (values[0], gradients)
}

/// Follows the gradient from a point, a centimetre a step at most.
fn climb(program: &Program, stage: usize, from: [f64; 3]) -> [f64; 3] {
    let mut at = from;
    for step in 0..400 {
        let (_, gradient) = evaluate(program, stage, at);
        let pull: [f64; 3] =
            std::array::from_fn(|axis| gradient.iter().skip(axis).step_by(3).sum());
        let norm = pull.iter().map(|p| p * p).sum::<f64>().sqrt();
        if norm < 1e-9 {
            break;
        }
        let length = 0.01 * 0.98f64.powi(step);
        at = std::array::from_fn(|axis| at[axis] + length * pull[axis] / norm);
    }
    at
}

fn done(program: &Program, stage: usize, keypoints: &[[f64; 3]], at: [f64; 3]) -> f64 {
    let done = program.stages[stage].done.as_ref().unwrap();
    done.value(&Moment::at(keypoints, &positions(), at))
        .unwrap()
}

#[test]
fn every_task_compiles_with_a_done_function_in_each_stage() {
    for task in TASKS {
        let program = program(task);
        assert!((2..=3).contains(&program.stages.len()), "{task}");
        for stage in &program.stages {
            assert!(
                stage.done.is_some() && !stage.is_unguided,
                "{task}: {}",
                stage.description
            );
            assert!(stage.description.len() > 8, "{task}: {}", stage.description);
        }
    }
}

#[test]
fn programs_fit_trajectories_of_any_length() {
    for points in [2, 3, 5, 17, 65] {
        for task in TASKS
            .iter()
            .chain(&["put the red block into the drawer, avoid the door"])
        {
            let request = request(task);
            let answer = EmbeddedAuthor.author(&request).unwrap();
            let options = CompileOptions::new(request.keypoints.len(), points);
            if let Err(errors) = compile(&answer.text, &options) {
                panic!("{task}, {points} points: {}", errors.render(&answer.text));
            }
        }
    }
}

#[test]
fn rewards_stay_below_zero_and_rise_towards_a_place_on_the_table() {
    let home = [0.45, 0.0, 0.2];
    for task in TASKS {
        let program = program(task);
        let mut at = home;
        for stage in 0..program.stages.len() {
            let (before, _) = evaluate(&program, stage, at);
            at = climb(&program, stage, at);
            let (after, _) = evaluate(&program, stage, at);
            assert!(
                before < -0.02,
                "{task}, stage {}: starts at {before}",
                stage + 1
            );
            assert!(
                (-0.005..=0.0).contains(&after),
                "{task}, stage {}: {after}",
                stage + 1
            );
            let [x, y, z] = at;
            let on_table = (0.3..0.8).contains(&x) && y.abs() < 0.5 && (0.0..0.3).contains(&z);
            assert!(on_table, "{task}, stage {}: leads to {at:?}", stage + 1);
        }
    }
}

/// Where the experts of the play table come down to begin the contact, and how the keypoint then
/// moves when they succeed. Positions are true ones of the scene that `common::TABLE` was seen in.
#[test]
fn stages_lead_to_where_the_work_is() {
    let table: &[(&str, [f64; 3], [f64; 3])] = &[
        (
            "open the drawer",
            [0.619, -0.300, 0.045],
            [-0.145, 0.0, 0.0],
        ),
        (
            "close the drawer",
            [0.537, -0.300, 0.045],
            [0.145, 0.0, 0.0],
        ),
        (
            "slide the door to the left",
            [0.640, -0.058, 0.070],
            [0.0, 0.16, 0.0],
        ),
        (
            "slide the door to the right",
            [0.640, 0.058, 0.070],
            [0.0, -0.16, 0.0],
        ),
        (
            "turn on the switch",
            [0.422, 0.384, 0.058],
            [0.037, 0.0, 0.033],
        ),
        (
            "turn off the switch",
            [0.573, 0.384, 0.058],
            [-0.038, 0.0, -0.033],
        ),
        (
            "press the button",
            [0.400, -0.127, 0.024],
            [0.0, 0.0, -0.012],
        ),
        (
            "push the red block to the right",
            [0.457, 0.080, 0.022],
            [0.0, -0.085, 0.0],
        ),
        (
            "push the blue block forward",
            [0.397, 0.140, 0.022],
            [0.085, 0.0, 0.0],
        ),
        (
            "push the pink block to the left",
            [0.457, 0.200, 0.022],
            [0.0, 0.085, 0.0],
        ),
        (
            "lift the red block",
            [0.457, 0.020, 0.022],
            [0.0, 0.0, 0.11],
        ),
        (
            "lift the blue block",
            [0.457, 0.140, 0.022],
            [0.0, 0.0, 0.11],
        ),
        (
            "lift the pink block",
            [0.457, 0.260, 0.022],
            [0.0, 0.0, 0.11],
        ),
    ];
    for (task, entry, travel) in table {
        let program = program(task);
        let last = program.stages.len() - 1;
        let above = climb(&program, 0, [0.45, 0.0, 0.2]);
        let aside = (above[0] - entry[0]).hypot(above[1] - entry[1]);
        assert!(
            aside < 0.006 && above[2] > 0.12,
            "{task}: above at {above:?}"
        );
        let still = positions();
        assert!(done(&program, 0, &still, above) > 0.0, "{task}: above");
        assert!(
            done(&program, 0, &still, [0.45, 0.0, 0.2]) < 0.0,
            "{task}: home"
        );
        let down = climb(&program, 1, above);
        let gap = down
            .iter()
            .zip(entry)
            .map(|(a, b)| (a - b).powi(2))
            .sum::<f64>()
            .sqrt();
        assert!(gap < 0.008, "{task}: down at {down:?}, expected {entry:?}");
        // The last stage ends by what the object did, wherever the hand is: half-way is not enough.
        let index = program.stages[last].done.as_ref().unwrap().used_keypoints()[0];
        let moved = |share: f64| {
            let mut keypoints = positions();
            for (value, way) in keypoints[index].iter_mut().zip(travel) {
                *value += share * way;
            }
            keypoints
        };
        let away = [0.3, 0.0, 0.3];
        assert!(
            done(&program, last, &moved(1.0), away) >= 0.0,
            "{task}: the end"
        );
        assert!(
            done(&program, last, &moved(0.5), away) < 0.0,
            "{task}: half-way"
        );
        assert!(
            done(&program, last, &moved(0.0), away) < 0.0,
            "{task}: the start"
        );
    }
}

#[test]
fn a_lift_waits_for_the_grip_before_it_raises() {
    let program = program("lift the red block");
    let mut keypoints = positions();
    let at_block = [0.457, 0.02, 0.022];
    assert!(done(&program, 1, &keypoints, at_block) < 0.0);
    keypoints[8][2] += 0.02;
    assert!(done(&program, 1, &keypoints, at_block) >= 0.0);
}

#[test]
fn a_button_hidden_by_the_hand_counts_as_pressed_by_depth() {
    let program = program("press the button");
    let still = positions();
    assert!(done(&program, 1, &still, [0.395, -0.142, 0.026]) >= 0.0);
    assert!(done(&program, 1, &still, [0.395, -0.142, 0.034]) < 0.0);
    assert!(
        done(&program, 1, &still, [0.395, -0.242, 0.026]) < 0.0,
        "beside the button"
    );
}

#[test]
fn a_push_goes_where_there_is_room() {
    // The blue block stands between the red one and the pink one along y.
    let answer = author("push the blue block").unwrap();
    assert!(
        answer.text.contains("push the block forward"),
        "{}",
        answer.text
    );
    let mut request = request("push the blue block");
    request
        .keypoints
        .retain(|keypoint| keypoint.name == "blue block");
    let answer = EmbeddedAuthor.author(&request).unwrap();
    assert!(
        answer.text.contains("push the block left"),
        "{}",
        answer.text
    );
}

#[test]
fn three_programs_read_as_they_should() {
    for (name, instruction) in [
        ("drawer_open", "open the drawer"),
        ("button_press", "press the button"),
        ("lift_blue", "lift the blue block"),
    ] {
        insta::assert_snapshot!(name, author(instruction).unwrap().text);
    }
}

proptest! {
    /// Wherever the keypoints are on the table, each program compiles and a trajectory that ends
    /// nearer to where the first stage leads has the higher reward.
    #[test]
    fn nearer_is_better(
        task in prop::sample::select(TASKS),
        shifts in prop::collection::vec(prop::array::uniform3(-0.04f64..0.04), TABLE.len()),
        from in prop::array::uniform3(-0.2f64..0.2),
    ) {
        let mut request = request(task);
        for (keypoint, shift) in request.keypoints.iter_mut().zip(&shifts) {
            for (value, shift) in keypoint.position_m.iter_mut().zip(shift) {
                *value += shift;
            }
        }
        let program = program_of(&request);
        let target = climb(&program, 0, [0.45, 0.0, 0.2]);
        let at = |share: f64| std::array::from_fn(|axis| target[axis] + share * from[axis]);
        let (near, far) = (evaluate(&program, 0, at(0.5)).0, evaluate(&program, 0, at(1.0)).0);
        prop_assert!(near >= far - 2e-3, "near {near}, far {far}");
    }
}
