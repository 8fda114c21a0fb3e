//! What the programs are: that they compile for every hand, and what they read.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod common;

use common::{SCENE, request_in};
use tiller_calvin_author::EmbeddedAuthor;
use tiller_reward::{Access, CompileOptions, HandAccess, Moment, Program, compile};
use tiller_vlm::{Author, AuthorError, AuthorRequest};

const POINTS: usize = 17;
const FINGERS: HandAccess = HandAccess {
    rotations: Access::Read,
    gripper: Access::Guide,
};

fn answer(instruction: &str, hand: HandAccess) -> Result<String, AuthorError> {
    let request = AuthorRequest {
        hand,
        ..request_in(SCENE, instruction)
    };
    Ok(EmbeddedAuthor.author(&request)?.text)
}

fn program(instruction: &str, hand: HandAccess, points: usize) -> Program {
    let text = answer(instruction, hand).unwrap_or_else(|error| panic!("{instruction}: {error}"));
    let options = CompileOptions {
        hand,
        ..CompileOptions::new(SCENE.len(), points)
    };
    compile(&text, &options).unwrap_or_else(|errors| panic!("{}\n{text}", errors.render(&text)))
}

/// One instruction of every kind.
const KINDS: [&str; 18] = [
    "open the drawer",
    "close the drawer",
    "move the slide left",
    "move the slide right",
    "turn on the led",
    "turn off the led",
    "press the button",
    "turn on the light bulb",
    "turn off the light bulb",
    "lift the red block",
    "lift the blue block",
    "lift the pink block",
    "push the red block left",
    "push the pink block right",
    "push the red block into the drawer",
    "move the slider left and take the blue block from the shelf",
    "open the drawer, then push the red block into it",
    "press the button, press the button and open the drawer",
];

#[test]
fn every_program_compiles_for_every_hand() {
    for instruction in KINDS {
        for hand in [HandAccess::POSITIONS, FINGERS, HandAccess::WHOLE] {
            for points in [2, POINTS] {
                let program = program(instruction, hand, points);
                assert!(program.stages.len() <= 16);
                let is_over = program.stages.iter().all(|stage| stage.done.is_some());
                assert!(is_over, "{instruction}");
            }
        }
    }
}

#[test]
fn rewards_read_of_the_hand_what_they_may_move() {
    let reads = |instruction: &str, hand| {
        let program = program(instruction, hand, POINTS);
        let reads = program.stages.iter().map(|stage| stage.guidance.reads());
        let reads: Vec<_> = reads
            .map(|reads| (reads.rotations, reads.gripper))
            .collect();
        (
            reads.iter().any(|(rotations, _)| *rotations),
            reads.iter().all(|(_, gripper)| *gripper),
        )
    };
    for instruction in ["open the drawer", "lift the red block"] {
        assert_eq!(reads(instruction, HandAccess::POSITIONS), (false, false));
        // Where the fingertips are depends on where the hand points.
        for hand in [FINGERS, HandAccess::WHOLE] {
            assert_eq!(reads(instruction, hand), (true, true));
        }
    }
}

#[test]
fn only_a_hand_that_rewards_move_rotates() {
    for instruction in [
        "rotate the red block left",
        "lift the red block and rotate it right",
    ] {
        let program = program(instruction, HandAccess::WHOLE, POINTS);
        assert!(program.stages.iter().all(|stage| stage.done.is_some()));
        let error = answer(instruction, FINGERS).unwrap_err();
        let is_refused = matches!(error, AuthorError::Unsupported { .. });
        assert!(is_refused, "{error}");
    }
}

/// A hand that points down, tilted forwards.
fn tilted(rad: f64) -> [[f64; 3]; 3] {
    let (sin, cos) = rad.sin_cos();
    [[0.0, 1.0, 0.0], [cos, 0.0, sin], [sin, 0.0, -cos]]
}

