//! Refuses text that would take the parser too deep, before it is parsed.
//!
//! The scan sees tokens, strings and indentation as the parser's own lexer does. Where the parser
//! goes on after a mistake, the scan counts at least as deep as the parser can get.

mod interpolated;

use std::cmp::Ordering;

use crate::diagnostic::{Draft, Kind, Span};
use interpolated::{Field, Prefix, prefix};

/// Bytes of one name or number.
const MAX_WORD: usize = 200;
/// What a bracket, a level of indentation or an open `lambda` weighs: each goes through the
/// whole chain of precedence levels.
const WEIGHT: usize = 4;

/// The statement level or an open bracket.
#[derive(Default)]
struct Level {
    /// Tokens since the last separator.
    tokens: usize,
    /// What stays open beyond separators: `lambda`, `yield`, blocks after a mistake.
    held: usize,
    /// The bracket that closes it.
    closing: u8,
}

/// The blanks before a line. The lexer compares both measures.
#[derive(Clone, Copy, Default)]
struct Indent {
    column: usize,
    characters: usize,
}

/// Checks that no place in `source` lies deeper than `limit`, and what else the scan finds.
///
/// Depth counts open brackets, indentation and, at each open level, the tokens since the last
/// comma or line end, because chains such as `- - - x` or `a.b.c` nest as deeply as brackets do.
pub(crate) fn check_nesting(source: &str, limit: usize) -> Result<(), Draft> {
    let mut scan = Scan {
        bytes: source.as_bytes(),
        at: 0,
        levels: vec![Level::default()],
        fields: Vec::new(),
        total: 0,
        indents: vec![Indent::default()],
    };
    if let Some(at) = source.find('\0') {
        return Err(not_python(at, at + 1, "the text holds a NUL character").help("remove it"));
    }
    scan.line_start()?;
    while scan.at < scan.bytes.len() {
        let start = scan.at;
        if !scan.token()? {
            continue;
        }
        if let Some(level) = scan.levels.last_mut() {
            level.tokens += 1;
        }
        scan.total += 1;
        let depth = scan.total + WEIGHT * (scan.levels.len() + scan.indents.len() - 2);
        if depth > limit {
            return Err(Draft::new(
                Kind::Limit,
                span(start, scan.at),
                "this expression is nested too deeply",
            )
            .expected(format!(
                "at most {limit} operators and brackets inside one another"
            ))
            .help("split the expression into several assignments"));
        }
    }
    if scan.fields.is_empty() {
        Ok(())
    } else {
        Err(scan.not_closed("an f-string is not closed"))
    }
}

struct Scan<'s> {
    bytes: &'s [u8],
    at: usize,
    levels: Vec<Level>,
    /// Open fields of f-strings.
    fields: Vec<Field>,
    /// Tokens and held weight of all open levels.
    total: usize,
    indents: Vec<Indent>,
}

