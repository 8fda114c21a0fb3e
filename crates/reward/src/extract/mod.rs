//! Finds the program in a model's answer, whatever the answer looks like: thoughts and prose go,
//! the last draft stays, spans still lead back.
//!
//! `source` (text that knows where it came from) → `thoughts` (marks of `marker`) → `markup` (tags,
//! quotation marks, prompts) → `blocks` (fences, or runs of code between prose; `json` where code
//! hides in strings) → `drafts` (which one counts).

mod blocks;
mod code;
mod drafts;
mod fence;
mod json;
mod marker;
mod markup;
mod source;
mod thoughts;

use std::ops::Range;

use crate::diagnostic::{Draft, Kind, Span};
use blocks::{Block, between_prose, fenced, of_programs};
use drafts::{Chosen, choose};
use source::Source;
use thoughts::{Spoken, messages, spoken};

/// Python text cut out of a larger text.
#[derive(Debug)]
pub(crate) struct Extracted {
    source: Source,
}

impl Extracted {
    /// The Python text alone.
    pub(crate) fn python(&self) -> &str {
        &self.source.text
    }

    /// The byte range of the original text that `span` came from.
    pub(crate) fn original(&self, span: Span, text: &str) -> Range<usize> {
        self.source.original(span, text)
    }
}

/// The program in `text`, or why there is none. What a model thought aloud never counts.
pub(crate) fn extract(text: &str) -> Result<Extracted, Draft> {
    let whole = Source::whole(text);
    let heard = messages(&whole);
    let said = whole.parts(&heard.kept);
    let mut had_thoughts = heard.had_thoughts;
    let mut open = heard.open.map(|mark| (&whole, mark));
    // A mark in the middle of a sentence may be a mention of it: not if that costs the program.
    let mut tried = None;
    for with_weak in [true, false] {
        let Spoken {
            kept,
            answers,
            had_thoughts: had,
            open: unended,
        } = spoken(&said.text, with_weak);
        if tried.as_ref() == Some(&kept) {
            continue;
        }
        had_thoughts |= had;
        let marked = program(&said.parts(&answers));
        if let Some(source) = marked.or_else(|| program(&said.parts(&kept))) {
            return Ok(Extracted { source });
        }
        open = open.or(unended.map(|mark| (&said, mark)));
        tried = Some(kept);
    }
    let Some((source, mark)) = open else {
        return Err(nothing(text, had_thoughts));
    };
    if let Some(source) = forgotten(source, mark.end) {
        return Ok(Extracted { source });
    }
    let range = source.origin(mark.start)..source.origin(mark.end - 1) + 1;
    Err(unended(text.get(range).unwrap_or_default()))
}

/// The answer after thoughts that nothing ends, where only their end was forgotten: the text ends
/// with a whole program in a closed fence. Otherwise it was cut off while the model thought.
fn forgotten(source: &Source, start: usize) -> Option<Source> {
    let mut thoughts = Source::default();
    thoughts.push(source, start..source.text.len());
    let inner = spoken(&thoughts.text, false);
    let thoughts = thoughts.parts(&inner.kept);
    let last = thoughts.text.trim_end().lines().last()?.trim();
    let ends = last.len() >= 3 && last.chars().all(|c| matches!(c, '`' | '~'));
    let blocks = fenced(&thoughts);
    let is_last = blocks.last().is_some_and(|block| !block.is_cut);
    let chosen = choose(of_programs(blocks)).filter(|_| ends && is_last)?;
    chosen.is_complete.then_some(chosen.source)
}

/// The program in a text without thoughts.
fn program(source: &Source) -> Option<Source> {
    // Every program has stages.
    if !source.text.contains("stage") {
        return None;
    }
    let plain = markup::unwrapped(source);
    let of = |blocks: Vec<Block>| choose(of_programs(blocks));
    let in_fences = of(fenced(&plain));
    if let Some(Chosen {
        source,
        is_complete: true,
    }) = in_fences
    {
        return Some(source);
    }
    let unfenced = choose(between_prose(&plain));
    match (in_fences, unfenced) {
        (_, Some(unfenced)) if unfenced.is_complete => Some(unfenced.source),
        (Some(in_fences), _) => Some(in_fences.source),
        (None, Some(unfenced)) => Some(unfenced.source),
        (None, None) => choose(json::blocks(source)).map(|chosen| chosen.source),
    }
}

/// A text in which nothing looks like a program.
fn nothing(text: &str, had_thoughts: bool) -> Draft {
    let found = if text.trim().is_empty() {
        "an empty text"
    } else if had_thoughts {
        "thoughts without an answer after them"
    } else if text.contains("```") {
        "a code block without `num_stages` and `stage1_guidance`"
    } else if text.contains("def ") {
        "Python without `num_stages` and `stage1_guidance`"
    } else {
        "prose alone"
    };
    no_program(found.to_owned(), "")
}

/// A text that ends inside thoughts.
fn unended(mark: &str) -> Draft {
    let found = format!("thoughts that were cut off: nothing ends the `{mark}`");
    no_program(found, "think shorter, end the thoughts, then ")
}

fn no_program(found: String, before: &str) -> Draft {
    Draft::new(Kind::NoProgram, Span::default(), "there is no program here")
        .expected("`num_stages = N` and a function `stageI_guidance` for each stage")
        .found(found)
        .help(format!(
            "{before}answer with one Python block: `num_stages = 1`, then \
             `def stage1_guidance(keypoints, action_sequence):`"
        ))
}

#[cfg(test)]
mod tests;
