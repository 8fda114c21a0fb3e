//! Vision-language-action policies: what is read, seen and sampled is what LeRobot reads, sees and samples;
//! `tests/data/vla` holds its answers.

use std::path::{Path, PathBuf};

use crate::common::data;
use crate::golden::{Golden, difference, sample};
use tempfile::TempDir;
use tiller_policy::{
    Bundle, BundleError, Condition, Observation, Policy, PolicyError, Runs, RuntimeOptions, Supply,
};
use tiller_steering::Denoiser;

/// Of conditions and of unnormalised actions, both of the size of 1; they are apart by up to 2.4e-6.
const TOLERANCE: f32 = 1e-5;
const FAMILIES: [&str; 3] = ["smolvla", "pi0", "pi05"];

fn folder(family: &str) -> PathBuf {
    data().join("vla").join(family)
}

fn golden(family: &str) -> Golden {
    let text = std::fs::read_to_string(folder(family).join("golden.json")).unwrap();
    Golden(serde_json::from_str(&text).unwrap())
}

fn open(bundle: &Bundle) -> Policy {
    Policy::open(bundle, &RuntimeOptions::default()).unwrap()
}

fn policy(family: &str) -> Policy {
    open(&Bundle::load(&folder(family)).unwrap())
}

/// A copy of a bundle that may be damaged.
fn copy(family: &str) -> TempDir {
    let copy = tempfile::tempdir().unwrap();
    for entry in std::fs::read_dir(folder(family)).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), copy.path().join(entry.file_name())).unwrap();
    }
    copy
}

