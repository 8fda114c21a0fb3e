//! The words that are understood.

use tiller_vlm::words::Deed;

use super::goal::Side;
use crate::scene::{Kind, Spot};

/// An action, by its verb.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verb {
    Open,
    Close,
    /// Towards the robot's front; of a drawer: out.
    Pull,
    /// Of a drawer: in; of a button: down; else along.
    Push,
    /// Along, wherever is said.
    Move,
    Press,
    /// To the other of two states.
    Toggle,
    TurnOn,
    TurnOff,
    /// A block's turn, or `on` and `off` come later.
    Turn,
    Rotate,
    Lift,
    /// The beginning of something else, or of a block by itself: lifted.
    Grasp,
    /// What follows says for what.
    Use,
}

impl From<Deed> for Verb {
    fn from(deed: Deed) -> Self {
        match deed {
            Deed::Open => Self::Open,
            Deed::Close => Self::Close,
            Deed::TurnOn => Self::TurnOn,
            Deed::TurnOff => Self::TurnOff,
            Deed::Turn => Self::Turn,
            Deed::Pull => Self::Pull,
            Deed::Push => Self::Push,
            Deed::Lift => Self::Lift,
        }
    }
}

/// Verbs beside those of every world, the longest phrases first.
pub(super) const VERBS: [(&str, Verb); 17] = [
    ("take hold of", Verb::Grasp),
    ("move", Verb::Move),
    ("slide", Verb::Move),
    ("shift", Verb::Move),
    ("drag", Verb::Move),
    ("sweep", Verb::Move),
    ("press", Verb::Press),
    ("hit", Verb::Press),
    ("toggle", Verb::Toggle),
    ("flip", Verb::Toggle),
    ("rotate", Verb::Rotate),
    ("spin", Verb::Rotate),
    ("twist", Verb::Rotate),
    ("grasp", Verb::Grasp),
    ("grab", Verb::Grasp),
    ("take", Verb::Grasp),
    ("use", Verb::Use),
];

/// What a noun means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Noun {
    Thing(Kind),
    /// A handle of whatever has one.
    Handle,
    /// The LED or the light bulb.
    AnyLight,
}

/// Nouns, the longest phrases first. In CALVIN the light bulb is yellow and the LED green.
pub(super) const NOUNS: [(&str, Noun); 40] = [
    ("yellow light bulb", Noun::Thing(Kind::Bulb)),
    ("green led light", Noun::Thing(Kind::Led)),
    ("sliding door handle", Noun::Thing(Kind::SlideHandle)),
    ("drawer handle", Noun::Thing(Kind::DrawerHandle)),
    ("drawer 's handle", Noun::Thing(Kind::DrawerHandle)),
    ("slide handle", Noun::Thing(Kind::SlideHandle)),
    ("slider handle", Noun::Thing(Kind::SlideHandle)),
    ("door handle", Noun::Thing(Kind::SlideHandle)),
    ("door 's handle", Noun::Thing(Kind::SlideHandle)),
    ("sliding door", Noun::Thing(Kind::Slide)),
    ("slide door", Noun::Thing(Kind::Slide)),
    ("light switch", Noun::Thing(Kind::Switch)),
    ("light bulb", Noun::Thing(Kind::Bulb)),
    ("light lamp", Noun::Thing(Kind::Bulb)),
    ("yellow light", Noun::Thing(Kind::Bulb)),
    ("yellow lamp", Noun::Thing(Kind::Bulb)),
    ("yellow bulb", Noun::Thing(Kind::Bulb)),
    ("lightbulb", Noun::Thing(Kind::Bulb)),
    ("bulb", Noun::Thing(Kind::Bulb)),
    ("green light", Noun::Thing(Kind::Led)),
    ("green lamp", Noun::Thing(Kind::Led)),
    ("green led", Noun::Thing(Kind::Led)),
    ("led light", Noun::Thing(Kind::Led)),
    ("led lamp", Noun::Thing(Kind::Led)),
    ("led", Noun::Thing(Kind::Led)),
    ("block", Noun::Thing(Kind::Block)),
    ("cube", Noun::Thing(Kind::Block)),
    ("brick", Noun::Thing(Kind::Block)),
    ("object", Noun::Thing(Kind::Block)),
    ("one", Noun::Thing(Kind::Block)),
    ("drawer", Noun::Thing(Kind::Drawer)),
    ("slider", Noun::Thing(Kind::Slide)),
    ("slide", Noun::Thing(Kind::Slide)),
    ("door", Noun::Thing(Kind::Slide)),
    ("button", Noun::Thing(Kind::Button)),
    ("switch", Noun::Thing(Kind::Switch)),
    ("lever", Noun::Thing(Kind::Switch)),
    ("handle", Noun::Handle),
    ("light", Noun::AnyLight),
    ("lamp", Noun::AnyLight),
];

