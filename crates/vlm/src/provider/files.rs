//! Recorded answers in place of a model.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use thiserror::Error;
use tokio::time::Instant;

use super::folder::{program_of_folder, read_text, unreadable};
use super::{Asking, Identity, Outcome, Provider, ProviderError, Query, Reply, Usage};
use crate::exchange::{ExchangeRecord, question_sha256};

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
    #[error("cannot read recorded answers from {}: {reason}", .path.display())]
    Unreadable {
        /// File or folder.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// There is nothing in the folder.
    #[error("{} holds no recorded exchange; expected files such as 0001-reward.json, as a run with a model leaves them, or a program such as stage1_guidance.txt", .path.display())]
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
    /// or a file whose text is the answer.
    ///
    /// # Errors
    /// [`FilesError`], which names the file.
    pub fn open(path: &Path, matching: Matching) -> Result<Self, FilesError> {
        let is_record = |path: &Path| {
            path.extension()
                .is_some_and(|extension| extension == "json")
        };
        let paths = if path.is_dir() {
            if let Some(program) = program_of_folder(path)? {
                return Ok(Self::with_text(program));
            }
            let entries =
                std::fs::read_dir(path).map_err(|error| unreadable(path, error.to_string()))?;
            let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
            paths.retain(|path| is_record(path) && !path.ends_with("metadata.json"));
            // Their names begin with their numbers.
            paths.sort();
            if paths.is_empty() {
                return Err(FilesError::Empty {
                    path: path.to_owned(),
                });
            }
            paths
        } else {
            vec![path.to_owned()]
        };
        let mut records = Vec::new();
        for path in &paths {
            let text = read_text(path)?;
            if !is_record(path) {
                return Ok(Self::with_text(text));
            }
            records
                .push(ExchangeRecord::from_json(&text).map_err(|reason| unreadable(path, reason))?);
        }
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

    fn answer(&self, query: &Query) -> Result<Reply, ProviderError> {
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

impl Provider for FilesProvider {
    fn identity(&self) -> &Identity {
        &self.identity
    }

    fn ask<'a>(&'a self, query: &'a Query, _deadline: Instant) -> Asking<'a> {
        Box::pin(std::future::ready(self.answer(query)))
    }
}
