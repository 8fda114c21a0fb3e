//! One episode after the other: a world, its cameras and a policy around the closed loop.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use eyre::{Result, WrapErr};
use tiller_closed_loop::{
    Actuator, Ahead, GrowthConfig, InProcess, POLICY_STATE, Planner, PlannerConfig, PolicyFacts,
    Sampler, SamplerConfig, Switcher, SwitcherConfig,
};
use tiller_core::{SECOND_NS, StateComponent};
use tiller_grounding::{Grounder, GroundingConfig};
use tiller_motion::ActuatorConfig;
use tiller_policy::{Bundle, ObservationKind, Observer, Policy, Provider, RuntimeOptions, Supply};
use tiller_report::Recorder;
use tiller_stages::StageConfig;
use tiller_steering::Guide;
use tiller_vlm::Author;
use tiller_world::{Channels, World};

use super::blind::{Blind, Gaussian};
use super::course::Course;
use super::cpu::thread_cpu_s;
use super::eyes::Eyes;
use super::{EpisodeResult, EpisodeSpec, seconds};
use crate::handicap::Handicap;
use crate::rig::actuator_config;
use crate::subject::Subject;

/// Oldest observation that a chunk may come from where planning is quick, ns: as `dataflow.yml` has it.
const MAX_CHUNK_AGE_NS: u64 = 3 * SECOND_NS;

/// What all episodes have in common.
#[derive(Clone, Debug, PartialEq)]
pub struct RunnerConfig {
    /// Folder of the policy bundle.
    pub policy: PathBuf,
    /// Threads that one policy may use.
    pub threads: usize,
    /// Processor that runs the policy.
    pub provider: Provider,
    /// Sampling and steering; the bundle says how many sampling steps and how many executed steps.
    pub planner: PlannerConfig,
    /// What guidance may move; what the bundle says when `None`.
    pub guide: Option<Guide>,
    /// How guidance grows on a plateau.
    pub growth: GrowthConfig,
    /// Stage switching.
    pub stages: StageConfig,
    /// What takes sight from the policy, if anything.
    pub blind: Option<Blind>,
    /// What makes episodes harder than the world does.
    pub handicap: Handicap,
    /// Steers by a program's last stage from the start, instead of one stage after the other.
    pub last_stage_only: bool,
    /// Keypoints.
    pub grounding: GroundingConfig,
    /// When the next chunk is planned.
    pub ahead: Ahead,
    /// How long planning takes in simulated time, ns: a benchmark must not depend on its machine.
    pub planning_ns: u64,
}

/// Runs episodes; holds a world, its cameras and a policy.
pub struct Runner {
    pub(super) config: RunnerConfig,
    pub(super) world: Box<dyn World>,
    pub(super) author: Arc<dyn Author + Send + Sync>,
    pub(super) eyes: Eyes,
    /// Of the last steered episode: its detector's model is loaded once.
    pub(super) grounder: Option<Grounder>,
    pub(super) policy: Policy,
    pub(super) gaussian: Gaussian,
    /// What the policy is told of the arm, and room for it.
    pub(super) told: (Vec<StateComponent>, Vec<f32>),
    pub(super) observer: Observer,
    pub(super) planner: Planner,
}

impl Runner {
    /// Loads world and policy.
    ///
    /// # Errors
    /// When the bundle is not sound or wants to see what the world does not show, or the world, the
    /// renderer or ONNX Runtime does not start.
    pub fn new(subject: &Subject, config: RunnerConfig) -> Result<Self> {
        let bundle = Bundle::load(&config.policy)?;
        let info = subject.kind.info();
        let known: Vec<_> = info.cameras.iter().map(|camera| camera.name).collect();
        bundle.check_supply(&Supply {
            cameras: &known,
            state: POLICY_STATE,
            environment: 0,
            instruction: true,
        })?;
        let options = RuntimeOptions {
            threads: config.threads,
            provider: config.provider,
            ..RuntimeOptions::default()
        };
        let policy = Policy::open(&bundle, &options)?;
        let observations = bundle.manifest().observations.iter();
        let cameras: Vec<String> = observations
            .filter(|input| input.kind == ObservationKind::Image)
            .map(|input| input.source.clone())
            .collect();
        let world = subject.kind.make().wrap_err("cannot make the world")?;
        let eyes = Eyes::new(info).only(&cameras);
        Ok(Self {
            planner: planner(&policy, &config)?,
            config,
            world,
            author: Arc::clone(&subject.author),
            eyes,
            grounder: None,
            gaussian: Gaussian::new(&policy)?,
            told: (policy.manifest().robot_state(), Vec::new()),
            policy,
            observer: Observer::default(),
        })
    }

