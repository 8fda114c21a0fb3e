//! The calibration file, and folders of pictures.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod common;

use std::fs;
use std::path::Path;

use common::{Random, board, lens, rig, setup};
use image::GrayImage;
use tiller_calibration::{
    CameraFileError, Mount, ReadError, Solution, read_folder, size_of, solve, write_camera,
};
use toml::{Table, Value};

fn solution(mount: Mount) -> Solution {
    let views = rig(mount).views(8, 0.0, &mut Random::new(60));
    solve(&views, &setup(mount, Some(lens()))).unwrap()
}

fn read(path: &Path) -> Table {
    fs::read_to_string(path).unwrap().parse().unwrap()
}

fn numbers(table: &Value, key: &str) -> Vec<f64> {
    let items = table.get(key).unwrap().as_array().unwrap().iter();
    items
        .map(|item| {
            item.as_float()
                .unwrap_or_else(|| item.as_integer().unwrap() as f64)
        })
        .collect()
}

#[test]
fn a_camera_takes_the_place_of_its_table_and_of_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("calibration.toml");
    let before = "[static]\nposition_m = [0, 0, 0]\nquaternion_wxyz = [1, 0, 0, 0]\nclock_offset_ns = -3_000_000\n\
                  world = 3\n[wrist]\nfocal = [400, 400.5]\n";
    fs::write(&path, before).unwrap();
    let solution = solution(Mount::Base);
    write_camera(&path, "static", &solution).unwrap();
    let tables = read(&path);
    assert_eq!(numbers(&tables["wrist"], "focal"), [400.0, 400.5]);
    let camera = &tables["static"];
    assert_eq!(numbers(camera, "size"), [640.0, 480.0]);
    assert_eq!(numbers(camera, "focal"), [602.0, 598.0]);
    assert_eq!(numbers(camera, "principal_point"), [331.0, 236.0]);
    assert_eq!(camera["clock_offset_ns"].as_integer(), Some(-3_000_000));
    assert!(camera.get("world").is_none());
    for (found, wanted) in numbers(camera, "position_m")
        .iter()
        .zip(solution.camera.position_m)
    {
        assert!((found - wanted).abs() < 1e-6);
    }
    let quaternion = numbers(camera, "quaternion_wxyz");
    for (found, wanted) in quaternion.iter().zip(solution.camera.quaternion_wxyz) {
        assert!((found - wanted).abs() < 1e-9);
    }
}

#[test]
fn a_camera_on_the_hand_has_keys_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("new.toml");
    let solution = solution(Mount::Hand);
    write_camera(&path, "wrist", &solution).unwrap();
    let tables = read(&path);
    let keys: Vec<&str> = tables["wrist"]
        .as_table()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    let wanted = [
        "focal",
        "hand_position_m",
        "hand_quaternion_wxyz",
        "principal_point",
        "size",
    ];
    assert_eq!(keys, wanted);
    // A camera that moves to a stand has no place on the hand any more.
    write_camera(&path, "wrist", &self::solution(Mount::Base)).unwrap();
    assert!(read(&path)["wrist"].get("hand_position_m").is_none());
}

#[test]
fn what_is_no_calibration_file_stays_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notes.txt");
    let solution = solution(Mount::Base);
    for text in ["these are notes", "static = 3"] {
        fs::write(&path, text).unwrap();
        let error = write_camera(&path, "static", &solution).unwrap_err();
        assert!(
            matches!(error, CameraFileError::NotACalibration { .. }),
            "{error}"
        );
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
    }
    for name in ["", "a.b", "a b", "]"] {
        let error = write_camera(&path, name, &solution).unwrap_err();
        assert!(matches!(error, CameraFileError::Name { .. }), "{error}");
    }
    assert!(write_camera(folder.path(), "static", &solution).is_err());
}

#[test]
fn a_folder_is_read_with_its_poses() {
    let folder = tempfile::tempdir().unwrap();
    let poses = r#"{"b.png": {"position_m": [1, 2, 3], "quaternion_wxyz": [1, 0, 0, 0]},
                    "a.png": {"position_m": [0, 0, 0.5], "quaternion_wxyz": [0, 1, 0, 0]}}"#;
    fs::write(folder.path().join("poses.json"), poses).unwrap();
    let picture = board().picture(24);
    picture.save(folder.path().join("a.png")).unwrap();
    GrayImage::new(20, 30)
        .save(folder.path().join("b.png"))
        .unwrap();
    let mut heard = Vec::new();
    let shots = read_folder(folder.path(), &board(), |done, of| heard.push((done, of))).unwrap();
    assert_eq!(heard, [(1, 2), (2, 2)]);
    assert_eq!(
        (shots[0].view.name.as_str(), shots[1].view.name.as_str()),
        ("a.png", "b.png")
    );
    assert_eq!(shots[0].picture, picture);
    assert_eq!(shots[1].view.base_from_tool.position_m, [1.0, 2.0, 3.0]);
    let told = size_of(&shots).unwrap_err().to_string();
    assert!(
        told.contains("b.png") && told.contains("found 20 x 30"),
        "{told}"
    );
    assert_eq!(size_of(&shots[..1]).unwrap(), Some([192, 144]));
}

#[test]
fn a_folder_that_is_wrong_is_told_what_is() {
    let folder = tempfile::tempdir().unwrap();
    let read = || read_folder(folder.path(), &board(), |_, _| {});
    assert!(matches!(read(), Err(ReadError::File(_))));
    let write = |poses: &str| fs::write(folder.path().join("poses.json"), poses).unwrap();
    write("[1, 2]");
    let told = read().unwrap_err().to_string();
    assert!(
        told.contains("position_m") && told.contains("quaternion_wxyz"),
        "{told}"
    );
    write(
        r#"{"a.png": {"position_m": [0, 0, 0], "quaternion_wxyz": [0, 0, 0, 0]},
            "b.png": {"position_m": [0, 0, 0], "quaternion_wxyz": [2, 0, 0, 0]}}"#,
    );
    let told = read().unwrap_err().to_string();
    assert!(told.contains("a.png") && told.contains("b.png"), "{told}");
    let sound = |name: &str| {
        format!(r#"{{"{name}": {{"position_m": [0, 0, 0], "quaternion_wxyz": [1, 0, 0, 0]}}}}"#)
    };
    write(&sound("../a.png"));
    assert!(
        read()
            .unwrap_err()
            .to_string()
            .contains("out of its folder")
    );
    write(&sound("c.png"));
    fs::write(folder.path().join("c.png"), "no picture").unwrap();
    let told = read().unwrap_err().to_string();
    assert!(
        told.contains("c.png") && told.contains("a PNG file"),
        "{told}"
    );
}
