//! Pictures and poses in a folder, for those who record otherwise.

use std::collections::BTreeMap;
use std::io::Cursor;
use std::path::Path;

use image::{GrayImage, ImageFormat, ImageReader, Limits};
use tiller_core::file::{FileError, read_text_within, read_within};
use tiller_core::{Pose, Problems};

/// Name of the file with the poses.
const POSES: &str = "poses.json";
const MAX_POSES_BYTES: u64 = 4 << 20;
const MAX_PICTURE_BYTES: u64 = 64 << 20;
/// Most memory that a picture may take, bytes.
const MAX_DECODED_BYTES: u64 = 512 << 20;

/// A picture, and where the tool was.
#[derive(Debug, Clone, PartialEq)]
pub struct Shot {
    /// What it goes by.
    pub name: String,
    /// The tool in the base frame.
    pub base_from_tool: Pose,
    /// What the camera saw.
    pub picture: GrayImage,
}

/// Why a folder cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// A file is missing or cannot be read.
    #[error(transparent)]
    File(#[from] FileError),
    /// The poses are not what they should be.
    #[error(
        "`{POSES}`: expected {{\"NAME.png\": {{\"position_m\": [x, y, z], \"quaternion_wxyz\": [w, x, y, z]}}}}, \
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
}

/// Reads `poses.json`, `{"NAME.png": {"position_m": [..], "quaternion_wxyz": [..]}}` with the tool in the base
/// frame, and the pictures that it names. `watch` hears how many of how many are read.
///
/// # Errors
/// [`FolderError`]; all poses that are wrong are told at once.
pub fn read_folder(
    folder: &Path,
    mut watch: impl FnMut(usize, usize),
) -> Result<Vec<Shot>, FolderError> {
    let text = read_text_within(folder, POSES, MAX_POSES_BYTES)?;
    let poses: BTreeMap<String, Pose> =
        serde_json::from_str(&text).map_err(|error| FolderError::Poses {
            found: error.to_string(),
        })?;
    let mut problems = Problems::default();
    for (name, pose) in &poses {
        problems.require(
            name.as_str(),
            pose.is_valid(),
            "a pose of finite numbers with a quaternion of length 1",
            format!("{pose:?}"),
        );
    }
    problems.finish(())?;
    let count = poses.len();
    let mut shots = Vec::with_capacity(count);
    for (name, base_from_tool) in poses {
        let picture = read_picture(folder, &name)?;
        shots.push(Shot {
            name,
            base_from_tool,
            picture,
        });
        watch(shots.len(), count);
    }
    Ok(shots)
}

fn read_picture(folder: &Path, name: &str) -> Result<GrayImage, FolderError> {
    let bytes = read_within(folder, name, MAX_PICTURE_BYTES)?;
    let mut reader = ImageReader::with_format(Cursor::new(bytes), ImageFormat::Png);
    let mut limits = Limits::default();
    limits.max_alloc = Some(MAX_DECODED_BYTES);
    reader.limits(limits);
    let decoded = reader.decode().map_err(|error| FolderError::Picture {
        name: name.to_owned(),
        found: error.to_string(),
    })?;
    Ok(decoded.into_luma8())
}
