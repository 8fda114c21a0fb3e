//! A server that echoes the key: nothing that is told, logged or left on disk holds it.

use std::fmt::Write as _;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use tiller_vlm::cache::Cache;
use tiller_vlm::exchange::Recorder;
use tiller_vlm::provider::{Api, Picture, Query, REDACTED, Secret};
use tiller_vlm_testing::{
    APIS, Ending, KEY, Script, Server, client, json_response, query, response, streamed, whole,
};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

/// The key in the spellings that servers, proxies and their pages use.
fn disguises() -> Vec<String> {
    let each = |spell: fn(u8) -> String| KEY.bytes().map(spell).collect::<String>();
    let (head, tail) = KEY.split_at(16);
    vec![
        KEY.to_owned(),
        KEY.to_uppercase(),
        format!("Bearer {KEY}"),
        format!("{head}****{tail}"),
        format!("{head}\n{tail}"),
        format!("{head} {tail}"),
        format!("{head}\u{200b}{tail}"),
        each(|byte| format!("%{byte:02X}")),
        KEY.replace('-', "%2d"),
        each(|byte| format!("\\u{byte:04x}")),
        each(|byte| format!("&#{byte};")),
        base64(KEY.as_bytes()),
        base64(format!("user:{KEY}").as_bytes()),
        each(|byte| format!("{byte:02x}")),
    ]
}

fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let number = (0..3).fold(0_usize, |sum, i| {
            sum << 8 | three.get(i).map_or(0, |byte| usize::from(*byte))
        });
        for i in 0..=three.len() {
            text.push(char::from(LETTERS[number >> (18 - 6 * i) & 63]));
        }
    }
    text
}

/// A text without what may stand between the letters of a key.
fn bare(text: &str) -> String {
    text.to_lowercase()
        .chars()
        .filter(|c| !c.is_whitespace() && !"\u{200b}*".contains(*c))
        .collect()
}

/// Parts of the key that nothing else holds, in every spelling.
fn traces() -> Vec<String> {
    let mut traces = vec!["4711-0815".to_owned(), "secret-4711".to_owned()];
    for disguise in disguises() {
        let bare = bare(&disguise);
        // The middle: ends are shared with what is before and after.
        let middle: String = bare
            .chars()
            .skip(bare.len() / 4)
            .take(bare.len() / 2)
            .collect();
        traces.push(middle);
    }
    traces
}

fn assert_clean(text: &str, traces: &[String], place: &str) {
    let bare = bare(text);
    for trace in traces {
        assert!(!bare.contains(trace), "{place} holds `{trace}`:\n{text}");
    }
}

/// Strings of a JSON value, undone of their escapes, a line each.
fn strings(value: &Value) -> String {
    match value {
        Value::String(text) => format!("{text}\n"),
        Value::Array(items) => items.iter().map(strings).collect(),
        Value::Object(members) => members.values().map(strings).collect(),
        _ => String::new(),
    }
}

/// Looks into every file; gives their number.
fn assert_folder_is_clean(folder: &Path, traces: &[String]) -> usize {
    let mut files = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let facts = std::fs::symlink_metadata(&path).unwrap();
        let place = path.display().to_string();
        if facts.is_dir() {
            assert_eq!(facts.mode() & 0o777, 0o700, "{place}");
            files += assert_folder_is_clean(&path, traces);
            continue;
        }
        assert_eq!(facts.mode() & 0o777, 0o600, "{place}");
        let bytes = std::fs::read(&path).unwrap();
        let text = String::from_utf8_lossy(&bytes);
        assert_clean(&text, traces, &place);
        if let Ok(value) = serde_json::from_slice::<Value>(&bytes) {
            assert_clean(&strings(&value), traces, &place);
        }
        files += 1;
    }
    files
}

