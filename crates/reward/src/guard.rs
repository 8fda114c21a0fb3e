//! Refuses text that would take the parser too deep, before it is parsed.

use crate::diagnostic::{Draft, Kind, Span};

/// Checks that no place in `source` lies deeper than `limit`.
///
/// Depth counts open brackets, indentation and, at each open level, the tokens since the last
/// comma or line end, because chains such as `- - - x` or `a.b.c` nest as deeply as brackets do.
pub(crate) fn check_nesting(source: &str, limit: usize) -> Result<(), Draft> {
    let bytes = source.as_bytes();
    // Tokens since the last separator, at the statement level and in each open bracket.
    let mut levels: Vec<usize> = vec![0];
    let mut total = 0;
    let mut indents: Vec<usize> = vec![0];
    let mut at = 0;
    let mut line_start = true;
    while at < bytes.len() {
        if line_start && levels.len() == 1 {
            line_start = false;
            track_indent(bytes, &mut at, &mut indents);
            continue;
        }
        let byte = bytes[at];
        let start = at;
        at += 1;
        match byte {
            // The lexer also ends lines at a lone carriage return.
            b'\n' | b'\r' => {
                line_start = true;
                if levels.len() == 1 {
                    total -= levels[0];
                    levels[0] = 0;
                }
                continue;
            }
            b' ' | b'\t' | b'\x0c' => continue,
            b'\\' if matches!(bytes.get(at), Some(b'\n' | b'\r')) => {
                at += if bytes[at..].starts_with(b"\r\n") {
                    2
                } else {
                    1
                };
                continue;
            }
            b'#' => {
                while at < bytes.len() && !matches!(bytes[at], b'\n' | b'\r') {
                    at += 1;
                }
                continue;
            }
            b'"' | b'\'' => at = skip_string(bytes, start),
            b'(' | b'[' | b'{' => levels.push(0),
            b')' | b']' | b'}' if levels.len() > 1 => total -= levels.pop().unwrap_or(0),
            b',' | b';' => {
                if let Some(level) = levels.last_mut() {
                    total -= *level;
                    *level = 0;
                }
                continue;
            }
            _ if is_word(byte) => {
                while at < bytes.len() && is_word(bytes[at]) {
                    at += 1;
                }
                if matches!(bytes.get(at), Some(b'"' | b'\'')) {
                    refuse_interpolation(source, start, at)?;
                }
            }
            _ => {}
        }
        if let Some(level) = levels.last_mut() {
            *level += 1;
        }
        total += 1;
        // Brackets weigh more: each goes through the whole chain of precedence levels.
        let depth = total + 4 * (levels.len() - 1) + 4 * (indents.len() - 1);
        if depth > limit {
            let span = Span {
                start: start as u32,
                end: at as u32,
            };
            return Err(
                Draft::new(Kind::Limit, span, "this expression is nested too deeply")
                    .expected(format!(
                        "at most {limit} operators and brackets inside one another"
                    ))
                    .help("split the expression into several assignments"),
            );
        }
    }
    Ok(())
}

/// Interpolated strings hold expressions of their own, which this scan does not look into.
fn refuse_interpolation(source: &str, start: usize, end: usize) -> Result<(), Draft> {
    let prefix = source.get(start..end).unwrap_or_default();
    if prefix.len() > 2 || !prefix.contains(['f', 'F', 't', 'T']) {
        return Ok(());
    }
    let span = Span {
        start: start as u32,
        end: end as u32,
    };
    Err(Draft::new(
        Kind::Unsupported,
        span,
        "f-strings are not part of the reward language",
    )
    .help("remove it: a reward is computed from numbers and tensors only"))
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

/// Reads the blanks at the start of a line and keeps the stack of indentation levels.
fn track_indent(bytes: &[u8], at: &mut usize, indents: &mut Vec<usize>) {
    let mut width = 0;
    while let Some(byte) = bytes
        .get(*at)
        .filter(|b| matches!(b, b' ' | b'\t' | b'\x0c'))
    {
        width += if *byte == b'\t' { 8 } else { 1 };
        *at += 1;
    }
    if matches!(bytes.get(*at), None | Some(b'\n' | b'\r' | b'#')) {
        return;
    }
    while indents.last().is_some_and(|&last| last > width) {
        indents.pop();
    }
    if indents.last().is_none_or(|&last| last < width) {
        indents.push(width);
    }
}

/// The end of the string literal that starts at `start`. An unclosed one ends with its line.
fn skip_string(bytes: &[u8], start: usize) -> usize {
    let quote = bytes[start];
    let triple = bytes.get(start + 1) == Some(&quote) && bytes.get(start + 2) == Some(&quote);
    let mut at = start + if triple { 3 } else { 1 };
    while at < bytes.len() {
        match bytes[at] {
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
    fn deep_indentation_is_refused() {
        let text: String = (0..200)
            .map(|level| format!("{}if x:\n", " ".repeat(level)))
            .collect();
        assert!(check_nesting(&text, 200).is_err());
    }
}
