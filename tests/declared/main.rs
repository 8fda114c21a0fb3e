//! The types that Tiller declares are those that its nodes take: a Python node that builds every message
//! from the declaration alone stands on every wire but those of pictures, and the task is done.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that panics has failed, as it should"
)]

#[path = "../common/mod.rs"]
mod common;

use std::collections::BTreeMap;
use std::fs;

use common::{root, run_file};

/// The outputs of `dataflow.yml` that are structs, with the names of their types.
fn messages(text: &str) -> BTreeMap<String, String> {
    let mut messages = BTreeMap::new();
    let (mut node, mut is_output) = ("", false);
    for line in text.lines() {
        let line = line.trim();
        if let Some(id) = line.strip_prefix("- id: ") {
            node = id;
        }
        is_output = match line {
            "output_types:" => true,
            _ => is_output && line.contains(": tiller/v1/"),
        };
        if let Some((output, name)) = line.split_once(": tiller/v1/")
            && is_output
            && !name.ends_with("Image")
        {
            messages.insert(format!("{node}/{output}"), name.to_owned());
        }
    }
    messages
}

/// A dora name for what an output is called.
fn wire(output: &str) -> String {
    output.replace('/', "---")
}

/// `dataflow.yml` with the relay on every wire that carries one of these.
fn with_relay(text: &str, messages: &BTreeMap<String, String>) -> String {
    let read: BTreeMap<_, _> = messages
        .iter()
        .filter(|(output, _)| text.contains(&format!("source: {output},")))
        .collect();
    let mut relayed = text.to_owned();
    let (mut inputs, mut input_types, mut output_types) = Default::default();
    let line = |list: &mut String, text: String| list.push_str(&format!("      {text}\n"));
    for (output, name) in &read {
        let wire = wire(output);
        relayed = relayed.replace(
            &format!("source: {output},"),
            &format!("source: relay/{wire},"),
        );
        let source =
            format!("{wire}: {{ source: {output}, queue_size: 64, queue_policy: backpressure }}");
        line(&mut inputs, source);
        line(&mut input_types, format!("{wire}: tiller/v1/{name}"));
        line(&mut output_types, format!("{wire}: tiller/v1/{name}"));
    }
    let by_wire: BTreeMap<_, _> = read
        .iter()
        .map(|(output, name)| (wire(output), name))
        .collect();
    let outputs: Vec<_> = by_wire.keys().map(String::as_str).collect();
    format!(
        "{relayed}\n  - id: relay\n    path: tests/declared/relay.py\n    env:\n      \
         MESSAGES: '{}'\n      LAST: {}\n    inputs:\n{inputs}    input_types:\n{input_types}    \
         outputs: [{}]\n    output_types:\n{output_types}",
        serde_json::to_string(&by_wire).unwrap(),
        wire("world/task_status"),
        outputs.join(", ")
    )
}

#[test]
fn a_python_node_that_builds_what_is_declared_stands_on_every_wire() {
    let text = fs::read_to_string(root().join("dataflow.yml")).unwrap();
    let messages = messages(&text);
    assert!(messages.len() > 20, "{messages:?}");
    // Paths of nodes are relative to the file's folder.
    let file = tempfile::Builder::new()
        .prefix(".declared-")
        .suffix(".yml")
        .tempfile_in(root())
        .unwrap();
    fs::write(file.path(), with_relay(&text, &messages)).unwrap();
    let run = run_file(file.path(), &[("TILLER_SEED", "1")], 300);
    let summary = run.summary();
    assert_eq!(summary["outcome"], "success", "{}", run.log);
    assert!(summary["notices"]["unread"].is_null(), "{}", run.log);
    let said = run
        .log
        .lines()
        .find_map(|line| line.split_once("passed on: "));
    let counts: BTreeMap<String, u64> = serde_json::from_str(said.expect(&run.log).1).unwrap();
    let of = |output: &str| counts[&wire(output)];
    for output in [
        "world/sim_arm_state",
        "world/task_status",
        "keypoint-grounding/keypoints",
        "vlm-reward/reward_program",
        "steered-sampler/action_chunk",
        "steered-sampler/progress",
        "stage-switcher/stage",
        "franka-actuator/arm_command",
        "franka-actuator/execution_state",
    ] {
        assert!(of(output) > 0, "{output}: {counts:?}");
    }
    let warnings = &summary["notices"]["warnings"];
    assert!(warnings["message_refused"].is_null(), "{}", run.log);
}
