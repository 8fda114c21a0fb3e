//! Finds the program in a chat answer: fences and prose go, spans still lead back.

use std::ops::Range;

use crate::diagnostic::Span;

const NON_BREAKING_SPACE: char = '\u{a0}';

/// What closes the part of an answer in which a model thinks aloud.
const THOUGHT_ENDS: [&str; 3] = ["</think>", "</thinking>", "</reasoning>"];

/// Python text cut out of a larger text.
#[derive(Debug)]
pub(crate) struct Extracted {
    /// The Python text alone.
    pub(crate) python: String,
    /// `(start in python, start in the original)` of each piece, ascending.
    pieces: Vec<(usize, usize)>,
}

impl Extracted {
    /// The byte range of the original text that `span` came from.
    pub(crate) fn original(&self, span: Span, text: &str) -> Range<usize> {
        let start = self.original_offset(span.start as usize);
        // The end belongs to the piece of the last byte, not to the piece after it.
        let last = (span.end as usize).max(span.start as usize + 1) - 1;
        let end = if span.end > span.start {
            self.original_offset(last) + 1
        } else {
            start
        };
        let clip = |offset: usize| {
            let mut offset = offset.min(text.len());
            while !text.is_char_boundary(offset) {
                offset += 1;
            }
            offset
        };
        clip(start)..clip(end.max(start))
    }

    fn original_offset(&self, offset: usize) -> usize {
        let after = self.pieces.partition_point(|&(start, _)| start <= offset);
        match self.pieces.get(after.wrapping_sub(1)) {
            Some(&(python, original)) => original + (offset - python),
            None => 0,
        }
    }

    /// Adds a line of the original. Non-breaking spaces, which some editors leave in code, become
    /// plain ones.
    fn push_line(&mut self, text: &str, range: Range<usize>) {
        let mut start = range.start;
        for piece in text[range].split_inclusive(NON_BREAKING_SPACE) {
            self.pieces.push((self.python.len(), start));
            start += piece.len();
            match piece.strip_suffix(NON_BREAKING_SPACE) {
                Some(before) => {
                    self.python.push_str(before);
                    self.pieces
                        .push((self.python.len(), start - NON_BREAKING_SPACE.len_utf8()));
                    self.python.push(' ');
                }
                None => self.python.push_str(piece),
            }
        }
        if !self.python.ends_with('\n') {
            self.python.push('\n');
        }
    }
}

/// The program in `text`, or `None` if nothing in it looks like one. What a model thought aloud
/// counts only if its answer holds no program.
pub(crate) fn extract(text: &str) -> Option<Extracted> {
    let answer = THOUGHT_ENDS
        .iter()
        .filter_map(|end| Some(text.rfind(end)? + end.len()))
        .max();
    answer
        .and_then(|start| extract_from(text, start))
        .or_else(|| extract_from(text, 0))
}

fn extract_from(text: &str, start: usize) -> Option<Extracted> {
    let lines = line_ranges(text, start);
    let blocks = fenced_blocks(text, &lines);
    let mut extracted = Extracted {
        python: String::new(),
        pieces: Vec::new(),
    };
    let chosen: Vec<Range<usize>> = blocks
        .into_iter()
        .filter(|block| is_program(text, &lines[block.clone()]))
        .collect();
    if chosen.is_empty() {
        for range in plain_program(text, &lines)? {
            extracted.push_line(text, range);
        }
        return Some(extracted);
    }
    for block in chosen {
        let block = &lines[block];
        let indent = common_indent(text, block);
        for line in block {
            let start = line.start + indent.min(blank_prefix(&text[line.clone()]));
            extracted.push_line(text, start..line.end);
        }
    }
    Some(extracted)
}

fn line_ranges(text: &str, start: usize) -> Vec<Range<usize>> {
    let start = if text[start..].starts_with('\u{feff}') {
        start + '\u{feff}'.len_utf8()
    } else {
        start
    };
    let mut at = start;
    text[start..]
        .split_inclusive('\n')
        .map(|line| {
            at += line.len();
            at - line.len()..at
        })
        .collect()
}

/// The fence that opens or closes a block on this line, with its marker and length.
fn fence(line: &str) -> Option<(char, usize)> {
    let line = line.trim_start();
    let marker = line.chars().next().filter(|c| matches!(c, '`' | '~'))?;
    let length = line.chars().take_while(|&c| c == marker).count();
    // Inline code may use as many backticks as a fence.
    let is_inline = marker == '`' && line[length..].contains('`');
    (length >= 3 && !is_inline).then_some((marker, length))
}

