//! Every provider against a real server that answers well, badly or not at all.

use std::time::Duration;

use tiller_vlm::exchange::Exchange;
use tiller_vlm::provider::{Api, Outcome, RemoteConfig, Timeouts, Usage};
use tiller_vlm_testing::{
    APIS, Act, Ending, KEY, Script, Server, chunk, chunked_head, client, events, json_response,
    query, response, shows_key, stream_head, streamed, threaded, whole,
};

const ANSWER: &str = "num_stages = 1\n# \u{e4}\u{1f916}\n";

/// Asks a server that plays the scripts; also gives how often it was asked.
async fn ask_with(
    api: Api,
    scripts: Vec<Script>,
    change: impl FnOnce(&mut RemoteConfig),
) -> (Exchange, usize) {
    let server = Server::start(scripts).await;
    let mut config = server.config(api);
    change(&mut config);
    let exchange = client(config).ask(&query()).await;
    let shown = format!("{exchange:?}");
    assert!(!shows_key(&shown) && !shown.contains(KEY), "{shown}");
    (exchange, server.requests().len())
}

async fn ask(api: Api, scripts: Vec<Script>) -> (Exchange, usize) {
    ask_with(api, scripts, |_| {}).await
}

/// The outcome by name, and how often the server was asked.
async fn outcome(api: Api, script: Script) -> (&'static str, usize) {
    let (exchange, requests) = ask(api, vec![script]).await;
    if let Err(error) = &exchange.result {
        assert!(
            error.to_string().contains(error.outcome.advice()),
            "{error}"
        );
    }
    (exchange.outcome().name(), requests)
}

#[tokio::test]
async fn an_answer_comes_as_a_stream_in_any_pieces_or_whole() {
    for api in APIS {
        let (start, end) = ANSWER.split_at(9);
        let text = events(api, &[start, end], Ending::Complete);
        let mut pieces: Script = text
            .as_bytes()
            .chunks(7)
            .map(|piece| Act::Send(piece.to_vec()))
            .collect();
        pieces.insert(0, stream_head());
        let chunks = vec![
            chunked_head(),
            chunk(&text),
            Act::Send(b"0\r\n\r\n".to_vec()),
        ];
        let windows = vec![
            stream_head(),
            Act::Send(text.replace('\n', "\r\n").into_bytes()),
        ];
        let plain = json_response(whole(api, ANSWER, Ending::Complete).to_string());
        for script in [pieces, chunks, windows, plain] {
            let (exchange, requests) = ask(api, vec![script]).await;
            let reply = exchange.result.unwrap();
            assert_eq!(
                (reply.text.as_str(), reply.model.as_str()),
                (ANSWER, "test-model-1")
            );
            let usage = Usage {
                input_tokens: 11,
                output_tokens: 22,
                estimated: false,
            };
            assert_eq!((reply.usage, requests), (usage, 1), "{}", api.name());
        }
    }
}

#[tokio::test]
async fn a_finished_answer_does_not_wait_for_the_connection_to_close() {
    for api in APIS {
        let plain = whole(api, ANSWER, Ending::Complete).to_string();
        let announced = format!("HTTP/1.1 200 OK\r\ncontent-length: 99999\r\n\r\n{plain}");
        let whole = vec![Act::Send(announced.into_bytes())];
        for mut script in [streamed(api, ANSWER, Ending::Complete), whole] {
            script.push(Act::Hang);
            assert_eq!(outcome(api, script).await, ("ok", 1), "{}", api.name());
        }
    }
}

#[tokio::test]
async fn the_request_is_what_the_service_expects_and_holds_the_key_in_its_header_only() {
    for api in APIS {
        let server = Server::start(vec![streamed(api, ANSWER, Ending::Complete)]).await;
        server.client(api).ask(&query()).await.result.unwrap();
        let requests = server.requests();
        let (head, body) = requests[0].split_once("\r\n\r\n").unwrap();
        let (line, key) = match api {
            Api::OpenAi => (
                "POST /v1/chat/completions HTTP/1.1",
                format!("authorization: Bearer {KEY}"),
            ),
            Api::Azure => (
                "POST /v1/chat/completions HTTP/1.1",
                format!("api-key: {KEY}"),
            ),
            Api::Responses => (
                "POST /v1/responses HTTP/1.1",
                format!("authorization: Bearer {KEY}"),
            ),
            Api::Anthropic => ("POST /v1/messages HTTP/1.1", format!("x-api-key: {KEY}")),
            Api::Gemini => (
                "POST /v1/models/test-model:streamGenerateContent?alt=sse HTTP/1.1",
                format!("x-goog-api-key: {KEY}"),
            ),
        };
        assert!(head.starts_with(line), "{head}");
        assert!(head.lines().any(|line| line == key), "{head}");
        assert!(
            body.contains("the rules") && body.contains("the question"),
            "{body}"
        );
        assert!(!body.contains(KEY));
    }
}

