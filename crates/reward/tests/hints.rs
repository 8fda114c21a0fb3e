//! Every help line is followed: the mended program is accepted and means what the original meant.
//!
//! `resources/mended.txt` says what following each help line of `resources/invalid` gives;
//! `golden/mended.json` holds what PyTorch says about originals and mended programs, where the
//! original means anything there.

#![allow(clippy::unwrap_used, reason = "helpers of tests may panic")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use tiller_core::Trajectories;
use tiller_reward::{Diagnostic, Evaluator, Kind, Moment, Program, Scene, Severity, compile};

/// How a mended program relates to the help that it follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// It does what the help proposes and means what the original meant.
    Mend,
    /// The original is refused for its value, which cannot stay.
    Soft,
    /// The help only says what is wrong.
    Free,
}

#[derive(Debug)]
struct Mended {
    way: Way,
    edits: Vec<(String, String)>,
}

#[derive(Debug, Default)]
struct Entry {
    helps: Vec<String>,
    mended: Vec<Mended>,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests")
}

/// `a => b` with `\n` and `\t` for line ends and tabs.
fn edit(text: &str) -> (String, String) {
    let (from, to) = text.split_once(" => ").unwrap();
    let plain = |text: &str| text.replace("\\n", "\n").replace("\\t", "\t");
    (plain(from), plain(to))
}

fn entries() -> BTreeMap<String, Entry> {
    let text = fs::read_to_string(folder().join("resources/mended.txt")).unwrap();
    let mut entries: BTreeMap<String, Entry> = BTreeMap::new();
    let (_, list) = text.split_once("\n\n[answer/").unwrap();
    let list = format!("[answer/{list}");
    let mut current = String::new();
    for line in list.lines().filter(|line| !line.is_empty()) {
        if let Some(name) = line.strip_prefix('[') {
            current = name.trim_end_matches(']').to_owned();
            let is_new = entries.insert(current.clone(), Entry::default()).is_none();
            assert!(is_new, "{current} is there twice");
            continue;
        }
        let entry = entries.get_mut(&current).unwrap();
        let (word, rest) = line.split_once(": ").unwrap();
        let way = match word {
            "help" => {
                entry.helps.push(rest.to_owned());
                continue;
            }
            "also" => {
                entry.mended.last_mut().unwrap().edits.push(edit(rest));
                continue;
            }
            "mend" => Way::Mend,
            "soft" => Way::Soft,
            "free" => Way::Free,
            _ => panic!("{current}: {line}"),
        };
        entry.mended.push(Mended {
            way,
            edits: vec![edit(rest)],
        });
    }
    entries
}

/// The programs with a mistake or a remark, by theme and name.
fn programs() -> BTreeMap<String, String> {
    let mut programs = BTreeMap::new();
    let invalid = fs::read_dir(folder().join("resources/invalid")).unwrap();
    let themes = invalid.map(|theme| theme.unwrap().path());
    for theme in themes.chain([folder().join("resources/remarked")]) {
        for file in fs::read_dir(&theme).unwrap() {
            let path = file.unwrap().path();
            let stem = |path: &Path| path.file_stem().unwrap().to_string_lossy().into_owned();
            let name = format!("{}/{}", stem(&theme), stem(&path));
            programs.insert(name, fs::read_to_string(path).unwrap());
        }
    }
    programs
}

fn apply(name: &str, original: &str, mended: &Mended) -> String {
    let mut text = original.to_owned();
    for (from, to) in &mended.edits {
        let next = if from == "*" {
            to.clone()
        } else {
            text.replace(from, to)
        };
        assert_ne!(next, text, "{name}: `{from}` is not there");
        text = next;
    }
    text
}

fn numbers(value: &Value) -> Vec<f64> {
    let list = value.as_array().unwrap();
    list.iter().map(|number| number.as_f64().unwrap()).collect()
}

fn points(value: &Value) -> Vec<[f64; 3]> {
    let list = value.as_array().unwrap();
    list.iter()
        .map(|point| numbers(point).try_into().unwrap())
        .collect()
}

