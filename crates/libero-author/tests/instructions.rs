//! What is understood and what is refused, in scenes as grounding sees them.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod common;

use common::{OBJECTS, SCENE, request, request_in};
use tiller_libero_author::EmbeddedAuthor;
use tiller_vlm::AuthorError;

fn understood(instruction: &str) -> String {
    words(
        EmbeddedAuthor.understand(&request(instruction)),
        instruction,
    )
}

fn words(found: Result<Vec<tiller_libero_author::Goal>, AuthorError>, instruction: &str) -> String {
    let goals = found.unwrap_or_else(|error| panic!("{instruction}: {error}"));
    let goals: Vec<_> = goals.iter().map(ToString::to_string).collect();
    goals.join("; ")
}

fn refused(instruction: &str) -> AuthorError {
    EmbeddedAuthor
        .understand(&request(instruction))
        .unwrap_err()
}

/// LIBERO-Goal's instructions and those of its perturbed suites, as their BDDL files have them.
const INSTRUCTIONS: [(&str, &str); 29] = [
    (
        "open the middle layer of the drawer",
        "open the wooden cabinet middle drawer",
    ),
    (
        "put the bowl on the stove",
        "put the akita black bowl on the flat stove",
    ),
    (
        "put the wine bottle on the top of the drawer",
        "put the wine bottle on top of the wooden cabinet",
    ),
    (
        "open the top layer of the drawer and put the bowl inside",
        "open the wooden cabinet top drawer; put the akita black bowl in the wooden cabinet top drawer",
    ),
    (
        "put the bowl on the top of the drawer",
        "put the akita black bowl on top of the wooden cabinet",
    ),
    (
        "push the plate to the front of the stove",
        "put the plate to the front of the flat stove",
    ),
    (
        "put the cream cheese on the bowl",
        "put the cream cheese on the akita black bowl",
    ),
    ("turn on the stove", "turn on the flat stove"),
    (
        "put the bowl on the plate",
        "put the akita black bowl on the plate",
    ),
    (
        "put the wine bottle on the rack",
        "put the wine bottle on the wine rack",
    ),
    (
        "open the cabinet\u{2019}s middle drawer",
        "open the wooden cabinet middle drawer",
    ),
    (
        "place the bowl on the stove",
        "put the akita black bowl on the flat stove",
    ),
    (
        "place the wine bottle on top of the cabinet",
        "put the wine bottle on top of the wooden cabinet",
    ),
    (
        "slide open the top drawer and place the bowl in it",
        "open the wooden cabinet top drawer; put the akita black bowl in the wooden cabinet top drawer",
    ),
    (
        "place the bowl on top of the cabinet",
        "put the akita black bowl on top of the wooden cabinet",
    ),
    (
        "move the plate to the stove\u{2019}s front",
        "put the plate to the front of the flat stove",
    ),
    (
        "place the cream cheese inside the bowl",
        "put the cream cheese on the akita black bowl",
    ),
    ("switch on the stove", "turn on the flat stove"),
    (
        "place the bowl on top of the plate",
        "put the akita black bowl on the plate",
    ),
    (
        "place the wine bottle on the rack",
        "put the wine bottle on the wine rack",
    ),
    (
        "open the bottom drawer of the cabinet",
        "open the wooden cabinet bottom drawer",
    ),
    (
        "put the plate on the stove",
        "put the plate on the flat stove",
    ),
    (
        "put the wine bottle in the bowl",
        "put the wine bottle on the akita black bowl",
    ),
    (
        "open the top layer of the drawer and put the cream cheese inside",
        "open the wooden cabinet top drawer; put the cream cheese in the wooden cabinet top drawer",
    ),
    (
        "put the plate on the top of the drawer",
        "put the plate on top of the wooden cabinet",
    ),
    (
        "push the cream cheese to the front of the stove",
        "put the cream cheese to the front of the flat stove",
    ),
    ("turn off the stove", "turn off the flat stove"),
    (
        "put the wine bottle on the plate",
        "put the wine bottle on the plate",
    ),
    (
        "put the cream cheese on the rack",
        "put the cream cheese on the wine rack",
    ),
];

#[test]
fn the_suites_instructions_are_understood() {
    for (instruction, expected) in INSTRUCTIONS {
        assert_eq!(understood(instruction), expected, "{instruction}");
    }
}

