//! Chat completions, as `api.openai.com` and its many relatives speak them.

use serde_json::{Value, json};

use super::{Partial, Request, base64};
use crate::provider::{ProviderError, Role, fault};

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

/// One chunk of a stream (`delta`) or the whole answer (`message`).
pub(super) fn take(value: &Value, partial: &mut Partial) -> Result<(), ProviderError> {
    let has_usage = value["usage"].is_object();
    if value.get("choices").is_none() && !has_usage {
        partial.note_strange(value);
        return Ok(());
    }
    partial.began = true;
    partial.take_model(&value["model"]);
    take_usage(&value["usage"], partial);
    // Some servers write `null` where the last chunk, with the usage, has no choice.
    let choices = value["choices"].as_array().into_iter().flatten();
    for choice in choices {
        let index = choice["index"].as_u64().unwrap_or(0);
        // The first one by number, whichever comes first.
        if partial.choice.is_some_and(|read| index < read) {
            partial.begin_anew(index);
        }
        if *partial.choice.get_or_insert(index) == index {
            take_choice(choice, partial)?;
        }
    }
    // With the finish and the usage nothing more is to come.
    partial.ended |= partial.finish.is_some() && has_usage;
    Ok(())
}

fn take_choice(choice: &Value, partial: &mut Partial) -> Result<(), ProviderError> {
    if let Some(error) = fault::reported(choice, false, partial.has_content()) {
        return Err(error);
    }
    partial.has_choice = true;
    let is_whole = choice["message"].is_object() && !choice["delta"].is_object();
    let message = &choice[if is_whole { "message" } else { "delta" }];
    match &message["content"] {
        Value::String(text) => partial.text.push(text),
        Value::Array(parts) => parts.iter().for_each(|part| take_part(part, partial)),
        _ => {}
    }
    // The manner of completions without a chat.
    if let Some(text) = choice["text"].as_str() {
        partial.text.push(text);
    }
    if let Some(refusal) = message["refusal"].as_str() {
        partial.refusal.push_str(refusal);
    }
    // DeepSeek, vLLM, SGLang and llama.cpp say `reasoning_content`, Ollama and OpenRouter `reasoning`.
    for name in ["reasoning_content", "reasoning", "thinking"] {
        partial.thought_bytes += message[name].as_str().map_or(0, str::len);
    }
    partial.finish_with(&choice["finish_reason"]);
    partial.ended |= is_whole;
    Ok(())
}

/// A part of a content that is a list; Mistral's thoughts are such a part.
fn take_part(part: &Value, partial: &mut Partial) {
    match (
        part["type"].as_str().unwrap_or("text"),
        part["text"].as_str(),
    ) {
        ("text" | "output_text", Some(text)) => partial.text.push(text),
        ("refusal", _) => partial
            .refusal
            .push_str(part["refusal"].as_str().unwrap_or_default()),
        _ => partial.thought_bytes += part.to_string().len(),
    }
}

fn take_usage(usage: &Value, partial: &mut Partial) {
    let tokens = |name: &str| usage[name].as_u64();
    let input = tokens("prompt_tokens");
    // Where thoughts are counted apart, only the sum holds them.
    let beyond = tokens("total_tokens").map(|total| total.saturating_sub(input.unwrap_or(total)));
    partial.input_tokens = input.or(partial.input_tokens);
    partial.output_tokens = tokens("completion_tokens")
        .max(beyond)
        .or(partial.output_tokens);
}
