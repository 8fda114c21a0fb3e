//! The sampler's machine: observations, state, program and stage in; plan requests, chunks and
//! progress out.
//!
//! It decides when a chunk is due, from what it is planned and what becomes of a plan. It never
//! plans itself: a [`SamplerEffect::Plan`] holds all inputs, and whoever runs it feeds the result
//! back as [`SamplerEvent::Planned`], after as long as it took.

mod config;
mod follow;
mod inputs;
mod readiness;
mod rehearsal;
mod schedule;
mod trust;

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tiller_core::Visit;
use tiller_messages::{
    ActionChunk, ArmState, Candidates, DryPlan, Episode, ExecutionMode, ExecutionState, Keypoints,
    ProgramContract, Progress, Proposal, RewardProgram, StageCommand,
};
use tiller_reward::Scene;

use crate::hand::Hand;
use crate::meter::StageMeter;
use crate::notice::{Notice, Waiting};
use crate::planning::{Plan, PlanRequest};
use crate::stamps::StampFilter;
use follow::Goal;
use rehearsal::Rehearsal;
use schedule::{Due, Schedule, SentChunk};

pub use config::{BlindnessConfig, PolicyFacts, SamplerConfig};
pub use schedule::Ahead;

/// What the machine is told.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum SamplerEvent {
    /// The policy's cameras have seen one moment; whoever feeds the machine keeps the images.
    Observation {
        /// Stamp of the first camera's image, ns.
        stamp_ns: u64,
    },
    /// What the arm measured.
    Arm(ArmState),
    /// What the actuator is doing.
    Execution(ExecutionState),
    /// Where the keypoints are.
    Keypoints(Keypoints),
    /// A reward program.
    Program(RewardProgram),
    /// A decision of the stage switcher.
    Stage(StageCommand),
    /// The stage switcher said the same again, as it does every second.
    StageStands,
    /// An episode begins.
    Episode(Episode),
    /// What came of a [`SamplerEffect::Plan`].
    Planned(PlanReport),
    /// Time has passed.
    Time,
    /// A program was proposed, or something was decided about one.
    Proposal(Proposal),
    /// What came of a [`SamplerEffect::Rehearse`].
    Rehearsed(PlanReport),
}

/// What came of a request.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PlanReport {
    /// [`PlanRequest::id`].
    pub id: u64,
    /// Wall time that it took, ns.
    pub spent_ns: u64,
    /// What the policy saw, the newest last; empty where nobody notes it.
    pub seen: Vec<Seen>,
    /// The plan, or why there is none.
    pub outcome: Result<Box<Plan>, PlanFailure>,
}

/// A moment that a policy saw.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// The moment's stamp, ns.
    pub stamp_ns: u64,
    /// Stamps of the cameras' frames, in the bundle's order, ns.
    pub frames_ns: Vec<u64>,
    /// Stamp of the arm's state that the policy was told, ns.
    pub arm_ns: u64,
}

/// Why there is no plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanFailure {
    /// A word that machines may test for, such as `all_particles_lost`.
    pub code: String,
    /// What went wrong.
    pub text: String,
}

/// What is to be done.
#[derive(Debug, Clone, Serialize)]
#[allow(
    clippy::large_enum_variant,
    reason = "a chunk is moved once on its way out, and a few effects live at a time"
)]
pub enum SamplerEffect {
    /// Show the policy this observation: it has a history.
    Observe {
        /// Stamp of the observation, ns.
        stamp_ns: u64,
    },
    /// Forget what the policy was shown: another episode has begun.
    ForgetHistory,
    /// Plan a chunk from the observation that the request names. A newer request makes an older one
    /// that has not begun void.
    Plan(Box<PlanRequest>),
    /// Send a chunk.
    Chunk(ActionChunk),
    /// Send all particles of a plan, for viewing.
    Candidates(Candidates),
    /// Send a progress reading.
    Progress(Progress),
    /// Tell people.
    Tell(Notice),
    /// Plan this without leaving a trace; what is to move the arm goes before it.
    Rehearse(Box<PlanRequest>),
    /// Send what came of it, for viewing.
    DryPlan(DryPlan),
}

