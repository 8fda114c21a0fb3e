//! What can be asked for, as data: goals, what is to be left alone, and their text form.

use std::fmt;
use std::str::FromStr;

/// A direction in the robot's view: the base frame seen from behind the robot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Direction {
    /// Towards +y.
    Left,
    /// Towards -y.
    Right,
    /// Away from the robot, towards +x.
    Away,
    /// Towards the robot, -x.
    Near,
}

impl Direction {
    /// All four.
    pub const ALL: [Self; 4] = [Self::Left, Self::Right, Self::Away, Self::Near];

    /// The unit vector on the table, base frame x and y.
    pub fn unit(self) -> [f64; 2] {
        match self {
            Self::Left => [0.0, 1.0],
            Self::Right => [0.0, -1.0],
            Self::Away => [1.0, 0.0],
            Self::Near => [-1.0, 0.0],
        }
    }

    /// `left`, `right`, `forward` or `backward`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Left => "left",
            Self::Right => "right",
            Self::Away => "forward",
            Self::Near => "backward",
        }
    }

    fn phrase(self) -> &'static str {
        match self {
            Self::Left => "to the left",
            Self::Right => "to the right",
            Self::Away | Self::Near => self.word(),
        }
    }
}

/// A thing of the table: somewhere to push to, or something to leave alone.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Thing {
    /// The drawer with its handle.
    Drawer,
    /// The sliding door with its handle.
    Door,
    /// The switch.
    Switch,
    /// The button.
    Button,
    /// A block, by its colour as its keypoint's name has it: one lower-case word.
    Block(String),
}

impl Thing {
    /// What the thing is called, such as `drawer` or `red block`.
    pub fn name(&self) -> String {
        match self {
            Self::Drawer => "drawer".to_owned(),
            Self::Door => "door".to_owned(),
            Self::Switch => "switch".to_owned(),
            Self::Button => "button".to_owned(),
            Self::Block(colour) => format!("{colour} block"),
        }
    }

    /// The keypoint that stands for the thing.
    pub fn keypoint(&self) -> String {
        match self {
            Self::Drawer | Self::Door => format!("{} handle", self.name()),
            _ => self.name(),
        }
    }

    /// Whether a keypoint of that name is on the thing: `drawer handle` is on the drawer.
    pub fn has_keypoint(&self, object: &str) -> bool {
        object
            .strip_prefix(self.name().as_str())
            .is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
    }

    fn id(&self) -> String {
        self.name().replace(' ', "_")
    }

    fn from_id(id: &str) -> Option<Self> {
        Some(match id {
            "drawer" => Self::Drawer,
            "door" => Self::Door,
            "switch" => Self::Switch,
            "button" => Self::Button,
            block => Self::Block(colour(block.strip_suffix("_block")?)?),
        })
    }
}

/// Where a block is to be pushed.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Way {
    /// Along an axis of the base frame.
    Along(Direction),
    /// Nearer to a thing.
    Towards(Thing),
}

/// One thing to achieve. [`fmt::Display`] gives its canonical wording, [`Goal::id`] its text form.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Goal {
    /// Pull the drawer out.
    OpenDrawer,
    /// Push the drawer in.
    CloseDrawer,
    /// Slide the door to one side; only [`Direction::Left`] and [`Direction::Right`] occur.
    SlideDoor(Direction),
    /// Turn the switch on (`true`) or off.
    TurnSwitch(bool),
    /// Press the button down.
    PressButton,
    /// Push a block along the table.
    PushBlock {
        /// The block's colour as its keypoint's name has it.
        colour: String,
        /// Where to, if the instruction says so.
        way: Option<Way>,
    },
    /// Bring a block into the drawer, so that it lies there.
    PutInDrawer {
        /// The block's colour as its keypoint's name has it.
        colour: String,
    },
    /// Grasp and raise a block.
    LiftBlock {
        /// The block's colour as its keypoint's name has it.
        colour: String,
    },
}