    /// The processor that runs the policy.
    #[must_use]
    pub fn provider(&self) -> Provider {
        self.policy.provider()
    }

    /// Samples, steers and switches stages as `config` says from now on. Policy, processor and threads
    /// stay as they are.
    ///
    /// # Errors
    /// When the settings do not fit the policy; nothing has changed then.
    pub fn steer_as(&mut self, config: &RunnerConfig) -> Result<()> {
        if (&config.planner, config.guide) != (&self.config.planner, self.config.guide) {
            self.planner = planner(&self.policy, config)?;
        }
        self.config = RunnerConfig {
            policy: self.config.policy.clone(),
            threads: self.config.threads,
            provider: self.config.provider,
            ..config.clone()
        };
        Ok(())
    }

    /// Runs one episode and, if there is a recorder, fills it.
    ///
    /// # Errors
    /// When the world, rendering or inference fails. That steering could not begin, or that the
    /// reward broke, is no error: the episode has failed, with the reason in its result.
    pub fn run(
        &mut self,
        spec: &EpisodeSpec,
        recorder: Option<&mut Recorder>,
    ) -> Result<EpisodeResult> {
        let (start, cpu_start_s) = (Instant::now(), thread_cpu_s());
        let mut scene = tiller_world::EpisodeSpec {
            tasks: spec.tasks.clone(),
            seed: spec.seed,
            variation: spec.variation.clone(),
            instruction: spec.instruction.clone(),
        };
        self.eyes.open();
        if self.config.blind == Some(Blind::OtherImages) {
            // The seed's neighbour, which worlds with few scenes have, too.
            scene.seed ^= 1;
            self.world.reset(&scene)?;
            self.eyes.look(self.world.as_mut(), Channels::COLOUR)?;
            self.eyes.look_elsewhere(self.world.as_mut())?;
            self.eyes.freeze()?;
            scene.seed = spec.seed;
        }
        self.world.reset(&scene)?;
        self.observer.forget(&mut self.policy);
        let machines = self.machines(spec)?;
        let mut result = Course::new(self, machines, spec, recorder)?.run()?;
        result.record = self.world.record();
        result.time.wall_s = seconds(start.elapsed());
        result.cpu_s = thread_cpu_s() - cpu_start_s;
        Ok(result)
    }

    fn machines(&self, spec: &EpisodeSpec) -> Result<InProcess> {
        let config = &self.config;
        let manifest = self.policy.manifest();
        let facts = PolicyFacts {
            name: manifest.name.clone(),
            points: self.planner.points(),
            execute_steps: manifest.execute_steps,
            observation_steps: manifest.observation_steps,
            max_step_m: self.planner.config().max_step_m,
            layout: self.policy.action_space().layout,
            guide: self.planner.config().steering.guide,
        };
        let sampler = Sampler::new(SamplerConfig {
            steer: spec.instruction.is_some(),
            ahead: ahead(config, self.policy.manifest().rate_hz),
            growth: config.growth,
            last_stage_only: config.last_stage_only,
            ..SamplerConfig::new(facts)
        })?;
        let switcher = Switcher::new(SwitcherConfig {
            stages: config.stages.clone(),
            ..SwitcherConfig::default()
        })?;
        let actuator = Actuator::new(ActuatorConfig {
            max_chunk_age_ns: oldest_ns(config.planning_ns),
            ..actuator_config(self.world.info())
        });
        Ok(InProcess::new(sampler, switcher, actuator))
    }
}

/// The steps that are set, if planning ends within them; else as many as it takes, which is what the dataflow does by
/// default. A chunk that carries on one that is over would be refused.
fn ahead(config: &RunnerConfig, rate_hz: f64) -> Ahead {
    let planning_steps = config.planning_ns as f64 * 1e-9 * rate_hz;
    match config.ahead {
        Ahead::Steps(steps) if steps > 0 && planning_steps > f64::from(steps) => Ahead::Measured,
        ahead => ahead,
    }
}

/// Oldest observation that a chunk may come from, ns: the dataflow's, or what planning and a look take.
fn oldest_ns(planning_ns: u64) -> u64 {
    MAX_CHUNK_AGE_NS.max(planning_ns.saturating_add(SECOND_NS))
}

/// A planner for the policy, which says how many steps are sampled and executed.
fn planner(policy: &Policy, config: &RunnerConfig) -> Result<Planner> {
    let manifest = policy.manifest();
    let (guide, mut config) = (config.guide, config.planner.clone());
    config.execute_steps = manifest.execute_steps;
    policy.configure(&mut config.steering);
    config.steering.guide = guide.unwrap_or(config.steering.guide);
    Ok(Planner::new(
        config,
        policy.action_space(),
        manifest.horizon,
    )?)
}
