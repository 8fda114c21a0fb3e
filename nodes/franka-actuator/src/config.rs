//! Settings.

use std::path::PathBuf;

use tiller_core::Problems;
use tiller_motion::ActuatorConfig;
use tiller_node_kit::Environment;

use crate::arms::{ARMS, Opening};

/// Settings of the node.
#[derive(Debug)]
pub(crate) struct Settings {
    /// Which arm is moved.
    pub(crate) arm: Opening,
    /// Limits and checks.
    pub(crate) actuator: ActuatorConfig,
    /// Folder of the journal; none keeps no journal.
    pub(crate) journal: Option<PathBuf>,
}

impl Settings {
    /// Reads and checks everything.
    pub(crate) fn read(mut env: Environment) -> Result<Self, Problems> {
        let defaults = ActuatorConfig::default();
        let kind = env.choice("ARM", "simulation", ARMS);
        let arm = kind(&mut env);
        let age_ms = env.number(
            "MAX_CHUNK_AGE_MS",
            defaults.max_chunk_age_ns / 1_000_000,
            1..=60_000,
        );
        let actuator = ActuatorConfig {
            max_chunk_age_ns: age_ms * 1_000_000,
            ..defaults
        };
        let journal = env.optional("JOURNAL_DIR").map(PathBuf::from);
        env.finish(Self {
            arm,
            actuator,
            journal,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_arm_and_a_bad_age_are_reported_together() {
        let env = Environment::from_pairs([("ARM", "toaster"), ("MAX_CHUNK_AGE_MS", "0")]);
        let error = Settings::read(env).unwrap_err().to_string();
        assert!(
            error.contains("ARM: expected one of `simulation`, `dry-run`, `fci`, found `toaster`"),
            "{error}"
        );
        assert!(error.contains("MAX_CHUNK_AGE_MS"), "{error}");
    }

    #[test]
    fn limits_are_on_by_default() {
        let settings = Settings::read(Environment::from_pairs([])).unwrap();
        assert_eq!(settings.actuator, ActuatorConfig::default());
    }
}
