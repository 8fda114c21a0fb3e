//! What cannot be calibrated is refused, with what was expected and found.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod common;

use common::{Random, Rig, lens, rig, setup};
use nalgebra::{Isometry3, Translation3, UnitQuaternion, Vector3};
use tiller_calibration::{Board, Lens, Mount, Setup, SolveError, View, solve};

fn views(rig: &Rig) -> Vec<View> {
    rig.views(12, 0.1, &mut Random::new(40))
}

fn refused(views: &[View]) -> SolveError {
    solve(views, &setup(Mount::Base, Some(lens()))).unwrap_err()
}

#[test]
fn a_board_that_was_never_seen_is_said_so() {
    let mut views = views(&rig(Mount::Base));
    views.iter_mut().for_each(|view| view.corners.clear());
    let error = refused(&views);
    assert_eq!(
        error,
        SolveError::NoBoard {
            needed: 3,
            views: 12
        }
    );
    assert!(error.to_string().contains("none of 12"), "{error}");
    assert_eq!(
        refused(&[]),
        SolveError::NoBoard {
            needed: 3,
            views: 0
        }
    );
}

#[test]
fn two_views_are_too_few() {
    let mut views = views(&rig(Mount::Base));
    views[2..]
        .iter_mut()
        .for_each(|view| view.corners.truncate(5));
    let told = refused(&views).to_string();
    assert!(
        told.contains("at least 3 views") && told.contains("found 2 among 12"),
        "{told}"
    );
}

#[test]
fn a_hand_that_only_moves_is_refused_with_its_degrees() {
    let mut still = rig(Mount::Base);
    (still.tilt_deg, still.roll_deg) = (3.0, 3.0);
    let error = refused(&views(&still));
    let SolveError::TooLittleRotation {
        needed_deg,
        found_deg,
    } = error
    else {
        panic!("{error}");
    };
    assert!(found_deg > 1.0 && found_deg < needed_deg, "{found_deg}");
}

#[test]
fn one_axis_alone_is_refused() {
    for mount in [Mount::Base, Mount::Hand] {
        let rig = rig(mount);
        let mut random = Random::new(41);
        let mut views = rig.views(12, 0.1, &mut random);
        // The hand turns about its own z and nothing else.
        for (n, view) in (0..).zip(&mut views) {
            let turn = UnitQuaternion::from_scaled_axis(Vector3::z() * 0.15 * f64::from(n));
            let down = UnitQuaternion::from_euler_angles(3.1, 0.0, 0.0);
            let place = Translation3::new(0.4, 0.01 * f64::from(n), 0.3);
            view.base_from_tool = common::pose(&Isometry3::from_parts(place, down * turn));
        }
        let error = solve(&views, &setup(mount, Some(lens()))).unwrap_err();
        assert!(matches!(error, SolveError::OneAxis { .. }), "{error}");
    }
}

#[test]
fn a_lens_that_the_views_do_not_tell_is_refused() {
    // The board always faces the camera: nothing tells its distance from the focal length.
    let mut flat = rig(Mount::Base);
    (flat.tilt_deg, flat.roll_deg) = (0.0, 80.0);
    let flat = flat.views(12, 0.3, &mut Random::new(42));
    let mut views = views(&rig(Mount::Base));
    for (view, flat) in views.iter_mut().zip(flat) {
        view.corners = flat.corners;
    }
    let error = solve(&views, &setup(Mount::Base, None)).unwrap_err();
    assert!(matches!(error, SolveError::Lens { .. }), "{error}");
}

#[test]
fn wrong_numbers_are_told_all_at_once() {
    let mut views = views(&rig(Mount::Base));
    views[3].base_from_tool.quaternion_wxyz = [0.0; 4];
    views[5].corners[0].pixel[1] = f64::NAN;
    let setup = Setup {
        mount: Mount::Base,
        size: [0, 480],
        lens: Some(Lens {
            focal: [-1.0, 600.0],
            principal_point: [f64::INFINITY, 0.0],
        }),
    };
    let told = solve(&views, &setup).unwrap_err().to_string();
    for name in ["lens.fx", "lens.cx", "width", "view 3", "view 5"] {
        assert!(told.contains(name), "{name} in {told}");
    }
}

#[test]
fn the_wrong_mount_raises_doubts_or_is_refused() {
    for (is, said) in [(Mount::Base, Mount::Hand), (Mount::Hand, Mount::Base)] {
        let views = views(&rig(is));
        match solve(&views, &setup(said, Some(lens()))) {
            Ok(solution) => assert!(!solution.doubts().is_empty(), "{solution:?}"),
            Err(error) => assert!(matches!(error, SolveError::Disagree { .. }), "{error}"),
        }
    }
}

#[test]
fn a_board_that_cannot_be_is_refused_with_all_that_is_wrong() {
    let told = Board::new(2, 41, 0.0, 0.02, "DICT_9X9")
        .unwrap_err()
        .to_string();
    for name in ["columns", "rows", "square_m", "marker_m", "dictionary"] {
        assert!(told.contains(name), "{name} in {told}");
    }
    assert!(told.contains("DICT_4X4_50"), "{told}");
    let told = Board::new(12, 10, 0.03, 0.022, "DICT_4X4_50")
        .unwrap_err()
        .to_string();
    assert!(
        told.contains("60 markers") && told.contains("50 in"),
        "{told}"
    );
    assert!(Board::new(7, 5, f64::NAN, 0.02, "DICT_4X4_50").is_err());
}
