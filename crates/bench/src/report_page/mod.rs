//! The benchmark's results as one page of HTML that needs nothing else: no script, no network, no
//! other file.

mod chart;
mod cost;
mod html;
mod input;
mod model;
mod origin;
mod stats;
mod strips;
mod text;

#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use eyre::Result;
use tiller_core::file::write_whole;

use self::input::Input;
use self::model::Report;
use crate::Subjects;

/// What was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// The page.
    pub path: PathBuf,
    /// Number of episodes on it.
    pub episodes: usize,
    /// Success of each policy in each suite, a line each.
    pub headline: String,
    /// What was left out or does not fit together, a sentence each.
    pub notes: Vec<String>,
}

/// Makes a page of all `.jsonl` files in `folder` and in the folders inside it. The same files give
/// the same page. `worlds` say in which order tasks and suites stand, and what the commands are called; the
/// first one counts where a file does not name its world. Lines that are no episodes are named and left out.
///
/// # Errors
/// When the folder or a file in it cannot be read, or the page cannot be written.
pub fn write(folder: &Path, page: &Path, worlds: &Subjects) -> Result<Written> {
    let report = Report::of(Input::read(folder)?, worlds);
    write_whole(page, html::page(&report).as_bytes())?;
    Ok(Written {
        path: page.to_owned(),
        episodes: report.episodes,
        headline: report.headline_text(),
        notes: report.notes,
    })
}
