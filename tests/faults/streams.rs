//! The real dataflow with cameras that other people have, and with cameras that fail.
//!
//! A relay (crates/node-kit/examples/relay.rs) stands between the simulator and one input and changes
//! what passes.

use std::fs;

use serde_json::Value;

use crate::common::{Run, root, run_file};

/// `dataflow.yml` with the relay in the place of `source` where `reader` reads it.
fn run_with_relay(
    (reader, input, source): (&str, &str, &str),
    fault: &[(&str, &str)],
    settings: &[(&str, &str)],
) -> Run {
    let text = fs::read_to_string(root().join("dataflow.yml")).unwrap();
    let begin = text.find(&format!("  - id: {reader}")).unwrap();
    let wired = format!("{input}: {{ source: {source}, queue_size: 1 }}");
    let at = begin + text[begin..].find(&wired).expect("the input is wired so");
    let (before, after) = (&text[..at], &text[at + wired.len()..]);
    let env: String = fault
        .iter()
        .map(|(name, value)| format!("      {name}: \"{value}\"\n"))
        .collect();
    let relay = format!(
        "\n  - id: relay\n    path: target/release/examples/relay\n    env:\n{env}    inputs:\n      \
         in: {{ source: {source}, queue_size: 1 }}\n    outputs: [out]\n"
    );
    let text = format!("{before}{input}: {{ source: relay/out, queue_size: 1 }}{after}{relay}")
        .replace("strict_types: true", "strict_types: false");
    // Paths of nodes are relative to the file's folder.
    let file = tempfile::Builder::new()
        .prefix(".faults-")
        .suffix(".yml")
        .tempfile_in(root())
        .unwrap();
    fs::write(file.path(), text).unwrap();
    let base = [
        ("TILLER_INSTRUCTION", "open the drawer"),
        ("TILLER_SEED", "1"),
    ];
    run_file(file.path(), &[&base[..], settings].concat(), 300)
}

const WRIST: (&str, &str, &str) = ("steered-sampler", "wrist_image", "world/wrist_image");
const DEPTH: (&str, &str, &str) = ("keypoint-grounding", "depth", "world/depth");

fn warnings(run: &Run) -> Value {
    run.summary()["notices"]["warnings"].clone()
}

#[test]
fn a_wrist_camera_4_ms_later_is_matched() {
    let run = run_with_relay(WRIST, &[("SHIFT_NS", "4000000")], &[]);
    assert_eq!(run.summary()["outcome"], "success", "{}", run.log);
    assert!(warnings(&run)["camera_unmatched"].is_null(), "{}", run.log);
}

#[test]
fn encodings_are_understood_in_any_case_and_others_are_refused_by_name() {
    for encoding in ["RGB8", "bgr8"] {
        let run = run_with_relay(WRIST, &[("ENCODING", encoding)], &[]);
        assert_eq!(
            run.summary()["outcome"],
            "success",
            "{encoding}: {}",
            run.log
        );
    }
    let short = [("TILLER_EPISODE_S", "4")];
    let run = run_with_relay(WRIST, &[("ENCODING", "yuv420")], &short);
    let summary = run.summary();
    assert_eq!(summary["outcome"], "timeout", "{}", run.log);
    assert!(
        warnings(&run)["message_refused"].as_u64() > Some(0),
        "{summary:#}"
    );
    assert!(run.log.contains("yuv420"), "{}", run.log);
}

#[test]
fn a_camera_that_cannot_be_matched_is_named() {
    let short = [("TILLER_EPISODE_S", "4")];
    let run = run_with_relay(WRIST, &[("SHIFT_NS", "60000000")], &short);
    let summary = run.summary();
    assert_eq!(summary["outcome"], "timeout", "{}", run.log);
    assert!(
        warnings(&run)["camera_unmatched"].as_u64() > Some(0),
        "{summary:#}"
    );
    let reason = summary["reason"].as_str().unwrap();
    assert!(reason.contains("waiting for image"), "{reason}");
}

#[test]
fn one_of_each_that_is_broken_small_or_wildly_stamped_costs_nothing() {
    let faults = [("FAULT", "cut,garbage,small,ahead"), ("AFTER", "7")];
    let run = run_with_relay(WRIST, &faults, &[]);
    let summary = run.summary();
    assert_eq!(summary["outcome"], "success", "{}", run.log);
    assert!(
        warnings(&run)["message_refused"].as_u64() > Some(0),
        "{summary:#}"
    );
}

#[test]
fn what_comes_twice_and_the_wrong_way_round_costs_nothing() {
    let run = run_with_relay(WRIST, &[("FAULT", "twice,swap"), ("AFTER", "3")], &[]);
    assert_eq!(run.summary()["outcome"], "success", "{}", run.log);
}

#[test]
fn a_clock_that_jumps_and_a_picture_that_stands_still_are_named() {
    // Black is the same picture again and again, too.
    for (fault, code) in [("jump", "camera_clock"), ("zero", "camera_frozen")] {
        let settings = [("TILLER_EPISODE_S", "6")];
        let run = run_with_relay(WRIST, &[("FAULT", fault), ("AFTER", "8")], &settings);
        let summary = run.summary();
        assert!(
            warnings(&run)[code].as_u64() > Some(0),
            "{fault}: {summary:#}"
        );
    }
}

#[test]
fn a_camera_that_stops_is_named_and_the_arm_holds() {
    let settings = [("TILLER_EPISODE_S", "6")];
    let run = run_with_relay(WRIST, &[("FAULT", "stop"), ("AFTER", "5")], &settings);
    let summary = run.summary();
    assert_eq!(summary["outcome"], "timeout", "{}", run.log);
    assert!(
        warnings(&run)["camera_stopped"].as_u64() > Some(0),
        "{summary:#}"
    );
    assert!(warnings(&run)["waiting"].as_u64() > Some(0), "{summary:#}");
}

#[test]
fn depth_that_goes_blind_fades_guidance_and_holds_the_arm() {
    let settings = [("TILLER_EPISODE_S", "8")];
    let run = run_with_relay(DEPTH, &[("FAULT", "zero"), ("AFTER", "5")], &settings);
    let summary = run.summary();
    assert_eq!(summary["outcome"], "timeout", "{}", run.log);
    assert!(
        warnings(&run)["keypoints_lost"].as_u64() > Some(0),
        "{summary:#}"
    );
    let reason = summary["reason"].as_str().unwrap();
    assert!(reason.contains("nothing has been seen"), "{reason}");
    // Two seconds after the last sight nothing is planned any more: about six chunks, not the
    // ten and more of eight seconds.
    let chunks = summary["motion"]["chunks"].as_u64().unwrap();
    assert!(chunks <= 8, "{chunks} chunks");
}
