//! Episodes from JSON Lines files, as many as can be read.

use std::fs;
use std::path::{Path, PathBuf};

use eyre::{Result, WrapErr, ensure};
use serde::Deserialize;
use serde_json::Value;
use tiller_core::file::{Line as Text, Lines, open_regular};

use crate::FREE_RUN;
use crate::line_file::{MAX_LINE_BYTES, MAX_RESULTS_BYTES};
use tiller_core::{MAX_DESCRIPTION, MAX_INSTRUCTION, MAX_NAME, MAX_STATUS, clip};
use tiller_page::{Judgement, Verdict};
use tiller_world::Variation;

/// Folders inside folders that are looked into.
const DEPTH: usize = 3;
/// Broken lines that are named; of the others only the number is told.
const NAMED: usize = 20;
/// Episodes of one page.
const MAX_EPISODES: usize = 1_000_000;

/// Lines that are no episodes.
#[derive(Debug, Default)]
struct Broken {
    named: Vec<String>,
    more: usize,
}

/// An episode. What older files leave out is filled in.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Episode {
    pub(super) policy: String,
    pub(super) policy_sha256: Option<String>,
    pub(super) provider: String,
    pub(super) suite: String,
    pub(super) variation: Option<Variation>,
    pub(super) task: String,
    pub(super) seed: u64,
    pub(super) method: String,
    pub(super) instruction: Option<String>,
    pub(super) success: bool,
    /// Something beside the task was moved, or something forbidden touched.
    pub(super) harmed: bool,
    pub(super) reason: String,
    /// Cause of the failure; none after a success.
    pub(super) failure: Option<String>,
    pub(super) pictures: Option<PathBuf>,
    pub(super) steps: f64,
    pub(super) chunks: f64,
    pub(super) time: Times,
    /// Processor seconds, when they were measured.
    pub(super) cpu_s: Option<f64>,
    /// What the files' episodes have in common, as it stands there.
    pub(super) settings: Option<Value>,
    /// Index of the file.
    pub(super) file: usize,
}

/// Wall time of the parts of an episode, seconds; 0 where none was measured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(super) struct Times {
    pub(super) simulate_s: f64,
    pub(super) render_s: f64,
    pub(super) ground_s: f64,
    pub(super) encode_s: f64,
    pub(super) plan_s: f64,
    pub(super) denoise_s: f64,
    pub(super) wall_s: f64,
}

/// A file and what it held.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Source {
    /// Seen from the report's folder.
    pub(super) name: String,
    pub(super) episodes: usize,
}

/// All that could be read, and what could not.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Input {
    pub(super) episodes: Vec<Episode>,
    pub(super) sources: Vec<Source>,
    /// What was left out, a sentence each.
    pub(super) notes: Vec<String>,
}

#[derive(Deserialize)]
struct Line {
    task: String,
    seed: u64,
    success: bool,
    suite: Option<String>,
    variation: Option<Variation>,
    method: Option<String>,
    steered: Option<bool>,
    instruction: Option<String>,
    policy: Option<String>,
    provider: Option<String>,
    reason: Option<String>,
    failure: Option<String>,
    #[serde(default)]
    collateral: Vec<String>,
    pictures: Option<String>,
    #[serde(default)]
    steps: f64,
    #[serde(default)]
    chunks: f64,
    #[serde(default)]
    time: Times,
    cpu_s: Option<f64>,
    settings: Option<Value>,
}

