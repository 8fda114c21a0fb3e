//! The Cartesian reference: a chunk's waypoints joined by straight lines at the policy's rate, then
//! smoothed.
//!
//! Smoothing is two moving averages in series. They bound acceleration (the change of speed over the
//! first window) and jerk, delay by half of both windows ([`LAG_S`]), come to rest exactly on the
//! last waypoint one full window after it was due ([`SETTLE_S`]), and never leave the convex hull of
//! the waypoints, so that a reference inside the workspace stays inside. Because the speed between
//! waypoints is constant and the next chunk takes over where the last one ended, one-step chunks
//! sent at the policy's rate move without stop-and-go.
//!
//! The caller sets the pace of each tick: where the arm cannot keep the policy's rate the schedule
//! is stretched in time, and its path stays the same.

use nalgebra::Vector3;

use crate::PERIOD_S;

const WINDOWS_TICKS: [usize; 2] = [100, 20];

/// The first window, s: a change of the scheduled velocity becomes an acceleration spread over it.
pub(crate) const WINDOW_S: f64 = WINDOWS_TICKS[0] as f64 * PERIOD_S;

/// Delay of the smoothed reference behind the waypoints' schedule, s.
pub const LAG_S: f64 = 0.5 * (WINDOWS_TICKS[0] + WINDOWS_TICKS[1] - 2) as f64 * PERIOD_S;

/// From the moment the last waypoint was due to complete rest on it, s.
pub const SETTLE_S: f64 = (WINDOWS_TICKS[0] + WINDOWS_TICKS[1] - 2) as f64 * PERIOD_S;

/// Speed at which the distance between the reference and a new chunk's anchor is made up, m/s.
pub(crate) const BLEND_SPEED_M_S: f64 = 0.25;

/// Shortest time for making it up, s.
const BLEND_LEAST_S: f64 = 0.1;

/// Moving average over a fixed window, summed anew each time round so that it never drifts.
#[derive(Debug, Clone)]
struct Average<const N: usize> {
    samples: [Vector3<f64>; N],
    next: usize,
    sum: Vector3<f64>,
    /// The sample that left the window last.
    left: Vector3<f64>,
}

impl<const N: usize> Average<N> {
    fn new(at: Vector3<f64>) -> Self {
        Self {
            samples: [at; N],
            next: 0,
            sum: at * N as f64,
            left: at,
        }
    }

    fn push(&mut self, sample: Vector3<f64>) -> Vector3<f64> {
        self.left = self.samples[self.next];
        self.sum += sample - self.left;
        self.samples[self.next] = sample;
        self.next += 1;
        if self.next == N {
            self.next = 0;
            self.sum = self.samples.iter().sum();
        }
        self.sum / N as f64
    }
}

/// What the next tick will do to the schedule's velocity, m/s.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Upcoming {
    /// The velocity that enters the smoothing window at full pace.
    pub(crate) entering: Vector3<f64>,
    /// The velocity that leaves it.
    pub(crate) leaving: Vector3<f64>,
}

#[derive(Debug, Clone)]
pub(crate) struct Reference {
    /// Waypoint 0 is the chunk's anchor; empty before the first chunk.
    waypoints: Vec<Vector3<f64>>,
    ticks_per_step: f64,
    /// Ticks of the schedule that are over; fractional where the pace was below 1.
    elapsed: f64,
    /// Reference minus anchor when the chunk came, worn off linearly.
    offset: Vector3<f64>,
    offset_ticks: f64,
    /// When that began, on the clock of `elapsed`; negative after a chunk was carried on.
    offset_since: f64,
    scheduled: Vector3<f64>,
    first: Average<{ WINDOWS_TICKS[0] }>,
    second: Average<{ WINDOWS_TICKS[1] }>,
    smoothed: Vector3<f64>,
}

impl Reference {
    /// At rest at `at`; room for `capacity` waypoints is taken now.
    pub(crate) fn new(at: Vector3<f64>, capacity: usize) -> Self {
        Self {
            waypoints: Vec::with_capacity(capacity),
            ticks_per_step: 1.0,
            elapsed: 0.0,
            offset: Vector3::zeros(),
            offset_ticks: 1.0,
            offset_since: 0.0,
            scheduled: at,
            first: Average::new(at),
            second: Average::new(at),
            smoothed: at,
        }
    }

    /// Replaces the schedule: waypoint 0 (the anchor) now, waypoint k after `k / rate_hz`.
    pub(crate) fn follow(&mut self, waypoints: &[Vector3<f64>], rate_hz: f64) {
        self.waypoints.clear();
        self.waypoints.extend_from_slice(waypoints);
        self.ticks_per_step = 1.0 / (rate_hz * PERIOD_S);
        self.elapsed = 0.0;
        self.offset = waypoints
            .first()
            .map_or_else(Vector3::zeros, |anchor| self.scheduled - anchor);
        let time_s = (self.offset.norm() / BLEND_SPEED_M_S).max(BLEND_LEAST_S);
        self.offset_ticks = (time_s / PERIOD_S).ceil();
        self.offset_since = 0.0;
    }

