//! The stage switcher's machine: programs, progress, state and advice in; stages and questions out.
//!
//! While an operator has the arm rest no time passes in a stage, and nothing but a new program or somebody's word
//! takes it to another.

use serde::{Deserialize, Serialize};
use tiller_core::{EpisodeId, Problems, ProgramId};
use tiller_messages::{
    ArmState, Episode, ExecutionMode, Progress, RewardProgram, StageAdvice, StageCommand,
    StageQuery,
};
use tiller_stages::{
    Advice, Decision, DecisionKind, ProgressReading, StageConfig, StageInfo, StageMachine,
};

use crate::notice::Notice;
use crate::stamps::StampFilter;

/// How often the stage is sent again for whoever joins, ns.
const LATCH_NS: u64 = 1_000_000_000;

/// What the machine is told.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum SwitcherEvent {
    /// A reward program: its first stage begins.
    Program(RewardProgram),
    /// How far the stage is.
    Progress(Progress),
    /// What the arm measured: the machine's clock, and the gripper.
    Arm(ArmState),
    /// A model's answer to a question.
    Advice(StageAdvice),
    /// An episode begins: the program of the one before is void.
    Episode(Episode),
    /// What the arm is doing has changed.
    Movement(Movement),
}

/// What the arm is doing, as far as time in a stage depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Movement {
    /// It follows a chunk; so it counts, too, where nobody says what it is doing.
    #[default]
    Executing,
    /// It has no chunk to follow, such as while the next one is planned: who does nothing gets nowhere, and that is no
    /// plateau.
    Waiting,
    /// An operator has it rest, or has not armed it yet: no time passes.
    Paused,
}

impl From<ExecutionMode> for Movement {
    fn from(mode: ExecutionMode) -> Self {
        match mode {
            ExecutionMode::Executing => Self::Executing,
            ExecutionMode::Paused | ExecutionMode::Idle => Self::Paused,
            _ => Self::Waiting,
        }
    }
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub enum SwitcherEffect {
    /// Send the stage; the same again and again for whoever joins.
    Stage(StageCommand),
    /// Ask a model.
    Query(StageQuery),
    /// Tell people.
    Tell(Notice),
}

/// Settings of the machine.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct SwitcherConfig {
    /// The session that its messages carry.
    pub session: u64,
    /// Thresholds and budgets.
    pub stages: StageConfig,
    /// Age of the last progress reading at which the keypoints count as stale, ns; default 5 s.
    pub keypoints_stale_ns: u64,
}

impl Default for SwitcherConfig {
    fn default() -> Self {
        Self {
            session: 1,
            stages: StageConfig::default(),
            keypoints_stale_ns: 5_000_000_000,
        }
    }
}

/// The machine. See the module's documentation.
#[derive(Debug)]
pub struct Switcher {
    config: SwitcherConfig,
    machine: StageMachine,
    episode: EpisodeId,
    program: ProgramId,
    clock: Clock,
    /// When the last progress reading was taken, in the time of stages, ns.
    last_progress_ns: u64,
    arm_stamps: StampFilter,
    last: Option<StageCommand>,
    /// When it was sent, on `clock`, ns.
    sent_ns: u64,
    commands: u64,
    queries: u64,
}

/// Time as the arm's stamps tell it, without their jumps: what is measured by it neither ends at once
/// nor lasts for ever because of a stamp that is wrong, or of a clock that was started anew.
#[derive(Debug, Default)]
struct Clock {
    /// The arm's last stamp, ns.
    stamp_ns: u64,
    /// What has passed, ns.
    elapsed_ns: u64,
    /// What of it was no pause, ns: the time of stages.
    stage_ns: u64,
    /// What of it the arm followed chunks, ns.
    executed_ns: u64,
    movement: Movement,
}

impl Clock {
    fn advance(&mut self, stamp_ns: u64) {
        let step_ns = stamp_ns.checked_sub(self.stamp_ns);
        let step_ns = step_ns.filter(|step| *step <= LATCH_NS).unwrap_or(0);
        self.elapsed_ns += step_ns;
        if self.movement != Movement::Paused {
            self.stage_ns += step_ns;
        }
        if self.movement == Movement::Executing {
            self.executed_ns += step_ns;
        }
        self.stamp_ns = stamp_ns;
    }

    /// When, in the time of stages, something with this stamp was. It cannot be newer than the arm's stamp by
    /// much.
    fn at(&self, stamp_ns: u64) -> u64 {
        match stamp_ns.checked_sub(self.stamp_ns) {
            Some(ahead_ns) => self.stage_ns + ahead_ns.min(LATCH_NS),
            None => self.stage_ns.saturating_sub(self.stamp_ns - stamp_ns),
        }
    }
}

impl Switcher {
    /// A machine that waits for a program.
    ///
    /// # Errors
    /// Every problem of the settings.
    pub fn new(config: SwitcherConfig) -> Result<Self, Problems> {
        Ok(Self {
            machine: StageMachine::new(config.stages.clone())?,
            config,
            episode: EpisodeId(0),
            program: ProgramId(0),
            clock: Clock::default(),
            last_progress_ns: 0,
            arm_stamps: StampFilter::default(),
            last: None,
            sent_ns: 0,
            commands: 0,
            queries: 0,
        })
    }

