//! Text from outside as people may see it: nothing in it is hidden, steers a terminal or turns the
//! direction of what stands beside it.
//!
//! What a model, a server, a bundle, a person or another node wrote is kept as it is and changed
//! only where it is shown. A character that [`is_hidden`] is shown as Rust writes it: `\n`, `\r`, `\t`, else
//! `\u{202e}` with its number. Text that spells such an escape itself is left as it is, for doubling
//! backslashes would spoil the programs, paths and patterns that hold them: `\u{1b}` on a screen
//! means that character or these letters, and neither does any harm.
//!
//! Letters of every script, combining marks and blanks that take up room are no matter of this
//! module. Emoji keep their selector of colour (U+FE0F directly after a pictograph), for models
//! write `⚠️` often; the joiners of composed emoji are shown, between the parts.

use std::borrow::Cow;
use std::char::EscapeDefault;

use icu_properties::props::{
    DefaultIgnorableCodePoint, ExtendedPictographic, GeneralCategory, NoncharacterCodePoint,
};
use icu_properties::{CodePointMapData, CodePointSetData};

/// Whether a character could hide or steer something, for no letter of its own is seen: controls
/// (line breaks and tabs too), format characters such as marks of direction and tags, separators
/// of lines and paragraphs, private use, noncharacters, and whatever else Unicode lets a
/// reader ignore (`Default_Ignorable_Code_Point`: fillers, joiners, selectors).
///
/// ```
/// use tiller_core::is_hidden;
/// assert!(['\u{1b}', '\n', '\u{202e}', '\u{200b}', '\u{e0041}'].into_iter().all(is_hidden));
/// assert!(!['a', ' ', 'é', '抓', 'ש', '⚠'].into_iter().any(is_hidden));
/// ```
#[must_use]
pub fn is_hidden(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_control();
    }
    let is_without_glyph = matches!(
        CodePointMapData::<GeneralCategory>::new().get(c),
        GeneralCategory::Control
            | GeneralCategory::Format
            | GeneralCategory::LineSeparator
            | GeneralCategory::ParagraphSeparator
            | GeneralCategory::PrivateUse
    );
    is_without_glyph
        || CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(c)
        || CodePointSetData::new::<NoncharacterCodePoint>().contains(c)
}

/// How a character after another one is shown; none if as it is.
#[must_use]
pub fn visible_char(before: Option<char>, c: char) -> Option<EscapeDefault> {
    let is_selector = || {
        let pictographs = CodePointSetData::new::<ExtendedPictographic>();
        c == '\u{fe0f}' && before.is_some_and(|before| pictographs.contains(before))
    };
    (is_hidden(c) && !is_selector()).then(|| c.escape_default())
}

/// Text on one line with everything in it visible; borrowed if nothing changes.
///
/// ```
/// use tiller_core::visible;
/// assert_eq!(visible("red block"), "red block");
/// assert_eq!(visible("a\tb\u{1b}[2J\u{202e}\n"), r"a\tb\u{1b}[2J\u{202e}\n");
/// ```
#[must_use]
pub fn visible(text: &str) -> Cow<'_, str> {
    replaced(text, |c, _| Some(c.escape_default().to_string()))
}

/// Text on several lines, such as a program or an answer, with everything in it visible but line
/// breaks and tabs, which stay. A line break of two characters becomes one; a carriage return
/// alone, which would let a line be written over, is shown.
///
/// ```
/// use tiller_core::visible_block;
/// assert_eq!(visible_block("a\n\tb\r\nc\rd\u{7}"), "a\n\tb\nc\\rd\\u{7}");
/// ```
#[must_use]
pub fn visible_block(text: &str) -> Cow<'_, str> {
    replaced(text, |c, rest| match c {
        '\n' | '\t' => None,
        '\r' if rest.starts_with('\n') => Some(String::new()),
        c => Some(c.escape_default().to_string()),
    })
}

/// As [`visible_block`], with a margin before every line but the first: nothing in the text can
/// pass for a line of its own.
///
/// ```
/// use tiller_core::visible_under;
/// assert_eq!(visible_under("no\nERROR fire", "  | "), "no\n  | ERROR fire");
/// ```
#[must_use]
pub fn visible_under<'t>(text: &'t str, margin: &str) -> Cow<'t, str> {
    let shown = visible_block(text);
    match shown.contains('\n') {
        true => Cow::Owned(shown.replace('\n', &format!("\n{margin}"))),
        false => shown,
    }
}

