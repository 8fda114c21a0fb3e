//! How long a server asks to wait, in the many places and spellings in which servers say so.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use httpdate::parse_http_date;
use reqwest::header::HeaderMap;
use serde_json::{Map, Value};

/// No wait is believed to be longer.
const LONGEST: Duration = Duration::from_secs(30 * 86_400);
/// Bodies within bodies that are opened: proxies pass on their upstream's error as a string.
const DEEPEST: usize = 3;

/// How long the server asks to wait, by an answer's headers and body; zero if it says only that it
/// loads its model, or names a moment that has passed.
///
/// What is said outright (`Retry-After` and its kin, a field or a sentence of the body) goes before the
/// moment at which a limit is reset, and only limits count of which nothing is left, as far as is said.
pub(crate) fn wait_asked(headers: &HeaderMap, body: &str) -> Option<Duration> {
    let named: Vec<(String, &str)> = headers
        .iter()
        .filter_map(|(name, value)| Some((name.as_str().to_owned(), value.to_str().ok()?)))
        .collect();
    let now = named
        .iter()
        .find(|(name, _)| name == "date")
        .and_then(|(_, value)| parse_http_date(value).ok())
        .unwrap_or_else(SystemTime::now);
    let mut hints = Hints::default();
    hints.take_text(body, now, 0);
    let wait = outright(&named, now)
        .or(hints.outright)
        .or_else(|| in_words(body))
        .or_else(|| reset(&named, now))
        .or(hints.reset)
        .or_else(|| is_loading(body).then_some(Duration::ZERO));
    wait.map(|wait| wait.min(LONGEST))
}

/// `Retry-After` and headers that are called something like it.
fn outright(headers: &[(String, &str)], now: SystemTime) -> Option<Duration> {
    let ends = |end: &'static str| headers.iter().filter(move |(name, _)| name.ends_with(end));
    let milliseconds = |text: &str| from_seconds(text.trim().parse::<f64>().ok()? / 1e3);
    ends("retry-after-ms")
        .find_map(|(_, value)| milliseconds(value))
        .or_else(|| ends("retry-after").find_map(|(_, value)| moment(value, now)))
}

/// When used up limits are whole again: `x-ratelimit-reset-tokens`, `anthropic-ratelimit-requests-reset`,
/// `ratelimit-reset` and others of that kind. Where something is left of each limit, none is the reason.
fn reset(headers: &[(String, &str)], now: SystemTime) -> Option<Duration> {
    let left = |name: &str| {
        let sibling = name
            .trim_end_matches("-after")
            .replacen("reset", "remaining", 1);
        let (_, value) = headers.iter().find(|(name, _)| *name == sibling)?;
        value.trim().parse::<f64>().ok()
    };
    headers
        .iter()
        .filter(|(name, _)| name.contains("ratelimit") || name.contains("rate-limit"))
        .filter(|(name, _)| name.contains("reset") && left(name).is_none_or(|left| left <= 0.0))
        .filter_map(|(_, value)| moment(value, now))
        .max()
}

/// What the fields of a body say.
#[derive(Default)]
struct Hints {
    outright: Option<Duration>,
    reset: Option<Duration>,
}

impl Hints {
    fn take_text(&mut self, text: &str, now: SystemTime, depth: usize) {
        if depth < DEEPEST
            && text.trim_start().starts_with(['{', '['])
            && let Ok(value) = serde_json::from_str(text)
        {
            self.take(&value, now, depth + 1);
        }
    }

    fn take(&mut self, value: &Value, now: SystemTime, depth: usize) {
        match value {
            Value::Array(items) => items.iter().for_each(|item| self.take(item, now, depth)),
            Value::String(text) => self.take_text(text, now, depth),
            Value::Object(fields) => {
                for (name, value) in fields {
                    self.take_field(name, value, now);
                    self.take(value, now, depth);
                }
            }
            _ => {}
        }
    }

    fn take_field(&mut self, name: &str, value: &Value, now: SystemTime) {
        let word: String = name
            .chars()
            .filter(|c| c.is_ascii_alphanumeric())
            .map(|c| c.to_ascii_lowercase())
            .collect();
        let found = match word.as_str() {
            "headers" => {
                if let Value::Object(fields) = value {
                    self.take_headers(fields, now);
                }
                None
            }
            "retryafterms" | "retrydelayms" => number(value).and_then(|ms| from_seconds(ms / 1e3)),
            "retryafter"
            | "retryafterseconds"
            | "retryaftersec"
            | "retrydelay"
            | "retrydelayseconds"
            | "retryin"
            | "retryinseconds"
            | "estimatedtime"
            | "quotaresetdelay"
            | "quotaresettimestamp"
            | "resetsinseconds"
            | "resetsat" => span(value, now),
            _ => None,
        };
        self.outright = self.outright.max(found);
    }

