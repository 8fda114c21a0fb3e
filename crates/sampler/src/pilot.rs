//! Policy, reward and stage together.

use std::time::Instant;

use tiller_core::Continuation;
use tiller_reward::{EvaluateError, Evaluator, Program};
use tiller_steering::{ActionSpace, Denoiser, Reward, Start, Steerer};

use crate::bound::{BoundReward, ExactReward, TimedDenoiser};
use crate::config::PilotConfig;
use crate::error::PilotError;
use crate::goal::{self, Landscape, Reach};
use crate::plan::{Plan, Request, Timings};
use crate::progress::{GoalSource, Reading, Scale};
use crate::stall::Stall;

/// Plans chunks toward the stage that the robot is in, and measures how far the stage is.
#[derive(Debug)]
pub struct Pilot {
    steerer: Steerer,
    config: PilotConfig,
    program: Option<(Program, usize)>,
    current: Option<Current>,
    /// The plan before; none before the first.
    last: Option<Last>,
}

/// What of a plan the next one may carry on.
#[derive(Debug)]
struct Last {
    /// The chunk, normalised `[T, D]`.
    chunk: Vec<f32>,
    /// Where its steps begin and the last one ends, `[P, 3]`, metres.
    path: Vec<f32>,
}

/// The stage that the robot is in.
#[derive(Debug)]
struct Current {
    stage: u32,
    visit: u32,
    start_keypoints: Vec<[f64; 3]>,
    /// The keypoints that guidance or done read: only these must be known.
    used: Vec<usize>,
    guidance: Option<Guidance>,
    /// Progress of the chunk planned last; fades the guidance of the next.
    planned: f64,
    stall: Stall,
}

/// The reward of a stage that has one.
#[derive(Debug)]
struct Guidance {
    fast: Evaluator<f32>,
    exact: Evaluator<f64>,
    scale: Scale,
}

