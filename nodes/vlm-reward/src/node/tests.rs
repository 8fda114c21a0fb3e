use tiller_messages::{Encoding, ImageHeader, Keypoints, Level, RewardProgram, StageQuery, Status};
use tiller_node_kit::Environment;
use tiller_node_kit::testing::{Script, Sent};

use super::{ESSENTIAL, run};
use crate::config::Settings;

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
    let header = ImageHeader {
        seq: 1,
        stamp_ns,
        frame_id: "static".into(),
        width: 64,
        height: 64,
        encoding: Encoding::Rgb8,
        focal: [64.0; 2],
        principal_point: [32.0; 2],
        world_from_camera: [0.0; 16],
        labels: Vec::new(),
    };
    script.image("annotated_image", &header, &[0; 64 * 64 * 3])
}

fn drive(instruction: &str, script: Script) -> (eyre::Result<()>, Sent) {
    let settings = Settings::read(Environment::from_pairs([("INSTRUCTION", instruction)]));
    let settings = settings.unwrap();
    script
        .run(|inbox, outbox| run(&settings, inbox, outbox))
        .expect("the harness works")
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
