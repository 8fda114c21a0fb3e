//! Grounding and tracking on rendered scenes with known geometry.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod common;

use std::time::Instant;

use common::{Solid, distance, find, render, scene};
use tiller_grounding::{Grounder, GroundingConfig, GroundingError, Keypoint, annotate};

fn config() -> GroundingConfig {
    GroundingConfig {
        ignored: vec!["table".into(), "robot".into()],
        counts: vec![("drawer".into(), 2)],
        ..Default::default()
    }
}

fn grounded(solids: &[Solid]) -> Grounder {
    let mut grounder = Grounder::new(config()).unwrap();
    grounder.ground(&render(solids).frame(0)).unwrap();
    grounder
}

fn position(keypoints: &[Keypoint], name: &str) -> [f64; 3] {
    keypoints
        .iter()
        .find(|keypoint| keypoint.name == name)
        .unwrap()
        .position_m
}

/// The centroid of the faces of a box that the test camera sees, weighted by how large they look:
/// the top and the face towards the camera; the small sideways share is left out.
fn visible_centroid(solid: &Solid) -> [f64; 3] {
    let to_camera: [f64; 3] =
        std::array::from_fn(|axis| [1.26, 0.0, 1.04][axis] - solid.centre[axis]);
    let mut sum = [0.0; 3];
    let mut total = 0.0;
    for axis in 0..3 {
        let sign = to_camera[axis].signum();
        let facing = to_camera[axis].abs() - solid.half[axis];
        if facing <= 0.0 {
            continue;
        }
        let (b, c) = ((axis + 1) % 3, (axis + 2) % 3);
        let weight = facing * solid.half[b] * solid.half[c];
        let mut face = solid.centre;
        face[axis] += sign * solid.half[axis];
        sum.iter_mut()
            .zip(face)
            .for_each(|(total, value)| *total += weight * value);
        total += weight;
    }
    sum.map(|value| value / total)
}

#[test]
fn keypoints_lie_on_their_objects_to_five_millimetres() {
    let mut solids = scene();
    let grounder = grounded(&solids);
    let names: Vec<&str> = grounder
        .keypoints()
        .iter()
        .map(|k| k.name.as_str())
        .collect();
    assert_eq!(
        names,
        [
            "drawer handle",
            "drawer 1",
            "drawer 2",
            "red block",
            "blue block"
        ]
    );
    assert_eq!(grounder.generation(), 1);
    for (label, name) in [(1, "drawer handle"), (3, "red block"), (4, "blue block")] {
        let found = position(grounder.keypoints(), name);
        let expected = visible_centroid(find(&mut solids, label));
        assert!(
            distance(found, expected) < 5e-3,
            "{name}: {found:?}, expected {expected:?}"
        );
    }
    let drawer = find(&mut solids, 2).clone();
    for name in ["drawer 1", "drawer 2"] {
        let found = position(grounder.keypoints(), name);
        for axis in 0..3 {
            let outside = (found[axis] - drawer.centre[axis]).abs() - drawer.half[axis];
            assert!(
                outside < 5e-3,
                "{name} at {found:?} lies {outside} m outside"
            );
        }
    }
    let [left, right] = ["drawer 1", "drawer 2"].map(|name| position(grounder.keypoints(), name));
    assert!(
        left[1] - right[1] > 0.08,
        "numbered from the robot's left: {left:?}, {right:?}"
    );
}

#[test]
fn keypoints_follow_what_moves_and_nothing_else() {
    let mut solids = scene();
    let mut grounder = grounded(&solids);
    let start: Vec<Keypoint> = grounder.keypoints().to_vec();
    for step in 1..=15u64 {
        find(&mut solids, 1).centre[0] -= 0.01;
        find(&mut solids, 2).centre[0] -= 0.01;
        find(&mut solids, 4).centre[1] += 0.008;
        let picture = render(&solids);
        let keypoints = grounder.track(&picture.frame(step * 33_000_000)).unwrap();
        let travel = step as f64 * 0.01;
        for (before, now) in start.iter().zip(keypoints) {
            let [dx, dy, dz]: [f64; 3] =
                std::array::from_fn(|axis| now.position_m[axis] - before.position_m[axis]);
            let expected = match now.object.as_str() {
                "drawer" | "drawer handle" => [-travel, 0.0],
                "blue block" => [0.0, step as f64 * 0.008],
                _ => [0.0, 0.0],
            };
            let error = (dx - expected[0]).hypot(dy - expected[1]).hypot(dz);
            // The view of the drawer's faces changes as it moves.
            assert!(error < 6e-3, "step {step}, {}: off by {error}", now.name);
            assert!(now.visible && now.age_ns == 0);
        }
    }
}

