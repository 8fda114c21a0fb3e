use serde_json::json;

use super::*;
use crate::provider::{Picture, Purpose, Role, Turn};

fn query() -> Query {
    let turn = |role, text: &str| Turn {
        role,
        text: text.to_owned(),
    };
    Query {
        purpose: Purpose::Repair,
        system: "be brief".to_owned(),
        turns: vec![
            turn(Role::User, "one"),
            turn(Role::Model, "two"),
            turn(Role::User, "three"),
        ],
        picture: Some(Picture::new(b"\xff\xd8\xffpicture".to_vec()).unwrap()),
        scene: None,
    }
}

fn identity(api: Api) -> Identity {
    Identity {
        provider: api.name().to_owned(),
        model: "m-1".to_owned(),
        host: Some("h".to_owned()),
        max_output_tokens: 50,
        temperature: Some(0.5),
    }
}

fn endpoint(api: Api) -> Endpoint {
    Endpoint::new(api.default_base_url(), false).unwrap()
}

fn body(api: Api) -> Value {
    api.body(&query(), &identity(api), &endpoint(api), true)
}

#[test]
fn requests_hold_the_conversation_and_the_picture_once() {
    let data = base64(b"\xff\xd8\xffpicture");
    let openai = body(Api::OpenAi);
    assert_eq!(
        openai["messages"][0],
        json!({"role": "system", "content": "be brief"})
    );
    assert_eq!(
        openai["messages"][1]["content"][1]["image_url"]["url"],
        format!("data:image/jpeg;base64,{data}")
    );
    assert_eq!(
        openai["messages"][2],
        json!({"role": "assistant", "content": "two"})
    );
    assert_eq!(openai["max_completion_tokens"], 50);
    let anthropic = body(Api::Anthropic);
    assert_eq!(anthropic["system"], "be brief");
    assert_eq!(
        anthropic["messages"][0]["content"][0]["source"]["data"],
        data
    );
    assert_eq!(
        anthropic["messages"][2],
        json!({"role": "user", "content": "three"})
    );
    assert_eq!(anthropic["max_tokens"], 50);
    let gemini = body(Api::Gemini);
    assert_eq!(gemini["systemInstruction"]["parts"][0]["text"], "be brief");
    assert_eq!(
        gemini["contents"][0]["parts"][1]["inlineData"]["data"],
        data
    );
    assert_eq!(gemini["contents"][1]["role"], "model");
    assert_eq!(
        gemini["generationConfig"],
        json!({"maxOutputTokens": 50, "temperature": 0.5})
    );
    for body in [openai, anthropic, gemini] {
        assert_eq!(body.to_string().matches(&data).count(), 1);
    }
}

#[test]
fn relatives_of_openai_get_the_old_name_of_the_limit_and_azure_its_header() {
    let relative = Endpoint::new("http://127.0.0.1:8000/v1", false).unwrap();
    let body = Api::OpenAi.body(&query(), &identity(Api::OpenAi), &relative, false);
    assert_eq!(
        (&body["max_tokens"], &body["stream"]),
        (&json!(50), &json!(false))
    );
    assert!(body.get("stream_options").is_none());
    let key = Secret::new("sk-0123456789", "a test").unwrap();
    let azure = Endpoint::new("https://x.openai.azure.com/openai/v1", false).unwrap();
    assert_eq!(Api::OpenAi.headers(&azure, Some(&key))[0].0, "api-key");
    assert_eq!(
        Api::OpenAi.headers(&relative, Some(&key))[0].1,
        "Bearer sk-0123456789"
    );
    assert!(Api::OpenAi.headers(&relative, None).is_empty());
}

#[test]
fn urls_never_hold_the_key() {
    let urls = [Api::OpenAi, Api::Anthropic, Api::Gemini]
        .map(|api| api.url(&endpoint(api), "m-1", true).to_string());
    assert_eq!(
        urls,
        [
            "https://api.openai.com/v1/chat/completions",
            "https://api.anthropic.com/v1/messages",
            "https://generativelanguage.googleapis.com/v1beta/models/m-1:streamGenerateContent?alt=sse",
        ]
    );
}

