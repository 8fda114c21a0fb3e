//! Google's generateContent.

use serde_json::{Value, json};

use super::{Finish, Partial, Request, base64, effort, malformed};
use crate::provider::{PictureDetail, ProviderError, Role, one_line};

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
    if let Some(reason) = value
        .pointer("/promptFeedback/blockReason")
        .and_then(Value::as_str)
    {
        partial.began = true;
        partial.finish = Some(Finish::Refused(format!("the prompt was blocked: {reason}")));
        return Ok(());
    }
    let candidates = value["candidates"].as_array();
    if candidates.is_none() && value.get("usageMetadata").is_none() {
        let found = one_line(&value.to_string(), 80);
        return Err(malformed(format!("expected `candidates`, found `{found}`")));
    }
    partial.began = true;
    if let Some(model) = value["modelVersion"].as_str() {
        partial.model = Some(model.to_owned());
    }
    let tokens = |name: &str| value["usageMetadata"][name].as_u64();
    partial.input_tokens = tokens("promptTokenCount").or(partial.input_tokens);
    if let Some(answer) = tokens("candidatesTokenCount") {
        partial.output_tokens = Some(answer + tokens("thoughtsTokenCount").unwrap_or(0));
    }
    let Some(candidate) = candidates.and_then(|all| all.first()) else {
        // An empty list ends an answer that never was.
        partial.ended |= candidates.is_some();
        return Ok(());
    };
    partial.has_choice = true;
    for part in candidate
        .pointer("/content/parts")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        if part["thought"] != true
            && let Some(text) = part["text"].as_str()
        {
            partial.text.push_str(text);
        }
    }
    match candidate["finishReason"].as_str() {
        None => {}
        Some("STOP") => partial.finish = Some(Finish::Complete),
        Some("MAX_TOKENS") => partial.finish = Some(Finish::Length),
        Some(reason) => partial.finish = Some(Finish::Refused(reason.to_owned())),
    }
    Ok(())
}
