//! `tiller vlm`.

mod ask;
mod doctor;
mod provider;

use std::process::ExitCode;

use clap::{Args, Subcommand};
use eyre::Result;

/// Ask vision-language models for reward programs, and find out why one does not answer.
///
/// Settings that are not given as options come from the dataflow's variables (TILLER_VLM_PROVIDER,
/// TILLER_VLM_MODEL, TILLER_VLM_BASE_URL, TILLER_VLM_KEY_FILE, ..). Keys come from a key file, or from
/// OPENAI_API_KEY and its kin, never from an option.
///
/// Examples:
///   tiller vlm doctor --provider openai --model gpt-5-mini
///   tiller vlm doctor --provider openai --base-url http://localhost:11434/v1 --model qwen2.5vl
///   tiller vlm ask --image annotated.png --keypoints scene.json --instruction "open the drawer"
#[derive(Debug, Args)]
#[command(arg_required_else_help = true, verbatim_doc_comment)]
pub(super) struct VlmArgs {
    #[command(subcommand)]
    command: VlmCommand,
}

#[derive(Debug, Subcommand)]
enum VlmCommand {
    Ask(Box<ask::AskArgs>),
    Doctor(Box<doctor::DoctorArgs>),
}

impl VlmArgs {
    pub(super) fn run(self) -> Result<ExitCode> {
        match self.command {
            VlmCommand::Ask(args) => args.run(),
            VlmCommand::Doctor(args) => args.run(),
        }
    }
}
