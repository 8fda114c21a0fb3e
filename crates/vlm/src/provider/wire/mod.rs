//! The request and answer formats of the families of services, without any network.

mod anthropic;
mod effort;
mod finish;
mod gemini;
mod openai;
mod responses;
mod text;

use serde_json::Value;

use self::finish::Finish;
use self::text::{Text, without_lone_halves};
use super::{
    Identity, Outcome, ProviderError, Query, Reply, TokenLimit, Usage, fault, visible_line,
};
use crate::http::sse::Event;

pub(super) use effort::thinking_tokens;

/// Whose request format is spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Api {
    /// Chat completions with image input: OpenAI, vLLM, Ollama, llama.cpp and many others.
    OpenAi,
    /// OpenAI's Responses API with image input; also Azure, vLLM, Ollama, OpenRouter and others.
    Responses,
    /// Chat completions with Azure's URLs and header, whatever the host; hosts of Azure get them anyway.
    Azure,
    /// Anthropic's Messages API.
    Anthropic,
    /// Google's generateContent.
    Gemini,
}

impl Api {
    /// Every format.
    pub const ALL: &'static [Self] = &[
        Api::OpenAi,
        Api::Responses,
        Api::Azure,
        Api::Anthropic,
        Api::Gemini,
    ];

    /// A stable name, as settings spell it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Api::OpenAi => "openai",
            Api::Responses => "openai-responses",
            Api::Azure => "azure",
            Api::Anthropic => "anthropic",
            Api::Gemini => "gemini",
        }
    }

    /// The variable that holds the key.
    #[must_use]
    pub fn key_variable(self) -> &'static str {
        match self {
            Api::OpenAi | Api::Responses => "OPENAI_API_KEY",
            Api::Azure => "AZURE_OPENAI_API_KEY",
            Api::Anthropic => "ANTHROPIC_API_KEY",
            Api::Gemini => "GEMINI_API_KEY",
        }
    }

    /// Where the service itself lives; none at Azure, where every resource has a host of its own.
    #[must_use]
    pub fn default_base_url(self) -> Option<&'static str> {
        match self {
            Api::OpenAi | Api::Responses => Some("https://api.openai.com/v1"),
            Api::Azure => None,
            Api::Anthropic => Some("https://api.anthropic.com/v1"),
            Api::Gemini => Some("https://generativelanguage.googleapis.com/v1beta"),
        }
    }

    /// The end of the URL.
    pub(super) fn route(self, model: &str, stream: bool) -> String {
        match self {
            Api::OpenAi | Api::Azure => "chat/completions".to_owned(),
            Api::Responses => "responses".to_owned(),
            Api::Anthropic => "messages".to_owned(),
            Api::Gemini => gemini::route(model, stream),
        }
    }

    pub(super) fn body(self, request: &Request<'_>) -> Value {
        match self {
            Api::OpenAi | Api::Azure => openai::body(request),
            Api::Responses => responses::body(request),
            Api::Anthropic => anthropic::body(request),
            Api::Gemini => gemini::body(request),
        }
    }

    /// Takes in one event of a stream, or one JSON text that is an answer or a part of one. What
    /// means nothing here, such as pings and comments, is passed over.
    pub(super) fn take(self, event: &Event, partial: &mut Partial) -> Result<(), ProviderError> {
        let data = event.data.trim();
        if data.is_empty() || data.starts_with(':') {
            return Ok(());
        }
        if data.eq_ignore_ascii_case("[DONE]") {
            partial.began = true;
            partial.ended = true;
            return Ok(());
        }
        let value: Value = match serde_json::from_str(&without_lone_halves(data)) {
            Ok(value) => value,
            Err(_) if event.is_error => return Err(fault::said(data)),
            // The answer is there; what follows it cannot take it back.
            Err(_) if partial.is_complete() => return Ok(()),
            Err(error) if data.starts_with(['{', '[']) => {
                let start = visible_line(data, 80);
                let detail = format!("a piece of the answer is not JSON ({error}): `{start}`");
                // In an answer that had begun it is a fault of the moment.
                return Err(match partial.began {
                    true => ProviderError::new(Outcome::Unfinished, detail),
                    false => malformed(detail),
                });
            }
            Err(_) => {
                partial.note_strange(&Value::from(data));
                return Ok(());
            }
        };
        match value {
            Value::Array(values) => values
                .iter()
                .try_for_each(|value| self.take_value(value, event.is_error, partial)),
            value => self.take_value(&value, event.is_error, partial),
        }
    }

    fn take_value(
        self,
        value: &Value,
        is_error: bool,
        partial: &mut Partial,
    ) -> Result<(), ProviderError> {
        if let Some(error) = fault::reported(value, is_error, partial.has_content()) {
            return Err(error);
        }
        if !value.is_object() {
            partial.note_strange(value);
            return Ok(());
        }
        match self {
            Api::OpenAi | Api::Azure => openai::take(value, partial),
            Api::Responses => responses::take(value, partial),
            Api::Anthropic => {
                anthropic::take(value, partial);
                Ok(())
            }
            Api::Gemini => gemini::take(value, partial),
        }
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

fn malformed(detail: String) -> ProviderError {
    ProviderError::new(Outcome::MalformedAnswer, detail)
}

/// An answer under way.
#[derive(Debug, Default)]
pub(super) struct Partial {
    text: Text,
    refusal: String,
    finish: Option<Finish>,
    model: Option<String>,
    pub(super) input_tokens: Option<u64>,
    pub(super) output_tokens: Option<u64>,
    /// Bytes of hidden thoughts, which are no part of the answer.
    thought_bytes: usize,
    /// Something of the expected shape came.
    pub(super) began: bool,
    /// Nothing more comes.
    pub(super) ended: bool,
    /// There is an answer to speak of, be it empty.
    has_choice: bool,
    /// The one of several answers that is read.
    choice: Option<u64>,
    /// The first thing that came and is of no known shape.
    pub(super) strange: Option<String>,
    /// What that says is wrong, if it does.
    pub(super) complaint: Option<ProviderError>,
}

impl Partial {
    /// Whether the model has said that its answer is whole.
    pub(super) fn is_complete(&self) -> bool {
        self.finish == Some(Finish::Complete)
    }

    /// Whether the model has said how its answer ends.
    pub(super) fn is_finished(&self) -> bool {
        self.finish.is_some()
    }

    /// Bytes of the answer and of hidden thoughts so far.
    pub(super) fn sizes(&self) -> (usize, usize) {
        (self.text.len(), self.thought_bytes)
    }

    /// Whether words or thoughts have come.
    pub(super) fn has_content(&self) -> bool {
        !self.text.is_blank() || self.thought_bytes > 0
    }

    fn note_strange(&mut self, value: &Value) {
        if self.strange.is_none() {
            self.strange = Some(value.to_string());
            self.complaint = fault::complaint(value);
        }
    }

    fn take_model(&mut self, value: &Value) {
        if let Some(model) = value.as_str().filter(|model| !model.is_empty()) {
            self.model = Some(model.to_owned());
        }
    }

    /// Forgets the answer that was read so far, for another one.
    fn begin_anew(&mut self, choice: u64) {
        self.choice = Some(choice);
        self.text = Text::default();
        self.refusal.clear();
        self.finish = None;
        self.ended = false;
    }

    /// Takes in the word with which the answer ends. A bad one stands, whatever is said later.
    fn finish_with(&mut self, word: &Value) {
        let finish = match word {
            Value::Null => None,
            Value::String(word) => Finish::of(word),
            other => Some(Finish::Unknown(other.to_string())),
        };
        if matches!(self.finish, None | Some(Finish::Complete)) && finish.is_some() {
            self.finish = finish;
        }
    }

    /// The finished answer once nothing more comes.
    pub(super) fn finish(
        self,
        identity: &Identity,
        expected_input_tokens: u64,
    ) -> Result<Reply, ProviderError> {
        let error = |outcome, detail: String| Err(ProviderError::new(outcome, detail));
        let is_blank = self.text.is_blank();
        let only_thoughts = match self.thought_bytes {
            bytes if is_blank && bytes > 0 => {
                format!("only reasoning came ({bytes} bytes of it), no answer")
            }
            _ => String::new(),
        };
        match &self.finish {
            Some(Finish::Refused(word)) if self.refusal.trim().is_empty() => {
                let word = visible_line(word, 100);
                let detail = format!("the model or the service's content filter declines: {word}");
                return error(Outcome::RefusedByModel, detail);
            }
            Some(Finish::Length) => {
                let tokens = identity.max_output_tokens;
                let mut detail = format!("the answer was cut off at {tokens} tokens");
                if !only_thoughts.is_empty() {
                    detail.push_str(&format!("; {only_thoughts}"));
                }
                return error(Outcome::Truncated, detail);
            }
            _ => {}
        }
        if !self.refusal.trim().is_empty() && (self.finish.is_some() || self.ended) {
            let words = visible_line(&self.refusal, 300);
            return error(
                Outcome::RefusedByModel,
                format!("the model declines: {words}"),
            );
        }
        match &self.finish {
            Some(Finish::Unknown(word)) => {
                let word = visible_line(word, 60);
                let detail = format!("the server ended the answer with `{word}`");
                return error(Outcome::Unfinished, detail);
            }
            None if !self.ended => {
                let bytes = self.text.len();
                let detail = format!("the stream ended after {bytes} bytes of the answer");
                return error(Outcome::ConnectionLost, detail);
            }
            None if !is_blank => {
                let detail = "the server did not say that the answer is whole";
                return error(Outcome::Unfinished, detail.to_owned());
            }
            _ => {}
        }
        if is_blank {
            let what = match (only_thoughts.is_empty(), self.has_choice) {
                (false, _) => only_thoughts,
                (true, true) => "the answer is blank".to_owned(),
                (true, false) => "the list of answers is empty".to_owned(),
            };
            return error(Outcome::EmptyAnswer, what);
        }
        // A server that counts nothing does not count.
        let [input, output] = [self.input_tokens, self.output_tokens]
            .map(|tokens| tokens.filter(|&tokens| tokens > 0));
        let bytes = self.text.len() + self.thought_bytes;
        let usage = Usage {
            input_tokens: input.unwrap_or(expected_input_tokens),
            output_tokens: output.unwrap_or_else(|| estimated_tokens(bytes)),
            estimated: input.is_none() || output.is_none(),
        };
        Ok(Reply {
            text: self.text.finish(),
            model: visible_line(&self.model.unwrap_or_else(|| identity.model.clone()), 100),
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
