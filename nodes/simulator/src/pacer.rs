//! Keeps simulated time from running ahead of the wall clock.

use std::time::{Duration, Instant};

/// What the simulation may catch up after a delay; more than that is given up, so that a long
/// pause of the machine is not followed by a rush.
const MAX_CREDIT: Duration = Duration::from_millis(200);

/// Says when the next piece of simulated time may run.
#[derive(Debug)]
pub(crate) struct Pacer {
    speed: f64,
    origin: Option<(Instant, u64)>,
}

impl Pacer {
    /// At most `speed` simulated seconds a second.
    pub(crate) fn new(speed: f64) -> Self {
        Self {
            speed,
            origin: None,
        }
    }

    /// How long to wait at `now` before simulated time may go on from `sim_ns`; zero when it may. The
    /// clock starts with the first call.
    pub(crate) fn time_left(&mut self, sim_ns: u64, now: Instant) -> Duration {
        let (start, start_ns) = *self.origin.get_or_insert((now, sim_ns));
        let simulated_s = (sim_ns - start_ns) as f64 * 1e-9 / self.speed;
        let due = start + Duration::from_secs_f64(simulated_s);
        if now > due + MAX_CREDIT {
            self.origin = Some((now - MAX_CREDIT, sim_ns));
        }
        due.saturating_duration_since(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STEP_NS: u64 = 20_000_000;
    const MS: Duration = Duration::from_millis(1);

    /// Steps taken in `wall` by somebody who waits as told and is woken `late` after each deadline.
    fn steps(
        pacer: &mut Pacer,
        sim_ns: &mut u64,
        from: Instant,
        wall: Duration,
        late: Duration,
    ) -> Vec<Instant> {
        let (mut now, mut taken) = (from, Vec::new());
        while now < from + wall {
            let left = pacer.time_left(*sim_ns, now);
            if left.is_zero() {
                taken.push(now);
                *sim_ns += STEP_NS;
            } else {
                now += left + late;
            }
        }
        taken
    }

    #[test]
    fn simulated_time_follows_the_wall_clock_at_the_speed() {
        let start = Instant::now();
        for (speed, expected) in [(1.0, 50), (2.0, 100), (0.5, 25)] {
            let second = Duration::from_secs(1);
            let taken = steps(
                &mut Pacer::new(speed),
                &mut 0,
                start,
                second,
                Duration::ZERO,
            );
            assert_eq!(taken.len(), expected, "speed {speed}");
        }
    }

    #[test]
    fn who_wakes_late_does_not_fall_behind() {
        let start = Instant::now();
        let taken = steps(
            &mut Pacer::new(1.0),
            &mut 0,
            start,
            Duration::from_secs(1),
            3 * MS,
        );
        let intervals: Vec<Duration> = taken.windows(2).map(|pair| pair[1] - pair[0]).collect();
        // The first step has no deadline to be late for.
        assert_eq!(intervals[0], 23 * MS);
        assert!(
            intervals[1..].iter().all(|interval| *interval == 20 * MS),
            "{intervals:?}"
        );
    }

    #[test]
    fn the_wait_ends_at_the_deadline() {
        let start = Instant::now();
        let mut pacer = Pacer::new(1.0);
        assert_eq!(pacer.time_left(0, start), Duration::ZERO);
        assert_eq!(pacer.time_left(STEP_NS, start + 4 * MS), 16 * MS);
        assert_eq!(pacer.time_left(STEP_NS, start + 20 * MS), Duration::ZERO);
        assert_eq!(pacer.time_left(2 * STEP_NS, start + 25 * MS), 15 * MS);
    }

    #[test]
    fn a_long_pause_is_not_made_up_for() {
        let start = Instant::now();
        let (mut pacer, mut sim_ns) = (Pacer::new(1.0), 0);
        steps(&mut pacer, &mut sim_ns, start, 100 * MS, Duration::ZERO);
        let later = start + Duration::from_secs(10);
        let rush = steps(&mut pacer, &mut sim_ns, later, MS, Duration::ZERO);
        assert!(rush.len() <= 11, "{} steps at once", rush.len());
    }
}
