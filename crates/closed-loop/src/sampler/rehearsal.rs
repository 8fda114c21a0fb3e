//! Plans of programs that wait for a decision: what would come first, from what is seen now. Nothing executes
//! them, and what moves the arm knows nothing of them: they have a meter of their own, and are made only while
//! nothing else is planned.

use std::sync::Arc;

use tiller_core::{EpisodeId, ProgramId, Visit};
use tiller_messages::{DryPlan, ExecutionMode, Proposal, ProposalState};
use tiller_reward::compile;

use super::{PlanReport, Sampler, SamplerEffect, places, scene};
use crate::hand::Hand;
use crate::meter::{MeterError, StageMeter};
use crate::planning::{Plan, PlanRequest};
use crate::program::{compile_options, keep_last_stage};

/// The stage that a program begins with.
const FIRST: u32 = 1;

/// The newest program that waits, and what has come of it.
#[derive(Debug, Default)]
pub(super) struct Rehearsal {
    proposal: Option<Proposal>,
    /// The program whose plan is being made.
    in_flight: Option<(u64, ProgramId)>,
    requests: u64,
}

impl Rehearsal {
    /// Another episode begins: what waited for a word in one before is over.
    pub(super) fn clear(&mut self, episode: EpisodeId) {
        self.proposal = self.proposal.take().filter(|it| it.episode >= episode);
        self.in_flight = None;
    }

    /// A program was proposed, or something was decided about it.
    pub(super) fn on_proposal(&mut self, proposal: Proposal) {
        let is_waiting = proposal.state == ProposalState::Proposed;
        // The newest alone can be decided about.
        self.in_flight = None;
        self.proposal = is_waiting.then_some(proposal);
    }

    /// Whether a program waits for a plan in this episode, for keypoints of this generation.
    fn awaits(&self, episode: EpisodeId, generation: u32) -> bool {
        let proposal = self.proposal.as_ref();
        self.in_flight.is_none()
            && proposal.is_some_and(|it| (it.episode, it.generation) == (episode, generation))
    }
}

/// A dry plan without a plan.
fn without(program: ProgramId, stamp_ns: u64, problem: String) -> DryPlan {
    DryPlan {
        stamp_ns,
        program,
        stage: FIRST,
        problem,
        ..Default::default()
    }
}

impl Sampler {
    /// Has the waiting program's first chunk planned, once all is there for it and nothing else is planned.
    pub(super) fn rehearse_if_idle(&mut self, effects: &mut Vec<SamplerEffect>) {
        let Some(observation_ns) = self.rehearsal_moment() else {
            return;
        };
        let Some(proposal) = self.rehearsal.proposal.take() else {
            return;
        };
        match self.rehearse(&proposal, observation_ns) {
            Ok(Some(request)) => {
                self.rehearsal.in_flight = Some((request.id, proposal.id));
                effects.push(SamplerEffect::Rehearse(request));
            }
            Ok(None) => self.rehearsal.proposal = Some(proposal),
            Err(problem) => {
                let plan = without(proposal.id, observation_ns, problem);
                effects.push(SamplerEffect::DryPlan(plan));
            }
        }
    }

    /// The observation to plan from, if one is to be planned from now.
    fn rehearsal_moment(&self) -> Option<u64> {
        let (arm, execution) = (self.arm.as_ref()?, self.execution.as_ref()?);
        let (keypoints, episode) = (self.keypoints.as_ref()?, self.episode.as_ref()?);
        let is_planning = self.in_flight.as_ref().is_some_and(|plan| !plan.is_void);
        let is_idle = match execution.mode {
            ExecutionMode::Paused | ExecutionMode::Stopped => true,
            ExecutionMode::Executing | ExecutionMode::Stopping => false,
            _ => !self.goal.is_under_way(),
        };
        let is_wanted = self.config.steer
            && self.rehearsal.awaits(episode.id, keypoints.generation)
            && keypoints.episode == episode.id;
        if !is_wanted || is_planning || !is_idle {
            return None;
        }
        let observation_ns = self.observation_ns.filter(|at| *at >= episode.stamp_ns)?;
        let age_ns = arm.stamp_ns.saturating_sub(observation_ns);
        let is_fresh = age_ns <= self.config.max_observation_age_ns;
        (is_fresh && keypoints.stamp_ns >= observation_ns).then_some(observation_ns)
    }

