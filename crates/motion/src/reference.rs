//! The reference: a chunk's waypoints joined at the policy's rate, then smoothed.
//!
//! Positions and joints are joined by straight lines, orientations by turns about a fixed axis.
//! Smoothing is two moving averages in series. They bound acceleration (the change of speed over the
//! first window) and jerk, delay by half of both windows ([`LAG_S`]), come to rest exactly on the
//! last waypoint one full window after it was due ([`SETTLE_S`]), and never leave the convex hull of
//! the waypoints, so that a reference inside the workspace stays inside. Because the speed between
//! waypoints is constant and the next chunk takes over where the last one ended, one-step chunks
//! sent at the policy's rate move without stop-and-go.
//!
//! Orientations are averaged as quaternions, scaled to unit length afterwards. Within a window they
//! turn by at most 0.3 rad, where this mean differs from the one on the sphere by less than 0.2 %
//! of that, and as every window is summed anew it cannot drift.
//!
//! The caller sets the pace of each tick: where the arm cannot keep the policy's rate the schedule
//! is stretched in time, and its path stays the same.

use crate::PERIOD_S;
use crate::average::Average;
use crate::space::{Numbers, Space};

const WINDOWS_TICKS: [usize; 2] = [100, 20];

/// The first window, s: a change of the scheduled velocity becomes an acceleration spread over it.
pub(crate) const WINDOW_S: f64 = WINDOWS_TICKS[0] as f64 * PERIOD_S;

/// Delay of the smoothed reference behind the waypoints' schedule, s.
pub const LAG_S: f64 = 0.5 * (WINDOWS_TICKS[0] + WINDOWS_TICKS[1] - 2) as f64 * PERIOD_S;

/// From the moment the last waypoint was due to complete rest on it, s.
pub const SETTLE_S: f64 = (WINDOWS_TICKS[0] + WINDOWS_TICKS[1] - 2) as f64 * PERIOD_S;

/// Shortest time for making up the distance to a new chunk's start, s.
const BLEND_LEAST_S: f64 = 0.1;

/// What the next tick will do to the schedule's velocity, as ways a second.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Upcoming {
    /// The velocity that enters the smoothing window at full pace.
    pub(crate) entering: Numbers,
    /// The velocity that leaves it.
    pub(crate) leaving: Numbers,
}

#[derive(Debug, Clone)]
pub(crate) struct Reference {
    space: Space,
    /// Waypoint 0 is the chunk's start; empty before the first chunk.
    waypoints: Vec<Numbers>,
    /// The way from each waypoint to the next.
    ways: Vec<Numbers>,
    ticks_per_step: f64,
    /// Ticks of the schedule that are over; fractional where the pace was below 1.
    elapsed: f64,
    /// The way from the chunk's start to the reference when it came, worn off linearly.
    offset: Numbers,
    offset_ticks: f64,
    /// When that began, on the clock of `elapsed`; negative after a chunk was carried on.
    offset_since: f64,
    scheduled: Numbers,
    first: Average<{ WINDOWS_TICKS[0] }>,
    second: Average<{ WINDOWS_TICKS[1] }>,
    smoothed: Numbers,
}

impl Reference {
    /// At rest at `at`; room for `capacity` waypoints is taken now.
    pub(crate) fn new(space: Space, at: Numbers, capacity: usize) -> Self {
        Self {
            space,
            waypoints: Vec::with_capacity(capacity),
            ways: Vec::with_capacity(capacity),
            ticks_per_step: 1.0,
            elapsed: 0.0,
            offset: Numbers::zeros(),
            offset_ticks: 1.0,
            offset_since: 0.0,
            scheduled: at,
            first: Average::new(at),
            second: Average::new(at),
            smoothed: at,
        }
    }

    /// Whether the numbers are poses or joints.
    pub(crate) fn space(&self) -> Space {
        self.space
    }

    /// Replaces the schedule: waypoint 0 (the start) now, waypoint k after `k / rate_hz`.
    pub(crate) fn follow(&mut self, waypoints: &[Numbers], rate_hz: f64) {
        self.replace(waypoints, self.scheduled);
        self.ticks_per_step = 1.0 / (rate_hz * PERIOD_S);
        self.elapsed = 0.0;
        self.offset = self.waypoints.first().map_or_else(Numbers::zeros, |start| {
            self.space.between(start, &self.scheduled)
        });
        let time_s = self.space.blend_time_s(&self.offset).max(BLEND_LEAST_S);
        self.offset_ticks = (time_s / PERIOD_S).ceil();
        self.offset_since = 0.0;
    }

