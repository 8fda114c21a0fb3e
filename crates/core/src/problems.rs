//! Mistakes in settings and manifests: all of them are found before any is reported.

use std::borrow::Cow;
use std::fmt;
use std::ops::{Bound, RangeBounds};

use thiserror::Error;

use crate::text::{MAX_NAME, clip, visible};

/// Characters of a name or a value that are shown.
const MAX_SHOWN: usize = 500;

/// One value that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Which value: a variable, a key of a manifest, a field of a struct.
    pub name: String,
    /// What is allowed.
    pub expected: String,
    /// What was there; none when it is missing.
    pub found: Option<String>,
}

impl Problem {
    /// A value that was found.
    #[must_use]
    pub fn new(
        name: impl Into<String>,
        expected: impl Into<String>,
        found: impl fmt::Display,
    ) -> Self {
        Self {
            name: name.into(),
            expected: expected.into(),
            found: Some(found.to_string()),
        }
    }
}

impl fmt::Display for Problem {
    /// One line, in which everything is visible and whose parts are not longer than a line can be.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |text: &str| clip(&visible(text), MAX_SHOWN).into_owned();
        let (name, expected) = (shown(&self.name), visible(&self.expected));
        write!(f, "{name}: expected {expected}, found ")?;
        match &self.found {
            Some(found) => f.write_str(&shown(found)),
            None => f.write_str("nothing"),
        }
    }
}

/// All mistakes of one configuration; as an error it lists every one.
///
/// ```
/// use tiller_core::Problems;
///
/// let mut problems = Problems::default();
/// problems.require("rate_hz", 0.0 > 0.0, "a number above 0", 0.0);
/// problems.require("horizon", true, "at least 1", 16);
/// let error = problems.finish(()).unwrap_err();
/// assert_eq!(error.to_string(), "rate_hz: expected a number above 0, found 0");
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Error)]
pub struct Problems {
    /// In the order in which they were found.
    pub found: Vec<Problem>,
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.found.as_slice() {
            [one] => write!(f, "{one}"),
            all => {
                write!(f, "{} values are wrong:", all.len())?;
                all.iter()
                    .try_for_each(|problem| write!(f, "\n  {problem}"))
            }
        }
    }
}

impl Problems {
    /// Notes a value that was found.
    pub fn push(
        &mut self,
        name: impl Into<String>,
        expected: impl Into<String>,
        found: impl fmt::Display,
    ) {
        self.found.push(Problem::new(name, expected, found));
    }

    /// Notes a value that is missing.
    pub fn missing(&mut self, name: impl Into<String>, expected: impl Into<String>) {
        self.found.push(Problem {
            name: name.into(),
            expected: expected.into(),
            found: None,
        });
    }

    /// Notes a value for which a condition does not hold.
    pub fn require(
        &mut self,
        name: impl Into<String>,
        holds: bool,
        expected: impl Into<String>,
        found: impl fmt::Display,
    ) {
        if !holds {
            self.push(name, expected, found);
        }
    }

    /// What the word `found` stands for; notes it when it is none of `choices`.
    pub fn choice<T: Clone>(
        &mut self,
        name: impl Into<String>,
        found: &str,
        choices: &[(&str, T)],
    ) -> Option<T> {
        let chosen = choices.iter().find(|(word, _)| *word == found);
        if chosen.is_none() {
            let words: Vec<_> = choices
                .iter()
                .map(|(word, _)| format!("`{word}`"))
                .collect();
            self.push(name, words.join(" or "), format!("`{found}`"));
        }
        chosen.map(|(_, value)| value.clone())
    }

    /// Notes a name that is longer than [`MAX_NAME`], or that hides something.
    pub fn name(&mut self, name: impl Into<String>, found: &str) {
        let is_short = found.chars().nth(MAX_NAME).is_none();
        let is_visible = matches!(visible(found), Cow::Borrowed(_));
        self.require(
            name,
            is_short && is_visible,
            format!("at most {MAX_NAME} visible characters"),
            format!("`{found}`"),
        );
    }

    /// Notes a count outside `low` to `high`.
    pub fn range(&mut self, name: impl Into<String>, found: usize, low: usize, high: usize) {
        self.require(
            name,
            (low..=high).contains(&found),
            format!("{low} to {high}"),
            found,
        );
    }

