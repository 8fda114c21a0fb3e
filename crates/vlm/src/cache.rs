//! Answers on disk, found by the content of their question.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::exchange::question_sha256;
use crate::provider::{Identity, Query, Reply};

const SCHEMA: u32 = 1;

/// A folder of answers. Entries are written whole or not at all, and checked when read; several
/// processes may share the folder.
#[derive(Debug)]
pub struct Cache {
    folder: PathBuf,
}

#[derive(Debug, Serialize, Deserialize)]
struct Entry {
    schema: u32,
    key: String,
    text_sha256: String,
    identity: Identity,
    reply: Reply,
}

impl Cache {
    /// A cache in a folder, which is made when it is first needed.
    #[must_use]
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self {
            folder: folder.into(),
        }
    }

    /// What an answer depends on: words, picture, provider, host, model and parameters; SHA-256 in
    /// hexadecimal.
    #[must_use]
    pub fn key(query: &Query, identity: &Identity) -> String {
        let mut hash = Sha256::new();
        hash.update(question_sha256(query));
        // Serialised structs have one spelling, so that equal identities are equal bytes.
        hash.update(serde_json::to_vec(identity).unwrap_or_default());
        hex(&hash.finalize())
    }

    fn path(&self, key: &str) -> PathBuf {
        self.folder
            .join(key.get(..2).unwrap_or_default())
            .join(format!("{key}.json"))
    }

    /// The answer that is kept under `key`. A damaged entry counts as none.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<Reply> {
        let bytes = std::fs::read(self.path(key)).ok()?;
        let entry: Option<Entry> = serde_json::from_slice(&bytes).ok();
        let sound = entry.filter(|entry| {
            entry.schema == SCHEMA
                && entry.key == key
                && entry.text_sha256 == sha256_hex(entry.reply.text.as_bytes())
        });
        if sound.is_none() {
            tracing::warn!(
                "cache entry {} is damaged and ignored",
                self.path(key).display()
            );
        }
        sound.map(|entry| entry.reply)
    }

    /// Removes an answer, if there is one.
    pub fn remove(&self, key: &str) {
        // What is not there need not be removed.
        let _ = std::fs::remove_file(self.path(key));
    }

    /// Keeps an answer.
    ///
    /// # Errors
    /// If the folder cannot be written.
    pub fn put(&self, key: &str, identity: &Identity, reply: &Reply) -> std::io::Result<()> {
        let entry = Entry {
            schema: SCHEMA,
            key: key.to_owned(),
            text_sha256: sha256_hex(reply.text.as_bytes()),
            identity: identity.clone(),
            reply: reply.clone(),
        };
        write_atomically(&self.path(key), &serde_json::to_vec_pretty(&entry)?)
    }
}

/// Writes a file so that readers see all of it or nothing, whatever happens meanwhile.
pub(crate) fn write_atomically(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    let folder = path.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder)?;
    let number = COUNTER.fetch_add(1, Ordering::Relaxed);
    let temporary = folder.join(format!(".{}-{number}.tmp", std::process::id()));
    std::fs::write(&temporary, bytes)
        .and_then(|()| std::fs::rename(&temporary, path))
        .inspect_err(|_| drop(std::fs::remove_file(&temporary)))
}

pub(crate) fn sha256_hex(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::{Picture, Purpose, Role, Turn, Usage};

    fn query() -> Query {
        Query {
            purpose: Purpose::Reward,
            system: "system".to_owned(),
            turns: vec![Turn {
                role: Role::User,
                text: "words".to_owned(),
            }],
            picture: Some(Picture::new(b"\xff\xd8\xffone".to_vec()).unwrap()),
            scene: None,
        }
    }

    fn identity() -> Identity {
        Identity {
            host: Some("h".to_owned()),
            max_output_tokens: 10,
            ..Identity::local("openai")
        }
    }

    fn reply() -> Reply {
        Reply {
            text: "num_stages = 1".to_owned(),
            model: "m".to_owned(),
            usage: Usage {
                input_tokens: 1,
                output_tokens: 2,
                estimated: false,
            },
        }
    }

    #[test]
    fn the_key_changes_with_everything_that_an_answer_depends_on() {
        let base = Cache::key(&query(), &identity());
        assert_eq!(base, Cache::key(&query(), &identity()));
        assert_eq!(base.len(), 64);
        let words = Query {
            system: "syste".to_owned(),
            turns: vec![Turn {
                role: Role::User,
                text: "mwords".to_owned(),
            }],
            ..query()
        };
        let picture = Query {
            picture: Some(Picture::new(b"\xff\xd8\xfftwo".to_vec()).unwrap()),
            ..query()
        };
        let blind = Query {
            picture: None,
            ..query()
        };
        for other in [words, picture, blind] {
            assert_ne!(base, Cache::key(&other, &identity()));
        }
        for other in [
            Identity {
                model: "n".to_owned(),
                ..identity()
            },
            Identity {
                host: Some("i".to_owned()),
                ..identity()
            },
            Identity {
                temperature: Some(0.0),
                ..identity()
            },
            Identity {
                max_output_tokens: 11,
                ..identity()
            },
        ] {
            assert_ne!(base, Cache::key(&query(), &other));
        }
    }

    #[test]
    fn answers_come_back_and_damaged_ones_do_not() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::new(folder.path().join("deep/cache"));
        let key = Cache::key(&query(), &identity());
        assert_eq!(cache.get(&key), None);
        cache.put(&key, &identity(), &reply()).unwrap();
        assert_eq!(cache.get(&key), Some(reply()));
        let path = cache.path(&key);
        let text = std::fs::read_to_string(&path).unwrap();
        for damaged in [
            text.replace("num_stages", "import os #"),
            text[..text.len() / 2].to_owned(),
            String::new(),
        ] {
            std::fs::write(&path, damaged).unwrap();
            assert_eq!(cache.get(&key), None);
        }
        cache.put(&key, &identity(), &reply()).unwrap();
        assert_eq!(cache.get(&key), Some(reply()));
        let names: Vec<_> = std::fs::read_dir(path.parent().unwrap())
            .unwrap()
            .flatten()
            .collect();
        assert_eq!(names.len(), 1, "no temporary file stays behind");
    }
}
