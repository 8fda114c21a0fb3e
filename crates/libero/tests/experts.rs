//! Every expert solves its task through the limits that every arm is driven through, where packs are installed.

#![allow(clippy::expect_used, reason = "a test may fail")]

#[path = "support/drive.rs"]
mod drive;

use tiller_libero::LiberoKind;
use tiller_world::{EpisodeSpec, World, WorldError, WorldKind};

/// Training scenes a task, and how many of them have to succeed.
const SEEDS: std::ops::Range<u64> = 1_000_100..1_000_106;
const LEAST: usize = 5;
/// The hand may be behind its set-points by that on average, m, unless it got stuck.
const MOST_BEHIND_M: f64 = 0.03;

/// Packs with experts; says so where there are none.
fn packs() -> Option<LiberoKind> {
    match tiller_libero::installed() {
        Ok(kind) => Some(kind),
        Err(absent) => {
            eprintln!("skipped: {}", absent.reason);
            None
        }
    }
}

/// Whether training scenes can be made of a task's pack.
fn is_for_training(world: &mut dyn World, task: &str) -> bool {
    // A whole round of initial states.
    let refused = (1_000_000..1_000_030).find_map(|seed| {
        let spec = EpisodeSpec {
            tasks: vec![task.to_owned()],
            seed,
            ..EpisodeSpec::default()
        };
        world.reset(&spec).err()
    });
    match refused {
        None => true,
        Some(WorldError::Unknown { kind: "seed", .. }) => false,
        Some(other) => panic!("{task}: {other}"),
    }
}

#[test]
fn experts_solve_their_tasks() {
    let Some(kind) = packs() else { return };
    let mut world = kind.make().expect("a world");
    for task in kind.info().tasks.iter().filter(|task| task.shown > 0) {
        if !is_for_training(world.as_mut(), &task.id) {
            eprintln!(
                "skipped {}: its pack lacks initial states from 20 to 49",
                task.id
            );
            continue;
        }
        let attempts: Vec<_> = SEEDS
            .map(|seed| drive::attempt(world.as_mut(), &task.id, seed).expect("an episode"))
            .collect();
        let solved = attempts.iter().filter(|attempt| attempt.success).count();
        assert!(
            solved >= LEAST,
            "{}: {solved} of {}",
            task.id,
            attempts.len()
        );
        for attempt in attempts.iter().filter(|attempt| attempt.success) {
            let [behind_m, most_m] = attempt.behind_m;
            assert!(behind_m < MOST_BEHIND_M, "{}: {behind_m} {most_m}", task.id);
            assert!(attempt.steps > 30, "{}: {} steps", task.id, attempt.steps);
        }
    }
}

#[test]
fn the_same_seed_gives_the_same_demonstration() {
    let Some(kind) = packs() else { return };
    let Some(task) = kind.info().tasks.iter().find(|task| task.shown > 0) else {
        return;
    };
    let (mut world, mut other) = (kind.make().expect("a world"), kind.make().expect("another"));
    if !is_for_training(world.as_mut(), &task.id) {
        eprintln!("skipped: packs lack initial states from 20 to 49");
        return;
    }
    let run = |world: &mut dyn World| {
        let attempt = drive::attempt(world, &task.id, 1_000_003).expect("an episode");
        (attempt.steps, attempt.behind_m, world.arm().reading)
    };
    let first = run(world.as_mut());
    assert_eq!(run(world.as_mut()), first);
    assert_eq!(run(other.as_mut()), first);
}