/// Something the robot holds in front of the camera.
fn occluder(centre: [f64; 3], half: [f64; 3]) -> Solid {
    Solid {
        label: 6,
        centre,
        half,
        rgb: [220; 3],
    }
}

#[test]
fn a_half_hidden_object_is_followed_by_its_outline() {
    let mut solids = scene();
    let mut grounder = grounded(&solids);
    let before = position(grounder.keypoints(), "drawer handle");
    // A finger comes down onto the near half of the bar, then the bar moves with it.
    for step in 1..=12 {
        let bar = find(&mut solids, 1);
        bar.centre[0] -= 0.01;
        let finger = occluder([bar.centre[0], -0.21, 0.12], [0.02, 0.035, 0.08]);
        let mut with_finger = solids.clone();
        with_finger.push(finger);
        let picture = render(&with_finger);
        let keypoints = grounder.track(&picture.frame(step * 33_000_000)).unwrap();
        let now = position(keypoints, "drawer handle");
        let expected = [before[0] - 0.01 * step as f64, before[1], before[2]];
        let error = distance(now, expected);
        assert!(
            error < 8e-3,
            "step {step}: {now:?}, expected {expected:?}, off by {error}"
        );
    }
}

#[test]
fn a_hidden_object_holds_its_place_and_ages() {
    let mut solids = scene();
    let mut grounder = grounded(&solids);
    let before = position(grounder.keypoints(), "red block");
    solids.push(occluder([0.62, 0.02, 0.3], [0.01, 0.15, 0.12]));
    let picture = render(&solids);
    let hidden = picture
        .segmentation
        .iter()
        .filter(|label| **label == 3)
        .count();
    assert_eq!(hidden, 0, "the occluder hides the block");
    for step in 1..=3 {
        let keypoints = grounder.track(&picture.frame(step * 100)).unwrap();
        let red = keypoints.iter().find(|k| k.name == "red block").unwrap();
        assert_eq!(
            (red.visible, red.age_ns, red.position_m),
            (false, step * 100, before)
        );
    }
    solids.pop();
    find(&mut solids, 3).centre[1] += 0.05;
    let picture = render(&solids);
    let keypoints = grounder.track(&picture.frame(500)).unwrap();
    let red = keypoints.iter().find(|k| k.name == "red block").unwrap();
    assert!(red.visible && red.age_ns == 0);
    assert!(
        (red.position_m[1] - before[1] - 0.05).abs() < 4e-3,
        "{:?}",
        red.position_m
    );
}

#[test]
fn objects_without_pixels_are_passed_over_with_a_reason() {
    let solids: Vec<Solid> = scene()
        .into_iter()
        .filter(|solid| solid.label != 3)
        .collect();
    let grounder = grounded(&solids);
    assert!(
        grounder
            .keypoints()
            .iter()
            .all(|keypoint| keypoint.object != "red block")
    );
    let [skipped] = grounder.skipped() else {
        panic!("{:?}", grounder.skipped())
    };
    assert_eq!(
        skipped.reason,
        "red block shows 0 pixels with depth, expected at least 6"
    );
}

#[test]
fn wrong_pixels_of_a_real_camera_do_not_move_a_keypoint() {
    let solids = scene();
    let mut picture = render(&solids);
    let clean = grounded(&solids);
    // Every seventh depth of an object is lost, every eleventh lies far behind it.
    for (index, depth) in picture.depth_mm.iter_mut().enumerate() {
        match index {
            _ if index % 7 == 0 => *depth = 0,
            _ if index % 11 == 0 => *depth += 600,
            _ => {}
        }
    }
    let mut grounder = Grounder::new(config()).unwrap();
    let keypoints = grounder.ground(&picture.frame(0)).unwrap();
    for name in ["drawer handle", "red block", "blue block"] {
        let error = distance(position(keypoints, name), position(clean.keypoints(), name));
        assert!(error < 4e-3, "{name} is off by {error}");
    }
}

