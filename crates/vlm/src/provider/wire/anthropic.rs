//! Anthropic's Messages API.

use serde_json::{Value, json};

use super::{Finish, Partial, Request, base64, effort, malformed};
use crate::provider::{ProviderError, Role, one_line};

pub(super) fn body(request: &Request<'_>) -> Value {
    let Request {
        query, identity, ..
    } = request;
    let messages = query.turns.iter().enumerate().map(|(index, turn)| {
        let role = match turn.role {
            Role::User => "user",
            Role::Model => "assistant",
        };
        let content = match &query.picture {
            Some(picture) if index == 0 => json!([
                {"type": "image", "source": {
                    "type": "base64",
                    "media_type": picture.media_type(),
                    "data": base64(picture.bytes()),
                }},
                {"type": "text", "text": turn.text},
            ]),
            _ => json!(turn.text),
        };
        json!({"role": role, "content": content})
    });
    let mut body = json!({
        "model": identity.model,
        "max_tokens": identity.max_output_tokens,
        "system": query.system,
        "messages": messages.collect::<Vec<_>>(),
        "stream": request.stream,
    });
    let effort = identity.reasoning_effort.as_deref();
    let thinking = effort.and_then(|word| effort::anthropic(word, identity.max_output_tokens));
    match (thinking, identity.temperature) {
        // Thinking does not go together with any temperature.
        (Some(thinking), _) => body["thinking"] = thinking,
        (None, Some(temperature)) => body["temperature"] = json!(temperature),
        (None, None) => {}
    }
    body
}

pub(super) fn take_event(value: &Value, partial: &mut Partial) -> Result<(), ProviderError> {
    let Some(kind) = value["type"].as_str() else {
        let found = one_line(&value.to_string(), 80);
        return Err(malformed(format!(
            "expected an event with a `type`, found `{found}`"
        )));
    };
    match kind {
        "message_start" => {
            partial.began = true;
            take_facts(&value["message"], partial);
        }
        "content_block_start" => partial.has_choice = true,
        "content_block_delta" => {
            if let ("text_delta", Some(text)) = (
                value["delta"]["type"].as_str().unwrap_or_default(),
                value["delta"]["text"].as_str(),
            ) {
                partial.text.push_str(text);
            }
        }
        "message_delta" => {
            take_facts(value, partial);
            take_stop_reason(&value["delta"], partial);
        }
        "message_stop" => partial.ended = true,
        // The service may add kinds of events at any time.
        _ => {}
    }
    Ok(())
}

pub(super) fn take_whole(value: &Value, partial: &mut Partial) -> Result<(), ProviderError> {
    let Some(content) = value["content"].as_array() else {
        let found = one_line(&value.to_string(), 80);
        return Err(malformed(format!("expected `content`, found `{found}`")));
    };
    partial.has_choice = !content.is_empty();
    let texts = content.iter().filter(|block| block["type"] == "text");
    for text in texts.filter_map(|block| block["text"].as_str()) {
        partial.text.push_str(text);
    }
    take_facts(value, partial);
    take_stop_reason(value, partial);
    Ok(())
}

/// Model and tokens.
fn take_facts(value: &Value, partial: &mut Partial) {
    if let Some(model) = value["model"].as_str() {
        partial.model = Some(model.to_owned());
    }
    let tokens = |name: &str| value["usage"][name].as_u64();
    partial.input_tokens = tokens("input_tokens").or(partial.input_tokens);
    partial.output_tokens = tokens("output_tokens").or(partial.output_tokens);
}

fn take_stop_reason(value: &Value, partial: &mut Partial) {
    match value["stop_reason"].as_str() {
        None => {}
        Some("max_tokens" | "model_context_window_exceeded") => {
            partial.finish = Some(Finish::Length)
        }
        Some("refusal") => partial.finish = Some(Finish::Refused("refusal".to_owned())),
        Some(_) => partial.finish = Some(Finish::Complete),
    }
}
