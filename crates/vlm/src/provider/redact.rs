//! Finds a key in a text, whole, in part or in a common disguise, and nothing else.
//!
//! A server echoes a key by accident: in an error, a header, a debug page. What it does on purpose
//! nothing here can undo, and need not, since it knows the key. How much of a text may go depends on
//! how much a key is unlike words:
//!
//! | key | what goes |
//! |---|---|
//! | a word or a placeholder: `none`, `EMPTY`, `not-needed`, `1234`, `sk-xxxx`, letters only and shorter than 12 (20 in one case) | nothing: it protects nobody, and an answer may well hold it |
//! | 7 to 11 characters with a digit: `sk-1234` | where it stands alone, in its very letters |
//! | 12 or more with a digit | any 8 characters of it in a row that have a digit, in any case, with all that is attached, blanks or line ends between or not |
//! | 12 or more without a digit | 16 of it in a row, or all if it is shorter |
//!
//! Disguises: percent and JSON escapes, numeric entities of HTML, blanks, line ends and invisible
//! characters between, base64 (both alphabets, also with a user name before it), hexadecimal.

use std::collections::HashSet;

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use tiller_core::{REDACTED, hexadecimal, is_hidden};

/// Characters in a row that give a key with digits away.
const WINDOW: usize = 8;
/// The same for a key without, and for base64 and hexadecimal.
const LONG_WINDOW: usize = 16;
/// Characters of a key from which on parts of it are looked for.
const LONG: usize = 12;
/// Characters of a key in letters of one case from which on it is no word.
const LONG_WORD: usize = 20;
/// Characters of a key with a digit from which on it is looked for at all.
const SHORT: usize = 7;
/// Characters, each counted once, that a placeholder such as `sk-xxxxxxxx` does not have.
const DISTINCT: usize = 5;
/// Characters of a long key that are looked for as one.
const MAX_WHOLE: usize = 64;
/// Stands for whatever no key holds.
const OTHER: u8 = 0xff;

/// Parts of a key, all of one length.
struct Rule {
    parts: HashSet<Vec<u8>>,
    width: usize,
    /// Whether upper and lower case are the same.
    folds: bool,
    /// Whether blanks may stand between.
    may_gap: bool,
    /// Whether it must stand alone.
    alone: bool,
}

/// A character of the text as it is meant, and the bytes that spell it.
struct Unit {
    byte: u8,
    start: usize,
    end: usize,
    /// Whether blanks stand before it.
    after_gap: bool,
}

/// `text` without `key`.
pub(super) fn redact(key: &str, text: &str) -> String {
    // The value of a header may be several words, each of which may be a key.
    let rules: Vec<Rule> = key.split_whitespace().flat_map(rules).collect();
    if rules.is_empty() {
        return text.to_owned();
    }
    let units = units(text);
    let exact: Vec<u8> = units.iter().map(|unit| unit.byte).collect();
    let folded = exact.to_ascii_lowercase();
    let mut shows = vec![false; units.len()];
    // Whether the units before and at a place are of one word, as far as keys go.
    let is_part = |unit: &Unit| {
        let byte = unit.byte;
        byte.is_ascii_alphanumeric()
            || b"-_*".contains(&byte)
            || (b"/+".contains(&byte) && key.as_bytes().contains(&byte))
    };
    let is_attached = |at: usize| {
        let before = at.checked_sub(1).and_then(|before| units.get(before));
        before.is_some_and(is_part)
            && units
                .get(at)
                .is_some_and(|unit| !unit.after_gap && is_part(unit))
    };
    for rule in &rules {
        let bytes = if rule.folds { &folded } else { &exact };
        for (at, part) in bytes.windows(rule.width).enumerate() {
            let end = at + rule.width;
            if rule.parts.contains(part)
                && (rule.may_gap || units[at + 1..end].iter().all(|unit| !unit.after_gap))
                && !(rule.alone && (is_attached(at) || is_attached(end)))
            {
                shows[at..end].fill(true);
            }
        }
    }
    // Too little of the key to be seen by itself may be attached, or the stars in its middle.
    for at in 1..units.len() {
        shows[at] |= shows[at - 1] && is_attached(at);
    }
    for at in (1..units.len()).rev() {
        shows[at - 1] |= shows[at] && is_attached(at);
    }
    let mut out = String::with_capacity(text.len());
    let mut copied = 0;
    for (at, unit) in units.iter().enumerate().filter(|(at, _)| shows[*at]) {
        if at == 0 || !shows[at - 1] {
            out.push_str(&text[copied..unit.start]);
            out.push_str(REDACTED);
        }
        copied = unit.end;
    }
    out.push_str(&text[copied..]);
    out
}

