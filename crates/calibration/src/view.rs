//! What one picture shows, and where the arm was.

use serde::{Deserialize, Serialize};
use tiller_core::Pose;

/// A corner of the board in a picture.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Corner {
    /// Which one: from 0, row after row, as OpenCV counts the inner corners of a ChArUco board.
    pub id: u32,
    /// Where it is in the picture, pixels; the centre of the top left pixel lies at (0.5, 0.5).
    pub pixel: [f64; 2],
    /// Where it is on the board, m.
    pub point_m: [f64; 3],
}

/// A picture of the board, and the arm's pose when it was taken.
#[derive(Debug, Clone, PartialEq)]
pub struct View {
    /// What it goes by in reports: a file's name, or a time.
    pub name: String,
    /// The tool in the base frame.
    pub base_from_tool: Pose,
    /// The corners that were seen; none where the board was not found.
    pub corners: Vec<Corner>,
}

/// What the camera is fixed to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mount {
    /// The camera stands still and the hand holds the board.
    Base,
    /// The camera is on the hand and the board lies still.
    Hand,
}

impl Mount {
    /// The word in settings and reports.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Base => "base",
            Self::Hand => "hand",
        }
    }
}
