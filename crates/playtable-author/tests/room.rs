//! Where the hand comes down among things that stand side by side, and what it stays away from.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod common;

use common::{TABLE, request};
use proptest::prelude::*;
use tiller_playtable_author::EmbeddedAuthor;
use tiller_reward::{CompileOptions, Evaluator, Program, compile};
use tiller_vlm::{Author, AuthorError, AuthorRequest};

const POINTS: usize = 9;
/// Half a block that is turned, and half the closed fingers, m.
const TOUCHING_M: f64 = 0.041;

/// The whole table, with blocks at these places (x and y of their middles).
fn scene(instruction: &str, blocks: &[(&str, [f64; 2])]) -> AuthorRequest {
    let mut request = request(instruction);
    for (name, [x, y]) in blocks {
        let is_it = |keypoint: &&mut tiller_vlm::SceneKeypoint| keypoint.name == *name;
        let keypoint = request.keypoints.iter_mut().find(is_it).unwrap();
        keypoint.position_m = [x + 0.0085, *y, 0.032];
    }
    request
}

fn program(request: &AuthorRequest) -> Result<Program, AuthorError> {
    let answer = EmbeddedAuthor.author(request)?;
    let options = CompileOptions::new(request.keypoints.len(), POINTS);
    Ok(compile(&answer.text, &options)
        .unwrap_or_else(|errors| panic!("{}\n{}", answer.text, errors.render(&answer.text))))
}

/// Reward and its summed gradient of holding still at a point.
fn evaluate(
    program: &Program,
    stage: usize,
    request: &AuthorRequest,
    at: [f64; 3],
) -> (f64, [f64; 3]) {
    let keypoints: Vec<[f64; 3]> = request.keypoints.iter().map(|k| k.position_m).collect();
    let trajectory: Vec<f64> = std::iter::repeat_n(at, POINTS).flatten().collect();
    let (mut values, mut gradients) = ([0.0], vec![0.0; 3 * POINTS]);
    Evaluator::<f64>::new(&program.stages[stage].guidance, 1)
        .evaluate(&keypoints, &trajectory, &mut values, Some(&mut gradients))
        .unwrap();
    let pull = std::array::from_fn(|axis| gradients.iter().skip(axis).step_by(3).sum());
    (values[0], pull)
}

/// Follows the gradient from a point.
fn climb(program: &Program, stage: usize, request: &AuthorRequest, from: [f64; 3]) -> [f64; 3] {
    let mut at = from;
    for step in 0..400 {
        let (_, pull) = evaluate(program, stage, request, at);
        let norm = pull.iter().map(|p| p * p).sum::<f64>().sqrt();
        if norm < 1e-9 {
            break;
        }
        let length = 0.01 * 0.98f64.powi(step);
        at = std::array::from_fn(|axis| at[axis] + length * pull[axis] / norm);
    }
    at
}

/// Where the hand comes down to push, and the least distance there from every block's middle.
fn entry(request: &AuthorRequest) -> Result<([f64; 3], f64), AuthorError> {
    let program = program(request)?;
    let above = climb(&program, 0, request, [0.45, 0.0, 0.2]);
    let down = climb(&program, 1, request, above);
    let blocks = request
        .keypoints
        .iter()
        .filter(|k| k.name.ends_with("block"));
    let gap = blocks
        .map(|k| (k.position_m[0] - 0.0085 - down[0]).hypot(k.position_m[1] - down[1]))
        .fold(f64::INFINITY, f64::min);
    Ok((down, gap))
}

/// Red and pink side by side along y, the middles this far apart; the pink one to the right.
fn beside(instruction: &str, apart_m: f64) -> AuthorRequest {
    let blocks = [
        ("red block", [0.45, 0.14]),
        ("pink block", [0.45, 0.14 - apart_m]),
        ("blue block", [0.40, 0.26]),
    ];
    scene(instruction, &blocks)
}

