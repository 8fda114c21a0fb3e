//! What is collected while the robot moves.

use image::RgbImage;
use tiller_core::{MAX_DESCRIPTION, MAX_INSTRUCTION, MAX_NAME, MAX_STATUS, clip};
use tiller_messages::{Progress, StageCommand};

use crate::picture::Picture;

/// Frames closer together than this add nothing to the pictures, ns.
const MIN_FRAME_GAP_NS: u64 = 95_000_000;
/// More frames than this are thinned out, so that a long run does not fill the memory: about
/// 80 MB at 256 x 256.
const MAX_FRAMES: usize = 400;

/// What is known before the run.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize)]
pub struct RunInfo {
    /// What the robot was told to do.
    pub instruction: String,
    /// Name of the policy bundle.
    pub policy: String,
    /// Seed of scene and sampling.
    pub seed: u64,
    /// Whether steering was on.
    pub steered: bool,
}

/// One reading of the control loop.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Sample {
    /// Simulation or robot time, ns.
    pub stamp_ns: u64,
    /// Stage, from 1; 0 while there is none.
    pub stage: u32,
    /// Progress of the selected chunk.
    pub planned: f64,
    /// Progress of holding still.
    pub achieved: f64,
    /// Value of the stage's done function, if it has one.
    pub done: Option<f64>,
    /// Guidance strength.
    pub strength: f64,
    /// Reward of the selected chunk.
    pub reward: f64,
}

impl From<&Progress> for Sample {
    fn from(progress: &Progress) -> Self {
        Self {
            stamp_ns: progress.stamp_ns,
            stage: progress.stage,
            planned: progress.planned,
            achieved: progress.achieved,
            done: progress.done,
            strength: progress.guidance_strength,
            reward: progress.reward,
        }
    }
}

/// A decision of the stage machine.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Decision {
    /// Simulation or robot time, ns.
    pub stamp_ns: u64,
    /// Stage from then on, from 1; 0 for none.
    pub stage: u32,
    /// What was decided: `advance`, `guidance off`, ..
    pub kind: String,
    /// Why.
    pub reason: String,
}

impl From<&StageCommand> for Decision {
    fn from(command: &StageCommand) -> Self {
        Self {
            stamp_ns: command.stamp_ns,
            stage: command.stage,
            kind: clip(&command.kind, MAX_NAME).into_owned(),
            reason: clip(&command.reason, MAX_STATUS).into_owned(),
        }
    }
}

pub(crate) struct Shot {
    pub(crate) stamp_ns: u64,
    pub(crate) image: RgbImage,
}

/// Collects a run. Everything may come in any order between the kinds, in time order within one.
#[derive(Default)]
pub struct Recorder {
    pub(crate) info: RunInfo,
    pub(crate) frames: Vec<Shot>,
    pub(crate) samples: Vec<Sample>,
    pub(crate) decisions: Vec<Decision>,
    pub(crate) stages: Vec<String>,
    pub(crate) annotated: Option<RgbImage>,
    pub(crate) program: Option<String>,
    pub(crate) program_source: String,
    thinning: u32,
}

impl Recorder {
    /// A recorder for one run.
    #[must_use]
    pub fn new(mut info: RunInfo) -> Self {
        info.instruction = clip(&info.instruction, MAX_INSTRUCTION).into_owned();
        Self {
            info,
            ..Self::default()
        }
    }

    /// Adds a camera image. At most ten a second are kept, and fewer in runs over 40 s.
    pub fn add_frame(&mut self, stamp_ns: u64, picture: Picture<'_>) {
        let gap = MIN_FRAME_GAP_NS << self.thinning;
        if self
            .frames
            .last()
            .is_some_and(|last| stamp_ns < last.stamp_ns + gap)
        {
            return;
        }
        self.frames.push(Shot {
            stamp_ns,
            image: picture.to_image(),
        });
        if self.frames.len() > MAX_FRAMES {
            self.thinning += 1;
            let mut index = 0;
            self.frames.retain(|_| {
                index += 1;
                index % 2 == 1
            });
        }
    }

