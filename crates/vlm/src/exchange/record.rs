//! Exchanges as JSON in the run folder, private to their owner. Nothing in them has ever been near a
//! key.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use serde::{Deserialize, Serialize};
use tiller_core::file::{
    FileError, is_draft, is_plain, keep_private, probe_private, write_private,
};
use tiller_core::{Digest, sha256, shown};

use crate::provider::{Identity, Outcome, ProviderError, Purpose, Query, Reply, Turn, Usage};

const SCHEMA: u32 = 1;

/// One try of a question.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Attempt {
    /// Its outcome by name.
    pub outcome: String,
    /// What happened, if it was no answer.
    pub detail: String,
    /// Its duration, ms.
    pub duration_ms: u64,
    /// The wait after it, ms.
    pub wait_ms: u64,
}

/// The picture of a question; its bytes lie beside the record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PictureRecord {
    /// File name, relative to the record.
    pub file: String,
    /// Of its bytes, in hexadecimal.
    pub sha256: String,
}

/// Everything about one question and its answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExchangeRecord {
    /// Version of this format, 1.
    pub schema: u32,
    /// What the question was for.
    pub purpose: Purpose,
    /// Who was asked.
    pub identity: Identity,
    /// Of words and picture, see [`question_sha256`].
    pub question_sha256: String,
    /// The system prompt.
    pub system: String,
    /// The conversation.
    pub turns: Vec<Turn>,
    /// The picture, if there was one.
    pub picture: Option<PictureRecord>,
    /// How it ended, by name.
    pub outcome: String,
    /// What happened, if there is no answer.
    pub detail: String,
    /// The answer as it came.
    pub answer: Option<String>,
    /// The model that the server says it used.
    pub answered_by: Option<String>,
    /// Tokens.
    pub usage: Usage,
    /// What it cost, USD.
    pub cost_usd: f64,
    /// Whether the answer came from the cache.
    pub from_cache: bool,
    /// Duration, further tries included, ms.
    pub duration_ms: u64,
    /// Every try.
    pub attempts: Vec<Attempt>,
}

impl ExchangeRecord {
    pub(crate) fn new(
        query: &Query,
        identity: &Identity,
        result: &Result<Reply, ProviderError>,
    ) -> Self {
        let (outcome, detail) = match result {
            Ok(_) => (Outcome::Ok, String::new()),
            Err(error) => (error.outcome, error.detail.clone()),
        };
        let reply = result.as_ref().ok();
        let picture = query.picture.as_ref().map(|picture| {
            let sha256 = sha256(picture.bytes());
            let file = format!("{}.{}", &sha256[..16], picture.extension());
            PictureRecord { file, sha256 }
        });
        Self {
            schema: SCHEMA,
            purpose: query.purpose,
            identity: identity.clone(),
            question_sha256: question_sha256(query),
            system: query.system.clone(),
            turns: query.turns.clone(),
            picture,
            outcome: outcome.name().to_owned(),
            detail,
            answer: reply.map(|reply| reply.text.clone()),
            answered_by: reply.map(|reply| reply.model.clone()),
            usage: reply.map(|reply| reply.usage).unwrap_or_default(),
            cost_usd: 0.0,
            from_cache: false,
            duration_ms: 0,
            attempts: Vec::new(),
        }
    }

    /// Reads a record; the error says what is wrong with it.
    pub(crate) fn from_json(text: &str) -> Result<Self, String> {
        let record: Self = serde_json::from_str(text)
            .map_err(|error| format!("not a recorded exchange: {error}"))?;
        if record.schema != SCHEMA {
            return Err(format!(
                "its schema is {}, expected {SCHEMA}",
                record.schema
            ));
        }
        if let Some(picture) = &record.picture
            && !is_plain(Path::new(&picture.file))
        {
            return Err("its picture's name leads out of its folder".to_owned());
        }
        let outcome = Outcome::from_name(&record.outcome);
        match (outcome, &record.answer) {
            (None, _) => Err(format!("outcome `{}` is unknown", record.outcome)),
            (Some(Outcome::Ok), None) => Err("outcome is `ok`, yet there is no answer".to_owned()),
            _ => Ok(record),
        }
    }