    /// Replaces what is yet to come: `waypoints` begins with waypoint `dropped` of the present
    /// schedule and agrees with it up to the waypoint that is due next. Time goes on as it was,
    /// from the end of the schedule if that is over.
    pub(crate) fn carry_on(&mut self, waypoints: &[Numbers], dropped: usize) {
        let end = self.step_count() as f64 * self.ticks_per_step;
        let shift = dropped as f64 * self.ticks_per_step;
        if self.elapsed > end {
            self.offset_since -= self.elapsed - end;
            self.elapsed = end;
        }
        self.elapsed -= shift;
        self.offset_since -= shift;
        let near = waypoints.first().copied().unwrap_or(self.scheduled);
        self.replace(waypoints, near);
    }

    /// Takes waypoints over, the first with the sign nearer to `near`, the others each to the last.
    fn replace(&mut self, waypoints: &[Numbers], near: Numbers) {
        self.waypoints.clear();
        self.ways.clear();
        let mut last = near;
        for waypoint in waypoints {
            let waypoint = self.space.nearer(*waypoint, &last);
            if !self.waypoints.is_empty() {
                self.ways.push(self.space.between(&last, &waypoint));
            }
            self.waypoints.push(waypoint);
            last = waypoint;
        }
    }

    /// Ends the schedule at `at`, approached no faster than a new chunk's start would be.
    pub(crate) fn settle_at(&mut self, at: Numbers) {
        self.follow(&[at], 10.0);
    }

