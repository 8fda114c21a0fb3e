//! Anthropic's Messages API.

use serde_json::{Value, json};

use super::{Partial, Request, base64, effort};
use crate::provider::Role;

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

/// One event of a stream or the whole answer.
pub(super) fn take(value: &Value, partial: &mut Partial) {
    if let Some(content) = value["content"].as_array() {
        partial.began = true;
        partial.ended = true;
        partial.has_choice = !content.is_empty();
        content.iter().for_each(|block| take_block(block, partial));
        take_facts(value, partial);
        partial.finish_with(&value["stop_reason"]);
        return;
    }
    match value["type"].as_str() {
        Some("message_start") => {
            partial.began = true;
            take_facts(&value["message"], partial);
        }
        Some("content_block_start") => {
            partial.began = true;
            partial.has_choice = true;
            take_block(&value["content_block"], partial);
        }
        Some("content_block_delta") => {
            partial.began = true;
            take_block(&value["delta"], partial);
        }
        Some("message_delta") => {
            partial.began = true;
            take_facts(value, partial);
            partial.finish_with(&value["delta"]["stop_reason"]);
            partial.ended |= partial.finish.is_some() && value["usage"].is_object();
        }
        Some("message_stop") => {
            partial.began = true;
            partial.ended = true;
        }
        // The service may add kinds of events at any time.
        Some("ping" | "content_block_stop") => {}
        _ => partial.note_strange(value),
    }
}

/// A block of content, or what is added to one.
fn take_block(block: &Value, partial: &mut Partial) {
    let text = |name: &str| block[name].as_str().unwrap_or_default();
    match text("type") {
        "text" | "text_delta" => partial.text.push(text("text")),
        "thinking" | "thinking_delta" => partial.thought_bytes += text("thinking").len(),
        "redacted_thinking" => partial.thought_bytes += text("data").len(),
        _ => {}
    }
}

/// Model and tokens.
fn take_facts(value: &Value, partial: &mut Partial) {
    partial.take_model(&value["model"]);
    let tokens = |name: &str| value["usage"][name].as_u64();
    if let Some(fresh) = tokens("input_tokens") {
        // What is written to or read from the service's cache is counted apart.
        let cached = ["cache_creation_input_tokens", "cache_read_input_tokens"];
        let cached: u64 = cached.into_iter().filter_map(tokens).sum();
        partial.input_tokens = Some((fresh + cached).max(partial.input_tokens.unwrap_or(0)));
    }
    partial.output_tokens = tokens("output_tokens").or(partial.output_tokens);
}
