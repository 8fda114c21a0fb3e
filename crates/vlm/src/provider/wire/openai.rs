//! Chat completions, as `api.openai.com` and its many relatives speak them.

use serde_json::{Value, json};

use super::{Finish, Partial, Request, base64, malformed};
use crate::provider::{ProviderError, Role, one_line};

pub(super) fn body(request: &Request<'_>) -> Value {
    let Request {
        query, identity, ..
    } = request;
    let mut messages = vec![json!({"role": "system", "content": query.system})];
    for (index, turn) in query.turns.iter().enumerate() {
        let role = match turn.role {
            Role::User => "user",
            Role::Model => "assistant",
        };
        let content = match &query.picture {
            Some(picture) if index == 0 => {
                let url = format!(
                    "data:{};base64,{}",
                    picture.media_type(),
                    base64(picture.bytes())
                );
                let mut image = json!({"url": url});
                if let Some(detail) = identity.picture_detail {
                    image["detail"] = json!(detail.name());
                }
                json!([
                    {"type": "text", "text": turn.text},
                    {"type": "image_url", "image_url": image},
                ])
            }
            _ => json!(turn.text),
        };
        messages.push(json!({"role": role, "content": content}));
    }
    let mut body = json!({"model": identity.model, "messages": messages, "stream": request.stream});
    body[request.token_limit.name()] = json!(identity.max_output_tokens);
    if let Some(temperature) = identity.temperature {
        body["temperature"] = json!(temperature);
    }
    if let Some(effort) = &identity.reasoning_effort {
        body["reasoning_effort"] = json!(effort);
    }
    if request.stream {
        body["stream_options"] = json!({"include_usage": true});
    }
    body
}

/// One chunk of a stream (`part` is `delta`) or the whole answer (`message`).
pub(super) fn take(value: &Value, part: &str, partial: &mut Partial) -> Result<(), ProviderError> {
    let Some(choices) = value.get("choices").and_then(Value::as_array) else {
        let found = one_line(&value.to_string(), 80);
        return Err(malformed(format!("expected `choices`, found `{found}`")));
    };
    partial.began = true;
    if let Some(model) = value.get("model").and_then(Value::as_str) {
        partial.model = Some(model.to_owned());
    }
    let tokens = |name: &str| {
        value
            .pointer(&format!("/usage/{name}"))
            .and_then(Value::as_u64)
    };
    partial.input_tokens = tokens("prompt_tokens").or(partial.input_tokens);
    partial.output_tokens = tokens("completion_tokens").or(partial.output_tokens);
    // The last chunk of a stream holds the usage and no choice.
    let Some(choice) = choices.first() else {
        return Ok(());
    };
    partial.has_choice = true;
    let message = &choice[part];
    match &message["content"] {
        Value::String(text) => partial.text.push_str(text),
        Value::Array(parts) => {
            let texts = parts.iter().filter_map(|part| part["text"].as_str());
            texts.for_each(|text| partial.text.push_str(text));
        }
        _ => {}
    }
    if let Some(refusal) = message["refusal"].as_str() {
        partial.refusal.push_str(refusal);
    }
    match choice["finish_reason"].as_str() {
        None => {}
        Some("length") => partial.finish = Some(Finish::Length),
        Some(reason @ "content_filter") => {
            partial.finish = Some(Finish::Refused(reason.to_owned()))
        }
        Some(_) => partial.finish = Some(Finish::Complete),
    }
    Ok(())
}
