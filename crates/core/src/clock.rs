//! The robot's clock, seen from another machine.

/// How long the least delay that was seen counts, ns of wall time; it is forgotten within twice that. Two
/// quartz clocks part by 6 ms in a minute at most.
const WINDOW_NS: u64 = 30 * crate::SECOND_NS;

/// Where the robot's clock stands in time since 1970, learnt from messages that carry both.
///
/// Stamps are of the monotonic clock of the machine that stamped, which counts from when that was started: on
/// another machine the same number means another moment. dora writes beside every message when it was sent, in
/// time since 1970 and by the sender's clock. A message is sent after its stamp, so a stamp less the time of its
/// sending is too small by that delay, and the largest such difference is nearest to the truth: off by the least
/// delay, and never above it. Neither the way nor the receiver's own clocks have any part in it.
///
/// ```
/// use tiller_core::RobotClock;
///
/// let mut clock = RobotClock::default();
/// // Sent 30 ms after its stamp, then 1 ms after it.
/// clock.observe(5_000_000_000, 1_700_000_000_030_000_000);
/// clock.observe(5_100_000_000, 1_700_000_000_101_000_000);
/// assert_eq!(clock.robot_minus_wall_ns(), Some(5_000_000_000 - 1_700_000_000_001_000_000));
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct RobotClock {
    /// When the window under way began, ns since 1970.
    began_ns: u64,
    /// Largest difference in the window under way and in the one before, ns.
    best_ns: [Option<i64>; 2],
}

impl RobotClock {
    /// A message with this stamp was sent at this time since 1970, both ns and by the robot's machine.
    pub fn observe(&mut self, stamp_ns: u64, sent_ns: u64) {
        let difference = i128::from(stamp_ns) - i128::from(sent_ns);
        let Ok(difference) = i64::try_from(difference) else {
            return;
        };
        // Wall time may be set back.
        let elapsed_ns = sent_ns.abs_diff(self.began_ns);
        if elapsed_ns > WINDOW_NS {
            let last = self.best_ns[0]
                .take()
                .filter(|_| elapsed_ns <= 2 * WINDOW_NS);
            self.best_ns[1] = last;
            self.began_ns = sent_ns;
        }
        let best = self.best_ns[0].get_or_insert(difference);
        *best = difference.max(*best);
    }

    /// What to add to time since 1970 to get the robot's, ns; none as long as nothing is known.
    #[must_use]
    pub fn robot_minus_wall_ns(&self) -> Option<i64> {
        self.best_ns.iter().flatten().copied().max()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::SECOND_NS;

    const WALL_NS: u64 = 1_700_000_000 * SECOND_NS;

    #[test]
    fn nothing_is_known_before_the_first() {
        assert_eq!(RobotClock::default().robot_minus_wall_ns(), None);
    }

    #[test]
    fn a_clock_that_was_set_is_followed_within_a_minute() {
        let mut clock = RobotClock::default();
        let offset = |clock: &RobotClock| clock.robot_minus_wall_ns().unwrap();
        clock.observe(5 * SECOND_NS, WALL_NS);
        assert_eq!(offset(&clock), 5 * SECOND_NS as i64 - WALL_NS as i64);
        // Wall time goes on by an hour at once, and back again, and on by a little.
        for (set_ns, begin_s) in [(3_600 * SECOND_NS, 6), (0, 100), (10 * SECOND_NS, 200)] {
            for second in begin_s..begin_s + 65 {
                let stamp_ns = second * SECOND_NS;
                clock.observe(stamp_ns, WALL_NS - 5 * SECOND_NS + stamp_ns + set_ns);
            }
            let expected = 5 * SECOND_NS as i64 - WALL_NS as i64 - set_ns as i64;
            assert_eq!(offset(&clock), expected, "{set_ns}");
        }
    }

    proptest! {
        /// However long messages take to be sent, and however many come.
        #[test]
        fn it_is_off_by_the_least_delay_of_the_last_window_at_most(
            booted_ns in 0..WALL_NS,
            delays_ms in prop::collection::vec(0_u64..400, 1..400),
            every_ms in 1_u64..500,
        ) {
            let mut clock = RobotClock::default();
            let mut sent = Vec::new();
            for (index, delay_ms) in delays_ms.iter().enumerate() {
                let stamp_ns = (index as u64 + 1) * every_ms * 1_000_000;
                let sent_ns = booted_ns + stamp_ns + delay_ms * 1_000_000;
                clock.observe(stamp_ns, sent_ns);
                sent.push((sent_ns, delay_ms * 1_000_000));
                let newest = sent_ns.saturating_sub(WINDOW_NS);
                let least_ns = sent
                    .iter()
                    .filter(|(at, _)| *at >= newest)
                    .map(|(_, delay)| *delay)
                    .min()
                    .unwrap();
                let off_ns = -(booted_ns as i64) - clock.robot_minus_wall_ns().unwrap();
                prop_assert!((0..=least_ns as i64).contains(&off_ns), "{off_ns} of {least_ns}");
            }
        }
    }
}
