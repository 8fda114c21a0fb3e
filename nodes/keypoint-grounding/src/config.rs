//! Settings.

use tiller_core::Problems;
use tiller_grounding::GroundingConfig;
use tiller_node_kit::Environment;

/// Settings of the node.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Settings {
    /// How objects turn into keypoints.
    pub(crate) grounding: GroundingConfig,
    /// Frames without any object after which the node gives up.
    pub(crate) max_empty_frames: u32,
}

impl Settings {
    /// Reads and checks everything.
    pub(crate) fn read(mut env: Environment) -> Result<Self, Problems> {
        let defaults = GroundingConfig::default();
        let min_pixels = env.number("MIN_PIXELS", defaults.min_pixels, 1..=10_000);
        let max_empty_frames = env.number("MAX_EMPTY_FRAMES", 50, 1..=100_000);
        let grounding = GroundingConfig {
            min_pixels,
            ..defaults
        };
        env.finish(Self {
            grounding,
            max_empty_frames,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_problem_is_reported() {
        let env = Environment::from_pairs([("MIN_PIXELS", "0"), ("MAX_EMPTY_FRAMES", "none")]);
        let error = Settings::read(env).unwrap_err();
        assert_eq!(error.found.len(), 2, "{error}");
    }
}
