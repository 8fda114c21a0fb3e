//! `tiller say`.

use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use eyre::{Result, bail};
use serde_json::{Value, json};
use tiller_core::visible;

use super::console::RunArgs;
use super::{say, say_json};

/// How long the dataflow may take to answer.
const LIMIT: Duration = Duration::from_secs(10);

/// Give a running dataflow its next instruction.
///
/// A new episode begins: programs, plans and stages of the one before are void, and nothing has to be
/// started again. The dataflow's `console` node listens in the run's folder; in simulation the scene
/// stays as it is (start the dataflow with TILLER_EPISODES=0, so that it waits for instructions).
///
///   tiller say "push the red block"
///   tiller say --run-dir runs/demo "open the drawer, then push the red block"
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(super) struct SayArgs {
    /// What the robot is to do.
    instruction: String,
    #[command(flatten)]
    run: RunArgs,
    /// Seed of the sampling.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Print the answer as JSON.
    #[arg(long)]
    json: bool,
}

impl SayArgs {
    pub(super) fn run(self) -> Result<ExitCode> {
        let request = json!({ "say": self.instruction, "seed": self.seed });
        let answer = self.run.ask(&request, LIMIT)?.expect()?;
        let Value::Number(id) = &answer["episode"] else {
            bail!("the dataflow's answer makes no sense: {answer}");
        };
        if self.json {
            say_json(&answer.to_string())?;
        } else {
            say(&format!("episode {id}: {}", visible(&self.instruction)))?;
        }
        Ok(ExitCode::SUCCESS)
    }
}
