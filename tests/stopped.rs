//! Processes that are stopped for good (SIGSTOP): the run ends, and says which one it was.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that panics has failed, as it should"
)]

mod common;

use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

use common::{Run, Running, start_dataflow};

/// The process of this run whose command line contains `what`.
fn process(folder: &Path, what: &str) -> Option<String> {
    let folder = folder.to_str()?;
    let holds = |path: &Path, text: &str| {
        let bytes = fs::read(path).unwrap_or_default();
        String::from_utf8_lossy(&bytes).contains(text)
    };
    fs::read_dir("/proc").unwrap().flatten().find_map(|entry| {
        let path = entry.path();
        let is_it = holds(&path.join("cmdline"), what) && holds(&path.join("environ"), folder);
        is_it.then(|| entry.file_name().to_string_lossy().into_owned())
    })
}

fn signal(signal: &str, pid: &str) {
    let status = Command::new("kill").args([signal, pid]).status().unwrap();
    assert!(status.success(), "kill {signal} {pid}");
}

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
