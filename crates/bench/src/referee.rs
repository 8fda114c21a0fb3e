//! The referee: another simulator, in which what was done is done again.
//!
//! A world that stands for another simulator records what was done in each episode. The referee's program reads
//! such records from its input, a line each, and prints one JSON object with the `rulings`: for each record its
//! `id` and whether it was a `success` there. What it says is kept beside the results, a line each.

use std::collections::{HashMap, HashSet};
use std::ffi::OsString;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use eyre::{OptionExt, Result, WrapErr, ensure, eyre};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::line_file::LineFile;

/// Files beside the results.
const RECORDS: &str = "records";
const RULINGS: &str = "rulings";
/// Records that are ruled together: what is done is kept when the next ones are interrupted.
const TOGETHER: usize = 60;

/// What the referee says of an episode.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ruling {
    /// Which episode it is.
    pub id: String,
    /// What we said.
    pub claimed: bool,
    /// What it says.
    pub success: bool,
    /// What else it says.
    #[serde(flatten)]
    pub more: HashMap<String, Value>,
}

/// What was ruled of all episodes of a file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rulings {
    /// All of them, in the order in which the episodes ended.
    pub all: Vec<Ruling>,
}

impl Rulings {
    /// Those in which we were right.
    #[must_use]
    pub fn agreements(&self) -> usize {
        self.all
            .iter()
            .filter(|it| it.claimed == it.success)
            .count()
    }

    /// What there is to say, disagreements by name.
    #[must_use]
    pub fn text(&self) -> String {
        let (of, agreed) = (self.all.len(), self.agreements());
        let share = 100.0 * agreed as f64 / of.max(1) as f64;
        let mut lines = vec![format!(
            "referee: agrees on {agreed} of {of} episodes, {share:.1} %"
        )];
        for it in self.all.iter().filter(|it| it.claimed != it.success) {
            let word = |success| if success { "success" } else { "failure" };
            let (ours, its) = (word(it.claimed), word(it.success));
            lines.push(format!("  {}: {ours} here, {its} there", it.id));
        }
        lines.join("\n")
    }
}

/// Records of episodes.
pub(crate) struct Records(LineFile);

/// A file beside the results, `results.jsonl.records`: it is none of results itself.
fn beside(results: &Path, what: &str) -> PathBuf {
    let mut name = results.as_os_str().to_owned();
    name.push(".");
    name.push(what);
    name.into()
}

impl Records {
    /// Records beside a file of results; with `restart` both they and the rulings are emptied first.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub(crate) fn open(results: &Path, restart: bool) -> Result<Self> {
        if restart {
            LineFile::open(&beside(results, RULINGS), restart, |_, _| Ok(()))?;
        }
        let path = beside(results, RECORDS);
        LineFile::open(&path, restart, |_, _| Ok(())).map(Self)
    }

    /// Adds what the world recorded of an episode.
    ///
    /// # Errors
    /// When the record is no JSON object, or the file cannot be written.
    pub(crate) fn add(&mut self, id: &str, success: bool, record: &str) -> Result<()> {
        let mut record: Value = serde_json::from_str(record).wrap_err("the world's record")?;
        let object = record.as_object_mut();
        let object = object.ok_or_eyre("the world's record is no JSON object")?;
        object.insert("id".to_owned(), id.into());
        object.insert("success".to_owned(), success.into());
        self.0.add(&record)
    }
}

/// Has every record beside a file of results ruled that was not yet; `tell` hears how many are left.
///
/// # Errors
/// When the referee cannot be run or does not answer, or a file cannot be read or written.
pub fn rule(command: &[OsString], results: &Path, tell: &mut dyn FnMut(usize)) -> Result<Rulings> {
    let mut rulings = Rulings::default();
    let kept = beside(results, RULINGS);
    let mut file = LineFile::open(&kept, false, |number, line| {
        rulings.all.push(parsed(&kept, number, line)?);
        Ok(())
    })?;
    let known: HashSet<String> = rulings.all.iter().map(|known| known.id.clone()).collect();
    let path = beside(results, RECORDS);
    let mut open = Vec::new();
    LineFile::open(&path, false, |number, line| {
        let record: Value = parsed(&path, number, line)?;
        if record["id"].as_str().is_some_and(|id| !known.contains(id)) {
            open.push(record.to_string());
        }
        Ok(())
    })?;
    let mut left = open.len();
    for records in open.chunks(TOGETHER) {
        tell(left);
        for ruling in ask(command, records)? {
            file.add(&ruling)?;
            rulings.all.push(ruling);
        }
        left -= records.len();
    }
    Ok(rulings)
}

