//! What a model thought aloud is no part of its answer.

use std::ops::Range;

use super::marker::{Marker, Sort, markers};
use super::source::Source;

/// What is left of a text without the thoughts in it.
pub(super) struct Spoken {
    /// What counts.
    pub(super) kept: Vec<Range<usize>>,
    /// The parts that are marked as the answer, if any are.
    pub(super) answers: Vec<Range<usize>>,
    /// Thoughts were left out.
    pub(super) had_thoughts: bool,
    /// The mark of thoughts that nothing ends.
    pub(super) open: Option<Range<usize>>,
}

/// The messages of an answer that came in channels: those of the last one, or the text outside of
/// all channels. A text without channels is one message.
pub(super) fn messages(source: &Source) -> Spoken {
    let text = source.text.as_str();
    let marks: Vec<Marker> = markers(text)
        .into_iter()
        .filter(|mark| matches!(mark.sort, Sort::Channel { .. } | Sort::MessageEnds))
        .collect();
    if marks.is_empty() {
        return bare_channels(text);
    }
    let (mut finals, mut plain) = (Vec::new(), Vec::new());
    let mut begun = 0;
    // Outside of all channels, in a thought, or in the answer.
    let mut channel = None;
    let mut open = None;
    let mut had_thoughts = false;
    let end = Marker {
        range: text.len()..text.len(),
        sort: Sort::MessageEnds,
        is_firm: true,
    };
    for mark in marks.iter().chain([&end]) {
        let part = begun..mark.range.start;
        match channel {
            None => plain.push(part),
            Some(true) => finals.push(part),
            Some(false) => had_thoughts = true,
        }
        begun = mark.range.end;
        channel = match mark.sort {
            Sort::Channel { is_answer } => {
                open = (!is_answer).then(|| mark.range.clone());
                Some(is_answer)
            }
            _ => {
                if mark.range.end < text.len() || !mark.range.is_empty() {
                    open = None;
                }
                None
            }
        };
    }
    Spoken {
        kept: if finals.is_empty() { plain } else { finals },
        answers: Vec::new(),
        had_thoughts,
        open,
    }
}

/// Channels whose marks a server has taken out: `analysis..assistantfinal..`.
fn bare_channels(text: &str) -> Spoken {
    const FINAL: &str = "assistantfinal";
    let begins = text.trim_start().starts_with("analysis");
    let answer = text.rfind(FINAL).filter(|_| begins);
    let start = answer.map_or(0, |at| at + FINAL.len());
    Spoken {
        kept: std::iter::once(start..text.len()).collect(),
        answers: Vec::new(),
        had_thoughts: start > 0,
        open: None,
    }
}

/// A text without the thoughts between marks. `with_weak`: marks in the middle of a line count too.
pub(super) fn spoken(text: &str, with_weak: bool) -> Spoken {
    let marks = markers(text);
    let last_end = marks
        .iter()
        .rposition(|mark| mark.sort == Sort::ThoughtEnds && mark.is_firm);
    let mut removed: Vec<Range<usize>> = Vec::new();
    let mut had_thoughts = false;
    let mut open = None;
    let mut at = 0;
    while at < marks.len() {
        let mark = &marks[at];
        match mark.sort {
            Sort::ThoughtBegins if mark.is_firm || with_weak => {
                let end = last_end.filter(|&last| last > at);
                if let Some(end) = end.map(|last| end_of(&marks, at, last)) {
                    removed.push(mark.range.start..marks[end].range.end);
                    had_thoughts = true;
                    at = end;
                } else if mark.is_firm {
                    had_thoughts = true;
                    // The answer's own mark ends what nothing else does.
                    let answer = marks[at..]
                        .iter()
                        .position(|next| next.sort == Sort::AnswerBegins && next.is_firm);
                    let Some(answer) = answer else {
                        open = Some(mark.range.clone());
                        removed.push(mark.range.start..text.len());
                        break;
                    };
                    removed.push(mark.range.start..marks[at + answer].range.end);
                    at += answer;
                }
            }
            // What began before the text did, as when the prompt ends in the mark. Once thoughts
            // have ended, one more such mark is a mention of it.
            Sort::ThoughtEnds if !had_thoughts && (mark.is_firm || with_weak) => {
                removed.clear();
                removed.push(0..mark.range.end);
                had_thoughts = true;
            }
            _ if mark.is_firm => removed.push(mark.range.clone()),
            _ => {}
        }
        at += 1;
    }
    Spoken {
        answers: answers(&marks, &removed, text.len()),
        kept: outside(&removed, text.len()),
        had_thoughts,
        open,
    }
}

/// The mark that ends the thoughts that `begin` begins. Where thoughts speak of their own marks
/// they never come out even: then the last one ends them.
fn end_of(marks: &[Marker], begin: usize, last: usize) -> usize {
    let mut depth = 0_usize;
    for (at, mark) in marks.iter().enumerate().take(last).skip(begin) {
        match mark.sort {
            Sort::ThoughtBegins if mark.is_firm || at == begin => depth += 1,
            Sort::ThoughtEnds if mark.is_firm => {
                depth -= 1;
                if depth == 0 {
                    return at;
                }
            }
            _ => {}
        }
    }
    last
}

/// What lies outside of `ranges`, which ascend.
fn outside(ranges: &[Range<usize>], length: usize) -> Vec<Range<usize>> {
    let mut kept = Vec::new();
    let mut at = 0;
    for range in ranges {
        if range.start > at {
            kept.push(at..range.start);
        }
        at = at.max(range.end);
    }
    if at < length {
        kept.push(at..length);
    }
    kept
}

/// The parts between marks of the answer, without what was removed from them.
fn answers(marks: &[Marker], removed: &[Range<usize>], length: usize) -> Vec<Range<usize>> {
    let mut hidden = removed.iter().peekable();
    let mut found: Vec<Range<usize>> = Vec::new();
    let mut begun = None;
    for mark in marks.iter().filter(|mark| mark.is_firm) {
        let start = mark.range.start;
        while hidden.next_if(|range| range.end < mark.range.end).is_some() {}
        // The marks themselves are removed, alone or at the end of what they end.
        let is_within = hidden
            .peek()
            .is_some_and(|range| range.contains(&start) && range.end > mark.range.end);
        match (mark.sort, begun) {
            _ if is_within => {}
            (Sort::AnswerBegins, None) => begun = Some(mark.range.end),
            (Sort::AnswerEnds, Some(from)) => {
                found.push(from..start);
                begun = None;
            }
            _ => {}
        }
    }
    found.extend(begun.map(|from| from..length));
    within(&found, &outside(removed, length))
}

/// What two ascending lists of ranges have in common.
fn within(some: &[Range<usize>], others: &[Range<usize>]) -> Vec<Range<usize>> {
    let mut common = Vec::new();
    let (mut i, mut j) = (0, 0);
    while let (Some(a), Some(b)) = (some.get(i), others.get(j)) {
        let both = a.start.max(b.start)..a.end.min(b.end);
        if !both.is_empty() {
            common.push(both);
        }
        if a.end < b.end {
            i += 1;
        } else {
            j += 1;
        }
    }
    common
}
