//! Reading words one after the other, and noun phrases.

use super::words::{ARTICLES, COLOURS, LEVELS, NOUNS, Noun, PRONOUNS};
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

/// Words and how far they have been read.
#[derive(Debug, Clone)]
pub(super) struct Reader<'w> {
    words: &'w [String],
    pub(super) at: usize,
}

impl<'w> Reader<'w> {
    pub(super) fn new(words: &'w [String]) -> Self {
        Self { words, at: 0 }
    }

    pub(super) fn rest(&self) -> &'w [String] {
        self.words.get(self.at..).unwrap_or_default()
    }

    /// Reads a phrase if it is next.
    pub(super) fn takes(&mut self, phrase: &str) -> bool {
        let count = phrase.split(' ').count();
        let rest = self.rest();
        let is_next = rest.len() >= count && phrase.split(' ').zip(rest).all(|(a, b)| a == b);
        if is_next {
            self.at += count;
        }
        is_next
    }

    /// Reads the first phrase of a table that is next.
    pub(super) fn takes_one<T: Copy>(&mut self, table: &[(&str, T)]) -> Option<T> {
        let found = table.iter().find(|(phrase, _)| self.takes(phrase));
        found.map(|(_, meaning)| *meaning)
    }

    pub(super) fn takes_any(&mut self, phrases: &[&str]) -> bool {
        phrases.iter().any(|phrase| self.takes(phrase))
    }

    /// Reads a noun phrase; none where there is none that is understood, and nothing is read then.
    pub(super) fn phrase(&mut self, scene: &Scene) -> Option<Phrase> {
        let from = self.at;
        let found = self.read_phrase(scene);
        if found.is_none() {
            self.at = from;
        }
        found
    }

    fn read_phrase(&mut self, scene: &Scene) -> Option<Phrase> {
        if self.takes_any(&PRONOUNS) {
            return Some(Phrase::Pronoun);
        }
        self.takes_any(&ARTICLES);
        if self.takes("top of") {
            return self.top_of(scene);
        }
        if self.takes("front of") {
            return match self.read_phrase(scene)? {
                Phrase::Thing(Kind::Stove | Kind::Burner, words) => Some(Phrase::Front(words)),
                _ => None,
            };
        }
        let mut told = Vec::new();
        let mut level = None;
        let noun = loop {
            if let Some(noun) = self.takes_one(&NOUNS) {
                break noun;
            }
            if let Some(found) = self.takes_one(&LEVELS) {
                if level.replace(found).is_some() {
                    return None;
                }
                continue;
            }
            let word = self.rest().first()?;
            if !COLOURS.contains(&word.as_str()) && !scene.knows(word) {
                return None;
            }
            told.push(word.clone());
            self.at += 1;
        };
        match (noun, level) {
            (Noun::Drawer, _) => self.drawer(level, told, scene),
            (Noun::Thing(_), Some(_)) => None,
            (Noun::Thing(kind), None) => self.thing(kind, told),
        }
    }

    /// What `the top of` is of: a cabinet, by itself or by its drawers.
    fn top_of(&mut self, scene: &Scene) -> Option<Phrase> {
        match self.read_phrase(scene)? {
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
        &mut self,
        level: Option<Level>,
        mut told: Vec<String>,
        scene: &Scene,
    ) -> Option<Phrase> {
        if self.takes("of") {
            match self.read_phrase(scene)? {
                Phrase::Thing(Kind::Cabinet, words) | Phrase::Drawer(None, words) => {
                    told.extend(words);
                }
                _ => return None,
            }
        }
        Some(Phrase::Drawer(level, told))
    }

    /// `.. cabinet`, `.. cabinet's middle drawer`, `.. stove's front`.
    fn thing(&mut self, kind: Kind, told: Vec<String>) -> Option<Phrase> {
        let is_owner = self.takes("'s");
        match kind {
            Kind::Cabinet => {
                let from = self.at;
                let level = self.takes_one(&LEVELS);
                if self.takes("drawer") || self.takes("layer") {
                    return Some(Phrase::Drawer(level, told));
                }
                if is_owner && level == Some(Level::Top) {
                    return Some(Phrase::Top(told));
                }
                self.at = from;
            }
            Kind::Stove => {
                if is_owner && self.takes("front") {
                    return Some(Phrase::Front(told));
                }
                for (word, part) in [("burner", Kind::Burner), ("knob", Kind::Knob)] {
                    if self.takes(word) {
                        return Some(Phrase::Thing(part, told));
                    }
                }
            }
            _ => {}
        }
        (!is_owner).then_some(Phrase::Thing(kind, told))
    }
}
