//! What servers say when they do not answer, in lower case. Sources: the messages of OpenAI, Azure,
//! Anthropic, Gemini, Bedrock, OpenRouter, LiteLLM, vLLM, TGI, Ollama, llama.cpp, LM Studio, Groq,
//! DeepSeek, Mistral, DashScope and xAI.

use crate::provider::Outcome;

const LOADING: &[&str] = &[
    "loading model",
    "model is loading",
    "currently loading",
    "still loading",
    "being loaded",
    "estimated_time",
    "modelnotready",
    "model not ready",
    "model is not ready",
    "warming up",
    "is starting up",
    "is starting",
    "not ready yet",
    "is downloading",
    "being pulled",
    "scaledtozero",
    "scaled to zero",
    "initializing",
];

const LOADING_FAILED: &[&str] = &[
    "error loading",
    "error initializing",
    "failed to load",
    "failed to initialize",
    "unable to load",
];

const NO_CREDIT: &[&str] = &[
    "insufficient_quota",
    "insufficient_user_quota",
    "credit balance is too low",
    "insufficient credit",
    "insufficient balance",
    "insufficient_balance",
    "insufficient funds",
    "requires more credits",
    "out of credits",
    "credits are depleted",
    "used all available credits",
    "exceeded your monthly",
    "billing_hard_limit",
    "billing hard limit",
    "billing_not_active",
    "billing_error",
    "billing_disabled",
    "billing to be enabled",
    "account is not active",
    "budget has been exceeded",
    "budget_exceeded",
    "exceededbudget",
    "exceeded budget",
    "spending limit",
    "spend limit",
    "arrearage",
    "payment required",
    "payment_required",
    "quota_exhausted",
    "run out of credits",
    "not enough credits",
    "credit limit",
    "balance is insufficient",
    "balance is not enough",
    "exceeded_current_quota",
    "freetieronly",
    "free tier of the model has been exhausted",
    "too many tokens per day",
    "usage limits",
    "per-day",
];

const FILTERED: &[&str] = &[
    "content_filter",
    "content filter",
    "content management policy",
    "contentpolicyviolation",
    "content_policy_violation",
    "responsibleaipolicyviolation",
    "content policy",
    "data_inspection_failed",
    "datainspectionfailed",
    "inappropriate content",
    "requires moderation",
    "moderation_blocked",
    "input was flagged",
    "prompt was flagged",
    "flagged as potentially",
    "guardrail_intervened",
    "guardrail intervened",
    "prohibited_content",
    "safety system",
    "content exists risk",
    "敏感内容",
];

const NO_PICTURES: &[&str] = &[
    "mmproj",
    "no endpoints found that support image",
    "not a multimodal model",
    "missing data required for image input",
    "at most 0 image",
    "image_url is only supported",
    "only text content",
    "only 'text' content",
    "only text input",
    "unexpected item type in content",
    "unknown variant `image",
    "unknown variant `input_image",
    "unknown variant image",
    "content must be a string",
    "'content' must be a string",
    "invalid type: sequence, expected a string",
    "can only concatenate str (not \"list\")",
    "invalid value: 'input_image'",
    "invalid value: 'image_url'",
    "text-only model",
    "不支持图",
];

/// Words for pictures, and words for not taking them: one of each says that pictures are not taken.
const PICTURES: &[&str] = &[
    "image",
    "picture",
    "vision",
    "visual",
    "multimodal",
    "multi-modal",
    "modalit",
];
const NOT_TAKEN: &[&str] = &[
    "not support",
    "n't support",
    "unsupported",
    "only supported by",
    "not enabled",
    "not accept",
    "not allowed",
    "text-only",
    "text only",
    "cannot process image",
    "can't process image",
    "no vision",
    "not capable",
    "not have vision",
];
/// Words for what is wrong with this picture, or with something else.
const OF_ANOTHER_KIND: &[&str] = &[
    "format",
    "media type",
    "media_type",
    "mime",
    "mimetype",
    "too large",
    "too big",
    "dimension",
    "resolution",
    "image size",
    "image is valid",
    "valid image",
    "unsupported parameter",
    "unknown parameter",
    "base64",
    "decode",
    "corrupt",
    "image_url.detail",
    "max_tokens",
    "max_completion_tokens",
    "temperature",
    "stream_options",
    "reasoning_effort",
    "system role",
    "developer instruction",
];

