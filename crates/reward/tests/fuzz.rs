//! Random texts: compiled or refused within bounds, never a panic; what is accepted evaluates.
//!
//! A fixed seed runs by default. More on demand, each input reproducible by its number:
//! `FUZZ_INPUTS=10000000 FUZZ_SEED=7 cargo test --release -p tiller-reward --test fuzz`
//! (`FUZZ_FIRST` skips inputs, `FUZZ_TRACE=file` keeps the one that is running).

#![allow(clippy::unwrap_used, reason = "helpers of tests may panic")]

#[path = "support/corpus/mod.rs"]
mod corpus;
#[path = "support/generate.rs"]
mod generate;
#[path = "support/memory.rs"]
mod memory;
#[path = "support/vocabulary.rs"]
mod vocabulary;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use generate::{Generator, Random};
use memory::peak_of;
use serde_json::Value;
use tiller_reward::{
    CompileOptions, CompiledReward, Diagnostics, EvaluateError, Evaluator, Moment, Program, Real,
    compile,
};

/// No input may take longer.
const PATIENCE: Duration = Duration::from_secs(1);
/// Bytes that no input may take more of.
const MEMORY: usize = 64 << 20;

/// Shows the input when a check fails or the compiler panics.
struct Shown<'t>(u64, &'t str);

impl Drop for Shown<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("input {}:\n{}\nas a literal: {:?}", self.0, self.1, self.1);
        }
    }
}

fn golden() -> Vec<String> {
    let files = [
        include_str!("golden/programs.json"),
        include_str!("golden/operations.json"),
        include_str!("golden/statements.json"),
    ];
    files
        .into_iter()
        .flat_map(|text| serde_json::from_str::<Vec<Value>>(text).unwrap())
        .map(|case| case["source"].as_str().unwrap().to_owned())
        .collect()
}

fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

fn evaluate<T: Real>(reward: &CompiledReward) {
    let particles = 2;
    let numbers = particles * reward.points() * 3;
    let path: Vec<T> = (0..numbers)
        .map(|i| T::from_f64(0.3 + 0.01 * (i % 40) as f64))
        .collect();
    let keypoints = vec![[0.4, 0.1, 0.2]; reward.keypoints()];
    let mut values = vec![T::from_f64(0.0); particles];
    let mut gradients = vec![T::from_f64(0.0); numbers];
    let mut evaluator = Evaluator::<T>::new(reward, particles);
    match evaluator.evaluate(&keypoints, &path, &mut values, Some(&mut gradients)) {
        Ok(()) => {
            let mut all = values.iter().chain(&gradients);
            assert!(all.all(|number| number.to_f64().is_finite()));
        }
        Err(EvaluateError::NotFinite { .. }) => {}
        Err(other) => panic!("{other}"),
    }
}

fn check_program(program: &Program, options: &CompileOptions) {
    assert!(!program.stages.is_empty(), "no stage and no mistake");
    for stage in &program.stages {
        evaluate::<f64>(&stage.guidance);
        evaluate::<f32>(&stage.guidance);
        assert!(
            stage
                .guidance
                .used_keypoints()
                .iter()
                .all(|&k| k < options.keypoints)
        );
        if let Some(done) = &stage.done {
            let points = vec![[0.4, 0.1, 0.2]; options.keypoints];
            let value = done.value(&Moment::at(&points, &points, [0.5, 0.0, 0.3]));
            assert!(value.is_ok() || matches!(value, Err(EvaluateError::NotFinite { .. })));
        }
    }
}

fn check_mistakes(mistakes: &Diagnostics, text: &str) {
    assert!(!mistakes.items.is_empty() && mistakes.items.len() <= 20);
    for item in &mistakes.items {
        assert!(
            text.get(item.place.span.clone()).is_some(),
            "span {:?}",
            item.place.span
        );
        assert!(item.place.line >= 1 && item.place.column >= 1);
        assert!(!item.message.is_empty());
        assert!(item.help.is_some(), "{item} lacks help");
    }
    for shown in [
        mistakes.render(text),
        mistakes.to_json(),
        mistakes.to_string(),
    ] {
        assert!(
            !shown.is_empty() && shown.len() < 64 << 10,
            "{} bytes shown",
            shown.len()
        );
    }
    assert!(serde_json::from_str::<Value>(&mistakes.to_json()).is_ok());
}

/// Compiles one text and checks all that must hold of the result; whether it was accepted.
fn check(text: &str, options: &CompileOptions) -> bool {
    match compile(text, options) {
        Ok(program) => {
            check_program(&program, options);
            true
        }
        Err(mistakes) => {
            check_mistakes(&mistakes, text);
            false
        }
    }
}

#[test]
fn random_texts_are_compiled_or_refused() {
    let inputs = setting("FUZZ_INPUTS").unwrap_or(40_000);
    let seed = setting("FUZZ_SEED").unwrap_or(42);
    let first = setting("FUZZ_FIRST").unwrap_or(0);
    let trace = std::env::var("FUZZ_TRACE").ok();
    let generator = Generator::new(golden());
    let scenes = [
        (4, 6),
        (4, 6),
        (4, 6),
        (4, 6),
        (4, 15),
        (4, 15),
        (5, 2),
        (1, 1),
        (0, 2),
        (20, 3),
    ];
    let mut counts: BTreeMap<&str, (u64, u64)> = BTreeMap::new();
    let mut slowest = (Duration::ZERO, 0, String::new());
    let mut largest = (0, 0, String::new());
    let start = Instant::now();
    let mut reported = start;
    for index in first..inputs {
        let mut random = Random::new(seed, index);
        let (how, text) = generator.text(&mut random);
        let (keypoints, points) = scenes[random.below(scenes.len())];
        let mut options = CompileOptions::new(keypoints, points);
        // Loops that only stop at the limit would take most of the time.
        if random.below(16) > 0 {
            options.limits.work = 20_000;
        }
        if let Some(trace) = &trace {
            std::fs::write(trace, &text).unwrap();
        }
        let shown = Shown(index, &text);
        let begin = Instant::now();
        let (accepted, peak) = peak_of(|| check(&text, &options));
        let mut took = begin.elapsed();
        // The work is the same every time: what a busy machine adds is left out.
        for _ in 0..3 {
            if took <= slowest.0 {
                break;
            }
            let begin = Instant::now();
            check(&text, &options);
            took = took.min(begin.elapsed());
        }
        assert!(took < PATIENCE, "took {took:?}");
        assert!(peak <= MEMORY, "took {peak} bytes");
        drop(shown);
        let count = counts.entry(how).or_default();
        count.0 += 1;
        count.1 += u64::from(accepted);
        if took > slowest.0 {
            slowest = (took, index, text.clone());
        }
        if peak > largest.0 {
            largest = (peak, index, text);
        }
        if reported.elapsed() > Duration::from_secs(60) {
            reported = Instant::now();
            println!("{} of {inputs} inputs in {:?}", index + 1, start.elapsed());
        }
    }
    let done = inputs - first;
    let rate = done as f64 / start.elapsed().as_secs_f64();
    println!("seed {seed}: {done} inputs, {rate:.0} a second; made, accepted: {counts:?}");
    println!(
        "slowest: {:?}, input {}: {:?}",
        slowest.0, slowest.1, slowest.2
    );
    println!(
        "largest: {} KiB, input {}: {:?}",
        largest.0 >> 10,
        largest.1,
        largest.2
    );
    let accepted: u64 = counts.values().map(|(_, accepted)| accepted).sum();
    assert!(
        accepted > done / 50,
        "only {accepted} of {done} were accepted"
    );
}
