//! What was found, and how far to trust it.

use serde::Serialize;
use tiller_core::Pose;

use crate::lens::Lens;
use crate::view::Mount;

/// Above these a calibration is doubtful: pixels, millimetres.
const DOUBTFUL_RMS_PX: f64 = 1.0;
const DOUBTFUL_MOVE_MM: f64 = 5.0;
/// Share of views left out from which on a calibration is doubtful.
const DOUBTFUL_SHARE: f64 = 0.2;

/// Where the camera is.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Solution {
    /// What the camera is fixed to.
    pub mount: Mount,
    /// Width and height of the pictures, pixels.
    pub size: [u32; 2],
    /// `world_from_camera`; of a camera on the hand `tool_from_camera`.
    pub camera: Pose,
    /// `tool_from_board`; for a camera on the hand `base_from_board`.
    pub board: Pose,
    /// The lens: as it was given, or as it was found.
    pub lens: Lens,
    /// Whether the lens was found here.
    pub lens_was_estimated: bool,
    /// Root mean square of the distances between seen and computed corners, pixels, without the views that
    /// were left out.
    pub rms_px: f64,
    /// The largest of these distances, pixels.
    pub largest_px: f64,
    /// Corners that were used.
    pub corners: usize,
    /// Views that were used.
    pub used: usize,
    /// How far the board seems to move in what it is fixed to, root mean square over the views that were
    /// used, mm: each view's own estimate of the board against the solved one, at the middle of its corners.
    pub board_moves_mm: f64,
    /// Every view that shows enough of the board, in the order of the input.
    pub views: Vec<ViewReport>,
}

/// How one view agrees with the rest.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ViewReport {
    /// Which one: its place in the input.
    pub index: usize,
    /// What it goes by.
    pub name: String,
    /// Corners of the board in it.
    pub corners: usize,
    /// Root mean square of the distances between seen and computed corners, pixels.
    pub rms_px: f64,
    /// The largest of these distances, pixels.
    pub largest_px: f64,
    /// How far the board is from where the others have it, mm; none if the view alone does not tell.
    pub board_moved_mm: Option<f64>,
    /// Whether it disagreed with the others so much that it was not used.
    pub left_out: bool,
    /// Where the corners should be by the solution, pixels, in the view's order; none behind the camera.
    #[serde(skip)]
    pub computed: Vec<Option<[f64; 2]>>,
}

impl Solution {
    /// What speaks against relying on it, in whole sentences; nothing if all is well.
    #[must_use]
    pub fn doubts(&self) -> Vec<String> {
        let mut doubts = Vec::new();
        if self.rms_px > DOUBTFUL_RMS_PX {
            doubts.push(format!(
                "corners are {:.2} pixels off, expected at most {DOUBTFUL_RMS_PX}: the lens may be distorted \
                 or not as given, pictures blurred, or poses not those of the pictures",
                self.rms_px
            ));
        }
        if self.board_moves_mm > DOUBTFUL_MOVE_MM {
            doubts.push(format!(
                "the board seems to move by {:.1} mm, expected at most {DOUBTFUL_MOVE_MM}: it may be loose, \
                 bent, or its squares not as large as said",
                self.board_moves_mm
            ));
        }
        let left_out = self.views.len() - self.used;
        if left_out as f64 > DOUBTFUL_SHARE * self.views.len() as f64 {
            doubts.push(format!(
                "{left_out} of {} views disagree with the others",
                self.views.len()
            ));
        }
        doubts
    }

    /// The views from the largest error to the smallest, those left out among them.
    #[must_use]
    pub fn worst_first(&self) -> Vec<&ViewReport> {
        let mut views: Vec<&ViewReport> = self.views.iter().collect();
        views.sort_by(|a, b| b.rms_px.total_cmp(&a.rms_px));
        views
    }
}
