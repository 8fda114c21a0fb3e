use std::path::Path;

use tiller_core::{ActionLayout, EpisodeId, Pose, ProgramId};
use tiller_messages::{Encoding, ImageHeader};
use tiller_node_kit::Environment;
use tiller_node_kit::testing::{Script, Sent};

use super::*;

const SIDE: usize = 32;

fn drive(folder: &Path, script: Script) -> (Result<()>, Sent) {
    let pairs = [("RUN_DIR", folder.to_str().unwrap())];
    let settings = Settings::read(Environment::from_pairs(pairs)).unwrap();
    script
        .run(|inbox, outbox| run(&settings, inbox, outbox))
        .expect("the harness works")
}

fn header() -> ImageHeader {
    ImageHeader {
        seq: 1,
        stamp_ns: 5,
        frame_id: "static".into(),
        width: SIDE,
        height: SIDE,
        encoding: Encoding::Rgb8,
        focal: Some([32.0; 2]),
        ..Default::default()
    }
}

fn last_word() -> TaskStatus {
    TaskStatus {
        seq: 1,
        success: true,
        episode_over: true,
        ..Default::default()
    }
}

#[test]
fn a_run_leaves_a_recording_that_grows_with_what_is_seen() {
    let size = |script: Script| {
        let folder = tempfile::tempdir().unwrap();
        drive(folder.path(), script.closed("task_status"))
            .0
            .unwrap();
        folder.path().join("viewer.rrd").metadata().unwrap().len()
    };
    let empty = size(Script::new(ESSENTIAL).message("task_status", &last_word()));
    let program = RewardProgram {
        seq: 1,
        id: ProgramId(1),
        num_stages: 1,
        points: 9,
        text: "num_stages = 1\ndef stage1_guidance(keypoints, action_sequence):\n    \
               return -torch.norm(action_sequence - keypoints[0], dim=-1).mean()\n"
            .into(),
        descriptions: vec!["reach".into()],
        has_done: vec![false],
        unguided: vec![false],
        ..Default::default()
    };
    let contract = ProgramContract {
        seq: 1,
        points: 9,
        layout: ActionLayout::position_deltas(3, [0, 1, 2], None, 10.0),
        ..Default::default()
    };
    let keypoints = Keypoints {
        seq: 1,
        names: vec!["handle".into()],
        xyz_m: vec![0.5, 0.0, 0.1],
        visible: vec![true],
        ..Default::default()
    };
    let arm = ArmState {
        seq: 1,
        stamp_ns: 5,
        tcp: Pose::down([0.5, 0.0, 0.2]),
        ..Default::default()
    };
    let stage = StageCommand {
        seq: 1,
        program: ProgramId(1),
        stage: 1,
        kind: "advance".into(),
        ..Default::default()
    };
    let noise: Vec<u8> = (0..SIDE * SIDE * 3).map(|k| (k * k % 251) as u8).collect();
    let full = size(
        Script::new(ESSENTIAL)
            .message("program_contract", &contract)
            .message(
                "episode",
                &Episode {
                    seq: 1,
                    id: EpisodeId(1),
                    ..Default::default()
                },
            )
            .message("reward_program", &program)
            .message("keypoints", &keypoints)
            .message("arm_state", &arm)
            .message("stage", &stage)
            .image("image", &header(), &noise)
            .image("wrist_image", &header(), &noise)
            .message("task_status", &last_word()),
    );
    // Two pictures and what belongs to them.
    assert!(full > empty + 2_000, "{full} bytes after {empty}");
}

#[test]
fn what_cannot_be_read_is_refused_by_name_and_the_rest_is_shown() {
    let folder = tempfile::tempdir().unwrap();
    let script = Script::new(ESSENTIAL)
        .message("progress", &Status::default())
        .message("mystery", &Status::default())
        .message("task_status", &last_word())
        .closed("task_status");
    let (result, sent) = drive(folder.path(), script);
    result.unwrap();
    let told: Vec<_> = sent
        .messages::<Status>("status")
        .unwrap()
        .into_iter()
        .map(|status| status.text)
        .collect();
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(
        told[0].contains("progress") && told[1].contains("mystery"),
        "{told:?}"
    );
}

#[test]
fn cameras_are_what_the_sampler_calls_so() {
    assert!(is_camera("image") && is_camera("wrist_image"));
    assert!(!is_camera("annotated_image") && !is_camera("imagery"));
}
