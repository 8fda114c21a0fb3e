//! What is taken hold of for a purpose that may follow: `pull the handle to open the drawer`.

use super::goal::Goal;
use crate::scene::{Kind, Point};

/// Something by which a goal is reached.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Means {
    /// A block that is grasped.
    Block(Point),
    /// The button.
    Button(Point),
    /// The switch, and whether it is moved up.
    Switch(Point, Option<bool>),
    /// A handle, if it was said whose, and whether it is pulled; else it is pushed.
    Handle(Option<Point>, Option<bool>),
}

impl Means {
    /// As it is called.
    pub(super) fn word(&self) -> &str {
        match self {
            Self::Block(point) | Self::Button(point) | Self::Switch(point, _) => &point.name,
            Self::Handle(Some(handle), _) => &handle.name,
            Self::Handle(None, _) => "handle",
        }
    }

    /// Whether a goal can be reached so.
    pub(super) fn fits(&self, goal: &Goal) -> bool {
        match (self, goal) {
            (Self::Block(held), Goal::Lift(block) | Goal::Rotate(block, _)) => held == block,
            (Self::Button(_), Goal::Press(_) | Goal::Led(..)) => true,
            (Self::Switch(_, up), Goal::Bulb(_, on)) => up.is_none_or(|up| up == *on),
            (Self::Handle(handle, pulled), Goal::Open(_) | Goal::Close(_)) => {
                let opens = matches!(goal, Goal::Open(_));
                is_of(handle.as_ref(), Kind::DrawerHandle)
                    && pulled.is_none_or(|pulled| pulled == opens)
            }
            (Self::Handle(handle, _), Goal::Slide(..)) => is_of(handle.as_ref(), Kind::SlideHandle),
            _ => false,
        }
    }
}

fn is_of(handle: Option<&Point>, kind: Kind) -> bool {
    handle.is_none_or(|handle| handle.kind == kind)
}
