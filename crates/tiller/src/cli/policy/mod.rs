//! `tiller policy`.

mod bench;
mod inspect;
mod pull;
mod typical;
mod verify;

use std::process::ExitCode;

use clap::{Args, Subcommand};
use eyre::Result;

use super::processor::Processor;
use super::{find_policy, say, say_json};

/// Look at, check and time policy bundles.
///
/// A bundle is what `models/export` makes of a trained policy; docs/checkpoints.md is the way from a
/// checkpoint to the robot. POLICY is a folder, or a name below models/policies.
///
/// Examples:
///   tiller policy inspect flow            what does it see, and what do its actions mean?
///   tiller policy verify outputs/pusher   is it whole, and does it run?
///   tiller policy bench flow --particles 1,20
///   tiller policy pull lerobot/smolvla_base   a checkpoint to export
#[derive(Debug, Args)]
#[command(arg_required_else_help = true, verbatim_doc_comment)]
pub(super) struct PolicyArgs {
    #[command(subcommand)]
    command: PolicyCommand,
}

#[derive(Debug, Subcommand)]
enum PolicyCommand {
    Inspect(inspect::InspectArgs),
    Verify(verify::VerifyArgs),
    Bench(bench::BenchArgs),
    Pull(pull::PullArgs),
}

impl PolicyArgs {
    pub(super) fn run(self) -> Result<ExitCode> {
        match self.command {
            PolicyCommand::Inspect(args) => args.run(),
            PolicyCommand::Verify(args) => args.run(),
            PolicyCommand::Bench(args) => args.run(),
            PolicyCommand::Pull(args) => args.run(),
        }
    }
}
