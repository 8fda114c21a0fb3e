//! Detectors other than labels, trackers other than labels, and depth that fails.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod common;

use common::{Picture, Solid, distance, find, render, scene};
use tiller_grounding::{
    Detector, FrameView, Grounder, GroundingConfig, GroundingError, Keypoint, LocalFeatures, Mask,
    Needs, Scene, detector_names,
};

fn with_detector(name: &str) -> GroundingConfig {
    GroundingConfig {
        detector: name.into(),
        ..Default::default()
    }
}

/// Colour and depth, and nothing else.
fn unlabelled(picture: &Picture, stamp_ns: u64) -> FrameView<'_> {
    FrameView {
        segmentation: None,
        labels: &[],
        ..picture.frame(stamp_ns)
    }
}

fn next_to(keypoints: &[Keypoint], place: [f64; 3]) -> &Keypoint {
    let apart = |k: &&Keypoint| distance(k.position_m, place);
    keypoints
        .iter()
        .min_by(|a, b| apart(a).total_cmp(&apart(b)))
        .unwrap()
}

#[test]
fn an_unknown_detector_is_refused_with_those_that_there_are() {
    let error = Grounder::new(with_detector("eyes"))
        .err()
        .unwrap()
        .to_string();
    let names: Vec<_> = detector_names().collect();
    let expected = format!("to be one of {}, found eyes", names.join(", "));
    assert!(error.contains(&expected), "{error}");
    assert!(names.contains(&"labels") && names.contains(&"clusters"));
}

#[test]
fn objects_are_found_without_labels() {
    let mut solids = scene();
    let mut grounder = Grounder::new(with_detector("clusters")).unwrap();
    assert_eq!(
        grounder.needs(),
        Needs {
            depth: true,
            segmentation: false
        }
    );
    let picture = render(&solids);
    let keypoints = grounder.ground(&unlabelled(&picture, 0)).unwrap();
    for label in [3, 4] {
        let block = find(&mut solids, label);
        let found = next_to(keypoints, block.centre);
        let off = distance(found.position_m, block.centre);
        assert!(off < 0.025, "{found:?} is {off} m from {:?}", block.centre);
    }
    let bar = find(&mut solids, 1).centre;
    let drawer = find(&mut solids, 2).centre;
    let (bar, drawer) = (next_to(keypoints, bar), next_to(keypoints, drawer));
    assert_ne!(
        bar.name, drawer.name,
        "parts of another colour are objects of their own"
    );
    // The table is what things lie on, not a thing.
    assert!(
        keypoints.iter().all(|k| k.position_m[2] > 0.005),
        "{keypoints:?}"
    );
    let first = keypoints.iter().find(|k| k.name == "object 1").unwrap();
    assert!(
        keypoints
            .iter()
            .all(|k| k.position_m[1] <= first.position_m[1] + 0.03)
    );
}

#[test]
fn objects_are_followed_by_their_looks() {
    let mut solids = scene();
    let mut grounder = Grounder::new(with_detector("clusters")).unwrap();
    let picture = render(&solids);
    let start = grounder.ground(&unlabelled(&picture, 0)).unwrap().to_vec();
    let blue = next_to(&start, find(&mut solids, 4).centre).clone();
    let red = next_to(&start, find(&mut solids, 3).centre).clone();
    for step in 1..=15_u64 {
        find(&mut solids, 4).centre[1] += 0.008;
        let picture = render(&solids);
        let keypoints = grounder
            .track(&unlabelled(&picture, step * 33_000_000))
            .unwrap();
        let [now_blue, now_red] = [&blue, &red].map(|k| &keypoints[k.index]);
        let expected = blue.position_m[1] + 0.008 * step as f64;
        assert!(now_blue.visible && now_red.visible, "step {step}");
        let off = (now_blue.position_m[1] - expected).abs();
        assert!(off < 6e-3, "step {step}: off by {off}");
        assert!(
            distance(now_red.position_m, red.position_m) < 2e-3,
            "step {step}"
        );
    }
}

