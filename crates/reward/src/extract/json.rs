//! Code inside JSON: in strings under any key, in lists of lines, in JSON that a string holds.

use std::ops::Range;

use serde_json::{Deserializer, Value};

use super::blocks::{Block, fenced, of_programs};
use super::code::{Open, defined_name, indent, is_code_at_margin, is_import, is_program};
use super::marker::names_thoughts;
use super::markup::{cleaned, unwrapped};
use super::source::Source;

/// How many times the bytes of a text are read in search of values.
const MAX_READS: usize = 6;
/// Strings of JSON inside strings of JSON.
const MAX_DEPTH: usize = 4;

/// The blocks of code in the JSON values of a text.
pub(super) fn blocks(source: &Source) -> Vec<Block> {
    let mut found = Vec::new();
    collect(source, MAX_DEPTH, &mut found);
    if found.iter().any(|block| is_program(&block.source.text)) {
        found
    } else {
        Vec::new()
    }
}

fn collect(source: &Source, depth: usize, found: &mut Vec<Block>) {
    for range in values(&source.text) {
        let mut walk = Walk {
            source,
            depth,
            found,
            lines: Vec::new(),
            count: None,
        };
        walk.value(range);
        let count = walk.count;
        let texts = || found.iter().map(|block| block.source.text.as_str());
        if let Some(count) = count
            && texts().any(is_program)
            && !texts().any(|text| text.contains("num_stages"))
        {
            let mut own = Source::default();
            own.push_str("num_stages = ", source.origin(count.start));
            own.push(source, count);
            own.end_line();
            found.insert(0, block(own));
        }
    }
}

fn block(source: Source) -> Block {
    Block {
        source,
        language: String::new(),
        is_cut: false,
    }
}

/// Where whole objects and lists stand in a text, from the left, none inside another.
fn values(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut at = 0;
    let mut left = MAX_READS * text.len();
    while let Some(next) = text[at..].find(['{', '[']) {
        at += next;
        let mut stream = Deserializer::from_str(&text[at..]).into_iter::<Value>();
        match stream.next() {
            Some(Err(error)) => {
                let lines = text[at..].split_inclusive('\n').take(error.line() - 1);
                let read = lines.map(str::len).sum::<usize>() + error.column();
                let Some(rest) = left.checked_sub(read + 1) else {
                    break;
                };
                left = rest;
                at += 1;
            }
            _ => {
                let end = at + stream.byte_offset();
                found.push(at..end);
                at = end;
            }
        }
    }
    found
}

/// A walk through a value that is known to be JSON.
struct Walk<'s> {
    source: &'s Source,
    depth: usize,
    found: &'s mut Vec<Block>,
    /// Strings of the list that is being read.
    lines: Vec<Source>,
    /// The number under `num_stages`.
    count: Option<Range<usize>>,
}

impl Walk<'_> {
    fn value(&mut self, range: Range<usize>) {
        let text = &self.source.text[range.clone()];
        let mut at = 0;
        let mut key = String::new();
        let mut containers = Vec::new();
        // The depth of the thoughts that are being passed by.
        let mut skipped = None;
        while at < text.len() {
            let byte = text.as_bytes()[at];
            if byte == b'"' {
                let length = string_length(&text[at..]);
                let token = range.start + at..range.start + at + length;
                at += length;
                if text[at..].trim_start().starts_with(':') {
                    key = self.decoded(token).text;
                    if skipped.is_none() && names_thoughts(&key) {
                        skipped = Some(containers.len());
                    }
                } else if skipped.is_none() {
                    let line = self.decoded(token);
                    self.lines.push(line);
                }
                continue;
            }
            if byte.is_ascii_digit() {
                let rest = &text[at..];
                let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
                if key == "num_stages" && skipped.is_none() {
                    let start = range.start + at;
                    self.count.get_or_insert(start..start + digits);
                }
                at += digits;
                continue;
            }
            match byte {
                b'{' | b'[' => containers.push(byte),
                b'}' | b']' => drop(containers.pop()),
                _ => {}
            }
            let ends = match byte {
                b',' => containers.last() == Some(&b'{'),
                b'{' | b'[' | b'}' | b']' => true,
                _ => false,
            };
            if ends {
                // Strings of one list are lines of one text, those of different keys are not.
                self.end_lines();
                let depth = containers.len();
                let is_over =
                    |skipped: usize| skipped > depth || (skipped == depth && byte == b',');
                skipped = skipped.filter(|&skipped| !is_over(skipped));
                if byte == b',' {
                    key.clear();
                }
            }
            at += 1;
        }
        self.end_lines();
    }

    /// The text of a string, with the way back through its escapes.
    fn decoded(&self, token: Range<usize>) -> Source {
        let mut out = Source::default();
        let inner = token.start + 1..token.end - 1;
        let text = &self.source.text[inner.clone()];
        let (mut copied, mut at) = (0, 0);
        while let Some(next) = text[at..].find('\\') {
            at += next;
            let mut length = escape_length(&text[at..]);
            // Two halves of one letter.
            if text[at..].starts_with("\\ud") || text[at..].starts_with("\\uD") {
                length += escape_length(text.get(at + length..).unwrap_or_default());
            }
            out.push(self.source, inner.start + copied..inner.start + at);
            let quoted = format!("\"{}\"", text.get(at..at + length).unwrap_or_default());
            let letter: String = serde_json::from_str(&quoted).unwrap_or_default();
            out.push_str(&letter, self.source.origin(inner.start + at));
            at += length;
            copied = at;
        }
        out.push(self.source, inner.start + copied..inner.end);
        out
    }

    /// Takes the strings so far as one text, if that is code, or each by itself.
    fn end_lines(&mut self) {
        let lines = std::mem::take(&mut self.lines);
        let mut joined = Source::default();
        for line in &lines {
            joined.push(line, 0..line.text.len());
            joined.end_line();
        }
        if !self.take_code(&joined) {
            for line in lines.iter().filter(|_| lines.len() > 1) {
                self.take_code(line);
            }
        }
    }

    fn take_code(&mut self, text: &Source) -> bool {
        if self.depth > 1 && text.text.trim_start().starts_with(['{', '[']) {
            let before = self.found.len();
            collect(text, self.depth - 1, self.found);
            return self.found.len() > before;
        }
        let plain = unwrapped(text);
        let inner = of_programs(fenced(&plain));
        if !inner.is_empty() {
            self.found.extend(inner);
            return true;
        }
        let code = cleaned(&plain);
        let is_code = is_program(&code.text) || is_helper(&code.text);
        if is_code {
            let mut ended = code;
            ended.end_line();
            self.found.push(block(ended));
        }
        is_code
    }
}

/// Whether a text is imports, constants and functions alone.
fn is_helper(text: &str) -> bool {
    let mut open = Open::default();
    let mut defines = false;
    for line in text.lines() {
        let at_margin = !open.is_inside() && indent(line) == 0 && !line.trim().is_empty();
        open.read(line);
        if at_margin && !is_code_at_margin(line) {
            return false;
        }
        defines |= at_margin && (defined_name(line).is_some() || is_import(line));
    }
    defines
}

/// The length of the string that a text begins with, its quotes included.
fn string_length(text: &str) -> usize {
    let mut bytes = text.bytes().enumerate().skip(1);
    while let Some((at, byte)) = bytes.next() {
        match byte {
            b'\\' => drop(bytes.next()),
            b'"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// The length of the escape that a text begins with.
fn escape_length(text: &str) -> usize {
    match text.as_bytes() {
        [b'\\', b'u', ..] => 6.min(text.len()),
        [b'\\', _, ..] => 2,
        _ => 0,
    }
}
