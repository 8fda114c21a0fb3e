//! Cameras from pictures of the printed board, as a user has them.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod common;

use common::{Random, board, lens, pose, rig, setup};
use image::GrayImage;
use nalgebra::Point3;
use tiller_calibration::{Mount, View, find, sheet, solve};

/// Twelve views of a rig, found in pictures, and the pictures.
fn seen(mount: Mount, seed: u64) -> (Vec<View>, Vec<GrayImage>) {
    let (rig, board) = (rig(mount), board());
    let mut random = Random::new(seed);
    let sights = rig.sights(12, &mut random);
    let pictures: Vec<GrayImage> = sights
        .iter()
        .map(|sight| rig.picture(sight, &mut random))
        .collect();
    let view = |(index, sight)| View {
        name: format!("{index}.png"),
        base_from_tool: pose(&rig.base_from_tool(sight)),
        corners: find(&pictures[index], &board),
    };
    let views = sights.iter().enumerate().map(view).collect();
    (views, pictures)
}

#[test]
fn corners_are_found_where_they_are() {
    let (rig, board) = (rig(Mount::Base), board());
    let mut random = Random::new(20);
    let (mut count, mut sum, mut bias) = (0, 0.0, [0.0; 2]);
    for sight in rig.sights(12, &mut random) {
        let found = find(&rig.picture(&sight, &mut random), &board);
        assert!(found.len() >= 20, "{} of 24 corners", found.len());
        for corner in found {
            let point_m = board.corner_m(corner.id).unwrap();
            assert_eq!(corner.point_m, point_m);
            let true_pixel = rig.lens.project(&(sight * Point3::from(point_m))).unwrap();
            let off = [
                corner.pixel[0] - true_pixel[0],
                corner.pixel[1] - true_pixel[1],
            ];
            let length = off[0].hypot(off[1]);
            assert!(length < 0.7, "corner {}: {off:?} px off", corner.id);
            count += 1;
            sum += length * length;
            bias = [bias[0] + off[0], bias[1] + off[1]];
        }
    }
    let bias = bias.map(|sum| sum / f64::from(count));
    let rms = (sum / f64::from(count)).sqrt();
    println!("{count} corners, {rms:.3} px rms, {bias:?} px bias");
    assert!(rms < 0.2, "{rms} px rms");
    assert!(
        bias.iter().all(|bias| bias.abs() < 0.04),
        "{bias:?} px bias"
    );
}

#[test]
fn pictures_give_the_camera_to_two_millimetres() {
    for (mount, known, seed) in [
        (Mount::Base, Some(lens()), 21),
        (Mount::Base, None, 22),
        (Mount::Hand, Some(lens()), 23),
        (Mount::Hand, None, 24),
    ] {
        let (views, pictures) = seen(mount, seed);
        let solution = solve(&views, &setup(mount, known)).unwrap();
        let (metres, degrees) = rig(mount).off(&solution);
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
        assert_eq!(solution.used, 12);
        let drawn = sheet(&solution, &views, |index| pictures.get(index));
        // The worst view, and three rows of three.
        assert_eq!(drawn.dimensions(), (960, 742 + 3 * 262));
        let green = drawn
            .pixels()
            .filter(|pixel| pixel.0 == [0, 160, 60])
            .count();
        assert!(green > 1000, "{green} green pixels");
    }
}

#[test]
fn half_a_board_is_known_by_its_markers() {
    let (rig, board) = (rig(Mount::Base), board());
    let mut random = Random::new(25);
    let sight = rig.sights(1, &mut random)[0];
    let mut picture = rig.picture(&sight, &mut random);
    let middle = rig
        .lens
        .project(&(sight * Point3::new(0.105, 0.075, 0.0)))
        .unwrap()[0];
    for (column, _, pixel) in picture.enumerate_pixels_mut() {
        if f64::from(column) > middle {
            pixel.0 = [90];
        }
    }
    let found = find(&picture, &board);
    assert!((6..20).contains(&found.len()), "{}", found.len());
    for corner in found {
        let at = rig
            .lens
            .project(&(sight * Point3::from(corner.point_m)))
            .unwrap();
        let off = (corner.pixel[0] - at[0]).hypot(corner.pixel[1] - at[1]);
        assert!(off < 0.7, "corner {}: {off} px off", corner.id);
    }
}

#[test]
fn nothing_is_found_where_there_is_no_board() {
    let mut random = Random::new(26);
    let noise = GrayImage::from_fn(320, 240, |_, _| {
        image::Luma([(128.0 + 20.0 * random.normal()).clamp(0.0, 255.0) as u8])
    });
    assert_eq!(find(&noise, &board()), []);
    assert_eq!(find(&GrayImage::new(3, 2), &board()), []);
    assert_eq!(find(&GrayImage::new(0, 0), &board()), []);
}
