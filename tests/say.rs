//! A running dataflow gets its next instruction.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that panics has failed, as it should"
)]

mod common;

use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use common::{Running, root, start_dataflow, summary};

/// Waits until the run's summary tells that this instruction has succeeded.
fn wait_for(running: &Running, instruction: &str) {
    let begin = Instant::now();
    loop {
        let summary = summary(running.folder.path()).unwrap_or_default();
        if summary["instruction"] == instruction && summary["outcome"] == "success" {
            return;
        }
        assert!(
            begin.elapsed() < Duration::from_secs(180),
            "`{instruction}` does not succeed: {summary:#}"
        );
        thread::sleep(Duration::from_millis(200));
    }
}

#[test]
fn a_running_dataflow_takes_the_next_instruction_without_a_restart() {
    let running = start_dataflow(
        &[
            ("TILLER_INSTRUCTION", "open the drawer"),
            ("TILLER_SEED", "1"),
            ("TILLER_EPISODES", "0"),
        ],
        400,
    );
    wait_for(&running, "open the drawer");
    let folder = running.folder.path().to_str().unwrap().to_owned();
    let said = Command::new(root().join("target/release/tiller"))
        .args(["say", "--run-dir", &folder, "press the button"])
        .output()
        .unwrap();
    assert!(
        said.status.success(),
        "{}",
        String::from_utf8_lossy(&said.stderr)
    );
    wait_for(&running, "press the button");
    let run = running.stop();
    let summary = run.summary();
    assert_eq!(summary["task"], "button_press", "{summary:#}");
    assert_eq!(summary["episodes"][0]["outcome"], "success", "{summary:#}");
}
