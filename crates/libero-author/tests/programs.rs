//! What the programs are: that they compile for every hand, and what they read.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod common;

use common::{OBJECTS, SCENE, request_in};
use tiller_libero_author::EmbeddedAuthor;
use tiller_reward::{Access, CompileOptions, HandAccess, Moment, Program, compile};
use tiller_vlm::{Author, AuthorError, AuthorRequest};

const POINTS: usize = 17;
const FINGERS: HandAccess = HandAccess {
    rotations: Access::Read,
    gripper: Access::Guide,
};

fn answer(scene: &[(&str, [f64; 3])], instruction: &str, hand: HandAccess) -> String {
    let request = AuthorRequest {
        hand,
        ..request_in(scene, instruction)
    };
    let answer = EmbeddedAuthor.author(&request);
    answer
        .unwrap_or_else(|error| panic!("{instruction}: {error}"))
        .text
}

fn program(text: &str, hand: HandAccess, points: usize) -> Program {
    let options = CompileOptions {
        hand,
        ..CompileOptions::new(SCENE.len(), points)
    };
    compile(text, &options).unwrap_or_else(|errors| panic!("{}\n{text}", errors.render(text)))
}

/// One instruction of every kind.
const KINDS: [&str; 17] = [
    "put the bowl on the plate",
    "put the bowl on the stove",
    "put the bowl on top of the cabinet",
    "put the bowl on the rack",
    "put the cheese in the bowl",
    "put the cheese on the plate",
    "put the bottle on top of the cabinet",
    "put the bottle in the bowl",
    "put the plate to the front of the stove",
    "put the plate in the top drawer",
    "pick up the bottle",
    "open the top drawer",
    "close the middle drawer",
    "turn on the stove",
    "turn off the stove",
    "open the top drawer and put the bowl inside",
    "put the cheese in the bowl and put the bowl on the plate",
];

#[test]
fn every_program_compiles_for_every_hand() {
    for scene in [SCENE, OBJECTS] {
        for instruction in KINDS {
            for hand in [HandAccess::POSITIONS, FINGERS, HandAccess::WHOLE] {
                let text = answer(scene, instruction, hand);
                for points in [2, POINTS] {
                    let program = program(&text, hand, points);
                    assert!(program.stages.len() <= 16);
                    let is_over = program.stages.iter().all(|stage| stage.done.is_some());
                    assert!(is_over, "{instruction}");
                }
            }
        }
    }
}

#[test]
fn rewards_read_of_the_hand_what_they_may_move() {
    let reads = |instruction: &str, hand| {
        let program = program(&answer(SCENE, instruction, hand), hand, POINTS);
        let reads = program.stages.iter().map(|stage| stage.guidance.reads());
        let reads: Vec<_> = reads
            .map(|reads| (reads.rotations, reads.gripper))
            .collect();
        (
            reads.iter().any(|(rotations, _)| *rotations),
            reads.iter().all(|(_, gripper)| *gripper),
        )
    };
    let both = "open the top drawer and put the bowl inside";
    assert_eq!(reads(both, HandAccess::POSITIONS), (false, false));
    assert_eq!(reads(both, FINGERS), (false, true));
    assert_eq!(reads(both, HandAccess::WHOLE), (true, true));
    let put = reads("put the bowl on the plate", HandAccess::WHOLE);
    assert_eq!(put, (true, true), "the hand is to stay down");
}

#[test]
fn a_stage_is_over_where_it_leads_and_not_before() {
    let text = answer(SCENE, "put the bowl on the plate", HandAccess::POSITIONS);
    let program = program(&text, HandAccess::POSITIONS, POINTS);
    let mut keypoints: Vec<_> = SCENE.iter().map(|(_, position_m)| *position_m).collect();
    let done = |stage: usize, keypoints: &[[f64; 3]], hand, gripper_width_m| {
        let moment = Moment {
            gripper_width_m,
            ..Moment::at(keypoints, keypoints, hand)
        };
        let done = program.stages[stage].done.as_ref().unwrap();
        done.value(&moment).unwrap() >= 0.0
    };
    // Either side of the rim, a centimetre off at most.
    let (left, right) = ([0.573, 0.057, 0.022], [0.573, -0.047, 0.022]);
    for hand in [left, right] {
        assert!(done(1, &keypoints, hand, 0.08));
        let [x, y, z] = hand;
        assert!(done(1, &keypoints, [x + 0.008, y, z + 0.008], 0.08));
        assert!(!done(1, &keypoints, [x, y, z + 0.030], 0.08));
        assert!(!done(1, &keypoints, [x, 0.005, z], 0.08), "over its middle");
    }
    assert!(done(2, &keypoints, left, 0.005) && !done(2, &keypoints, left, 0.03));
    assert!(
        !done(3, &keypoints, [0.573, 0.057, 0.2], 0.005),
        "left behind"
    );
    keypoints[0][2] += 0.06;
    assert!(done(3, &keypoints, [0.573, 0.057, 0.1], 0.005));
    // Over the plate when the bowl is, wherever its rim is held.
    keypoints[0] = [0.684, -0.017, 0.117];
    assert!(done(4, &keypoints, [0.699, 0.035, 0.141], 0.005));
    assert!(done(4, &keypoints, [0.699, -0.069, 0.141], 0.005));
    keypoints[0] = [0.624, -0.017, 0.117];
    assert!(!done(4, &keypoints, [0.639, 0.035, 0.141], 0.005));
}

#[test]
fn what_the_hand_cannot_reach_and_too_many_goals_are_refused() {
    let mut turned = SCENE.to_vec();
    for (name, position_m) in &mut turned {
        if name.ends_with("drawer") {
            position_m[1] = -0.326;
        }
    }
    let author = |scene: &[(&str, [f64; 3])], instruction: &str| {
        EmbeddedAuthor
            .author(&request_in(scene, instruction))
            .unwrap_err()
    };
    let error = author(&turned, "open the top drawer").to_string();
    assert!(
        error.contains("the cabinet that faces the other way is in the way"),
        "{error}"
    );
    let error = author(SCENE, "open the bottom drawer").to_string();
    assert!(error.contains("the table is in the way"), "{error}");
    let error = author(
        SCENE,
        "open the top drawer and put the bowl inside and put the cheese inside",
    );
    assert!(matches!(error, AuthorError::SeveralTasks { .. }), "{error}");
}

#[test]
fn programs_read_as_they_should() {
    for (name, instruction) in [
        ("bowl_on_plate", "put the bowl on the plate"),
        (
            "bottle_on_cabinet",
            "put the wine bottle on top of the cabinet",
        ),
        ("middle_drawer", "open the middle drawer"),
        ("stove_on", "turn on the stove"),
    ] {
        let text = answer(SCENE, instruction, HandAccess::POSITIONS);
        insta::assert_snapshot!(name, text);
        let text = answer(SCENE, instruction, HandAccess::WHOLE);
        insta::assert_snapshot!(format!("{name}_with_the_whole_hand"), text);
    }
}
