//! `tiller bench report`.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use eyre::Result;
use tiller_core::visible;

use super::say;
use crate::worlds::worlds;
use tiller_bench::report_page;

/// One HTML page from the files of `tiller bench WORLD --json`.
///
/// Reads every .jsonl file in the folder and in folders inside it and writes report.html: success
/// with Wilson 95 % intervals for each policy, suite, task and method; differences between the
/// full method and all others on the same scenes; success in scenes unlike those of training;
/// latency and cost; causes of failures; pictures of a success and of a failure of each task,
/// where episodes were run with --pictures; and the commands that give the same results.
/// The page needs no other file, no network and no script. Lines that are no episodes are named
/// and skipped.
///
/// Examples:
///   tiller bench playtable --episodes 20 --json results/flow.jsonl --pictures results/flow
///   tiller bench report results
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(super) struct ReportArgs {
    /// Folder with the JSON Lines files.
    dir: PathBuf,
    /// Where to write the page [default: report.html in DIR].
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

impl ReportArgs {
    pub(super) fn run(self) -> Result<ExitCode> {
        let page = self.out.unwrap_or_else(|| self.dir.join("report.html"));
        let written = report_page::write(&self.dir, &page, &worlds())?;
        for note in &written.notes {
            eprintln!("warning: {}", visible(note));
        }
        if !written.headline.is_empty() {
            say(&written.headline)?;
        }
        say(&format!(
            "{} episodes: {}",
            written.episodes,
            written.path.display()
        ))?;
        Ok(ExitCode::SUCCESS)
    }
}
