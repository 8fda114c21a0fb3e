//! What a person who watches the log is told: of waits, and of requests that change.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that panics has failed, as it should"
)]

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use tiller_vlm::provider::Api;
use tiller_vlm_testing::{Ending, KEY, Script, Server, query, response, shows_key, streamed};
use tracing::Level;

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

/// The lines that are logged at `info` and above while a question is asked, and the server's address.
async fn lines(scripts: Vec<Script>) -> (Vec<String>, String) {
    let kept = Kept::default();
    let place = kept.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(Level::INFO)
        .with_writer(move || place.clone())
        .with_ansi(false)
        .without_time()
        .with_target(false)
        .finish();
    // The question is asked on this thread.
    let _guard = tracing::subscriber::set_default(subscriber);
    let server = Server::start(scripts).await;
    let exchange = server.client(Api::OpenAi).ask(&query()).await;
    exchange.result.unwrap();
    let text = String::from_utf8(kept.0.lock().unwrap().clone()).unwrap();
    assert!(!text.contains(KEY) && !shows_key(&text), "{text}");
    let lines = text.lines().map(str::to_owned).collect();
    (lines, server.address.to_string())
}

fn good() -> Script {
    streamed(Api::OpenAi, "num_stages = 1\n", Ending::Complete)
}

#[tokio::test]
async fn a_wait_is_told_with_its_length_and_who_asked_for_it() {
    let named = response(
        "429 Too Many Requests",
        "retry-after-ms: 1050\r\n",
        "{\"error\": {\"message\": \"slow down \\u001b[2J\\u202e\"}}",
    );
    let (lines, server) = lines(vec![named, good()]).await;
    // A little longer than asked, by chance, so that not all who wait come at once.
    let expected = [1.1, 1.2].map(|seconds| {
        format!(
            " INFO waiting {seconds} s, as the server asks: rate_limited: {server} answered 429: slow down \
             \\u{{1b}}[2J\\u{{202e}}; wait, ask less often, or raise the account's rate limit"
        )
    });
    assert!(
        matches!(&lines[..], [line] if expected.contains(line)),
        "{lines:?}"
    );

    // Short ones are nobody's business.
    let short = response("429 Too Many Requests", "retry-after-ms: 5\r\n", "");
    let (lines, _) = self::lines(vec![short, good()]).await;
    assert_eq!(lines, [""; 0]);
}

#[tokio::test]
async fn a_change_of_requests_is_told_once_with_the_setting_that_makes_it() {
    let text = "{\"error\": {\"message\": \"Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.\", \"param\": \"max_tokens\"}}";
    let event = format!("data: {text}\n\n");
    for (refusal, status) in [
        (response("400 Bad Request", "", text), 400),
        (
            response("200 OK", "content-type: text/event-stream\r\n", event),
            200,
        ),
    ] {
        let (lines, server) = lines(vec![refusal, good()]).await;
        let expected = format!(
            " INFO the server does not take the request: the token limit is sent as \
             `max_completion_tokens` from now on host=\"{server}\" status={status} \
             setting=\"TOKEN_LIMIT_NAME=max_completion_tokens\""
        );
        assert_eq!(lines, [expected]);
    }
}
