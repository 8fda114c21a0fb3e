//! Bedrock and Vertex behind gateways that speak chat completions: LiteLLM's proxy most of all, and what
//! the two offer themselves. Bodies after what these servers send.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that panics has failed, as it should"
)]

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tiller_vlm::exchange::{Client, Exchange, RetryPolicy};
use tiller_vlm::provider::{Api, Picture, Provider, Query, RemoteConfig, RemoteProvider};
use tiller_vlm_testing::{KEY, Script, Server, query, response};

const ANSWER: &str = "num_stages = 1\n";
const CLAUDE: &str = "bedrock/anthropic.claude-sonnet-4-20250514-v1:0";
const GEMINI: &str = "vertex_ai/gemini-2.5-flash";

fn body_of(request: &str) -> Value {
    let (_, body) = request.split_once("\r\n\r\n").unwrap();
    serde_json::from_str(body).unwrap()
}

fn stream(events: &[Value]) -> Script {
    let mut text: String = events
        .iter()
        .map(|event| format!("data: {event}\n\n"))
        .collect();
    text += "data: [DONE]\n\n";
    response("200 OK", "content-type: text/event-stream\r\n", text)
}

fn whole(status: &str, body: &Value) -> Script {
    response(
        status,
        "content-type: application/json\r\n",
        body.to_string(),
    )
}

/// A chunk as LiteLLM writes it: no usage, and no end unless it is the end.
fn chunk(model: &str, delta: Value, finish: Option<&str>) -> Value {
    let mut choice = json!({"index": 0, "delta": delta});
    if let Some(word) = finish {
        choice["finish_reason"] = json!(word);
    }
    json!({"id": "chatcmpl-1", "created": 1, "model": model, "object": "chat.completion.chunk", "choices": [choice]})
}

fn usage(model: &str) -> Value {
    let mut last = chunk(model, json!({}), None);
    last["usage"] = json!({"completion_tokens": 17, "prompt_tokens": 740, "total_tokens": 757,
        "completion_tokens_details": {"reasoning_tokens": 5, "text_tokens": 12},
        "cache_creation_input_tokens": 0, "cache_read_input_tokens": 0});
    last
}

/// LiteLLM's shape of an error.
fn error(message: &str, kind: Value, code: &str) -> Value {
    json!({"error": {"message": message, "type": kind, "param": null, "code": code}})
}

async fn asked(
    model: &str,
    scripts: Vec<Script>,
    change: impl FnOnce(&mut RemoteConfig),
) -> (Exchange, Vec<String>, Vec<String>) {
    let server = Server::start(scripts).await;
    let mut config = server.config(Api::OpenAi);
    config.model = model.to_owned();
    config.temperature = Some(0.5);
    change(&mut config);
    let provider = Arc::new(RemoteProvider::new(config).unwrap());
    let question = Query {
        picture: Some(Picture::new(b"\x89PNG\r\n\x1a\npicture".to_vec()).unwrap()),
        ..query()
    };
    let retry = RetryPolicy {
        first_wait: Duration::from_millis(2),
        longest_wait: Duration::from_millis(5),
        ..RetryPolicy::default()
    };
    let client = Client::new(provider.clone()).with_retry(retry);
    let exchange = client.ask(&question).await;
    let learnt = provider.adaptations().into_iter();
    let settings = learnt.map(|one| one.setting.unwrap_or_default()).collect();
    let shown = format!("{exchange:?}");
    assert!(!shown.contains(KEY), "{shown}");
    (exchange, server.requests(), settings)
}