#[test]
fn the_hand_never_comes_down_on_a_neighbour() {
    let left = "push the red block to the left";
    // Far enough for the usual place, 6 cm behind the block.
    let (down, gap) = entry(&beside(left, 0.13)).unwrap();
    assert!(
        (down[1] - 0.08).abs() < 0.004 && gap > 0.055,
        "{down:?} {gap}"
    );
    // A gap that is narrower: nearer to the block.
    let (down, gap) = entry(&beside(left, 0.095)).unwrap();
    assert!(
        (0.088..0.105).contains(&down[1]) && gap > TOUCHING_M - 0.002,
        "{down:?} {gap}"
    );
    // No gap: it is said, with what would work.
    for apart in [0.045, 0.06, 0.075] {
        let error = entry(&beside(left, apart)).unwrap_err().to_string();
        assert!(
            error.starts_with(
                "there is no room for the hand to push the red block to the left: the pink block \
                 is in the way; I can: push the red block to the right"
            ),
            "{error}"
        );
    }
}

#[test]
fn a_free_side_is_found_where_none_is_asked_for() {
    let blocks = [
        ("red block", [0.45, 0.14]),
        ("pink block", [0.45, 0.09]),
        ("blue block", [0.45, 0.19]),
    ];
    let (down, gap) = entry(&scene("push the red block", &blocks)).unwrap();
    assert!(
        (down[1] - 0.14).abs() < 0.02 && gap > TOUCHING_M,
        "{down:?} {gap}"
    );
    let error = entry(&scene("push the red block to the right", &blocks)).unwrap_err();
    let text = error.to_string();
    assert!(text.contains("the blue block is in the way"), "{text}");
    assert!(
        text.ends_with("push the red block forward, push the red block backward"),
        "{text}"
    );
}

#[test]
fn towards_a_thing_goes_where_the_hand_has_room() {
    // The drawer is to the right and away; the blue block stands where the hand would push right from.
    let blocks = [
        ("red block", [0.42, 0.10]),
        ("blue block", [0.42, 0.155]),
        ("pink block", [0.46, 0.26]),
    ];
    let plain = scene("push the red block towards the drawer", &blocks[..1]);
    let answer = EmbeddedAuthor.author(&plain).unwrap().text;
    assert!(answer.contains("push the block right"), "{answer}");
    let narrow = scene("push the red block towards the drawer", &blocks);
    let answer = EmbeddedAuthor.author(&narrow).unwrap().text;
    assert!(answer.contains("push the block forward"), "{answer}");
}

#[test]
fn nothing_forbidden_is_pushed_by_what_is_pushed() {
    let blocks = [
        ("red block", [0.45, 0.02]),
        ("blue block", [0.45, 0.115]),
        ("pink block", [0.45, 0.26]),
    ];
    let left = "push the red block to the left";
    entry(&scene(left, &blocks)).unwrap();
    let careful = format!("{left} without touching the blue block");
    let error = entry(&scene(&careful, &blocks)).unwrap_err().to_string();
    assert!(error.contains("the blue block is in the way"), "{error}");
}

#[test]
fn every_stage_keeps_out_of_what_is_to_be_left_alone() {
    let careful = request("push the red block to the right without touching the blue block");
    let free = request("push the red block to the right");
    let answer = EmbeddedAuthor.author(&careful).unwrap();
    assert!(
        answer
            .text
            .contains("Keypoint 9 is on the blue block, which is not to be touched."),
        "{}",
        answer.text
    );
    let (with, without) = (program(&careful).unwrap(), program(&free).unwrap());
    let blue = careful.keypoints[9].position_m;
    for stage in 0..with.stages.len() {
        let cost = |at: [f64; 3]| {
            evaluate(&without, stage, &careful, at).0 - evaluate(&with, stage, &careful, at).0
        };
        assert!((cost(blue) - 0.15).abs() < 1e-6, "worst on the block");
        let beside = |d: f64| [blue[0] - d, blue[1], blue[2]];
        assert!(cost(beside(0.02)) > cost(beside(0.04)));
        assert!(cost(beside(0.10)) < 1e-3, "nothing far away");
        let above = [blue[0], blue[1], 0.14];
        assert!(cost(above) < 1e-3, "nothing where the hand travels");
        // At the height of contact the way out is steeper than any way in.
        let (_, pull) = evaluate(&with, stage, &careful, beside(0.03));
        assert!(pull[0] < -0.5, "stage {}: {pull:?}", stage + 1);
    }
}

