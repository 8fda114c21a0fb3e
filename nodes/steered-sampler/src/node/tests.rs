//! The loop on the tiny policy that the policy crate's tests come with: chunks of 3 actions, 2 of
//! them executed, images of 4 x 4 pixels.

use tiller_messages::{
    ActionChunk, Candidates, Encoding, ImageHeader, Keypoints, Level, Progress, RewardProgram,
    RobotState, StageCommand, Status,
};
use tiller_node_kit::Environment;
use tiller_node_kit::testing::{Script, Sent};

use super::{ESSENTIAL, run};
use crate::config::Settings;

const BUNDLE: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../crates/policy/tests/data"
);
/// Fingerprint of the denoiser that is not a number where the picture is bright.
const BLIND_DENOISER: &str = "b107a6dc402047484bd84e8c31936ab6e470ad371152de232f34c98b56c506ad";
/// Fingerprint of the encoder of two observations.
const ENCODER_OF_TWO: &str = "8d366a54e88e883ae10fc08bb6bc07eab9872f1f9d3a56c08402366a0b381e01";
const SIDE: usize = 4;
const MS: u64 = 1_000_000;

const PROGRAM: &str = "
num_stages = 2

# Stage 1: reach
def stage1_guidance(keypoints, action_sequence):
    return -torch.norm(action_sequence - keypoints[0], dim=-1).mean()

def stage1_done(keypoints, start_keypoints, end_effector):
    return 0.01 - torch.norm(end_effector - keypoints[0])

# Stage 2: stay
def stage2_guidance(keypoints, action_sequence):
    return -torch.norm(action_sequence - keypoints[0], dim=-1).mean()
";

fn images(script: Script, stamp_ms: u64) -> Script {
    images_of(script, stamp_ms, 77)
}

/// Images of one brightness.
fn images_of(script: Script, stamp_ms: u64, brightness: u8) -> Script {
    let header = ImageHeader {
        seq: stamp_ms,
        stamp_ns: stamp_ms * MS,
        frame_id: "camera".into(),
        width: SIDE,
        height: SIDE,
        encoding: Encoding::Rgb8,
        focal: Some([4.0; 2]),
        principal_point: Some([2.0; 2]),
        world_from_camera: Some([0.0; 16]),
        labels: Vec::new(),
    };
    let pixels = [brightness; SIDE * SIDE * 3];
    script
        .image("image", &header, &pixels)
        .image("wrist_image", &header, &pixels)
}

fn state(seq: u64, stamp_ms: u64, chunk_seq: u64, chunk_step: u32, holding: bool) -> RobotState {
    RobotState {
        seq,
        stamp_ns: stamp_ms * MS,
        tcp_position_m: [0.4, 0.0, 0.2],
        gripper_width_m: 0.04,
        anchor_position_m: [0.401, 0.0, 0.2],
        chunk_seq,
        chunk_step,
        holding,
        ..Default::default()
    }
}

fn keypoints(seq: u64, stamp_ms: u64) -> Keypoints {
    Keypoints {
        seq,
        stamp_ns: stamp_ms * MS,
        generation: 1,
        names: vec!["button".into()],
        xyz_m: vec![0.45, 0.0, 0.2],
        visible: vec![true],
    }
}

fn program() -> RewardProgram {
    RewardProgram {
        seq: 1,
        generation: 1,
        num_stages: 2,
        text: PROGRAM.into(),
        source: "test".into(),
        descriptions: vec!["reach".into(), "stay".into()],
        has_done: vec![true, false],
        unguided: vec![false, false],
        ..Default::default()
    }
}

fn stage(seq: u64, stage: u32) -> StageCommand {
    StageCommand {
        seq,
        generation: 1,
        stage,
        visit: seq as u32,
        guidance: true,
        ..Default::default()
    }
}

/// All that a steered plan needs, seen at `stamp_ms`.
fn scene(script: Script, seq: u64, stamp_ms: u64) -> Script {
    images(script, stamp_ms).message("keypoints", &keypoints(seq, stamp_ms))
}

/// Plans at rest unless a test says otherwise.
fn drive(more: &[(&str, &str)], script: Script) -> (eyre::Result<()>, Sent) {
    let pairs = [("POLICY", BUNDLE), ("PLAN_AHEAD_STEPS", "0")];
    let pairs = pairs
        .iter()
        .filter(|(name, _)| more.iter().all(|(other, _)| other != name));
    let settings = Settings::read(Environment::from_pairs(pairs.chain(more).copied()));
    let settings = settings.unwrap();
    let policy = settings.open_policy().unwrap();
    script
        .run(|inbox, outbox| run(&settings, policy, inbox, outbox))
        .expect("the harness works")
}

fn chunks(more: &[(&str, &str)], script: Script) -> (Vec<ActionChunk>, Sent) {
    let (result, sent) = drive(more, script.closed("image"));
    result.unwrap();
    (sent.messages("action_chunk").unwrap(), sent)
}