#[tokio::test]
async fn streams_and_answers_of_both_are_whole_with_their_thoughts_left_out() {
    let thinking = json!({"role": "assistant", "content": "", "reasoning_content": "hm",
        "thinking_blocks": [{"type": "thinking", "thinking": "hm", "signature": "EqRk"}],
        "provider_specific_fields": {"reasoningContent": {"text": "hm"}}});
    for model in [
        CLAUDE,
        GEMINI,
        "bedrock/converse/us.amazon.nova-pro-v1:0",
        "claude-on-bedrock",
    ] {
        let mut events = vec![
            chunk(model, thinking.clone(), None),
            chunk(model, json!({"content": &ANSWER[..4]}), None),
            chunk(
                model,
                json!({"content": &ANSWER[4..], "tool_calls": null}),
                None,
            ),
            chunk(model, json!({}), Some("stop")),
        ];
        let without_usage = stream(&events);
        events.push(usage(model));
        let mut message = thinking.clone();
        message["content"] = json!(ANSWER);
        let in_one = json!({"id": "chatcmpl-1", "created": 1, "model": model, "object": "chat.completion",
            "system_fingerprint": null, "choices": [{"finish_reason": "stop", "index": 0, "message": message}],
            "usage": {"completion_tokens": 17, "prompt_tokens": 740, "total_tokens": 757}});
        for script in [stream(&events), without_usage, whole("200 OK", &in_one)] {
            let (exchange, requests, learnt) = asked(model, vec![script], |_| {}).await;
            let reply = exchange.result.unwrap();
            assert_eq!((reply.text.as_str(), reply.model.as_str()), (ANSWER, model));
            assert_eq!((requests.len(), learnt.len()), (1, 0));
            assert!(reply.usage.estimated || reply.usage.output_tokens == 17);
            assert!(requests[0].starts_with("POST /v1/chat/completions HTTP/1.1\r\n"));
            let body = body_of(&requests[0]);
            assert_eq!(
                (&body["model"], body.get("max_tokens").is_some()),
                (&json!(model), true)
            );
            assert_eq!(body["messages"][1]["content"][1]["type"], "image_url");
        }
    }
}

#[tokio::test]
async fn their_own_chat_completions_are_asked_where_they_are() {
    for (base, model, path) in [
        (
            "/openai/v1",
            "openai.gpt-oss-120b-1:0",
            "/openai/v1/chat/completions",
        ),
        (
            "/v1/projects/p/locations/global/endpoints/openapi",
            "google/gemini-2.5-flash",
            "/v1/projects/p/locations/global/endpoints/openapi/chat/completions",
        ),
    ] {
        let server = Server::start(vec![stream(&[
            chunk(
                model,
                json!({"role": "assistant", "content": ANSWER}),
                Some("stop"),
            ),
            usage(model),
        ])])
        .await;
        let mut config = server.config(Api::OpenAi);
        model.clone_into(&mut config.model);
        config.base_url = Some(format!("http://{}{base}", server.address));
        let exchange = tiller_vlm_testing::client(config).ask(&query()).await;
        assert_eq!(exchange.result.unwrap().text, ANSWER);
        assert!(server.requests()[0].starts_with(&format!("POST {path} ")));
    }
}

