//! The request and answer formats of the three families of services, without any network.

mod anthropic;
mod effort;
mod gemini;
mod openai;

use serde_json::Value;

use super::{Identity, Outcome, ProviderError, Query, Reply, TokenLimit, Usage, one_line};
use crate::http::sse::Event;

pub(super) use effort::thinking_tokens;

/// Whose request format is spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Api {
    /// Chat completions with image input: OpenAI, vLLM, Ollama, llama.cpp and many others.
    OpenAi,
    /// The same with Azure's URLs and header, whatever the host; hosts of Azure get them anyway.
    Azure,
    /// Anthropic's Messages API.
    Anthropic,
    /// Google's generateContent.
    Gemini,
}

impl Api {
    /// Every format.
    pub const ALL: &'static [Self] = &[Api::OpenAi, Api::Azure, Api::Anthropic, Api::Gemini];

    /// A stable snake-case name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Api::OpenAi => "openai",
            Api::Azure => "azure",
            Api::Anthropic => "anthropic",
            Api::Gemini => "gemini",
        }
    }

    /// The variable that holds the key.
    #[must_use]
    pub fn key_variable(self) -> &'static str {
        match self {
            Api::OpenAi => "OPENAI_API_KEY",
            Api::Azure => "AZURE_OPENAI_API_KEY",
            Api::Anthropic => "ANTHROPIC_API_KEY",
            Api::Gemini => "GEMINI_API_KEY",
        }
    }

    /// Where the service itself lives; none at Azure, where every resource has a host of its own.
    #[must_use]
    pub fn default_base_url(self) -> Option<&'static str> {
        match self {
            Api::OpenAi => Some("https://api.openai.com/v1"),
            Api::Azure => None,
            Api::Anthropic => Some("https://api.anthropic.com/v1"),
            Api::Gemini => Some("https://generativelanguage.googleapis.com/v1beta"),
        }
    }

    /// The end of the URL.
    pub(super) fn route(self, model: &str, stream: bool) -> String {
        match self {
            Api::OpenAi | Api::Azure => "chat/completions".to_owned(),
            Api::Anthropic => "messages".to_owned(),
            Api::Gemini => gemini::route(model, stream),
        }
    }

    pub(super) fn body(self, request: &Request<'_>) -> Value {
        match self {
            Api::OpenAi | Api::Azure => openai::body(request),
            Api::Anthropic => anthropic::body(request),
            Api::Gemini => gemini::body(request),
        }
    }

    /// Takes in one event of a stream.
    pub(super) fn take_event(
        self,
        event: &Event,
        partial: &mut Partial,
    ) -> Result<(), ProviderError> {
        if matches!(self, Api::OpenAi | Api::Azure) && event.data.trim() == "[DONE]" {
            partial.began = true;
            partial.ended = true;
            return Ok(());
        }
        let value: Value = serde_json::from_str(&event.data).map_err(|error| {
            malformed(format!(
                "an event of the stream is not JSON ({error}): `{}`",
                one_line(&event.data, 80)
            ))
        })?;
        self.check_error(&value)?;
        match self {
            Api::OpenAi | Api::Azure => openai::take(&value, "delta", partial),
            Api::Anthropic => anthropic::take_event(&value, partial),
            Api::Gemini => gemini::take(&value, partial),
        }
    }

    /// Takes in an answer that comes in one piece.
    pub(super) fn take_whole(
        self,
        body: &[u8],
        partial: &mut Partial,
    ) -> Result<(), ProviderError> {
        let text = std::str::from_utf8(body)
            .map_err(|_| malformed("the answer is not UTF-8".to_owned()))?;
        let value: Value = serde_json::from_str(text).map_err(|error| {
            malformed(format!(
                "the answer is not JSON ({error}): `{}`",
                one_line(text, 80)
            ))
        })?;
        self.check_error(&value)?;
        match self {
            Api::OpenAi | Api::Azure => openai::take(&value, "message", partial),
            Api::Anthropic => anthropic::take_whole(&value, partial),
            Api::Gemini => gemini::take(&value, partial),
        }?;
        partial.began = true;
        partial.ended = true;
        Ok(())
    }

    /// Errors also come with status 200, once a stream is under way.
    fn check_error(self, value: &Value) -> Result<(), ProviderError> {
        let Some(error) = value.get("error").filter(|error| !error.is_null()) else {
            return Ok(());
        };
        let kind =
            format!("{} {}", word(error, "type"), word(error, "code")) + &word(error, "status");
        let message = error_message(value).unwrap_or_else(|| one_line(&error.to_string(), 200));
        let lower = kind.to_lowercase();
        let outcome = if lower.contains("quota") || lower.contains("billing") {
            Outcome::QuotaExhausted
        } else if lower.contains("rate_limit")
            || lower.contains("429")
            || lower.contains("exhausted")
        {
            Outcome::RateLimited
        } else if lower.contains("authentication")
            || lower.contains("permission")
            || lower.contains("401")
        {
            Outcome::Unauthorised
        } else if lower.contains("invalid") || lower.contains("400") {
            Outcome::RequestRejected
        } else {
            Outcome::ServerError
        };
        Err(ProviderError::new(
            outcome,
            format!("the server reports: {message}"),
        ))
    }
}

