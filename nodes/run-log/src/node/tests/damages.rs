//! Nothing that arrives ends the node or spoils the report.

use std::sync::Arc;

use arrow::array::{ArrayRef, UInt8Array};
use tiller_messages::Message;
use tiller_node_kit::testing::{Damage, Trial, image_damages, message_damages};

use super::*;

/// When the arm's clock stands in these tests, ns.
const NOW_NS: u64 = 100_000 * MS;
const HOUR_NS: u64 = 3_600_000 * MS;

/// Words with which a stamp far off is refused.
const STAMP: &[&str] = &["stamp_ns", "expected", "found"];

fn arm(seq: u64) -> ArmState {
    ArmState {
        seq,
        stamp_ns: NOW_NS + seq * 20 * MS,
        ..Default::default()
    }
}

fn texts(sent: &Sent) -> Vec<String> {
    let statuses = sent.messages::<Status>("status").unwrap();
    statuses.into_iter().map(|status| status.text).collect()
}

/// Tries an input between its messages 5 and 7; `check` looks at the summary.
fn survive(
    input: &'static str,
    damages: &[Damage],
    send: &dyn Fn(Script, u64) -> Script,
    check: &dyn Fn(&Value) -> bool,
) {
    // The world speaks of the episode under way.
    let episode = match input {
        "episode" => tiller_core::EpisodeId(7),
        _ => tiller_core::EpisodeId(0),
    };
    let folder = tempfile::tempdir().unwrap();
    let end = |script: Script| {
        script
            .message(
                "task_status",
                &TaskStatus {
                    seq: 20,
                    episode,
                    ..over(true)
                },
            )
            .closed("task_status")
    };
    let trial = Trial {
        input,
        before: &|| {
            let start = Script::new(ESSENTIAL).gap(0.003);
            send(start.message("arm_state", &arm(1)), 5)
        },
        after: &|script| end(send(script, 7)),
        drive: &|script| try_drive(folder.path(), script),
        texts: &texts,
        accepted: &|_| {
            let summary = read(folder.path()).ok_or("no summary")?;
            let is_whole = summary["outcome"] == "success" && check(&summary);
            is_whole.then_some(()).ok_or(summary.to_string())
        },
    };
    let faults = trial.faults(damages);
    assert!(faults.is_empty(), "{faults:#?}");
}

/// The table of a message whose stamp must lie near the arm's.
fn stamped<M: Message>(before: &M, good: &M) -> Vec<Damage> {
    let mut damages = message_damages(before, good);
    damages.push(Damage::stamped(good, NOW_NS + HOUR_NS, STAMP));
    damages.push(Damage::stamped(good, 0, STAMP));
    damages
}

#[test]
fn damaged_programs_and_episodes() {
    let numbered = |seq| RewardProgram { seq, ..program() };
    survive(
        "reward_program",
        &message_damages(&numbered(5), &numbered(6)),
        &|script, seq| script.message("reward_program", &numbered(seq)),
        &|_| true,
    );
    let episode = |seq| Episode {
        seq,
        id: tiller_core::EpisodeId(seq),
        instruction: format!("number {seq}"),
        tasks: vec!["button_press".into()],
        ..Default::default()
    };
    survive(
        "episode",
        &message_damages(&episode(5), &episode(6)),
        &|script, seq| script.message("episode", &episode(seq)),
        &|summary| summary["instruction"] == "number 7",
    );
}

#[test]
fn damaged_stages_and_progress() {
    let stage = |seq| StageCommand {
        seq,
        stamp_ns: NOW_NS + seq * MS,
        stage: 1,
        kind: "stay".into(),
        ..Default::default()
    };
    survive(
        "stage",
        &stamped(&stage(5), &stage(6)),
        &|script, seq| script.message("stage", &stage(seq)),
        &|summary| {
            summary["decisions"]
                .as_array()
                .is_some_and(|all| all.len() == 2)
        },
    );
    let progress = |seq| Progress {
        seq,
        stamp_ns: NOW_NS + seq * MS,
        stage: 1,
        done: Some(0.5),
        ..Default::default()
    };
    survive(
        "progress",
        &stamped(&progress(5), &progress(6)),
        &|script, seq| script.message("progress", &progress(seq)),
        &|summary| summary["samples"] == 2,
    );
}

