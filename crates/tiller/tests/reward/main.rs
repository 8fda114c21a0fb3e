//! `tiller reward` as a user meets it: output, messages, exit codes, files.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that panics has failed, as it should"
)]

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

mod check;
mod eval;
mod show;

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

fn tiller_with_input(arguments: &[&str], input: &[u8]) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_tiller"))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    child.wait_with_output().unwrap()
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

fn json_of(output: &Output) -> Value {
    serde_json::from_str(&out(output)).unwrap()
}

fn write(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}
