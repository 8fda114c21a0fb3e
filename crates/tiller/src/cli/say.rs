//! `tiller say`.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use eyre::{Result, WrapErr, bail};
use serde_json::{Value, json};
use tiller_core::visible;

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
    /// Folder of the run, as TILLER_RUN_DIR names it.
    #[arg(long, value_name = "FOLDER", default_value = "runs/latest")]
    run_dir: PathBuf,
    /// Seed of the sampling.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Print the answer as JSON.
    #[arg(long)]
    json: bool,
}

impl SayArgs {
    pub(super) fn run(self) -> Result<ExitCode> {
        let path = self.run_dir.join("console.sock");
        let mut stream = UnixStream::connect(&path).wrap_err_with(|| {
            format!(
                "no dataflow listens at `{}`: expected one that runs with this --run-dir and has a \
                 `console` node",
                path.display()
            )
        })?;
        stream.set_read_timeout(Some(LIMIT))?;
        writeln!(
            stream,
            "{}",
            json!({ "say": self.instruction, "seed": self.seed })
        )?;
        let mut answer = String::new();
        BufReader::new(stream)
            .read_line(&mut answer)
            .wrap_err("the dataflow does not answer")?;
        let value: Value = serde_json::from_str(&answer)
            .wrap_err_with(|| format!("the dataflow's answer makes no sense: {answer:?}"))?;
        if self.json {
            say_json(answer.trim_end())?;
        }
        match (&value["episode"], &value["error"]) {
            (Value::Number(id), _) => {
                if !self.json {
                    say(&format!("episode {id}: {}", visible(&self.instruction)))?;
                }
                Ok(ExitCode::SUCCESS)
            }
            (_, Value::String(reason)) => bail!("not taken: {reason}"),
            _ => bail!("the dataflow's answer makes no sense: {answer:?}"),
        }
    }
}
