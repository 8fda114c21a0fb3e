//! Google's generateContent.

use reqwest::Url;
use serde_json::{Value, json};

use super::{Finish, Partial, base64, malformed};
use crate::provider::{Endpoint, Identity, ProviderError, Query, Role, Secret, one_line};

pub(super) fn url(endpoint: &Endpoint, model: &str, stream: bool) -> Url {
    let method = if stream {
        "streamGenerateContent"
    } else {
        "generateContent"
    };
    let mut url = endpoint.join(&format!("models/{model}:{method}"));
    if stream {
        url.query_pairs_mut().append_pair("alt", "sse");
    }
    url
}

/// The key goes into a header: in the URL, where examples put it, it would end up in logs.
pub(super) fn headers(key: Option<&Secret>) -> Vec<(&'static str, String)> {
    key.map(|key| ("x-goog-api-key", key.expose().to_owned()))
        .into_iter()
        .collect()
}

pub(super) fn body(query: &Query, identity: &Identity) -> Value {
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
