//! What can be asked for.

use std::fmt;

use crate::scene::Point;

/// Where a thing is to be put.
#[derive(Debug, Clone, PartialEq)]
pub enum Place {
    /// On a plate or in a bowl, whichever it is.
    On(Point),
    /// On a stove's burner.
    Stove(Point),
    /// Before a stove: on the side where its knob is not.
    FrontOfStove(Point),
    /// On top of a cabinet.
    CabinetTop(Point),
    /// In a drawer that stands open.
    Drawer(Point),
    /// On a rack.
    Rack(Point),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::On(point) => write!(f, "on the {}", point.name),
            Self::Stove(point) | Self::Rack(point) => write!(f, "on the {}", point.name),
            Self::FrontOfStove(point) => write!(f, "to the front of the {}", point.name),
            Self::CabinetTop(point) => write!(f, "on top of the {}", point.name),
            Self::Drawer(point) => write!(f, "in the {}", point.name),
        }
    }
}

/// One goal.
#[derive(Debug, Clone, PartialEq)]
pub enum Goal {
    /// A thing is to be somewhere else.
    Put(Point, Place),
    /// A thing is to be in the hand, above where it was.
    Lift(Point),
    /// A drawer is to stand open.
    Open(Point),
    /// A drawer is to be shut.
    Close(Point),
    /// A stove is to be on or off.
    Turn(Point, bool),
}

impl fmt::Display for Goal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Put(thing, place) => write!(f, "put the {} {place}", thing.name),
            Self::Lift(thing) => write!(f, "pick up the {}", thing.name),
            Self::Open(drawer) => write!(f, "open the {}", drawer.name),
            Self::Close(drawer) => write!(f, "close the {}", drawer.name),
            Self::Turn(stove, true) => write!(f, "turn on the {}", stove.name),
            Self::Turn(stove, false) => write!(f, "turn off the {}", stove.name),
        }
    }
}