fn edit(folder: &Path, from: &str, to: &str) {
    let path = folder.join("policy.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    assert_eq!(text.matches(from).count(), 1, "`{from}` in the manifest");
    std::fs::write(path, text.replace(from, to)).unwrap();
}

fn message(folder: &Path) -> String {
    match Bundle::load(folder).unwrap_err() {
        error @ BundleError::Invalid { .. } => error.to_string(),
        other => panic!("{other}"),
    }
}

/// The rows of a condition `[1, KV, P, d]` at the places that LeRobot has as well: its `[KV, P', d]`.
fn where_lerobot_has_it(condition: &Condition, golden: &Golden) -> Vec<f32> {
    let [1, _, places, d] = *condition.shape() else {
        panic!("{:?}", condition.shape());
    };
    let kept = golden.0["places"].as_array().unwrap();
    let numbers = condition.floats().unwrap();
    let mut rows = Vec::new();
    for head in numbers.chunks(places * d) {
        for place in kept {
            let place = place.as_u64().unwrap() as usize;
            rows.extend_from_slice(&head[place * d..(place + 1) * d]);
        }
    }
    rows
}

#[test]
fn conditions_and_chunks_are_those_of_lerobot() {
    for family in FAMILIES {
        let (mut policy, golden) = (policy(family), golden(family));
        golden
            .show(0, |seen| policy.encode(seen).map(drop))
            .unwrap();
        let mut compared = 0;
        for condition in policy.conditions() {
            if condition.floats().is_none() {
                continue;
            }
            let expected = golden.numbers(&format!("/conditions/{}", condition.name()));
            let apart = difference(&where_lerobot_has_it(condition, &golden), &expected);
            assert!(
                apart < TOLERANCE,
                "{family}: {} {apart:e}",
                condition.name()
            );
            compared += 1;
        }
        assert_eq!(compared, golden.0["conditions"].as_object().unwrap().len());
        let chunks = sample(&mut policy, &golden);
        let (columns, wanted) = (policy.action_dim(), golden.shape("/chunk")[2]);
        let found: Vec<f32> = chunks
            .chunks(columns)
            .flat_map(|row| row[..wanted].to_vec())
            .collect();
        let apart = difference(&found, &golden.numbers("/chunk"));
        assert!(apart < TOLERANCE, "{family}: chunk apart by {apart:e}");
    }
}

#[test]
fn the_prefix_runs_once_for_twenty_particles() {
    for family in FAMILIES {
        let (mut policy, golden) = (policy(family), golden(family));
        policy.warm_up(&[1, 20]).unwrap();
        golden
            .show(0, |seen| policy.encode(seen).map(drop))
            .unwrap();
        let one = policy.horizon() * policy.action_dim();
        let steps = 10;
        let mut x = vec![0.0; 20 * one];
        for (index, number) in x.iter_mut().enumerate() {
            *number = (index as f32).sin();
        }
        let start = x.clone();
        let mut velocity = x.clone();
        for step in 0..steps {
            let time = 1.0 - step as f32 / steps as f32;
            policy.predict(&x, 20, time, &mut velocity).unwrap();
            x.iter_mut()
                .zip(&velocity)
                .for_each(|(x, v)| *x -= v / steps as f32);
        }
        let expected = Runs {
            encoder: 1,
            denoiser: steps,
        };
        assert_eq!(policy.runs(), expected, "{family}");
        // Each of them has gone its own way: the one that began like the seventh ends like it.
        let mut alone = start[6 * one..7 * one].to_vec();
        let mut velocity = alone.clone();
        for step in 0..steps {
            let time = 1.0 - step as f32 / steps as f32;
            policy.predict(&alone, 1, time, &mut velocity).unwrap();
            alone
                .iter_mut()
                .zip(&velocity)
                .for_each(|(x, v)| *x -= v / steps as f32);
        }
        assert!(difference(&x[6 * one..7 * one], &alone) < TOLERANCE);
        assert!(difference(&x[7 * one..8 * one], &alone) > 0.1);
    }
}

#[test]
fn another_instruction_is_another_chunk() {
    for family in FAMILIES {
        let (mut policy, golden) = (policy(family), golden(family));
        golden
            .show(0, |seen| policy.encode(seen).map(drop))
            .unwrap();
        let told = sample(&mut policy, &golden);
        let mut tell = |instruction: &str| {
            let encode = |seen: &Observation<'_>| {
                let seen = Observation {
                    instruction,
                    ..*seen
                };
                policy.encode(&seen).map(drop)
            };
            golden.show(0, encode)?;
            Ok::<_, PolicyError>(sample(&mut policy, &golden))
        };
        let instruction = golden.0["instruction"].as_str().unwrap();
        assert!(difference(&tell("push").unwrap(), &told) > 100.0 * TOLERANCE);
        // What surrounds an instruction is none of it.
        let wide = format!("  {instruction}\n");
        assert_eq!(difference(&tell(&wide).unwrap(), &told), 0.0);
        let none = tell(" ").unwrap_err().to_string();
        assert!(
            none.contains("instruction: expected a text, found none"),
            "{none}"
        );
        let long = tell(&"button ".repeat(200)).unwrap_err().to_string();
        assert!(long.contains("instruction: expected at most "), "{long}");
    }
}

#[test]
fn what_was_told_is_kept_aside_with_what_was_seen() {
    let (mut policy, golden) = (policy("smolvla"), golden("smolvla"));
    golden
        .show(0, |seen| policy.encode(seen).map(drop))
        .unwrap();
    let told = sample(&mut policy, &golden);
    let history = policy.history();
    let other = |seen: &Observation<'_>| {
        let seen = Observation {
            instruction: "push",
            ..*seen
        };
        policy.encode(&seen).map(drop)
    };
    golden.show(0, other).unwrap();
    policy.restore(&history);
    policy.encode_history().map(drop).unwrap();
    assert_eq!(difference(&sample(&mut policy, &golden), &told), 0.0);
}

#[test]
fn a_program_that_is_told_nothing_refuses_a_policy_that_reads() {
    let bundle = Bundle::load(&folder("smolvla")).unwrap();
    let mut supply = Supply {
        cameras: &["static", "wrist"],
        state: 4,
        environment: 0,
        instruction: true,
    };
    bundle.check_supply(&supply).unwrap();
    supply.instruction = false;
    let error = bundle.check_supply(&supply).unwrap_err().to_string();
    assert!(
        error.contains(
            "observation `observation.language.tokens`.source: expected no text, as nobody says \
             here what to do, found `instruction`, which nothing here shows"
        ),
        "{error}"
    );
}

