//! What is understood and what is refused, in scenes as grounding sees them.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod common;

use common::{SCENE, request, request_in};
use tiller_calvin_author::EmbeddedAuthor;
use tiller_vlm::AuthorError;

fn understood(instruction: &str) -> String {
    let goals = EmbeddedAuthor.understand(&request(instruction));
    let goals = goals.unwrap_or_else(|error| panic!("{instruction}: {error}"));
    let goals: Vec<_> = goals.iter().map(ToString::to_string).collect();
    goals.join("; ")
}

fn refused(instruction: &str) -> AuthorError {
    EmbeddedAuthor
        .understand(&request(instruction))
        .unwrap_err()
}

/// Wordings of each behaviour, in the manner of CALVIN's annotations.
const WORDINGS: &[(&str, &[&str])] = &[
    (
        "open the drawer",
        &[
            "open the drawer",
            "pull the handle to open the drawer",
            "grasp the handle of the drawer and open it",
            "grasp the drawer handle, then open the drawer",
            "take hold of the drawer's handle and pull it",
            "pull the drawer",
            "pull the drawer handle",
            "pull open the drawer",
            "pull the drawer out",
            "slide the drawer open",
            "go open the drawer",
            "use the drawer handle to open the drawer",
            "Could you please open the drawer?",
        ],
    ),
    (
        "close the drawer",
        &[
            "close the drawer",
            "push the handle to close the drawer",
            "push the drawer",
            "push the drawer in",
            "push the drawer closed",
            "grasp the handle of the drawer and close it",
            "push the handle of the drawer",
            "shut the drawer",
            "go close the drawer",
            "slide the drawer shut",
        ],
    ),
    (
        "move the slide left",
        &[
            "move the slider left",
            "move the slide left",
            "push the sliding door to the left side",
            "push the sliding door to the left",
            "slide the door to the left",
            "move the door all the way to the left",
            "grasp the door handle, then slide the door to the left",
            "grasp the handle of the sliding door and move it to the left side",
            "pull the handle to move the sliding door to the left",
            "push the handle to the left",
        ],
    ),
    (
        "move the slide right",
        &[
            "move the slider right",
            "push the sliding door to the right side",
            "slide the door to the right",
            "grasp the door handle and move the door to the right",
            "move the sliding door towards the right",
            "drag the slide handle rightwards",
        ],
    ),
    (
        "turn on the led",
        &[
            "turn on the led",
            "turn the led on",
            "turn on the green light",
            "turn on the green lamp",
            "press the button to turn on the led light",
            "push the button to turn on the light",
            "push down the button to turn on the led",
            "go push the button to turn on the green light",
            "toggle the button to turn on the led",
            "press the button and turn on the led",
        ],
    ),
    (
        "turn off the led",
        &[
            "turn off the led",
            "switch the led off",
            "press the button to turn off the led light",
            "push the button to turn off the green light",
            "press down the button in order to turn off the led lamp",
        ],
    ),
    (
        "press the button",
        &["press the button", "push down the button", "hit the button"],
    ),
    (
        "turn on the light bulb",
        &[
            "turn on the light bulb",
            "turn on the lightbulb",
            "turn on the yellow light",
            "turn on the yellow lamp",
            "use the switch to turn on the light bulb",
            "use the light switch to turn on the light",
            "move up the switch to turn on the light bulb",
            "move the switch upwards",
            "slide up the switch",
            "push the switch up",
            "toggle the light switch to turn on the yellow light",
            "grasp the switch and move it up",
            "turn on the switch",
        ],
    ),
    (
        "turn off the light bulb",
        &[
            "turn off the light bulb",
            "use the switch to turn off the light bulb",
            "turn off the yellow lamp",
            "slide down the switch",
            "push the switch downwards",
            "move the light switch down to turn off the bulb",
            "turn the light bulb off",
        ],
    ),
    (
        "lift the red block",
        &[
            "lift the red block",
            "lift up the red block",
            "lift the red block up",
            "pick up the red block",
            "pick up the red block from the table",
            "grasp and lift the red block",
            "grasp the red block and lift it up",
            "grasp the red block, then lift it up",
            "grasp the red block from the table",
            "raise the red cube",
            "lift the red block lying on the table",
            "lift the red block up from the table",
        ],
    ),
    (
        "lift the pink block",
        &[
            "take the pink block from the table",
            "grab the pink block",
            "grasp the pink block lying on the table and lift it",
        ],
    ),
    (
        "lift the blue block",
        &[
            "lift the blue block",
            "lift the blue block from the sliding cabinet",
            "take the blue block off the shelf",
            "pick up the blue block from behind the sliding door",
            "grasp the block in the slider",
        ],
    ),
    (
        "push the red block left",
        &[
            "push the red block to the left",
            "push the red block towards the left",
            "slide the red block to the left side",
            "sweep the red block left",
        ],
    ),
    (
        "push the pink block right",
        &[
            "push the pink block to the right",
            "move the pink block right",
        ],
    ),
    (
        "rotate the red block left",
        &[
            "rotate the red block left",
            "rotate the red block to the left",
            "take the red block and rotate it left",
            "grasp the red block and turn it to the left",
            "rotate the red block 90 degrees to the left",
            "turn the red block counterclockwise",
        ],
    ),
    (
        "rotate the pink block right",
        &[
            "take the pink block and rotate it to the right",
            "spin the pink block clockwise",
        ],
    ),
    (
        "push the red block into the drawer",
        &[
            "push the red block into the drawer",
            "slide the red block into the drawer",
            "sweep the red block in the drawer",
            "slide the red block that it falls into the drawer",
        ],
    ),
];

