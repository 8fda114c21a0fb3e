//! LIBERO among the worlds: the tasks of a folder of packs.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use thiserror::Error;
use tiller_core::file::here_or_above;
use tiller_core::shown;
use tiller_motion::Limits;
use tiller_world::{
    Absent, CameraInfo, Channels, CommandLevel, GroupInfo, RobotInfo, TaskInfo, World, WorldError,
    WorldInfo, WorldKind,
};

use crate::as_world::LiberoWorld;
use crate::expert::Skill;
use crate::native::{PHYSICS_NS, STEP_NS};
use crate::pack::{PACK_FILE, Pack, PackError, Thing};
use crate::parts::parts;
use crate::render::{LIMIT, Look};

/// LIBERO's name among the worlds.
pub const NAME: &str = "libero";
const ABOUT: &str = "LIBERO's tasks in plain MuJoCo";
/// The variable that names the folder of packs.
const PACKS_VARIABLE: &str = "TILLER_LIBERO_PACKS";
/// Where packs are, in Tiller's folder.
const PACKS: &str = ".sim/packs/libero";
/// Time between two looks, ns: most of an episode's cost is pictures.
const LOOK_NS: u64 = 200_000_000;
/// The benchmark's 300 steps, ns.
const EPISODE_NS: u64 = 300 * STEP_NS;
/// The label of arm, hand and mount.
pub(crate) const ROBOT: &str = "robot";
/// Cameras by the names that worlds have for them, and by the package's.
pub(crate) const CAMERAS: [(&str, &str); 2] =
    [("static", "agentview"), ("wrist", "robot0_eye_in_hand")];
/// Columns and rows of the images that policies see, pixels.
const SIDE: usize = 256;
/// Most labels, so that each has a number of 8 bits.
const MAX_LABELS: usize = 250;
/// The complete suites of the package, and what each is about.
const SUITES: [(&str, &str); 20] = [
    ("libero_goal", "one scene, ten goals"),
    ("libero_goal_swap", "the same with things in other places"),
    ("libero_goal_object", "the same with other things"),
    ("libero_goal_lan", "the same in other words"),
    ("libero_goal_task", "the same scene, other goals"),
    ("libero_spatial", "one goal, ten arrangements"),
    (
        "libero_spatial_swap",
        "the same with things in other places",
    ),
    ("libero_spatial_object", "the same with other things"),
    ("libero_spatial_lan", "the same in other words"),
    ("libero_spatial_task", "the same scenes, other goals"),
    ("libero_object", "ten things into a basket"),
    ("libero_object_swap", "the same with things in other places"),
    ("libero_object_object", "the same with other things"),
    ("libero_object_lan", "the same in other words"),
    ("libero_object_task", "the same scenes, other goals"),
    ("libero_10", "ten long tasks"),
    ("libero_10_swap", "the same with things in other places"),
    ("libero_10_object", "the same with other things"),
    ("libero_10_lan", "the same in other words"),
    ("libero_10_task", "the same scenes, other goals"),
];

/// Why a folder of packs is no world.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum KindError {
    /// The folder cannot be listed.
    #[error("cannot list {}: {cause}", shown(&.path.to_string_lossy()))]
    Folder {
        /// The folder.
        path: PathBuf,
        /// The operating system's error.
        cause: std::io::Error,
    },
    /// A pack cannot be used.
    #[error(transparent)]
    Pack(#[from] PackError),
    /// No pack in it.
    #[error(
        "{} has no scene packs: expected folders SUITE/TASK with {PACK_FILE}",
        shown(&.path.to_string_lossy())
    )]
    Empty {
        /// The folder.
        path: PathBuf,
    },
    /// Too many things to label.
    #[error("the packs name {found} things: expected at most {MAX_LABELS}; take fewer suites")]
    Labels {
        /// How many.
        found: usize,
    },
}

/// Makes LIBERO worlds from a folder of packs, and knows what they have.
#[derive(Debug, Clone)]
pub struct LiberoKind {
    info: Arc<WorldInfo>,
    packs: Arc<[Pack]>,
    look: Look,
}

/// The world of the packs FOLDER/SUITE/TASK. A task's id is `SUITE_TASK`, its instruction is the BDDL's.
///
/// # Errors
/// [`KindError`].
pub fn kind(folder: &Path) -> Result<LiberoKind, KindError> {
    let mut packs = Vec::new();
    for (suite, _) in SUITES {
        let suite = folder.join(suite);
        if suite.is_dir() {
            for task in folders(&suite)? {
                packs.push(Pack::load(&task)?);
            }
        }
    }
    LiberoKind::new(folder, packs)
}

/// The world of the packs that are where `tiller sim install libero` says: in the folder that the variable
/// `TILLER_LIBERO_PACKS` names, else in `.sim/packs/libero` here or in the nearest folder above that has one.
///
/// # Errors
/// What is missing, and how to get it.
pub fn installed() -> Result<LiberoKind, Absent> {
    let absent = |reason: String| Absent {
        name: NAME,
        about: ABOUT,
        reason,
    };
    let folder = std::env::var_os(PACKS_VARIABLE).map(PathBuf::from);
    let folder = folder.or_else(|| here_or_above(PACKS));
    let folder = folder.ok_or_else(|| {
        absent(format!(
            "there are no scene packs in {PACKS}, here or in a folder above: `tiller sim install libero` \
             says how to make them, and {PACKS_VARIABLE} names another folder"
        ))
    })?;
    kind(&folder).map_err(|error| absent(error.to_string()))
}