impl Input {
    /// Reads all `.jsonl` files in `folder` and in the folders inside it, in the order of their names.
    ///
    /// # Errors
    /// When the folder or a file cannot be read. A line that is no episode is no error but a note.
    pub(super) fn read(folder: &Path) -> Result<Self> {
        ensure!(
            folder.is_dir(),
            "{} is no folder: expected one with the files that `tiller bench --json` writes",
            folder.display()
        );
        let mut files = Vec::new();
        find(folder, DEPTH, &mut files)?;
        let mut input = Self::default();
        let mut broken = Broken::default();
        for file in &files {
            input.read_file(folder, file, &mut broken)?;
        }
        input.notes.append(&mut broken.named);
        if broken.more > 0 {
            let more = broken.more;
            input.notes.push(format!("{more} more lines skipped"));
        }
        if files.is_empty() {
            let note =
                "The folder holds no .jsonl file. `tiller bench WORLD --json FILE` writes one.";
            input.notes.push(note.to_owned());
        }
        Ok(input)
    }

    fn read_file(&mut self, folder: &Path, path: &Path, broken: &mut Broken) -> Result<()> {
        let name = path
            .strip_prefix(folder)
            .unwrap_or(path)
            .display()
            .to_string();
        let mut lines = Lines::new(open_regular(path)?, path, MAX_LINE_BYTES, MAX_RESULTS_BYTES)?;
        let before = self.episodes.len();
        let home = path.parent().unwrap_or(folder);
        let mut judged = Vec::new();
        while let Some(text) = lines.next_line()? {
            let line = match text {
                // Not text: a byte that is no UTF-8 must not hide the lines after it.
                Text::Whole(bytes) | Text::Torn(bytes) if bytes.trim_ascii().is_empty() => continue,
                Text::Whole(bytes) | Text::Torn(bytes) => {
                    match serde_json::from_slice::<Judgement>(bytes) {
                        Ok(judgement) => {
                            judged.push(judgement);
                            continue;
                        }
                        Err(_) => {
                            serde_json::from_slice::<Line>(bytes).map_err(|error| error.to_string())
                        }
                    }
                }
                Text::TooLong => Err(format!("it has more than {MAX_LINE_BYTES} bytes")),
            };
            match line {
                Ok(line) => {
                    let episode = line.episode(home, self.sources.len());
                    self.episodes.push(episode);
                    ensure!(
                        self.episodes.len() <= MAX_EPISODES,
                        "{}: expected at most {MAX_EPISODES} episodes in all, found more",
                        path.display()
                    );
                }
                Err(why) => {
                    // serde counts the lines of what it was given, which is always one.
                    let why = why.split(" at line ").next().unwrap_or_default();
                    let why = clip(why, MAX_DESCRIPTION);
                    let number = lines.number();
                    match broken.named.len() < NAMED {
                        true => broken
                            .named
                            .push(format!("{name}:{number}: skipped, not an episode: {why}")),
                        false => broken.more += 1,
                    }
                }
            }
        }
        let judged = Judgement::last_on_each(&judged);
        let judged = judged
            .into_iter()
            .filter_map(|judgement| judged_episode(judgement, self.sources.len()));
        self.episodes.extend(judged);
        ensure!(
            self.episodes.len() <= MAX_EPISODES,
            "{}: expected at most {MAX_EPISODES} episodes in all, found more",
            path.display()
        );
        self.sources.push(Source {
            name,
            episodes: self.episodes.len() - before,
        });
        Ok(())
    }
}

fn find(folder: &Path, depth: usize, files: &mut Vec<PathBuf>) -> Result<()> {
    let cannot = || format!("cannot read the folder {}", folder.display());
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder).wrap_err_with(cannot)? {
        paths.push(entry.wrap_err_with(cannot)?.path());
    }
    paths.sort();
    for path in paths {
        if path.is_dir() {
            if depth > 0 && !path.is_symlink() {
                find(&path, depth - 1, files)?;
            }
        } else if path
            .extension()
            .is_some_and(|extension| extension == "jsonl")
        {
            files.push(path);
        }
    }
    Ok(())
}

