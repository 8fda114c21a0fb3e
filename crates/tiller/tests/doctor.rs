//! `tiller doctor` as a user meets it, with an emulated robot.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that panics has failed, as it should"
)]

use std::process::{Command, Output};

use serde_json::Value;
use tiller_fci_emulator::{Config, Emulator, Event, FciVersion};

fn doctor(settings: &[(&str, &str)]) -> (Output, Value) {
    let folder = tempfile::tempdir().unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_tiller"))
        .args(["doctor", "--json"])
        .current_dir(folder.path())
        .envs(settings.iter().copied())
        .output()
        .unwrap();
    let found = serde_json::from_slice(&output.stdout).unwrap_or_default();
    (output, found)
}

/// State and words of a check.
fn check(found: &Value, name: &str) -> (String, String) {
    let checks = found["checks"].as_array().unwrap();
    let one = checks.iter().find(|one| one["check"] == name);
    let one = one.unwrap_or_else(|| panic!("no `{name}` in {found:#}"));
    let word = |key: &str| one[key].as_str().unwrap().to_owned();
    (word("state"), word("found"))
}

#[test]
fn a_robot_and_its_hand_are_looked_at_and_told_nothing() {
    for (version, name) in [(FciVersion::V10, "Fr3"), (FciVersion::V5, "Panda")] {
        let emulator = Emulator::start(&Config {
            version,
            ..Config::default()
        })
        .unwrap();
        let (robot, hand) = (emulator.address(), emulator.gripper_address());
        let (_, found) = doctor(&[
            ("TILLER_FRANKA_ADDRESS", &robot),
            ("TILLER_FRANKA_HAND_ADDRESS", &hand),
            ("TILLER_REAL_TIME", "without"),
        ]);
        let (state, words) = check(&found, "robot");
        assert_eq!(state, "ok", "{found:#}");
        assert!(
            words.contains(name) && words.contains("mode Idle"),
            "{words}"
        );
        assert!(words.contains("connected in"), "{words}");
        assert!(
            check(&found, "states").1.contains("99 % within"),
            "{found:#}"
        );
        let (state, words) = check(&found, "hand");
        assert_eq!(
            (state.as_str(), words.contains("never homed")),
            ("warning", true),
            "{words}"
        );
        // This program was built against it.
        assert_eq!(check(&found, "MuJoCo").0, "ok", "{found:#}");
        check(&found, "clocks");
        let log = emulator.log();
        // One that speaks another version turns the first try away.
        let is_look = |event: &Event| {
            matches!(
                event,
                Event::Connected | Event::Disconnected | Event::TurnedAway { .. }
            )
        };
        assert!(log.iter().all(|entry| is_look(&entry.event)), "{log:?}");
        assert_eq!(emulator.counters().commands, 0);
    }
}

#[test]
fn what_is_wrong_is_a_problem_with_what_to_do_and_an_exit_code() {
    let (output, found) = doctor(&[
        // Nobody listens at that port.
        ("TILLER_FRANKA_ADDRESS", "127.0.0.1:9"),
        ("TILLER_CAMERAS", "static=v4l2:/dev/no-such-camera"),
        ("TILLER_REAL_TIME", "without"),
    ]);
    assert_eq!(output.status.code(), Some(1), "{found:#}");
    assert_eq!(found["ok"], false);
    for name in ["robot", "hand", "camera static", "calibration"] {
        assert_eq!(check(&found, name).0, "problem", "{found:#}");
    }
    let checks = found["checks"].as_array().unwrap();
    let bad = checks.iter().filter(|one| one["state"] != "ok");
    for one in bad {
        assert!(!one["todo"].as_str().unwrap().is_empty(), "{one}");
    }
}

#[test]
fn mistakes_in_the_settings_are_told() {
    let (output, found) = doctor(&[("TILLER_FRANKA_HAND", "maybe")]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        check(&found, "settings").1.contains("TILLER_FRANKA_HAND"),
        "{found:#}"
    );
}

#[test]
fn without_hardware_nothing_is_a_problem_that_belongs_to_it() {
    let (_, found) = doctor(&[]);
    for name in ["kernel", "rtprio", "memlock", "robot", "cameras"] {
        assert_ne!(check(&found, name).0, "problem", "{found:#}");
    }
    let (state, _) = check(&found, "ONNX Runtime");
    assert_eq!(state, "ok", "{found:#}");
}
