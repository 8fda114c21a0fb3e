//! What a world has, as far as it is known before it is made.

use tiller_motion::Workspace;

use crate::camera::Channels;
use crate::episode::Variation;
use crate::suite::HARD;

/// What a world has.
#[derive(Debug, Clone, PartialEq)]
pub struct WorldInfo {
    /// Its name in settings and on command lines: one lower-case word.
    pub name: &'static str,
    /// What it is, in a few words.
    pub about: &'static str,
    /// Its robot.
    pub robot: RobotInfo,
    /// Its cameras. The first one sees the scene in all channels; keypoints are found in it.
    pub cameras: Vec<CameraInfo>,
    /// Ids (from 1) and names of what a segmentation image can hold.
    pub labels: Vec<(u8, String)>,
    /// Labels of things that need no keypoint: nothing is ever done to them.
    pub without_keypoints: Vec<&'static str>,
    /// Labels of things that need more than one keypoint, and how many.
    pub keypoint_counts: Vec<(&'static str, usize)>,
    /// Name of a network that was trained to find its things in colour alone, below `models/detectors`.
    pub detector: Option<&'static str>,
    /// Its tasks, in the order in which tables show them.
    pub tasks: Vec<TaskInfo>,
    /// Groups of tasks, in the order in which tables show them.
    pub groups: Vec<GroupInfo>,
    /// What scenes and instructions can depart in.
    pub axes: Vec<AxisInfo>,
    /// Time between two looks through its cameras, ns; a whole number of 20 ms.
    pub look_ns: u64,
    /// Longest episode of one task by the world's own protocol, ns of simulation.
    pub episode_ns: u64,
}

/// The robot of a world.
#[derive(Debug, Clone, PartialEq)]
pub struct RobotInfo {
    /// Its type, such as `panda`.
    pub name: &'static str,
    /// What it is commanded by.
    pub level: CommandLevel,
    /// Length of one [step](crate::World::step), ns; a whole number of milliseconds.
    pub step_ns: u64,
    /// Whether tasks need the hand turned: then experts turn it, and data sets and policies have its rotation.
    pub turns_hand: bool,
    /// Where the tool may be sent: the part of the cell in the actuator's limits.
    pub workspace: Workspace,
}

/// What a robot's own controller takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum CommandLevel {
    /// Joint positions and a gripper opening for every millisecond.
    Joints,
}

/// A camera of a world.
#[derive(Debug, Clone, PartialEq)]
pub struct CameraInfo {
    /// The name by which policies know it.
    pub name: &'static str,
    /// Columns and rows that policies see, pixels.
    pub size: [usize; 2],
    /// Most columns and rows that it can show, pixels.
    pub max_size: [usize; 2],
    /// Channels that it can deliver.
    pub channels: Channels,
}

/// A task of a world.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskInfo {
    /// Its id.
    pub id: String,
    /// What a person says who wants it.
    pub instruction: String,
    /// Name of the [group](WorldInfo::groups) that it belongs to.
    pub group: &'static str,
    /// How often it is shown in each round of demonstrations; tasks that vary more need more of them.
    pub shown: u32,
}

/// Tasks that belong together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupInfo {
    /// Its name.
    pub name: &'static str,
    /// What it holds, in a few words.
    pub about: &'static str,
    /// Strengths at which its scenes come, rising from 1; none where they are plain. The tasks of a group that has
    /// some are measured by themselves: they are part of neither `all` nor a departure.
    pub strengths: Vec<u8>,
}

/// What scenes or instructions can depart in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AxisInfo {
    /// Its name.
    pub name: &'static str,
    /// What differs, in a few words.
    pub about: &'static str,
    /// Strengths that there are, rising from 1.
    pub strengths: Vec<u8>,
}

impl WorldInfo {
    /// The camera of that name.
    #[must_use]
    pub fn camera(&self, name: &str) -> Option<&CameraInfo> {
        self.cameras.iter().find(|camera| camera.name == name)
    }

    /// The listed task of that id. Worlds whose tasks take parameters know more than they list: ask
    /// [`WorldKind::task`](crate::WorldKind::task).
    #[must_use]
    pub fn task(&self, id: &str) -> Option<&TaskInfo> {
        self.tasks.iter().find(|task| task.id == id)
    }

    /// The axis of that name.
    #[must_use]
    pub fn axis(&self, name: &str) -> Option<&AxisInfo> {
        self.axes.iter().find(|axis| axis.name == name)
    }

    /// The group that a task belongs to.
    #[must_use]
    pub fn group_of(&self, task: &TaskInfo) -> Option<&GroupInfo> {
        self.groups.iter().find(|group| group.name == task.group)
    }

    /// Whether there is such a departure of a task, or of any where none is named.
    #[must_use]
    pub fn has(&self, variation: &Variation, task: Option<&TaskInfo>) -> bool {
        let group = task.and_then(|task| self.group_of(task));
        if variation.axis == HARD {
            let mut groups = self
                .groups
                .iter()
                .filter(|it| task.is_none() || Some(*it) == group);
            return groups.any(|group| group.strengths.contains(&variation.strength));
        }
        let is_plain = group.is_none_or(|group| group.strengths.is_empty());
        let axis = self.axis(&variation.axis);
        is_plain && axis.is_some_and(|axis| axis.strengths.contains(&variation.strength))
    }
}
