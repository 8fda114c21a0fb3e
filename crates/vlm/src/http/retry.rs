//! Whether and when to ask again.

use std::hash::{BuildHasher, RandomState};
use std::time::{Duration, SystemTime};

pub(crate) use super::wait::wait_asked;

/// Waiting between tries: exponential backoff with jitter, and what the server asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryPolicy {
    /// Tries that may fail; 1 means no second one. Those that a server refused for the moment, with a wish
    /// to wait or while it loads its model, do not count: they cost nothing and go on within the total time.
    pub attempts: u32,
    /// Wait before the second try; each further wait is twice as long. No wait is shorter.
    pub first_wait: Duration,
    /// Longest wait of our own choosing. A server may ask for more.
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
    fn wait(&self, attempt: u32, luck: f64) -> Duration {
        let doublings = attempt.saturating_sub(1).min(20);
        let full = self
            .first_wait
            .saturating_mul(1 << doublings)
            .min(self.longest_wait);
        full.mul_f64(0.5 + 0.5 * luck)
    }
}

/// A try that failed and may be repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Failed {
    /// How long the server asks to wait; zero if it says only that it cannot yet.
    pub(crate) asked: Option<Duration>,
    /// Whether it cost nothing.
    pub(crate) free: bool,
}

/// What to do after a try that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    /// Ask again after so long.
    Again(Duration),
    /// All tries have failed, or too little time is left for another one.
    GiveUp,
    /// The server asks for so much time that too little is left for a try.
    TooLong(Duration),
}

/// The tries of one question.
#[derive(Debug)]
pub(crate) struct Tries {
    policy: RetryPolicy,
    /// Those that count.
    failed: u32,
    /// Those that were put off.
    pub(crate) put_off: u32,
}

impl Tries {
    pub(crate) fn new(policy: RetryPolicy) -> Self {
        Self {
            policy,
            failed: 0,
            put_off: 0,
        }
    }

    /// Decides about the next try; `left` is the time for everything that is still to come.
    pub(crate) fn after(&mut self, failed: Failed, left: Duration, luck: f64) -> Next {
        let luck = luck.clamp(0.0, 1.0);
        if failed.asked.is_some() && failed.free {
            self.put_off += 1;
        } else {
            self.failed += 1;
        }
        // A try that has no time to be answered only costs money.
        let left = left.saturating_sub(self.policy.first_wait);
        if let Some(asked) = failed
            .asked
            .filter(|asked| !asked.is_zero() && *asked >= left)
        {
            return Next::TooLong(asked);
        }
        if self.failed >= self.policy.attempts {
            return Next::GiveUp;
        }
        let shortest = self.policy.first_wait.mul_f64(1.0 + luck);
        let wait = match failed.asked {
            Some(asked) if !asked.is_zero() => {
                // A little later than asked for, but not so late that it is too late.
                let spread = asked.mul_f64(0.1 * luck).min(Duration::from_secs(1));
                if asked + spread < left {
                    asked + spread
                } else {
                    asked
                }
                .max(shortest)
            }
            Some(_) => self.policy.wait(self.put_off, luck).max(shortest),
            None => self.policy.wait(self.failed, luck),
        };
        if wait < left {
            Next::Again(wait)
        } else {
            Next::GiveUp
        }
    }
}

/// A number in [0, 1) that differs between processes and calls.
pub(crate) fn luck() -> f64 {
    // The standard library seeds its hashers from the operating system.
    let bits = RandomState::new().hash_one(SystemTime::now());
    (bits >> 11) as f64 / (1u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    fn failed(asked_s: Option<u64>, free: bool) -> Failed {
        Failed {
            asked: asked_s.map(Duration::from_secs),
            free,
        }
    }

    #[test]
    fn waits_double_up_to_the_longest() {
        let policy = RetryPolicy::default();
        let waits = [1, 2, 3, 9].map(|attempt| policy.wait(attempt, 1.0).as_millis());
        assert_eq!(waits, [500, 1000, 2000, 8000]);
        assert_eq!(policy.wait(2, 0.0).as_millis(), 500);
    }

    #[test]
    fn luck_is_a_fraction_and_changes() {
        let draws: Vec<f64> = (0..20).map(|_| luck()).collect();
        assert!(draws.iter().all(|draw| (0.0..1.0).contains(draw)));
        assert!(draws.iter().any(|draw| *draw != draws[0]));
    }

    #[test]
    fn failures_count_and_a_servers_waits_do_not() {
        let mut tries = Tries::new(RetryPolicy::default());
        for _ in 0..50 {
            let Next::Again(wait) = tries.after(failed(Some(4), true), MINUTE, 0.5) else {
                panic!("asked to wait 4 s of 60 s");
            };
            assert!((4000..=4400).contains(&wait.as_millis()), "{wait:?}");
        }
        // One that has cost something counts, though its wait is kept.
        let costly = tries.after(failed(Some(4), false), MINUTE, 0.0);
        assert_eq!(costly, Next::Again(Duration::from_secs(4)));
        let plain = failed(None, true);
        assert_eq!(
            tries.after(plain, MINUTE, 1.0),
            Next::Again(Duration::from_secs(1))
        );
        assert_eq!(tries.after(plain, MINUTE, 1.0), Next::GiveUp);
    }

    #[test]
    fn a_server_that_names_no_time_is_asked_again_ever_less_often() {
        let mut tries = Tries::new(RetryPolicy::default());
        let mut waits = Vec::new();
        let mut left = MINUTE;
        while let Next::Again(wait) = tries.after(failed(Some(0), true), left, 0.0) {
            waits.push(wait.as_millis());
            left -= wait;
        }
        assert_eq!(waits[..6], [500, 500, 1000, 2000, 4000, 4000]);
        assert!(left <= Duration::from_millis(4500), "{left:?} unused");
    }

    #[test]
    fn no_wait_is_shorter_than_the_shortest_or_ends_after_the_deadline() {
        let mut tries = Tries::new(RetryPolicy::default());
        let hasty = Failed {
            asked: Some(Duration::from_millis(1)),
            free: true,
        };
        for luck in [0.0, 0.3, 1.0] {
            let Next::Again(wait) = tries.after(hasty, MINUTE, luck) else {
                panic!("there is time");
            };
            assert!((500..=1000).contains(&wait.as_millis()), "{wait:?}");
        }
        // With half a second for the try itself.
        let left = Duration::from_millis(4600);
        assert_eq!(
            tries.after(failed(Some(4), true), left, 1.0),
            Next::Again(Duration::from_secs(4))
        );
        assert_eq!(
            tries.after(failed(Some(5), true), left, 1.0),
            Next::TooLong(Duration::from_secs(5))
        );
        assert_eq!(
            tries.after(hasty, Duration::from_millis(900), 0.0),
            Next::GiveUp
        );
    }
}
