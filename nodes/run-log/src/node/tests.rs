use std::fs;
use std::path::Path;

use serde_json::Value;
use tiller_messages::{
    ActionChunk, ArmState, Encoding, Episode, ExecutionMode, ExecutionState, ImageHeader,
    Keypoints, Level, Progress, RewardProgram, SafetyEvent, StageCommand, Status, TaskStatus,
};
use tiller_node_kit::Environment;
use tiller_node_kit::testing::{Script, Sent};
use tiller_report::live::{LIVE_FILE, Live};

use super::{ESSENTIAL, run};
use crate::config::Settings;

mod damages;

const SIDE: usize = 64;
const MS: u64 = 1_000_000;

fn try_drive(folder: &Path, script: Script) -> (eyre::Result<()>, Sent) {
    let pairs = [
        ("RUN_DIR", folder.to_str().unwrap()),
        ("INSTRUCTION", "press the button"),
        ("SEED", "7"),
    ];
    let settings = Settings::read(Environment::from_pairs(pairs)).unwrap();
    script
        .run(|inbox, outbox| run(&settings, inbox, outbox))
        .expect("the harness works")
}

fn drive(folder: &Path, script: Script) -> Value {
    try_drive(folder, script).0.unwrap();
    read(folder).unwrap()
}

fn read(folder: &Path) -> Option<Value> {
    let text = fs::read_to_string(folder.join("summary.json")).ok()?;
    Some(serde_json::from_str(&text).unwrap())
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

fn program() -> RewardProgram {
    RewardProgram {
        seq: 1,
        num_stages: 1,
        text: "num_stages = 1".into(),
        source: "embedded".into(),
        descriptions: vec!["press".into()],
        has_done: vec![true],
        unguided: vec![false],
        ..Default::default()
    }
}

fn over(success: bool) -> TaskStatus {
    TaskStatus {
        seq: 1,
        tasks: vec!["button_press".into()],
        success,
        episode_over: true,
        reason: if success {
            "the task is achieved".into()
        } else {
            "the time is up".into()
        },
        ..Default::default()
    }
}

fn said(seq: u64, node: &str, level: Level, code: &str, text: &str) -> Status {
    Status {
        seq,
        node: node.into(),
        level,
        code: code.into(),
        text: text.into(),
        ..Default::default()
    }
}

#[test]
fn a_run_leaves_its_pictures_and_a_summary() {
    let folder = tempfile::tempdir().unwrap();
    let stage = StageCommand {
        seq: 1,
        stage: 1,
        kind: "advance".into(),
        ..Default::default()
    };
    let mut script = Script::new(ESSENTIAL)
        .image("annotated_image", &header(0), &[9; SIDE * SIDE * 3])
        .message("reward_program", &program())
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
        completed: vec!["button_press".into()],
        ..over(true)
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
    assert!(!folder.path().join("summary.json.part").exists());
}

#[test]
fn a_run_can_be_watched_and_says_that_it_has_ended() {
    let folder = tempfile::tempdir().unwrap();
    let live = || -> Live {
        let text = fs::read_to_string(folder.path().join(LIVE_FILE)).unwrap();
        serde_json::from_str(&text).unwrap()
    };
    let state = |seq| ArmState {
        seq,
        stamp_ns: seq * 20 * MS,
        ..Default::default()
    };
    let event = SafetyEvent {
        seq: 1,
        kind: "stale".into(),
        text: "expected fresh".into(),
        ..Default::default()
    };
    let stage = StageCommand {
        seq: 1,
        stage: 1,
        visit: 2,
        ..Default::default()
    };
    let script = Script::new(ESSENTIAL)
        .image("wrist_image", &header(0), &[9; SIDE * SIDE * 3])
        .message("reward_program", &program())
        .message("stage", &stage)
        .message("arm_state", &state(1))
        .message("arm_state", &state(4))
        .message("safety_event", &event)
        .message("task_status", &over(true))
        .closed("task_status");
    drive(folder.path(), script);
    let live = live();
    assert_eq!(live.ended.as_ref().unwrap().outcome, "success");
    assert_eq!(
        (live.instruction.as_str(), live.seed),
        ("press the button", 7)
    );
    assert_eq!(live.stage.as_ref().unwrap().name, "press");
    assert_eq!(live.stage.as_ref().unwrap().visit, 2);
    assert_eq!(live.safety.counts["stale"], 1);
    assert_eq!(live.safety.last.as_ref().unwrap().text, "expected fresh");
    assert_eq!(live.arm.states, 2);
    let port = |name: &str| live.ports.iter().find(|port| port.name == name);
    let arm = port("arm_state").unwrap();
    assert_eq!((arm.count, arm.lost), (2, 2));
    assert_eq!(port("wrist_image").unwrap().count, 1);
}

#[test]
fn a_folder_that_cannot_hold_the_live_file_ends_no_run() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join(LIVE_FILE)).unwrap();
    let script = Script::new(ESSENTIAL).message("task_status", &over(true));
    let summary = drive(folder.path(), script.closed("task_status"));
    assert_eq!(summary["outcome"], "success");
}

