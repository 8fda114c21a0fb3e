//! Telling a stage that gets nowhere from one that gets on.
//!
//! Where the policy wants to stay and guidance wants to go, a chunk can come out as standing still,
//! and so will the next. The closed loop answers by pushing harder until the stage gets on again.

use tiller_core::Problems;

/// How guidance grows while a stage gets nowhere.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StallConfig {
    /// Progress by which a stage must rise above what it had reached for it to get on; default 0.05.
    pub least_progress: f64,
    /// Plans in a row without that before guidance grows; default 1.
    pub patience: u32,
    /// What the strength is multiplied by at every such plan, at least 1; default 1.5.
    pub growth: f32,
    /// The most that it is multiplied by in all, at least 1; 1 turns this off; default 4.
    pub most: f32,
}

impl Default for StallConfig {
    fn default() -> Self {
        Self {
            least_progress: 0.05,
            patience: 1,
            growth: 1.5,
            most: 4.0,
        }
    }
}

impl StallConfig {
    /// # Errors
    /// Every mistake at once.
    pub fn validate(&self) -> Result<(), Problems> {
        let mut problems = Problems::default();
        problems.number("stall.least_progress", self.least_progress, 0.0..);
        problems.number("stall.growth", self.growth, 1.0..);
        problems.number("stall.most", self.most, 1.0..);
        problems.finish(())
    }
}

/// How a visit to a stage gets on.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Stall {
    /// The highest progress at any plan; none before the first.
    best: Option<f64>,
    /// Plans since it rose.
    idle: u32,
}

impl Stall {
    /// Takes the progress achieved at the time of a plan; returns what to multiply guidance by.
    pub(crate) fn gain(&mut self, config: &StallConfig, achieved: f64) -> f32 {
        let gets_on = self
            .best
            .is_none_or(|best| achieved >= best + config.least_progress);
        if gets_on {
            self.best = Some(achieved);
            self.idle = 0;
        } else {
            self.idle += 1;
        }
        let grown = self.idle.saturating_sub(config.patience);
        let exponent = i32::try_from(grown).unwrap_or(i32::MAX);
        config.growth.powi(exponent).min(config.most)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guidance_grows_while_nothing_happens_and_is_itself_again_after() {
        let (mut stall, config) = (Stall::default(), StallConfig::default());
        let mut gain = |achieved| stall.gain(&config, achieved);
        assert_eq!(gain(0.3), 1.0, "the first plan");
        assert_eq!(gain(0.36), 1.0, "it gets on");
        assert_eq!(gain(0.37), 1.0, "patience");
        assert_eq!(gain(0.2), 1.5);
        assert_eq!(gain(0.39), 2.25);
        assert_eq!(gain(0.5), 1.0, "it gets on again");
        let last = (0..1000).map(|_| gain(0.5)).last();
        assert_eq!(last, Some(4.0));
    }

    #[test]
    fn every_mistake_is_named() {
        assert!(StallConfig::default().validate().is_ok());
        let config = StallConfig {
            least_progress: -0.1,
            patience: 0,
            growth: 0.5,
            most: f32::NAN,
        };
        let problems = config.validate().unwrap_err();
        assert_eq!(problems.found.len(), 3, "{problems}");
    }
}