/// Folders with a pack, in the order of their names.
fn folders(path: &Path) -> Result<Vec<PathBuf>, KindError> {
    let error = |cause| KindError::Folder {
        path: path.to_owned(),
        cause,
    };
    let mut found = Vec::new();
    for entry in std::fs::read_dir(path).map_err(error)? {
        let folder = entry.map_err(error)?.path();
        if folder.join(PACK_FILE).is_file() {
            found.push(folder);
        }
    }
    found.sort();
    Ok(found)
}

impl LiberoKind {
    /// The world of these packs; `folder` is named in errors only. Packs of suites that nobody knows are in the
    /// group `other`.
    ///
    /// # Errors
    /// [`KindError::Empty`], [`KindError::Labels`].
    pub fn new(folder: &Path, packs: Vec<Pack>) -> Result<Self, KindError> {
        if packs.is_empty() {
            let path = folder.to_owned();
            return Err(KindError::Empty { path });
        }
        let names = packs.iter().flat_map(shown_names);
        let mut labels: Vec<_> = names.map(|(shown, _)| shown).collect();
        labels.sort();
        labels.dedup();
        labels.push(ROBOT.to_owned());
        if labels.len() > MAX_LABELS {
            let found = labels.len();
            return Err(KindError::Labels { found });
        }
        let tasks: Vec<_> = packs.iter().map(task).collect();
        let groups = SUITES.into_iter().chain([OTHER]).filter(|(name, _)| {
            let mut groups = tasks.iter().map(|task| task.group);
            groups.any(|group| group == *name)
        });
        let info = WorldInfo {
            name: NAME,
            about: ABOUT,
            robot: RobotInfo {
                name: "panda",
                level: CommandLevel::Joints,
                step_ns: PHYSICS_NS,
                turns_hand: true,
                workspace: Limits::panda().workspace,
            },
            cameras: CAMERAS
                .map(|(name, _)| CameraInfo {
                    name,
                    size: [SIDE; 2],
                    max_size: LIMIT,
                    channels: Channels::ALL,
                })
                .to_vec(),
            labels: (1..).zip(labels).collect(),
            without_keypoints: vec![ROBOT],
            keypoint_counts: Vec::new(),
            detector: None,
            groups: groups
                .map(|(name, about)| GroupInfo {
                    name,
                    about,
                    strengths: Vec::new(),
                })
                .collect(),
            tasks,
            axes: Vec::new(),
            look_ns: LOOK_NS,
            episode_ns: EPISODE_NS,
        };
        Ok(Self {
            info: Arc::new(info),
            packs: packs.into(),
            look: Look::default(),
        })
    }

    /// With pictures of that look.
    #[must_use]
    pub fn with_look(mut self, look: Look) -> Self {
        self.look = look;
        self
    }

    pub(crate) fn look(&self) -> Look {
        self.look
    }

    /// One that runs, with what only LIBERO's has: its actions.
    #[must_use]
    pub fn world(&self) -> LiberoWorld {
        LiberoWorld::new(self.clone())
    }

    pub(crate) fn pack(&self, id: &str) -> Option<&Pack> {
        self.packs.iter().find(|pack| task_id(pack) == id)
    }
}

/// The group of suites that are not the package's.
const OTHER: (&str, &str) = ("other", "suites of others");

fn task_id(pack: &Pack) -> String {
    let description = pack.description();
    format!("{}_{}", description.suite, description.task)
}

fn task(pack: &Pack) -> TaskInfo {
    let description = pack.description();
    let suite = SUITES.iter().find(|(suite, _)| *suite == description.suite);
    TaskInfo {
        id: task_id(pack),
        instruction: description.instruction.clone(),
        group: suite.unwrap_or(&OTHER).0,
        shown: Skill::of(&description.suite, description.task)
            .is_some()
            .into(),
    }
}

/// How objects, fixtures and parts of them are called, with their names in the scene: `akita black bowl`, `wooden
/// cabinet middle drawer`, numbered where there are several of a kind.
pub(crate) fn shown_names(pack: &Pack) -> Vec<(String, String)> {
    let things = pack.description().things.iter();
    let things: Vec<_> = things
        .filter(|(_, thing)| matches!(thing, Thing::Object { .. }))
        .map(|(name, thing)| {
            let (kind, number) = name.rsplit_once('_').unwrap_or((name, ""));
            (kind.replace('_', " "), number, name, thing)
        })
        .collect();
    let count = |kind: &str| things.iter().filter(|(other, ..)| other == kind).count();
    let shown = things.iter().flat_map(|(kind, number, name, thing)| {
        let is_one = count(kind) == 1;
        let shown = if is_one {
            kind.clone()
        } else {
            format!("{kind} {number}")
        };
        let parts = parts(name, thing).into_iter();
        let parts = parts.map(|(part, _)| (format!("{shown} {part}"), format!("{name} {part}")));
        let mut names = vec![(shown.clone(), (*name).clone())];
        names.extend(parts);
        names
    });
    shown.collect()
}

impl WorldKind for LiberoKind {
    fn info(&self) -> &WorldInfo {
        &self.info
    }

    fn make(&self) -> Result<Box<dyn World>, WorldError> {
        Ok(Box::new(self.world()))
    }

    /// The first task whose instruction it is, word for word.
    fn interpret(&self, instruction: &str) -> Option<Vec<String>> {
        let wanted = instruction.trim();
        let mut tasks = self.info.tasks.iter();
        let found = tasks.find(|task| task.instruction.eq_ignore_ascii_case(wanted))?;
        Some(vec![found.id.clone()])
    }
}