/// How soon after one observation the next may come, in action steps: stamps are never exact.
const EARLIEST_OBSERVATION: f64 = 0.75;

/// Failures in a row after which the level of their notices rises.
const GRAVE_FAILURES: u32 = 10;

/// The machine. See the module's documentation.
#[derive(Debug)]
pub struct Sampler {
    config: SamplerConfig,
    meter: StageMeter,
    schedule: Schedule,
    goal: Goal,
    episode: Option<Episode>,
    arm: Option<ArmState>,
    execution: Option<ExecutionState>,
    keypoints: Option<Keypoints>,
    observation_ns: Option<u64>,
    /// When the policy with a history was shown something last, ns.
    shown_ns: Option<u64>,
    in_flight: Option<InFlight>,
    requests: u64,
    chunks: u64,
    planned_chunks: u64,
    last: LastPlan,
    rehearsal: Rehearsal,
    /// Stamp of the newest keypoints of which one was visible, ns.
    seen_ns: u64,
    /// Stamp of the arm's state when the stage switcher spoke last, ns.
    stage_heard_ns: u64,
    failures: u32,
    /// Stamp of the observation from which nothing could be planned, ns: the next one may go better.
    failed_ns: Option<u64>,
    arm_stamps: StampFilter,
    execution_stamps: StampFilter,
    waiting: Waiting,
}

#[derive(Debug, Clone)]
struct InFlight {
    request: Box<PlanRequest>,
    /// The goal has changed since: its result counts for nothing.
    is_void: bool,
}

/// What of the last plan is repeated with every progress reading.
#[derive(Debug, Default)]
struct LastPlan {
    strength: f64,
    reward: f64,
    ess: f64,
}

impl Sampler {
    /// A machine that waits for its first episode.
    ///
    /// # Errors
    /// Every mistake in the settings.
    pub fn new(config: SamplerConfig) -> Result<Self, tiller_core::Problems> {
        config.problems().finish(())?;
        let policy = &config.policy;
        Ok(Self {
            meter: StageMeter::new(policy.points, policy.max_step_m, config.growth),
            schedule: Schedule::new(config.session, config.answer_limit_ns, config.ahead),
            config,
            goal: Goal::default(),
            episode: None,
            arm: None,
            execution: None,
            keypoints: None,
            observation_ns: None,
            shown_ns: None,
            in_flight: None,
            requests: 0,
            chunks: 0,
            planned_chunks: 0,
            last: LastPlan::default(),
            rehearsal: Rehearsal::default(),
            seen_ns: 0,
            stage_heard_ns: 0,
            failures: 0,
            failed_ns: None,
            arm_stamps: StampFilter::default(),
            execution_stamps: StampFilter::default(),
            waiting: Waiting::default(),
        })
    }

    /// Its settings.
    #[must_use]
    pub fn config(&self) -> &SamplerConfig {
        &self.config
    }

    /// Takes an event at `now_ns` of the caller's clock, which only ever measures how long something
    /// has not come; appends what is to be done.
    pub fn on(&mut self, event: SamplerEvent, now_ns: u64, effects: &mut Vec<SamplerEffect>) {
        match event {
            SamplerEvent::Observation { stamp_ns } => self.on_observation(stamp_ns, effects),
            SamplerEvent::Arm(arm) => self.on_arm(arm, effects),
            SamplerEvent::Execution(execution) => self.on_execution(execution, effects),
            SamplerEvent::Keypoints(keypoints) => self.on_keypoints(keypoints, now_ns, effects),
            SamplerEvent::Program(program) => {
                self.enter_episode(program.episode, effects);
                self.goal.on_program(program);
                self.follow(now_ns, effects);
            }
            SamplerEvent::Stage(command) => {
                self.enter_episode(command.episode, effects);
                self.goal.on_stage(command);
                self.stage_heard();
                self.follow(now_ns, effects);
            }
            SamplerEvent::StageStands => self.stage_heard(),
            SamplerEvent::Episode(episode) => self.on_episode(episode, effects),
            SamplerEvent::Planned(report) => self.on_planned(report, now_ns, effects),
            SamplerEvent::Time => {}
            SamplerEvent::Proposal(proposal) => self.rehearsal.on_proposal(proposal),
            SamplerEvent::Rehearsed(report) => self.on_rehearsed(report, effects),
        }
        self.plan_if_due(now_ns, effects);
        self.rehearse_if_idle(effects);
    }

