//! The token limit that a server names when the one that was asked for is too large.

/// Less is no room for an answer; the question itself is too long then.
const LEAST: u32 = 256;
/// Of the context, kept free for a longer question next time.
const MARGIN: u32 = 16;

/// Words that a limit follows; the limit itself is still good.
const BEFORE: [&str; 21] = [
    "at most",
    "less than or equal to",
    "<=",
    "\u{2264}",
    "limit of",
    "limit is",
    "limit:",
    "limited to",
    "maximum of",
    "maximum is",
    "maximum value is",
    "maximum allowed is",
    "maximum allowed value is",
    "maximum:",
    "max:",
    "max is",
    "up to",
    "exceed",
    "exceeds",
    "greater than",
    "larger than",
];
/// The same; the limit itself is too large.
const BELOW: [&str; 5] = ["lower than", "less than", "smaller than", "below", "be <"];
/// Words before the size of the context.
const CONTEXT: [&str; 10] = [
    "context length is",
    "context length of",
    "context length:",
    "context window is",
    "context window of",
    "context size is",
    "context size of",
    "context limit of",
    "context window:",
    "<=",
];
/// Words after the size of the question.
const QUESTION: [&str; 11] = [
    "in the messages",
    "in the prompt",
    "in your prompt",
    "in the input",
    "of text input",
    "input tokens",
    "prompt tokens",
    "`inputs`",
    "from the input",
    "from the prompt",
    "tokens and",
];

/// The limit that a message asks for instead of `current`; always smaller.
pub(super) fn asked(message: &str, current: u32) -> Option<u32> {
    let lower = message.to_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    let is_of_answers = has(&[
        "max_tokens",
        "max_completion_tokens",
        "max_output_tokens",
        "max_new_tokens",
        "maxoutputtokens",
        "max tokens",
        "maximum tokens",
        "completion tokens",
        "output tokens",
        "draft tokens",
        "in the completion",
        "for the completion",
        "in the output",
    ]);
    // How much a minute or for the money is another matter.
    if !is_of_answers
        || has(&[
            "per minute",
            "per day",
            "rate limit",
            "tpm",
            "quota",
            "credit",
            "afford",
        ])
    {
        return None;
    }
    let numbers = numbers(&lower);
    // A bound of question and answer together bounds neither alone.
    let is_sum = lower.contains("`inputs` tokens +");
    let found = in_context(&lower, &numbers, current)
        .or_else(|| direct(&lower, &numbers, current).filter(|_| !is_sum));
    found.filter(|limit| (LEAST..current).contains(limit))
}

struct Number {
    start: usize,
    end: usize,
    value: u32,
}

/// The whole numbers of a text, `8,192` and `8_192` too.
fn numbers(text: &str) -> Vec<Number> {
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        if !bytes[at].is_ascii_digit() {
            at += 1;
            continue;
        }
        let start = at;
        let is_group = |at: usize| {
            matches!(bytes[at], b',' | b'_')
                && bytes
                    .get(at + 1..at + 4)
                    .is_some_and(|group| group.iter().all(u8::is_ascii_digit))
        };
        while at < bytes.len() && (bytes[at].is_ascii_digit() || is_group(at)) {
            at += 1;
        }
        let is_name = start > 0
            && (bytes[start - 1].is_ascii_alphanumeric()
                || matches!(bytes[start - 1], b'-' | b'_'));
        let digits: String = text[start..at]
            .chars()
            .filter(char::is_ascii_digit)
            .collect();
        if let (Ok(value), false) = (digits.parse(), is_name) {
            found.push(Number {
                start,
                end: at,
                value,
            });
        }
    }
    found
}

/// What stands before a number, without quotes and blanks at its end.
fn before<'t>(text: &'t str, number: &Number) -> &'t str {
    text[..number.start].trim_end_matches([' ', '`', '\'', '"', '(', '*'])
}

fn after<'t>(text: &'t str, number: &Number) -> &'t str {
    text[number.end..].trim_start_matches([' ', '\'', '"', ')', '*'])
}

/// The context less the question.
fn in_context(text: &str, numbers: &[Number], current: u32) -> Option<u32> {
    // `190000 + 20000 > 200000` and `64000 > 64001 - 24235`.
    for three in numbers.windows(3) {
        let [a, b, c] = three else { continue };
        let between = |left: &Number, right: &Number| text[left.end..right.start].trim();
        if between(a, b) == "+" && between(b, c) == ">" && b.value == current {
            return room(c.value, a.value);
        }
        if between(a, b) == ">" && between(b, c) == "-" && a.value == current {
            return room(b.value, c.value);
        }
    }
    if !text.contains("context") && !text.contains("`inputs`") {
        return None;
    }
    let ends = |number: &&Number| {
        CONTEXT
            .iter()
            .any(|words| before(text, number).ends_with(words))
            || after(text, number).starts_with("maximum context length")
    };
    let whole = numbers.iter().find(ends)?;
    let starts = |number: &&Number| {
        let rest = after(text, number);
        let bare = rest.strip_prefix("tokens ").unwrap_or(rest);
        QUESTION
            .iter()
            .any(|words| rest.starts_with(words) || bare.starts_with(words))
    };
    let question = numbers
        .iter()
        .find(starts)
        .map(|number| number.value)
        .or_else(|| {
            let requested = numbers
                .iter()
                .find(|number| before(text, number).ends_with("requested"))?;
            requested.value.checked_sub(current)
        })?;
    room(whole.value, question)
}

fn room(whole: u32, question: u32) -> Option<u32> {
    whole.checked_sub(question)?.checked_sub(whole / MARGIN)
}

