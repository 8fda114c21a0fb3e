use std::sync::Arc;

use tiller_authoring::DeskEvent;
use tiller_closed_loop::journal::{Header, Machine, read};
use tiller_core::{EpisodeId, ProgramId};
use tiller_messages::{
    Encoding, Episode, ImageHeader, Journal, Keypoints, Level, ProgramContract, RewardProgram,
    StageAdvice, StageCommand, StageQuery, Status,
};
use tiller_node_kit::Environment;
use tiller_node_kit::testing::{Script, Sent};
use tiller_playtable_author::EmbeddedAuthor;

use super::{ESSENTIAL, run};
use crate::config::Setup;

mod advice;
mod approval;
mod damages;
mod episodes;
mod waiting;

const MS: u64 = 1_000_000;

/// The episode with this id, which is not the last one and begins at its id times 1000 ms.
fn episode(id: u64, instruction: &str) -> Episode {
    Episode {
        seq: id,
        id: EpisodeId(id),
        stamp_ns: id * 1000 * MS,
        instruction: instruction.into(),
        ..Default::default()
    }
}

fn last(id: u64, instruction: &str) -> Episode {
    Episode {
        last: true,
        ..episode(id, instruction)
    }
}

/// A contract of trajectories with this many points.
fn contract(seq: u64, points: u32) -> ProgramContract {
    ProgramContract {
        seq,
        policy: "flow".into(),
        points,
        ..Default::default()
    }
}

/// Keypoints of an episode, seen this long after its beginning, ms.
fn keypoints(episode: u64, generation: u32, after_ms: u64) -> Keypoints {
    Keypoints {
        seq: episode * 1000 + after_ms,
        stamp_ns: (episode * 1000 + after_ms) * MS,
        episode: EpisodeId(episode),
        generation,
        names: vec!["drawer handle".into(), "red block".into()],
        xyz_m: vec![0.58, -0.3, 0.06, 0.45, 0.1, 0.02],
        visible: vec![true, true],
        ..Default::default()
    }
}

fn header(stamp_ms: u64) -> ImageHeader {
    ImageHeader {
        seq: 1,
        stamp_ns: stamp_ms * MS,
        frame_id: "static".into(),
        width: SIDE,
        height: SIDE,
        encoding: Encoding::Rgb8,
        ..Default::default()
    }
}

const SIDE: usize = 64;

fn image(script: Script, id: &'static str, stamp_ms: u64) -> Script {
    script.image(id, &header(stamp_ms), &[0; SIDE * SIDE * 3])
}

/// A grounding in an episode: its picture, and the keypoints in it.
fn grounded(script: Script, episode: u64, generation: u32, after_ms: u64) -> Script {
    image(script, "annotated_image", episode * 1000 + after_ms)
        .message("keypoints", &keypoints(episode, generation, after_ms))
}

fn script() -> Script {
    Script::new(ESSENTIAL)
}

/// Everything that a program for the only episode, the first, needs.
fn ready(instruction: &str) -> Script {
    let script = script()
        .message("program_contract", &contract(1, 17))
        .message("episode", &last(1, instruction));
    grounded(script, 1, 1, 100)
}

fn setup(settings: &[(&str, &str)]) -> Setup {
    let env = Environment::from_pairs(settings.iter().copied());
    let setup = Setup::read(env, ("playtable", Arc::new(EmbeddedAuthor)), false);
    setup.unwrap_or_else(|error| panic!("{error}"))
}

fn drive_with(settings: &[(&str, &str)], script: Script) -> (eyre::Result<()>, Sent) {
    let setup = setup(settings);
    script
        .run(|inbox, outbox| run(&setup, inbox, outbox))
        .expect("the harness works")
}

/// The node with the embedded author.
fn drive(script: Script) -> (eyre::Result<()>, Sent) {
    drive_with(&[], script)
}

/// Does something with the path of a file that holds an answer.
fn with_answer<T>(answer: &str, act: impl FnOnce(&str) -> T) -> T {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("answer.md");
    std::fs::write(&file, answer).unwrap();
    act(file.to_str().unwrap())
}

/// The node with an answer from a file, which is the same to every question.
fn drive_with_answer(answer: &str, fallback: &str, script: Script) -> (eyre::Result<()>, Sent) {
    with_answer(answer, |file| {
        let settings = [
            ("VLM_PROVIDER", "files"),
            ("ANSWERS", file),
            ("FALLBACK", fallback),
            ("MAX_REPAIRS", "1"),
        ];
        drive_with(&settings, script)
    })
}

fn programs(sent: &Sent) -> Vec<RewardProgram> {
    sent.messages("reward_program").unwrap()
}

fn codes(sent: &Sent) -> Vec<(Level, String)> {
    let statuses = sent.messages::<Status>("status").unwrap();
    statuses.into_iter().map(|s| (s.level, s.code)).collect()
}

/// The texts in which messages were refused.
fn refusals(sent: &Sent) -> Vec<String> {
    let statuses = sent.messages::<Status>("status").unwrap().into_iter();
    let refused = statuses.filter(|status| status.code == "message_refused");
    refused.map(|status| status.text).collect()
}

fn told(level: Level, code: &str) -> (Level, String) {
    (level, code.to_owned())
}

#[test]
fn a_program_is_checked_and_says_what_it_is_for() {
    let (result, sent) = drive(ready("open the drawer").closed("keypoints"));
    result.unwrap();
    let programs = programs(&sent);
    assert_eq!(programs.len(), 1);
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
    assert_eq!(
        (program.source.as_str(), program.instruction.as_str()),
        ("embedded", "open the drawer")
    );
    assert_eq!((program.episode, program.generation), (EpisodeId(1), 1));
    assert_eq!(codes(&sent), [told(Level::Info, "program")]);
}

