//! Settings of the machine, checked once.

use std::ops::Bound;

use tiller_core::Problems;

const SECOND_NS: u64 = 1_000_000_000;

/// Thresholds and budgets of the stage machine. [`Default`] holds the values that Tiller ships.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct StageConfig {
    /// Achieved progress (0 at stage entry, 1 at the goal) whose upward crossing ends a stage.
    pub upper: f64,
    /// Achieved progress whose downward crossing means that what was reached has slipped away.
    pub lower: f64,
    /// Consecutive readings with a done value at or above 0 before the stage counts as done.
    pub done_frames: u32,
    /// Consecutive readings in the high state before progress ends a stage without a done function.
    pub progress_frames: u32,
    /// Longest time in one visit of a stage, ns.
    pub stage_timeout_ns: u64,
    /// Longest time in one visit of a later stage without a rise of achieved progress by
    /// `least_progress`, ns: what the stage stands on is not there, so the stage before is repeated. Time counts
    /// while the arm follows chunks, not while it waits for one.
    pub stall_ns: u64,
    /// Rise of achieved progress by which a stage gets on.
    pub least_progress: f64,
    /// Visits of one stage that may run out of time, or stall, before the machine gives up.
    pub max_timeouts: u32,
    /// Stages that a visit without an end goes back at most: one the first time, one more each further time in a
    /// row.
    pub max_back: u32,
    /// Visits of one stage, for whatever reason, before the machine gives up.
    pub max_visits: u32,
    /// Go back a stage when progress slips from above `upper` to below `lower`.
    pub back_on_slip: bool,
    /// Time in one visit after which advice is worth asking for, ns.
    pub query_after_ns: u64,
    /// Measured gripper speed that counts as closing or opening, m/s.
    pub gripper_speed_m_s: f64,
    /// Opening width that must change in one go to count as an event, m.
    pub gripper_travel_m: f64,
    /// A gripper event older than this cannot end a stage any more, ns.
    pub gripper_memory_ns: u64,
}

impl Default for StageConfig {
    fn default() -> Self {
        Self {
            upper: 0.8,
            lower: 0.6,
            done_frames: 2,
            progress_frames: 2,
            stage_timeout_ns: 8 * SECOND_NS,
            stall_ns: 3 * SECOND_NS / 2,
            least_progress: 0.05,
            max_timeouts: 16,
            max_back: 3,
            max_visits: 24,
            back_on_slip: true,
            query_after_ns: 4 * SECOND_NS,
            gripper_speed_m_s: 0.01,
            gripper_travel_m: 0.008,
            gripper_memory_ns: 2 * SECOND_NS,
        }
    }
}

impl StageConfig {
    /// Checks every field and reports all problems at once.
    ///
    /// # Errors
    /// When thresholds are not ordered inside (-0.2, 1.2), a count is zero or a length not above 0.
    pub fn validate(&self) -> Result<(), Problems> {
        let mut problems = Problems::default();
        // Progress is clamped to [-0.2, 1.2]: a threshold at or beyond an end is never crossed.
        let ordered = -0.2 < self.lower && self.lower < self.upper && self.upper < 1.2;
        problems.require(
            "thresholds",
            ordered,
            "-0.2 < lower < upper < 1.2",
            format!("lower {} and upper {}", self.lower, self.upper),
        );
        let counts = [
            ("done_frames", u64::from(self.done_frames)),
            ("progress_frames", u64::from(self.progress_frames)),
            ("stage_timeout_ns", self.stage_timeout_ns),
            ("stall_ns", self.stall_ns),
            ("max_timeouts", u64::from(self.max_timeouts)),
            ("max_back", u64::from(self.max_back)),
            ("max_visits", u64::from(self.max_visits)),
        ];
        for (name, value) in counts {
            problems.require(name, value > 0, "at least 1", value);
        }
        let lengths = [
            ("gripper_speed_m_s", self.gripper_speed_m_s),
            ("gripper_travel_m", self.gripper_travel_m),
            ("least_progress", self.least_progress),
        ];
        for (name, value) in lengths {
            problems.number(name, value, (Bound::Excluded(0.0), Bound::Unbounded));
        }
        problems.finish(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_valid() {
        assert_eq!(StageConfig::default().validate(), Ok(()));
    }

    #[test]
    fn every_problem_is_reported_at_once() {
        let config = StageConfig {
            upper: 0.5,
            done_frames: 0,
            gripper_travel_m: f64::NAN,
            ..StageConfig::default()
        };
        let error = config.validate().unwrap_err();
        assert_eq!(error.found.len(), 3, "{error}");
        assert!(
            error.to_string().contains("found lower 0.6 and upper 0.5"),
            "{error}"
        );
    }
}
