//! The detector `learned`, with a network that knows colours: `tests/data/colours/make.py`.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod common;

use std::path::{Path, PathBuf};

use common::{Picture, SIDE, Solid, distance, find, render, scene};
use tiller_grounding::{FrameView, Grounder, GroundingConfig, Keypoint, Needs, find_network};

const RED: [f64; 3] = [0.46, 0.02, 0.02];
const OTHER_RED: [f64; 3] = [0.42, -0.10, 0.02];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/colours")
}

fn config(model: &Path) -> GroundingConfig {
    GroundingConfig {
        detector: "learned".to_owned(),
        model: Some(model.to_owned()),
        ..GroundingConfig::default()
    }
}

fn grounder() -> Grounder {
    Grounder::new(config(&folder())).unwrap()
}

/// Colour and depth, and nothing else.
fn frame(picture: &Picture, stamp_ns: u64) -> FrameView<'_> {
    FrameView {
        segmentation: None,
        labels: &[],
        ..picture.frame(stamp_ns)
    }
}

/// The scene with a second red block.
fn twins() -> Vec<Solid> {
    let mut solids = scene();
    let other = Solid {
        centre: OTHER_RED,
        ..find(&mut solids, 3).clone()
    };
    solids.push(other);
    solids
}

fn named<'a>(keypoints: &'a [Keypoint], name: &str) -> &'a Keypoint {
    let found = keypoints.iter().find(|keypoint| keypoint.name == name);
    found.unwrap_or_else(|| panic!("{name} among {keypoints:?}"))
}

#[test]
fn things_are_found_and_named_by_colour_and_depth_alone() {
    let picture = render(&scene());
    let mut grounder = grounder();
    let needs = Needs {
        depth: true,
        segmentation: false,
    };
    assert_eq!(grounder.needs(), needs);
    let keypoints = grounder.ground(&frame(&picture, 0)).unwrap();
    assert_eq!(keypoints.len(), 2, "{keypoints:?}");
    let red = named(keypoints, "red block");
    assert!(distance(red.position_m, RED) < 0.025, "{red:?}");
}

#[test]
fn two_of_a_kind_are_numbered_from_the_robot_s_left_and_stay_who_they_are() {
    let mut solids = twins();
    let mut grounder = grounder();
    let keypoints = grounder.ground(&frame(&render(&solids), 0)).unwrap();
    let one = named(keypoints, "red block 1").position_m;
    let other = named(keypoints, "red block 2").position_m;
    assert!(distance(one, RED) < 0.025 && distance(other, OTHER_RED) < 0.025);
    // The first goes around the second to its other side.
    for step in 1..=20_u32 {
        let x = 0.46 + 0.012 * f64::from(step.min(10));
        find(&mut solids, 3).centre = [x, 0.02 - 0.012 * f64::from(step), 0.02];
        let stamp_ns = 100_000_000 * u64::from(step);
        grounder.track(&frame(&render(&solids), stamp_ns)).unwrap();
    }
    let gone = find(&mut solids, 3).centre;
    let keypoints = grounder.keypoints();
    let one = named(keypoints, "red block 1");
    assert!(
        distance(one.position_m, gone) < 0.03,
        "{one:?}, at {gone:?}"
    );
    let other = named(keypoints, "red block 2");
    assert!(distance(other.position_m, OTHER_RED) < 0.025, "{other:?}");
}

#[test]
fn what_is_hidden_is_not_seen_and_is_found_elsewhere_when_it_shows() {
    let mut solids = scene();
    let mut grounder = grounder();
    grounder.ground(&frame(&render(&solids), 0)).unwrap();
    // A board before the camera's way to the block.
    let board = Solid {
        label: 0,
        centre: [0.56, 0.02, 0.12],
        half: [0.005, 0.06, 0.06],
        rgb: [90, 90, 90],
    };
    solids.push(board);
    let keypoints = grounder.track(&frame(&render(&solids), 100)).unwrap();
    let red = named(keypoints, "red block");
    assert!(
        !red.visible && distance(red.position_m, RED) < 0.025,
        "{red:?}"
    );
    solids.pop();
    let there = [0.40, 0.20, 0.02];
    find(&mut solids, 3).centre = there;
    let keypoints = grounder.track(&frame(&render(&solids), 200)).unwrap();
    let red = named(keypoints, "red block");
    assert!(
        red.visible && distance(red.position_m, there) < 0.025,
        "{red:?}"
    );
}

