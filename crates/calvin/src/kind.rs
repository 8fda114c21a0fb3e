//! CALVIN among the worlds: what is known before anything of it runs.

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tiller_core::file::here_or_above;
use tiller_core::{SECOND_NS, WorkspaceBox, shown};
use tiller_motion::Workspace;
use tiller_world::{
    Absent, CameraInfo, Channels, CommandLevel, GroupInfo, RobotInfo, TaskInfo, World, WorldError,
    WorldInfo, WorldKind,
};

use crate::as_world::{CalvinWorld, SIDES};
use crate::tasks::{ARTICULATED, LABELS, MOVABLE, OTHER, TASKS, WITHOUT_KEYPOINTS};

/// CALVIN's name among the worlds.
pub const NAME: &str = "calvin";
const ABOUT: &str = "CALVIN's own environment, with its oracle as judge";
/// The variable that names the virtual environment.
const VENV_VARIABLE: &str = "TILLER_CALVIN_VENV";
/// Its interpreter, in Tiller's folder and in the virtual environment.
const PYTHON: &str = ".sim/calvin/bin/python";
const VENV_PYTHON: &str = "bin/python";
/// The program that runs the environment; the scene is added.
const SERVE: [&str; 4] = ["-u", "-m", "tiller_calvin.serve", "D"];
/// Time between two looks, ns: most of an episode's cost is pictures.
const LOOK_NS: u64 = 200_000_000;
/// CALVIN's 360 steps of 1/30 s, ns.
const EPISODE_NS: u64 = 12 * SECOND_NS;
/// Length of a step, ns: as long as the actuator's commands.
pub(crate) const STEP_NS: u64 = 20_000_000;
/// How long any answer may take: far more than any does on a busy machine.
const LIMIT: Duration = Duration::from_secs(120);
/// Over its desk, which lies beside the robot: handles are pushed at from x 0.08 m, blocks stand as far as the arm
/// reaches.
const WORKSPACE: Workspace = Workspace {
    bounds: WorkspaceBox {
        min_m: [0.0, -0.3, 0.08],
        max_m: [0.85, 0.6, 0.75],
    },
    min_reach_m: 0.23,
    max_reach_m: 0.71,
};
/// Cameras by the names that worlds have for them, by CALVIN's, and columns and rows that its own policies see.
pub(crate) const CAMERAS: [(&str, &str, usize); 2] =
    [("static", "static", 200), ("wrist", "gripper", 84)];

/// Makes CALVIN worlds, and knows what they have.
#[derive(Debug, Clone)]
pub struct CalvinKind {
    info: Arc<WorldInfo>,
    command: Arc<[OsString]>,
    limit: Duration,
}

/// The world of the environment that is where `tiller sim install calvin` puts it: in the virtual environment that
/// the variable `TILLER_CALVIN_VENV` names, else in `.sim/calvin` here or in the nearest folder above that has one.
/// Nothing of it is started.
///
/// # Errors
/// What is missing, and how to get it.
pub fn installed() -> Result<CalvinKind, Absent> {
    let named = std::env::var_os(VENV_VARIABLE).map(|venv| PathBuf::from(venv).join(VENV_PYTHON));
    let reason = match &named {
        Some(python) => format!(
            "{VENV_VARIABLE}: there is no {}",
            shown(&python.to_string_lossy())
        ),
        None => format!(
            "there is no {PYTHON}, here or in a folder above: `tiller sim install calvin --checkout PATH` makes it, \
             and {VENV_VARIABLE} names another virtual environment"
        ),
    };
    let python = match named {
        Some(python) => python.is_file().then_some(python),
        None => here_or_above(PYTHON),
    };
    let python = python.ok_or(Absent {
        name: NAME,
        about: ABOUT,
        reason,
    })?;
    let arguments = SERVE.into_iter().map(OsString::from);
    Ok(CalvinKind::new(
        [python.into_os_string()].into_iter().chain(arguments),
    ))
}

