//! Bodies as servers send them, well or badly: `tests/bodies`, and siblings of every format.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that panics has failed, as it should"
)]

use std::path::Path;
use std::time::{Duration, Instant};

use tiller_vlm::cache::Cache;
use tiller_vlm::exchange::Exchange;
use tiller_vlm::provider::Api;
use tiller_vlm_testing::{
    Act, Ending, Script, Server, client, query, response, stream_head, streamed,
};

const SSE: &str = "text/event-stream";
const JSON: &str = "application/json";

fn body(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/bodies");
    std::fs::read(folder.join(name)).unwrap()
}

fn script(kind: &str, status: &str, body: impl AsRef<[u8]>) -> Script {
    response(status, &format!("content-type: {kind}\r\n"), body)
}

async fn ask(api: Api, script: Script) -> (Exchange, usize) {
    let server = Server::start(vec![script]).await;
    let exchange = server.client(api).ask(&query()).await;
    (exchange, server.requests().len())
}

/// The outcome by name, the number of tries, and the answer or what went wrong.
async fn ends(api: Api, script: Script) -> (&'static str, usize, String) {
    let (exchange, requests) = ask(api, script).await;
    let said = match &exchange.result {
        Ok(reply) => reply.text.clone(),
        Err(error) => error.detail.clone(),
    };
    (exchange.outcome().name(), requests, said)
}

#[tokio::test]
async fn bodies_of_real_servers_end_as_they_should() {
    let retry = "429 Too Many Requests";
    let fault = "500 Internal Server Error";
    let bad = "400 Bad Request";
    let found = "200 OK";
    for (name, api, kind, status, outcome, tries, said) in [
        (
            "empty_data.body",
            Api::OpenAi,
            SSE,
            found,
            "ok",
            1,
            "num_stages = 2",
        ),
        (
            "choices_null.body",
            Api::OpenAi,
            SSE,
            found,
            "ok",
            1,
            "num_stages = 2",
        ),
        (
            "keepalive_data.body",
            Api::OpenAi,
            SSE,
            found,
            "ok",
            1,
            "num_stages = 2",
        ),
        (
            "text_plain_sse.body",
            Api::OpenAi,
            "text/plain",
            found,
            "ok",
            1,
            "num_stages = 2",
        ),
        (
            "text_plain_sse.body",
            Api::OpenAi,
            JSON,
            found,
            "ok",
            1,
            "num_stages = 2",
        ),
        (
            "surrogate_split.body",
            Api::OpenAi,
            SSE,
            found,
            "ok",
            1,
            "Done \u{1f916}\n```python",
        ),
        (
            "choice_error_chunk.body",
            Api::OpenAi,
            SSE,
            found,
            "server_error",
            3,
            "502: Provider disconnected",
        ),
        (
            "finish_empty_cut.body",
            Api::OpenAi,
            SSE,
            found,
            "connection_lost",
            3,
            "the stream ended",
        ),
        (
            "finish_error_tail.body",
            Api::OpenAi,
            SSE,
            found,
            "unfinished_answer",
            3,
            "with `error`",
        ),
        (
            "gem_empty_stop.body",
            Api::Gemini,
            SSE,
            found,
            "empty_answer",
            3,
            "the answer is blank",
        ),
        (
            "reasoning_content_only.body",
            Api::OpenAi,
            JSON,
            found,
            "empty_answer",
            3,
            "only reasoning came",
        ),
        (
            "noimage.body",
            Api::OpenAi,
            JSON,
            fault,
            "no_picture_support",
            1,
            "mmproj",
        ),
        (
            "max_tokens_400.body",
            Api::OpenAi,
            JSON,
            bad,
            "request_rejected",
            2,
            "max_completion_tokens",
        ),
    ] {
        let (ended, requests, text) = ends(api, script(kind, status, body(name))).await;
        assert_eq!((ended, requests), (outcome, tries), "{name}: {text}");
        assert!(text.contains(said), "{name}: {text}");
    }
    let server = Server::start(vec![script(JSON, retry, body("gem429.body"))]).await;
    let mut config = server.config(Api::Gemini);
    config.timeouts.total = Duration::from_secs(2);
    let error = client(config).ask(&query()).await.result.unwrap_err();
    assert_eq!(error.outcome.name(), "rate_limited");
    assert!(error.detail.contains("asks to wait 4.0 s"), "{error}");
}

