//! Recorded answers in place of a model.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use thiserror::Error;
use tiller_core::file::{read_regular_text, read_text_within};
use tiller_core::shown;
use tokio::time::Instant;

use super::folder::{MAX_FILE_BYTES, MAX_NAMES, program_of_folder, refused, unreadable};
use super::{Asking, Identity, Outcome, Provider, ProviderError, Query, Reply, Usage};
use crate::exchange::{ExchangeRecord, question_sha256};

/// Most bytes of a folder's records together.
const MAX_RECORDS_BYTES: usize = 256 << 20;

/// Which recorded answer fits a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Matching {
    /// The one that was given to the very same words and picture.
    #[default]
    Exact,
    /// The next one that was given to a question of the same purpose: for other pictures of the
    /// same task.
    InOrder,
}

/// Why there are no recorded answers.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum FilesError {
    /// The path cannot be read.
    #[error("cannot read recorded answers from {}: {reason}", shown(&.path.to_string_lossy()))]
    Unreadable {
        /// File or folder.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// There is nothing in the folder.
    #[error("{} holds no recorded exchange; expected files such as 0001-reward.json, as a run with a model leaves them, or a program such as stage1_guidance.txt", shown(&.path.to_string_lossy()))]
    Empty {
        /// The folder.
        path: PathBuf,
    },
}

/// Answers from files: a run folder's exchanges, or one text that is the answer to everything.
#[derive(Debug)]
pub struct FilesProvider {
    identity: Identity,
    source: Source,
}

#[derive(Debug)]
enum Source {
    Text(String),
    Records {
        records: Vec<ExchangeRecord>,
        matching: Matching,
        /// How often each key was asked for.
        asked: Mutex<HashMap<String, usize>>,
    },
}

impl FilesProvider {
    /// Reads a folder of exchanges, a folder with a program of VLS's or ReKep's, one exchange (`.json`),
    /// or a file whose text is the answer. Files are regular ones, and those of a folder lie in it: a
    /// link out of it is refused.
    ///
    /// # Errors
    /// [`FilesError`], which names the file.
    pub fn open(path: &Path, matching: Matching) -> Result<Self, FilesError> {
        let records = if path.is_dir() {
            if let Some(program) = program_of_folder(path)? {
                return Ok(Self::with_text(program));
            }
            records_of(path)?
        } else {
            let text =
                read_regular_text(path, MAX_FILE_BYTES).map_err(|error| refused(path, &error))?;
            if !is_record(path) {
                return Ok(Self::with_text(text));
            }
            vec![record(path, &text)?]
        };
        Ok(Self::with(Source::Records {
            records,
            matching,
            asked: Mutex::default(),
        }))
    }

    /// The same answer to every question.
    #[must_use]
    pub fn with_text(text: impl Into<String>) -> Self {
        Self::with(Source::Text(text.into()))
    }

    fn with(source: Source) -> Self {
        Self {
            identity: Identity::local("files"),
            source,
        }
    }

    /// The answer that is recorded, at once.
    ///
    /// # Errors
    /// The error that is recorded in its place, or [`Outcome::NoRecording`].
    pub fn answer(&self, query: &Query) -> Result<Reply, ProviderError> {
        let (records, matching, asked) = match &self.source {
            Source::Text(text) => {
                return Ok(Reply {
                    text: text.clone(),
                    model: self.identity.model.clone(),
                    usage: Usage::default(),
                });
            }
            Source::Records {
                records,
                matching,
                asked,
            } => (records, *matching, asked),
        };
        let question = question_sha256(query);
        let key = match matching {
            Matching::Exact => question.as_str(),
            Matching::InOrder => query.purpose.name(),
        };
        let fits = |record: &&ExchangeRecord| match matching {
            Matching::Exact => record.question_sha256 == question,
            Matching::InOrder => record.purpose == query.purpose,
        };
        let mut asked = asked.lock().unwrap_or_else(PoisonError::into_inner);
        let turn = asked.entry(key.to_owned()).or_default();
        // Asked again, a question gets the answer that it got again.
        let Some(record) = records.iter().filter(fits).nth(*turn) else {
            let count = records.iter().filter(fits).count();
            let detail = format!(
                "{count} answers to this `{}` question are recorded, and this is number {}",
                query.purpose.name(),
                *turn + 1
            );
            return Err(ProviderError::new(Outcome::NoRecording, detail));
        };
        *turn += 1;
        record.result()
    }
}

fn is_record(path: &Path) -> bool {
    path.extension()
        .is_some_and(|extension| extension == "json")
}

fn record(path: &Path, text: &str) -> Result<ExchangeRecord, FilesError> {
    ExchangeRecord::from_json(text).map_err(|reason| unreadable(path, reason))
}

/// The exchanges of a folder, in the order of their names, which begin with their numbers.
fn records_of(folder: &Path) -> Result<Vec<ExchangeRecord>, FilesError> {
    let entries =
        std::fs::read_dir(folder).map_err(|error| unreadable(folder, error.to_string()))?;
    let names = entries.take(MAX_NAMES).flatten();
    let mut names: Vec<PathBuf> = names.map(|entry| entry.file_name().into()).collect();
    names.retain(|name| is_record(name) && name.as_path() != Path::new("metadata.json"));
    names.sort();
    let mut records = Vec::with_capacity(names.len());
    let mut bytes = 0;
    for name in names {
        let path = folder.join(&name);
        let text = read_text_within(folder, &name, MAX_FILE_BYTES)
            .map_err(|error| refused(&path, &error))?;
        bytes += text.len();
        if bytes > MAX_RECORDS_BYTES {
            let reason = format!(
                "its records have more bytes together than the {MAX_RECORDS_BYTES} that are read"
            );
            return Err(unreadable(folder, reason));
        }
        records.push(record(&path, &text)?);
    }
    match records.is_empty() {
        false => Ok(records),
        true => Err(FilesError::Empty {
            path: folder.to_owned(),
        }),
    }
}

impl Provider for FilesProvider {
    fn identity(&self) -> &Identity {
        &self.identity
    }

    fn ask<'a>(&'a self, query: &'a Query, _deadline: Instant) -> Asking<'a> {
        Box::pin(std::future::ready(self.answer(query)))
    }
}
