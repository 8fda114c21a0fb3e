//! Settings of a pilot.

use std::ops::Bound;

use tiller_core::Problems;
use tiller_steering::SteeringConfig;

use crate::stall::StallConfig;

/// How a pilot samples and measures.
#[derive(Debug, Clone, PartialEq)]
pub struct PilotConfig {
    /// How chunks are sampled and steered.
    pub steering: SteeringConfig,
    /// Actions from `steering.execute_start` on that are executed before the next chunk is planned;
    /// default 8.
    pub execute_steps: usize,
    /// The furthest the end effector moves along an axis in one action, in metres; default 0.03.
    /// Bounds the search for the highest reward that a stage can reach.
    pub max_step_m: f64,
    /// How much a plan made during the motion is drawn toward the one under way where both cover
    /// the same steps and serve the same goal: 0 not at all, 1 nearly always the same behaviour
    /// goes on; default 0.
    pub softness: f32,
    /// How guidance grows while a stage gets nowhere.
    pub stall: StallConfig,
}

impl Default for PilotConfig {
    fn default() -> Self {
        Self {
            steering: SteeringConfig::default(),
            execute_steps: 8,
            max_step_m: 0.03,
            softness: 0.0,
            stall: StallConfig::default(),
        }
    }
}

impl PilotConfig {
    /// Checks everything against a policy of `horizon` actions a chunk.
    ///
    /// # Errors
    /// Every mistake at once.
    pub fn validate(&self, horizon: usize) -> Result<(), Problems> {
        let mut problems = self.steering.validate().err().unwrap_or_default();
        let executable = horizon.saturating_sub(self.steering.execute_start);
        problems.range("execute_steps", self.execute_steps, 1, executable);
        let positive = (Bound::Excluded(0.0), Bound::Unbounded);
        problems.number("max_step_m", self.max_step_m, positive);
        problems.number("softness", self.softness, 0.0..=1.0);
        problems.extend("", self.stall.validate().err().unwrap_or_default());
        problems.finish(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mistakes_of_all_parts_are_reported_together() {
        assert!(PilotConfig::default().validate(16).is_ok());
        let config = PilotConfig {
            steering: SteeringConfig {
                particles: 0,
                ..SteeringConfig::default()
            },
            execute_steps: 17,
            max_step_m: f64::NAN,
            softness: 1.5,
            stall: StallConfig {
                growth: 0.0,
                ..StallConfig::default()
            },
        };
        let problems = config.validate(16).unwrap_err();
        assert_eq!(problems.found.len(), 5, "{problems}");
    }
}
