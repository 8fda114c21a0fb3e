//! Which of several drafts counts.
//!
//! A program may come in several blocks, and an answer may hold several programs. Every `num_stages`
//! begins a draft anew. The last complete draft counts, as a whole: nothing of an earlier one is
//! mixed in. Functions that follow a complete draft without a `num_stages` of their own are
//! corrections of it and replace its functions of the same name, as in Python. A last draft that
//! breaks off with the text is what was meant all the same: it is judged, and refused, rather than
//! the draft that it was to replace.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use super::blocks::Block;
use super::code::{Open, indent};
use super::source::Source;
use crate::module::{Role, stage_name};

/// A draft of more stages than that is never complete.
const MAX_STAGES: usize = 100;

/// The program of an answer.
pub(super) struct Chosen {
    pub(super) source: Source,
    /// It has its number of stages and all of them.
    pub(super) is_complete: bool,
}

/// A run of code with at most one `num_stages`.
#[derive(Default)]
struct Group {
    source: Source,
    is_cut: bool,
    /// The number of stages; `Some(None)` where it is no number.
    count: Option<Option<usize>>,
    functions: Vec<Function>,
    /// It corrects the complete draft before it.
    corrects: bool,
}

struct Function {
    stage: usize,
    role: Role,
    range: Range<usize>,
}

/// What groups bring along.
#[derive(Default)]
struct Tally {
    /// The last number of stages.
    count: Option<Option<usize>>,
    /// Stages with something to guide by.
    guided: HashSet<usize>,
    has_functions: bool,
}

impl Tally {
    fn add(&mut self, group: &Group) {
        self.count = group.count.or(self.count);
        self.has_functions |= !group.functions.is_empty();
        let guiding = group.functions.iter().filter(|f| f.role != Role::Done);
        self.guided.extend(guiding.map(|function| function.stage));
    }

    /// Whether every stage is there, with those of an `earlier` draft.
    fn is_complete(&self, earlier: Option<&Self>) -> bool {
        let count = self.count.or(earlier.and_then(|earlier| earlier.count));
        let has = |stage: usize| {
            self.guided.contains(&stage) || earlier.is_some_and(|e| e.guided.contains(&stage))
        };
        let count = count
            .flatten()
            .filter(|count| (1..=MAX_STAGES).contains(count));
        count.is_some_and(|count| (1..=count).all(has))
    }
}

/// Groups from one `num_stages` to the next.
#[derive(Default)]
struct Chapter {
    groups: Vec<Group>,
    tally: Tally,
}

impl Chapter {
    fn push(&mut self, group: Group) {
        self.tally.add(&group);
        self.groups.push(group);
    }

    fn extend(&mut self, other: Self) {
        other.groups.into_iter().for_each(|group| self.push(group));
    }

    /// Whether a draft that is incomplete by itself is complete with `best`, the one before it: more
    /// stages, or some of them again. A number without stages is a remark.
    fn completes(&self, best: &Self) -> bool {
        (self.tally.has_functions || self.tally.count == best.tally.count)
            && self.tally.is_complete(Some(&best.tally))
    }

    fn chosen(self) -> Chosen {
        Chosen {
            is_complete: self.tally.is_complete(None),
            source: joined(&self.groups),
        }
    }
}

/// Puts blocks together to the program that counts.
pub(super) fn choose(blocks: Vec<Block>) -> Option<Chosen> {
    let chapters = chapters(blocks.into_iter().flat_map(groups));
    let last = chapters.len().checked_sub(1)?;
    let mut best: Option<Chapter> = None;
    let mut rest = Chapter::default();
    for (at, chapter) in chapters.into_iter().enumerate() {
        if chapter.tally.is_complete(None) {
            best = Some(chapter);
            continue;
        }
        let breaks_off = at == last
            && chapter.tally.has_functions
            && chapter.groups.iter().any(|group| group.is_cut);
        match &mut best {
            Some(_) if breaks_off => return Some(chapter.chosen()),
            Some(best) if chapter.completes(best) => best.extend(chapter),
            Some(_) => {}
            None => rest.extend(chapter),
        }
    }
    Some(best.unwrap_or(rest).chosen())
}