impl CalvinKind {
    /// The world of an environment that this program, with its arguments, runs.
    #[must_use]
    pub fn new(command: impl IntoIterator<Item = OsString>) -> Self {
        Self {
            info: Arc::new(info()),
            command: command.into_iter().collect(),
            limit: LIMIT,
        }
    }

    /// With another limit to how long an answer may take.
    #[must_use]
    pub fn with_limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    pub(crate) fn command(&self) -> &[OsString] {
        &self.command
    }

    pub(crate) fn limit(&self) -> Duration {
        self.limit
    }
}

fn info() -> WorldInfo {
    WorldInfo {
        name: NAME,
        about: ABOUT,
        robot: RobotInfo {
            name: "panda",
            level: CommandLevel::Joints,
            step_ns: STEP_NS,
            turns_hand: true,
            workspace: WORKSPACE,
        },
        cameras: CAMERAS
            .map(|(name, _, side)| CameraInfo {
                name,
                size: [side; 2],
                max_size: [*SIDES.end(); 2],
                channels: Channels::ALL,
            })
            .to_vec(),
        labels: (1..).zip(LABELS.map(ToOwned::to_owned)).collect(),
        without_keypoints: WITHOUT_KEYPOINTS.to_vec(),
        keypoint_counts: Vec::new(),
        detector: None,
        tasks: TASKS
            .map(|(id, instruction, group)| TaskInfo {
                id: id.to_owned(),
                instruction: instruction.to_owned(),
                group,
                shown: (group != OTHER).into(),
            })
            .to_vec(),
        groups: vec![
            GroupInfo {
                name: ARTICULATED,
                about: "drawer, slide, button and switch",
                strengths: Vec::new(),
            },
            GroupInfo {
                name: MOVABLE,
                about: "blocks on the table",
                strengths: Vec::new(),
            },
            GroupInfo {
                name: OTHER,
                about: "the oracle's others that a reset can begin",
                strengths: Vec::new(),
            },
        ],
        axes: Vec::new(),
        look_ns: LOOK_NS,
        episode_ns: EPISODE_NS,
    }
}

impl WorldKind for CalvinKind {
    fn info(&self) -> &WorldInfo {
        &self.info
    }

    fn make(&self) -> Result<Box<dyn World>, WorldError> {
        Ok(Box::new(CalvinWorld::start(self.clone())?))
    }

    /// The task whose instruction it is, word for word.
    fn interpret(&self, instruction: &str) -> Option<Vec<String>> {
        let wanted = instruction.trim();
        let mut tasks = self.info.tasks.iter();
        let found = tasks.find(|task| task.instruction.eq_ignore_ascii_case(wanted))?;
        Some(vec![found.id.clone()])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tasks_are_listed_once_and_said_in_words_of_their_own() {
        let kind = CalvinKind::new([]);
        let info = kind.info();
        for task in &info.tasks {
            let found = kind.interpret(&format!(" {} ", task.instruction.to_uppercase()));
            assert_eq!(found, Some(vec![task.id.clone()]));
        }
        assert_eq!(kind.interpret("make coffee"), None);
        let count = |group| info.tasks.iter().filter(|task| task.group == group).count();
        assert_eq!([ARTICULATED, MOVABLE, OTHER].map(count), [8, 3, 17]);
        assert!(
            info.tasks
                .iter()
                .all(|task| (task.shown == 0) == (task.group == OTHER))
        );
        for label in &info.without_keypoints {
            assert!(info.labels.iter().any(|(_, name)| name == label));
        }
    }

    #[test]
    fn a_program_that_is_not_there_is_told_of() {
        let kind = CalvinKind::new(["/nowhere/python".into()]);
        let error = kind.make().err().expect("no program");
        let cause = std::error::Error::source(&error).expect("a cause");
        assert_eq!(error.to_string(), "calvin: the environment does not start");
        assert_eq!(cause.to_string(), "cannot run /nowhere/python");
    }
}
