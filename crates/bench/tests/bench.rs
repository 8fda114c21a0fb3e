//! The benchmark's files and tables, with a policy that only wanders and episodes that end early.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that panics has failed, as it should"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tiller_bench::episode::PhaseTimes;
use tiller_bench::{
    self as bench, BenchConfig, EpisodeLine, Handicap, Method, Sight, Subject, Tuned,
};
use tiller_playtable_author::EmbeddedAuthor;
use tiller_policy::Provider;
use tiller_world::Variation;

fn ids(tasks: &[&str]) -> Vec<Option<String>> {
    tasks.iter().map(|&id| Some(id.to_owned())).collect()
}

fn config(json: &Path) -> BenchConfig {
    BenchConfig {
        guide: None,
        handicap: Handicap::default(),
        sight: Sight::default(),
        programs: None,
        subject: Subject::new(tiller_playtable::kind(), EmbeddedAuthor),
        tasks: ids(&["button_press", "drawer_open"]),
        variations: vec![None],
        methods: vec![Method::Full, Method::Unsteered],
        episodes: 2,
        seed: 3,
        max_steps: 12,
        jobs: 1,
        policy: "wander".to_owned(),
        policy_folder: PathBuf::from(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../models/controls/wander"
        )),
        provider: Provider::Cpu,
        tuned: Tuned::shipped().unwrap(),
        json: Some(json.to_owned()),
        restart: false,
        pictures: None,
        records: false,
        quiet: true,
        stop: Arc::new(AtomicBool::new(false)),
    }
}

/// The lines of a file less what no two runs have in common.
fn lines(path: &Path) -> Vec<EpisodeLine> {
    let text = fs::read_to_string(path).unwrap();
    text.lines()
        .map(|text| {
            let mut line: EpisodeLine = serde_json::from_str(text).unwrap();
            assert!(line.result.cpu_s > 0.0 && line.result.time.wall_s > 0.0);
            line.result.cpu_s = 0.0;
            line.result.time = PhaseTimes::default();
            line
        })
        .collect()
}

#[test]
fn a_torn_file_and_more_threads_change_no_result() {
    let folder = tempfile::tempdir().unwrap();
    let whole = folder.path().join("whole.jsonl");
    bench::run(&config(&whole)).unwrap();
    let expected = lines(&whole);
    assert_eq!(expected.len(), 8);

    let torn = folder.path().join("torn.jsonl");
    let text = fs::read_to_string(&whole).unwrap();
    let third = text.match_indices('\n').nth(2).unwrap().0;
    fs::write(&torn, &text[..third + 40]).unwrap();
    let tally = bench::run(&BenchConfig {
        jobs: 2,
        ..config(&torn)
    })
    .unwrap();
    assert_eq!(lines(&torn), expected);
    assert!(
        fs::read_to_string(&torn)
            .unwrap()
            .starts_with(&text[..third])
    );
    assert_eq!(tally.cell(None, "button_press", "full").trials, 2);
    assert_eq!(tally.cell(None, "drawer_open", "unsteered").trials, 2);

    // Nothing is left to do, so the file stays as it is to the letter.
    let before = fs::read(&torn).unwrap();
    bench::run(&config(&torn)).unwrap();
    assert_eq!(fs::read(&torn).unwrap(), before);

    let error = bench::run(&BenchConfig {
        max_steps: 13,
        ..config(&torn)
    });
    let error = error.unwrap_err().to_string();
    assert!(error.contains("max_steps: 12 there, 13 here"), "{error}");
    assert_eq!(fs::read(&torn).unwrap(), before);

    let stop = Arc::new(AtomicBool::new(true));
    let tally = bench::run(&BenchConfig {
        episodes: 3,
        stop: stop.clone(),
        ..config(&torn)
    })
    .unwrap();
    assert_eq!(tally.unfinished, 4);
    assert_eq!(tally.cell(None, "button_press", "full").trials, 2);
    stop.store(false, Ordering::SeqCst);
    let tally = bench::run(&BenchConfig {
        max_steps: 13,
        episodes: 1,
        restart: true,
        ..config(&torn)
    })
    .unwrap();
    assert_eq!(tally.cell(None, "button_press", "full").trials, 1);
    assert_eq!(lines(&torn).len(), 4);
}

