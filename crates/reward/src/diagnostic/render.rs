//! Diagnostics for people: messages with their source lines, as a compiler shows them.

use tiller_core::visible_char;

use super::{Diagnostic, Diagnostics, Place, Severity};

/// Columns of one source line that are shown.
const MAX_LINE: usize = 160;
/// Lines of one place that are shown.
const MAX_LINES: usize = 3;

impl Diagnostics {
    /// Mistakes and remarks with their source lines, as a compiler shows them. `source` is the text
    /// that was compiled.
    #[must_use]
    pub fn render(&self, source: &str) -> String {
        let mut out = String::new();
        for item in &self.items {
            render(item, source, &mut out);
            out.push('\n');
        }
        let counts = [Severity::Error, Severity::Warning].map(|severity| {
            let of_it = self.items.iter().filter(|item| item.severity() == severity);
            let count = of_it.count();
            let plural = if count == 1 { "" } else { "s" };
            (count > 0).then(|| format!("{count} {}{plural}", severity.name()))
        });
        let counts: Vec<String> = counts.into_iter().flatten().collect();
        out.push_str(&format!("{}\n", counts.join(", ")));
        out
    }
}

fn render(item: &Diagnostic, source: &str, out: &mut String) {
    // One gutter for the mistake and its notes.
    let lines = item.notes.iter().map(|note| note.place.end_line);
    let last = lines.fold(item.place.end_line, usize::max);
    let blank = " ".repeat(last.to_string().len());
    out.push_str(&format!(
        "{}[{}]: {}\n",
        item.severity().name(),
        item.kind.code(),
        item.message
    ));
    excerpt(source, &item.place, &blank, '^', out);
    let labelled = [
        ("expected", &item.expected),
        ("found", &item.found),
        ("help", &item.help),
    ];
    for (label, text) in labelled {
        if let Some(text) = text {
            out.push_str(&format!("{blank} = {label}: {text}\n"));
        }
    }
    for note in &item.notes {
        out.push_str(&format!("note: {}\n", note.message));
        excerpt(source, &note.place, &blank, '-', out);
    }
}

/// The source lines of a place with what it covers underlined.
fn excerpt(source: &str, place: &Place, blank: &str, mark: char, out: &mut String) {
    let (line, column) = (place.line, place.column);
    out.push_str(&format!("{blank}--> line {line}, column {column}\n"));
    out.push_str(&format!("{blank} |\n"));
    let count = place.end_line - place.line + 1;
    let shown = if count > MAX_LINES {
        MAX_LINES - 1
    } else {
        count
    };
    for (offset, text) in source.lines().skip(line - 1).take(shown).enumerate() {
        let from = if offset == 0 {
            column - 1
        } else {
            text.chars().take_while(|c| c.is_whitespace()).count()
        };
        let to = if offset + 1 == count {
            place.end_column - 1
        } else {
            text.trim_end().chars().count()
        };
        let number = line + offset;
        let gutter = format!("{number:>width$}", width = blank.len());
        let (text, marks) = underlined(text, from, to.max(from + 1), mark);
        out.push_str(&format!("{gutter} | {text}\n{blank} | {marks}\n"));
    }
    if shown < count {
        out.push_str(&format!("{blank} | ... to line {}\n", place.end_line));
    }
}

/// A character of a source line as it is shown: nothing of the text may steer a terminal or turn
/// its direction.
struct Cell {
    shown: String,
    width: usize,
}

impl Cell {
    fn new(before: Option<char>, c: char) -> Self {
        // Tabs are kept, also below, so that the marks stand under the text whatever their width.
        match visible_char(before, c).filter(|_| c != '\t') {
            Some(escape) => Self {
                width: escape.len(),
                shown: escape.to_string(),
            },
            None => Self {
                width: width(c),
                shown: c.to_string(),
            },
        }
    }

    /// What it takes of the room for a line: marks that combine with a letter take some as well.
    fn room(&self) -> usize {
        self.width.max(1)
    }
}

/// The characters of a line from a byte on.
fn cells(text: &str, start: usize) -> impl Iterator<Item = Cell> {
    let mut before = text[..start].chars().next_back();
    let cell = move |c| Cell::new(before.replace(c), c);
    text[start..].chars().map(cell)
}

/// Whether what is shown takes more than this much room.
fn exceeds(mut cells: impl Iterator<Item = Cell>, mut free: usize) -> bool {
    let is_too_much = |cell: Cell| match free.checked_sub(cell.room()) {
        Some(left) => {
            free = left;
            false
        }
        None => true,
    };
    cells.any(is_too_much)
}

/// The first byte from which the characters before `end` take at most this much room.
fn back(text: &str, end: usize, mut free: usize) -> usize {
    let mut start = end;
    for (index, c) in text[..end].char_indices().rev() {
        let cell = Cell::new(text[..index].chars().next_back(), c);
        let Some(left) = free.checked_sub(cell.room()) else {
            break;
        };
        (free, start) = (left, index);
    }
    start
}

