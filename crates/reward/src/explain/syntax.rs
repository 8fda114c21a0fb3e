//! Text that is not Python: the first cause on each line, and what it usually stands for.

use crate::diagnostic::{Draft, Kind, Span};
use crate::syntax::{Failure, Mark, SyntaxError};

/// Syntax errors shown at most: later ones mostly follow from earlier ones.
const MAX_ERRORS: usize = 3;

/// The mistakes of text that does not parse.
pub(crate) fn explain(failure: &Failure, python: &str) -> Vec<Draft> {
    // The parser recovers from an open bracket somewhere later; the bracket is the mistake.
    if let Some(draft) = open_bracket(failure, python) {
        return vec![draft];
    }
    let mut drafts: Vec<Draft> = Vec::new();
    let mut last_end = None;
    for error in failure.errors() {
        let span = error.span();
        let (start, line) = line_at(python, span);
        let end_of_text = span.start as usize >= python.trim_end().len();
        // What follows right below a mistake is often its consequence.
        let follows = last_end.is_some_and(|end: usize| start <= end + 1);
        if drafts.len() == MAX_ERRORS || follows || (end_of_text && !drafts.is_empty()) {
            continue;
        }
        last_end = Some(start + line.len());
        let draft = described(error, span, line, python);
        // The same letter or slip on several lines needs one line of advice.
        if drafts.iter().all(|known| known.message != draft.message) {
            drafts.push(draft);
        }
    }
    drafts
}

/// The line that `span` starts on and where it begins.
fn line_at(python: &str, span: Span) -> (usize, &str) {
    let at = (span.start as usize).min(python.len());
    let start = python
        .get(..at)
        .and_then(|before| before.rfind('\n'))
        .map_or(0, |n| n + 1);
    let line = python.get(start..).unwrap_or_default();
    (start, line.lines().next().unwrap_or_default())
}

/// The last bracket that nothing closes.
fn open_bracket(failure: &Failure, python: &str) -> Option<Draft> {
    let mut open: Vec<(char, Span)> = Vec::new();
    for (mark, span) in failure.marks() {
        match mark {
            Mark::Bracket(bracket @ ('(' | '[' | '{')) => open.push((bracket, span)),
            Mark::Bracket(bracket) => {
                if open.pop().map(|(opening, _)| closing(opening)) != Some(bracket) {
                    return None;
                }
            }
            // No bracket reaches into the next stage.
            Mark::Def if !open.is_empty() => break,
            Mark::Def => {}
        }
    }
    let &(bracket, span) = open.last()?;
    let closing = closing(bracket);
    let rest = python.get(span.end as usize..).unwrap_or_default();
    let is_last_line = !rest.trim_end().contains('\n');
    let help = if is_last_line {
        format!("add `{closing}`; if the answer was cut off here, write it again in full, shorter")
    } else {
        format!("add `{closing}`")
    };
    Some(
        Draft::new(
            Kind::Syntax,
            span,
            format!("this `{bracket}` is never closed"),
        )
        .help(help),
    )
}

fn closing(bracket: char) -> char {
    match bracket {
        '(' => ')',
        '[' => ']',
        _ => '}',
    }
}

fn described(error: SyntaxError<'_>, span: Span, line: &str, python: &str) -> Draft {
    let reason = lower_first(&error.reason());
    let draft = Draft::new(Kind::Syntax, span, format!("this is not Python: {reason}"));
    if line.contains("```") {
        return draft.help("close the code block before the prose, on a line of its own");
    }
    if let Some(letter) = error.foreign_letter() {
        return foreign_letter(letter, span);
    }
    if let Some(letter) = line.chars().find(|&c| plain_letter(c).is_some()) {
        let at = line_at(python, span).0 + line.find(letter).unwrap_or(0);
        let start = at as u32;
        let end = start + letter.len_utf8() as u32;
        return foreign_letter(letter, Span { start, end });
    }
    let words = line.split_whitespace().count();
    let code = line.trim_start();
    let help = if reason.contains("indent") {
        let start = line_at(python, span).0 + (line.len() - code.len());
        let first = code.split_whitespace().next().unwrap_or_default();
        let draft = Draft {
            span: Span {
                start: start as u32,
                end: (start + first.len()) as u32,
            },
            ..draft
        };
        return draft.help(if line.contains('\t') || python.contains("\n\t") {
            "indent with four blanks at each level, and with no tabs"
        } else if reason.starts_with("expected an indented block") {
            "indent this line by four blanks"
        } else {
            "start it in the same column as the line above; a deeper level needs `if`, `for` or `def`"
        });
    } else if line.contains('<') && line.contains('>') && words > 2 && !line.contains("torch") {
        "replace the placeholder by an expression"
    } else if line.contains("++") || line.contains("--") {
        "write `n += 1`"
    } else if reason.contains("`:`, found `=`") {
        "compare with `==`"
    } else if reason.contains("expected `:`") || reason.contains("expected ':'") {
        "add `:` at the end of the line"
    } else if reason.contains("must be separated") && words > 3 && !line.contains(['(', '=']) {
        "this reads like prose: put it in a comment, `# ...`"
    } else if reason.contains("must be separated") {
        "an operator is missing, such as `*`, or two statements stand on one line"
    } else if line.contains("&&") || line.contains("||") {
        "write `&` and `|` between tensors, `and` and `or` between constants"
    } else if line.contains("...") {
        "write the expression out: `...` stands for nothing here"
    } else if reason.contains("line continuation") {
        "remove the `\\`, or end the line with it"
    } else {
        "check brackets, quotes and operators on this line"
    };
    draft.help(help)
}

fn foreign_letter(letter: char, span: Span) -> Draft {
    let code = u32::from(letter);
    let help = match plain_letter(letter) {
        Some(plain) => format!("write `{plain}`"),
        None => "use plain letters, digits and signs".to_owned(),
    };
    let message = format!("`{letter}` (U+{code:04X}) is not Python");
    Draft::new(Kind::Syntax, span, message).help(help)
}

/// What a typographic letter stands for.
fn plain_letter(letter: char) -> Option<&'static str> {
    Some(match letter {
        '\u{2212}' | '\u{2013}' | '\u{2014}' | '\u{2010}' | '\u{2011}' => "-",
        '\u{2018}' | '\u{2019}' => "'",
        '\u{201c}' | '\u{201d}' => "\"",
        '\u{00d7}' | '\u{00b7}' | '\u{22c5}' | '\u{2217}' => "*",
        '\u{00f7}' | '\u{2215}' => "/",
        '\u{2264}' => "<=",
        '\u{2265}' => ">=",
        '\u{2260}' => "!=",
        '\u{00b2}' => "** 2",
        '\u{221a}' => "torch.sqrt",
        '\u{2026}' => "...",
        _ => return None,
    })
}

fn lower_first(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| {
        first.to_lowercase().chain(chars).collect()
    })
}
