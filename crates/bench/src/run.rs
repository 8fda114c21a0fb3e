//! Runs a benchmark: every episode that its file does not hold yet.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use eyre::{Result, WrapErr, ensure, eyre};
use sha2::{Digest, Sha256};
use tiller_core::file::read_regular;
use tiller_policy::{MANIFEST_FILE, Provider};
use tiller_report::{Outcome, Recorder, RunInfo};
use tiller_steering::Guide;
use tiller_world::{TaskInfo, Variation, WorldKind};

use crate::demos::FIRST_TRAINING_SEED;
use crate::episode::{EpisodeSpec, Runner, RunnerConfig};
use crate::failure::failure;
use crate::journal::Journal;
use crate::line::{self, EpisodeLine, Settings};
use crate::method::Method;
use crate::parallel::in_order;
use crate::progress::Progress;
use crate::referee::Records;
use crate::subject::Subject;
use crate::table::Tally;
use crate::tuned::Tuned;

/// Bytes of a policy's manifest.
const MAX_MANIFEST_BYTES: u64 = 1 << 20;

/// What to measure.
#[derive(Clone, Debug)]
pub struct BenchConfig {
    /// The world and its author.
    pub subject: Subject,
    /// Ids of the tasks; `None` stands for free runs, in which all completed tasks count.
    pub tasks: Vec<Option<String>>,
    /// How their scenes or instructions depart from those of training; `None` stands for not at all.
    /// Free runs never do.
    pub variations: Vec<Option<Variation>>,
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
    /// What guidance may move; what the bundle says when `None`.
    pub guide: Option<Guide>,
    /// File for one JSON line an episode. Episodes that it holds are not run again.
    pub json: Option<PathBuf>,
    /// Empties that file first.
    pub restart: bool,
    /// Folder for the pictures of every episode.
    pub pictures: Option<PathBuf>,
    /// Keeps what the world recorded of each episode beside that file, for its [referee](crate::referee).
    pub records: bool,
    /// Shows no progress.
    pub quiet: bool,
    /// Set to end after the episodes that are running.
    pub stop: Arc<AtomicBool>,
}

/// One episode to come.
struct Job {
    task: Option<TaskInfo>,
    variation: Option<Variation>,
    suite: String,
    method: Method,
    seed: u64,
}

/// Name under which free runs appear.
pub const FREE_RUN: &str = "any";

impl Job {
    fn task_name(&self) -> &str {
        self.task.as_ref().map_or(FREE_RUN, |task| &task.id)
    }

    fn key(&self) -> line::Key {
        let task = self.task_name().to_owned();
        (
            task,
            self.variation.clone(),
            self.seed,
            self.method.to_string(),
        )
    }

    /// Name of the episode's folder.
    fn folder(&self) -> String {
        let name = self.task_name();
        let varied = self
            .variation
            .as_ref()
            .map_or_else(String::new, |variation| {
                format!("-{}{}", variation.axis, variation.strength)
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
    let mut records = match &config.json {
        Some(path) if config.records => Some(Records::open(path, config.restart)?),
        _ => None,
    };
    let mut tally = Tally::new(config.subject.kind.clone());
    before.iter().for_each(|line| tally.add(line));
    let there: HashSet<line::Key> = before.iter().map(EpisodeLine::key).collect();
    let jobs: Vec<Job> = jobs
        .into_iter()
        .filter(|job| !there.contains(&job.key()))
        .collect();
    let mut progress = Progress::new(jobs.len() as u64, config.quiet);
    let full = full(config);
    let make = || Runner::new(&config.subject, full.clone());
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
        if let (Some(records), Some(record)) = (&mut records, &line.result.record) {
            records.add(&line.id(), line.result.success, record)?;
        }
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
    let kind = config.subject.kind.as_ref();
    let info = kind.info();
    let mut tasks = Vec::new();
    for id in &config.tasks {
        tasks.push(match id {
            Some(id) => Some(task_of(kind, id)?),
            None => None,
        });
    }
    for variation in config.variations.iter().flatten() {
        ensure!(
            info.has(variation),
            "{} has no departure `{variation}`",
            info.name
        );
    }
    let mut jobs = Vec::new();
    let mut seen = HashSet::new();
    // Seeds in the outer loop: an interrupted run has seen every task.
    for index in 0..config.episodes as u64 {
        for task in &tasks {
            for variation in &config.variations {
                for &method in &config.methods {
                    let suite = task.as_ref().map_or_else(
                        || FREE_RUN.to_owned(),
                        |task| info.suite_of(task, variation.as_ref()),
                    );
                    let job = Job {
                        task: task.clone(),
                        variation: variation.clone(),
                        suite,
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

/// The task of that id.
///
/// # Errors
/// When the world has none; the message lists those that it has.
pub fn task_of(kind: &dyn WorldKind, id: &str) -> Result<TaskInfo> {
    kind.task(id).ok_or_else(|| {
        let known: Vec<&str> = kind
            .info()
            .tasks
            .iter()
            .map(|task| task.id.as_str())
            .collect();
        eyre!("--task {id}: expected one of {}", known.join(", "))
    })
}

/// How the full method's episodes are run.
fn full(config: &BenchConfig) -> RunnerConfig {
    RunnerConfig {
        policy: config.policy_folder.clone(),
        threads: 1,
        provider: config.provider,
        planner: config.tuned.planner(),
        guide: config.guide,
        growth: config.tuned.growth(),
        stages: config.tuned.stages(),
        blind: None,
        last_stage_only: false,
        grounding: crate::episode::grounding(config.subject.kind.info()),
        ahead: config.tuned.ahead(),
        planning_ns: config.tuned.planning_ns(),
    }
}

fn settings(config: &BenchConfig) -> Result<Settings> {
    let manifest = config.policy_folder.join(MANIFEST_FILE);
    let bytes = read_regular(&manifest, MAX_MANIFEST_BYTES)?;
    let digest = Sha256::digest(&bytes);
    Ok(Settings {
        world: config.subject.kind.info().name.to_owned(),
        policy: config.policy.clone(),
        policy_sha256: digest.iter().map(|byte| format!("{byte:02x}")).collect(),
        provider: config.provider.to_string(),
        max_steps: config.max_steps,
        guide: config.guide.map(|guide| guide.to_string()),
        programs_sha256: config.subject.programs_sha256.clone(),
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
    let kind = &config.subject.kind;
    let said = job
        .task
        .as_ref()
        .map(|task| kind.say(task, job.variation.as_ref(), job.seed));
    let (instruction, tasks) = match said {
        Some(said) => (Some(said.instruction), said.tasks),
        None => (None, Vec::new()),
    };
    let spec = EpisodeSpec {
        instruction: instruction.clone().filter(|_| method.is_steered()),
        variation: job.variation.clone(),
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
        suite: job.suite.clone(),
        variation: job.variation.clone(),
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