/// A line, cut around characters `from..to` if it is long, and the marks to put below it.
fn underlined(text: &str, from: usize, to: usize, mark: char) -> (String, String) {
    let at = text
        .char_indices()
        .nth(from)
        .map_or(text.len(), |(at, _)| at);
    let is_cut = back(text, at, MAX_LINE / 2) > 0 && exceeds(cells(text, 0), MAX_LINE);
    let start = if is_cut {
        back(text, at, MAX_LINE / 4)
    } else {
        0
    };
    let shift = from - text[start..at].chars().count().min(from);
    let (mut shown, mut marks) = (String::new(), String::new());
    let mut free = MAX_LINE;
    for (position, mut cell) in (shift..).zip(cells(text, start)) {
        let Some(left) = free.checked_sub(cell.room()) else {
            shown.push('\u{2026}');
            break;
        };
        free = left;
        if is_cut && position == shift {
            cell = Cell::new(None, '\u{2026}');
        }
        shown.push_str(&cell.shown);
        if (from..to).contains(&position) {
            marks.extend(std::iter::repeat_n(mark, cell.width));
        } else if position < from {
            let filler = if cell.shown == "\t" { '\t' } else { ' ' };
            marks.extend(std::iter::repeat_n(filler, cell.width));
        }
    }
    if !marks.contains(mark) {
        marks.push(mark);
    }
    (shown, marks)
}

/// Columns of a character in a terminal: East Asian letters and emoji take two.
fn width(c: char) -> usize {
    match u32::from(c) {
        0x300..=0x36f | 0x200b..=0x200d | 0xfe00..=0xfe0f => 0,
        0x1100..=0x115f
        | 0x2e80..=0xa4cf
        | 0xac00..=0xd7a3
        | 0xf900..=0xfaff
        | 0xfe30..=0xfe6f
        | 0xff00..=0xff60
        | 0xffe0..=0xffe6
        | 0x1f300..=0x1faff
        | 0x20000..=0x3fffd => 2,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Draft, Kind, Span};
    use super::*;

    /// What is rendered for the first place of `marked` in `source`, without the gutter's arrow.
    fn rendered(source: &str, marked: &str) -> Vec<String> {
        let start = source.find(marked).unwrap();
        let span = start..start + marked.len();
        let draft = Draft::new(Kind::Syntax, Span::default(), "wrong");
        let item = draft.finish(source, |_| span.clone());
        let text = Diagnostics { items: vec![item] }.render(source);
        text.lines().map(str::to_owned).collect()
    }

    #[test]
    fn marks_stand_under_text_after_tabs_accents_and_wide_letters() {
        let lines = rendered("\tx = é + wrong", "wrong");
        assert_eq!(lines[3], "1 | \tx = é + wrong");
        assert_eq!(lines[4], "  | \t        ^^^^^");
        let lines = rendered("x = '抓取' + wrong", "wrong");
        assert_eq!(lines[1], " --> line 1, column 12");
        // Two letters of two columns each: the marks go two columns further right.
        assert_eq!(lines[4], format!("  | {}^^^^^", " ".repeat(13)));
    }

    #[test]
    fn line_numbers_are_aligned() {
        let source = format!("{}x = (1 +\n    wrong)\n", "\n".repeat(8));
        let lines = rendered(&source, "(1 +\n    wrong)");
        assert_eq!(lines[1], "  --> line 9, column 5");
        assert_eq!(lines[3], " 9 | x = (1 +");
        assert_eq!(lines[4], "   |     ^^^^");
        assert_eq!(lines[5], "10 |     wrong)");
        assert_eq!(lines[6], "   |     ^^^^^^");
    }

    #[test]
    fn long_places_and_long_lines_are_cut() {
        let lines = rendered("a\nb\nc\nd\ne\n", "a\nb\nc\nd\ne");
        assert_eq!(lines[7], "  | ... to line 5");
        let source = format!("{} wrong {}", "x".repeat(500), "y".repeat(500));
        let lines = rendered(&source, "wrong");
        assert!(lines[3].chars().count() < MAX_LINE + 10);
        let under = lines[4].find('^').unwrap();
        let shown: String = lines[3].chars().skip(under).take(5).collect();
        assert_eq!(shown, "wrong");
    }

    #[test]
    fn the_end_of_the_text_is_after_its_last_word() {
        let source = "x = (1\n\n";
        let draft = Draft::new(Kind::Syntax, Span::default(), "wrong");
        let item = draft.finish(source, |_| source.len()..source.len());
        assert_eq!((item.place.line, item.place.column), (1, 7));
        let text = Diagnostics { items: vec![item] }.render(source);
        assert!(text.contains("1 | x = (1\n  |       ^\n"), "{text}");
    }

    #[test]
    fn nothing_steers_the_terminal() {
        let lines = rendered("x = '\u{1b}[2J\u{202e}' + wrong", "wrong");
        assert_eq!(lines[3], r"1 | x = '\u{1b}[2J\u{202e}' + wrong");
        assert_eq!(lines[4].find('^'), lines[3].find("wrong"));
        let lines = rendered("a\u{1b}\0b", "\u{1b}\0");
        assert_eq!(lines[3], r"1 | a\u{1b}\u{0}b");
        assert_eq!(lines[4], format!("  |  {}", "^".repeat(11)));
        let source = format!("{} wrong {0}", "\u{202e}".repeat(100));
        let lines = rendered(&source, "wrong");
        assert!(lines[3].chars().count() < MAX_LINE + 10, "{}", lines[3]);
        let under = lines[4].find('^').unwrap();
        let shown: String = lines[3].chars().skip(under).take(5).collect();
        assert_eq!(shown, "wrong");
    }

    #[test]
    fn the_compact_form_is_bounded() {
        let draft = |i: u32| {
            let span = Span { start: i, end: i };
            Draft::new(Kind::Type, span, "wrong ".repeat(80))
                .found("x".repeat(900))
                .finish("", |_| 0..0)
        };
        let items = (0..20).map(draft).collect();
        let text = Diagnostics { items }.to_string();
        assert!(text.chars().count() < 5000, "{}", text.len());
        let last = text.lines().last().unwrap();
        assert!(last.ends_with(" more"), "{last}");
        assert_eq!(
            text.lines()
                .filter(|line| line.starts_with("line "))
                .count(),
            6
        );
    }
}