impl Pilot {
    /// A pilot for a policy with chunks of `horizon` actions in `space`.
    ///
    /// # Errors
    /// Every mistake in the settings together.
    pub fn new(
        config: PilotConfig,
        space: ActionSpace,
        horizon: usize,
    ) -> Result<Self, PilotError> {
        config.validate(horizon)?;
        let steerer = Steerer::new(config.steering.clone(), space, horizon)?;
        Ok(Self {
            steerer,
            config,
            program: None,
            current: None,
            last: None,
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
    pub fn config(&self) -> &PilotConfig {
        &self.config
    }

    /// Takes a program compiled for `keypoints` keypoints and [`Self::points`] points. The robot is
    /// in no stage until [`Self::enter_stage`].
    pub fn set_program(&mut self, program: Program, keypoints: usize) {
        self.program = Some((program, keypoints));
        self.current = None;
    }

    /// Forgets program and stage: plans are the policy's own from now on.
    pub fn clear(&mut self) {
        self.program = None;
        self.current = None;
        self.last = None;
    }

    /// Enters a stage (from 1; 0 leaves all stages) and measures what progress 0 and 1 mean for
    /// it. Returns that scale; `None` for a stage without guidance.
    ///
    /// # Errors
    /// When the stage does not exist, the keypoints do not fit or one that is read is not finite, or the reward has
    /// no finite value where the robot is. The pilot is then in no stage.
    pub fn enter_stage(
        &mut self,
        stage: u32,
        visit: u32,
        keypoints: &[[f64; 3]],
        anchor_m: [f64; 3],
    ) -> Result<Option<Scale>, PilotError> {
        self.current = None;
        if stage == 0 {
            return Ok(None);
        }
        let (program, expected) = self.program.as_ref().ok_or(PilotError::NoSuchStage {
            found: stage,
            stages: 0,
        })?;
        let compiled = program
            .stages
            .get(stage as usize - 1)
            .ok_or(PilotError::NoSuchStage {
                found: stage,
                stages: program.stages.len(),
            })?;
        let mut used = compiled.guidance.used_keypoints();
        used.extend(compiled.done.iter().flat_map(|done| done.used_keypoints()));
        check_keypoints(keypoints, *expected, &used)?;
        check_position("the anchor", anchor_m)?;
        let guidance = if compiled.is_unguided {
            None
        } else {
            let mut exact = Evaluator::new(&compiled.guidance, usize::MAX);
            let reach = Reach {
                anchor: anchor_m,
                keypoints,
                points: self.steerer.points(),
                max_step_m: self.config.max_step_m,
            };
            let scale = measure(
                &mut ExactReward {
                    evaluator: &mut exact,
                    keypoints,
                },
                &reach,
            )?;
            let fast = Evaluator::new(&compiled.guidance, self.config.steering.particles);
            Some(Guidance { fast, exact, scale })
        };
        let scale = guidance.as_ref().map(|guidance| guidance.scale);
        let start_keypoints = keypoints.to_vec();
        self.current = Some(Current {
            stage,
            visit,
            start_keypoints,
            used,
            guidance,
            planned: 0.0,
            stall: Stall::default(),
        });
        Ok(scale)
    }

    /// How far the stage is now, without planning.
    ///
    /// # Errors
    /// When the keypoints do not fit or one that is read is not finite, or the reward or done has no
    /// finite value here.
    pub fn progress(
        &mut self,
        keypoints: &[[f64; 3]],
        end_effector_m: [f64; 3],
    ) -> Result<Reading, PilotError> {
        let points = self.steerer.points();
        let (Some(current), Some((program, expected))) = (&mut self.current, &self.program) else {
            return Ok(Reading::default());
        };
        check_keypoints(keypoints, *expected, &current.used)?;
        check_position("the end effector", end_effector_m)?;
        let compiled = &program.stages[current.stage as usize - 1];
        let done = match &compiled.done {
            Some(done) => Some(
                done.value(keypoints, &current.start_keypoints, end_effector_m)
                    .map_err(|error| not_finite(error, "being done"))?,
            ),
            None => None,
        };
        let mut reading = Reading {
            stage: current.stage,
            visit: current.visit,
            planned: current.planned,
            done,
            ..Reading::default()
        };
        if let Some(guidance) = &mut current.guidance {
            let mut reward = ExactReward {
                evaluator: &mut guidance.exact,
                keypoints,
            };
            reading.reward = reward_of_holding_still(&mut reward, end_effector_m, points)?;
            reading.achieved = guidance.scale.progress(reading.reward);
        }
        Ok(reading)
    }

    /// Plans a chunk. The policy must have encoded the observation of this moment. Outside a stage,
    /// in a stage without guidance and when guidance is off, the policy is sampled as it is.
    ///
    /// # Errors
    /// When a position does not fit or is not finite, the policy or the reward fails, or no particle
    /// is left: then nothing is to be executed.
    pub fn plan(
        &mut self,
        denoiser: &mut dyn Denoiser,
        request: &Request<'_>,
    ) -> Result<Plan, PilotError> {
        let start = Instant::now();
        check_position("the anchor", request.anchor_m)?;
        let mut reading = self.progress(request.keypoints, request.end_effector_m)?;
        let mut timed = TimedDenoiser {
            inner: denoiser,
            spent: Default::default(),
            calls: 0,
        };
        let planned = self.current.as_ref().map_or(0.0, |current| current.planned);
        let mut gain = 1.0;
        if let Some(current) = self.current.as_mut().filter(|_| request.guidance) {
            gain = current.stall.gain(&self.config.stall, reading.achieved);
        }
        self.steerer.set_gain(gain)?;
        let mut guidance = self
            .current
            .as_mut()
            .and_then(|current| current.guidance.as_mut());
        let mut bound = guidance
            .as_mut()
            .filter(|_| request.guidance)
            .map(|guidance| {
                let evaluator = &mut guidance.fast;
                BoundReward {
                    evaluator,
                    keypoints: request.keypoints,
                    spent: Default::default(),
                }
            });
        let mut anchor = request.anchor_m.map(|value| value as f32);
        if let Some(carry_on) = request.carry_on {
            let last = self.last.as_ref().ok_or(PilotError::NothingUnderWay)?;
            let steps = |steps: usize| u32::try_from(steps).unwrap_or(u32::MAX);
            let continuation = Continuation {
                seq: 0,
                step: steps(carry_on.step),
                frozen_steps: steps(carry_on.frozen),
            };
            let softness = if carry_on.same_goal {
                self.config.softness
            } else {
                0.0
            };
            self.steerer
                .carry_on(&last.chunk, &continuation, softness)?;
            anchor = last.joint(carry_on.step, anchor, self.config.max_step_m as f32);
        }
        let sampled = self.steerer.sample(
            &mut timed,
            bound.as_mut().map(|bound| bound as &mut dyn Reward),
            &Start::at(anchor.map(f64::from)),
            planned as f32,
            request.seed,
            request.chunk_index,
        )?;
        let reward_time = bound.as_ref().map(|bound| bound.spent);
        let candidates = sampled.candidates.clone();
        self.last = Some(Last {
            chunk: sampled.sample_of(sampled.selected).to_vec(),
            path: sampled.trajectory_of(sampled.selected).to_vec(),
        });
        let mut plan = Plan {
            chunk: sampled.chunk.clone(),
            horizon: sampled.chunk.len() / timed.action_dim().max(1),
            action_dim: timed.action_dim(),
            execute_steps: self.config.execute_steps,
            steered: reward_time.is_some(),
            points: candidates.len() / (3 * sampled.particles),
            candidates,
            rewards: sampled.rewards.clone(),
            weights: sampled.weights.clone(),
            selected: sampled.selected,
            reading,
            strength: f64::from(sampled.strength * gain),
            ess: f64::from(sampled.ess),
            lost: sampled.lost,
            trace: sampled.trace.clone(),
            resamplings: sampled.resamplings.clone(),
            ancestors: sampled.ancestors.clone(),
            particle_trace: sampled.particle_trace.clone(),
            timings: Timings {
                total: Default::default(),
                denoiser: timed.spent,
                reward: reward_time.unwrap_or_default(),
                denoiser_calls: timed.calls,
            },
        };
        if let Some(current) = &mut self.current
            && let Some(guidance) = &mut current.guidance
        {
            let width = plan.points * 3;
            let selected: Vec<f64> = plan.candidates[plan.selected * width..][..width]
                .iter()
                .map(|value| f64::from(*value))
                .collect();
            let mut reward = ExactReward {
                evaluator: &mut guidance.exact,
                keypoints: request.keypoints,
            };
            let value = single_reward(&mut reward, &selected, "the selected chunk")?;
            current.planned = guidance.scale.progress(value);
            reading.planned = current.planned;
        }
        plan.reading = reading;
        plan.timings.total = start.elapsed();
        Ok(plan)
    }
}

impl Last {
    /// Where step `step` began, as planned; `now`, where the schedule is in the midst of it, if the
    /// actuator had to change the path.
    fn joint(&self, step: usize, now: [f32; 3], max_step_m: f32) -> [f32; 3] {
        let (points, _) = self.path.as_chunks::<3>();
        let planned = points.get(step).copied().unwrap_or(now);
        let apart = planned.iter().zip(now).map(|(a, b)| (a - b).abs());
        if apart.fold(0.0, f32::max) <= 1.5 * max_step_m {
            planned
        } else {
            now
        }
    }
}

/// What progress 0 and 1 mean, measured at stage entry.
fn measure(reward: &mut ExactReward<'_>, reach: &Reach<'_>) -> Result<Scale, PilotError> {
    let entry = reward_of_holding_still(reward, reach.anchor, reach.points)?;
    if goal::becomes_positive(reward, reach)? {
        let goal = goal::highest_reward(reward, reach)?;
        Ok(Scale {
            entry,
            goal,
            source: GoalSource::Optimised,
        })
    } else {
        Ok(Scale {
            entry,
            goal: 0.0,
            source: GoalSource::Zero,
        })
    }
}

fn reward_of_holding_still(
    reward: &mut ExactReward<'_>,
    position: [f64; 3],
    points: usize,
) -> Result<f64, PilotError> {
    single_reward(reward, &position.repeat(points), "holding still")
}

fn single_reward(
    reward: &mut ExactReward<'_>,
    trajectory: &[f64],
    what: &'static str,
) -> Result<f64, PilotError> {
    let mut value = [f64::NAN];
    reward.evaluate(trajectory, &mut value, None)?;
    if value[0].is_finite() {
        Ok(value[0])
    } else {
        Err(PilotError::RewardNotFinite { what })
    }
}

/// Names what has no finite value, which the reward itself cannot know.
fn not_finite(error: EvaluateError, what: &'static str) -> PilotError {
    match error {
        EvaluateError::NotFinite { .. } => PilotError::RewardNotFinite { what },
        error => error.into(),
    }
}

fn check_keypoints(
    keypoints: &[[f64; 3]],
    expected: usize,
    used: &[usize],
) -> Result<(), PilotError> {
    if keypoints.len() != expected {
        return Err(PilotError::KeypointCount {
            expected,
            found: keypoints.len(),
        });
    }
    for &index in used {
        if !is_finite(keypoints[index]) {
            return Err(PilotError::NotFinite {
                what: format!("keypoint {index}"),
                found: keypoints[index],
            });
        }
    }
    Ok(())
}

fn is_finite(position: [f64; 3]) -> bool {
    position.iter().all(|value| value.is_finite())
}

fn check_position(what: &str, found: [f64; 3]) -> Result<(), PilotError> {
    if is_finite(found) {
        return Ok(());
    }
    Err(PilotError::NotFinite {
        what: what.to_owned(),
        found,
    })
}
