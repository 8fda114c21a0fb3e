//! Programs followed by their gradient alone, with no policy, in CALVIN's own environment: whether the targets are right.
//!
//! `cargo test --release -p tiller-calvin-author --test follow -- --nocapture`; where CALVIN is not installed there is
//! nothing to follow, and the test says so. `TILLER_CALVIN_TASKS` (ids with commas between) and `TILLER_CALVIN_SEEDS`
//! (how many, from 20 on) choose others than the benchmark's behaviours, and more or fewer than 2.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use nalgebra::{Matrix3, Rotation3, Vector3};
use tiller_author_testing::Follower;
use tiller_calvin::{CalvinKind, installed};
use tiller_calvin_author::EmbeddedAuthor;
use tiller_vlm::HandAccess;
use tiller_world::{Frame, World, WorldKind};

/// First of the seeds that nothing is reported on.
const FIRST_SEED: u64 = 20;

/// Points of a block's top that a picture shows, along the table, m.
fn top_of(block: &str, frame: &Frame, world: &dyn World) -> Vec<[f64; 2]> {
    let mut labels = world.info().labels.iter();
    let (label, _) = labels.find(|(_, name)| name == block).unwrap();
    let pixels = frame.segmentation.iter().enumerate();
    let pixels = pixels.filter(|(_, found)| *found == label);
    let points: Vec<[f64; 3]> = pixels
        .map(|(at, _)| {
            let depth_m = f64::from(frame.depth_mm[at]) / 1000.0;
            let (column, row) = (at % frame.width, at / frame.width);
            frame.geometry.unproject(column, row, depth_m)
        })
        .collect();
    let highest = points.iter().map(|point| point[2]).fold(0.0, f64::max);
    let on_top = points.iter().filter(|point| point[2] > highest - 0.006);
    on_top.map(|[x, y, _]| [*x, *y]).collect()
}

/// The turn of the smallest rectangle around some points, rad, and its sides along and across that, m.
fn rectangle(points: &[[f64; 2]]) -> (f64, [f64; 2]) {
    let turns = (0..90).map(|degrees| f64::from(degrees).to_radians());
    let around = turns.map(|turn| {
        let (sin, cos) = turn.sin_cos();
        let sides = [[cos, sin], [-sin, cos]].map(|[x, y]| {
            let along = points.iter().map(|point| point[0] * x + point[1] * y);
            let (least, most) = along.fold((f64::MAX, f64::MIN), |(least, most), it| {
                (least.min(it), most.max(it))
            });
            most - least
        });
        (turn, sides)
    });
    let area = |sides: [f64; 2]| sides[0] * sides[1];
    around
        .min_by(|a, b| area(a.1).total_cmp(&area(b.1)))
        .unwrap()
}

/// How the hand is to be turned to a block, which a policy sees and no keypoint tells: fingers across its sides, as the
/// experts do.
fn hand_for(task: &str, frame: &Frame, world: &dyn World) -> Option<Matrix3<f64>> {
    let mut words = task.split('_');
    let block = match (words.next(), words.next()) {
        (Some("lift"), Some(colour)) => format!("{colour} block"),
        _ => return None,
    };
    let points = top_of(&block, frame, world);
    let (turn, sides) = rectangle(&points);
    let x = points.iter().map(|point| point[0]).sum::<f64>() / points.len() as f64;
    let usual = (-1.8 * (x - 0.38)).clamp(-0.6, 0.2);
    let half = std::f64::consts::FRAC_PI_2;
    let mut turns = Vec::new();
    for (quarter, side) in [(0.0, sides[0]), (half, sides[1])] {
        if side < 0.065 {
            let turn = turn + quarter;
            turns.push(usual + (turn - usual + half).rem_euclid(2.0 * half) - half);
        }
    }
    let nearest = |a: &f64, b: &f64| (a - usual).abs().total_cmp(&(b - usual).abs());
    let turn = turns.into_iter().min_by(nearest).unwrap_or(usual);
    let tilt = 0.5 * (turn - usual).cos();
    let down = Matrix3::new(0.0, 1.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, -1.0);
    let tilted = Rotation3::from_axis_angle(&Vector3::x_axis(), tilt);
    let turned = Rotation3::from_axis_angle(&Vector3::z_axis(), turn);
    Some((turned * tilted).into_inner() * down)
}

/// The world, where CALVIN is installed; else says so.
fn kind() -> Option<CalvinKind> {
    installed()
        .map_err(|absent| eprintln!("skipped: {}", absent.reason))
        .ok()
}

const FOLLOWER: Follower<'_> = Follower {
    author: &EmbeddedAuthor,
    hand: HandAccess::WHOLE,
    step_m: 0.020,
    step_rad: 0.15,
    patience: 40,
    instruction: None,
};

#[test]
fn programs_lead_to_their_goals() {
    let Some(kind) = kind() else { return };
    let mut world = kind.make().unwrap();
    let chosen = std::env::var("TILLER_CALVIN_TASKS");
    let shown = kind.info().tasks.iter().filter(|task| task.shown > 0);
    let shown: Vec<_> = shown.map(|task| task.id.as_str()).collect();
    let tasks = match &chosen {
        Ok(chosen) => chosen.split(',').collect(),
        Err(_) => shown,
    };
    let seeds = std::env::var("TILLER_CALVIN_SEEDS").map_or(2, |count| count.parse().unwrap());
    let (mut solved, mut count) = (0, 0);
    for task in tasks {
        let mut here = 0;
        for seed in FIRST_SEED..FIRST_SEED + seeds {
            let sight = |frame: &Frame, world: &dyn World| hand_for(task, frame, world);
            let outcome = FOLLOWER.follow(world.as_mut(), task, seed, &sight).unwrap();
            eprintln!("{task} {seed} {}: {}", outcome.success, outcome.told);
            here += u64::from(outcome.success);
        }
        eprintln!("{task}: {here} of {seeds}");
        solved += here;
        count += seeds;
    }
    eprintln!("{solved} of {count}");
    if chosen.is_err() {
        assert!(10 * solved >= 9 * count, "{solved} of {count}");
    }
}

#[test]
fn requests_that_are_joined_are_done_one_after_the_other() {
    let Some(kind) = kind() else { return };
    let mut world = kind.make().unwrap();
    for (instruction, tasks) in [
        (
            "press the button to turn on the led, then open the drawer and push the slider left",
            ["turn_on_led", "open_drawer", "move_slider_left"],
        ),
        (
            "move the slider left, turn on the light bulb, and open the drawer",
            ["move_slider_left", "turn_on_lightbulb", "open_drawer"],
        ),
    ] {
        let follower = Follower {
            instruction: Some(instruction),
            ..FOLLOWER
        };
        let outcome = follower
            .follow(world.as_mut(), tasks[2], FIRST_SEED, &|_, _| None)
            .unwrap();
        eprintln!("{instruction}: {}", outcome.told);
        for task in tasks {
            let is_done = outcome.completed.iter().any(|done| done == task);
            assert!(is_done, "{instruction}: {task}: {}", outcome.told);
        }
    }
}
