//! Where code stands in a text: in fences, or between lines of prose.

use std::collections::HashSet;

use super::code::{
    Open, defined_name, indent, is_code_at_margin, is_import, is_program, is_program_line,
};
use super::fence::Fence;
use super::marker::names_thoughts;
use super::markup::cleaned;
use super::source::Source;
use crate::guard::check_nesting;
use crate::syntax::{Stmt, parse};

/// Depth of a constant before the program; deeper ones are no constants.
const NESTING: usize = 100;

/// A run of lines of code.
#[derive(Debug)]
pub(super) struct Block {
    pub(super) source: Source,
    /// What the fence says of it.
    pub(super) language: String,
    /// The text ends inside.
    pub(super) is_cut: bool,
}

/// The blocks inside fences, without thoughts. An unclosed fence runs to the end.
pub(super) fn fenced(source: &Source) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut fence = None;
    let mut language = String::new();
    let mut first = 0;
    let mut push = |first: usize, end: usize, language: &str, is_cut: bool| {
        if !names_thoughts(language) {
            let mut block = Source::default();
            block.push(source, first..end);
            block.end_line();
            blocks.push(Block {
                source: cleaned(&block),
                language: language.to_owned(),
                is_cut,
            });
        }
    };
    for line in source.lines() {
        let was_open = fence.is_some();
        let Some(info) = Fence::toggle(&mut fence, &source.text[line.clone()]) else {
            continue;
        };
        if was_open {
            push(first, line.start, &language, false);
        } else {
            let word = info.split(|c: char| c.is_whitespace() || c == '{').next();
            language = word.unwrap_or_default().to_ascii_lowercase();
            first = line.end;
        }
    }
    if fence.is_some() && first < source.text.len() {
        push(first, source.text.len(), &language, true);
    }
    blocks
}

/// The blocks that belong to programs: those with stages, and those that define what they use.
pub(super) fn of_programs(blocks: Vec<Block>) -> Vec<Block> {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let mut used: HashSet<String> = HashSet::new();
    for block in &blocks {
        if is_program(&block.source.text) {
            let words = block.source.text.split(|c| !is_word(c));
            used.extend(words.map(str::to_owned));
        }
    }
    // A scene to try the program on is no part of it.
    for name in ["", "keypoints", "action_sequence", "num_stages"] {
        used.remove(name);
    }
    let is_helper = |block: &Block| {
        let named = ["", "python", "py", "python3", "pytorch", "ipython"];
        let mut open = Open::default();
        let mut defines = false;
        let is_code = block.source.text.lines().all(|line| {
            let at_margin = !open.is_inside() && indent(line) == 0 && !line.trim().is_empty();
            open.read(line);
            if at_margin {
                defines |= defined_name(line).is_some_and(|name| used.contains(name))
                    || (is_import(line) && line.split(|c| !is_word(c)).any(|w| used.contains(w)));
            }
            !at_margin || is_code_at_margin(line)
        });
        named.contains(&block.language.as_str()) && is_code && defines
    };
    let mut blocks = blocks;
    blocks.retain(|block| is_program(&block.source.text) || is_helper(block));
    blocks
}

/// The runs of code of a text without fences: prose before, between and after them is left out.
pub(super) fn between_prose(source: &Source) -> Vec<Block> {
    if !is_program(&source.text) {
        return Vec::new();
    }
    let source = &at_margin(source);
    let lines = source.lines();
    let text = |at: usize| &source.text[lines[at].clone()];
    let begins = |line: &str| {
        let words = [
            "num_stages",
            "def ",
            "async def ",
            "class ",
            "import ",
            "from ",
            "@",
        ];
        words.iter().any(|word| line.starts_with(word)) && is_code_at_margin(line)
    };
    let first = (0..lines.len()).find(|&at| begins(text(at)));
    let first = first.unwrap_or(lines.len());
    let mut runs = Runs::default();
    let mut may_span = true;
    let mut at = 0;
    while at < first {
        let line = text(at);
        let end = if line.trim().is_empty() || line.starts_with('#') {
            Some(at + 1)
        } else {
            constant_end(at, first, &text, &mut may_span)
        };
        // What a statement of prose spans is looked at once.
        let next = end.unwrap_or(at + 1);
        for line in &lines[at..next] {
            runs.take(source, line.clone(), end.is_some());
        }
        at = next;
    }
    let mut open = Open::default();
    let mut in_prose = false;
    for line in &lines[first..] {
        let code = &source.text[line.clone()];
        if !open.is_inside() && !code.starts_with([' ', '\t']) && !code.trim().is_empty() {
            in_prose = !is_code_at_margin(code);
        }
        if !in_prose {
            open.read(code);
        }
        runs.take(source, line.clone(), !in_prose);
    }
    runs.finish()
}

