//! The closed loop in one process: the crates that stand behind the dataflow's nodes, called in
//! the dataflow's rhythm.
//!
//! Every 20 ms the arm's state goes into the machines of `tiller-closed-loop` and their command into the
//! world; every 100 ms the cameras are looked through and keypoints are followed. Planning takes a set
//! simulated time. Nothing reads the world's state but its own judge, which only keeps the score.

mod blind;
mod course;
mod cpu;
mod eyes;
mod runner;
mod scene;

pub use blind::Blind;
pub use runner::{Runner, RunnerConfig};
pub use scene::{SeededObservation, SeededScene, SeenImage};

use std::time::Duration;

use serde::{Deserialize, Serialize};
use tiller_grounding::GroundingConfig;
use tiller_world::{Variation, WorldInfo};

use crate::sight::Sight;

/// How the things of a world get keypoints.
#[must_use]
pub fn grounding(info: &WorldInfo, sight: &Sight) -> GroundingConfig {
    let owned = |name: &&str| (*name).to_owned();
    GroundingConfig {
        detector: sight.detector.clone(),
        tracker: sight.tracker.clone(),
        model: sight.model.clone(),
        ignored: info.without_keypoints.iter().map(owned).collect(),
        counts: info
            .keypoint_counts
            .iter()
            .map(|(name, count)| ((*name).to_owned(), *count))
            .collect(),
        ..GroundingConfig::default()
    }
}

/// What to run.
#[derive(Clone, Debug, PartialEq)]
pub struct EpisodeSpec {
    /// Ids of the tasks that count as success, first things first; none: a free run in which all completed
    /// tasks count and which lasts until its time is over.
    pub tasks: Vec<String>,
    /// How the scene departs from those of training.
    pub variation: Option<Variation>,
    /// What the reward author is told; `None`: no steering.
    pub instruction: Option<String>,
    /// What a policy that reads is told, steered or not.
    pub told: String,
    /// Seed of scene and sampling.
    pub seed: u64,
    /// Policy steps (100 ms) after which the episode has failed.
    pub max_steps: usize,
}

/// What came of an episode.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct EpisodeResult {
    /// Whether the world saw the task achieved (any task, in a free run).
    pub success: bool,
    /// Why it ended.
    pub reason: String,
    /// How it ended.
    #[serde(skip)]
    pub ending: Ending,
    /// Policy steps executed, 100 ms each.
    pub steps: usize,
    /// Chunks planned.
    pub chunks: usize,
    /// Chunks that the actuator refused.
    pub refused: usize,
    /// Names of all tasks that were achieved.
    pub completed: Vec<String>,
    /// What was moved or touched beside the task.
    #[serde(default)]
    pub collateral: Vec<String>,
    /// What the stage machine decided.
    pub stages: Vec<StageEntry>,
    /// Where the wall time went.
    pub time: PhaseTimes,
    /// What the world recorded, for its referee.
    #[serde(skip)]
    pub record: Option<String>,
    /// Processor time of the episode's thread, seconds; what a renderer or a policy does on threads
    /// of its own is not in it.
    pub cpu_s: f64,
}

/// How an episode ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Ending {
    /// The task is achieved.
    Achieved,
    /// The steps are used up.
    #[default]
    OutOfTime,
    /// The program has finished or was given up.
    ProgramOver,
    /// The author has no program for the instruction.
    NotUnderstood,
    /// The program has errors or no stages.
    ProgramRefused,
    /// There are no keypoints.
    GroundingFailed,
    /// A stage could not be entered or measured.
    RewardFailed,
    /// No chunk could be sampled.
    PlanningFailed,
}

/// A decision of the stage machine.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct StageEntry {
    /// Simulated seconds since the start.
    pub time_s: f64,
    /// Stage from then on, from 1.
    pub stage: u32,
    /// Visit from then on.
    pub visit: u32,
    /// What was decided.
    pub kind: String,
    /// Why.
    pub reason: String,
}

/// Wall time of the parts of an episode, seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PhaseTimes {
    /// Physics and actuator.
    pub simulate_s: f64,
    /// All cameras.
    pub render_s: f64,
    /// Finding and tracking keypoints.
    pub ground_s: f64,
    /// Writing and compiling the reward program.
    pub author_s: f64,
    /// Images to condition.
    pub encode_s: f64,
    /// Sampling, all in all.
    pub plan_s: f64,
    /// The part of sampling that the policy itself took.
    pub denoise_s: f64,
    /// The loop's machines: progress, stages, motion.
    pub stage_s: f64,
    /// From reset to end.
    pub wall_s: f64,
}

impl PhaseTimes {
    /// Adds the times of another episode.
    pub fn add(&mut self, other: &Self) {
        self.simulate_s += other.simulate_s;
        self.render_s += other.render_s;
        self.ground_s += other.ground_s;
        self.author_s += other.author_s;
        self.encode_s += other.encode_s;
        self.plan_s += other.plan_s;
        self.denoise_s += other.denoise_s;
        self.stage_s += other.stage_s;
        self.wall_s += other.wall_s;
    }
}

/// Runs `work` and adds its wall time to `spent_s`.
fn timed<R>(spent_s: &mut f64, work: impl FnOnce() -> R) -> R {
    let start = std::time::Instant::now();
    let result = work();
    *spent_s += seconds(start.elapsed());
    result
}

fn seconds(duration: Duration) -> f64 {
    duration.as_secs_f64()
}
