//! `tiller policy verify`.

use std::process::ExitCode;
use std::time::Instant;

use clap::Args;
use eyre::{Result, WrapErr};
use tiller_policy::{Bundle, Policy, PolicyError, RuntimeOptions};
use tiller_steering::Denoiser;

use super::typical::{INSTRUCTION, Typical};
use super::{find_policy, say};

/// Check that a policy is whole and that it runs.
///
/// Reads every file and checks its fingerprint, opens the graphs and holds their inputs and outputs against
/// the manifest, encodes a grey scene, and runs the denoiser once for one particle and for twenty, whose
/// first must come out the same. Exit code 1: something is wrong with the bundle.
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(super) struct VerifyArgs {
    /// The bundle: a folder, or a name below models/policies.
    policy: String,
    /// What a policy that reads is told.
    #[arg(long, value_name = "TEXT", default_value = INSTRUCTION)]
    instruction: String,
    /// Threads that one graph may use.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=64))]
    threads: u64,
}

/// Beside numbers of the size of 1: what a batch may change in single precision.
const TOLERANCE: f32 = 1e-3;
/// Of a chunk steered by default.
const PARTICLES: usize = 20;

impl VerifyArgs {
    pub(super) fn run(self) -> Result<ExitCode> {
        let folder = find_policy(&self.policy)?;
        match self.verify(&folder) {
            Ok(()) => {
                say("the policy is whole, and runs")?;
                Ok(ExitCode::SUCCESS)
            }
            // Of the machine, and not of the bundle.
            Err(error) if is_of_machine(&error) => Err(error),
            Err(error) => {
                say(&format!("{error:#}"))?;
                Ok(ExitCode::from(1))
            }
        }
    }

    fn verify(&self, folder: &std::path::Path) -> Result<()> {
        let started = Instant::now();
        let done = |what: &str| {
            say(&format!(
                "{:8.2} s  {what}",
                started.elapsed().as_secs_f64()
            ))
        };
        let bundle = Bundle::load(folder)?;
        done("the manifest is sound, graphs and tokenizer are those that it names")?;
        let options = RuntimeOptions {
            threads: self.threads as usize,
            ..RuntimeOptions::default()
        };
        let mut policy = Policy::open(&bundle, &options)?;
        done("the graphs open, their weights are those that the manifest names")?;
        let typical = Typical::of(bundle.manifest(), &self.instruction);
        typical.show(|seen| policy.encode(seen).map(drop))?;
        let conditions = policy.conditions().len();
        done(&format!(
            "a grey scene is encoded to {conditions} conditions"
        ))?;
        compare(&mut policy)?;
        done(&format!("1 and {PARTICLES} particles are denoised alike"))?;
        Ok(())
    }
}

/// Whether the fault is in what the bundle needs to run.
fn is_of_machine(error: &eyre::Report) -> bool {
    matches!(
        error.downcast_ref::<PolicyError>(),
        Some(
            PolicyError::LibraryMissing { .. }
                | PolicyError::Library { .. }
                | PolicyError::Provider { .. }
        )
    )
}

/// Runs a step for one particle, and for many of which that is the first.
fn compare(policy: &mut Policy) -> Result<()> {
    let size = policy.horizon() * policy.action_dim();
    // Anything but equal rows.
    let sample: Vec<f32> = (0..PARTICLES * size)
        .map(|i| (i as f32 * 0.7).sin())
        .collect();
    let (mut one, mut many) = (vec![0.0; size], vec![0.0; PARTICLES * size]);
    let time = 0.5;
    policy
        .predict(&sample[..size], 1, time, &mut one)
        .wrap_err("with one particle")?;
    policy
        .predict(&sample, PARTICLES, time, &mut many)
        .wrap_err_with(|| format!("with {PARTICLES} particles"))?;
    eyre::ensure!(
        many.iter().all(|number| number.is_finite()),
        "the denoiser's prediction: expected finite numbers, found some that are not"
    );
    let apart = one
        .iter()
        .zip(&many)
        .map(|(a, b)| (a - b).abs() / a.abs().max(1.0));
    let worst = apart.fold(0.0, f32::max);
    eyre::ensure!(
        worst <= TOLERANCE,
        "one particle's prediction: expected the same alone and among {PARTICLES}, found {worst:e} between them"
    );
    Ok(())
}
