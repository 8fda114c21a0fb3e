//! The command as a user meets it: output, messages, exit codes.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that panics has failed, as it should"
)]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::{Value, json};

fn tiller(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_tiller"))
        .args(arguments)
        .output()
        .unwrap()
}

fn code(output: &Output) -> i32 {
    output.status.code().unwrap()
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn wander() -> String {
    concat!(env!("CARGO_MANIFEST_DIR"), "/../../models/controls/wander").to_owned()
}

#[test]
fn help_teaches_every_command() {
    let help = out(&tiller(&["--help"]));
    for command in [
        "demos",
        "reward",
        "bench",
        "observe",
        "sample",
        "stop",
        "arm",
        "doctor",
        "vlm",
        "models",
        "calibrate",
    ] {
        assert!(help.contains(command), "{help}");
    }
    let bench = out(&tiller(&["bench", "playtable", "--help"]));
    for word in [
        "--suite",
        "--task",
        "--steer",
        "--policy",
        "--episodes",
        "--seed",
        "--json",
        "--method",
        "--methods",
        "--tuned",
        "--restart",
        "best_of_n       chunks sampled",
        "particles_50    full with 50 chunks",
        "any",
    ] {
        assert!(bench.contains(word), "{word} is missing in\n{bench}");
    }
    let nothing = tiller(&[]);
    assert_eq!(code(&nothing), 2);
    assert!(err(&nothing).contains("Usage: tiller"));
}

#[test]
fn nothing_that_is_quoted_is_hidden() {
    for (arguments, ends) in [
        (&["--\u{202e}x\u{1b}[2J"][..], 2),
        (&["vlm", "doctor", "--provider", "\u{202e}x\u{1b}[2J"], 1),
        (&["reward", "check", "no-such\u{202e}x\u{1b}[2J.py"], 2),
        (
            &["sample", "--policy", "no-such\u{202e}x\u{1b}[2J\nerror: so"],
            2,
        ),
    ] {
        let output = tiller(arguments);
        let text = out(&output) + &err(&output);
        assert_eq!(code(&output), ends, "{text}");
        assert!(!text.contains(['\u{1b}', '\u{202e}']), "{text}");
    }
    let text = err(&tiller(&["reward", "check", "a\u{202e}x\u{1b}[2J.py"]));
    assert!(text.contains(r"a\u{202e}x\u{1b}[2J.py"), "{text}");
}

#[test]
fn a_bench_report_is_written_where_it_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let line = json!({"task": "drawer_open", "suite": "articulated", "seed": 1, "success": true});
    fs::write(path("a.jsonl"), format!("{line}\noops\n")).unwrap();
    let output = tiller(&["bench", "report", &path(""), "--out", &path("page.html")]);
    assert_eq!(code(&output), 0, "{}", err(&output));
    assert!(
        out(&output).contains("steered 1/1, 100 %"),
        "{}",
        out(&output)
    );
    assert!(
        err(&output).contains("warning: a.jsonl:2"),
        "{}",
        err(&output)
    );
    let page = fs::read_to_string(path("page.html")).unwrap();
    assert!(page.starts_with("<!DOCTYPE html>"));

    let output = tiller(&["bench", "report", &path("nowhere")]);
    assert_eq!(code(&output), 2);
    assert!(
        err(&output).contains("nowhere is no folder"),
        "{}",
        err(&output)
    );
    let help = out(&tiller(&["bench", "report", "--help"]));
    assert!(
        help.contains("report.html") && help.contains("--pictures"),
        "{help}"
    );
}

