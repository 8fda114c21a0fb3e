//! What steering adds to a chunk: the denoiser costs next to nothing here.
//!
//! `cargo bench -p tiller-steering` prints a table of one run in which all variants take turns, so
//! that whatever else the machine does hits all of them alike, and the fastest turn of each counts.
//! Phases are differences of variants: what a chunk costs with them and without. Criterion's own
//! figures follow.
#![allow(missing_docs, reason = "criterion's macros make the functions")]
#![allow(clippy::print_stdout, reason = "the table is the result")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use criterion::{BenchmarkId, Criterion, criterion_group};
use tiller_core::ActionLayout;
use tiller_steering::random::{Purpose, Random};
use tiller_steering::scheduler::{
    DiffusionConfig, DiffusionSolver, Schedule, SchedulerConfig, Solver, Variance,
};
use tiller_steering::{
    ActionSpace, Denoiser, DenoiserError, DiversityConfig, FeynmanKacConfig, Reward, RewardError,
    Start, Steerer, SteeringConfig, SteeringError,
};

const HORIZON: usize = 16;
const DIM: usize = 7;
const STRIDE: usize = HORIZON * DIM;
const STEPS: usize = 100;
const PARTICLES: [usize; 5] = [1, 20, 50, 200, 1000];
const START: Start = Start::at([0.4, 0.0, 0.2]);
/// Each variant has at least so many turns, and more while they are over soon.
const TURNS: usize = 5;
const TIME_A_SIZE: Duration = Duration::from_secs(3);

/// A network that hardly does anything.
struct Idle;

impl Denoiser for Idle {
    fn horizon(&self) -> usize {
        HORIZON
    }
    fn action_dim(&self) -> usize {
        DIM
    }
    fn predict(
        &mut self,
        sample: &[f32],
        _: usize,
        _: f32,
        out: &mut [f32],
    ) -> Result<(), DenoiserError> {
        out.iter_mut().zip(sample).for_each(|(v, x)| *v = 0.5 * x);
        Ok(())
    }
}

/// `-|end - target|`, timed.
#[derive(Default)]
struct Reach {
    spent: Duration,
}

impl Reward for Reach {
    fn evaluate(
        &mut self,
        trajectories: &[f32],
        values: &mut [f32],
        gradients: &mut [f32],
    ) -> Result<(), RewardError> {
        let start = Instant::now();
        let stride = trajectories.len() / values.len();
        gradients.fill(0.0);
        for (b, value) in values.iter_mut().enumerate() {
            let end = (b + 1) * stride - 3;
            let off = [
                trajectories[end] - 0.6,
                trajectories[end + 1] - 0.2,
                trajectories[end + 2] - 0.1,
            ];
            let distance = off.iter().map(|o| o * o).sum::<f32>().sqrt().max(1e-9);
            *value = -distance;
            for axis in 0..3 {
                gradients[end + axis] = -off[axis] / distance;
            }
        }
        self.spent += start.elapsed();
        Ok(())
    }
}

fn scheduler() -> SchedulerConfig {
    SchedulerConfig::Diffusion(DiffusionConfig {
        solver: DiffusionSolver::Ddpm {
            variance: Variance::FixedSmall,
        },
        steps: STEPS,
        ..DiffusionConfig::default()
    })
}

/// 100 steps, 29 of diversity and 71 guided, resampling at every fifth of these.
fn steerer(particles: usize, diversity: bool, resampling: bool) -> Result<Steerer, SteeringError> {
    let config = SteeringConfig {
        particles,
        unsteered_particles: particles,
        scheduler: scheduler(),
        guidance_start: 0.29,
        diversity: diversity.then(DiversityConfig::default),
        feynman_kac: resampling.then(|| FeynmanKacConfig {
            ess_threshold: 1.0,
            every: 5,
            ..FeynmanKacConfig::default()
        }),
        ..SteeringConfig::default()
    };
    let space = ActionSpace {
        layout: ActionLayout {
            ignored: vec![3, 4, 5],
            ..ActionLayout::position_deltas(DIM, [0, 1, 2], Some(6), 10.0)
        },
        scale: vec![0.02; DIM],
        offset: vec![0.0; DIM],
    };
    Steerer::new(config, space, HORIZON)
}

/// One chunk: its time and the reward's share of it.
fn time_chunk(
    steerer: &mut Steerer,
    steered: bool,
    seed: u64,
) -> Result<(Duration, Duration), SteeringError> {
    let mut reach = Reach::default();
    let start = Instant::now();
    let reward = steered.then_some(&mut reach as &mut dyn Reward);
    let sampled = steerer.sample(&mut Idle, reward, black_box(&START), 0.0, seed, 0)?;
    black_box(&sampled.chunk);
    Ok((start.elapsed(), reach.spent))
}

