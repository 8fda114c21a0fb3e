//! Whether one joint can still brake before its limits, and how far all of them go until they rest.

use crate::PERIOD_S;

/// One joint seen in the direction of one of its bounds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Side {
    /// Speed towards the bound, rad/s.
    pub(crate) rate: f64,
    /// Distance to it, rad.
    pub(crate) room: f64,
    pub(crate) max_rate: f64,
    pub(crate) max_acceleration: f64,
    pub(crate) jerk: f64,
}

/// Most of a joint's highest deceleration that approaching a bound relies on.
pub(crate) const APPROACH_SHARE: f64 = 0.6;

impl Side {
    /// The highest speed (rad/s) towards the bound from which braking with `share` of the highest
    /// deceleration ends before it.
    pub(crate) fn approach_rate(&self, share: f64) -> f64 {
        let deceleration = share * self.max_acceleration;
        let lost = deceleration * self.delay_s();
        (lost * lost + 2.0 * deceleration * self.room.max(0.0)).sqrt() - lost
    }

    /// The deceleration (rad/s2) with which the joint has to brake from now on to end before the bound,
    /// the highest where no other would do.
    pub(crate) fn needed_deceleration(&self) -> f64 {
        let way = self.room - self.rate * self.delay_s();
        let steady = if way > 0.0 {
            self.rate * self.rate / (2.0 * way)
        } else {
            f64::INFINITY
        };
        // A slow joint may come to rest by decay; one that leaves the bound needs nothing.
        let decay = (self.rate / self.delay_s()).max(0.0);
        steady.min(decay).min(self.max_acceleration)
    }

    /// Jerk takes one acceleration back and builds the other up meanwhile.
    fn delay_s(&self) -> f64 {
        2.0 * self.max_acceleration / self.jerk + 2.0 * PERIOD_S
    }

    /// The highest acceleration in `[low, high]` after which braking is still possible, or `low`.
    pub(crate) fn highest_acceleration(&self, low: f64, high: f64) -> f64 {
        if self.can_brake_after(high) {
            return high;
        }
        if !self.can_brake_after(low) {
            return low;
        }
        let (mut safe, mut unsafe_) = (low, high);
        for _ in 0..20 {
            let middle = 0.5 * (safe + unsafe_);
            if self.can_brake_after(middle) {
                safe = middle;
            } else {
                unsafe_ = middle;
            }
        }
        safe
    }

    fn can_brake_after(&self, acceleration: f64) -> bool {
        let rate = self.rate + acceleration * PERIOD_S;
        // While jerk takes the acceleration back to zero the rate still rises by this much.
        let peak = rate + acceleration.max(0.0).powi(2) / (2.0 * self.jerk);
        if peak > self.max_rate {
            return false;
        }
        if peak <= 0.0 {
            return rate * PERIOD_S <= self.room;
        }
        let delay = (acceleration + self.max_acceleration).max(0.0) / self.jerk + PERIOD_S;
        let distance = peak * delay + peak * peak / (2.0 * self.max_acceleration);
        rate.max(0.0) * PERIOD_S + distance <= self.room
    }
}

/// How joints that brake together come to rest, their rates keeping their ratio.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stop {
    /// Until the deceleration is there, s.
    pub(crate) delay_s: f64,
    /// From then until rest, s.
    pub(crate) braking_s: f64,
}

impl Stop {
    /// The way to rest, as the time that it would take at the rates before.
    pub(crate) fn way_s(&self) -> f64 {
        self.delay_s + 0.5 * self.braking_s
    }

    /// The share of the rates, up to 1, from which the way to rest is `way_s` at the rates before: with
    /// fewer of them braking takes less time, and the way is a quadratic function of the share.
    pub(crate) fn share_within(&self, way_s: f64) -> f64 {
        let root = (self.delay_s * self.delay_s + 2.0 * self.braking_s * way_s).sqrt();
        (2.0 * way_s / (self.delay_s + root)).min(1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_of_the_rates_has_that_share_of_the_way_to_rest() {
        let stop = Stop {
            delay_s: 0.01,
            braking_s: 0.2,
        };
        assert!((stop.share_within(stop.way_s()) - 1.0).abs() < 1e-12);
        for way_s in [0.0, 1e-4, 0.05, 0.1] {
            let share = stop.share_within(way_s);
            let way = share * stop.delay_s + 0.5 * share * share * stop.braking_s;
            assert!((way - way_s).abs() < 1e-12);
        }
        assert_eq!(stop.share_within(1.0), 1.0);
    }
}