#[tokio::test]
async fn localhost_is_this_machine_whatever_the_name_service_says() {
    let server = Server::start(vec![streamed(Api::OpenAi, ANSWER, Ending::Complete)]).await;
    let mut config = server.config(Api::OpenAi);
    config.base_url = Some(format!("http://localhost:{}/v1", server.address.port()));
    config.key = None;
    assert_eq!(client(config).ask(&query()).await.outcome(), Outcome::Ok);
    assert!(!server.requests()[0].contains("authorization"));
}

#[tokio::test]
async fn a_busy_server_is_asked_again_when_it_says() {
    for api in APIS {
        let good = streamed(api, ANSWER, Ending::Complete);
        let busy = |wait: &str| {
            response(
                "429 Too Many Requests",
                &format!("retry-after: {wait}\r\n"),
                "{\"error\": {\"message\": \"slow down\"}}",
            )
        };
        for wait in ["0", "Sun, 06 Nov 1994 08:49:37 GMT"] {
            let (exchange, requests) = ask(api, vec![busy(wait), good.clone()]).await;
            assert_eq!((exchange.outcome(), requests), (Outcome::Ok, 2), "{wait}");
            assert_eq!(exchange.attempts[0].outcome, "rate_limited");
            assert!(
                exchange.attempts[0]
                    .detail
                    .ends_with("answered 429: slow down"),
                "{:?}",
                exchange.attempts
            );
        }
        // Longer than we would wait at all: said at once, not slept through.
        let (exchange, requests) = ask(api, vec![busy("3600"), good.clone()]).await;
        assert_eq!((exchange.outcome(), requests), (Outcome::RateLimited, 1));
        assert_eq!(
            exchange.result.unwrap_err().retry_after,
            Some(Duration::from_secs(3600))
        );
        let broke = response(
            "429 Too Many Requests",
            "",
            "{\"error\": {\"code\": \"insufficient_quota\"}}",
        );
        assert_eq!(outcome(api, broke).await, ("quota_exhausted", 1));
    }
}

#[tokio::test]
async fn failing_servers_get_three_chances() {
    for api in APIS {
        let fault = |status: &str| response(status, "", "<html>oops</html>");
        let good = streamed(api, ANSWER, Ending::Complete);
        assert_eq!(
            outcome(api, fault("500 Internal Server Error")).await,
            ("server_error", 3)
        );
        let scripts = vec![
            fault("503 Service Unavailable"),
            fault("529 Overloaded"),
            good,
        ];
        let (exchange, requests) = ask(api, scripts).await;
        assert_eq!((exchange.outcome(), requests), (Outcome::Ok, 3));
        let overloaded = vec![
            stream_head(),
            Act::Send(b"event: error\ndata: {\"type\": \"error\", \"error\": {\"type\": \"overloaded_error\", \"message\": \"busy\"}}\n\n".to_vec()),
        ];
        assert_eq!(outcome(api, overloaded).await, ("overloaded", 3));
        let mute = vec![
            Act::Send(b"HTTP/1.1 401 Unauthorized\r\ncontent-length: 100\r\n\r\n".to_vec()),
            Act::Hang,
        ];
        let (exchange, _) = ask_with(api, vec![mute], |config| {
            config.timeouts.total = Duration::from_millis(80);
        })
        .await;
        assert_eq!(
            exchange.outcome(),
            Outcome::Unauthorised,
            "the status stands without a body"
        );
        for (status, name) in [
            ("400 Bad Request", "request_rejected"),
            ("401 Unauthorized", "unauthorised"),
            ("403 Forbidden", "unauthorised"),
            ("404 Not Found", "not_found"),
            ("413 Payload Too Large", "question_too_large"),
        ] {
            assert_eq!(outcome(api, fault(status)).await, (name, 1), "{status}");
        }
    }
}

