//! Times a bundle: one encoder call and one denoiser call, as the sampler makes them.
//!
//! ```sh
//! cargo run --release -p tiller-policy --example latency -- models/policies/flow [threads]
//! ```

#![allow(clippy::print_stdout, reason = "its output is what it is for")]

use std::error::Error;
use std::path::Path;
use std::time::{Duration, Instant};

use tiller_policy::{Bundle, ImageView, Observation, ObservationKind, Policy, RuntimeOptions};
use tiller_steering::Denoiser;

const CALLS: usize = 100;
const PARTICLES: [usize; 3] = [1, 20, 64];

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let directory = arguments.next().ok_or("give the bundle's directory")?;
    let threads = arguments.next().map_or(Ok(1), |text| text.parse())?;
    let bundle = Bundle::load(Path::new(&directory))?;
    let options = RuntimeOptions {
        threads,
        ..RuntimeOptions::default()
    };
    let mut policy = Policy::open(&bundle, &options)?;

    let inputs = &bundle.manifest().observations;
    let of_kind = |kind| inputs.iter().filter(move |input| input.kind == kind);
    let pixels: Vec<Vec<u8>> = of_kind(ObservationKind::Image)
        .map(|input| vec![128; input.shape.iter().product()])
        .collect();
    let images: Vec<ImageView<'_>> = of_kind(ObservationKind::Image)
        .zip(&pixels)
        .map(|(input, rgb)| ImageView {
            name: &input.source,
            width: input.shape[2],
            height: input.shape[1],
            rgb,
        })
        .collect();
    // The mean state, which every policy has seen.
    let mean = |source: &str| -> Vec<f32> {
        of_kind(ObservationKind::State)
            .filter(|input| input.source == source)
            .flat_map(|input| input.mean.iter().copied())
            .collect()
    };
    let (state, environment) = (mean("robot_state"), mean("environment_state"));
    let observation = Observation {
        images: &images,
        state: &state,
        environment: &environment,
    };
    policy.warm_up(&PARTICLES)?;
    report("encode", || Ok(policy.encode(&observation).map(drop)?))?;
    for particles in PARTICLES {
        let sample = vec![0.1; particles * policy.horizon() * policy.action_dim()];
        let mut out = vec![0.0; sample.len()];
        report(&format!("denoise {particles} particles"), || {
            Ok(policy.predict(&sample, particles, 0.5, &mut out)?)
        })?;
    }
    Ok(())
}

/// Prints the least and the median time of a call.
fn report(
    what: &str,
    mut call: impl FnMut() -> Result<(), Box<dyn Error>>,
) -> Result<(), Box<dyn Error>> {
    let mut times = Vec::with_capacity(CALLS);
    for _ in 0..CALLS {
        let start = Instant::now();
        call()?;
        times.push(start.elapsed());
    }
    times.sort();
    let milliseconds = |time: Duration| time.as_secs_f64() * 1e3;
    println!(
        "{what}: minimum {:.3} ms, median {:.3} ms",
        milliseconds(times[0]),
        milliseconds(times[CALLS / 2])
    );
    Ok(())
}
