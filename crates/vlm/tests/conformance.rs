//! Every format against everything that an answer can be. The README's table says what becomes of
//! each, and this test that it is so.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that panics has failed, as it should"
)]

use std::time::Duration;

use serde_json::{Value, json};
use tiller_vlm::provider::Api;
use tiller_vlm_testing::{
    APIS, Act, Ending, Script, Server, client, events, json_response, query, response, stream_head,
    streamed, whole,
};

const ANSWER: &str = "num_stages = 1\n# \u{e4}\u{1f916}\n";

/// The columns of the table.
const COLUMNS: [&str; 10] = [
    "streamed",
    "whole",
    "thinking",
    "refusal",
    "cut",
    "error in mid-stream",
    "rate limit",
    "no picture support",
    "wrong key",
    "wrong model",
];

fn stream(events: &[Value]) -> Script {
    let events = events.iter().map(|event| format!("data: {event}\n\n"));
    vec![
        stream_head(),
        Act::Send(events.collect::<String>().into_bytes()),
    ]
}

/// An answer with thoughts before it, streamed and whole.
fn thinking(api: Api, text: &str) -> [Script; 2] {
    let [first, second] = match api {
        Api::OpenAi | Api::Azure => {
            let choice = |part: &str, finish: &str, content: Value| json!({"choices": [{part: content, "finish_reason": finish}], "usage": {"prompt_tokens": 1, "completion_tokens": 2}});
            let thought = json!({"choices": [{"delta": {"reasoning_content": "a draft"}}]});
            let end = choice("delta", "stop", json!({"content": text}));
            let message = json!({"content": text, "reasoning": "a draft"});
            [vec![thought, end], vec![choice("message", "stop", message)]]
        }
        Api::Responses => {
            let thought =
                json!({"type": "response.reasoning_summary_text.delta", "delta": "a draft"});
            let mut response = whole(api, text, Ending::Complete);
            let reasoning = json!({"type": "reasoning", "summary": [{"type": "summary_text", "text": "a draft"}]});
            response["output"]
                .as_array_mut()
                .unwrap()
                .insert(0, reasoning);
            let end = json!({"type": "response.completed", "response": response});
            [vec![thought, end], vec![response]]
        }
        Api::Anthropic => {
            let delta =
                |delta: Value| json!({"type": "content_block_delta", "index": 0, "delta": delta});
            let stream = vec![
                json!({"type": "message_start", "message": {"usage": {"input_tokens": 1}}}),
                delta(json!({"type": "thinking_delta", "thinking": "a draft"})),
                delta(json!({"type": "signature_delta", "signature": "x"})),
                delta(json!({"type": "text_delta", "text": text})),
                json!({"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 2}}),
            ];
            let mut message = whole(api, text, Ending::Complete);
            let thought = json!({"type": "thinking", "thinking": "a draft", "signature": "x"});
            message["content"]
                .as_array_mut()
                .unwrap()
                .insert(0, thought);
            [stream, vec![message]]
        }
        Api::Gemini => {
            let part = |part: Value, finish: Value| json!({"candidates": [{"content": {"parts": [part]}, "finishReason": finish}], "usageMetadata": {"promptTokenCount": 1, "thoughtsTokenCount": 2}});
            let thought = part(json!({"text": "a draft", "thought": true}), Value::Null);
            let end = part(json!({"text": text}), json!("STOP"));
            let mut answer = whole(api, text, Ending::Complete);
            let parts = answer.pointer_mut("/candidates/0/content/parts").unwrap();
            parts
                .as_array_mut()
                .unwrap()
                .insert(0, json!({"text": "a draft", "thought": true}));
            [vec![thought, end], vec![answer]]
        }
    };
    [stream(&first), json_response(second[0].to_string())]
}

/// An answer that declines, in the manners of the service.
fn refusals(api: Api) -> Vec<Script> {
    let mut scripts = vec![
        streamed(api, "```python\nnum_st", Ending::Filtered),
        json_response(whole(api, "```python\nnum_st", Ending::Filtered).to_string()),
    ];
    scripts.push(match api {
        Api::OpenAi | Api::Azure => stream(&[json!({"choices": [{"delta": {"refusal": "I will not."}}]}), json!({"choices": [{"delta": {}, "finish_reason": "stop"}]})]),
        Api::Responses => stream(&[json!({"type": "response.refusal.delta", "delta": "I will not."}), json!({"type": "response.completed", "response": {"status": "completed", "output": []}})]),
        Api::Anthropic => json_response(json!({"type": "message", "content": [], "stop_reason": "refusal"}).to_string()),
        Api::Gemini => json_response(json!({"promptFeedback": {"blockReason": "SAFETY"}}).to_string()),
    });
    scripts
}

/// An error that comes once words of the answer have come.
fn late_errors(api: Api) -> Vec<Script> {
    let start = events(api, &["num_st"], Ending::None);
    let errors: Vec<Value> = match api {
        Api::OpenAi | Api::Azure => vec![
            json!({"error": {"code": 502, "message": "Provider disconnected"}}),
            json!({"choices": [{"delta": {"content": ""}, "finish_reason": "error", "error": {"code": 502, "message": "Provider disconnected"}}]}),
            json!({"object": "error", "message": "EngineCore died", "type": "InternalServerError", "code": 500}),
            json!({"error": {"message": "Provider returned error", "code": 400}}),
        ],
        Api::Responses => vec![
            json!({"type": "error", "code": "server_error", "message": "sorry", "param": null}),
            json!({"type": "response.failed", "response": {"status": "failed", "error": {"code": "server_error", "message": "sorry"}}}),
        ],
        Api::Anthropic => vec![
            json!({"type": "error", "error": {"type": "api_error", "message": "Internal server error"}}),
        ],
        Api::Gemini => vec![
            json!({"error": {"code": 500, "message": "An internal error has occurred.", "status": "INTERNAL"}}),
        ],
    };
    let errors = errors
        .iter()
        .map(|error| format!("{start}data: {error}\n\n"));
    let named = format!("{start}event: error\ndata: Internal Server Error\n\n");
    errors
        .chain([named])
        .map(|text| vec![stream_head(), Act::Send(text.into_bytes())])
        .collect()
}

/// What the service says to a wrong key, a wrong model, a picture that it cannot read, too many questions.
fn errors(api: Api, column: &str) -> Vec<Script> {
    let says: &[(&str, &str)] = match (column, api) {
        ("rate limit", Api::OpenAi | Api::Responses | Api::Azure) => &[(
            "429 Too Many Requests",
            r#"{"error": {"message": "Rate limit reached on requests per min (RPM): Limit 3.", "type": "requests", "code": "rate_limit_exceeded"}}"#,
        )],
        ("rate limit", Api::Anthropic) => &[(
            "429 Too Many Requests",
            r#"{"type": "error", "error": {"type": "rate_limit_error", "message": "This request would exceed the rate limit."}}"#,
        )],
        ("rate limit", Api::Gemini) => &[(
            "429 Too Many Requests",
            r#"[{"error": {"code": 429, "message": "You exceeded your current quota. Please retry in 0.001s.", "status": "RESOURCE_EXHAUSTED"}}]"#,
        )],
        ("no picture support", Api::OpenAi | Api::Responses | Api::Azure) => &[
            (
                "400 Bad Request",
                r#"{"object": "error", "message": "m is not a multimodal model", "type": "BadRequestError", "code": 400}"#,
            ),
            (
                "404 Not Found",
                r#"{"error": {"message": "No endpoints found that support image input", "code": 404}}"#,
            ),
            (
                "500 Internal Server Error",
                r#"{"error": {"code": 500, "message": "image input is not supported - hint: if this is unexpected, you may need to provide the mmproj", "type": "server_error"}}"#,
            ),
        ],
        ("no picture support", Api::Anthropic) => &[(
            "400 Bad Request",
            r#"{"type": "error", "error": {"type": "invalid_request_error", "message": "claude-2 does not support image input."}}"#,
        )],
        ("no picture support", Api::Gemini) => &[(
            "400 Bad Request",
            r#"{"error": {"code": 400, "message": "Image input modality is not enabled for models/gemma-3-1b-it", "status": "INVALID_ARGUMENT"}}"#,
        )],
        ("wrong key", Api::OpenAi | Api::Responses | Api::Azure) => &[(
            "401 Unauthorized",
            r#"{"error": {"message": "Incorrect API key provided.", "type": "invalid_request_error", "code": "invalid_api_key"}}"#,
        )],
        ("wrong key", Api::Anthropic) => &[(
            "401 Unauthorized",
            r#"{"type": "error", "error": {"type": "authentication_error", "message": "invalid x-api-key"}}"#,
        )],
        ("wrong key", Api::Gemini) => &[(
            "400 Bad Request",
            r#"{"error": {"code": 400, "message": "API key not valid. Please pass a valid API key.", "status": "INVALID_ARGUMENT"}}"#,
        )],
        (_, Api::OpenAi | Api::Responses | Api::Azure) => &[(
            "404 Not Found",
            r#"{"error": {"message": "The model `test-model` does not exist or you do not have access to it.", "code": "model_not_found"}}"#,
        )],
        (_, Api::Anthropic) => &[(
            "404 Not Found",
            r#"{"type": "error", "error": {"type": "not_found_error", "message": "model: test-model"}}"#,
        )],
        (_, Api::Gemini) => &[(
            "404 Not Found",
            r#"{"error": {"code": 404, "message": "models/test-model is not found for API version v1beta, or is not supported for generateContent.", "status": "NOT_FOUND"}}"#,
        )],
    };
    let json = "content-type: application/json\r\n";
    says.iter()
        .map(|(status, body)| response(status, json, body))
        .collect()
}

fn scripts(api: Api, column: &str) -> Vec<Script> {
    let plain = whole(api, ANSWER, Ending::Complete).to_string();
    match column {
        "streamed" => {
            let text = events(api, &[ANSWER], Ending::Complete);
            let untyped = response("200 OK", "content-type: text/plain\r\n", &text);
            let noisy = text.replace(
                "data: ",
                ": ping\n\ndata:\n\ndata: : keep-alive\n\ndata: {\"type\": \"ping\"}\n\ndata: ",
            );
            let noisy = vec![stream_head(), Act::Send(noisy.into_bytes())];
            vec![streamed(api, ANSWER, Ending::Complete), untyped, noisy]
        }
        "whole" => {
            let as_stream = vec![stream_head(), Act::Send(plain.clone().into_bytes())];
            let listed = json_response(format!(" \n[{plain}]"));
            let in_an_event = vec![
                stream_head(),
                Act::Send(format!("data: {plain}\n\n").into_bytes()),
            ];
            vec![json_response(plain), as_stream, listed, in_an_event]
        }
        "thinking" => thinking(api, ANSWER).to_vec(),
        "refusal" => refusals(api),
        "error in mid-stream" => late_errors(api),
        _ => errors(api, column),
    }
}

/// How it ends, and whether it was asked for again.
async fn ends(api: Api, script: Script) -> String {
    let server = Server::start(vec![script]).await;
    let mut config = server.config(api);
    // A server that is busy is asked as long as there is time.
    config.timeouts.total = Duration::from_millis(500);
    let exchange = client(config).ask(&query()).await;
    if let Ok(reply) = &exchange.result {
        assert_eq!(reply.text, ANSWER);
        assert!(!reply.usage.estimated, "{reply:?}");
    }
    let again = if server.requests().len() > 1 {
        " again"
    } else {
        ""
    };
    // A server that stays busy is asked until the time is up, be it within the last try.
    let mut ends = exchange
        .attempts
        .iter()
        .rev()
        .map(|one| one.outcome.as_str());
    let end = match (ends.next(), ends.next()) {
        (Some("timeout_total"), Some(before)) => before,
        _ => exchange.outcome().name(),
    };
    format!("`{end}`{again}")
}

async fn cell(api: Api, column: &str) -> String {
    if column == "cut" {
        let length = ends(api, streamed(api, "num_st", Ending::Length)).await;
        let connection = ends(api, streamed(api, "num_st", Ending::None)).await;
        let plain = whole(api, ANSWER, Ending::Complete).to_string();
        let half = vec![
            stream_head(),
            Act::Send(plain.as_bytes()[..plain.len() / 2].to_vec()),
        ];
        assert_eq!(ends(api, half).await, connection);
        return format!("{length}, {connection}");
    }
    let mut all = Vec::new();
    for script in scripts(api, column) {
        all.push(ends(api, script).await);
    }
    let first = all[0].clone();
    assert!(
        all.iter().all(|end| *end == first),
        "{} {column}: {all:?}",
        api.name()
    );
    first
}

#[tokio::test]
async fn the_readmes_table_is_true() {
    let mut table = vec![
        format!("| format | {} |", COLUMNS.join(" | ")),
        format!("|{}", "---|".repeat(COLUMNS.len() + 1)),
    ];
    for api in APIS {
        let mut row = format!("| `{}` |", api.name());
        for column in COLUMNS {
            row.push_str(&format!(" {} |", cell(api, column).await));
        }
        table.push(row);
    }
    let table = table.join("\n");
    let readme = include_str!("../README.md");
    assert!(
        readme.contains(&format!("\n{table}\n\n")),
        "the table is\n{table}"
    );
}
