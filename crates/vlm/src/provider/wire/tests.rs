use serde_json::json;

use super::*;
use crate::provider::{Picture, PictureDetail, Purpose, Role, Turn};

const ALL: [Api; 4] = [Api::OpenAi, Api::Responses, Api::Anthropic, Api::Gemini];

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
        ..Identity::local(api.name())
    }
}

fn body_of(api: Api, change: impl FnOnce(&mut Identity), stream: bool) -> Value {
    let mut identity = identity(api);
    change(&mut identity);
    api.body(&Request {
        query: &query(),
        identity: &identity,
        token_limit: match api {
            Api::Responses => TokenLimit::MaxOutputTokens,
            _ => TokenLimit::MaxCompletionTokens,
        },
        stream,
    })
}

fn body(api: Api) -> Value {
    body_of(api, |_| {}, true)
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
    let responses = body(Api::Responses);
    assert_eq!(responses["instructions"], "be brief");
    assert_eq!(
        responses["input"][0]["content"][1],
        json!({"type": "input_image", "image_url": format!("data:image/jpeg;base64,{data}")})
    );
    assert_eq!(
        responses["input"][1],
        json!({"role": "assistant", "content": [{"type": "output_text", "text": "two"}]})
    );
    assert_eq!(
        (&responses["max_output_tokens"], &responses["store"]),
        (&json!(50), &json!(false))
    );
    for body in [openai, responses, anthropic, gemini] {
        assert_eq!(body.to_string().matches(&data).count(), 1);
    }
}

#[test]
fn effort_and_detail_are_written_as_each_format_wants_them() {
    let with = |api| {
        let change = |identity: &mut Identity| {
            identity.max_output_tokens = 4096;
            identity.reasoning_effort = Some("low".to_owned());
            identity.picture_detail = Some(PictureDetail::Low);
        };
        body_of(api, change, false)
    };
    let openai = with(Api::OpenAi);
    assert_eq!(openai["reasoning_effort"], "low");
    assert_eq!(
        openai["messages"][1]["content"][1]["image_url"]["detail"],
        "low"
    );
    assert_eq!(openai["stream"], false);
    assert!(openai.get("stream_options").is_none());
    assert_eq!(with(Api::Azure), openai);
    let anthropic = with(Api::Anthropic);
    assert_eq!(
        anthropic["thinking"],
        json!({"type": "enabled", "budget_tokens": 2048})
    );
    assert!(anthropic.get("temperature").is_none());
    let gemini = with(Api::Gemini);
    assert_eq!(
        gemini["generationConfig"],
        json!({
            "maxOutputTokens": 4096,
            "temperature": 0.5,
            "thinkingConfig": {"thinkingBudget": 2048},
            "mediaResolution": "MEDIA_RESOLUTION_LOW",
        })
    );
}

fn take(api: Api, events: &[Value]) -> Result<Reply, ProviderError> {
    let mut partial = Partial::default();
    for event in events {
        let data = event
            .as_str()
            .map_or_else(|| event.to_string(), str::to_owned);
        let is_error = false;
        api.take(&Event { data, is_error }, &mut partial)?;
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
            json!({"choices": [{"delta": {"reasoning": "hm, hm", "content": "four tokens"}}]}),
            json!({"choices": [{"delta": {}, "finish_reason": "stop"}], "usage": {"prompt_tokens": 0, "completion_tokens": 0}}),
            json!("[DONE]"),
        ],
    );
    // Thoughts cost as well, though they are no part of the answer.
    let usage = Usage {
        input_tokens: 7,
        output_tokens: 6,
        estimated: true,
    };
    assert_eq!(reply.unwrap().usage, usage);
}

#[test]
fn errors_within_a_stream_get_their_own_names() {
    for (kind, outcome) in [
        ("overloaded_error", Outcome::Overloaded),
        ("api_error", Outcome::ServerError),
        ("rate_limit_error", Outcome::RateLimited),
        ("authentication_error", Outcome::Unauthorised),
        ("invalid_request_error", Outcome::RequestRejected),
        ("insufficient_quota", Outcome::QuotaExhausted),
    ] {
        for api in ALL {
            let event = json!({"type": "error", "error": {"type": kind, "message": "so it is"}});
            let error = take(api, &[event]).unwrap_err();
            assert_eq!(error.outcome, outcome, "{kind}");
            assert!(error.detail.contains("so it is"), "{error}");
        }
    }
}

