//! Cameras from corners that are known exactly, or to a third of a pixel.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod common;

use common::{Random, Rig, lens, rig, setup};
use nalgebra::{Isometry3, Translation3, UnitQuaternion, Vector3};
use proptest::prelude::*;
use tiller_calibration::{Mount, solve};

const MOUNTS: [Mount; 2] = [Mount::Base, Mount::Hand];

#[test]
fn exact_corners_give_the_exact_camera() {
    for mount in MOUNTS {
        let rig = rig(mount);
        let views = rig.views(12, 0.0, &mut Random::new(1));
        for known in [Some(lens()), None] {
            let solution = solve(&views, &setup(mount, known)).unwrap();
            let (metres, degrees) = rig.off(&solution);
            assert!(
                metres < 1e-6 && degrees < 1e-4,
                "{mount:?} {metres} m, {degrees} degrees"
            );
            let (metres, degrees) = rig.board_off(&solution);
            assert!(
                metres < 1e-6 && degrees < 1e-4,
                "{mount:?} {metres} m, {degrees} degrees"
            );
            assert!(solution.largest_px < 1e-4 && solution.board_moves_mm < 1e-3);
            assert!((solution.lens.focal[0] - 602.0).abs() < 1e-3);
            assert_eq!(solution.lens_was_estimated, known.is_none());
            assert_eq!(solution.doubts(), Vec::<String>::new());
        }
    }
}

#[test]
fn noise_of_a_third_of_a_pixel_costs_less_than_two_millimetres() {
    for (mount, known, seed) in [
        (Mount::Base, Some(lens()), 2),
        (Mount::Base, None, 3),
        (Mount::Hand, Some(lens()), 4),
        (Mount::Hand, None, 5),
    ] {
        let rig = rig(mount);
        let views = rig.views(20, 0.3, &mut Random::new(seed));
        let solution = solve(&views, &setup(mount, known)).unwrap();
        let (metres, degrees) = rig.off(&solution);
        println!(
            "{mount:?}, lens {}: {:.2} mm, {degrees:.3} degrees, rms {:.3} px, board {:.2} mm",
            if known.is_some() { "known" } else { "found" },
            metres * 1e3,
            solution.rms_px,
            solution.board_moves_mm
        );
        assert!(
            metres < 2e-3 && degrees < 0.2,
            "{mount:?} {metres} m, {degrees} degrees"
        );
        // Two errors of 0.3 px are 0.42 px long.
        assert!(
            (0.35..0.5).contains(&solution.rms_px),
            "{}",
            solution.rms_px
        );
        assert_eq!(solution.used, 20);
    }
}

#[test]
fn three_views_are_enough_if_they_are_exact() {
    let rig = rig(Mount::Hand);
    let views = rig.views(3, 0.0, &mut Random::new(6));
    let solution = solve(&views, &setup(Mount::Hand, Some(lens()))).unwrap();
    assert!(rig.off(&solution).0 < 1e-6);
}

#[test]
fn a_view_with_a_wrong_pose_is_left_out_and_named() {
    for mount in MOUNTS {
        let rig = rig(mount);
        let mut views = rig.views(15, 0.3, &mut Random::new(7));
        views[4].base_from_tool = views[9].base_from_tool;
        let solution = solve(&views, &setup(mount, Some(lens()))).unwrap();
        let (metres, degrees) = rig.off(&solution);
        assert!(
            metres < 2e-3 && degrees < 0.2,
            "{mount:?} {metres} m, {degrees} degrees"
        );
        let left_out: Vec<&str> = solution
            .views
            .iter()
            .filter(|view| view.left_out)
            .map(|view| view.name.as_str())
            .collect();
        assert_eq!(left_out, ["view 4"]);
        assert_eq!(solution.worst_first()[0].index, 4);
        assert!(solution.views[4].board_moved_mm.unwrap() > 20.0);
    }
}

#[test]
fn single_wrong_corners_do_not_move_the_camera() {
    let rig = rig(Mount::Base);
    let mut views = rig.views(15, 0.3, &mut Random::new(10));
    for (n, view) in views.iter_mut().enumerate() {
        view.corners[n].pixel[n % 2] += 8.0;
    }
    let solution = solve(&views, &setup(Mount::Base, Some(lens()))).unwrap();
    let (metres, degrees) = rig.off(&solution);
    assert!(
        metres < 2e-3 && degrees < 0.2,
        "{metres} m, {degrees} degrees"
    );
    assert!(solution.largest_px > 6.0, "{}", solution.largest_px);
}

#[test]
fn views_that_see_half_of_the_board_or_none_of_it_do_no_harm() {
    let rig = rig(Mount::Base);
    let mut views = rig.views(12, 0.0, &mut Random::new(8));
    views[0].corners.clear();
    views[1].corners.truncate(5);
    // A row of corners does not tell a plane.
    views[2].corners.truncate(6);
    views[3].corners.truncate(12);
    let solution = solve(&views, &setup(Mount::Base, Some(lens()))).unwrap();
    assert!(rig.off(&solution).0 < 1e-6);
    let seen: Vec<usize> = solution.views.iter().map(|view| view.index).collect();
    assert_eq!(seen, (3..12).collect::<Vec<_>>());
}

#[test]
fn a_board_of_another_size_raises_doubts() {
    let rig = rig(Mount::Base);
    let mut views = rig.views(15, 0.1, &mut Random::new(9));
    for corner in views.iter_mut().flat_map(|view| &mut view.corners) {
        corner.point_m = corner.point_m.map(|value| value * 1.1);
    }
    let solution = solve(&views, &setup(Mount::Base, Some(lens()))).unwrap();
    assert!(!solution.doubts().is_empty(), "{solution:?}");
}

fn isometry() -> impl Strategy<Value = Isometry3<f64>> {
    let numbers = prop::array::uniform6(-1.0..1.0f64);
    numbers.prop_map(|[x, y, z, a, b, c]| {
        let turn = Vector3::new(a, b, c) * 3.0;
        let rotation = UnitQuaternion::from_scaled_axis(turn);
        Isometry3::from_parts(Translation3::new(x, y, 0.3 * z), rotation)
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_mount_is_found(
        camera in isometry(),
        board in isometry(),
        seed in any::<u64>(),
        is_hand in any::<bool>(),
        lens_is_known in any::<bool>(),
        roll_deg in 20.0..180.0f64,
    ) {
        let mount = if is_hand { Mount::Hand } else { Mount::Base };
        let rig = Rig { camera, board, roll_deg, ..rig(mount) };
        let views = rig.views(10, 0.0, &mut Random::new(seed));
        let known = lens_is_known.then(lens);
        let solution = solve(&views, &setup(mount, known)).unwrap();
        let (metres, degrees) = rig.off(&solution);
        prop_assert!(metres < 1e-5 && degrees < 1e-3, "{metres} m, {degrees} degrees");
    }
}
