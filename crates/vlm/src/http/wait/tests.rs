use super::*;
use proptest::prelude::*;
use reqwest::header::{HeaderName, HeaderValue};

/// 8:49:30 on that day.
const DATE: (&str, &str) = ("date", "Sun, 06 Nov 1994 08:49:30 GMT");

fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
    let pair = |(name, value): &(&str, &str)| {
        let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
        (name, HeaderValue::from_str(value).unwrap())
    };
    pairs.iter().map(pair).collect()
}

/// Milliseconds.
fn asked(pairs: &[(&str, &str)], body: &str) -> Option<u128> {
    let pairs = [pairs, &[DATE]].concat();
    wait_asked(&headers(&pairs), body).map(|wait| wait.as_millis())
}

#[test]
fn retry_after_comes_in_seconds_spans_and_dates() {
    for (value, ms) in [
        (" 7 ", 7000),
        ("0", 0),
        ("4.5", 4500),
        ("20s", 20_000),
        // All three spellings of RFC 9110, section 5.6.7.
        ("Sun, 06 Nov 1994 08:49:37 GMT", 7000),
        ("Sunday, 06-Nov-94 08:49:37 GMT", 7000),
        ("Sun Nov  6 08:49:37 1994", 7000),
        ("Sun, 06 Nov 1994 08:00:00 GMT", 0),
        ("1994-11-06T08:49:37Z", 7000),
        ("1994-11-06T08:49:37.5+00:00", 7500),
    ] {
        assert_eq!(asked(&[("retry-after", value)], ""), Some(ms), "{value}");
    }
    for nonsense in [
        "",
        "soon",
        "-1",
        "inf",
        "NaN",
        "1e300",
        "Sun, 06 Nov 1994 08:49 GMT",
        "Sun, 06 Nov 1994 25:00:00 GMT",
        "Sun, +6 Nov 1994 08:49:37 GMT",
        "Sun, 06 Foo 1994 08:49:37 GMT",
    ] {
        assert_eq!(asked(&[("retry-after", nonsense)], ""), None, "{nonsense}");
    }
    // Without the server's clock ours counts.
    let past = headers(&[("retry-after", "Sun, 06 Nov 1994 08:49:37 GMT")]);
    assert_eq!(wait_asked(&past, ""), Some(Duration::ZERO));
}

#[test]
fn headers_have_many_names() {
    for (name, value, ms) in [
        ("retry-after-ms", "1234", 1234),
        ("x-ms-retry-after-ms", "250.5", 250),
        ("x-ratelimit-retry-after", "3", 3000),
        ("x-ratelimit-reset-requests", "1s", 1000),
        ("x-ratelimit-reset-requests", "6m0s", 360_000),
        ("x-ratelimit-reset-tokens", "120ms", 120),
        ("x-ratelimit-reset-tokens", "1h6m0.5s", 3_960_500),
        ("x-ratelimit-reset-tokens-minute", "33.25", 33_250),
        ("x-ratelimit-reset-after", "2", 2000),
        ("x-ratelimit-reset", "784111780", 10_000),
        ("ratelimit-reset", "12", 12_000),
        ("x-rate-limit-reset", "12", 12_000),
        (
            "anthropic-ratelimit-requests-reset",
            "1994-11-06T08:49:41Z",
            11_000,
        ),
        (
            "anthropic-ratelimit-input-tokens-reset",
            "1994-11-06T08:50:30Z",
            60_000,
        ),
    ] {
        assert_eq!(asked(&[(name, value)], ""), Some(ms), "{name}: {value}");
    }
    // Decades ahead of the server's own clock.
    let far = asked(&[("x-ratelimit-reset", "1784105380")], "");
    assert_eq!(far, Some(LONGEST.as_millis()));
    let epoch = [("date", "Fri, 07 Mar 2025 00:00:00 GMT")];
    for reset in ["1741305605", "1741305605000", "1741305605000000"] {
        let pairs = [&epoch[..], &[("x-ratelimit-reset", reset)]].concat();
        let wait = wait_asked(&headers(&pairs), "");
        assert_eq!(wait, Some(Duration::from_secs(5)), "{reset}");
    }
}

