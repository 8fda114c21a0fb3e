use std::fs;
use std::path::Path;

use serde_json::Value;
use tiller_messages::{
    Encoding, ImageHeader, Level, Progress, RewardProgram, StageCommand, Status, TaskStatus,
};
use tiller_node_kit::Environment;
use tiller_node_kit::testing::Script;

use super::{ESSENTIAL, run};
use crate::config::Settings;

const SIDE: usize = 64;

fn drive(folder: &Path, script: Script) -> Value {
    let pairs = [
        ("RUN_DIR", folder.to_str().unwrap()),
        ("INSTRUCTION", "press the button"),
        ("SEED", "7"),
    ];
    let settings = Settings::read(Environment::from_pairs(pairs)).unwrap();
    let (result, _) = script
        .run(|inbox, outbox| run(&settings, inbox, outbox))
        .expect("the harness works");
    result.unwrap();
    serde_json::from_str(&fs::read_to_string(folder.join("summary.json")).unwrap()).unwrap()
}

fn header(stamp_ns: u64) -> ImageHeader {
    ImageHeader {
        seq: 1,
        stamp_ns,
        frame_id: "static".into(),
        width: SIDE,
        height: SIDE,
        encoding: Encoding::Rgb8,
        focal: Some([64.0; 2]),
        principal_point: Some([32.0; 2]),
        world_from_camera: Some([0.0; 16]),
        labels: Vec::new(),
    }
}

#[test]
fn a_run_leaves_its_pictures_and_a_summary() {
    let folder = tempfile::tempdir().unwrap();
    let program = RewardProgram {
        seq: 1,
        num_stages: 1,
        text: "num_stages = 1".into(),
        source: "embedded".into(),
        descriptions: vec!["press".into()],
        has_done: vec![true],
        unguided: vec![false],
        ..Default::default()
    };
    let stage = StageCommand {
        seq: 1,
        stage: 1,
        kind: "advance".into(),
        ..Default::default()
    };
    let mut script = Script::new(ESSENTIAL)
        .image("annotated_image", &header(0), &[9; SIDE * SIDE * 3])
        .message("reward_program", &program)
        .message("stage", &stage);
    for frame in 1..4 {
        let stamp_ns = frame * 300_000_000;
        let progress = Progress {
            seq: frame,
            stamp_ns,
            stage: 1,
            ..Default::default()
        };
        script = script
            .image(
                "image",
                &header(stamp_ns),
                &[frame as u8 * 40; SIDE * SIDE * 3],
            )
            .message("progress", &progress);
    }
    let status = TaskStatus {
        seq: 1,
        task: "button_press".into(),
        success: true,
        completed: vec!["button_press".into()],
        episode_over: true,
        reason: "the task is achieved".into(),
        ..Default::default()
    };
    let script = script.message("task_status", &status).closed("task_status");
    let summary = drive(folder.path(), script);
    assert_eq!(summary["outcome"], "success");
    assert_eq!(summary["success"], true);
    assert_eq!(summary["task"], "button_press");
    assert_eq!(summary["instruction"], "press the button");
    assert_eq!(summary["seed"], 7);
    assert_eq!(summary["samples"], 3);
    for name in [
        "annotated.png",
        "contact_sheet.png",
        "episode.gif",
        "plot.png",
        "program.py",
    ] {
        assert!(
            folder.path().join(name).metadata().unwrap().len() > 0,
            "{name}"
        );
    }
}

#[test]
fn a_refused_instruction_is_the_reason() {
    let folder = tempfile::tempdir().unwrap();
    let status = Status {
        seq: 1,
        level: Level::Error,
        code: "refused".into(),
        text: "no coffee here".into(),
        ..Default::default()
    };
    let script = Script::new(ESSENTIAL)
        .message("status", &status)
        .closed("status")
        .closed("reward_program")
        .closed("task_status");
    let summary = drive(folder.path(), script);
    assert_eq!(summary["outcome"], "refused");
    assert_eq!(summary["reason"], "no coffee here");
}

#[test]
fn a_run_that_ends_at_once_has_a_summary_too() {
    let folder = tempfile::tempdir().unwrap();
    let inner = folder.path().join("not/yet/there");
    let summary = drive(&inner, Script::new(ESSENTIAL).stop());
    assert_eq!(summary["outcome"], "failed");
    assert_eq!(summary["success"], false);
}
