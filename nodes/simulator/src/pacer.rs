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

    /// Whether simulated time may go on from `sim_ns` at `now`. The clock starts with the first
    /// call.
    pub(crate) fn is_due(&mut self, sim_ns: u64, now: Instant) -> bool {
        let (start, start_ns) = *self.origin.get_or_insert((now, sim_ns));
        let simulated_s = (sim_ns - start_ns) as f64 * 1e-9 / self.speed;
        let due = start + Duration::from_secs_f64(simulated_s);
        if now > due + MAX_CREDIT {
            self.origin = Some((now - MAX_CREDIT, sim_ns));
        }
        now >= due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STEP_NS: u64 = 20_000_000;

    /// Steps taken in `wall`, asked every millisecond.
    fn steps(pacer: &mut Pacer, sim_ns: &mut u64, from: Instant, wall: Duration) -> u32 {
        let mut taken = 0;
        for ms in 0..wall.as_millis() as u64 {
            while pacer.is_due(*sim_ns, from + Duration::from_millis(ms)) {
                *sim_ns += STEP_NS;
                taken += 1;
            }
        }
        taken
    }

    #[test]
    fn simulated_time_follows_the_wall_clock_at_the_speed() {
        let start = Instant::now();
        for (speed, expected) in [(1.0, 50), (2.0, 100), (0.5, 25)] {
            let taken = steps(
                &mut Pacer::new(speed),
                &mut 0,
                start,
                Duration::from_secs(1),
            );
            assert_eq!(taken, expected, "speed {speed}");
        }
    }

    #[test]
    fn a_long_pause_is_not_made_up_for() {
        let start = Instant::now();
        let (mut pacer, mut sim_ns) = (Pacer::new(1.0), 0);
        steps(&mut pacer, &mut sim_ns, start, Duration::from_millis(100));
        let later = start + Duration::from_secs(10);
        let rush = steps(&mut pacer, &mut sim_ns, later, Duration::from_millis(1));
        assert!(rush <= 11, "{rush} steps at once");
    }
}
