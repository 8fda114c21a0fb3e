//! The marks by which models set their thoughts and their answer apart.

use std::ops::Range;

use super::code::{Open, is_code_at_margin};
use super::fence::Fence;

/// Names of parts in which a model thinks.
const THOUGHTS: [&str; 31] = [
    "think",
    "thinking",
    "thought",
    "thoughts",
    "thought_process",
    "reason",
    "reasoning",
    "scratchpad",
    "scratch_pad",
    "scratch",
    "analysis",
    "analyze",
    "reflection",
    "reflect",
    "reflections",
    "monologue",
    "inner_monologue",
    "internal_monologue",
    "inner_thoughts",
    "internal",
    "internal_thoughts",
    "plan",
    "planning",
    "brainstorm",
    "brainstorming",
    "rationale",
    "deliberation",
    "chain_of_thought",
    "cot",
    "draft",
    "drafts",
];
/// Names of parts that hold the answer.
const ANSWERS: [&str; 9] = [
    "answer",
    "final_answer",
    "final",
    "final_response",
    "response",
    "solution",
    "result",
    "output",
    "final_output",
];
/// Bytes of a mark, attributes included.
const LONGEST: usize = 120;

/// What a mark says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sort {
    ThoughtBegins,
    ThoughtEnds,
    AnswerBegins,
    AnswerEnds,
    /// A message of another channel begins: the answer, or something else.
    Channel {
        is_answer: bool,
    },
    /// A message ends.
    MessageEnds,
    /// It frames the text and says nothing of its part.
    Frame,
}

/// A mark in a text.
#[derive(Clone, Debug)]
pub(super) struct Marker {
    pub(super) range: Range<usize>,
    pub(super) sort: Sort,
    /// It stands where marks stand, not in the middle of a sentence that speaks of it.
    pub(super) is_firm: bool,
}

/// Whether a part of this name holds thoughts.
pub(super) fn names_thoughts(name: &str) -> bool {
    THOUGHTS.contains(&plain_name(name).as_str())
}

/// A name in one manner of writing: `Seed:Think` is `think`.
fn plain_name(name: &str) -> String {
    let name = name.rsplit(':').next().unwrap_or(name);
    let plain = |c: char| match c {
        '-' | ' ' | '\u{2581}' => '_',
        c => c.to_ascii_lowercase(),
    };
    name.trim().chars().map(plain).collect()
}

/// The marks of a text, apart from those in comments and strings of its code.
pub(super) fn markers(text: &str) -> Vec<Marker> {
    let mut found = Vec::new();
    let mut fence: Option<Fence> = None;
    let mut code: Option<Open> = None;
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let is_fenced = fence.is_some();
        let is_inside = code.as_ref().is_some_and(Open::is_inside);
        let is_indented = line.starts_with([' ', '\t']) || line.trim().is_empty();
        let is_code = is_fenced || is_inside || (is_indented && code.is_some());
        let hidden = if is_code || (!is_indented && is_code_at_margin(line)) {
            code.get_or_insert_default().read(line)
        } else {
            code = None;
            Vec::new()
        };
        let before = found.len();
        scan(line, at, &hidden, &mut found);
        let own = &found[before..];
        let leads = own
            .first()
            .is_some_and(|marker| text[at..marker.range.start].trim().is_empty());
        if leads {
            // Where a mark begins a line, no block of code goes on.
            fence = None;
            code = None;
        }
        let rest = match own.last() {
            Some(last) if leads => &text[last.range.end..at + line.len()],
            _ => line,
        };
        if Fence::toggle(&mut fence, rest).is_some() {
            code = fence.is_some().then(Open::default);
        }
        at += line.len();
    }
    found
}

/// The marks of one line that begins at `start`.
fn scan(line: &str, start: usize, hidden: &[Range<usize>], found: &mut Vec<Marker>) {
    let mut hidden = hidden.iter().peekable();
    let mut at = 0;
    // Only marks so far.
    let mut leads = true;
    let mut copied = 0;
    while let Some(next) = line[at..].find(['<', '[', '\u{25c1}']) {
        at += next;
        while hidden.next_if(|range| range.end <= at).is_some() {}
        let is_hidden = hidden.peek().is_some_and(|range| range.contains(&at));
        let parsed = if is_hidden { None } else { parse(&line[at..]) };
        let Some((sort, length)) = parsed else {
            at += line[at..].chars().next().map_or(1, char::len_utf8);
            continue;
        };
        let end = at + length;
        leads &= line[copied..at]
            .trim_matches([' ', '\t', '>', '*'])
            .is_empty();
        let trails = line[end..].trim().is_empty() || line[end..].starts_with("```");
        let is_framed =
            |c: Option<char>| c.is_none_or(|c| c.is_whitespace() || "`\"'().,:;?!*".contains(c));
        let is_quoted = line[..at].ends_with(['`', '"', '\'']);
        let is_mentioned = is_quoted
            || (is_framed(line[..at].chars().next_back()) && is_framed(line[end..].chars().next()));
        let is_firm = match sort {
            Sort::ThoughtBegins | Sort::AnswerBegins => leads,
            Sort::ThoughtEnds | Sort::AnswerEnds => {
                leads || (!is_quoted && (trails || !is_mentioned))
            }
            // `a<s>b` compares.
            Sort::Frame => leads || trails || line[at..].starts_with("<|"),
            _ => true,
        };
        found.push(Marker {
            range: start + at..start + end,
            sort,
            is_firm,
        });
        at = end;
        copied = end;
    }
}

