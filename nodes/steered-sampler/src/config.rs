//! Settings.

use std::path::PathBuf;
use std::time::Duration;

use eyre::{Result, WrapErr};
use tiller_node_kit::{Environment, SettingsError};
use tiller_policy::{Bundle, Policy, RuntimeOptions};
use tiller_steering::SteeringConfig;

use crate::schedule::Ahead;

/// Where the shipped policies lie, seen from the dataflow's folder.
const POLICIES: &str = "models/policies";

/// Planning is as far ahead as it has taken lately.
const AUTO: &str = "auto";

/// Settings of the node.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Settings {
    /// Folder of the policy bundle.
    pub(crate) bundle: PathBuf,
    /// Whether rewards steer; else the policy does as it likes.
    pub(crate) steer: bool,
    /// Source of all randomness.
    pub(crate) seed: u64,
    /// Threads of ONNX Runtime.
    pub(crate) threads: usize,
    /// How chunks are sampled.
    pub(crate) steering: SteeringConfig,
    /// Oldest image to plan from, ns.
    pub(crate) max_image_age_ns: u64,
    /// When the next chunk is planned.
    pub(crate) ahead: Ahead,
    /// Wall time in which a chunk must show up in the robot's state.
    pub(crate) answer_limit: Duration,
}

impl Settings {
    /// Reads and checks everything.
    pub(crate) fn read(mut env: Environment) -> Result<Self, SettingsError> {
        let defaults = SteeringConfig::default();
        let policy = env.text("POLICY", "flow");
        let steer = env.choice("STEER", "on", &[("on", true), ("off", false)]);
        let seed = env.number("SEED", 0, 0..=u64::MAX);
        let threads = env.number("THREADS", 1, 1..=64);
        let steering = SteeringConfig {
            particles: env.number("PARTICLES", defaults.particles, 1..=4096),
            guide_scale: env.number("GUIDE_SCALE", defaults.guide_scale, 0.0..=100.0),
            ..defaults
        };
        let age_ms = env.number("MAX_IMAGE_AGE_MS", 500_u64, 1..=60_000);
        let ahead = match env.text("PLAN_AHEAD_STEPS", AUTO).as_str() {
            AUTO => Ahead::Measured,
            number => match number.parse() {
                Ok(steps @ 0..=16) => Ahead::Steps(steps),
                _ => {
                    let expected = format!("`{AUTO}` or a number from 0 to 16");
                    env.refuse("PLAN_AHEAD_STEPS", &expected, Some(number.to_owned()));
                    Ahead::Measured
                }
            },
        };
        let answer_ms = env.number("ANSWER_LIMIT_MS", 1000_u64, 10..=60_000);
        env.finish(Self {
            bundle: bundle_folder(&policy),
            steer,
            seed,
            threads,
            steering,
            max_image_age_ns: age_ms * 1_000_000,
            ahead,
            answer_limit: Duration::from_millis(answer_ms),
        })
    }

    /// Loads the policy.
    pub(crate) fn open_policy(&self) -> Result<Policy> {
        let what = || format!("cannot open policy `{}`", self.bundle.display());
        let bundle = Bundle::load(&self.bundle).wrap_err_with(what)?;
        let options = RuntimeOptions {
            threads: self.threads,
            ..RuntimeOptions::default()
        };
        Policy::open(&bundle, &options).wrap_err_with(what)
    }
}

/// A policy's name is a folder among the shipped ones; anything else is a path.
fn bundle_folder(policy: &str) -> PathBuf {
    if policy.contains(['/', '\\', '.']) {
        PathBuf::from(policy)
    } else {
        PathBuf::from(POLICIES).join(policy)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_problem_is_reported() {
        let env = Environment::from_pairs([
            ("STEER", "maybe"),
            ("SEED", "-1"),
            ("PARTICLES", "0"),
            ("GUIDE_SCALE", "strong"),
            ("PLAN_AHEAD_STEPS", "17"),
        ]);
        assert_eq!(Settings::read(env).unwrap_err().problems.len(), 5);
    }

    #[test]
    fn planning_ahead_is_measured_or_given() {
        let ahead = |text| {
            let env = Environment::from_pairs([("PLAN_AHEAD_STEPS", text)]);
            Settings::read(env).unwrap().ahead
        };
        assert_eq!(ahead(""), Ahead::Measured);
        assert_eq!(ahead("auto"), Ahead::Measured);
        assert_eq!(ahead("0"), Ahead::Steps(0));
    }

    #[test]
    fn a_policy_is_a_name_or_a_path() {
        let bundle = |policy| {
            Settings::read(Environment::from_pairs([("POLICY", policy)]))
                .unwrap()
                .bundle
        };
        assert_eq!(bundle("flow"), PathBuf::from("models/policies/flow"));
        assert_eq!(bundle("/my/policy"), PathBuf::from("/my/policy"));
        assert_eq!(bundle("./flow"), PathBuf::from("./flow"));
    }

    #[test]
    fn a_missing_bundle_is_named() {
        let env = Environment::from_pairs([("POLICY", "/nowhere/bundle")]);
        let error = format!(
            "{:#}",
            Settings::read(env).unwrap().open_policy().unwrap_err()
        );
        assert!(error.contains("/nowhere/bundle"), "{error}");
    }
}