/// Errors with their statuses, as the proxy passes them on.
#[tokio::test]
async fn errors_are_named_for_what_they_are() {
    let of =
        |maker: &str, inner: &Value| format!("litellm.BadRequestError: {maker}Exception - {inner}");
    let bedrock = |text: &str| of("Bedrock", &json!({"message": text}));
    let vertex = |code: u16, text: &str, status: &str| {
        let inner = json!({"error": {"code": code, "message": text, "status": status}});
        format!(
            "litellm.{}: VertexAIException - {inner}. Received Model Group=m\nAvailable Model Group Fallbacks=None",
            if code == 429 {
                "RateLimitError"
            } else {
                "BadRequestError"
            }
        )
    };
    let table = [
        ("400 Bad Request", bedrock("Invocation of model ID anthropic.claude-sonnet-4 with on-demand throughput isn\u{2019}t supported. Retry your request with the ID or ARN of an inference profile that contains this model."), "unknown_model", false),
        ("400 Bad Request", bedrock("The provided model identifier is invalid."), "unknown_model", false),
        ("400 Bad Request", "/chat/completions: Invalid model name passed in model=m. Call `/v1/models` to view available models for your key.".to_owned(), "unknown_model", false),
        ("403 Forbidden", bedrock("You don't have access to the model with the specified model ID."), "unknown_model", false),
        ("401 Unauthorized", "Authentication Error, Invalid proxy server token passed. Received API Key = sk-...7890, Key Hash (Token) =88dc. Unable to find token in cache or `LiteLLM_VerificationTable`".to_owned(), "unauthorised", false),
        ("401 Unauthorized", "litellm.AuthenticationError: BedrockException Invalid Authentication - Unable to locate credentials".to_owned(), "unauthorised", false),
        ("403 Forbidden", bedrock("The security token included in the request is expired"), "unauthorised", false),
        ("500 Internal Server Error", "litellm.APIConnectionError: Your default credentials were not found. To set up Application Default Credentials, see the documentation.".to_owned(), "unauthorised", false),
        ("400 Bad Request", bedrock("Input is too long for requested model."), "context_too_long", false),
        ("400 Bad Request", "litellm.ContextWindowExceededError: litellm.BadRequestError: BedrockException: Context Window Error - prompt is too long: 210000 tokens > 200000 maximum".to_owned(), "context_too_long", false),
        ("400 Bad Request", vertex(400, "The input token count (1100000) exceeds the maximum number of tokens allowed (1048576).", "INVALID_ARGUMENT"), "context_too_long", false),
        ("400 Bad Request", bedrock("This model doesn't support the image content block that you provided. Remove the image and try again."), "no_picture_support", false),
        ("400 Bad Request", "litellm.ContentPolicyViolationError: BedrockException - guardrail_intervened".to_owned(), "refused_by_model", false),
        ("400 Bad Request", "Budget has been exceeded! Current cost: 0.12, Max budget: 0.1".to_owned(), "quota_exhausted", false),
        ("429 Too Many Requests", bedrock("Too many tokens, please wait before trying again."), "rate_limited", true),
        ("429 Too Many Requests", bedrock("Too many tokens per day, please wait before trying again."), "quota_exhausted", false),
        ("429 Too Many Requests", vertex(429, "Resource exhausted. Please try again later.", "RESOURCE_EXHAUSTED"), "rate_limited", true),
        ("500 Internal Server Error", vertex(429, "Resource exhausted. Please try again later.", ""), "rate_limited", true),
        ("429 Too Many Requests", "No deployments available for selected model, Try again in 1 seconds. Passed model=m. pre-call-checks=False, cooldown_list=[]".to_owned(), "rate_limited", true),
        ("503 Service Unavailable", "litellm.ServiceUnavailableError: BedrockException - {\"message\":\"Bedrock is unable to process your request.\"}".to_owned(), "overloaded", true),
        ("408 Request Timeout", "litellm.Timeout: BedrockException: Timeout Error - {\"message\":\"Model has timed out in processing the request. Try your request again.\"}".to_owned(), "server_error", true),
        // A fault of theirs that the proxy takes for one of the request.
        ("400 Bad Request", "litellm.BadRequestError: BedrockException - internalServerException {\"message\":\"The system encountered an unexpected error during processing. Try your request again.\"}".to_owned(), "server_error", true),
    ];
    let good = || {
        stream(&[
            chunk(CLAUDE, json!({"content": ANSWER}), Some("stop")),
            usage(CLAUDE),
        ])
    };
    for (status, message, expected, is_asked_again) in table {
        let code = status.split(' ').next().unwrap();
        for kind in [json!(null), json!("None")] {
            let refused = error(&message, kind, code);
            // With its status, and within a stream that had begun as all is well.
            for refusal in [
                whole(status, &refused),
                stream(std::slice::from_ref(&refused)),
            ] {
                let (exchange, requests, learnt) = asked(CLAUDE, vec![refusal, good()], |config| {
                    config.timeouts.total = Duration::from_secs(30);
                })
                .await;
                let first = exchange.attempts[0].outcome.clone();
                assert_eq!(first, expected, "{message}");
                assert_eq!(requests.len(), 1 + usize::from(is_asked_again), "{message}");
                assert_eq!(exchange.result.is_ok(), is_asked_again, "{message}");
                assert_eq!(learnt, [""; 0], "{message}");
            }
        }
    }
}

