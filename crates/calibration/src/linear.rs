//! First guesses in closed form, for the refinement to begin at.
//!
//! A board's pose from the homography of its plane, the lens from several of them (Zhang 2000), the camera on
//! the hand or the board in it from relative motions (Tsai & Lenz 1989). The library has another version of
//! nalgebra: poses go there and back as arrays.

use nalgebra::{Isometry3, Matrix4, Quaternion, Translation3, UnitQuaternion, Vector3, Vector4};
use vision_calibration_core::{Iso3, Mat3, Pt2};
use vision_calibration_linear::handeye::{estimate_gripper_se3_target_dlt, estimate_handeye_dlt};
use vision_calibration_linear::planar_pose::estimate_planar_pose_from_h;
use vision_calibration_linear::prelude::{dlt_homography, estimate_intrinsics_from_homographies};

use crate::error::SolveError;
use crate::lens::Lens;
use crate::view::{Corner, Mount};

/// Rotation between two views from which on they tell something, degrees.
const LEAST_PAIR_DEG: f64 = 3.0;
/// Half of the angle up to which the library tells a rotation from its opposite way around, rad: at 120
/// degrees between two views the sign of its quaternions becomes a matter of rounding.
const NEAR_RAD: f64 = 0.95;

/// The transforms that all views share.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Pair {
    /// `world_from_camera`, or `tool_from_camera` of a camera on the hand.
    pub(crate) camera: Isometry3<f64>,
    /// `tool_from_board`, or `base_from_board` for a camera on the hand.
    pub(crate) board: Isometry3<f64>,
}

impl Pair {
    /// `camera_from_board` in a view.
    pub(crate) fn camera_from_board(
        &self,
        mount: Mount,
        base_from_tool: &Isometry3<f64>,
    ) -> Isometry3<f64> {
        self.camera.inverse() * link(mount, base_from_tool) * self.board
    }
}

/// What leads from the board's fixed frame to the camera's: from tool to base, or the other way.
pub(crate) fn link(mount: Mount, base_from_tool: &Isometry3<f64>) -> Isometry3<f64> {
    match mount {
        Mount::Base => *base_from_tool,
        Mount::Hand => base_from_tool.inverse(),
    }
}

/// The plane of the board in pixels that `scaled` turns into numbers of about 1; none where too few
/// corners, or corners in a row, leave it open.
fn homography(corners: &[Corner], scaled: impl Fn([f64; 2]) -> [f64; 2]) -> Option<Mat3> {
    let board: Vec<Pt2> = corners
        .iter()
        .map(|corner| [corner.point_m[0], corner.point_m[1]].into())
        .collect();
    let picture: Vec<Pt2> = corners
        .iter()
        .map(|corner| scaled(corner.pixel).into())
        .collect();
    dlt_homography(&board, &picture).ok()
}

/// Whether the corners determine a pose of the board.
pub(crate) fn is_determined(corners: &[Corner]) -> bool {
    homography(corners, |pixel| pixel.map(|value| value / 1e3)).is_some()
}

/// The lens from views of the board.
pub(crate) fn lens<'a>(
    views: impl Iterator<Item = &'a [Corner]>,
    size: [u32; 2],
) -> Result<Lens, SolveError> {
    let refused = |found: String| SolveError::Lens { found };
    let [width, height] = size.map(f64::from);
    let unit = width.max(height);
    let scaled = |[x, y]: [f64; 2]| [(x - width / 2.0) / unit, (y - height / 2.0) / unit];
    let planes: Vec<Mat3> = views
        .filter_map(|corners| homography(corners, scaled))
        .collect();
    let found = estimate_intrinsics_from_homographies(&planes)
        .map_err(|error| refused(error.to_string()))?;
    let lens = Lens {
        focal: [found.fx * unit, found.fy * unit],
        principal_point: [
            found.cx * unit + width / 2.0,
            found.cy * unit + height / 2.0,
        ],
    };
    let inside = |value: f64, side: f64| (0.0..=side).contains(&value);
    let [x, y] = lens.principal_point;
    let plausible = lens.focal.iter().all(|f| (0.1..20.0).contains(&(f / unit)));
    if !plausible || !inside(x, width) || !inside(y, height) {
        let ([fx, fy], [x, y]) = (lens.focal, lens.principal_point);
        return Err(refused(format!(
            "focal lengths {fx:.0}, {fy:.0} and principal point {x:.0}, {y:.0} in {width} x {height} pixels"
        )));
    }
    Ok(lens)
}

