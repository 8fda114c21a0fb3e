//! Settings.

use std::time::Duration;

use eyre::{Result, WrapErr};
use tiller_closed_loop::{
    Ahead, GrowthConfig, POLICY_STATE, Planner, PlannerConfig, PolicyFacts, Sampler, SamplerConfig,
};
use tiller_core::Problems;
use tiller_node_kit::Environment;
use tiller_policy::{Bundle, Fit, Policy, Provider, RuntimeOptions, Supply, find_bundle};
use tiller_steering::{Guide, SteeringConfig};

use crate::cameras::wanted;

/// Planning is as far ahead as it has taken lately; a seed is the episode's; guidance moves what the
/// bundle says.
const AUTO: &str = "auto";

/// Settings of the node.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Settings {
    /// The policy bundle: its name or its folder.
    pub(crate) policy: String,
    /// Whether rewards steer; else the policy does as it likes.
    pub(crate) steer: bool,
    /// Source of all randomness; none takes the episode's.
    pub(crate) seed: Option<u64>,
    /// Threads of ONNX Runtime.
    pub(crate) threads: usize,
    /// Processor that runs the policy.
    pub(crate) provider: Provider,
    /// How chunks are sampled.
    pub(crate) steering: SteeringConfig,
    /// What guidance may move; none takes what the bundle says.
    pub(crate) guide: Option<Guide>,
    /// Oldest image to plan from, ns.
    pub(crate) max_image_age_ns: u64,
    /// How far apart the frames of one moment may be, ns.
    pub(crate) frame_tolerance_ns: u64,
    /// Inputs that show cameras, by the policy's names.
    pub(crate) cameras: Vec<(String, String)>,
    /// What becomes of pictures of another size than the policy's.
    pub(crate) picture_fit: Fit,
    /// When the next chunk is planned.
    pub(crate) ahead: Ahead,
    /// Time in which a chunk must show up in the execution state.
    pub(crate) answer_limit: Duration,
    /// Whether a journal is sent for recorders.
    pub(crate) journal: bool,
}

impl Settings {
    /// Reads and checks everything.
    pub(crate) fn read(mut env: Environment) -> Result<Self, Problems> {
        let defaults = SteeringConfig::default();
        let policy = env.text("POLICY", "flow");
        let steer = env.choice("STEER", "on", &[("on", true), ("off", false)]);
        let seed = match env.optional("SEED").as_deref() {
            None | Some(AUTO) => None,
            Some(_) => Some(env.number("SEED", 0, 0..=u64::MAX)),
        };
        let threads = env.number("THREADS", 1, 1..=64);
        let providers = [Provider::Cpu, Provider::Cuda].map(|known| (known.name(), known));
        let provider = env.choice("EXECUTION_PROVIDER", "cpu", &providers);
        env.renamed("PROVIDER", "EXECUTION_PROVIDER");
        let steering = SteeringConfig {
            particles: env.number("PARTICLES", defaults.particles, 1..=4096),
            guide_scale: env.number("GUIDE_SCALE", defaults.guide_scale, 0.0..=100.0),
            gripper_scale: env.number("GRIPPER_SCALE", defaults.gripper_scale, 0.0..=100.0),
            ..defaults
        };
        let guide = read_guide(&mut env);
        let age_ms = env.number("MAX_IMAGE_AGE_MS", 500_u64, 1..=60_000);
        let tolerance_ms = env.number("FRAME_TOLERANCE_MS", 20_u64, 0..=10_000);
        let cameras = read_cameras(&mut env);
        let picture_fit = env.choice("PICTURE_FIT", "exact", &Fit::NAMES);
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
        let journal = env.choice("JOURNAL", "on", &[("on", true), ("off", false)]);
        env.finish(Self {
            policy,
            steer,
            seed,
            threads,
            provider,
            steering,
            guide,
            max_image_age_ns: age_ms * 1_000_000,
            frame_tolerance_ns: tolerance_ms * 1_000_000,
            cameras,
            picture_fit,
            ahead,
            answer_limit: Duration::from_millis(answer_ms),
            journal,
        })
    }

