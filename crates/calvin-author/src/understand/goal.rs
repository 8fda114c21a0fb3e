//! What can be asked for.

use std::fmt;

use crate::scene::Point;

/// A direction along the table, as CALVIN has it: as one sees it who faces the table's front.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Towards the robot: -x.
    Left,
    /// Away from it: +x.
    Right,
}

impl Side {
    /// As it is called.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Left => "left",
            Self::Right => "right",
        }
    }

    /// Along x.
    pub(crate) fn sign(self) -> f64 {
        match self {
            Self::Left => -1.0,
            Self::Right => 1.0,
        }
    }
}

/// One goal, with the keypoint by which it is reached.
#[derive(Debug, Clone, PartialEq)]
pub enum Goal {
    /// The drawer is to stand open; by its handle.
    Open(Point),
    /// The drawer is to be shut; by its handle.
    Close(Point),
    /// The sliding door is to stand farther to one side; by its handle.
    Slide(Point, Side),
    /// The button is to be pressed.
    Press(Point),
    /// The LED is to be on or off; by the button, which toggles it.
    Led(Point, bool),
    /// The light bulb is to be on or off; by the switch.
    Bulb(Point, bool),
    /// A block is to be in the hand, above where it lay.
    Lift(Point),
    /// A block is to lie farther to one side.
    Push(Point, Side),
    /// A block is to be turned: to the left is counter-clockwise from above.
    Rotate(Point, Side),
    /// A block is to fall into the open drawer, whose handle is the second.
    PushInto(Point, Point),
}

impl Goal {
    /// The keypoint by which it is reached.
    pub(crate) fn thing(&self) -> &Point {
        match self {
            Self::Open(point)
            | Self::Close(point)
            | Self::Slide(point, _)
            | Self::Press(point)
            | Self::Led(point, _)
            | Self::Bulb(point, _)
            | Self::Lift(point)
            | Self::Push(point, _)
            | Self::Rotate(point, _)
            | Self::PushInto(point, _) => point,
        }
    }
}

impl fmt::Display for Goal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = |on: bool| if on { "on" } else { "off" };
        match self {
            Self::Open(_) => f.write_str("open the drawer"),
            Self::Close(_) => f.write_str("close the drawer"),
            Self::Slide(_, side) => write!(f, "move the slide {}", side.word()),
            Self::Press(_) => f.write_str("press the button"),
            Self::Led(_, on) => write!(f, "turn {} the led", state(*on)),
            Self::Bulb(_, on) => write!(f, "turn {} the light bulb", state(*on)),
            Self::Lift(block) => write!(f, "lift the {}", block.name),
            Self::Push(block, side) => write!(f, "push the {} {}", block.name, side.word()),
            Self::Rotate(block, side) => write!(f, "rotate the {} {}", block.name, side.word()),
            Self::PushInto(block, _) => write!(f, "push the {} into the drawer", block.name),
        }
    }
}