#[tokio::test]
async fn broken_connections_are_told_from_finished_answers() {
    for api in APIS {
        let half = events(api, &[ANSWER], Ending::None);
        let reset = vec![
            chunked_head(),
            chunk(&half),
            Act::Pause(Duration::from_millis(20)),
            Act::Reset,
        ];
        assert_eq!(
            outcome(api, reset).await,
            ("connection_lost", 3),
            "{}",
            api.name()
        );
        let cut = vec![chunked_head(), chunk(&half)];
        assert_eq!(outcome(api, cut).await, ("connection_lost", 3));
        let quiet_end = vec![stream_head(), Act::Send(half.into_bytes())];
        assert_eq!(outcome(api, quiet_end).await, ("connection_lost", 3));
        assert_eq!(
            outcome(api, vec![]).await,
            ("connection_lost", 3),
            "closed without a word"
        );
        let garbage = vec![Act::Send(b"SSH-2.0-OpenSSH_9.2\r\n".to_vec())];
        assert_eq!(outcome(api, garbage).await, ("connection_lost", 3));
        let (start, rest) = (
            streamed(api, ANSWER, Ending::None),
            streamed(api, ANSWER, Ending::Complete),
        );
        let (exchange, requests) = ask(api, vec![start, rest]).await;
        assert_eq!(
            (exchange.result.unwrap().text.as_str(), requests),
            (ANSWER, 2),
            "nothing of the first try is left"
        );
    }
}

#[tokio::test]
async fn slow_servers_end_in_the_timeout_that_has_passed() {
    let hasty = |first_byte, total| {
        move |config: &mut RemoteConfig| {
            config.timeouts = Timeouts {
                connect: Duration::from_secs(5),
                first_byte: Duration::from_millis(first_byte),
                total: Duration::from_millis(total),
            };
        }
    };
    for api in APIS {
        let hang = vec![Act::Hang];
        let (exchange, _) = ask_with(api, vec![hang.clone()], hasty(60, 5000)).await;
        assert_eq!(exchange.outcome(), Outcome::TimeoutFirstByte);
        assert_eq!(exchange.attempts.len(), 3);
        let only_head = vec![stream_head(), Act::Hang];
        let (exchange, _) = ask_with(api, vec![only_head], hasty(60, 100)).await;
        assert!(matches!(
            exchange.outcome(),
            Outcome::TimeoutFirstByte | Outcome::TimeoutTotal
        ));
        let (exchange, _) = ask_with(api, vec![hang], hasty(5000, 80)).await;
        assert_eq!(exchange.outcome(), Outcome::TimeoutTotal);
        // A byte now and then keeps every connection alive, and the whole too slow.
        let text = events(api, &[ANSWER], Ending::None);
        let mut drip = vec![stream_head()];
        for byte in text.bytes().cycle().take(2000) {
            drip.extend([Act::Send(vec![byte]), Act::Pause(Duration::from_millis(10))]);
        }
        let (exchange, _) = ask_with(api, vec![drip], hasty(5000, 250)).await;
        assert_eq!(exchange.outcome(), Outcome::TimeoutTotal);
        assert_eq!(exchange.attempts.len(), 1);
    }
}

#[tokio::test]
async fn nobody_there_and_nobody_who_speaks_tls() {
    for api in APIS {
        let free = std::net::TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap();
        let (exchange, _) = ask_with(api, vec![vec![]], |config| {
            config.base_url = Some(format!("http://{free}/v1"));
        })
        .await;
        assert_eq!(exchange.outcome(), Outcome::Unreachable);
        assert_eq!(exchange.attempts.len(), 3);
    }
    // Accepts connections and never answers the TLS greeting.
    let mute = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = mute.local_addr().unwrap();
    let server = Server::start(vec![vec![]]).await;
    let mut config = server.config(Api::OpenAi);
    config.base_url = Some(format!("https://{address}/v1"));
    config.timeouts.connect = Duration::from_millis(60);
    match tiller_vlm::provider::RemoteProvider::new(config.clone()) {
        Ok(_) => assert_eq!(
            client(config).ask(&query()).await.outcome(),
            Outcome::TimeoutConnect
        ),
        // A bare machine without certificates is told so when it starts.
        Err(error) => assert!(error.to_string().contains("ca-certificates"), "{error}"),
    }
}

