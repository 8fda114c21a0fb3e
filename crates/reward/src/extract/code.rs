//! What a line of Python looks like, told from prose without parsing it.

use std::ops::Range;

/// Brackets and triple quotes that are open after some lines.
#[derive(Clone, Default)]
pub(super) struct Open {
    brackets: usize,
    quotes: Option<&'static str>,
}

impl Open {
    pub(super) fn is_inside(&self) -> bool {
        self.brackets > 0 || self.quotes.is_some()
    }

    /// Reads a line; the ranges of it that are comments and strings.
    pub(super) fn read(&mut self, line: &str) -> Vec<Range<usize>> {
        let mut hidden = Vec::new();
        let mut at = 0;
        while at < line.len() {
            if let Some(quotes) = self.quotes {
                let end = line[at..].find(quotes);
                let end = end.map(|end| at + end + quotes.len());
                hidden.push(at..end.unwrap_or(line.len()));
                let Some(end) = end else {
                    return hidden;
                };
                self.quotes = None;
                at = end;
                continue;
            }
            let Some(next) = line[at..].find(['#', '"', '\'', '(', '[', '{', ')', ']', '}']) else {
                return hidden;
            };
            at += next;
            let rest = &line[at..];
            let triple = ["\"\"\"", "'''"].into_iter().find(|q| rest.starts_with(q));
            match (rest.as_bytes()[0], triple) {
                (b'#', _) => {
                    hidden.push(at..line.len());
                    return hidden;
                }
                (_, Some(quotes)) => {
                    self.quotes = Some(quotes);
                    at += quotes.len();
                }
                (quote @ (b'"' | b'\''), None) => {
                    // One that its line does not close is an apostrophe.
                    let end = closing_quote(rest, quote);
                    if let Some(end) = end {
                        hidden.push(at..at + end);
                    }
                    at += end.unwrap_or(rest.len());
                }
                (b'(' | b'[' | b'{', _) => {
                    self.brackets += 1;
                    at += 1;
                }
                _ => {
                    self.brackets = self.brackets.saturating_sub(1);
                    at += 1;
                }
            }
        }
        hidden
    }
}

/// After the quote that closes the string at the start of `rest`.
fn closing_quote(rest: &str, quote: u8) -> Option<usize> {
    let mut bytes = rest.bytes().enumerate().skip(1);
    while let Some((at, byte)) = bytes.next() {
        match byte {
            b'\\' => drop(bytes.next()),
            byte if byte == quote => return Some(at + 1),
            _ => {}
        }
    }
    None
}

/// Whether a line defines something that only reward programs consist of.
pub(super) fn is_program_line(line: &str) -> bool {
    let line = line.trim_start();
    let lists = ["grasp_keypoints", "release_keypoints", "stage_names"];
    line.starts_with("num_stages")
        || lists.iter().any(|name| {
            let rest = line.strip_prefix(name).map(str::trim_start);
            rest.is_some_and(|rest| rest.starts_with([':', '=']))
        })
        || line
            .strip_prefix("async ")
            .unwrap_or(line)
            .strip_prefix("def")
            .is_some_and(|rest| rest.trim_start().starts_with("stage"))
}

/// Whether a line defines anything that a reward program consists of.
pub(super) fn is_program(text: &str) -> bool {
    text.lines().any(is_program_line)
}

/// Whether a line that is not indented can belong to a program, rather than be a sentence.
pub(super) fn is_code_at_margin(line: &str) -> bool {
    let line = line.trim_end();
    let words = [
        "def ",
        "async def ",
        "class ",
        "if __name__",
        "else:",
        "pass",
    ];
    let marks = ['#', '@', ')', ']', '}', '"', '\''];
    if line.starts_with(marks) || words.iter().any(|word| line.starts_with(word)) {
        return true;
    }
    if line.starts_with("import ") || line.starts_with("from ") {
        return is_import(line);
    }
    // The head of a block, which holds signs that sentences before a colon lack.
    let heads = [
        "if ", "elif ", "for ", "while ", "with ", "match ", "assert ",
    ];
    if heads.iter().any(|head| line.starts_with(head)) {
        let code = line.split('#').next().unwrap_or(line).trim_end();
        let is_block = code.ends_with(':') || line.starts_with("assert ");
        return is_block && code.contains(['(', '[', '=', '<', '>', '_', '.']);
    }
    if matches!(line, "try:" | "finally:") || line.starts_with("except") {
        return line.ends_with(':');
    }
    // An assignment, or a call by itself.
    let target = line
        .find(['=', '('])
        .map_or("", |end| line[..end].trim_end());
    let target = target.trim_end_matches(['+', '-', '*', '/']).trim_end();
    let (names, annotation) = target.split_once(':').unwrap_or((target, ""));
    let is_name = |name: &str| {
        let name = name.trim();
        name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && name
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.'))
    };
    names.split(',').all(is_name) && is_annotation(annotation)
}

/// Whether what follows a colon is a type: words stand apart inside brackets and around `|` only.
fn is_annotation(text: &str) -> bool {
    let mut depth = 0_usize;
    let outside: String = text
        .chars()
        .filter(|&c| {
            match c {
                '[' => depth += 1,
                ']' => depth = depth.saturating_sub(1),
                _ => {}
            }
            depth == 0
        })
        .collect();
    depth == 0 && outside.split('|').all(|part| !part.trim().contains(' '))
}

/// Whether a line that begins like an import is one.
pub(super) fn is_import(line: &str) -> bool {
    let is_path = |path: &str| {
        !path.is_empty()
            && path
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | ' ' | ',' | '*'))
    };
    if let Some(modules) = line.strip_prefix("import ") {
        let modules = modules.split('#').next().unwrap_or(modules);
        return modules.split(',').all(|module| {
            let words: Vec<&str> = module.split_whitespace().collect();
            is_path(module) && (words.len() == 1 || words.get(1) == Some(&"as"))
        });
    }
    line.strip_prefix("from ")
        .and_then(|rest| rest.split_once(" import "))
        .is_some_and(|(module, names)| !module.contains(' ') && !names.trim().is_empty())
}

/// The name that a definition or assignment at the margin gives a value to.
pub(super) fn defined_name(line: &str) -> Option<&str> {
    let line = line.strip_prefix("async ").unwrap_or(line);
    let rest = ["def ", "class "]
        .iter()
        .find_map(|word| line.strip_prefix(word))
        .or_else(|| {
            let is_assignment = is_code_at_margin(line)
                && line
                    .find(['=', '('])
                    .is_some_and(|at| line[at..].starts_with('=') && !line[at..].starts_with("=="));
            is_assignment.then_some(line)
        })?
        .trim_start();
    let end = rest
        .find(|c: char| !c.is_alphanumeric() && c != '_')
        .unwrap_or(rest.len());
    (end > 0).then(|| &rest[..end])
}

/// The number of blanks that a line begins with.
pub(super) fn indent(line: &str) -> usize {
    line.bytes()
        .take_while(|b| matches!(b, b' ' | b'\t'))
        .count()
}
