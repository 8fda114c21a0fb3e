//! What the numbers of a frame are: of an arm whose hand keeps its orientation, and of one that turns it.

use tiller_core::{ActionLayout, Pose, StateComponent};
use tiller_motion::{ActionStep, Chunk};
use tiller_world::HandStep;

use crate::rig::POLICY_RATE_HZ;

/// Names of a state's numbers: position (m), the first two columns of the hand's rotation matrix in the base
/// frame, opening of the fingers (m).
pub(super) fn state_names(turns_hand: bool) -> &'static [&'static str] {
    if turns_hand {
        &[
            "x",
            "y",
            "z",
            "r00",
            "r10",
            "r20",
            "r01",
            "r11",
            "r21",
            "gripper_width",
        ]
    } else {
        &["x", "y", "z", "gripper_width"]
    }
}

/// Names of an action's numbers: displacement (m) and rotation vector (rad) in the base frame, gripper from -1
/// (close) to +1 (open).
pub(super) fn action_names(turns_hand: bool) -> &'static [&'static str] {
    if turns_hand {
        &["dx", "dy", "dz", "rx", "ry", "rz", "gripper"]
    } else {
        &["dx", "dy", "dz", "gripper"]
    }
}

pub(super) fn state(base_from_tool: &Pose, gripper_width_m: f64, turns_hand: bool) -> Vec<f32> {
    let components: &[StateComponent] = if turns_hand {
        &[
            StateComponent::Position,
            StateComponent::Rotation6d,
            StateComponent::GripperWidth,
        ]
    } else {
        StateComponent::DEFAULT
    };
    let mut state = Vec::new();
    StateComponent::write(components, base_from_tool, gripper_width_m, &mut state);
    state
}

pub(super) fn action(step: &HandStep, turns_hand: bool) -> Vec<f32> {
    let numbers = numbers(step, turns_hand).into_iter();
    numbers.map(|number| number as f32).collect()
}

/// The step as a plan of its own.
pub(super) fn chunk(anchor: Pose, step: &HandStep, turns_hand: bool) -> Chunk {
    if !turns_hand {
        let step = ActionStep {
            delta_position_m: step.delta_m,
            gripper: step.gripper,
        };
        return Chunk::of_displacements(anchor, POLICY_RATE_HZ, &[step]);
    }
    Chunk {
        seq: 0,
        stamp_ns: 0,
        anchor,
        layout: ActionLayout::pose_deltas(7, [0, 1, 2], [3, 4, 5], Some(6), POLICY_RATE_HZ),
        execute_steps: 1,
        actions: numbers(step, turns_hand),
        continues: None,
    }
}

fn numbers(step: &HandStep, turns_hand: bool) -> Vec<f64> {
    let mut numbers = step.delta_m.to_vec();
    if turns_hand {
        numbers.extend(step.rotation_rad);
    }
    numbers.push(step.gripper);
    numbers
}

#[cfg(test)]
mod tests {
    use super::*;

    const STEP: HandStep = HandStep {
        delta_m: [0.01, 0.02, 0.03],
        rotation_rad: [0.1, 0.2, 0.3],
        gripper: -1.0,
    };

    #[test]
    fn every_number_has_a_name_and_its_place() {
        // A quarter turn about z: the hand's x is the base's y.
        let half = std::f64::consts::FRAC_1_SQRT_2;
        let pose = Pose {
            position_m: [0.5, 0.0, 0.2],
            quaternion_wxyz: [half, 0.0, 0.0, half],
        };
        let turned = state(&pose, 0.08, true);
        let expected = [0.5, 0.0, 0.2, 0.0, 1.0, 0.0, -1.0, 0.0, 0.0, 0.08];
        assert_eq!(turned.len(), state_names(true).len());
        for (found, expected) in turned.iter().zip(expected) {
            assert!((found - expected).abs() < 1e-6, "{turned:?}");
        }
        assert_eq!(state(&pose, 0.08, false), [0.5, 0.0, 0.2, 0.08]);
        assert_eq!(action(&STEP, true), [0.01, 0.02, 0.03, 0.1, 0.2, 0.3, -1.0]);
        assert_eq!(action(&STEP, false), [0.01, 0.02, 0.03, -1.0]);
        assert_eq!(action_names(true).len(), 7);
        assert_eq!(action_names(false).len(), 4);
    }

    #[test]
    fn a_step_s_plan_is_sound_and_as_wide_as_its_numbers() {
        for turns_hand in [false, true] {
            let plan = chunk(Pose::IDENTITY, &STEP, turns_hand);
            assert!(plan.layout.problems().is_empty());
            assert_eq!(plan.actions.len(), plan.layout.dim);
            assert_eq!(plan.execute_steps, 1);
        }
    }
}
