//! `tiller bench`: success rates over seeded episodes.

mod suite;
mod table;
pub mod wilson;

pub use suite::{Suite, suite_of};
pub use table::{Cell, Tally};

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use eyre::{Result, WrapErr, ensure};
use serde::{Deserialize, Serialize};
use tiller_playtable::Task;
use tiller_report::{Outcome, Recorder, RunInfo};

use crate::demos::FIRST_TRAINING_SEED;
use crate::episode::{EpisodeResult, EpisodeSpec, Runner, RunnerConfig};
use crate::parallel::in_order;
use crate::progress::Progress;

/// What to measure.
#[derive(Clone, Debug)]
pub struct BenchConfig {
    /// The tasks; `None` stands for free runs, in which all completed tasks count.
    pub tasks: Vec<Option<Task>>,
    /// Which ways to run each of them: steered, unsteered or both. Free runs are never steered.
    pub steered: Vec<bool>,
    /// Episodes of each task, each way.
    pub episodes: usize,
    /// Seed of the first episode; the others follow. Below [`FIRST_TRAINING_SEED`].
    pub seed: u64,
    /// Policy steps (100 ms) after which an episode has failed.
    pub max_steps: usize,
    /// Worker threads.
    pub jobs: usize,
    /// How each worker runs its episodes.
    pub runner: RunnerConfig,
    /// Name of the policy, for the record.
    pub policy: String,
    /// File for one JSON line an episode.
    pub json: Option<PathBuf>,
    /// Folder for the pictures of every episode.
    pub pictures: Option<PathBuf>,
    /// Shows no progress.
    pub quiet: bool,
}

/// One episode, as the JSON file holds it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EpisodeLine {
    /// Name of the task; `any` in a free run.
    pub task: String,
    /// Suite of the task; `any` in a free run.
    pub suite: String,
    /// Seed of scene and sampling.
    pub seed: u64,
    /// Whether steering was on.
    pub steered: bool,
    /// Name of the policy.
    pub policy: String,
    /// Processor that ran it: `cpu` or `cuda`.
    pub provider: String,
    /// What came of it.
    #[serde(flatten)]
    pub result: EpisodeResult,
}

/// One episode to come.
struct Job {
    task: Option<Task>,
    steered: bool,
    seed: u64,
}

/// Name under which free runs appear.
pub const FREE_RUN: &str = "any";

/// Runs all episodes. The episodes' results depend on the configuration only, not on the number of
/// worker threads.
///
/// # Errors
/// When the configuration makes no sense, a policy or the simulation does not start, or a file
/// cannot be written.
pub fn run(config: &BenchConfig) -> Result<Tally> {
    ensure!(config.episodes > 0, "--episodes 0: expected 1 or more");
    ensure!(config.max_steps > 0, "--max-steps 0: expected 1 or more");
    ensure!(
        config.seed.saturating_add(config.episodes as u64) <= FIRST_TRAINING_SEED,
        "--seed {} with {} episodes: expected seeds below {FIRST_TRAINING_SEED}, where the \
         training scenes begin",
        config.seed,
        config.episodes
    );
    let jobs = jobs(config);
    ensure!(
        !jobs.is_empty(),
        "free runs are never steered: nothing is left to run"
    );
    let mut json = match &config.json {
        Some(path) => Some((path, create(path)?)),
        None => None,
    };
    let mut tally = Tally::default();
    let mut progress = Progress::new(jobs.len() as u64, config.quiet);
    let make = || Runner::new(config.runner.clone());
    in_order(
        &jobs,
        config.jobs,
        make,
        |runner, job| episode(config, runner, job),
        |_, line| {
            if let Some((path, file)) = &mut json {
                let text = serde_json::to_string(&line)?;
                writeln!(file, "{text}")
                    .wrap_err_with(|| format!("cannot write {}", path.display()))?;
            }
            tally.add(&line);
            progress.step(&tally.running());
            Ok(())
        },
    )?;
    progress.finish();
    Ok(tally)
}

fn jobs(config: &BenchConfig) -> Vec<Job> {
    let mut jobs = Vec::new();
    // Seeds in the outer loop: an interrupted run has seen every task.
    for index in 0..config.episodes as u64 {
        for &task in &config.tasks {
            for &steered in config
                .steered
                .iter()
                .filter(|&&steered| task.is_some() || !steered)
            {
                jobs.push(Job {
                    task,
                    steered,
                    seed: config.seed + index,
                });
            }
        }
    }
    jobs
}

fn episode(config: &BenchConfig, runner: &mut Runner, job: &Job) -> Result<EpisodeLine> {
    let instruction = job.task.map(|task| task.instruction().to_owned());
    let spec = EpisodeSpec {
        task: job.task,
        instruction: instruction.clone().filter(|_| job.steered),
        seed: job.seed,
        max_steps: config.max_steps,
    };
    let name = job.task.map_or(FREE_RUN, Task::name);
    let context = || format!("{name}, seed {}", job.seed);
    let mut recorder = config.pictures.as_ref().map(|_| {
        Recorder::new(RunInfo {
            instruction: instruction.unwrap_or_else(|| "free run".to_owned()),
            policy: config.policy.clone(),
            seed: job.seed,
            steered: job.steered,
        })
    });
    let result = runner
        .run(&spec, recorder.as_mut())
        .wrap_err_with(context)?;
    if let (Some(recorder), Some(folder)) = (recorder, &config.pictures) {
        let way = if job.steered { "steered" } else { "unsteered" };
        let outcome = Outcome {
            success: result.success,
            reason: result.reason.clone(),
            completed: result.completed.clone(),
        };
        recorder.write(
            &folder.join(format!("{name}-{:04}-{way}", job.seed)),
            &outcome,
        )?;
    }
    Ok(EpisodeLine {
        task: name.to_owned(),
        suite: job
            .task
            .map_or(FREE_RUN, |task| suite_of(task).name())
            .to_owned(),
        seed: job.seed,
        steered: job.steered,
        policy: config.policy.clone(),
        provider: runner.provider().to_string(),
        result,
    })
}

fn create(path: &Path) -> Result<File> {
    File::create(path).wrap_err_with(|| format!("cannot write {}", path.display()))
}
