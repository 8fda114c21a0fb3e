//! `tiller sim`: the simulators that are not Tiller's own.

mod install;
mod python;
mod simulator;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use eyre::{Result, WrapErr, eyre};
use serde_json::json;

use super::{say, say_json};
use install::{Outcome, Request, install};
use simulator::Simulator;

/// Bring in simulators that others wrote.
///
/// They are Python and stay outside Tiller's own set-up: each gets an environment of its own under
/// `.sim`, with pinned packages. Nothing of them is copied into the repository.
///
///   tiller sim install libero
///   tiller sim install calvin --checkout ../calvin_env
#[derive(Debug, Args)]
#[command(arg_required_else_help = true, verbatim_doc_comment)]
pub(super) struct SimArgs {
    #[command(subcommand)]
    command: SimCommand,
}

#[derive(Debug, Subcommand)]
enum SimCommand {
    Install(InstallArgs),
}

/// Install a simulator with its pinned packages.
///
/// Says the licences first. Run again it does nothing where all is there, and goes on where it was
/// interrupted. Needs CPython 3.11 with `venv`, the network and, for LIBERO, 5 GB of disk space.
///
///   tiller sim install libero
///   tiller sim install calvin --checkout ../calvin_env
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
struct InstallArgs {
    /// Which simulator.
    #[arg(value_enum)]
    simulator: Simulator,
    /// The git checkout of mees/calvin_env that CALVIN runs from; only for calvin, and needed there.
    #[arg(long, value_name = "FOLDER")]
    checkout: Option<PathBuf>,
    /// Folder of all simulators [default: .sim in Tiller's folder].
    #[arg(long, value_name = "FOLDER")]
    into: Option<PathBuf>,
    /// A Python 3.11 to make the environment with [default: that of PYTHON, else python3.11].
    #[arg(long, value_name = "PROGRAM")]
    python: Option<PathBuf>,
    /// Print what was installed as JSON.
    #[arg(long)]
    json: bool,
}

impl SimArgs {
    pub(super) fn run(self) -> Result<ExitCode> {
        match self.command {
            SimCommand::Install(args) => args.run(),
        }
    }
}

impl InstallArgs {
    fn run(self) -> Result<ExitCode> {
        let here = std::env::current_dir().wrap_err("there is no working directory")?;
        let root = simulator::root(&here).ok_or_else(|| {
            eyre!(
                "expected to be in Tiller's folder, which holds nodes/libero, found {}",
                here.display()
            )
        })?;
        let request = Request {
            simulator: self.simulator,
            into: self
                .into
                .map_or_else(|| root.join(".sim"), |into| here.join(into)),
            checkout: self.checkout.map(|checkout| here.join(checkout)),
            python: self
                .python
                .or_else(|| std::env::var_os("PYTHON").map(PathBuf::from))
                .unwrap_or_else(|| PathBuf::from("python3.11")),
            needs_bytes: self.simulator.needs_bytes(),
            root,
        };
        let mut tell = |line: &str| eprintln!("{}", tiller_core::visible(line));
        let outcome = install(&request, &mut tell)?;
        report(&request, &outcome, self.json)?;
        Ok(ExitCode::SUCCESS)
    }
}

fn report(request: &Request, outcome: &Outcome, as_json: bool) -> Result<()> {
    let (name, python) = (request.simulator.name(), &outcome.python);
    if as_json {
        return say_json(
            &json!({
                "simulator": name,
                "folder": outcome.folder,
                "python": python,
                "made": outcome.made,
                "seconds": outcome.seconds,
                "megabytes": outcome.megabytes,
                "licences": request.simulator.licences(),
            })
            .to_string(),
        );
    }
    if !outcome.made {
        return say(&format!(
            "{name}: there already, in {}",
            outcome.folder.display()
        ));
    }
    say(&format!(
        "{name}: installed in {} ({} MB, {:.0} s)\n{}",
        outcome.folder.display(),
        outcome.megabytes,
        outcome.seconds,
        request.simulator.next_steps(python),
    ))
}