impl Goal {
    /// The keypoint name that the goal cannot do without.
    pub fn object(&self) -> String {
        self.things()[0].keypoint()
    }

    /// Everything that the goal has to do with; what it moves comes first.
    pub fn things(&self) -> Vec<Thing> {
        let block = |colour: &String| Thing::Block(colour.clone());
        match self {
            Self::OpenDrawer | Self::CloseDrawer => vec![Thing::Drawer],
            Self::SlideDoor(_) => vec![Thing::Door],
            Self::TurnSwitch(_) => vec![Thing::Switch],
            Self::PressButton => vec![Thing::Button],
            Self::PushBlock {
                colour,
                way: Some(Way::Towards(thing)),
            } => vec![block(colour), thing.clone()],
            Self::PushBlock { colour, .. } | Self::LiftBlock { colour } => vec![block(colour)],
            Self::PutInDrawer { colour } => vec![block(colour), Thing::Drawer],
        }
    }

    /// A short name in snake case, such as `drawer_open` or `push_red`: the task without its
    /// parameters.
    pub fn name(&self) -> String {
        match self {
            Self::OpenDrawer => "drawer_open".to_owned(),
            Self::CloseDrawer => "drawer_close".to_owned(),
            Self::SlideDoor(Direction::Right) => "door_right".to_owned(),
            Self::SlideDoor(_) => "door_left".to_owned(),
            Self::TurnSwitch(true) => "switch_on".to_owned(),
            Self::TurnSwitch(false) => "switch_off".to_owned(),
            Self::PressButton => "button_press".to_owned(),
            Self::PushBlock { colour, .. } => format!("push_{colour}"),
            Self::PutInDrawer { colour } => format!("put_{colour}_in_drawer"),
            Self::LiftBlock { colour } => format!("lift_{colour}"),
        }
    }

    /// The goal as a task id: its [name](Self::name) and, after a colon, where to: `push_red:left`,
    /// `push_red:to_drawer`.
    pub fn id(&self) -> String {
        let name = self.name();
        match self {
            Self::PushBlock {
                way: Some(Way::Along(direction)),
                ..
            } => format!("{name}:{}", direction.word()),
            Self::PushBlock {
                way: Some(Way::Towards(thing)),
                ..
            } => format!("{name}:to_{}", thing.id()),
            _ => name,
        }
    }

    fn from_id(id: &str) -> Option<Self> {
        let (name, place) = match id.split_once(':') {
            Some((name, place)) => (name, Some(place)),
            None => (id, None),
        };
        let goal = match name {
            "drawer_open" => Self::OpenDrawer,
            "drawer_close" => Self::CloseDrawer,
            "door_left" => Self::SlideDoor(Direction::Left),
            "door_right" => Self::SlideDoor(Direction::Right),
            "switch_on" => Self::TurnSwitch(true),
            "switch_off" => Self::TurnSwitch(false),
            "button_press" => Self::PressButton,
            _ => {
                if let Some(block) = name.strip_prefix("push_") {
                    let way = place.map(way_from_id);
                    if way == Some(None) {
                        return None;
                    }
                    return Some(Self::PushBlock {
                        colour: colour(block)?,
                        way: way.flatten(),
                    });
                } else if let Some(block) = name.strip_prefix("lift_") {
                    Self::LiftBlock {
                        colour: colour(block)?,
                    }
                } else {
                    let block = name.strip_prefix("put_")?.strip_suffix("_in_drawer")?;
                    Self::PutInDrawer {
                        colour: colour(block)?,
                    }
                }
            }
        };
        place.is_none().then_some(goal)
    }
}

fn way_from_id(id: &str) -> Option<Way> {
    if let Some(thing) = id.strip_prefix("to_") {
        return Thing::from_id(thing).map(Way::Towards);
    }
    let direction = Direction::ALL.into_iter().find(|way| way.word() == id)?;
    Some(Way::Along(direction))
}

