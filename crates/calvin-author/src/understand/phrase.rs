//! Noun phrases.

use tiller_vlm::words::{ARTICLES, COLOURS, PRONOUNS, Reader};

use super::words::{NOUNS, Noun, SIZES};
use crate::scene::Kind;

/// A noun phrase as it was said.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Phrase {
    /// A thing with what is said to tell it from others.
    Thing(Kind, Vec<String>),
    /// A handle of whatever has one.
    Handle,
    /// The LED or the light bulb.
    AnyLight,
    /// `it`.
    Pronoun,
}

impl Phrase {
    /// As it is called.
    pub(super) fn word(&self) -> &'static str {
        match self {
            Self::Thing(kind, _) => kind.word(),
            Self::Handle => "handle",
            Self::AnyLight => "light",
            Self::Pronoun => "thing",
        }
    }
}

/// Reads a noun phrase; none where there is none that is understood, and nothing is read then.
pub(super) fn phrase(reader: &mut Reader<'_>) -> Option<Phrase> {
    let from = reader.at;
    let found = read(reader);
    if found.is_none() {
        reader.at = from;
    }
    found
}

fn read(reader: &mut Reader<'_>) -> Option<Phrase> {
    if reader.takes_any(&PRONOUNS) {
        return Some(Phrase::Pronoun);
    }
    reader.takes_any(&ARTICLES);
    let mut told = Vec::new();
    let noun = loop {
        if let Some(noun) = reader.takes_one(&NOUNS) {
            break noun;
        }
        let word = reader.rest().first()?;
        if !COLOURS.contains(&word.as_str()) && !SIZES.contains(&word.as_str()) {
            return None;
        }
        told.push(word.clone());
        reader.at += 1;
    };
    match noun {
        Noun::Handle if !told.is_empty() => None,
        Noun::Handle if reader.takes("of") => match read(reader)? {
            Phrase::Thing(Kind::Drawer, told) => Some(Phrase::Thing(Kind::DrawerHandle, told)),
            Phrase::Thing(Kind::Slide, told) => Some(Phrase::Thing(Kind::SlideHandle, told)),
            _ => None,
        },
        Noun::Handle => Some(Phrase::Handle),
        Noun::AnyLight if told.is_empty() => Some(Phrase::AnyLight),
        Noun::AnyLight => None,
        Noun::Thing(kind) => Some(Phrase::Thing(kind, told)),
    }
}
