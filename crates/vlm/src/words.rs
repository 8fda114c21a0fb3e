//! Reading an instruction word by word, for authors that know a small English.
//!
//! Every word must be accounted for. A reader that skips what it does not know would open a door when told to
//! open it *halfway* or *never*, which is worse than asking back.

use tiller_core::{MAX_INSTRUCTION, clip};

use crate::author::{Abilities, AuthorError};

/// The longest instruction that is read, in words.
const MAX_WORDS: usize = 60;
/// Characters of what is not understood that an error quotes.
const MAX_QUOTED: usize = 60;

/// What stands before a noun and changes nothing.
pub const ARTICLES: [&str; 5] = ["the", "a", "an", "this", "that"];
/// What may stand before a request.
pub const QUESTIONS: [&str; 4] = ["can you", "could you", "would you", "will you"];
/// What may be said to tell things apart.
pub const COLOURS: [&str; 12] = [
    "red", "blue", "pink", "green", "yellow", "black", "white", "brown", "purple", "orange",
    "grey", "gray",
];
/// What joins requests.
pub const JOINTS: [&str; 6] = ["and", "then", "next", "afterwards", ",", ";"];
/// What a thing that was named before is called.
pub const PRONOUNS: [&str; 2] = ["it", "them"];
/// What may stand anywhere and changes nothing.
const COURTESIES: [&str; 3] = ["please", "kindly", "now"];
/// What turns a request into its opposite, or takes some of it back.
const NEGATIONS: [&str; 13] = [
    "not", "don't", "dont", "never", "no", "without", "avoid", "except", "instead", "unless",
    "but", "neither", "nor",
];

/// An instruction that can be read: neither empty nor too long, and nothing in it says what not to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instruction {
    /// As it was given.
    pub text: String,
    /// Its words in lower case; `'s`, commas and semicolons by themselves, hyphens parted, other punctuation and
    /// courtesies left out.
    pub words: Vec<String>,
}

impl Instruction {
    /// Takes an instruction apart; `can` says in refusals what would work.
    ///
    /// One that is longer than [`MAX_INSTRUCTION`] is refused: what would be cut off may turn its meaning.
    ///
    /// # Errors
    /// [`AuthorError::NotUnderstood`] for one that is too long, [`AuthorError::Empty`] and [`AuthorError::Negated`].
    pub fn read(instruction: &str, can: impl Fn() -> Abilities) -> Result<Self, AuthorError> {
        let instruction = instruction.trim();
        let text = clip(instruction, MAX_INSTRUCTION).into_owned();
        let words = split(&text);
        let cut = instruction.char_indices().nth(MAX_INSTRUCTION);
        let rest = match cut {
            Some((end, _)) => vec![quoted(instruction[end..].trim())],
            None => words.get(MAX_WORDS..).unwrap_or_default().to_vec(),
        };
        let has = |known: &[&str]| words.iter().any(|word| known.contains(&word.as_str()));
        if !rest.is_empty() {
            Err(AuthorError::NotUnderstood {
                words: rest,
                instruction: text,
                can: can(),
            })
        } else if words.iter().all(|word| JOINTS.contains(&word.as_str())) {
            Err(AuthorError::Empty { can: can() })
        } else if has(&NEGATIONS) {
            Err(AuthorError::Negated {
                instruction: text,
                can: can(),
            })
        } else {
            Ok(Self { text, words })
        }
    }
}

/// The beginning of what is not understood, for an error.
#[must_use]
pub fn quoted(text: &str) -> String {
    clip(text, MAX_QUOTED).into_owned()
}

fn split(text: &str) -> Vec<String> {
    let text = text
        .to_lowercase()
        .replace(['\u{2019}', '\u{2018}', '`'], "'")
        .replace("'s ", " 's ")
        .replace('-', " ");
    let mut words = Vec::new();
    for piece in text.split_whitespace() {
        let bare = piece.trim_matches(|c: char| ".!?:\"()\u{201c}\u{201d},;".contains(c));
        if !bare.is_empty() && !COURTESIES.contains(&bare) {
            words.push(bare.to_owned());
        }
        if let Some(joint) = piece.chars().next_back().filter(|c| ",;".contains(*c)) {
            words.push(joint.to_string());
        }
    }
    words
}

/// What is done to drawers, doors, lights and things in every world; what a verb asks of a thing may hang on a word
/// that follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deed {
    /// Open.
    Open,
    /// Close.
    Close,
    /// Turn on.
    TurnOn,
    /// Turn off.
    TurnOff,
    /// `turn` or `switch` by itself: on or off comes later, if it is about a light.
    Turn,
    /// Of a drawer: out.
    Pull,
    /// Of a drawer: in.
    Push,
    /// Lift.
    Lift,
}

