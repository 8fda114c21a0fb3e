//! Trajectories of whole actions and their gradients: numbers from PyTorch's autograd.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod support;

use serde_json::Value;
use support::golden::{assert_close, fixture, numbers};
use tiller_core::{
    ActionLayout, ActionMode, ArmColumns, GripperColumn, Pose, RotationColumns, RotationKind,
};
use tiller_steering::{ActionSpace, Start, Trajectories, TrajectoriesMut, TrajectoryMap};

const TOLERANCE: f64 = 1e-9;

fn columns(value: &Value) -> Vec<usize> {
    numbers(value)
        .iter()
        .map(|column| *column as usize)
        .collect()
}

fn array<const N: usize>(value: &Value) -> [f64; N] {
    numbers(value).try_into().unwrap()
}

fn layout(value: &Value) -> ActionLayout {
    let arm = if value["joints"].is_null() {
        let kind = value["kind"].as_str();
        ArmColumns::Pose {
            position: columns(&value["position"]).try_into().unwrap(),
            rotation: kind.map(|kind| RotationColumns {
                columns: columns(&value["rotation"]),
                kind: RotationKind::from_name(kind).unwrap(),
            }),
        }
    } else {
        ArmColumns::Joints(columns(&value["joints"]).try_into().unwrap())
    };
    let number = |name: &str| value[name].as_f64().unwrap();
    let gripper = &value["gripper"];
    ActionLayout {
        dim: number("dim") as usize,
        arm,
        gripper: Some(GripperColumn {
            column: gripper["column"].as_u64().unwrap() as usize,
            open: gripper["open"].as_f64().unwrap(),
            closed: gripper["closed"].as_f64().unwrap(),
        }),
        mode: ActionMode::from_name(value["mode"].as_str().unwrap()).unwrap(),
        position_m_per_unit: number("position_m_per_unit"),
        rotation_rad_per_unit: number("rotation_rad_per_unit"),
        clip: value["clip"].as_f64(),
        rate_hz: number("rate_hz"),
        ignored: columns(&value["ignored"]),
    }
}

#[test]
fn every_mode_and_spelling_agrees() {
    let fixture = fixture("trajectories.json");
    let size = |name: &str| fixture[name].as_u64().unwrap() as usize;
    let cases = fixture["cases"].as_array().unwrap();
    // Three modes of poses with five spellings and none, two of joints; clipped and not.
    assert_eq!(cases.len(), 2 * (3 * 6 + 2));
    let mut clipped = 0;
    for case in cases {
        let single =
            |name: &str| -> Vec<f32> { numbers(&case[name]).iter().map(|n| *n as f32).collect() };
        let space = ActionSpace {
            layout: layout(&case["layout"]),
            scale: single("scale"),
            offset: single("offset"),
        };
        let name = format!("{:?}", space.layout);
        assert_eq!(space.validate(), Ok(()), "{name}");
        let from = &case["start"];
        let start = Start {
            pose: Pose {
                position_m: array(&from["position_m"]),
                quaternion_wxyz: array(&from["quaternion_wxyz"]),
            },
            opening: from["opening"].as_f64().unwrap(),
            joints_rad: Some(array(&from["joints_rad"])),
        };
        let mut map =
            TrajectoryMap::<f64>::new(&space, size("horizon"), size("start"), size("steps"));
        let samples = numbers(&case["samples"]);
        let expected = |part: &str| numbers(&case["trajectories"][part]);
        let mut found =
            ["positions", "rotations", "gripper"].map(|part| vec![0.0; expected(part).len()]);
        let [positions, rotations, gripper] = &mut found;
        let out = TrajectoriesMut {
            positions,
            rotations,
            gripper,
        };
        map.forward(&samples, &start, out);
        for (part, found) in ["positions", "rotations", "gripper"].iter().zip(&found) {
            assert_close(
                &format!("{part} of {name}"),
                found,
                &expected(part),
                TOLERANCE,
            );
        }
        let cotangents =
            ["positions", "rotations", "gripper"].map(|part| numbers(&case["cotangents"][part]));
        let [positions, rotations, gripper] = &cotangents;
        let cotangents = Trajectories {
            positions,
            rotations,
            gripper,
        };
        let mut gradient = vec![9.0; samples.len()];
        map.adjoint(&samples, &start, &cotangents, &mut gradient);
        let expected = numbers(&case["gradient"]);
        assert_close(
            &format!("gradient of {name}"),
            &gradient,
            &expected,
            TOLERANCE,
        );
        let without = |values: &[f64]| values.iter().filter(|g| **g == 0.0).count();
        assert_eq!(without(&gradient), without(&expected), "{name}");
        clipped += usize::from(space.layout.clip.is_some());
    }
    assert_eq!(clipped, 20);
}
