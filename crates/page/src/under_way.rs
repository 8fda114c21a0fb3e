//! How long an episode has gone on.

use std::time::Duration;

use tiller_messages::Episode;

/// An episode that seems to be older has a stamp of another clock.
const LONGEST: Duration = Duration::from_secs(24 * 3600);

/// The episode, and how long it has gone on.
#[derive(Debug)]
pub(crate) struct UnderWay {
    pub(crate) episode: Episode,
    /// When it was first heard of.
    since: Duration,
    /// How long it had gone on by then, as its stamp and the arm's say; none as long as they do not.
    before: Option<Duration>,
}

impl UnderWay {
    /// One that was heard of just now.
    pub(crate) fn new(episode: Episode, now: Duration) -> Self {
        Self {
            episode,
            since: now,
            before: None,
        }
    }

    /// Whether nobody knows how long it had gone on when it was first heard of.
    pub(crate) fn is_age_least(&self) -> bool {
        self.before.is_none()
    }

    /// How long it has gone on, or at least has.
    pub(crate) fn age(&self, now: Duration) -> Duration {
        now.saturating_sub(self.since) + self.before.unwrap_or_default()
    }

    /// The arm's clock is this: a console that was started anew has missed what went before.
    pub(crate) fn compare(&mut self, arm_ns: u64, now: Duration) {
        let age_ns = arm_ns.checked_sub(self.episode.stamp_ns);
        let age = age_ns.map(Duration::from_nanos);
        let is_open = self.before.is_none();
        if let Some(age) = age.filter(|age| is_open && *age < LONGEST) {
            self.before = Some(age.saturating_sub(now.saturating_sub(self.since)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: Duration = Duration::from_secs(3);

    fn under_way(stamp_s: u64) -> UnderWay {
        let episode = Episode {
            stamp_ns: stamp_s * 1_000_000_000,
            ..Default::default()
        };
        UnderWay::new(episode, AT)
    }

    #[test]
    fn who_comes_late_takes_the_age_from_the_stamps() {
        let mut late = under_way(100);
        assert!(late.is_age_least());
        let later = AT + Duration::from_secs(2);
        assert_eq!(late.age(later), Duration::from_secs(2));
        late.compare(142_000_000_000, later);
        assert!(!late.is_age_least());
        assert_eq!(late.age(later), Duration::from_secs(42));
        // From then on by the clock of whoever looks, however fast the arm's goes.
        late.compare(500_000_000_000, later);
        assert_eq!(late.age(later + AT), Duration::from_secs(45));
    }

    #[test]
    fn stamps_of_another_clock_say_nothing() {
        for arm_s in [50, 1_700_000_000] {
            let mut late = under_way(100);
            late.compare(arm_s * 1_000_000_000, AT);
            assert!(late.is_age_least(), "{arm_s}");
        }
    }
}
