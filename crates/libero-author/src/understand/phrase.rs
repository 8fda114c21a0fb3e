//! Noun phrases.

use tiller_vlm::words::{ARTICLES, COLOURS, PRONOUNS, Reader};

use super::words::{LEVELS, LOOKS, NOUNS, Noun};
use crate::scene::{Kind, Level, Scene};

/// A noun phrase as it was said.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Phrase {
    /// A thing with what is said to tell it from others.
    Thing(Kind, Vec<String>),
    /// A drawer, if it was said which.
    Drawer(Option<Level>, Vec<String>),
    /// `the top of the drawer`.
    Top(Vec<String>),
    /// `the front of the stove`.
    Front(Vec<String>),
    /// `it`.
    Pronoun,
}

/// Reads a noun phrase; none where there is none that is understood, and nothing is read then.
pub(super) fn phrase(reader: &mut Reader<'_>, scene: &Scene) -> Option<Phrase> {
    let from = reader.at;
    let found = read_phrase(reader, scene);
    if found.is_none() {
        reader.at = from;
    }
    found
}

fn read_phrase(reader: &mut Reader<'_>, scene: &Scene) -> Option<Phrase> {
    if reader.takes_any(&PRONOUNS) {
        return Some(Phrase::Pronoun);
    }
    reader.takes_any(&ARTICLES);
    if reader.takes("top of") {
        return top_of(reader, scene);
    }
    if reader.takes("front of") {
        return match read_phrase(reader, scene)? {
            Phrase::Thing(Kind::Stove | Kind::Burner, words) => Some(Phrase::Front(words)),
            _ => None,
        };
    }
    let mut told = Vec::new();
    let mut level = None;
    let noun = loop {
        if let Some(noun) = reader.takes_one(&NOUNS) {
            break noun;
        }
        if let Some(found) = reader.takes_one(&LEVELS) {
            if level.replace(found).is_some() {
                return None;
            }
            continue;
        }
        let word = reader.rest().first()?;
        let is_look = COLOURS.contains(&word.as_str()) || LOOKS.contains(&word.as_str());
        if !is_look && !scene.knows(word) {
            return None;
        }
        told.push(word.clone());
        reader.at += 1;
    };
    match (noun, level) {
        (Noun::Drawer, _) => drawer(reader, level, told, scene),
        (Noun::Thing(_), Some(_)) => None,
        (Noun::Thing(kind), None) => thing(reader, kind, told),
    }
}

/// What `the top of` is of: a cabinet, by itself or by its drawers.
fn top_of(reader: &mut Reader<'_>, scene: &Scene) -> Option<Phrase> {
    match read_phrase(reader, scene)? {
        Phrase::Thing(Kind::Cabinet, words) | Phrase::Drawer(None, words) => {
            Some(Phrase::Top(words))
        }
        // The top of anything else is where things are put on it anyway.
        Phrase::Thing(kind, words) if kind != Kind::Knob => Some(Phrase::Thing(kind, words)),
        _ => None,
    }
}

/// `.. drawer`, `.. drawer of the cabinet`.
fn drawer(
    reader: &mut Reader<'_>,
    level: Option<Level>,
    mut told: Vec<String>,
    scene: &Scene,
) -> Option<Phrase> {
    if reader.takes("of") {
        match read_phrase(reader, scene)? {
            Phrase::Thing(Kind::Cabinet, words) | Phrase::Drawer(None, words) => {
                told.extend(words);
            }
            _ => return None,
        }
    }
    Some(Phrase::Drawer(level, told))
}

/// `.. cabinet`, `.. cabinet's middle drawer`, `.. stove's front`.
fn thing(reader: &mut Reader<'_>, kind: Kind, told: Vec<String>) -> Option<Phrase> {
    let is_owner = reader.takes("'s");
    match kind {
        Kind::Cabinet => {
            let from = reader.at;
            let level = reader.takes_one(&LEVELS);
            if reader.takes("drawer") || reader.takes("layer") {
                return Some(Phrase::Drawer(level, told));
            }
            if is_owner && level == Some(Level::Top) {
                return Some(Phrase::Top(told));
            }
            reader.at = from;
        }
        Kind::Stove => {
            if is_owner && reader.takes("front") {
                return Some(Phrase::Front(told));
            }
            for (word, part) in [("burner", Kind::Burner), ("knob", Kind::Knob)] {
                if reader.takes(word) {
                    return Some(Phrase::Thing(part, told));
                }
            }
        }
        _ => {}
    }
    (!is_owner).then_some(Phrase::Thing(kind, told))
}
