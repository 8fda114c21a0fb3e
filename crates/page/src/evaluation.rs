//! An operator's verdicts: a line of JSON each, in a file that survives whatever ends a run, and that the
//! next run goes on with.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use tiller_core::wilson;

/// Longest file that is read, bytes: a hundred thousand verdicts with notes.
const MOST: u64 = 64 << 20;

/// What came of an episode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// What was asked for was done.
    Success,
    /// It was not.
    Fail,
    /// It does not count.
    Cancel,
}

/// One verdict, as the file holds it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Judgement {
    /// When, seconds since 1970.
    pub time_s: f64,
    /// The run, by the name of its folder.
    #[serde(default)]
    pub run: String,
    /// The episode; a later verdict on it takes the place of an earlier one.
    pub episode: u64,
    /// What the robot was asked to do.
    pub instruction: String,
    /// Seed of scene and sampling.
    #[serde(default)]
    pub seed: u64,
    /// The tasks as the world names them; empty if it knows none.
    #[serde(default)]
    pub tasks: Vec<String>,
    /// What came of it, as a person saw it.
    pub verdict: Verdict,
    /// In words.
    #[serde(default)]
    pub note: String,
    /// What the world itself said of success; none where it cannot judge.
    #[serde(default)]
    pub oracle: Option<bool>,
    /// Who wrote the program; none where there was none.
    #[serde(default)]
    pub author: Option<String>,
    /// From the episode's beginning to the verdict, s.
    pub duration_s: f64,
}

impl Judgement {
    /// The last verdict on each episode, in the order of the first.
    ///
    /// ```
    /// use tiller_page::Judgement;
    /// let line = |episode: u64, verdict: &str| {
    ///     let line = format!(
    ///         r#"{{"time_s":1.0,"episode":{episode},"instruction":"tidy up","verdict":"{verdict}","duration_s":9.0}}"#
    ///     );
    ///     serde_json::from_str::<Judgement>(&line)
    /// };
    /// let all = [line(1, "fail")?, line(2, "success")?, line(1, "success")?];
    /// let last = Judgement::last_on_each(&all);
    /// assert_eq!(last, [&all[2], &all[1]]);
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    #[must_use]
    pub fn last_on_each(all: &[Self]) -> Vec<&Self> {
        let mut places: BTreeMap<(&str, u64), usize> = BTreeMap::new();
        let mut found: Vec<&Self> = Vec::new();
        for judgement in all {
            let episode = (judgement.run.as_str(), judgement.episode);
            match places.get(&episode) {
                Some(place) => found[*place] = judgement,
                None => {
                    places.insert(episode, found.len());
                    found.push(judgement);
                }
            }
        }
        found
    }

    /// What verdicts are counted by: the instruction.
    fn task(&self) -> &str {
        &self.instruction
    }
}

/// What came of one task.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TaskTally {
    /// The instruction.
    pub task: String,
    /// Episodes that succeeded.
    pub successes: usize,
    /// Episodes that count: all but the cancelled.
    pub trials: usize,
    /// Episodes that do not.
    pub cancelled: usize,
    /// Wilson's 95 % interval of the rate.
    pub interval: (f64, f64),
}

/// The verdicts of an evaluation, which may go over many runs.
#[derive(Debug)]
pub struct Evaluation {
    path: PathBuf,
    run: String,
    file: File,
    judgements: Vec<Judgement>,
    unread: usize,
}

impl Evaluation {
    /// Name of the file where a setting names none.
    pub const NAME: &str = "evaluation.jsonl";

