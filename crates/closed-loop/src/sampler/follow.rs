//! Following the reward author and the stage switcher. Their messages take different ways, so a
//! stage may arrive before its program and a program before its keypoints: each waits here for what
//! it needs.

use std::sync::Arc;

use tiller_core::{ProgramId, Visit};
use tiller_messages::{ActionChunk, Keypoints, RewardProgram, StageCommand};
use tiller_reward::{Scene, compile};

use super::schedule::SentChunk;
use super::{LastPlan, Sampler, SamplerEffect, places};
use crate::hand::Hand;
use crate::notice::Notice;
use crate::program::{compile_options, keep_last_stage};

/// Program and stage that are steered for.
#[derive(Debug, Default)]
pub(super) struct Goal {
    program: Option<RewardProgram>,
    command: Option<StageCommand>,
    /// The program that the meter holds.
    compiled: Option<ProgramId>,
    /// A program that does not fit; it was told.
    refused: Option<ProgramId>,
    /// The visit that the meter is in.
    entered: Option<Visit>,
    /// The program that has ended, after which the arm was brought to rest.
    rested: Option<ProgramId>,
}

impl Goal {
    pub(super) fn on_program(&mut self, program: RewardProgram) {
        if self.program.as_ref().is_none_or(|old| program.id > old.id) {
            self.program = Some(program);
        }
    }

    pub(super) fn on_stage(&mut self, command: StageCommand) {
        self.command = Some(command);
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// Whether the program has ended, well or not.
    pub(super) fn is_over(&self) -> bool {
        self.command.as_ref().is_some_and(StageCommand::is_over)
    }

    /// Whether a program is under way, or is about to be.
    pub(super) fn is_under_way(&self) -> bool {
        !self.is_over() && (self.program.is_some() || self.command.is_some())
    }

    /// Whether the reward may steer.
    pub(super) fn guidance(&self) -> bool {
        self.command.as_ref().is_some_and(|c| c.guidance)
    }

    /// What is missing for a plan. A program that has ended wants none.
    pub(super) fn missing(&self, keypoints: &Keypoints) -> Option<(&'static str, String)> {
        let Some(program) = &self.program else {
            return Some(("reward_program", "none has come".to_owned()));
        };
        if self.refused == Some(program.id) {
            let text = format!("{} does not fit the policy", program.id);
            return Some(("reward_program", text));
        }
        if program.generation != keypoints.generation {
            let text = format!(
                "expected generation {} of the {}, found {}",
                program.generation, program.id, keypoints.generation
            );
            return Some(("keypoints", text));
        }
        let Some(command) = &self.command else {
            return Some(("stage", "none has come".to_owned()));
        };
        if command.program != program.id || self.entered != Some(command.visit()) {
            let text = format!("none of {} that can be entered has come", program.id);
            return Some(("stage", text));
        }
        None
    }
}

impl Sampler {
    /// Brings the meter to where program and stage say, as far as what is needed is there, and the
    /// arm with it.
    pub(super) fn follow(&mut self, now_ns: u64, effects: &mut Vec<SamplerEffect>) {
        self.follow_program(effects);
        if self.follow_stage(effects) {
            self.last = LastPlan::default();
            self.failed_ns = None;
            if let Some(in_flight) = &mut self.in_flight {
                in_flight.is_void = true;
            }
            if self.config.steer {
                self.interrupt(now_ns, effects);
            }
        }
        if self.config.steer && self.goal.is_over() {
            self.rest_once(now_ns, effects);
        }
    }