#[tokio::test]
async fn answers_that_are_too_large_are_not_read_to_their_end() {
    for api in APIS {
        let megabytes = "x".repeat(10 << 20);
        let announced = json_response(whole(api, &megabytes, Ending::Complete).to_string());
        assert_eq!(
            outcome(api, announced).await,
            ("too_large", 1),
            "{}",
            api.name()
        );
        let piece = events(api, &[&"y".repeat(10_000)], Ending::None);
        let endless = vec![stream_head(), Act::Repeat(piece.into_bytes())];
        assert_eq!(outcome(api, endless).await, ("too_large", 1));
        let one_line = vec![
            stream_head(),
            Act::Send(b"data: ".to_vec()),
            Act::Repeat(vec![b'z'; 1 << 16]),
        ];
        assert_eq!(outcome(api, one_line).await, ("too_large", 1));
        let comments = vec![stream_head(), Act::Repeat(b": ping\n\n".repeat(4096))];
        assert_eq!(outcome(api, comments).await, ("too_large", 1));
        let unannounced = vec![
            Act::Send(
                b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n\r\n"
                    .to_vec(),
            ),
            Act::Repeat(vec![b' '; 1 << 16]),
        ];
        assert_eq!(outcome(api, unannounced).await, ("too_large", 1));
        let error = vec![
            Act::Send(b"HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\r\n".to_vec()),
            Act::Repeat(vec![b'e'; 1 << 16]),
        ];
        assert_eq!(outcome(api, error).await, ("request_rejected", 1));
    }
}

#[tokio::test]
async fn what_is_no_answer_of_this_service_is_malformed() {
    for api in APIS {
        for body in [
            &b"{\"text\": \"\xff\xfe\"}"[..],
            b"{\"hello\": 1}",
            b"[1, 2]",
            b"null",
            b"<html><body>Welcome</body></html>",
        ] {
            assert_eq!(
                outcome(api, json_response(body)).await,
                ("malformed_answer", 1),
                "{}",
                String::from_utf8_lossy(body)
            );
        }
        // What is cut may be whole the next time.
        let cut = json_response(b"{\"choices\": ");
        assert_eq!(outcome(api, cut).await, ("unfinished_answer", 3));
        for event in [
            &b"data: {\"text\": \"\xff\"}\n\n"[..],
            b"data: not json\n\n",
            b"data: 7\n\n",
            b"hello\n\n",
        ] {
            let script = vec![stream_head(), Act::Send(event.to_vec())];
            assert_eq!(
                outcome(api, script).await,
                ("malformed_answer", 1),
                "{}",
                String::from_utf8_lossy(event)
            );
        }
        // The answer of another service, for a base URL that belongs to it.
        let other = match api {
            Api::OpenAi | Api::Azure => Api::Gemini,
            _ => Api::OpenAi,
        };
        let foreign = json_response(whole(other, ANSWER, Ending::Complete).to_string());
        assert_eq!(outcome(api, foreign).await, ("malformed_answer", 1));
    }
}

#[tokio::test]
async fn empty_cut_off_and_declined_answers_have_their_names() {
    for api in APIS {
        let empty = match api {
            Api::OpenAi | Api::Azure => "{\"choices\": []}",
            Api::Responses => "{\"status\": \"completed\", \"output\": []}",
            Api::Anthropic => "{\"content\": []}",
            Api::Gemini => "{\"candidates\": []}",
        };
        for script in [
            json_response(empty),
            streamed(api, " \n", Ending::Complete),
            json_response(""),
            vec![stream_head()],
        ] {
            assert_eq!(outcome(api, script).await, ("empty_answer", 3));
        }
        for (ending, name) in [
            (Ending::Length, "truncated"),
            (Ending::Filtered, "refused_by_model"),
        ] {
            assert_eq!(
                outcome(api, streamed(api, "```python\nnum_st", ending)).await,
                (name, 1)
            );
            let plain = json_response(whole(api, "```python\nnum_st", ending).to_string());
            assert_eq!(outcome(api, plain).await, (name, 1));
        }
    }
    let refusal = json_response(
        "{\"choices\": [{\"message\": {\"content\": null, \"refusal\": \"I will not.\"}, \"finish_reason\": \"stop\"}]}",
    );
    assert_eq!(outcome(Api::OpenAi, refusal).await, ("refused_by_model", 1));
    let blocked = json_response("{\"promptFeedback\": {\"blockReason\": \"SAFETY\"}}");
    assert_eq!(outcome(Api::Gemini, blocked).await, ("refused_by_model", 1));
}

