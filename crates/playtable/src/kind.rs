//! The play table among the worlds: what is known of it before it is made.

use std::sync::Arc;

use tiller_core::SECOND_NS;
use tiller_motion::Limits;
use tiller_world::{
    AxisInfo, CameraInfo, Channels, CommandLevel, GroupInfo, RobotInfo, Said, TaskInfo, Variation,
    World, WorldError, WorldInfo, WorldKind,
};

use crate::as_world::TableWorld;
use crate::camera::Camera;
use crate::goal::{Goals, interpret};
use crate::hard;
use crate::labels::{WITHOUT_KEYPOINTS, keypoint_counts, labels};
use crate::render::SIDE_LIMIT;
use crate::said::Spoken;
use crate::task::Task;
use crate::vary::{self, Axis};
use crate::world::STEP_NS;
use tiller_playtable_author::hard::interpret as interpret_hard;

/// The play table's name among the worlds.
pub const NAME: &str = "playtable";

const ARTICULATED: &str = "articulated";
const MOVABLE: &str = "movable";

/// Columns and rows of the images that policies see, pixels.
const SIDE: usize = 256;

/// Time between two looks, ns.
const LOOK_NS: u64 = 100_000_000;
/// Longest episode of a task, ns.
const EPISODE_NS: u64 = 40 * SECOND_NS;

/// Makes play tables, and knows what they have.
#[derive(Debug, Clone)]
pub struct PlayTableKind {
    info: Arc<WorldInfo>,
}

/// To register the play table: `Registry::new().with(tiller_playtable::kind())`.
#[must_use]
pub fn kind() -> PlayTableKind {
    PlayTableKind {
        info: Arc::new(info()),
    }
}

impl WorldKind for PlayTableKind {
    fn info(&self) -> &WorldInfo {
        &self.info
    }

    fn make(&self) -> Result<Box<dyn World>, WorldError> {
        Ok(Box::new(TableWorld::new(self.clone())?))
    }

    fn task(&self, id: &str) -> Option<TaskInfo> {
        self.info().task(id).cloned().or_else(|| {
            let goals = Goals::from_ids([id]).ok()?;
            Some(TaskInfo {
                id: id.to_owned(),
                instruction: goals.to_string(),
                group: MOVABLE,
                shown: 0,
            })
        })
    }

    fn interpret(&self, instruction: &str) -> Option<Vec<String>> {
        interpret_hard(instruction).or_else(|| interpret(instruction))
    }

    fn say(&self, task: &TaskInfo, variation: Option<&Variation>, seed: u64) -> Said {
        let varied = variation.filter(|variation| variation.axis == Axis::Instruction.name());
        match Task::from_name(&task.id) {
            Some(task) => {
                let spoken = Spoken::new(task, varied.map_or(0, |varied| varied.strength), seed);
                Said {
                    instruction: spoken.text,
                    tasks: spoken.tasks,
                }
            }
            None => Said {
                instruction: task.instruction.clone(),
                tasks: vec![task.id.clone()],
            },
        }
    }
}

fn info() -> WorldInfo {
    let camera = |camera: Camera, channels| CameraInfo {
        name: camera.name(),
        size: [SIDE; 2],
        max_size: [SIDE_LIMIT; 2],
        channels,
    };
    WorldInfo {
        name: NAME,
        about: "a table with a drawer, a sliding door, a switch, a button and three blocks",
        robot: RobotInfo {
            name: "panda",
            level: CommandLevel::Joints,
            step_ns: STEP_NS,
            turns_hand: false,
            workspace: Limits::panda().workspace,
        },
        cameras: vec![
            camera(Camera::Static, Channels::ALL),
            camera(Camera::Wrist, Channels::ALL),
        ],
        labels: labels()
            .iter()
            .map(|(id, name)| (*id, (*name).to_owned()))
            .collect(),
        without_keypoints: WITHOUT_KEYPOINTS.to_vec(),
        keypoint_counts: keypoint_counts(),
        detector: Some(NAME),
        tasks: Task::ALL
            .into_iter()
            .map(task)
            .chain(hard_tasks())
            .collect(),
        groups: vec![
            GroupInfo {
                name: ARTICULATED,
                about: "drawer, door, switch and button",
                strengths: Vec::new(),
            },
            GroupInfo {
                name: MOVABLE,
                about: "pushing and lifting blocks",
                strengths: Vec::new(),
            },
        ]
        .into_iter()
        .chain(hard::suites().map(|suite| GroupInfo {
            name: suite.name(),
            about: suite.about(),
            strengths: hard::STRENGTHS.to_vec(),
        }))
        .collect(),
        axes: Axis::ALL.map(axis).to_vec(),
        look_ns: LOOK_NS,
        episode_ns: EPISODE_NS,
    }
}