    fn follow_program(&mut self, effects: &mut Vec<SamplerEffect>) {
        let (Some(keypoints), Some(program)) = (&self.keypoints, &self.goal.program) else {
            return;
        };
        let id = program.id;
        let known = [self.goal.compiled, self.goal.refused].contains(&Some(id));
        if known || program.generation != keypoints.generation {
            return;
        }
        let count = keypoints.names.len();
        let options = compile_options(&self.contract(), count);
        match compile(&program.text, &options) {
            Ok(mut compiled) => {
                if self.config.last_stage_only {
                    keep_last_stage(&mut compiled);
                }
                self.meter.set_program(Arc::new(compiled), count);
                self.goal.compiled = Some(id);
            }
            Err(diagnostics) => {
                self.goal.refused = Some(id);
                effects.push(SamplerEffect::Tell(Notice::error(
                    "program_refused",
                    format!(
                        "{id} does not fit the policy's {} trajectory points and the {count} \
                         keypoints:\n{}",
                        self.config.policy.points,
                        diagnostics.render(&program.text)
                    ),
                )));
            }
        }
        self.goal.entered = None;
    }

    /// Enters the commanded visit; says whether the goal has changed.
    fn follow_stage(&mut self, effects: &mut Vec<SamplerEffect>) -> bool {
        let (Some(keypoints), Some(execution), Some(arm), Some(command)) = (
            &self.keypoints,
            &self.execution,
            &self.arm,
            &self.goal.command,
        ) else {
            return false;
        };
        let visit = command.visit();
        let fits = self.goal.compiled == Some(visit.program)
            && self.goal.program.as_ref().is_some_and(|program| {
                program.id == visit.program && program.generation == keypoints.generation
            });
        if !fits || self.goal.entered == Some(visit) || command.is_over() {
            return false;
        }
        let (points, axes) = places(keypoints);
        let scene = Scene {
            keypoints: &points,
            keypoint_axes: &axes,
        };
        let anchor = Hand::at_anchor(execution, arm);
        match self.meter.enter(visit, scene, anchor) {
            Ok(_) => {
                self.goal.entered = Some(visit);
                true
            }
            Err(error) => {
                let text = format!("cannot enter stage {}: {error}", visit.stage);
                self.fail("stage_refused", &text, effects);
                false
            }
        }
    }

    /// What is left of the chunk under way leads to another goal: the next one takes over as soon
    /// as it can. Where it cannot, the arm comes to rest.
    fn interrupt(&mut self, now_ns: u64, effects: &mut Vec<SamplerEffect>) {
        if self.schedule.is_under_way() && !self.schedule.goal_changed() {
            self.rest(now_ns, effects);
        }
    }

    /// The program has ended: the arm comes to rest, once.
    fn rest_once(&mut self, now_ns: u64, effects: &mut Vec<SamplerEffect>) {
        let program = self.goal.command.as_ref().map(|command| command.program);
        if self.goal.rested == program {
            return;
        }
        self.goal.rested = program;
        if let Some(in_flight) = &mut self.in_flight {
            in_flight.is_void = true;
        }
        if self.schedule.is_under_way() {
            self.rest(now_ns, effects);
        }
    }

    /// Sends a chunk that brings the arm to rest where it is, with the gripper as it is.
    fn rest(&mut self, now_ns: u64, effects: &mut Vec<SamplerEffect>) {
        let Some(execution) = &self.execution else {
            return;
        };
        self.chunks += 1;
        let layout = tiller_core::ActionLayout::position_deltas(
            3,
            [0, 1, 2],
            None,
            self.config.policy.layout.rate_hz,
        );
        let chunk = ActionChunk {
            session: self.config.session,
            seq: self.chunks,
            stamp_ns: execution.stamp_ns,
            episode: execution.episode,
            anchor: execution.anchor,
            anchor_q_rad: execution.anchor_q_rad,
            execute_steps: 1,
            horizon: 1,
            actions: vec![0.0; 3],
            layout,
            ..Default::default()
        };
        let sent = SentChunk {
            seq: chunk.seq,
            execute_steps: 1,
            rate_hz: chunk.layout.rate_hz,
            plan: None,
        };
        self.schedule.sent(sent, now_ns);
        effects.push(SamplerEffect::Chunk(chunk));
    }
}
