//! Processes that are stopped for good (SIGSTOP): the run ends, and says which one it was.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that panics has failed, as it should"
)]

mod common;

use std::thread::sleep;
use std::time::{Duration, Instant};

use common::{Run, Running, process, signal, start_dataflow};

/// Stops a process of the run once the arm moves, and lets the run come to its end.
fn stop(what: &str, run: Running) -> Run {
    let begin = Instant::now();
    let moves = |summary: serde_json::Value| summary["stages"][0].is_object();
    while !common::summary(run.folder.path()).is_some_and(moves) {
        assert!(begin.elapsed() < Duration::from_secs(60), "it never moved");
        sleep(Duration::from_millis(50));
    }
    let pid = process(run.folder.path(), what).expect("the process is there");
    signal("-STOP", &pid);
    run.end()
}

#[test]
fn a_stopped_node_ends_the_run_which_names_it() {
    let settings = [
        ("TILLER_INSTRUCTION", "lift the red block"),
        ("TILLER_EPISODE_S", "60"),
    ];
    let run = stop("release/franka-actuator", start_dataflow(&settings, 100));
    let summary = run.summary();
    assert_ne!(run.status.code(), Some(124), "{}", run.log);
    assert_eq!(summary["outcome"], "failed", "{summary:#}");
    let reason = summary["reason"].as_str().unwrap();
    assert!(reason.contains("`franka-actuator`"), "{reason}");
    let waited = summary["waiting_for"]["world"].as_str().unwrap();
    assert!(waited.contains("arm_command"), "{waited}");
}

/// dora watches no operator: the sampler does, for a sign of life that comes every second.
#[test]
fn a_stopped_stage_switcher_holds_the_arm_and_is_named() {
    let settings = [
        ("TILLER_INSTRUCTION", "lift the red block"),
        ("TILLER_EPISODE_S", "12"),
        ("DORA_FINISH_DRAIN_GRACE_SECS", "5"),
    ];
    let run = stop("dora.start_runtime", start_dataflow(&settings, 100));
    let summary = run.summary();
    assert_ne!(run.status.code(), Some(124), "{}", run.log);
    assert_eq!(summary["outcome"], "timeout", "{summary:#}");
    let reason = summary["reason"].as_str().unwrap();
    assert!(reason.contains("waiting for stage"), "{reason}");
}
