//! Settings from the environment: every problem is found before any is reported.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::str::FromStr;

use crate::{Problems, nearest, shown};

/// Reads settings and remembers what is wrong with them.
///
/// A setting that is unset or empty takes its default. Getters return the default where the value
/// is wrong, so that reading goes on; [`Environment::finish`] then refuses with all problems.
///
/// ```
/// use tiller_core::Environment;
///
/// let mut env = Environment::from_pairs([("SEED", "many"), ("STEER", "maybe")]);
/// let seed = env.number("SEED", 0_u64, 0..=u64::MAX);
/// let steer = env.choice("STEER", "on", &[("on", true), ("off", false)]);
/// let error = env.finish((seed, steer)).unwrap_err().to_string();
/// assert!(error.contains("SEED: expected a number from 0 to 18446744073709551615, found `many`"));
/// assert!(error.contains("STEER: expected one of `on`, `off`, found `maybe`"));
/// ```
pub struct Environment {
    source: Source,
    problems: Problems,
    is_private: bool,
    asked: BTreeSet<String>,
    replaced: BTreeMap<String, String>,
}

enum Source {
    Process,
    Pairs(BTreeMap<String, String>),
}

impl Environment {
    /// The environment of this process.
    pub fn process() -> Self {
        Self {
            source: Source::Process,
            problems: Problems::default(),
            is_private: false,
            asked: BTreeSet::new(),
            replaced: BTreeMap::new(),
        }
    }

    /// Made-up settings, for tests.
    pub fn from_pairs<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let pairs = pairs
            .into_iter()
            .map(|(k, v)| (k.to_owned(), v.to_owned()))
            .collect();
        Self {
            source: Source::Pairs(pairs),
            problems: Problems::default(),
            is_private: false,
            asked: BTreeSet::new(),
            replaced: BTreeMap::new(),
        }
    }

    /// The same with another value in place of what is set, or not set, under this name.
    #[must_use]
    pub fn replacing(mut self, name: &str, value: &str) -> Self {
        self.replaced.insert(name.to_owned(), value.to_owned());
        self
    }

    /// The same for settings among which a secret may have got by mistake: values are described in
    /// what is wrong with them, numbers apart, and never quoted.
    ///
    /// ```
    /// use tiller_core::Environment;
    ///
    /// let mut env = Environment::from_pairs([("STREAM", "sk-0123456789")]).private();
    /// env.choice("STREAM", "on", &[("on", true), ("off", false)]);
    /// let error = env.finish(()).unwrap_err().to_string();
    /// assert_eq!(error, "STREAM: expected one of `on`, `off`, found a text of 13 characters");
    /// ```
    #[must_use]
    pub fn private(mut self) -> Self {
        self.is_private = true;
        self
    }

    /// Names of all that was asked for so far, there or not: what is documented can be held to it.
    #[must_use]
    pub fn asked(&self) -> &BTreeSet<String> {
        &self.asked
    }

    /// A text that may be absent.
    pub fn optional(&mut self, name: &str) -> Option<String> {
        if !self.asked.contains(name) {
            self.asked.insert(name.to_owned());
        }
        let value = match &self.source {
            _ if self.replaced.contains_key(name) => self.replaced.get(name).cloned(),
            Source::Process => match std::env::var(name) {
                Ok(value) => Some(value),
                Err(std::env::VarError::NotPresent) => None,
                Err(std::env::VarError::NotUnicode(raw)) => {
                    let found = raw.to_string_lossy().into_owned();
                    self.refuse(name, "UTF-8 text", Some(found));
                    None
                }
            },
            Source::Pairs(pairs) => pairs.get(name).cloned(),
        };
        value.map(|v| v.trim().to_owned()).filter(|v| !v.is_empty())
    }

    /// A text that must be there; `expected` says what it is for.
    pub fn required(&mut self, name: &str, expected: &str) -> String {
        self.optional(name).unwrap_or_else(|| {
            self.refuse(name, expected, None);
            String::new()
        })
    }

    /// A text with a default.
    pub fn text(&mut self, name: &str, default: &str) -> String {
        self.optional(name).unwrap_or_else(|| default.to_owned())
    }

    /// A path with a default.
    pub fn path(&mut self, name: &str, default: impl Into<PathBuf>) -> PathBuf {
        self.optional(name)
            .map_or_else(|| default.into(), PathBuf::from)
    }

    /// A number within bounds.
    pub fn number<T>(&mut self, name: &str, default: T, allowed: RangeInclusive<T>) -> T
    where
        T: FromStr + PartialOrd + Display,
    {
        let Some(found) = self.optional(name) else {
            return default;
        };
        match found.parse::<T>() {
            Ok(value) if allowed.contains(&value) => value,
            _ => {
                let expected = format!("a number from {} to {}", allowed.start(), allowed.end());
                self.refuse(name, &expected, Some(found));
                default
            }
        }
    }

    /// One of a few words, each with its value. `default` must be one of them.
    pub fn choice<T: Clone>(&mut self, name: &str, default: &str, allowed: &[(&str, T)]) -> T {
        debug_assert!(allowed.iter().any(|(word, _)| *word == default));
        let found = self.optional(name);
        let word = found.as_deref().unwrap_or(default);
        let value_of = |word: &str| allowed.iter().find(|(w, _)| *w == word).map(|(_, v)| v);
        if let Some(value) = value_of(word) {
            return value.clone();
        }
        let words: Vec<_> = allowed
            .iter()
            .map(|(word, _)| format!("`{word}`"))
            .collect();
        let mut expected = match words.as_slice() {
            [only] => only.clone(),
            several => format!("one of {}", several.join(", ")),
        };
        if let Some(meant) = nearest(word, allowed.iter().map(|(word, _)| *word)) {
            expected += &format!(" (is `{meant}` meant?)");
        }
        self.refuse(name, &expected, found.clone());
        value_of(default).unwrap_or(&allowed[0].1).clone()
    }

    /// Notes a problem that only the caller can see. What was found is told as [`shown`] tells it: a key
    /// that was given to the wrong variable is not.
    pub fn refuse(&mut self, name: &str, expected: &str, found: Option<String>) {
        match found {
            Some(found) if self.is_private => {
                self.problems.push(name, expected, described(&found));
            }
            Some(found) => {
                let found = format!("`{}`", shown(&found));
                self.problems.push(name, expected, found);
            }
            None => self.problems.missing(name, expected),
        }
    }

    /// The same with what was found in words of the caller's, which quote no value.
    pub fn refuse_as(&mut self, name: &str, expected: &str, found: &str) {
        self.problems.push(name, expected, found);
    }

    /// Takes over what is wrong with a part of the settings, by the names of its fields.
    pub fn refuse_all(&mut self, problems: Problems) {
        self.problems.extend("", problems);
    }

    /// Refuses an old name of a setting.
    pub fn renamed(&mut self, old: &str, new: &str) {
        if let Some(found) = self.optional(old) {
            self.refuse(
                old,
                &format!("nothing: it is called {new} now"),
                Some(found),
            );
        }
    }

    /// `settings`, if every value that went into it was good.
    ///
    /// # Errors
    /// All problems that were found.
    pub fn finish<S>(self, settings: S) -> Result<S, Problems> {
        self.problems.finish(settings)
    }
}