    /// How the exchange ended, as it did then.
    pub(crate) fn result(&self) -> Result<Reply, ProviderError> {
        match (Outcome::from_name(&self.outcome), &self.answer) {
            (Some(Outcome::Ok), Some(text)) => Ok(Reply {
                text: text.clone(),
                model: self.answered_by.clone().unwrap_or_default(),
                usage: self.usage,
            }),
            (outcome, _) => Err(ProviderError::new(
                outcome.unwrap_or(Outcome::NoRecording),
                self.detail.clone(),
            )),
        }
    }
}

/// SHA-256 of what is asked, in hexadecimal: system prompt, conversation and picture. It is the same
/// whoever is asked, so that a recorded answer is found again.
#[must_use]
pub fn question_sha256(query: &Query) -> String {
    let mut hash = Digest::default();
    let mut add = |bytes: &[u8]| hash.add_part(bytes);
    add(query.system.as_bytes());
    for turn in &query.turns {
        add(&[turn.role as u8]);
        add(turn.text.as_bytes());
    }
    if let Some(picture) = &query.picture {
        add(picture.media_type().as_bytes());
        add(picture.bytes());
    }
    hash.hexadecimal()
}

/// Writes exchanges into a folder as `0001-reward.json` and so on, pictures beside them. The files are
/// readable by their owner alone.
#[derive(Debug)]
pub struct Recorder {
    folder: PathBuf,
    written: AtomicU32,
}

impl Recorder {
    /// A recorder for a folder, which is made where it is missing, for its owner alone. A folder that
    /// holds records already is continued. Others lose their rights to one that holds nothing else;
    /// where there is more in it they keep them, and a warning says so.
    ///
    /// # Errors
    /// [`FileError`] if nothing can be written there.
    pub fn new(folder: impl Into<PathBuf>) -> Result<Self, FileError> {
        let folder = folder.into();
        probe_private(&folder)?;
        if !keep_private(&folder, |name| is_of_a_record(name) || is_draft(name))? {
            tracing::warn!(
                "others can list {}, where exchanges are recorded; its records are private all the same",
                shown(&folder.to_string_lossy())
            );
        }
        let entries = std::fs::read_dir(&folder).into_iter().flatten().flatten();
        let number = |name: &str| name.split_once('-')?.0.parse::<u32>().ok();
        let numbers = entries.filter_map(|entry| number(entry.file_name().to_str()?));
        Ok(Self {
            written: AtomicU32::new(numbers.max().unwrap_or(0)),
            folder,
        })
    }

    /// Removes the records that an earlier run left in the folder, and nothing else, so that what is
    /// there afterwards is one run that can be replayed.
    ///
    /// # Errors
    /// [`FileError`] if a record cannot be removed.
    pub fn start_afresh(&self) -> Result<(), FileError> {
        let failed = |cause| FileError::Io {
            path: self.folder.clone(),
            doing: "remove the records of",
            cause,
        };
        for entry in std::fs::read_dir(&self.folder).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            if entry.file_name().to_str().is_some_and(is_of_a_record) {
                std::fs::remove_file(entry.path()).map_err(failed)?;
            }
        }
        self.written.store(0, Ordering::Relaxed);
        Ok(())
    }

    /// Writes one exchange; gives the file's path.
    ///
    /// # Errors
    /// [`FileError`] if the folder cannot be written.
    pub fn write(&self, record: &ExchangeRecord, query: &Query) -> Result<PathBuf, FileError> {
        if let (Some(picture), Some(facts)) = (&query.picture, &record.picture) {
            let path = self.folder.join(&facts.file);
            if !is_private_file(&path) {
                write_private(&path, picture.bytes())?;
            }
        }
        let number = self.written.fetch_add(1, Ordering::Relaxed) + 1;
        let path = self
            .folder
            .join(format!("{number:04}-{}.json", record.purpose.name()));
        let mut text = serde_json::to_vec_pretty(record).map_err(|error| FileError::Io {
            path: path.clone(),
            doing: "write",
            cause: error.into(),
        })?;
        text.push(b'\n');
        write_private(&path, &text)?;
        Ok(path)
    }
}

/// Whether there is a file, not a link to one, that others have no rights to.
fn is_private_file(path: &Path) -> bool {
    std::fs::symlink_metadata(path).is_ok_and(|facts| facts.is_file() && facts.mode() & 0o077 == 0)
}

