//! Pictures to train detectors on.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use tiller_playtable::{Frame, Scenery, labels};
use tiller_world::WorldError;

fn scene(scenery: &mut Scenery, seed: u64) -> Vec<Frame> {
    let mut frames = Vec::new();
    scenery
        .scene::<WorldError>(seed, |frame| {
            frames.push(frame.clone());
            Ok(())
        })
        .unwrap();
    frames
}

#[test]
fn a_seed_s_pictures_are_the_same_and_each_looks_otherwise() {
    let mut scenery = Scenery::new([128, 128]).unwrap();
    let known = labels().len();
    let (mut shown, mut cameras) = (vec![false; known + 1], Vec::new());
    for seed in 0..12 {
        let first = scene(&mut scenery, seed);
        assert_eq!(first.len(), 4);
        // Whatever was shown between.
        scene(&mut scenery, seed + 1);
        let again = scene(&mut scenery, seed);
        for (a, b) in first.iter().zip(&again) {
            assert_eq!((&a.rgb, &a.depth_mm), (&b.rgb, &b.depth_mm), "seed {seed}");
            assert_eq!(a.segmentation, b.segmentation, "seed {seed}");
        }
        for frame in &first {
            assert_eq!(frame.rgb.len(), 3 * 128 * 128);
            cameras.push(frame.geometry.world_from_camera);
            for label in &frame.segmentation {
                shown[usize::from(*label)] = true;
            }
        }
    }
    let moved = cameras.windows(2).filter(|pair| pair[0] != pair[1]).count();
    assert!(moved > cameras.len() / 2, "{moved} of {}", cameras.len());
    // All parts of the plain table, and some of what the hard suites add.
    assert!(shown[1..=11].iter().all(|it| *it), "{shown:?}");
    assert!(
        shown[12..].iter().filter(|it| **it).count() > 2,
        "{shown:?}"
    );
}
