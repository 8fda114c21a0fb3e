//! The episodes that a benchmark consists of.

use std::collections::HashSet;
use std::fmt;

use eyre::{Result, ensure, eyre};
use serde::{Deserialize, Serialize};
use tiller_world::{TaskInfo, Variation, WorldKind};

use crate::demos::FIRST_TRAINING_SEED;
use crate::line;
use crate::method::Method;
use crate::run::BenchConfig;

/// One episode to come.
pub(crate) struct Job {
    pub(crate) task: Option<TaskInfo>,
    pub(crate) variation: Option<Variation>,
    pub(crate) suite: String,
    pub(crate) method: Method,
    pub(crate) seed: u64,
}

/// Name under which free runs appear.
pub const FREE_RUN: &str = "any";

impl Job {
    pub(crate) fn task_name(&self) -> &str {
        self.task.as_ref().map_or(FREE_RUN, |task| &task.id)
    }

    /// Which line it becomes.
    pub(crate) fn key(&self) -> line::Key {
        let task = self.task_name().to_owned();
        (
            task,
            self.variation.clone(),
            self.seed,
            self.method.to_string(),
        )
    }

    /// Name of the episode's folder.
    pub(crate) fn folder(&self) -> String {
        let name = self.task_name();
        let varied = self
            .variation
            .as_ref()
            .map_or_else(String::new, |variation| {
                format!("-{}{}", variation.axis, variation.strength)
            });
        format!("{name}{varied}-{:04}-{}", self.seed, self.method)
    }

    /// The job as another process can be told it.
    pub(crate) fn named(&self) -> NamedJob {
        NamedJob {
            task: self.task.as_ref().map(|task| task.id.clone()),
            variation: self.variation.clone(),
            method: self.method.to_string(),
            seed: self.seed,
        }
    }

    /// The job of that name.
    ///
    /// # Errors
    /// When the world has no such task or departure, or there is no such method.
    pub(crate) fn from_name(kind: &dyn WorldKind, name: &NamedJob) -> Result<Self> {
        let task = name
            .task
            .as_deref()
            .map(|id| task_of(kind, id))
            .transpose()?;
        check_variation(kind, task.as_ref(), name.variation.as_ref())?;
        let method = name
            .method
            .parse()
            .map_err(|error| eyre!("method: {error}"))?;
        Ok(Self::new(
            kind,
            task,
            name.variation.clone(),
            method,
            name.seed,
        ))
    }

    fn new(
        kind: &dyn WorldKind,
        task: Option<TaskInfo>,
        variation: Option<Variation>,
        method: Method,
        seed: u64,
    ) -> Self {
        let suite = task.as_ref().map_or_else(
            || FREE_RUN.to_owned(),
            |task| kind.info().suite_of(task, variation.as_ref()),
        );
        Self {
            task,
            variation,
            suite,
            method,
            seed,
        }
    }
}

impl fmt::Display for Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.named().fmt(f)
    }
}

/// An episode by the names of all that decides it beside the settings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamedJob {
    /// Id of the task; none: a free run.
    pub task: Option<String>,
    /// How the scene departs from those of training.
    pub variation: Option<Variation>,
    /// Name of the method.
    pub method: String,
    /// Seed of scene and sampling.
    pub seed: u64,
}

impl fmt::Display for NamedJob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.task.as_deref().unwrap_or(FREE_RUN))?;
        if let Some(variation) = &self.variation {
            write!(f, " {variation}")?;
        }
        write!(f, ", {}, seed {}", self.method, self.seed)
    }
}

/// All jobs of a benchmark, whatever its file holds.
///
/// # Errors
/// When the configuration makes no sense.
pub(crate) fn jobs(config: &BenchConfig) -> Result<Vec<Job>> {
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
    let mut tasks = Vec::new();
    for id in &config.tasks {
        tasks.push(match id {
            Some(id) => Some(task_of(kind, id)?),
            None => None,
        });
    }
    for variation in &config.variations {
        for task in &tasks {
            check_variation(kind, task.as_ref(), variation.as_ref())?;
        }
    }
    let mut jobs = Vec::new();
    let mut seen = HashSet::new();
    // Seeds in the outer loop: an interrupted run has seen every task.
    for index in 0..config.episodes as u64 {
        for task in &tasks {
            for variation in &config.variations {
                for &method in &config.methods {
                    let seed = config.seed + index;
                    let job = Job::new(kind, task.clone(), variation.clone(), method, seed);
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

fn check_variation(
    kind: &dyn WorldKind,
    task: Option<&TaskInfo>,
    variation: Option<&Variation>,
) -> Result<()> {
    let info = kind.info();
    if let Some(variation) = variation {
        let of = task.map_or_else(String::new, |task| format!(" for the task {}", task.id));
        ensure!(
            info.has(variation, task),
            "{} has no departure `{variation}`{of}",
            info.name
        );
    }
    Ok(())
}