/// What may be said beside colours to tell things apart.
pub(super) const SIZES: [&str; 2] = ["small", "big"];

/// Where along the table something goes, the longest phrases first.
pub(super) const SIDES: [(&str, Side); 12] = [
    ("left side", Side::Left),
    ("right side", Side::Right),
    ("left hand side", Side::Left),
    ("right hand side", Side::Right),
    ("left", Side::Left),
    ("right", Side::Right),
    ("leftwards", Side::Left),
    ("rightwards", Side::Right),
    ("leftward", Side::Left),
    ("rightward", Side::Right),
    ("counterclockwise", Side::Left),
    ("clockwise", Side::Right),
];

/// How a side is led up to, the longest phrases first.
pub(super) const TOWARDS: [&str; 6] = [
    "all the way to the",
    "towards the",
    "toward the",
    "towards",
    "to the",
    "to",
];

/// Up is true.
pub(super) const HEIGHTS: [(&str, bool); 6] = [
    ("upwards", true),
    ("upward", true),
    ("up", true),
    ("downwards", false),
    ("downward", false),
    ("down", false),
];

/// What a drawer does, open is true.
pub(super) const ENDS: [(&str, bool); 6] = [
    ("open", true),
    ("out", true),
    ("outwards", true),
    ("closed", false),
    ("shut", false),
    ("in", false),
];

/// What leads up to a surface, the longest phrases first.
pub(super) const PLACES_BEFORE: [&str; 15] = [
    "lying on top of",
    "lying inside",
    "lying on",
    "lying in",
    "that is on",
    "that is in",
    "from inside",
    "from behind",
    "from",
    "inside",
    "behind",
    "off of",
    "off",
    "on",
    "in",
];

/// Surfaces, the longest phrases first.
pub(super) const SPOTS: [(&str, Spot); 12] = [
    ("sliding cabinet", Spot::Shelf),
    ("sliding door", Spot::Shelf),
    ("slider cabinet", Spot::Shelf),
    ("cabinet", Spot::Shelf),
    ("slider", Spot::Shelf),
    ("slide", Spot::Shelf),
    ("shelf", Spot::Shelf),
    ("door", Spot::Shelf),
    ("drawer", Spot::Drawer),
    ("table top", Spot::Table),
    ("tabletop", Spot::Table),
    ("table", Spot::Table),
];

/// What sends a block into the drawer.
pub(super) const INTO: [&str; 9] = [
    "into the drawer",
    "in the drawer",
    "inside the drawer",
    "inside of the drawer",
    "that it falls into the drawer",
    "so that it falls into the drawer",
    "until it falls into the drawer",
    "so it falls into the drawer",
    "to the drawer",
];

/// The same after the drawer was named.
pub(super) const INTO_IT: [&str; 4] = ["into it", "inside it", "in it", "inside"];

/// How far a block is turned, if that is said.
pub(super) const QUARTER_TURN: [&str; 3] = ["by 90 degrees", "90 degrees", "a quarter turn"];

/// What leads up to a purpose.
pub(super) const PURPOSES: [&str; 3] = ["in order to", "so as to", "to"];