#[test]
fn what_is_hidden_from_looks_ages_and_is_found_again() {
    let mut solids = scene();
    let mut grounder = Grounder::new(with_detector("clusters")).unwrap();
    let picture = render(&solids);
    let start = grounder.ground(&unlabelled(&picture, 0)).unwrap().to_vec();
    let red = next_to(&start, find(&mut solids, 3).centre).index;
    solids.push(Solid {
        label: 6,
        centre: [0.62, 0.02, 0.3],
        half: [0.01, 0.15, 0.12],
        rgb: [220; 3],
    });
    let picture = render(&solids);
    let hidden = grounder.track(&unlabelled(&picture, 100)).unwrap()[red].clone();
    assert_eq!((hidden.visible, hidden.age_ns), (false, 100));
    assert_eq!(hidden.position_m, start[red].position_m);
    solids.pop();
    let picture = render(&solids);
    assert!(grounder.track(&unlabelled(&picture, 200)).unwrap()[red].visible);
}

#[test]
fn depth_or_labels_that_fail_leave_keypoints_that_age() {
    let picture = render(&scene());
    let pixels = picture.depth_mm.len();
    let (no_depth, no_labels) = (vec![0; pixels], vec![0; pixels]);
    let mut without_depth = picture.frame(700);
    without_depth.depth_mm = Some(&no_depth);
    let mut without_labels = picture.frame(700);
    without_labels.segmentation = Some(&no_labels);
    for frame in [without_depth, without_labels] {
        let mut grounder = Grounder::new(with_detector("labels")).unwrap();
        let start = grounder.ground(&picture.frame(100)).unwrap().to_vec();
        for (before, now) in start.iter().zip(grounder.track(&frame).unwrap()) {
            assert_eq!((now.visible, now.age_ns), (false, 600), "{}", now.name);
            assert_eq!(now.position_m, before.position_m);
        }
        let back = grounder.track(&picture.frame(800)).unwrap();
        assert!(back.iter().all(|k| k.visible && k.age_ns == 0));
    }
}

#[test]
fn a_plane_stands_in_for_depth() {
    let mut solids = scene();
    let picture = render(&solids);
    let mut frame = picture.frame(0);
    frame.depth_mm = None;
    let config = GroundingConfig {
        plane_height_m: Some(0.02),
        ..with_detector("labels")
    };
    let mut grounder = Grounder::new(config.clone()).unwrap();
    assert_eq!(
        grounder.needs(),
        Needs {
            depth: false,
            segmentation: true
        }
    );
    let keypoints = grounder.ground(&frame).unwrap();
    for label in [3, 4] {
        let block = find(&mut solids, label).centre;
        let found = next_to(keypoints, block);
        assert!(
            distance(found.position_m, block) < 0.02,
            "{found:?}, expected {block:?}"
        );
        assert!((found.position_m[2] - 0.02).abs() < 1e-3);
    }
    // A detector that lives on depth does not take the plane for it.
    let clusters = GroundingConfig {
        detector: "clusters".into(),
        ..config
    };
    let error = Grounder::new(clusters).unwrap().ground(&frame).unwrap_err();
    assert_eq!(error, GroundingError::NoDepth { hint: "" });
}

/// A detector that works once, then fails.
struct Fleeting(bool);

impl Detector for Fleeting {
    fn needs(&self) -> Needs {
        Needs::default()
    }

    fn detect(&mut self, scene: &Scene<'_>, masks: &mut Vec<Mask>) -> Result<(), GroundingError> {
        let red = (0..).zip(scene.frame.segmentation.unwrap_or_default());
        let pixels = red
            .filter(|(_, id)| **id == 3)
            .map(|(pixel, _)| pixel)
            .collect();
        masks.push(Mask {
            object: "mug".into(),
            pixels,
        });
        if std::mem::replace(&mut self.0, true) {
            return Err(GroundingError::Detection("no answer".into()));
        }
        Ok(())
    }
}

#[test]
fn a_detector_that_fails_leaves_what_was_found_before() {
    let picture = render(&scene());
    let detector = Box::new(Fleeting(false));
    let features = Box::new(LocalFeatures);
    let mut grounder = Grounder::with(GroundingConfig::default(), detector, features).unwrap();
    let before = grounder.ground(&picture.frame(0)).unwrap().to_vec();
    assert!(grounder.ground(&picture.frame(1)).is_err());
    let now = grounder.track(&unlabelled(&picture, 2)).unwrap();
    assert!(now[0].visible && distance(now[0].position_m, before[0].position_m) < 5e-3);
    assert_eq!(now[0].name, "mug");
    assert_eq!(grounder.generation(), 1);
}
