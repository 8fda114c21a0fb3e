//! How far a stage is, in units of its own reward.

use tiller_core::Visit;

/// The lowest and the highest progress that is ever reported.
const RANGE: (f64, f64) = (-0.2, 1.2);
/// A stage whose goal is no higher than this above its start is complete from the start.
const NO_WAY_LEFT: f64 = 1e-6;

/// Where the reward of a reached goal comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GoalSource {
    /// The reward never was positive on the probes: its goal is 0.
    Zero,
    /// The reward can be positive: a trajectory was optimised directly.
    Optimised,
}

/// The rewards that stand for progress 0 and 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scale {
    /// Reward of holding still when the stage was entered.
    pub entry: f64,
    /// Reward when the stage is reached.
    pub goal: f64,
    /// Where `goal` comes from.
    pub source: GoalSource,
}

impl Scale {
    /// Progress `(R - R_entry) / (R_goal - R_entry)`, in `[-0.2, 1.2]`. A stage that was entered at
    /// its goal has progress 1 as long as its reward does not fall below the goal, else -0.2.
    #[must_use]
    pub fn progress(&self, reward: f64) -> f64 {
        let way = self.goal - self.entry;
        if way > NO_WAY_LEFT {
            ((reward - self.entry) / way).clamp(RANGE.0, RANGE.1)
        } else if reward >= self.goal.min(self.entry) - NO_WAY_LEFT {
            1.0
        } else {
            RANGE.0
        }
    }
}

/// How far the robot is in its stage.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Reading {
    /// What is measured; no stage when there is none.
    pub visit: Visit,
    /// Progress of holding still where the robot is now; 0 in a stage without guidance.
    pub achieved: f64,
    /// Progress of the chunk planned last; what `achieved` was at entry, 0, before the first.
    pub planned: f64,
    /// Value of the stage's `done` function: complete at or above 0; `None` without one.
    pub done: Option<f64>,
    /// Reward of holding still now; 0 in a stage without guidance.
    pub reward: f64,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn scale(entry: f64, goal: f64) -> Scale {
        Scale {
            entry,
            goal,
            source: GoalSource::Zero,
        }
    }

    #[test]
    fn entry_is_0_and_goal_is_1() {
        let scale = scale(-0.3, 0.0);
        assert_eq!(scale.progress(-0.3), 0.0);
        assert_eq!(scale.progress(0.0), 1.0);
        assert!((scale.progress(-0.15) - 0.5).abs() < 1e-12);
        assert_eq!(scale.progress(-9.0), -0.2);
        assert_eq!(scale.progress(9.0), 1.2);
    }

    #[test]
    fn a_stage_entered_at_its_goal_is_complete_until_it_is_left() {
        let scale = scale(0.0, 0.0);
        assert_eq!(scale.progress(0.0), 1.0);
        assert_eq!(scale.progress(-0.1), -0.2);
    }

    proptest! {
        #[test]
        fn progress_rises_with_the_reward(
            entry in -5.0..0.0f64, goal in -5.0..5.0f64, low in -9.0..9.0f64, more in 0.0..9.0f64,
        ) {
            let scale = scale(entry, goal);
            prop_assert!(scale.progress(low) <= scale.progress(low + more));
            prop_assert!((-0.2..=1.2).contains(&scale.progress(low)));
        }
    }
}
