//! Settings of the sampler's machine.

use tiller_core::{ActionLayout, Problems, SECOND_NS};
use tiller_steering::Guide;

use super::schedule::Ahead;
use crate::meter::GrowthConfig;

/// How the machine decides; what does not depend on the policy has a default.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct SamplerConfig {
    /// The session that its chunks carry.
    pub session: u64,
    /// Whether rewards steer; else the policy does as it likes.
    pub steer: bool,
    /// Seed of all randomness; none takes the episode's.
    pub seed: Option<u64>,
    /// The policy.
    pub policy: PolicyFacts,
    /// When the next chunk is planned.
    pub ahead: Ahead,
    /// Oldest observation to plan from, ns; default 500 ms.
    pub max_observation_age_ns: u64,
    /// Time in which a chunk must show up in the execution state, ns; default 1 s.
    pub answer_limit_ns: u64,
    /// How guidance grows on a plateau.
    pub growth: GrowthConfig,
    /// Steers by a program's last stage from the start, instead of one stage after the other: for
    /// comparisons. The switcher must be told of that stage alone.
    pub last_stage_only: bool,
    /// When keypoints are too old to steer by.
    pub blindness: BlindnessConfig,
}

/// What the machine knows of the policy.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct PolicyFacts {
    /// Name of the bundle.
    pub name: String,
    /// Points of a trajectory, T + 1.
    pub points: usize,
    /// Actions that are executed before the next chunk is planned.
    pub execute_steps: usize,
    /// Observations that the policy sees at once; more than 1 for a policy with a history.
    pub observation_steps: usize,
    /// The furthest that the end effector moves along an axis in one action, m.
    pub max_step_m: f64,
    /// What its actions hold.
    pub layout: ActionLayout,
    /// What guidance may move beside the position.
    pub guide: Guide,
}

/// How guidance fades when nothing of the scene has been seen for a while: an image without depth,
/// labels or features shows no keypoint at all. A single keypoint that the arm hides is no
/// blindness: its last position stands.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct BlindnessConfig {
    /// Time without any visible keypoint from which guidance fades, ns; default 0.5 s.
    pub fade_after_ns: u64,
    /// Time after which the arm holds until something is seen again, ns; default 2 s.
    pub hold_after_ns: u64,
}

impl Default for BlindnessConfig {
    fn default() -> Self {
        Self {
            fade_after_ns: SECOND_NS / 2,
            hold_after_ns: 2 * SECOND_NS,
        }
    }
}

impl BlindnessConfig {
    /// What guidance is multiplied by after so long a blindness; none: the arm has to hold.
    pub(crate) fn fading(&self, blind_ns: u64) -> Option<f32> {
        if blind_ns >= self.hold_after_ns {
            return None;
        }
        let over = blind_ns.saturating_sub(self.fade_after_ns) as f64;
        let span = (self.hold_after_ns - self.fade_after_ns) as f64;
        Some((1.0 - over / span) as f32)
    }
}

impl SamplerConfig {
    /// The defaults for a policy.
    #[must_use]
    pub fn new(policy: PolicyFacts) -> Self {
        Self {
            session: 1,
            steer: true,
            seed: None,
            policy,
            ahead: Ahead::Measured,
            max_observation_age_ns: SECOND_NS / 2,
            answer_limit_ns: SECOND_NS,
            growth: GrowthConfig::default(),
            last_stage_only: false,
            blindness: BlindnessConfig::default(),
        }
    }

    /// Everything that is wrong with the settings.
    #[must_use]
    pub fn problems(&self) -> Problems {
        let mut problems = self.growth.problems();
        problems.extend("layout.", self.policy.layout.problems());
        problems.require(
            "execute_steps",
            self.policy.execute_steps > 0,
            "at least 1",
            self.policy.execute_steps,
        );
        problems.require(
            "points",
            self.policy.points >= 2,
            "at least 2",
            self.policy.points,
        );
        problems.require(
            "blindness",
            self.blindness.fade_after_ns < self.blindness.hold_after_ns,
            "fade_after_ns below hold_after_ns",
            format!(
                "{} and {}",
                self.blindness.fade_after_ns, self.blindness.hold_after_ns
            ),
        );
        problems
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guidance_fades_with_blindness_and_ends() {
        let config = BlindnessConfig::default();
        assert_eq!(config.fading(0), Some(1.0));
        assert_eq!(config.fading(SECOND_NS / 2), Some(1.0));
        let half = config.fading(5 * SECOND_NS / 4).unwrap();
        assert!((half - 0.5).abs() < 1e-6, "{half}");
        assert_eq!(config.fading(2 * SECOND_NS), None);
    }
}
