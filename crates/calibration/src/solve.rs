//! From views to a solution.

use nalgebra::{Isometry3, Point3, Vector2, Vector3};
use tiller_core::{Pose, Problems};

use crate::error::SolveError;
use crate::lens::Lens;
use crate::linear::{self, Pair};
use crate::motion::check_turns;
use crate::refine::{Model, Sight, refined_pose};
use crate::solution::{Solution, ViewReport};
use crate::view::{Mount, View};

/// Views that determine a camera at least.
const LEAST_VIEWS: usize = 3;
/// Corners that determine a pose well at least.
pub(crate) const LEAST_CORNERS: usize = 6;
/// First guesses that are refined.
const BEST_GUESSES: usize = 3;
/// A view is left out if its error is so many times the middle one's, and so many pixels.
const OUTLIER_FACTOR: f64 = 4.0;
const OUTLIER_PX: f64 = 1.0;
/// How often views are left out anew.
const OUTLIER_ROUNDS: usize = 3;

/// What is known beside the views.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Setup {
    /// What the camera is fixed to.
    pub mount: Mount,
    /// Width and height of the pictures, pixels.
    pub size: [u32; 2],
    /// The lens, where somebody knows it; else it is found with the rest.
    pub lens: Option<Lens>,
}

/// Where the camera is: first guesses in closed form, then all transforms, and the lens if it is not known,
/// so that the corners of all views fall where they were seen. Views that disagree with the others are left
/// out and reported.
///
/// # Errors
/// [`SolveError`]: too few views, too little rotation between them or about one axis alone, a lens that they
/// do not tell, poses that have nothing to do with the pictures, or settings that are wrong.
pub fn solve(views: &[View], setup: &Setup) -> Result<Solution, SolveError> {
    check(views, setup)?;
    let usable = usable(views)?;
    let turns: Vec<_> = usable
        .iter()
        .map(|(_, sight)| sight.base_from_tool.rotation)
        .collect();
    check_turns(&turns)?;
    let lens = match setup.lens {
        Some(lens) => lens,
        None => linear::lens(usable.iter().map(|(_, sight)| sight.corners), setup.size)?,
    };
    let sights: Vec<Sight<'_>> = usable.iter().map(|(_, sight)| sight.clone()).collect();
    let mut model = first(&sights, setup.mount, lens, setup.lens.is_none())?;
    let mut used = vec![true; sights.len()];
    for _ in 0..OUTLIER_ROUNDS {
        let agreeing = agreeing(&model, &sights);
        let kept: Vec<Sight<'_>> = picked(&sights, &agreeing);
        let turns: Vec<_> = kept
            .iter()
            .map(|sight| sight.base_from_tool.rotation)
            .collect();
        // What disagrees stays where the rest alone would say too little.
        if agreeing == used || kept.len() < LEAST_VIEWS || check_turns(&turns).is_err() {
            break;
        }
        used = agreeing;
        model = model.refined(&kept, setup.lens.is_none());
    }
    if let Some(problem) = implausible(&model) {
        return Err(SolveError::Disagree { found: problem });
    }
    Ok(report(views, setup, &usable, &model, &used))
}

fn check(views: &[View], setup: &Setup) -> Result<(), Problems> {
    let mut problems = Problems::default();
    if let Some(Err(wrong)) = setup.lens.map(|lens| lens.check()) {
        problems.extend("lens.", wrong);
    }
    for (name, side) in ["width", "height"].into_iter().zip(setup.size) {
        problems.require(
            name,
            (16..=16384).contains(&side),
            "16 to 16384 pixels",
            side,
        );
    }
    for view in views {
        problems.require(
            view.name.as_str(),
            view.base_from_tool.is_valid(),
            "a pose of finite numbers with a quaternion of length 1",
            format!("{:?}", view.base_from_tool),
        );
        let numbers = |corner: &crate::Corner| {
            corner
                .pixel
                .iter()
                .chain(&corner.point_m)
                .all(|n| n.is_finite())
        };
        let lost = view
            .corners
            .iter()
            .filter(|corner| !numbers(corner))
            .count();
        problems.require(
            view.name.as_str(),
            lost == 0,
            "corners of finite numbers",
            lost,
        );
    }
    problems.finish(())
}

