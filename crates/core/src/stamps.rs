//! Stamps that cannot be right must not move a clock.

use crate::SECOND_NS;

/// How far one stamp may lie after the one before and be believed at once, ns.
const MAX_STEP_NS: u64 = SECOND_NS;

/// Follows the stamps of one stream. A stamp far ahead or one that goes back is refused; when the
/// next one agrees with it, the sender's clock has really jumped and is followed.
#[derive(Debug, Clone, Default)]
pub struct StampFilter {
    last_ns: Option<u64>,
    doubtful_ns: Option<u64>,
    refused: u64,
}

impl StampFilter {
    /// Takes a stamp; says whether it is believed.
    pub fn accept(&mut self, stamp_ns: u64) -> bool {
        let follows = |from: u64| stamp_ns >= from && stamp_ns - from <= MAX_STEP_NS;
        let believed =
            self.last_ns.is_none_or(follows) || self.doubtful_ns.take().is_some_and(follows);
        if believed {
            self.last_ns = Some(stamp_ns);
            self.doubtful_ns = None;
        } else {
            self.doubtful_ns = Some(stamp_ns);
            self.refused += 1;
        }
        believed
    }

    /// The last stamp that was believed, ns.
    #[must_use]
    pub fn last_ns(&self) -> Option<u64> {
        self.last_ns
    }

    /// What to say of a stamp that was just refused.
    #[must_use]
    pub fn complaint(&self, what: &str, stamp_ns: u64) -> String {
        format!(
            "{what}: expected a stamp up to 1 s after {} ns, found {stamp_ns} ns ({} refused so far)",
            self.last_ns.unwrap_or_default(),
            self.refused
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_stamp_far_ahead_is_refused_and_forgotten() {
        let mut filter = StampFilter::default();
        assert!(filter.accept(5 * SECOND_NS));
        assert!(!filter.accept(3_600 * SECOND_NS));
        assert!(filter.accept(5 * SECOND_NS + 20_000_000));
        assert!(!filter.accept(0));
        assert!(filter.accept(5 * SECOND_NS + 40_000_000));
        assert_eq!(filter.refused, 2);
    }

    #[test]
    fn a_clock_that_has_jumped_is_followed() {
        let mut filter = StampFilter::default();
        assert!(filter.accept(5 * SECOND_NS));
        assert!(!filter.accept(900 * SECOND_NS));
        assert!(filter.accept(900 * SECOND_NS + 20_000_000));
        assert!(filter.accept(900 * SECOND_NS + 40_000_000));
    }
}
