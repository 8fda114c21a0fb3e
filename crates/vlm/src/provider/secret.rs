//! Keys that never show.

use std::fmt;
use std::path::{Path, PathBuf};

use thiserror::Error;

/// Stands where a key stood.
pub const REDACTED: &str = "[redacted]";

/// Characters in a row that give a key away.
const WINDOW: usize = 8;
/// Shorter is a typing error; longer is a file of another kind.
const LENGTH: std::ops::RangeInclusive<usize> = 8..=4096;

/// Why there is no key. No text of the key is in it.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SecretError {
    /// Neither variable nor file is given.
    #[error("no key: set {variable}, or KEY_FILE to a file that holds it")]
    Missing {
        /// The variable that would be read.
        variable: String,
    },
    /// The file cannot be read.
    #[error("cannot read the key from {}: {reason}", .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The operating system's words.
        reason: String,
    },
    /// The text cannot be a key.
    #[error(
        "the key from {origin} is unusable: expected 8 to 4096 visible ASCII characters without blanks, found {found}; leave it unset if the server wants none"
    )]
    Unusable {
        /// Variable or file.
        origin: String,
        /// What is there instead, without its text.
        found: String,
    },
}

/// A key. Neither `Debug` nor `Display` shows it, and it cannot be serialised.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Takes a key from text; blanks and line ends around it go.
    ///
    /// # Errors
    /// [`SecretError::Unusable`] if this cannot be a key; `origin` says where it came from.
    pub fn new(text: &str, origin: &str) -> Result<Self, SecretError> {
        let key = text.trim();
        let unusable = |found: &str| SecretError::Unusable {
            origin: origin.to_owned(),
            found: found.to_owned(),
        };
        if !LENGTH.contains(&key.len()) {
            return Err(unusable(&format!("{} bytes", key.len())));
        }
        // Quotes and backslashes come from copied configuration and would change when a server
        // echoes them as JSON.
        let is_fit = |c: char| c.is_ascii_graphic() && !matches!(c, '"' | '\'' | '\\');
        if !key.chars().all(is_fit) {
            return Err(unusable("blanks, quotes or characters beyond ASCII"));
        }
        Ok(Self(key.to_owned()))
    }

    /// Takes the value of a header, which may be shorter than a key and hold blanks and quotes; none
    /// if it is not 1 to 4096 visible ASCII characters and blanks.
    #[must_use]
    pub fn header_value(text: &str) -> Option<Self> {
        let value = text.trim();
        let is_fit = (1..=4096).contains(&value.len())
            && value.bytes().all(|byte| (b' '..=b'~').contains(&byte));
        is_fit.then(|| Self(value.to_owned()))
    }

    /// Reads a key from the file that `KEY_FILE` names, or else from `variable`, both looked up by
    /// `lookup`.
    ///
    /// # Errors
    /// [`SecretError`], which names variable or file.
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

    /// Reads a key from a file.
    ///
    /// # Errors
    /// [`SecretError::Unreadable`] or [`SecretError::Unusable`].
    pub fn from_file(path: &Path) -> Result<Self, SecretError> {
        let text = std::fs::read_to_string(path).map_err(|error| SecretError::Unreadable {
            path: path.to_owned(),
            reason: error.to_string(),
        })?;
        Self::new(&text, &path.display().to_string())
    }

    /// The key itself, for the request's header and nothing else.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }

    /// `text` without the key. Servers echo keys whole, shortened or with stars in the middle, so
    /// every word that shares 8 characters in a row with the key goes.
    #[must_use]
    pub fn redact(&self, text: &str) -> String {
        let key = self.0.to_ascii_lowercase();
        let windows: Vec<&[u8]> = key.as_bytes().windows(WINDOW).collect();
        let lower = text.to_ascii_lowercase();
        let bytes = lower.as_bytes();
        let is_part = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\'' | b'\\');
        let mut out = String::with_capacity(text.len());
        let mut start = 0;
        while start < bytes.len() {
            let inside = is_part(bytes[start]);
            let length = bytes[start..]
                .iter()
                .take_while(|&&b| is_part(b) == inside)
                .count();
            let word = &bytes[start..start + length];
            let shows = inside && word.windows(WINDOW).any(|part| windows.contains(&part));
            out.push_str(if shows {
                REDACTED
            } else {
                &text[start..start + length]
            });
            start += length;
        }
        out
    }
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
            "no key: set X_API_KEY, or KEY_FILE to a file that holds it"
        );
        std::fs::remove_file(&file).unwrap();
        assert!(matches!(
            Secret::from_file(&file),
            Err(SecretError::Unreadable { .. })
        ));
    }

    #[test]
    fn what_cannot_be_a_key_is_refused_without_being_quoted() {
        for bad in [
            "",
            "short",
            "with blank inside it",
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
}
