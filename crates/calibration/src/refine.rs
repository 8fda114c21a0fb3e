//! Both transforms, and the lens where nobody knows it, so that the corners fall where they were seen.

use nalgebra::{Isometry3, Point3, Translation3, UnitQuaternion, Vector2, Vector3};

use crate::lens::Lens;
use crate::linear::Pair;
use crate::minimise::{loss, minimise};
use crate::view::{Corner, Mount};

/// Error of a corner that would lie behind the camera, pixels.
const BEHIND_PX: f64 = 1e4;
/// By how much numbers are moved to find a slope: m and rad, and pixels.
const STEP: f64 = 1e-6;
const LENS_STEP_PX: f64 = 1e-3;

/// What one view says: `base_from_tool`, and the corners.
#[derive(Debug, Clone)]
pub(crate) struct Sight<'a> {
    pub(crate) base_from_tool: Isometry3<f64>,
    pub(crate) corners: &'a [Corner],
}

/// All that is sought.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Model {
    pub(crate) mount: Mount,
    pub(crate) pair: Pair,
    pub(crate) lens: Lens,
}

impl Model {
    /// Seen minus computed, pixels, for each corner of a view.
    pub(crate) fn errors<'a>(&self, sight: &Sight<'a>) -> impl Iterator<Item = Vector2<f64>> + 'a {
        let camera_from_board = self
            .pair
            .camera_from_board(self.mount, &sight.base_from_tool);
        errors(camera_from_board, self.lens, sight.corners)
    }

    /// The loss over all corners of all views.
    pub(crate) fn loss(&self, sights: &[Sight<'_>]) -> f64 {
        loss(&self.all_errors(sights))
    }

    fn all_errors(&self, sights: &[Sight<'_>]) -> Vec<Vector2<f64>> {
        sights.iter().flat_map(|sight| self.errors(sight)).collect()
    }

    /// The model near this one with the least loss: 12 numbers, and 4 more of the lens if that is free.
    #[must_use]
    pub(crate) fn refined(self, sights: &[Sight<'_>], lens_is_free: bool) -> Self {
        let mut steps = vec![STEP; 12];
        if lens_is_free {
            steps.extend([LENS_STEP_PX; 4]);
        }
        let plus = |model: &Self, change: &[f64]| Self {
            mount: model.mount,
            pair: Pair {
                camera: moved(&model.pair.camera, &change[..6]),
                board: moved(&model.pair.board, &change[6..12]),
            },
            lens: match &change[12..] {
                [fx, fy, cx, cy] => Lens {
                    focal: [model.lens.focal[0] + fx, model.lens.focal[1] + fy],
                    principal_point: [
                        model.lens.principal_point[0] + cx,
                        model.lens.principal_point[1] + cy,
                    ],
                },
                _ => model.lens,
            },
        };
        minimise(self, &steps, plus, |model| model.all_errors(sights))
    }
}

/// `camera_from_board` of one view by itself, near a first guess.
pub(crate) fn refined_pose(
    guess: Isometry3<f64>,
    lens: Lens,
    corners: &[Corner],
) -> Isometry3<f64> {
    let of = |pose: &Isometry3<f64>| errors(*pose, lens, corners).collect::<Vec<_>>();
    minimise(guess, &[STEP; 6], moved, of)
}

fn errors(
    camera_from_board: Isometry3<f64>,
    lens: Lens,
    corners: &[Corner],
) -> impl Iterator<Item = Vector2<f64>> {
    corners.iter().map(move |corner| {
        let point = camera_from_board * Point3::from(corner.point_m);
        match lens.project(&point) {
            Some([x, y]) => Vector2::new(corner.pixel[0] - x, corner.pixel[1] - y),
            None => Vector2::new(BEHIND_PX, BEHIND_PX),
        }
    })
}

/// A pose moved in its own frame by three metres and three radians.
fn moved(pose: &Isometry3<f64>, change: &[f64]) -> Isometry3<f64> {
    let place = Vector3::new(change[0], change[1], change[2]);
    let turn = UnitQuaternion::from_scaled_axis(Vector3::new(change[3], change[4], change[5]));
    pose * Isometry3::from_parts(Translation3::from(place), turn)
}
