//! Keys that never show.

use std::path::{Component, Path};
use std::{fmt, fs, io};

use thiserror::Error;
use tiller_core::file::{FileError, others_may_read, read_regular_text};
use tiller_core::{REDACTED, looks_like_key};

use super::redact;

/// Bytes of a key file: more is a file of another kind.
const MAX_FILE_BYTES: u64 = 16 * 1024;
/// Characters of a key. Servers of one's own take what they are told to, be it one letter.
const LENGTH: std::ops::RangeInclusive<usize> = 1..=4096;
/// What a key from a file is said to come from; the path is a setting, and settings are not quoted.
const FILE: &str = "the key file";

/// The key file that is looked for where none is named. Named here or in a folder above, as dataflows
/// do, it alone may be missing.
pub const DEFAULT_KEY_FILE: &str = "vlm.key";

/// Why there is no key. Neither the key's text nor the value of a setting is in it: a key may have
/// been given where a path is expected.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SecretError {
    /// Neither variable nor file is given.
    #[error("no key: set {variable}, or KEY_FILE to a file that holds it (`vlm.key` by default)")]
    Missing {
        /// The variable that would be read.
        variable: String,
    },
    /// The file cannot be read.
    #[error("cannot read the key file: {reason}")]
    Unreadable {
        /// What is wrong with it, without its path.
        reason: String,
    },
    /// The text cannot be a key.
    #[error(
        "the key from {origin} is unusable: expected 1 to 4096 visible ASCII characters without blanks and quotes, found {found}; leave it unset if the server wants none"
    )]
    Unusable {
        /// Variable or file.
        origin: String,
        /// What is there instead, without its text.
        found: String,
    },
}

/// A key. Neither `Debug` nor `Display` shows it, and it cannot be serialised.
#[derive(Clone)]
pub struct Secret {
    key: String,
    is_exposed: bool,
}

impl Secret {
    /// Takes a key from text; blanks, line ends and a byte order mark around it go. A placeholder such
    /// as `EMPTY` is a key like another.
    ///
    /// # Errors
    /// [`SecretError::Unusable`] if this cannot be a key; `origin` says where it came from.
    pub fn new(text: &str, origin: &str) -> Result<Self, SecretError> {
        let key = trimmed(text);
        let unusable = |found: &str| SecretError::Unusable {
            origin: origin.to_owned(),
            found: found.to_owned(),
        };
        if key.contains(['\n', '\r']) {
            return Err(unusable("several lines"));
        }
        if !LENGTH.contains(&key.len()) {
            return Err(unusable(&format!("{} bytes", key.len())));
        }
        // Quotes and backslashes come from copied configuration and would change when a server
        // echoes them as JSON.
        let is_fit = |c: char| c.is_ascii_graphic() && !matches!(c, '"' | '\'' | '\\');
        if !key.chars().all(is_fit) {
            return Err(unusable("blanks, quotes or characters beyond ASCII"));
        }
        if is_assignment(key) {
            return Err(unusable("a name and `=` in front of it"));
        }
        Ok(Self {
            key: key.to_owned(),
            is_exposed: false,
        })
    }

    /// Takes the value of a header, which may hold blanks and quotes; none if it is not 1 to 4096 visible
    /// ASCII characters and blanks.
    #[must_use]
    pub fn header_value(text: &str) -> Option<Self> {
        let value = text.trim();
        let is_fit = LENGTH.contains(&value.len())
            && value.bytes().all(|byte| (b' '..=b'~').contains(&byte));
        is_fit.then(|| Self {
            key: value.to_owned(),
            is_exposed: false,
        })
    }

    /// Reads a key from the file that `KEY_FILE` names, or else from `variable`, both looked up by
    /// `lookup`.
    ///
    /// # Errors
    /// [`SecretError`], which names the variable, or says that it is about the file.
    pub fn load(
        variable: &str,
        lookup: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, SecretError> {
        let given = |name: &str| lookup(name).filter(|text| !text.trim().is_empty());
        if let Some(path) = given("KEY_FILE") {
            return Self::from_file(Path::new(path.trim()));
        }
        match given(variable) {
            Some(text) => Self::new(&text, variable),
            None => Err(SecretError::Missing {
                variable: variable.to_owned(),
            }),
        }
    }

    /// Reads a key from a regular file of one line and at most 16 KiB. If others can read the file,
    /// [`Secret::remark`] says so.
    ///
    /// # Errors
    /// [`SecretError::Unreadable`] or [`SecretError::Unusable`]; the path is in neither.
    pub fn from_file(path: &Path) -> Result<Self, SecretError> {
        let text =
            read_regular_text(path, MAX_FILE_BYTES).map_err(|error| unreadable(path, &error))?;
        let mut secret = Self::new(&text, FILE)?;
        secret.is_exposed = others_may_read(path);
        Ok(secret)
    }

    /// What its owner should know of where it came from.
    #[must_use]
    pub fn remark(&self) -> Option<&'static str> {
        self.is_exposed.then_some(
            "other users of this machine can read the key file; `chmod 600` keeps the key private",
        )
    }

