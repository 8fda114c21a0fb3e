//! `tiller watch`.

use std::fs;
use std::io::{IsTerminal, Write, stdout};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::thread;
use std::time::{Duration, SystemTime};

use clap::Args;
use eyre::{Result, WrapErr, bail};
use tiller_core::file::read_regular_text;
use tiller_core::visible_json;
use tiller_report::live::{LIVE_FILE, LIVE_SCHEMA, Live, draw};

/// Bytes of a live file.
const MAX_FILE_BYTES: u64 = 4 << 20;

/// A run of which nothing is heard for so long is given up: dora itself ends a node that is silent for 10 s.
const GIVEN_UP: Duration = Duration::from_secs(15);

/// What a page has where nobody says how wide it is.
const COLUMNS: usize = 80;

/// Watch a running dataflow: one plain table, drawn again and again.
///
/// Rate, age and losses of every output that the node `run-log` listens to, the latency of every hop from
/// camera to arm, stage, progress, holds, safety events and the outcome so far. It reads `live.json` in the run's
/// folder and asks nobody: watching costs the run nothing. On a terminal the table is drawn in place, elsewhere one
/// after the other.
///
/// Ends with the run: 0 after success, 1 after anything else; 2 where no dataflow runs, or one has fallen silent.
///
///   tiller watch                        # the newest run below runs/
///   tiller watch --run-dir runs/demo --once
///   tiller watch --json | jq .progress
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(super) struct WatchArgs {
    /// Folder of the run, as TILLER_RUN_DIR names it [default: the newest below runs/].
    #[arg(long, value_name = "FOLDER")]
    run_dir: Option<PathBuf>,
    /// Show it once, as it stands.
    #[arg(long)]
    once: bool,
    /// Print it as JSON, one object a line.
    #[arg(long)]
    json: bool,
    /// Time between two looks.
    #[arg(long, value_name = "SECONDS", default_value_t = 1.0)]
    interval: f64,
}

/// What a look found.
enum Found {
    Running(Live),
    Ended(Live),
    /// Nothing was heard of it for this long.
    Silent(Live, Duration),
}

impl WatchArgs {
    pub(super) fn run(self) -> Result<ExitCode> {
        if !(0.1..=3_600.0).contains(&self.interval) {
            bail!(
                "--interval: expected 0.1 to 3600 s, found {}",
                self.interval
            );
        }
        let folder = match &self.run_dir {
            Some(folder) => folder.clone(),
            None => newest_run(Path::new("runs"))?,
        };
        let mut screen = Screen::new(self.json || self.once);
        loop {
            let found = look(&folder, SystemTime::now())?;
            let (Found::Running(live) | Found::Ended(live) | Found::Silent(live, _)) = &found;
            match self.json {
                true => screen.put(&visible_json(&serde_json::to_string(live)?))?,
                false => {
                    let age = live.age(SystemTime::now());
                    screen.put(&draw(live, age.as_secs_f64(), columns()))?;
                }
            }
            match found {
                Found::Ended(live) => return Ok(code(&live)),
                Found::Silent(_, age) => bail!(
                    "no dataflow runs in `{}`: nothing was heard of it for {:.0} s, and it did not say that \
                     it ended: it was killed, or hangs",
                    folder.display(),
                    age.as_secs_f64()
                ),
                Found::Running(_) if self.once => return Ok(ExitCode::SUCCESS),
                Found::Running(_) => thread::sleep(Duration::from_secs_f64(self.interval)),
            }
        }
    }
}

/// A run that ended well is 0.
fn code(live: &Live) -> ExitCode {
    let outcome = live.ended.as_ref().map(|ended| ended.outcome.as_str());
    match outcome {
        Some("success") => ExitCode::SUCCESS,
        _ => ExitCode::from(1),
    }
}

fn look(folder: &Path, now: SystemTime) -> Result<Found> {
    let path = folder.join(LIVE_FILE);
    if !path.exists() {
        bail!(
            "no dataflow runs in `{}`: expected one that runs with this --run-dir and has a `run-log` node, \
             found no {LIVE_FILE}",
            folder.display()
        );
    }
    let text = read_regular_text(&path, MAX_FILE_BYTES)?;
    let live: Live = serde_json::from_str(&text)
        .wrap_err_with(|| format!("`{}` makes no sense", path.display()))?;
    if live.schema != LIVE_SCHEMA {
        bail!(
            "`{}` is of another version: expected {LIVE_SCHEMA}, found {}",
            path.display(),
            live.schema
        );
    }
    let age = live.age(now);
    Ok(match live.ended {
        Some(_) => Found::Ended(live),
        None if age > GIVEN_UP => Found::Silent(live.later(age), age),
        None => Found::Running(live.later(age)),
    })
}

/// The folder below this one whose run was heard of last.
fn newest_run(runs: &Path) -> Result<PathBuf> {
    let mut newest: Option<(SystemTime, PathBuf)> = None;
    for entry in fs::read_dir(runs).into_iter().flatten().flatten() {
        let changed = fs::metadata(entry.path().join(LIVE_FILE)).and_then(|file| file.modified());
        if let Ok(changed) = changed
            && newest.as_ref().is_none_or(|(newest, _)| changed > *newest)
        {
            newest = Some((changed, entry.path()));
        }
    }
    match newest {
        Some((_, folder)) => Ok(folder),
        None => bail!(
            "no dataflow runs or ran here: expected a run with a {LIVE_FILE} below `{}`, found none; \
             --run-dir names another folder",
            runs.display()
        ),
    }
}

/// Standard output, where a terminal shows one table at a time.
struct Screen {
    is_in_place: bool,
    /// Lines of the last table that are on the screen.
    shown: usize,
    is_first: bool,
}