    /// Opens a file, with what is there already, for the verdicts of a `run`; a line that a crash has torn stays
    /// where it is and is counted as unread.
    ///
    /// # Errors
    /// When the file cannot be read or written.
    pub fn open(path: &Path, run: &str) -> io::Result<Self> {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        let (path, run) = (path.to_owned(), run.to_owned());
        let mut file = OpenOptions::new()
            .read(true)
            .append(true)
            .create(true)
            .open(&path)?;
        let mut text = Vec::new();
        (&file).take(MOST).read_to_end(&mut text)?;
        let (mut judgements, mut unread) = (Vec::new(), 0);
        for line in text.split(|byte| *byte == b'\n') {
            if line.trim_ascii().is_empty() {
                continue;
            }
            match serde_json::from_slice::<Judgement>(line) {
                Ok(judgement) => judgements.push(judgement),
                Err(_) => unread += 1,
            }
        }
        if text.last().is_some_and(|last| *last != b'\n') {
            // What comes next begins a line of its own.
            file.seek(io::SeekFrom::End(0))?;
            file.write_all(b"\n")?;
        }
        Ok(Self {
            path,
            run,
            file,
            judgements,
            unread,
        })
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The run whose verdicts are added.
    #[must_use]
    pub fn run(&self) -> &str {
        &self.run
    }

    /// Lines that are no verdicts.
    #[must_use]
    pub fn unread(&self) -> usize {
        self.unread
    }

    /// Writes a verdict; it is on the disk when this returns.
    ///
    /// # Errors
    /// When it cannot be written; it counts all the same until the run ends.
    pub fn judge(&mut self, judgement: Judgement) -> io::Result<()> {
        let line = serde_json::to_string(&judgement);
        self.judgements.push(judgement);
        let mut line = line?;
        line.push('\n');
        self.file.write_all(line.as_bytes())?;
        self.file.sync_data()
    }

    /// The last verdict on each episode, in the order of the first.
    #[must_use]
    pub fn judgements(&self) -> Vec<&Judgement> {
        Judgement::last_on_each(&self.judgements)
    }

    /// Counts by task, in the order of its first verdict.
    #[must_use]
    pub fn tallies(&self) -> Vec<TaskTally> {
        let mut tallies: Vec<TaskTally> = Vec::new();
        for judgement in self.judgements() {
            let known = tallies.iter().position(|it| it.task == judgement.task());
            let place = known.unwrap_or_else(|| {
                tallies.push(TaskTally {
                    task: judgement.task().to_owned(),
                    successes: 0,
                    trials: 0,
                    cancelled: 0,
                    interval: (0.0, 1.0),
                });
                tallies.len() - 1
            });
            let tally = &mut tallies[place];
            match judgement.verdict {
                Verdict::Success => {
                    tally.successes += 1;
                    tally.trials += 1;
                }
                Verdict::Fail => tally.trials += 1,
                Verdict::Cancel => tally.cancelled += 1,
            }
        }
        for tally in &mut tallies {
            tally.interval = wilson::interval(tally.successes, tally.trials);
        }
        tallies
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judgement(episode: u64, instruction: &str, verdict: Verdict) -> Judgement {
        Judgement {
            time_s: 1.0,
            run: "a".into(),
            episode,
            instruction: instruction.into(),
            seed: 7,
            tasks: Vec::new(),
            verdict,
            note: "a \"note\"\nof two lines".into(),
            oracle: None,
            author: None,
            duration_s: 2.5,
        }
    }

    #[test]
    fn verdicts_are_counted_by_task_and_the_last_on_an_episode_holds() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep").join(Evaluation::NAME);
        let mut evaluation = Evaluation::open(&path, "a").unwrap();
        for (episode, task, verdict) in [
            (1, "open", Verdict::Success),
            (2, "push", Verdict::Cancel),
            (3, "open", Verdict::Success),
            (3, "open", Verdict::Fail),
        ] {
            evaluation.judge(judgement(episode, task, verdict)).unwrap();
        }
        let tallies = evaluation.tallies();
        assert_eq!(tallies.len(), 2);
        assert_eq!((tallies[0].successes, tallies[0].trials), (1, 2));
        assert_eq!(tallies[0].interval, wilson::interval(1, 2));
        assert_eq!((tallies[1].trials, tallies[1].cancelled), (0, 1));
        assert_eq!(tallies[1].interval, (0.0, 1.0));
        // The next run counts on, and its episodes are others though they have the same numbers.
        let mut evaluation = Evaluation::open(&path, "b").unwrap();
        let next = judgement(1, "open", Verdict::Fail);
        let run = evaluation.run().to_owned();
        evaluation.judge(Judgement { run, ..next }).unwrap();
        let tally = &evaluation.tallies()[0];
        assert_eq!((tally.successes, tally.trials), (1, 3));
    }

    #[test]
    fn it_goes_on_after_a_crash_in_the_middle_of_a_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(Evaluation::NAME);
        let mut evaluation = Evaluation::open(&path, "a").unwrap();
        for episode in 1..=2 {
            let it = judgement(episode, "open", Verdict::Success);
            evaluation.judge(it).unwrap();
        }
        drop(evaluation);
        let whole = std::fs::read(&path).unwrap();
        // Wherever the second line is torn.
        let first = whole.iter().position(|byte| *byte == b'\n').unwrap() + 1;
        for end in first..whole.len() - 1 {
            std::fs::write(&path, &whole[..end]).unwrap();
            let mut resumed = Evaluation::open(&path, "a").unwrap();
            let torn = usize::from(end > first);
            assert_eq!((resumed.judgements().len(), resumed.unread()), (1, torn));
            resumed.judge(judgement(9, "open", Verdict::Fail)).unwrap();
            let again = Evaluation::open(&path, "a").unwrap();
            let episodes: Vec<_> = again.judgements().iter().map(|it| it.episode).collect();
            assert_eq!(episodes, [1, 9], "torn at {end}");
        }
    }
}
