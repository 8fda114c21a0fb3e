//! The simulators that can be installed.

use std::path::{Path, PathBuf};

use clap::ValueEnum;

/// A simulator that others wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Simulator {
    /// LIBERO-PRO, a benchmark of tasks on a table, with MuJoCo.
    Libero,
    /// CALVIN, a benchmark of tasks at a desk, with PyBullet.
    Calvin,
}

impl Simulator {
    /// Its name, and that of its folders.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Libero => "libero",
            Self::Calvin => "calvin",
        }
    }

    /// Whose terms it comes under, a line each.
    pub(super) fn licences(self) -> &'static [&'static str] {
        match self {
            Self::Libero => &[
                "LIBERO-PRO, LIBERO, robosuite: code under the MIT licence",
                "LIBERO's data (tasks, initial states): CC BY 4.0",
                "meshes and textures: under their owners' terms, for research; do not pass them on, nor \
                 scene packs that are made from them",
            ],
            Self::Calvin => &[
                "CALVIN: code under the MIT licence, from your own checkout",
                "PyBullet: zlib licence",
                "meshes and textures of the checkout: under their owners' terms; do not pass them on",
            ],
        }
    }

    /// Disk space that the environment and the packages on their way take, bytes.
    pub(super) fn needs_bytes(self) -> u64 {
        const GIB: u64 = 1 << 30;
        match self {
            Self::Libero => 5 * GIB,
            Self::Calvin => 2 * GIB,
        }
    }

    /// A program that fails unless the packages are complete.
    pub(super) fn check(self) -> &'static str {
        match self {
            Self::Libero => {
                "import dora, pyarrow; from tiller_libero.official import Suite; \
                 assert Suite('libero_goal').tasks == 10"
            }
            Self::Calvin => "import dora, pyarrow, hydra, calvin_env.envs.play_table_env",
        }
    }

    /// What to do with it, for people.
    pub(super) fn next_steps(self, python: &Path) -> String {
        let python = python.display();
        match self {
            Self::Libero => format!(
                "Next, scene packs for Tiller's own LIBERO world (half a minute a suite):\n  \
                 {python} -m tiller_libero.export --suite libero_goal --out .sim/packs/libero"
            ),
            Self::Calvin => {
                "Next: tiller bench calvin --suite articulated; tiller demos --world calvin; \
                             dora run dataflows/calvin.yml"
                    .to_owned()
            }
        }
    }

    /// The folder of Tiller's own part of it, and the file with its pinned packages.
    pub(super) fn node(self, root: &Path) -> PathBuf {
        root.join("nodes").join(self.name())
    }

    /// The file with its pinned packages.
    pub(super) fn requirements(self, root: &Path) -> PathBuf {
        self.node(root).join("requirements.txt")
    }
}

/// Tiller's folder: `here` or the nearest one around it that holds the simulators' nodes.
pub(super) fn root(here: &Path) -> Option<PathBuf> {
    here.ancestors()
        .find(|folder| Simulator::Libero.requirements(folder).is_file())
        .map(Path::to_path_buf)
}
