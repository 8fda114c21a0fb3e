//! Collecting problems, so that all of them reach the person at once.

use crate::error::Problem;

/// Problems found so far.
#[derive(Default)]
pub(super) struct Problems {
    pub(super) found: Vec<Problem>,
}

impl Problems {
    pub(super) fn push(
        &mut self,
        at: impl Into<String>,
        expected: impl Into<String>,
        found: impl ToString,
    ) {
        self.found
            .push(Problem::new(at, expected, found.to_string()));
    }

    pub(super) fn require(
        &mut self,
        at: impl Into<String>,
        holds: bool,
        expected: impl Into<String>,
        found: impl ToString,
    ) {
        if !holds {
            self.push(at, expected, found);
        }
    }

    pub(super) fn literal(&mut self, at: &str, found: &str, expected: &str) {
        let expected = [(expected, ())];
        let _ = self.choice(at, found, &expected);
    }

    /// What the word `found` stands for.
    pub(super) fn choice<T: Clone>(
        &mut self,
        at: &str,
        found: &str,
        choices: &[(&str, T)],
    ) -> Option<T> {
        let chosen = choices.iter().find(|(word, _)| *word == found);
        if chosen.is_none() {
            let words: Vec<_> = choices
                .iter()
                .map(|(word, _)| format!("`{word}`"))
                .collect();
            self.push(at, words.join(" or "), format!("`{found}`"));
        }
        chosen.map(|(_, value)| value.clone())
    }

    /// A key that must be there.
    pub(super) fn present<T>(&mut self, at: &str, value: Option<T>, why: &str) -> Option<T> {
        if value.is_none() {
            self.push(at, format!("a value {why}"), "none");
        }
        value
    }

    /// A key that must not be there.
    pub(super) fn absent<T: std::fmt::Debug>(&mut self, at: &str, value: &Option<T>, why: &str) {
        if let Some(value) = value {
            self.push(at, format!("no such key {why}"), format!("{value:?}"));
        }
    }

    pub(super) fn range(&mut self, at: &str, found: usize, low: usize, high: usize) {
        self.require(
            at,
            (low..=high).contains(&found),
            format!("{low} to {high}"),
            found,
        );
    }

    pub(super) fn numbers(&mut self, at: &str, numbers: &[f32], count: usize) {
        self.require(
            at,
            numbers.len() == count,
            format!("{count} numbers"),
            numbers.len(),
        );
        self.require(
            at,
            numbers.iter().all(|number| number.is_finite()),
            "finite numbers",
            format!("{numbers:?}"),
        );
    }
}
