//! Everything that steers: keypoints, the reward program, its stages.

use std::sync::Arc;

use tiller_grounding::{FrameView, Grounder, GroundingConfig, GroundingError, Keypoint};
use tiller_playtable_author::EmbeddedAuthor;
use tiller_reward::{CompileOptions, Program, compile};
use tiller_sampler::{Pilot, PilotError, Reading};
use tiller_stages::{Decision, GripperGoal, ProgressReading, StageConfig, StageInfo, StageMachine};
use tiller_vlm::{Author, AuthorError, AuthorRequest, SceneKeypoint};

use super::{Ending, PhaseTimes, timed};

/// Steering cannot begin or go on.
#[derive(Debug, thiserror::Error)]
pub enum GuideError {
    /// No keypoints.
    #[error("grounding failed: {0}")]
    Grounding(#[from] GroundingError),
    /// No program.
    #[error("no reward program: {0}")]
    Author(#[from] AuthorError),
    /// A program with errors.
    #[error("the reward program has errors:\n{0}")]
    Program(String),
    /// A program without stages.
    #[error("the reward program cannot be run: {0}")]
    Stages(#[from] tiller_stages::ProgramRefusal),
    /// A stage that cannot be entered or measured.
    #[error("the reward fails: {0}")]
    Pilot(#[from] PilotError),
}

impl GuideError {
    /// How an episode ends by it.
    pub(super) fn ending(&self) -> Ending {
        match self {
            Self::Grounding(_) => Ending::GroundingFailed,
            Self::Author(_) => Ending::NotUnderstood,
            Self::Program(_) | Self::Stages(_) => Ending::ProgramRefused,
            Self::Pilot(_) => Ending::RewardFailed,
        }
    }
}

/// The robot as the stage machine sees it.
#[derive(Clone, Copy)]
pub(super) struct Body {
    pub(super) now_ns: u64,
    pub(super) end_effector_m: [f64; 3],
    pub(super) anchor_m: [f64; 3],
    pub(super) gripper_width_m: f64,
}

/// Guides one episode.
pub(super) struct Guide {
    instruction: String,
    author: Arc<dyn Author + Send + Sync>,
    /// Whether programs are cut down to their last stage.
    last_stage_only: bool,
    grounder: Grounder,
    machine: StageMachine,
    points: Vec<[f64; 3]>,
    /// Text of the program and names of its stages, once it is written.
    pub(super) program: Option<Written>,
    /// The last reading of progress.
    pub(super) reading: Reading,
}

/// A program as the author wrote it.
pub(super) struct Written {
    pub(super) text: String,
    pub(super) source: String,
    pub(super) stages: Vec<String>,
}

impl Guide {
    pub(super) fn new(
        instruction: &str,
        author: Arc<dyn Author + Send + Sync>,
        grounding: GroundingConfig,
        stages: StageConfig,
        last_stage_only: bool,
    ) -> Result<Self, eyre::Report> {
        Ok(Self {
            instruction: instruction.to_owned(),
            author,
            last_stage_only,
            grounder: Grounder::new(grounding)?,
            machine: StageMachine::new(stages)?,
            points: Vec::new(),
            program: None,
            reading: Reading::default(),
        })
    }

    /// Takes in a frame: grounds and writes the program at the first one, tracks, measures and
    /// decides at the others. Returns the decisions, oldest first.
    pub(super) fn observe(
        &mut self,
        frame: &FrameView<'_>,
        body: &Body,
        pilot: &mut Pilot,
        time: &mut PhaseTimes,
    ) -> Result<Vec<Decision>, GuideError> {
        if self.program.is_none() {
            timed(&mut time.ground_s, || {
                self.grounder.ground(frame).map(|_| ())
            })?;
            self.points = self
                .grounder
                .keypoints()
                .iter()
                .map(|point| point.position_m)
                .collect();
            return timed(&mut time.author_s, || self.begin(body, pilot));
        }
        timed(&mut time.ground_s, || {
            self.grounder.track(frame).map(|_| ())
        })?;
        for (point, keypoint) in self.points.iter_mut().zip(self.grounder.keypoints()) {
            *point = keypoint.position_m;
        }
        timed(&mut time.stage_s, || self.decide(body, pilot))
    }

    /// Has the program written and enters its first stage.
    fn begin(&mut self, body: &Body, pilot: &mut Pilot) -> Result<Vec<Decision>, GuideError> {
        let keypoints = self
            .grounder
            .keypoints()
            .iter()
            .map(|keypoint| SceneKeypoint {
                index: keypoint.index,
                name: keypoint.name.clone(),
                position_m: keypoint.position_m,
            });
        let request = AuthorRequest {
            instruction: self.instruction.clone(),
            keypoints: keypoints.collect(),
        };
        let answer = self.author.author(&request)?;
        let options = CompileOptions::new(self.points.len(), pilot.points());
        let mut program = compile(&answer.text, &options)
            .map_err(|errors| GuideError::Program(errors.render(&answer.text)))?;
        if self.last_stage_only {
            keep_last_stage(&mut program);
        }
        let infos: Vec<StageInfo> = infos(&program);
        self.program = Some(Written {
            text: answer.text,
            source: answer.source,
            stages: infos.iter().map(|info| info.description.clone()).collect(),
        });
        pilot.set_program(program, self.points.len());
        let first = self.machine.on_program(body.now_ns, &infos)?;
        self.enter(&first, body, pilot)?;
        Ok(vec![first])
    }

    fn decide(&mut self, body: &Body, pilot: &mut Pilot) -> Result<Vec<Decision>, GuideError> {
        let mut decisions = Vec::new();
        if let Some(decision) = self.machine.on_gripper(body.now_ns, body.gripper_width_m) {
            self.enter(&decision, body, pilot)?;
            decisions.push(decision);
        }
        self.reading = pilot.progress(&self.points, body.end_effector_m)?;
        let reading = ProgressReading {
            stamp_ns: body.now_ns,
            stage: self.reading.stage,
            visit: self.reading.visit,
            planned: self.reading.planned,
            achieved: self.reading.achieved,
            done: self.reading.done,
        };
        if let Some(decision) = self.machine.on_progress(&reading) {
            self.enter(&decision, body, pilot)?;
            decisions.push(decision);
        }
        Ok(decisions)
    }

    /// Follows a decision; one that only switches guidance leaves the stage as it is.
    fn enter(
        &mut self,
        decision: &Decision,
        body: &Body,
        pilot: &mut Pilot,
    ) -> Result<(), GuideError> {
        if decision.is_final() {
            pilot.enter_stage(0, decision.visit, &self.points, body.anchor_m)?;
        } else if (decision.stage, decision.visit) != (self.reading.stage, self.reading.visit) {
            pilot.enter_stage(decision.stage, decision.visit, &self.points, body.anchor_m)?;
            self.reading = pilot.progress(&self.points, body.end_effector_m)?;
        }
        Ok(())
    }

    /// The keypoints now, in the program's order, metres.
    pub(super) fn points(&self) -> &[[f64; 3]] {
        &self.points
    }

    /// The keypoints with their names.
    pub(super) fn keypoints(&self) -> &[Keypoint] {
        self.grounder.keypoints()
    }

    /// Whether the sampler should steer now.
    pub(super) fn guidance(&self) -> bool {
        self.machine.guidance()
    }

    /// Whether the program has finished or was given up.
    pub(super) fn is_over(&self) -> bool {
        self.machine.is_over()
    }
}

/// Drops all stages but the last one that guides; a program without guidance keeps its last.
fn keep_last_stage(program: &mut Program) {
    let guides = program.stages.iter().rposition(|stage| !stage.is_unguided);
    let keep = guides.unwrap_or(program.stages.len().saturating_sub(1));
    program.stages.truncate(keep + 1);
    program.stages.drain(..keep);
}

/// What the stage machine needs to know of a program.
fn infos(program: &Program) -> Vec<StageInfo> {
    program
        .stages
        .iter()
        .map(|stage| StageInfo {
            description: stage.description.clone(),
            has_done: stage.done.is_some(),
            guided: !stage.is_unguided,
            gripper: GripperGoal::from_description(&stage.description),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_stage_that_guides_is_kept() {
        let stage = |i: usize, reward: &str| {
            format!(
                "# Stage {i}: part {i}\ndef stage{i}_guidance(keypoints, action_sequence):\n    \
                 return {reward}\n\n\n"
            )
        };
        let near = "-(action_sequence[:, -1] - keypoints[0]).norm(dim=-1).mean()";
        let kept = |rewards: &[&str]| {
            let stages = rewards.iter().enumerate();
            let text: String = stages.map(|(i, reward)| stage(i + 1, reward)).collect();
            let text = format!("import torch\n\nnum_stages = {}\n\n\n{text}", rewards.len());
            let mut program = compile(&text, &CompileOptions::new(1, 9))
                .map_err(|errors| errors.render(&text))
                .unwrap();
            keep_last_stage(&mut program);
            let names = program.stages.iter().map(|stage| stage.description.clone());
            names.collect::<Vec<_>>()
        };
        assert_eq!(kept(&[near]), ["part 1"]);
        assert_eq!(kept(&[near, near]), ["part 2"]);
        assert_eq!(kept(&[near, near, "0"]), ["part 2"]);
    }
}
