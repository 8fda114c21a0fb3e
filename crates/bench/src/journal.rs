//! The file of results, which an interrupted run goes on with.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use eyre::{Result, WrapErr, bail, ensure};
use tiller_core::file::{FileError, read_regular};

use crate::line::{EpisodeLine, Settings};

/// Bytes of a file of results: a million episodes have less.
const MAX_RESULTS_BYTES: u64 = 4 << 30;

/// One JSON line an episode, written as the episodes end.
pub(crate) struct Journal {
    path: PathBuf,
    file: File,
}

impl Journal {
    /// Opens the file, and hands back what it holds; a folder that is missing is made. A last line that was not finished is cut off.
    /// With `restart` the file is emptied first.
    ///
    /// # Errors
    /// When the file cannot be read or written, holds something else than results, or results of
    /// other settings.
    pub(crate) fn open(
        path: &Path,
        settings: &Settings,
        restart: bool,
    ) -> Result<(Self, Vec<EpisodeLine>)> {
        let cannot = |what: &str| format!("cannot {what} {}", path.display());
        let text = match read_regular(path, MAX_RESULTS_BYTES) {
            Err(error @ FileError::NotRegular { .. }) => return Err(error.into()),
            _ if restart => Vec::new(),
            Ok(text) => text,
            Err(error) if error.is_not_found() => Vec::new(),
            Err(error) => return Err(error.into()),
        };
        // A line is whole when its end has been written; what follows the last end was torn.
        let whole = text
            .iter()
            .rposition(|byte| *byte == b'\n')
            .map_or(0, |i| i + 1);
        let lines = read(path, &text[..whole], settings)?;
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).wrap_err_with(|| cannot("write"))?;
        }
        let file = OpenOptions::new()
            .create(true)
            .append(true)
            .open(path)
            .wrap_err_with(|| cannot("write"))?;
        file.set_len(whole as u64)
            .wrap_err_with(|| cannot("write"))?;
        let path = path.to_owned();
        Ok((Self { path, file }, lines))
    }

    /// Appends an episode.
    pub(crate) fn add(&mut self, line: &EpisodeLine) -> Result<()> {
        let mut text = serde_json::to_string(line)?;
        text.push('\n');
        self.file
            .write_all(text.as_bytes())
            .wrap_err_with(|| format!("cannot write {}", self.path.display()))
    }

    /// A folder as seen from the file's.
    pub(crate) fn relative(&self, folder: &Path) -> Option<String> {
        relative(self.path.parent()?, folder)
    }
}

fn read(path: &Path, text: &[u8], settings: &Settings) -> Result<Vec<EpisodeLine>> {
    let mut lines = Vec::new();
    for (index, text) in text.split_inclusive(|byte| *byte == b'\n').enumerate() {
        let place = format!("{}, line {}", path.display(), index + 1);
        let line: EpisodeLine = match serde_json::from_slice(text) {
            Ok(line) => line,
            Err(error) => bail!(
                "{place}: expected an episode of `tiller bench`, found {error}; name \
                 another file, or overwrite this one with --restart"
            ),
        };
        let differences = settings.differences(&line.settings);
        ensure!(
            differences.is_empty(),
            "{place}: results of other settings cannot be continued:\n  {}\nname another file, or \
             overwrite this one with --restart",
            differences.join("\n  ")
        );
        lines.push(line);
    }
    Ok(lines)
}

/// `target` as seen from `base`; both need not exist. `None` when that has no text.
fn relative(base: &Path, target: &Path) -> Option<String> {
    let (base, target) = (
        std::path::absolute(if base.as_os_str().is_empty() {
            Path::new(".")
        } else {
            base
        })
        .ok()?,
        std::path::absolute(target).ok()?,
    );
    let shared = base
        .components()
        .zip(target.components())
        .take_while(|(a, b)| a == b)
        .count();
    let mut path = PathBuf::new();
    path.extend(base.components().skip(shared).map(|_| ".."));
    path.extend(target.components().skip(shared));
    path.to_str().map(ToOwned::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::tests::line;

    fn open(path: &Path, restart: bool) -> Result<(Journal, Vec<EpisodeLine>)> {
        Journal::open(path, &line("push_red", "full", true).settings, restart)
    }

    #[test]
    fn a_torn_line_is_dropped_and_the_file_goes_on() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a folder").join("lines.jsonl");
        let lines = ["push_red", "door_left", "lift_red"].map(|task| line(task, "full", true));
        let (mut journal, found) = open(&path, false).unwrap();
        assert!(found.is_empty());
        for line in &lines[..2] {
            journal.add(line).unwrap();
        }
        drop(journal);
        let text = fs::read(&path).unwrap();
        fs::write(&path, &text[..text.len() - 7]).unwrap();
        let (mut journal, found) = open(&path, false).unwrap();
        assert_eq!(found, lines[..1]);
        journal.add(&lines[2]).unwrap();
        drop(journal);
        let (_, found) = open(&path, false).unwrap();
        assert_eq!(found, [lines[0].clone(), lines[2].clone()]);
        let (_, found) = open(&path, true).unwrap();
        assert!(found.is_empty());
        assert_eq!(fs::read(&path).unwrap(), b"");
    }

    #[test]
    fn other_settings_and_other_files_are_refused_and_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lines.jsonl");
        let (mut journal, _) = open(&path, false).unwrap();
        let mut other = line("push_red", "full", true);
        other.settings.max_steps += 1;
        other.settings.tuned.sampling.particles = 3;
        journal.add(&other).unwrap();
        let before = fs::read(&path).unwrap();
        let error = open(&path, false).err().unwrap().to_string();
        assert!(error.contains("line 1"), "{error}");
        assert!(error.contains("max_steps: 401 there, 400 here"), "{error}");
        let particles = "tuned.sampling.particles: 3 there, 20 here";
        assert!(error.contains(particles), "{error}");
        assert_eq!(fs::read(&path).unwrap(), before);

        fs::write(&path, "a diary\n").unwrap();
        let error = open(&path, false).err().unwrap().to_string();
        assert!(error.contains("expected an episode"), "{error}");
        assert_eq!(fs::read(&path).unwrap(), b"a diary\n");
    }

    #[test]
    fn folders_are_seen_from_the_file() {
        let case = |base: &str, target: &str| relative(Path::new(base), Path::new(target));
        assert_eq!(case("/a/b", "/a/b/c/d").as_deref(), Some("c/d"));
        assert_eq!(case("/a/b", "/a/e").as_deref(), Some("../e"));
        assert_eq!(case("", "pictures/one").as_deref(), Some("pictures/one"));
    }
}