fn rules(key: &str) -> Vec<Rule> {
    let lower = key.to_ascii_lowercase();
    let has_digit = has_digit(lower.as_bytes());
    if distinct(lower.as_bytes()) < DISTINCT {
        return Vec::new();
    }
    let all = |is: fn(&u8) -> bool| key.as_bytes().iter().all(is);
    let is_low = |key: &[u8]| key.iter().all(u8::is_ascii_lowercase);
    // As in `none`, `None` and `NONE`.
    let one_case = all(u8::is_ascii_uppercase)
        || (all(u8::is_ascii_alphabetic) && is_low(&key.as_bytes()[1..]));
    let only_digits = all(u8::is_ascii_digit);
    let shortest = match has_digit {
        true if only_digits => LONG,
        true => SHORT,
        false if one_case => LONG_WORD,
        false => LONG,
    };
    if key.len() < shortest {
        return Vec::new();
    }
    let mut rules = vec![if key.len() < LONG {
        Rule {
            alone: true,
            ..Rule::new(key.as_bytes(), key.len(), false)
        }
    } else {
        let beginning = &lower.as_bytes()[..key.len().min(MAX_WHOLE)];
        let mut whole = Rule::new(beginning, MAX_WHOLE, true);
        whole.may_gap = has_digit;
        whole
    }];
    if key.len() >= LONG && has_digit {
        let mut parts = Rule::new(lower.as_bytes(), WINDOW, true);
        parts
            .parts
            .retain(|part| self::has_digit(part) && distinct(part) >= DISTINCT);
        parts.may_gap = true;
        rules.push(parts);
    } else if key.len() >= LONG {
        rules.push(Rule::new(lower.as_bytes(), LONG_WINDOW, true));
    }
    let mut encoded = Rule::new(hexadecimal(key.as_bytes()).as_bytes(), LONG_WINDOW, true);
    encoded.may_gap = true;
    rules.push(encoded);
    // Before the key may stand any number of bytes; three cases tell how they shift it.
    for shift in 0..3 {
        let bytes = [&[0; 2][..shift], key.as_bytes()].concat();
        let text = STANDARD_NO_PAD.encode(&bytes);
        // The first characters hold bits of what is before, the last of what comes after.
        let own = &text[(shift * 8).div_ceil(6)..bytes.len() * 8 / 6];
        for text in [own.to_owned(), own.replace('+', "-").replace('/', "_")] {
            let mut encoded = Rule::new(text.as_bytes(), LONG_WINDOW, false);
            encoded.may_gap = true;
            rules.push(encoded);
        }
    }
    rules.retain(|rule| rule.width >= SHORT && !rule.parts.is_empty());
    rules
}

impl Rule {
    /// All parts of a text of a width, or the text if it is shorter.
    fn new(text: &[u8], width: usize, folds: bool) -> Self {
        let width = width.min(text.len());
        Self {
            parts: text.windows(width.max(1)).map(<[u8]>::to_vec).collect(),
            width,
            folds,
            may_gap: false,
            alone: false,
        }
    }
}

fn has_digit(bytes: &[u8]) -> bool {
    bytes.iter().any(u8::is_ascii_digit)
}

fn distinct(bytes: &[u8]) -> usize {
    let letters = bytes.iter().filter(|byte| byte.is_ascii_alphanumeric());
    letters.collect::<HashSet<_>>().len()
}

/// The text as it is meant: escapes undone, blanks and what is invisible left out.
fn units(text: &str) -> Vec<Unit> {
    let mut units = Vec::with_capacity(text.len());
    let (mut at, mut after_gap) = (0, false);
    while let Some(c) = text[at..].chars().next() {
        let (meant, length) = escape(&text.as_bytes()[at..]).unwrap_or((c, c.len_utf8()));
        let start = at;
        at += length;
        if meant.is_whitespace() || is_hidden(meant) {
            after_gap = true;
            continue;
        }
        let byte = match meant {
            // What stands for the middle of a key that is told in part.
            '\u{2026}' | '\u{2022}' | '\u{25cf}' => b'*',
            _ if meant.is_ascii() => meant as u8,
            _ => OTHER,
        };
        units.push(Unit {
            byte,
            start,
            end: at,
            after_gap,
        });
        after_gap = false;
    }
    units
}

/// The character that an escape at the beginning means, and the bytes of the escape.
fn escape(bytes: &[u8]) -> Option<(char, usize)> {
    let number = |digits: &[u8], radix: u32| {
        let digits = std::str::from_utf8(digits).ok()?;
        // Signs are no digits, though they are read as some.
        let is_sound = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        let code = u32::from_str_radix(digits, radix).ok()?;
        char::from_u32(code).filter(|c| is_sound && c.is_ascii())
    };
    match bytes {
        [b'%', a, b, ..] => Some((number(&[*a, *b], 16)?, 3)),
        [b'\\', b'u', rest @ ..] => Some((number(rest.get(..4)?, 16)?, 6)),
        [b'\\', b'x', a, b, ..] => Some((number(&[*a, *b], 16)?, 4)),
        [b'\\', b'n' | b'r' | b't', ..] => Some(('\n', 2)),
        [b'\\', c @ (b'/' | b'"' | b'\'' | b'\\'), ..] => Some((*c as char, 2)),
        [b'&', b'#', rest @ ..] => {
            let length = rest.iter().take(6).position(|byte| *byte == b';')?;
            let c = match &rest[..length] {
                [b'x' | b'X', digits @ ..] => number(digits, 16),
                digits => number(digits, 10),
            };
            Some((c?, length + 3))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests;
