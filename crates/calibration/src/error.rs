//! Why there is no calibration.

use tiller_core::Problems;

/// What keeps views from telling where the camera is.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum SolveError {
    /// No view shows the board.
    #[error(
        "expected the board in at least {needed} of the pictures, found it in none of {views}: compare \
         the board's columns, rows and dictionary with what is printed"
    )]
    NoBoard {
        /// Views that are needed.
        needed: usize,
        /// Views that were given.
        views: usize,
    },
    /// Too few views show enough of the board.
    #[error(
        "expected at least {needed} views with {corners} corners of the board or more, not all in a row, \
         found {found} among {views}"
    )]
    TooFewViews {
        /// Views that are needed.
        needed: usize,
        /// Corners that a view needs.
        corners: usize,
        /// Views that can be used.
        found: usize,
        /// Views that were given.
        views: usize,
    },
    /// The hand was hardly turned.
    #[error(
        "expected views between which the hand turns by {needed_deg} degrees or more, found at most \
         {found_deg:.1} degrees: turn the hand further between pictures"
    )]
    TooLittleRotation {
        /// Degrees that are needed.
        needed_deg: f64,
        /// The largest rotation between two views, degrees.
        found_deg: f64,
    },
    /// The hand was turned about one axis only, which leaves open where the camera is along it.
    #[error(
        "expected the hand to turn about a second axis by {needed_deg} degrees or more, found {found_deg:.1} \
         degrees beside {about_first_deg:.1} about the first: tilt the hand in other directions too"
    )]
    OneAxis {
        /// Degrees about a second axis that are needed.
        needed_deg: f64,
        /// Degrees about a second axis that were found.
        found_deg: f64,
        /// Degrees about the first axis.
        about_first_deg: f64,
    },
    /// The views do not tell what the lens is.
    #[error(
        "expected views that tell the focal lengths, found {found}: tilt the board further towards and away \
         from the camera, or give focal lengths and principal point"
    )]
    Lens {
        /// What came of it.
        found: String,
    },
    /// The poses of the arm and those of the board have nothing to do with each other.
    #[error(
        "expected the board and the hand to turn together, found no camera that explains it: {found}; check \
         the mount and that pictures and poses belong together"
    )]
    Disagree {
        /// What the solver said.
        found: String,
    },
    /// Something that was given is not usable.
    #[error(transparent)]
    Settings(#[from] Problems),
}
