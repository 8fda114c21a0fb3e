//! Where one episode after the other is run: what a thread of a benchmark holds, and what a worker does.

use eyre::{Result, WrapErr};
use tiller_report::{Outcome, Recorder, RunInfo};

use crate::episode::{EpisodeSpec, Runner, RunnerConfig};
use crate::failure::failure;
use crate::job::Job;
use crate::line::{EpisodeLine, Settings};
use crate::run::{BenchConfig, full};

/// A world and a policy, and how they are measured.
pub(crate) struct Station<'a> {
    config: &'a BenchConfig,
    settings: &'a Settings,
    full: RunnerConfig,
    runner: Runner,
}

impl<'a> Station<'a> {
    /// Loads world and policy.
    ///
    /// # Errors
    /// When one of them does not start.
    pub(crate) fn new(config: &'a BenchConfig, settings: &'a Settings) -> Result<Self> {
        let full = full(config);
        Ok(Self {
            config,
            settings,
            runner: Runner::new(&config.subject, full.clone())?,
            full,
        })
    }

    /// Runs an episode.
    ///
    /// # Errors
    /// When world, renderer or inference fails, or pictures cannot be written.
    pub(crate) fn run(&mut self, job: &Job) -> Result<EpisodeLine> {
        self.runner.steer_as(&job.method.configure(&self.full))?;
        let (config, name, method) = (self.config, job.task_name(), job.method);
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
            told: instruction.clone().unwrap_or_default(),
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
        let result = self
            .runner
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
            provider: self.runner.provider().to_string(),
            failure: failure(&result, result.ending),
            pictures,
            result,
            settings: self.settings.clone(),
        })
    }
}
