//! Progress of long work, on standard error.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

/// Without a terminal, a line appears at most this often: logs stay readable.
const LINE_EVERY: Duration = Duration::from_secs(15);

/// A bar on a terminal, now and then a line elsewhere, or nothing.
pub(crate) struct Progress {
    bar: Option<ProgressBar>,
    lines: bool,
    last_line: Instant,
    start: Instant,
    len: u64,
    done: u64,
}

impl Progress {
    /// Progress over `len` pieces of work; `quiet` shows nothing at all.
    #[must_use]
    pub(crate) fn new(len: u64, quiet: bool) -> Self {
        let terminal = std::io::stderr().is_terminal();
        let bar = (!quiet && terminal).then(|| {
            let template = "{bar:30} {pos}/{len} [{elapsed}, {eta} left] {msg}";
            let style = ProgressStyle::with_template(template);
            let bar = ProgressBar::new(len);
            bar.enable_steady_tick(Duration::from_millis(500));
            bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
        });
        let now = Instant::now();
        Self {
            bar,
            lines: !quiet && !terminal,
            last_line: now,
            start: now,
            len,
            done: 0,
        }
    }

    /// One more piece is done; `message` says how things stand.
    pub(crate) fn step(&mut self, message: &str) {
        self.done += 1;
        if let Some(bar) = &self.bar {
            bar.set_message(message.to_owned());
            bar.inc(1);
        }
        if self.lines && (self.last_line.elapsed() >= LINE_EVERY || self.done == self.len) {
            self.last_line = Instant::now();
            let (done, len) = (self.done, self.len);
            let seconds = self.start.elapsed().as_secs();
            eprintln!("{done}/{len} after {seconds} s: {message}");
        }
    }

    /// Takes the bar off the screen.
    pub(crate) fn finish(self) {
        if let Some(bar) = self.bar {
            bar.finish_and_clear();
        }
    }
}
