//! A child process that answers lines with lines.

use std::ffi::OsString;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use serde::Serialize;
use serde::de::DeserializeOwned;
use thiserror::Error;
use tiller_core::{shown, visible_line};

use crate::words::Answer;

/// Longest line that is read, bytes.
const MAX_LINE: u64 = 1 << 20;
/// What is kept of what it prints beside, bytes.
const MAX_PRINTED: usize = 4096;
/// How long a process that closed its end is waited for.
const PARTING: Duration = Duration::from_secs(2);

/// What went wrong with the environment's process.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ChildError {
    /// It does not start.
    #[error("cannot run {}", shown(.program))]
    Start {
        /// The program.
        program: String,
        /// Why.
        source: io::Error,
    },
    /// What was asked for cannot be had; it goes on.
    #[error("{0}")]
    Refused(String),
    /// Something broke in it.
    #[error("the environment broke: {0}")]
    Failed(String),
    /// It is no more.
    #[error("the environment's process ended ({status}){}", last(.printed))]
    Ended {
        /// How.
        status: String,
        /// The last line that it printed.
        printed: String,
    },
    /// It does not answer.
    #[error("the environment's process gave no answer in {} s{}", .limit.as_secs_f64(), last(.printed))]
    Silent {
        /// How long it was given.
        limit: Duration,
        /// The last line that it printed.
        printed: String,
    },
    /// It answers what nobody understands.
    #[error("the environment's process answered `{found}`: expected {expected}")]
    Garbage {
        /// What would have been understood.
        expected: String,
        /// The beginning of the answer.
        found: String,
    },
    /// The pipe broke.
    #[error("the pipe to the environment's process")]
    Pipe(#[from] io::Error),
}

impl ChildError {
    /// Whether the process goes on as if nothing had been asked.
    pub(crate) fn is_refusal(&self) -> bool {
        matches!(self, Self::Refused(_))
    }

    pub(crate) fn garbage(expected: impl ToString, found: &str) -> Self {
        Self::Garbage {
            expected: expected.to_string(),
            found: visible_line(found, 80),
        }
    }
}

fn last(printed: &str) -> String {
    match printed {
        "" => String::new(),
        line => format!(": {line}"),
    }
}

/// The process; it ends with this.
pub(crate) struct Child {
    process: std::process::Child,
    pipe: BufReader<UnixStream>,
    limit: Duration,
    /// The last of what it printed, when it has ended.
    printed: Receiver<Vec<u8>>,
    line: Vec<u8>,
}

impl Child {
    /// Starts a program and reads its greeting; each of its answers may take as long as `limit`.
    pub(crate) fn start<T: DeserializeOwned>(
        command: &[OsString],
        limit: Duration,
    ) -> Result<(Self, T), ChildError> {
        let none = OsString::new();
        let (program, arguments) = command.split_first().unwrap_or((&none, &[]));
        // One connection for both ways: it has time limits, and closes when this process ends in any way.
        let (ours, theirs) = UnixStream::pair()?;
        ours.set_read_timeout(Some(limit))?;
        ours.set_write_timeout(Some(limit))?;
        let (input, output) = (OwnedFd::from(theirs.try_clone()?), OwnedFd::from(theirs));
        let mut command = Command::new(program);
        command
            .args(arguments)
            .stdin(Stdio::from(input))
            .stdout(Stdio::from(output))
            .stderr(Stdio::piped())
            // Whoever is interrupted at a terminal decides for it.
            .process_group(0);
        // The keys of models are none of its business.
        for (name, _) in std::env::vars_os() {
            if name.to_str().is_some_and(|name| name.ends_with("_API_KEY")) {
                command.env_remove(name);
            }
        }
        let mut process = command.spawn().map_err(|source| ChildError::Start {
            program: program.to_string_lossy().into_owned(),
            source,
        })?;
        // Its ends of the connection are kept open by nobody else.
        drop(command);
        let (send, printed) = channel();
        if let Some(stream) = process.stderr.take() {
            std::thread::spawn(move || send.send(tail(stream)));
        }
        let mut child = Self {
            process,
            pipe: BufReader::with_capacity(1 << 16, ours),
            limit,
            printed,
            line: Vec::new(),
        };
        let greeting = child.answer()?;
        Ok((child, greeting))
    }