impl Screen {
    fn new(is_appended: bool) -> Self {
        Self {
            is_in_place: !is_appended && stdout().is_terminal(),
            shown: 0,
            is_first: true,
        }
    }

    fn put(&mut self, text: &str) -> Result<()> {
        let text = text.trim_end();
        let written = match self.is_in_place {
            true => self.redraw(text),
            false => self.append(text),
        };
        match written {
            // `tiller watch | head` is no error, and nobody is left to watch.
            Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => {
                std::process::exit(0);
            }
            written => Ok(written?),
        }
    }

    fn append(&mut self, text: &str) -> std::io::Result<()> {
        let is_table = text.contains('\n');
        if is_table && !std::mem::replace(&mut self.is_first, false) {
            writeln!(stdout())?;
        }
        writeln!(stdout(), "{text}")?;
        stdout().flush()
    }

    /// Over the table before: up, and what is left of each line and of the screen goes.
    fn redraw(&mut self, text: &str) -> std::io::Result<()> {
        let rows = terminal().map_or(usize::MAX, |(rows, _)| rows.saturating_sub(1));
        let mut drawn = String::new();
        if self.shown > 0 {
            drawn = format!("\x1b[{}A", self.shown);
        }
        self.shown = 0;
        for line in text.lines().take(rows.max(1)) {
            drawn.push_str(&format!("\r\x1b[K{line}\n"));
            self.shown += 1;
        }
        drawn.push_str("\x1b[J");
        stdout().write_all(drawn.as_bytes())?;
        stdout().flush()
    }
}

/// Columns of the terminal, or of the page that `COLUMNS` says.
fn columns() -> usize {
    let said = || std::env::var("COLUMNS").ok()?.trim().parse().ok();
    terminal()
        .map(|(_, columns)| columns)
        .or_else(said)
        .unwrap_or(COLUMNS)
}

/// Rows and columns of the terminal; none where there is none.
fn terminal() -> Option<(usize, usize)> {
    // SAFETY: all zeros are a value of this struct of numbers, which the call fills in.
    let mut size: libc::winsize = unsafe { std::mem::zeroed() };
    // SAFETY: the file is open for as long as the process lives, the pointer is to a local of the type that
    // this request fills in.
    let found = unsafe { libc::ioctl(libc::STDOUT_FILENO, libc::TIOCGWINSZ, &raw mut size) };
    let is_known = found == 0 && size.ws_row > 0 && size.ws_col > 0;
    is_known.then(|| (usize::from(size.ws_row), usize::from(size.ws_col)))
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use tiller_report::live::{Ended, Port};

    use super::*;

    fn write(folder: &Path, live: &Live) {
        fs::create_dir_all(folder).unwrap();
        let text = serde_json::to_string(live).unwrap();
        fs::write(folder.join(LIVE_FILE), text).unwrap();
    }

    fn at(ms: u64) -> Live {
        Live {
            schema: LIVE_SCHEMA,
            written_unix_ms: ms,
            ports: vec![Port {
                age_s: Some(0.25),
                ..Default::default()
            }],
            ..Default::default()
        }
    }

    #[test]
    fn a_run_is_running_until_it_says_so_or_falls_silent() {
        let folder = tempfile::tempdir().unwrap();
        let look_at = |s: u64| look(folder.path(), UNIX_EPOCH + Duration::from_secs(s)).unwrap();
        write(folder.path(), &at(100_000));
        match look_at(102) {
            Found::Running(live) => assert_eq!(live.ports[0].age_s, Some(2.25)),
            _ => panic!("it runs"),
        }
        assert!(matches!(look_at(116), Found::Silent(_, age) if age.as_secs() == 16));
        let ended = |outcome: &str| Live {
            ended: Some(Ended {
                outcome: outcome.to_owned(),
                reason: String::new(),
            }),
            ..at(100_000)
        };
        write(folder.path(), &ended("success"));
        assert!(matches!(look_at(999), Found::Ended(_)));
        let is_success = |outcome| format!("{:?}", code(&ended(outcome)));
        assert_eq!(is_success("success"), format!("{:?}", ExitCode::SUCCESS));
        assert_eq!(is_success("timeout"), format!("{:?}", ExitCode::from(1)));
    }

    #[test]
    fn the_newest_run_is_found_and_none_is_said() {
        let runs = tempfile::tempdir().unwrap();
        let none = newest_run(runs.path()).unwrap_err().to_string();
        assert!(none.starts_with("no dataflow runs or ran here"), "{none}");
        for (name, s) in [("old", 10), ("new", 30), ("middle", 20)] {
            let folder = runs.path().join(name);
            write(&folder, &at(0));
            let file = fs::File::options()
                .write(true)
                .open(folder.join(LIVE_FILE))
                .unwrap();
            file.set_modified(UNIX_EPOCH + Duration::from_secs(s))
                .unwrap();
        }
        assert_eq!(newest_run(runs.path()).unwrap(), runs.path().join("new"));
        let missing = look(&runs.path().join("none"), UNIX_EPOCH).err().unwrap();
        assert!(missing.to_string().contains("found no live.json"));
    }

    #[test]
    fn what_is_no_live_file_of_this_version_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let refusal = || look(folder.path(), UNIX_EPOCH).err().unwrap().to_string();
        fs::write(folder.path().join(LIVE_FILE), "{").unwrap();
        assert!(refusal().contains("makes no sense"));
        let newer = Live {
            schema: LIVE_SCHEMA + 1,
            ..at(0)
        };
        write(folder.path(), &newer);
        assert!(refusal().contains("expected 1, found 2"));
    }
}