/// Guidance and done of every stage at the stored inputs.
fn values(program: &Program, inputs: &Value) -> Vec<[Option<f64>; 2]> {
    let keypoints = points(&inputs["keypoints"]);
    let start = points(&inputs["start_keypoints"]);
    let path = points(&inputs["action_sequence"]).concat();
    let hand = numbers(&inputs["end_effector"]).try_into().unwrap();
    let gripper = numbers(&inputs["gripper"]);
    let scene = Scene::from(keypoints.as_slice());
    let stages = program.stages.iter();
    stages
        .map(|stage| {
            let mut evaluator = Evaluator::<f64>::new(&stage.guidance, 1);
            let mut value = [0.0];
            let trajectories = Trajectories {
                gripper: &gripper,
                ..Trajectories::of_positions(&path)
            };
            evaluator
                .evaluate_whole(&scene, &trajectories, &mut value, None)
                .unwrap();
            let moment = Moment::at(&keypoints, &start, hand);
            let done = stage.done.as_ref().map(|done| done.value(&moment).unwrap());
            [Some(value[0]), done]
        })
        .collect()
}

fn agree(ours: &[[Option<f64>; 2]], theirs: &Value) -> bool {
    let theirs = theirs.as_array().unwrap();
    theirs.len() == ours.len()
        && ours.iter().zip(theirs).all(|(ours, theirs)| {
            (0..2).all(|part| match (ours[part], theirs[part].as_f64()) {
                (Some(ours), Some(theirs)) => (ours - theirs).abs() <= 1e-9 * theirs.abs().max(1.0),
                (None, None) => true,
                _ => false,
            })
        })
}

/// A program that is refused for its value cannot keep it.
fn is_refused_for_its_value(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::NoGradient
            | Kind::NoDependence
            | Kind::NotFinite
            | Kind::NotFiniteGradient
            | Kind::Inert
            | Kind::DoneSign
    ) || kind.severity() == Severity::Warning
}

#[test]
fn whoever_follows_a_help_line_gets_a_sound_program_that_means_what_was_meant() {
    let golden = fs::read_to_string(folder().join("golden/mended.json")).unwrap();
    let golden: Value = serde_json::from_str(&golden).unwrap();
    let (entries, programs) = (entries(), programs());
    let mut wrong = Vec::new();
    for (name, original) in &programs {
        let Some(entry) = entries.get(name) else {
            wrong.push(format!("{name}: nobody says how its help is followed"));
            continue;
        };
        let options = crate::common::options(name);
        // A refused program may be remarked on, too.
        let items: Vec<Diagnostic> = match compile(original, &options) {
            Ok(program) => program.remarks,
            Err(mistakes) => {
                let items = mistakes.items.into_iter();
                items
                    .filter(|item| item.severity() == Severity::Error)
                    .collect()
            }
        };
        let helps: Vec<String> = items
            .iter()
            .map(|item| item.help.clone().unwrap())
            .collect();
        if helps != entry.helps {
            wrong.push(format!("{name}: {:?} became {helps:?}", entry.helps));
        }
        if entry.mended.is_empty() {
            wrong.push(format!("{name}: no mended program"));
        }
        for (position, mended) in entry.mended.iter().enumerate() {
            let text = apply(name, original, mended);
            let program = match compile(&text, &options) {
                Ok(program) => program,
                Err(mistakes) => {
                    wrong.push(format!("{name}: refused\n{}", mistakes.render(&text)));
                    continue;
                }
            };
            let is_again = |remark: &&Diagnostic| items.iter().any(|i| i.kind == remark.kind);
            if let Some(again) = program.remarks.iter().find(is_again) {
                wrong.push(format!("{name}: still {again}"));
            }
            let known = &golden["programs"][name];
            if known["mended"][position].is_null() {
                wrong.push(format!("{name}: PyTorch was not asked"));
                continue;
            }
            let ours = values(&program, &golden["inputs"]);
            if !agree(&ours, &known["mended"][position]) {
                let theirs = &known["mended"][position];
                wrong.push(format!("{name}: {ours:?}, in PyTorch {theirs}"));
            }
            let kinds = items.iter().map(|item| item.kind);
            let stays = match mended.way {
                Way::Mend => true,
                Way::Soft => !kinds.clone().all(is_refused_for_its_value),
                Way::Free => helps.iter().any(|help| help.contains('`')),
            };
            let original_value = &known["original"];
            if stays && !original_value.is_null() && !agree(&ours, original_value) {
                wrong.push(format!("{name}: {ours:?}, was {original_value}"));
            }
        }
    }
    let missing: BTreeSet<_> = entries
        .keys()
        .filter(|name| !programs.contains_key(*name))
        .collect();
    assert!(missing.is_empty(), "no such program: {missing:?}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