const TOO_LONG: &[&str] = &[
    "context_length",
    "context length",
    "context window",
    "context size",
    "context limit",
    "context_window",
    "contextwindow",
    "exceed_context_size",
    "prompt is too long",
    "prompt too long",
    "input is too long",
    "input too long",
    "too many tokens",
    "too many input tokens",
    "maximum number of tokens allowed",
    "input token count",
    "reduce the length of",
    "maximum prompt length",
    "maximum model length",
    "max_model_len",
    "max_new_tokens",
    "input tokens exceed",
    "string_above_max_length",
    "request too large",
    "exceeded model token limit",
    "more than max tokens",
    "range of input length",
    "must have less than",
    "token limit exceeded",
    "exceeds the token limit",
    "exceeds token limit",
];

const NO_STREAM: &[&str] = &[
    "verified to stream",
    "streaming is not",
    "streaming not",
    "stream is not",
    "stream not",
    "stream=true",
    "not support stream",
    "n't support stream",
    "not supported for streaming",
    "unsupported value: 'stream'",
    "unsupported parameter: 'stream'",
    "unsupported for streaming",
];

const WRONG_KEY: &[&str] = &[
    "api_key_invalid",
    "invalid_api_key",
    "invalid api key",
    "invalid api-key",
    "invalidapikey",
    "incorrect api key",
    "wrong api key",
    "api key not valid",
    "api key not found",
    "api key expired",
    "no api key",
    "missing api key",
    "invalid x-api-key",
    "x-api-key header is required",
    "invalid key",
    "authentication",
    "unauthenticated",
    "unauthorized",
    "no auth credentials",
    "no cookie auth",
    "invalid token",
    "token expected",
    "security token",
    "unrecognizedclient",
    "invalid subscription key",
    "permission_error",
    "permission_denied",
    "permissiondenied",
    "invalid credentials",
    "key has expired",
    "key expired",
    "unable to locate credentials",
    "credentials were not found",
    "expiredtoken",
];

const NO_MODEL: &[&str] = &[
    "model_not_found",
    "model not found",
    "modelnotfound",
    "unknown model",
    "unknown_model",
    "invalid model",
    "invalid_model",
    "no such model",
    "model not exist",
    "not a valid model",
    "model identifier is invalid",
    "unsupported model",
    "not a chat model",
    "not supported for generatecontent",
    "on-demand throughput",
    "no endpoints found for",
    "no available channel",
    "deploymentnotfound",
    "api deployment for this resource does not exist",
    "try pulling it",
    "access to the model",
    "access to model",
    "no models loaded",
    "could not find real modelid",
    "could not find model",
    "unable to access model",
    "not supported by any provider",
    "could not resolve the foundation model",
    "model access denied",
    "model.accessdenied",
];
/// With the word `model` before them.
const NOT_THERE: &[&str] = &[
    "not found",
    "does not exist",
    "doesn't exist",
    "is not available",
    "no longer available",
    "not served",
    "not loaded",
    "decommissioned",
    "has been deprecated",
    "has been retired",
];

/// Bedrock says `too many tokens` of a minute's, which are no fault of the question's length.
const THROTTLED: &[&str] = &[
    "throttlingexception",
    "throttled",
    "wait before trying again",
    "ratelimiterror",
];

/// A fault of the server's own, be it with a status of the client's: Bedrock's events have no other.
const SERVERS_FAULT: &[&str] = &[
    "internalserverexception",
    "internal server exception",
    "modelstreamerrorexception",
    "modeltimeoutexception",
    "modelerrorexception",
    "unexpected error during processing",
    "try your request again",
    "midstreamfallbackerror",
];

