//! One action chunk outside of any run, sampled as the node samples it.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use eyre::{Result, WrapErr, ensure};
use image::RgbImage;
use tiller_closed_loop::{
    GrowthConfig, Hand, Plan, PlanRequest, Planner, PlannerConfig, Reading, StageMeter, hand_access,
};
use tiller_core::Reads;
use tiller_policy::{Bundle, ImageView, Observation, Policy, RuntimeOptions};
use tiller_reward::{EvaluateError, Evaluator, HandAccess, Program, Scene};
use tiller_steering::{Guide, SteeringConfig, TraceLevel};

/// What a policy was shown at one moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Shown {
    /// Camera names and images.
    pub images: Vec<(String, RgbImage)>,
    /// The robot's state in the policy's units, usually TCP x, y, z and gripper width, m.
    pub state: Vec<f32>,
    /// The environment's state, for policies that want one; else empty.
    pub environment: Vec<f32>,
}

/// The moment that a chunk is planned from.
#[derive(Clone, Debug)]
pub struct Situation<'a> {
    /// What the policy saw, oldest first; the last is now.
    pub history: &'a [Shown],
    /// What the robot is told to do, for policies that read; else empty.
    pub instruction: &'a str,
    /// Keypoints in the program's order, m.
    pub keypoints: &'a [[f64; 3]],
    /// Where displacements start, m.
    pub anchor_m: [f64; 3],
    /// Where the end effector is, m.
    pub end_effector_m: [f64; 3],
}

/// What to sample.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SampleSpec {
    /// Stage of the program, from 1.
    pub stage: u32,
    /// Whether the program steers; else it only judges the policy's own chunks.
    pub steer: bool,
    /// With the chunk's index the source of all randomness.
    pub seed: u64,
    /// Index of the chunk in a run.
    pub chunk_index: u64,
}

/// A chunk and everything about it.
#[derive(Clone, Debug)]
pub struct Sample {
    /// The plan, with every particle's trace.
    pub plan: Plan,
    /// How far the stage is, and would be with the plan.
    pub reading: Reading,
    /// Rewards of the candidates; none without a program or in a stage without guidance.
    pub rewards: Option<Vec<f32>>,
    /// Wall time of encoding the observation.
    pub encode: Duration,
}

/// A policy with its planner.
pub struct Sampler {
    policy: Policy,
    planner: Planner,
}

impl Sampler {
    /// Opens the bundle in `folder`. `particles` are sampled with a reward and without.
    ///
    /// # Errors
    /// When bundle, ONNX Runtime or settings are not sound.
    pub fn open(
        folder: &Path,
        threads: usize,
        particles: Option<usize>,
        guide_scale: Option<f32>,
        guide: Option<Guide>,
    ) -> Result<Self> {
        let bundle = Bundle::load(folder)?;
        let options = RuntimeOptions {
            threads,
            ..RuntimeOptions::default()
        };
        let policy = Policy::open(&bundle, &options)?;
        let mut steering = SteeringConfig {
            trace: TraceLevel::Full,
            ..SteeringConfig::default()
        };
        steering.particles = particles.unwrap_or(steering.particles);
        steering.unsteered_particles = steering.particles;
        steering.guide_scale = guide_scale.unwrap_or(steering.guide_scale);
        policy.configure(&mut steering);
        steering.guide = guide.unwrap_or(steering.guide);
        let manifest = policy.manifest();
        let config = PlannerConfig {
            steering,
            execute_steps: manifest.execute_steps,
            ..PlannerConfig::default()
        };
        let planner = Planner::new(config, policy.action_space(), manifest.horizon)?;
        Ok(Self { policy, planner })
    }

    /// Points of a trajectory: what programs are compiled for.
    #[must_use]
    pub fn points(&self) -> usize {
        self.planner.points()
    }

    /// What of the hand programs may read and move.
    #[must_use]
    pub fn hand(&self) -> HandAccess {
        hand_access(&self.policy.action_space().layout, self.steering().guide)
    }

    /// The settings of the sampling.
    #[must_use]
    pub fn steering(&self) -> &SteeringConfig {
        &self.planner.config().steering
    }

    /// The policy.
    #[must_use]
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Samples one chunk, as the first one of a visit of the stage.
    ///
    /// # Errors
    /// When the observation does not fit the policy, the stage cannot be entered, or sampling fails.
    pub fn sample(
        &mut self,
        situation: &Situation<'_>,
        program: Option<&Program>,
        spec: SampleSpec,
    ) -> Result<Sample> {
        self.policy.reset();
        let config = self.planner.config();
        let growth = GrowthConfig::default();
        let mut meter = StageMeter::new(self.planner.points(), config.max_step_m, growth);
        let shared = program.map(|program| Arc::new(program.clone()));
        let (keypoints, anchor_m) = (situation.keypoints, situation.anchor_m);
        let mut request = PlanRequest {
            seed: spec.seed,
            chunk_index: spec.chunk_index,
            ..PlanRequest::outside_of_runs(
                shared.clone(),
                spec.stage,
                keypoints,
                anchor_m,
                situation.end_effector_m,
            )
        };
        let scene = Scene::from(keypoints);
        if let Some(program) = shared {
            meter.set_program(program, keypoints.len());
            meter
                .enter(request.visit, scene, Hand::down(anchor_m))
                .wrap_err_with(|| format!("cannot enter stage {}", spec.stage))?;
        }
        if !spec.steer {
            request.program = None;
        }
        let start = Instant::now();
        self.show(situation.history, situation.instruction)?;
        let encode = start.elapsed();
        let mut reading = meter
            .progress(scene, Hand::down(situation.end_effector_m))
            .wrap_err("planning failed")?;
        let plan = self
            .planner
            .plan(&mut self.policy, &request)
            .wrap_err("planning failed")?;
        reading.planned = meter.take_plan(scene, plan.selected_trajectory(), &plan.path)?;
        let stage = program.and_then(|program| program.stages.get(spec.stage as usize - 1));
        let rewards = match stage {
            Some(_) if plan.steered => Some(plan.rewards.clone()),
            // The candidates are positions: how the hand is turned on the others is not kept.
            Some(stage) if !stage.is_unguided && stage.guidance.reads() == Reads::default() => {
                let mut rewards = vec![f32::NAN; plan.rewards.len()];
                let mut evaluator = Evaluator::new(&stage.guidance, rewards.len());
                match evaluator.evaluate(keypoints, &plan.candidates, &mut rewards, None) {
                    // All values have been written; those of others are good.
                    Ok(()) | Err(EvaluateError::NotFinite { .. }) => Some(rewards),
                    Err(error) => return Err(error.into()),
                }
            }
            _ => None,
        };
        Ok(Sample {
            plan,
            reading,
            rewards,
            encode,
        })
    }

    fn show(&mut self, history: &[Shown], instruction: &str) -> Result<()> {
        ensure!(!history.is_empty(), "there is no observation to plan from");
        let last = history.len() - 1;
        for (index, shown) in history.iter().enumerate() {
            let views: Vec<ImageView<'_>> = shown
                .images
                .iter()
                .map(|(name, image)| ImageView {
                    name,
                    width: image.width() as usize,
                    height: image.height() as usize,
                    rgb: image.as_raw(),
                })
                .collect();
            let observation = Observation {
                images: &views,
                state: &shown.state,
                environment: &shown.environment,
                instruction,
            };
            if index == last {
                self.policy.encode(&observation)?;
            } else {
                self.policy.observe(&observation)?;
            }
        }
        Ok(())
    }
}
