//! Settings of grounding and tracking.

use std::path::PathBuf;

use crate::detectors::Prompt;
use crate::error::GroundingError;

/// How objects are found, how many keypoints they get, and when an object counts as seen. The
/// defaults know nothing of any scene.
#[derive(Debug, Clone, PartialEq)]
pub struct GroundingConfig {
    /// Name of the detector, one of [`detector_names`](crate::detector_names).
    pub detector: String,
    /// Name of the tracker, one of [`tracker_names`](crate::tracker_names); `detector` takes the one that
    /// the detector brings.
    pub tracker: String,
    /// Folder of the detector's model, for a detector that has one; for `learned` also a name below
    /// `models/detectors`, here or in a folder above.
    pub model: Option<PathBuf>,
    /// Names of objects and where they are in the picture, for a detector that can be asked for them.
    pub prompts: Vec<(String, Prompt)>,
    /// Objects that never get keypoints.
    pub ignored: Vec<String>,
    /// Number of keypoints of objects that need more than one.
    pub counts: Vec<(String, usize)>,
    /// Keypoints of an object that lie closer together than this become one, m; 0 keeps all.
    pub merge_m: f64,
    /// Height in the world of the plane that everything is taken to lie on where no depth is
    /// measured, m. Without it a frame needs depth.
    pub plane_height_m: Option<f64>,
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
            detector: "labels".to_owned(),
            tracker: "detector".to_owned(),
            model: None,
            prompts: Vec::new(),
            ignored: Vec::new(),
            counts: Vec::new(),
            merge_m: 0.02,
            plane_height_m: None,
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
        let bad = |name, expected: &str, found: String| {
            Err(GroundingError::BadSetting {
                name,
                expected: expected.to_owned(),
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
        if !(0.0..=1.0).contains(&self.merge_m) {
            return bad("merge_m", "of 0 to 1", self.merge_m.to_string());
        }
        if self.min_pixels == 0 {
            return bad("min_pixels", "of at least 1", "0".to_owned());
        }
        if let Some(height) = self.plane_height_m.filter(|height| !height.is_finite()) {
            return bad("plane_height_m", "that is a number", height.to_string());
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
        let config = GroundingConfig {
            ignored: vec!["arm".to_owned()],
            counts: vec![("shelf".to_owned(), 2)],
            ..Default::default()
        };
        let count = |object| config.count_of(object);
        assert_eq!(
            [count("arm"), count("shelf"), count("shelf board")],
            [0, 2, 1]
        );
        assert_eq!(config.validate(), Ok(()));
    }

    #[test]
    fn settings_out_of_range_are_refused() {
        let wrong: [fn(&mut GroundingConfig); 7] = [
            |c| c.full_view_share = 0.1,
            |c| c.min_pixels = 0,
            |c| c.merge_m = -0.01,
            |c| c.merge_m = f64::NAN,
            |c| c.plane_height_m = Some(f64::NAN),
            |c| c.max_hidden_jump_m = 0.0,
            |c| c.counts = vec![("shelf".to_owned(), 17)],
        ];
        for change in wrong {
            let mut config = GroundingConfig::default();
            change(&mut config);
            assert!(config.validate().is_err(), "{config:?}");
        }
    }
}