    /// When [`SamplerEvent::Time`] is due at the latest, ns of the caller's clock.
    #[must_use]
    pub fn wake_at(&self) -> Option<u64> {
        let times = [self.waiting.wake_at(), self.schedule.wake_at()];
        times.into_iter().flatten().min()
    }

    /// What reward programs must be compiled for.
    #[must_use]
    pub fn contract(&self) -> ProgramContract {
        let policy = &self.config.policy;
        ProgramContract {
            policy: policy.name.clone(),
            points: u32::try_from(policy.points).unwrap_or(u32::MAX),
            guides_rotation: policy.guide.rotation,
            guides_gripper: policy.guide.gripper,
            layout: policy.layout.clone(),
            ..Default::default()
        }
    }

    fn send_progress(&mut self, effects: &mut Vec<SamplerEffect>) {
        if self.lost().is_some() {
            return;
        }
        let (Some(keypoints), Some(arm)) = (&self.keypoints, &self.arm) else {
            return;
        };
        let (points, axes) = places(keypoints);
        let scene = scene(&points, &axes);
        match self.meter.progress(scene, Hand::measured(arm)) {
            Ok(reading) if reading.visit.is_some() => {
                let stamp_ns = keypoints.stamp_ns;
                effects.push(SamplerEffect::Progress(self.progress(stamp_ns, &reading)));
            }
            Ok(_) => {}
            Err(error) => self.fail("no_progress", &error.to_string(), effects),
        }
    }

    /// A reading as a message, with what is known of the last plan.
    fn progress(&self, stamp_ns: u64, reading: &crate::Reading) -> Progress {
        Progress {
            stamp_ns,
            program: reading.visit.program,
            stage: reading.visit.stage,
            visit: reading.visit.visit,
            planned: reading.planned,
            achieved: reading.achieved,
            done: reading.done,
            guidance_strength: self.last.strength,
            reward: self.last.reward,
            ess: self.last.ess,
            ..Default::default()
        }
    }

    /// Nothing is sent but the notice: the arm holds once it has executed what it has, until a later
    /// moment goes better.
    fn fail(&mut self, code: &str, text: &str, effects: &mut Vec<SamplerEffect>) {
        self.failures += 1;
        // The first is told at once, then one of ten: a bad policy fails at every frame.
        if self.failures > 1 && !self.failures.is_multiple_of(GRAVE_FAILURES) {
            return;
        }
        let text = format!("{text} ({} in a row)", self.failures);
        effects.push(SamplerEffect::Tell(if self.failures < GRAVE_FAILURES {
            Notice::warning(code, text)
        } else {
            Notice::error(code, text)
        }));
    }