    /// Loads the policy, and refuses one that wants to know what the node does not.
    pub(crate) fn open_policy(&self) -> Result<(Bundle, Policy)> {
        let here = std::env::current_dir().wrap_err("there is no working directory")?;
        let folder = find_bundle(&self.policy, &here).wrap_err("POLICY")?;
        let what = || format!("cannot open policy `{}`", folder.display());
        let bundle = Bundle::load(&folder).wrap_err_with(what)?;
        let cameras = wanted(&bundle);
        let cameras: Vec<_> = cameras.iter().map(String::as_str).collect();
        bundle
            .check_supply(&Supply {
                cameras: &cameras,
                state: POLICY_STATE,
                environment: 0,
                instruction: true,
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
        Ok((bundle, policy))
    }

    /// A planner for the policy, which is run once so that the first chunk takes no longer.
    pub(crate) fn planner(&self, policy: &mut Policy) -> Result<Planner> {
        let mut steering = self.steering.clone();
        policy.configure(&mut steering);
        steering.guide = self.guide.unwrap_or(steering.guide);
        policy.warm_up(&[steering.unsteered_particles, steering.particles])?;
        let manifest = policy.manifest();
        let config = PlannerConfig {
            steering,
            execute_steps: manifest.execute_steps,
            ..Default::default()
        };
        Ok(Planner::new(
            config,
            policy.action_space(),
            manifest.horizon,
        )?)
    }

    /// The machine for the policy.
    pub(crate) fn sampler(
        &self,
        session: u64,
        policy: &Policy,
        planner: &Planner,
    ) -> Result<Sampler> {
        let manifest = policy.manifest();
        let facts = PolicyFacts {
            name: self.policy.clone(),
            points: planner.points(),
            execute_steps: manifest.execute_steps,
            observation_steps: manifest.observation_steps,
            max_step_m: planner.config().max_step_m,
            layout: policy.action_space().layout,
            guide: planner.config().steering.guide,
        };
        Ok(Sampler::new(SamplerConfig {
            session,
            steer: self.steer,
            seed: self.seed,
            ahead: self.ahead,
            max_observation_age_ns: self.max_image_age_ns,
            answer_limit_ns: u64::try_from(self.answer_limit.as_nanos()).unwrap_or(u64::MAX),
            growth: GrowthConfig::default(),
            ..SamplerConfig::new(facts)
        })?)
    }
}

/// `GUIDE`: `auto`, or `position` and what else guidance may move.
fn read_guide(env: &mut Environment) -> Option<Guide> {
    match env.text("GUIDE", AUTO).as_str() {
        AUTO => None,
        text => match text.parse() {
            Ok(guide) => Some(guide),
            Err(_) => {
                let expected = format!("`{AUTO}`, `position`, or `position,rotation,gripper`");
                env.refuse("GUIDE", &expected, Some(text.to_owned()));
                None
            }
        },
    }
}

/// `CAMERAS`: `static=image,wrist=wrist_image`.
fn read_cameras(env: &mut Environment) -> Vec<(String, String)> {
    let Some(text) = env.optional("CAMERAS") else {
        return Vec::new();
    };
    let pair = |pair: &str| {
        let (camera, input) = pair.split_once('=')?;
        let (camera, input) = (camera.trim(), input.trim());
        (!camera.is_empty() && !input.is_empty()).then(|| (camera.to_owned(), input.to_owned()))
    };
    let pairs: Option<Vec<_>> = text.split(',').map(pair).collect();
    pairs.unwrap_or_else(|| {
        let expected = "pairs such as `static=image,wrist=wrist_image`";
        env.refuse("CAMERAS", expected, Some(text));
        Vec::new()
    })
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
            ("GRIPPER_SCALE", "-1"),
            ("PLAN_AHEAD_STEPS", "17"),
            ("EXECUTION_PROVIDER", "tpu"),
            ("PROVIDER", "cpu"),
            ("CAMERAS", "static"),
            ("GUIDE", "wrist"),
        ]);
        assert_eq!(Settings::read(env).unwrap_err().found.len(), 10);
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

    fn open(pairs: &[(&str, &str)]) -> Result<(Bundle, Policy)> {
        let env = Environment::from_pairs(pairs.iter().copied());
        Settings::read(env).unwrap().open_policy()
    }

    #[test]
    fn a_policy_is_a_name_or_a_path() {
        // Tests run in the crate's folder; the shipped policies lie above it.
        for policy in ["flow", "../../models/policies/flow"] {
            let opened = open(&[("POLICY", policy)]).unwrap();
            assert_eq!(opened.1.provider(), Provider::Cpu);
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
        let error = format!("{:#}", open(&[("EXECUTION_PROVIDER", "cuda")]).unwrap_err());
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
