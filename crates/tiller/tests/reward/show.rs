//! Pictures, and what is said of each stage.

use std::fs;
use std::path::Path;
use std::process::Output;

use serde_json::{Value, json};

use super::{REACH, code, err, json_of, out, tiller, write};

/// A keypoint away from every symmetry of the workspace.
const TARGET: [f64; 3] = [0.6, 0.22, 0.12];

/// Writes program and scene, and shows the one in the other.
fn show(folder: &Path, program: &str, more: &[&str]) -> Output {
    let program = write(folder, "program.py", program);
    let scene = json!({
        "keypoints": [TARGET, [0.4, -0.2, 0.05]],
        "names": ["handle", "block"],
        "end_effector": [0.45, -0.05, 0.3],
    });
    let scene = write(folder, "scene.json", &scene.to_string());
    tiller(&[&["reward", "show", &program, "--scene", &scene], more].concat())
}

fn is_close(found: &Value, expected: [f64; 3], tolerance: f64) -> bool {
    let numbers = found.as_array().unwrap().iter().zip(expected);
    numbers
        .into_iter()
        .all(|(found, expected)| (found.as_f64().unwrap() - expected).abs() < tolerance)
}

#[test]
fn the_picture_is_brightest_at_the_target() {
    let folder = tempfile::tempdir().unwrap();
    let shown = folder.path().join("show");
    let output = show(
        folder.path(),
        REACH,
        &["--json", "--out", shown.to_str().unwrap()],
    );
    assert_eq!(code(&output), 0, "{}", err(&output));
    let value = json_of(&output);
    assert_eq!(value["ok"], true);
    assert_eq!(value["points"], 17);
    assert!(value["compile_ms"].as_f64().unwrap() > 0.0);
    assert_eq!(value["keypoints"][0]["name"], "handle");
    let [reach, free] = [&value["stages"][0], &value["stages"][1]];
    assert!(is_close(&reach["best_m"], TARGET, 1e-4), "{reach}");
    assert!(reach["best_reward"].as_f64().unwrap().abs() < 1e-3);
    assert!(reach["start_reward"].as_f64().unwrap() < -0.3);
    assert!(reach["buffer_bytes"].as_u64().unwrap() > 100);
    assert_eq!(reach["not_finite"], 0);
    assert_eq!(free["picture"], Value::Null);
    assert!(!shown.join("stage2.png").exists());
    let listed: Value =
        serde_json::from_str(&fs::read_to_string(shown.join("show.json")).unwrap()).unwrap();
    assert_eq!(listed, value);

    let path = reach["picture"].as_str().unwrap();
    let image = image::open(path).unwrap().to_rgb8();
    assert!(image.width() >= 1200, "{}", image.width());
    // Viridis orders by green: the panel's brightest colour is near the target's disc, which is
    // white with a dark number; compare places around it with places far away.
    let pixel = |[x, y]: [f64; 2]| {
        // Panel from above: y from -0.4 to 0.4 m across 600 pixels, x downward from 0.25 m.
        [78.0 + (y + 0.4) * 750.0, 156.0 + (x - 0.25) * 750.0].map(|place| place.round() as u32)
    };
    let green = |at: [f64; 2]| {
        let [x, y] = pixel(at);
        // The median of a neighbourhood: arrows and lines are narrow.
        let mut around: Vec<u8> = (0..169)
            .map(|index| image.get_pixel(x - 6 + index % 13, y - 6 + index / 13).0[1])
            .collect();
        around.sort_unstable();
        around[84]
    };
    let near = green([TARGET[0] - 0.04, TARGET[1] - 0.04]);
    for far in [[0.3, -0.35], [0.3, 0.1], [0.7, -0.3], [0.5, 0.0]] {
        assert!(green(far) + 20 < near, "{far:?}: {} and {near}", green(far));
    }
}

#[test]
fn each_stage_begins_where_the_one_before_ended() {
    let folder = tempfile::tempdir().unwrap();
    let program = "\
num_stages = 2
# Stage 1: above the block
def stage1_guidance(keypoints, action_sequence):
    above = keypoints[1] + torch.tensor([0.0, 0.0, 0.1])
    return -(action_sequence - above).norm(dim=-1).mean()
# Stage 2: up, wherever that is
def stage2_guidance(keypoints, action_sequence):
    return -torch.relu(0.3 - action_sequence[..., 2]).mean()
";
    let output = show(folder.path(), program, &["--json", "--no-pictures"]);
    let value = json_of(&output);
    let [first, second] = [&value["stages"][0], &value["stages"][1]];
    assert!(
        is_close(&first["start_m"], [0.45, -0.05, 0.3], 1e-12),
        "{value}"
    );
    assert!(
        is_close(&first["best_m"], [0.4, -0.2, 0.15], 1e-4),
        "{value}"
    );
    assert!(
        is_close(&second["start_m"], [0.4, -0.2, 0.15], 1e-4),
        "{value}"
    );
    // Every point above 0.3 m is as good: the nearest one is shown.
    assert!(
        is_close(&second["best_m"], [0.4, -0.2, 0.3], 0.02),
        "{value}"
    );
    assert!(!folder.path().join("reward-show").exists());
}

/// A line adds up distances on the way, so the best end lies beyond the target; the last point alone
/// does not care.
#[test]
fn the_way_to_a_point_can_be_chosen() {
    let folder = tempfile::tempdir().unwrap();
    let mean = REACH.replace("action_sequence[:, -1]", "action_sequence");
    let best = |program: &str, path: &str| {
        let output = show(
            folder.path(),
            program,
            &["--json", "--no-pictures", "--path", path],
        );
        json_of(&output)["stages"][0]["best_m"].clone()
    };
    assert!(is_close(&best(REACH, "line"), TARGET, 1e-4));
    assert!(is_close(&best(&mean, "stay"), TARGET, 1e-4));
    let beyond = best(&mean, "line");
    assert!(beyond[1].as_f64().unwrap() > TARGET[1] + 0.01, "{beyond}");
}

