//! The file of results, which an interrupted run goes on with.

use std::path::{Path, PathBuf};

use eyre::{Result, bail, ensure};
use tiller_core::{MAX_DESCRIPTION, clip};

use crate::line::{EpisodeLine, Settings};
use crate::line_file::LineFile;

/// One JSON line an episode, written as the episodes end.
pub(crate) struct Journal(LineFile);

impl Journal {
    /// Opens the file, and hands back what it holds; a folder that is missing is made. A last line that was not finished is cut off.
    /// With `restart` the file is emptied first.
    ///
    /// # Errors
    /// When the file cannot be read or written, is a link or no regular file, holds something else than
    /// results, or results of other settings.
    pub(crate) fn open(
        path: &Path,
        settings: &Settings,
        restart: bool,
    ) -> Result<(Self, Vec<EpisodeLine>)> {
        const ADVICE: &str = "name another file, or overwrite this one with --restart";
        let mut episodes = Vec::new();
        let file = LineFile::open(path, restart, |number, text| {
            let line: Result<EpisodeLine, String> = text.and_then(|text| {
                serde_json::from_slice(text)
                    .map_err(|error| clip(&error.to_string(), MAX_DESCRIPTION).into_owned())
            });
            let place = format!("{}, line {number}", path.display());
            let line = match line {
                Ok(line) => line,
                Err(found) => {
                    bail!("{place}: expected an episode of `tiller bench`, found {found}; {ADVICE}")
                }
            };
            let differences = settings.differences(&line.settings);
            ensure!(
                differences.is_empty(),
                "{place}: results of other settings cannot be continued:\n  {}\n{ADVICE}",
                differences.join("\n  ")
            );
            episodes.push(line);
            Ok(())
        })?;
        Ok((Self(file), episodes))
    }

    /// Appends an episode.
    pub(crate) fn add(&mut self, line: &EpisodeLine) -> Result<()> {
        self.0.add(line)
    }

    /// A folder as seen from the file's.
    pub(crate) fn relative(&self, folder: &Path) -> Option<String> {
        relative(self.0.path().parent()?, folder)
    }
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
    use std::fs::{self, File};

    use super::*;
    use crate::line_file::{MAX_LINE_BYTES, MAX_RESULTS_BYTES};
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
    fn links_pipes_and_endless_lines_are_refused_and_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::write(at("victim"), "a diary").unwrap();
        std::os::unix::fs::symlink("victim", at("link")).unwrap();
        std::os::unix::fs::symlink("nothing", at("nowhere")).unwrap();
        let made = std::process::Command::new("mkfifo")
            .arg(at("pipe"))
            .status();
        assert!(made.unwrap().success());
        for (name, found) in [
            ("link", "a link"),
            ("nowhere", "a link"),
            ("pipe", "a pipe"),
        ] {
            for restart in [false, true] {
                let error = open(&at(name), restart).err().unwrap().to_string();
                assert!(
                    error.ends_with(&format!("or none, found {found}")),
                    "{error}"
                );
            }
        }
        assert_eq!(fs::read(at("victim")).unwrap(), b"a diary");
        assert!(!at("nothing").exists());

        // Longer than any file of results, and without a byte of it on the disk.
        let sparse = File::create(at("sparse")).unwrap();
        sparse.set_len(MAX_RESULTS_BYTES + 1).unwrap();
        let error = format!("{:#}", open(&at("sparse"), false).err().unwrap());
        assert!(
            error.contains("1073741825 bytes or more, expected"),
            "{error}"
        );
        assert_eq!(sparse.metadata().unwrap().len(), MAX_RESULTS_BYTES + 1);
        open(&at("sparse"), true).unwrap();
        assert_eq!(sparse.metadata().unwrap().len(), 0);
        let long = [vec![b' '; MAX_LINE_BYTES + 1], b"\n".to_vec()].concat();
        fs::write(at("long"), &long).unwrap();
        let error = open(&at("long"), false).err().unwrap().to_string();
        assert!(error.contains("long, line 1: "), "{error}");
        assert!(
            error.contains("a line of more than 1048576 bytes"),
            "{error}"
        );
        assert_eq!(fs::read(at("long")).unwrap(), long);
        // A torn line may have any length.
        fs::write(at("long"), &long[1..MAX_LINE_BYTES]).unwrap();
        assert!(open(&at("long"), false).unwrap().1.is_empty());
        assert_eq!(fs::read(at("long")).unwrap(), b"");
    }

    #[test]
    fn folders_are_seen_from_the_file() {
        let case = |base: &str, target: &str| relative(Path::new(base), Path::new(target));
        assert_eq!(case("/a/b", "/a/b/c/d").as_deref(), Some("c/d"));
        assert_eq!(case("/a/b", "/a/e").as_deref(), Some("../e"));
        assert_eq!(case("", "pictures/one").as_deref(), Some("pictures/one"));
    }
}