#[test]
fn unsteered_it_plans_as_soon_as_it_sees() {
    let script = images(Script::new(ESSENTIAL), 100);
    let (chunks, sent) = chunks(
        &[("STEER", "off")],
        script.message("robot_state", &state(1, 120, 0, 0, true)),
    );
    assert_eq!(chunks.len(), 1);
    let chunk = &chunks[0];
    assert_eq!((chunk.seq, chunk.stamp_ns, chunk.stage), (1, 100 * MS, 0));
    assert_eq!(
        (chunk.horizon, chunk.action_dim, chunk.execute_steps),
        (3, 4, 2)
    );
    assert_eq!(chunk.anchor_position_m, [0.401, 0.0, 0.2]);
    assert_eq!(
        (chunk.position_columns, chunk.gripper_column),
        ([0, 1, 2], Some(3))
    );
    assert!(chunk.delta && chunk.rate_hz == 10.0);
    assert_eq!(sent.count("progress"), 0);
}

#[test]
fn steered_it_waits_for_program_and_stage() {
    let script = Script::new(ESSENTIAL).message("robot_state", &state(1, 120, 0, 0, true));
    let before = scene(script, 1, 100).message("reward_program", &program());
    assert!(chunks(&[], before).0.is_empty());

    // The stage overtakes its program.
    let script = Script::new(ESSENTIAL).message("stage", &stage(1, 1));
    let script = scene(
        script.message("robot_state", &state(1, 120, 0, 0, true)),
        1,
        100,
    );
    let (chunks, sent) = chunks(&[], script.message("reward_program", &program()));
    assert_eq!(chunks.len(), 1);
    assert_eq!(chunks[0].stage, 1);
    let candidates = sent.messages::<Candidates>("candidates").unwrap();
    let all = &candidates[0];
    assert_eq!((all.particles, all.points, all.chunk_seq), (20, 4, 1));
    let best = all.rewards.iter().copied().fold(f32::MIN, f32::max);
    assert_eq!(all.rewards[all.selected as usize], best);
    let progress = sent.messages::<Progress>("progress").unwrap();
    let last = progress.last().unwrap();
    assert_eq!((last.stage, last.visit), (1, 1));
    assert!(
        last.planned > 0.0,
        "the chunk leads towards the keypoint: {last:?}"
    );
    assert!(last.done.unwrap() < 0.0);
}

/// Up to and including the first plan of stage 1.
fn under_way() -> Script {
    let script = Script::new(ESSENTIAL)
        .message("reward_program", &program())
        .message("stage", &stage(1, 1))
        .message("robot_state", &state(1, 120, 0, 0, true));
    scene(script, 1, 100)
}

#[test]
fn the_next_chunk_comes_from_what_is_seen_after_the_last_one() {
    let script = under_way().message("robot_state", &state(2, 200, 1, 1, false));
    let script = scene(script, 2, 200).message("robot_state", &state(3, 320, 1, 2, false));
    // Seen in motion: not to be planned from.
    let script = scene(script, 3, 300);
    let (first, _) = chunks(&[], script);
    assert_eq!(first.len(), 1);

    let script = under_way().message("robot_state", &state(2, 320, 1, 2, false));
    let (both, _) = chunks(&[], scene(script, 2, 400));
    assert_eq!(
        both.iter()
            .map(|c| (c.seq, c.stamp_ns / MS))
            .collect::<Vec<_>>(),
        [(1, 100), (2, 400)]
    );
}

#[test]
fn another_stage_first_brings_the_arm_to_rest() {
    let script = under_way()
        .message("robot_state", &state(2, 200, 1, 1, false))
        .message("stage", &stage(2, 2))
        .message("robot_state", &state(3, 220, 2, 0, false))
        .message("robot_state", &state(4, 320, 2, 1, true));
    let (chunks, _) = chunks(&[], scene(script, 2, 400));
    let brief: Vec<_> = chunks
        .iter()
        .map(|c| (c.seq, c.stage, c.execute_steps))
        .collect();
    assert_eq!(brief, [(1, 1, 2), (2, 0, 1), (3, 2, 2)]);
    assert!(chunks[1].actions.iter().all(|a| *a == 0.0) && chunks[1].gripper_column.is_none());
}

#[test]
fn after_the_last_stage_it_rests() {
    let finished = StageCommand {
        finished: true,
        guidance: false,
        visit: 1,
        ..stage(2, 1)
    };
    let script = under_way()
        .message("stage", &finished)
        .message("robot_state", &state(2, 320, 1, 2, true));
    let (chunks, _) = chunks(&[], scene(script, 2, 400));
    assert_eq!(chunks.len(), 1);
}

