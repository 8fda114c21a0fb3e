//! Answers on disk, found by the content of their question.

use std::path::PathBuf;
use std::sync::Once;

use serde::{Deserialize, Serialize};
use tiller_core::file::{
    FileError, create_private_dir_all, is_draft, keep_private, read_within, write_private,
};
use tiller_core::{Digest, sha256, shown};

use crate::exchange::question_sha256;
use crate::provider::{Identity, Query, Reply};

const SCHEMA: u32 = 1;
/// Most bytes of an entry: the longest answer, each byte of it an escape.
const MAX_ENTRY_BYTES: u64 = 128 << 20;

/// A folder of answers. Entries are written whole or not at all, and checked when read; several
/// processes of one user may share the folder. Its files are readable by their owner alone.
#[derive(Debug)]
pub struct Cache {
    folder: PathBuf,
    prepared: Once,
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
    /// A cache in a folder, which is made when it is first needed, for its owner alone. Others lose
    /// their rights to one that is there and holds nothing else; where there is more in it they keep
    /// them, and a warning says so.
    #[must_use]
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self {
            folder: folder.into(),
            prepared: Once::new(),
        }
    }

    /// What an answer depends on: words, picture, provider, host, model and parameters; SHA-256 in
    /// hexadecimal.
    #[must_use]
    pub fn key(query: &Query, identity: &Identity) -> String {
        let mut hash = Digest::default();
        hash.add(question_sha256(query).as_bytes());
        // Serialised structs have one spelling, so that equal identities are equal bytes.
        hash.add(&serde_json::to_vec(identity).unwrap_or_default());
        hash.hexadecimal()
    }

    /// Where an answer lies below the folder; nothing for what is no key.
    fn name(key: &str) -> Option<String> {
        let is_key = key.len() == 64 && key.bytes().all(|byte| byte.is_ascii_hexdigit());
        is_key.then(|| format!("{}/{key}.json", &key[..2]))
    }

    /// The answer that is kept under `key`. A damaged entry counts as none.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<Reply> {
        let name = Self::name(key)?;
        let read = read_within(&self.folder, &name, MAX_ENTRY_BYTES);
        let damaged = |reason: &str| {
            let path = self.folder.join(&name);
            let path = shown(&path.to_string_lossy());
            tracing::warn!("cache entry {path} is damaged and ignored: {reason}");
        };
        let bytes = match read {
            Ok(bytes) => bytes,
            Err(error) => {
                if !error.is_not_found() {
                    damaged(&error.reason());
                }
                return None;
            }
        };
        let entry: Option<Entry> = serde_json::from_slice(&bytes).ok();
        let sound = entry.filter(|entry| {
            entry.schema == SCHEMA
                && entry.key == key
                && entry.text_sha256 == sha256(entry.reply.text.as_bytes())
        });
        if sound.is_none() {
            damaged("it is not what was written");
        }
        sound.map(|entry| entry.reply)
    }

    /// Removes an answer, if there is one.
    pub fn remove(&self, key: &str) {
        if let Some(name) = Self::name(key) {
            // What is not there need not be removed.
            let _ = std::fs::remove_file(self.folder.join(name));
        }
    }

    fn prepare(&self) {
        let folder = &self.folder;
        let is_ours = |name: &str| {
            is_draft(name) || (name.len() == 2 && u8::from_str_radix(name, 16).is_ok())
        };
        let closed = create_private_dir_all(folder).and_then(|()| keep_private(folder, is_ours));
        // That it cannot be made is an error of the entry to be written.
        if matches!(closed, Ok(false)) {
            tracing::warn!(
                "others can list {}, where answers are kept; the answers are private all the same",
                shown(&folder.to_string_lossy())
            );
        }
    }

    /// Keeps an answer.
    ///
    /// # Errors
    /// [`FileError`] if the folder cannot be written, or `key` is none.
    pub fn put(&self, key: &str, identity: &Identity, reply: &Reply) -> Result<(), FileError> {
        let invalid = |path: PathBuf, cause: std::io::Error| FileError::Io {
            path,
            doing: "write",
            cause,
        };
        let Some(name) = Self::name(key) else {
            let cause = std::io::Error::other("expected 64 hexadecimal digits as its key");
            return Err(invalid(self.folder.clone(), cause));
        };
        self.prepared.call_once(|| self.prepare());
        let path = self.folder.join(name);
        let entry = Entry {
            schema: SCHEMA,
            key: key.to_owned(),
            text_sha256: sha256(reply.text.as_bytes()),
            identity: identity.clone(),
            reply: reply.clone(),
        };
        match serde_json::to_vec_pretty(&entry) {
            Ok(bytes) => write_private(&path, &bytes),
            Err(error) => Err(invalid(path, error.into())),
        }
    }
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
        let path = cache.folder.join(Cache::name(&key).unwrap());
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

    #[test]
    fn entries_are_private_and_lie_in_their_folder() {
        use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("cache");
        let cache = Cache::new(&place);
        let key = Cache::key(&query(), &identity());
        std::fs::create_dir(&place).unwrap();
        std::fs::set_permissions(&place, std::fs::Permissions::from_mode(0o755)).unwrap();
        cache.put(&key, &identity(), &reply()).unwrap();
        let path = place.join(Cache::name(&key).unwrap());
        let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().mode() & 0o777;
        assert_eq!(mode(&path), 0o600);
        assert_eq!((mode(&place), mode(path.parent().unwrap())), (0o700, 0o700));

        // Neither is written nor read through a link, and no pipe is waited for.
        let victim = folder.path().join("victim");
        std::fs::rename(&path, &victim).unwrap();
        let before = std::fs::read(&victim).unwrap();
        symlink(&victim, &path).unwrap();
        assert_eq!(cache.get(&key), None);
        cache.put(&key, &identity(), &reply()).unwrap();
        assert!(std::fs::symlink_metadata(&path).unwrap().is_file());
        assert_eq!(std::fs::read(&victim).unwrap(), before);
        cache.remove(&key);
        let made = std::process::Command::new("mkfifo").arg(&path).status();
        assert!(made.unwrap().success());
        assert_eq!(cache.get(&key), None);

        for odd in [
            "",
            "../victim",
            "/etc/passwd",
            &key[1..],
            &"\u{e9}".repeat(32),
        ] {
            assert_eq!(cache.get(odd), None);
            assert!(cache.put(odd, &identity(), &reply()).is_err());
            cache.remove(odd);
        }
        assert!(victim.exists());
    }
}