/// A colour is one plain word. Names come from perception, which may have read them off the scene:
/// nothing else may reach a program's text.
pub(crate) fn colour(text: &str) -> Option<String> {
    let is_word =
        !text.is_empty() && text.len() <= 20 && text.chars().all(|c| c.is_ascii_lowercase());
    is_word.then(|| text.to_owned())
}

impl fmt::Display for Goal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OpenDrawer => f.write_str("open the drawer"),
            Self::CloseDrawer => f.write_str("close the drawer"),
            Self::SlideDoor(direction) => write!(f, "slide the door {}", direction.phrase()),
            Self::TurnSwitch(true) => f.write_str("turn on the switch"),
            Self::TurnSwitch(false) => f.write_str("turn off the switch"),
            Self::PressButton => f.write_str("press the button"),
            Self::PushBlock { colour, way } => {
                write!(f, "push the {colour} block")?;
                match way {
                    None => Ok(()),
                    Some(Way::Along(direction)) => write!(f, " {}", direction.phrase()),
                    Some(Way::Towards(thing)) => write!(f, " towards the {}", thing.name()),
                }
            }
            Self::PutInDrawer { colour } => write!(f, "put the {colour} block into the drawer"),
            Self::LiftBlock { colour } => write!(f, "lift the {colour} block"),
        }
    }
}

/// An understood instruction: goals in the order in which they are to be reached, and what must
/// not be touched meanwhile.
///
/// Its text form, which [`fmt::Display`] writes and [`FromStr`] reads, loses nothing: task ids with
/// commas between them, each with what is to be left alone.
///
/// ```
/// use tiller_playtable_author::TaskSpec;
/// let text = "drawer_open:avoid=red_block,push_blue:forward:avoid=red_block";
/// let spec: TaskSpec = text.parse()?;
/// assert_eq!(spec.goals.len(), 2);
/// assert_eq!(spec.avoid[0].name(), "red block");
/// assert_eq!(spec.to_string(), text);
/// # Ok::<(), tiller_playtable_author::TaskIdError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct TaskSpec {
    /// First things first.
    pub goals: Vec<Goal>,
    /// Sorted, each only once.
    pub avoid: Vec<Thing>,
}

/// A text that is no task id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "expected a task id such as `drawer_open`, `push_red:left`, `push_red:to_drawer`, \
     `put_red_in_drawer` or `lift_red:avoid=blue_block`, found `{found}`"
)]
pub struct TaskIdError {
    /// The text.
    pub found: String,
}

/// Between a task id and what is to be left alone.
const AVOID: &str = ":avoid=";

impl TaskSpec {
    /// One task id for each goal.
    pub fn ids(&self) -> Vec<String> {
        let avoid: Vec<String> = self.avoid.iter().map(Thing::id).collect();
        let avoid = match avoid.as_slice() {
            [] => String::new(),
            some => format!("{AVOID}{}", some.join("+")),
        };
        let id = |goal: &Goal| format!("{}{avoid}", goal.id());
        self.goals.iter().map(id).collect()
    }

    /// The goals of some task ids; what one of them wants left alone, all of them leave alone.
    ///
    /// # Errors
    /// [`TaskIdError`] with the first text that is no task id.
    pub fn from_ids<'t>(ids: impl IntoIterator<Item = &'t str>) -> Result<Self, TaskIdError> {
        let mut spec = Self::default();
        for id in ids {
            let error = || TaskIdError {
                found: tiller_core::clip(id, MAX_FOUND).into_owned(),
            };
            let (goal, avoid) = match id.trim().split_once(AVOID) {
                Some((goal, avoid)) => (goal, avoid.split('+').collect()),
                None => (id.trim(), Vec::new()),
            };
            spec.goals.push(Goal::from_id(goal).ok_or_else(error)?);
            for thing in avoid {
                spec.avoid.push(Thing::from_id(thing).ok_or_else(error)?);
            }
        }
        spec.avoid.sort();
        spec.avoid.dedup();
        Ok(spec)
    }

    /// The instruction in canonical words.
    pub fn wording(&self) -> String {
        let goals: Vec<String> = self.goals.iter().map(Goal::to_string).collect();
        let mut text = goals.join(", then ");
        for (index, thing) in self.avoid.iter().enumerate() {
            text += if index == 0 {
                ", without touching the "
            } else {
                " or the "
            };
            text += &thing.name();
        }
        text
    }
}

