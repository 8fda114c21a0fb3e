//! The words that are understood.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::phrases::{ASKING, DOING, JOINING, TABLE};

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
    /// From on to off, or back.
    Toggle,
    Press,
    Lift,
    /// To close the fingers on a thing: a lift of a block, and else the means of what follows.
    Grasp,
    /// To bring about what other words say: "make", "get", "give it a push".
    Make,
    /// To let go of a thing over a place.
    Drop,
    /// To look inside, which wants it open.
    Look,
    /// To bring a thing to a place.
    Put,
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
            Self::Toggle => "toggle",
            Self::Press => "press",
            Self::Lift => "lift",
            Self::Grasp => "grasp",
            Self::Make => "do something with",
            Self::Drop => "drop",
            Self::Look => "look into",
            Self::Put => "put",
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
    /// From the table, and not along it.
    OffTable,
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
    /// What follows is to be kept away from, or not to be done: "avoid the red block", "avoid pushing it".
    Avoid,
    /// What stands before is to be kept away from: "must not be touched".
    OffLimits,
    /// Several blocks: those of the colours that are named, or all.
    Blocks,
    /// The blocks that nothing is to be done with.
    OtherBlocks,
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
    /// What follows is why.
    Because,
    /// What stands before is why.
    So,
    /// What follows is how it is in the end.
    Until,
    /// What stands before, two times.
    Twice,
    /// What stands before is taken back.
    Correct,
    /// A passage that asks for nothing.
    Aside,
    /// A comma.
    Pause,
    /// The end of a sentence.
    Stop,
}

/// Longest phrase of the table.
pub(super) const LONGEST_PHRASE: usize = 8;

/// Every phrase with what it stands for.
pub(super) fn phrases() -> impl Iterator<Item = (&'static str, Token)> {
    let rows = TABLE.iter().chain(DOING).chain(JOINING).chain(ASKING);
    rows.flat_map(|(phrases, token)| phrases.iter().map(|phrase| (*phrase, *token)))
}

static INDEX: LazyLock<HashMap<&'static str, Token>> = LazyLock::new(|| phrases().collect());

/// Looks a phrase of one to [`LONGEST_PHRASE`] lower-case words up; verbs in any of their forms.
pub(super) fn look_up(phrase: &str) -> Option<Token> {
    let exact = |phrase: &str| INDEX.get(phrase).copied();
    exact(phrase).or_else(|| {
        let (first, rest) = phrase.split_once(' ').unwrap_or((phrase, ""));
        let whole = |stem: &str| format!("{stem} {rest}").trim_end().to_owned();
        let found = stems(first).iter().find_map(|stem| exact(&whole(stem)));
        found.filter(|token| matches!(token, Token::Verb(_) | Token::Avoid))
    })
}

/// What a verb may be without its ending: "shoving" is "shove", "tapped" is "tap".
fn stems(word: &str) -> Vec<String> {
    let mut stems = Vec::new();
    for ending in ["ing", "ed", "es", "s"] {
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

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn no_phrase_has_two_meanings_and_none_is_too_long() {
        let mut seen = HashSet::new();
        for (phrase, _) in phrases() {
            assert!(seen.insert(phrase), "{phrase} stands twice");
            let words = phrase.split(' ').count();
            assert!(words <= LONGEST_PHRASE, "{phrase} has {words} words");
            assert_eq!(phrase, phrase.to_lowercase());
        }
    }
}
