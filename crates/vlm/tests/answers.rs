//! Raw answers in the manner of many models, each with the verdict that it must get.
//!
//! The first line of a file is `<!-- verdict: ok STAGES -->`, which may go on with `reading keypoint 0
//! alone` where a draft would have read another or have a done, `<!-- verdict: no_program -->`,
//! `<!-- verdict: refused_by_model -->` or `<!-- verdict: program_invalid KIND -->`, where KIND is
//! the kind of the first mistake, or `*` where it does not matter which check stops the answer.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that panics has failed, as it should"
)]

use std::path::{Path, PathBuf};

use tiller_reward::{CompileOptions, Stage, compile};
use tiller_vlm::provider::Outcome;
use tiller_vlm::repair::verdict;

/// What an answer beside a draft must come to.
const ALONE: &str = " reading keypoint 0 alone";

/// Four keypoints and sixteen actions.
fn options() -> CompileOptions {
    CompileOptions::new(4, 17)
}

fn answers() -> Vec<(String, String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/answers");
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    let read = |path: PathBuf| {
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let text = std::fs::read_to_string(&path).unwrap();
        let (first, answer) = text.split_once('\n').unwrap();
        let expected = first.trim().strip_prefix("<!-- verdict: ").unwrap();
        let expected = expected.strip_suffix(" -->").unwrap();
        (name, expected.to_owned(), answer.to_owned())
    };
    paths.into_iter().map(read).collect()
}

#[test]
fn every_answer_gets_its_verdict() {
    let mut wrong = Vec::new();
    for (name, expected, answer) in answers() {
        let found = match compile(&answer, &options()) {
            Ok(program) => {
                let is_alone =
                    |stage: &Stage| stage.guidance.used_keypoints() == [0] && stage.done.is_none();
                let is_told = expected.ends_with(ALONE);
                let alone = if is_told && program.stages.iter().all(is_alone) {
                    ALONE
                } else {
                    ""
                };
                format!("ok {}{alone}", program.stages.len())
            }
            Err(mistakes) => match verdict(&mistakes, &answer) {
                Outcome::ProgramInvalid => {
                    format!("program_invalid {}", mistakes.items[0].kind.code())
                }
                other => other.name().to_owned(),
            },
        };
        let is_any = expected == "program_invalid *" && found.starts_with("program_invalid ");
        if found != expected && !is_any {
            wrong.push(format!("{name}: expected {expected}, found {found}"));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn the_corpus_is_large_and_mixed() {
    let answers = answers();
    let count = |start: &str| {
        answers
            .iter()
            .filter(|(_, expected, _)| expected.starts_with(start))
            .count()
    };
    assert!(answers.len() >= 60, "{} answers", answers.len());
    assert!(
        count("ok ") >= 20 && count("program_invalid ") >= 30,
        "good and bad ones"
    );
    assert!(count("no_program") >= 5 && count("refused_by_model") >= 3);
}