/// The views that show enough of the board, with their places in the input.
fn usable(views: &[View]) -> Result<Vec<(usize, Sight<'_>)>, SolveError> {
    if views.iter().all(|view| view.corners.is_empty()) {
        return Err(SolveError::NoBoard {
            needed: LEAST_VIEWS,
            views: views.len(),
        });
    }
    let enough =
        |view: &View| view.corners.len() >= LEAST_CORNERS && linear::is_determined(&view.corners);
    let usable: Vec<(usize, Sight<'_>)> = views
        .iter()
        .enumerate()
        .filter(|(_, view)| enough(view))
        .map(|(index, view)| {
            let sight = Sight {
                base_from_tool: view.base_from_tool.isometry(),
                corners: &view.corners,
            };
            (index, sight)
        })
        .collect();
    if usable.len() < LEAST_VIEWS {
        return Err(SolveError::TooFewViews {
            needed: LEAST_VIEWS,
            corners: LEAST_CORNERS,
            found: usable.len(),
            views: views.len(),
        });
    }
    Ok(usable)
}

/// The best model that closed forms and a refinement of the best of them lead to.
fn first(
    sights: &[Sight<'_>],
    mount: Mount,
    lens: Lens,
    lens_is_free: bool,
) -> Result<Model, SolveError> {
    let poses: Vec<(Isometry3<f64>, Isometry3<f64>)> = sights
        .iter()
        .filter_map(|sight| Some((sight.base_from_tool, pose_of(sight, lens)?)))
        .collect();
    let mut guesses: Vec<(f64, Model)> = linear::guesses(mount, &poses)
        .into_iter()
        .map(|pair| Model { mount, pair, lens })
        .map(|model| (model.loss(sights), model))
        .filter(|(loss, _)| loss.is_finite())
        .collect();
    guesses.sort_by(|a, b| a.0.total_cmp(&b.0));
    let refined = guesses.into_iter().take(BEST_GUESSES).map(|(_, model)| {
        let model = model.refined(sights, lens_is_free);
        (model.loss(sights), model)
    });
    let best = refined.min_by(|a, b| a.0.total_cmp(&b.0));
    best.map(|(_, model)| model)
        .ok_or_else(|| SolveError::Disagree {
            found: "no pair of views fits together".to_owned(),
        })
}

/// `camera_from_board` by one view alone.
fn pose_of(sight: &Sight<'_>, lens: Lens) -> Option<Isometry3<f64>> {
    let guess = linear::camera_from_board(sight.corners, &lens)?;
    Some(refined_pose(guess, lens, sight.corners))
}

/// Which views agree with the model about as well as the middle one does.
fn agreeing(model: &Model, sights: &[Sight<'_>]) -> Vec<bool> {
    let errors: Vec<f64> = sights
        .iter()
        .map(|sight| rms(model.errors(sight)).0)
        .collect();
    let mut sorted = errors.clone();
    sorted.sort_by(f64::total_cmp);
    let limit = (OUTLIER_FACTOR * sorted[sorted.len() / 2]).max(OUTLIER_PX);
    errors.iter().map(|error| *error <= limit).collect()
}

fn picked<'a>(sights: &[Sight<'a>], chosen: &[bool]) -> Vec<Sight<'a>> {
    let pairs = sights.iter().zip(chosen);
    pairs
        .filter(|(_, chosen)| **chosen)
        .map(|(sight, _)| sight.clone())
        .collect()
}

/// What shows that the numbers mean no camera.
fn implausible(model: &Model) -> Option<String> {
    let Pair { camera, board } = model.pair;
    let far = |place: Vector3<f64>| !place.iter().all(|value| value.abs() < 100.0);
    if far(camera.translation.vector) || far(board.translation.vector) {
        return Some(format!(
            "camera or board {:.0} m and {:.0} m away",
            camera.translation.vector.norm(),
            board.translation.vector.norm()
        ));
    }
    let wrong = model.lens.check().err();
    wrong.map(|problems| problems.to_string())
}

/// Root mean square and largest length.
fn rms(errors: impl Iterator<Item = Vector2<f64>>) -> (f64, f64) {
    let lengths: Vec<f64> = errors.map(|error| error.norm()).collect();
    let sum: f64 = lengths.iter().map(|length| length * length).sum();
    let largest = lengths.iter().copied().fold(0.0, f64::max);
    ((sum / lengths.len().max(1) as f64).sqrt(), largest)
}

fn report(
    views: &[View],
    setup: &Setup,
    usable: &[(usize, Sight<'_>)],
    model: &Model,
    used: &[bool],
) -> Solution {
    let reports: Vec<ViewReport> = usable
        .iter()
        .zip(used)
        .map(|((index, sight), used)| {
            let (rms_px, largest_px) = rms(model.errors(sight));
            let camera_from_board = model
                .pair
                .camera_from_board(setup.mount, &sight.base_from_tool);
            let computed = sight.corners.iter().map(|corner| {
                model
                    .lens
                    .project(&(camera_from_board * Point3::from(corner.point_m)))
            });
            ViewReport {
                index: *index,
                name: views[*index].name.clone(),
                corners: sight.corners.len(),
                rms_px,
                largest_px,
                board_moved_mm: board_moved_mm(model, sight),
                left_out: !used,
                computed: computed.collect(),
            }
        })
        .collect();
    let kept: Vec<Sight<'_>> = picked(
        &usable
            .iter()
            .map(|(_, sight)| sight.clone())
            .collect::<Vec<_>>(),
        used,
    );
    let (rms_px, largest_px) = rms(kept.iter().flat_map(|sight| model.errors(sight)));
    let moves = reports.iter().filter(|report| !report.left_out);
    let moves: Vec<f64> = moves.filter_map(|report| report.board_moved_mm).collect();
    let squares: f64 = moves.iter().map(|moved| moved * moved).sum();
    Solution {
        mount: setup.mount,
        size: setup.size,
        camera: pose(&model.pair.camera),
        board: pose(&model.pair.board),
        lens: model.lens,
        lens_was_estimated: setup.lens.is_none(),
        rms_px,
        largest_px,
        corners: kept.iter().map(|sight| sight.corners.len()).sum(),
        used: kept.len(),
        board_moves_mm: (squares / moves.len().max(1) as f64).sqrt(),
        views: reports,
    }
}

/// How far the board is from where the model has it by one view alone, at the middle of its corners, mm.
fn board_moved_mm(model: &Model, sight: &Sight<'_>) -> Option<f64> {
    let camera_from_board = pose_of(sight, model.lens)?;
    let link = linear::link(model.mount, &sight.base_from_tool);
    let board = link.inverse() * model.pair.camera * camera_from_board;
    let sum: Vector3<f64> = sight
        .corners
        .iter()
        .map(|corner| Vector3::from(corner.point_m))
        .sum();
    let middle = Point3::from(sum / sight.corners.len() as f64);
    Some((board * middle - model.pair.board * middle).norm() * 1e3)
}

fn pose(isometry: &Isometry3<f64>) -> Pose {
    Pose::from_parts(isometry.translation.vector, &isometry.rotation)
}