    /// Takes an event; appends what is to be done.
    pub fn on(&mut self, event: SwitcherEvent, effects: &mut Vec<SwitcherEffect>) {
        let decision = match event {
            SwitcherEvent::Program(program) => self.on_program(&program, effects),
            SwitcherEvent::Progress(progress) => self.on_progress(&progress, effects),
            SwitcherEvent::Arm(arm) => self.on_arm(&arm, effects),
            SwitcherEvent::Advice(advice) => self.on_advice(advice, effects),
            SwitcherEvent::Episode(episode) => {
                self.enter_episode(episode.id);
                None
            }
            SwitcherEvent::Movement(movement) => {
                self.clock.movement = movement;
                None
            }
        };
        if let Some(decision) = decision {
            let command = self.command(&decision);
            self.sent_ns = self.clock.elapsed_ns;
            self.last = Some(command.clone());
            effects.push(SwitcherEffect::Stage(command));
        } else if self.clock.elapsed_ns - self.sent_ns >= LATCH_NS
            && let Some(command) = &self.last
        {
            self.sent_ns = self.clock.elapsed_ns;
            effects.push(SwitcherEffect::Stage(command.clone()));
        }
        if let Some(query) = self.machine.take_query() {
            self.queries += 1;
            effects.push(SwitcherEffect::Query(StageQuery {
                session: self.config.session,
                seq: self.queries,
                program: self.program,
                stage: query.stage,
                visit: query.visit,
                reason: query.trigger,
            }));
        }
    }

    /// Whatever message of a new episode comes first begins it; what was decided before is void.
    fn enter_episode(&mut self, id: EpisodeId) {
        if id > self.episode {
            self.episode = id;
            self.last = None;
            self.machine.clear();
        }
    }

    fn on_program(
        &mut self,
        program: &RewardProgram,
        effects: &mut Vec<SwitcherEffect>,
    ) -> Option<Decision> {
        self.enter_episode(program.episode);
        if program.episode < self.episode || program.id <= self.program {
            return None;
        }
        let stages: Vec<_> = program
            .descriptions
            .iter()
            .zip(program.has_done.iter().zip(&program.unguided))
            .map(|(description, (has_done, unguided))| StageInfo {
                has_done: *has_done,
                guided: !unguided,
                ..StageInfo::by_progress(description)
            })
            .collect();
        let now_ns = self.clock.stage_ns;
        match self.machine.on_program(now_ns, &stages) {
            Ok(decision) => {
                self.program = program.id;
                // Readings are due from now on.
                self.last_progress_ns = now_ns;
                Some(decision)
            }
            Err(refusal) => {
                let text = format!("{}: {refusal}", program.id);
                effects.push(SwitcherEffect::Tell(Notice::error("program_refused", text)));
                None
            }
        }
    }

    fn on_progress(
        &mut self,
        progress: &Progress,
        effects: &mut Vec<SwitcherEffect>,
    ) -> Option<Decision> {
        if progress.program != self.program {
            return None;
        }
        let finite = [
            progress.planned,
            progress.achieved,
            progress.done.unwrap_or(0.0),
        ]
        .iter()
        .all(|value| value.is_finite());
        if !finite {
            let text = format!("progress: expected finite numbers, found {progress:?}");
            effects.push(SwitcherEffect::Tell(Notice::warning(
                "progress_refused",
                text,
            )));
            return None;
        }
        let stamp_ns = self.clock.at(progress.stamp_ns);
        self.last_progress_ns = self.last_progress_ns.max(stamp_ns);
        if self.clock.movement == Movement::Paused {
            return None;
        }
        self.machine.on_progress(&ProgressReading {
            stamp_ns,
            executed_ns: self.clock.executed_ns,
            stage: progress.stage,
            visit: progress.visit,
            planned: progress.planned,
            achieved: progress.achieved,
            done: progress.done,
        })
    }

    fn on_arm(&mut self, arm: &ArmState, effects: &mut Vec<SwitcherEffect>) -> Option<Decision> {
        if !self.arm_stamps.accept(arm.stamp_ns) {
            let text = self.arm_stamps.complaint("arm_state", arm.stamp_ns);
            effects.push(SwitcherEffect::Tell(Notice::warning(
                "arm_state_refused",
                text,
            )));
            return None;
        }
        self.clock.advance(arm.stamp_ns);
        if self.clock.movement == Movement::Paused {
            return None;
        }
        let now_ns = self.clock.stage_ns;
        if let Some(decision) = self.machine.on_gripper(now_ns, arm.gripper_width_m) {
            return Some(decision);
        }
        let age_ns = now_ns.saturating_sub(self.last_progress_ns);
        let stale = self.machine.stage() > 0 && age_ns > self.config.keypoints_stale_ns;
        self.machine.on_keypoints_stale(now_ns, stale)
    }

    fn on_advice(
        &mut self,
        advice: StageAdvice,
        effects: &mut Vec<SwitcherEffect>,
    ) -> Option<Decision> {
        if advice.program != self.program {
            return None;
        }
        let StageAdvice {
            visit,
            stage,
            reason,
            ..
        } = advice;
        let advice = Advice {
            asked_visit: visit,
            stage,
            reason,
        };
        // Advice that came too late or makes no sense changes nothing.
        self.machine
            .on_advice(&advice)
            .inspect_err(|refusal| {
                let text = format!("advice was not taken: {refusal}");
                effects.push(SwitcherEffect::Tell(Notice::info("advice_dropped", text)));
            })
            .ok()
    }

    fn command(&mut self, decision: &Decision) -> StageCommand {
        self.commands += 1;
        StageCommand {
            session: self.config.session,
            seq: self.commands,
            stamp_ns: self.clock.stamp_ns,
            episode: self.episode,
            program: self.program,
            stage: decision.stage,
            visit: decision.visit,
            guidance: decision.guidance,
            finished: decision.kind == DecisionKind::Finished,
            gave_up: decision.kind == DecisionKind::GiveUp,
            kind: decision.kind.to_string(),
            reason: decision.reason.clone(),
        }
    }
}

#[cfg(test)]
mod tests;
