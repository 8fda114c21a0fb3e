//! The words that are understood.

/// An action. Several verbs share one when they mean the same for some object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Verb {
    Open,
    Close,
    Pull,
    Push,
    Move,
    Turn,
    TurnOn,
    TurnOff,
    Press,
    Lift,
}

impl Verb {
    /// The verb in an error message.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Close => "close",
            Self::Pull => "pull",
            Self::Push => "push",
            Self::Move => "move",
            Self::Turn => "turn",
            Self::TurnOn => "turn on",
            Self::TurnOff => "turn off",
            Self::Press => "press",
            Self::Lift => "lift",
        }
    }
}

/// A thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Object {
    Drawer,
    Door,
    Switch,
    Button,
    Block,
    /// A light by itself: the switch's or the button's.
    Light,
    /// A handle by itself: the drawer's or the door's.
    Handle,
}

impl Object {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Drawer => "drawer",
            Self::Door => "door",
            Self::Switch => "switch",
            Self::Button => "button",
            Self::Block => "block",
            Self::Light => "light",
            Self::Handle => "handle",
        }
    }
}

/// A word that bends an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Particle {
    On,
    Off,
    Up,
    Down,
    Left,
    Right,
    In,
    Out,
    Away,
    Near,
}

/// What a phrase stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Token {
    Verb(Verb),
    Object(Object),
    Particle(Particle),
    Colour,
    /// An article: what follows it describes a thing.
    Article,
    /// Says nothing about the task.
    Filler,
    /// Like [`Token::Filler`], and only at the start: "please", "could you".
    Courtesy,
    Not,
}

use Object::{Block, Button, Door, Drawer, Handle, Light, Switch};
use Particle::{Away, Down, In, Left, Near, Off, On, Out, Right, Up};
use Token::{Article, Courtesy, Filler, Not};
use Verb::{Close, Lift, Move, Open, Press, Pull, Push, Turn, TurnOff, TurnOn};

/// Longest phrase of the table.
pub(super) const LONGEST_PHRASE: usize = 5;

/// Looks a phrase of one to [`LONGEST_PHRASE`] lower-case words up.
pub(super) fn look_up(phrase: &str) -> Option<Token> {
    let row = TABLE.iter().find(|(phrases, _)| phrases.contains(&phrase));
    row.map(|(_, token)| *token)
}

