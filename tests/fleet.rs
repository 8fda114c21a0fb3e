//! A benchmark by workers through dora against the same one in process.
//!
//! The executables and the private `.venv` must exist: `cargo xtask test` prepares both.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that panics has failed, as it should"
)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn bench(json: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(root().join("target/release/tiller"));
    command
        .current_dir(root())
        .args(["bench", "playtable", "--json"])
        .arg(json)
        .args(arguments);
    command
}

fn text(output: &Output) -> String {
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    said + &String::from_utf8_lossy(&output.stderr)
}

/// The lines of a file, less what the clock says.
fn lines(path: &Path) -> Vec<String> {
    let timeless = |line: &str| {
        let mut line: Value = serde_json::from_str(line).unwrap();
        let fields = line.as_object_mut().unwrap();
        assert!(fields.remove("time").is_some() && fields.remove("cpu_s").is_some());
        line.to_string()
    };
    fs::read_to_string(path)
        .unwrap()
        .lines()
        .map(timeless)
        .collect()
}

/// Processes of the benchmark that `tiller` started under this number: the folder of its dataflow names it.
fn workers(of: &Child) -> BTreeSet<u32> {
    let folder = format!("tiller-bench-{}", of.id());
    let is_one = |path: &PathBuf| {
        let read = |file: &str| fs::read(path.join(file)).unwrap_or_default();
        let program = read("cmdline");
        let is_worker = String::from_utf8_lossy(&program).contains("bench-worker");
        is_worker && String::from_utf8_lossy(&read("environ")).contains(&folder)
    };
    let processes = fs::read_dir("/proc").unwrap().flatten();
    let found = processes.map(|entry| entry.path()).filter(is_one);
    found
        .filter_map(|path| path.file_name()?.to_str()?.parse().ok())
        .collect()
}

const SHORT: [&str; 8] = [
    "--task",
    "button_press",
    "--method",
    "full",
    "--episodes",
    "4",
    "--seed",
    "300",
];

/// Two workers write what one process writes, in the same order, and a file is continued by either.
#[test]
fn workers_write_the_same_lines() {
    let folder = tempfile::tempdir().unwrap();
    let [here, there] = ["here.jsonl", "there.jsonl"].map(|name| folder.path().join(name));
    let first = bench(&here, &SHORT).output().unwrap();
    assert!(first.status.success(), "{}", text(&first));
    let by_workers = [&SHORT[..], &["--workers", "2"]].concat();
    let second = bench(&there, &by_workers).output().unwrap();
    assert!(second.status.success(), "{}", text(&second));
    let expected = lines(&here);
    assert_eq!(expected.len(), 4);
    assert_eq!(lines(&there), expected);
    // The tables as well, less their times.
    let table = |output: &Output| {
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        said.lines()
            .take(2)
            .map(ToOwned::to_owned)
            .collect::<Vec<_>>()
    };
    assert_eq!(table(&second), table(&first));
}

/// Both workers are killed at work, one after the other: dora starts them anew, and every episode comes once.
#[test]
#[ignore = "half a minute of two cores; run by hand"]
fn killed_workers_cost_no_episode() {
    let folder = tempfile::tempdir().unwrap();
    let [here, there] = ["here.jsonl", "there.jsonl"].map(|name| folder.path().join(name));
    let many = [&SHORT[..4], &["--episodes", "24", "--seed", "300"]].concat();
    let first = bench(&here, &many).output().unwrap();
    assert!(first.status.success(), "{}", text(&first));
    let child = bench(&there, &[&many[..], &["--workers", "2"]].concat())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let written = || fs::read_to_string(&there).map_or(0, |text| text.lines().count());
    let mut killed = BTreeSet::new();
    for after in [2, 6] {
        let deadline = Instant::now() + Duration::from_secs(120);
        while written() < after {
            assert!(Instant::now() < deadline, "{} lines", written());
            std::thread::sleep(Duration::from_millis(20));
        }
        let found = workers(&child);
        let victim = *found.difference(&killed).next().expect("a worker runs");
        let status = Command::new("kill")
            .args(["-9", &victim.to_string()])
            .status();
        assert!(status.unwrap().success());
        killed.insert(victim);
    }
    let output = child.wait_with_output().unwrap();
    let said = text(&output);
    assert!(output.status.success(), "{said}");
    assert_eq!(killed.len(), 2);
    assert_eq!(lines(&there), lines(&here), "{said}");
    println!("{said}");
}

/// Ctrl-C: what is under way ends and is kept, and the same command goes on in process.
#[test]
#[ignore = "half a minute of two cores; run by hand"]
fn an_interrupted_benchmark_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let [here, there] = ["here.jsonl", "there.jsonl"].map(|name| folder.path().join(name));
    let many = [&SHORT[..4], &["--episodes", "16", "--seed", "300"]].concat();
    let child = bench(&there, &[&many[..], &["--workers", "2"]].concat())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let deadline = Instant::now() + Duration::from_secs(120);
    while fs::read_to_string(&there).map_or(0, |text| text.lines().count()) < 3 {
        assert!(Instant::now() < deadline, "no lines come");
        std::thread::sleep(Duration::from_millis(20));
    }
    let status = Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status();
    assert!(status.unwrap().success());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{}", text(&output));
    let kept = lines(&there).len();
    assert!((3..16).contains(&kept), "{kept} lines");
    for json in [&there, &here] {
        let output = bench(json, &many).output().unwrap();
        assert!(output.status.success(), "{}", text(&output));
    }
    assert_eq!(lines(&there), lines(&here));
}
