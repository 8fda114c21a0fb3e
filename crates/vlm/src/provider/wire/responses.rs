//! OpenAI's Responses API.

use serde_json::{Value, json};

use super::{Finish, Partial, Request, base64};
use crate::provider::{ProviderError, Role, fault};

pub(super) fn body(request: &Request<'_>) -> Value {
    let Request {
        query, identity, ..
    } = request;
    let input = query.turns.iter().enumerate().map(|(index, turn)| {
        let (role, kind) = match turn.role {
            Role::User => ("user", "input_text"),
            Role::Model => ("assistant", "output_text"),
        };
        let mut content = vec![json!({"type": kind, "text": turn.text})];
        if let Some(picture) = query.picture.as_ref().filter(|_| index == 0) {
            let data = base64(picture.bytes());
            let url = format!("data:{};base64,{data}", picture.media_type());
            let mut image = json!({"type": "input_image", "image_url": url});
            if let Some(detail) = identity.picture_detail {
                image["detail"] = json!(detail.name());
            }
            content.push(image);
        }
        json!({"role": role, "content": content})
    });
    let mut body = json!({
        "model": identity.model,
        "instructions": query.system,
        "input": input.collect::<Vec<_>>(),
        "stream": request.stream,
        // The service would else keep question and answer.
        "store": false,
    });
    body[request.token_limit.name()] = json!(identity.max_output_tokens);
    if let Some(temperature) = identity.temperature {
        body["temperature"] = json!(temperature);
    }
    if let Some(effort) = &identity.reasoning_effort {
        body["reasoning"] = json!({"effort": effort});
    }
    body
}

/// One event of a stream or the whole answer.
pub(super) fn take(value: &Value, partial: &mut Partial) -> Result<(), ProviderError> {
    if value["object"] == "response" || value["output"].is_array() {
        partial.ended = true;
        return take_response(value, "", partial);
    }
    let kind = value["type"].as_str().unwrap_or_default();
    let Some(event) = kind.strip_prefix("response.") else {
        partial.note_strange(value);
        return Ok(());
    };
    partial.began = true;
    let delta = value["delta"].as_str().unwrap_or_default();
    match event {
        "output_text.delta" => {
            partial.has_choice = true;
            partial.text.push(delta);
        }
        "refusal.delta" => partial.refusal.push_str(delta),
        "completed" | "incomplete" | "failed" | "cancelled" | "done" => {
            partial.ended = true;
            return take_response(&value["response"], event, partial);
        }
        "created" | "in_progress" | "queued" => partial.take_model(&value["response"]["model"]),
        _ if event.starts_with("reasoning") => partial.thought_bytes += delta.len(),
        // Beginnings and ends of what the deltas hold, and whatever the service may add.
        _ => {}
    }
    Ok(())
}

/// The answer as a whole, which also ends a stream: `event` is the name of its last event.
fn take_response(
    response: &Value,
    event: &str,
    partial: &mut Partial,
) -> Result<(), ProviderError> {
    let status = response["status"].as_str().unwrap_or(event);
    let is_failed = status == "failed" || event == "failed";
    if let Some(error) = fault::reported(response, is_failed, partial.has_content()) {
        return Err(error);
    }
    partial.began = true;
    partial.take_model(&response["model"]);
    let tokens = |name: &str| response["usage"][name].as_u64();
    partial.input_tokens = tokens("input_tokens").or(partial.input_tokens);
    partial.output_tokens = tokens("output_tokens").or(partial.output_tokens);
    // A stream has said it all in its deltas.
    if partial.text.len() == 0 && partial.refusal.is_empty() {
        take_output(response, partial);
    }
    let why = response["incomplete_details"]["reason"].as_str();
    match (status, why) {
        ("incomplete", Some("content_filter")) => {
            partial.finish = Some(Finish::Refused("content_filter".to_owned()));
        }
        // The reason is given where it is not the token limit.
        ("incomplete", None) => partial.finish = Some(Finish::Length),
        ("incomplete", Some(reason)) => partial.finish_with(&json!(reason)),
        (status, _) => partial.finish_with(&json!(status)),
    }
    Ok(())
}

fn take_output(response: &Value, partial: &mut Partial) {
    let items = response["output"].as_array().into_iter().flatten();
    for item in items {
        if item["type"] == "reasoning" {
            partial.thought_bytes += item.to_string().len();
            continue;
        }
        let parts = item["content"].as_array().into_iter().flatten();
        for part in parts.filter(|_| item["type"] == "message") {
            partial.has_choice = true;
            match part["type"].as_str() {
                Some("output_text" | "text") => {
                    partial.text.push(part["text"].as_str().unwrap_or_default());
                }
                Some("refusal") => {
                    let words = part["refusal"].as_str().unwrap_or_default();
                    partial.refusal.push_str(words);
                }
                _ => {}
            }
        }
    }
}
