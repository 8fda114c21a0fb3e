//! Strings with expressions inside: f-strings.
//!
//! Their fields are scanned as what they are, brackets around tokens. What is not plainly closed
//! is refused here, so that scan and lexer cannot differ about where a string ends.

use super::{Scan, not_python, span};
use crate::diagnostic::{Draft, Kind};

/// An open `{` of an f-string.
pub(super) struct Field {
    quote: u8,
    is_triple: bool,
    /// Open brackets, this one included.
    pub(super) levels: usize,
    /// Whether it stands in the format of another field.
    in_format: bool,
}

/// What the letters before a quote make of a string.
pub(super) enum Prefix {
    Plain,
    Interpolated,
}

/// What `word`, directly before a quote, means. The prefix may follow anything that ends a token
/// before it, such as a digit.
pub(super) fn prefix(word: &[u8], start: usize, end: usize) -> Result<Prefix, Draft> {
    let lower = word.to_ascii_lowercase();
    match lower.as_slice() {
        b"f" | b"fr" | b"rf" => return Ok(Prefix::Interpolated),
        b"if" | b"elif" | b"not" | b"assert" | b"except" | b"import" => return Ok(Prefix::Plain),
        [.., b'f' | b't'] | [.., b'f' | b't', b'r'] => {}
        _ => return Ok(Prefix::Plain),
    }
    Err(Draft::new(
        Kind::Unsupported,
        span(start, end),
        "this kind of string is not part of the reward language",
    )
    .help("write a plain string"))
}

impl Scan<'_> {
    /// Goes past the quotes that open an f-string and its text up to the first field.
    pub(super) fn open_interpolated(&mut self) -> Result<(), Draft> {
        let start = self.at;
        let quote = self.bytes[start];
        let is_triple = self.bytes[start..].starts_with(&[quote; 3]);
        self.at += if is_triple { 3 } else { 1 };
        self.text(quote, is_triple)
    }

    /// Reads text up to the next field or the end of the string.
    fn text(&mut self, quote: u8, is_triple: bool) -> Result<(), Draft> {
        while let Some(&byte) = self.bytes.get(self.at) {
            let rest = &self.bytes[self.at..];
            match byte {
                b'\n' | b'\r' if !is_triple => break,
                b'\\' => {
                    self.at += match rest.get(1) {
                        Some(b'{' | b'}') => 1,
                        Some(b'N') if rest.get(2) == Some(&b'{') => {
                            let name = rest.iter().position(|&b| matches!(b, b'}' | b'\n'));
                            name.filter(|&end| rest[end] == b'}')
                                .map_or(rest.len(), |end| end + 1)
                        }
                        Some(b'\r') if rest.get(2) == Some(&b'\n') => 3,
                        _ => 2,
                    }
                }
                b'{' | b'}' if rest.get(1) == Some(&byte) => self.at += 2,
                b'{' => {
                    self.at += 1;
                    self.open_field(quote, is_triple, false);
                    return Ok(());
                }
                b'}' => return Err(self.not_closed("a single `}` in an f-string is written `}}`")),
                _ if byte == quote && !is_triple => {
                    self.at += 1;
                    return Ok(());
                }
                _ if byte == quote && rest.starts_with(&[quote; 3]) => {
                    self.at += 3;
                    return Ok(());
                }
                _ => self.at += 1,
            }
        }
        Err(self.not_closed("an f-string is not closed"))
    }

    /// Reads the format behind the `:` of a field, up to its end or a field inside it.
    pub(super) fn format(&mut self) -> Result<(), Draft> {
        while let Some(&byte) = self.bytes.get(self.at) {
            let Some(field) = self.fields.last() else {
                break;
            };
            let (quote, is_triple) = (field.quote, field.is_triple);
            match byte {
                b'\n' | b'\r' | b'\\' => break,
                _ if byte == quote => break,
                b'{' => {
                    self.at += 1;
                    self.open_field(quote, is_triple, true);
                    return Ok(());
                }
                b'}' => {
                    self.at += 1;
                    return self.close_field();
                }
                _ => self.at += 1,
            }
        }
        Err(self.not_closed("an f-string is not closed"))
    }

    fn open_field(&mut self, quote: u8, is_triple: bool, in_format: bool) {
        self.open(b'}');
        self.fields.push(Field {
            quote,
            is_triple,
            levels: self.levels.len(),
            in_format,
        });
    }

    /// Whether the scan stands in a field, outside all brackets in it.
    pub(super) fn at_field_level(&self) -> bool {
        self.fields
            .last()
            .is_some_and(|field| field.levels == self.levels.len())
    }

    /// Goes on behind the `}` of a field.
    pub(super) fn close_field(&mut self) -> Result<(), Draft> {
        self.close(b'}');
        match self.fields.pop() {
            Some(field) if field.in_format => self.format(),
            Some(field) => self.text(field.quote, field.is_triple),
            None => Ok(()),
        }
    }

    /// Refuses, inside a field, what would leave it.
    pub(super) fn check_field(&self, byte: u8) -> Result<(), Draft> {
        let Some(field) = self.fields.last() else {
            return Ok(());
        };
        let leaves = match byte {
            b'\n' | b'\r' => !field.is_triple,
            b'#' | b'\\' => true,
            b')' | b']' | b'}' => self
                .levels
                .last()
                .is_some_and(|level| level.closing != byte),
            _ => false,
        };
        if leaves {
            return Err(self.not_closed("an f-string is not closed"));
        }
        Ok(())
    }

    pub(super) fn not_closed(&self, what: &str) -> Draft {
        let at = self.at.min(self.bytes.len());
        not_python(at, at, what).help("check the braces and quotes of this string")
    }
}