/// At most `limit` characters of text on one line; an ellipsis stands for the rest. Line breaks, tabs
/// and blanks become one blank, everything else that is hidden is shown, whole.
///
/// ```
/// use tiller_core::visible_line;
/// assert_eq!(visible_line(" no\n  such \u{1b}[31mmodel", 80), r"no such \u{1b}[31mmodel");
/// assert_eq!(visible_line("no such model", 7), "no such…");
/// assert_eq!(visible_line("no \u{1b}[31m", 7), "no…");
/// ```
#[must_use]
pub fn visible_line(text: &str, limit: usize) -> String {
    let mut out = String::new();
    let mut length = 0;
    let mut before = None;
    for c in text.trim_matches(is_blank).chars() {
        let is_repeated = is_blank(c) && before.is_some_and(is_blank);
        let mark = match is_blank(c) {
            true => None,
            false => visible_char(before, c),
        };
        before = Some(c);
        if is_repeated {
            continue;
        }
        length += mark.as_ref().map_or(1, ExactSizeIterator::len);
        if length > limit {
            out.truncate(out.trim_end().len());
            out.push('\u{2026}');
            break;
        }
        match mark {
            Some(mark) => out.extend(mark),
            None if is_blank(c) => out.push(' '),
            None => out.push(c),
        }
    }
    out
}

/// JSON that means the same and in which everything is visible: what its strings hold is spelt
/// `\u202e`. The line breaks and blanks between its parts stay.
///
/// ```
/// use tiller_core::visible_json;
/// assert_eq!(visible_json("{\n  \"a\": \"\u{202e}\"\n}"), "{\n  \"a\": \"\\u202e\"\n}");
/// ```
#[must_use]
pub fn visible_json(json: &str) -> Cow<'_, str> {
    replaced(json, |c, _| match c {
        // Inside a string they are escaped already.
        '\n' | '\t' | '\r' => None,
        c => {
            let units = c.encode_utf16(&mut [0; 2]).to_vec();
            Some(units.iter().map(|unit| format!("\\u{unit:04x}")).collect())
        }
    })
}

/// What separates words in one line, and is worth no escape.
fn is_blank(c: char) -> bool {
    c.is_whitespace() && (matches!(c, '\n' | '\r' | '\t') || !is_hidden(c))
}

