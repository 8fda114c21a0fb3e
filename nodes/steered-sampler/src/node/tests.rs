//! The loop on the tiny policy that the policy crate's tests come with: chunks of 3 actions, 2 of
//! them executed, images of 4 x 4 pixels.

use tiller_core::{ActionMode, EpisodeId, Frame, Pose, ProgramId};
use tiller_messages::{
    ActionChunk, ArmState, Candidates, Encoding, Episode, ExecutionMode, ExecutionState,
    ImageHeader, Keypoints, Level, ProgramContract, Progress, RewardProgram, StageCommand, Status,
};
use tiller_node_kit::Environment;
use tiller_node_kit::testing::{SESSION, Script, Sent, sent};

use super::{ESSENTIAL, run};
use crate::config::Settings;

mod damages;
mod dry;

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
const PROGRAM: ProgramId = ProgramId(3);
/// How long nothing more comes, s.
const QUIET_S: f64 = 0.3;

const TEXT: &str = "
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

/// The node in its first episode.
fn start() -> Script {
    Script::new(ESSENTIAL).message("episode", &episode(4))
}

fn episode(seq: u64) -> Episode {
    Episode {
        seq,
        id: EpisodeId(1),
        seed: 5,
        instruction: "reach".into(),
        ..Default::default()
    }
}

fn images(script: Script, stamp_ms: u64) -> Script {
    images_of(script, stamp_ms, 77)
}

fn header(stamp_ms: u64) -> ImageHeader {
    ImageHeader {
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
    }
}

/// Images of one brightness.
fn images_of(script: Script, stamp_ms: u64, brightness: u8) -> Script {
    let (header, pixels) = (header(stamp_ms), [brightness; SIDE * SIDE * 3]);
    script
        .image("image", &header, &pixels)
        .image("wrist_image", &header, &pixels)
}

fn arm(seq: u64, stamp_ms: u64) -> ArmState {
    ArmState {
        seq,
        stamp_ns: stamp_ms * MS,
        tcp: at([0.4, 0.0, 0.2]),
        gripper_width_m: 0.04,
        ..Default::default()
    }
}

fn at(position_m: [f64; 3]) -> Pose {
    Pose {
        position_m,
        ..Pose::IDENTITY
    }
}

/// While it executes step `step` of chunk `chunk_seq`; at rest where that is none.
fn execution(seq: u64, stamp_ms: u64, chunk_seq: u64, step: u32) -> ExecutionState {
    ExecutionState {
        seq,
        stamp_ns: stamp_ms * MS,
        mode: if chunk_seq == 0 {
            ExecutionMode::Holding
        } else {
            ExecutionMode::Executing
        },
        anchor: at([0.401, 0.0, 0.2]),
        chunk_session: SESSION * u64::from(chunk_seq > 0),
        chunk_seq,
        chunk_step: step,
        ..Default::default()
    }
}

/// Both states.
fn state(script: Script, seq: u64, stamp_ms: u64, chunk_seq: u64, step: u32) -> Script {
    script.message("arm_state", &arm(seq, stamp_ms)).message(
        "execution_state",
        &execution(seq, stamp_ms, chunk_seq, step),
    )
}

fn keypoints(seq: u64, stamp_ms: u64) -> Keypoints {
    Keypoints {
        seq,
        stamp_ns: stamp_ms * MS,
        episode: EpisodeId(1),
        generation: 1,
        names: vec!["button".into()],
        xyz_m: vec![0.45, 0.0, 0.2],
        visible: vec![true],
        ..Default::default()
    }
}

