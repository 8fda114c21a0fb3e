//! Programs that were written before, by whoever wrote them: an author without a network for any world.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::read_dir;
use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;
use tiller_core::Digest;
use tiller_core::file::{FileError, read_regular_text};

use crate::author::{Answer, Author, AuthorError, AuthorRequest, SceneKeypoint};

/// Bytes of a program.
const MAX_BYTES: u64 = 1 << 18;
/// Files of a folder.
const MAX_FILES: usize = 1_000;
/// Lines that say what a program is for; there may be several. Embedded authors write the latter.
const FOR: [&str; 2] = ["# Instruction:", "# Task:"];
/// A line that says what a keypoint was on: `# Keypoint 3 is the plate`.
const KEYPOINT: &str = "# Keypoint ";

/// Why recorded programs cannot be used.
#[derive(Debug, Error)]
pub enum RecordedError {
    /// The folder cannot be read.
    #[error("{folder}: expected a folder of reward programs")]
    Folder {
        /// The folder.
        folder: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A program cannot be read.
    #[error(transparent)]
    File(#[from] FileError),
    /// There is nothing to use, or too much.
    #[error("{folder}: expected 1 to {MAX_FILES} files NAME.py, found {found}")]
    Count {
        /// The folder.
        folder: PathBuf,
        /// How many there are.
        found: usize,
    },
    /// A program does not say what it is for.
    #[error("{file}: expected a line `# Instruction: ..`, found none")]
    NoInstruction {
        /// The file.
        file: PathBuf,
    },
    /// Two programs are for the same instruction.
    #[error("{file}: \"{instruction}\" has a program already, {other}")]
    Twice {
        /// The later file.
        file: PathBuf,
        /// The earlier file.
        other: String,
        /// What both are for.
        instruction: String,
    },
}

/// A program with what it says of itself.
#[derive(Clone)]
struct Recorded {
    file: String,
    /// Rows and names that it knows.
    keypoints: Vec<(usize, String)>,
    text: String,
}

/// A folder of programs `NAME.py`, each with lines `# Instruction: put the bowl on the plate` (or `# Task: ..`) that say what it
/// is for, and, so that it is never followed in a scene whose keypoints stand in another order, `# Keypoint 3 is the plate`.
#[derive(Clone)]
pub struct RecordedPrograms {
    programs: Vec<Recorded>,
    by_instruction: BTreeMap<String, usize>,
    sha256: String,
}

impl fmt::Debug for RecordedPrograms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let instructions = self.by_instruction.keys();
        f.debug_set().entries(instructions).finish()
    }
}

impl RecordedPrograms {
    /// Reads a folder.
    ///
    /// # Errors
    /// [`RecordedError`]; whether the programs are any good their reader will see.
    pub fn load(folder: &Path) -> Result<Self, RecordedError> {
        let failed = |source| RecordedError::Folder {
            folder: folder.to_owned(),
            source,
        };
        let mut files = Vec::new();
        for entry in read_dir(folder).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            if path.extension().is_some_and(|it| it == "py") {
                files.push(path);
            }
        }
        if !(1..=MAX_FILES).contains(&files.len()) {
            return Err(RecordedError::Count {
                folder: folder.to_owned(),
                found: files.len(),
            });
        }
        files.sort();
        let mut digest = Digest::default();
        let mut all = Self {
            programs: Vec::new(),
            by_instruction: BTreeMap::new(),
            sha256: String::new(),
        };
        for path in files {
            let text = read_regular_text(&path, MAX_BYTES)?;
            digest.add_part(text.as_bytes());
            all.add(path, text)?;
        }
        all.sha256 = digest.hexadecimal();
        Ok(all)
    }

    fn add(&mut self, path: PathBuf, text: String) -> Result<(), RecordedError> {
        let said = text.lines().filter_map(|line| {
            let line = line.trim();
            FOR.into_iter().find_map(|words| line.strip_prefix(words))
        });
        let said: Vec<String> = said.map(plain).filter(|words| !words.is_empty()).collect();
        if said.is_empty() {
            return Err(RecordedError::NoInstruction { file: path });
        }
        let index = self.programs.len();
        for instruction in said {
            let other = self.by_instruction.insert(instruction.clone(), index);
            if let Some(other) = other.and_then(|other| self.programs.get(other)) {
                return Err(RecordedError::Twice {
                    file: path,
                    other: other.file.clone(),
                    instruction,
                });
            }
        }
        self.programs.push(Recorded {
            file: path.display().to_string(),
            keypoints: text.lines().filter_map(keypoint).collect(),
            text,
        });
        Ok(())
    }

    /// SHA-256 over all programs, by their names' order.
    #[must_use]
    pub fn sha256(&self) -> &str {
        &self.sha256
    }
}