#[test]
fn damaged_task_statuses_events_and_statuses() {
    // Below the number of the one that ends the run.
    let numbered = |seq| TaskStatus { seq, ..over(false) };
    survive(
        "task_status",
        &message_damages(&numbered(5), &numbered(6)),
        &|script, seq| script.message("task_status", &numbered(seq)),
        &|_| true,
    );
    let event = |seq| SafetyEvent {
        seq,
        kind: "stale".into(),
        ..Default::default()
    };
    survive(
        "safety_event",
        &message_damages(&event(5), &event(6)),
        &|script, seq| script.message("safety_event", &event(seq)),
        &|summary| summary["notices"]["safety"]["stale"] == 2,
    );
    let status = |seq| said(seq, "console", Level::Warning, "odd", "so");
    for input in ["status", "console_status"] {
        survive(
            input,
            &message_damages(&status(5), &status(6)),
            &|script, seq| script.message(input, &status(seq)),
            &|summary| summary["notices"]["warnings"]["odd"] == 2,
        );
    }
}

#[test]
fn damaged_states_of_the_arm() {
    let mut damages = message_damages(&arm(5), &arm(6));
    damages.push(Damage::stamped(&arm(6), NOW_NS + HOUR_NS, STAMP));
    damages.push(Damage::stamped(&arm(6), 0, STAMP));
    survive(
        "arm_state",
        &damages,
        &|script, seq| script.message("arm_state", &arm(seq)),
        &|summary| {
            let control = &summary["control"];
            control["states"] == 3 && control["missing"].as_u64().is_some_and(|n| n < 8)
        },
    );
    let execution = |seq| ExecutionState {
        seq,
        stamp_ns: NOW_NS + seq * 20 * MS,
        mode: ExecutionMode::Executing,
        chunk_seq: seq,
        ..Default::default()
    };
    survive(
        "execution_state",
        &stamped(&execution(5), &execution(6)),
        &|script, seq| script.message("execution_state", &execution(seq)),
        &|summary| summary["motion"]["chunks"] == 2,
    );
    let chunk = |seq| ActionChunk {
        seq,
        stamp_ns: NOW_NS,
        planning_ns: 5 * MS,
        execute_steps: 1,
        horizon: 1,
        actions: vec![0.0; 3],
        layout: tiller_core::ActionLayout::position_deltas(3, [0, 1, 2], None, 10.0),
        ..Default::default()
    };
    survive(
        "action_chunk",
        &stamped(&chunk(5), &chunk(6)),
        &|script, seq| script.message("action_chunk", &chunk(seq)),
        &|summary| summary["latencies"]["planning"]["count"] == 2,
    );
}

#[test]
fn damaged_keypoints() {
    let seen = |seq| Keypoints {
        seq,
        stamp_ns: NOW_NS + seq * 100 * MS,
        names: vec!["handle".into()],
        xyz_m: vec![0.4, 0.0, 0.1],
        visible: vec![true],
        ..Default::default()
    };
    let pixels = [7; SIDE * SIDE * 3];
    survive(
        "keypoints",
        &stamped(&seen(5), &seen(6)),
        &|script, seq| {
            let picture = header(seen(seq).stamp_ns);
            let script = script.image("image", &picture, &pixels);
            script.message("keypoints", &seen(seq))
        },
        &|summary| summary["latencies"]["image_to_keypoints"]["count"] == 2,
    );
}

#[test]
fn damaged_images() {
    let pixels = [7; SIDE * SIDE * 3];
    let data: ArrayRef = Arc::new(UInt8Array::from(pixels.to_vec()));
    let at = |seq: u64| header(NOW_NS + seq * 100 * MS);
    let mut damages = image_damages(&at(6), &data);
    for input in ["annotated_image", "wrist_image"] {
        survive(
            input,
            &damages,
            &|script, seq| script.image(input, &at(seq), &pixels),
            &|_| true,
        );
    }
    damages.push(Damage::image_stamped(
        &at(6),
        &data,
        NOW_NS + HOUR_NS,
        STAMP,
    ));
    damages.push(Damage::image_stamped(&at(6), &data, 0, STAMP));
    survive(
        "image",
        &damages,
        &|script, seq| script.image("image", &at(seq), &pixels),
        // From the first frame to the last.
        &|summary| summary["duration_s"].as_f64() == Some(0.2),
    );
}