#[test]
fn a_refused_instruction_is_the_reason() {
    let folder = tempfile::tempdir().unwrap();
    let status = said(1, "vlm-reward", Level::Error, "refused", "no coffee here");
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
    let summary = drive(&inner, Script::new(ESSENTIAL).closed("task_status"));
    assert_eq!(summary["outcome"], "failed");
    assert_eq!(summary["reason"], "the run was interrupted");
    assert_eq!(summary["success"], false);
}

#[test]
fn who_stops_a_run_reads_that_it_was_stopped() {
    let folder = tempfile::tempdir().unwrap();
    let summary = drive(folder.path(), Script::new(ESSENTIAL).stop());
    assert_eq!(summary["outcome"], "stopped");
    assert_eq!(summary["success"], false);
    // Success is success, whoever stops the run after it.
    let script = Script::new(ESSENTIAL).message("task_status", &over(true));
    let summary = drive(folder.path(), script.stop());
    assert_eq!(summary["outcome"], "success");
}

#[test]
fn what_was_waited_for_when_time_ran_out_is_named_and_what_came_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let waits = |node, what: &str| {
        let text = format!("waiting for {what}: none has come");
        said(1, node, Level::Warning, "waiting", &text)
    };
    let goes_on = said(2, "world", Level::Info, "waiting_over", "it goes on");
    let script = Script::new(ESSENTIAL)
        .message("sampler_status", &waits("steered-sampler", "keypoints"))
        .message("world_status", &waits("world", "arm_command"))
        .message("world_status", &goes_on)
        .message("task_status", &over(false))
        .closed("task_status");
    let summary = drive(folder.path(), script);
    assert_eq!(summary["outcome"], "timeout");
    let waiting = summary["waiting_for"].as_object().unwrap();
    assert_eq!(waiting.len(), 1);
    let text = waiting["steered-sampler"].as_str().unwrap();
    assert!(text.contains("keypoints"), "{text}");
    let reason = summary["reason"].as_str().unwrap();
    assert!(reason.starts_with("the time is up; "), "{reason}");
    assert!(reason.contains("steered-sampler"), "{reason}");
    assert_eq!(summary["notices"]["warnings"]["waiting"], 2);
}

#[test]
fn collateral_latencies_and_rhythm_are_in_the_summary() {
    let folder = tempfile::tempdir().unwrap();
    let chunk = ActionChunk {
        session: 3,
        seq: 1,
        stamp_ns: 1_000 * MS,
        planning_ns: 25 * MS,
        execute_steps: 1,
        horizon: 1,
        actions: vec![0.0; 3],
        layout: tiller_core::ActionLayout::position_deltas(3, [0, 1, 2], None, 10.0),
        ..Default::default()
    };
    let mut script = Script::new(ESSENTIAL).gap(0.005);
    for seq in 1..6 {
        let stamp_ns = (1_000 + 20 * seq) * MS;
        let arm = ArmState {
            seq,
            stamp_ns,
            ..Default::default()
        };
        let execution = ExecutionState {
            seq,
            stamp_ns,
            chunk_session: 3,
            chunk_seq: u64::from(seq > 2),
            mode: if seq > 2 {
                ExecutionMode::Executing
            } else {
                ExecutionMode::Holding
            },
            ..Default::default()
        };
        script = script
            .message("arm_state", &arm)
            .message("execution_state", &execution);
        if seq == 2 {
            script = script.message("action_chunk", &chunk);
        }
    }
    let event = SafetyEvent {
        seq: 1,
        kind: "stale".into(),
        ..Default::default()
    };
    let status = TaskStatus {
        collateral: vec!["pink block: moved 0.11 m".into()],
        ..over(true)
    };
    let script = script
        .message("safety_event", &event)
        .message("task_status", &status)
        .closed("task_status");
    let summary = drive(folder.path(), script);
    assert_eq!(summary["collateral"][0], "pink block: moved 0.11 m");
    assert_eq!(summary["control"]["states"], 5);
    assert_eq!(summary["motion"]["chunks"], 1);
    assert_eq!(summary["notices"]["safety"]["stale"], 1);
    let latencies = &summary["latencies"];
    assert_eq!(latencies["planning"]["p50_ms"], 25.0);
    assert_eq!(latencies["observation_to_execution"]["p95_ms"], 60.0);
    let taken = &latencies["chunk_to_execution"];
    assert_eq!(taken["count"], 1);
    assert!(taken["longest_ms"].as_f64().unwrap() > 0.0, "{taken}");
}