/// Ranges of line numbers inside fences. An unclosed fence runs to the end.
fn fenced_blocks(text: &str, lines: &[Range<usize>]) -> Vec<Range<usize>> {
    let mut blocks = Vec::new();
    let mut open: Option<(char, usize, usize)> = None;
    for (number, line) in lines.iter().enumerate() {
        let line = &text[line.clone()];
        match (open, fence(line)) {
            (None, Some((marker, length))) => open = Some((marker, length, number + 1)),
            (Some((marker, length, first)), Some((other, closing)))
                if marker == other
                    && closing >= length
                    && line.trim().chars().all(|c| c == marker) =>
            {
                blocks.push(first..number);
                open = None;
            }
            _ => {}
        }
    }
    if let Some((_, _, first)) = open {
        blocks.push(first..lines.len());
    }
    blocks
}

/// Whether a block defines anything that a reward program consists of.
fn is_program(text: &str, lines: &[Range<usize>]) -> bool {
    lines.iter().any(|line| {
        let line = text[line.clone()].trim_start();
        line.starts_with("num_stages")
            || line
                .strip_prefix("def")
                .is_some_and(|rest| rest.trim_start().starts_with("stage"))
    })
}

/// A program without fences: prose before, between and after its parts is left out.
fn plain_program(text: &str, lines: &[Range<usize>]) -> Option<Vec<Range<usize>>> {
    if !is_program(text, lines) {
        return None;
    }
    let first = lines
        .iter()
        .position(|line| opens_program(&text[line.clone()]))?;
    let mut kept = Vec::new();
    let mut open = Open::default();
    let mut in_prose = false;
    for line in &lines[first..] {
        let code = &text[line.clone()];
        if !open.is_inside() {
            let is_indented =
                code.starts_with([' ', '\t', NON_BREAKING_SPACE]) || code.trim().is_empty();
            in_prose = if is_indented {
                in_prose
            } else {
                !is_code_at_margin(code)
            };
        }
        if !in_prose {
            open.read(code);
            kept.push(line.clone());
        }
    }
    Some(kept)
}

/// Brackets and triple quotes that are open after some lines.
#[derive(Default)]
struct Open {
    brackets: usize,
    quotes: Option<&'static str>,
}

impl Open {
    fn is_inside(&self) -> bool {
        self.brackets > 0 || self.quotes.is_some()
    }

    fn read(&mut self, line: &str) {
        let mut rest = line;
        loop {
            if let Some(quotes) = self.quotes {
                let Some(end) = rest.find(quotes) else {
                    return;
                };
                self.quotes = None;
                rest = &rest[end + quotes.len()..];
                continue;
            }
            let Some(at) = rest.find(['#', '"', '\'', '(', '[', '{', ')', ']', '}']) else {
                return;
            };
            rest = &rest[at..];
            let triple = ["\"\"\"", "'''"].into_iter().find(|q| rest.starts_with(q));
            let mut length = 1;
            match (rest.as_bytes()[0], triple) {
                (b'#', _) => return,
                (_, Some(quotes)) => {
                    self.quotes = Some(quotes);
                    length = quotes.len();
                }
                (quote @ (b'"' | b'\''), None) => {
                    let end = rest[1..].find(char::from(quote));
                    length = end.map_or(rest.len(), |end| end + 2);
                }
                (b'(' | b'[' | b'{', _) => self.brackets += 1,
                _ => self.brackets = self.brackets.saturating_sub(1),
            }
            rest = &rest[length..];
        }
    }
}

fn opens_program(line: &str) -> bool {
    let starts = ["num_stages", "import ", "from ", "def ", "#", "\"\"\"", "@"];
    starts.iter().any(|start| line.starts_with(start)) && is_code_at_margin(line)
}

