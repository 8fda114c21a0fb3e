//! Settings of a pilot.

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
    pub fn validate(&self, horizon: usize) -> Result<(), tiller_steering::ConfigError> {
        let mut mistakes = self
            .steering
            .validate()
            .err()
            .map_or_else(Vec::new, |e| e.mistakes);
        let executable = horizon.saturating_sub(self.steering.execute_start);
        if !(1..=executable).contains(&self.execute_steps) {
            mistakes.push(format!(
                "execute_steps must be from 1 to the {executable} actions that can be executed, \
                 found {}",
                self.execute_steps
            ));
        }
        if !(self.max_step_m.is_finite() && self.max_step_m > 0.0) {
            let found = self.max_step_m;
            mistakes.push(format!(
                "max_step_m must be finite and above 0, found {found}"
            ));
        }
        if !(0.0..=1.0).contains(&self.softness) {
            let found = self.softness;
            mistakes.push(format!("softness must be from 0 to 1, found {found}"));
        }
        mistakes.extend(
            self.stall
                .validate()
                .err()
                .into_iter()
                .flat_map(|e| e.mistakes),
        );
        if mistakes.is_empty() {
            Ok(())
        } else {
            Err(tiller_steering::ConfigError { mistakes })
        }
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
        let mistakes = config.validate(16).unwrap_err().mistakes;
        assert_eq!(mistakes.len(), 5, "{mistakes:?}");
    }
}
