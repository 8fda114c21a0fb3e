//! The words with which servers end an answer.

/// How the model ended its answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Finish {
    /// All is said.
    Complete,
    /// At the token limit.
    Length,
    /// By a filter or by the model itself; with the service's word for it.
    Refused(String),
    /// With a word that no finished answer ends with.
    Unknown(String),
}

/// Words of finished answers.
const COMPLETE: &[&str] = &[
    // OpenAI, and with it vLLM, SGLang, llama.cpp, Ollama, LiteLLM, OpenRouter; Gemini's `STOP`.
    "stop",
    // Hugging Face's TGI, Together.
    "eos",
    "eos_token",
    // Anthropic, Bedrock, TGI, Cohere.
    "end_turn",
    "stop_sequence",
    // The Responses API; Cohere's `COMPLETE`.
    "completed",
    "complete",
];

/// Words of answers that ran out of tokens.
const LENGTH: &[&str] = &[
    "length",
    "max_tokens",
    "max_output_tokens",
    "max_completion_tokens",
    "model_length",
    "model_context_window_exceeded",
    "context_length_exceeded",
    "error_limit",
];

/// Words of answers that were declined or filtered.
const REFUSED: &[&str] = &[
    "content_filter",
    "content_filtered",
    "content-filter",
    "guardrail_intervened",
    "refusal",
    "sensitive",
    "error_toxic",
    // Gemini.
    "safety",
    "recitation",
    "blocklist",
    "prohibited_content",
    "spii",
    "model_armor",
    "image_safety",
];

impl Finish {
    /// What a word says; an empty one says nothing.
    pub(super) fn of(word: &str) -> Option<Self> {
        let lower = word.trim().to_ascii_lowercase();
        let is = |words: &[&str]| words.contains(&lower.as_str());
        match lower.as_str() {
            "" | "null" | "none" => None,
            _ if is(COMPLETE) => Some(Finish::Complete),
            _ if is(LENGTH) => Some(Finish::Length),
            _ if is(REFUSED) => Some(Finish::Refused(word.trim().to_owned())),
            _ => Some(Finish::Unknown(word.trim().to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_known_words_finish_an_answer() {
        for word in [
            "stop",
            "STOP",
            " eos ",
            "eos_token",
            "end_turn",
            "stop_sequence",
            "completed",
        ] {
            assert_eq!(Finish::of(word), Some(Finish::Complete), "{word}");
        }
        for word in ["length", "max_tokens", "MAX_TOKENS", "max_output_tokens"] {
            assert_eq!(Finish::of(word), Some(Finish::Length), "{word}");
        }
        for word in [
            "content_filter",
            "SAFETY",
            "refusal",
            "guardrail_intervened",
        ] {
            assert_eq!(Finish::of(word), Some(Finish::Refused(word.to_owned())));
        }
        for word in [
            "error",
            "tool_calls",
            "abort",
            "pause_turn",
            "OTHER",
            "load",
            "stopped?",
        ] {
            assert_eq!(Finish::of(word), Some(Finish::Unknown(word.to_owned())));
        }
        assert_eq!(Finish::of(""), None);
    }
}
