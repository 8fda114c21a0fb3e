use std::path::Path;
use std::sync::Arc;

use tiller_messages::{
    Encoding, ImageHeader, Keypoints, Level, RewardProgram, StageAdvice, StageCommand, StageQuery,
    Status,
};
use tiller_node_kit::Environment;
use tiller_node_kit::testing::{Script, Sent};
use tiller_playtable_author::EmbeddedAuthor;

use super::{ESSENTIAL, run};
use crate::config::Setup;

fn keypoints(seq: u64, generation: u32) -> Keypoints {
    Keypoints {
        seq,
        stamp_ns: seq * 100,
        generation,
        names: vec!["drawer handle".into(), "red block".into()],
        xyz_m: vec![0.58, -0.3, 0.06, 0.45, 0.1, 0.02],
        visible: vec![true, true],
    }
}

fn picture(script: Script, stamp_ns: u64) -> Script {
    image(script, "annotated_image", stamp_ns)
}

fn image(script: Script, id: &'static str, stamp_ns: u64) -> Script {
    let header = ImageHeader {
        seq: 1,
        stamp_ns,
        frame_id: "static".into(),
        width: 64,
        height: 64,
        encoding: Encoding::Rgb8,
        focal: Some([64.0; 2]),
        principal_point: Some([32.0; 2]),
        world_from_camera: Some([0.0; 16]),
        labels: Vec::new(),
    };
    script.image(id, &header, &[0; 64 * 64 * 3])
}

fn drive(instruction: &str, script: Script) -> (eyre::Result<()>, Sent) {
    drive_with(&[("INSTRUCTION", instruction)], script)
}

fn drive_with(settings: &[(&str, &str)], script: Script) -> (eyre::Result<()>, Sent) {
    let env = Environment::from_pairs(settings.iter().copied());
    let setup = Setup::read(env, Arc::new(EmbeddedAuthor));
    let setup = setup.unwrap_or_else(|error| panic!("{error}"));
    script
        .run(|inbox, outbox| run(&setup, inbox, outbox))
        .expect("the harness works")
}

/// The node with an answer from a file, which is the same to every question.
fn drive_with_answer(answer: &str, fallback: &str, script: Script) -> (eyre::Result<()>, Sent) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("answer.md");
    std::fs::write(&file, answer).unwrap();
    let settings = [
        ("INSTRUCTION", "open the drawer"),
        ("VLM_PROVIDER", "files"),
        ("ANSWERS", path(&file)),
        ("FALLBACK", fallback),
        ("MAX_REPAIRS", "1"),
    ];
    drive_with(&settings, script)
}

fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn grounding() -> Script {
    picture(Script::new(ESSENTIAL), 100).message("keypoints", &keypoints(1, 1))
}

fn codes(sent: &Sent) -> Vec<(Level, String)> {
    let statuses = sent.messages::<Status>("status").unwrap();
    statuses.into_iter().map(|s| (s.level, s.code)).collect()
}

fn told(level: Level, code: &str) -> (Level, String) {
    (level, code.to_owned())
}

#[test]
fn one_checked_program_is_written_for_each_grounding() {
    let script = picture(Script::new(ESSENTIAL), 100)
        .message("keypoints", &keypoints(1, 1))
        .message("keypoints", &keypoints(2, 1));
    let script = picture(script, 300)
        .message("keypoints", &keypoints(3, 2))
        .message(
            "stage_query",
            &StageQuery {
                seq: 1,
                ..Default::default()
            },
        )
        .closed("keypoints");
    let (result, sent) = drive("open the drawer", script);
    result.unwrap();
    let programs = sent.messages::<RewardProgram>("reward_program").unwrap();
    let numbers: Vec<_> = programs.iter().map(|p| (p.seq, p.generation)).collect();
    assert_eq!(numbers, [(1, 1), (2, 2)]);
    let program = &programs[0];
    assert!(
        program.text.contains("def stage1_guidance("),
        "{}",
        program.text
    );
    assert_eq!(program.descriptions.len(), program.num_stages as usize);
    assert!(
        program.has_done.iter().all(|has| *has),
        "the embedded author writes `done`"
    );
    assert_eq!(program.source, "embedded");
    let statuses = sent.messages::<Status>("status").unwrap();
    assert!(statuses.iter().all(|s| s.level == Level::Info));
    assert_eq!(sent.count("stage_advice"), 0);
}

#[test]
fn nothing_is_written_before_the_picture_is_there() {
    let script = Script::new(ESSENTIAL)
        .message("keypoints", &keypoints(1, 1))
        .closed("keypoints");
    let (result, sent) = drive("open the drawer", script);
    result.unwrap();
    assert!(sent.order().is_empty());
}