/// Everything that a server can say, with an echo in it.
fn scripts(api: Api, echo: &str) -> Vec<Script> {
    let line = echo.replace(['\n', '\u{200b}'], " ");
    let headers = format!(
        "x-request-id: {line}\r\nwww-authenticate: Bearer error=\"{line}\"\r\nretry-after: {line}\r\n"
    );
    let error = json!({"error": {"message": format!("Incorrect API key provided: {echo}."), "type": echo, "code": echo}});
    let error = error.to_string();
    let page = format!("<html><p>{echo}</p></html>");
    let mut named = whole(api, "num_stages = 1", Ending::Complete);
    for member in ["model", "modelVersion"] {
        if named.get(member).is_some() {
            named[member] = echo.into();
        }
    }
    let answer = format!("Your key is `{echo}`, and stages follow.");
    vec![
        response("401 Unauthorized", &headers, &error),
        response("400 Bad Request", &headers, &page),
        response("404 Not Found", &headers, echo),
        response("500 Internal Server Error", &headers, &error),
        response("429 Too Many Requests", &headers, &page),
        response(
            "302 Found",
            &format!("location: http://elsewhere.example/?key={line}\r\n"),
            "",
        ),
        json_response(format!("{{\"x\": {}}}", json!(echo))),
        json_response(format!("not json {echo}")),
        json_response(named.to_string()),
        json_response(whole(api, &answer, Ending::Complete).to_string()),
        json_response(whole(api, &answer, Ending::Filtered).to_string()),
        streamed(api, &answer, Ending::Complete),
        streamed(api, &answer, Ending::Length),
        streamed(api, &answer, Ending::None),
    ]
}

#[tokio::test]
async fn an_echoed_key_is_in_no_answer_error_log_record_picture_or_cache() {
    let log = Arc::new(Log::default());
    let _guard = tracing::subscriber::set_default(Collector(log.clone()));
    let traces = traces();
    let picture = Picture::new(b"\x89PNG\r\n\x1a\npicture".to_vec()).unwrap();
    let query = Query {
        picture: Some(picture),
        ..query()
    };
    for api in APIS {
        for echo in disguises() {
            let folder = tempfile::tempdir().unwrap();
            let [run, cache] = ["run", "cache"].map(|name| folder.path().join(name));
            let scripts = scripts(api, &echo);
            let mut answers = 0;
            let count = scripts.len();
            for script in scripts {
                let server = Server::start(vec![script]).await;
                let mut config = server.config(api);
                // A server that is busy is asked as long as there is time.
                config.timeouts.total = Duration::from_millis(200);
                let client = client(config)
                    .with_cache(Cache::new(&cache))
                    .with_recorder(Recorder::new(&run).unwrap());
                let exchange = client.ask(&query).await;
                assert_clean(&format!("{exchange:?}"), &traces, "the exchange");
                match &exchange.result {
                    Ok(reply) => {
                        answers += 1;
                        let shows = format!("{} {}", reply.text, reply.model);
                        assert_clean(&shows, &traces, "the answer");
                        assert!(shows.contains(REDACTED), "{shows}");
                        assert!(
                            !reply.text.starts_with("Your")
                                || (reply.text.starts_with("Your key is `")
                                    && reply.text.ends_with(", and stages follow.")),
                            "{}",
                            reply.text
                        );
                    }
                    Err(error) => assert_clean(&error.to_string(), &traces, "the error"),
                }
            }
            assert!(answers >= 3, "{answers}");
            let records = assert_folder_is_clean(&run, &traces);
            assert_eq!(records, count + 1, "records and their picture");
            assert_eq!(assert_folder_is_clean(&cache, &traces), answers);
        }
    }
    let log = log.lines();
    assert!(!log.is_empty(), "further tries are logged");
    assert_clean(&log, &traces, "the log");
}

#[tokio::test]
async fn a_placeholder_is_sent_and_eats_no_words() {
    let words = "none of the stages is EMPTY: num_stages = 1 # ollama, sk_1234 and 1234";
    for key in ["EMPTY", "none", "ollama", "sk-1234", "1"] {
        for api in APIS {
            let server = Server::start(vec![streamed(api, words, Ending::Complete)]).await;
            let mut config = server.config(api);
            config.key = Some(Secret::new(key, "a test").unwrap());
            let exchange = client(config).ask(&query()).await;
            assert_eq!(exchange.result.unwrap().text, words);
            let request = &server.requests()[0];
            let ends = |line: &str| line.ends_with(&format!(" {key}"));
            assert!(request.lines().any(ends), "{request}");
        }
    }
}

/// What was logged.
#[derive(Default)]
struct Log(Mutex<String>);

impl Log {
    fn lines(&self) -> String {
        self.0.lock().unwrap().clone()
    }
}

struct Collector(Arc<Log>);

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        write!(self.0, "{field}={value:?} ").unwrap();
    }
}

impl Subscriber for Collector {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, attributes: &Attributes<'_>) -> Id {
        let mut line = Line(String::new());
        attributes.record(&mut line);
        *self.0.0.lock().unwrap() += &(line.0 + "\n");
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut line = Line(String::new());
        event.record(&mut line);
        *self.0.0.lock().unwrap() += &(line.0 + "\n");
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}