#[test]
fn many_wordings_are_understood() {
    let mut count = 0;
    for (expected, wordings) in WORDINGS {
        for instruction in *wordings {
            assert_eq!(understood(instruction), *expected, "{instruction}");
            count += 1;
        }
        // The canonical words are understood too.
        assert_eq!(understood(expected), *expected);
    }
    assert!(count > 100, "{count}");
}

#[test]
fn requests_are_joined() {
    for (instruction, expected) in [
        (
            "open the drawer and push the red block into the drawer",
            "open the drawer; push the red block into the drawer",
        ),
        (
            "press the button and then open the drawer",
            "press the button; open the drawer",
        ),
        (
            "turn on the led, then turn it off",
            "turn on the led; turn off the led",
        ),
        (
            "lift the red block and rotate it left",
            "lift the red block; rotate the red block left",
        ),
        (
            "grasp the red block and open the drawer",
            "lift the red block; open the drawer",
        ),
        (
            "move the slider left, then take the blue block from the shelf",
            "move the slide left; lift the blue block",
        ),
    ] {
        assert_eq!(understood(instruction), expected, "{instruction}");
    }
}

#[test]
fn what_is_not_understood_is_quoted_back() {
    let says = |instruction: &str, words: &str| {
        let text = refused(instruction).to_string();
        let before = text.split("; I can").next().unwrap_or_default();
        assert!(before.contains(words), "{instruction}: {text}");
    };
    says("make coffee", "I do not know how to make coffee");
    says("open the drawer halfway", "\"halfway\"");
    says("open the fridge", "\"the fridge\"");
    says("lift the red block gently", "\"gently\"");
    says("lift the red block from the fridge", "\"from the fridge\"");
    says("lift the green block", "there is no green block");
    says(
        "lift the red block from the shelf",
        "there is no red block on the shelf",
    );
    says(
        "lift the red block from the drawer",
        "there is no red block in the drawer",
    );
    says("lift the drawer", "I cannot lift the drawer");
    says("rotate the button left", "I cannot rotate the button");
    says("open", "what to open");
    says("lift it", "what `it` is");
    says(
        "grasp the drawer handle",
        "what to do with the drawer handle",
    );
    says("use the red block", "I cannot use the block");
    says("push the red block onto the moon", "\"onto the moon\"");
    says(
        "pull the handle to close the drawer",
        "\"to close the drawer\"",
    );
    says(
        "press the button to turn on the light bulb",
        "\"to turn on the light bulb\"",
    );
    says(
        "move up the switch to turn off the light",
        "\"to turn off the light bulb\"",
    );
    says("push up the button", "\"up\"");
    says("open the drawer down", "\"down\"");
    says(
        "place the red block in the drawer",
        "I do not know how to place",
    );
    says(
        "push the red block to the left to the right",
        "\"to the right\"",
    );
    says("", "the instruction is empty");
}

#[test]
fn negations_are_refused() {
    for instruction in [
        "don't open the drawer",
        "turn on the led without touching the red block",
        "never close the drawer",
        "push the red block left, not right",
    ] {
        let error = refused(instruction);
        let is_negated = matches!(error, AuthorError::Negated { .. });
        assert!(is_negated, "{instruction}: {error}");
    }
}

#[test]
fn several_readings_are_asked_about() {
    for instruction in [
        "turn on the light",
        "lift the block",
        "move the slider",
        "open the sliding door",
        "push the red block",
        "rotate the red block",
        "toggle the switch",
        "move the drawer",
        "turn the light bulb",
        "pull the handle",
    ] {
        let error = refused(instruction);
        let is_ambiguous = matches!(error, AuthorError::Ambiguous { .. });
        assert!(is_ambiguous, "{instruction}: {error}");
    }
}

#[test]
fn nothing_is_assumed_that_no_keypoint_shows() {
    for (gone, instruction) in [
        ("drawer handle", "open the drawer"),
        ("slide handle", "move the slider left"),
        ("button", "turn on the led"),
        ("led", "turn on the led"),
        ("switch", "turn on the light bulb"),
        ("light", "turn on the light bulb"),
        ("red block", "lift the red block"),
        ("drawer handle", "push the red block into the drawer"),
    ] {
        let scene: Vec<_> = SCENE
            .iter()
            .copied()
            .filter(|(name, _)| *name != gone)
            .collect();
        let error = EmbeddedAuthor
            .understand(&request_in(&scene, instruction))
            .unwrap_err();
        let is_missing = matches!(error, AuthorError::ObjectNotInScene { .. });
        assert!(is_missing, "{instruction} without {gone}: {error}");
    }
}

#[test]
fn every_ability_that_is_offered_is_understood() {
    let AuthorError::Empty { can } = refused("  ") else {
        panic!("not empty");
    };
    assert!(can.0.len() >= 9, "{can}");
    for instruction in can.0 {
        assert!(!understood(&instruction).is_empty(), "{instruction}");
    }
}