    /// Replaces what is yet to come: `waypoints` begins with waypoint `dropped` of the present
    /// schedule and agrees with it up to the waypoint that is due next. Time goes on as it was,
    /// from the end of the schedule if that is over.
    pub(crate) fn carry_on(&mut self, waypoints: &[Vector3<f64>], dropped: usize) {
        let end = self.step_count() as f64 * self.ticks_per_step;
        let shift = dropped as f64 * self.ticks_per_step;
        if self.elapsed > end {
            self.offset_since -= self.elapsed - end;
            self.elapsed = end;
        }
        self.elapsed -= shift;
        self.offset_since -= shift;
        self.waypoints.clear();
        self.waypoints.extend_from_slice(waypoints);
    }

    /// Ends the schedule at `at`, approached no faster than a new chunk's anchor would be.
    pub(crate) fn settle_at(&mut self, at: Vector3<f64>) {
        self.follow(&[at], 10.0);
    }

    /// At rest at `at`, at once: only for a robot that stands still there.
    pub(crate) fn reset(&mut self, at: Vector3<f64>) {
        self.waypoints.clear();
        self.scheduled = at;
        self.first = Average::new(at);
        self.second = Average::new(at);
        self.smoothed = at;
    }

    /// Steps due so far, whole ones.
    pub(crate) fn steps_done(&self) -> usize {
        self.steps_at(self.elapsed)
    }

    fn steps_at(&self, elapsed: f64) -> usize {
        // The product of a rate such as 30 Hz and its period may fall short of the whole by a hair.
        let steps = (elapsed / self.ticks_per_step + 1e-9) as usize;
        steps.min(self.step_count())
    }

    /// The waypoints; waypoint 0 is where the schedule began.
    pub(crate) fn waypoints(&self) -> &[Vector3<f64>] {
        &self.waypoints
    }

    pub(crate) fn step_count(&self) -> usize {
        self.waypoints.len().saturating_sub(1)
    }

    pub(crate) fn is_finished(&self) -> bool {
        self.steps_done() == self.step_count()
    }

    /// Where the schedule is now: what a new chunk continues from.
    pub(crate) fn scheduled(&self) -> Vector3<f64> {
        self.scheduled
    }

    pub(crate) fn smoothed(&self) -> Vector3<f64> {
        self.smoothed
    }

    fn scheduled_at(&self, elapsed: f64) -> Vector3<f64> {
        let done = self.steps_at(elapsed);
        let Some(from) = self.waypoints.get(done) else {
            return self.scheduled;
        };
        let part = (elapsed / self.ticks_per_step - done as f64).clamp(0.0, 1.0);
        let line = self
            .waypoints
            .get(done + 1)
            .map_or(*from, |to| from + (to - from) * part);
        let worn = (elapsed - self.offset_since) / self.offset_ticks;
        line + self.offset * (1.0 - worn).max(0.0)
    }

    /// The change of velocity that the next tick would bring at full pace.
    pub(crate) fn upcoming(&self) -> Upcoming {
        let next = self.scheduled_at(self.elapsed + 1.0);
        let first = &self.first;
        Upcoming {
            entering: (next - self.scheduled) / PERIOD_S,
            leaving: (first.samples[first.next] - first.left) / PERIOD_S,
        }
    }

    /// Moves one period on, and the schedule by `pace` (0 to 1) of it; returns the smoothed
    /// velocity, m/s.
    pub(crate) fn advance(&mut self, pace: f64) -> Vector3<f64> {
        self.elapsed += pace;
        self.scheduled = self.scheduled_at(self.elapsed);
        let last = self.smoothed;
        self.smoothed = self.second.push(self.first.push(self.scheduled));
        (self.smoothed - last) / PERIOD_S
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(reference: &mut Reference, ticks: usize) -> Vec<Vector3<f64>> {
        (0..ticks).map(|_| reference.advance(1.0)).collect()
    }

    #[test]
    fn ends_exactly_on_the_last_waypoint_after_the_settle_time() {
        let mut reference = Reference::new(Vector3::zeros(), 4);
        let end = Vector3::new(0.03, 0.0, -0.03);
        reference.follow(&[Vector3::zeros(), end], 10.0);
        run(&mut reference, 100);
        assert!(reference.is_finished());
        run(&mut reference, (SETTLE_S / PERIOD_S).round() as usize);
        assert!((reference.smoothed() - end).norm() < 1e-12);
    }

    #[test]
    fn one_step_chunks_on_time_move_at_constant_speed() {
        let mut reference = Reference::new(Vector3::zeros(), 4);
        let step = Vector3::new(0.02, 0.0, 0.0);
        let mut speeds = Vec::new();
        for _ in 0..10 {
            let anchor = reference.scheduled();
            reference.follow(&[anchor, anchor + step], 10.0);
            speeds.extend(run(&mut reference, 100).iter().map(|velocity| velocity.x));
        }
        for speed in &speeds[150..] {
            assert!((speed - 0.2).abs() < 1e-9, "{speed}");
        }
    }

    #[test]
    fn a_distant_anchor_is_approached_at_the_blend_speed() {
        let mut reference = Reference::new(Vector3::zeros(), 4);
        let anchor = Vector3::new(0.0, 0.1, 0.0);
        reference.follow(&[anchor, anchor, anchor, anchor, anchor, anchor], 10.0);
        let fastest = run(&mut reference, 600)
            .iter()
            .map(|v| v.norm())
            .fold(0.0, f64::max);
        assert!(
            fastest <= BLEND_SPEED_M_S + 1e-9 && fastest > 0.9 * BLEND_SPEED_M_S,
            "{fastest}"
        );
        assert!((reference.smoothed() - anchor).norm() < 1e-12);
    }
}