/// What a request's body is made of.
#[derive(Debug, Clone, Copy)]
pub(super) struct Request<'a> {
    pub(super) query: &'a Query,
    /// Model, token limit, temperature, effort and detail.
    pub(super) identity: &'a Identity,
    /// Under which name the limit is sent, if the format has a choice; never `Auto`.
    pub(super) token_limit: TokenLimit,
    pub(super) stream: bool,
}

/// A string or number of an object, as text.
fn word(value: &Value, name: &str) -> String {
    match value.get(name) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Number(number)) => number.to_string(),
        _ => String::new(),
    }
}

/// What an error's body says, whichever of the usual shapes it has.
pub(super) fn error_message(value: &Value) -> Option<String> {
    let value = match value {
        Value::Array(items) => items.first()?,
        other => other,
    };
    ["/error/message", "/error", "/message", "/detail"]
        .iter()
        .find_map(|path| value.pointer(path)?.as_str())
        .map(|text| one_line(text, 300))
}

fn malformed(detail: String) -> ProviderError {
    ProviderError::new(Outcome::MalformedAnswer, detail)
}

/// How the model ended its answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Finish {
    Complete,
    /// At the token limit.
    Length,
    /// By a filter or by the model itself; with the service's word for it.
    Refused(String),
}

/// An answer under way.
#[derive(Debug, Default)]
pub(super) struct Partial {
    pub(super) text: String,
    pub(super) refusal: String,
    pub(super) finish: Option<Finish>,
    pub(super) model: Option<String>,
    pub(super) input_tokens: Option<u64>,
    pub(super) output_tokens: Option<u64>,
    /// Something of the expected shape came.
    pub(super) began: bool,
    /// The service said that nothing more comes.
    pub(super) ended: bool,
    /// There is an answer to speak of, be it empty.
    pub(super) has_choice: bool,
}

impl Partial {
    /// The finished answer once the connection is closed.
    pub(super) fn finish(
        self,
        identity: &Identity,
        expected_input_tokens: u64,
    ) -> Result<Reply, ProviderError> {
        let error = |outcome, detail: String| Err(ProviderError::new(outcome, detail));
        if !self.began {
            return error(
                Outcome::MalformedAnswer,
                format!(
                    "the stream held no event of the kind that `{}` sends",
                    identity.provider
                ),
            );
        }
        match &self.finish {
            Some(Finish::Refused(reason)) => {
                let words = if self.refusal.is_empty() {
                    reason
                } else {
                    &self.refusal
                };
                return error(
                    Outcome::RefusedByModel,
                    format!("the model declines: {}", one_line(words, 300)),
                );
            }
            Some(Finish::Length) => {
                return error(
                    Outcome::Truncated,
                    format!(
                        "the answer was cut off at {} tokens",
                        identity.max_output_tokens
                    ),
                );
            }
            None if !self.ended => {
                return error(
                    Outcome::ConnectionLost,
                    format!(
                        "the stream ended after {} bytes of the answer",
                        self.text.len()
                    ),
                );
            }
            Some(Finish::Complete) | None => {}
        }
        if !self.refusal.trim().is_empty() {
            let words = one_line(&self.refusal, 300);
            return error(
                Outcome::RefusedByModel,
                format!("the model declines: {words}"),
            );
        }
        if self.text.trim().is_empty() {
            let what = if self.has_choice {
                "the answer is blank"
            } else {
                "the list of answers is empty"
            };
            return error(Outcome::EmptyAnswer, what.to_owned());
        }
        let usage = Usage {
            input_tokens: self.input_tokens.unwrap_or(expected_input_tokens),
            output_tokens: self
                .output_tokens
                .unwrap_or_else(|| estimated_tokens(self.text.len())),
            estimated: self.input_tokens.is_none() || self.output_tokens.is_none(),
        };
        Ok(Reply {
            text: self.text,
            model: one_line(&self.model.unwrap_or_else(|| identity.model.clone()), 100),
            usage,
        })
    }
}

/// Tokens of so many bytes of English or code: three bytes each, rather more than there are.
pub(crate) fn estimated_tokens(bytes: usize) -> u64 {
    bytes.div_ceil(3) as u64
}

/// The picture in base64.
fn base64(bytes: &[u8]) -> String {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

#[cfg(test)]
mod tests;
