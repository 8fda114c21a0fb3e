//! Measures one reward program: compile time, and time of value and gradient in `f32` on one core.
//!
//! ```text
//! time_reward PROGRAM [--particles N] [--points N] [--keypoints N] [--milliseconds N]
//! ```
//!
//! `PROGRAM` is the text's file; its first stage is measured, for about `--milliseconds` each
//! with the keypoints of the call before and with moved ones. Prints one JSON object, times in
//! microseconds. Inputs follow fixed formulas, so that other programs can repeat them:
//! keypoint `i` is `(0.4 + 0.01 i, 0.05 i, 0.1)`, number `i` of the trajectories is
//! `0.4 + 0.2 sin(0.7 i)`.

#![allow(clippy::print_stdout, reason = "the result goes to standard output")]

use std::error::Error;
use std::hint::black_box;
use std::time::{Duration, Instant};

use tiller_core::file::read_regular_text;
use tiller_reward::{CompileOptions, Evaluator, compile};

const USAGE: &str =
    "time_reward PROGRAM [--particles N] [--points N] [--keypoints N] [--milliseconds N]";
/// Calls of one sample take at least this long together, far above the clock's resolution.
const SAMPLE: Duration = Duration::from_micros(50);
/// Bytes of a program's file.
const MAX_PROGRAM_BYTES: u64 = 16 << 20;
/// Times that the program is compiled.
const COMPILATIONS: usize = 100;

struct Arguments {
    program: String,
    particles: usize,
    points: usize,
    keypoints: usize,
    milliseconds: u64,
}

fn parse(mut words: impl Iterator<Item = String>) -> Result<Arguments, Box<dyn Error>> {
    let mut arguments = Arguments {
        program: words.next().ok_or(USAGE)?,
        particles: 20,
        points: 15,
        keypoints: 8,
        milliseconds: 200,
    };
    while let Some(option) = words.next() {
        let number: usize = words.next().ok_or(USAGE)?.parse()?;
        match option.as_str() {
            "--particles" => arguments.particles = number,
            "--points" => arguments.points = number,
            "--keypoints" => arguments.keypoints = number,
            "--milliseconds" => arguments.milliseconds = number as u64,
            _ => return Err(format!("unknown option `{option}`; usage: {USAGE}").into()),
        }
    }
    Ok(arguments)
}

/// Least and middle of some times.
struct Times {
    min_us: f64,
    median_us: f64,
}

fn summarise(mut samples_us: Vec<f64>) -> Times {
    samples_us.sort_by(f64::total_cmp);
    Times {
        min_us: samples_us.first().copied().unwrap_or(f64::NAN),
        median_us: samples_us
            .get(samples_us.len() / 2)
            .copied()
            .unwrap_or(f64::NAN),
    }
}

/// Calls `run` for about `duration`; every sample is a mean over enough calls.
fn measure<E>(duration: Duration, mut run: impl FnMut(usize) -> Result<(), E>) -> Result<Times, E> {
    let mut calls = 1;
    let mut number = 0;
    let mut sample = |calls: usize| -> Result<Duration, E> {
        let start = Instant::now();
        for _ in 0..calls {
            number += 1;
            run(number)?;
        }
        Ok(start.elapsed())
    };
    while sample(calls)? < SAMPLE {
        calls *= 2;
    }
    let start = Instant::now();
    let mut samples_us = Vec::new();
    while start.elapsed() < duration || samples_us.is_empty() {
        samples_us.push(sample(calls)?.as_secs_f64() * 1e6 / calls as f64);
    }
    Ok(summarise(samples_us))
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments = parse(std::env::args().skip(1))?;
    let text = read_regular_text(arguments.program.as_ref(), MAX_PROGRAM_BYTES)?;
    let options = CompileOptions::new(arguments.keypoints, arguments.points);
    let program = compile(&text, &options)?;
    let mut compile_us = Vec::with_capacity(COMPILATIONS);
    for _ in 0..COMPILATIONS {
        let start = Instant::now();
        let _ = black_box(compile(black_box(&text), &options));
        compile_us.push(start.elapsed().as_secs_f64() * 1e6);
    }
    let compile_times = summarise(compile_us);

    let reward = &program
        .stages
        .first()
        .ok_or("the program has no stage")?
        .guidance;
    let mut keypoints: Vec<[f64; 3]> = (0..arguments.keypoints)
        .map(|i| [0.4 + 0.01 * i as f64, 0.05 * i as f64, 0.1])
        .collect();
    let numbers = arguments.particles * arguments.points * 3;
    let trajectories: Vec<f32> = (0..numbers)
        .map(|i| (0.4 + 0.2 * (i as f64 * 0.7).sin()) as f32)
        .collect();
    let mut values = vec![0.0; arguments.particles];
    let mut gradients = vec![0.0; numbers];
    let mut evaluator = Evaluator::<f32>::new(reward, arguments.particles);
    let duration = Duration::from_millis(arguments.milliseconds);
    let same = measure(duration, |_| {
        evaluator.evaluate(
            &keypoints,
            black_box(&trajectories),
            &mut values,
            Some(&mut gradients),
        )
    })?;
    let sum = |numbers: &[f32]| numbers.iter().map(|&x| f64::from(x)).sum::<f64>();
    let squares = |numbers: &[f32]| numbers.iter().map(|&x| f64::from(x).powi(2)).sum::<f64>();
    let (value_sum, gradient_norm) = (sum(&values), squares(&gradients).sqrt());
    let height = keypoints.first().map_or(0.0, |point| point[2]);
    let moved = measure(duration, |number| {
        // One nanometre up and down: enough to compute everything from the keypoints again.
        if let Some(point) = keypoints.first_mut() {
            point[2] = height + 1e-9 * (number % 2) as f64;
        }
        evaluator.evaluate(
            &keypoints,
            black_box(&trajectories),
            &mut values,
            Some(&mut gradients),
        )
    })?;
    let report = serde_json::json!({
        "program": arguments.program,
        "particles": arguments.particles,
        "points": arguments.points,
        "keypoints": arguments.keypoints,
        "operations": reward.operations(),
        "compile_min_us": compile_times.min_us,
        "compile_median_us": compile_times.median_us,
        "min_us": same.min_us,
        "median_us": same.median_us,
        "moved_keypoints_min_us": moved.min_us,
        "moved_keypoints_median_us": moved.median_us,
        "value_sum": value_sum,
        "gradient_norm": gradient_norm,
    });
    println!("{report}");
    Ok(())
}
