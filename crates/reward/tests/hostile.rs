//! Nothing that a text can hold takes long, takes much memory or panics.

#![allow(clippy::unwrap_used, reason = "helpers of tests may panic")]

#[path = "support/corpus/mod.rs"]
mod corpus;
#[path = "support/memory.rs"]
mod memory;

use std::time::{Duration, Instant};

use corpus::{hostile, stage};
use memory::peak_of;
use tiller_reward::{CompileOptions, Evaluator, compile};

/// Memory that any one step may take.
const MEMORY: usize = 64 << 20;
/// Generous, since the machine may be busy or slow: the target is 100 ms.
const PATIENCE: Duration = Duration::from_millis(400);

/// Anything slower is measured again.
const SUSPECT: Duration = Duration::from_millis(40);

/// Runs `work` and checks what it takes; its result with the time and the memory.
fn bounded<T>(name: &str, what: &str, work: impl Fn() -> T) -> (T, Duration, usize) {
    let start = Instant::now();
    let (result, peak) = peak_of(&work);
    let mut took = start.elapsed();
    // The work is the same every time: what a busy machine adds is left out.
    for _ in 0..4 {
        if took < SUSPECT {
            break;
        }
        let start = Instant::now();
        work();
        took = took.min(start.elapsed());
    }
    assert!(took < PATIENCE, "{what} of {name} took {took:?}");
    assert!(peak <= MEMORY, "{what} of {name} took {} KiB", peak >> 10);
    (result, took, peak)
}

#[test]
fn hostile_texts_are_decided_quickly() {
    let options = CompileOptions::new(4, 15);
    let only = std::env::var("HOSTILE_ONLY").ok();
    let mut worst = (Duration::ZERO, 0);
    for (name, text) in hostile() {
        if only.as_ref().is_some_and(|only| only != name) {
            continue;
        }
        let (result, took, peak) = bounded(name, "compiling", || compile(&text, &options));
        worst = (worst.0.max(took), worst.1.max(peak));
        let outcome = match &result {
            Ok(program) => {
                assert!(
                    !program.stages.is_empty(),
                    "{name}: no stage and no mistake"
                );
                for stage in &program.stages {
                    bounded(name, "an evaluator", || {
                        Evaluator::<f64>::new(&stage.guidance, 20)
                    });
                }
                "accepted".to_owned()
            }
            Err(mistakes) => {
                assert!(!mistakes.items.is_empty(), "{name}");
                // Showing the mistakes is bounded too, whatever the lines look like.
                let (shown, ..) = bounded(name, "rendering", || mistakes.render(&text));
                assert!(
                    shown.len() < 64 << 10,
                    "{name}: {} bytes shown",
                    shown.len()
                );
                let (json, ..) = bounded(name, "JSON", || mistakes.to_json());
                assert!(json.starts_with('[') && json.len() < 64 << 10, "{name}");
                let (lines, ..) = bounded(name, "text", || mistakes.to_string());
                assert!(lines.len() < 64 << 10, "{name}");
                mistakes.items[0].to_string()
            }
        };
        println!(
            "{took:>12.3?} {:>7} KiB  {name}: {outcome:.120}",
            peak >> 10
        );
    }
    println!("worst: {:.3?}, {} KiB", worst.0, worst.1 >> 10);
}

/// Names, for running each text in a process of its own: `HOSTILE_ONLY=name`.
#[test]
fn every_attack_has_its_own_name() {
    let mut names: Vec<&str> = hostile().into_iter().map(|(name, _)| name).collect();
    assert!(names.len() > 200);
    names.sort_unstable();
    names.iter().for_each(|name| println!("name: {name}"));
    assert!(names.windows(2).all(|pair| pair[0] != pair[1]));
}

/// Carries out `work` with a stack of `kibibytes`.
fn on_a_small_stack(kibibytes: usize, work: impl FnOnce() + Send + 'static) {
    std::thread::Builder::new()
        .stack_size(kibibytes << 10)
        .spawn(work)
        .unwrap()
        .join()
        .unwrap();
}

#[test]
fn a_small_stack_is_enough() {
    let texts = hostile();
    on_a_small_stack(512, move || {
        for (_, text) in texts {
            let _ = compile(&text, &CompileOptions::new(4, 15));
        }
    });
}

#[test]
fn what_the_limit_allows_fits_into_the_stack() {
    // As deep as the guard lets pass, in every way of nesting.
    let deep = [
        ("(", ")"),
        ("[", "]"),
        ("-", ""),
        ("not ", ""),
        ("a.T", ""),
        ("a + ", ""),
        ("abs(", ")"),
        ("[x for x in ", "]"),
        ("lambda x, y: ", ""),
        ("lambda x, y=", ": 0"),
        ("a[", "]"),
        ("a if 1 else ", ""),
    ];
    for (open, close) in deep {
        on_a_small_stack(512, move || {
            for depth in 1..220 {
                let inner = format!("{}a{}", open.repeat(depth), close.repeat(depth));
                let flat = stage(&format!("    return {inner}"));
                let called = stage(&format!(
                    "    def f(a):\n        return {}f(a){}\n    return f(a)",
                    open.repeat(depth),
                    close.repeat(depth)
                ));
                for text in [flat, called] {
                    let _ = compile(&text, &CompileOptions::new(4, 15));
                }
            }
        });
    }
    on_a_small_stack(512, || {
        for depth in 1..120 {
            let body: String = (1..=depth)
                .map(|level| format!("{}if 1:\n", " ".repeat(level)))
                .collect();
            let text = stage(&format!("{body}{}x = 0", " ".repeat(depth + 1)));
            let _ = compile(&text, &CompileOptions::new(4, 15));
        }
    });
}
