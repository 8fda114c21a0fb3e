//! `tiller bench`: success rates over seeded episodes.

mod failure;
mod journal;
mod line;
mod method;
pub mod ood;
mod suite;
mod table;
mod tuned;
pub mod wilson;

pub use line::{EpisodeLine, Settings, Variation};
pub use method::Method;
pub use suite::{Suite, suite_of};
pub use table::{Cell, Tally};
pub use tuned::Tuned;

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use eyre::{Result, WrapErr, ensure};
use sha2::{Digest, Sha256};
use tiller_playtable::Task;
use tiller_policy::{MANIFEST_FILE, Provider};
use tiller_report::{Outcome, Recorder, RunInfo};

use self::failure::failure;
use self::journal::Journal;
use self::ood::Spoken;
use crate::demos::FIRST_TRAINING_SEED;
use crate::episode::{EpisodeSpec, Runner, RunnerConfig};
use crate::parallel::in_order;
use crate::progress::Progress;

/// What to measure.
#[derive(Clone, Debug)]
pub struct BenchConfig {
    /// The tasks; `None` stands for free runs, in which all completed tasks count.
    pub tasks: Vec<Option<Task>>,
    /// How their scenes or instructions depart from those of training; `None` stands for not at all.
    /// Free runs never do.
    pub variations: Vec<Option<tiller_playtable::Variation>>,
    /// How to run each of them. Free runs are never steered.
    pub methods: Vec<Method>,
    /// Episodes of each task with each method.
    pub episodes: usize,
    /// Seed of the first episode; the others follow. Below [`FIRST_TRAINING_SEED`].
    pub seed: u64,
    /// Policy steps (100 ms) after which an episode has failed; as many for each task of a chain.
    pub max_steps: usize,
    /// Worker threads.
    pub jobs: usize,
    /// Name of the policy, for the record.
    pub policy: String,
    /// Folder of its bundle.
    pub policy_folder: PathBuf,
    /// Processor that runs it.
    pub provider: Provider,
    /// Parameters of the full method.
    pub tuned: Tuned,
    /// File for one JSON line an episode. Episodes that it holds are not run again.
    pub json: Option<PathBuf>,
    /// Empties that file first.
    pub restart: bool,
    /// Folder for the pictures of every episode.
    pub pictures: Option<PathBuf>,
    /// Shows no progress.
    pub quiet: bool,
    /// Set to end after the episodes that are running.
    pub stop: Arc<AtomicBool>,
}

/// One episode to come.
struct Job {
    task: Option<Task>,
    variation: Option<tiller_playtable::Variation>,
    method: Method,
    seed: u64,
}

/// Name under which free runs appear.
pub const FREE_RUN: &str = "any";

impl Job {
    fn task_name(&self) -> &'static str {
        self.task.map_or(FREE_RUN, Task::name)
    }

    fn key(&self) -> line::Key {
        let task = self.task_name().to_owned();
        let variation = self.variation.map(Variation::from);
        (task, variation, self.seed, self.method.to_string())
    }

    fn suite(&self) -> &'static str {
        match (self.task, self.variation) {
            (None, _) => FREE_RUN,
            (_, Some(variation)) => Suite::along(variation.axis()).name(),
            (Some(task), None) => suite_of(task).name(),
        }
    }

    /// Name of the episode's folder.
    fn folder(&self) -> String {
        let name = self.task_name();
        let varied = self.variation.map_or_else(String::new, |variation| {
            format!("-{}{}", variation.axis().name(), variation.strength())
        });
        format!("{name}{varied}-{:04}-{}", self.seed, self.method)
    }
}

/// Runs all episodes that the JSON file does not hold, and counts these and those that it holds. The
/// episodes' results depend on the configuration only, not on the number of worker threads or
/// on interruptions.
///
/// # Errors
/// When the configuration makes no sense, the JSON file holds results of another one, a policy or
/// the simulation does not start, or a file cannot be written.
pub fn run(config: &BenchConfig) -> Result<Tally> {
    let jobs = jobs(config)?;
    config.tuned.check()?;
    let settings = settings(config)?;
    let (mut journal, before) = match &config.json {
        Some(path) => {
            let (journal, lines) = Journal::open(path, &settings, config.restart)?;
            (Some(journal), lines)
        }
        None => (None, Vec::new()),
    };
    let mut tally = Tally::default();
    before.iter().for_each(|line| tally.add(line));
    let there: HashSet<line::Key> = before.iter().map(EpisodeLine::key).collect();
    let jobs: Vec<Job> = jobs
        .into_iter()
        .filter(|job| !there.contains(&job.key()))
        .collect();
    let mut progress = Progress::new(jobs.len() as u64, config.quiet);
    let full = full(config);
    let make = || Runner::new(full.clone());
    let work = |runner: &mut Runner, job: &Job| {
        if config.stop.load(Ordering::SeqCst) {
            return Ok(None);
        }
        runner.steer_as(&job.method.configure(&full))?;
        episode(config, &settings, runner, job).map(Some)
    };
    let each = |_: &Job, line: Option<EpisodeLine>| {
        let Some(mut line) = line else {
            tally.unfinished += 1;
            return Ok(());
        };
        if let Some(journal) = &mut journal {
            let folder = line.pictures.take();
            line.pictures = folder.and_then(|folder| journal.relative(Path::new(&folder)));
            journal.add(&line)?;
        }
        tally.add(&line);
        progress.step(&tally.running());
        Ok(())
    };
    // Loading a policy takes seconds: not when nothing is left to do.
    if !jobs.is_empty() && !config.stop.load(Ordering::SeqCst) {
        in_order(&jobs, config.jobs, make, work, each)?;
    } else {
        tally.unfinished = jobs.len();
    }
    progress.finish();
    Ok(tally)
}

