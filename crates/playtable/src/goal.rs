//! What an instruction asks of the table, as the oracle judges it.

use std::fmt;

use tiller_playtable_author::{self as author, Direction, EmbeddedAuthor, TaskIdError, TaskSpec};
use tiller_vlm::{AuthorRequest, SceneKeypoint};

use crate::labels::labels;
use crate::objects::{Block, Thing};
use crate::task::Task;

/// Where a block is to be pushed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Towards {
    /// Along an axis of the world frame.
    Along(Direction),
    /// Nearer to a thing.
    Thing(Thing),
}

/// One thing to achieve: any of the [`Task`]s, or one that says where to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Goal {
    /// One of the thirteen tasks.
    Task(Task),
    /// Push a block a certain way along the table.
    Push(Block, Towards),
    /// Bring a block into the drawer and let go of it there.
    PutInDrawer(Block),
}

impl Goal {
    /// Everything that the goal has to do with: what is moved when it is achieved is no collateral.
    pub fn things(self) -> impl Iterator<Item = Thing> {
        let (first, second) = match self {
            Self::Task(task) => (task.thing(), None),
            Self::Push(block, Towards::Thing(thing)) => (Thing::Block(block), Some(thing)),
            Self::Push(block, Towards::Along(_)) => (Thing::Block(block), None),
            Self::PutInDrawer(block) => (Thing::Block(block), Some(Thing::Drawer)),
        };
        std::iter::once(first).chain(second)
    }

    /// The task whose start state makes the goal possible and not yet achieved.
    fn start(self) -> Option<Task> {
        match self {
            Self::Task(task) => Some(task),
            Self::Push(..) => None,
            // The drawer begins open.
            Self::PutInDrawer(_) => Some(Task::DrawerClose),
        }
    }
}

/// Goals that are to be reached one after the other, and what must not be touched meanwhile.
///
/// ```
/// use tiller_playtable::{Goal, Goals, Block, interpret};
/// let ids = interpret("open the drawer, then put the blue block into it").unwrap_or_default();
/// assert_eq!(ids, ["drawer_open", "put_blue_in_drawer"]);
/// let goals = Goals::from_ids(ids.iter().map(String::as_str))?;
/// assert_eq!(goals.goals[1], Goal::PutInDrawer(Block::Blue));
/// # Ok::<(), tiller_playtable::GoalError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Goals {
    /// First things first.
    pub goals: Vec<Goal>,
    /// In the order of [`Thing::ALL`], each only once.
    pub avoid: Vec<Thing>,
}

/// A text that asks for nothing that the table knows.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum GoalError {
    /// It is no task id at all.
    #[error(transparent)]
    Id(#[from] TaskIdError),
    /// It is about a block that is not there.
    #[error("expected a red, blue or pink block in task `{id}`, found a {colour} one")]
    Block {
        /// The task id.
        id: String,
        /// The colour.
        colour: String,
    },
}

impl Goals {
    /// Tasks one after the other, with nothing to avoid.
    pub fn tasks(tasks: &[Task]) -> Self {
        Self {
            goals: tasks.iter().copied().map(Goal::Task).collect(),
            avoid: Vec::new(),
        }
    }

    /// Reads task ids such as `push_red:left`, `put_blue_in_drawer` or `button_press:avoid=red_block`.
    ///
    /// # Errors
    /// [`GoalError`] for the first one that the table does not know.
    pub fn from_ids<'t>(ids: impl IntoIterator<Item = &'t str>) -> Result<Self, GoalError> {
        Self::from_spec(&TaskSpec::from_ids(ids)?)
    }

    /// One task id for each goal; [`from_ids`](Self::from_ids) reads them back without loss.
    pub fn ids(&self) -> Vec<String> {
        self.to_spec().ids()
    }

    fn from_spec(spec: &TaskSpec) -> Result<Self, GoalError> {
        let goals = spec.goals.iter().map(goal).collect::<Result<_, _>>()?;
        let thing = |thing: &author::Thing| thing_of(thing, || format!("avoid={}", thing.name()));
        let mut avoid: Vec<Thing> = spec.avoid.iter().map(thing).collect::<Result<_, _>>()?;
        avoid.sort();
        avoid.dedup();
        Ok(Self { goals, avoid })
    }

    fn to_spec(&self) -> TaskSpec {
        let mut spec = TaskSpec {
            goals: self.goals.iter().copied().map(said).collect(),
            avoid: self.avoid.iter().copied().map(said_thing).collect(),
        };
        spec.avoid.sort();
        spec
    }

    /// Tasks whose start states make the goals possible, first things first.
    pub(crate) fn starts(&self) -> Vec<Task> {
        self.goals.iter().filter_map(|goal| goal.start()).collect()
    }
}

