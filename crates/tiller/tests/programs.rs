//! `tiller bench --programs`: recorded programs in the place of the world's author.

#![allow(
    clippy::unwrap_used,
    reason = "a test that panics has failed, as it should"
)]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;
use tiller_vlm::RecordedPrograms;

const WANDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../models/controls/wander");

fn tiller(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tiller"));
    command.args(arguments).output().unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The line of an episode of `task`, with what follows on the command line.
fn episode(folder: &Path, name: &str, task: &str, further: &[&str]) -> Value {
    let json = folder.join(name);
    let fixed = [
        "bench",
        "playtable",
        "--policy",
        WANDER,
        "--method",
        "full",
        "--episodes",
        "1",
        "--seed",
        "7",
        "--max-steps",
        "20",
        "--task",
        task,
        "--json",
        json.to_str().unwrap(),
    ];
    let output = tiller(&[&fixed, further].concat());
    assert!(output.status.success(), "{}", said(&output));
    serde_json::from_str(&fs::read_to_string(json).unwrap()).unwrap()
}

#[test]
fn recorded_programs_do_what_their_author_would() {
    let folder = tempfile::tempdir().unwrap();
    let programs = folder.path().join("programs");
    let programs = programs.to_str().unwrap();
    let seen = ["observe", "--seed", "7", "--task", "drawer_open", "--out"];
    let output = tiller(&[&seen[..], &[programs]].concat());
    assert!(output.status.success(), "{}", said(&output));

    let with = ["--programs", programs];
    let author = episode(folder.path(), "author.jsonl", "drawer_open", &[]);
    let recorded = episode(folder.path(), "recorded.jsonl", "drawer_open", &with);
    for same in ["steps", "chunks", "failure", "success"] {
        assert_eq!(author[same], recorded[same], "{same}");
    }
    assert!(recorded["chunks"].as_u64().unwrap() > 1, "{recorded}");
    let hash = |line: &Value| line["settings"]["programs_sha256"].clone();
    assert!(hash(&author).is_null() && hash(&recorded).is_string());

    // Results of one are not continued with the other.
    let json = folder.path().join("author.jsonl");
    let json = json.to_str().unwrap();
    let again = [
        "bench",
        "playtable",
        "--policy",
        WANDER,
        "--task",
        "drawer_open",
        "--json",
        json,
    ];
    let output = tiller(&[&again[..], &with].concat());
    assert!(
        said(&output).contains("programs_sha256"),
        "{}",
        said(&output)
    );

    let other = episode(folder.path(), "other.jsonl", "push_red", &with);
    assert_eq!(other["failure"], "not understood");
}

#[test]
fn a_folder_without_programs_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_str().unwrap();
    let output = tiller(&["bench", "playtable", "--policy", WANDER, "--programs", path]);
    assert_eq!(output.status.code(), Some(2));
    let text = said(&output);
    assert!(text.contains("files NAME.py, found 0"), "{text}");
}

#[test]
fn the_programs_of_the_repository_are_sound() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../benchmarks/programs");
    let mut count = 0;
    for suite in fs::read_dir(folder).unwrap() {
        let suite = suite.unwrap().path();
        if !suite.is_dir() {
            continue;
        }
        RecordedPrograms::load(&suite).unwrap();
        for program in fs::read_dir(suite).unwrap() {
            let path = program.unwrap().path();
            let text = fs::read_to_string(&path).unwrap();
            let keypoints = text.matches("# Keypoint ").count().to_string();
            let guide = ["--guide", "position,rotation,gripper", "--keypoints"];
            let file = ["reward", "check", path.to_str().unwrap()];
            let output = tiller(&[&file[..], &guide, &[&keypoints]].concat());
            let found = String::from_utf8_lossy(&output.stdout);
            assert!(output.status.success(), "{}: {found}", path.display());
            count += 1;
        }
    }
    assert!(count >= 10, "{count}");
}

#[test]
fn rough_programs_stay_as_they_were_written() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../benchmarks/programs");
    let mut digest = tiller_core::Digest::default();
    let mut count = 0;
    for answer in 1..=7 {
        let files = fs::read_dir(format!("{folder}/hard-{answer}")).unwrap();
        let mut paths: Vec<_> = files.map(|file| file.unwrap().path()).collect();
        paths.sort();
        for path in paths {
            digest.add(&fs::read(path).unwrap());
            count += 1;
        }
    }
    assert_eq!(count, 63);
    let frozen = "393a096ba9e91c76c06ba12ae2de805587111e84ed030e4a152ea5056f407b55";
    assert_eq!(digest.hexadecimal(), frozen);
}