#[test]
fn a_bench_that_cannot_run_says_why() {
    let output = tiller(&["bench", "playtable", "--task", "make_coffee"]);
    assert_eq!(code(&output), 2);
    assert!(err(&output).contains("drawer_open"), "{}", err(&output));

    let output = tiller(&["bench", "playtable", "--policy", "nobody"]);
    assert_eq!(code(&output), 2);
    assert!(
        err(&output).contains("no policy `nobody`"),
        "{}",
        err(&output)
    );

    for what in [["bench", "playtable"], ["policy", "bench"]] {
        let processor = ["--provider", "abacus"];
        let output = tiller(&[&what[..], &processor].concat());
        assert_eq!(code(&output), 2);
        assert!(err(&output).contains("cpu, cuda"), "{}", err(&output));
    }

    let output = tiller(&["bench", "playtable", "--method", "magic"]);
    assert_eq!(code(&output), 2);
    assert!(
        err(&output).contains("expected one of full"),
        "{}",
        err(&output)
    );

    let both = ["bench", "playtable", "--steer", "on", "--method", "full"];
    let output = tiller(&both);
    assert_eq!(code(&output), 2);
    assert!(
        err(&output).contains("cannot be used with"),
        "{}",
        err(&output)
    );

    let policy = wander();
    let strong = [
        "bench",
        "playtable",
        "--policy",
        &policy,
        "--guide-scale=-1",
    ];
    let output = tiller(&strong);
    assert_eq!(code(&output), 2);
    assert!(
        err(&output).contains("guide_scale: expected a number of at least 0"),
        "{}",
        err(&output)
    );

    let seen = [
        "bench",
        "playtable",
        "--policy",
        &policy,
        "--seed",
        "999990",
        "--episodes",
        "20",
    ];
    let output = tiller(&seen);
    assert_eq!(code(&output), 2);
    assert!(
        err(&output).contains("where the training scenes begin"),
        "{}",
        err(&output)
    );

    let free = [
        "bench",
        "playtable",
        "--policy",
        &policy,
        "--task",
        "any",
        "--steer",
        "on",
    ];
    let output = tiller(&free);
    assert_eq!(code(&output), 2);
    assert!(err(&output).contains("never steered"), "{}", err(&output));
}

#[test]
fn a_damaged_policy_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    for file in ["policy.toml", "encoder.onnx", "denoiser.onnx"] {
        fs::copy(Path::new(&wander()).join(file), folder.path().join(file)).unwrap();
    }
    let path = folder.path().join("denoiser.onnx");
    let mut bytes = fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&path, bytes).unwrap();
    let policy = folder.path().to_str().unwrap();
    let output = tiller(&[
        "bench",
        "playtable",
        "--policy",
        policy,
        "--task",
        "button_press",
        "--episodes",
        "1",
    ]);
    assert_eq!(code(&output), 2);
    assert!(err(&output).contains("sha256"), "{}", err(&output));
}

#[test]
fn demonstrations_are_written_and_training_seeds_kept_apart() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("set");
    let target = target.to_str().unwrap();
    let output = tiller(&["demos", "--out", target, "--seed", "7"]);
    assert_eq!(code(&output), 2);
    assert!(
        err(&output).contains("expected 1000000 or more"),
        "{}",
        err(&output)
    );

    let small = [
        "demos",
        "--out",
        target,
        "--episodes-per-task",
        "1",
        "--task",
        "drawer_open",
    ];
    let output = tiller(&[&small[..], &["--json"]].concat());
    assert_eq!(code(&output), 0, "{}", err(&output));
    let summary: Value = serde_json::from_str(&out(&output)).unwrap();
    assert_eq!(summary["episodes"], 1);
    assert_eq!(summary["tasks"], json!(["open the drawer"]));
    assert!(summary["frames"].as_u64().unwrap() > 15, "{summary}");
    assert!(Path::new(target).join("meta/info.json").is_file());

    let output = tiller(&small);
    assert_eq!(code(&output), 2);
    assert!(err(&output).contains("exists"), "{}", err(&output));
}