impl Scan<'_> {
    /// Goes past one token or separator; whether it counts.
    fn token(&mut self) -> Result<bool, Draft> {
        let start = self.at;
        let byte = self.bytes[start];
        self.check_field(byte)?;
        self.at += 1;
        match byte {
            // The lexer also ends lines at a lone carriage return.
            b'\n' | b'\r' => {
                self.line_end(start);
                self.line_start()?;
                return Ok(false);
            }
            b' ' | b'\t' | b'\x0c' => return Ok(false),
            b'\\' if self.at_line_end() => {
                self.skip_line_end();
                return Ok(false);
            }
            b'#' => {
                self.skip_while(|byte| !matches!(byte, b'\n' | b'\r'));
                return Ok(false);
            }
            b'"' | b'\'' => self.at = skip_string(self.bytes, start),
            b'(' => self.open(b')'),
            b'[' => self.open(b']'),
            b'{' => self.open(b'}'),
            b'}' if self.at_field_level() => self.close_field()?,
            b':' if self.at_field_level() => self.format()?,
            b')' | b']' | b'}' => self.close(byte),
            b',' | b';' => {
                if let Some(level) = self.levels.last_mut() {
                    self.total -= level.tokens;
                    level.tokens = 0;
                }
                return Ok(false);
            }
            _ if is_word(byte) => {
                self.skip_while(is_word);
                self.word(start)?;
            }
            _ => {}
        }
        Ok(true)
    }

    fn skip_while(&mut self, skipped: impl Fn(u8) -> bool) {
        while self.bytes.get(self.at).copied().is_some_and(&skipped) {
            self.at += 1;
        }
    }

    fn at_line_end(&self) -> bool {
        matches!(self.bytes.get(self.at), Some(b'\n' | b'\r'))
    }

    fn skip_line_end(&mut self) {
        let is_pair = self.bytes[self.at..].starts_with(b"\r\n");
        self.at += if is_pair { 2 } else { 1 };
    }

    fn open(&mut self, closing: u8) {
        self.levels.push(Level {
            closing,
            ..Level::default()
        });
    }

    /// A bracket that fits no open one closes nothing: the parser may skip it.
    fn close(&mut self, byte: u8) {
        if self.levels.len() > 1
            && let Some(level) = self.levels.pop_if(|level| level.closing == byte)
        {
            self.total -= level.tokens + level.held;
        }
    }

    fn hold(&mut self) {
        if let Some(level) = self.levels.last_mut() {
            level.held += WEIGHT;
            self.total += WEIGHT;
        }
    }

    fn word(&mut self, start: usize) -> Result<(), Draft> {
        let word = &self.bytes[start..self.at];
        if word.len() > MAX_WORD {
            return Err(Draft::new(
                Kind::Limit,
                span(start, self.at),
                "this name or number is too long",
            )
            .expected(format!("at most {MAX_WORD} bytes"))
            .found(format!("{} bytes", word.len()))
            .help("use a shorter one"));
        }
        // Digits before a keyword do not make it a name.
        if word.ends_with(b"lambda") || word.ends_with(b"yield") {
            self.hold();
        }
        if matches!(self.bytes.get(self.at), Some(b'"' | b'\''))
            && let Prefix::Interpolated = prefix(word, start, self.at)?
        {
            self.open_interpolated()?;
        }
        Ok(())
    }

    fn line_end(&mut self, end: usize) {
        let in_brackets = self.levels.len() > 1;
        // A parser that has given up on a bracket takes this for the start of a block.
        if in_brackets && self.bytes[..end].ends_with(b":") {
            self.hold();
        } else if !in_brackets && let Some(level) = self.levels.last_mut() {
            self.total -= level.tokens + level.held;
            *level = Level::default();
        }
    }

    /// Reads the blanks at the start of a line and keeps the stack of indentation levels.
    fn line_start(&mut self) -> Result<(), Draft> {
        let start = self.at;
        let mut indent = Indent::default();
        while let Some(&byte) = self.bytes.get(self.at) {
            self.at += 1;
            match byte {
                b' ' => indent.column += 1,
                // The lexer's tabs are two columns wide.
                b'\t' => indent.column += 2 - indent.column % 2,
                b'\x0c' => {
                    indent = Indent::default();
                    continue;
                }
                b'\\' if self.at_line_end() => {
                    self.skip_line_end();
                    if indent.characters > 0 {
                        self.skip_while(|byte| matches!(byte, b' ' | b'\t' | b'\x0c'));
                    }
                    continue;
                }
                _ => {
                    self.at -= 1;
                    break;
                }
            }
            indent.characters += 1;
        }
        let blank = matches!(self.bytes.get(self.at), None | Some(b'\n' | b'\r' | b'#'));
        if blank || self.levels.len() > 1 {
            return Ok(());
        }
        if self.bytes[self.at] == b'\\' {
            let message = "a backslash goes at the end of a line";
            return Err(not_python(self.at, self.at + 1, message)
                .help("move it to the end of the line above, or remove it"));
        }
        let mut closed = false;
        while let Some(last) = self.indents.last() {
            let order = last.column.cmp(&indent.column);
            if order != last.characters.cmp(&indent.characters) {
                return Err(indentation(start, self.at, "mixes tabs and spaces"));
            }
            match order {
                Ordering::Equal => break,
                Ordering::Less if closed => {
                    return Err(indentation(start, self.at, "matches no block around it"));
                }
                Ordering::Less => {
                    self.indents.push(indent);
                    break;
                }
                Ordering::Greater => {
                    self.indents.pop();
                    closed = true;
                }
            }
        }
        Ok(())
    }
}

fn span(start: usize, end: usize) -> Span {
    Span {
        start: start as u32,
        end: end as u32,
    }
}

fn not_python(start: usize, end: usize, what: &str) -> Draft {
    let message = format!("this is not Python: {what}");
    Draft::new(Kind::Syntax, span(start, end), message)
}

