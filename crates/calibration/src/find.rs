//! Corners of the board in a picture.

use calib_targets_charuco::{CharucoDetector, GrayImageView};
use image::GrayImage;

use crate::board::Board;
use crate::view::Corner;

/// From the detector's pixels, whose centres are whole numbers, to ours.
const CENTRE: f64 = 0.5;
/// Least side of a picture that the detector takes, pixels.
const LEAST_SIDE: u32 = 16;

/// The board's corners that the picture shows, by rising id; none where the board is not found. Half a board
/// is enough, for each corner is known by the markers around it.
#[must_use]
pub fn find(picture: &GrayImage, board: &Board) -> Vec<Corner> {
    if picture.width().min(picture.height()) < LEAST_SIDE {
        return Vec::new();
    }
    let Ok(detector) = CharucoDetector::new(board.detector()) else {
        return Vec::new();
    };
    let view = GrayImageView {
        width: picture.width() as usize,
        height: picture.height() as usize,
        data: picture.as_raw(),
    };
    let Ok(found) = detector.detect(&view) else {
        return Vec::new();
    };
    let corner = |id: u32, pixel: [f32; 2]| {
        Some(Corner {
            id,
            pixel: pixel.map(|value| f64::from(value) + CENTRE),
            point_m: board.corner_m(id)?,
        })
    };
    let mut corners: Vec<Corner> = found
        .corners
        .iter()
        .filter_map(|found| corner(found.id, found.position.into()))
        .filter(|corner| corner.pixel.iter().all(|value| value.is_finite()))
        .collect();
    corners.sort_by_key(|corner| corner.id);
    corners.dedup_by_key(|corner| corner.id);
    corners
}
