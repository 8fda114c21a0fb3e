//! What is wrong with a program: kind, place, expectation, finding and how to mend it.

use std::fmt::{self, Write as _};
use std::ops::Range;

/// A byte range of the program's Python text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Span {
    pub(crate) start: u32,
    pub(crate) end: u32,
}

impl Span {
    pub(crate) fn of(ranged: &impl ruff_text_size::Ranged) -> Self {
        let range = ranged.range();
        Self {
            start: range.start().to_u32(),
            end: range.end().to_u32(),
        }
    }
}

/// The sort of mistake.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Kind {
    /// The text is not Python.
    Syntax,
    /// The text holds no program.
    NoProgram,
    /// `num_stages` is missing or not a positive integer literal.
    StageCount,
    /// A stage has no function, has two, or has one beyond `num_stages`.
    StageFunction,
    /// A stage function has other parameters than the language asks for.
    Signature,
    /// An import other than torch, torch.nn.functional, numpy and math.
    Import,
    /// Python that the language does not have.
    Unsupported,
    /// A name that nothing defines.
    UnknownName,
    /// A function, method or attribute that does not exist or is not supported.
    UnknownOperation,
    /// Wrong, missing or superfluous arguments.
    Argument,
    /// An operand of the wrong type.
    Type,
    /// Shapes that do not fit together.
    Shape,
    /// An index or dimension that is out of range.
    Index,
    /// A keypoint that the scene does not have.
    KeypointIndex,
    /// Control flow that depends on positions.
    DynamicControl,
    /// Division by zero among constants, and the like.
    Arithmetic,
    /// The result is missing or not one number.
    Result,
    /// The reward does not depend on the trajectory.
    NoDependence,
    /// The reward depends on the trajectory, but its gradient is zero everywhere.
    NoGradient,
    /// The value or gradient is infinite or NaN on a probe.
    NotFinite,
    /// Larger than the limits allow.
    Limit,
}

impl Kind {
    /// A stable kebab-case name.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Kind::Syntax => "syntax",
            Kind::NoProgram => "no-program",
            Kind::StageCount => "stage-count",
            Kind::StageFunction => "stage-function",
            Kind::Signature => "signature",
            Kind::Import => "import",
            Kind::Unsupported => "unsupported",
            Kind::UnknownName => "unknown-name",
            Kind::UnknownOperation => "unknown-operation",
            Kind::Argument => "argument",
            Kind::Type => "type",
            Kind::Shape => "shape",
            Kind::Index => "index",
            Kind::KeypointIndex => "keypoint-index",
            Kind::DynamicControl => "dynamic-control",
            Kind::Arithmetic => "arithmetic",
            Kind::Result => "result",
            Kind::NoDependence => "no-dependence",
            Kind::NoGradient => "no-gradient",
            Kind::NotFinite => "not-finite",
            Kind::Limit => "limit",
        }
    }
}

/// One mistake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// Its sort.
    pub kind: Kind,
    /// Byte range in the text that was given, Markdown included.
    pub span: Range<usize>,
    /// Line, counted from 1.
    pub line: usize,
    /// Column in characters, counted from 1.
    pub column: usize,
    /// What is wrong, in one sentence.
    pub message: String,
    /// What was expected.
    pub expected: Option<String>,
    /// What was found instead.
    pub found: Option<String>,
    /// How to mend it.
    pub help: Option<String>,
}

impl fmt::Display for Diagnostic {
    /// One compact line, for repair prompts and logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "line {}: error[{}]: {}",
            self.line,
            self.kind.code(),
            self.message
        )?;
        if let Some(expected) = &self.expected {
            write!(f, "; expected {expected}")?;
        }
        if let Some(found) = &self.found {
            write!(f, "; found {found}")?;
        }
        if let Some(help) = &self.help {
            write!(f, "; help: {help}")?;
        }
        Ok(())
    }
}

/// Every mistake that was found in a program, in the order of the text; never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostics {
    /// The mistakes.
    pub items: Vec<Diagnostic>,
}

impl std::error::Error for Diagnostics {}

impl fmt::Display for Diagnostics {
    /// One line a mistake.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, item) in self.items.iter().enumerate() {
            if position > 0 {
                f.write_char('\n')?;
            }
            write!(f, "{item}")?;
        }
        Ok(())
    }
}

impl Diagnostics {
    /// The mistakes with their source lines, as a compiler shows them. `source` is the text
    /// that was compiled.
    #[must_use]
    pub fn render(&self, source: &str) -> String {
        let mut out = String::new();
        for item in &self.items {
            item.render(source, &mut out);
            out.push('\n');
        }
        let count = self.items.len();
        let plural = if count == 1 { "" } else { "s" };
        out.push_str(&format!("{count} error{plural}\n"));
        out
    }