#[test]
fn the_same_frames_give_the_same_bits() {
    let run = || {
        let mut solids = scene();
        let mut grounder = grounded(&solids);
        for step in 1..=4 {
            find(&mut solids, 1).centre[0] -= 0.007;
            solids.push(occluder([0.56, -0.21, 0.12], [0.02, 0.035, 0.08]));
            grounder.track(&render(&solids).frame(step)).unwrap();
            solids.pop();
        }
        grounder.keypoints().to_vec()
    };
    assert_eq!(run(), run());
}

#[test]
fn generations_count_groundings() {
    let mut grounder = grounded(&scene());
    let picture = render(&scene());
    grounder.track(&picture.frame(1)).unwrap();
    assert_eq!(grounder.generation(), 1);
    grounder.ground(&picture.frame(2)).unwrap();
    assert_eq!(grounder.generation(), 2);
}

#[test]
fn unusable_frames_are_refused_and_change_nothing() {
    let mut grounder = Grounder::new(config()).unwrap();
    let picture = render(&scene());
    assert_eq!(
        grounder.track(&picture.frame(0)).unwrap_err(),
        GroundingError::NotGrounded
    );
    grounder.ground(&picture.frame(0)).unwrap();
    let before = grounder.keypoints().to_vec();
    let mut frame = picture.frame(1);
    frame.depth_mm = Some(&picture.depth_mm[1..]);
    let error = grounder.track(&frame).unwrap_err().to_string();
    assert_eq!(
        error,
        "expected 65536 depth values for 256 x 256 pixels, found 65535"
    );
    let mut frame = picture.frame(1);
    frame.segmentation = None;
    assert_eq!(
        grounder.ground(&frame).unwrap_err(),
        GroundingError::NoSegmentation
    );
    let mut frame = picture.frame(1);
    frame.depth_mm = None;
    let error = grounder.ground(&frame).unwrap_err().to_string();
    assert_eq!(
        error,
        "expected a frame with a depth image or a plane to take its place, found none"
    );
    let nothing = vec![0; picture.depth_mm.len()];
    let mut frame = picture.frame(1);
    frame.depth_mm = Some(&nothing);
    let error = grounder.ground(&frame).unwrap_err();
    assert!(
        matches!(error, GroundingError::NothingFound { .. }),
        "{error}"
    );
    assert_eq!(
        (grounder.keypoints(), grounder.generation()),
        (&before[..], 1)
    );
}

#[test]
fn the_annotated_picture_is_large_enough_to_read() {
    let grounder = grounded(&scene());
    let picture = render(&scene());
    let image = annotate(&picture.frame(0), grounder.keypoints()).unwrap();
    assert!(image.width() >= 640 && image.height() >= 640);
    // The scene is still there between the labels, and labels are on it.
    let plain = annotate(&picture.frame(0), &[]).unwrap();
    let pixels = plain.pixels().zip(image.pixels());
    let changed = pixels.filter(|(a, b)| a != b).count();
    assert!(changed > 2_000, "{changed} pixels changed");
    if let Some(folder) = std::env::var_os("TILLER_PICTURES") {
        image
            .save(std::path::Path::new(&folder).join("annotated.png"))
            .unwrap();
    }
}

#[test]
fn tracking_keeps_up_with_the_camera() {
    let mut solids = scene();
    let mut grounder = grounded(&solids);
    solids.push(occluder([0.57, -0.21, 0.12], [0.02, 0.035, 0.08]));
    let picture = render(&solids);
    // The fastest of several rounds, so that other work on the machine does not count.
    let fastest_ms = (0..20)
        .map(|step| {
            let start = Instant::now();
            grounder.track(&picture.frame(step)).unwrap();
            start.elapsed().as_secs_f64() * 1e3
        })
        .fold(f64::INFINITY, f64::min);
    assert!(fastest_ms < 5.0, "{fastest_ms} ms a frame");
}

#[test]
fn a_name_of_any_length_leaves_the_picture_its_size() {
    let grounder = grounded(&scene());
    let picture = render(&scene());
    let size_with = |length: usize| {
        let mut keypoints = grounder.keypoints().to_vec();
        for keypoint in &mut keypoints {
            keypoint.name = "W".repeat(length);
        }
        annotate(&picture.frame(0), &keypoints)
            .unwrap()
            .dimensions()
    };
    assert_eq!(size_with(41), size_with(10_000));
}