    /// The upstream's headers, as a proxy passes them on.
    fn take_headers(&mut self, fields: &Map<String, Value>, now: SystemTime) {
        let texts: Vec<(String, String)> = fields
            .iter()
            .filter_map(|(name, value)| {
                let text = match value {
                    Value::String(text) => text.clone(),
                    Value::Number(number) => number.to_string(),
                    _ => return None,
                };
                Some((name.to_ascii_lowercase(), text))
            })
            .collect();
        let named: Vec<(String, &str)> = texts
            .iter()
            .map(|(name, value)| (name.clone(), value.as_str()))
            .collect();
        self.outright = self.outright.max(outright(&named, now));
        self.reset = self.reset.max(reset(&named, now));
    }
}

/// A span as JSON has it: seconds, text, or Google's seconds and nanoseconds.
fn span(value: &Value, now: SystemTime) -> Option<Duration> {
    match value {
        Value::String(text) => moment(text, now),
        Value::Number(_) => of_number(number(value)?, now),
        Value::Object(fields) => {
            let part = |name| fields.get(name).and_then(number);
            from_seconds(part("seconds")? + part("nanos").unwrap_or(0.0) / 1e9)
        }
        _ => None,
    }
}

fn number(value: &Value) -> Option<f64> {
    match value {
        Value::String(text) => text.trim().parse().ok(),
        other => other.as_f64(),
    }
}

fn from_seconds(seconds: f64) -> Option<Duration> {
    Duration::try_from_secs_f64(seconds).ok()
}

/// Seconds from now, a span with units, or a moment in any of the usual notations.
fn moment(text: &str, now: SystemTime) -> Option<Duration> {
    let text = text.trim();
    if let Ok(number) = text.parse::<f64>() {
        return of_number(number, now);
    }
    let lower = text.to_ascii_lowercase();
    if let Some((seconds, rest)) = units(&lower)
        && rest.trim().is_empty()
    {
        return from_seconds(seconds);
    }
    let utc = text.strip_suffix("+00:00").map(|text| format!("{text}Z"));
    let until = parse_http_date(text)
        .ok()
        .or_else(|| humantime::parse_rfc3339_weak(utc.as_deref().unwrap_or(text)).ok())?;
    // A moment that has passed asks for no wait.
    Some(until.duration_since(now).unwrap_or_default())
}

/// Numbers this large are moments since 1970, in seconds, milliseconds or microseconds, not spans.
fn of_number(number: f64, now: SystemTime) -> Option<Duration> {
    let since_epoch_s = match number {
        1e8..1e11 => number,
        1e11..1e14 => number / 1e3,
        1e14..1e17 => number / 1e6,
        _ => return from_seconds(number),
    };
    let until = UNIX_EPOCH.checked_add(from_seconds(since_epoch_s)?)?;
    Some(until.duration_since(now).unwrap_or_default())
}

/// The seconds of a span such as `6m0s`, `1m12.5s`, `250ms` or `3 minutes 20 seconds` at the beginning of
/// a text in small letters, and what follows it.
fn units(text: &str) -> Option<(f64, &str)> {
    let mut rest = text;
    let mut sum = None;
    loop {
        let start = rest.trim_start_matches([' ', ',']);
        let start = start.strip_prefix("and ").unwrap_or(start);
        let digits = start.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
        let unit_on = digits.trim_start_matches(' ');
        let after = unit_on.trim_start_matches(char::is_alphabetic);
        let Ok(number) = start[..start.len() - digits.len()].parse::<f64>() else {
            break;
        };
        let unit_s = match &unit_on[..unit_on.len() - after.len()] {
            "ns" => 1e-9,
            "us" | "\u{b5}s" | "\u{3bc}s" => 1e-6,
            "ms" | "msec" | "millisecond" | "milliseconds" => 1e-3,
            "s" | "sec" | "secs" | "second" | "seconds" => 1.0,
            "m" | "min" | "mins" | "minute" | "minutes" => 60.0,
            "h" | "hr" | "hrs" | "hour" | "hours" => 3600.0,
            "d" | "day" | "days" => 86_400.0,
            _ => break,
        };
        sum = Some(sum.unwrap_or(0.0) + number * unit_s);
        rest = after;
    }
    sum.map(|seconds| (seconds, rest))
}

/// What a sentence asks for, such as `Please try again in 1m12.5s.`
fn in_words(body: &str) -> Option<Duration> {
    const PHRASES: [&str; 7] = [
        "try again in ",
        "try again after ",
        "retry in ",
        "retry after ",
        "retrying in ",
        "reset after ",
        "wait ",
    ];
    const FILLERS: [&str; 6] = [
        "for ",
        "about ",
        "approximately ",
        "at least ",
        "another ",
        "~",
    ];
    let lower = body.to_ascii_lowercase();
    let spans = PHRASES
        .iter()
        .flat_map(|phrase| lower.match_indices(phrase));
    spans
        .filter_map(|(at, phrase)| {
            let mut rest = lower[at + phrase.len()..].trim_start();
            for filler in FILLERS {
                rest = rest.strip_prefix(filler).unwrap_or(rest);
            }
            from_seconds(units(rest)?.0)
        })
        .max()
}

/// Whether a body says that a model is being loaded, not that it could not be.
fn is_loading(body: &str) -> bool {
    let lower = body.to_ascii_lowercase();
    lower.contains("loading")
        && lower.contains("model")
        && !["error loading", "fail", "unable"]
            .iter()
            .any(|word| lower.contains(word))
}

#[cfg(test)]
mod tests;
