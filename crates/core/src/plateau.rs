//! Telling a value that has stopped rising from one that goes on.

use serde::{Deserialize, Serialize};

/// Follows a value, such as a stage's progress, and says for how long it has not risen.
///
/// The position on the axis along which it is followed is the caller's: nanoseconds or a count.
///
/// ```
/// use tiller_core::Plateau;
///
/// let mut plateau = Plateau::new(0.05);
/// assert_eq!(plateau.observe(0.30, 0), 0);
/// assert_eq!(plateau.observe(0.34, 100), 100, "less than 0.05 more is no rise");
/// assert_eq!(plateau.observe(0.36, 200), 0, "it rises");
/// assert_eq!(plateau.observe(0.10, 500), 300);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Plateau {
    least_rise: f64,
    best: Option<(f64, u64)>,
}

impl Plateau {
    /// A value rises when it exceeds the best so far by `least_rise`.
    #[must_use]
    pub fn new(least_rise: f64) -> Self {
        Self {
            least_rise,
            best: None,
        }
    }

    /// Takes a value at `at`; returns how far `at` is from the last rise. The first value counts as
    /// one. Values that are not finite are no rise.
    pub fn observe(&mut self, value: f64, at: u64) -> u64 {
        match &mut self.best {
            Some((best, since)) => {
                if value >= *best + self.least_rise {
                    (*best, *since) = (value, at);
                }
                at.saturating_sub(*since)
            }
            None if value.is_finite() => {
                self.best = Some((value, at));
                0
            }
            None => 0,
        }
    }

    /// Forgets everything.
    pub fn reset(&mut self) {
        self.best = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn not_a_number_is_no_rise() {
        let mut plateau = Plateau::new(0.1);
        assert_eq!(plateau.observe(f64::NAN, 5), 0);
        assert_eq!(plateau.observe(0.0, 10), 0);
        assert_eq!(plateau.observe(f64::NAN, 30), 20);
        plateau.reset();
        assert_eq!(plateau.observe(0.0, 40), 0);
    }
}