/// The verbs that mean them, the longest phrases first.
pub const DEEDS: [(&str, Deed); 26] = [
    ("pull open", Deed::Open),
    ("slide open", Deed::Open),
    ("pull out", Deed::Open),
    ("slide out", Deed::Open),
    ("open up", Deed::Open),
    ("push in", Deed::Close),
    ("slide in", Deed::Close),
    ("push closed", Deed::Close),
    ("push shut", Deed::Close),
    ("slide closed", Deed::Close),
    ("slide shut", Deed::Close),
    ("turn on", Deed::TurnOn),
    ("switch on", Deed::TurnOn),
    ("turn off", Deed::TurnOff),
    ("switch off", Deed::TurnOff),
    ("pick up", Deed::Lift),
    ("lift up", Deed::Lift),
    ("open", Deed::Open),
    ("close", Deed::Close),
    ("shut", Deed::Close),
    ("turn", Deed::Turn),
    ("switch", Deed::Turn),
    ("pull", Deed::Pull),
    ("push", Deed::Push),
    ("lift", Deed::Lift),
    ("raise", Deed::Lift),
];

/// Words and how far they have been read.
#[derive(Debug, Clone)]
pub struct Reader<'w> {
    words: &'w [String],
    /// Words that have been read.
    pub at: usize,
}

impl<'w> Reader<'w> {
    /// At the first word.
    #[must_use]
    pub fn new(words: &'w [String]) -> Self {
        Self { words, at: 0 }
    }

    /// What is still to be read.
    #[must_use]
    pub fn rest(&self) -> &'w [String] {
        self.words.get(self.at..).unwrap_or_default()
    }

    /// What has been read since an earlier place, as it was said.
    #[must_use]
    pub fn since(&self, from: usize) -> String {
        let read = self.words.get(from..self.at).unwrap_or_default();
        read.join(" ")
    }

    /// Reads a phrase if it is next.
    pub fn takes(&mut self, phrase: &str) -> bool {
        let count = phrase.split(' ').count();
        let rest = self.rest();
        let is_next = rest.len() >= count && phrase.split(' ').zip(rest).all(|(a, b)| a == b);
        if is_next {
            self.at += count;
        }
        is_next
    }

    /// Reads the first phrase of a table that is next; the longest have to come first.
    pub fn takes_one<T: Copy>(&mut self, table: &[(&str, T)]) -> Option<T> {
        let found = table.iter().find(|(phrase, _)| self.takes(phrase));
        found.map(|(_, meaning)| *meaning)
    }

    /// Reads a verb that is next: one of [`DEEDS`], or one of a world's own.
    pub fn takes_verb<V: Copy + From<Deed>>(&mut self, own: &[(&str, V)]) -> Option<V> {
        let deed = self.takes_one(&DEEDS).map(V::from);
        deed.or_else(|| self.takes_one(own))
    }

    /// Reads the first of some phrases that is next.
    pub fn takes_any(&mut self, phrases: &[&str]) -> bool {
        phrases.iter().any(|phrase| self.takes(phrase))
    }

    /// Whether a request ends here.
    #[must_use]
    pub fn ends(&self) -> bool {
        let next = self.rest().first();
        next.is_none_or(|word| JOINTS.contains(&word.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Instruction, AuthorError> {
        Instruction::read(text, Abilities::default)
    }

    #[test]
    fn words_stand_by_themselves() {
        let words = read("Please open the cabinet\u{2019}s (middle) drawer, then: the light-bulb!");
        let words = words.unwrap().words.join("|");
        assert_eq!(
            words,
            "open|the|cabinet|'s|middle|drawer|,|then|the|light|bulb"
        );
    }

    #[test]
    fn what_cannot_be_read_is_refused() {
        assert!(matches!(read(" , and ;"), Err(AuthorError::Empty { .. })));
        let error = read("don't open it").unwrap_err();
        assert!(matches!(error, AuthorError::Negated { .. }), "{error}");
        let long = "open it ".repeat(31);
        let error = read(&long).unwrap_err();
        assert!(
            matches!(error, AuthorError::NotUnderstood { .. }),
            "{error}"
        );
    }

    #[test]
    fn a_reader_takes_what_is_next() {
        let words = split("pick up the red block");
        let mut reader = Reader::new(&words);
        assert_eq!(reader.takes_one(&[("pick up", 1), ("pick", 2)]), Some(1));
        assert!(!reader.takes("red") && reader.takes_any(&ARTICLES) && reader.takes("red block"));
        assert!(reader.ends());
        assert_eq!(reader.since(2), "the red block");
        let words = split("hoist it and pull out the drawer");
        let mut reader = Reader::new(&words);
        assert_eq!(
            reader.takes_verb(&[("hoist", Deed::Lift)]),
            Some(Deed::Lift)
        );
        reader.at = 3;
        assert_eq!(reader.takes_verb::<Deed>(&[]), Some(Deed::Open));
        assert!(reader.takes("the drawer"));
    }
}