    fn plan_if_due(&mut self, now_ns: u64, effects: &mut Vec<SamplerEffect>) {
        let due = match &self.execution {
            Some(execution) if is_put_to_rest(execution) => {
                // What is planned for now would not be of when it goes on.
                if let Some(in_flight) = &mut self.in_flight {
                    in_flight.is_void = true;
                }
                Due::NotYet
            }
            Some(execution) => self.schedule.due(execution, now_ns),
            None => Due::NotYet,
        };
        // An arm that takes none says itself why.
        let is_taking = |state: &ExecutionState| state.mode.takes_chunks();
        let is_taking = self.execution.as_ref().is_some_and(is_taking);
        if let Some(seq) = self.schedule.take_lost().filter(|_| is_taking) {
            effects.push(SamplerEffect::Tell(Notice::warning(
                "chunk_not_taken_up",
                format!("chunk {seq} was refused or lost: planning anew"),
            )));
        }
        let missing = self.missing(&due);
        let is_ready = missing.is_none();
        effects.extend(
            self.waiting
                .update(missing, now_ns)
                .map(SamplerEffect::Tell),
        );
        let is_busy = self.in_flight.as_ref().is_some_and(|plan| !plan.is_void);
        if let Due::Now { since_ns, carry_on } = due
            && is_ready
            && !is_busy
            && let Some(request) = self.request(since_ns, carry_on, effects)
        {
            if let Some(execution) = &self.execution {
                self.schedule.asked(execution);
            }
            self.in_flight = Some(InFlight {
                request: request.clone(),
                is_void: false,
            });
            self.shown_ns = Some(request.observation_ns);
            effects.push(SamplerEffect::Plan(request));
        }
    }

    /// Everything that a plan is made of, if what was seen is new enough.
    fn request(
        &mut self,
        since_ns: u64,
        carry_on: Option<crate::planning::CarryOn>,
        effects: &mut Vec<SamplerEffect>,
    ) -> Option<Box<PlanRequest>> {
        let (arm, execution) = (self.arm.as_ref()?, self.execution.as_ref()?);
        let episode = self.episode.as_ref()?;
        let observation_ns = self
            .observation_ns
            .filter(|at| *at >= since_ns && Some(*at) != self.failed_ns)?;
        let steered = self.config.steer;
        let guidance = steered && self.goal.guidance();
        if steered && self.goal.is_over() {
            return None;
        }
        let keypoints = self.keypoints.as_ref();
        if guidance && keypoints.is_none_or(|k| k.stamp_ns < observation_ns) {
            return None;
        }
        let (points, axes) = keypoints.map(places).unwrap_or_default();
        let mut gain = 1.0;
        let reading = match self
            .meter
            .progress(scene(&points, &axes), Hand::measured(arm))
        {
            Ok(reading) => reading,
            Err(error) => {
                self.failed_ns = Some(observation_ns);
                self.fail("no_plan", &error.to_string(), effects);
                return None;
            }
        };
        if guidance {
            let blind_ns = arm.stamp_ns.saturating_sub(self.seen_ns);
            gain = self.meter.gain(reading.achieved)
                * self.config.blindness.fading(blind_ns).unwrap_or(0.0)
                * self.trust();
        }
        self.requests += 1;
        let visit = self.meter.visit();
        Some(Box::new(PlanRequest {
            id: self.requests,
            episode: episode.id,
            instruction: episode.instruction.clone(),
            visit,
            observation_ns,
            arm: arm.clone(),
            execution: execution.clone(),
            keypoints: points,
            keypoint_axes: axes,
            program: self.meter.program().filter(|_| guidance).map(Arc::clone),
            planned_progress: self.meter.planned(),
            gain,
            way: self.meter.way(),
            seed: self.config.seed.unwrap_or(episode.seed),
            chunk_index: self.planned_chunks,
            carry_on,
        }))
    }

    fn on_planned(&mut self, report: PlanReport, now_ns: u64, effects: &mut Vec<SamplerEffect>) {
        let Some(plan) = self.in_flight.take_if(|plan| plan.request.id == report.id) else {
            return;
        };
        if plan.is_void {
            return;
        }
        match report.outcome {
            Ok(outcome) => {
                self.send_plan(&plan.request, &outcome, report.spent_ns, now_ns, effects);
            }
            Err(failure) => {
                self.failed_ns = Some(plan.request.observation_ns);
                self.fail(&failure.code, &failure.text, effects);
            }
        }
    }

