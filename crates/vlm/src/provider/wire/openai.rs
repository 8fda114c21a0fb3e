//! Chat completions, as `api.openai.com` and its many relatives speak them.

use serde_json::{Value, json};

use super::{Finish, Partial, base64, malformed};
use crate::provider::{Endpoint, Identity, ProviderError, Query, Role, Secret, one_line};

fn is_azure(endpoint: &Endpoint) -> bool {
    endpoint.host_name().ends_with(".azure.com")
}

pub(super) fn headers(endpoint: &Endpoint, key: Option<&Secret>) -> Vec<(&'static str, String)> {
    match key {
        Some(key) if is_azure(endpoint) => vec![("api-key", key.expose().to_owned())],
        Some(key) => vec![("authorization", format!("Bearer {}", key.expose()))],
        None => Vec::new(),
    }
}

pub(super) fn body(query: &Query, identity: &Identity, endpoint: &Endpoint, stream: bool) -> Value {
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
                json!([
                    {"type": "text", "text": turn.text},
                    {"type": "image_url", "image_url": {"url": url}},
                ])
            }
            _ => json!(turn.text),
        };
        messages.push(json!({"role": role, "content": content}));
    }
    let mut body = json!({"model": identity.model, "messages": messages, "stream": stream});
    // OpenAI renamed the limit and its newer models insist; most relatives know the old name only.
    let is_original = endpoint.host_name() == "api.openai.com" || is_azure(endpoint);
    let limit = if is_original {
        "max_completion_tokens"
    } else {
        "max_tokens"
    };
    body[limit] = json!(identity.max_output_tokens);
    if let Some(temperature) = identity.temperature {
        body["temperature"] = json!(temperature);
    }
    if stream {
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
