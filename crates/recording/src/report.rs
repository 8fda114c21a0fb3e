//! What a recording holds, and what not: the recorder's word, beside it as `x.drec.json`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{fmt, fs, io};

use serde::{Deserialize, Serialize};
use tiller_core::file::{FileError, read_regular};
use tiller_core::shown;

/// Longest report that is read: thousands of outputs.
const MAX_BYTES: u64 = 4 << 20;

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// It is there, and is not read.
    #[error(transparent)]
    File(#[from] FileError),
    /// It is there, and says nothing that is known.
    #[error("{}: expected a recorder's report, found {cause}", shown(&.path.to_string_lossy()))]
    Form {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        cause: serde_json::Error,
    },
    /// It cannot be written.
    #[error("cannot write {}: {cause}", shown(&.path.to_string_lossy()))]
    Io {
        /// The file.
        path: PathBuf,
        /// The operating system's error.
        cause: io::Error,
    },
}

/// Messages of an output that are not in the recording, by what became of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Missing {
    /// Numbers that were skipped: they were lost on the way to the recorder.
    pub skipped: u64,
    /// dora's count of messages that newer ones took the place of before they were read; a part of
    /// those skipped where the sender counts.
    pub superseded: u64,
    /// Those that came and were not written.
    pub left_out: u64,
}

impl Missing {
    /// Whether nothing is missing.
    #[must_use]
    pub fn is_none(self) -> bool {
        self == Self::default()
    }

    /// How many there are, none counted twice.
    #[must_use]
    pub fn count(self) -> u64 {
        self.skipped.max(self.superseded) + self.left_out
    }
}

/// What there is of one output.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recorded {
    /// Messages in the recording.
    pub messages: u64,
    /// Those that are not in it.
    #[serde(flatten)]
    pub missing: Missing,
}

/// What a recording holds, and what not.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// Nothing is known to be missing.
    pub complete: bool,
    /// Messages in the recording.
    pub messages: u64,
    /// Bytes of the recording.
    pub bytes: u64,
    /// Why no more was written, if that is so.
    pub error: Option<String>,
    /// What there is of each output, by `node/output`.
    pub topics: BTreeMap<String, Recorded>,
}

impl Report {
    /// A report that says itself whether anything is missing.
    #[must_use]
    pub fn new(
        (messages, bytes): (u64, u64),
        error: Option<String>,
        topics: BTreeMap<String, Recorded>,
    ) -> Self {
        let complete = error.is_none() && topics.values().all(|topic| topic.missing.is_none());
        Self {
            complete,
            messages,
            bytes,
            error,
            topics,
        }
    }

    /// Where the report of a recording lies.
    #[must_use]
    pub fn path_beside(recording: &Path) -> PathBuf {
        let mut name = recording.as_os_str().to_owned();
        name.push(".json");
        PathBuf::from(name)
    }

    /// Writes the report as JSON beside the recording.
    ///
    /// # Errors
    /// [`ReportError::Io`] when that cannot be written.
    pub fn write_beside(&self, recording: &Path) -> Result<(), ReportError> {
        let path = Self::path_beside(recording);
        let text = serde_json::to_string_pretty(self).map_err(|cause| ReportError::Form {
            path: path.clone(),
            cause,
        })?;
        fs::write(&path, text + "\n").map_err(|cause| ReportError::Io { path, cause })
    }

    /// Reads the report beside a recording; none where there is none, as after a recorder that was killed.
    ///
    /// # Errors
    /// [`ReportError`] when there is one that cannot be read.
    pub fn read_beside(recording: &Path) -> Result<Option<Self>, ReportError> {
        let path = Self::path_beside(recording);
        if fs::symlink_metadata(&path).is_err() {
            return Ok(None);
        }
        let bytes = read_regular(&path, MAX_BYTES)?;
        let report = serde_json::from_slice(&bytes);
        report
            .map(Some)
            .map_err(|cause| ReportError::Form { path, cause })
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} messages, {} bytes", self.messages, self.bytes)?;
        if self.complete {
            return write!(f, ": complete");
        }
        write!(f, ": the recording is not complete")?;
        if let Some(error) = &self.error {
            write!(f, "; {error}")?;
        }
        for (name, topic) in &self.topics {
            if !topic.missing.is_none() {
                let lost = topic.missing.count();
                let of = topic.messages + lost;
                write!(f, "; {name}: {lost} of {of} are missing")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_written_and_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let recording = folder.path().join("x.drec");
        assert_eq!(Report::read_beside(&recording).unwrap(), None);
        let lossy = Recorded {
            messages: 7,
            missing: Missing {
                skipped: 2,
                superseded: 1,
                left_out: 1,
            },
        };
        let topics = BTreeMap::from([("a/b".to_owned(), lossy)]);
        let report = Report::new((7, 70), None, topics);
        report.write_beside(&recording).unwrap();
        assert_eq!(
            Report::read_beside(&recording).unwrap(),
            Some(report.clone())
        );
        let text = report.to_string();
        assert!(
            text.ends_with("not complete; a/b: 3 of 10 are missing"),
            "{text}"
        );
        let whole = Report::new((7, 70), None, BTreeMap::new());
        assert!(whole.to_string().ends_with("complete"));

        fs::write(Report::path_beside(&recording), "[]").unwrap();
        let error = Report::read_beside(&recording).unwrap_err().to_string();
        assert!(error.contains("expected a recorder's report"), "{error}");
    }
}
