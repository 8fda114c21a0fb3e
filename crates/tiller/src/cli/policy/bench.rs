//! `tiller policy bench`.

use std::fmt::Write as _;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Args;
use eyre::Result;
use serde_json::{Value, json};
use tiller_policy::{Bundle, Policy, RuntimeOptions};
use tiller_steering::Denoiser;

use super::typical::{INSTRUCTION, Typical};
use super::{Processor, find_policy, say, say_json};

/// Time a policy: opening, one look at the scene, and a sampling step for so many particles.
///
/// A chunk is one look and as many steps as the bundle says; steering comes on top. Times are the least and
/// the median of --calls calls, one after the other, on a grey scene.
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(super) struct BenchArgs {
    /// The bundle: a folder, or a name below models/policies.
    policy: String,
    /// Numbers of particles.
    #[arg(long, value_name = "B,..", value_delimiter = ',', default_values_t = [1, 20], value_parser = clap::value_parser!(u64).range(1..=4096))]
    particles: Vec<u64>,
    /// Calls of each graph.
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..=10_000))]
    calls: u64,
    /// Threads that one graph may use.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=64))]
    threads: u64,
    /// Processor that runs the policy. `cuda` needs a build with `--features cuda`, an ONNX Runtime for CUDA and a
    /// GPU, and is an error without them.
    #[arg(long, value_enum, default_value = "cpu")]
    provider: Processor,
    /// What a policy that reads is told.
    #[arg(long, value_name = "TEXT", default_value = INSTRUCTION)]
    instruction: String,
    /// Print it as JSON.
    #[arg(long)]
    json: bool,
}

/// Least and median time of a call.
#[derive(Clone, Copy)]
struct Times {
    least: Duration,
    median: Duration,
}

impl BenchArgs {
    pub(super) fn run(self) -> Result<ExitCode> {
        let start = Instant::now();
        let bundle = Bundle::load(&find_policy(&self.policy)?)?;
        let options = RuntimeOptions {
            threads: self.threads as usize,
            provider: self.provider.into(),
            ..RuntimeOptions::default()
        };
        let mut policy = Policy::open(&bundle, &options)?;
        let opening = start.elapsed();
        let particles: Vec<usize> = self.particles.iter().map(|count| *count as usize).collect();
        policy.warm_up(&particles)?;
        let typical = Typical::of(bundle.manifest(), &self.instruction);
        let encoder = typical.show(|seen| {
            times(self.calls, || {
                policy.encode(seen).map(drop).map_err(Into::into)
            })
        })?;
        let size = policy.horizon() * policy.action_dim();
        let mut denoiser = Vec::new();
        for count in particles {
            let sample = vec![0.1; count * size];
            let mut out = vec![0.0; count * size];
            let step = || Ok(policy.predict(&sample, count, 0.5, &mut out)?);
            denoiser.push((count, times(self.calls, step)?));
        }
        let steps = bundle.manifest().scheduler.steps as u32;
        if self.json {
            let value = as_json(opening, encoder, &denoiser, steps);
            say_json(&value.to_string())?;
        } else {
            say(&table(opening, encoder, &denoiser, steps))?;
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn times(calls: u64, mut call: impl FnMut() -> Result<()>) -> Result<Times> {
    let mut found = Vec::new();
    for _ in 0..calls {
        let start = Instant::now();
        call()?;
        found.push(start.elapsed());
    }
    found.sort();
    Ok(Times {
        least: found[0],
        median: found[found.len() / 2],
    })
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

/// The most memory that the process has had, bytes; none where the system does not say.
fn most_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    let kilobytes: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kilobytes * 1024)
}

fn as_json(opening: Duration, encoder: Times, denoiser: &[(usize, Times)], steps: u32) -> Value {
    let of = |times: Times| json!({ "least_ms": ms(times.least), "median_ms": ms(times.median) });
    let each = denoiser.iter().map(|(particles, step)| {
        json!({
            "particles": particles,
            "step": of(*step),
            "chunk_ms": ms(encoder.median + step.median * steps),
        })
    });
    json!({
        "opening_ms": ms(opening),
        "encoder": of(encoder),
        "steps": steps,
        "denoiser": each.collect::<Vec<_>>(),
        "most_memory_bytes": most_memory(),
    })
}

fn table(opening: Duration, encoder: Times, denoiser: &[(usize, Times)], steps: u32) -> String {
    let mut text = format!("opening   {:10.1} ms", ms(opening));
    if let Some(bytes) = most_memory() {
        let _ = write!(text, "   memory at most {:.0} MB", bytes as f64 / 1e6);
    }
    let _ = write!(
        text,
        "\n\n                      least       median   a chunk of {steps} steps\n\
         one look     {:10.2} ms {:9.2} ms",
        ms(encoder.least),
        ms(encoder.median)
    );
    for (particles, step) in denoiser {
        let chunk = encoder.median + step.median * steps;
        let _ = write!(
            text,
            "\n{particles:4} particles {:9.2} ms {:9.2} ms {:9.2} ms",
            ms(step.least),
            ms(step.median),
            ms(chunk)
        );
    }
    text
}
