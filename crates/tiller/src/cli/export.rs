//! `tiller export`.

use std::fmt::Write as _;
use std::fs;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use clap::{Args, ValueEnum};
use eyre::{Result, WrapErr, bail};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};
use tiller_export::{
    Columns, ExportError, LerobotOptions, LerobotSummary, McapSummary, to_lerobot, to_mcap,
};
use tiller_lerobot::Ffmpeg;
use tiller_recording::{Recording, Report};

use super::{say, say_json};

/// Exit code after Ctrl-C, as a shell gives it.
const INTERRUPTED: u8 = 130;

/// Turn a recording into an MCAP file or a LeRobot data set.
///
/// A recording is what `cargo xtask demo --record` or `dora record` has written. What the recorder knows to be
/// missing in it is said, and a recording that was cut off is read up to its last whole message.
///
/// --to mcap writes one file for Foxglove and its kin. Every message is there as JSON under `/node/output`,
/// with a schema; pictures, cameras, the tool, keypoints and candidates are there under Foxglove's own
/// schemas too, for its image and 3D panels, and statuses and safety events in `/log`. Times are the messages'
/// stamps: simulated time in simulation.
///
/// --to lerobot writes a data set of format v3.0 that LeRobot's own loader reads: an episode for each one of the
/// recording, the instruction as its task, whether it succeeded in `meta/episodes`. Frames are taken at a fixed
/// rate. `observation.state` is the measured hand, `action` the hand that was commanded for the next
/// frame, in the same columns:
///   tool    x_m y_m z_m qx qy qz qw opening_m, in the robot's base frame
///   joints  q1_rad .. q7_rad opening_m
/// Images become videos, made by `ffmpeg`; without it `--images png` keeps them in the tables.
///
/// Examples:
///   cargo xtask demo --record
///   tiller export runs-button.drec --to mcap
///   tiller export runs-button.drec --to lerobot --out datasets/button --fps 10
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(super) struct ExportArgs {
    /// The recording, x.drec.
    #[arg(value_name = "FILE")]
    recording: PathBuf,
    /// What to make of it.
    #[arg(long, value_enum)]
    to: Form,
    /// The file or folder to write [default: beside the recording, x.mcap or x-lerobot].
    #[arg(long, value_name = "PATH")]
    out: Option<PathBuf>,
    /// Take the place of what an earlier export has written there.
    #[arg(long)]
    force: bool,
    /// lerobot: frames a second [default: as many as the slowest camera has].
    #[arg(long, value_name = "HZ", value_parser = clap::value_parser!(u32).range(1..=1000))]
    fps: Option<u32>,
    /// lerobot: columns of state and action.
    #[arg(long, value_enum, default_value = "tool")]
    columns: ColumnsArg,
    /// lerobot: where images go.
    #[arg(long, value_enum, default_value = "video")]
    images: Images,
    /// lerobot: the program that makes videos.
    #[arg(long, value_name = "PROGRAM", default_value = "ffmpeg")]
    ffmpeg: PathBuf,
    /// lerobot: the robot's name in the data set.
    #[arg(long, value_name = "NAME", default_value = "franka")]
    robot: String,
    /// Print what was written and what is missing as JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Form {
    /// A LeRobot data set, v3.0.
    Lerobot,
    /// An MCAP file, for Foxglove.
    Mcap,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum ColumnsArg {
    /// Position, orientation and opening.
    Tool,
    /// Joints and opening.
    Joints,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Images {
    /// An H.264 (else AV1) video an episode and camera.
    Video,
    /// PNG files inside the Parquet files.
    Png,
}

impl ExportArgs {
    pub(super) fn run(self) -> Result<ExitCode> {
        let recording = &self.recording;
        // Before anything is removed or asked for: the file is one that can be read.
        let mut opened = Recording::open(recording)?;
        let report = Report::read_beside(recording)?;
        let out = self.out.clone().unwrap_or_else(|| self.beside());
        let options = match self.to {
            Form::Lerobot => Some(self.options()?),
            Form::Mcap => None,
        };
        self.check_place(&out)?;
        let interrupted = interrupts()?;
        let progress = bar(opened.byte_len());
        let mut watch = |done: u64, _: u64| {
            progress.set_position(done);
            match interrupted.load(Ordering::Relaxed) {
                true => Err(ExportError::Interrupted),
                false => Ok(()),
            }
        };
        let written = match &options {
            None => to_mcap(&mut opened, &out, &mut watch)
                .map(Written::Mcap)
                .wrap_err_with(|| format!("cannot export {}", recording.display())),
            Some(options) => data_set(recording, &out, options, &mut watch).map(Written::Lerobot),
        };
        progress.finish_and_clear();
        let written = match written {
            Err(_) if interrupted.load(Ordering::Relaxed) => {
                return Ok(ExitCode::from(INTERRUPTED));
            }
            written => written?,
        };
        if self.json {
            let value = json!({
                "out": out,
                "written": written.json(),
                "recorder": report,
            });
            say_json(&value.to_string())?;
        } else {
            say(&text(&out, &written, report.as_ref()))?;
        }
        Ok(ExitCode::SUCCESS)
    }

    /// Where the output lies if nobody says so.
    fn beside(&self) -> PathBuf {
        match self.to {
            Form::Mcap => self.recording.with_extension("mcap"),
            Form::Lerobot => {
                let mut name = self.recording.with_extension("").into_os_string();
                name.push("-lerobot");
                PathBuf::from(name)
            }
        }
    }

    fn options(&self) -> Result<LerobotOptions> {
        let ffmpeg = match self.images {
            Images::Png => None,
            Images::Video => Some(Ffmpeg::find(&self.ffmpeg).wrap_err(
                "no videos can be made; install ffmpeg, name it with --ffmpeg, or take --images png",
            )?),
        };
        Ok(LerobotOptions {
            fps: self.fps,
            columns: match self.columns {
                ColumnsArg::Tool => Columns::Tool,
                ColumnsArg::Joints => Columns::Joints,
            },
            ffmpeg,
            robot: self.robot.clone(),
        })
    }

    /// Refuses a place where something is, unless an export may have made it and it is to give way.
    fn check_place(&self, out: &Path) -> Result<()> {
        let Ok(found) = fs::symlink_metadata(out) else {
            return Ok(());
        };
        let shown = out.display();
        if !self.force {
            bail!("{shown} exists; --force replaces it, --out names another place");
        }
        let (is_ours, expected) = match self.to {
            Form::Mcap => (found.is_file(), "a file"),
            Form::Lerobot => (
                found.is_dir() && out.join("meta/info.json").is_file(),
                "a data set (a folder with meta/info.json)",
            ),
        };
        if !is_ours {
            bail!("{shown}: --force replaces {expected}, and this is something else");
        }
        Ok(())
    }
}

/// Exports to `out`; what was there gives way once the new one is whole.
fn data_set(
    recording: &Path,
    out: &Path,
    options: &LerobotOptions,
    watch: &mut tiller_export::Watch<'_>,
) -> Result<LerobotSummary> {
    let cannot = || format!("cannot export {}", recording.display());
    if fs::symlink_metadata(out).is_err() {
        return to_lerobot(recording, out, options, watch).wrap_err_with(cannot);
    }
    let mut name = out.as_os_str().to_owned();
    name.push(".new");
    let new = PathBuf::from(name);
    let summary = to_lerobot(recording, &new, options, watch).wrap_err_with(cannot)?;
    fs::remove_dir_all(out).wrap_err_with(|| format!("cannot remove {}", out.display()))?;
    fs::rename(&new, out).wrap_err_with(|| format!("cannot make {}", out.display()))?;
    Ok(summary)
}

/// How far it is, on standard error where that is a terminal.
fn bar(bytes: u64) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let template = "{bar:30} {binary_bytes}/{binary_total_bytes} [{elapsed}, {eta} left]";
    let style = ProgressStyle::with_template(template);
    ProgressBar::new(bytes).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

/// Set by Ctrl-C, so that nothing torn is left.
fn interrupts() -> Result<Arc<AtomicBool>> {
    let flag = Arc::new(AtomicBool::new(false));
    let set = Arc::clone(&flag);
    ctrlc::set_handler(move || set.store(true, Ordering::Relaxed))
        .wrap_err("cannot listen for Ctrl-C")?;
    Ok(flag)
}

enum Written {
    Mcap(McapSummary),
    Lerobot(LerobotSummary),
}

impl Written {
    fn json(&self) -> Value {
        match self {
            Self::Mcap(summary) => json!(summary),
            Self::Lerobot(summary) => json!(summary),
        }
    }
}

/// What was written, and what is missing, for people.
fn text(out: &Path, written: &Written, report: Option<&Report>) -> String {
    let mut text = format!("{}\n", out.display());
    let (broken, unreadable) = match written {
        Written::Mcap(summary) => {
            let (messages, channels) = (summary.messages, summary.channels);
            let _ = write!(text, "{messages} messages");
            let _ = write!(text, " and {} made from them", summary.derived);
            let _ = write!(text, ", in {channels} channels");
            if let Some([first, last]) = summary.stamps_ns {
                let seconds = |ns: u64| ns as f64 / 1e9;
                let (first, last) = (seconds(first), seconds(last));
                let _ = write!(text, ", from {first:.2} s to {last:.2} s");
            }
            (&summary.broken, summary.unreadable)
        }
        Written::Lerobot(summary) => {
            let LerobotSummary {
                episodes,
                frames,
                fps,
                images,
                ..
            } = summary;
            let _ = write!(
                text,
                "{episodes} episodes, {frames} frames at {fps} Hz, {images}"
            );
            for (name, topic) in &summary.cameras {
                let _ = write!(text, "\nobservation.images.{name}: {topic}");
            }
            for skipped in &summary.skipped {
                let (episode, reason) = (skipped.episode, &skipped.reason);
                let _ = write!(text, "\nepisode {episode} is left out: {reason}");
            }
            (&summary.broken, summary.unreadable)
        }
    };
    if unreadable > 0 {
        let _ = write!(text, "\n{unreadable} entries hold nothing that can be read");
        if let Written::Mcap(McapSummary {
            first_unreadable: Some(first),
            ..
        }) = written
        {
            let _ = write!(text, ", the first: {first}");
        }
    }
    if let Some(broken) = broken {
        let _ = write!(text, "\n{broken}");
    }
    match report {
        Some(report) if !report.complete => {
            let _ = write!(text, "\nthe recorder says: {report}");
        }
        Some(_) => {}
        None => {
            text.push_str("\nno report of the recorder beside it: nobody knows what is missing")
        }
    }
    text
}