#[test]
fn an_old_image_is_not_planned_from() {
    let script = images(Script::new(ESSENTIAL), 100);
    let script = script.message("robot_state", &state(1, 700, 0, 0, true));
    let (none, _) = chunks(&[("STEER", "off")], script);
    assert!(none.is_empty());
}

#[test]
fn a_program_that_does_not_compile_is_an_error() {
    let broken = RewardProgram {
        text: "num_stages = 1".into(),
        ..program()
    };
    let script = Script::new(ESSENTIAL)
        .message("robot_state", &state(1, 120, 0, 0, true))
        .message("reward_program", &broken);
    let (result, _) = drive(&[], scene(script, 1, 100).closed("image"));
    let error = format!("{:#}", result.unwrap_err());
    assert!(error.contains("the reward program does not fit"), "{error}");
}

/// The tiny bundle with other text in its manifest and other files under its files' names.
fn bundle_with(texts: &[(&str, &str)], files: [(&str, &str); 2]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let read = |file: &str| std::fs::read(format!("{BUNDLE}/{file}")).unwrap();
    let mut manifest = String::from_utf8(read("policy.toml")).unwrap();
    for (from, to) in texts {
        assert!(manifest.contains(from));
        manifest = manifest.replace(from, to);
    }
    std::fs::write(folder.path().join("policy.toml"), manifest).unwrap();
    for (from, to) in files {
        std::fs::write(folder.path().join(to), read(from)).unwrap();
    }
    folder
}

/// With an encoder of two observations, of which the denoiser heeds the older.
fn with_memory() -> tempfile::TempDir {
    bundle_with(
        &[
            ("horizon = 3", "observation_steps = 2\nhorizon = 3"),
            (
                "8aa10135f7700834fe3105080e4dcdf25f38025753dd2e7825d5e8626df5e100",
                ENCODER_OF_TWO,
            ),
        ],
        [
            ("denoiser.onnx", "denoiser.onnx"),
            ("encoder_history.onnx", "encoder.onnx"),
        ],
    )
}

#[test]
fn without_a_particle_left_it_sends_a_status_and_no_chunk() {
    let bundle = bundle_with(
        &[(
            "796931e1f0bfa9d7b3ca7c7d1db1f98ec590cb7c38881ae7a2bad87cd81326be",
            BLIND_DENOISER,
        )],
        [
            ("denoiser_blind.onnx", "denoiser.onnx"),
            ("encoder.onnx", "encoder.onnx"),
        ],
    );
    let policy = bundle.path().display().to_string();
    let settings = [("POLICY", policy.as_str()), ("STEER", "off")];
    let bright = |script, stamp_ms| images_of(script, stamp_ms, 200);
    let start = || Script::new(ESSENTIAL).message("robot_state", &state(1, 120, 0, 0, true));

    // A dark picture after a bright one: it goes on.
    let script = images(bright(start(), 100), 200);
    let (result, sent) = drive(&settings, script.closed("image"));
    result.unwrap();
    let statuses: Vec<Status> = sent.messages("status").unwrap();
    // The wrist's picture is an input too: a second try comes before it is dark.
    assert!(!statuses.is_empty());
    for status in &statuses {
        assert_eq!(status.code, "all_particles_lost");
        assert_eq!(status.level, Level::Warning);
        assert!(status.text.contains("all 1 particles"), "{}", status.text);
    }
    assert_eq!(sent.count("action_chunk"), 1);

    // Bright for ever: it gives up, and has never sent a chunk.
    let script = (1..=12).fold(start(), |script, n| bright(script, 100 * n));
    let (result, sent) = drive(&settings, script);
    let error = format!("{:#}", result.unwrap_err());
    assert!(error.contains("10 failures in a row"), "{error}");
    assert_eq!(sent.count("action_chunk"), 0);
    let statuses: Vec<Status> = sent.messages("status").unwrap();
    assert_eq!(statuses.len(), 10);
    assert_eq!(statuses[9].level, Level::Error);
}

#[test]
fn a_policy_with_a_memory_sees_what_is_seen_between_two_plans() {
    let bundle = with_memory();
    let policy = bundle.path().display().to_string();
    let second_chunk = |between: u8| {
        let script = images(Script::new(ESSENTIAL), 100)
            .message("robot_state", &state(1, 120, 0, 0, true))
            .message("robot_state", &state(2, 220, 1, 1, false));
        let script = images_of(script, 200, between);
        let script = script.message("robot_state", &state(3, 320, 1, 2, false));
        let script = images(script, 400).closed("image");
        let (result, sent) = drive(&[("POLICY", &policy), ("STEER", "off")], script);
        result.unwrap();
        let chunks: Vec<ActionChunk> = sent.messages("action_chunk").unwrap();
        assert_eq!(chunks.len(), 2);
        chunks[1].actions.clone()
    };
    assert_eq!(second_chunk(10), second_chunk(10));
    assert_ne!(second_chunk(10), second_chunk(200));
}
