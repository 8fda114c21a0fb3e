//! Runs a benchmark: every episode that its file does not hold yet.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use eyre::{Result, ensure, eyre};
use tiller_core::file::read_regular;
use tiller_policy::{MANIFEST_FILE, Provider};
use tiller_steering::Guide;
use tiller_world::Variation;

use crate::episode::RunnerConfig;
use crate::fleet::{Answer, Crew, Plan};
use crate::handicap::Handicap;
use crate::job::{Job, jobs};
use crate::journal::Journal;
use crate::line::{self, EpisodeLine, Settings};
use crate::method::Method;
use crate::parallel::{InOrder, in_order};
use crate::progress::Progress;
use crate::referee::Records;
use crate::sight::Sight;
use crate::station::Station;
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
    /// Seed of the first episode; the others follow. Below [`FIRST_TRAINING_SEED`](crate::demos::FIRST_TRAINING_SEED).
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
    /// What makes episodes harder than the world does.
    pub handicap: Handicap,
    /// How keypoints are found and followed.
    pub sight: Sight,
    /// Folder of programs that are followed in the place of the author's: the subject has them already, workers elsewhere
    /// read them anew.
    pub programs: Option<PathBuf>,
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

/// Runs all episodes that the JSON file does not hold, and counts these and those that it holds. The
/// episodes' results depend on the configuration only, not on the number of worker threads or
/// on interruptions.
///
/// # Errors
/// When the configuration makes no sense, the JSON file holds results of another one, a policy or
/// the simulation does not start, or a file cannot be written.
pub fn run(config: &BenchConfig) -> Result<Tally> {
    let settings = settings(config)?;
    run_by(config, &settings, |jobs, each| {
        let make = || Station::new(config, &settings);
        let work = |station: &mut Station, job: &Job| {
            if config.stop.load(Ordering::SeqCst) {
                return Ok(None);
            }
            station.run(job).map(Some)
        };
        in_order(jobs, config.jobs, make, work, each)
    })
}

/// The same, with the episodes run by whoever `crew` asks: the same lines in the same order.
///
/// # Errors
/// As [`run`], and what `crew` says.
pub fn run_on(config: &BenchConfig, crew: &mut dyn Crew) -> Result<Tally> {
    let settings = settings(config)?;
    let plan = Plan::new(config, settings.clone())?;
    run_by(config, &settings, |jobs, each| {
        let named: Vec<_> = jobs.iter().map(Job::named).collect();
        let mut queue = InOrder::default();
        let mut given_up = Vec::new();
        let ran = crew.run(&plan, &named, &config.stop, &mut |answer| match answer {
            Answer::Line { job, line, record } => {
                let line = checked(jobs, job, line, record)?;
                queue.offer(job, Some(line), jobs, each)
            }
            Answer::GivenUp { job, why } => {
                let name = jobs.get(job);
                let name = name.ok_or_else(|| eyre!("there is no job {job}"))?;
                given_up.push(format!("{name}: {why}"));
                queue.offer(job, None, jobs, each)
            }
        });
        // What is there is kept, however it ended.
        queue.flush(|| None, jobs, each)?;
        ran?;
        ensure!(
            given_up.is_empty(),
            "{} of {} episodes were given up:\n  {}",
            given_up.len(),
            jobs.len(),
            given_up.join("\n  ")
        );
        Ok(())
    })
}

/// The line of a job, from outside.
fn checked(
    jobs: &[Job],
    job: usize,
    mut line: Box<EpisodeLine>,
    record: Option<String>,
) -> Result<EpisodeLine> {
    let is_its = jobs.get(job).is_some_and(|job| job.key() == line.key());
    ensure!(is_its, "episode `{}` is not that of job {job}", line.id());
    line.result.record = record;
    Ok(*line)
}

type Each<'a> = dyn FnMut(&Job, Option<EpisodeLine>) -> Result<()> + 'a;

/// Keeps the journal and the counts of the episodes that `work` runs: of those that the file does not hold.
fn run_by(
    config: &BenchConfig,
    settings: &Settings,
    work: impl FnOnce(&[Job], &mut Each<'_>) -> Result<()>,
) -> Result<Tally> {
    let jobs = jobs(config)?;
    config.tuned.check()?;
    config.handicap.check()?;
    let (mut journal, before) = match &config.json {
        Some(path) => {
            let (journal, lines) = Journal::open(path, settings, config.restart)?;
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
    let mut each = |_: &Job, line: Option<EpisodeLine>| {
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
        work(&jobs, &mut each)?;
    } else {
        tally.unfinished = jobs.len();
    }
    progress.finish();
    Ok(tally)
}

/// How the full method's episodes are run.
pub(crate) fn full(config: &BenchConfig) -> RunnerConfig {
    RunnerConfig {
        policy: config.policy_folder.clone(),
        threads: 1,
        provider: config.provider,
        planner: config.tuned.planner(),
        guide: config.guide,
        growth: config.tuned.growth(),
        stages: config.tuned.stages(),
        blind: None,
        handicap: config.handicap,
        last_stage_only: false,
        grounding: crate::episode::grounding(config.subject.kind.info(), &config.sight),
        ahead: config.tuned.ahead(),
        planning_ns: config.tuned.planning_ns(),
    }
}

pub(crate) fn settings(config: &BenchConfig) -> Result<Settings> {
    let manifest = config.policy_folder.join(MANIFEST_FILE);
    let bytes = read_regular(&manifest, MAX_MANIFEST_BYTES)?;
    Ok(Settings {
        world: config.subject.kind.info().name.to_owned(),
        policy: config.policy.clone(),
        policy_sha256: tiller_core::sha256(&bytes),
        provider: config.provider.to_string(),
        max_steps: config.max_steps,
        guide: config.guide.map(|guide| guide.to_string()),
        handicap: config.handicap,
        sight: config.sight.settings()?,
        programs_sha256: config.subject.programs_sha256.clone(),
        tuned: config.tuned.clone(),
    })
}
