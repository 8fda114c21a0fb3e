//! The socket of a running dataflow's `console` node.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use eyre::{Result, WrapErr, bail, eyre};
use serde_json::Value;
use tiller_core::visible;

#[derive(Debug, Args)]
pub(super) struct RunArgs {
    /// Folder of the run: runs/latest is that of the dataflow that was started last, runs/ID that of the one
    /// to which `dora list` gives this ID.
    #[arg(long, value_name = "FOLDER", default_value = "runs/latest")]
    run_dir: PathBuf,
}

impl RunArgs {
    /// Sends a request; its answers are read from what is returned.
    pub(super) fn ask(&self, request: &Value, limit: Duration) -> Result<Answers> {
        Answers::ask(&self.run_dir, request, limit)
    }
}

/// The lines of an answer.
pub(super) struct Answers(BufReader<UnixStream>);

impl Answers {
    fn ask(run_dir: &Path, request: &Value, limit: Duration) -> Result<Self> {
        let path = run_dir.join("console.sock");
        let mut stream = UnixStream::connect(&path).wrap_err_with(|| {
            format!(
                "no dataflow listens at `{}`: expected one that runs with this --run-dir and has a \
                 `console` node",
                path.display()
            )
        })?;
        stream.set_read_timeout(Some(limit))?;
        writeln!(stream, "{request}")?;
        Ok(Self(BufReader::new(stream)))
    }

    /// How long each further line may take.
    pub(super) fn wait_for(&self, limit: Duration) -> Result<()> {
        Ok(self.0.get_ref().set_read_timeout(Some(limit))?)
    }

    /// The next line; none after the last.
    ///
    /// # Errors
    /// When it does not come in time, makes no sense, or says that the request was not taken.
    pub(super) fn next(&mut self) -> Result<Option<Value>> {
        let mut line = String::new();
        let read = self.0.read_line(&mut line);
        if read.wrap_err("the dataflow does not answer")? == 0 {
            return Ok(None);
        }
        let value: Value = serde_json::from_str(&line).wrap_err_with(|| {
            format!("the dataflow's answer makes no sense: {:?}", visible(&line))
        })?;
        match &value["error"] {
            Value::String(reason) => bail!("not taken: {reason}"),
            _ => Ok(Some(value)),
        }
    }

    /// The next line, which must come.
    pub(super) fn expect(&mut self) -> Result<Value> {
        self.next()?
            .ok_or_else(|| eyre!("the dataflow ended before it answered"))
    }
}