/// `camera_from_board` of one view.
pub(crate) fn camera_from_board(corners: &[Corner], lens: &Lens) -> Option<Isometry3<f64>> {
    let plane = homography(corners, |pixel| lens.direction(pixel))?;
    let pose = estimate_planar_pose_from_h(&Mat3::identity(), &plane).ok()?;
    Some(ours(&pose))
}

/// Guesses of the two transforms, from the tool and the board (`camera_from_board`) in each view. Besides
/// all views together, those within a cone of each one make a guess of their own: it stands where others
/// are wrong, or turned by more than the closed form can tell apart.
pub(crate) fn guesses(mount: Mount, views: &[(Isometry3<f64>, Isometry3<f64>)]) -> Vec<Pair> {
    let all: Vec<usize> = (0..views.len()).collect();
    let mut groups = vec![all.clone()];
    for (seed, _) in views {
        let near = |at: &usize| views[*at].0.rotation.angle_to(&seed.rotation) < NEAR_RAD;
        let group: Vec<usize> = all.iter().copied().filter(near).collect();
        if group.len() >= 3 && !groups.contains(&group) {
            groups.push(group);
        }
    }
    let chosen = |group: &[usize]| group.iter().map(|at| views[*at]).collect::<Vec<_>>();
    groups
        .iter()
        .filter_map(|group| guess(mount, &chosen(group)))
        .collect()
}

fn guess(mount: Mount, views: &[(Isometry3<f64>, Isometry3<f64>)]) -> Option<Pair> {
    let tools: Vec<Iso3> = views.iter().map(|(tool, _)| theirs(tool)).collect();
    match mount {
        Mount::Base => {
            let boards: Vec<Iso3> = views.iter().map(|(_, board)| theirs(board)).collect();
            let found = estimate_gripper_se3_target_dlt(&tools, &boards, LEAST_PAIR_DEG).ok()?;
            let board = ours(&found);
            let cameras = views
                .iter()
                .map(|(tool, seen)| tool * board * seen.inverse());
            let camera = mean(cameras)?;
            Some(Pair { camera, board })
        }
        Mount::Hand => {
            let cameras: Vec<Iso3> = views
                .iter()
                .map(|(_, board)| theirs(&board.inverse()))
                .collect();
            let found = estimate_handeye_dlt(&tools, &cameras, LEAST_PAIR_DEG).ok()?;
            let camera = ours(&found);
            let boards = views.iter().map(|(tool, seen)| tool * camera * seen);
            let board = mean(boards)?;
            Some(Pair { camera, board })
        }
    }
}

/// The mean of poses: of positions, and of orientations as Markley et al. 2007 have it, the largest
/// eigenvector of the sum of `q q'`.
fn mean(poses: impl Iterator<Item = Isometry3<f64>>) -> Option<Isometry3<f64>> {
    let (mut place, mut turns, mut count) = (Vector3::zeros(), Matrix4::zeros(), 0.0);
    for pose in poses {
        place += pose.translation.vector;
        turns += pose.rotation.coords * pose.rotation.coords.transpose();
        count += 1.0;
    }
    let sound = count > 0.0 && turns.iter().chain(&place).all(|value| value.is_finite());
    sound.then(|| {
        let eigen = turns.symmetric_eigen();
        let largest: Vector4<f64> = eigen.eigenvectors.column(eigen.eigenvalues.imax()).into();
        let rotation = UnitQuaternion::new_normalize(Quaternion::from(largest));
        Isometry3::from_parts(Translation3::from(place / count), rotation)
    })
}

fn theirs(pose: &Isometry3<f64>) -> Iso3 {
    let place: [f64; 3] = pose.translation.vector.into();
    let turn: [f64; 3] = pose.rotation.scaled_axis().into();
    Iso3::new(place.into(), turn.into())
}

fn ours(pose: &Iso3) -> Isometry3<f64> {
    let place: [f64; 3] = pose.translation.vector.into();
    let turn: [f64; 4] = pose.rotation.coords.into();
    let rotation = UnitQuaternion::new_normalize(Quaternion::from(Vector4::from(turn)));
    Isometry3::from_parts(Translation3::from(Vector3::from(place)), rotation)
}
