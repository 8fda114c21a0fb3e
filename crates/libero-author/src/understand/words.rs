//! The words that are understood.

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

/// Verbs, the longest phrases first.
pub(super) const VERBS: [(&str, Verb); 37] = [
    ("slide open", Verb::Open),
    ("pull open", Verb::Open),
    ("pull out", Verb::Open),
    ("slide out", Verb::Open),
    ("open up", Verb::Open),
    ("push in", Verb::Close),
    ("slide in", Verb::Close),
    ("push closed", Verb::Close),
    ("push shut", Verb::Close),
    ("slide closed", Verb::Close),
    ("slide shut", Verb::Close),
    ("turn on", Verb::TurnOn),
    ("switch on", Verb::TurnOn),
    ("turn off", Verb::TurnOff),
    ("switch off", Verb::TurnOff),
    ("pick up", Verb::Lift),
    ("lift up", Verb::Lift),
    ("open", Verb::Open),
    ("close", Verb::Close),
    ("shut", Verb::Close),
    ("turn", Verb::Turn),
    ("switch", Verb::Turn),
    ("pull", Verb::Pull),
    ("push", Verb::Push),
    ("slide", Verb::Push),
    ("put", Verb::Put),
    ("place", Verb::Put),
    ("move", Verb::Put),
    ("set", Verb::Put),
    ("lay", Verb::Put),
    ("bring", Verb::Put),
    ("carry", Verb::Put),
    ("drop", Verb::Put),
    ("lift", Verb::Lift),
    ("raise", Verb::Lift),
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

pub(super) const COLOURS: [&str; 14] = [
    "black", "white", "red", "green", "blue", "yellow", "brown", "pink", "purple", "orange",
    "grey", "gray", "wooden", "flat",
];
