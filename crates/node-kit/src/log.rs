//! Where logs go: nothing that an event quotes may steer a terminal, hide, or pass for another event.

use std::fmt;
use std::io::{self, Write};

use tiller_core::visible_under;
use tracing::{Event, Subscriber};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::{FormatTime, SystemTime};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

/// What is logged unless `TILLER_LOG` says otherwise. dora's own crates print their whole
/// configuration with every line, and zenoh its addresses and every message that a stopping node
/// no longer wants.
const DEFAULT_FILTER: &str = "zenoh=error,zenoh::net::routing=off,dora_node_api=error";

/// Stands before every further line of an event.
const MARGIN: &str = "  | ";

/// By this variable the daemon tells a node who it is.
const STARTED_BY_DORA: &str = "DORA_NODE_CONFIG";

/// Sends logs to standard error, or to dora by its own form where it has started the node, so that
/// `dora logs --level warn` knows warnings; everything in them is visible. `TILLER_LOG` filters
/// them as `RUST_LOG` would; default `info`.
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
    let events = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(false);
    // A subscriber that is set already stays.
    let _ = if std::env::var_os(STARTED_BY_DORA).is_some() {
        events
            .with_writer(io::stdout)
            .event_format(DoraEvents)
            .try_init()
    } else {
        events
            .with_writer(|| VisibleEvents(io::stderr()))
            .without_time()
            .with_target(false)
            .try_init()
    };
    if let Some(error) = problem {
        tracing::warn!("TILLER_LOG is ignored: {error}");
    }
}

/// The error that ends a node. dora repeats what was last on a failed node's standard error, at the
/// level of errors and to all who listen to the node, so it is said there as it stands.
pub(crate) fn tell_last(error: &str) {
    if std::env::var_os(STARTED_BY_DORA).is_none() {
        return tracing::error!("{error}");
    }
    let line = format!("ERROR {error}\n");
    if VisibleEvents(io::stderr())
        .write_all(line.as_bytes())
        .is_err()
    {
        tracing::error!("{error}");
    }
}

/// Events as dora reads them: a line of JSON each, of which it knows level, time and text.
struct DoraEvents;

impl<S, N> FormatEvent<S, N> for DoraEvents
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut line: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let (mut text, mut time) = (String::new(), String::new());
        context.format_fields(Writer::new(&mut text), event)?;
        SystemTime.format_time(&mut Writer::new(&mut time))?;
        let shown = serde_json::json!({
            "level": event.metadata().level().as_str(),
            "timestamp": time,
            "message": visible_under(&text, MARGIN),
        });
        writeln!(line, "{shown}")
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

    use dora_message::common::{LogLevel, LogLevelOrStdout, LogMessage, LogMessageHelper};

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

    #[test]
    fn dora_is_told_levels_and_nothing_passes_for_another_event() {
        let kept = Kept::default();
        let place = kept.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_writer(move || place.clone())
            .with_ansi(false)
            .event_format(DoraEvents)
            .finish();
        tracing::subscriber::with_default(subscriber, || {
            tracing::info!("plain: naïve 抓取");
            tracing::warn!(count = 3, "a\u{1b}[2Jb\n{{\"level\":\"ERROR\"}}");
        });
        let text = String::from_utf8(kept.0.lock().unwrap().clone()).unwrap();
        let lines: Vec<LogMessage> = text
            .lines()
            .map(|line| LogMessage::from(serde_json::from_str::<LogMessageHelper>(line).unwrap()))
            .collect();
        let told: Vec<_> = lines.iter().map(|line| line.level.clone()).collect();
        let expected = [LogLevel::Info, LogLevel::Warn].map(LogLevelOrStdout::LogLevel);
        assert_eq!(told, expected);
        assert_eq!(lines[0].message, "plain: naïve 抓取");
        let second = &lines[1].message;
        assert!(
            !second.contains('\u{1b}') && second.contains("count=3"),
            "{second}"
        );
        assert!(second.contains("\n  | {"), "{second}");
    }
}
