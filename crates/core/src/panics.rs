//! Panics as people may see them: a message may quote what a model, a server or a person wrote.

use std::backtrace::{Backtrace, BacktraceStatus};
use std::io::{self, Write};
use std::panic::{self, Location, PanicHookInfo};
use std::thread;

use crate::{MAX_NAME, MAX_STATUS, clip, visible, visible_block, visible_under};

/// Stands before every further line of a message.
const MARGIN: &str = "  | ";

/// Lets panics be told as Rust tells them, but with everything in their messages visible, no more than
/// [`MAX_STATUS`] characters of them, and nothing that could pass for a line of its own. For the start
/// of every program: Rust prints the raw text.
pub fn show_panics() {
    panic::set_hook(Box::new(|info| {
        let place = thread::current();
        let backtrace = Backtrace::capture();
        let trace = match backtrace.status() {
            BacktraceStatus::Captured => backtrace.to_string(),
            _ => "note: RUST_BACKTRACE=1 shows where it came from".to_owned(),
        };
        let text = told(place.name(), info.location(), message(info), &trace);
        // In one piece, for other threads write to the same place; and where nobody listens, nobody does.
        let _ = io::stderr().write_all(text.as_bytes());
    }));
}

fn message<'i>(info: &'i PanicHookInfo<'_>) -> &'i str {
    let payload = info.payload();
    match (
        payload.downcast_ref::<String>(),
        payload.downcast_ref::<&str>(),
    ) {
        (Some(text), _) => text,
        (_, Some(text)) => text,
        _ => "no message",
    }
}

fn told(thread: Option<&str>, at: Option<&Location<'_>>, message: &str, trace: &str) -> String {
    let thread = clip(thread.unwrap_or("<unnamed>"), MAX_NAME);
    let at = at.map_or_else(|| "an unknown place".to_owned(), ToString::to_string);
    format!(
        "thread '{}' panicked at {}: {}\n{}\n",
        visible(&thread),
        visible(&at),
        visible_under(&clip(message, MAX_STATUS), MARGIN),
        visible_block(trace.trim_end()),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_hides_nothing_and_is_bounded() {
        let hostile = "\u{1b}[2Jgone\u{202e}\u{9b}31m\r\nERROR all is lost\u{7}";
        let text = told(Some("a\nb\u{1b}"), None, hostile, "note");
        assert_eq!(
            text,
            "thread 'a\\nb\\u{1b}' panicked at an unknown place: \\u{1b}[2Jgone\\u{202e}\\u{9b}31m\n  \
             | ERROR all is lost\\u{7}\nnote\n"
        );
        let long = told(
            None,
            Some(Location::caller()),
            &"\u{1b}".repeat(1 << 20),
            "note",
        );
        assert!(
            long.starts_with("thread '<unnamed>' panicked at "),
            "{}",
            &long[..80]
        );
        assert!(long.contains("panics.rs:"));
        assert_eq!(long.matches(r"\u{1b}").count(), MAX_STATUS);
        assert!(long.ends_with("\u{2026}\nnote\n"));
    }
}