fn task(task: Task) -> TaskInfo {
    // Scenes with blocks vary most.
    let (group, shown) = match task {
        Task::Push(_) | Task::Lift(_) => (MOVABLE, 2),
        _ => (ARTICULATED, 1),
    };
    TaskInfo {
        id: task.name().to_owned(),
        instruction: task.instruction().to_owned(),
        group,
        shown,
    }
}

fn hard_tasks() -> impl Iterator<Item = TaskInfo> {
    hard::suites().flat_map(|suite| {
        suite.tasks().iter().map(|(id, instruction)| TaskInfo {
            id: (*id).to_owned(),
            instruction: (*instruction).to_owned(),
            group: suite.name(),
            shown: 1,
        })
    })
}

fn axis(axis: Axis) -> AxisInfo {
    AxisInfo {
        name: axis.name(),
        about: match axis {
            Axis::Position => "furniture and blocks stand where they never stood",
            Axis::Object => "sizes, colours and patterns never seen",
            Axis::Instruction => {
                "sentences by somebody else than the author's writer: short, long, several things at once"
            }
            Axis::Scene => "distractors, another table height, light and camera pose",
            Axis::Dynamics => "slippery heavy blocks, stiff furniture, late commands",
        },
        strengths: vary::Variation::STRENGTHS.to_vec(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tiller_world::HARD;

    #[test]
    fn suites_hold_every_task_once() {
        let info = info();
        let suites = info.suites();
        let tasks = |name: &str| {
            let suite = suites.iter().find(|suite| suite.name == name);
            suite.map_or_else(String::new, |suite| suite.tasks.join(" "))
        };
        assert_eq!(
            tasks(ARTICULATED),
            "drawer_open drawer_close door_left door_right switch_on switch_off button_press"
        );
        assert_eq!(
            tasks(MOVABLE),
            "push_red push_blue push_pink lift_red lift_blue lift_pink"
        );
        assert_eq!(tasks("all").split(' ').count(), 13);
        let names: Vec<&str> = suites.iter().map(|suite| suite.name.as_str()).collect();
        let plain = "articulated movable all ood-position ood-object ood-instruction ood-scene ood-dynamics";
        let hard = hard::suites().map(|suite| suite.name());
        let expected: Vec<&str> = plain.split(' ').chain(hard).chain([HARD]).collect();
        assert_eq!(names, expected);
        for suite in suites.iter().filter(|suite| !suite.is_plain()) {
            assert_eq!(suite.variations.len(), 3);
            let is_departure = suite.name.starts_with("ood-");
            assert_eq!(suite.tasks.len() == 13, is_departure, "{}", suite.name);
        }
        assert_eq!(tasks(HARD).split(' ').count(), hard_tasks().count());
    }

    #[test]
    fn words_vary_along_their_axis_only() {
        let kind = kind();
        let press = kind.task("button_press").unwrap();
        let say = |axis: Axis| {
            let variation = Variation {
                axis: axis.name().to_owned(),
                strength: 3,
            };
            kind.say(&press, Some(&variation), 3)
        };
        assert_eq!(say(Axis::Scene).instruction, "press the button");
        let said = say(Axis::Instruction);
        let is_known = |unseen: crate::Unseen| {
            unseen.sentence == said.instruction && unseen.ids().eq(said.tasks.iter())
        };
        assert!(crate::unseen().any(is_known), "{said:?}");
    }
}
