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
    /// Anything at all: only ever said of what is not to be done.
    Touch,
    /// To have nothing to do with a thing.
    Leave,
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
            Self::Touch => "touch",
            Self::Leave => "leave",
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
    /// What follows is not to be done.
    Not,
    /// Stands for a thing that was named before: "it".
    Pronoun,
    /// Stands for a kind of thing that was named before: "the blue one".
    One,
    /// Whatever else there is: "anything else".
    Others,
    /// What follows is where to: "into", "towards".
    Towards,
    /// What follows describes a thing as it is: "which is".
    Relative,
    /// Asks for a state: "make sure"; "is" then tells it.
    Ensure,
    Is,
    /// Joins two requests.
    And,
    /// Leaves a choice.
    Or,
    /// Joins what is asked for and what is not.
    But,
    /// The next request comes later.
    Then,
    /// The next request is done before the one that it is told with.
    After,
    /// The next request is done after the one that it is told with.
    Before,
    /// The next request comes before all others.
    First,
    /// A comma.
    Pause,
    /// The end of a sentence.
    Stop,
}

use Object::{Block, Button, Door, Drawer, Handle, Light, Switch};
use Particle::{Away, Down, In, Left, Near, Off, On, Out, Right, Up};
use Token::{
    After, And, Article, Before, But, Courtesy, Ensure, Filler, First, Is, Not, One, Or, Others,
    Pause, Pronoun, Relative, Stop, Then, Towards,
};
use Verb::{Close, Leave, Lift, Move, Open, Press, Pull, Push, Touch, Turn, TurnOff, TurnOn};

/// Longest phrase of the table.
pub(super) const LONGEST_PHRASE: usize = 5;

/// Looks a phrase of one to [`LONGEST_PHRASE`] lower-case words up; verbs in any of their forms.
pub(super) fn look_up(phrase: &str) -> Option<Token> {
    let exact = |phrase: &str| {
        let row = TABLE.iter().find(|(phrases, _)| phrases.contains(&phrase));
        row.map(|(_, token)| *token)
    };
    exact(phrase).or_else(|| {
        let (first, rest) = phrase.split_once(' ').unwrap_or((phrase, ""));
        let whole = |stem: &str| format!("{stem} {rest}").trim_end().to_owned();
        let found = stems(first).iter().find_map(|stem| exact(&whole(stem)));
        found.filter(|token| matches!(token, Token::Verb(_)))
    })
}

/// What a verb may be without its ending: "shoving" is "shove", "tapped" is "tap".
fn stems(word: &str) -> Vec<String> {
    let mut stems = Vec::new();
    for ending in ["ing", "ed", "s"] {
        let Some(stem) = word.strip_suffix(ending).filter(|stem| stem.len() > 1) else {
            continue;
        };
        stems.push(stem.to_owned());
        stems.push(format!("{stem}e"));
        if let Some(last) = stem.chars().last()
            && let Some(short) = stem.strip_suffix(last)
            && short.ends_with(last)
        {
            stems.push(short.to_owned());
        }
    }
    stems
}

const TABLE: &[(&[&str], Token)] = &[
    (&["open", "reopen"], Token::Verb(Open)),
    (&["close", "shut", "reclose"], Token::Verb(Close)),
    (
        &[
            "pull",
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
        &[
            "push", "shove", "nudge", "poke", "bump", "prod", "knock", "thrust", "propel",
        ],
        Token::Verb(Push),
    ),
    (
        &["move", "slide", "shift", "displace", "glide", "budge"],
        Token::Verb(Move),
    ),
    (
        &["turn", "flip", "toggle", "flick", "set", "power"],
        Token::Verb(Turn),
    ),
    (
        &["activate", "enable", "engage", "light up"],
        Token::Verb(TurnOn),
    ),
    (
        &["deactivate", "disable", "disengage"],
        Token::Verb(TurnOff),
    ),
    (
        &[
            "press",
            "punch",
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
            "lift", "raise", "pick", "pick up", "grab", "grasp", "hoist", "elevate", "take",
            "lift up", "grip", "hold", "heave",
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
    (
        &["touch", "disturb", "mess with", "bother with", "go near"],
        Token::Verb(Touch),
    ),
    (
        &[
            "leave",
            "ignore",
            "keep away from",
            "stay away from",
            "stay clear of",
            "keep clear of",
        ],
        Token::Verb(Leave),
    ),
    (
        &["block", "cube", "brick", "box", "cuboid"],
        Token::Object(Block),
    ),
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
    (&["it", "them"], Pronoun),
    (&["one"], One),
    (
        &[
            "anything else",
            "other things",
            "other blocks",
            "other objects",
            "others",
            "everything else",
            "the rest",
            "anything",
        ],
        Others,
    ),
    (
        &[
            "into",
            "towards",
            "toward",
            "up to",
            "over to",
            "against",
            "in the direction of",
        ],
        Towards,
    ),
    (
        &[
            "that is",
            "which is",
            "which are",
            "that are",
            "whose colour is",
            "whose color is",
            "who is",
        ],
        Relative,
    ),
    (
        &[
            "make sure",
            "make sure that",
            "make certain",
            "make certain that",
            "see to it that",
            "ensure",
            "ensure that",
        ],
        Ensure,
    ),
    (&["is", "are", "has been", "gets"], Is),
    (&["and", "and also", "also"], And),
    (&["or", "nor"], Or),
    (&["but", "but rather", "instead just"], But),
    (
        &[
            "then",
            "and then",
            "after that",
            "and after that",
            "afterwards",
            "and afterwards",
            "afterward",
            "next",
            "and next",
            "finally",
            "and finally",
            "lastly",
            "secondly",
            "second",
            "followed by",
            "subsequently",
            "later",
            "thereafter",
        ],
        Then,
    ),
    (
        &[
            "after",
            "after you",
            "after you have",
            "after youve",
            "having",
            "but only after",
            "only after",
            "but after",
            "when you have",
        ],
        After,
    ),
    (
        &["before", "before you", "but before", "but before you"],
        Before,
    ),
    (
        &["but first", "first", "firstly", "to begin with", "start by"],
        First,
    ),
    (&[","], Pause),
    (&["."], Stop),
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
            "do not forget to",
            "dont forget to",
            "remember to",
            "be so kind as to",
            "proceed to",
            "your job is to",
            "you need to",
            "you have to",
            "what i want is to",
        ],
        Courtesy,
    ),
    (
        &[
            "for me",
            "instead",
            "alone",
            "where it is",
            "as it is",
            "in place",
            "in peace",
            "there",
            "at all",
            "right now",
            "should be",
            "is to be",
            "needs to be",
            "has to be",
            "ought to be",
            "standing",
            "lying",
            "sitting",
            "resting",
            "coloured in",
            "which you see",
            "that you see",
            "you can see",
            "in front of you",
            "so that it ends up",
            "until it",
            "only",
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
            "not",
            "dont",
            "do not",
            "never",
            "avoid",
            "without",
            "stop",
            "cannot",
            "no",
            "instead of",
            "rather than",
            "refrain from",
            "under no circumstances",
            "not to",
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
