//! `expert_rates PACKS [SEEDS [TASK]..]`: every expert on training scenes, without pictures: how many succeed, in how
//! many steps, and how far the hand is behind where it is sent. Packs need the initial states 20 to 49.

#![allow(clippy::print_stdout, reason = "what was measured is its output")]

#[path = "../tests/support/drive.rs"]
mod drive;

use std::error::Error;
use std::path::Path;
use std::time::Instant;

use tiller_world::{FIRST_TRAINING_SEED, WorldKind};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let folder = arguments.first().ok_or("PACKS is missing")?;
    let seeds: u64 = arguments.get(1).map_or(Ok(20), |text| text.parse())?;
    let wanted = arguments.get(2..).unwrap_or_default();
    let kind = tiller_libero::kind(Path::new(folder))?;
    let mut world = kind.make()?;
    for task in &kind.info().tasks {
        if task.shown == 0 || !(wanted.is_empty() || wanted.contains(&task.id)) {
            continue;
        }
        let start = Instant::now();
        let (mut steps, mut average_m, mut most_m) = (0, 0.0, 0.0_f64);
        let mut failed = Vec::new();
        for seed in FIRST_TRAINING_SEED..FIRST_TRAINING_SEED + seeds {
            let attempt = drive::attempt(world.as_mut(), &task.id, seed)?;
            steps += attempt.steps;
            average_m += attempt.behind_m[0] / seeds as f64;
            most_m = most_m.max(attempt.behind_m[1]);
            if !attempt.success {
                failed.push(seed);
            }
        }
        println!(
            "{}: {} of {seeds} in {} steps on average; hand {:.1} mm behind its set-points on average, {:.1} at \
             most; {:.1} s; failed: {failed:?}",
            task.id,
            seeds - failed.len() as u64,
            steps / seeds.max(1),
            1e3 * average_m,
            1e3 * most_m,
            start.elapsed().as_secs_f64()
        );
    }
    Ok(())
}
