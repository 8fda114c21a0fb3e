//! Finds the program in a chat answer: fences and prose go, spans still lead back.

use std::ops::Range;

use crate::diagnostic::Span;

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

    fn push_line(&mut self, text: &str, range: Range<usize>) {
        self.pieces.push((self.python.len(), range.start));
        self.python.push_str(&text[range]);
        if !self.python.ends_with('\n') {
            self.python.push('\n');
        }
    }
}

/// The program in `text`, or `None` if nothing in it looks like one.
pub(crate) fn extract(text: &str) -> Option<Extracted> {
    let lines = line_ranges(text);
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

fn line_ranges(text: &str) -> Vec<Range<usize>> {
    let start = if text.starts_with('\u{feff}') {
        '\u{feff}'.len_utf8()
    } else {
        0
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
    (length >= 3).then_some((marker, length))
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

/// A program without fences: prose before the first line of code and after the last is left out.
fn plain_program(text: &str, lines: &[Range<usize>]) -> Option<Vec<Range<usize>>> {
    if !is_program(text, lines) {
        return None;
    }
    let first = lines
        .iter()
        .position(|line| opens_program(&text[line.clone()]))?;
    let last = lines.iter().rposition(|line| {
        let line = &text[line.clone()];
        !line.trim().is_empty() && !is_prose(line)
    })?;
    Some(lines[first..=last.max(first)].to_vec())
}

fn opens_program(line: &str) -> bool {
    let starts = ["num_stages", "import ", "from ", "def ", "#", "\"\"\"", "@"];
    starts.iter().any(|start| line.starts_with(start)) && !is_prose(line)
}

/// A sentence: starts at the margin with a word and is not Python by itself.
fn is_prose(line: &str) -> bool {
    let words = line.split_whitespace().count();
    line.starts_with(|c: char| c.is_alphabetic() || c == '*' || c == '-')
        && words > 1
        && line.len() < 2000
        && ![
            "def ", "if ", "for ", "while ", "with ", "class ", "try", "else", "elif ", "return",
        ]
        .iter()
        .any(|keyword| line.starts_with(keyword))
        && !line.contains('=')
        && !line.contains('(')
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
    fn plain_text_is_not_a_program() {
        assert!(extract("I cannot do that.").is_none());
        assert!(extract("").is_none());
    }
}