#[test]
fn only_limits_that_are_used_up_are_waited_for() {
    let tokens = ("x-ratelimit-reset-tokens", "6m0s");
    let requests = ("x-ratelimit-reset-requests", "1s");
    let some = ("x-ratelimit-remaining-tokens", "149984");
    let none = ("x-ratelimit-remaining-requests", "0");
    assert_eq!(asked(&[tokens, requests, some, none], ""), Some(1000));
    assert_eq!(asked(&[tokens, some], ""), None);
    assert_eq!(asked(&[tokens, requests], ""), Some(360_000));
    // What is said outright goes first.
    assert_eq!(asked(&[tokens, ("retry-after", "2")], ""), Some(2000));
    assert_eq!(asked(&[tokens], "try again in 20s"), Some(20_000));
    let anthropic = ("anthropic-ratelimit-tokens-reset", "1994-11-06T08:59:30Z");
    let full = ("anthropic-ratelimit-tokens-remaining", "4000");
    assert_eq!(asked(&[anthropic, full], ""), None);
}

#[test]
fn bodies_say_it_in_fields() {
    let google = |delay: &str| {
        format!(
            r#"[{{"error": {{"code": 429, "details": [{{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": {delay}}}]}}}}]"#
        )
    };
    for (body, ms) in [
        (google(r#""4s""#).as_str(), 4000),
        (&google(r#""4.5s""#), 4500),
        (&google(r#"{"seconds": "3", "nanos": 500000000}"#), 3500),
        (
            r#"{"error": "Model m is currently loading", "estimated_time": 20.0}"#,
            20_000,
        ),
        (
            r#"{"error": {"message": "slow down", "retry_after": 3}}"#,
            3000,
        ),
        (r#"{"retry_after": "2.5"}"#, 2500),
        (r#"{"retryAfterMs": 250}"#, 250),
        (
            r#"{"error": {"details": [{"metadata": {"quotaResetDelay": "1h0m1.5s"}}]}}"#,
            3_601_500,
        ),
        (
            r#"{"error": {"metadata": {"headers": {"Retry-After": 6}}}}"#,
            6000,
        ),
        (
            r#"{"error": {"metadata": {"headers": {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "784111775000"}}}}"#,
            5000,
        ),
        (
            r#"{"error": {"metadata": {"raw": "{\"error\": {\"retry_after\": 9}}"}}}"#,
            9000,
        ),
    ] {
        assert_eq!(asked(&[], body), Some(ms), "{body}");
    }
    for nonsense in [
        r#"{"retry_after": -1}"#,
        r#"{"retry_after": null}"#,
        r#"{"estimated_time": "soon"}"#,
        r#"{"retryDelay": {"nanos": 5}}"#,
    ] {
        assert_eq!(asked(&[], nonsense), None, "{nonsense}");
    }
}

#[test]
fn bodies_say_it_in_words() {
    for (body, ms) in [
        (
            "You exceeded your current quota. Please retry in 4.2s.",
            4200,
        ),
        (
            r#"{"error": {"message": "Rate limit reached. Please try again in 20s. Visit"}}"#,
            20_000,
        ),
        ("Please try again in 1m12.5s.", 72_500),
        ("try again in 250ms", 250),
        ("Please retry after 86400 seconds.", 86_400_000),
        (
            "Please wait for about 3 minutes and 20 seconds before",
            200_000,
        ),
        (r#"{"raw": "{\"message\": \"Try again in 2 sec\"}"}"#, 2000),
        (
            r#"{"error": {"code": 503, "message": "Loading model", "type": "unavailable_error"}}"#,
            0,
        ),
    ] {
        assert_eq!(asked(&[], body), Some(ms), "{body}");
    }
    for nothing in [
        "The model is overloaded. Please try again later.",
        "try again in a moment",
        "retry in 5 days' worth",
        "retry after 5 attempts",
        "error loading model: no such file",
        "failed: the model is loading no more",
        "{\"error\": \"slow down\"}",
        "",
    ] {
        let found = asked(&[], nothing);
        let expected = nothing.contains("5 days").then_some(432_000_000);
        assert_eq!(found, expected, "{nothing}");
    }
}

proptest! {
    /// Whatever a server writes, nothing breaks and no wait is longer than the longest.
    #[test]
    fn every_wait_is_bounded(
        value in "[ -~]{0,30}",
        number in any::<f64>(),
        body in r#"(try again in |retry in |wait |\{"retry_after": |"retryDelay": "|"|\}|[0-9.]{1,25}|ms|s|h|\u{b5}s| |[^a]){0,8}"#,
    ) {
        let number = number.to_string();
        for text in [&value, &number] {
            let value = HeaderValue::from_str(text).unwrap();
            for name in ["retry-after", "retry-after-ms", "x-ratelimit-reset", "date"] {
                let pairs = [(HeaderName::from_static(name), value.clone())];
                let wait = wait_asked(&pairs.into_iter().collect(), &body);
                prop_assert!(wait.is_none_or(|wait| wait <= LONGEST));
            }
        }
    }
}
