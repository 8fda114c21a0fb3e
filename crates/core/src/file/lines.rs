//! Lines of a file that somebody else wrote: each of them bounded, and all of them together.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use super::FileError;

/// Reads a file line by line and keeps no more of it than one line.
///
/// ```no_run
/// use std::path::Path;
/// use tiller_core::file::{Line, Lines, open_regular};
///
/// let path = Path::new("results.jsonl");
/// let mut lines = Lines::new(open_regular(path)?, path, 1 << 20, 1 << 30)?;
/// while let Some(line) = lines.next_line()? {
///     if let Line::Whole(bytes) = line {
///         println!("{} bytes", bytes.len());
///     }
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Lines {
    reader: BufReader<File>,
    path: PathBuf,
    line_bytes: usize,
    file_bytes: u64,
    read_bytes: u64,
    number: usize,
    line: Vec<u8>,
}

/// A line without its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Line<'l> {
    /// One that ends with a line break.
    Whole(&'l [u8]),
    /// The last one, which does not: more of it may be on its way, or was lost.
    Torn(&'l [u8]),
    /// One that is longer than is read, and was passed over.
    TooLong,
}

impl Lines {
    /// Reads `file`, which `path` names in messages, from where it stands: lines of at most `line_bytes`,
    /// and `file_bytes` in all.
    ///
    /// # Errors
    /// When the file is longer already.
    pub fn new(
        file: File,
        path: &Path,
        line_bytes: usize,
        file_bytes: u64,
    ) -> Result<Self, FileError> {
        let length = file.metadata().map_err(FileError::io(path, "read"))?.len();
        let lines = Self {
            reader: BufReader::new(file),
            path: path.to_owned(),
            line_bytes,
            file_bytes,
            read_bytes: 0,
            number: 0,
            line: Vec::new(),
        };
        match length > file_bytes {
            true => Err(lines.too_long(length)),
            false => Ok(lines),
        }
    }

    /// The next line; none at the end of the file.
    ///
    /// # Errors
    /// When the file cannot be read, or goes on beyond its limit.
    pub fn next_line(&mut self) -> Result<Option<Line<'_>>, FileError> {
        self.line.clear();
        let mut is_too_long = false;
        let is_ended = loop {
            let part = self
                .reader
                .fill_buf()
                .map_err(FileError::io(&self.path, "read"))?;
            if part.is_empty() {
                break false;
            }
            let end = part.iter().position(|byte| *byte == b'\n');
            let text = &part[..end.unwrap_or(part.len())];
            is_too_long |= self.line.len() + text.len() > self.line_bytes;
            if !is_too_long {
                self.line.extend_from_slice(text);
            }
            let used = text.len() + usize::from(end.is_some());
            self.reader.consume(used);
            self.read_bytes += used as u64;
            if self.read_bytes > self.file_bytes {
                return Err(self.too_long(self.read_bytes));
            }
            if end.is_some() {
                break true;
            }
        };
        if !is_ended && self.line.is_empty() && !is_too_long {
            return Ok(None);
        }
        self.number += 1;
        Ok(Some(match (is_too_long, is_ended) {
            (true, _) => Line::TooLong,
            (false, true) => Line::Whole(&self.line),
            (false, false) => Line::Torn(&self.line),
        }))
    }

    /// Number of the line that was read last, from 1.
    #[must_use]
    pub fn number(&self) -> usize {
        self.number
    }

    /// Bytes up to the end of the line that was read last.
    #[must_use]
    pub fn read_bytes(&self) -> u64 {
        self.read_bytes
    }

    fn too_long(&self, found_bytes: u64) -> FileError {
        FileError::TooLong {
            path: self.path.clone(),
            found_bytes,
            limit_bytes: self.file_bytes,
        }
    }
}