#[test]
fn things_of_other_colours_are_the_same_things() {
    let find = |instruction: &str| {
        let request = request_in(OBJECTS, instruction);
        words(EmbeddedAuthor.understand(&request), instruction)
    };
    for (instruction, expected) in [
        (
            "put the bowl on the stove",
            "put the bigger akita black bowl on the yellow stove",
        ),
        (
            "put the wine bottle on the top of the drawer",
            "put the white bottle on top of the yellow cabinet",
        ),
        (
            "put the cream cheese on the bowl",
            "put the red cream cheese on the bigger akita black bowl",
        ),
        (
            "put the wine bottle on the rack",
            "put the white bottle on the brown rack",
        ),
        ("open the top drawer", "open the yellow cabinet top drawer"),
        (
            "push the yellow plate to the front of the stove",
            "put the yellow plate to the front of the yellow stove",
        ),
    ] {
        assert_eq!(find(instruction), expected, "{instruction}");
    }
}

#[test]
fn other_words_say_the_same() {
    for (instruction, expected) in [
        ("Please turn the stove on.", "turn on the flat stove"),
        (
            "could you switch the flat stove off?",
            "turn off the flat stove",
        ),
        ("turn the stove's knob on", "turn on the flat stove"),
        (
            "pull the middle drawer out",
            "open the wooden cabinet middle drawer",
        ),
        (
            "push the top drawer in",
            "close the wooden cabinet top drawer",
        ),
        (
            "close the bottom drawer",
            "close the wooden cabinet bottom drawer",
        ),
        ("pick up the bowl", "pick up the akita black bowl"),
        (
            "pick up the black bowl and place it on the plate",
            "put the akita black bowl on the plate",
        ),
        (
            "set the cheese onto the plate",
            "put the cream cheese on the plate",
        ),
        (
            "move the bowl in front of the stove",
            "put the akita black bowl to the front of the flat stove",
        ),
        (
            "put the plate on the wooden cabinet",
            "put the plate on top of the wooden cabinet",
        ),
        (
            "open the top drawer, then put the cheese into the top drawer",
            "open the wooden cabinet top drawer; put the cream cheese in the wooden cabinet top drawer",
        ),
        (
            "put the bowl on the plate and turn on the stove",
            "put the akita black bowl on the plate; turn on the flat stove",
        ),
        (
            "take the wine bottle to the rack",
            "put the wine bottle on the wine rack",
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
    says("open the middle drawer halfway", "\"halfway\"");
    says(
        "put the bowl gently on the plate",
        "\"gently on the plate\"",
    );
    says("open the fridge", "\"the fridge\"");
    says("put the bowl on the moon", "\"the moon\"");
    says(
        "put the bowl and the plate on the stove",
        "\"and the plate on the stove\"",
    );
    says(
        "put the plate on the cream cheese",
        "I cannot put things on the cream cheese",
    );
    says("put the bowl in the bowl", "I cannot put it on the bowl");
    says("lift the cabinet", "I cannot lift the cabinet");
    says("put the red bowl on the plate", "there is no red bowl");
    says("put the bowl", "where to put the akita black bowl");
    says("open", "what to open");
    says("put it on the plate", "what `it` is");
    says("", "the instruction is empty");
}

#[test]
fn negations_are_refused() {
    for instruction in [
        "don't open the top drawer",
        "do not put the bowl on the plate",
        "put the bowl on the plate without touching the bottle",
        "never turn on the stove",
        "put the bowl on the plate, not on the stove",
        "don\u{2019}t turn on the stove",
    ] {
        let error = refused(instruction);
        assert!(
            matches!(error, AuthorError::Negated { .. }),
            "{instruction}: {error}"
        );
    }
}

#[test]
fn several_readings_are_asked_about() {
    for instruction in [
        "open the drawer",
        "turn the stove",
        "put the bowl in the cabinet",
    ] {
        let error = refused(instruction);
        assert!(
            matches!(error, AuthorError::Ambiguous { .. }),
            "{instruction}: {error}"
        );
    }
}

#[test]
fn nothing_is_assumed_that_no_keypoint_shows() {
    for (gone, instruction) in [
        ("plate", "put the bowl on the plate"),
        ("akita black bowl", "put the bowl on the plate"),
        ("flat stove", "put the bowl on the stove"),
        ("flat stove knob", "turn on the stove"),
        ("wooden cabinet middle drawer", "open the middle drawer"),
        ("wine rack", "put the bottle on the rack"),
        ("wooden cabinet", "put the bowl on top of the cabinet"),
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
    assert!(can.0.len() >= 8, "{can}");
    for instruction in can.0 {
        assert!(!understood(&instruction).is_empty(), "{instruction}");
    }
}