/// What drawing the noise of a chunk costs, and what splitting and stepping.
fn time_scheduler(particles: usize) -> Result<[Duration; 2], SteeringError> {
    let mut values = [(); 4].map(|()| vec![0.1; particles * STRIDE]);
    let [sample, prediction, clean, noise] = &mut values;
    let random = Random::new(1, 0);
    let start = Instant::now();
    for step in 0..STEPS {
        for (particle, out) in sample.chunks_exact_mut(STRIDE).enumerate() {
            random.normal(Purpose::Step, step, 0, particle, out);
        }
    }
    let drawn = start.elapsed();
    let mut solver = Solver::new(Schedule::new(&scheduler())?, particles, STRIDE);
    let start = Instant::now();
    for step in 0..STEPS {
        solver.split(step, sample, prediction, clean, noise);
        solver.clip(step, sample, clean, noise);
        solver.advance(step, 0.0, clean, noise, sample);
        black_box(&mut *sample);
    }
    Ok([drawn, start.elapsed()])
}

/// Milliseconds of one chunk, by what they are for.
struct Row {
    particles: usize,
    alone: f64,
    noise: f64,
    scheduler: f64,
    diversity: f64,
    guidance: f64,
    reward: f64,
    resampling: f64,
}

impl Row {
    fn overhead(&self) -> f64 {
        self.diversity + self.guidance + self.resampling
    }
}

fn measure(particles: usize) -> Result<Row, SteeringError> {
    let mut variants = [
        (steerer(particles, true, true)?, false),
        (steerer(particles, false, false)?, true),
        (steerer(particles, true, false)?, true),
        (steerer(particles, true, true)?, true),
    ];
    let (mut best, mut reward) = ([Duration::MAX; 4], Duration::MAX);
    let mut parts = [Duration::MAX; 2];
    let (start, mut turn) = (Instant::now(), 0);
    while turn < TURNS as u64 || start.elapsed() < TIME_A_SIZE {
        for (best, (steerer, steered)) in best.iter_mut().zip(&mut variants) {
            let (total, own) = time_chunk(steerer, *steered, turn)?;
            *best = total.min(*best);
            if *steered {
                reward = own.min(reward);
            }
        }
        for (best, time) in parts.iter_mut().zip(time_scheduler(particles)?) {
            *best = time.min(*best);
        }
        turn += 1;
    }
    let ms = |duration: Duration| duration.as_secs_f64() * 1e3;
    let [alone, guided, diverse, full] = best.map(ms);
    Ok(Row {
        particles,
        alone,
        noise: ms(parts[0]),
        scheduler: ms(parts[1]),
        diversity: diverse - guided,
        guidance: guided - alone,
        reward: ms(reward),
        resampling: full - diverse,
    })
}

fn table() -> Result<(), SteeringError> {
    println!(
        "One chunk of {HORIZON} x {DIM}, {STEPS} DDPM steps (29 of diversity, 71 guided, resampling \
         at every 5th), ms on one core.\n\
         Sampling alone is noise + scheduler + rest (bookkeeping, the idle denoiser); steering adds diversity + guidance (reward, \
         adjoint, normalising, push) + resampling."
    );
    println!(
        "{:>9} | {:>8} {:>8} {:>9} {:>8} | {:>9} {:>9} {:>9} {:>10} | {:>8} {:>8} {:>12}",
        "particles",
        "alone",
        "noise",
        "scheduler",
        "rest",
        "diversity",
        "guidance",
        "of reward",
        "resampling",
        "overhead",
        "/ alone",
        "us/particle"
    );
    for particles in PARTICLES {
        let row = measure(particles)?;
        println!(
            "{:>9} | {:>8.3} {:>8.3} {:>9.3} {:>8.3} | {:>9.3} {:>9.3} {:>9.3} {:>10.3} | {:>8.3} \
             {:>8.2} {:>12.1}",
            row.particles,
            row.alone,
            row.noise,
            row.scheduler,
            row.alone - row.noise - row.scheduler,
            row.diversity,
            row.guidance,
            row.reward,
            row.resampling,
            row.overhead(),
            row.overhead() / row.alone,
            row.overhead() * 1e3 / row.particles as f64
        );
    }
    Ok(())
}

fn chunk(c: &mut Criterion) {
    let mut group = c.benchmark_group("chunk_100_steps_16x7");
    group.sample_size(10);
    group.warm_up_time(Duration::from_millis(300));
    group.measurement_time(Duration::from_secs(1));
    for particles in PARTICLES {
        let Ok(mut steerer) = steerer(particles, true, true) else {
            return;
        };
        for steered in [true, false] {
            let name = if steered { "steered" } else { "sampler_alone" };
            group.bench_with_input(BenchmarkId::new(name, particles), &particles, |b, _| {
                let mut seed = 0;
                b.iter(|| {
                    seed += 1;
                    time_chunk(&mut steerer, steered, seed)
                });
            });
        }
    }
    group.finish();
}

criterion_group!(benches, chunk);

fn main() -> Result<(), SteeringError> {
    // `cargo test --benches` runs this too, and wants no figures.
    if std::env::args().any(|argument| argument == "--bench") {
        table()?;
    }
    benches();
    Criterion::default().configure_from_args().final_summary();
    Ok(())
}
