//! What can be wrong with a frame or the settings.

use thiserror::Error;

/// Why a frame or the settings cannot be used.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum GroundingError {
    /// A buffer does not fit the frame's size.
    #[error("expected {expected} {name} values for {width} x {height} pixels, found {found}")]
    WrongLength {
        /// Which buffer.
        name: &'static str,
        /// Frame width, pixels.
        width: usize,
        /// Frame height, pixels.
        height: usize,
        /// Values that belong there.
        expected: usize,
        /// Values that are there.
        found: usize,
    },
    /// The camera cannot be inverted.
    #[error("expected a camera with {expected}, found {found}")]
    BadCamera {
        /// What a usable camera has.
        expected: &'static str,
        /// What was given.
        found: String,
    },
    /// The frame carries no segmentation, and the segmenter needs one.
    #[error("expected a frame with a segmentation image, found none")]
    NoSegmentation,
    /// Nothing in the frame can carry a keypoint.
    #[error("found no object to put keypoints on; {}", .reasons.join("; "))]
    NothingFound {
        /// Why each object was passed over.
        reasons: Vec<String>,
    },
    /// Tracking was asked for before anything was grounded.
    #[error("expected grounded keypoints to track, found none yet")]
    NotGrounded,
    /// A setting is out of range.
    #[error("expected {name} {expected}, found {found}")]
    BadSetting {
        /// The setting.
        name: &'static str,
        /// Its range.
        expected: &'static str,
        /// What was given.
        found: String,
    },
    /// A segmenter other than the frame's own labels failed.
    #[error("segmentation failed: {0}")]
    Segmentation(String),
}