#[test]
fn a_refused_instruction_is_told_and_ends_the_node_with_an_error() {
    let script = picture(Script::new(ESSENTIAL), 100)
        .message("keypoints", &keypoints(1, 1))
        .closed("keypoints");
    let (result, sent) = drive("make coffee", script);
    let error = format!("{:#}", result.unwrap_err());
    assert!(
        error.contains("instruction `make coffee` is not understood"),
        "{error}"
    );
    assert!(
        error.contains("open the drawer"),
        "it says what would work: {error}"
    );
    let statuses = sent.messages::<Status>("status").unwrap();
    assert_eq!(statuses.len(), 1);
    assert_eq!(
        (statuses[0].level, statuses[0].code.as_str()),
        (Level::Error, "refused")
    );
    assert_eq!(statuses[0].text, error);
    assert_eq!(sent.count("reward_program"), 0);
}

const POEM: &str = "Roses are red.";

#[test]
fn without_steering_the_policy_is_left_alone() {
    let (result, sent) = drive_with_answer(POEM, "unsteered", grounding().closed("keypoints"));
    result.unwrap();
    let programs = sent.messages::<RewardProgram>("reward_program").unwrap();
    assert_eq!(programs.len(), 1);
    assert_eq!(programs[0].unguided, [true]);
    assert_eq!(programs[0].source, "unsteered");
    let expected = [
        told(Level::Info, "asking"),
        told(Level::Info, "repair"),
        told(Level::Warning, "fallback_unsteered"),
        told(Level::Info, "program"),
    ];
    assert_eq!(codes(&sent), expected);
}

#[test]
fn holding_sends_no_program_and_ends_with_the_reason() {
    let (result, sent) = drive_with_answer(POEM, "hold", grounding().closed("keypoints"));
    let error = result.unwrap_err().to_string();
    assert!(error.starts_with("fallback_hold: no_program"), "{error}");
    assert_eq!(sent.count("reward_program"), 0);
    assert_eq!(
        codes(&sent).last(),
        Some(&told(Level::Error, "invalid_program"))
    );
}

#[test]
fn the_embedded_author_helps_out() {
    let (result, sent) = drive_with_answer(POEM, "embedded", grounding().closed("keypoints"));
    result.unwrap();
    let programs = sent.messages::<RewardProgram>("reward_program").unwrap();
    assert_eq!(programs[0].source, "embedded");
    assert!(codes(&sent).contains(&told(Level::Warning, "fallback_embedded")));
}

/// A program, and advice in the same answer: the file answers every question with both.
const BOTH: &str = "```python\nnum_stages = 2\n# Stage 1: reach\ndef stage1_guidance(keypoints, action_sequence):\n    return -torch.norm(action_sequence - keypoints[0], dim=-1).mean()\n# Stage 2: stay\ndef stage2_guidance(keypoints, action_sequence):\n    return -torch.norm(action_sequence - keypoints[1], dim=-1).mean()\n```\n";

fn query(seq: u64, visit: u32) -> StageQuery {
    StageQuery {
        seq,
        stage: 1,
        visit,
        reason: "it drags on".into(),
    }
}

fn command(seq: u64, visit: u32) -> StageCommand {
    StageCommand {
        seq,
        generation: 1,
        stage: 1,
        visit,
        ..Default::default()
    }
}

#[test]
fn advice_on_the_present_visit_is_passed_on() {
    let answer = format!("{BOTH}{{\"stage\": 2, \"reason\": \"it is there\"}}");
    let script = image(grounding(), "image", 200)
        .message("stage", &command(1, 1))
        .message("stage_query", &query(1, 1))
        .closed("keypoints");
    let (result, sent) = drive_with_answer(&answer, "hold", script);
    result.unwrap();
    let advice = sent.messages::<StageAdvice>("stage_advice").unwrap();
    assert_eq!(advice.len(), 1, "{:?}", codes(&sent));
    let StageAdvice { visit, stage, .. } = advice[0];
    assert_eq!((visit, stage), (1, 2));
    assert_eq!(codes(&sent).last(), Some(&told(Level::Info, "advice")));
}

#[test]
fn advice_that_is_late_malformed_or_impossible_is_dropped_and_told() {
    let drop_of = |advice: &str, now: u32| {
        let script = grounding()
            .message("stage", &command(1, now))
            .message("stage_query", &query(1, 3))
            .closed("keypoints");
        let (result, sent) = drive_with_answer(&format!("{BOTH}{advice}"), "hold", script);
        result.unwrap();
        assert_eq!(sent.count("stage_advice"), 0);
        codes(&sent).pop().unwrap()
    };
    let good = r#"{"stage": 2}"#;
    assert_eq!(drop_of(good, 4), told(Level::Warning, "advice_late"));
    assert_eq!(drop_of("stay", 3), told(Level::Warning, "advice_malformed"));
    let ninth = r#"{"stage": 9}"#;
    assert_eq!(drop_of(ninth, 3), told(Level::Warning, "advice_impossible"));
}
