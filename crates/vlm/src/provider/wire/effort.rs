//! How hard a model thinks, in the numbers and words of formats that do not take the word as it is.

use serde_json::{Value, json};

/// Fewest tokens of thought that Anthropic takes.
const FEWEST: u32 = 1024;

/// Tokens of thought that a word or a number asks for; none if it is neither.
pub(in crate::provider) fn thinking_tokens(effort: &str) -> Option<u32> {
    match effort.trim().to_ascii_lowercase().as_str() {
        "none" => Some(0),
        "minimal" => Some(FEWEST),
        "low" => Some(2048),
        "medium" => Some(8192),
        "high" => Some(16_384),
        "xhigh" => Some(24_576),
        "max" => Some(32_768),
        number => number.parse().ok().filter(|tokens| *tokens <= 131_072),
    }
}

/// The tokens of thought of an answer of at most so many tokens: a quarter is left for the answer.
pub(super) fn budget(effort: &str, max_output_tokens: u32) -> Option<u32> {
    Some(thinking_tokens(effort)?.min(max_output_tokens / 4 * 3))
}

/// Anthropic's `thinking`; none where there is no room for thoughts or none are wanted.
pub(super) fn anthropic(effort: &str, max_output_tokens: u32) -> Option<Value> {
    let tokens = budget(effort, max_output_tokens).filter(|tokens| *tokens >= FEWEST)?;
    Some(json!({"type": "enabled", "budget_tokens": tokens}))
}

/// Gemini's `thinkingConfig`: a level from version 3 on, tokens before.
pub(super) fn gemini(effort: &str, model: &str, max_output_tokens: u32) -> Option<Value> {
    let effort = effort.trim().to_ascii_lowercase();
    let version = model
        .split("gemini-")
        .nth(1)
        .and_then(|rest| rest.chars().next()?.to_digit(10));
    let level = match effort.as_str() {
        "none" | "minimal" => "minimal",
        "low" => "low",
        "medium" => "medium",
        "high" | "xhigh" | "max" => "high",
        _ => "",
    };
    if version.is_some_and(|version| version >= 3) && !level.is_empty() {
        return Some(json!({"thinkingLevel": level}));
    }
    Some(json!({"thinkingBudget": budget(&effort, max_output_tokens)?}))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_become_tokens_that_leave_room_for_the_answer() {
        assert_eq!(
            anthropic("low", 8192),
            Some(json!({"type": "enabled", "budget_tokens": 2048}))
        );
        assert_eq!(
            anthropic("high", 8192),
            Some(json!({"type": "enabled", "budget_tokens": 6144}))
        );
        assert_eq!(
            anthropic("4000", 8192),
            Some(json!({"type": "enabled", "budget_tokens": 4000}))
        );
        assert_eq!(anthropic("none", 8192), None);
        assert_eq!(anthropic("high", 1000), None, "there is no room");
        assert_eq!(
            gemini("none", "gemini-2.5-flash", 8192),
            Some(json!({"thinkingBudget": 0}))
        );
        assert_eq!(
            gemini("LOW", "gemini-3-pro-preview", 8192),
            Some(json!({"thinkingLevel": "low"}))
        );
        assert_eq!(
            gemini("500", "gemini-3-pro-preview", 8192),
            Some(json!({"thinkingBudget": 500}))
        );
        assert_eq!(
            gemini("max", "models-of-ours", 8192),
            Some(json!({"thinkingBudget": 6144}))
        );
        assert_eq!(thinking_tokens("very"), None);
    }
}
