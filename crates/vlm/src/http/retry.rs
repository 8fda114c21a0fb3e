//! How long to wait before asking again.

use std::hash::{BuildHasher, RandomState};
use std::time::{Duration, SystemTime};

use httpdate::parse_http_date;

/// Waiting between tries: exponential backoff with jitter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryPolicy {
    /// Tries altogether; 1 means no second one.
    pub attempts: u32,
    /// Wait before the second try; each further wait is twice as long.
    pub first_wait: Duration,
    /// Longest wait of our own choosing. A server's `Retry-After` may ask for more.
    pub longest_wait: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            attempts: 3,
            first_wait: Duration::from_millis(500),
            longest_wait: Duration::from_secs(8),
        }
    }
}

impl RetryPolicy {
    /// The wait after the try of that number, counted from 1. `luck` in [0, 1) spreads it between
    /// half and full length, so that many robots do not come back at the same moment.
    pub(crate) fn wait(&self, attempt: u32, retry_after: Option<Duration>, luck: f64) -> Duration {
        let doublings = attempt.saturating_sub(1).min(20);
        let full = self
            .first_wait
            .saturating_mul(1 << doublings)
            .min(self.longest_wait);
        let own = full.mul_f64(0.5 + 0.5 * luck.clamp(0.0, 1.0));
        own.max(retry_after.unwrap_or_default())
    }
}

/// A number in [0, 1) that differs between processes and calls.
pub(crate) fn luck() -> f64 {
    // The standard library seeds its hashers from the operating system.
    let bits = RandomState::new().hash_one(SystemTime::now());
    (bits >> 11) as f64 / (1u64 << 53) as f64
}

/// What a `Retry-After` header asks for: seconds, or a date. The server's own `Date` header, if
/// there is one, says what time it believes it is.
pub(crate) fn retry_after(value: &str, date: Option<&str>) -> Option<Duration> {
    let value = value.trim();
    if let Ok(seconds) = value.parse::<f64>() {
        return Duration::try_from_secs_f64(seconds).ok();
    }
    let until = parse_http_date(value).ok()?;
    let now = date.and_then(|date| parse_http_date(date).ok());
    let wait = until.duration_since(now.unwrap_or_else(SystemTime::now));
    // A date that has passed asks for no wait.
    Some(wait.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_longest_and_never_fall_short_of_the_server() {
        let policy = RetryPolicy::default();
        let waits = [1, 2, 3, 9].map(|attempt| policy.wait(attempt, None, 1.0).as_millis());
        assert_eq!(waits, [500, 1000, 2000, 8000]);
        assert_eq!(policy.wait(2, None, 0.0).as_millis(), 500);
        let asked = Duration::from_secs(30);
        assert_eq!(policy.wait(1, Some(asked), 0.3), asked);
        assert_eq!(policy.wait(3, Some(Duration::ZERO), 1.0).as_millis(), 2000);
    }

    #[test]
    fn luck_is_a_fraction_and_changes() {
        let draws: Vec<f64> = (0..20).map(|_| luck()).collect();
        assert!(draws.iter().all(|draw| (0.0..1.0).contains(draw)));
        assert!(draws.iter().any(|draw| *draw != draws[0]));
    }

    #[test]
    fn servers_ask_in_seconds_or_with_a_date() {
        let date = Some("Sun, 06 Nov 1994 08:49:30 GMT");
        assert_eq!(retry_after(" 7 ", None), Some(Duration::from_secs(7)));
        // All three spellings of RFC 9110, section 5.6.7.
        for until in [
            "Sun, 06 Nov 1994 08:49:37 GMT",
            "Sunday, 06-Nov-94 08:49:37 GMT",
            "Sun Nov  6 08:49:37 1994",
        ] {
            let wait = retry_after(until, date);
            assert_eq!(wait, Some(Duration::from_secs(7)), "{until}");
        }
        assert_eq!(
            retry_after("Sun, 06 Nov 1994 08:00:00 GMT", None),
            Some(Duration::ZERO)
        );
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
            assert_eq!(retry_after(nonsense, date), None, "{nonsense}");
        }
    }
}
