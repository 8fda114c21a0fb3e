//! Text of an answer, whose UTF-16 surrogate pairs may be torn apart between events.

use std::borrow::Cow;

/// First of the 2048 private characters that stand for lone halves of surrogate pairs between the
/// JSON parser, which knows no such thing, and [`Text`], which joins them.
const STAND_IN: u32 = 0x0010_F800;
const FIRST_HALF: u32 = 0xD800;

/// A text that grows. Halves of surrogate pairs that come apart are joined; one without its
/// partner becomes U+FFFD.
#[derive(Debug, Default)]
pub(super) struct Text {
    text: String,
    high: Option<u32>,
}

impl Text {
    pub(super) fn push(&mut self, more: &str) {
        if self.high.is_none() && !more.contains(|c| half(c).is_some()) {
            self.text.push_str(more);
            return;
        }
        for c in more.chars() {
            match (self.high.take(), half(c)) {
                (Some(high), Some(low @ 0xDC00..)) => {
                    let code = 0x10000 + ((high - FIRST_HALF) << 10) + (low - 0xDC00);
                    self.text.push(char::from_u32(code).unwrap_or('\u{fffd}'));
                }
                (high, half) => {
                    self.text.extend(high.map(|_| '\u{fffd}'));
                    match half {
                        Some(0xDC00..) => self.text.push('\u{fffd}'),
                        Some(high) => self.high = Some(high),
                        None => self.text.push(c),
                    }
                }
            }
        }
    }

    pub(super) fn len(&self) -> usize {
        self.text.len()
    }

    pub(super) fn is_blank(&self) -> bool {
        self.high.is_none() && self.text.trim().is_empty()
    }

    pub(super) fn finish(mut self) -> String {
        self.text.extend(self.high.map(|_| '\u{fffd}'));
        self.text
    }
}

/// The half of a surrogate pair that a character stands for.
fn half(c: char) -> Option<u32> {
    (c as u32).checked_sub(STAND_IN).map(|at| FIRST_HALF + at)
}

/// JSON in which lone halves of surrogate pairs, written as `\uD83E`, are replaced by what stands
/// for them.
pub(super) fn without_lone_halves(json: &str) -> Cow<'_, str> {
    if !json.contains("\\ud") && !json.contains("\\uD") {
        return Cow::Borrowed(json);
    }
    let bytes = json.as_bytes();
    let mut out = String::new();
    let (mut at, mut copied) = (0, 0);
    while at < bytes.len() {
        if bytes[at] != b'\\' {
            at += 1;
            continue;
        }
        match (escape(bytes, at), escape(bytes, at + 6)) {
            (Some(0xD800..=0xDBFF), Some(0xDC00..=0xDFFF)) => at += 12,
            (Some(unit @ 0xD800..=0xDFFF), _) => {
                out.push_str(&json[copied..at]);
                out.extend(char::from_u32(STAND_IN + unit - FIRST_HALF));
                at += 6;
                copied = at;
            }
            // Some other escape, be it an escaped backslash.
            _ => at += 2,
        }
    }
    out.push_str(&json[copied..]);
    Cow::Owned(out)
}

/// The unit of the `\uXXXX` that begins there.
fn escape(bytes: &[u8], at: usize) -> Option<u32> {
    let digits = bytes.get(at..at + 6)?.strip_prefix(b"\\u")?;
    if !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    u32::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::Value;

    fn joined(pieces: &[&str]) -> String {
        let mut text = Text::default();
        for piece in pieces {
            let json = format!("{{\"t\": \"{piece}\"}}");
            let value: Value = serde_json::from_str(&without_lone_halves(&json)).unwrap();
            text.push(value["t"].as_str().unwrap());
        }
        text.finish()
    }

    #[test]
    fn halves_are_joined_and_lonely_ones_replaced() {
        assert_eq!(joined(&["a\\ud83e\\udd16b"]), "a\u{1f916}b");
        assert_eq!(joined(&["a\\uD83E", "", "\\uDd16b"]), "a\u{1f916}b");
        assert_eq!(joined(&["a\\ud83e", "b"]), "a\u{fffd}b");
        assert_eq!(joined(&["a\\ud83e"]), "a\u{fffd}");
        assert_eq!(
            joined(&["\\udd16\\ud83e", "\\ud83e", "\\udd16"]),
            "\u{fffd}\u{fffd}\u{1f916}"
        );
        // An escaped backslash begins no escape.
        assert_eq!(
            joined(&["\\\\ud83e \\\\\\ud83e", "\\udd16"]),
            "\\ud83e \\\u{1f916}"
        );
        assert_eq!(joined(&["\\ud83e\\n"]), "\u{fffd}\n");
    }

    proptest! {
        /// Wherever an escaped text is cut between its escapes, the same comes out.
        #[test]
        fn cuts_do_not_matter(text in "[a\u{e4}\u{1f916}\u{1d11e}\u{2028}]{0,12}", cut in 0usize..60) {
            let escapes: Vec<String> = text.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect();
            let (start, end) = escapes.split_at(cut.min(escapes.len()));
            prop_assert_eq!(joined(&[&start.concat(), &end.concat()]), text);
        }
    }
}