    /// A JSON array with one object a mistake.
    #[must_use]
    pub fn to_json(&self) -> String {
        let objects: Vec<String> = self.items.iter().map(Diagnostic::to_json).collect();
        format!("[{}]", objects.join(","))
    }
}

impl Diagnostic {
    fn render(&self, source: &str, out: &mut String) {
        let line = source.lines().nth(self.line - 1).unwrap_or_default();
        let gutter = self.line.to_string();
        let blank = " ".repeat(gutter.len());
        // Of a very long line, what stands around the mistake.
        let skipped = match self.column - 1 {
            near if near <= MAX_LINE / 2 => 0,
            far => far - MAX_LINE / 4,
        };
        let mut shown: String = line
            .chars()
            .skip(skipped)
            .take(MAX_LINE)
            .map(|c| if c == '\t' { c } else { visible(c) })
            .collect();
        if skipped > 0 {
            shown.replace_range(..shown.chars().next().map_or(0, char::len_utf8), "\u{2026}");
        }
        let text = &*shown;
        let before = self.column - 1 - skipped;
        let rest = text.chars().count().saturating_sub(before);
        let marked = source.get(self.span.clone()).unwrap_or_default();
        let first_line = marked.lines().next().unwrap_or_default().chars().count();
        let carets = "^".repeat(first_line.min(rest).max(1));
        // Tabs are kept so that the carets stand under the text whatever their width.
        let indent: String = text
            .chars()
            .take(before)
            .map(|c| if c == '\t' { '\t' } else { ' ' })
            .collect();
        out.push_str(&format!("error[{}]: {}\n", self.kind.code(), self.message));
        out.push_str(&format!(
            "{blank}--> line {}, column {}\n",
            self.line, self.column
        ));
        out.push_str(&format!(
            "{blank} |\n{gutter} | {text}\n{blank} | {indent}{carets}\n"
        ));
        let notes = [
            ("expected", &self.expected),
            ("found", &self.found),
            ("help", &self.help),
        ];
        for (label, note) in notes {
            if let Some(note) = note {
                out.push_str(&format!("{blank} = {label}: {note}\n"));
            }
        }
    }

    fn to_json(&self) -> String {
        let mut out = String::from("{");
        out.push_str(&format!("\"kind\":\"{}\",", self.kind.code()));
        out.push_str(&format!(
            "\"start\":{},\"end\":{},",
            self.span.start, self.span.end
        ));
        out.push_str(&format!(
            "\"line\":{},\"column\":{},",
            self.line, self.column
        ));
        out.push_str(&format!("\"message\":{}", json_string(&self.message)));
        let notes = [
            ("expected", &self.expected),
            ("found", &self.found),
            ("help", &self.help),
        ];
        for (key, note) in notes {
            let value = note
                .as_ref()
                .map_or("null".to_owned(), |note| json_string(note));
            out.push_str(&format!(",\"{key}\":{value}"));
        }
        out.push('}');
        out
    }
}

fn json_string(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if u32::from(c) < 0x20 => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
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

    /// The finished diagnostic for byte range `span` of `text`.
    pub(crate) fn finish(self, text: &str, span: Range<usize>) -> Diagnostic {
        let before = text.get(..span.start).unwrap_or(text);
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        Diagnostic {
            kind: self.kind,
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
            span,
            message: readable(self.message),
            expected: self.expected.map(readable),
            found: self.found.map(readable),
            help: self.help.map(readable),
        }
    }
}

/// Characters of one source line that are shown.
const MAX_LINE: usize = 240;
/// Characters of one message, since the text may put long names into it.
const MAX_MESSAGE: usize = 500;

/// What a terminal shows for a character: nothing of the text may steer it or turn its direction.
fn visible(c: char) -> char {
    let turns =
        matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    if c.is_control() || turns || matches!(c, '\u{2028}' | '\u{2029}') {
        char::REPLACEMENT_CHARACTER
    } else {
        c
    }
}

fn readable(message: String) -> String {
    let harmless =
        message.len() <= MAX_MESSAGE && message.bytes().all(|b| matches!(b, b' '..=b'~'));
    if harmless {
        return message;
    }
    let mut shown: String = message.chars().take(MAX_MESSAGE).map(visible).collect();
    if shown.len() < message.len() && message.chars().nth(MAX_MESSAGE).is_some() {
        shown.push('\u{2026}');
    }
    shown
}
