//! Pictures and poses in a folder, for those who record otherwise.

use std::collections::BTreeMap;
use std::io::Cursor;
use std::path::Path;

use image::{GrayImage, ImageFormat, ImageReader, Limits};
use tiller_core::file::{read_text_within, read_within};
use tiller_core::{Pose, Problems};

use crate::board::Board;
use crate::find::find;
use crate::shot::{ReadError, Shot};
use crate::view::View;

/// Name of the file with the poses.
const POSES: &str = "poses.json";
const MAX_POSES_BYTES: u64 = 4 << 20;
const MAX_PICTURE_BYTES: u64 = 64 << 20;
/// Most memory that a picture may take, bytes.
const MAX_DECODED_BYTES: u64 = 512 << 20;

/// Reads `poses.json`, `{"NAME.png": {"position_m": [..], "quaternion_wxyz": [..]}}` with the tool in the base
/// frame, and finds the board in the pictures that it names. `watch` hears how many of how many are done.
///
/// # Errors
/// [`ReadError`]; all poses that are wrong are told at once.
pub fn read_folder(
    folder: &Path,
    board: &Board,
    mut watch: impl FnMut(u64, u64),
) -> Result<Vec<Shot>, ReadError> {
    let text = read_text_within(folder, POSES, MAX_POSES_BYTES)?;
    let poses: BTreeMap<String, Pose> =
        serde_json::from_str(&text).map_err(|error| ReadError::Poses {
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
        let corners = find(&picture, board);
        let view = View {
            name,
            base_from_tool,
            corners,
        };
        shots.push(Shot { view, picture });
        watch(shots.len() as u64, count as u64);
    }
    Ok(shots)
}

fn read_picture(folder: &Path, name: &str) -> Result<GrayImage, ReadError> {
    let bytes = read_within(folder, name, MAX_PICTURE_BYTES)?;
    let mut reader = ImageReader::with_format(Cursor::new(bytes), ImageFormat::Png);
    let mut limits = Limits::default();
    limits.max_alloc = Some(MAX_DECODED_BYTES);
    reader.limits(limits);
    let decoded = reader.decode().map_err(|error| ReadError::Picture {
        name: name.to_owned(),
        found: error.to_string(),
    })?;
    Ok(decoded.into_luma8())
}