/// What the proxy says of fields is learnt once, whether it says so with a status or within a stream.
#[tokio::test]
async fn fields_that_they_do_not_take_are_left_out() {
    let unsupported = |maker: &str, list: &str| {
        format!(
            "litellm.UnsupportedParamsError: {maker} does not support parameters: {list}, for model=m. To drop these, set `litellm.drop_params=True` or for proxy:\n\n`litellm_settings:\n drop_params: true`\n. \n If you want to use these params dynamically send allowed_openai_params={list} in your request."
        )
    };
    let bedrock = |text: &str| {
        format!(
            "litellm.BadRequestError: BedrockException - {}",
            json!({"message": text})
        )
    };
    let temperature = "TEMPERATURE=";
    let effort = "REASONING_EFFORT=";
    let limit = "MAX_OUTPUT_TOKENS=4096";
    for (message, setting) in [
        (unsupported("bedrock", "['temperature']"), temperature),
        (unsupported("vertex_ai", "{'reasoning_effort': 'low'}"), effort),
        (bedrock("This model doesn't support the temperature field. Remove temperature and try again."), temperature),
        (bedrock("The model returned the following errors: `temperature` may only be set to 1 when thinking is enabled."), temperature),
        (bedrock("The model returned the following errors: Malformed input request: #: extraneous key [reasoning_effort] is not permitted, please reformat your input and try again."), effort),
        (bedrock("The maximum tokens you requested exceeds the model limit of 4096. Try again with a maximum tokens value that is lower than 4096."), limit),
        (bedrock("max_tokens: 8192 > 4096, which is the maximum allowed number of output tokens for claude-3-haiku"), limit),
        ("litellm.BadRequestError: VertexAIException BadRequestError - {\"error\": {\"code\": 400, \"message\": \"Unable to submit request because it has a maxOutputTokens value of 8192 but the supported range is from 1 (inclusive) to 4097 (exclusive). Update the value and try again.\", \"status\": \"INVALID_ARGUMENT\"}}".to_owned(), limit),
    ] {
        let refused = error(&message, json!("None"), "400");
        let good = stream(&[chunk(CLAUDE, json!({"content": ANSWER}), Some("stop")), usage(CLAUDE)]);
        for (refusal, tries) in [(whole("400 Bad Request", &refused), 1), (stream(std::slice::from_ref(&refused)), 2)] {
            let (exchange, requests, learnt) = asked(CLAUDE, vec![refusal, good.clone()], |config| {
                config.max_output_tokens = 8192;
                config.reasoning_effort = Some("low".to_owned());
            })
            .await;
            assert_eq!(learnt, [setting], "{message}");
            assert_eq!(exchange.result.as_ref().unwrap().text, ANSWER, "{message}");
            assert_eq!((requests.len(), exchange.attempts.len()), (2, tries), "{message}");
        }
    }
}

/// Ends that are none: asked again, never kept.
#[tokio::test]
async fn streams_that_end_badly_are_asked_again() {
    let begin = || {
        chunk(
            GEMINI,
            json!({"role": "assistant", "content": &ANSWER[..6]}),
            None,
        )
    };
    let with = |last: Value| vec![begin(), last];
    for (events, outcome) in [
        (
            with(error(
                "litellm.MidStreamFallbackError: litellm.APIConnectionError: vertex_ai_betaException - Server disconnected",
                json!(null),
                "500",
            )),
            "server_error",
        ),
        (
            with(error(
                "litellm.BadRequestError: BedrockException - internalServerException",
                json!(null),
                "400",
            )),
            "server_error",
        ),
        (
            with(error(
                "litellm.MidStreamFallbackError: litellm.RateLimitError: vertex_ai_betaException - Resource exhausted.",
                json!(null),
                "429",
            )),
            "rate_limited",
        ),
        (
            with(chunk(GEMINI, json!({}), Some("malformed_function_call"))),
            "unfinished_answer",
        ),
        (
            with(chunk(GEMINI, json!({}), Some("tool_calls"))),
            "unfinished_answer",
        ),
        // `[DONE]` alone says nothing.
        (with(usage(GEMINI)), "unfinished_answer"),
    ] {
        let good = stream(&[
            chunk(GEMINI, json!({"content": ANSWER}), Some("stop")),
            usage(GEMINI),
        ]);
        let (exchange, requests, learnt) = asked(GEMINI, vec![stream(&events), good], |_| {}).await;
        assert_eq!(exchange.attempts[0].outcome, outcome, "{events:?}");
        assert_eq!(exchange.result.unwrap().text, ANSWER, "{events:?}");
        assert_eq!((requests.len(), learnt.len()), (2, 0));
    }
    for (word, outcome) in [
        ("content_filter", "refused_by_model"),
        ("length", "truncated"),
    ] {
        let ended = stream(&with(chunk(GEMINI, json!({}), Some(word))));
        let (exchange, requests, _) = asked(GEMINI, vec![ended], |_| {}).await;
        assert_eq!((exchange.outcome().name(), requests.len()), (outcome, 1));
    }
}