fn indentation(start: usize, end: usize, what: &str) -> Draft {
    not_python(start, end, &format!("the indentation {what}"))
        .help("indent with four blanks at each level, and with no tabs")
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

/// The end of the string literal that starts at `start`. An unclosed one ends with its line.
fn skip_string(bytes: &[u8], start: usize) -> usize {
    let quote = bytes[start];
    let triple = bytes.get(start + 1) == Some(&quote) && bytes.get(start + 2) == Some(&quote);
    let mut at = start + if triple { 3 } else { 1 };
    while at < bytes.len() {
        match bytes[at] {
            // An escaped line end may be two characters.
            b'\\' if bytes[at + 1..].starts_with(b"\r\n") => at += 2,
            b'\\' => at += 1,
            b'\n' | b'\r' if !triple => return at,
            byte if byte == quote => {
                if !triple {
                    return at + 1;
                }
                if bytes.get(at + 1) == Some(&quote) && bytes.get(at + 2) == Some(&quote) {
                    return at + 3;
                }
            }
            _ => {}
        }
        at += 1;
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lists_are_shallow_and_chains_are_deep() {
        let list = format!("x = [{}]\n", "0.5, ".repeat(5000));
        assert!(check_nesting(&list, 200).is_ok());
        let lines = "y = a + b * c\n".repeat(5000);
        assert!(check_nesting(&lines, 200).is_ok());
        for deep in ["(", "-", "not ", "a.b", "x if y else ", "[0][", "lambda: "] {
            let text = deep.repeat(5000);
            assert!(check_nesting(&text, 200).is_err(), "{deep}");
        }
    }

    #[test]
    fn what_hides_depth_from_a_simple_count_is_seen() {
        let hidden = [
            "lambda x, y=".repeat(100),
            "lambda x, y: ".repeat(100),
            "x = yield a, ".repeat(100),
            "f(]".repeat(100),
            format!("'\\\r\n' + {}", "(".repeat(100)),
            format!("(\n{}", "if a,:\n".repeat(100)),
            "1_0f'{x}'".to_owned(),
            "\u{20ac}rF'{x}'".to_owned(),
            "1f'{x}' + ".repeat(100),
            format!("f'{{{}x}}'", "(".repeat(100)),
            format!("f'{{x:{}'", "{y:".repeat(100)),
            format!("f'{{{}x'", "f\"{".repeat(100)),
            format!("f'{{x}}\\'{}'", "{-".repeat(100)),
            format!("f'\\N{{{}'", "{-".repeat(100)),
            format!("rf'{{x:{{{}x}}}}'", "-".repeat(200)),
        ];
        for text in hidden {
            assert!(check_nesting(&text, 200).is_err(), "{text}");
        }
        assert!(check_nesting("x = 1 if'a'else 2\ny = not'a'\n", 200).is_ok());
    }

    #[test]
    fn f_strings_are_scanned_like_brackets() {
        let sound = [
            "print(f\"{d.mean().item():.4f} over T={T}\")\n",
            "x = f'{{}} {a!r:>{width}} {b=}' f\"{d['k']}\" rf'\\d{c}'\n",
            "x = f\"\"\"a {b\n} 'c' \"d\" {e:{f}.{g}}\"\"\"\n",
            "x = f\"{d[\"a\"]} {'{'} {', '.join(f'{x:.3f}' for x in xs)}\"\n",
        ];
        for text in sound {
            assert!(check_nesting(&text.repeat(50), 200).is_ok(), "{text}");
        }
        let broken = [
            "f'{a'",
            "f'{a\nb}'",
            "f'a}'",
            "f'{(a}'",
            "f'{a # b}'",
            "f\"\"\"{a",
            "t'{a}'",
        ];
        for text in broken {
            assert!(check_nesting(text, 200).is_err(), "{text}");
        }
    }

    #[test]
    fn indentation_is_measured_as_the_lexer_does() {
        let deep = |line: fn(usize) -> String| (1..100).map(line).collect::<String>();
        let hidden = [
            deep(|i| format!("\\\n{}if 1:\n", " ".repeat(i))),
            deep(|i| format!("{}\x0c{}if 1:\n", " ".repeat(100 - i), " ".repeat(i))),
            deep(|i| format!("{}{}if 1:\n", "\t".repeat(100 - i), " ".repeat(2 * i))),
            deep(|i| format!("{}if 1:\n{}if 1:\n", " ".repeat(2 + i), " ".repeat(1 + i))),
            deep(|i| format!("\0\n{}if 1:\n", " ".repeat(i))),
        ];
        for text in hidden {
            assert!(check_nesting(&text, 200).is_err(), "{text}");
        }
        let plain = "def f(a,\n      b):\n    if a:\n\treturn b\n\n# x\n    return a\n";
        assert!(check_nesting(&plain.replace('\t', "        "), 200).is_ok());
        assert!(check_nesting(plain, 200).is_err(), "tabs and spaces");
    }

    #[test]
    fn deep_indentation_is_refused() {
        let text: String = (0..200)
            .map(|level| format!("{}if x:\n", " ".repeat(level)))
            .collect();
        assert!(check_nesting(&text, 200).is_err());
    }
}
