//! Errors named for what they are: from status, headers and words of a server to an outcome.

mod words;

use reqwest::StatusCode;
use reqwest::header::{HeaderMap, LOCATION};
use serde_json::Value;

use super::{Outcome, ProviderError, visible_line};
use crate::http::retry::wait_asked;
use words::{is_any, outcome_of_words};

/// Bytes of an error's words that are looked at.
const SAID_BYTES: usize = 16 * 1024;

/// Names what a status other than success means, with the server's own words.
pub(super) fn of_response(
    host: &str,
    status: StatusCode,
    headers: &HeaderMap,
    body: &str,
) -> ProviderError {
    let header = |name| headers.get(name)?.to_str().ok();
    let json: Option<Value> = serde_json::from_str(body).ok();
    let (said, words) = match &json {
        Some(value) => (spoken(value), message(value).unwrap_or_default()),
        None => (body.to_owned(), visible_line(body, 200)),
    };
    let is_page = json.is_none() && is_page(body);
    let outcome = outcome_of(Some(status.as_u16()), &said, is_page);
    let mut detail = format!("{host} answered {}", status.as_u16());
    if let (Outcome::Redirected, Some(to)) = (outcome, header(LOCATION)) {
        detail.push_str(&format!(" and points to `{}`", visible_line(to, 100)));
    }
    if is_page {
        detail.push_str(&format!(" with {}", page(body)));
    } else if !words.is_empty() {
        detail.push_str(&format!(": {words}"));
    }
    ProviderError {
        retry_after: wait_asked(headers, body),
        ..ProviderError::new(outcome, detail)
    }
}

/// The error that an answer, an event of a stream or a choice holds, if it does: errors also come
/// with status 200. Once words have come (`is_under_way`), the request itself was in order.
pub(super) fn reported(value: &Value, is_error: bool, is_under_way: bool) -> Option<ProviderError> {
    let error = value.get("error").is_some_and(says_something);
    let names_itself = value["type"] == "error" || value["object"] == "error";
    if !(error || names_itself || is_error) {
        return None;
    }
    let codes = [
        "/error/code",
        "/error/status",
        "/error/http_code",
        "/code",
        "/status",
    ];
    let status = codes.iter().find_map(|path| match value.pointer(path)? {
        Value::Number(number) => u16::try_from(number.as_u64()?).ok(),
        Value::String(text) => text.parse().ok(),
        _ => None,
    });
    let status = status.filter(|status| (400..600).contains(status));
    let named = outcome_of(status, &spoken(value), false);
    let outcome = match named {
        Outcome::RequestRejected if is_under_way => Outcome::ServerError,
        named => named,
    };
    let words = message(value).unwrap_or_else(|| visible_line(&value.to_string(), 200));
    let detail = match status {
        Some(status) => format!("the server reports {status}: {words}"),
        None => format!("the server reports: {words}"),
    };
    Some(ProviderError {
        retry_after: wait_asked(&HeaderMap::new(), &value.to_string()),
        ..ProviderError::new(outcome, detail)
    })
}

/// Whether a field holds more than emptiness: some servers send every field with every answer.
fn says_something(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => false,
        Value::Bool(true) => true,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.trim().is_empty(),
        Value::Array(items) => items.iter().any(says_something),
        Value::Object(fields) => fields.values().any(says_something),
    }
}

/// What is no answer and no error by its shape, yet says what is wrong in words that have a name.
pub(super) fn complaint(value: &Value) -> Option<ProviderError> {
    let words = message(value)?;
    let outcome = outcome_of_words(None, &spoken(value).to_lowercase())?;
    Some(ProviderError::new(
        outcome,
        format!("the server says: {words}"),
    ))
}

/// The error that a stream reports in plain words.
pub(super) fn said(text: &str) -> ProviderError {
    let outcome = outcome_of(None, text, false);
    let detail = format!("the server reports: {}", visible_line(text, 200));
    ProviderError::new(outcome, detail)
}

/// Whether a text is a page of HTML or XML.
fn is_page(text: &str) -> bool {
    text.trim_start_matches('\u{feff}')
        .trim_start()
        .starts_with('<')
}

/// What it means that a page came where an answer was expected.
pub(super) fn of_page(html: &str) -> ProviderError {
    let outcome = outcome_of_page(None, &html.to_lowercase());
    ProviderError::new(outcome, format!("the answer is {}", page(html)))
}