fn program(seq: u64) -> RewardProgram {
    RewardProgram {
        seq,
        id: PROGRAM,
        episode: EpisodeId(1),
        generation: 1,
        points: 4,
        num_stages: 2,
        text: TEXT.into(),
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
        episode: EpisodeId(1),
        program: PROGRAM,
        stage,
        visit: stage,
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
    let (bundle, policy) = settings.open_policy().unwrap();
    script
        .wired(&["image", "wrist_image"])
        .run(|inbox, outbox| run(&settings, &bundle, policy, inbox, outbox))
        .expect("the harness works")
}

/// Ends the node when so many chunks have been sent, and a while later.
fn run_to_end(more: &[(&str, &str)], script: Script, count: usize) -> Sent {
    let script = script.until("episode", sent("action_chunk", count));
    let (result, sent) = drive(more, script.pause("episode", QUIET_S).closed("arm_state"));
    result.unwrap();
    sent
}

fn chunks(sent: &Sent) -> Vec<ActionChunk> {
    sent.messages("action_chunk").unwrap()
}

fn statuses(sent: &Sent) -> Vec<Status> {
    sent.messages("status").unwrap()
}

#[test]
fn unsteered_it_plans_as_soon_as_it_sees() {
    let script = state(images(start(), 100), 1, 120, 0, 0);
    let sent = run_to_end(&[("STEER", "off")], script, 1);
    let chunks = chunks(&sent);
    assert_eq!(chunks.len(), 1);
    let chunk = &chunks[0];
    assert_eq!((chunk.session, chunk.seq), (SESSION, 1));
    assert_eq!((chunk.stamp_ns, chunk.stage), (100 * MS, 0));
    assert_eq!((chunk.program, chunk.episode), (ProgramId(0), EpisodeId(1)));
    assert_eq!((chunk.horizon, chunk.execute_steps), (3, 2));
    assert_eq!(chunk.anchor.position_m, [0.401, 0.0, 0.2]);
    let layout = &chunk.layout;
    assert_eq!((layout.dim, layout.rate_hz), (4, 10.0));
    assert_eq!(layout.gripper.map(|gripper| gripper.column), Some(3));
    assert_eq!(layout.mode, ActionMode::DeltaPose(Frame::Base));
    assert_eq!(chunk.continues, None);
    assert!(chunk.planning_ns > 0);
    assert_eq!(sent.count("progress"), 0);
}

#[test]
fn the_contract_is_said_at_once_and_again_for_whoever_joins() {
    let mut script = start();
    for seq in 1..13 {
        script = state(script.wait(0.1), seq, 20 * seq, 0, 0);
    }
    let sent = run_to_end(&[], script, 0);
    assert_eq!(sent.order()[0], "program_contract");
    let contracts: Vec<ProgramContract> = sent.messages("program_contract").unwrap();
    assert!((2..=3).contains(&contracts.len()), "{}", contracts.len());
    let first = &contracts[0];
    assert_eq!((first.seq, first.points), (1, 4));
    assert_eq!(first.layout.dim, 4);
    assert!(contracts.iter().all(|contract| contract == first));
}

#[test]
fn steered_it_waits_for_program_and_stage() {
    let before = scene(state(start(), 1, 120, 0, 0), 1, 100).message("reward_program", &program(1));
    assert!(chunks(&run_to_end(&[], before, 0)).is_empty());

    // The stage overtakes its program.
    let script = state(start().message("stage", &stage(1, 1)), 1, 120, 0, 0);
    let script = scene(script, 1, 100).message("reward_program", &program(1));
    let sent = run_to_end(&[], script, 1);
    let chunks = chunks(&sent);
    assert_eq!(chunks.len(), 1);
    assert_eq!((chunks[0].stage, chunks[0].program), (1, PROGRAM));
    let candidates = sent.messages::<Candidates>("candidates").unwrap();
    let all = &candidates[0];
    assert_eq!((all.particles, all.points, all.chunk_seq), (20, 4, 1));
    let best = all.rewards.iter().copied().fold(f32::MIN, f32::max);
    assert_eq!(all.rewards[all.selected as usize], best);
    let progress = sent.messages::<Progress>("progress").unwrap();
    let last = progress.last().unwrap();
    assert_eq!((last.program, last.stage, last.visit), (PROGRAM, 1, 1));
    assert!(
        last.planned > 0.0,
        "the chunk leads towards the keypoint: {last:?}"
    );
    assert!(last.done.unwrap() < 0.0);
}

/// Everything for the first plan of stage 1 but the keypoints.
fn nearly() -> Script {
    let script = start()
        .message("reward_program", &program(4))
        .message("stage", &stage(4, 1));
    images(state(script, 1, 120, 0, 0), 100)
}

/// Up to and including the first plan of stage 1.
fn under_way() -> Script {
    nearly()
        .message("keypoints", &keypoints(1, 100))
        .until("episode", sent("action_chunk", 1))
}

#[test]
fn the_next_chunk_comes_from_what_is_seen_after_the_last_one() {
    let script = scene(state(under_way(), 2, 200, 1, 1), 2, 200);
    // Seen in motion: not to be planned from.
    let script = scene(state(script, 3, 320, 1, 2), 3, 300);
    assert_eq!(chunks(&run_to_end(&[], script, 1)).len(), 1);

    let script = scene(state(under_way(), 2, 320, 1, 2), 2, 400);
    let both = chunks(&run_to_end(&[], script, 2));
    let both: Vec<_> = both.iter().map(|c| (c.seq, c.stamp_ns / MS)).collect();
    assert_eq!(both, [(1, 100), (2, 400)]);
}

#[test]
fn planned_ahead_the_next_chunk_carries_the_one_under_way_on() {
    let script = scene(state(under_way(), 2, 200, 1, 1), 2, 200);
    let both = chunks(&run_to_end(&[("PLAN_AHEAD_STEPS", "1")], script, 2));
    let continued = both[1].continues.unwrap();
    assert_eq!(
        (continued.seq, continued.step, continued.frozen_steps),
        (1, 1, 1)
    );
    let layout = &both[0].layout;
    assert_eq!(
        both[1].actions[..layout.dim],
        both[0].actions[layout.dim..2 * layout.dim]
    );
}

#[test]
fn another_stage_first_brings_the_arm_to_rest() {
    let script = state(under_way(), 2, 200, 1, 1).message("stage", &stage(5, 2));
    let script = state(state(script, 3, 220, 2, 0), 4, 320, 2, 1);
    let chunks = chunks(&run_to_end(&[], scene(script, 2, 400), 3));
    let brief: Vec<_> = chunks
        .iter()
        .map(|c| (c.seq, c.stage, c.execute_steps))
        .collect();
    assert_eq!(brief, [(1, 1, 2), (2, 0, 1), (3, 2, 2)]);
    assert!(chunks[1].actions.iter().all(|a| *a == 0.0) && chunks[1].layout.gripper.is_none());
}

#[test]
fn after_the_last_stage_it_rests() {
    let finished = StageCommand {
        finished: true,
        guidance: false,
        visit: 1,
        ..stage(5, 1)
    };
    let script = state(under_way(), 2, 320, 1, 2).message("stage", &finished);
    let chunks = chunks(&run_to_end(&[], scene(script, 2, 400), 1));
    // The chunk was over: there is nothing to bring to rest.
    assert_eq!(chunks.len(), 1);
}

#[test]
fn an_old_image_is_not_planned_from() {
    let script = state(images(start(), 100), 1, 700, 0, 0).wait(1.0);
    let sent = run_to_end(&[("STEER", "off")], script, 0);
    assert!(chunks(&sent).is_empty());
    let waiting: Vec<_> = statuses(&sent);
    assert!(
        waiting
            .iter()
            .any(|s| s.code == "waiting" && s.text.contains("500 ms old")),
        "{waiting:?}"
    );
}

#[test]
fn a_program_that_does_not_compile_is_told_and_the_next_one_is_taken() {
    let broken = RewardProgram {
        text: "num_stages = 1".into(),
        ..program(1)
    };
    let better = RewardProgram {
        id: ProgramId(PROGRAM.0 + 1),
        ..program(2)
    };
    let its_stage = StageCommand {
        program: better.id,
        ..stage(1, 1)
    };
    let script = state(start(), 1, 120, 0, 0).message("reward_program", &broken);
    let script = scene(script, 1, 100)
        .message("reward_program", &better)
        .message("stage", &its_stage);
    let sent = run_to_end(&[], script, 1);
    let refused: Vec<_> = statuses(&sent);
    let refused: Vec<_> = refused
        .iter()
        .filter(|s| s.code == "program_refused")
        .collect();
    assert_eq!(refused.len(), 1);
    assert_eq!(refused[0].level, Level::Error);
    let text = &refused[0].text;
    assert!(
        text.contains("does not fit the policy's 4 trajectory points"),
        "{text}"
    );
    assert_eq!(chunks(&sent)[0].program, better.id);
}

#[test]
fn cameras_are_wired_by_their_names() {
    let script = state(start(), 1, 120, 0, 0);
    let pixels = [77; SIDE * SIDE * 3];
    let script =
        script
            .image("left", &header(100), &pixels)
            .image("gripper_view", &header(104), &pixels);
    let more = [
        ("STEER", "off"),
        ("CAMERAS", "static=left,wrist=gripper_view"),
    ];
    let (result, _) = drive(&more, script.closed("arm_state"));
    // The harness wires the usual inputs as well, which nobody reads now.
    let error = result.unwrap_err().to_string();
    assert!(error.contains("found `image`, `wrist_image`"), "{error}");
    let pairs = [("POLICY", BUNDLE), more[0], more[1]];
    let settings = Settings::read(Environment::from_pairs(pairs)).unwrap();
    let (bundle, policy) = settings.open_policy().unwrap();
    let script = state(start(), 1, 120, 0, 0)
        .image("left", &header(100), &pixels)
        .image("gripper_view", &header(104), &pixels);
    let (result, sent) = script
        .until("episode", sent("action_chunk", 1))
        .closed("arm_state")
        .run(|inbox, outbox| run(&settings, &bundle, policy, inbox, outbox))
        .unwrap();
    result.unwrap();
    assert_eq!(chunks(&sent).len(), 1);
}

#[test]
fn a_camera_that_is_not_wired_is_a_mistake_at_the_start() {
    let settings = Settings::read(Environment::from_pairs([("POLICY", BUNDLE)])).unwrap();
    let (bundle, policy) = settings.open_policy().unwrap();
    let (result, _) = start()
        .wired(&["image"])
        .closed("arm_state")
        .run(|inbox, outbox| run(&settings, &bundle, policy, inbox, outbox))
        .unwrap();
    let error = result.unwrap_err().to_string();
    assert!(error.contains("`wrist`"), "{error}");
}

#[test]
fn a_slow_policy_keeps_neither_progress_nor_stages_waiting() {
    // Steps of denoising that take so long that a dozen messages pass meanwhile.
    let files = [
        ("denoiser.onnx", "denoiser.onnx"),
        ("encoder.onnx", "encoder.onnx"),
    ];
    let bundle = bundle_with(&[("steps = 10", "steps = 1000")], files);
    let policy = bundle.path().display().to_string();
    let mut script = nearly();
    for seq in 0..8 {
        script = script.message("keypoints", &keypoints(seq + 1, 100 + seq));
    }
    let script = script.message("stage", &stage(5, 2));
    let script = state(script, 2, 140, 0, 0).message("keypoints", &keypoints(20, 120));
    let more = [("POLICY", policy.as_str()), ("PARTICLES", "4096")];
    let sent = run_to_end(&more, script, 1);
    let order = sent.order();
    let first = order.iter().position(|port| *port == "action_chunk");
    let before = &order[..first.expect("there is a chunk in the end")];
    let readings = before.iter().filter(|port| **port == "progress").count();
    assert!(readings >= 8, "{order:?}");
    let chunks = chunks(&sent);
    assert_eq!(chunks[0].stage, 2, "the plan for the stage before is void");
    let spent_ms = chunks[0].planning_ns / MS;
    assert!(spent_ms > 150, "{spent_ms} ms are not slow");
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
    let begin = || state(start(), 1, 120, 0, 0);

    // A dark picture after a bright one: it goes on.
    let script = images(
        bright(begin(), 100).until("episode", sent("status", 1)),
        200,
    );
    let sent = run_to_end(&settings, script, 1);
    let told = statuses(&sent);
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(told[0].code, "all_particles_lost");
    assert_eq!(told[0].level, Level::Warning);
    assert!(told[0].text.contains("all 1 particles"), "{}", told[0].text);
    assert_eq!(sent.count("action_chunk"), 1);

    // Bright for ever: it says so gravely, lives on, and has never sent a chunk.
    let script = (1..=12).fold(begin().gap(0.06), |script, n| bright(script, 50 * n));
    let sent = run_to_end(&settings, script, 0);
    assert_eq!(sent.count("action_chunk"), 0);
    let told = statuses(&sent);
    let levels: Vec<_> = told.iter().map(|status| status.level).collect();
    assert_eq!(levels, [Level::Warning, Level::Error], "{told:?}");
    assert!(told[1].text.contains("10 in a row"), "{}", told[1].text);
}

#[test]
fn a_policy_with_a_memory_sees_what_is_seen_between_two_plans() {
    let bundle = with_memory();
    let policy = bundle.path().display().to_string();
    let second_chunk = |between: u8| {
        let script = state(images(start(), 100), 1, 120, 0, 0);
        let script = script.until("episode", sent("action_chunk", 1));
        let script = images_of(state(script, 2, 220, 1, 1), 200, between);
        let script = images(state(script, 3, 320, 1, 2), 400);
        let sent = run_to_end(&[("POLICY", &policy), ("STEER", "off")], script, 2);
        let chunks = chunks(&sent);
        assert_eq!(chunks.len(), 2);
        chunks[1].actions.clone()
    };
    assert_eq!(second_chunk(10), second_chunk(10));
    assert_ne!(second_chunk(10), second_chunk(200));
}
