//! What can be asked for.

use std::fmt;

/// A direction in the robot's view: the base frame seen from behind the robot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
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
    /// The unit vector on the table, base frame x and y.
    pub fn unit(self) -> [f64; 2] {
        match self {
            Self::Left => [0.0, 1.0],
            Self::Right => [0.0, -1.0],
            Self::Away => [1.0, 0.0],
            Self::Near => [-1.0, 0.0],
        }
    }

    fn phrase(self) -> &'static str {
        match self {
            Self::Left => "to the left",
            Self::Right => "to the right",
            Self::Away => "forward",
            Self::Near => "backward",
        }
    }
}

/// An understood instruction. [`fmt::Display`] gives its canonical wording.
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
        direction: Option<Direction>,
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
        match self {
            Self::OpenDrawer | Self::CloseDrawer => "drawer handle".to_owned(),
            Self::SlideDoor(_) => "door handle".to_owned(),
            Self::TurnSwitch(_) => "switch".to_owned(),
            Self::PressButton => "button".to_owned(),
            Self::PushBlock { colour, .. } | Self::LiftBlock { colour } => {
                format!("{colour} block")
            }
        }
    }

    /// A short name in snake case, such as `drawer_open` or `push_red`.
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
            Self::LiftBlock { colour } => format!("lift_{colour}"),
        }
    }
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
            Self::PushBlock {
                colour,
                direction: None,
            } => write!(f, "push the {colour} block"),
            Self::PushBlock {
                colour,
                direction: Some(direction),
            } => {
                write!(f, "push the {colour} block {}", direction.phrase())
            }
            Self::LiftBlock { colour } => write!(f, "lift the {colour} block"),
        }
    }
}