/// Divides groups at each `num_stages`. What stands before the first belongs to it, and helpers
/// between two drafts belong to the second.
fn chapters(groups: impl Iterator<Item = Group>) -> Vec<Chapter> {
    let mut chapters: Vec<Chapter> = Vec::new();
    let mut current = Chapter::default();
    let mut helpers: Vec<Group> = Vec::new();
    for mut group in groups {
        let is_counted = current.tally.count.is_some();
        if group.count.is_some() && is_counted {
            chapters.push(std::mem::take(&mut current));
        } else if is_counted && current.tally.is_complete(None) {
            if group.functions.is_empty() {
                helpers.push(group);
                continue;
            }
            group.corrects = true;
        }
        helpers.drain(..).for_each(|helper| current.push(helper));
        current.push(group);
    }
    helpers.drain(..).for_each(|helper| current.push(helper));
    if !current.groups.is_empty() {
        chapters.push(current);
    }
    chapters
}

/// The text of some groups. Where a correction gives the guidance of a stage in another form, one
/// function for several or several for one, the earlier ones go; functions of the same name replace
/// one another anyway.
fn joined(groups: &[Group]) -> Source {
    let form = |function: &Function| match function.role {
        Role::Guidance(number) => Some((function.stage, number.is_some())),
        _ => None,
    };
    let mut corrected: HashMap<(usize, bool), usize> = HashMap::new();
    for (at, group) in groups
        .iter()
        .enumerate()
        .filter(|(_, group)| group.corrects)
    {
        let forms = group.functions.iter().filter_map(form);
        corrected.extend(forms.map(|form| (form, at)));
    }
    let is_replaced = |function: &Function, at: usize| {
        form(function)
            .and_then(|(stage, is_numbered)| corrected.get(&(stage, !is_numbered)))
            .is_some_and(|&later| later > at)
    };
    let mut out = Source::default();
    for (at, group) in groups.iter().enumerate() {
        let mut from = 0;
        for function in group.functions.iter().filter(|f| is_replaced(f, at)) {
            out.push(&group.source, from..function.range.start);
            from = function.range.end;
        }
        out.push(&group.source, from..group.source.text.len());
        out.end_line();
    }
    out
}

/// The parts of a block of which each has one `num_stages` at most.
fn groups(block: Block) -> Vec<Group> {
    let text = block.source.text.as_str();
    let mut groups = Vec::new();
    let mut group = Group::default();
    let mut start = 0;
    // Where the lines begin that follow the last stage function.
    let mut after = 0;
    let mut in_stage = false;
    let mut open = Open::default();
    let mut finish = |group: &mut Group, range: Range<usize>| {
        for function in &mut group.functions {
            function.range = function.range.start - range.start..function.range.end - range.start;
        }
        group.source.push(&block.source, range);
        groups.push(std::mem::take(group));
    };
    for line in block.source.lines() {
        let code = &text[line.clone()];
        let is_inside = open.is_inside();
        open.read(code);
        if is_inside || indent(code) > 0 || code.trim().is_empty() {
            continue;
        }
        if in_stage {
            if let Some(function) = group.functions.last_mut() {
                function.range.end = line.start;
            }
            after = line.start;
            in_stage = false;
        }
        if let Some((stage, role)) = stage_function(code) {
            in_stage = true;
            group.functions.push(Function {
                stage,
                role,
                range: line.start..text.len(),
            });
        } else if let Some(count) = stage_count(code) {
            if group.count.is_some() && after > start {
                finish(&mut group, start..after);
                start = after;
            }
            group.count = Some(count);
        }
    }
    group.is_cut = block.is_cut;
    finish(&mut group, start..text.len());
    groups
}

/// The stage function whose definition begins on a line.
fn stage_function(line: &str) -> Option<(usize, Role)> {
    let line = line.strip_prefix("async ").unwrap_or(line);
    let name = line.strip_prefix("def ")?.trim_start();
    let end = name.find(|c: char| !c.is_alphanumeric() && c != '_')?;
    stage_name(&name[..end])
}

/// The number on the right of `num_stages =`.
fn stage_count(line: &str) -> Option<Option<usize>> {
    let rest = line.strip_prefix("num_stages")?.trim_start();
    let value = match rest.strip_prefix(':') {
        Some(annotated) => annotated.split_once('=')?.1,
        None => rest.strip_prefix('=')?,
    };
    let value = value.split('#').next().unwrap_or(value);
    Some(value.trim().parse().ok())
}