    /// Notes a number that is not finite or outside `bounds`.
    ///
    /// ```
    /// use std::ops::Bound::{Excluded, Unbounded};
    /// use tiller_core::Problems;
    ///
    /// let mut problems = Problems::default();
    /// problems.number("share", 1.5_f32, 0.0..=1.0);
    /// problems.number("gain", f64::INFINITY, 0.0..);
    /// problems.number("rate_hz", 0.0_f64, (Excluded(0.0), Unbounded));
    /// assert_eq!(
    ///     problems.to_string(),
    ///     "3 values are wrong:\n  share: expected a number from 0 to 1, found 1.5\n  \
    ///      gain: expected a number of at least 0, found inf\n  \
    ///      rate_hz: expected a number above 0, found 0"
    /// );
    /// ```
    pub fn number<T: Copy + Into<f64> + fmt::Display>(
        &mut self,
        name: impl Into<String>,
        found: T,
        bounds: impl RangeBounds<f64>,
    ) {
        use Bound::{Excluded, Included, Unbounded};
        let number: f64 = found.into();
        if number.is_finite() && bounds.contains(&number) {
            return;
        }
        let low = match bounds.start_bound() {
            Included(low) => Some(format!("of at least {low}")),
            Excluded(low) => Some(format!("above {low}")),
            Unbounded => None,
        };
        let high = match bounds.end_bound() {
            Included(high) => Some(format!("of at most {high}")),
            Excluded(high) => Some(format!("below {high}")),
            Unbounded => None,
        };
        let expected = match (bounds.start_bound(), bounds.end_bound(), low, high) {
            (Included(low), Included(high), ..) => format!("a number from {low} to {high}"),
            (_, _, Some(low), Some(high)) => format!("a number {low} and {high}"),
            (_, _, Some(one), None) | (_, _, None, Some(one)) => format!("a number {one}"),
            (_, _, None, None) => "a finite number".to_owned(),
        };
        self.push(name, expected, found);
    }

    /// Notes a list that has not `count` numbers, or one that is not finite.
    pub fn numbers(&mut self, name: &str, found: &[f32], count: usize) {
        self.require(
            name,
            found.len() == count,
            format!("{count} numbers"),
            found.len(),
        );
        self.require(
            name,
            found.iter().all(|number| number.is_finite()),
            "finite numbers",
            format!("{found:?}"),
        );
    }

    /// Notes a key that must be there and is not.
    pub fn present<T>(&mut self, name: &str, value: Option<T>, why: &str) -> Option<T> {
        if value.is_none() {
            self.missing(name, format!("a value {why}"));
        }
        value
    }

    /// Notes a key that must not be there and is.
    pub fn absent<T: fmt::Debug>(&mut self, name: &str, value: &Option<T>, why: &str) {
        if let Some(value) = value {
            self.push(name, format!("no such key {why}"), format!("{value:?}"));
        }
    }

    /// Takes over the problems of a part, with `prefix` before their names.
    pub fn extend(&mut self, prefix: &str, part: Self) {
        self.found
            .extend(part.found.into_iter().map(|problem| Problem {
                name: format!("{prefix}{}", problem.name),
                ..problem
            }));
    }

    /// Whether nothing is wrong.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// `value`, if nothing is wrong.
    ///
    /// # Errors
    /// All problems.
    pub fn finish<T>(self, value: T) -> Result<T, Self> {
        if self.found.is_empty() {
            Ok(value)
        } else {
            Err(self)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_problem_is_listed() {
        let mut part = Problems::default();
        part.missing("path", "a file");
        let mut problems = Problems::default();
        problems.push("dim", "1 to 64", 0);
        problems.extend("files.encoder.", part);
        let text = problems.finish(()).unwrap_err().to_string();
        assert_eq!(
            text,
            "2 values are wrong:\n  dim: expected 1 to 64, found 0\n  \
             files.encoder.path: expected a file, found nothing"
        );
    }

    #[test]
    fn what_is_quoted_is_visible_and_short() {
        let mut problems = Problems::default();
        problems.push("a\u{202e}\nb: expected", "1", "\u{1b}[2J".repeat(10_000));
        let text = problems.to_string();
        let start = r"a\u{202e}\nb: expected: expected 1, found \u{1b}[2J\u{1b}[2J";
        assert!(text.starts_with(start), "{text}");
        assert!(text.chars().count() < 2 * MAX_SHOWN, "{text}");
    }

    #[test]
    fn names_are_short_and_visible() {
        let mut problems = Problems::default();
        for name in ["", "flow", "抓取 policy ⚠️", &"é".repeat(MAX_NAME)] {
            problems.name("name", name);
        }
        assert_eq!(problems, Problems::default());
        for name in ["flow\n", "f\u{200b}low", &"é".repeat(MAX_NAME + 1)] {
            problems.name("name", name);
        }
        assert_eq!(problems.found.len(), 3);
        let expected = r"name: expected at most 100 visible characters, found `flow\n`";
        assert_eq!(problems.found[0].to_string(), expected);
    }
}