/// What a value is like: a number is shown, for it can be no key; of a text its length.
fn described(value: &str) -> String {
    match value.parse::<f64>() {
        Ok(_) if value.len() <= 12 => format!("`{value}`"),
        _ => format!("a text of {} characters", value.chars().count()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unset_and_empty_take_the_default() {
        let mut env = Environment::from_pairs([("A", ""), ("B", "  ")]);
        assert_eq!(env.number("A", 3, 0..=9), 3);
        assert_eq!(env.text("B", "x"), "x");
        assert_eq!(env.path("C", "runs"), PathBuf::from("runs"));
        assert!(env.choice("D", "on", &[("on", true), ("off", false)]));
        assert!(env.finish(()).is_ok());
    }

    #[test]
    fn every_problem_is_listed_with_what_is_allowed() {
        let mut env = Environment::from_pairs([("N", "12"), ("F", "NaN"), ("ARM", "toy")]);
        env.number("N", 3, 0..=9);
        env.number("F", 1.0, 0.1..=10.0);
        env.choice("ARM", "simulation", &[("simulation", ())]);
        env.required("INSTRUCTION", "what the robot is to do");
        let error = env.finish(()).unwrap_err();
        assert_eq!(error.found.len(), 4);
        let text = error.to_string();
        for line in [
            "N: expected a number from 0 to 9, found `12`",
            "F: expected a number from 0.1 to 10, found `NaN`",
            "ARM: expected `simulation`, found `toy`",
            "INSTRUCTION: expected what the robot is to do, found nothing",
        ] {
            assert!(text.contains(line), "{text}");
        }
    }

    #[test]
    fn a_key_in_the_wrong_variable_is_not_told() {
        let mut env = Environment::from_pairs([
            ("SEED", "sk-4711-0815"),
            ("ARM", "9f86d081884c7d659a2feaa0c55ad015"),
            ("PLACE", "https://user:4711@host/?key=4711"),
        ]);
        env.number("SEED", 0, 0..=9);
        env.choice("ARM", "toy", &[("toy", ())]);
        let place = env.optional("PLACE");
        env.refuse("PLACE", "a folder", place);
        let text = env.finish(()).unwrap_err().to_string();
        assert!(text.contains("SEED: expected a number from 0 to 9, found `[redacted]`"));
        assert!(text.contains("found `https://[redacted]`"), "{text}");
        assert!(!text.contains("4711") && !text.contains("9f86"), "{text}");
    }

    #[test]
    fn an_old_name_is_refused_with_the_new_one_and_only_if_it_is_set() {
        let mut env = Environment::from_pairs([("PROVIDER", "openai"), ("HORIZON", "")]);
        env.renamed("PROVIDER", "VLM_PROVIDER");
        env.renamed("HORIZON", "a `program_contract` message");
        env.renamed("ARM_IP", "ROBOT");
        let text = env.finish(()).unwrap_err().to_string();
        let expected = "PROVIDER: expected nothing: it is called VLM_PROVIDER now, found `openai`";
        assert_eq!(text, expected);
    }

    #[test]
    fn the_mistakes_of_a_part_are_listed_with_the_others() {
        let mut part = Problems::default();
        part.push("guide_scale", "a number of at least 0", -1);
        part.missing("scheduler", "a word");
        let mut env = Environment::from_pairs([("SEED", "x")]);
        env.number("SEED", 0, 0..=9);
        env.refuse_all(part);
        env.refuse("ANSWERS", "a folder", None);
        let found = env.finish(()).unwrap_err().found;
        let names: Vec<_> = found.iter().map(|problem| problem.name.as_str()).collect();
        assert_eq!(names, ["SEED", "guide_scale", "scheduler", "ANSWERS"]);
    }

    #[test]
    fn nothing_wrong_in_a_part_is_nothing_wrong() {
        let mut env = Environment::from_pairs([]);
        env.refuse_all(Problems::default());
        assert_eq!(env.finish(7), Ok(7));
    }
}
