//! Runs the real `dataflow.yml` with the real simulator, as `cargo xtask demo` does.
//!
//! The executables and the private `.venv` must exist: `cargo xtask test` prepares both.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that panics has failed, as it should"
)]

mod common;

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use common::{root, run_dataflow};

fn picture_size(path: &PathBuf) -> u64 {
    fs::metadata(path)
        .map(|metadata| metadata.len())
        .unwrap_or(0)
}

#[test]
fn steering_opens_the_drawer() {
    let run = run_dataflow(
        &[
            ("TILLER_INSTRUCTION", "open the drawer"),
            ("TILLER_SEED", "1"),
        ],
        400,
    );
    let summary = run.summary();
    assert_eq!(summary["outcome"], "success", "{summary:#}\n{}", run.log);
    assert_eq!(summary["task"], "drawer_open");
    assert!(run.status.success(), "{}", run.log);
    for name in [
        "annotated.png",
        "contact_sheet.png",
        "episode.gif",
        "plot.png",
    ] {
        let path = run.folder.path().join(name);
        assert!(picture_size(&path) > 2_000, "{name} is missing or empty");
    }
    let program = fs::read_to_string(run.folder.path().join("program.py")).unwrap();
    assert!(program.contains("def stage1_guidance("), "{program}");
}

/// Half as fast as in life, so that a busy machine has the time to plan.
#[test]
fn the_arm_keeps_moving_from_chunk_to_chunk() {
    let motion_with = |ahead: &str| {
        let run = run_dataflow(
            &[
                ("TILLER_INSTRUCTION", "open the drawer"),
                ("TILLER_SPEED", "0.5"),
                ("TILLER_PLAN_AHEAD_STEPS", ahead),
            ],
            400,
        );
        let summary = run.summary();
        let safety = &summary["notices"]["safety"];
        for gap in ["not_continuing", "anchor_gap", "stale"] {
            assert!(safety[gap].is_null(), "{safety}\n{}", run.log);
        }
        let number = |name: &str| summary["motion"][name].as_u64().unwrap();
        (number("chunks"), number("rests"))
    };
    let (chunks, rests) = motion_with("auto");
    assert!(chunks >= 4, "{chunks} chunks");
    assert!(rests <= 1, "{rests} rests between {chunks} chunks");
    // The same measure sees the rests where there are some.
    let (chunks, rests) = motion_with("0");
    assert!(rests >= 3, "{rests} rests between {chunks} chunks");
}

#[test]
fn an_instruction_that_nobody_understands_ends_the_dataflow() {
    let run = run_dataflow(&[("TILLER_INSTRUCTION", "make coffee")], 120);
    assert!(!run.status.success(), "{}", run.log);
    assert_eq!(run.summary()["outcome"], "refused");
    assert!(run.log.contains("make coffee"), "{}", run.log);
}

#[test]
fn a_missing_policy_is_named_and_ends_the_dataflow() {
    let run = run_dataflow(&[("TILLER_POLICY", "/nowhere/bundle")], 120);
    assert!(!run.status.success(), "{}", run.log);
    assert!(run.log.contains("/nowhere/bundle"), "{}", run.log);
}

#[test]
fn every_wrong_setting_is_reported_at_once() {
    let run = run_dataflow(&[("TILLER_SEED", "many"), ("TILLER_EPISODE_S", "-3")], 120);
    assert!(!run.status.success(), "{}", run.log);
    for name in ["SEED", "EPISODE_S"] {
        assert!(run.log.contains(name), "{name} is not named:\n{}", run.log);
    }
}

#[test]
fn a_variable_that_nobody_reads_is_met_with_the_nearest_one() {
    let run = run_dataflow(&[("TILLER_VLM_MODLE", "sk-0123456789")], 120);
    assert!(!run.status.success(), "{}", run.log);
    let said = "TILLER_VLM_MODLE: expected a variable that is read, such as TILLER_VLM_MODEL";
    assert!(run.log.contains(said), "{}", run.log);
    assert!(!run.log.contains("sk-0123456789"), "{}", run.log);
}

#[test]
fn the_dataflows_are_typed_and_valid() {
    for file in [
        "dataflow.yml",
        "dataflows/calvin.yml",
        "dataflows/distributed.yml",
        "dataflows/emulated-franka.yml",
        "dataflows/hardware.yml",
        "dataflows/libero.yml",
    ] {
        is_typed_and_valid(file);
    }
}

fn is_typed_and_valid(file: &str) {
    let search = std::env::var("PATH").unwrap_or_default();
    let output = Command::new(root().join(".venv/bin/dora"))
        .args(["validate", file])
        .current_dir(root())
        .env(
            "PATH",
            format!("{}:{search}", root().join(".venv/bin").display()),
        )
        .output()
        .expect("`dora` starts: run `cargo xtask test` first");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "{said}{}",
        String::from_utf8_lossy(&output.stdout)
    );
}