/// Whether a file bears the name of a record (`0001-reward.json`) or of its picture.
fn is_of_a_record(name: &str) -> bool {
    let Some((stem, extension)) = name.rsplit_once('.') else {
        return false;
    };
    match extension {
        "json" => stem.split_once('-').is_some_and(|(number, purpose)| {
            number.len() >= 4
                && number.bytes().all(|byte| byte.is_ascii_digit())
                && PURPOSES.iter().any(|known| known.name() == purpose)
        }),
        "png" | "jpg" => stem.len() == 16 && stem.bytes().all(|byte| byte.is_ascii_hexdigit()),
        _ => false,
    }
}

const PURPOSES: [Purpose; 4] = [
    Purpose::Reward,
    Purpose::Repair,
    Purpose::Plan,
    Purpose::Advice,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_records_of_an_earlier_run_are_removed() {
        let folder = tempfile::tempdir().unwrap();
        let kept = ["notes.json", "12-reward.json", "0001-poem.json", "view.png"];
        let gone = [
            "0001-reward.json",
            "0012-advice.json",
            "0123456789abcdef.png",
        ];
        for name in kept.iter().chain(&gone) {
            std::fs::write(folder.path().join(name), "{}").unwrap();
        }
        let recorder = Recorder::new(folder.path()).unwrap();
        recorder.start_afresh().unwrap();
        for name in kept {
            assert!(folder.path().join(name).exists(), "{name} is not ours");
        }
        for name in gone {
            assert!(!folder.path().join(name).exists(), "{name} is old");
        }
        Recorder::new(folder.path().join("none"))
            .unwrap()
            .start_afresh()
            .unwrap();
    }

    fn mode(path: &Path) -> u32 {
        std::fs::metadata(path).unwrap().mode() & 0o7777
    }

    #[test]
    fn a_place_that_cannot_be_written_is_found_out_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        std::fs::write(&file, "").unwrap();
        for place in [file.clone(), file.join("below/it"), "/dev/null".into()] {
            let error = Recorder::new(&place).unwrap_err().to_string();
            assert!(error.starts_with("cannot "), "{error}");
            assert!(error.contains(&shown(&place.to_string_lossy())), "{error}");
        }
        let key = Recorder::new(file.join("sk-4711-0815")).unwrap_err();
        assert!(!key.to_string().contains("4711"), "{key}");
    }

    #[test]
    fn a_folder_is_its_owners_alone_unless_others_may_need_it() {
        use std::os::unix::fs::PermissionsExt;

        let folder = tempfile::tempdir().unwrap();
        let made = folder.path().join("a/b");
        Recorder::new(&made).unwrap();
        assert_eq!(mode(&made), 0o700);
        assert_eq!(std::fs::read_dir(&made).unwrap().count(), 0);
        let open = || std::fs::Permissions::from_mode(0o755);
        std::fs::write(made.join("0001-reward.json"), "{}").unwrap();
        std::fs::set_permissions(&made, open()).unwrap();
        Recorder::new(&made).unwrap();
        assert_eq!(mode(&made), 0o700);
        std::fs::write(made.join("thesis.tex"), "").unwrap();
        std::fs::set_permissions(&made, open()).unwrap();
        Recorder::new(&made).unwrap();
        assert_eq!(mode(&made), 0o755);
    }

    #[test]
    fn a_record_does_not_name_files_elsewhere() {
        let query = Query {
            purpose: Purpose::Reward,
            system: String::new(),
            turns: Vec::new(),
            picture: None,
            scene: None,
        };
        let error = ProviderError::new(Outcome::ServerError, "no");
        let mut record = ExchangeRecord::new(&query, &Identity::local("files"), &Err(error));
        let read = |record: &ExchangeRecord| {
            ExchangeRecord::from_json(&serde_json::to_string(record).unwrap())
        };
        for (file, is_sound) in [
            ("0123456789abcdef.png", true),
            ("../0123456789abcdef.png", false),
            ("/etc/passwd", false),
            ("", false),
        ] {
            record.picture = Some(PictureRecord {
                file: file.to_owned(),
                sha256: String::new(),
            });
            assert_eq!(read(&record).is_ok(), is_sound, "{file}");
        }
    }
}
