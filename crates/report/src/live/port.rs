//! One stream's rate, age and silence.

use std::collections::VecDeque;
use std::time::Duration;

use super::Port;

/// Rates are of this long.
const WINDOW: Duration = Duration::from_secs(5);

/// Arrivals that are kept; a stream that is faster than this a window has its rate taken over fewer seconds.
const KEPT: usize = 512;

/// A stream is never called silent sooner.
const LEAST_SILENCE: Duration = Duration::from_secs(1);

/// Nor before this many times its longest interval of late has passed.
const SILENT_INTERVALS: u32 = 4;

/// Intervals from which a rhythm is known.
const RHYTHM: usize = 4;

/// Follows the arrivals of one stream.
///
/// ```
/// use std::time::Duration;
/// use tiller_report::live::PortTally;
///
/// let mut tally = PortTally::default();
/// for k in 0..50 {
///     tally.on_message(Duration::from_millis(40 * k));
/// }
/// let port = tally.port("world/image", Duration::from_millis(1_960));
/// assert_eq!((port.count, port.hz), (50, 25.0));
/// assert!(tally.port("world/image", Duration::from_secs(9)).is_silent());
/// ```
#[derive(Clone, Debug, Default)]
pub struct PortTally {
    /// Since any fixed moment, oldest first.
    arrivals: VecDeque<Duration>,
    first: Option<Duration>,
    count: u64,
    refused: u64,
    lost: u64,
    is_irregular: bool,
}

impl PortTally {
    /// A stream whose messages come when there is something to say: it is never called silent.
    #[must_use]
    pub fn irregular() -> Self {
        Self {
            is_irregular: true,
            ..Self::default()
        }
    }

    /// A message came at this moment, on a clock that never goes back.
    pub fn on_message(&mut self, now: Duration) {
        self.count += 1;
        self.first.get_or_insert(now);
        if self.arrivals.len() == KEPT {
            self.arrivals.pop_front();
        }
        self.arrivals.push_back(now);
    }

    /// The message that came could not be read.
    pub fn on_refusal(&mut self) {
        self.refused += 1;
    }

    /// So many messages never came, in all.
    pub fn set_lost(&mut self, lost: u64) {
        self.lost = lost;
    }

    /// The numbers at this moment.
    #[must_use]
    pub fn port(&self, name: &str, now: Duration) -> Port {
        let last = self.arrivals.back();
        Port {
            name: name.to_owned(),
            hz: self.rate_hz(now),
            age_s: last.map(|last| now.saturating_sub(*last).as_secs_f64()),
            count: self.count,
            lost: self.lost,
            refused: self.refused,
            is_irregular: self.is_irregular,
            silent_after_s: self.silent_after().map(|limit| limit.as_secs_f64()),
        }
    }

    /// Arrivals within the window over its length, or over what there is of it.
    fn rate_hz(&self, now: Duration) -> f64 {
        let Some(first) = self.first else {
            return 0.0;
        };
        let is_all = self.arrivals.len() < KEPT;
        let oldest = self.arrivals.front().copied().unwrap_or(first);
        let start = now.saturating_sub(WINDOW);
        let begin = match is_all {
            true => start.max(first),
            false => start.max(oldest),
        };
        // The one at the window's very begin ends an interval before it.
        let within = self.arrivals.iter().filter(|at| **at > begin).count();
        let span_s = now.saturating_sub(begin).as_secs_f64();
        let rate = within as f64 / span_s;
        // Of one message, a moment ago, there is no rate.
        if rate.is_finite() { rate } else { 0.0 }
    }

    fn silent_after(&self) -> Option<Duration> {
        if self.is_irregular || self.arrivals.len() <= RHYTHM {
            return None;
        }
        let intervals = self
            .arrivals
            .iter()
            .zip(self.arrivals.iter().skip(1))
            .map(|(before, after)| after.saturating_sub(*before));
        let longest = intervals.max()?;
        Some((longest * SILENT_INTERVALS).max(LEAST_SILENCE))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn steady(period_ms: u64, count: u64) -> PortTally {
        let mut tally = PortTally::default();
        for k in 0..count {
            tally.on_message(Duration::from_millis(k * period_ms));
        }
        tally
    }

    #[test]
    fn a_rate_decays_and_an_age_grows_once_nothing_comes() {
        let tally = steady(100, 101);
        let at = |ms| tally.port("a", Duration::from_millis(ms));
        assert!((at(10_000).hz - 10.0).abs() < 1e-9);
        assert!((at(12_500).hz - 5.0).abs() < 0.21, "half of the window");
        assert_eq!(at(20_000).hz, 0.0);
        assert_eq!(at(12_500).age_s, Some(2.5));
        assert!(!at(10_900).is_silent());
        assert!(at(11_001).is_silent());
    }

    #[test]
    fn only_who_had_a_rhythm_can_break_it() {
        let hour = Duration::from_secs(3_600);
        assert!(!steady(100, 4).port("a", hour).is_silent());
        assert!(steady(100, 5).port("a", hour).is_silent());
        let mut events = PortTally::irregular();
        (0..50).for_each(|k| events.on_message(Duration::from_millis(k)));
        assert!(!events.port("a", hour).is_silent());
        let none = PortTally::default().port("a", hour);
        assert_eq!((none.hz, none.age_s, none.is_silent()), (0.0, None, false));
    }

    #[test]
    fn a_slow_stream_is_given_time() {
        let tally = steady(2_000, 10);
        let last = Duration::from_secs(18);
        assert!(!tally.port("a", last + Duration::from_secs(8)).is_silent());
        assert!(
            tally
                .port("a", last + Duration::from_millis(8_001))
                .is_silent()
        );
    }

    proptest! {
        /// Whatever the rhythm, the rate is the one that it has, and memory is bounded.
        #[test]
        fn the_rate_is_that_of_the_stream(period_ms in 1_u64..500, count in 20_u64..3_000) {
            let tally = steady(period_ms, count);
            prop_assert!(tally.arrivals.len() <= KEPT);
            let now = Duration::from_millis((count - 1) * period_ms);
            let expected = 1e3 / period_ms as f64;
            let found = tally.port("a", now).hz;
            // A window begins within an interval.
            let tolerance = 1.0 / WINDOW.as_secs_f64();
            prop_assert!((found - expected).abs() <= tolerance + 1e-9, "{found} for {expected}");
        }
    }
}