const TABLE: &[(&[&str], Token)] = &[
    (&["open", "opened", "opening", "reopen"], Token::Verb(Open)),
    (
        &["close", "closed", "closing", "shut", "shutting"],
        Token::Verb(Close),
    ),
    (
        &[
            "pull",
            "pulling",
            "tug",
            "drag",
            "draw",
            "yank",
            "haul",
            "slide out",
            "pull out",
        ],
        Token::Verb(Pull),
    ),
    (
        &["push", "pushing", "shove", "nudge", "poke", "bump", "prod"],
        Token::Verb(Push),
    ),
    (
        &["move", "moving", "slide", "sliding", "shift", "displace"],
        Token::Verb(Move),
    ),
    (
        &["turn", "turning", "flip", "toggle", "flick", "set", "power"],
        Token::Verb(Turn),
    ),
    (&["activate", "enable", "light up"], Token::Verb(TurnOn)),
    (&["deactivate", "disable"], Token::Verb(TurnOff)),
    (
        &[
            "press",
            "pressing",
            "hit",
            "tap",
            "click",
            "depress",
            "push down",
            "press down",
            "press down on",
            "push down on",
            "push on",
            "press on",
        ],
        Token::Verb(Press),
    ),
    (
        &[
            "lift", "lifting", "raise", "raising", "pick", "pick up", "grab", "grasp", "hoist",
            "elevate", "take", "lift up", "grip", "hold",
        ],
        Token::Verb(Lift),
    ),
    (
        &[
            "drawer",
            "drawer handle",
            "handle of the drawer",
            "desk drawer",
            "cabinet drawer",
        ],
        Token::Object(Drawer),
    ),
    (
        &[
            "door",
            "sliding door",
            "slide door",
            "door handle",
            "handle of the door",
            "door knob",
        ],
        Token::Object(Door),
    ),
    (
        &[
            "switch",
            "light switch",
            "lever",
            "switch lever",
            "toggle switch",
            "lamp switch",
        ],
        Token::Object(Switch),
    ),
    (
        &[
            "button",
            "push button",
            "light button",
            "led button",
            "lamp button",
            "pushbutton",
        ],
        Token::Object(Button),
    ),
    (&["block", "cube", "brick", "box"], Token::Object(Block)),
    (
        &["light", "lamp", "led", "bulb", "light bulb", "lightbulb"],
        Token::Object(Light),
    ),
    (&["handle", "knob"], Token::Object(Handle)),
    (&["on"], Token::Particle(On)),
    (&["off"], Token::Particle(Off)),
    (
        &["up", "upward", "upwards", "into the air", "in the air"],
        Token::Particle(Up),
    ),
    (&["down", "downward", "downwards"], Token::Particle(Down)),
    (
        &[
            "left",
            "leftward",
            "leftwards",
            "to the left",
            "to the left side",
            "towards the left",
            "to left",
        ],
        Token::Particle(Left),
    ),
    (
        &[
            "right",
            "rightward",
            "rightwards",
            "to the right",
            "to the right side",
            "towards the right",
            "to right",
        ],
        Token::Particle(Right),
    ),
    (
        &["in", "inside", "inward", "inwards", "back in"],
        Token::Particle(In),
    ),
    (&["out", "outward", "outwards"], Token::Particle(Out)),
    (
        &[
            "away",
            "forward",
            "forwards",
            "away from you",
            "away from the robot",
        ],
        Token::Particle(Away),
    ),
    (
        &[
            "back",
            "backward",
            "backwards",
            "towards you",
            "towards yourself",
            "towards the robot",
        ],
        Token::Particle(Near),
    ),
    (
        &[
            "red",
            "green",
            "blue",
            "pink",
            "yellow",
            "orange",
            "purple",
            "violet",
            "black",
            "white",
            "grey",
            "gray",
            "brown",
            "cyan",
            "magenta",
            "turquoise",
        ],
        Token::Colour,
    ),
    (&["the", "a", "an", "this", "that", "its"], Article),
    (
        &[
            "please",
            "could you",
            "can you",
            "would you",
            "will you",
            "i want you to",
            "i would like you to",
            "i need you to",
            "you should",
            "you must",
            "robot",
            "hey",
            "hello",
            "hi",
            "ok",
            "okay",
            "now",
            "go",
            "go and",
            "go ahead and",
            "try to",
            "let us",
            "lets",
            "kindly",
            "your task is to",
            "the task is to",
            "just",
        ],
        Courtesy,
    ),
    (
        &[
            "and",
            "then",
            "it",
            "for me",
            "gently",
            "carefully",
            "slowly",
            "quickly",
            "firmly",
            "completely",
            "fully",
            "all the way",
            "entirely",
            "with the gripper",
            "with your hand",
            "with the robot",
            "with the arm",
            "using the gripper",
            "on the table",
            "on the desk",
            "off the table",
            "off the desk",
            "from the table",
            "from the desk",
            "of the table",
            "of the desk",
            "of the cabinet",
            "above the table",
            "over the table",
            "across the table",
            "along the table",
            "by the handle",
            "by its handle",
            "with its handle",
            "using the handle",
            "coloured",
            "colored",
            "again",
            "a bit",
            "a little",
            "to",
            "until it is",
            "so that it is",
            "thank you",
            "thanks",
            "table",
            "desk",
            "with",
            "using",
            "by",
        ],
        Filler,
    ),
    (
        &[
            "not", "dont", "do not", "never", "avoid", "without", "stop", "cannot", "no",
        ],
        Not,
    ),
];

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn no_phrase_has_two_meanings_and_none_is_too_long() {
        let mut seen = HashSet::new();
        for phrase in TABLE.iter().flat_map(|(phrases, _)| *phrases) {
            assert!(seen.insert(phrase), "{phrase} stands twice");
            let words = phrase.split(' ').count();
            assert!(words <= LONGEST_PHRASE, "{phrase} has {words} words");
            assert_eq!(*phrase, phrase.to_lowercase());
        }
    }
}