    /// Adds a reading of the control loop.
    pub fn add_sample(&mut self, sample: Sample) {
        self.samples.push(sample);
    }

    /// Adds a decision of the stage machine.
    pub fn add_decision(&mut self, decision: Decision) {
        self.decisions.push(decision);
    }

    /// Sets the image with the keypoints that the reward author saw.
    pub fn set_annotated(&mut self, picture: Picture<'_>) {
        self.annotated = Some(picture.to_image());
    }

    /// Sets the reward program, who wrote it, and what each stage is called.
    pub fn set_program(&mut self, text: &str, source: &str, stages: &[String]) {
        self.program = Some(text.to_owned());
        self.program_source = clip(source, MAX_DESCRIPTION).into_owned();
        let short = |stage: &String| clip(stage, MAX_DESCRIPTION).into_owned();
        self.stages = stages.iter().map(short).collect();
    }

    /// Stamp of the first thing that was recorded, ns.
    pub(crate) fn start_ns(&self) -> u64 {
        let firsts = [
            self.frames.first().map(|frame| frame.stamp_ns),
            self.samples.first().map(|sample| sample.stamp_ns),
            self.decisions.first().map(|decision| decision.stamp_ns),
        ];
        firsts.into_iter().flatten().min().unwrap_or(0)
    }

    /// Stamp of the last thing that was recorded, ns.
    pub(crate) fn end_ns(&self) -> u64 {
        let lasts = [
            self.frames.last().map(|frame| frame.stamp_ns),
            self.samples.last().map(|sample| sample.stamp_ns),
            self.decisions.last().map(|decision| decision.stamp_ns),
        ];
        lasts.into_iter().flatten().max().unwrap_or(0)
    }

    /// Seconds since the first thing that was recorded, in whole milliseconds.
    pub(crate) fn seconds(&self, stamp_ns: u64) -> f64 {
        (stamp_ns.saturating_sub(self.start_ns()) / 1_000_000) as f64 / 1e3
    }

    /// Stage at a time; 0 before the first.
    pub(crate) fn stage_at(&self, stamp_ns: u64) -> u32 {
        let decided = self
            .decisions
            .iter()
            .rev()
            .find(|decision| decision.stamp_ns <= stamp_ns);
        let sampled = self
            .samples
            .iter()
            .rev()
            .find(|sample| sample.stamp_ns <= stamp_ns);
        match (decided, sampled) {
            (Some(decision), _) => decision.stage,
            (None, Some(sample)) => sample.stage,
            (None, None) => 0,
        }
    }

    /// What a stage is called; empty when the program did not say.
    pub(crate) fn stage_name(&self, stage: u32) -> &str {
        let index = (stage as usize).checked_sub(1);
        index
            .and_then(|index| self.stages.get(index))
            .map_or("", String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_run_stays_within_its_memory() {
        let mut recorder = Recorder::new(RunInfo::default());
        let rgb = [7; 12];
        for i in 0..5000_u64 {
            recorder.add_frame(i * 100_000_000, Picture::new(&rgb, 2, 2).unwrap());
        }
        assert!(
            recorder.frames.len() <= MAX_FRAMES,
            "{}",
            recorder.frames.len()
        );
        let first = recorder.frames.first().unwrap().stamp_ns;
        let last = recorder.frames.last().unwrap().stamp_ns;
        assert_eq!(first, 0);
        assert!(last >= 490_000_000_000, "the end is kept: {last}");
    }

    #[test]
    fn the_stage_of_a_moment_is_the_last_decided() {
        let mut recorder = Recorder::new(RunInfo::default());
        recorder.add_sample(Sample {
            stamp_ns: 5,
            stage: 1,
            ..Sample::default()
        });
        recorder.add_decision(Decision {
            stamp_ns: 10,
            stage: 2,
            ..Decision::default()
        });
        assert_eq!(
            [4, 5, 9, 10, 99].map(|t| recorder.stage_at(t)),
            [0, 1, 1, 2, 2]
        );
    }
}
