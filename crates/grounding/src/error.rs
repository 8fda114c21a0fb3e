//! What can be wrong with a frame or the settings.

use std::path::PathBuf;

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
    /// Neither the camera nor a calibration says where it is and what it sees.
    #[error("expected a camera whose {} is known from its stream or a calibration", .missing.join(", "))]
    UnknownCamera {
        /// What is not known.
        missing: Vec<&'static str>,
    },
    /// The frame carries no segmentation, and the detector needs one.
    #[error("expected a frame with a segmentation image, found none")]
    NoSegmentation,
    /// The frame carries no depth, and there is no plane to take its place.
    #[error("expected a frame with a depth image{hint}, found none")]
    NoDepth {
        /// What else would do.
        hint: &'static str,
    },
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
        expected: String,
        /// What was given.
        found: String,
    },
    /// A detector's model cannot be used.
    #[error("the model in `{}` cannot be used: {reason}", .folder.display())]
    Model {
        /// Its folder.
        folder: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// A detector's model failed.
    #[error("detection failed: {0}")]
    Detection(String),
}