/// Blocks as they are put together line by line.
#[derive(Default)]
struct Runs {
    blocks: Vec<Block>,
    current: Source,
}

impl Runs {
    fn take(&mut self, source: &Source, line: std::ops::Range<usize>, is_code: bool) {
        if is_code {
            let is_blank = source.text[line.clone()].trim().is_empty();
            if !is_blank || !self.current.text.is_empty() {
                self.current.push(source, line);
                self.current.end_line();
            }
        } else {
            self.end(false);
        }
    }

    fn end(&mut self, is_cut: bool) {
        let source = std::mem::take(&mut self.current);
        if !source.text.trim().is_empty() {
            self.blocks.push(Block {
                source,
                language: String::new(),
                is_cut,
            });
        }
    }

    fn finish(mut self) -> Vec<Block> {
        self.end(true);
        self.blocks
    }
}

/// The text from the column on in which its program stands.
fn at_margin(source: &Source) -> Source {
    let lines = source.lines();
    let text = |line: &std::ops::Range<usize>| &source.text[line.clone()];
    let is_at_margin = |line: &&str| {
        let words = ["num_stages", "def ", "class ", "import ", "from "];
        words.iter().any(|word| line.starts_with(word)) && is_code_at_margin(line)
    };
    if lines.iter().map(text).any(|line| is_at_margin(&line)) {
        return source.clone();
    }
    let programs = lines.iter().map(text).filter(|line| is_program_line(line));
    let column = programs.map(indent).min().unwrap_or(0);
    let mut out = Source::default();
    for line in &lines {
        let blanks = indent(text(line)).min(column);
        if blanks == column || text(line).trim().is_empty() {
            out.push(source, line.start + blanks..line.end);
        } else {
            // Prose beside the program stays at the margin, as prose.
            out.push_str("- ", source.origin(line.start));
            out.push(source, line.start + blanks..line.end);
        }
    }
    out
}

/// The line after the constant or docstring that begins on line `at`, if one does.
fn constant_end<'t>(
    at: usize,
    limit: usize,
    text: &impl Fn(usize) -> &'t str,
    may_span: &mut bool,
) -> Option<usize> {
    let line = text(at);
    let is_docstring = line.starts_with("\"\"\"") || line.starts_with("'''");
    let begins = line.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    let is_candidate = is_docstring || (begins && line.contains('='));
    if !is_candidate {
        return None;
    }
    let mut open = Open::default();
    open.read(line);
    let mut end = at + 1;
    while open.is_inside() {
        if !*may_span || end >= limit {
            *may_span = false;
            return None;
        }
        open.read(text(end));
        end += 1;
    }
    let is_constant = |statement: &Stmt| match statement {
        Stmt::Assign(_) | Stmt::AnnAssign(_) => true,
        Stmt::Expr(expression) => expression.value.is_string_literal_expr(),
        _ => false,
    };
    let statement: String = (at..end).map(text).collect();
    let is_sound = check_nesting(&statement, NESTING).is_ok()
        && parse(&statement).is_ok_and(|parsed| parsed.iter().all(is_constant));
    // No line is looked at many times, whatever the text.
    *may_span &= is_sound || end == at + 1;
    is_sound.then_some(end)
}