impl fmt::Display for Goals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.to_spec().fmt(f)
    }
}

/// The task ids that an instruction means, first things first, however it is worded; `None` when it is
/// not understood. The oracle must know before anything is seen, so everything that the table holds
/// counts as there.
pub fn interpret(instruction: &str) -> Option<Vec<String>> {
    let keypoint = |(index, (_, name)): (usize, &(u8, &str))| SceneKeypoint {
        index,
        name: (*name).to_owned(),
        position_m: [0.0; 3],
    };
    let names = labels()
        .iter()
        .filter(|(_, name)| Thing::ALL.iter().any(|thing| thing.keypoint() == *name));
    let request = AuthorRequest {
        hand: tiller_vlm::HandAccess::POSITIONS,
        instruction: instruction.to_owned(),
        keypoints: names.enumerate().map(keypoint).collect(),
    };
    let spec = EmbeddedAuthor.understand_all(&request).ok()?;
    Goals::from_spec(&spec).ok().map(|goals| goals.ids())
}

fn block(colour: &str, id: impl Fn() -> String) -> Result<Block, GoalError> {
    let found = Block::ALL.into_iter().find(|block| block.body() == colour);
    found.ok_or_else(|| GoalError::Block {
        id: id(),
        colour: colour.to_owned(),
    })
}

fn thing_of(thing: &author::Thing, id: impl Fn() -> String) -> Result<Thing, GoalError> {
    Ok(match thing {
        author::Thing::Drawer => Thing::Drawer,
        author::Thing::Door => Thing::Door,
        author::Thing::Switch => Thing::Switch,
        author::Thing::Button => Thing::Button,
        author::Thing::Block(colour) => Thing::Block(block(colour, id)?),
    })
}

fn said_thing(thing: Thing) -> author::Thing {
    match thing {
        Thing::Drawer => author::Thing::Drawer,
        Thing::Door => author::Thing::Door,
        Thing::Switch => author::Thing::Switch,
        Thing::Button => author::Thing::Button,
        Thing::Block(block) => author::Thing::Block(block.body().to_owned()),
    }
}

fn goal(goal: &author::Goal) -> Result<Goal, GoalError> {
    let id = || goal.id();
    Ok(match goal {
        author::Goal::OpenDrawer => Goal::Task(Task::DrawerOpen),
        author::Goal::CloseDrawer => Goal::Task(Task::DrawerClose),
        author::Goal::SlideDoor(Direction::Right) => Goal::Task(Task::DoorRight),
        author::Goal::SlideDoor(_) => Goal::Task(Task::DoorLeft),
        author::Goal::TurnSwitch(true) => Goal::Task(Task::SwitchOn),
        author::Goal::TurnSwitch(false) => Goal::Task(Task::SwitchOff),
        author::Goal::PressButton => Goal::Task(Task::ButtonPress),
        author::Goal::LiftBlock { colour } => Goal::Task(Task::Lift(block(colour, id)?)),
        author::Goal::PutInDrawer { colour } => Goal::PutInDrawer(block(colour, id)?),
        author::Goal::PushBlock { colour, way } => {
            let block = block(colour, id)?;
            match way {
                None => Goal::Task(Task::Push(block)),
                Some(author::Way::Along(direction)) => {
                    Goal::Push(block, Towards::Along(*direction))
                }
                Some(author::Way::Towards(thing)) => {
                    Goal::Push(block, Towards::Thing(thing_of(thing, id)?))
                }
            }
        }
    })
}

