//! The newest program on disk, for the node that is started anew in this one's stead: a program is
//! neither paid for twice nor lost.

use std::fs;
use std::path::{Path, PathBuf};

use tiller_core::file::{read_regular, write_private};
use tiller_messages::RewardProgram;

/// The file's name in the run's folder.
const NAME: &str = "program.json";

/// Longest file that is read, bytes: far more than a message may hold.
const MOST: u64 = 16 << 20;

/// Where the newest program is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Kept {
    path: PathBuf,
}

impl Kept {
    /// In a run's folder, which need not be there yet.
    pub(crate) fn in_folder(folder: &Path) -> Self {
        let path = folder.join(NAME);
        Self { path }
    }

    /// Keeps a program in place of the one before.
    pub(crate) fn write(&self, program: &RewardProgram) -> eyre::Result<()> {
        if let Some(folder) = self.path.parent() {
            fs::create_dir_all(folder)?;
        }
        let text = serde_json::to_vec_pretty(program)?;
        Ok(write_private(&self.path, &text)?)
    }

    /// The program that was kept last, if one can be read.
    pub(crate) fn read(&self) -> Option<RewardProgram> {
        let text = read_regular(&self.path, MOST).ok()?;
        serde_json::from_slice(&text)
            .inspect_err(|error| tracing::warn!("`{}`: {error}", self.path.display()))
            .ok()
    }
}