/// Bodies with status 200, each with what it comes to; an answer is `yes` and a robot.
#[tokio::test]
async fn siblings_of_every_format_end_as_they_should() {
    let chunk = |text: &str, finish: &str| {
        format!(
            r#"{{"choices": [{{"index": 0, "delta": {{"content": "{text}"}}, "finish_reason": {finish}}}]}}"#
        )
    };
    let usage = r#"{"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 2}}"#;
    let (a, b) = (chunk("yes \\ud83e", "null"), chunk("\\uDD16", "\"stop\""));
    let part = |text: &str, rest: &str| {
        format!(r#"{{"candidates": [{{"content": {{"parts": [{{"text": "{text}"}}]}}{rest}}}]}}"#)
    };
    let (c, d) = (
        part("yes \\ud83e", ""),
        part("\\udd16", r#", "finishReason": "STOP""#),
    );
    let delta = |text: &str| {
        format!(
            r#"{{"type": "content_block_delta", "delta": {{"type": "text_delta", "text": "{text}"}}}}"#
        )
    };
    let stop = |word: &str| {
        format!(
            r#"{{"type": "message_delta", "delta": {{"stop_reason": {word}}}, "usage": {{"output_tokens": 2}}}}"#
        )
    };
    let (e, f) = (delta("yes \\ud83e"), delta("\\udd16"));
    let said =
        |text: &str| format!(r#"{{"type": "response.output_text.delta", "delta": "{text}"}}"#);
    let (g, h) = (said("yes \\ud83e"), said("\\udd16"));
    let completed =
        r#"{"type": "response.completed", "response": {"status": "completed", "output": []}}"#;
    let (openai, anthropic, gemini, responses) =
        (Api::OpenAi, Api::Anthropic, Api::Gemini, Api::Responses);
    let whole = |text: &str, finish: &str| {
        format!(
            r#"{{"choices": [{{"message": {{"content": {text}}}, "finish_reason": {finish}}}]}}"#
        )
    };
    for (api, text, outcome) in [
        // Lines of JSON, a list of them, and streams with much between.
        (openai, format!("{a}\n{b}\n{usage}\n"), "ok"),
        (openai, format!("[{a},\n{b}]"), "ok"),
        (openai, format!("\u{feff}: OPENROUTER PROCESSING\n\nid: 1\nretry: 5\ndata: {a}\n\n: x\n\nevent: ping\ndata: ping\n\ndata: null\n\ndata: {b}"), "ok"),
        (openai, format!("\n\n  \ndata:{a}\r\rdata:{b}\r\rdata:[DONE]\r\r"), "ok"),
        (openai, format!("data: {{\"id\": \"x\", \"prompt_filter_results\": [], \"choices\": []}}\n\ndata: {a}\n\ndata: {b}\n\n"), "ok"),
        (openai, format!("  \n {}", whole("\"yes \\ud83e\\udd16\"", "\"eos_token\"")), "ok"),
        (openai, format!("data: {a}\n\ndata: {b}\n\ndata: {{\"usage\": "), "ok"),
        (openai, format!("data: {a}\n\ndata: {{\"choi"), "connection_lost"),
        (openai, format!("data: {a}\n\n"), "connection_lost"),
        (openai, format!("data: {a}\n\ndata: [DONE]\n\n"), "unfinished_answer"),
        (openai, whole("\"yes\"", "null"), "unfinished_answer"),
        (openai, whole("\"yes\"", "\"\""), "unfinished_answer"),
        (openai, whole("\"yes\"", "\"abort\""), "unfinished_answer"),
        (openai, whole("null", "\"tool_calls\""), "unfinished_answer"),
        (openai, whole("null", "\"stop\""), "empty_answer"),
        (openai, r#"{"choices": null, "usage": null}"#.to_owned(), "empty_answer"),
        (openai, ": ping\n\n: ping\n\n".to_owned(), "connection_lost"),
        (openai, r#"{"error": "model is loading"}"#.to_owned(), "model_loading"),
        (openai, "event: error\ndata: {\"message\": \"Rate limit exceeded\", \"code\": 429}\n\n".to_owned(), "rate_limited"),
        (openai, format!("data: {b}\n\ndata: {{\"error\": {{\"message\": \"too late\"}}}}"), "server_error"),
        // Anthropic's.
        (anthropic, format!("event: ping\ndata: {{\"type\": \"ping\"}}\n\ndata:\n\ndata: {e}\n\ndata: {{\"type\": \"tomorrow\"}}\n\ndata: {f}\n\ndata: {}\n\n", stop("\"end_turn\"")), "ok"),
        (anthropic, format!("data: {{\"type\": \"message_start\"}}\n\ndata: {e}\n\ndata: {{\"type\": \"tomorrow\"}}\n\ndata: {f}\n\ndata: {}\n\n", stop("\"stop_sequence\"")), "ok"),
        (anthropic, format!("data: {{\"type\": \"message_start\"}}\n\ndata: {e}\n\ndata: {f}\n\ndata: {{\"type\": \"message_stop\"}}\n\n"), "unfinished_answer"),
        (anthropic, format!("data: {{\"type\": \"message_start\"}}\n\ndata: {e}\n\ndata: {}\n\n", stop("\"pause_turn\"")), "unfinished_answer"),
        (anthropic, r#"{"type": "message", "content": [{"type": "thinking", "thinking": "hm"}], "stop_reason": "end_turn"}"#.to_owned(), "empty_answer"),
        (anthropic, r#"{"type": "message", "content": [{"type": "text", "text": "yes"}], "stop_reason": null}"#.to_owned(), "unfinished_answer"),
        // Gemini's, which is a list unless asked otherwise.
        (gemini, format!("[{c}\n,\r\n{d}\n]"), "ok"),
        (gemini, format!("data: {{\"usageMetadata\": {{\"promptTokenCount\": 3}}}}\n\ndata: {{\"candidates\": []}}\n\ndata: {c}\n\ndata: {d}\n\n"), "ok"),
        (gemini, format!("[{c}"), "connection_lost"),
        (gemini, format!("[{c}]"), "unfinished_answer"),
        (gemini, part("yes", r#", "finishReason": "MALFORMED_FUNCTION_CALL""#), "unfinished_answer"),
        (gemini, part("yes", r#", "finishReason": "OTHER""#), "unfinished_answer"),
        (gemini, format!("[{c}, {{\"error\": {{\"code\": 503, \"message\": \"The model is overloaded.\", \"status\": \"UNAVAILABLE\"}}}}]"), "overloaded"),
        (gemini, r#"{"candidates": [{"content": {"parts": [{"text": "hm", "thought": true}]}, "finishReason": "STOP"}]}"#.to_owned(), "empty_answer"),
        // The Responses API's.
        (responses, format!("data: {{\"type\": \"keepalive\"}}\n\ndata: {g}\n\ndata: {{\"type\": \"response.tomorrow\"}}\n\ndata: {h}\n\ndata: {completed}\n\n"), "ok"),
        (responses, format!("{g}\n{h}\n{completed}"), "ok"),
        (responses, format!("data: {g}\n\ndata: {h}\n\n"), "connection_lost"),
        (responses, format!("data: {g}\n\ndata: [DONE]\n\n"), "unfinished_answer"),
        (responses, r#"{"object": "response", "status": "queued", "output": []}"#.to_owned(), "unfinished_answer"),
        (responses, r#"{"object": "response", "status": "completed", "output": [{"type": "reasoning", "summary": []}]}"#.to_owned(), "empty_answer"),
    ] {
        for kind in [SSE, JSON] {
            // Without a length, so that the end of the connection is the end of the body.
            let head = format!("HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\nconnection: close\r\n\r\n");
            let script = vec![Act::Send([head.as_bytes(), text.as_bytes()].concat())];
            let (ended, requests, said) = ends(api, script).await;
            let tries = if outcome == "ok" { 1 } else { 3 };
            assert_eq!((ended, requests), (outcome, tries), "{} {text}: {said}", api.name());
            assert!(outcome != "ok" || said == "yes \u{1f916}", "{text}: {said}");
            let is_thought = text.contains("hm") || text.contains("reasoning");
            assert!(!is_thought || said.contains("only reasoning came"), "{said}");
        }
    }
}

#[tokio::test]
async fn a_lone_half_of_a_surrogate_pair_becomes_a_replacement_character() {
    let text =
        r#"{"choices": [{"message": {"content": "yes \ud83e no"}, "finish_reason": "stop"}]}"#;
    let (_, _, said) = ends(Api::OpenAi, script(JSON, "200 OK", text)).await;
    assert_eq!(said, "yes \u{fffd} no");
}

#[tokio::test]
async fn complaints_with_status_200_have_their_names() {
    for (text, outcome) in [
        (r#"{"detail": "Invalid API key"}"#, "unauthorised"),
        (
            r#"{"code": 1113, "msg": "Insufficient balance, please recharge."}"#,
            "quota_exhausted",
        ),
        (
            r#"{"success": false, "message": "model x not found"}"#,
            "unknown_model",
        ),
        (
            "<html><title>Access Denied</title> by Zscaler</html>",
            "blocked_by_proxy",
        ),
        ("<html><title>Welcome</title></html>", "malformed_answer"),
        (r#"{"detail": "Nice to see you"}"#, "malformed_answer"),
        (r#"{"models": []}"#, "malformed_answer"),
    ] {
        for api in [Api::OpenAi, Api::Responses, Api::Anthropic, Api::Gemini] {
            let (ended, requests, said) = ends(api, script(JSON, "200 OK", text)).await;
            assert_eq!((ended, requests), (outcome, 1), "{text}: {said}");
        }
    }
}

#[tokio::test]
async fn what_is_not_whole_is_never_kept() {
    let folder = tempfile::tempdir().unwrap();
    let good = streamed(Api::OpenAi, "yes", Ending::Complete);
    for name in [
        "finish_error_tail.body",
        "choice_error_chunk.body",
        "finish_empty_cut.body",
        "reasoning_content_only.body",
    ] {
        let bad = script(SSE, "200 OK", body(name));
        let server = Server::start(vec![bad.clone(), bad.clone(), bad, good.clone()]).await;
        let client = server
            .client(Api::OpenAi)
            .with_cache(Cache::new(folder.path()));
        assert!(client.ask(&query()).await.result.is_err(), "{name}");
        let second = client.ask(&query()).await;
        assert!(
            !second.from_cache && second.result.unwrap().text == "yes",
            "{name}"
        );
        client.forget(&query());
    }
}

#[tokio::test]
async fn a_finished_answer_waits_a_moment_for_its_tokens_and_not_longer() {
    let end = "data: {\"choices\": [{\"delta\": {\"content\": \"yes\"}, \"finish_reason\": \"stop\"}]}\n\n";
    let usage =
        "data: {\"choices\": [], \"usage\": {\"prompt_tokens\": 3, \"completion_tokens\": 2}}\n\n";
    let send = |text: &str| Act::Send(text.as_bytes().to_vec());
    let late = vec![
        stream_head(),
        send(end),
        Act::Pause(Duration::from_millis(30)),
        send(usage),
        Act::Hang,
    ];
    let (exchange, _) = ask(Api::OpenAi, late).await;
    let reply = exchange.result.unwrap();
    assert_eq!(
        (reply.usage.input_tokens, reply.usage.estimated),
        (3, false)
    );
    let begun = Instant::now();
    let (exchange, _) = ask(Api::OpenAi, vec![stream_head(), send(end), Act::Hang]).await;
    assert!(exchange.result.unwrap().usage.estimated);
    assert!(
        begun.elapsed() < Duration::from_secs(4),
        "{:?}",
        begun.elapsed()
    );
    let reset = vec![
        stream_head(),
        send(end),
        Act::Pause(Duration::from_millis(30)),
        Act::Reset,
    ];
    assert_eq!(ends(Api::OpenAi, reset).await.0, "ok");
    // Nor does the moment go beyond the time that there is.
    let server = Server::start(vec![vec![stream_head(), send(end), Act::Hang]]).await;
    let mut config = server.config(Api::OpenAi);
    config.timeouts.total = Duration::from_millis(200);
    let exchange = tiller_vlm_testing::client(config).ask(&query()).await;
    assert_eq!(exchange.outcome().name(), "ok");
}

#[tokio::test]
async fn thoughts_are_no_bytes_of_the_answer() {
    let thought = format!(
        "data: {{\"choices\": [{{\"delta\": {{\"reasoning\": \"{}\"}}}}]}}\n\n",
        "h".repeat(10_000)
    );
    let end = "data: {\"choices\": [{\"delta\": {\"content\": \"yes\"}, \"finish_reason\": \"stop\"}]}\n\n";
    let ask = async |script: Script| {
        let server = Server::start(vec![script]).await;
        let mut config = server.config(Api::OpenAi);
        config.max_answer_bytes = 1024;
        let exchange = tiller_vlm_testing::client(config).ask(&query()).await;
        exchange.outcome().name()
    };
    // Ten megabytes of thoughts before an answer of three bytes.
    let long = vec![
        stream_head(),
        Act::Send((thought.repeat(1000) + end).into_bytes()),
    ];
    assert_eq!(ask(long).await, "ok");
    let endless = vec![stream_head(), Act::Repeat(thought.into_bytes())];
    assert_eq!(ask(endless).await, "too_large");
}
