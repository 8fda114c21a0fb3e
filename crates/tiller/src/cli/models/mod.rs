//! `tiller models`.

mod bench;
mod eye;
mod list;
mod verify;

use std::process::ExitCode;

use clap::{Args, Subcommand};
use eyre::Result;

use super::{say, say_json};

/// List the models that there are, and check and time those that see: detectors.
///
/// A detector is what `models/train/detector.py` trains, or what `models/export/sam.py` makes of a segmenter. DETECTOR is a
/// folder, or a name below models/detectors. Policies have commands of their own: `tiller policy`.
///
/// Examples:
///   tiller models list
///   tiller models verify NAME               is it whole, and what does it find in a picture?
///   tiller models bench NAME --size 640x480
#[derive(Debug, Args)]
#[command(arg_required_else_help = true, verbatim_doc_comment)]
pub(super) struct ModelsArgs {
    #[command(subcommand)]
    command: ModelsCommand,
}

#[derive(Debug, Subcommand)]
enum ModelsCommand {
    List(list::ListArgs),
    Verify(verify::VerifyArgs),
    Bench(bench::BenchArgs),
}

impl ModelsArgs {
    pub(super) fn run(self) -> Result<ExitCode> {
        match self.command {
            ModelsCommand::List(args) => args.run(),
            ModelsCommand::Verify(args) => args.run(),
            ModelsCommand::Bench(args) => args.run(),
        }
    }
}