    /// The key itself, for the request's header and nothing else.
    pub(crate) fn expose(&self) -> &str {
        &self.key
    }

    /// `text` without the key, whole, in part or in a common disguise. A key that is a word or a
    /// placeholder, such as `none` or `EMPTY`, stays: it protects nobody, and answers hold words. The
    /// README says from where on a key is no word.
    #[must_use]
    pub fn redact(&self, text: &str) -> String {
        redact::redact(&self.key, text)
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key
    }
}

impl Eq for Secret {}

/// The key file that is to be read: the one that is named, else [`DEFAULT_KEY_FILE`] if it is there.
#[must_use]
pub fn key_file(named: Option<String>) -> Option<String> {
    key_file_in(Path::new(""), named)
}

/// The same, for paths from another folder.
fn key_file_in(folder: &Path, named: Option<String>) -> Option<String> {
    let path = named.unwrap_or_else(|| DEFAULT_KEY_FILE.to_owned());
    let is_missing = || {
        let found = fs::symlink_metadata(folder.join(&path));
        found.is_err_and(|error| error.kind() == io::ErrorKind::NotFound)
    };
    (!is_default(&path) || !is_missing()).then_some(path)
}

/// Whether a path names the default key file, in this folder or in one above.
pub(crate) fn is_default(path: &str) -> bool {
    let mut parts = Path::new(path).components().rev();
    let is_above = |part| matches!(part, Component::ParentDir | Component::CurDir);
    parts.next() == Some(Component::Normal(DEFAULT_KEY_FILE.as_ref())) && parts.all(is_above)
}

fn trimmed(text: &str) -> &str {
    text.trim_start_matches('\u{feff}').trim()
}

/// Whether it is a line of a shell's or of a `.env` file. No key of base64 has `=` but at its end.
fn is_assignment(text: &str) -> bool {
    text.split_once('=').is_some_and(|(name, value)| {
        let is_name = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
        name.contains('_') && name.bytes().all(is_name) && !value.trim_matches('=').is_empty()
    })
}