impl Line {
    fn episode(self, home: &Path, file: usize) -> Episode {
        let settings = self.settings;
        let name = |text: String| clip(&text, MAX_NAME).into_owned();
        let policy_sha256 = settings
            .as_ref()
            .and_then(|settings| settings.get("policy_sha256")?.as_str())
            .map(|hash| name(hash.to_owned()));
        let steered = self.steered.unwrap_or(self.task != FREE_RUN);
        let default = if steered { "full" } else { "unsteered" };
        let reason = clip(&self.reason.unwrap_or_default(), MAX_STATUS).into_owned();
        let failure = self.failure.unwrap_or_else(|| cause(&reason));
        let failure = clip(&failure, MAX_DESCRIPTION).into_owned();
        let instruction = self.instruction.as_deref();
        let policy = self.policy.unwrap_or_else(|| "unknown".to_owned());
        Episode {
            // A bundle given by its path is called by its folder.
            policy: name(
                policy
                    .rsplit('/')
                    .find(|part| !part.is_empty())
                    .unwrap_or("/")
                    .to_owned(),
            ),
            policy_sha256,
            provider: name(self.provider.unwrap_or_else(|| "cpu".to_owned())),
            suite: name(self.suite.unwrap_or_else(|| "other".to_owned())),
            variation: self.variation,
            seed: self.seed,
            method: name(self.method.unwrap_or_else(|| default.to_owned())),
            instruction: instruction.map(|text| clip(text, MAX_INSTRUCTION).into_owned()),
            failure: (!self.success).then_some(failure),
            success: self.success,
            harmed: !self.collateral.is_empty(),
            reason,
            pictures: self.pictures.map(|folder| home.join(folder)),
            steps: self.steps,
            chunks: self.chunks,
            time: self.time,
            cpu_s: self.cpu_s,
            settings,
            file,
            task: name(self.task),
        }
    }
}

/// An episode that an operator has judged on a robot; none where it does not count. Who wrote the program is
/// the method.
fn judged_episode(judgement: &Judgement, file: usize) -> Option<Episode> {
    let success = match judgement.verdict {
        Verdict::Success => true,
        Verdict::Fail => false,
        Verdict::Cancel => return None,
    };
    let name = |text: &str| clip(text, MAX_NAME).into_owned();
    let note = clip(&judgement.note, MAX_DESCRIPTION).into_owned();
    let failure = match note.is_empty() {
        true => "judged a failure".to_owned(),
        false => note,
    };
    Some(Episode {
        policy: "unknown".to_owned(),
        policy_sha256: None,
        provider: "unknown".to_owned(),
        suite: "judged".to_owned(),
        variation: None,
        task: name(&judgement.instruction),
        // The same seed may be judged many times: no two scenes on a robot are the same.
        seed: judgement.episode,
        method: name(judgement.author.as_deref().unwrap_or("unsteered")),
        instruction: Some(clip(&judgement.instruction, MAX_INSTRUCTION).into_owned()),
        success,
        harmed: false,
        reason: clip(&judgement.note, MAX_STATUS).into_owned(),
        failure: (!success).then_some(failure),
        pictures: None,
        steps: 0.0,
        chunks: 0.0,
        time: Times {
            wall_s: judgement.duration_s,
            ..Times::default()
        },
        cpu_s: None,
        settings: None,
        file,
    })
}

/// A stable cause for files that name none.
fn cause(reason: &str) -> String {
    if reason.starts_with("out of time") {
        return "time out".to_owned();
    }
    match reason.split(':').next().unwrap_or_default().trim() {
        "" => "unknown".to_owned(),
        start => start.to_owned(),
    }
}

impl Episode {
    /// Whether the scene is like those of training.
    pub(super) fn is_plain(&self) -> bool {
        self.variation.is_none() && !self.suite.starts_with("ood-") && self.task != FREE_RUN
    }

    /// What the task and the scene have in common among methods: the pairs of a comparison.
    pub(super) fn scene(&self) -> (&str, &str, Option<(&str, u8)>, u64) {
        let variation = self.variation.as_ref();
        (
            &self.policy,
            &self.task,
            variation.map(|variation| (variation.axis.as_str(), variation.strength)),
            self.seed,
        )
    }
}
