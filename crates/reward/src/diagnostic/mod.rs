//! What is wrong with a program: kind, place, expectation, finding and how to mend it.

mod json;
mod kind;
mod render;

use std::fmt;
use std::ops::Range;

pub use kind::{Kind, Severity};
use tiller_core::{clip, visible};

/// Characters of one message, since the text may put long names into it.
const MAX_MESSAGE: usize = 500;
/// Characters of the compact form of one mistake, and of all of them: prompts are short.
const MAX_COMPACT: usize = 600;
const MAX_COMPACT_ALL: usize = 4000;

/// A byte range of the program's Python text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Span {
    pub(crate) start: u32,
    pub(crate) end: u32,
}

impl Span {
    /// Whether `other` lies inside.
    pub(crate) fn contains(self, other: Span) -> bool {
        self.start <= other.start && other.end <= self.end
    }

    /// The bytes of `python` that it covers.
    pub(crate) fn text(self, python: &str) -> &str {
        python
            .get(self.start as usize..self.end as usize)
            .unwrap_or_default()
    }
}

/// A place in the text that was compiled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Byte range, Markdown included.
    pub span: Range<usize>,
    /// Line, counted from 1.
    pub line: usize,
    /// Column in characters, counted from 1.
    pub column: usize,
    /// Line of the end.
    pub end_line: usize,
    /// Column after the last character.
    pub end_column: usize,
}

impl Place {
    fn new(text: &str, mut span: Range<usize>) -> Self {
        // What is missing at the end is missing after the last word, not on an empty line.
        let written = text.trim_end().len();
        if span.start >= written {
            span = written..written;
        }
        // A line end that belongs to the place needs no mark.
        let covered = text.get(span.clone()).unwrap_or_default().trim_end().len();
        span.end = span.start + covered;
        let (line, column) = position(text, span.start);
        let (end_line, end_column) = position(text, span.end.max(span.start));
        Self {
            span,
            line,
            column,
            end_line,
            end_column,
        }
    }
}

/// Line and column of a byte.
fn position(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    let line = before.bytes().filter(|&byte| byte == b'\n').count() + 1;
    (line, before[line_start..].chars().count() + 1)
}

/// Another place that has to do with a mistake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// Where.
    pub place: Place,
    /// What is there.
    pub message: String,
}

/// One mistake, or one remark: [`Kind::severity`] tells them apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// Its sort.
    pub kind: Kind,
    /// Where it is.
    pub place: Place,
    /// What is wrong, in one sentence.
    pub message: String,
    /// What was expected.
    pub expected: Option<String>,
    /// What was found instead.
    pub found: Option<String>,
    /// How to mend it.
    pub help: Option<String>,
    /// Other places that have to do with it.
    pub notes: Vec<Note>,
}

impl Diagnostic {
    /// Whether it refuses the program.
    #[must_use]
    pub fn severity(&self) -> Severity {
        self.kind.severity()
    }
}

impl fmt::Display for Diagnostic {
    /// One compact line, for repair prompts and logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut line = format!(
            "line {}: {}[{}]: {}",
            self.place.line,
            self.severity().name(),
            self.kind.code(),
            self.message
        );
        let labelled = [
            ("expected ", &self.expected),
            ("found ", &self.found),
            ("help: ", &self.help),
        ];
        for (label, text) in labelled {
            if let Some(text) = text {
                line.push_str(&format!("; {label}{text}"));
            }
        }
        for note in &self.notes {
            line.push_str(&format!("; line {}: {}", note.place.line, note.message));
        }
        f.write_str(&clip(&line, MAX_COMPACT))
    }
}

/// What was found in a program, in the order of the text. As the reason of a refusal it holds
/// every mistake, at least one, and what else is remarked; the remarks of an accepted program are
/// [`crate::Program::remarks`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostics {
    /// Mistakes and remarks.
    pub items: Vec<Diagnostic>,
}

impl std::error::Error for Diagnostics {}

impl fmt::Display for Diagnostics {
    /// One line a mistake, for repair prompts: at most some 4000 characters, and the number of
    /// mistakes that are left out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut written = 0;
        for (position, item) in self.items.iter().enumerate() {
            let line = item.to_string();
            let length = line.chars().count();
            if position > 0 && written + length > MAX_COMPACT_ALL {
                return write!(f, "\n{} more", self.items.len() - position);
            }
            written += length;
            let separator = if position > 0 { "\n" } else { "" };
            write!(f, "{separator}{line}")?;
        }
        Ok(())
    }
}

/// A message on one line, in which nothing steers a terminal.
fn readable(message: String) -> String {
    clip(&visible(&message), MAX_MESSAGE).into_owned()
}

/// A mistake before its place in the original text is known.
#[derive(Clone, Debug)]
pub(crate) struct Draft {
    pub(crate) kind: Kind,
    pub(crate) span: Span,
    pub(crate) message: String,
    pub(crate) expected: Option<String>,
    pub(crate) found: Option<String>,
    pub(crate) help: Option<String>,
    /// Apart, so that results that carry a draft stay small.
    pub(crate) details: Box<Details>,
}

/// What only some mistakes come with.
#[derive(Clone, Debug, Default)]
pub(crate) struct Details {
    pub(crate) notes: Vec<(Span, String)>,
    /// Shapes of the operands, whose meaning is explained later.
    pub(crate) shapes: Vec<Vec<usize>>,
    /// The stage whose guidance function is missing.
    pub(crate) missing_stage: Option<usize>,
}

impl Draft {
    pub(crate) fn new(kind: Kind, span: Span, message: impl Into<String>) -> Self {
        let message = message.into();
        Self {
            kind,
            span,
            message,
            expected: None,
            found: None,
            help: None,
            details: Box::default(),
        }
    }

    pub(crate) fn expected(mut self, text: impl Into<String>) -> Self {
        self.expected = Some(text.into());
        self
    }

    pub(crate) fn found(mut self, text: impl Into<String>) -> Self {
        self.found = Some(text.into());
        self
    }

    pub(crate) fn help(mut self, text: impl Into<String>) -> Self {
        self.help = Some(text.into());
        self
    }

    pub(crate) fn note(mut self, span: Span, text: impl Into<String>) -> Self {
        self.details.notes.push((span, text.into()));
        self
    }

    /// What was found are operands of these shapes.
    pub(crate) fn shapes<'s>(mut self, shapes: impl IntoIterator<Item = &'s [usize]>) -> Self {
        self.details.shapes = shapes.into_iter().map(<[usize]>::to_vec).collect();
        self
    }

    /// The finished diagnostic. `original` leads from spans to byte ranges of `text`.
    pub(crate) fn finish(self, text: &str, original: impl Fn(Span) -> Range<usize>) -> Diagnostic {
        let notes = self.details.notes.into_iter().map(|(span, message)| Note {
            place: Place::new(text, original(span)),
            message: readable(message),
        });
        let help = self.help.or_else(|| self.kind.help().map(str::to_owned));
        Diagnostic {
            kind: self.kind,
            place: Place::new(text, original(self.span)),
            message: readable(self.message),
            expected: self.expected.map(readable),
            found: self.found.map(readable),
            help: help.map(readable),
            notes: notes.collect(),
        }
    }
}
