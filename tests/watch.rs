//! A running dataflow is watched, and its end is told.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that panics has failed, as it should"
)]

mod common;

use std::path::Path;
use std::process::{Command, Output};
use std::thread;
use std::time::{Duration, Instant};

use common::{root, start_dataflow};
use serde_json::Value;

fn watch(folder: &Path, more: &[&str]) -> Output {
    Command::new(root().join("target/release/tiller"))
        .arg("watch")
        .arg("--run-dir")
        .arg(folder)
        .args(more)
        .output()
        .unwrap()
}

fn live(folder: &Path) -> Option<Value> {
    let seen = watch(folder, &["--once", "--json"]);
    serde_json::from_slice(&seen.stdout).ok()
}

#[test]
fn a_run_is_watched_while_it_goes_on_and_its_end_is_an_exit_code() {
    let running = start_dataflow(&[("TILLER_SEED", "1")], 300);
    let folder = running.folder.path().to_owned();
    let none = watch(&folder.join("elsewhere"), &["--once"]);
    assert_eq!(none.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&none.stderr).contains("no dataflow runs in"));
    let begin = Instant::now();
    loop {
        let seen = live(&folder).unwrap_or_default();
        let moves = seen["arm"]["chunks"].as_u64() > Some(1);
        if moves && seen["ended"].is_null() {
            assert!(seen["stage"]["of"].as_u64() > Some(0), "{seen:#}");
            let ports = seen["ports"].as_array().unwrap();
            let images = ports.iter().find(|port| port["name"] == "world/image");
            assert!(images.unwrap()["hz"].as_f64() > Some(1.0), "{seen:#}");
            break;
        }
        assert!(begin.elapsed() < Duration::from_secs(180), "{seen:#}");
        thread::sleep(Duration::from_millis(200));
    }
    // Watches on until the end.
    let seen = watch(&folder, &["--interval", "0.3"]);
    let text = String::from_utf8_lossy(&seen.stdout);
    assert_eq!(seen.status.code(), Some(0), "{text}");
    assert!(text.matches("LATENCY").count() > 1, "{text}");
    assert!(
        text.contains("ENDED") && text.contains("image to keypoints"),
        "{text}"
    );
    let run = running.end();
    assert_eq!(run.summary()["outcome"], "success", "{}", run.log);
    assert_eq!(
        watch(&folder, &["--once"]).status.code(),
        Some(0),
        "it stays known"
    );
}
