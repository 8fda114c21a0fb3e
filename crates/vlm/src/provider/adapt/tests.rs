use proptest::prelude::*;
use serde_json::json;

use super::*;

/// A chat completion with everything that a server might not know.
fn chat() -> Value {
    json!({
        "model": "m",
        "messages": [
            {"role": "system", "content": "be brief"},
            {"role": "user", "content": [
                {"type": "text", "text": "what stands here"},
                {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA", "detail": "high"}},
            ]},
        ],
        "stream": true,
        "stream_options": {"include_usage": true},
        "max_completion_tokens": 8192,
        "temperature": 0.2,
        "reasoning_effort": "low",
        "top_k": 40,
    })
}

/// The same with the older name of the limit.
fn relative() -> Value {
    let mut body = chat();
    body["max_tokens"] = remove(&mut body, &["max_completion_tokens"]).unwrap();
    body
}

fn responses() -> Value {
    json!({
        "model": "m",
        "instructions": "be brief",
        "input": [{"role": "user", "content": [{"type": "input_text", "text": "what stands here"}]}],
        "stream": true,
        "store": false,
        "max_output_tokens": 8192,
        "temperature": 0.2,
        "reasoning": {"effort": "low"},
    })
}

fn anthropic() -> Value {
    json!({
        "model": "m",
        "system": "be brief",
        "messages": [{"role": "user", "content": "what stands here"}],
        "stream": true,
        "max_tokens": 8192,
        "thinking": {"type": "enabled", "budget_tokens": 6000},
        "temperature": 0.2,
    })
}

fn gemini() -> Value {
    json!({
        "systemInstruction": {"parts": [{"text": "be brief"}]},
        "contents": [{"role": "user", "parts": [{"text": "what stands here"}]}],
        "generationConfig": {
            "maxOutputTokens": 8192,
            "temperature": 0.2,
            "thinkingConfig": {"thinkingBudget": 100},
            "mediaResolution": "MEDIA_RESOLUTION_LOW",
        },
    })
}

/// What is learnt from a refusal, and the body afterwards.
fn learnt(status: u16, body: &str, sent: &Value) -> (Option<Adaptation>, Value) {
    let adaptations = Adaptations::new(Some("low"), None);
    let stream = sent.get("stream").is_none_or(|stream| stream == true);
    let adaptation = adaptations.learn(Refused {
        status,
        body,
        sent,
        stream,
    });
    let mut after = sent.clone();
    adaptations.apply(&mut after);
    let again = adaptations.learn(Refused {
        status,
        body,
        sent,
        stream,
    });
    assert!(again.is_none() || again != adaptation, "{body}");
    (adaptation, after)
}

fn setting(status: u16, body: &str, sent: &Value) -> String {
    match learnt(status, body, sent).0 {
        Some(adaptation) => adaptation.setting.unwrap_or(adaptation.what),
        None => String::new(),
    }
}

/// OpenAI's shape.
fn error(message: &str, param: Option<&str>, code: &str) -> String {
    json!({"error": {"message": message, "type": "invalid_request_error", "param": param, "code": code}}).to_string()
}

const FOLDED: &str = "the system prompt stands at the head of the question";

#[test]
fn the_name_of_the_token_limit() {
    let use_other = "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.";
    let old: [String; 3] = [
        error(use_other, Some("max_tokens"), "unsupported_parameter"),
        json!({"error": {"message": use_other, "code": "invalid_request_body"}}).to_string(),
        json!({"error": {"message": format!("litellm.BadRequestError: AzureException BadRequestError - {}", error(use_other, Some("max_tokens"), "unsupported_parameter")), "type": null, "param": null, "code": "400"}}).to_string(),
    ];
    for body in old {
        assert_eq!(
            setting(400, &body, &relative()),
            "TOKEN_LIMIT_NAME=max_completion_tokens",
            "{body}"
        );
        let (_, after) = learnt(400, &body, &relative());
        assert_eq!(
            (after.get("max_tokens"), &after["max_completion_tokens"]),
            (None, &json!(8192))
        );
    }
    for (status, body) in [
        (
            422,
            r#"{"object":"error","message":{"detail":[{"type":"extra_forbidden","loc":["body","max_completion_tokens"],"msg":"Extra inputs are not permitted","input":32000}]},"type":"invalid_request_error","param":null,"code":null}"#,
        ),
        (
            400,
            r#"{"object":"error","message":"[{'type': 'extra_forbidden', 'loc': ('body', 'max_completion_tokens'), 'msg': 'Extra inputs are not permitted', 'input': 800}]","type":"BadRequestError","param":null,"code":400}"#,
        ),
        (
            422,
            r#"{"detail":[{"loc":["body","max_completion_tokens"],"msg":"extra fields not permitted","type":"value_error.extra"}]}"#,
        ),
        (
            400,
            r#"{"error":{"message":"Unrecognized request argument supplied: max_completion_tokens","type":"invalid_request_error","param":null,"code":null}}"#,
        ),
        (
            400,
            r#"{"error_code":"BAD_REQUEST","message":"Bad request: json: unknown field \"max_completion_tokens\"\n"}"#,
        ),
        (
            400,
            r#"{"error":"unknown field `max_completion_tokens`, expected one of `model`, `messages`, `max_tokens`, `temperature`, `stream`"}"#,
        ),
        (
            400,
            r#"{"error":{"message":"Additional properties are not allowed ('max_completion_tokens' was unexpected)"}}"#,
        ),
        (
            500,
            "TypeError: create_chat_completion() got an unexpected keyword argument 'max_completion_tokens'",
        ),
    ] {
        assert_eq!(
            setting(status, body, &chat()),
            "TOKEN_LIMIT_NAME=max_tokens",
            "{body}"
        );
    }
    for body in [
        error(
            "this model is not supported MaxTokens, please use MaxCompletionTokens",
            None,
            "",
        ),
        error(
            "Please use max_completion_tokens instead of max_tokens",
            None,
            "",
        ),
    ] {
        assert_eq!(
            setting(400, &body, &relative()),
            "TOKEN_LIMIT_NAME=max_completion_tokens",
            "{body}"
        );
    }
    let moved = error(
        "Unsupported parameter: 'max_tokens'. In the Responses API, this parameter has moved to 'max_output_tokens'. Try again with the new parameter.",
        None,
        "unsupported_parameter",
    );
    let mut body = responses();
    body["max_tokens"] = remove(&mut body, &["max_output_tokens"]).unwrap();
    assert_eq!(
        setting(400, &moved, &body),
        "TOKEN_LIMIT_NAME=max_output_tokens"
    );
}

#[test]
fn fields_that_a_server_does_not_know() {
    let options = "EXTRA_BODY={\"stream_options\":null}";
    for (body, expected) in [
        (error("Unknown parameter: 'stream_options'. (request id: 20240806)", Some("stream_options"), "unknown_parameter"), options),
        (error("Unrecognized request argument supplied: stream_options. Please contact us through an Azure support request at: https://go.microsoft.com/fwlink/?linkid=2213926 for further questions.  (request id: 2)", Some(""), ""), options),
        ("{\"error\": {\"message\": \"Extra inputs are not permitted, field: 'stream_options'\"}}".to_owned(), options),
        ("{\"message\": \"Bad request: json: unknown field \\\"stream_options\\\"\"}".to_owned(), options),
        ("1 validation error for ChatCompletionRequest\nstream_options\n  Extra inputs are not permitted [type=extra_forbidden, input_value={'include_usage': True}, input_type=dict]".to_owned(), options),
        ("{\"message\": \"Malformed input request: #: extraneous key [stream_options] is not permitted, please reformat your input and try again.\"}".to_owned(), options),
        (error("Extra parameters ['stream_options'] are not allowed when extra-parameters is not set or set to be 'error'. Set extra-parameters to 'pass-through' to pass to the model.", None, "Invalid input"), options),
        (error("Unrecognized key(s) in object: 'stream_options'", None, ""), options),
        (error("property 'stream_options.include_usage' is unsupported", None, "invalid_request_error"), "EXTRA_BODY={\"stream_options\":{\"include_usage\":null}}"),
        (error("Unrecognized request argument supplied: top_k", None, ""), "EXTRA_BODY={\"top_k\":null}"),
        (r#"{"detail":[{"type":"extra_forbidden","loc":["body","top_k"],"msg":"Extra inputs are not permitted","input":40}]}"#.to_owned(), "EXTRA_BODY={\"top_k\":null}"),
    ] {
        assert_eq!(setting(400, &body, &chat()), expected, "{body}");
    }
    let (_, after) = learnt(
        400,
        "property 'stream_options.include_usage' is unsupported",
        &chat(),
    );
    assert!(
        after.get("stream_options").is_none(),
        "nothing empty is left"
    );
    let body = error(
        "Unknown parameter: 'store'.",
        Some("store"),
        "unknown_parameter",
    );
    assert_eq!(
        setting(400, &body, &responses()),
        "EXTRA_BODY={\"store\":null}"
    );
}

#[test]
fn temperatures() {
    for body in [
        error("invalid temperature: only 1 is allowed for this model", None, ""),
        error("Unsupported value: 'temperature' does not support 0.2 with this model. Only the default (1) value is supported.", Some("temperature"), "unsupported_value"),
        error("Unsupported parameter: 'temperature' is not supported with this model.", Some("temperature"), "unsupported_parameter"),
        error("litellm.UnsupportedParamsError: openai does not support parameters: ['temperature'], for model=o1. To drop these, set `litellm.drop_params=True`", None, "400"),
        error("O-series models don't support temperature=0.2. Only temperature=1 is supported. To drop unsupported openai params from the call, set `litellm.drop_params = True`", None, "400"),
        r#"{"type":"error","error":{"type":"invalid_request_error","message":"`temperature` may only be set to 1 when thinking is enabled. Please consult our documentation"}}"#.to_owned(),
        r#"{"type":"error","error":{"type":"invalid_request_error","message":"temperature is not supported when thinking is enabled"}}"#.to_owned(),
        r#"{"type":"error","error":{"type":"invalid_request_error","message":"`temperature` is deprecated for this model."}}"#.to_owned(),
    ] {
        for sent in [chat(), responses(), anthropic()] {
            assert_eq!(setting(400, &body, &sent), "TEMPERATURE=", "{body}");
            assert!(learnt(400, &body, &sent).1.get("temperature").is_none());
        }
    }
    let unknown = r#"[{"error": {"code": 400, "message": "Invalid JSON payload received. Unknown name \"temperature\" at 'generation_config': Cannot find field.", "status": "INVALID_ARGUMENT"}}]"#;
    assert_eq!(setting(400, unknown, &gemini()), "TEMPERATURE=");
}

#[test]
fn reasoning_efforts() {
    for (sent, bodies) in [
        (chat(), vec![
            error("Unrecognized request argument supplied: reasoning_effort", None, ""),
            error("Unsupported value: 'reasoning_effort' does not support 'low' with this model. Supported values are: 'medium'.", Some("reasoning_effort"), "unsupported_value"),
            error("property 'reasoning_effort' is unsupported", None, "invalid_request_error"),
            "{\"code\":\"invalid-argument\",\"error\":\"Model grok-4.20-0309-reasoning does not support parameter reasoningEffort.\"}".to_owned(),
            "{\"error\":{\"message\":\"\\\"llama3.2\\\" does not support thinking\",\"type\":\"api_error\",\"param\":null,\"code\":null}}".to_owned(),
            "{\"error\":\"think value \\\"low\\\" is not supported for this model\"}".to_owned(),
        ]),
        (responses(), vec![
            error("Unsupported parameter: 'reasoning.effort' is not supported with this model.", Some("reasoning.effort"), "unsupported_parameter"),
        ]),
        (anthropic(), vec![
            "{\"type\":\"error\",\"error\":{\"type\":\"invalid_request_error\",\"message\":\"thinking: Extra inputs are not permitted\"}}".to_owned(),
            "{\"type\":\"error\",\"error\":{\"type\":\"invalid_request_error\",\"message\":\"This model does not support thinking\"}}".to_owned(),
        ]),
        (gemini(), vec![
            "{\"error\": {\"code\": 400, \"message\": \"Thinking budget is not supported for this model.\", \"status\": \"INVALID_ARGUMENT\"}}".to_owned(),
            "{\"error\": {\"code\": 400, \"message\": \"Thinking is not enabled for models/gemini-2.0-flash\"}}".to_owned(),
            "[{\"error\": {\"code\": 400, \"message\": \"Invalid JSON payload received. Unknown name \\\"thinkingConfig\\\" at 'generation_config': Cannot find field.\", \"details\": [{\"fieldViolations\": [{\"description\": \"Unknown name\"}]}]}}]".to_owned(),
        ]),
    ] {
        for body in bodies {
            assert_eq!(setting(400, &body, &sent), "REASONING_EFFORT=", "{body}");
            let after = learnt(400, &body, &sent).1;
            assert!(EFFORT.iter().all(|pointer| after.pointer(pointer).is_none()), "{after}");
        }
    }
    let body = error(
        "\"thinking.type.enabled\" is not supported for this model. Use \"thinking.type.adaptive\" and \"output_config.effort\" to control thinking behavior.",
        None,
        "",
    );
    let (adaptation, after) = learnt(400, &body, &anthropic());
    assert!(adaptation.unwrap().what.contains("adaptive"));
    assert_eq!(after["thinking"], json!({"type": "adaptive"}));
    assert_eq!(after["output_config"], json!({"effort": "low"}));
}

#[test]
fn who_says_the_systems_words() {
    for (status, body) in [
        (400, error("Unsupported value: 'messages[0].role' does not support 'system' with this model.", Some("messages[0].role"), "unsupported_value")),
        (400, "{\"object\":\"error\",\"message\":\"System role not supported\",\"type\":\"BadRequestError\"}".to_owned()),
        (500, "{\"error\":{\"code\":500,\"message\":\"\\n------------\\nWhile executing CallExpression at line 19, column 27 in source:\\n...% 2 == 0) -%}        {{ raise_exception(\\\"Conversation roles must alternate user...\\nError: Jinja Exception: Conversation roles must alternate user/assistant/user/assistant/...\",\"type\":\"server_error\"}}".to_owned()),
        (400, "{\"error\":\"Only user, assistant and tool roles are supported, got system.\"}".to_owned()),
        (422, "{\"detail\":[{\"type\":\"literal_error\",\"loc\":[\"body\",\"messages\",0,\"role\"],\"msg\":\"Input should be 'user' or 'assistant'\",\"input\":\"system\"}]}".to_owned()),
        (422, "{\"error\":\"Template error: invalid operation: Conversation roles must alternate user/assistant/user/assistant/... (in <string>:1)\",\"error_type\":\"template_error\"}".to_owned()),
        (400, "{\"message\":\"This model doesn't support system messages. Try again without a system message.\"}".to_owned()),
        (400, error("Content with system role is not supported.", None, "")),
        (400, error("role 'system' is not supported on this model", None, "")),
    ] {
        assert_eq!(setting(status, &body, &chat()), FOLDED, "{body}");
        let after = learnt(status, &body, &chat()).1;
        assert_eq!(after["messages"].as_array().unwrap().len(), 1);
        assert_eq!(after["messages"][0]["content"][0]["text"], "be brief\n\nwhat stands here");
    }
    let wants = error(
        "Unsupported value: 'messages[0].role' does not support 'system' with this model. Use 'developer' instead.",
        Some("messages[0].role"),
        "unsupported_value",
    );
    let (adaptation, after) = learnt(400, &wants, &chat());
    assert!(adaptation.unwrap().what.contains("`developer`"));
    assert_eq!(after["messages"][0]["role"], "developer");
    let neither = error(
        "Unsupported value: 'messages[0].role' does not support 'developer' with this model.",
        Some("messages[0].role"),
        "unsupported_value",
    );
    assert_eq!(setting(400, &neither, &after), FOLDED);
    for body in [
        "{\"error\": {\"message\": \"Developer instruction is not enabled for models/gemma-3-27b-it\", \"code\": 400}}",
        "[{\"error\": {\"message\": \"Invalid JSON payload received. Unknown name \\\"systemInstruction\\\": Cannot find field.\"}}]",
    ] {
        let (_, after) = learnt(400, body, &gemini());
        assert!(after.get("systemInstruction").is_none(), "{body}");
        assert_eq!(
            after["contents"][0]["parts"][0]["text"],
            "be brief\n\nwhat stands here"
        );
    }
    let body = error("system: Extra inputs are not permitted", Some("system"), "");
    assert_eq!(
        learnt(400, &body, &anthropic()).1["messages"][0]["content"],
        "be brief\n\nwhat stands here"
    );
    let body = error(
        "Unsupported parameter: 'instructions'",
        Some("instructions"),
        "unsupported_parameter",
    );
    assert_eq!(
        learnt(400, &body, &responses()).1["input"][0]["content"][0]["text"],
        "be brief\n\nwhat stands here"
    );
}

#[test]
fn streams() {
    for body in [
        error("Your organization must be verified to stream this model. Please go to: https://platform.openai.com/settings/organization/general and click on Verify Organization.", Some("stream"), "unsupported_value"),
        error("Unsupported value: 'stream' does not support true with this model. Supported values are: false.", Some("stream"), "unsupported_value"),
        error("Streaming is not supported for this model", None, ""),
        error("the stream parameter is not supported", None, ""),
        error("This endpoint does not support streaming.", None, ""),
        "{\"error\":{\"message\":\"Provider returned error\",\"code\":400,\"metadata\":{\"raw\":\"{\\n  \\\"error\\\": {\\n    \\\"message\\\": \\\"Your organization must be verified to stream this model.\\\",\\n    \\\"param\\\": \\\"stream\\\",\\n    \\\"code\\\": \\\"unsupported_value\\\"}}\"}}}".to_owned(),
    ] {
        for sent in [chat(), responses(), anthropic(), gemini()] {
            assert_eq!(setting(400, &body, &sent), "STREAM=off", "{body}");
        }
    }
    let only = error(
        "This model only support stream mode, please enable the stream parameter to access the model. ",
        None,
        "invalid_parameter_error",
    );
    let mut whole = chat();
    whole["stream"] = json!(false);
    remove(&mut whole, &["stream_options"]);
    assert_eq!(setting(400, &only, &whole), "STREAM=on");
    assert_eq!(setting(400, &only, &chat()), "");
}

#[test]
fn details_of_the_picture() {
    for body in [
        error("Unknown parameter: 'messages[1].content[1].image_url.detail'.", Some("messages[1].content[1].image_url.detail"), "unknown_parameter"),
        "{\"detail\":[{\"type\":\"extra_forbidden\",\"loc\":[\"body\",\"messages\",1,\"content\",1,\"image_url\",\"detail\"],\"msg\":\"Extra inputs are not permitted\",\"input\":\"high\"}]}".to_owned(),
        error("image_url.detail is not supported", None, ""),
        error("unknown field `detail`", None, ""),
    ] {
        assert_eq!(setting(400, &body, &chat()), "PICTURE_DETAIL=", "{body}");
        let after = learnt(400, &body, &chat()).1;
        assert!(after["messages"][1]["content"][1]["image_url"].get("detail").is_none());
    }
    let body = "{\"error\": {\"message\": \"Media resolution is not enabled for this model; media_resolution is not supported\"}}";
    assert_eq!(setting(400, body, &gemini()), "PICTURE_DETAIL=");
}

#[test]
fn limits_are_lowered_to_what_the_server_names() {
    for (status, body) in [
        (400, error("max_tokens is too large: 8192. This model supports at most 4096 completion tokens, whereas you provided 8192.", Some("max_tokens"), "invalid_value")),
        (416, error("max_completion_tokens is limited to 4096 for this model", None, "")),
        (422, "{\"detail\":[{\"type\":\"less_than_equal\",\"loc\":[\"body\",\"max_tokens\"],\"msg\":\"Input should be less than or equal to 4096\",\"input\":8192}]}".to_owned()),
    ] {
        for sent in [chat(), responses(), anthropic(), gemini()] {
            assert_eq!(setting(status, &body, &sent), "MAX_OUTPUT_TOKENS=4096", "{body}");
            let after = learnt(status, &body, &sent).1;
            assert!(!after.to_string().contains("8192"), "{after}");
        }
    }
    let body = error(
        "max_tokens: 8192 > 4096, which is the maximum allowed number of output tokens",
        None,
        "",
    );
    assert_eq!(
        learnt(400, &body, &anthropic()).1["thinking"]["budget_tokens"],
        3072
    );
    let body = error(
        "max_tokens: 8192 > 1000, which is the maximum allowed number of output tokens",
        None,
        "",
    );
    assert!(
        learnt(400, &body, &anthropic()).1.get("thinking").is_none(),
        "no room for thoughts"
    );
}

#[test]
fn nothing_is_learnt_on_false_grounds() {
    let long =
        "Please explain: Unsupported parameter: 'temperature' is not supported with this model.";
    let mut quoting = chat();
    quoting["messages"][0]["content"] = json!(long);
    for (status, body, sent) in [
        (429, error("Rate limit reached: max_tokens 8192 at most 4096 output tokens per minute", None, "rate_limit_exceeded"), chat()),
        (400, error("Rate limit: requests with stream are not supported on this tier", None, "rate_limit_exceeded"), chat()),
        (401, error("Unsupported parameter: 'temperature'", Some("temperature"), "invalid_api_key"), chat()),
        (400, "{\"error\": {\"code\": 400, \"message\": \"API key not valid. Please pass a valid API key.\", \"status\": \"INVALID_ARGUMENT\"}}".to_owned(), gemini()),
        (403, error("Unsupported parameter: 'temperature'", Some("temperature"), "unsupported_parameter"), chat()),
        (402, error("This request requires more credits, or fewer max_tokens. You requested up to 8192 tokens, but can only afford 5000.", None, ""), chat()),
        (400, error(&format!("The prompt was filtered: {long}"), None, "content_filter"), quoting.clone()),
        (400, error(&format!("I cannot read this: {long}"), None, "bad"), quoting.clone()),
        (400, error(&format!("I cannot read this: {}", long.replace(' ', "\\n")), None, "bad"), quoting.clone()),
        (400, json!({"detail": [{"type": "string_too_long", "loc": ["body", "messages"], "msg": "too long", "input": {"message": long}}]}).to_string(), chat()),
        (400, error("Invalid value: 'temperature' must be at most 1.", Some("temperature"), "invalid_value"), chat()),
        (400, error("Unsupported image format", Some("messages[1].content[1].image_url.url"), "unsupported_value"), chat()),
        (400, error("Unsupported parameter: 'logprobs'", Some("logprobs"), "unsupported_parameter"), chat()),
        (400, error("The model does not support images. See the temperature docs; the detail is unknown.", None, ""), chat()),
        (404, error("The model `temperature` does not exist", None, "model_not_found"), chat()),
        (400, error("This model's maximum context length is 8192 tokens. However, your messages resulted in 9000 tokens.", Some("messages"), "context_length_exceeded"), chat()),
        (400, error("After the optional system message, conversation roles must alternate user and assistant roles except for tool calls and results.", None, ""), chat()),
        (503, error("Unsupported parameter: 'temperature'", Some("temperature"), "unsupported_parameter"), chat()),
        (400, "<html><body>unknown field stream_options</body></html>".to_owned(), chat()),
        (400, String::new(), chat()),
    ] {
        let (adaptation, after) = learnt(status, &body, &sent);
        assert_eq!((adaptation, after), (None, sent), "{status} {body}");
    }
}

#[test]
fn the_other_path_is_tried_once_and_not_for_a_missing_model() {
    let adaptations = Adaptations::new(None, Some("http://h/chat/completions".to_owned()));
    let sent = chat();
    let refused = |status, body| Refused {
        status,
        body,
        sent: &sent,
        stream: true,
    };
    assert_eq!(
        adaptations.learn(refused(
            404,
            "{\"error\": \"model 'm' not found, try pulling it first\"}"
        )),
        None
    );
    let adaptation = adaptations
        .learn(refused(404, "404 page not found"))
        .unwrap();
    assert_eq!(
        adaptation.setting.as_deref(),
        Some("BASE_URL=http://h/chat/completions")
    );
    assert!(adaptations.second());
    assert_eq!(adaptations.learn(refused(404, "404 page not found")), None);
    assert_eq!(adaptations.list(), [adaptation]);
}

proptest! {
    /// Whatever servers say: adapting ends, learns nothing twice, and keeps question and model.
    #[test]
    fn adapting_ends(
        refusals in proptest::collection::vec((
            prop_oneof![Just(400u16), Just(404), Just(422), Just(500)],
            "(unknown field|Unsupported parameter:|does not support|at most|[0-9]{3,6}|'max_tokens'|`max_completion_tokens`|max_output_tokens|'stream'|streaming|only support stream|\"temperature\"|'top_k'|stream_options|include_usage|thinking|reasoning_effort|'system'|'developer'|role|image_url.detail|mediaResolution|is not supported|adaptive|[.] | ){1,12}",
        ), 1..60),
        format in 0usize..5,
    ) {
        let original = [chat(), relative(), responses(), anthropic(), gemini()][format].clone();
        let adaptations = Adaptations::new(Some("low"), Some("http://h".to_owned()));
        let mut learnt = Vec::new();
        for (status, body) in &refusals {
            let mut sent = original.clone();
            let stream = adaptations.stream(true);
            adaptations.apply(&mut sent);
            if let Some(adaptation) = adaptations.learn(Refused { status: *status, body, sent: &sent, stream }) {
                prop_assert!(!learnt.contains(&adaptation), "{:?}", adaptation);
                learnt.push(adaptation);
            }
        }
        prop_assert!(learnt.len() <= 20, "{:?}", learnt);
        prop_assert!(adaptations.list().len() <= learnt.len());
        let mut after = original.clone();
        adaptations.apply(&mut after);
        prop_assert_eq!(&after["model"], &original["model"]);
        let text = after.to_string();
        prop_assert!(text.contains("what stands here") && text.matches("be brief").count() == 1, "{}", text);
        let mut twice = after.clone();
        adaptations.apply(&mut twice);
        prop_assert_eq!(twice, after);
    }
}
