//! A dataflow that runs, seen from the terminal.

use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use eyre::{Result, WrapErr, bail, eyre};
use indicatif::{ProgressBar, ProgressStyle};
use tiller_core::file::read_regular_text;
use tiller_core::visible;

use crate::process::say;
use crate::start_up::{self, StartUp};

/// Bytes of a list of events, and of a log that is looked into.
const MAX_FILE_BYTES: u64 = 64 << 20;

/// Set by Ctrl-C, for groups do not get the terminal's own interrupt.
pub(crate) fn interrupted() -> Arc<AtomicBool> {
    let interrupted = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&interrupted);
    if let Err(error) = ctrlc::set_handler(move || flag.store(true, Ordering::SeqCst)) {
        say(&format!("Ctrl-C will leave the nodes running: {error}"));
    }
    interrupted
}

/// A child in a process group of its own, so that its nodes end with it.
pub(crate) struct Group {
    child: Child,
}

impl Group {
    /// Starts it.
    ///
    /// # Errors
    /// When that cannot be.
    pub(crate) fn spawn(command: &mut Command) -> Result<Self> {
        let child = command
            .process_group(0)
            .spawn()
            .wrap_err("could not start `dora`")?;
        Ok(Self { child })
    }

    /// Waits with a spinner that shows the newest event of the run. None: the dataflow did not begin.
    ///
    /// # Errors
    /// When it took longer than `limit`, or was interrupted.
    pub(crate) fn wait(
        mut self,
        limit: Duration,
        folder: &Path,
        interrupted: &AtomicBool,
    ) -> Result<Option<ExitStatus>> {
        let begin = Instant::now();
        let mut start_up_limit = Duration::from_secs(start_up::LIMIT_S);
        let spinner = ProgressBar::new_spinner();
        if let Ok(style) = ProgressStyle::with_template("{spinner} {elapsed_precise} {wide_msg}") {
            spinner.set_style(style);
        }
        spinner.enable_steady_tick(Duration::from_millis(120));
        let mut events = EventLines::new(folder.join("events.log"));
        loop {
            if interrupted.load(Ordering::SeqCst) {
                spinner.finish_and_clear();
                bail!("interrupted");
            }
            for line in events.fresh() {
                spinner.println(format!("[tiller]   {line}"));
                spinner.set_message(line);
            }
            if let Some(status) = self.child.try_wait()? {
                for line in events.fresh() {
                    spinner.println(format!("[tiller]   {line}"));
                }
                spinner.finish_and_clear();
                return Ok(Some(status));
            }
            if begin.elapsed() > start_up_limit {
                let log = read_regular_text(&folder.join("dora.log"), MAX_FILE_BYTES);
                if let StartUp::HostsMissing(hosts) = StartUp::read(&log.unwrap_or_default()) {
                    spinner.finish_and_clear();
                    let hosts = hosts.join(", ");
                    say(&format!(
                        "{hosts}: its host hangs, as dora's does now and then; once more"
                    ));
                    return Ok(None);
                }
                start_up_limit = Duration::MAX;
            }
            if begin.elapsed() > limit {
                spinner.finish_and_clear();
                return Err(eyre!(
                    "the dataflow did not end within {} s and was stopped; see {}",
                    limit.as_secs(),
                    folder.join("dora.log").display()
                ));
            }
            std::thread::sleep(Duration::from_millis(200));
        }
    }
}

impl Drop for Group {
    /// Leaves no node behind, also when the demo itself is interrupted by an error.
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(Some(_))) {
            return;
        }
        let group = format!("-{}", self.child.id());
        for signal in ["-INT", "-KILL"] {
            let sent = Command::new("kill").args([signal, "--", &group]).status();
            if sent.is_err() {
                break;
            }
            std::thread::sleep(Duration::from_secs(3));
        }
        if let Err(error) = self.child.wait() {
            say(&format!("dora could not be stopped: {error}"));
        }
    }
}

/// Complete lines appended to a file since the last look.
struct EventLines {
    path: PathBuf,
    shown: usize,
}

impl EventLines {
    fn new(path: PathBuf) -> Self {
        Self { path, shown: 0 }
    }

    fn fresh(&mut self) -> Vec<String> {
        let text = read_regular_text(&self.path, MAX_FILE_BYTES).unwrap_or_default();
        let complete = text.rfind('\n').map_or("", |end| &text[..end]);
        let lines: Vec<String> = complete
            .lines()
            .skip(self.shown)
            .map(|line| visible(line).into_owned())
            .collect();
        self.shown += lines.len();
        lines
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn events_are_shown_once_and_only_when_complete() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("events.log");
        let mut events = EventLines::new(path.clone());
        assert!(events.fresh().is_empty(), "no file yet");
        fs::write(&path, "one\ntw").unwrap();
        assert_eq!(events.fresh(), ["one"]);
        fs::write(&path, "one\ntwo\n").unwrap();
        assert_eq!(events.fresh(), ["two"]);
        assert!(events.fresh().is_empty());
    }

    #[test]
    fn a_group_that_hangs_is_ended_with_all_its_children() {
        let folder = tempfile::tempdir().unwrap();
        let mut command = Command::new("sh");
        command
            .args(["-c", "sleep 600 & echo $! > child; wait"])
            .current_dir(folder.path());
        let group = Group::spawn(&mut command).unwrap();
        let outcome = group.wait(
            Duration::from_millis(600),
            folder.path(),
            &AtomicBool::new(false),
        );
        assert!(outcome.unwrap_err().to_string().contains("did not end"));
        let child = fs::read_to_string(folder.path().join("child")).unwrap();
        // Reaped or a zombie of init at most: it no longer runs.
        let state = fs::read_to_string(format!("/proc/{}/stat", child.trim())).unwrap_or_default();
        assert!(state.is_empty() || state.contains(") Z "), "{state}");
    }
}