fn parsed<T: DeserializeOwned>(
    path: &Path,
    number: usize,
    line: Result<&[u8], String>,
) -> Result<T> {
    let place = || format!("{}, line {number}", path.display());
    let line = line.map_err(|found| eyre!("{}: {found}", place()))?;
    serde_json::from_slice(line).wrap_err_with(place)
}

/// What the referee prints.
#[derive(Deserialize)]
struct Answer {
    rulings: Vec<Ruling>,
}

fn ask(command: &[OsString], records: &[String]) -> Result<Vec<Ruling>> {
    let (program, arguments) = command.split_first().ok_or_eyre("no referee")?;
    let name = || format!("the referee {}", program.to_string_lossy());
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .wrap_err_with(name)?;
    let mut input = child.stdin.take().ok_or_eyre("a pipe")?;
    let text = records.join("\n");
    // It reads everything before it prints.
    let sent = input.write_all(text.as_bytes());
    drop(input);
    let output = child.wait_with_output().wrap_err_with(name)?;
    // 1: some claims do not stand.
    ensure!(
        matches!(output.status.code(), Some(0 | 1)),
        "{} ended with {}",
        name(),
        output.status
    );
    sent.wrap_err_with(name)?;
    let answer: Answer = serde_json::from_slice(&output.stdout)
        .wrap_err_with(|| format!("{}: its answer", name()))?;
    ensure!(
        answer.rulings.len() == records.len(),
        "{}: expected {} rulings, found {}",
        name(),
        records.len(),
        answer.rulings.len()
    );
    Ok(answer.rulings)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A referee that believes in the seeds below 2 alone.
    const SCRIPT: &str = r#"
import json, sys
records = [json.loads(line) for line in sys.stdin]
print(json.dumps({"rulings": [
    {"id": r["id"], "claimed": r["success"], "success": r["seed"] < 2, "steps": 7} for r in records]}))
"#;

    #[test]
    fn what_was_done_is_ruled_once() {
        let folder = tempfile::tempdir().unwrap();
        let results = folder.path().join("results.jsonl");
        let command: Vec<OsString> = ["python3", "-c", SCRIPT].map(Into::into).to_vec();
        let mut records = Records::open(&results, false).unwrap();
        records.add("a", true, r#"{"seed": 1}"#).unwrap();
        records.add("b", true, r#"{"seed": 2}"#).unwrap();
        let mut asked = Vec::new();
        let rulings = rule(&command, &results, &mut |left| asked.push(left)).unwrap();
        assert_eq!(rulings.agreements(), 1);
        let text = rulings.text();
        assert!(text.contains("1 of 2 episodes, 50.0 %"), "{text}");
        assert!(text.contains("b: success here, failure there"), "{text}");
        // A run that was interrupted left half a line.
        let path = folder.path().join("results.jsonl.records");
        let whole = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, format!("{whole}{{\"id\": \"half")).unwrap();
        let mut records = Records::open(&results, false).unwrap();
        records.add("c", false, r#"{"seed": 3}"#).unwrap();
        let rulings = rule(&command, &results, &mut |left| asked.push(left)).unwrap();
        assert_eq!((rulings.all.len(), rulings.agreements()), (3, 2));
        assert_eq!(asked, [2, 1]);
        drop(Records::open(&results, true).unwrap());
        let none = rule(&command, &results, &mut |_| ()).unwrap();
        assert!(none.all.is_empty());
    }

    #[test]
    fn a_referee_that_fails_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let results = folder.path().join("results.jsonl");
        let mut records = Records::open(&results, false).unwrap();
        records.add("a", true, "{}").unwrap();
        for (script, expected) in [
            ("import sys; sys.exit(2)", "ended with"),
            ("print('hello')", "its answer"),
            ("print('{\"rulings\": []}')", "expected 1 rulings"),
        ] {
            let command: Vec<OsString> = ["python3", "-c", script].map(Into::into).to_vec();
            let error = rule(&command, &results, &mut |_| ()).unwrap_err();
            assert!(format!("{error:#}").contains(expected), "{error:#}");
        }
    }
}