/// A page in a few words: its title and what it says.
fn page(html: &str) -> String {
    let mut plain = String::new();
    let mut is_tag = false;
    for c in html.chars().take(SAID_BYTES) {
        match c {
            '<' => is_tag = true,
            '>' if is_tag => {
                is_tag = false;
                plain.push(' ');
            }
            c if !is_tag => plain.push(c),
            _ => {}
        }
    }
    let words = visible_line(&plain, 160);
    format!("a page of HTML, as proxies and web servers send and no model does: `{words}`")
}

/// What an error's body says, whichever of the usual shapes it has.
fn message(value: &Value) -> Option<String> {
    const PATHS: [&str; 11] = [
        "/error/message",
        "/error/error/message",
        "/error",
        "/message",
        "/Message",
        "/detail",
        "/detail/0/msg",
        "/detail/message",
        "/errors/0/message",
        "/error_description",
        "/msg",
    ];
    let value = match value {
        Value::Array(items) => items.first()?,
        other => other,
    };
    let is_said = |text: &&str| !text.trim().is_empty();
    let text = PATHS
        .iter()
        .find_map(|path| value.pointer(path)?.as_str().filter(is_said))?;
    let mut text = visible_line(text, 300);
    // Those who pass on what another said put that beside a word of their own.
    let raw = value.pointer("/error/metadata/raw").and_then(Value::as_str);
    if let Some(raw) = raw.filter(is_said) {
        text.push_str(&format!(" ({})", visible_line(raw, 200)));
    }
    Some(text)
}

/// Every word of an error, without what servers repeat of the question.
fn spoken(value: &Value) -> String {
    fn walk(value: &Value, depth: usize, out: &mut String) {
        if depth > 6 || out.len() > SAID_BYTES {
            return;
        }
        match value {
            Value::String(text) => {
                out.extend(text.chars().take(SAID_BYTES));
                out.push('\n');
            }
            Value::Number(number) => out.push_str(&format!("{number}\n")),
            Value::Array(items) => items.iter().for_each(|item| walk(item, depth + 1, out)),
            Value::Object(fields) => {
                for (name, item) in fields {
                    if matches!(name.as_str(), "retryDelay" | "estimated_time") {
                        out.push_str(&format!("{name}\n"));
                    }
                    if !matches!(name.as_str(), "input" | "ctx" | "messages" | "prompt") {
                        walk(item, depth + 1, out);
                    }
                }
            }
            _ => {}
        }
    }
    let mut out = String::new();
    walk(value, 0, &mut out);
    out
}

/// From status and words to a name. The words say more than the status, which servers choose
/// freely: no support for pictures comes as 400, 404 and 500.
fn outcome_of(status: Option<u16>, said: &str, is_page: bool) -> Outcome {
    let said = said.to_lowercase();
    if status.is_some_and(|status| (300..400).contains(&status)) {
        return Outcome::Redirected;
    }
    if is_page {
        return outcome_of_page(status, &said);
    }
    if let Some(outcome) = outcome_of_words(status, &said) {
        return outcome;
    }
    match status {
        Some(status) => outcome_of_status(status),
        None if is_any(
            &said,
            &["invalid_request", "badrequest", "bad_request", "validation"],
        ) =>
        {
            Outcome::RequestRejected
        }
        None => Outcome::ServerError,
    }
}

fn outcome_of_status(status: u16) -> Outcome {
    match status {
        401 | 403 => Outcome::Unauthorised,
        402 => Outcome::QuotaExhausted,
        404 | 405 | 410 => Outcome::NotFound,
        407 | 511 => Outcome::BlockedByProxy,
        413 => Outcome::QuestionTooLarge,
        429 => Outcome::RateLimited,
        498 | 529 => Outcome::Overloaded,
        // Timeouts and conflicts of the server's own making; 424 is a failed generation (TGI).
        408 | 409 | 424 | 425 | 499 => Outcome::ServerError,
        // Not implemented: to ask again changes nothing.
        400..=499 | 501 => Outcome::RequestRejected,
        _ => Outcome::ServerError,
    }
}

/// A page's words are about its own world, save for who sends it.
fn outcome_of_page(status: Option<u16>, said: &str) -> Outcome {
    const GATES: &[&str] = &[
        "cloudflare",
        "attention required",
        "access denied",
        "captcha",
        "squid",
        "zscaler",
        "fortigate",
        "fortinet",
        "forcepoint",
        "netskope",
        "web gateway",
        "firewall",
        "proxy authentication",
    ];
    match status {
        Some(401 | 403 | 451) | None if is_any(said, GATES) => Outcome::BlockedByProxy,
        Some(status) => outcome_of_status(status),
        None => Outcome::MalformedAnswer,
    }
}

#[cfg(test)]
mod tests;
