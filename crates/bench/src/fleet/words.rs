//! What scheduler, workers and whoever wants the results say to each other, as lines of JSON.

use std::fmt;
use std::path::PathBuf;

use eyre::{Result, WrapErr, ensure, eyre};
use serde::{Deserialize, Serialize};
use tiller_policy::{Provider, find_bundle};
use tiller_vlm::RecordedPrograms;

use super::Answer;
use crate::run::{BenchConfig, settings};
use crate::{EpisodeLine, NamedJob, Settings, Subjects};

/// What decides an episode and is no setting.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Build {
    /// Version of Tiller.
    pub version: String,
    /// Fingerprint of the sources of all crates and of the versions that they are built with.
    pub sources: String,
    /// Kind of processor.
    pub arch: String,
}

impl Build {
    /// This program's.
    #[must_use]
    pub fn this() -> Self {
        Self {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            sources: env!("TILLER_SOURCES").to_owned(),
            arch: std::env::consts::ARCH.to_owned(),
        }
    }
}

impl fmt::Display for Build {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (version, sources, arch) = (&self.version, &self.sources, &self.arch);
        write!(f, "{version}, sources {sources}, {arch}")
    }
}

/// What all jobs have in common, and what a worker needs to run one as whoever wants the results would.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// The build that is wanted.
    pub build: Build,
    /// World, policy and parameters; a worker finds the same, or is unfit.
    pub settings: Settings,
    /// Folder in which the benchmark was started; workers go there if it exists where they are.
    pub folder: PathBuf,
    /// Folder of the policy there.
    pub policy_folder: PathBuf,
    /// Folder of the network that finds keypoints there.
    pub detector_model: Option<PathBuf>,
    /// Folder of programs that are followed in the place of the author's.
    pub programs: Option<PathBuf>,
    /// Folder for the pictures of every episode.
    pub pictures: Option<PathBuf>,
    /// Whether what the world recorded is wanted.
    pub records: bool,
}

impl Plan {
    /// The plan of a benchmark whose lines have these settings.
    ///
    /// # Errors
    /// When there is no working directory.
    pub(crate) fn new(config: &BenchConfig, settings: Settings) -> Result<Self> {
        let full = |path: &PathBuf| std::path::absolute(path).wrap_err("no working directory");
        Ok(Self {
            build: Build::this(),
            settings,
            folder: std::env::current_dir().wrap_err("there is no working directory")?,
            policy_folder: full(&config.policy_folder)?,
            detector_model: config.sight.model.as_ref().map(full).transpose()?,
            programs: config.programs.as_ref().map(full).transpose()?,
            pictures: config.pictures.as_ref().map(full).transpose()?,
            records: config.records,
        })
    }

    /// The benchmark as it would be here: without jobs and files, and with the same settings to the last digit.
    ///
    /// # Errors
    /// When world or policy are not there, or others than planned.
    pub fn config(&self, subjects: &Subjects) -> Result<BenchConfig> {
        let wanted = &self.settings;
        let mut subject = subjects.find(Some(&wanted.world))?.clone();
        if let Some(folder) = &self.programs {
            subject = subject.with_programs(RecordedPrograms::load(folder)?);
        }
        let here = std::env::current_dir().wrap_err("there is no working directory")?;
        let policy_folder = match self.policy_folder.is_dir() {
            true => self.policy_folder.clone(),
            false => find_bundle(&wanted.policy, &here)?,
        };
        let guide = wanted.guide.as_deref().map(str::parse).transpose();
        let config = BenchConfig {
            subject,
            tasks: Vec::new(),
            variations: Vec::new(),
            methods: Vec::new(),
            episodes: 0,
            seed: 0,
            max_steps: wanted.max_steps,
            jobs: 1,
            policy: wanted.policy.clone(),
            policy_folder,
            provider: provider(&wanted.provider)?,
            tuned: wanted.tuned.clone(),
            guide: guide.wrap_err("--guide")?,
            handicap: wanted.handicap,
            sight: wanted.sight.here(self.detector_model.as_deref(), &here)?,
            programs: self.programs.clone(),
            json: None,
            restart: false,
            pictures: self.pictures.clone(),
            records: self.records,
            quiet: true,
            stop: std::sync::Arc::default(),
        };
        let differences = wanted.differences(&settings(&config)?);
        ensure!(
            differences.is_empty(),
            "other settings than planned: {}",
            differences.join("; ")
        );
        Ok(config)
    }
}

fn provider(name: &str) -> Result<Provider> {
    let known = [Provider::Cpu, Provider::Cuda];
    let found = known.into_iter().find(|provider| provider.name() == name);
    found.ok_or_else(|| eyre!("provider `{name}`: expected `cpu` or `cuda`"))
}

/// What a worker is to do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Work {
    /// To load world and policy.
    Load(Box<Plan>),
    /// To run a job.
    Run {
        /// Its number.
        job: usize,
        /// What it is.
        name: NamedJob,
    },
    /// To let go of its answer, which is there, and wait.
    Rest,
}

/// Where a worker stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum At {
    /// It has been told nothing yet.
    New,
    /// World and policy are loading.
    Loading,
    /// It waits for a job.
    Ready,
    /// It runs a job.
    Working {
        /// Which.
        job: usize,
    },
    /// It has run a job, and says so until it is told what is next.
    Done {
        /// Which.
        job: usize,
        /// The line.
        line: Box<EpisodeLine>,
        /// What the world recorded, if that is wanted.
        record: Option<String>,
    },
    /// It could not run a job, and says so until it is told what is next.
    Failed {
        /// Which.
        job: usize,
        /// What went wrong.
        error: String,
    },
    /// It will never run any.
    Unfit {
        /// Why not.
        reason: String,
    },
}

/// What a worker says of itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// Its build.
    pub build: Build,
    /// Name of its machine.
    pub host: String,
    /// Where it stands.
    pub at: At,
}

impl Report {
    /// Reads a report. Of one by another build only who sent it may be understood; that is enough to refuse it by name.
    ///
    /// # Errors
    /// When it is none at all.
    pub fn read(text: &str) -> Result<Self, serde_json::Error> {
        #[derive(Deserialize)]
        struct Head {
            build: Build,
            host: String,
        }
        serde_json::from_str(text).or_else(|error| {
            let Head { build, host } = serde_json::from_str(text)?;
            let at = At::Unfit {
                reason: format!("it says what is not understood: {error}"),
            };
            Ok(Self { build, host, at })
        })
    }
}

/// What whoever wants the results says to the scheduler.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ToScheduler {
    /// These jobs are to be run.
    Begin {
        /// As planned here.
        plan: Box<Plan>,
        /// In this order.
        jobs: Vec<NamedJob>,
    },
    /// No further job is to be begun.
    Stop,
}

/// What it answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FromScheduler {
    /// What came of a job.
    Answer(Answer),
    /// Something to know about a worker.
    Note(String),
    /// Nothing more will come; with an error, because nobody is left to work.
    Over {
        /// What went wrong.
        error: Option<String>,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_of_another_build_says_who_it_is() {
        let mut report = Report {
            build: Build::this(),
            host: "there".to_owned(),
            at: At::Working { job: 3 },
        };
        let text = serde_json::to_string(&report).unwrap();
        assert_eq!(Report::read(&text).unwrap(), report);
        let text = text.replace("working", "pondering");
        let found = Report::read(&text).unwrap();
        let At::Unfit { reason } = &found.at else {
            panic!("{found:?}");
        };
        assert!(reason.contains("pondering"), "{reason}");
        report.at = found.at.clone();
        assert_eq!(found, report);
        assert!(Report::read("{}").is_err());
    }
}
