//! What a bundle asks to be told of the robot's own state.

use tiller_core::StateComponent;
use tiller_policy::{BundleError, Supply};

use crate::common::Copy;

const STATE: &str = "source = \"robot_state\"\nshape = [4]\n";
const NUMBERS: &str = "mean = [0.4, 0.0, 0.2, 0.04]\nstd = [0.1, 0.2, 0.1, 0.04]";

/// The tiny bundle with components in its state of `width` numbers.
fn asking(components: &str, width: usize) -> Copy {
    let copy = Copy::new();
    let shape = format!("source = \"robot_state\"\ncomponents = {components}\nshape = [{width}]\n");
    copy.edit(STATE, &shape);
    let ones = vec!["1.0"; width].join(", ");
    copy.edit(NUMBERS, &format!("mean = [{ones}]\nstd = [{ones}]"));
    copy
}

fn problems(error: BundleError) -> Vec<String> {
    match error {
        BundleError::Invalid { problems, .. } => {
            problems.found.iter().map(ToString::to_string).collect()
        }
        other => panic!("{other}"),
    }
}

#[test]
fn a_bundle_says_what_it_is_to_be_told() {
    use StateComponent::{Fingers, GripperWidth, Position, Rotation6d, RotationVector};
    for (components, width, expected) in [
        (
            "[\"position\", \"rotation_6d\", \"gripper_width\"]",
            10,
            vec![Position, Rotation6d, GripperWidth],
        ),
        (
            "[\"fingers\", \"position\", \"rotation_vector\"]",
            8,
            vec![Fingers, Position, RotationVector],
        ),
    ] {
        let bundle = asking(components, width).load().unwrap();
        assert_eq!(bundle.manifest().robot_state(), expected);
    }
    let silent = Copy::new().load().unwrap();
    assert_eq!(silent.manifest().robot_state(), StateComponent::DEFAULT);
}

#[test]
fn every_mistake_in_components_is_told() {
    let found = |components, width| problems(asking(components, width).load().unwrap_err());
    assert_eq!(
        found("[\"position\", \"rotation_6d\", \"gripper_width\"]", 4),
        [
            "observation `observation.state`.shape: expected [10], what its components hold, found \
             [4]"
        ]
    );
    assert_eq!(
        found("[\"position\", \"velocity\", \"position\"]", 4),
        [
            "observation `observation.state`.components[1]: expected `position` or `rotation_6d` or \
             `rotation_vector` or `gripper_width` or `fingers`, found `velocity`",
            "observation `observation.state`.components[2]: expected each component once, found \
             `position` again",
        ]
    );
    assert_eq!(
        found("[]", 4)[0],
        "observation `observation.state`.components: expected at least one component, found none"
    );
}

#[test]
fn only_the_robots_own_state_has_components() {
    let copy = asking("[\"position\", \"gripper_width\"]", 4);
    copy.edit("\"robot_state\"", "\"environment_state\"");
    assert_eq!(
        problems(copy.load().unwrap_err()),
        [
            "observation `observation.state`.components: expected no such key with the source \
             `environment_state`, found [\"position\", \"gripper_width\"]"
        ]
    );
    let copy = Copy::new();
    copy.edit(
        "source = \"wrist\"\n",
        "source = \"wrist\"\ncomponents = [\"position\"]\n",
    );
    let found = problems(copy.load().unwrap_err());
    assert!(
        found[0].contains("no such key with the source `wrist`"),
        "{found:?}"
    );
}

#[test]
fn a_program_with_a_robot_can_show_every_component() {
    let bundle = asking("[\"position\", \"rotation_6d\", \"gripper_width\"]", 10)
        .load()
        .unwrap();
    let supply = Supply {
        cameras: &["static", "wrist"],
        state: 4,
        environment: 0,
        instruction: false,
    };
    bundle.check_supply(&supply).unwrap();
    let blind = Supply { state: 0, ..supply };
    let found = problems(bundle.check_supply(&blind).unwrap_err());
    assert!(
        found[0].ends_with("`robot_state`, which nothing here shows"),
        "{found:?}"
    );
}
