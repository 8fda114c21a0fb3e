//! Google's generateContent.

use serde_json::{Value, json};

use super::{Finish, Partial, Request, base64, effort};
use crate::provider::{PictureDetail, ProviderError, Role, fault};

pub(super) fn route(model: &str, stream: bool) -> String {
    let method = if stream {
        "streamGenerateContent"
    } else {
        "generateContent"
    };
    format!("models/{model}:{method}")
}

pub(super) fn body(request: &Request<'_>) -> Value {
    let Request {
        query, identity, ..
    } = request;
    let contents = query.turns.iter().enumerate().map(|(index, turn)| {
        let role = match turn.role {
            Role::User => "user",
            Role::Model => "model",
        };
        let mut parts = vec![json!({"text": turn.text})];
        if let Some(picture) = query.picture.as_ref().filter(|_| index == 0) {
            let data = base64(picture.bytes());
            parts.push(json!({"inlineData": {"mimeType": picture.media_type(), "data": data}}));
        }
        json!({"role": role, "parts": parts})
    });
    let mut config = json!({"maxOutputTokens": identity.max_output_tokens});
    if let Some(temperature) = identity.temperature {
        config["temperature"] = json!(temperature);
    }
    let limit = identity.max_output_tokens;
    let effort = identity.reasoning_effort.as_deref();
    if let Some(thinking) = effort.and_then(|word| effort::gemini(word, &identity.model, limit)) {
        config["thinkingConfig"] = thinking;
    }
    match identity.picture_detail.filter(|_| query.picture.is_some()) {
        Some(PictureDetail::Low) => config["mediaResolution"] = json!("MEDIA_RESOLUTION_LOW"),
        Some(PictureDetail::High) => config["mediaResolution"] = json!("MEDIA_RESOLUTION_HIGH"),
        Some(PictureDetail::Auto) | None => {}
    }
    json!({
        "systemInstruction": {"parts": [{"text": query.system}]},
        "contents": contents.collect::<Vec<_>>(),
        "generationConfig": config,
    })
}

/// One chunk of a stream or the whole answer; they have the same shape.
pub(super) fn take(value: &Value, partial: &mut Partial) -> Result<(), ProviderError> {
    let feedback = value
        .pointer("/promptFeedback/blockReason")
        .and_then(Value::as_str);
    if let Some(reason) = feedback.filter(|reason| *reason != "BLOCK_REASON_UNSPECIFIED") {
        partial.began = true;
        partial.ended = true;
        partial.finish = Some(Finish::Refused(format!("the prompt was blocked: {reason}")));
        return Ok(());
    }
    let usage = &value["usageMetadata"];
    if value.get("candidates").is_none() && !usage.is_object() {
        partial.note_strange(value);
        return Ok(());
    }
    partial.began = true;
    partial.take_model(&value["modelVersion"]);
    take_usage(usage, partial);
    let Some(candidate) = value["candidates"].as_array().and_then(|all| all.first()) else {
        return Ok(());
    };
    if let Some(error) = fault::reported(candidate, false, partial.has_content()) {
        return Err(error);
    }
    partial.has_choice = true;
    let parts = candidate
        .pointer("/content/parts")
        .and_then(Value::as_array);
    for part in parts.into_iter().flatten() {
        let text = part["text"].as_str().unwrap_or_default();
        match part["thought"] == true {
            true => partial.thought_bytes += text.len(),
            false => partial.text.push(text),
        }
    }
    partial.finish_with(&candidate["finishReason"]);
    partial.ended |= partial.finish.is_some() && usage.is_object();
    Ok(())
}

fn take_usage(usage: &Value, partial: &mut Partial) {
    let tokens = |name: &str| usage[name].as_u64();
    let input = tokens("promptTokenCount");
    let answer = tokens("candidatesTokenCount");
    let thoughts = tokens("thoughtsTokenCount");
    let output = answer
        .or(thoughts)
        .map(|_| answer.unwrap_or(0) + thoughts.unwrap_or(0));
    partial.input_tokens = input.or(partial.input_tokens);
    partial.output_tokens = output.or(partial.output_tokens);
}