/// `text` with what `shown` makes of each hidden character and of the text after it; where that is
/// none, the character stays.
fn replaced(text: &str, shown: impl Fn(char, &str) -> Option<String>) -> Cow<'_, str> {
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return Cow::Borrowed(text);
    }
    let mut out = String::new();
    // Where the text begins that is not in `out` yet.
    let mut rest = 0;
    let mut before = None;
    for (at, c) in text.char_indices() {
        let is_shown = visible_char(before, c).is_none();
        before = Some(c);
        if is_shown {
            continue;
        }
        let after = at + c.len_utf8();
        if let Some(mark) = shown(c, &text[after..]) {
            out.push_str(&text[rest..at]);
            out.push_str(&mark);
            rest = after;
        }
    }
    if rest == 0 {
        return Cow::Borrowed(text);
    }
    out.push_str(&text[rest..]);
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Characters of every class that must not be shown as they are, by number and apart from the
    /// tables that the code reads.
    fn is_forbidden(c: char) -> bool {
        let number = u32::from(c);
        c.is_control()
            || number & 0xfffe == 0xfffe
            || matches!(number,
                0xad | 0x34f | 0x61c | 0x115f | 0x1160 | 0x17b4 | 0x17b5 | 0x180b..=0x180f
                | 0x200b..=0x200f | 0x2028..=0x202e | 0x2060..=0x206f | 0x3164
                | 0xe000..=0xf8ff | 0xfdd0..=0xfdef | 0xfe00..=0xfe0f | 0xfeff | 0xffa0
                | 0xfff0..=0xfffb | 0x1bca0..=0x1bca3 | 0x1d173..=0x1d17a
                | 0xe0000..=0xe0fff | 0xf0000..=0x10ffff)
    }

    /// Text in which hidden characters are frequent.
    fn outside() -> impl Strategy<Value = String> {
        let numbers = prop_oneof![
            0_u32..0xa0,
            0x200a_u32..0x2070,
            0xfdd0_u32..0x1_0000,
            0xe_0000_u32..0xe_1000,
            0x1_f300_u32..0x1_f600,
        ];
        let hidden = numbers.prop_filter_map("a surrogate", char::from_u32);
        let any = prop_oneof![hidden, any::<char>(), Just('\r'), Just('\n'), Just('⚠')];
        prop::collection::vec(any, 0..60).prop_map(String::from_iter)
    }

    /// The first character that is not shown as it should, but for the selector after a pictograph.
    fn first_forbidden(text: &str, stays: &str) -> Option<char> {
        let mut before = None;
        text.chars().find(|&c| {
            let is_selector = c == '\u{fe0f}' && before.is_some_and(|b: char| b > '\u{a8}');
            before = Some(c);
            is_forbidden(c) && !is_selector && !stays.contains(c)
        })
    }

    #[test]
    fn every_forbidden_character_is_hidden_and_letters_are_not() {
        for c in ('\0'..=char::MAX).filter(|&c| is_forbidden(c)) {
            assert!(is_hidden(c), "{c:?}");
            assert_eq!(visible(&c.to_string()), c.escape_default().to_string());
        }
        for text in [
            "push the red block, 3 < 4 & \"so\"",
            "naïve Größe ñ e\u{301}",
            "抓取 واحد שלום हिन्दी ไทย",
            "∀x ∈ ℝ³: ‖x‖ ≥ 0 → “done”…",
            "⚠️ 🙂 ❤️ 👍🏽 1\u{a0}m",
            r"C:\new\u{202e}",
            "",
        ] {
            assert!(matches!(visible(text), Cow::Borrowed(same) if same == text));
            assert!(matches!(visible_block(text), Cow::Borrowed(_)), "{text}");
            assert!(matches!(visible_json(text), Cow::Borrowed(_)), "{text}");
            assert_eq!(visible_line(text, 100), text.replace('\u{a0}', " "));
        }
        let lines = "def f():\n\treturn 1\n";
        assert!(matches!(visible_block(lines), Cow::Borrowed(_)));
    }

    #[test]
    fn hidden_characters_are_shown_where_they_stand() {
        for (text, expected) in [
            ("\u{9b}31m", r"\u{9b}31m"),
            ("a\u{e0041}b", r"a\u{e0041}b"),
            ("1\u{fe0f}", r"1\u{fe0f}"),
            ("⚠\u{fe0f}\u{fe0f}", "⚠\u{fe0f}\\u{fe0f}"),
            ("👩\u{200d}💻", r"👩\u{200d}💻"),
            ("a\u{2028}b\u{85}c", r"a\u{2028}b\u{85}c"),
            ("\u{feff}x\u{e000}\u{fffe}", r"\u{feff}x\u{e000}\u{fffe}"),
        ] {
            assert_eq!(visible(text), expected);
            assert_eq!(visible_block(text), expected);
            assert_eq!(visible_line(text, 100), expected);
        }
        assert_eq!(
            visible_json("\"\u{e0041}\u{7f}\""),
            r#""\udb40\udc41\u007f""#
        );
    }

    #[test]
    fn no_escape_is_cut_in_two() {
        let text = "ab\u{202e}cd";
        for limit in 0..20 {
            let shown = visible_line(text, limit);
            let expected = match limit {
                0 => "…",
                1 => "a…",
                2..10 => "ab…",
                10 => "ab\\u{202e}…",
                11 => "ab\\u{202e}c…",
                _ => "ab\\u{202e}cd",
            };
            assert_eq!(shown, expected, "{limit}");
        }
    }

    proptest! {
        #[test]
        fn nothing_hidden_comes_through(text in outside(), limit in 0_usize..80) {
            prop_assert_eq!(first_forbidden(&visible(&text), ""), None);
            prop_assert_eq!(first_forbidden(&visible_block(&text), "\n\t"), None);
            prop_assert_eq!(first_forbidden(&visible_json(&text), "\n\t\r"), None);
            let line = visible_line(&text, limit);
            prop_assert_eq!(first_forbidden(&line, ""), None);
            prop_assert!(line.chars().count() <= limit + 1);
            let under = visible_under(&text, "| ");
            prop_assert!(under.lines().skip(1).all(|line| line.starts_with("| ")));
        }

        #[test]
        fn what_is_shown_stays_as_it_is(text in outside(), limit in 0_usize..80) {
            let block = visible_block(&text).into_owned();
            prop_assert!(matches!(visible_block(&block), Cow::Borrowed(_)));
            let shown = visible(&text).into_owned();
            prop_assert!(matches!(visible(&shown), Cow::Borrowed(_)));
            let line = visible_line(&text, limit);
            prop_assert_eq!(visible_line(&line, limit + 1), line);
        }

        #[test]
        fn printable_ascii_is_borrowed(text in "[ -~]{0,60}") {
            prop_assert!(matches!(visible(&text), Cow::Borrowed(_)));
            prop_assert!(matches!(visible_block(&text), Cow::Borrowed(_)));
        }
    }
}
