//! A run of the real dataflow, recorded and replayed with dora's own commands.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that panics has failed, as it should"
)]

mod common;

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use common::{Run, root, run_dora, run_file};
use dora_recording::RecordingReader;
use parquet::file::reader::{FileReader, SerializedFileReader};
use serde_json::Value;
use tiller_export::{Columns, LerobotOptions, to_lerobot, to_mcap};
use tiller_lerobot::Ffmpeg;
use tiller_playtable_author::EmbeddedAuthor;
use tiller_recording::Recording;
use tiller_replay::{Alternative, Changes, Means, Stories, Verdict, what_if};
use tiller_vlm::Author;

/// Messages in a recording by output.
fn counted(recording: &Path) -> BTreeMap<String, u64> {
    let mut reader = RecordingReader::open(File::open(recording).unwrap()).unwrap();
    let mut counts = BTreeMap::new();
    while let Some(entry) = reader.next_entry_header().unwrap() {
        let topic = format!("{}/{}", entry.node_id, entry.output_id);
        *counts.entry(topic).or_default() += 1;
    }
    counts
}

fn replay(recording: &Path, options: &[&str]) -> Run {
    let mut args: Vec<&OsStr> = vec!["replay".as_ref(), recording.as_os_str()];
    args.extend(options.iter().map(OsStr::new));
    run_dora(&args, &[], 300)
}

fn assert_success(run: &Run) -> Value {
    assert!(run.status.success(), "{}", run.log);
    let summary = run.summary();
    assert_eq!(summary["outcome"], "success", "{}", run.log);
    summary
}

/// The run as a data set: one episode that succeeded, as many frames as pictures, a row each.
fn assert_data_set(recording: &Path, counts: &BTreeMap<String, u64>) {
    let folder = tempfile::tempdir().unwrap();
    let set = folder.path().join("set");
    let options = LerobotOptions {
        fps: None,
        columns: Columns::Tool,
        ffmpeg: Some(Ffmpeg::find(&root().join(".venv/bin/ffmpeg")).unwrap()),
        robot: "franka".to_owned(),
    };
    let summary = to_lerobot(recording, &set, &options, &mut |_, _| Ok(())).unwrap();
    assert_eq!(summary.episodes, 1, "{summary:?}");
    assert_eq!(summary.tasks, ["press the button"]);
    assert_eq!((summary.unreadable, &summary.broken), (0, &None));
    let pictures = counts["world/image"];
    assert!(
        summary.frames > pictures / 2 && summary.frames <= pictures + 1,
        "{summary:?} of {pictures} pictures"
    );
    let rows = |file: &str| {
        let file = File::open(set.join(file)).unwrap();
        let reader = SerializedFileReader::new(file).unwrap();
        reader.metadata().file_metadata().num_rows() as u64
    };
    assert_eq!(rows("data/chunk-000/file-000.parquet"), summary.frames);
    assert_eq!(rows("meta/episodes/chunk-000/file-000.parquet"), 1);
    assert_eq!(summary.cameras.len(), 2, "{summary:?}");
    for (camera, _) in &summary.cameras {
        let video = format!("videos/observation.images.{camera}/chunk-000/file-000.mp4");
        assert_eq!(frames(&set.join(video)), summary.frames, "{camera}");
    }
}

/// Frames that `ffmpeg` finds in a video.
fn frames(video: &Path) -> u64 {
    let output = Command::new(root().join(".venv/bin/ffmpeg"))
        .args(["-loglevel", "error", "-i"])
        .arg(video)
        .args(["-f", "framehash", "-"])
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().filter(|line| !line.starts_with('#')).count() as u64
}

/// The run as an MCAP file, which its own crate reads: every message of every output.
fn assert_mcap(recording: &Path, counts: &BTreeMap<String, u64>) {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("run.mcap");
    let mut opened = Recording::open(recording).unwrap();
    let summary = to_mcap(&mut opened, &target, &mut |_, _| Ok(())).unwrap();
    let first = &summary.first_unreadable;
    assert_eq!(
        (summary.unreadable, &summary.broken),
        (0, &None),
        "{first:?}"
    );
    let bytes = fs::read(&target).unwrap();
    let mut found: BTreeMap<String, u64> = BTreeMap::new();
    for message in mcap::MessageStream::new(&bytes).unwrap() {
        *found
            .entry(message.unwrap().channel.topic.clone())
            .or_default() += 1;
    }
    // Journals are bytes for `tiller replay` alone.
    for (topic, count) in counts
        .iter()
        .filter(|(topic, _)| !topic.ends_with("/journal"))
    {
        assert_eq!(found.get(&format!("/{topic}")), Some(count), "{topic}");
    }
}

