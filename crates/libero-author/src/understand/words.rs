//! The words that are understood.

use tiller_vlm::words::Deed;

use crate::scene::{Kind, Level};

/// An action, by its verb; what it asks of a drawer may hang on a word that follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verb {
    Open,
    Close,
    TurnOn,
    TurnOff,
    /// `turn` or `switch` by itself: on or off comes later.
    Turn,
    Put,
    /// Of a drawer: out. Else as put.
    Pull,
    /// Of a drawer: in. Else as put.
    Push,
    Lift,
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
pub(super) const VERBS: [(&str, Verb); 11] = [
    ("slide", Verb::Push),
    ("put", Verb::Put),
    ("place", Verb::Put),
    ("move", Verb::Put),
    ("set", Verb::Put),
    ("lay", Verb::Put),
    ("bring", Verb::Put),
    ("carry", Verb::Put),
    ("drop", Verb::Put),
    ("grasp", Verb::Lift),
    ("take", Verb::Lift),
];

/// What a noun means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Noun {
    Thing(Kind),
    /// A drawer by itself; which one is said beside it.
    Drawer,
}

/// Nouns, the longest phrases first.
pub(super) const NOUNS: [(&str, Noun); 20] = [
    ("cream cheese", Noun::Thing(Kind::Cheese)),
    ("wine bottle", Noun::Thing(Kind::Bottle)),
    ("wine rack", Noun::Thing(Kind::Rack)),
    ("bottle rack", Noun::Thing(Kind::Rack)),
    ("cheese", Noun::Thing(Kind::Cheese)),
    ("bottle", Noun::Thing(Kind::Bottle)),
    ("wine", Noun::Thing(Kind::Bottle)),
    ("rack", Noun::Thing(Kind::Rack)),
    ("bowl", Noun::Thing(Kind::Bowl)),
    ("plate", Noun::Thing(Kind::Plate)),
    ("dish", Noun::Thing(Kind::Plate)),
    ("cabinet", Noun::Thing(Kind::Cabinet)),
    ("cupboard", Noun::Thing(Kind::Cabinet)),
    ("stove", Noun::Thing(Kind::Stove)),
    ("cooker", Noun::Thing(Kind::Stove)),
    ("burner", Noun::Thing(Kind::Burner)),
    ("knob", Noun::Thing(Kind::Knob)),
    ("drawer", Noun::Drawer),
    ("layer", Noun::Drawer),
    ("drawers", Noun::Drawer),
];

/// Which drawer.
pub(super) const LEVELS: [(&str, Level); 10] = [
    ("top", Level::Top),
    ("upper", Level::Top),
    ("uppermost", Level::Top),
    ("highest", Level::Top),
    ("middle", Level::Middle),
    ("central", Level::Middle),
    ("second", Level::Middle),
    ("bottom", Level::Bottom),
    ("lower", Level::Bottom),
    ("lowest", Level::Bottom),
];

/// What words say about a place before its noun.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Towards {
    On,
    In,
    /// `in front of`: what follows is a stove.
    Front,
}

/// Ways to a place, the longest phrases first.
pub(super) const WAYS: [(&str, Towards); 10] = [
    ("in front of", Towards::Front),
    ("on to", Towards::On),
    ("onto", Towards::On),
    ("upon", Towards::On),
    ("atop", Towards::On),
    ("on", Towards::On),
    ("to", Towards::On),
    ("into", Towards::In),
    ("inside", Towards::In),
    ("in", Towards::In),
];

/// What may be said beside colours to tell things apart.
pub(super) const LOOKS: [&str; 2] = ["wooden", "flat"];
