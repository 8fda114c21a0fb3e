//! Waiting as servers ask, within the total time.

use std::time::{Duration, Instant};

use tiller_vlm::exchange::Exchange;
use tiller_vlm::provider::{Api, Outcome};
use tiller_vlm_testing::{
    Act, Ending, Script, Server, client, query, response, stream_head, streamed,
};

const LOADING: &str =
    r#"{"error": {"code": 503, "message": "Loading model", "type": "unavailable_error"}}"#;

fn good() -> Script {
    streamed(Api::OpenAi, "num_stages = 1\n", Ending::Complete)
}

/// Also gives how often the server was asked and how long that took.
async fn ask(scripts: Vec<Script>, total: Duration) -> (Exchange, usize, Duration) {
    let server = Server::start(scripts).await;
    let mut config = server.config(Api::OpenAi);
    config.timeouts.total = total;
    let started = Instant::now();
    let exchange = client(config).ask(&query()).await;
    (exchange, server.requests().len(), started.elapsed())
}

#[tokio::test]
async fn a_server_that_cannot_now_is_asked_until_it_can() {
    let mut scripts = vec![response("503 Service Unavailable", "", LOADING); 12];
    scripts.push(response("500 Internal Server Error", "", LOADING));
    scripts.push(response("429 Too Many Requests", "", "slow down"));
    scripts.push(response(
        "503 Service Unavailable",
        "",
        "<html>starting</html>",
    ));
    scripts.push(good());
    let (exchange, requests, _) = ask(scripts, Duration::from_secs(20)).await;
    assert_eq!((exchange.outcome(), requests), (Outcome::Ok, 16));
}

#[tokio::test]
async fn a_model_that_never_loads_is_given_up_when_the_time_is_up() {
    let total = Duration::from_millis(300);
    let loading = response("503 Service Unavailable", "", LOADING);
    let (exchange, requests, took) = ask(vec![loading], total).await;
    // The last try may have been under way when the time was up; the reason is named all the same.
    let named = [Outcome::ModelLoading, Outcome::TimeoutTotal];
    assert!(named.contains(&exchange.outcome()), "{exchange:?}");
    assert!(
        requests > 3 && took < Duration::from_secs(5),
        "{requests} in {took:?}"
    );
    let tries = exchange.attempts.len();
    let detail = exchange.result.unwrap_err().detail;
    for part in ["Loading model", &format!("; asked {tries} times in 0.")] {
        assert!(detail.contains(part), "{detail}");
    }
}

#[tokio::test]
async fn a_servers_wait_is_kept_wherever_it_is_named() {
    let busy = |headers: &str, body: &str| response("429 Too Many Requests", headers, body);
    let google = r#"[{"error": {"code": 429, "message": "slow down", "details": [{"retryDelay": "0.1s"}]}}]"#;
    let spent = "x-ratelimit-remaining-requests: 0\r\nx-ratelimit-reset-requests: 100ms\r\n";
    for script in [
        busy("retry-after-ms: 100\r\n", ""),
        busy("retry-after: 0.1\r\n", ""),
        busy(spent, ""),
        busy("", google),
        busy(
            "",
            r#"{"error": {"message": "Please try again in 100ms."}}"#,
        ),
    ] {
        // More of them than a question may fail.
        let scripts = [vec![script; 4], vec![good()]].concat();
        let (exchange, requests, took) = ask(scripts, Duration::from_secs(20)).await;
        assert_eq!((exchange.outcome(), requests), (Outcome::Ok, 5));
        assert!(took >= Duration::from_millis(400), "{took:?}");
        assert!(exchange.attempts[0].wait_ms >= 100);
    }
}

#[tokio::test]
async fn a_wait_beyond_the_total_time_ends_the_question_at_once_and_says_so() {
    let busy = response(
        "429 Too Many Requests",
        "",
        r#"{"error": {"message": "Please try again in 1m12.5s."}}"#,
    );
    let (exchange, requests, took) = ask(vec![busy, good()], Duration::from_secs(20)).await;
    assert_eq!((exchange.outcome(), requests), (Outcome::RateLimited, 1));
    assert!(took < Duration::from_secs(5), "{took:?}");
    let error = exchange.result.unwrap_err();
    assert_eq!(error.retry_after, Some(Duration::from_millis(72_500)));
    for part in ["asks to wait 72.5 s", "s are left of the total time"] {
        assert!(error.detail.contains(part), "{error}");
    }
}

#[tokio::test]
async fn tries_that_cost_something_count() {
    // The wait is named within an answer that had begun.
    let event =
        "data: {\"error\": {\"code\": 503, \"message\": \"Loading model, try again in 2ms\"}}\n\n";
    let begun = vec![stream_head(), Act::Send(event.as_bytes().to_vec())];
    let (exchange, requests, _) = ask(vec![begun], Duration::from_secs(20)).await;
    assert_eq!((exchange.outcome(), requests), (Outcome::ModelLoading, 3));
}