/// Characters of a wrong id that an error quotes.
const MAX_FOUND: usize = 80;

impl fmt::Display for TaskSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.ids().join(","))
    }
}

impl FromStr for TaskSpec {
    type Err = TaskIdError;

    fn from_str(text: &str) -> Result<Self, TaskIdError> {
        Self::from_ids(text.split(','))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn block() -> impl Strategy<Value = String> {
        "[a-z]{1,20}"
    }

    fn thing() -> impl Strategy<Value = Thing> {
        prop_oneof![
            Just(Thing::Drawer),
            Just(Thing::Door),
            Just(Thing::Switch),
            Just(Thing::Button),
            block().prop_map(Thing::Block),
        ]
    }

    fn way() -> impl Strategy<Value = Way> {
        prop_oneof![
            prop::sample::select(&Direction::ALL[..]).prop_map(Way::Along),
            thing().prop_map(Way::Towards),
        ]
    }

    fn goal() -> impl Strategy<Value = Goal> {
        prop_oneof![
            Just(Goal::OpenDrawer),
            Just(Goal::CloseDrawer),
            Just(Goal::SlideDoor(Direction::Left)),
            Just(Goal::SlideDoor(Direction::Right)),
            any::<bool>().prop_map(Goal::TurnSwitch),
            Just(Goal::PressButton),
            (block(), prop::option::of(way()))
                .prop_map(|(colour, way)| Goal::PushBlock { colour, way }),
            block().prop_map(|colour| Goal::PutInDrawer { colour }),
            block().prop_map(|colour| Goal::LiftBlock { colour }),
        ]
    }

    proptest! {
        #[test]
        fn the_text_form_loses_nothing(
            goals in prop::collection::vec(goal(), 1..5),
            avoid in prop::collection::btree_set(thing(), 0..4),
        ) {
            let spec = TaskSpec { goals, avoid: avoid.into_iter().collect() };
            prop_assert_eq!(spec.to_string().parse::<TaskSpec>(), Ok(spec.clone()));
            let ids = spec.ids();
            prop_assert_eq!(TaskSpec::from_ids(ids.iter().map(String::as_str)), Ok(spec));
        }

        #[test]
        fn any_text_is_a_task_or_an_error(text in "(push_|lift_|put_|:|avoid=|to_|[a-z_+,]){0,8}") {
            if let Ok(spec) = text.parse::<TaskSpec>() {
                prop_assert_eq!(spec.to_string().parse::<TaskSpec>(), Ok(spec));
            }
        }
    }

    #[test]
    fn what_is_no_task_is_named() {
        for text in [
            "",
            "drawer",
            "push_",
            "push_red:up",
            "push_red:to_shelf",
            "drawer_open:left",
            "lift_RED",
            "put_red_in_door",
            "lift_red:avoid=",
            "drawer_open,",
        ] {
            let error = text.parse::<TaskSpec>().unwrap_err().to_string();
            assert!(error.contains("expected a task id"), "{text}: {error}");
        }
    }

    #[test]
    fn a_keypoint_belongs_to_one_thing() {
        assert!(Thing::Drawer.has_keypoint("drawer handle"));
        assert!(Thing::Drawer.has_keypoint("drawer"));
        assert!(!Thing::Door.has_keypoint("doorstop"));
        assert!(Thing::Block("red".to_owned()).has_keypoint("red block"));
        assert!(!Thing::Block("red".to_owned()).has_keypoint("dark red block"));
    }
}
