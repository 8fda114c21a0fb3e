//! Collecting every mistake of a configuration, and finding numbers that are not.

use crate::error::ConfigError;

/// Collects mistakes instead of stopping at the first.
#[derive(Default)]
pub(crate) struct Check {
    pub(crate) mistakes: Vec<String>,
}

impl Check {
    /// Notes what is wrong unless `holds`.
    pub(crate) fn require(
        &mut self,
        name: &str,
        holds: bool,
        expected: impl std::fmt::Display,
        found: impl std::fmt::Display,
    ) {
        if !holds {
            self.mistakes
                .push(format!("{name} must be {expected}, found {found}"));
        }
    }

    pub(crate) fn count(&mut self, name: &str, found: usize, most: usize) {
        let expected = format_args!("from 1 to {most}");
        self.require(name, (1..=most).contains(&found), expected, found);
    }

    pub(crate) fn share(&mut self, name: &str, found: f64) {
        self.require(name, (0.0..=1.0).contains(&found), "from 0 to 1", found);
    }

    /// A number from `least` to `most`; the ends of the type stand for no limit, and
    /// `f32::MIN_POSITIVE` for anything above 0.
    pub(crate) fn number(&mut self, name: &str, found: f32, least: f32, most: f32) {
        let expected = match (least, most) {
            (f32::MIN, f32::MAX) => "finite".to_owned(),
            (least, f32::MAX) if least == f32::MIN_POSITIVE => "finite and above 0".to_owned(),
            (least, f32::MAX) => format!("finite and at least {least}"),
            (least, most) => format!("from {least} to {most}"),
        };
        let holds = found.is_finite() && (least..=most).contains(&found);
        self.require(name, holds, expected, found);
    }

    /// Nothing wrong, or all that is.
    pub(crate) fn finish(self) -> Result<(), ConfigError> {
        if self.mistakes.is_empty() {
            Ok(())
        } else {
            Err(ConfigError {
                mistakes: self.mistakes,
            })
        }
    }
}

/// Whether all values are numbers and not infinite. Looks at every one: where most are, that is
/// faster than to stop at the first that is not.
pub(crate) fn all_finite(values: &[f32]) -> bool {
    values
        .iter()
        .fold(true, |finite, value| finite & value.is_finite())
}
