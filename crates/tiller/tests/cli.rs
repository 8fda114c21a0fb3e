//! The command as a user meets it: output, messages, exit codes.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that panics has failed, as it should"
)]

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};

const REACH: &str = "\
num_stages = 2

# Stage 1: reach the first keypoint
def stage1_guidance(keypoints, action_sequence):
    return -(action_sequence[:, -1] - keypoints[0]).norm(dim=-1).mean()

def stage1_done(keypoints, start_keypoints, end_effector):
    return 0.02 - (end_effector - keypoints[0]).norm()

# Stage 2: let the policy work
def stage2_guidance(keypoints, action_sequence):
    return 0
";

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

fn write(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

fn wander() -> String {
    concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/wander").to_owned()
}

#[test]
fn help_teaches_every_command() {
    let help = out(&tiller(&["--help"]));
    for command in ["demos", "reward", "bench"] {
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
        "any",
    ] {
        assert!(bench.contains(word), "{word} is missing in\n{bench}");
    }
    let nothing = tiller(&[]);
    assert_eq!(code(&nothing), 2);
    assert!(err(&nothing).contains("Usage: tiller"));
}

#[test]
fn a_sound_program_is_accepted() {
    let folder = tempfile::tempdir().unwrap();
    let program = write(folder.path(), "program.py", REACH);
    let output = tiller(&["reward", "check", &program]);
    assert_eq!(code(&output), 0, "{}", err(&output));
    let text = out(&output);
    assert!(text.starts_with("ok: 2 stage(s)"), "{text}");
    assert!(
        text.contains("1: reach the first keypoint, with a done function"),
        "{text}"
    );
    assert!(
        text.contains("2: let the policy work, no guidance"),
        "{text}"
    );

    let output = tiller(&["reward", "check", &program, "--json"]);
    let value: Value = serde_json::from_str(&out(&output)).unwrap();
    assert_eq!(value["ok"], true);
    assert_eq!(value["stages"][1]["guided"], false);
}

#[test]
fn a_program_with_errors_is_refused_with_places() {
    let folder = tempfile::tempdir().unwrap();
    let text = REACH.replace("keypoints[0]).norm(dim=-1)", "keypoints[7]).norm(dim=-1)");
    let program = write(folder.path(), "program.py", &text);
    let output = tiller(&["reward", "check", &program, "--keypoints", "3"]);
    assert_eq!(code(&output), 1);
    let text = out(&output);
    assert!(
        text.contains("error[keypoint-index]") && text.contains("line 5"),
        "{text}"
    );

    let output = tiller(&["reward", "check", &program, "--keypoints", "3", "--json"]);
    assert_eq!(code(&output), 1);
    let value: Value = serde_json::from_str(&out(&output)).unwrap();
    assert_eq!(value["ok"], false);
    assert_eq!(value["errors"].as_array().unwrap().len(), 1);
}

#[test]
fn a_program_comes_from_standard_input_too() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_tiller"))
        .args(["reward", "check", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(REACH.as_bytes())
        .unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(code(&output), 0);
}

#[test]
fn values_and_gradients_are_those_of_the_formula() {
    let folder = tempfile::tempdir().unwrap();
    let program = write(folder.path(), "program.py", REACH);
    let inputs = json!({
        "keypoints": [[0.5, 0.0, 0.1]],
        "trajectories": [
            [[0.4, 0.0, 0.3], [0.5, 0.3, 0.5]],
            [[0.4, 0.0, 0.3], [0.5, 0.0, 0.3]],
        ],
    });
    let inputs = write(folder.path(), "inputs.json", &inputs.to_string());
    let output = tiller(&["reward", "eval", &program, "--inputs", &inputs]);
    assert_eq!(code(&output), 0, "{}", err(&output));
    let value: Value = serde_json::from_str(&out(&output)).unwrap();
    let stage = &value["stages"][0];
    assert_eq!(stage["stage"], 1);
    // Offsets (0, 0.3, 0.4) and (0, 0, 0.2) from the keypoint; the reward falls along them.
    let close = |found: &Value, expected: f64| (found.as_f64().unwrap() - expected).abs() < 1e-12;
    assert!(
        close(&stage["values"][0], -0.5) && close(&stage["values"][1], -0.2),
        "{stage}"
    );
    for (axis, expected) in [0.0, -0.6, -0.8].into_iter().enumerate() {
        assert!(close(&stage["gradients"][0][1][axis], expected), "{stage}");
        assert!(close(&stage["gradients"][0][0][axis], 0.0), "{stage}");
    }
    assert_eq!(value["stages"][1]["values"], json!([0.0, 0.0]));
}

#[test]
fn wrong_inputs_are_explained() {
    let folder = tempfile::tempdir().unwrap();
    let program = write(folder.path(), "program.py", REACH);
    let cases = [
        (
            json!({"keypoints": [[0, 0, 0]], "trajectories": []}),
            "`trajectories` is empty",
        ),
        (
            json!({"keypoints": [], "trajectories": [[[0, 0, 0]], [[0, 0, 0], [1, 1, 1]]]}),
            "trajectory 1: expected 1 points as in trajectory 0, found 2",
        ),
        (
            json!({"keypoints": [[0, 0]], "trajectories": []}),
            "does not hold the inputs",
        ),
    ];
    for (inputs, expected) in cases {
        let inputs = write(folder.path(), "inputs.json", &inputs.to_string());
        let output = tiller(&["reward", "eval", &program, "--inputs", &inputs]);
        assert_eq!(code(&output), 2);
        assert!(err(&output).contains(expected), "{}", err(&output));
    }
    let output = tiller(&["reward", "check", "/nowhere/program.py"]);
    assert_eq!(code(&output), 2);
    assert!(
        err(&output).contains("cannot read /nowhere/program.py"),
        "{}",
        err(&output)
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

    let policy = wander();
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