#[test]
fn every_method_runs_and_says_who_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let json = folder.path().join("lines.jsonl");
    let methods = Method::ALL.to_vec();
    let tally = bench::run(&BenchConfig {
        tasks: ids(&["button_press"]),
        methods: methods.clone(),
        episodes: 1,
        max_steps: 9,
        jobs: 2,
        ..config(&json)
    })
    .unwrap();
    let lines = lines(&json);
    assert_eq!(lines.len(), methods.len());
    for (line, method) in lines.iter().zip(&methods) {
        assert_eq!(line.method, method.to_string());
        assert_eq!(line.steered, *method != Method::Unsteered);
        let told = line.instruction.as_deref();
        assert_eq!(told, line.steered.then_some("press the button"));
        assert_eq!(tally.cell(None, "button_press", &line.method).trials, 1);
    }
}

#[test]
fn departures_change_scenes_and_instructions_and_resume() {
    let folder = tempfile::tempdir().unwrap();
    let json = folder.path().join("lines.jsonl");
    let vary = |axis: &str, strength| {
        Some(Variation {
            axis: axis.to_owned(),
            strength,
        })
    };
    let config = BenchConfig {
        tasks: ids(&["button_press"]),
        variations: vec![
            vary("instruction", 1),
            vary("instruction", 3),
            vary("dynamics", 3),
            None,
        ],
        methods: vec![Method::Full],
        episodes: 1,
        jobs: 2,
        pictures: Some(folder.path().join("pictures")),
        ..config(&json)
    };
    let tally = bench::run(&config).unwrap();
    let lines = lines(&json);
    let [other_words, chain, slippery, plain] = &lines[..] else {
        panic!("{lines:?}");
    };
    let told = |line: &EpisodeLine| line.instruction.clone().unwrap();
    assert_eq!(told(plain), "press the button");
    assert_eq!(told(slippery), "press the button");
    assert_ne!(told(other_words), "press the button");
    assert!(told(chain).contains("button") && told(chain).len() > 25);
    // A chain of two has twice the time, and its program the stages of both.
    assert_eq!([plain, chain].map(|line| line.result.steps), [12, 24]);
    let suites: Vec<&str> = lines.iter().map(|line| line.suite.as_str()).collect();
    let instruction = "ood-instruction";
    assert_eq!(
        suites,
        [instruction, instruction, "ood-dynamics", "articulated"]
    );
    for line in &lines {
        let variation = line.variation.as_ref();
        assert_eq!(tally.cell(variation, "button_press", "full").trials, 1);
    }
    let pictures = folder.path().join(slippery.pictures.as_deref().unwrap());
    assert!(pictures.ends_with("button_press-dynamics3-0003-full"));
    assert!(pictures.join("contact_sheet.png").is_file());

    let before = fs::read(&json).unwrap();
    bench::run(&config).unwrap();
    assert_eq!(fs::read(&json).unwrap(), before);
}

#[test]
fn lines_and_pictures_are_written() {
    let folder = tempfile::tempdir().unwrap();
    let json = folder.path().join("lines.jsonl");
    let pictures = folder.path().join("pictures");
    let tally = bench::run(&BenchConfig {
        tasks: vec![Some("button_press".to_owned()), None],
        episodes: 1,
        max_steps: 30,
        jobs: 2,
        pictures: Some(pictures),
        ..config(&json)
    })
    .unwrap();
    let lines = lines(&json);
    let ways: Vec<(&str, &str)> = lines
        .iter()
        .map(|line| (line.task.as_str(), line.method.as_str()))
        .collect();
    assert_eq!(
        ways,
        [
            ("button_press", "full"),
            ("button_press", "unsteered"),
            ("any", "unsteered")
        ]
    );
    let ran = |line: &EpisodeLine| line.seed == 3 && line.result.steps > 0;
    assert!(lines.iter().all(ran));
    assert!(
        lines
            .iter()
            .all(|line| line.failure.is_none() == line.result.success)
    );
    assert_eq!(tally.cell(None, "button_press", "full").trials, 1);

    let named = lines[0].pictures.as_deref();
    assert_eq!(named, Some("pictures/button_press-0003-full"));
    let steered = folder.path().join(named.unwrap());
    for file in [
        "annotated.png",
        "contact_sheet.png",
        "episode.gif",
        "plot.png",
        "program.py",
    ] {
        assert!(steered.join(file).is_file(), "{file}");
    }
    let unsteered = folder.path().join(lines[1].pictures.as_deref().unwrap());
    assert!(unsteered.join("contact_sheet.png").is_file());
    assert!(!unsteered.join("program.py").exists());
}
