//! Pictures with what they show, wherever they come from.

use image::GrayImage;
use tiller_core::Problems;
use tiller_core::file::FileError;
use tiller_recording::RecordingError;

use crate::view::View;

/// A picture, and the view of the board in it.
#[derive(Debug, Clone, PartialEq)]
pub struct Shot {
    /// Where the tool was, and the corners that were found.
    pub view: View,
    /// What the camera saw.
    pub picture: GrayImage,
}

/// Why there are no pictures.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// A file is missing or cannot be read.
    #[error(transparent)]
    File(#[from] FileError),
    /// The poses of a folder are not what they should be.
    #[error(
        "`poses.json`: expected {{\"NAME.png\": {{\"position_m\": [x, y, z], \"quaternion_wxyz\": [w, x, y, z]}}}}, \
         found {found}"
    )]
    Poses {
        /// What is wrong with them.
        found: String,
    },
    /// Values of the poses are wrong.
    #[error(transparent)]
    Values(#[from] Problems),
    /// A picture cannot be read.
    #[error("`{name}`: expected a PNG file, found {found}")]
    Picture {
        /// The file.
        name: String,
        /// What is wrong with it.
        found: String,
    },
    /// The pictures are not all of one camera.
    #[error("`{name}`: expected {} x {} pixels as in the first picture, found {} x {}", .expected[0], .expected[1], .found[0], .found[1])]
    Size {
        /// The picture.
        name: String,
        /// Width and height of the first one, pixels.
        expected: [u32; 2],
        /// Width and height of this one, pixels.
        found: [u32; 2],
    },
    /// The recording cannot be read.
    #[error(transparent)]
    Recording(#[from] RecordingError),
    /// The recording lacks an output.
    #[error("expected {expected} in the recording, found outputs {}", .found.join(", "))]
    Output {
        /// What is missing.
        expected: String,
        /// The outputs that are there.
        found: Vec<String>,
    },
}

/// Width and height of the pictures, pixels; none where there are no pictures.
///
/// # Errors
/// [`ReadError::Size`] when they differ.
pub fn size_of(shots: &[Shot]) -> Result<Option<[u32; 2]>, ReadError> {
    let size = |shot: &Shot| [shot.picture.width(), shot.picture.height()];
    let Some(expected) = shots.first().map(size) else {
        return Ok(None);
    };
    match shots.iter().find(|shot| size(shot) != expected) {
        None => Ok(Some(expected)),
        Some(other) => Err(ReadError::Size {
            name: other.view.name.clone(),
            expected,
            found: size(other),
        }),
    }
}