#[test]
fn what_a_program_was_written_from_is_sent_to_recorders() {
    for (setting, expected) in [("on", true), ("off", false)] {
        let script = ready("open the drawer").closed("keypoints");
        let (result, sent) = drive_with(&[("JOURNAL", setting)], script);
        result.unwrap();
        let pieces = sent.messages::<Journal>("journal").unwrap();
        assert_eq!(!pieces.is_empty(), expected, "JOURNAL={setting}");
        let Some(piece) = pieces.last() else { continue };
        let Machine::Author(header) = Header::read(&piece.header).unwrap().machine else {
            panic!("an author's journal");
        };
        let of = (header.world.as_str(), header.source.as_str());
        assert_eq!(of, ("playtable", "embedded"));
        let events = read::<DeskEvent>(piece.entries.as_slice()).unwrap();
        let DeskEvent::Begin(commission) = &events[0].event else {
            panic!("{events:?}");
        };
        assert_eq!(commission.id, programs(&sent)[0].id);
        assert_eq!(commission.keypoints.names, ["drawer handle", "red block"]);
    }
}

#[test]
fn one_program_is_written_for_each_grounding() {
    let script = ready("open the drawer").message("keypoints", &keypoints(1, 1, 200));
    let script = grounded(script, 1, 2, 300).message("keypoints", &keypoints(1, 2, 400));
    let (result, sent) = drive(script.closed("keypoints"));
    result.unwrap();
    let programs = programs(&sent);
    let numbers: Vec<_> = programs.iter().map(|p| (p.seq, p.generation)).collect();
    assert_eq!(numbers, [(1, 1), (2, 2)]);
    assert!(programs[1].id > programs[0].id);
}

#[test]
fn a_program_is_compiled_for_the_points_of_the_contract() {
    for points in [2, 9, 33] {
        let script = script()
            .message("program_contract", &contract(1, points))
            .message("episode", &last(1, "open the drawer"));
        let (result, sent) = drive(grounded(script, 1, 1, 100).closed("keypoints"));
        result.unwrap();
        assert_eq!(programs(&sent)[0].points, points);
    }
    // A program that counts on 17 points is sound for a contract of as many only.
    let fixed = "```python\nnum_stages = 1\ndef stage1_guidance(keypoints, action_sequence):\n    \
                 return -(action_sequence[0, 16] - keypoints[0]).norm()\n```";
    for (points, expected) in [(17, "files"), (9, "embedded")] {
        let script = script()
            .message("program_contract", &contract(1, points))
            .message("episode", &last(1, "open the drawer"));
        let script = grounded(script, 1, 1, 100).closed("keypoints");
        let (result, sent) = drive_with_answer(fixed, "embedded", script);
        result.unwrap();
        let written = &programs(&sent)[0];
        assert_eq!(
            (written.source.as_str(), written.points),
            (expected, points)
        );
    }
}

#[test]
fn another_contract_has_the_program_written_anew() {
    let script = ready("open the drawer")
        .message("program_contract", &contract(2, 17))
        .message("program_contract", &contract(3, 9))
        .message("keypoints", &keypoints(1, 1, 200));
    let (result, sent) = drive(script.closed("keypoints"));
    result.unwrap();
    let programs = programs(&sent);
    let points: Vec<_> = programs.iter().map(|p| (p.points, p.generation)).collect();
    assert_eq!(points, [(17, 1), (9, 1)]);
    assert!(programs[1].id > programs[0].id);
}

#[test]
fn a_program_is_sent_again_for_whoever_joins_later() {
    let script = (2..15).fold(ready("open the drawer").gap(0.1), |script, n| {
        script.message("keypoints", &keypoints(1, 1, 100 * n))
    });
    let (result, sent) = drive(script.closed("keypoints"));
    result.unwrap();
    let programs = programs(&sent);
    assert!(programs.len() >= 2, "in 1.3 s");
    let is_same = |program: &RewardProgram| *program == programs[0];
    assert!(
        programs.iter().all(is_same),
        "a reader takes it for what it has"
    );
    assert_eq!(codes(&sent), [told(Level::Info, "program")]);
}

const POEM: &str = "Roses are red.";

#[test]
fn without_steering_the_policy_is_left_alone() {
    let script = ready("open the drawer").closed("keypoints");
    let (result, sent) = drive_with_answer(POEM, "unsteered", script);
    result.unwrap();
    let programs = programs(&sent);
    assert_eq!(programs.len(), 1);
    assert_eq!(programs[0].unguided, [true]);
    assert_eq!(programs[0].source, "unsteered");
    let expected = [
        told(Level::Info, "asking"),
        told(Level::Info, "repair"),
        told(Level::Info, "waited"),
        told(Level::Warning, "fallback_unsteered"),
        told(Level::Info, "program"),
    ];
    assert_eq!(codes(&sent), expected);
}

#[test]
fn holding_sends_no_program_and_says_why() {
    let script = ready("open the drawer").closed("keypoints");
    let (result, sent) = drive_with_answer(POEM, "hold", script);
    result.unwrap();
    let statuses = sent.messages::<Status>("status").unwrap();
    let text = &statuses.last().unwrap().text;
    assert!(text.starts_with("fallback_hold: no_program"), "{text}");
    assert_eq!(sent.count("reward_program"), 0);
    assert_eq!(
        codes(&sent).last(),
        Some(&told(Level::Error, "invalid_program"))
    );
}

#[test]
fn the_embedded_author_helps_out() {
    let script = ready("open the drawer").closed("keypoints");
    let (result, sent) = drive_with_answer(POEM, "embedded", script);
    result.unwrap();
    assert_eq!(programs(&sent)[0].source, "embedded");
    assert!(codes(&sent).contains(&told(Level::Warning, "fallback_embedded")));
}