#[test]
fn a_stage_is_over_where_it_leads_and_not_before() {
    let keypoints: Vec<_> = SCENE.iter().map(|(_, position_m)| *position_m).collect();
    let done = |program: &Program, stage: usize, hand, tilt_rad, gripper_width_m| {
        let moment = Moment {
            rotation: tilted(tilt_rad),
            gripper_width_m,
            ..Moment::at(&keypoints, &keypoints, hand)
        };
        let done = program.stages[stage].done.as_ref().unwrap();
        done.value(&moment).unwrap() >= 0.0
    };
    let open = program("open the drawer", HandAccess::WHOLE, POINTS);
    let before = [0.520, 0.246, 0.265];
    assert!(done(&open, 0, before, 0.0, 0.002));
    assert!(!done(&open, 0, before, 0.0, 0.080), "with open fingers");
    assert!(!done(&open, 0, before, 0.8, 0.002), "tilted");
    assert!(done(&open, 1, [0.520, 0.246, 0.165], 0.0, 0.002));
    assert!(!done(&open, 1, before, 0.0, 0.002));
    assert!(
        !done(&open, 2, [0.520, 0.040, 0.165], 0.0, 0.002),
        "left behind"
    );
    let mut pulled = keypoints.clone();
    pulled[12][1] -= 0.14;
    let moment = Moment::at(&pulled, &keypoints, [0.520, 0.090, 0.165]);
    let last = open.stages[2].done.as_ref().unwrap();
    assert!(last.value(&moment).unwrap() >= 0.0);

    let press = program("turn on the led", HandAccess::WHOLE, POINTS);
    assert!(done(&press, 2, [0.220, 0.340, 0.278], 0.0, 0.002));
    assert!(!done(&press, 2, [0.220, 0.340, 0.300], 0.0, 0.002));

    let lift = program("lift the red block", HandAccess::WHOLE, POINTS);
    // The fingertips are around the block's middle however the hand is tilted.
    for tilt_rad in [0.0_f64, 0.4] {
        let (sin, cos) = tilt_rad.sin_cos();
        let tool = |above: f64| [0.352, 0.324 - 0.0366 * sin, 0.221 + 0.0366 * cos + above];
        assert!(done(&lift, 0, tool(0.075), tilt_rad, 0.080));
        assert!(!done(&lift, 0, tool(0.0), tilt_rad, 0.080));
        assert!(done(&lift, 1, tool(0.0), tilt_rad, 0.080));
        assert!(!done(&lift, 1, tool(0.030), tilt_rad, 0.080));
    }
    assert!(done(&lift, 2, [0.352, 0.324, 0.257], 0.0, 0.040));
    assert!(!done(&lift, 2, [0.352, 0.324, 0.257], 0.0, 0.080));
    assert!(!done(&lift, 2, [0.352, 0.324, 0.257], 0.0, 0.005), "missed");
    assert!(
        !done(&lift, 3, [0.352, 0.324, 0.400], 0.0, 0.040),
        "left behind"
    );
    let mut raised = keypoints.clone();
    raised[1][2] += 0.08;
    let moment = Moment::at(&raised, &keypoints, [0.352, 0.324, 0.340]);
    let last = lift.stages[3].done.as_ref().unwrap();
    assert!(last.value(&moment).unwrap() >= 0.0);
}

#[test]
fn what_the_hand_cannot_reach_and_too_many_goals_are_refused() {
    let mut scene = SCENE.to_vec();
    scene[1].1[1] = 0.430;
    let author = |scene: &[(&str, [f64; 3])], instruction: &str| {
        EmbeddedAuthor
            .author(&request_in(scene, instruction))
            .unwrap_err()
    };
    let error = author(&scene, "push the red block into the drawer").to_string();
    assert!(error.contains("the slide is in the way"), "{error}");
    let error = author(
        SCENE,
        "open the drawer, turn on the led, move the slider left, turn on the light bulb and lift the pink block",
    );
    assert!(matches!(error, AuthorError::SeveralTasks { .. }), "{error}");
}

#[test]
fn programs_read_as_they_should() {
    for (name, instruction) in [
        ("open_drawer", "open the drawer"),
        ("slide_left", "move the slide left"),
        ("led_on", "turn on the led"),
        ("bulb_on", "turn on the light bulb"),
        ("lift_red", "lift the red block"),
        ("push_red", "push the red block left"),
    ] {
        let text = answer(instruction, HandAccess::POSITIONS).unwrap();
        insta::assert_snapshot!(name, text);
        let text = answer(instruction, HandAccess::WHOLE).unwrap();
        insta::assert_snapshot!(format!("{name}_with_the_whole_hand"), text);
    }
    let text = answer("rotate the red block left", HandAccess::WHOLE).unwrap();
    insta::assert_snapshot!("rotate_red_with_the_whole_hand", text);
}