/// Whether a line that is not indented can belong to a program, rather than be a sentence.
fn is_code_at_margin(line: &str) -> bool {
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
    if let Some((module, names)) = line
        .strip_prefix("from ")
        .and_then(|rest| rest.split_once(" import "))
    {
        return !module.contains(' ') && !names.trim().is_empty();
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
    names.split(',').all(is_name) && !annotation.trim().contains(' ')
}

fn blank_prefix(line: &str) -> usize {
    line.bytes()
        .take_while(|b| matches!(b, b' ' | b'\t'))
        .count()
}

fn common_indent(text: &str, lines: &[Range<usize>]) -> usize {
    lines
        .iter()
        .map(|line| &text[line.clone()])
        .filter(|line| !line.trim().is_empty())
        .map(blank_prefix)
        .min()
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_the_program_out_of_a_chat_answer() {
        let text = "Sure!\r\n\r\n1. Do this:\n   ```python\n   num_stages = 1\n   def stage1_guidance(k, a):\n       return a\n   ```\nHope it helps.\n```bash\nls\n```\n";
        let extracted = extract(text).unwrap();
        assert_eq!(
            extracted.python,
            "num_stages = 1\ndef stage1_guidance(k, a):\n    return a\n"
        );
        let start = extracted.python.find("return").unwrap() as u32;
        let range = extracted.original(
            Span {
                start,
                end: start + 6,
            },
            text,
        );
        assert_eq!(&text[range], "return");
    }

    #[test]
    fn prose_without_fences_is_left_out() {
        let text = "Here is the program you asked for\nnum_stages = 1\ndef stage1_guidance(k, a):\n  return 0\n\nThis keeps the arm still.\n";
        let extracted = extract(text).unwrap();
        assert!(extracted.python.starts_with("num_stages"));
        assert!(extracted.python.trim_end().ends_with("return 0"));
    }

    #[test]
    fn several_blocks_are_joined_and_an_open_fence_runs_on() {
        let text =
            "```\nnum_stages = 2\n```\nand\n~~~py\ndef stage1_guidance(k, a):\n    return 0\n";
        let extracted = extract(text).unwrap();
        assert_eq!(
            extracted.python,
            "num_stages = 2\ndef stage1_guidance(k, a):\n    return 0\n"
        );
    }

    #[test]
    fn programs_are_found_in_every_kind_of_answer() {
        const PROGRAM: &str = "num_stages = 1\ndef stage1_guidance(k, a):\n    return a.sum()\n";
        let fenced = |open: &str, close: &str| format!("Sure.\n{open}\n{PROGRAM}{close}\nDone.");
        let nbsp = PROGRAM.replace("    return a", "\u{a0}\u{a0}\u{a0}\u{a0}return\u{a0}a");
        let prose = "Let\u{2019}s go\u{a0}\u{2013} here\u{2019}s \u{201c}it\u{201d}:";
        let cases = [
            ("bare", PROGRAM.to_owned()),
            ("python", fenced("```python", "```")),
            ("py", fenced("```py", "```")),
            ("Python", fenced("```Python", "```")),
            (
                "python3 with attributes",
                fenced("```python3 title=\"x\"", "```"),
            ),
            ("no language", fenced("```", "```")),
            ("tildes", fenced("~~~", "~~~")),
            ("longer fence", fenced("````python", "````")),
            ("space before the language", fenced("``` python", "```  ")),
            ("unclosed", format!("```python\n{PROGRAM}")),
            ("indented", fenced("  ```python", "  ```")),
            ("byte order mark", format!("\u{feff}{PROGRAM}")),
            (
                "byte order mark and fence",
                format!("\u{feff}```python\n{PROGRAM}```"),
            ),
            (
                "typographic prose",
                format!("{prose}\n```python\n{PROGRAM}```\n{prose}"),
            ),
            (
                "typographic prose without fences",
                format!("{prose}\n{PROGRAM}\n{prose}\n"),
            ),
            (
                "inline code before",
                format!("Use ```num_stages = 1``` first.\n{PROGRAM}"),
            ),
            (
                "other blocks",
                format!("```bash\nls\n```\n```python\n{PROGRAM}```\n```\n1\n```"),
            ),
            (
                "thoughts",
                format!("<think>\n```python\nnum_stages = 7\n```\n</think>\n{PROGRAM}"),
            ),
            (
                "only thoughts",
                format!("<think>\n{PROGRAM}</think>\nThat is all."),
            ),
            (
                "thoughts without fences",
                format!("<thinking>num_stages = 7\n</thinking>\n{PROGRAM}"),
            ),
            (
                "bullets",
                format!("- first, reach\n* then stop\n1. done\n{PROGRAM}"),
            ),
            ("non-breaking spaces in the code", nbsp),
        ];
        for (name, text) in cases {
            let extracted = extract(&text).unwrap();
            assert_eq!(extracted.python.trim_end(), PROGRAM.trim_end(), "{name}");
            let start = extracted.python.find("a.sum").unwrap() as u32;
            let span = Span {
                start,
                end: start + 5,
            };
            assert_eq!(&text[extracted.original(span, &text)], "a.sum", "{name}");
        }
    }

    #[test]
    fn prose_between_functions_is_left_out() {
        let text = "num_stages = 2\n\nFirst, the reach:\n\ndef stage1_guidance(k, a):\n    \
            x = [\n1,\n]\n    return a.sum()\n\nNow the second one (it is short):\n  - lower it\n\
            def stage2_guidance(k, a):\n    \"\"\"Doc\nstring here\n\"\"\"\n    return 0\n\nGood luck!\n";
        let python = extract(text).unwrap().python;
        for kept in [
            "num_stages = 2",
            "\n1,\n]",
            "string here",
            "def stage2",
            "return 0",
        ] {
            assert!(python.contains(kept), "{kept} in {python}");
        }
        for gone in ["First", "Now", "lower", "Good"] {
            assert!(!python.contains(gone), "{gone} in {python}");
        }
    }

    #[test]
    fn plain_text_is_not_a_program() {
        assert!(extract("I cannot do that.").is_none());
        assert!(extract("").is_none());
    }
}