    /// The request of a program's first chunk, as it would be made if the program began now.
    fn rehearse(
        &mut self,
        proposal: &Proposal,
        observation_ns: u64,
    ) -> Result<Option<Box<PlanRequest>>, String> {
        let (Some(arm), Some(execution), Some(keypoints), Some(episode)) =
            (&self.arm, &self.execution, &self.keypoints, &self.episode)
        else {
            return Ok(None);
        };
        let (points, axes) = places(keypoints);
        let scene = scene(&points, &axes);
        let options = compile_options(&self.contract(), points.len());
        let mut program =
            compile(&proposal.text, &options).map_err(|found| found.render(&proposal.text))?;
        if self.config.last_stage_only {
            keep_last_stage(&mut program);
        }
        let program = Arc::new(program);
        let visit = Visit {
            program: proposal.id,
            stage: FIRST,
            visit: 1,
        };
        let mut meter = StageMeter::new(
            self.config.policy.points,
            self.config.policy.max_step_m,
            self.config.growth,
        );
        meter.set_program(Arc::clone(&program), points.len());
        let entered = meter
            .enter(visit, scene, Hand::at_anchor(execution, arm))
            .and_then(|_| meter.progress(scene, Hand::measured(arm)));
        let reading = entered.map_err(|error: MeterError| error.to_string())?;
        let is_guided = program
            .stages
            .first()
            .is_some_and(|stage| !stage.is_unguided);
        let blind_ns = arm.stamp_ns.saturating_sub(self.seen_ns);
        let fading = self.config.blindness.fading(blind_ns).unwrap_or(0.0);
        let gain = match is_guided {
            true => meter.gain(reading.achieved) * fading,
            false => 1.0,
        };
        self.rehearsal.requests += 1;
        Ok(Some(Box::new(PlanRequest {
            id: self.rehearsal.requests,
            episode: episode.id,
            instruction: episode.instruction.clone(),
            visit,
            observation_ns,
            arm: arm.clone(),
            execution: execution.clone(),
            way: meter.way(),
            keypoints: points,
            keypoint_axes: axes,
            program: Some(program).filter(|_| is_guided),
            planned_progress: 0.0,
            gain,
            seed: self.config.seed.unwrap_or(episode.seed),
            chunk_index: self.planned_chunks,
            carry_on: None,
        })))
    }

    /// A rehearsal has ended.
    pub(super) fn on_rehearsed(&mut self, report: PlanReport, effects: &mut Vec<SamplerEffect>) {
        let Some((_, program)) = self.rehearsal.in_flight.take_if(|(id, _)| *id == report.id)
        else {
            return;
        };
        let stamp_ns = report.seen.last().map_or(0, |seen| seen.stamp_ns);
        let plan = match report.outcome {
            Ok(plan) => dry_plan(program, stamp_ns, &plan),
            Err(failure) => without(program, stamp_ns, failure.text),
        };
        effects.push(SamplerEffect::DryPlan(plan));
    }
}

fn dry_plan(program: ProgramId, stamp_ns: u64, plan: &Plan) -> DryPlan {
    let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    DryPlan {
        particles: number(plan.candidates.len() / (3 * plan.points.max(1))),
        points: number(plan.points),
        xyz_m: plan.candidates.clone(),
        rewards: match plan.steered {
            true => plan.rewards.clone(),
            false => Vec::new(),
        },
        selected: number(plan.selected),
        ..without(program, stamp_ns, String::new())
    }
}