#[tokio::test]
async fn only_the_configured_host_is_contacted() {
    for api in APIS {
        let elsewhere = Server::start(vec![streamed(api, ANSWER, Ending::Complete)]).await;
        for status in [
            "301 Moved Permanently",
            "302 Found",
            "307 Temporary Redirect",
            "308 Permanent Redirect",
        ] {
            let location = format!("location: http://{}/v1/x\r\n", elsewhere.address);
            let (exchange, requests) = ask(api, vec![response(status, &location, "")]).await;
            assert_eq!(
                (exchange.outcome(), requests),
                (Outcome::Redirected, 1),
                "{status}"
            );
            let detail = exchange.result.unwrap_err().detail;
            assert!(detail.contains(&elsewhere.address.to_string()), "{detail}");
        }
        assert!(elsewhere.requests().is_empty());
    }
}

#[tokio::test]
async fn a_key_that_the_server_echoes_shows_nowhere() {
    for api in APIS {
        let bodies = [
            format!("{{\"error\": {{\"message\": \"Incorrect API key provided: {KEY}.\"}}}}"),
            format!("bad key {}***{}", &KEY[..18], &KEY[18..]),
            format!("<p>{}</p>", KEY.to_uppercase()),
        ];
        for body in bodies {
            let (exchange, _) = ask(api, vec![response("401 Unauthorized", "", &body)]).await;
            let text = exchange.result.unwrap_err().to_string();
            assert!(text.contains("[redacted]") && !shows_key(&text), "{text}");
            assert!(!shows_key(&exchange.attempts[0].detail));
        }
        let location = format!("location: http://elsewhere.example/?key={KEY}\r\n");
        let (exchange, _) = ask(api, vec![response("302 Found", &location, "")]).await;
        assert!(exchange.result.unwrap_err().detail.contains("[redacted]"));
        let (exchange, _) = ask(
            api,
            vec![streamed(
                api,
                &format!("your key is {KEY}, ha"),
                Ending::Complete,
            )],
        )
        .await;
        assert_eq!(exchange.result.unwrap().text, "your key is [redacted], ha");
        let (exchange, _) = ask(api, vec![json_response(format!("{{\"x\": \"{KEY}\"}}"))]).await;
        assert_eq!(exchange.outcome(), Outcome::MalformedAnswer);
    }
}

/// Asks a host that does not exist; the environment's proxy, if it is used, answers in its place.
#[tokio::test]
#[ignore = "runs with a proxy in its environment, as a child of the next test"]
async fn child_with_a_proxy_in_its_environment() {
    for (environment_proxy, expected) in [(false, false), (true, true)] {
        let mut config = Server::start(vec![vec![]]).await.config(Api::OpenAi);
        config.base_url = Some("http://model.invalid/v1".to_owned());
        config.allow_plain_http = true;
        config.environment_proxy = environment_proxy;
        config.timeouts.connect = Duration::from_secs(1);
        let exchange = client(config).ask(&query()).await;
        assert_eq!(exchange.outcome() == Outcome::Ok, expected, "{exchange:?}");
    }
}

#[test]
fn the_environments_proxy_is_used_only_if_configured() {
    let (server, _stop) = threaded(vec![streamed(Api::OpenAi, ANSWER, Ending::Complete)]);
    let proxy = format!("http://{}", server.address);
    let child = std::process::Command::new(std::env::current_exe().unwrap())
        .args([
            "--ignored",
            "--exact",
            "providers::child_with_a_proxy_in_its_environment",
        ])
        .envs([
            ("HTTP_PROXY", &proxy),
            ("http_proxy", &proxy),
            ("ALL_PROXY", &proxy),
        ])
        .env_remove("NO_PROXY")
        .env_remove("no_proxy")
        .env_remove("REQUEST_METHOD")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&child.stdout);
    assert!(
        child.status.success() && said.contains("1 passed"),
        "{said}"
    );
    assert_eq!(server.requests().len(), 1);
}