    fn send_plan(
        &mut self,
        request: &PlanRequest,
        plan: &Plan,
        spent_ns: u64,
        now_ns: u64,
        effects: &mut Vec<SamplerEffect>,
    ) {
        let seen = scene(&request.keypoints, &request.keypoint_axes);
        let visit = self.meter.visit();
        let planned = if visit == request.visit && request.program.is_some() {
            let positions_m = plan.selected_trajectory();
            match self.meter.take_plan(seen, positions_m, &plan.path) {
                Ok(planned) => Some(planned),
                Err(error) => return self.fail("no_plan", &error.to_string(), effects),
            }
        } else {
            None
        };
        self.failures = 0;
        self.planned_chunks += 1;
        self.last = LastPlan {
            strength: plan.strength,
            reward: plan.selected_reward(),
            ess: plan.ess,
        };
        let chunk = ActionChunk {
            planning_ns: spent_ns,
            ..self.chunk(request, plan)
        };
        let seq = chunk.seq;
        let sent = SentChunk {
            seq,
            execute_steps: chunk.execute_steps,
            rate_hz: chunk.layout.rate_hz,
            plan: Some(Arc::new(plan.under_way())),
        };
        self.schedule.sent(sent, now_ns);
        effects.push(SamplerEffect::Chunk(chunk));
        effects.push(SamplerEffect::Candidates(candidates(request, plan, seq)));
        if plan.lost > 0 {
            let text = format!(
                "chunk {seq}: particles were dropped {} times because something about them was not \
                 finite; the best of those left is executed",
                plan.lost
            );
            effects.push(SamplerEffect::Tell(Notice::warning("particles_lost", text)));
        }
        if let Some(planned) = planned
            && let Ok(reading) = self.meter.progress(seen, Hand::measured(&request.arm))
        {
            let reading = crate::Reading { planned, ..reading };
            let progress = self.progress(request.observation_ns, &reading);
            effects.push(SamplerEffect::Progress(progress));
        }
    }

    fn chunk(&mut self, request: &PlanRequest, plan: &Plan) -> ActionChunk {
        self.chunks += 1;
        let steered = plan.steered || request.program.is_some();
        let visit = if steered {
            request.visit
        } else {
            Visit::default()
        };
        ActionChunk {
            session: self.config.session,
            seq: self.chunks,
            stamp_ns: request.observation_ns,
            episode: request.episode,
            program: visit.program,
            stage: visit.stage,
            anchor: request.execution.anchor,
            anchor_q_rad: request.execution.anchor_q_rad,
            execute_steps: u32::try_from(plan.execute_steps).unwrap_or(u32::MAX),
            horizon: u32::try_from(plan.horizon).unwrap_or(u32::MAX),
            actions: plan.chunk.clone(),
            layout: self.config.policy.layout.clone(),
            planning_ns: 0,
            continues: request.carry_on.as_ref().map(|c| c.continuation),
        }
    }
}

/// Whether an operator, or whoever watches the arm, has it rest.
fn is_put_to_rest(execution: &ExecutionState) -> bool {
    matches!(
        execution.mode,
        ExecutionMode::Paused | ExecutionMode::Stopping | ExecutionMode::Stopped
    )
}

/// Positions of the keypoints and axes of their things.
pub(super) fn places(keypoints: &Keypoints) -> (Vec<[f64; 3]>, Vec<[[f64; 3]; 3]>) {
    (keypoints.points().collect(), keypoints.axes().collect())
}

fn scene<'a>(keypoints: &'a [[f64; 3]], keypoint_axes: &'a [[[f64; 3]; 3]]) -> Scene<'a> {
    Scene {
        keypoints,
        keypoint_axes,
    }
}

fn candidates(request: &PlanRequest, plan: &Plan, chunk_seq: u64) -> Candidates {
    let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    Candidates {
        stamp_ns: request.observation_ns,
        chunk_seq,
        particles: number(plan.candidates.len() / (3 * plan.points.max(1))),
        points: number(plan.points),
        xyz_m: plan.candidates.clone(),
        rewards: if plan.steered {
            plan.rewards.clone()
        } else {
            Vec::new()
        },
        selected: number(plan.selected),
        ..Default::default()
    }
}

#[cfg(test)]
mod tests;