const TOO_OFTEN: &[&str] = &[
    "rate limit",
    "rate_limit",
    "ratelimit",
    "rate-limit",
    "too many requests",
    "throttl",
    "resource_exhausted",
    "resource exhausted",
    "resource has been exhausted",
    "tokens per min",
    "requests per",
];

const BUSY: &[&str] = &[
    "overload",
    "at capacity",
    "over capacity",
    "capacity exceeded",
    "server is busy",
    "server busy",
    "queue is full",
    "no slot",
    "no available workers",
    "serviceunavailable",
    "high demand",
];

pub(super) fn is_any(text: &str, words: &[&str]) -> bool {
    words.iter().any(|word| text.contains(word))
}

/// What the words say by themselves; `None` leaves it to the status.
pub(super) fn outcome_of_words(status: Option<u16>, said: &str) -> Option<Outcome> {
    let is_client = status.is_none_or(|status| (400..500).contains(&status));
    let is_server = status.is_none_or(|status| status >= 500);
    if is_any(said, LOADING) && !is_any(said, LOADING_FAILED) {
        return Some(Outcome::ModelLoading);
    }
    if is_spent(said) {
        return Some(Outcome::QuotaExhausted);
    }
    if status == Some(401) {
        return Some(Outcome::Unauthorised);
    }
    if is_any(said, FILTERED) {
        return Some(Outcome::RefusedByModel);
    }
    if says_no_pictures(said) {
        return Some(Outcome::NoPictureSupport);
    }
    if is_any(said, THROTTLED) {
        return Some(Outcome::RateLimited);
    }
    if is_any(said, TOO_LONG) && !says_what_for_pictures(said) {
        return Some(Outcome::ContextTooLong);
    }
    if is_any(said, NO_STREAM) && !said.contains("stream_options") {
        return Some(Outcome::StreamingNotAllowed);
    }
    if status != Some(429) && says_no_model(said, is_client) {
        return Some(Outcome::UnknownModel);
    }
    if is_client && is_any(said, TOO_OFTEN) {
        return Some(Outcome::RateLimited);
    }
    if status != Some(429) && is_any(said, SERVERS_FAULT) {
        return Some(Outcome::ServerError);
    }
    // Of a server's own trouble with another's key the same is true: the key must be mended.
    if status != Some(429) && is_any(said, WRONG_KEY) {
        return Some(Outcome::Unauthorised);
    }
    if is_server && is_any(said, TOO_OFTEN) {
        return Some(Outcome::RateLimited);
    }
    if (is_server || status == Some(429)) && is_any(said, BUSY) {
        return Some(Outcome::Overloaded);
    }
    None
}

/// Credit is spent, or a quota that no wait within a question brings back. Google says the same of
/// a rate of which it names the wait.
fn is_spent(said: &str) -> bool {
    let has_wait = is_any(said, &["retrydelay", "retry in", "try again in"]);
    is_any(said, NO_CREDIT)
        || said.contains("perday") && !said.contains("perminute")
        || said.contains("exceeded your current quota") && !has_wait
}

fn says_no_pictures(said: &str) -> bool {
    is_any(said, NO_PICTURES)
        || said.contains("content") && said.contains("input should be a valid string")
        || is_any(said, PICTURES) && is_any(said, NOT_TAKEN) && !is_any(said, OF_ANOTHER_KIND)
}

/// `image` beside a size: the picture is too large, not the question.
fn says_what_for_pictures(said: &str) -> bool {
    said.contains("image") && is_any(said, &["dimension", "pixels", "mb maximum", "file size"])
}

/// A server in trouble (not `is_client`) may have lost a model for a while only.
fn says_no_model(said: &str, is_client: bool) -> bool {
    let after_model = said.find("model").or_else(|| said.find("deployment"));
    // Anthropic says no more than the name.
    let is_named =
        said.contains("not_found") && said.lines().any(|line| line.starts_with("model: "));
    is_named
        || is_any(said, NO_MODEL)
        || after_model.is_some_and(|at| is_client && is_any(&said[at..], NOT_THERE))
}