#[test]
fn holes_in_a_reward_are_counted() {
    let folder = tempfile::tempdir().unwrap();
    // The scene lies outside the workspace that the compiler probes.
    let program = write(
        folder.path(),
        "program.py",
        "\
num_stages = 1
def stage1_guidance(keypoints, action_sequence):
    return torch.sqrt(action_sequence[:, 1:, 0] + 0.5).mean() - action_sequence[:, -1].norm()
",
    );
    let scene = json!({"keypoints": [], "end_effector": [-0.8, 0.0, 0.2]});
    let scene = write(folder.path(), "scene.json", &scene.to_string());
    let shown = folder.path().join("show");
    let output = tiller(&[
        "reward",
        "show",
        &program,
        "--scene",
        &scene,
        "--json",
        "--out",
        shown.to_str().unwrap(),
    ]);
    assert_eq!(code(&output), 0, "{}", err(&output));
    let stage = &json_of(&output)["stages"][0];
    assert!(stage["not_finite"].as_u64().unwrap() > 100, "{stage}");
    assert_eq!(stage["start_reward"], Value::Null);
    assert!(stage["best_m"][0].as_f64().unwrap() > -0.5, "{stage}");
    assert!(shown.join("stage1.png").is_file());
}

#[test]
fn only_its_own_files_are_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let shown = folder.path().join("show");
    let again = |program: &str| show(folder.path(), program, &["--out", shown.to_str().unwrap()]);
    fs::create_dir(&shown).unwrap();
    let foreign = write(&shown, "stage1.png", "a photograph");
    let output = again(REACH);
    assert_eq!(code(&output), 2);
    assert!(
        err(&output).contains("stage1.png exists and is not from an earlier"),
        "{}",
        err(&output)
    );
    assert_eq!(fs::read_to_string(&foreign).unwrap(), "a photograph");

    fs::remove_file(&foreign).unwrap();
    let note = write(&shown, "note.txt", "mine");
    for _ in 0..2 {
        let output = again(REACH);
        assert_eq!(code(&output), 0, "{}", err(&output));
        let text = out(&output);
        for part in [
            "stage 1: reach the first keypoint",
            "reads keypoint 0 (handle)",
            "best       (0.600, 0.220, 0.120) m, reward 0",
            "none: there is no guidance to show",
        ] {
            assert!(text.contains(part), "{part}\n{text}");
        }
    }
    // A program without any guidance leaves no old picture behind.
    let free = "num_stages = 1\ndef stage1_guidance(keypoints, action_sequence):\n    return 0\n";
    assert_eq!(code(&again(free)), 0);
    assert!(!shown.join("stage1.png").exists());
    assert_eq!(fs::read_to_string(note).unwrap(), "mine");
}

#[test]
fn what_cannot_be_shown_is_explained() {
    let folder = tempfile::tempdir().unwrap();
    let program = write(folder.path(), "program.py", REACH);
    let cases = [
        (
            r#"{"keypoints": [[0, 0, "a"]]}"#,
            "`keypoints[0][2]`: expected a finite number, found a string",
        ),
        (
            r#"{"keypoints": [[0, 0, 0]], "names": []}"#,
            "`names`: expected one for each of the 1 keypoints, found 0",
        ),
        (
            r#"{"keypoints": [], "end_effector": 3}"#,
            "`end_effector`: expected [x, y, z], found a number",
        ),
    ];
    for (scene, expected) in cases {
        let scene = write(folder.path(), "scene.json", scene);
        let output = tiller(&[
            "reward",
            "show",
            &program,
            "--scene",
            &scene,
            "--no-pictures",
        ]);
        assert_eq!(code(&output), 2);
        assert!(
            err(&output).contains(expected),
            "{expected}\n{}",
            err(&output)
        );
    }
    let output = tiller(&[
        "reward",
        "show",
        &program,
        "--keypoints",
        "0",
        "--no-pictures",
    ]);
    assert_eq!(code(&output), 1);
    assert!(
        err(&output).contains("error[keypoint-index]"),
        "{}",
        err(&output)
    );
    let output = tiller(&["reward", "show", &program, "--keypoints", "0", "--json"]);
    assert_eq!(code(&output), 1);
    assert_eq!(json_of(&output)["ok"], false);
    let output = tiller(&["reward", "show", &program, "--task", "drawer_open"]);
    assert_eq!(code(&output), 2);
    assert!(err(&output).contains("--seed"), "{}", err(&output));
}

#[test]
fn a_scene_of_the_play_table_names_its_keypoints() {
    let folder = tempfile::tempdir().unwrap();
    let program = write(folder.path(), "program.py", REACH);
    let output = tiller(&[
        "reward",
        "show",
        &program,
        "--seed",
        "1",
        "--no-pictures",
        "--json",
    ]);
    assert_eq!(code(&output), 0, "{}", err(&output));
    let value = json_of(&output);
    let names: Vec<&str> = value["keypoints"]
        .as_array()
        .unwrap()
        .iter()
        .map(|keypoint| keypoint["name"].as_str().unwrap())
        .collect();
    assert!(
        names.contains(&"drawer handle") && names.contains(&"red block"),
        "{names:?}"
    );
    let target = &value["keypoints"][0]["position_m"];
    let target: Vec<f64> = serde_json::from_value(target.clone()).unwrap();
    let best = &value["stages"][0]["best_m"];
    assert!(
        is_close(best, [target[0], target[1], target[2]], 1e-4),
        "{value}"
    );
}
