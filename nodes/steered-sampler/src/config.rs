//! Settings.

use std::time::Duration;

use eyre::{Result, WrapErr};
use tiller_node_kit::{Environment, SettingsError};
use tiller_policy::{Bundle, Policy, Provider, RuntimeOptions, Supply, find_bundle};
use tiller_steering::SteeringConfig;

use crate::planner::STATE;
use crate::schedule::Ahead;
use crate::senses::CAMERAS;

/// Planning is as far ahead as it has taken lately.
const AUTO: &str = "auto";

/// Settings of the node.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Settings {
    /// The policy bundle: its name or its folder.
    pub(crate) policy: String,
    /// Whether rewards steer; else the policy does as it likes.
    pub(crate) steer: bool,
    /// Source of all randomness.
    pub(crate) seed: u64,
    /// Threads of ONNX Runtime.
    pub(crate) threads: usize,
    /// Processor that runs the policy.
    pub(crate) provider: Provider,
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
        let providers = [Provider::Cpu, Provider::Cuda].map(|known| (known.name(), known));
        let provider = env.choice("PROVIDER", "cpu", &providers);
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
            policy,
            steer,
            seed,
            threads,
            provider,
            steering,
            max_image_age_ns: age_ms * 1_000_000,
            ahead,
            answer_limit: Duration::from_millis(answer_ms),
        })
    }

    /// Loads the policy, and refuses one that wants to see what the node does not.
    pub(crate) fn open_policy(&self) -> Result<Policy> {
        let here = std::env::current_dir().wrap_err("there is no working directory")?;
        let folder = find_bundle(&self.policy, &here).wrap_err("POLICY")?;
        let what = || format!("cannot open policy `{}`", folder.display());
        let bundle = Bundle::load(&folder).wrap_err_with(what)?;
        bundle
            .check_supply(&Supply {
                cameras: &CAMERAS,
                state: STATE,
                environment: 0,
            })
            .wrap_err_with(what)?;
        let options = RuntimeOptions {
            threads: self.threads,
            provider: self.provider,
            ..RuntimeOptions::default()
        };
        let policy = Policy::open(&bundle, &options).wrap_err_with(what)?;
        tracing::info!(
            policy = %folder.display(),
            provider = %policy.provider(),
            threads = self.threads,
            "policy opened"
        );
        Ok(policy)
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
            ("PROVIDER", "tpu"),
        ]);
        assert_eq!(Settings::read(env).unwrap_err().problems.len(), 6);
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

    fn open(pairs: &[(&str, &str)]) -> Result<Policy> {
        let env = Environment::from_pairs(pairs.iter().copied());
        Settings::read(env).unwrap().open_policy()
    }

    #[test]
    fn a_policy_is_a_name_or_a_path() {
        // Tests run in the crate's folder; the shipped policies lie above it.
        for policy in ["flow", "../../models/policies/flow"] {
            let opened = open(&[("POLICY", policy)]).unwrap();
            assert_eq!(opened.provider(), Provider::Cpu);
        }
    }

    #[test]
    fn a_policy_that_sees_more_than_the_node_is_refused_at_the_start() {
        let bundle = "../../crates/policy/tests/data/lerobot/environment";
        let error = format!("{:#}", open(&[("POLICY", bundle)]).unwrap_err());
        assert!(
            error.contains("`observation.environment_state`.source: expected `robot_state`"),
            "{error}"
        );
    }

    #[cfg(not(feature = "cuda"))]
    #[test]
    fn a_provider_that_cannot_be_had_is_an_error() {
        let error = format!("{:#}", open(&[("PROVIDER", "cuda")]).unwrap_err());
        assert!(error.contains("--features cuda"), "{error}");
    }

    #[test]
    fn a_missing_bundle_is_named() {
        let error = format!("{:#}", open(&[("POLICY", "/nowhere/bundle")]).unwrap_err());
        assert!(
            error.contains("POLICY: no policy `/nowhere/bundle`") && error.contains("`flow`"),
            "{error}"
        );
    }
}