fn take(api: Api, events: &[Value]) -> Result<Reply, ProviderError> {
    let mut partial = Partial::default();
    for event in events {
        let data = event
            .as_str()
            .map_or_else(|| event.to_string(), str::to_owned);
        api.take_event(&Event { data }, &mut partial)?;
    }
    partial.finish(&identity(api), 7)
}

#[test]
fn hidden_thoughts_are_no_part_of_the_answer() {
    let anthropic = take(
        Api::Anthropic,
        &[
            json!({"type": "message_start", "message": {"model": "m-1-a", "usage": {"input_tokens": 3, "output_tokens": 1}}}),
            json!({"type": "content_block_delta", "delta": {"type": "thinking_delta", "thinking": "hm"}}),
            json!({"type": "content_block_delta", "delta": {"type": "text_delta", "text": "yes"}}),
            json!({"type": "an_event_of_tomorrow"}),
            json!({"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 9}}),
            json!({"type": "message_stop"}),
        ],
    );
    let usage = Usage {
        input_tokens: 3,
        output_tokens: 9,
        estimated: false,
    };
    let expected = Reply {
        text: "yes".to_owned(),
        model: "m-1-a".to_owned(),
        usage,
    };
    assert_eq!(anthropic.unwrap(), expected);
    let gemini = take(
        Api::Gemini,
        &[
            json!({"candidates": [{"content": {"parts": [{"text": "hm", "thought": true}, {"text": "yes"}]}, "finishReason": "STOP"}],
            "usageMetadata": {"promptTokenCount": 3, "candidatesTokenCount": 4, "thoughtsTokenCount": 5}, "modelVersion": "m-1-a"}),
        ],
    );
    assert_eq!(gemini.unwrap(), expected);
}

#[test]
fn tokens_are_guessed_where_the_server_does_not_count_them() {
    let reply = take(
        Api::OpenAi,
        &[
            json!({"choices": [{"delta": {"content": "four tokens"}}]}),
            json!("[DONE]"),
        ],
    );
    let usage = Usage {
        input_tokens: 7,
        output_tokens: 4,
        estimated: true,
    };
    assert_eq!(reply.unwrap().usage, usage);
}

#[test]
fn errors_within_a_stream_get_their_own_names() {
    for (kind, outcome) in [
        ("overloaded_error", Outcome::ServerError),
        ("rate_limit_error", Outcome::RateLimited),
        ("authentication_error", Outcome::Unauthorised),
        ("invalid_request_error", Outcome::RequestRejected),
        ("insufficient_quota", Outcome::QuotaExhausted),
    ] {
        for api in [Api::OpenAi, Api::Anthropic, Api::Gemini] {
            let event = json!({"type": "error", "error": {"type": kind, "message": "so it is"}});
            let error = take(api, &[event]).unwrap_err();
            assert_eq!(error.outcome, outcome, "{kind}");
            assert!(error.detail.contains("so it is"), "{error}");
        }
    }
}

#[test]
fn error_texts_are_found_in_every_usual_shape() {
    for body in [
        json!({"error": {"message": "no  [31m way"}}),
        json!([{"error": {"message": "no [31m way"}}]),
        json!({"error": "no [31m way"}),
        json!({"detail": "no\n[31m way"}),
    ] {
        assert_eq!(
            error_message(&body).as_deref(),
            Some("no [31m way"),
            "{body}"
        );
    }
    let body = json!({"error": {"message": "no\u{1b}[31m way\u{202e}"}});
    let shown = r"no\u{1b}[31m way\u{202e}";
    assert_eq!(error_message(&body).as_deref(), Some(shown));
    assert_eq!(error_message(&json!(7)), None);
}