    /// At rest at `at`, at once: only for a robot that stands still there, or with the follower in
    /// between to keep the limits.
    pub(crate) fn reset(&mut self, space: Space, at: Numbers) {
        self.space = space;
        self.waypoints.clear();
        self.ways.clear();
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
    pub(crate) fn waypoints(&self) -> &[Numbers] {
        &self.waypoints
    }

    pub(crate) fn step_count(&self) -> usize {
        self.ways.len()
    }

    pub(crate) fn is_finished(&self) -> bool {
        self.steps_done() == self.step_count()
    }

    /// Where the schedule is now: what a new chunk continues from.
    pub(crate) fn scheduled(&self) -> &Numbers {
        &self.scheduled
    }

    pub(crate) fn smoothed(&self) -> &Numbers {
        &self.smoothed
    }

    fn scheduled_at(&self, elapsed: f64) -> Numbers {
        let done = self.steps_at(elapsed);
        let Some(from) = self.waypoints.get(done) else {
            return self.scheduled;
        };
        let part = (elapsed / self.ticks_per_step - done as f64).clamp(0.0, 1.0);
        let line = match self.ways.get(done) {
            Some(way) => self.space.moved(from, &(way * part)),
            None => *from,
        };
        let worn = (elapsed - self.offset_since) / self.offset_ticks;
        if worn >= 1.0 {
            return line;
        }
        self.space.moved(&line, &(self.offset * (1.0 - worn)))
    }

    /// The change of velocity that the next tick would bring at full pace.
    pub(crate) fn upcoming(&self) -> Upcoming {
        let next = self.scheduled_at(self.elapsed + 1.0);
        let (leaving, follows) = self.first.oldest();
        Upcoming {
            entering: self.space.between(&self.scheduled, &next) / PERIOD_S,
            leaving: self.space.between(leaving, follows) / PERIOD_S,
        }
    }

    /// Moves one period on, and the schedule by `pace` (0 to 1) of it; returns the smoothed
    /// velocity, a way a second.
    pub(crate) fn advance(&mut self, pace: f64) -> Numbers {
        self.elapsed += pace;
        self.scheduled = self.scheduled_at(self.elapsed);
        let last = self.smoothed;
        let mean = self.second.push(self.first.push(self.scheduled));
        self.smoothed = self.space.normalised(mean);
        self.space.between(&last, &self.smoothed) / PERIOD_S
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::space::{BLEND_SPEED_M_S, place, position, rotation, turn};
    use nalgebra::{UnitQuaternion, Vector3};

    fn at(x: f64, y: f64, z: f64) -> Numbers {
        place(&Vector3::new(x, y, z), &UnitQuaternion::identity())
    }

    fn tilted(turn: Vector3<f64>) -> Numbers {
        place(&Vector3::zeros(), &UnitQuaternion::from_scaled_axis(turn))
    }

    fn start() -> Reference {
        Reference::new(Space::Pose, at(0.0, 0.0, 0.0), 4)
    }

    fn run(reference: &mut Reference, ticks: usize) -> Vec<Numbers> {
        (0..ticks).map(|_| reference.advance(1.0)).collect()
    }

    #[test]
    fn ends_exactly_on_the_last_waypoint_after_the_settle_time() {
        let mut reference = start();
        let end = place(
            &Vector3::new(0.03, 0.0, -0.03),
            &UnitQuaternion::from_euler_angles(0.1, -0.1, 0.05),
        );
        reference.follow(&[at(0.0, 0.0, 0.0), end], 10.0);
        run(&mut reference, 100);
        assert!(reference.is_finished());
        run(&mut reference, (SETTLE_S / PERIOD_S).round() as usize);
        assert!((reference.smoothed() - end).norm() < 1e-12);
    }

    #[test]
    fn one_step_chunks_on_time_move_at_constant_speed() {
        let mut reference = start();
        let step = crate::space::way(&Vector3::new(0.02, 0.0, 0.0), &Vector3::new(0.0, 0.1, 0.05));
        let mut velocities = Vec::new();
        for _ in 0..10 {
            let anchor = *reference.scheduled();
            reference.follow(&[anchor, Space::Pose.moved(&anchor, &step)], 10.0);
            velocities.extend(run(&mut reference, 100));
        }
        let turn_speed = turn(&step).norm() / 0.1;
        for velocity in &velocities[150..] {
            assert!((velocity[0] - 0.2).abs() < 1e-9, "{velocity}");
            assert!(
                (turn(velocity).norm() - turn_speed).abs() < 1e-6,
                "{velocity}"
            );
        }
    }

    #[test]
    fn a_distant_start_is_approached_at_the_blend_speed() {
        let mut reference = start();
        let anchor = at(0.0, 0.1, 0.0);
        reference.follow(&[anchor; 6], 10.0);
        let fastest = run(&mut reference, 600)
            .iter()
            .map(|velocity| position(velocity).norm())
            .fold(0.0, f64::max);
        assert!(
            fastest <= BLEND_SPEED_M_S + 1e-9 && fastest > 0.9 * BLEND_SPEED_M_S,
            "{fastest}"
        );
        assert!((reference.smoothed() - anchor).norm() < 1e-12);
    }

    #[test]
    fn a_turn_goes_the_short_way_whatever_the_quaternions_sign() {
        let mut reference = start();
        let end = tilted(Vector3::new(0.0, 0.0, 0.15));
        let mut mirrored = end;
        mirrored.fixed_rows_mut::<4>(3).neg_mut();
        reference.follow(&[tilted(Vector3::zeros()), mirrored], 10.0);
        let fastest = run(&mut reference, 400)
            .iter()
            .map(|velocity| turn(velocity).norm())
            .fold(0.0, f64::max);
        assert!(fastest < 1.51, "{fastest}");
        assert!(rotation(reference.smoothed()).angle_to(&rotation(&end)) < 1e-7);
    }

    #[test]
    fn turning_on_and_on_does_not_drift() {
        let mut reference = start();
        let axis = Vector3::new(0.3, -0.5, 0.8).normalize();
        for round in 0..100 {
            let from = tilted(axis * (0.1 * f64::from(round)));
            let to = tilted(axis * (0.1 * f64::from(round + 1)));
            reference.follow(&[from, to], 10.0);
            for velocity in run(&mut reference, 100) {
                assert!(turn(&velocity).norm() < 1.0 + 1e-6);
            }
        }
        run(&mut reference, 130);
        let end = UnitQuaternion::from_scaled_axis(axis * 10.0);
        assert!(rotation(reference.smoothed()).angle_to(&end) < 1e-7);
    }
}