#[test]
fn the_keep_out_term_moves_no_target() {
    for instruction in [
        "push the red block to the right",
        "lift the red block",
        "press the button",
    ] {
        let free = request(instruction);
        let careful = request(&format!("{instruction} without touching the blue block"));
        let (with, without) = (program(&careful).unwrap(), program(&free).unwrap());
        let mut at = [0.45, 0.0, 0.2];
        for stage in 0..with.stages.len() {
            let there = climb(&without, stage, &free, at);
            let here = climb(&with, stage, &careful, at);
            let own = |at: [f64; 3]| evaluate(&without, stage, &free, at).0;
            assert!(
                own(here) > own(there) - 0.006,
                "{instruction}, stage {}: {here:?} for {there:?}",
                stage + 1
            );
            at = there;
        }
    }
}

proptest! {
    /// Value bounded by the depth, gradient that of the value: for every place and avoided thing.
    #[test]
    fn the_term_is_smooth_and_bounded(
        thing in prop::sample::select(vec!["pink block", "drawer", "switch", "door", "other blocks"]),
        at in (0.3..0.7f64, -0.35..0.35f64, 0.0..0.3f64),
    ) {
        let careful = request(&format!("press the button, don't touch the {thing}"));
        let (with, without) = (program(&careful).unwrap(), program(&request("press the button")).unwrap());
        let at = [at.0, at.1, at.2];
        let cost = |at| evaluate(&without, 0, &careful, at).0 - evaluate(&with, 0, &careful, at).0;
        prop_assert!((0.0..=0.6).contains(&cost(at)));
        let (_, pull) = evaluate(&with, 0, &careful, at);
        for axis in 0..3 {
            let shifted = |by: f64| {
                let mut moved = at;
                moved[axis] += by;
                evaluate(&with, 0, &careful, moved).0
            };
            let slope = (shifted(1e-6) - shifted(-1e-6)) / 2e-6;
            prop_assert!((slope - pull[axis]).abs() < 1e-3, "{slope} {}", pull[axis]);
        }
    }

    /// Wherever the blocks lie, the hand comes down beside them or the author says why not.
    #[test]
    fn no_scene_makes_it_come_down_on_two(
        places in prop::array::uniform3((0.37..0.54f64, -0.04..0.29f64)),
        word in prop::sample::select(vec!["to the left", "to the right", "forward", "backward", ""]),
    ) {
        let at = places.map(|(x, y)| [x, y]);
        let distance = |a: usize, b: usize| (at[a][0] - at[b][0]).hypot(at[a][1] - at[b][1]);
        prop_assume!(distance(0, 1) > 0.05 && distance(0, 2) > 0.05 && distance(1, 2) > 0.05);
        let blocks = [("red block", at[0]), ("blue block", at[1]), ("pink block", at[2])];
        match entry(&scene(&format!("push the red block {word}"), &blocks)) {
            Ok((down, gap)) => prop_assert!(gap > TOUCHING_M - 0.003, "{down:?} {gap}"),
            Err(AuthorError::NoRoom { .. }) => {}
            Err(other) => prop_assert!(false, "{other}"),
        }
    }
}

#[test]
fn a_block_goes_into_the_drawer_stage_by_stage() {
    let mut open = request("put the red block into the drawer");
    for keypoint in open.keypoints.iter_mut() {
        if keypoint.name.starts_with("drawer") {
            keypoint.position_m[0] -= 0.15;
        }
    }
    let stages = |request: &AuthorRequest| -> Vec<String> {
        let program = program(request).unwrap();
        program
            .stages
            .iter()
            .map(|s| s.description.clone())
            .collect()
    };
    let opened = stages(&open);
    assert_eq!(opened.len(), 6, "{opened:?}");
    assert!(opened[4].contains("release"), "{opened:?}");
    // A shut one is opened first, and one that is held is not grasped again.
    assert_eq!(
        stages(&request("put the red block into the drawer")).len(),
        9
    );
    let chain = request("open the drawer, then put the red block into it");
    assert_eq!(stages(&chain).len(), 9);
    let held = request("open the drawer, lift the red block and put it in the drawer");
    assert_eq!(stages(&held).len(), 9);
    assert_eq!(TABLE.len(), open.keypoints.len());
}