#[test]
fn the_summary_is_written_while_the_run_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let mut script = Script::new(ESSENTIAL).gap(0.1).message(
        "task_status",
        &TaskStatus {
            episode_over: false,
            success: false,
            ..over(false)
        },
    );
    for seq in 1..14 {
        let status = said(seq, "console", Level::Info, "said", "so");
        script = script.message("console_status", &status);
    }
    let (mut seen, path) = (None, folder.path().to_owned());
    let settings = Settings::read(Environment::from_pairs([(
        "RUN_DIR",
        path.to_str().unwrap(),
    )]));
    // A killed node leaves what it had written: here, what lies there before its last word.
    let (result, _) = script
        .run(|inbox, outbox| {
            let mut log = super::Log::new(settings.as_ref().unwrap(), Vec::new());
            super::record(&mut log, settings.as_ref().unwrap(), inbox, outbox)?;
            seen = read(&path);
            Ok(())
        })
        .unwrap();
    result.unwrap();
    let summary = seen.expect("there is a summary before the end");
    assert_eq!(summary["task"], "button_press");
    assert_eq!(summary["success"], false);
    assert_eq!(summary["outcome"], "running");
}

#[test]
fn the_newest_episode_is_the_one_that_is_reported() {
    let folder = tempfile::tempdir().unwrap();
    let id = tiller_core::EpisodeId;
    let episode = |seq, instruction: &str| Episode {
        seq,
        id: id(seq),
        instruction: instruction.into(),
        ..Default::default()
    };
    let of = |seq, status: TaskStatus| TaskStatus {
        seq,
        episode: id(seq),
        ..status
    };
    let script = Script::new(ESSENTIAL)
        .message("episode", &episode(1, "open the drawer"))
        .message("task_status", &of(1, over(true)))
        .message("episode", &episode(2, "close the drawer"))
        .message("task_status", &of(2, over(false)))
        .closed("task_status");
    let summary = drive(folder.path(), script);
    assert_eq!(summary["instruction"], "close the drawer");
    assert_eq!(summary["outcome"], "timeout");
    assert_eq!(summary["episodes"].as_array().unwrap().len(), 1);
}

#[test]
fn a_verdict_belongs_to_its_own_episode_whenever_it_comes() {
    let folder = tempfile::tempdir().unwrap();
    let id = tiller_core::EpisodeId;
    let episode = |seq| Episode {
        seq,
        id: id(seq),
        ..Default::default()
    };
    let of = |seq, number, status: TaskStatus| TaskStatus {
        seq,
        episode: id(number),
        ..status
    };
    // The first's comes after the second has begun, the third's before it has.
    let script = Script::new(ESSENTIAL)
        .message("episode", &episode(1))
        .message("episode", &episode(2))
        .message("task_status", &of(1, 1, over(true)))
        .message("task_status", &of(2, 2, over(false)))
        .message("task_status", &of(3, 3, over(true)))
        .message("episode", &episode(3))
        .closed("task_status");
    let summary = drive(folder.path(), script);
    let ended = summary["episodes"].as_array().unwrap();
    assert_eq!(ended.len(), 2);
    assert_eq!(ended[0]["outcome"], "success");
    assert_eq!(ended[1]["outcome"], "timeout");
    assert_eq!(summary["outcome"], "success");
}

#[test]
fn an_unknown_input_is_a_mistake_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let script = Script::new(ESSENTIAL)
        .wired(&["my_status", "candidates"])
        .stop();
    let error = try_drive(folder.path(), script).0.unwrap_err().to_string();
    assert!(error.ends_with("found `candidates`"), "{error}");
}