/// The mark that `text` begins with, and its length.
fn parse(text: &str) -> Option<(Sort, usize)> {
    let mut limit = text.len().min(LONGEST);
    while !text.is_char_boundary(limit) {
        limit -= 1;
    }
    let line = text[..limit].lines().next()?;
    if let Some(inner) = line.strip_prefix('\u{25c1}') {
        let end = inner.find('\u{25b7}')?;
        let length = end + 2 * '\u{25c1}'.len_utf8();
        return Some((paired(&inner[..end], false)?, length));
    }
    if let Some(inner) = line.strip_prefix('[') {
        let end = inner.find(']')?;
        let name = &inner[..end];
        // In small letters it could be an index.
        let is_mark = name.starts_with('/') || !name.contains(|c: char| c.is_ascii_lowercase());
        return is_mark
            .then(|| paired(name, false))
            .flatten()
            .map(|sort| (sort, end + 2));
    }
    let inner = line.strip_prefix('<')?;
    for bar in ["|", "\u{ff5c}"] {
        let Some(named) = inner.strip_prefix(bar) else {
            continue;
        };
        // `<|channel>thought` and `<channel|>` are one model's way.
        let end = named.find('>')?;
        let name = named[..end].strip_suffix(bar);
        let length = 1 + bar.len() + end + 1;
        return special(name.unwrap_or(&named[..end]), &line[length..])
            .map(|(sort, more)| (sort, length + more));
    }
    let end = inner.find('>')?;
    let tag = &inner[..end];
    let length = end + 2;
    if tag == "channel|" {
        return Some((Sort::MessageEnds, length));
    }
    if matches!(
        tag,
        "/s" | "s" | "eos" | "bos" | "end_of_turn" | "start_of_turn"
    ) {
        return Some((Sort::Frame, length));
    }
    let name = tag.split_whitespace().next()?;
    let has_attributes = name.len() < tag.len();
    if has_attributes && !tag.contains('=') {
        return None;
    }
    Some((paired(name, false)?, length))
}

/// `think`, `/think`.
fn paired(name: &str, ends: bool) -> Option<Sort> {
    if let Some(name) = name.strip_prefix('/') {
        return paired(name, true);
    }
    let name = plain_name(name);
    let sorts = if THOUGHTS.contains(&name.as_str()) {
        [Sort::ThoughtBegins, Sort::ThoughtEnds]
    } else if ANSWERS.contains(&name.as_str()) {
        [Sort::AnswerBegins, Sort::AnswerEnds]
    } else {
        return None;
    };
    Some(sorts[usize::from(ends)])
}

/// A token between bars, and the bytes after it that belong to it.
fn special(name: &str, rest: &str) -> Option<(Sort, usize)> {
    let is_word = |c: char| c.is_alphanumeric() || "_/-:. \u{2581}".contains(c);
    if name.is_empty() || !name.chars().all(is_word) {
        return None;
    }
    let plain = plain_name(name);
    if plain == "channel" {
        // The channel's name goes up to the message, with what the message is for.
        let head = rest.find("<|message|>");
        let more = head.map_or_else(
            || {
                rest.find(|c: char| !c.is_alphanumeric())
                    .unwrap_or(rest.len())
            },
            |head| head + "<|message|>".len(),
        );
        let is_answer = plain_name(&rest[..more]).starts_with("final");
        return Some((Sort::Channel { is_answer }, more));
    }
    if plain == "start" {
        let role = rest.find(|c: char| !c.is_alphanumeric());
        return Some((Sort::MessageEnds, role.unwrap_or(rest.len())));
    }
    if matches!(plain.as_str(), "end" | "return" | "call") {
        return Some((Sort::MessageEnds, 0));
    }
    let ended = ["end_of_", "end_", "/"]
        .iter()
        .find_map(|p| plain.strip_prefix(p));
    let begun = ["begin_of_", "start_of_", "start_", "begin_"]
        .iter()
        .find_map(|p| plain.strip_prefix(p));
    let sort = match (begun, ended) {
        (Some(name), _) => paired(name, false),
        (_, Some(name)) => paired(name, true),
        _ => paired(&plain, false),
    };
    Some((sort.unwrap_or(Sort::Frame), 0))
}