#[test]
fn models_are_listed_checked_and_timed() {
    let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."));
    let in_root = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tiller"));
        command.args(arguments).current_dir(root).output().unwrap()
    };
    let listed: Value =
        serde_json::from_str(&out(&in_root(&["models", "list", "--json"]))).unwrap();
    let names = |kind: &str| -> Vec<&str> {
        let all = listed.as_array().unwrap().iter();
        let these = all.filter(|it| it["kind"] == kind && it["bytes"].as_u64().unwrap() > 500);
        these.map(|it| it["name"].as_str().unwrap()).collect()
    };
    assert!(names("policy").contains(&"flow"), "{listed}");
    assert!(names("detector").contains(&"playtable"), "{listed}");

    let colours = "crates/grounding/tests/data/colours";
    let output = in_root(&["models", "verify", colours]);
    assert_eq!(code(&output), 0, "{}", err(&output));
    assert!(out(&output).contains("finds nothing"), "{}", out(&output));
    let picture = tempfile::tempdir().unwrap();
    let path = picture.path().join("red.png");
    image::RgbImage::from_pixel(64, 48, image::Rgb([220, 20, 20]))
        .save(&path)
        .unwrap();
    let output = in_root(&[
        "models",
        "verify",
        colours,
        "--picture",
        path.to_str().unwrap(),
    ]);
    assert!(out(&output).contains("finds red block"), "{}", out(&output));
    let timed = in_root(&[
        "models", "bench", colours, "--size", "64x48", "--calls", "2", "--json",
    ]);
    let timed: Value = serde_json::from_str(&out(&timed)).unwrap();
    assert_eq!(
        (&timed["width"], &timed["height"]),
        (&json!(64), &json!(48))
    );
    assert!(timed["look"]["median_ms"].as_f64().unwrap() > 0.0);

    let broken = picture.path().join("broken");
    fs::create_dir(&broken).unwrap();
    for name in ["learned.toml", "network.onnx"] {
        fs::copy(root.join(colours).join(name), broken.join(name)).unwrap();
    }
    fs::write(broken.join("network.onnx"), "no graph").unwrap();
    let output = in_root(&["models", "verify", broken.to_str().unwrap()]);
    assert_eq!(code(&output), 1);
    assert!(out(&output).contains("network.onnx"), "{}", out(&output));
    let output = in_root(&["models", "verify", "nothing"]);
    assert_eq!(code(&output), 2);
    assert!(err(&output).contains("playtable"), "{}", err(&output));
}

#[test]
fn a_board_is_drawn_and_pictures_without_one_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let board = [
        "--board",
        "7x5",
        "--square-m",
        "0.03",
        "--marker-m",
        "0.022",
    ];
    let print = path("board.png");
    let mut arguments = vec![
        "calibrate",
        "board",
        "--out",
        &print,
        "--pixels-per-square",
        "40",
    ];
    arguments.extend(board);
    let output = tiller(&arguments);
    assert_eq!(code(&output), 0, "{}", err(&output));
    let drawn = image::open(&print).unwrap();
    // Half a square of white around it.
    assert_eq!((drawn.width(), drawn.height()), (8 * 40, 6 * 40));

    let mut poses = serde_json::Map::new();
    for index in 0..4 {
        let name = format!("{index}.png");
        image::RgbImage::from_pixel(64, 48, image::Rgb([90; 3]))
            .save(path(&name))
            .unwrap();
        let pose = json!({ "position_m": [0.4, 0.1 * f64::from(index), 0.3], "quaternion_wxyz": [1.0, 0.0, 0.0, 0.0] });
        poses.insert(name, pose);
    }
    fs::write(path("poses.json"), Value::Object(poses).to_string()).unwrap();
    fs::remove_file(&print).unwrap();
    let (source, out_file) = (path(""), path("calibration.toml"));
    let mut arguments = vec![
        "calibrate",
        "camera",
        &source,
        "--mount",
        "base",
        "--out",
        &out_file,
    ];
    arguments.extend(board);
    let output = tiller(&arguments);
    assert_eq!(code(&output), 2, "{}", out(&output));
    assert!(err(&output).contains("board"), "{}", err(&output));
    assert!(!Path::new(&out_file).exists());
    let output = tiller(&[
        "calibrate",
        "board",
        "--out",
        "x.png",
        "--board",
        "2x5",
        "--square-m",
        "0.03",
        "--marker-m",
        "0.04",
    ]);
    assert_eq!(code(&output), 2);
}