#[test]
fn a_thing_behind_a_bar_is_one_and_specks_of_its_colour_are_nothing() {
    let mut solids = scene();
    let bar = Solid {
        label: 0,
        centre: [0.50, 0.02, 0.06],
        half: [0.002, 0.006, 0.06],
        rgb: [90, 90, 90],
    };
    let speck = Solid {
        label: 0,
        centre: [0.40, 0.30, 0.004],
        half: [0.003; 3],
        ..find(&mut solids, 3).clone()
    };
    solids.extend([bar, speck]);
    let mut grounder = grounder();
    let keypoints = grounder.ground(&frame(&render(&solids), 0)).unwrap();
    let red = named(keypoints, "red block");
    assert!(distance(red.position_m, RED) < 0.025, "{red:?}");
    assert_eq!(keypoints.len(), 2, "{keypoints:?}");
    // Nor where there is nothing else of it.
    solids.retain(|solid| solid.label != 3);
    let keypoints = grounder.ground(&frame(&render(&solids), 100)).unwrap();
    assert_eq!(keypoints.len(), 1, "{keypoints:?}");
}

#[test]
fn pictures_of_another_size_are_scaled() {
    let picture = render(&scene());
    let mut grounder = grounder();
    let at_home = grounder.ground(&frame(&picture, 0)).unwrap().to_vec();
    let view = frame(&picture, 0);
    // The same picture at twice the size.
    let twice = |index: usize| (index / (2 * SIDE) / 2) * SIDE + (index % (2 * SIDE)) / 2;
    let pixels = 4 * SIDE * SIDE;
    let rgb: Vec<u8> = (0..pixels)
        .flat_map(|at| picture.rgb[3 * twice(at)..3 * twice(at) + 3].to_vec())
        .collect();
    let depth_mm: Vec<u16> = (0..pixels).map(|at| picture.depth_mm[twice(at)]).collect();
    let large = FrameView {
        width: 2 * SIDE,
        height: 2 * SIDE,
        rgb: &rgb,
        depth_mm: Some(&depth_mm),
        focal: view.focal.map(|n| 2.0 * n),
        principal_point: view.principal_point.map(|n| 2.0 * n),
        ..view
    };
    let found = grounder.ground(&large).unwrap();
    assert_eq!(found.len(), at_home.len());
    for (large, small) in found.iter().zip(&at_home) {
        assert!(distance(large.position_m, small.position_m) < 0.003);
    }
}

#[test]
fn forgetting_is_beginning_anew() {
    let picture = render(&twins());
    let mut grounder = grounder();
    let first = grounder.ground(&frame(&picture, 0)).unwrap().to_vec();
    grounder.forget().unwrap();
    assert_eq!(grounder.generation(), 0);
    assert!(grounder.track(&frame(&picture, 100)).is_err());
    assert_eq!(grounder.ground(&frame(&picture, 200)).unwrap(), first);
    assert_eq!(grounder.generation(), 1);
}

#[test]
fn networks_are_found_by_name_and_what_is_not_sound_is_refused_with_all_that_is_wrong() {
    let root = tempfile::tempdir().unwrap();
    let shelf = root.path().join("models/detectors/colours");
    std::fs::create_dir_all(&shelf).unwrap();
    let network = folder().join("network.onnx");
    std::fs::copy(&network, shelf.join("network.onnx")).unwrap();
    let sound = std::fs::read_to_string(folder().join("learned.toml")).unwrap();
    let write = |text: &str| std::fs::write(shelf.join("learned.toml"), text).unwrap();
    write(&sound);
    let deep = root.path().join("a/b");
    std::fs::create_dir_all(&deep).unwrap();
    assert_eq!(find_network("colours", &deep).unwrap(), shelf);
    let error = find_network("shapes", &deep).unwrap_err().to_string();
    assert!(
        error.contains("colours") && error.contains("`shapes`"),
        "{error}"
    );

    let refused = |text: &str| {
        write(text);
        Grounder::new(config(&shelf)).err().unwrap().to_string()
    };
    let wrong = sound
        .replace("schema = 1", "schema = 7")
        .replace("rows = 256", "rows = 250")
        .replace("most = 2", "most = 0")
        .replace("\"blue block\"", "\"red block\"");
    let told = refused(&wrong);
    for key in ["schema", "rows", "class.most", "class.name"] {
        assert!(told.contains(key), "{told}");
    }
    assert!(refused(&sound.replace("stride", "strides")).contains("learned.toml"));
    let hash = sound
        .lines()
        .find_map(|line| line.split("sha256 = \"").nth(1))
        .unwrap();
    let hash = hash.trim_end_matches("\" }");
    assert!(refused(&sound.replace(hash, &"0".repeat(64))).contains("network.onnx"));
    let nothing = GroundingConfig {
        model: None,
        ..config(&shelf)
    };
    assert!(Grounder::new(nothing).is_err());
}
