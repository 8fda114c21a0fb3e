//! What a denoiser's step costs when many particles, of one robot or of many, go through it together.
//!
//! `cargo bench -p tiller-closed-loop --bench batch` prints a table; the fastest and the middle turn of each batch count.
//! A plan of the shipped policies has ten such steps with 20 particles. All particles share one observation here; those of
//! many robots would not, and cost the same arithmetic.

#![allow(clippy::print_stdout, reason = "the table is the result")]

use std::error::Error;
use std::path::Path;
use std::time::{Duration, Instant};

use tiller_policy::{Bundle, ImageView, Observation, Policy, PolicyError, RuntimeOptions};
use tiller_steering::Denoiser;

const POLICIES: [&str; 2] = ["flow", "diffusion"];
const BATCHES: [usize; 7] = [1, 20, 40, 80, 160, 320, 640];
const THREADS: [usize; 2] = [1, 2];
const TURNS: usize = 25;
const SIDE: usize = 256;
const PER_ROBOT: usize = 20;

fn main() -> Result<(), Box<dyn Error>> {
    // `cargo test --benches` runs this too, and wants no figures.
    if !std::env::args().any(|argument| argument == "--bench") {
        return Ok(());
    }
    println!("One step of the denoiser, ms; encoding: both pictures of one robot, ms.");
    println!(
        "{:>10} {:>7} {:>9} {:>9} {:>9} {:>13} {:>17}",
        "policy", "threads", "particles", "fastest", "middle", "us a particle", "ms a robot (20)"
    );
    for name in POLICIES {
        for threads in THREADS {
            match measure(name, threads) {
                Ok(()) => {}
                Err(error) if is_runtime_missing(error.as_ref()) => {
                    println!("nothing is measured: {error}");
                    return Ok(());
                }
                Err(error) => return Err(error),
            }
        }
    }
    Ok(())
}

fn measure(name: &str, threads: usize) -> Result<(), Box<dyn Error>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/policies");
    let bundle = Bundle::load(&folder.join(name))?;
    let options = RuntimeOptions {
        threads,
        ..RuntimeOptions::default()
    };
    let mut policy = Policy::open(&bundle, &options)?;
    let picture: Vec<u8> = (0..3 * SIDE * SIDE).map(|i| (i % 251) as u8).collect();
    let image = |name| ImageView {
        name,
        width: SIDE,
        height: SIDE,
        rgb: &picture,
    };
    let observation = Observation {
        images: &[image("static"), image("wrist")],
        state: &[0.43, 0.02, 0.04, 0.0],
        environment: &[],
        instruction: "",
    };
    let encoding = turns(|| policy.encode(&observation).map(drop))?;
    println!(
        "{name:>10} {threads:>7} {:>9} {:>9.3} {:>9.3}",
        "encoding", encoding.0, encoding.1
    );
    let time = 0.5;
    for particles in BATCHES {
        let size = particles * policy.horizon() * policy.action_dim();
        let sample: Vec<f32> = (0..size).map(|i| (i % 17) as f32 / 8.5 - 1.0).collect();
        let mut out = vec![0.0; size];
        let (fastest, middle) = turns(|| policy.predict(&sample, particles, time, &mut out))?;
        println!(
            "{name:>10} {threads:>7} {particles:>9} {fastest:>9.3} {middle:>9.3} {:>13.1} {:>17.3}",
            1e3 * middle / particles as f64,
            middle / particles as f64 * PER_ROBOT as f64,
        );
    }
    Ok(())
}

/// The fastest and the middle of many turns after a few that do not count, ms.
fn turns<E>(mut work: impl FnMut() -> Result<(), E>) -> Result<(f64, f64), E> {
    (0..3).try_for_each(|_| work())?;
    let mut times = Vec::with_capacity(TURNS);
    for _ in 0..TURNS {
        let start = Instant::now();
        work()?;
        times.push(start.elapsed());
    }
    times.sort();
    let ms = |duration: Duration| duration.as_secs_f64() * 1e3;
    Ok((ms(times[0]), ms(times[TURNS / 2])))
}

fn is_runtime_missing(error: &(dyn Error + 'static)) -> bool {
    matches!(
        error.downcast_ref::<PolicyError>(),
        Some(PolicyError::LibraryMissing { .. })
    )
}