#[test]
fn weights_that_are_damaged_or_missing_are_named() {
    let whole = copy("smolvla");
    let path = whole.path().join("denoiser.weights");
    let bytes = std::fs::read(&path).unwrap();
    let mut damaged = bytes.clone();
    damaged[bytes.len() / 2] ^= 1;
    for wrong in [damaged, bytes[1..].to_vec(), Vec::new()] {
        std::fs::write(&path, wrong).unwrap();
        let bundle = Bundle::load(whole.path()).unwrap();
        let error = Policy::open(&bundle, &RuntimeOptions::default()).unwrap_err();
        assert!(matches!(error, PolicyError::Weights { .. }), "{error}");
        let error = error.to_string();
        assert!(
            error.contains("denoiser.weights` cannot be used: expected the SHA-256 "),
            "{error}"
        );
    }
    std::fs::remove_file(&path).unwrap();
    let missing = message(whole.path());
    assert!(
        missing.contains("files.denoiser.weights[0]: expected the file `")
            && missing.contains("No such file"),
        "{missing}"
    );
}

/// A file that the manifest does not list is not read, wherever it lies.
#[test]
fn weights_that_the_manifest_does_not_list_are_refused() {
    let whole = copy("smolvla");
    let path = whole.path().join("policy.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    let lines = text
        .lines()
        .filter(|line| !line.contains("encoder.weights"));
    std::fs::write(&path, lines.collect::<Vec<_>>().join("\n")).unwrap();
    let bundle = Bundle::load(whole.path()).unwrap();
    let error = Policy::open(&bundle, &RuntimeOptions::default()).unwrap_err();
    assert!(matches!(error, PolicyError::Graph { .. }), "{error}");
    let error = error.to_string();
    assert!(error.contains("encoder.onnx/encoder.weights"), "{error}");
}

#[test]
fn what_is_wrong_with_a_text_is_told_at_once() {
    let whole = copy("smolvla");
    edit(whole.path(), "shape = [24]", "shape = [0]");
    edit(
        whole.path(),
        "source = \"instruction\"",
        "source = \"caption\"",
    );
    edit(
        whole.path(),
        "template = \"{instruction}\\n\"",
        "template = \"do it\"\nmean = [1.0]",
    );
    edit(
        whole.path(),
        "mask = \"observation.language.attention_mask\"\n",
        "",
    );
    edit(
        whole.path(),
        "horizon = 6",
        "observation_steps = 2\nhorizon = 6",
    );
    let found = message(whole.path());
    let at = "observation `observation.language.tokens`.";
    for expected in [
        "observation_steps: expected 1, for a policy that reads, found 2".to_owned(),
        format!("{at}source: expected `instruction`, found `caption`"),
        format!("{at}shape: expected [n] with n from 1 to 1024, found [0]"),
        format!("{at}mean: expected none of a text, found [1.0]"),
        format!("{at}mask: expected a value of a text, found nothing"),
        format!(
            "{at}template: expected a text with one {{instruction}}, and no {{state}} without \
             `state`, found \"do it\""
        ),
    ] {
        assert!(found.contains(&expected), "{expected}\n{found}");
    }
}

#[test]
fn tokenizer_and_text_belong_together() {
    let whole = copy("smolvla");
    std::fs::write(whole.path().join("tokenizer.json"), "{}").unwrap();
    let damaged = message(whole.path());
    assert!(damaged.contains("files.tokenizer.sha256 of `"), "{damaged}");

    let whole = copy("smolvla");
    let path = whole.path().join("policy.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    let (before, _) = text.split_once("[files.tokenizer]").unwrap();
    std::fs::write(&path, before).unwrap();
    let missing = message(whole.path());
    assert!(missing.contains("files.tokenizer: "), "{missing}");
}