fn unreadable(path: &Path, error: &FileError) -> SecretError {
    let mut reason = error.reason();
    if looks_like_key(&path.to_string_lossy()) {
        reason.push_str("; what was given looks like a key and not like the path of a file");
    }
    SecretError::Unreadable { reason }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(REDACTED)
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(REDACTED)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "sk-test-0123456789abcdef";

    fn secret() -> Secret {
        Secret::new(KEY, "a test").unwrap()
    }

    #[test]
    fn a_key_never_shows() {
        for text in [
            format!("{:?}", secret()),
            secret().to_string(),
            format!("{:#?}", Some(secret())),
        ] {
            assert!(text.contains(REDACTED) && !text.contains("0123"), "{text}");
        }
    }

    #[test]
    fn echoes_are_redacted_whole_shortened_or_starred() {
        for echo in [
            format!("Incorrect API key provided: {KEY}."),
            format!("{{\"key\":\"{KEY}\"}}"),
            "bad key 0123456789***".to_owned(),
            format!("BEARER {}", KEY.to_uppercase()),
            format!("https://host/?key={KEY}&x=1"),
        ] {
            let text = secret().redact(&echo);
            assert!(text.contains(REDACTED), "{text}");
            assert!(!text.to_lowercase().contains("0123456789"), "{text}");
        }
        let innocent = "the m\u{f6}del `gpt-test` is \u{1f916} overloaded, 456 in the queue";
        assert_eq!(secret().redact(innocent), innocent);
    }

    #[test]
    fn keys_come_from_the_file_first_and_then_from_the_variable() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("key");
        std::fs::write(&file, format!("{KEY}\n")).unwrap();
        let path = file.display().to_string();
        let from_file = Secret::load("X_API_KEY", |name| {
            (name == "KEY_FILE").then(|| path.clone())
        });
        assert_eq!(from_file.unwrap().expose(), KEY);
        let lookup = |name: &str| (name == "X_API_KEY").then(|| KEY.to_owned());
        assert_eq!(Secret::load("X_API_KEY", lookup).unwrap().expose(), KEY);
        let missing = Secret::load("X_API_KEY", |_| None).unwrap_err();
        assert_eq!(
            missing.to_string(),
            "no key: set X_API_KEY, or KEY_FILE to a file that holds it (`vlm.key` by default)"
        );
        std::fs::remove_file(&file).unwrap();
        assert!(matches!(
            Secret::from_file(&file),
            Err(SecretError::Unreadable { .. })
        ));
    }

    #[test]
    fn only_the_default_key_file_may_be_missing() {
        let folder = tempfile::tempdir().unwrap();
        let below = folder.path().join("dataflows");
        fs::create_dir(&below).unwrap();
        let named = |name: &str| Some(name.to_owned());
        for name in ["vlm.key", "./vlm.key", "../vlm.key", "../../vlm.key"] {
            assert_eq!(key_file_in(&below, named(name)), None, "{name}");
        }
        assert_eq!(key_file_in(&below, None), None);
        for name in [
            "/keys/vlm.key",
            "keys/vlm.key",
            "openai.key",
            "vlm.key.txt",
            "..",
        ] {
            assert_eq!(key_file_in(&below, named(name)), named(name));
        }
        fs::write(folder.path().join("vlm.key"), KEY).unwrap();
        let above = named("../vlm.key");
        assert_eq!(key_file_in(&below, above.clone()), above);
        assert_eq!(key_file_in(folder.path(), None), named("vlm.key"));
        // A link that leads nowhere is a slip, not a file that is missing.
        std::os::unix::fs::symlink("nowhere", below.join("vlm.key")).unwrap();
        assert_eq!(key_file_in(&below, None), named("vlm.key"));
    }

    #[test]
    fn what_cannot_be_a_key_is_refused_without_being_quoted() {
        for bad in [
            "",
            "two words",
            "with blank inside it",
            "sk-first-line\nsk-second-line",
            "OPENAI_API_KEY=sk-0123456789",
            "\"sk-quoted-key\"",
            "sk-\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}",
        ] {
            let error = Secret::new(bad, "KEY").unwrap_err();
            assert!(matches!(error, SecretError::Unusable { .. }), "{error}");
            assert!(
                bad.is_empty() || !error.to_string().contains(bad),
                "{error}"
            );
        }
    }

    #[test]
    fn placeholders_are_keys_like_others() {
        for key in [
            "EMPTY",
            "none",
            "ollama",
            "sk-1234",
            "x",
            "aGVsbG8gd29ybGQ=",
        ] {
            assert_eq!(Secret::new(key, "KEY").unwrap().expose(), key);
        }
        for value in ["a", "Bearer x", "\"My lab\""] {
            assert_eq!(Secret::header_value(value).unwrap().expose(), value);
        }
        for value in ["", " ", "a\nb", "\u{e9}"] {
            assert_eq!(Secret::header_value(value), None);
        }
        let longest = "k".repeat(4096);
        assert!(Secret::new(&longest, "KEY").is_ok());
        let error = Secret::new(&format!("{longest}k"), "KEY").unwrap_err();
        assert!(error.to_string().contains("found 4097 bytes"), "{error}");
    }

    #[test]
    fn a_key_file_has_one_line_with_anything_blank_around_it() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("key");
        let read = |bytes: &[u8]| {
            std::fs::write(&file, bytes).unwrap();
            Secret::from_file(&file).map(|secret| secret.expose().to_owned())
        };
        for text in [
            KEY.to_owned(),
            format!("{KEY}\n"),
            format!("{KEY}\r\n"),
            format!("\u{feff}{KEY}\r\n\r\n"),
            format!("\n  \t{KEY}  \n"),
        ] {
            assert_eq!(read(text.as_bytes()).unwrap(), KEY, "{text:?}");
        }
        for (bytes, expected) in [
            (b"".to_vec(), "found 0 bytes"),
            (b"\n\n".to_vec(), "found 0 bytes"),
            (format!("{KEY}\nsecond").into_bytes(), "found several lines"),
            (
                format!("A_KEY={KEY}\n").into_bytes(),
                "found a name and `=`",
            ),
            (
                vec![b'\n'; 20_000],
                "20000 bytes or more, expected at most 16384",
            ),
            (vec![0xff, 0xfe, b's', 0], "not UTF-8 text"),
        ] {
            let error = read(&bytes).unwrap_err().to_string();
            assert!(
                error.contains(expected) && error.contains("the key file"),
                "{error}"
            );
            assert!(
                !error.contains("0123") && !error.contains("second"),
                "{error}"
            );
        }
    }

    #[test]
    fn what_stands_in_place_of_the_path_is_not_quoted() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status();
        assert!(made.unwrap().success());
        let pipe = pipe.display().to_string();
        let long = "sk-".to_owned() + &"4711".repeat(200);
        for (value, expected) in [
            (KEY, "looks like a key"),
            (&long, "looks like a key"),
            ("https://host/v1?key=4711", "No such file"),
            ("/nowhere/4711", "No such file"),
            (&pipe, "not a regular file but a pipe"),
            ("/dev/zero", "not a regular file but a device"),
            ("/", "not a regular file but a folder"),
        ] {
            let lookup = |name: &str| (name == "KEY_FILE").then(|| value.to_owned());
            let error = Secret::load("X_API_KEY", lookup).unwrap_err();
            for text in [error.to_string(), format!("{error:?}")] {
                assert!(text.contains(expected), "{text}");
                assert!(!text.contains(value) || value == "/", "{text}");
                assert!(!text.contains("4711") && !text.contains("0123"), "{text}");
            }
        }
    }

    #[test]
    fn a_key_file_that_others_can_read_is_remarked() {
        use std::os::unix::fs::PermissionsExt;

        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("key");
        std::fs::write(&file, KEY).unwrap();
        for (mode, is_exposed) in [(0o600, false), (0o400, false), (0o640, true), (0o644, true)] {
            std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).unwrap();
            let secret = Secret::from_file(&file).unwrap();
            assert_eq!(secret.remark().is_some(), is_exposed, "{mode:o}");
            assert_eq!(secret, self::secret());
        }
        assert_eq!(secret().remark(), None);
    }
}
