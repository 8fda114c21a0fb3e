//! A camera from a recording of an arm that goes from pose to pose.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod common;

use std::path::Path;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, UInt8Array};
use common::{Random, SIZE, board, lens, rig, setup};
use image::{DynamicImage, GrayImage};
use nalgebra::Isometry3;
use tiller_calibration::{Lens, Mount, ReadError, Topics, View, read_recording, size_of, solve};
use tiller_core::SECOND_NS;
use tiller_messages::{ArmState, Encoding, ImageHeader, Message, Status};
use tiller_recording::pixels;
use tiller_recording::testing::{RecordEntry, entry, entry_beside, write};

/// Poses that the arm stands at, each for a second, with a second on the way to the next one.
const POSES: usize = 8;

fn picture(stamp_ns: u64, grey: &GrayImage, lens: Option<Lens>) -> RecordEntry {
    let rgb = DynamicImage::ImageLuma8(grey.clone()).into_rgb8();
    let file = pixels::png(&rgb, [grey.width(), grey.height()]).unwrap();
    let header = ImageHeader {
        stamp_ns,
        width: grey.width() as usize,
        height: grey.height() as usize,
        encoding: Encoding::Png,
        focal: lens.map(|lens| lens.focal),
        principal_point: lens.map(|lens| lens.principal_point),
        ..ImageHeader::default()
    };
    let data: ArrayRef = Arc::new(UInt8Array::from(file));
    entry_beside(
        "camera",
        "image",
        Some(data.as_ref() as &dyn Array),
        header.to_pairs(),
    )
}

/// The arm's states 50 times a second, a picture four times a second. The board is seen from every pose but
/// the third one, and nowhere on the way.
fn recording(path: &Path, says_lens: bool) {
    let rig = rig(Mount::Base);
    let mut random = Random::new(80);
    let sights = rig.sights(POSES, &mut random);
    let tools: Vec<Isometry3<f64>> = sights
        .iter()
        .map(|sight| rig.base_from_tool(sight))
        .collect();
    let pictures: Vec<GrayImage> = sights
        .iter()
        .map(|sight| rig.picture(sight, &mut random))
        .collect();
    let empty = GrayImage::from_pixel(SIZE[0], SIZE[1], image::Luma([90]));
    let mut entries = vec![entry(
        "console",
        "status",
        Some(&Status::default().to_arrow()),
    )];
    for at_ms in (0..2000 * POSES as u64).step_by(10) {
        let (pose, phase) = ((at_ms / 2000) as usize, at_ms % 2000);
        let next = tools[(pose + 1).min(POSES - 1)];
        let share = phase.saturating_sub(1000) as f64 / 1000.0;
        let stamp_ns = at_ms * SECOND_NS / 1000;
        if at_ms % 20 == 0 {
            let state = ArmState {
                stamp_ns,
                tcp: common::pose(&tools[pose].lerp_slerp(&next, share)),
                ..ArmState::default()
            };
            entries.push(entry("actuator", "arm_state", Some(&state.to_arrow())));
        }
        if at_ms % 250 == 0 {
            let seen = if phase <= 1000 && pose != 2 {
                &pictures[pose]
            } else {
                &empty
            };
            let lens = says_lens.then(lens);
            entries.push(picture(stamp_ns, seen, lens));
        }
    }
    write(path, &entries);
}

fn topics() -> Topics {
    Topics {
        camera: "camera/image".to_owned(),
        arm: None,
    }
}

#[test]
fn a_recording_gives_a_picture_for_each_pose_at_rest_and_the_camera() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.drec");
    recording(&path, true);
    let mut last = (0, 0);
    let recorded =
        read_recording(&path, &topics(), &board(), |done, of| last = (done, of)).unwrap();
    // All of it was read, twice, up to the mark at the end.
    assert!(last.0 < last.1 && last.1 - last.0 < 100, "{last:?}");
    assert_eq!(recorded.shots.len(), POSES - 1, "{:?}", recorded.skipped);
    assert_eq!(recorded.pictures, 8 * POSES);
    assert_eq!(recorded.lens, Some(lens()));
    assert_eq!((recorded.unreadable, &recorded.broken), (0, &None));
    let skipped = recorded.skipped;
    // The last pose has no way to a next one: the arm stays there.
    assert!(
        skipped.moving >= 4 * (POSES - 1) && skipped.no_board == 3,
        "{skipped:?}"
    );
    assert_eq!(size_of(&recorded.shots).unwrap(), Some(SIZE));
    let views: Vec<View> = recorded
        .shots
        .iter()
        .map(|shot| shot.view.clone())
        .collect();
    assert_eq!(views[0].name, "0.25 s");
    let solution = solve(&views, &setup(Mount::Base, recorded.lens)).unwrap();
    let (metres, degrees) = rig(Mount::Base).off(&solution);
    assert!(
        metres < 2e-3 && degrees < 0.2,
        "{metres} m, {degrees} degrees"
    );
}

#[test]
fn what_a_recording_lacks_is_told_with_what_it_has() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.drec");
    write(
        &path,
        &[
            picture(5, &GrayImage::new(20, 20), None),
            entry("console", "status", Some(&Status::default().to_arrow())),
        ],
    );
    let read = |topics: &Topics| read_recording(&path, topics, &board(), |_, _| {});
    let told = read(&topics()).unwrap_err().to_string();
    assert!(
        told.contains("`arm_state`") && told.contains("console/status"),
        "{told}"
    );
    let other = Topics {
        camera: "camera/wrist_image".to_owned(),
        arm: Some("console/status".to_owned()),
    };
    let told = read(&other).unwrap_err().to_string();
    assert!(
        told.contains("wrist_image") && told.contains("camera/image"),
        "{told}"
    );
    let wrong_arm = Topics {
        camera: "camera/image".to_owned(),
        ..other
    };
    let error = read(&wrong_arm).unwrap_err();
    assert!(matches!(error, ReadError::Output { .. }), "{error}");
    assert!(read_recording(folder.path(), &topics(), &board(), |_, _| {}).is_err());
}
