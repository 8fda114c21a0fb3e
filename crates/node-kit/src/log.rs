//! Where logs go: nothing that an event quotes may steer a terminal, hide, or pass for another event.

use std::io::{self, Write};

use tiller_core::visible_under;
use tracing_subscriber::EnvFilter;

/// What is logged unless `TILLER_LOG` says otherwise. dora's own crates print their whole
/// configuration with every line, and zenoh its addresses and every message that a stopping node
/// no longer wants.
const DEFAULT_FILTER: &str = "zenoh=error,zenoh::net::routing=off,dora_node_api=error";

/// Stands before every further line of an event.
const MARGIN: &str = "  | ";

/// Sends logs to standard error, with everything in them visible. `TILLER_LOG` filters them as
/// `RUST_LOG` would; default `info`.
pub fn init_logs() {
    let wanted = std::env::var("TILLER_LOG")
        .ok()
        .filter(|text| !text.trim().is_empty());
    let wanted = wanted.as_deref().unwrap_or("info");
    let (filter, problem) = match EnvFilter::try_new(format!("{DEFAULT_FILTER},{wanted}")) {
        Ok(filter) => (filter, None),
        Err(error) => (
            EnvFilter::new(format!("{DEFAULT_FILTER},info")),
            Some(error),
        ),
    };
    // dora prefixes lines with the time and the node. A subscriber that is set already stays.
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(|| VisibleEvents(io::stderr()))
        .with_ansi(false)
        .without_time()
        .with_target(false)
        .try_init();
    if let Some(error) = problem {
        tracing::warn!("TILLER_LOG is ignored: {error}");
    }
}

/// Writes events, each of which comes as a whole and ends its line. Colours are off, so that no
/// escape in an event is our own.
struct VisibleEvents<W>(W);

impl<W: Write> Write for VisibleEvents<W> {
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(event);
        let (body, end) = match text.strip_suffix('\n') {
            Some(body) => (body, "\n"),
            None => (text.as_ref(), ""),
        };
        // In one piece, for other threads and processes write to the same place.
        let shown = format!("{}{end}", visible_under(body, MARGIN));
        self.0.write_all(shown.as_bytes())?;
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<u8>>>);

    impl Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn events_hide_nothing_and_cannot_pass_for_others() {
        let kept = Kept::default();
        let place = kept.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_writer(move || VisibleEvents(place.clone()))
            .with_ansi(false)
            .without_time()
            .with_target(false)
            .finish();
        tracing::subscriber::with_default(subscriber, || {
            tracing::info!("plain: naïve 抓取 ⚠️");
            tracing::warn!(
                model = "\u{202e}x\u{9b}2J",
                "a\u{1b}[2Jb\u{202e}\u{7}\u{200b}\rc\r\n ERROR all is lost"
            );
        });
        let text = String::from_utf8(kept.0.lock().unwrap().clone()).unwrap();
        let mut lines = text.lines();
        assert_eq!(lines.next(), Some(" INFO plain: naïve 抓取 ⚠️"));
        let hidden = text.replace(['\n', '\u{fe0f}'], "");
        assert_eq!(hidden.chars().find(|&c| tiller_core::is_hidden(c)), None);
        let second = lines.next().unwrap();
        assert!(second.starts_with(" WARN a"), "{second}");
        assert!(second.contains(r"b\u{202e}"), "{second}");
        let third = lines.next().unwrap();
        assert!(third.starts_with("  |  ERROR all is lost"), "{third}");
        assert!(third.contains(r"\u{202e}x"), "{third}");
        assert_eq!(lines.next(), None);
    }
}