impl Author for RecordedPrograms {
    fn author(&self, request: &AuthorRequest) -> Result<Answer, AuthorError> {
        let wanted = plain(&request.instruction);
        let found = self.by_instruction.get(&wanted);
        let program = found.and_then(|index| self.programs.get(*index));
        let program = program.ok_or_else(|| AuthorError::NotRecorded {
            instruction: request.instruction.clone(),
            recorded: self.by_instruction.keys().cloned().collect(),
        })?;
        for (index, name) in &program.keypoints {
            let seen = request.keypoints.iter().find(|it| it.index == *index);
            if seen.is_none_or(|seen| plain(&seen.name) != *name) {
                return Err(AuthorError::OtherScene {
                    index: *index,
                    expected: name.clone(),
                    found: seen.map_or_else(|| "nothing".to_owned(), named),
                });
            }
        }
        Ok(Answer {
            text: program.text.clone(),
            source: "recorded".to_owned(),
            understood: Some(wanted),
        })
    }
}

fn named(keypoint: &SceneKeypoint) -> String {
    keypoint.name.clone()
}

/// Words in lower case with one blank between them, without a full stop.
fn plain(text: &str) -> String {
    let text = text.trim().trim_end_matches('.').to_lowercase();
    let text = text.replace(['\u{2019}', '\u{2018}'], "'");
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// `# Keypoint 3 is the plate, seen at ..` as 3 and `plate`.
fn keypoint(line: &str) -> Option<(usize, String)> {
    let (index, rest) = line.trim().strip_prefix(KEYPOINT)?.split_once(' ')?;
    let rest = rest.strip_prefix("is ")?;
    let rest = rest.strip_prefix("the ").unwrap_or(rest);
    let name = rest.split([',', '.', ';']).next()?;
    Some((index.parse().ok()?, plain(name)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use tiller_reward::HandAccess;

    const PROGRAM: &str = "# Instruction: Put the bowl on the plate.\n\
        # Task: put the bowl on the plate\n\
        # Instruction: place the bowl onto the plate\n\
        # Keypoint 0 is the bowl, seen at (0.558, 0.005, 0.017).\n\
        # Keypoint 1 is the plate\n\
        num_stages = 1\n";

    fn folder(programs: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in programs {
            fs::write(folder.path().join(name), text).unwrap();
        }
        folder
    }

    fn request(instruction: &str, names: &[&str]) -> AuthorRequest {
        let keypoints = names.iter().enumerate();
        let keypoints = keypoints.map(|(index, name)| SceneKeypoint {
            index,
            name: (*name).to_owned(),
            position_m: [0.5, 0.0, 0.1],
        });
        AuthorRequest {
            instruction: instruction.to_owned(),
            keypoints: keypoints.collect(),
            hand: HandAccess::POSITIONS,
        }
    }

    #[test]
    fn a_program_is_found_by_what_it_says_it_is_for() {
        let folder = folder(&[("bowl.py", PROGRAM), ("notes.txt", "no program")]);
        let programs = RecordedPrograms::load(folder.path()).unwrap();
        let scene = ["Bowl", "plate", "stove"];
        for words in [
            "put the bowl on  the plate",
            "Place the bowl onto the plate",
        ] {
            let answer = programs.author(&request(words, &scene)).unwrap();
            assert_eq!(answer.text, PROGRAM);
            assert_eq!(answer.source, "recorded");
        }
        let error = programs.author(&request("open the drawer", &scene));
        let error = error.unwrap_err().to_string();
        assert!(error.contains("put the bowl on the plate"), "{error}");
    }

    #[test]
    fn another_order_of_keypoints_is_refused() {
        let folder = folder(&[("bowl.py", PROGRAM)]);
        let programs = RecordedPrograms::load(folder.path()).unwrap();
        let error = |names: &[&str]| {
            let answer = programs.author(&request("put the bowl on the plate", names));
            answer.unwrap_err()
        };
        let expected = AuthorError::OtherScene {
            index: 1,
            expected: "plate".to_owned(),
            found: "stove".to_owned(),
        };
        assert_eq!(error(&["bowl", "stove", "plate"]), expected);
        let error = error(&["bowl"]).to_string();
        assert!(error.contains("found nothing"), "{error}");
    }

    #[test]
    fn folders_that_cannot_be_used_are_refused() {
        let load = |programs: &[(&str, &str)]| {
            let folder = folder(programs);
            RecordedPrograms::load(folder.path()).unwrap_err()
        };
        assert!(matches!(load(&[]), RecordedError::Count { found: 0, .. }));
        let error = load(&[("a.py", "num_stages = 1\n")]);
        assert!(matches!(error, RecordedError::NoInstruction { .. }));
        let error = load(&[("a.py", PROGRAM), ("b.py", PROGRAM)]).to_string();
        assert!(error.contains("b.py") && error.contains("a.py"), "{error}");
        let error = RecordedPrograms::load(Path::new("/nonexistent")).unwrap_err();
        assert!(matches!(error, RecordedError::Folder { .. }));
    }

    #[test]
    fn what_is_different_has_another_hash() {
        let hash = |programs: &[(&str, &str)]| {
            let folder = folder(programs);
            RecordedPrograms::load(folder.path()).unwrap().sha256
        };
        let one = hash(&[("a.py", PROGRAM)]);
        assert_eq!(one, hash(&[("a.py", PROGRAM)]));
        let more = format!("{PROGRAM}# more\n");
        assert_ne!(one, hash(&[("a.py", &more)]));
    }
}
