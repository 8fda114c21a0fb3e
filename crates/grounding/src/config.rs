//! Settings of grounding and tracking.

use crate::error::GroundingError;

/// What gets keypoints, how many, and when an object counts as seen.
#[derive(Debug, Clone, PartialEq)]
pub struct GroundingConfig {
    /// Objects that never get keypoints.
    pub ignored: Vec<String>,
    /// Number of keypoints of objects that need more than one.
    pub counts: Vec<(String, usize)>,
    /// Fewest pixels with depth that an object needs to be grounded.
    pub min_pixels: usize,
    /// Share of the object's best view that must be visible for it to be tracked.
    pub min_visible_share: f64,
    /// Share of the best view from which the visible centroid is trusted by itself.
    pub full_view_share: f64,
    /// Farthest that a mostly hidden object may jump between frames, m.
    pub max_hidden_jump_m: f64,
}

impl Default for GroundingConfig {
    fn default() -> Self {
        Self {
            ignored: vec!["table".to_owned(), "robot".to_owned()],
            counts: vec![("drawer".to_owned(), 2), ("door".to_owned(), 2)],
            min_pixels: 6,
            min_visible_share: 0.12,
            full_view_share: 0.92,
            max_hidden_jump_m: 0.06,
        }
    }
}

impl GroundingConfig {
    /// Keypoints that an object gets; 0 for ignored ones.
    pub fn count_of(&self, object: &str) -> usize {
        if self.ignored.iter().any(|name| name == object) {
            return 0;
        }
        self.counts
            .iter()
            .find(|(name, _)| name == object)
            .map_or(1, |(_, count)| *count)
    }

    /// Checks the ranges.
    ///
    /// # Errors
    /// [`GroundingError::BadSetting`] for the first setting that is out of range.
    pub fn validate(&self) -> Result<(), GroundingError> {
        let bad = |name, expected, found: String| {
            Err(GroundingError::BadSetting {
                name,
                expected,
                found,
            })
        };
        if let Some((_, count)) = self
            .counts
            .iter()
            .find(|(_, count)| *count == 0 || *count > 16)
        {
            return bad("counts", "of 1 to 16 keypoints", count.to_string());
        }
        if self.min_pixels == 0 {
            return bad("min_pixels", "of at least 1", "0".to_owned());
        }
        let (least, full) = (self.min_visible_share, self.full_view_share);
        if !(0.0 < least && least < full && full <= 1.0) {
            let found = format!("{least} and {full}");
            return bad(
                "min_visible_share",
                "below full_view_share, both in (0, 1]",
                found,
            );
        }
        if !(self.max_hidden_jump_m.is_finite() && self.max_hidden_jump_m > 0.0) {
            return bad(
                "max_hidden_jump_m",
                "above 0",
                self.max_hidden_jump_m.to_string(),
            );
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_follow_the_settings() {
        let config = GroundingConfig::default();
        let count = |object| config.count_of(object);
        assert_eq!(
            [count("robot"), count("drawer"), count("drawer handle")],
            [0, 2, 1]
        );
        assert_eq!(config.validate(), Ok(()));
        let bad = GroundingConfig {
            full_view_share: 0.1,
            ..config
        };
        assert!(bad.validate().is_err());
    }
}