    /// Says something and reads the answer. After any error but a refusal it is good for nothing any more.
    pub(crate) fn ask<T: DeserializeOwned>(
        &mut self,
        order: &impl Serialize,
    ) -> Result<T, ChildError> {
        self.line.clear();
        serde_json::to_writer(&mut self.line, order).map_err(io::Error::from)?;
        self.line.push(b'\n');
        let sent = self.pipe.get_mut().write_all(&self.line);
        sent.map_err(|error| self.broken(error))?;
        self.answer()
    }

    /// Reads bytes that an answer announced.
    pub(crate) fn read(&mut self, into: &mut [u8]) -> Result<(), ChildError> {
        let read = self.pipe.read_exact(into);
        read.map_err(|error| self.broken(error))
    }

    fn answer<T: DeserializeOwned>(&mut self) -> Result<T, ChildError> {
        self.line.clear();
        let mut bounded = (&mut self.pipe).take(MAX_LINE);
        match bounded.read_until(b'\n', &mut self.line) {
            Ok(0) => return Err(self.broken(io::ErrorKind::UnexpectedEof.into())),
            Ok(_) => {}
            Err(error) => return Err(self.broken(error)),
        }
        match serde_json::from_slice(&self.line) {
            Ok(Answer::Ok(answer)) => Ok(answer),
            Ok(Answer::Refused(why)) => Err(ChildError::Refused(visible_line(&why, 2000))),
            Ok(Answer::Failed(what)) => Err(ChildError::Failed(visible_line(&what, 2000))),
            Err(error) => {
                let found = String::from_utf8_lossy(&self.line);
                Err(ChildError::garbage(error, &found))
            }
        }
    }

    /// Why nothing comes over the pipe any more.
    fn broken(&mut self, error: io::Error) -> ChildError {
        use io::ErrorKind as Kind;
        match error.kind() {
            Kind::WouldBlock | Kind::TimedOut => {
                let limit = self.limit;
                self.kill();
                let printed = self.last_printed();
                ChildError::Silent { limit, printed }
            }
            Kind::UnexpectedEof | Kind::BrokenPipe | Kind::ConnectionReset => {
                let status = match self.end() {
                    Some(status) => status.to_string(),
                    None => "it had closed its output".to_owned(),
                };
                let printed = self.last_printed();
                ChildError::Ended { status, printed }
            }
            _ => ChildError::Pipe(error),
        }
    }

    /// How it ended by itself; one that lingers is ended.
    fn end(&mut self) -> Option<ExitStatus> {
        let since = Instant::now();
        while since.elapsed() < PARTING {
            match self.process.try_wait() {
                Ok(Some(status)) => return Some(status),
                Ok(None) => std::thread::sleep(Duration::from_millis(5)),
                Err(_) => break,
            }
        }
        self.kill();
        None
    }

    fn kill(&mut self) {
        // It may have ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }

    fn last_printed(&self) -> String {
        let printed = self.printed.recv_timeout(PARTING).unwrap_or_default();
        let text = String::from_utf8_lossy(&printed);
        let mut lines = text.lines().map(str::trim).rev();
        let line = lines.find(|line| !line.is_empty());
        visible_line(line.unwrap_or_default(), 400)
    }
}

impl Drop for Child {
    /// It has nothing to save.
    fn drop(&mut self) {
        self.kill();
    }
}

/// The last of what a stream brings.
fn tail(mut stream: impl Read) -> Vec<u8> {
    let (mut kept, mut piece) = (Vec::new(), [0; 1024]);
    while let Ok(read @ 1..) = stream.read(&mut piece) {
        kept.extend_from_slice(&piece[..read]);
        kept.drain(..kept.len().saturating_sub(MAX_PRINTED));
    }
    kept
}
