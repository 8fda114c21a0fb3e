//! Replays recorded actions natively, open loop, as the bridge's referee does officially.
//!
//! `cargo run --release -p tiller-libero --example replay PACKS RECORD.jsonl`, where a line of the record has an
//! episode's `suite`, `task`, `seed`, whether it is claimed a `success`, and its `actions` after the idle steps.

#![allow(clippy::print_stdout, reason = "a program for people")]

use std::error::Error;
use std::path::Path;
use std::time::{Duration, Instant};

use serde::Deserialize;
use tiller_core::file::read_regular_text;
use tiller_libero::{ACTION, Native, Pack};

const MAX_RECORD_BYTES: u64 = 1 << 30;
const IDLE_STEPS: u32 = 10;

#[derive(Deserialize)]
struct Recorded {
    suite: String,
    task: u32,
    seed: u32,
    success: bool,
    actions: Vec<[f64; ACTION]>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let [packs, record] = arguments.as_slice() else {
        return Err("expected PACKS RECORD.jsonl".into());
    };
    let mut running: Option<((String, u32), Native)> = None;
    let (mut episodes, mut alike, mut steps) = (0, 0, 0);
    let mut took = Duration::ZERO;
    for line in read_regular_text(Path::new(record), MAX_RECORD_BYTES)?.lines() {
        let recorded: Recorded = serde_json::from_str(line)?;
        let task = (recorded.suite.clone(), recorded.task);
        let folder = Path::new(packs).join(&task.0).join(task.1.to_string());
        let mut native = match running.take() {
            Some((known, native)) if known == task => native,
            _ => Native::new(Pack::load(&folder)?)?,
        };
        let mut starts = native.pack().description().episodes.iter();
        let episode = starts
            .position(|start| start.seed == recorded.seed)
            .ok_or_else(|| format!("{} has no seed {}", folder.display(), recorded.seed))?;
        let began = Instant::now();
        native.reset(episode)?;
        native.settle(IDLE_STEPS)?;
        let mut solved_at = None;
        for (step, action) in (1..).zip(&recorded.actions) {
            native.step(action)?;
            if solved_at.is_none() && native.succeeded() {
                solved_at = Some(step);
            }
        }
        took += began.elapsed();
        steps += recorded.actions.len();
        episodes += 1;
        let is_alike = solved_at.is_some() == recorded.success;
        alike += usize::from(is_alike);
        println!(
            "{} {} seed {}: {}{}",
            task.0,
            task.1,
            recorded.seed,
            solved_at.map_or("not solved".to_owned(), |step: usize| format!(
                "solved in step {step}"
            )),
            if is_alike { "" } else { "; recorded otherwise" }
        );
        running = Some((task, native));
    }
    println!(
        "{alike} of {episodes} as recorded; {steps} steps in {:.1} s",
        took.as_secs_f64()
    );
    Ok(())
}