fn said(goal: Goal) -> author::Goal {
    let colour = |block: Block| block.body().to_owned();
    match goal {
        Goal::Task(Task::DrawerOpen) => author::Goal::OpenDrawer,
        Goal::Task(Task::DrawerClose) => author::Goal::CloseDrawer,
        Goal::Task(Task::DoorLeft) => author::Goal::SlideDoor(Direction::Left),
        Goal::Task(Task::DoorRight) => author::Goal::SlideDoor(Direction::Right),
        Goal::Task(Task::SwitchOn) => author::Goal::TurnSwitch(true),
        Goal::Task(Task::SwitchOff) => author::Goal::TurnSwitch(false),
        Goal::Task(Task::ButtonPress) => author::Goal::PressButton,
        Goal::Task(Task::Push(block)) => author::Goal::PushBlock {
            colour: colour(block),
            way: None,
        },
        Goal::Task(Task::Lift(block)) => author::Goal::LiftBlock {
            colour: colour(block),
        },
        Goal::Push(block, towards) => author::Goal::PushBlock {
            colour: colour(block),
            way: Some(match towards {
                Towards::Along(direction) => author::Way::Along(direction),
                Towards::Thing(thing) => author::Way::Towards(said_thing(thing)),
            }),
        },
        Goal::PutInDrawer(block) => author::Goal::PutInDrawer {
            colour: colour(block),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn any_goal() -> impl Strategy<Value = Goal> {
        let block = || prop::sample::select(&Block::ALL[..]);
        let towards = prop_oneof![
            prop::sample::select(&Direction::ALL[..]).prop_map(Towards::Along),
            prop::sample::select(&Thing::ALL[..]).prop_map(Towards::Thing),
        ];
        prop_oneof![
            prop::sample::select(&Task::ALL[..]).prop_map(Goal::Task),
            (block(), towards).prop_map(|(block, towards)| Goal::Push(block, towards)),
            block().prop_map(Goal::PutInDrawer),
        ]
    }

    proptest! {
        #[test]
        fn ids_lose_nothing(
            goals in prop::collection::vec(any_goal(), 1..5),
            avoid in prop::collection::btree_set(prop::sample::select(&Thing::ALL[..]), 0..7),
        ) {
            let goals = Goals { goals, avoid: avoid.into_iter().collect() };
            let ids = goals.ids();
            prop_assert_eq!(Goals::from_ids(ids.iter().map(String::as_str)), Ok(goals.clone()));
            prop_assert_eq!(Goals::from_ids(goals.to_string().split(',')), Ok(goals));
        }

        /// What the author's words mean is what the oracle watches for.
        #[test]
        fn canonical_words_mean_their_ids(goal in any_goal(), avoid in prop::sample::select(&Thing::ALL[..])) {
            let is_itself = matches!(goal, Goal::Push(block, Towards::Thing(thing)) if thing == Thing::Block(block));
            prop_assume!(!is_itself);
            let avoid: Vec<Thing> = Some(avoid)
                .filter(|avoid| goal.things().all(|thing| thing != *avoid))
                .into_iter()
                .collect();
            let goals = Goals { goals: vec![goal], avoid };
            prop_assert_eq!(interpret(&goals.to_spec().wording()), Some(goals.ids()));
        }
    }

    #[test]
    fn every_task_is_known_by_its_instruction_and_id() {
        for task in Task::ALL {
            assert_eq!(
                interpret(task.instruction()),
                Some(vec![task.name().to_owned()])
            );
            assert_eq!(Goals::from_ids([task.name()]), Ok(Goals::tasks(&[task])));
        }
    }

    #[test]
    fn other_words_for_the_same_are_understood() {
        let means = |instruction: &str| interpret(instruction).unwrap_or_default().join(",");
        for (instruction, ids) in [
            ("Please pull the drawer open.", "drawer_open"),
            ("make coffee", ""),
            ("open the drawer, then make coffee", ""),
            ("push the green block", ""),
            (
                "push the red block, but first open the drawer",
                "drawer_open,push_red",
            ),
            ("shove the blue cube forwards", "push_blue:forward"),
            ("nudge the red brick to the left side", "push_red:left"),
            (
                "open the drawer, then push the blue block into it",
                "drawer_open,put_blue_in_drawer",
            ),
            ("place the pink cube in the drawer", "put_pink_in_drawer"),
            (
                "push the pink block towards the drawer",
                "push_pink:to_drawer",
            ),
            (
                "push the red block to the left, then push it to the right",
                "push_red:left,push_red:right",
            ),
            (
                "press the button, and don't touch the red block",
                "button_press:avoid=red_block",
            ),
        ] {
            assert_eq!(means(instruction), ids, "{instruction}");
        }
    }

    #[test]
    fn unknown_blocks_are_named() {
        let error = Goals::from_ids(["push_green:left"]).map_err(|error| error.to_string());
        let expected =
            "expected a red, blue or pink block in task `push_green:left`, found a green one";
        assert_eq!(error, Err(expected.to_owned()));
        assert!(Goals::from_ids(["lift_red:avoid=blue_block+green_block"]).is_err());
        assert!(Goals::from_ids(["stack_red"]).is_err());
    }
}