#[test]
fn a_bad_end_stands_whatever_follows() {
    let chunk =
        |finish: Value| json!({"choices": [{"delta": {"content": "x"}, "finish_reason": finish}]});
    for (words, outcome) in [
        (vec![json!("stop")], None),
        (vec![json!("stop"), json!("stop")], None),
        (vec![json!(""), json!("stop")], None),
        (vec![json!("error")], Some(Outcome::Unfinished)),
        (
            vec![json!("error"), json!("stop")],
            Some(Outcome::Unfinished),
        ),
        (
            vec![json!("stop"), json!("length")],
            Some(Outcome::Truncated),
        ),
        (vec![json!("tool_calls")], Some(Outcome::Unfinished)),
        (vec![Value::Null], Some(Outcome::Unfinished)),
        (vec![json!("")], Some(Outcome::Unfinished)),
    ] {
        let mut events: Vec<Value> = words.iter().cloned().map(chunk).collect();
        events.push(json!("[DONE]"));
        let result = take(Api::OpenAi, &events);
        assert_eq!(
            result.err().map(|error| error.outcome),
            outcome,
            "{words:?}"
        );
    }
}

#[test]
fn only_the_first_of_several_answers_is_read() {
    let chunk = |index: u64, text: &str| json!({"choices": [{"index": index, "delta": {"content": text}, "finish_reason": if text == "b" { "stop" } else { "" }}]});
    let reply = take(Api::OpenAi, &[chunk(0, "a"), chunk(1, "x"), chunk(0, "b")]).unwrap();
    assert_eq!(reply.text, "ab");
    // Whichever comes first, be it cut.
    let mut other = chunk(2, "x");
    other["choices"][0]["finish_reason"] = json!("length");
    let reply = take(Api::OpenAi, &[other, chunk(1, "a"), chunk(1, "b")]).unwrap();
    assert_eq!(reply.text, "ab");
}

#[test]
fn contents_in_parts_hold_thoughts_and_text() {
    let content = json!([
        {"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]},
        {"type": "text", "text": "yes"},
    ]);
    let whole = json!({"choices": [{"message": {"content": content}, "finish_reason": "stop"}]});
    assert_eq!(take(Api::OpenAi, &[whole]).unwrap().text, "yes");
}

#[test]
fn the_responses_api_says_all_in_deltas_or_at_its_end() {
    let end = json!({"type": "response.completed", "response": {"object": "response", "status": "completed", "model": "m-1-a",
        "error": null, "output": [{"type": "reasoning", "summary": []}, {"type": "message", "content": [{"type": "output_text", "text": "yes"}]}],
        "usage": {"input_tokens": 3, "output_tokens": 9}}});
    let deltas = [
        json!({"type": "response.created", "response": {"status": "in_progress", "error": null, "output": []}}),
        json!({"type": "response.reasoning_summary_text.delta", "delta": "hm"}),
        json!({"type": "response.output_text.delta", "delta": "ye"}),
        json!({"type": "response.output_text.delta", "delta": "s"}),
        json!({"type": "response.output_text.done", "text": "yes"}),
        end.clone(),
    ];
    for events in [
        &deltas[..],
        std::slice::from_ref(&end),
        &[end["response"].clone()],
    ] {
        let reply = take(Api::Responses, events).unwrap();
        assert_eq!(
            (reply.text.as_str(), reply.model.as_str()),
            ("yes", "m-1-a")
        );
        assert_eq!(
            (reply.usage.input_tokens, reply.usage.output_tokens),
            (3, 9)
        );
    }
    let ended = |event: &str, response: Value| {
        let event = json!({"type": format!("response.{event}"), "response": response});
        let events = [deltas[2].clone(), event];
        take(Api::Responses, &events).unwrap_err().outcome
    };
    let because =
        |reason: &str| json!({"status": "incomplete", "incomplete_details": {"reason": reason}});
    assert_eq!(
        ended("incomplete", because("max_output_tokens")),
        Outcome::Truncated
    );
    assert_eq!(
        ended("incomplete", because("content_filter")),
        Outcome::RefusedByModel
    );
    assert_eq!(ended("incomplete", because("steered")), Outcome::Unfinished);
    let failed = json!({"status": "failed", "error": {"code": "server_error", "message": "sorry"}});
    assert_eq!(ended("failed", failed), Outcome::ServerError);
    assert_eq!(ended("failed", Value::Null), Outcome::ServerError);
    let in_progress = json!({"object": "response", "status": "in_progress", "output": []});
    assert_eq!(
        take(Api::Responses, &[in_progress]).unwrap_err().outcome,
        Outcome::Unfinished
    );
}
