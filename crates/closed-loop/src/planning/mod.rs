//! From a request and an encoded observation to an action chunk: policy, reward and steering bound
//! together.

mod bound;
mod goal;
mod plan;
mod request;

use std::sync::Arc;
use std::time::Instant;

use thiserror::Error;
use tiller_core::{Problems, Reads};
use tiller_reward::{Evaluator, Program, Scene};
use tiller_steering::{
    ActionSpace, Denoiser, Reward, Start, Steerer, SteeringConfig, SteeringError,
};

use crate::hand::Hand;
use bound::{BoundReward, TimedDenoiser};

pub(crate) use bound::ExactReward;
pub(crate) use goal::{Landscape, Reach, becomes_positive, highest_reward};
pub use plan::{Plan, Timings};
pub use request::{CarryOn, POLICY_STATE, PlanRequest, UnderWay, policy_state};

/// How chunks are planned.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct PlannerConfig {
    /// How chunks are sampled and steered.
    pub steering: SteeringConfig,
    /// Actions from `steering.execute_start` on that are executed before the next chunk is planned;
    /// default 8.
    pub execute_steps: usize,
    /// The furthest that the end effector moves along an axis in one action, m; default 0.03.
    pub max_step_m: f64,
    /// How much a plan made in motion is drawn toward the one under way where both cover the same
    /// steps and serve the same goal: 0 not at all, 1 nearly always the same behaviour goes on;
    /// default 0.
    pub softness: f32,
}

impl Default for PlannerConfig {
    fn default() -> Self {
        Self {
            steering: SteeringConfig::default(),
            execute_steps: 8,
            max_step_m: 0.03,
            softness: 0.0,
        }
    }
}

impl PlannerConfig {
    /// Checks everything against a policy of `horizon` actions a chunk.
    ///
    /// # Errors
    /// Every mistake at once.
    pub fn validate(&self, horizon: usize) -> Result<(), Problems> {
        let mut problems = self.steering.validate().err().unwrap_or_default();
        let executable = horizon.saturating_sub(self.steering.execute_start);
        problems.require(
            "execute_steps",
            (1..=executable).contains(&self.execute_steps),
            format!("1 to the {executable} actions that can be executed"),
            self.execute_steps,
        );
        problems.require(
            "max_step_m",
            self.max_step_m.is_finite() && self.max_step_m > 0.0,
            "a finite number above 0",
            self.max_step_m,
        );
        problems.require(
            "softness",
            (0.0..=1.0).contains(&self.softness),
            "a number from 0 to 1",
            self.softness,
        );
        problems.finish(())
    }
}

/// Why there is no plan: nothing is to be executed then.
#[derive(Debug, Error)]
pub enum PlanError {
    /// A position is not a finite number.
    #[error("{what} is not finite: [{}, {}, {}]", .found[0], .found[1], .found[2])]
    NotFinite {
        /// Which position.
        what: &'static str,
        /// Its value, m.
        found: [f64; 3],
    },
    /// No chunk could be sampled.
    #[error(transparent)]
    Steering(#[from] SteeringError),
}

impl PlanError {
    /// A word that machines may test for.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Steering(SteeringError::AllLost { .. }) => "all_particles_lost",
            _ => "no_plan",
        }
    }
}

/// Plans chunks. Between two plans it keeps nothing but buffers: the same request, observation and
/// policy give the same plan to the bit.
#[derive(Debug)]
pub struct Planner {
    steerer: Steerer,
    config: PlannerConfig,
    reward: Option<StageReward>,
}

/// The reward of a stage, ready to be evaluated.
#[derive(Debug)]
struct StageReward {
    /// The very program, not its number: episodes elsewhere may count theirs alike.
    program: Arc<Program>,
    stage: u32,
    reads: Reads,
    evaluator: Evaluator<f32>,
}

impl Planner {
    /// A planner for a policy with chunks of `horizon` actions in `space`.
    ///
    /// # Errors
    /// Every mistake in the settings together.
    pub fn new(
        config: PlannerConfig,
        space: ActionSpace,
        horizon: usize,
    ) -> Result<Self, SteeringError> {
        config.validate(horizon)?;
        let steerer = Steerer::new(config.steering.clone(), space, horizon)?;
        Ok(Self {
            steerer,
            config,
            reward: None,
        })
    }

    /// Points of a trajectory: what reward programs are to be compiled for, together with the
    /// number of keypoints.
    #[must_use]
    pub fn points(&self) -> usize {
        self.steerer.points()
    }

