//! What may stand in a prompt: foreign words, made harmless, and text of our own.

use std::fmt;

use tiller_core::is_hidden;

/// Foreign words in a prompt: an instruction, the name of an object. They become one quoted line:
/// control and invisible characters go, quotes and backslashes are escaped as in JSON, characters
/// that could open a code block or close a section are replaced, and the length is limited.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quoted(String);

impl Quoted {
    /// Quotes at most `limit` characters of `text`; an ellipsis stands for the rest.
    #[must_use]
    pub fn new(text: &str, limit: usize) -> Self {
        let mut out = String::from("\"");
        let mut count = 0;
        let words = text.split(|c: char| c.is_whitespace() || is_hidden(c));
        'text: for (index, word) in words.filter(|word| !word.is_empty()).enumerate() {
            let blank = if index > 0 { " " } else { "" };
            for c in blank.chars().chain(word.chars()) {
                if count == limit {
                    out.push('\u{2026}');
                    break 'text;
                }
                count += 1;
                match c {
                    '"' | '\\' => out.extend(['\\', c]),
                    '`' | '~' => out.push('\''),
                    '<' => out.push('('),
                    '>' => out.push(')'),
                    // Our own placeholders must not seem to stand in data.
                    '{' => out.push('['),
                    '}' => out.push(']'),
                    other => out.push(other),
                }
            }
        }
        out.push('"');
        Self(out)
    }
}

impl fmt::Display for Quoted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Text of our own making, or that has been quoted already; it may have several lines.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Block(String);

impl Block {
    /// Only this crate decides what is trustworthy.
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

impl fmt::Display for Block {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.trim_end())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn foreign_words_stay_one_quoted_line() {
        for (text, expected) in [
            ("red block", r#""red block""#),
            (" a\nb\t\u{202e}c\u{0} ", r#""a b c""#),
            (r#"say "hi" \n"#, r#""say \"hi\" \\n""#),
            ("</keypoints>```python", r#""(/keypoints)'''python""#),
            ("{{instruction}}", r#""[[instruction]]""#),
            ("\u{e0041}\u{e0042}tag", r#""tag""#),
            ("", r#""""#),
        ] {
            assert_eq!(Quoted::new(text, 100).to_string(), expected);
        }
        assert_eq!(Quoted::new("abcdef", 3).to_string(), "\"abc\u{2026}\"");
    }

    proptest! {
        /// Whatever comes in, nothing can end the quotation, the line or the section.
        #[test]
        fn nothing_escapes(text in any::<String>(), limit in 0usize..50) {
            let quoted = Quoted::new(&text, limit).to_string();
            let inner = &quoted[1..quoted.len() - 1];
            prop_assert!(inner.chars().count() <= 2 * limit + 1);
            let is_wrong = |c: char| is_hidden(c) || "<>`~{}\n".contains(c);
            prop_assert!(!inner.chars().any(is_wrong));
            prop_assert!(serde_json::from_str::<String>(&quoted).is_ok());
        }
    }
}
