use reqwest::header::HeaderValue;
use serde_json::json;

use super::*;

fn named(status: u16, body: &str) -> &'static str {
    let status = StatusCode::from_u16(status).unwrap();
    of_response("h", status, &HeaderMap::new(), body)
        .outcome
        .name()
}

/// Error bodies in the words of real servers, each with its name.
#[rustfmt::skip]
const BODIES: &[(u16, &str, &str)] = &[
    // Wrong keys.
    (401, r#"{"error": {"message": "Incorrect API key provided: sk-x.", "type": "invalid_request_error", "code": "invalid_api_key"}}"#, "unauthorised"),
    (401, r#"{"type": "error", "error": {"type": "authentication_error", "message": "invalid x-api-key"}}"#, "unauthorised"),
    (400, r#"{"error": {"code": 400, "message": "API key not valid. Please pass a valid API key.", "status": "INVALID_ARGUMENT", "details": [{"reason": "API_KEY_INVALID"}]}}"#, "unauthorised"),
    (401, r#"{"error": {"message": "No cookie auth credentials found", "code": 401}}"#, "unauthorised"),
    (401, r#"{"error": "Unauthorized"}"#, "unauthorised"),
    (401, r#"{"error": {"code": "401", "message": "Access denied due to invalid subscription key or wrong API endpoint."}}"#, "unauthorised"),
    (403, r#"{"message": "The security token included in the request is invalid."}"#, "unauthorised"),
    (403, "<html>oops</html>", "unauthorised"),
    (400, r#"{"code": "Client specified an invalid argument", "error": "Incorrect API key provided: xa***. You can obtain an API key from https://console.x.ai."}"#, "unauthorised"),
    (500, r#"{"error": {"message": "litellm.AuthenticationError: AuthenticationError: OpenAIException - Incorrect API key", "code": "500"}}"#, "unauthorised"),
    // Wrong models.
    (404, r#"{"error": {"message": "The model `gpt-9` does not exist or you do not have access to it.", "type": "invalid_request_error", "code": "model_not_found"}}"#, "unknown_model"),
    (404, r#"{"type": "error", "error": {"type": "not_found_error", "message": "model: claude-9"}}"#, "unknown_model"),
    (404, r#"{"error": {"code": 404, "message": "models/gemini-9 is not found for API version v1beta, or is not supported for generateContent.", "status": "NOT_FOUND"}}"#, "unknown_model"),
    (404, r#"{"error": {"message": "model \"llava:99b\" not found, try pulling it first", "type": "api_error"}}"#, "unknown_model"),
    (404, r#"{"object": "error", "message": "The model `x` does not exist.", "type": "NotFoundError", "code": 404}"#, "unknown_model"),
    (400, r#"{"error": {"message": "x/y is not a valid model ID", "code": 400}}"#, "unknown_model"),
    (404, r#"{"error": {"message": "No endpoints found for x/y.", "code": 404}}"#, "unknown_model"),
    (400, r#"{"error": {"message": "/chat/completions: Invalid model name passed in model=x. Call `/v1/models` to view available models for your key."}}"#, "unknown_model"),
    (404, r#"{"error": {"code": "DeploymentNotFound", "message": "The API deployment for this resource does not exist."}}"#, "unknown_model"),
    (400, r#"{"message": "The provided model identifier is invalid."}"#, "unknown_model"),
    (404, r#"{"error": {"message": "The model `llama-3.2-11b-vision-preview` has been decommissioned and is no longer supported.", "code": "model_decommissioned"}}"#, "unknown_model"),
    (503, r#"{"error": {"message": "No available channel for model gpt-9 under group default", "type": "new_api_error"}}"#, "unknown_model"),
    (404, r#"{"error": {"message": "Publisher Model `projects/p/locations/l/publishers/google/models/x` was not found or your project does not have access to it.", "code": 404}}"#, "unknown_model"),
    (400, r#"{"error": {"message": "Model Not Exist", "type": "invalid_request_error"}}"#, "unknown_model"),
    (404, r#"{"error": {"message": "No models loaded. Please load a model in the developer page or use the `lms load` command."}}"#, "unknown_model"),
    (400, r#"{"message": "Invocation of model ID x with on-demand throughput isn't supported."}"#, "unknown_model"),
    (503, r#"{"error": {"message": "The model is temporarily not available. It is not available right now."}}"#, "server_error"),
    // Wrong paths.
    (404, "404 page not found", "not_found"),
    (404, r#"{"detail": "Not Found"}"#, "not_found"),
    (404, r#"{"error": {"code": 404, "message": "File Not Found", "type": "not_found_error"}}"#, "not_found"),
    (404, r#"{"error": {"message": "Invalid URL (POST /v1/v1/chat/completions)", "type": "invalid_request_error"}}"#, "not_found"),
    (405, r#"{"detail": "Method Not Allowed"}"#, "not_found"),
    // No pictures.
    (500, r#"{"error": {"code": 500, "message": "image input is not supported - hint: if this is unexpected, you may need to provide the mmproj", "type": "server_error"}}"#, "no_picture_support"),
    (400, r#"{"object": "error", "message": "facebook/opt-125m is not a multimodal model None", "type": "BadRequestError", "code": 400}"#, "no_picture_support"),
    (400, r#"{"error": {"message": "At most 0 image(s) may be provided in one prompt.", "type": "BadRequestError", "code": 400}}"#, "no_picture_support"),
    (404, r#"{"error": {"message": "No endpoints found that support image input", "code": 404}}"#, "no_picture_support"),
    (500, r#"{"error": {"message": "Failed to create new sequence: failed to process inputs: this model is missing data required for image input", "type": "api_error"}}"#, "no_picture_support"),
    (400, r#"{"error": {"message": "this model does not support image input (ref: b8bd)", "type": "api_error"}}"#, "no_picture_support"),
    (400, r#"{"error": {"message": "Invalid content type. image_url is only supported by certain models.", "type": "invalid_request_error"}}"#, "no_picture_support"),
    (422, r#"{"error": {"message": "Failed to deserialize the JSON body into the target type: messages[1]: unknown variant `image_url`, expected `text` at line 1 column 80"}}"#, "no_picture_support"),
    (400, r#"{"error": {"message": "messages[1].content must be a string", "type": "invalid_request_error"}}"#, "no_picture_support"),
    (400, r#"{"error": {"code": 400, "message": "Image input modality is not enabled for models/gemma-3-1b-it", "status": "INVALID_ARGUMENT"}}"#, "no_picture_support"),
    (400, r#"{"error": "Model does not support images. Please use a model that does."}"#, "no_picture_support"),
    (400, r#"{"error": {"message": "litellm.BadRequestError: OpenAIException - vision is not supported by this model. Received Model Group=x"}}"#, "no_picture_support"),
    (422, r#"{"detail": [{"type": "string_type", "loc": ["body", "messages", 1, "content"], "msg": "Input should be a valid string", "input": [{"type": "image_url"}]}]}"#, "no_picture_support"),
    (400, r#"{"message": "This model doesn't support the image content block that you provided."}"#, "no_picture_support"),
    (400, r#"{"object": "error", "message": "Image input is not enabled for this model", "type": "invalid_request_image", "code": "3051"}"#, "no_picture_support"),
    (400, r#"{"object": "error", "message": "can only concatenate str (not \"list\") to str", "type": "BadRequestError", "code": 400}"#, "no_picture_support"),
    (400, r#"{"error": {"message": "Image inputs are not supported by this model.", "code": "invalid-argument"}}"#, "no_picture_support"),
    (400, r#"{"error": {"message": "<400> InternalError.Algo.InvalidParameter: Unexpected item type in content."}}"#, "no_picture_support"),
    // This picture, or something else.
    (400, r#"{"error": {"message": "Unsupported parameter: 'reasoning_effort' is not supported with the model llava-vision.", "code": "unsupported_parameter"}}"#, "request_rejected"),
    (400, r#"{"error": {"message": "You uploaded an unsupported image. Please make sure your image has of one the following formats: ['png', 'jpeg', 'gif', 'webp'].", "code": "invalid_image_format"}}"#, "request_rejected"),
    (400, r#"{"type": "error", "error": {"type": "invalid_request_error", "message": "messages.0.content.0.image: image dimensions exceed max allowed size: 8000 pixels"}}"#, "request_rejected"),
    (400, r#"{"error": {"message": "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.", "code": "unsupported_parameter"}}"#, "request_rejected"),
    (400, r#"{"error": {"message": "Unsupported value: 'temperature' does not support 0.2 with this model.", "code": "unsupported_value"}}"#, "request_rejected"),
    (400, r#"{"error": {"message": "Unknown parameter: 'stream_options'. stream not supported", "code": "unknown_parameter"}}"#, "request_rejected"),
    (422, r#"{"detail": [{"type": "extra_forbidden", "loc": ["body", "x"], "msg": "Extra inputs are not permitted", "input": "the model does not support image input"}]}"#, "request_rejected"),
    (413, "<html><head><title>413 Request Entity Too Large</title></head></html>", "question_too_large"),
    (413, "Request Entity Too Large", "question_too_large"),
    // Filters.
    (400, r#"{"error": {"message": "The response was filtered due to the prompt triggering Azure OpenAI's content management policy.", "code": "content_filter", "status": 400}}"#, "refused_by_model"),
    (403, r#"{"error": {"code": 403, "message": "openai/x requires moderation on OpenAI. Your input was flagged for \"violence\"."}}"#, "refused_by_model"),
    (400, r#"{"error": {"code": "data_inspection_failed", "message": "Input data may contain inappropriate content."}}"#, "refused_by_model"),
    (400, r#"{"error": {"message": "Content Exists Risk", "type": "invalid_request_error"}}"#, "refused_by_model"),
    (400, r#"{"type": "error", "error": {"type": "invalid_request_error", "message": "Output blocked by content filtering policy"}}"#, "refused_by_model"),
    // Credit.
    (400, r#"{"type": "error", "error": {"type": "invalid_request_error", "message": "You have reached your specified API usage limits. You will regain access on 2027-01-01."}}"#, "quota_exhausted"),
    (429, r#"{"error": {"message": "Rate limit exceeded: free-models-per-day. Add 10 credits to unlock 1000 free model requests per day", "code": 429}}"#, "quota_exhausted"),
    (429, r#"{"error": {"message": "You exceeded your current quota, please check your plan and billing details.", "type": "insufficient_quota", "code": "insufficient_quota"}}"#, "quota_exhausted"),
    (400, r#"{"type": "error", "error": {"type": "invalid_request_error", "message": "Your credit balance is too low to access the Anthropic API."}}"#, "quota_exhausted"),
    (402, r#"{"error": {"message": "Insufficient Balance", "type": "unknown_error"}}"#, "quota_exhausted"),
    (402, r#"{"error": {"message": "This request requires more credits, or fewer max_tokens.", "code": 402}}"#, "quota_exhausted"),
    (400, r#"{"error": {"message": "Billing hard limit has been reached", "code": "billing_hard_limit_reached"}}"#, "quota_exhausted"),
    (403, r#"{"error": {"code": 403, "message": "This API method requires billing to be enabled.", "details": [{"reason": "BILLING_DISABLED"}]}}"#, "quota_exhausted"),
    (400, r#"{"error": {"message": "Budget has been exceeded! Current cost: 1.2, Max budget: 1.0", "type": "budget_exceeded"}}"#, "quota_exhausted"),
    (429, r#"{"error": {"code": 429, "message": "You exceeded your current quota.", "status": "RESOURCE_EXHAUSTED", "details": [{"violations": [{"quotaId": "GenerateRequestsPerDayPerProjectPerModel-FreeTier"}]}]}}"#, "quota_exhausted"),
    // Rates.
    (429, r#"{"error": {"code": 429, "message": "You exceeded your current quota. Please retry in 4.2s.", "status": "RESOURCE_EXHAUSTED", "details": [{"retryDelay": "4s"}]}}"#, "rate_limited"),
    (429, r#"{"error": {"message": "Rate limit reached for gpt-4o on tokens per min (TPM): Limit 30000. Please try again in 1.2s.", "code": "rate_limit_exceeded"}}"#, "rate_limited"),
    (429, "", "rate_limited"),
    (400, r#"{"message": "ThrottlingException: Too many requests, please wait before trying again."}"#, "rate_limited"),
    (413, r#"{"error": {"message": "Request too large for model `x` on tokens per minute (TPM): Limit 6000, Requested 9000", "code": "rate_limit_exceeded"}}"#, "context_too_long"),
    // Length.
    (400, r#"{"error": {"message": "This model's maximum context length is 8192 tokens. However, you requested 9000 tokens.", "code": "context_length_exceeded"}}"#, "context_too_long"),
    (400, r#"{"error": {"code": 400, "message": "request (9000 tokens) exceeds the available context size (4096 tokens), try increasing it", "type": "exceed_context_size_error", "n_ctx": 4096}}"#, "context_too_long"),
    (400, r#"{"type": "error", "error": {"type": "invalid_request_error", "message": "prompt is too long: 215000 tokens > 200000 maximum"}}"#, "context_too_long"),
    (400, r#"{"error": {"code": 400, "message": "The input token count (582632) exceeds the maximum number of tokens allowed (131072).", "status": "INVALID_ARGUMENT"}}"#, "context_too_long"),
    (422, r#"{"error": "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4096.", "error_type": "validation"}"#, "context_too_long"),
    (400, r#"{"error": {"message": "litellm.ContextWindowExceededError: litellm.BadRequestError: ..."}}"#, "context_too_long"),
    (400, r#"{"object": "error", "message": "The decoder prompt (length 5000) is longer than the maximum model length of 4096. Make sure that `max_model_len` is no smaller than the number of text tokens plus multimodal tokens. For image inputs, the number of image tokens depends on the number of images.", "code": 400}"#, "context_too_long"),
    (422, r#"{"error": "Input validation error: `inputs` must have less than 4096 tokens. Given: 5000", "error_type": "validation"}"#, "context_too_long"),
    // Streams.
    (400, r#"{"error": {"message": "Your organization must be verified to stream this model.", "param": "stream", "code": "unsupported_value"}}"#, "streaming_not_allowed"),
    (400, r#"{"message": "The model is unsupported for streaming. Streaming is not supported."}"#, "streaming_not_allowed"),
    // Loading and load.
    (503, r#"{"error": {"code": 503, "message": "Loading model", "type": "unavailable_error"}}"#, "model_loading"),
    (503, r#"{"error": "Model x is currently loading", "estimated_time": 20.0}"#, "model_loading"),
    (429, r#"{"message": "ModelNotReadyException: Model is not ready for inference."}"#, "model_loading"),
    (503, r#"{"error": "Endpoint is initializing"}"#, "model_loading"),
    (429, r#"{"error": "Model is overloaded", "error_type": "overloaded"}"#, "overloaded"),
    (500, r#"{"error": "llama runner process has terminated: error loading model: out of memory"}"#, "server_error"),
    (529, r#"{"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}"#, "overloaded"),
    (529, "", "overloaded"),
    (503, r#"{"error": {"code": 503, "message": "The model is overloaded. Please try again later.", "status": "UNAVAILABLE"}}"#, "overloaded"),
    (500, "", "server_error"),
    (502, "<html><head><title>502 Bad Gateway</title></head></html>", "server_error"),
    (504, "upstream request timeout", "server_error"),
    (501, "", "request_rejected"),
    // Those between.
    (403, "<!DOCTYPE html><title>Attention Required! | Cloudflare</title>", "blocked_by_proxy"),
    (407, "", "blocked_by_proxy"),
    (308, "model_not_found", "redirected"),
];

#[test]
fn errors_of_real_servers_have_their_names() {
    for (status, body, name) in BODIES {
        assert_eq!(named(*status, body), *name, "{status} {body}");
    }
}

#[test]
fn the_same_errors_within_a_stream_have_the_same_names() {
    let mut count = 0;
    for (status, body, name) in BODIES {
        let Ok(mut value) = serde_json::from_str::<Value>(body) else {
            continue;
        };
        if value.get("error").is_none() {
            value["type"] = json!("error");
        }
        // A page and a path have no place in a stream, and without a status some words mean less.
        if matches!(*name, "not_found" | "request_rejected") {
            continue;
        }
        let Some(fields) = value.as_object_mut() else {
            continue;
        };
        fields.insert("status".to_owned(), json!(status));
        let error = reported(&value, false, false).unwrap();
        assert_eq!(error.outcome.name(), *name, "{body}");
        count += 1;
    }
    assert!(count > 50, "{count}");
}

#[test]
fn what_is_no_error_is_none() {
    for value in [
        json!({}),
        json!({"error": null}),
        json!({"error": ""}),
        json!({"error": {}}),
        json!({"error": {"message": "", "type": "", "code": null}}),
        json!({"error": false}),
        json!({"type": "ping"}),
    ] {
        assert_eq!(reported(&value, false, false), None, "{value}");
    }
    let error = json!({"message": "so it is", "code": "502"});
    let reported = reported(&error, true, false).unwrap();
    assert_eq!(reported.outcome, Outcome::ServerError);
    assert_eq!(reported.detail, "the server reports 502: so it is");
    assert_eq!(said("Internal Server Error").outcome, Outcome::ServerError);
}

#[test]
fn a_request_that_is_being_answered_was_in_order() {
    let error = json!({"error": {"code": 400, "message": "Provider returned error"}});
    let outcome = |is_under_way| reported(&error, false, is_under_way).unwrap().outcome;
    assert_eq!(outcome(false), Outcome::RequestRejected);
    assert_eq!(outcome(true), Outcome::ServerError);
}

#[test]
fn only_what_may_pass_is_asked_again() {
    for name in [
        "rate_limited",
        "model_loading",
        "overloaded",
        "server_error",
        "unfinished_answer",
        "empty_answer",
    ] {
        assert!(Outcome::from_name(name).unwrap().is_transient(), "{name}");
    }
    for name in [
        "unauthorised",
        "unknown_model",
        "not_found",
        "no_picture_support",
        "refused_by_model",
        "quota_exhausted",
        "context_too_long",
        "question_too_large",
        "streaming_not_allowed",
        "blocked_by_proxy",
        "request_rejected",
    ] {
        assert!(!Outcome::from_name(name).unwrap().is_transient(), "{name}");
    }
}

#[test]
fn details_hold_the_servers_words_in_every_usual_shape() {
    let detail =
        |body: &str| of_response("h", StatusCode::BAD_REQUEST, &HeaderMap::new(), body).detail;
    for body in [
        json!({"error": {"message": "no  [31m way"}}),
        json!([{"error": {"message": "no [31m way"}}]),
        json!({"error": "no [31m way"}),
        json!({"detail": "no\n[31m way"}),
        json!({"detail": [{"msg": "no [31m way"}]}),
        json!({"code": "x", "error": "no [31m way"}),
        json!({"message": "no [31m way"}),
    ] {
        assert_eq!(
            detail(&body.to_string()),
            "h answered 400: no [31m way",
            "{body}"
        );
    }
    let hidden = json!({"error": {"message": "no\u{1b}[31m way\u{202e}"}});
    assert_eq!(
        detail(&hidden.to_string()),
        r"h answered 400: no\u{1b}[31m way\u{202e}"
    );
    let passed_on =
        json!({"error": {"message": "Provider returned error", "metadata": {"raw": "no way"}}});
    assert!(detail(&passed_on.to_string()).ends_with("error (no way)"));
    assert_eq!(detail("7"), "h answered 400");
    assert_eq!(detail("plain words"), "h answered 400: plain words");
    let page = detail("<html><head><title>400 Bad</title></head><body>nginx</body></html>");
    assert!(
        page.contains("a page of HTML") && page.ends_with("`400 Bad nginx`"),
        "{page}"
    );
}

#[test]
fn waits_and_locations_are_read_from_the_headers() {
    let mut headers = HeaderMap::new();
    headers.insert(reqwest::header::RETRY_AFTER, HeaderValue::from_static("7"));
    headers.insert(LOCATION, HeaderValue::from_static("http://b/"));
    let error = of_response("h", StatusCode::FOUND, &headers, "");
    assert_eq!(error.detail, "h answered 302 and points to `http://b/`");
    assert_eq!(error.retry_after.map(|wait| wait.as_secs()), Some(7));
}