    /// The settings.
    #[must_use]
    pub fn config(&self) -> &PlannerConfig {
        &self.config
    }

    /// Plans a chunk. The policy must have encoded the observation of the request's moment.
    /// Without a program, or in a stage without guidance, the policy is sampled as it is.
    ///
    /// # Errors
    /// When a position is not finite, the policy or the reward fails, or no particle is left.
    pub fn plan(
        &mut self,
        denoiser: &mut dyn Denoiser,
        request: &PlanRequest,
    ) -> Result<Plan, PlanError> {
        let start = Instant::now();
        let anchor = request.execution.anchor;
        if !anchor.is_valid() {
            return Err(PlanError::NotFinite {
                what: "the anchor",
                found: anchor.position_m,
            });
        }
        let steered = self.prepare_reward(request);
        let mut timed = TimedDenoiser {
            inner: denoiser,
            spent: Default::default(),
            calls: 0,
        };
        self.steerer.set_gain(request.gain)?;
        self.steerer.set_way(request.way);
        let mut bound = self
            .reward
            .as_mut()
            .filter(|_| steered)
            .map(|reward| BoundReward {
                reads: reward.reads,
                evaluator: &mut reward.evaluator,
                scene: Scene {
                    keypoints: &request.keypoints,
                    keypoint_axes: &request.keypoint_axes,
                },
                spent: Default::default(),
            });
        let mut start_at = Start {
            pose: anchor,
            opening: Hand::measured(&request.arm).opening(),
            joints_rad: Some(request.execution.anchor_q_rad),
        };
        if let Some(carry_on) = &request.carry_on {
            let softness = if carry_on.same_goal {
                self.config.softness
            } else {
                0.0
            };
            self.steerer
                .carry_on(&carry_on.under_way.sample, &carry_on.continuation, softness)?;
            // Where the step that is under way begins as it is executed: the actuator may have had to
            // change the path, and who starts where the last plan believed to be never learns of it.
            let planned = &carry_on.under_way.openings;
            let opening = planned.get(carry_on.continuation.step as usize);
            start_at = Start {
                pose: request.execution.step_start,
                opening: opening.copied().unwrap_or(start_at.opening),
                joints_rad: Some(request.execution.step_start_q_rad),
            };
        }
        let sampled = self.steerer.sample(
            &mut timed,
            bound.as_mut().map(|bound| bound as &mut dyn Reward),
            &start_at,
            request.planned_progress as f32,
            request.seed,
            request.chunk_index,
        )?;
        let reward_time = bound.as_ref().map(|bound| bound.spent);
        let action_dim = timed.action_dim().max(1);
        let points = sampled.candidates.len() / (3 * sampled.particles);
        Ok(Plan {
            chunk: sampled.chunk.clone(),
            horizon: sampled.chunk.len() / action_dim,
            action_dim,
            execute_steps: self.config.execute_steps,
            steered: reward_time.is_some(),
            points,
            candidates: sampled.candidates.clone(),
            rewards: sampled.rewards.clone(),
            weights: sampled.weights.clone(),
            selected: sampled.selected,
            sample: sampled.sample_of(sampled.selected).to_vec(),
            path: sampled.path.clone(),
            strength: f64::from(sampled.strength * request.gain),
            ess: f64::from(sampled.ess),
            lost: sampled.lost,
            trace: sampled.trace.clone(),
            resamplings: sampled.resamplings.clone(),
            ancestors: sampled.ancestors.clone(),
            particle_trace: sampled.particle_trace.clone(),
            timings: Timings {
                total: start.elapsed(),
                denoiser: timed.spent,
                reward: reward_time.unwrap_or_default(),
                denoiser_calls: timed.calls,
            },
        })
    }

    /// Makes the request's reward ready; says whether there is one.
    fn prepare_reward(&mut self, request: &PlanRequest) -> bool {
        let Some(program) = &request.program else {
            return false;
        };
        let number = request.visit.stage;
        let stage = (number as usize)
            .checked_sub(1)
            .and_then(|index| program.stages.get(index))
            .filter(|stage| !stage.is_unguided);
        let Some(stage) = stage else {
            return false;
        };
        let is_ready = self
            .reward
            .as_ref()
            .is_some_and(|r| Arc::ptr_eq(&r.program, program) && r.stage == number);
        if !is_ready {
            self.reward = Some(StageReward {
                program: Arc::clone(program),
                stage: number,
                reads: stage.guidance.reads(),
                evaluator: Evaluator::new(&stage.guidance, self.config.steering.particles),
            });
        }
        true
    }
}
