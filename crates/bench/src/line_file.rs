//! A file of JSON lines that grows while a run goes on, and that an interrupted run goes on with.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use eyre::{Result, WrapErr};
use serde::Serialize;
use tiller_core::file::{Line, Lines, open_to_append};

/// Bytes of a file of results: half a million episodes have less.
pub(crate) const MAX_RESULTS_BYTES: u64 = 1 << 30;
/// Bytes of an episode's line: hundreds of times what one has.
pub(crate) const MAX_LINE_BYTES: usize = 1 << 20;

/// Written at its end alone, a line at a time.
pub(crate) struct LineFile {
    path: PathBuf,
    file: File,
}

impl LineFile {
    /// Opens the file, and hands `take` each line that it holds, with its number; a folder that is missing is
    /// made. A line is whole when its end has been written; what follows the last end was torn, and is cut off
    /// once `take` has been content with all before. With `restart` the file is emptied instead.
    ///
    /// # Errors
    /// When the file cannot be read or written, is a link or no regular file, and what `take` says; of a line that
    /// is too long it hears what was found.
    pub(crate) fn open(
        path: &Path,
        restart: bool,
        mut take: impl FnMut(usize, Result<&[u8], String>) -> Result<()>,
    ) -> Result<Self> {
        let cannot = |what: &str| format!("cannot {what} {}", path.display());
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).wrap_err_with(|| cannot("write"))?;
        }
        let file = open_to_append(path)?;
        let mut whole_bytes = 0;
        if !restart {
            let same = file.try_clone().wrap_err_with(|| cannot("read"))?;
            let mut lines = Lines::new(same, path, MAX_LINE_BYTES, MAX_RESULTS_BYTES)
                .wrap_err("no file of results")?;
            let mut number = 0;
            while let Some(line) = lines.next_line()? {
                number += 1;
                match line {
                    Line::Torn(_) => break,
                    Line::Whole(bytes) => take(number, Ok(bytes))?,
                    Line::TooLong => take(
                        number,
                        Err(format!("a line of more than {MAX_LINE_BYTES} bytes")),
                    )?,
                }
                whole_bytes = lines.read_bytes();
            }
        }
        file.set_len(whole_bytes)
            .wrap_err_with(|| cannot("write"))?;
        let path = path.to_owned();
        Ok(Self { path, file })
    }

    /// Appends a line.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub(crate) fn add(&mut self, value: &impl Serialize) -> Result<()> {
        let mut text = serde_json::to_string(value)?;
        text.push('\n');
        self.file
            .write_all(text.as_bytes())
            .wrap_err_with(|| format!("cannot write {}", self.path.display()))
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}