/// Everything is decided again in this process, to the last bit; under another strength of guidance it is not.
fn assert_decided_again(recording: &Path) {
    let stories = Stories::read(recording, |_| {}).unwrap();
    let authors: [(&str, Arc<dyn Author>); 1] = [("playtable", Arc::new(EmbeddedAuthor))];
    let means = Means {
        here: root(),
        authors: &authors,
        exchanges: None,
    };
    let report = tiller_replay::replay(&stories, &means, |_| {}).unwrap();
    for kind in [
        "plans",
        "chunks",
        "programs",
        "programs_compiled",
        "stage_decisions",
        "commands",
    ] {
        let compared = report.compared.get(kind).copied().unwrap_or_default();
        assert_eq!(compared.recorded, compared.same, "{kind}: {report:#?}");
        let least = if kind == "commands" { 100 } else { 1 };
        assert!(compared.recorded >= least, "{kind}: {report:#?}");
    }
    let differing = report.machines.iter().map(|machine| machine.differing);
    assert_eq!(differing.sum::<u64>(), 0, "{report:#?}");
    // A recorder that cannot keep up misses something, and then that is said.
    assert_eq!(report.identical, report.missing.is_empty(), "{report:#?}");

    let changes = Changes {
        set: vec![("guide_scale".to_owned(), "0".to_owned())],
        ..Changes::default()
    };
    let plans = what_if(&stories, &changes, &means).unwrap();
    assert_eq!(plans.programs.len(), 1, "{plans:?}");
    assert_eq!(plans.programs[0].verdict, Verdict::Same, "{plans:?}");
    let moved = |plan: &Alternative| plan.apart_m.is_some_and(|apart_m| apart_m > 1e-3);
    assert!(plans.plans.iter().any(moved), "{}", plans.table());
}

#[test]
fn a_run_is_recorded_and_replayed() {
    // Programs are named from the dataflow's folder, so recordings lie there.
    let file = tempfile::Builder::new()
        .suffix(".drec")
        .tempfile_in(root())
        .unwrap();
    let recording = file.path();
    let args: [&OsStr; 4] = [
        "record".as_ref(),
        "dataflow.yml".as_ref(),
        "-o".as_ref(),
        recording.as_os_str(),
    ];
    let settings = [
        ("TILLER_INSTRUCTION", "press the button"),
        ("TILLER_SEED", "3"),
    ];
    let run = run_dora(&args, &settings, 400);
    let recorded = assert_success(&run);
    // dora knows the level of what nodes log.
    let is_level = |line: &str| line.contains(" INFO ") && line.contains("vlm-reward: `press the");
    assert!(run.log.lines().any(is_level), "{}", run.log);

    let beside = recording.with_extension("drec.json");
    let report: Value = serde_json::from_str(&fs::read_to_string(&beside).unwrap()).unwrap();
    fs::remove_file(&beside).unwrap();
    assert!(report["error"].is_null(), "{report}");
    let counts = counted(recording);
    assert_eq!(report["messages"], counts.values().sum::<u64>(), "{report}");
    for (topic, count) in &counts {
        assert_eq!(report["topics"][topic]["messages"], *count, "{topic}");
    }
    for topic in [
        "world/image",
        "franka-actuator/arm_state",
        "steered-sampler/action_chunk",
        "stage-switcher/stage",
        "vlm-reward/reward_program",
    ] {
        assert!(counts.contains_key(topic), "no {topic} in {counts:?}");
    }

    assert_data_set(recording, &counts);
    assert_mcap(recording, &counts);
    assert_decided_again(recording);

    // Everybody but those who keep the record is replayed.
    let again = assert_success(&replay(recording, &[]));
    assert_eq!(again["instruction"], recorded["instruction"]);
    assert_eq!(
        again["stages"].as_array().map(Vec::len),
        recorded["stages"].as_array().map(Vec::len)
    );

    // What was seen, to whoever looks and decides now.
    let path = recording.to_str().unwrap();
    let live = run_file(
        Path::new("dataflows/replay.yml"),
        &[
            ("TILLER_RECORDING", path),
            ("TILLER_INSTRUCTION", "press the button"),
        ],
        300,
    );
    let live = assert_success(&live);
    let plans = live["latencies"]["planning"]["count"].as_u64().unwrap();
    assert!(plans > 0, "{live}");
    assert_eq!(live["instruction"], recorded["instruction"]);
}