/// A limit of the answer alone.
fn direct(text: &str, numbers: &[Number], current: u32) -> Option<u32> {
    numbers.iter().find_map(|number| {
        let before = before(text, number);
        let is_exclusive = after(text, number)
            .trim_start_matches('(')
            .starts_with("exclusive");
        let compared = before.strip_suffix('>').map(str::trim_end);
        let is_range = [
            "[1,",
            "(1,",
            " 1,",
            "1 and",
            "1 to",
            "1 (inclusive) to",
            "1 -",
            "1-",
        ]
        .iter()
        .any(|start| before.ends_with(start));
        let is_limit = is_range
            || BEFORE.iter().any(|words| before.ends_with(words))
            || compared.is_some_and(|left| left.ends_with(&current.to_string()));
        match is_limit {
            true if is_exclusive => number.value.checked_sub(1),
            true => Some(number.value),
            false if BELOW.iter().any(|words| before.ends_with(words)) => {
                number.value.checked_sub(1)
            }
            false => None,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn limits_are_read_in_every_spelling() {
        for (message, current, limit) in [
            (
                "max_tokens is too large: 6000. This model supports at most 4096 completion tokens, whereas you provided 6000.",
                6000,
                4096,
            ),
            (
                "max_tokens: 100000 > 8192, which is the maximum allowed number of output tokens for claude-3-5-haiku-20241022",
                100_000,
                8192,
            ),
            (
                "`max_tokens` must be less than or equal to `16384`, the maximum value for `max_tokens` is less than the `context_window` for this model",
                20_000,
                16_384,
            ),
            (
                "Invalid max_tokens value, the valid range of max_tokens is [1, 8192]",
                10_000,
                8192,
            ),
            (
                "<400> InternalError.Algo.InvalidParameter: Range of max_tokens should be [1, 8192]",
                10_000,
                8192,
            ),
            (
                "Unable to submit request because it has a maxOutputTokens value of 100000 but the supported range is from 1 (inclusive) to 65537 (exclusive). Update the value and try again.",
                100_000,
                65_536,
            ),
            (
                "The maximum tokens you requested exceeds the model limit of 4,096. Try again with a maximum tokens value that is lower than 4096.",
                8192,
                4096,
            ),
            (
                "max_completion_tokens is limited to 4096 for this model",
                8192,
                4096,
            ),
            (
                "'max_tokens' or 'max_completion_tokens' is too large: 64000. This model's maximum context length is 64001 tokens and your request has 24235 input tokens (64000 > 64001 - 24235). None",
                64_000,
                64_001 - 24_235 - 4000,
            ),
            (
                "This model's maximum context length is 8192 tokens. However, you requested 8292 tokens (100 in the messages, 8192 in the completion). Please reduce the length of the messages or completion.",
                8192,
                8192 - 100 - 512,
            ),
            (
                "This endpoint's maximum context length is 8192 tokens. However, you requested about 8292 tokens (100 of text input, 8192 in the output). Please reduce the length of either one.",
                8192,
                8192 - 100 - 512,
            ),
            (
                "input length and `max_tokens` exceed context limit: 190000 + 20000 > 200000, decrease input length or `max_tokens` and try again",
                20_000,
                0,
            ),
            (
                "input length and `max_tokens` exceed context limit: 1000 + 8192 > 9000, decrease input length or `max_tokens` and try again",
                8192,
                9000 - 1000 - 562,
            ),
            (
                "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4097. Given: 100 `inputs` tokens and 8192 `max_new_tokens`",
                8192,
                4097 - 100 - 256,
            ),
            (
                "Requested token count exceeds the model's maximum context length of 8192 tokens. You requested a total of 9000 tokens: 808 tokens from the input messages and 8192 tokens for the completion.",
                8192,
                8192 - 808 - 512,
            ),
            (
                "This model's maximum context length is 4096 tokens. However, you requested 8192 output tokens and your prompt contains 100 input tokens, for a total of 8292 tokens.",
                8192,
                4096 - 100 - 256,
            ),
            (
                "Prompt contains 5000 tokens and 8192 draft tokens, too large for model with 8192 maximum context length",
                8192,
                8192 - 5000 - 512,
            ),
            (
                "Invalid 'max_output_tokens': integer above maximum value. Expected a value <= 16384, but got 100000 instead.",
                100_000,
                16_384,
            ),
            (
                "max_tokens: Input should be less than or equal to 2048",
                8192,
                2048,
            ),
            ("max_tokens must be between 1 and 4000", 8192, 4000),
        ] {
            let expected = Some(limit).filter(|limit| *limit > 0);
            assert_eq!(asked(message, current), expected, "{message}");
        }
    }

    #[test]
    fn other_limits_are_left_alone() {
        for message in [
            "Request too large for model x on tokens per minute (TPM): Limit 6000, Requested 9000, max_tokens counted",
            "This request requires more credits, or fewer max_tokens. You requested up to 8192 tokens, but can only afford 5000.",
            "This model's maximum context length is 8192 tokens. However, your messages resulted in 9000 tokens.",
            "the prompt exceeds the limit of 4096 tokens",
            "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4096.",
            "max_tokens is too large: 8192",
            "Invalid 'max_output_tokens': integer below minimum value. Expected a value >= 300, but got 8192 instead.",
            "max_tokens must be at most 8192",
            "max_tokens must be at most 20",
            "gpt-4096 supports no max_tokens",
            "",
        ] {
            assert_eq!(asked(message, 8192), None, "{message}");
        }
    }

    proptest! {
        #[test]
        fn a_limit_is_always_smaller(words in "(max_tokens |at most |[0-9]{1,12} ?|> |- |\\+ |\\[1,|context length is |in the messages |\u{e4}){0,12}", current in 0u32..200_000) {
            if let Some(limit) = asked(&words, current) {
                prop_assert!(limit < current && limit >= LEAST);
            }
        }
    }
}
