//! Mistakes in settings and manifests: all of them are found before any is reported.

use std::fmt;

use thiserror::Error;

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

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: expected {}, found ", self.name, self.expected)?;
        match &self.found {
            Some(found) => write!(f, "{found}"),
            None => write!(f, "nothing"),
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
        self.found.push(Problem {
            name: name.into(),
            expected: expected.into(),
            found: Some(found.to_string()),
        });
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
}
