//! Diagnostics for machines.

use super::{Diagnostic, Diagnostics, Note, Place};

impl Diagnostics {
    /// A JSON array with one object a mistake, in the order of the text.
    ///
    /// | key | value |
    /// |---|---|
    /// | `kind` | [`Kind::code`](super::Kind::code) |
    /// | `severity` | `error` or `warning` |
    /// | `message` | what is wrong |
    /// | `expected`, `found`, `help` | text or null |
    /// | `start`, `end` | byte range in the text that was compiled |
    /// | `line`, `column`, `end_line`, `end_column` | counted from 1, columns in characters |
    /// | `notes` | array of `{message, start, end, line, column, end_line, end_column}` |
    #[must_use]
    pub fn to_json(&self) -> String {
        array(self.items.iter().map(mistake))
    }
}

fn array(objects: impl Iterator<Item = String>) -> String {
    format!("[{}]", objects.collect::<Vec<_>>().join(","))
}

fn mistake(item: &Diagnostic) -> String {
    let text = |text: &Option<String>| text.as_deref().map_or("null".to_owned(), string);
    format!(
        "{{\"kind\":{},\"severity\":{},\"message\":{},\"expected\":{},\"found\":{},\"help\":{},{},\"notes\":{}}}",
        string(item.kind.code()),
        string(item.severity().name()),
        string(&item.message),
        text(&item.expected),
        text(&item.found),
        text(&item.help),
        place(&item.place),
        array(item.notes.iter().map(note)),
    )
}

fn note(note: &Note) -> String {
    let message = string(&note.message);
    format!("{{\"message\":{message},{}}}", place(&note.place))
}

fn place(place: &Place) -> String {
    format!(
        "\"start\":{},\"end\":{},\"line\":{},\"column\":{},\"end_line\":{},\"end_column\":{}",
        place.span.start,
        place.span.end,
        place.line,
        place.column,
        place.end_line,
        place.end_column
    )
}

fn string(text: &str) -> String {
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