fn jobs(config: &BenchConfig) -> Result<Vec<Job>> {
    ensure!(config.episodes > 0, "--episodes 0: expected 1 or more");
    ensure!(config.max_steps > 0, "--max-steps 0: expected 1 or more");
    ensure!(config.jobs > 0, "--jobs 0: expected 1 or more");
    ensure!(
        config.seed.saturating_add(config.episodes as u64) <= FIRST_TRAINING_SEED,
        "--seed {} with {} episodes: expected seeds below {FIRST_TRAINING_SEED}, where the \
         training scenes begin",
        config.seed,
        config.episodes
    );
    let mut jobs = Vec::new();
    let mut seen = HashSet::new();
    // Seeds in the outer loop: an interrupted run has seen every task.
    for index in 0..config.episodes as u64 {
        for &task in &config.tasks {
            for &variation in &config.variations {
                for &method in &config.methods {
                    let job = Job {
                        task,
                        variation,
                        method,
                        seed: config.seed + index,
                    };
                    let is_free = task.is_none();
                    let runs = !is_free || !method.is_steered() && variation.is_none();
                    if runs && seen.insert(job.key()) {
                        jobs.push(job);
                    }
                }
            }
        }
    }
    ensure!(
        !jobs.is_empty(),
        "free runs are never steered nor varied: nothing is left to run"
    );
    Ok(jobs)
}

/// How the full method's episodes are run.
fn full(config: &BenchConfig) -> RunnerConfig {
    RunnerConfig {
        policy: config.policy_folder.clone(),
        threads: 1,
        provider: config.provider,
        pilot: config.tuned.pilot(),
        stages: config.tuned.stages(),
        last_stage_only: false,
        grounding: crate::episode::grounding(),
        ahead_steps: config.tuned.motion.ahead_steps,
    }
}

fn settings(config: &BenchConfig) -> Result<Settings> {
    let manifest = config.policy_folder.join(MANIFEST_FILE);
    let bytes =
        fs::read(&manifest).wrap_err_with(|| format!("cannot read {}", manifest.display()))?;
    let digest = Sha256::digest(&bytes);
    Ok(Settings {
        policy: config.policy.clone(),
        policy_sha256: digest.iter().map(|byte| format!("{byte:02x}")).collect(),
        provider: config.provider.to_string(),
        max_steps: config.max_steps,
        tuned: config.tuned.clone(),
    })
}

fn episode(
    config: &BenchConfig,
    settings: &Settings,
    runner: &mut Runner,
    job: &Job,
) -> Result<EpisodeLine> {
    let (name, method) = (job.task_name(), job.method);
    let spoken = job
        .task
        .map(|task| Spoken::of(task, job.variation, job.seed));
    let (instruction, tasks) = match spoken {
        Some(spoken) => (Some(spoken.text), spoken.tasks),
        None => (None, Vec::new()),
    };
    let spec = EpisodeSpec {
        instruction: instruction.clone().filter(|_| method.is_steered()),
        variation: job.variation,
        seed: job.seed,
        max_steps: config.max_steps * tasks.len().max(1),
        tasks,
    };
    let mut recorder = config.pictures.as_ref().map(|_| {
        Recorder::new(RunInfo {
            instruction: instruction.unwrap_or_else(|| "free run".to_owned()),
            policy: config.policy.clone(),
            seed: job.seed,
            steered: method.is_steered(),
        })
    });
    let result = runner
        .run(&spec, recorder.as_mut())
        .wrap_err_with(|| format!("{name}, {method}, seed {}", job.seed))?;
    let mut pictures = None;
    if let (Some(recorder), Some(folder)) = (recorder, &config.pictures) {
        let outcome = Outcome {
            success: result.success,
            reason: result.reason.clone(),
            completed: result.completed.clone(),
        };
        let folder = folder.join(job.folder());
        recorder.write(&folder, &outcome)?;
        pictures = folder.to_str().map(ToOwned::to_owned);
    }
    Ok(EpisodeLine {
        task: name.to_owned(),
        suite: job.suite().to_owned(),
        variation: job.variation.map(Variation::from),
        seed: job.seed,
        method: method.to_string(),
        steered: method.is_steered(),
        instruction: spec.instruction,
        policy: config.policy.clone(),
        provider: runner.provider().to_string(),
        failure: failure(&result, result.ending),
        pictures,
        result,
        settings: settings.clone(),
    })
}
