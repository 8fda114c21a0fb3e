//! Tracking by optical flow on scenes whose geometry is known exactly.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod common;

use common::{Picture, Solid, distance, find, render, scene};
use tiller_core::Pose;
use tiller_grounding::{FrameView, Grounder, GroundingConfig, Hand, Keypoint, tracker_names};

const FRAME_NS: u64 = 33_000_000;
const RED: u8 = 3;
const BLUE: u8 = 4;

fn config(tracker: &str) -> GroundingConfig {
    GroundingConfig {
        tracker: tracker.into(),
        ignored: vec!["table".into(), "robot".into()],
        ..Default::default()
    }
}

/// The first picture has labels, as a detector has them; later ones have none.
fn unlabelled(picture: &Picture, step: u64) -> FrameView<'_> {
    FrameView {
        labels: &[],
        ..picture.frame(step * FRAME_NS)
    }
}

fn grounded(solids: &[Solid]) -> (Grounder, Vec<Keypoint>) {
    let mut grounder = Grounder::new(config("flow")).unwrap();
    let start = grounder.ground(&render(solids).frame(0)).unwrap().to_vec();
    (grounder, start)
}

fn track(grounder: &mut Grounder, solids: &[Solid], step: u64) -> Vec<Keypoint> {
    let picture = render(solids);
    grounder
        .track(&unlabelled(&picture, step))
        .unwrap()
        .to_vec()
}

fn named<'a>(keypoints: &'a [Keypoint], name: &str) -> &'a Keypoint {
    keypoints.iter().find(|k| k.name == name).unwrap()
}

/// Something large that hides the red block from the camera.
fn screen() -> Solid {
    Solid {
        label: 6,
        centre: [0.62, 0.02, 0.3],
        half: [0.01, 0.15, 0.12],
        rgb: [220; 3],
    }
}

#[test]
fn an_unknown_tracker_is_refused_with_those_that_there_are() {
    let error = Grounder::new(config("eyes")).err().unwrap().to_string();
    let names: Vec<_> = tracker_names().collect();
    let expected = format!("to be one of {}, found eyes", names.join(", "));
    assert!(error.contains(&expected), "{error}");
}

#[test]
fn what_moves_is_followed_and_nothing_else_moves() {
    let mut solids = scene();
    let (mut grounder, start) = grounded(&solids);
    for step in 1..=20 {
        find(&mut solids, BLUE).centre[1] += 0.006;
        find(&mut solids, BLUE).centre[0] -= 0.003;
        let now = track(&mut grounder, &solids, step);
        for (before, now) in start.iter().zip(&now) {
            let share = if now.name == "blue block" {
                step as f64
            } else {
                0.0
            };
            let expected: [f64; 3] =
                std::array::from_fn(|i| before.position_m[i] + share * [-0.003, 0.006, 0.0][i]);
            let off_m = distance(now.position_m, expected);
            assert!(
                off_m < 3e-3,
                "step {step}: {} is off by {off_m} m",
                now.name
            );
            assert!(now.visible && now.confidence > 0.4, "step {step}: {now:?}");
        }
    }
}

#[test]
fn what_is_hidden_stays_and_is_trusted_less_and_less() {
    let mut solids = scene();
    let (mut grounder, start) = grounded(&solids);
    let before = named(&start, "red block").clone();
    solids.push(screen());
    let mut last = 1.0;
    for step in 1..=60 {
        let now = track(&mut grounder, &solids, step);
        let red = named(&now, "red block");
        assert!(
            !red.visible && red.age_ns == step * FRAME_NS,
            "step {step}: {red:?}"
        );
        assert_eq!(red.position_m, before.position_m);
        assert!(
            red.confidence < last && red.confidence > 0.35,
            "step {step}: {red:?}"
        );
        last = red.confidence;
    }
    solids.pop();
    let now = track(&mut grounder, &solids, 61);
    let red = named(&now, "red block");
    assert!(
        red.visible && red.confidence > 0.5 && distance(red.position_m, before.position_m) < 1e-3
    );
}

#[test]
fn what_has_moved_behind_something_is_found_again_by_its_looks() {
    let mut solids = scene();
    let (mut grounder, start) = grounded(&solids);
    let before = named(&start, "red block").position_m;
    solids.push(screen());
    for step in 1..=5 {
        track(&mut grounder, &solids, step);
    }
    find(&mut solids, RED).centre[0] -= 0.12;
    find(&mut solids, RED).centre[1] -= 0.10;
    solids.pop();
    let mut found = None;
    for step in 6..=15 {
        let now = track(&mut grounder, &solids, step);
        let red = named(&now, "red block");
        if red.visible && found.is_none() {
            found = Some(step);
        }
    }
    let now = track(&mut grounder, &solids, 16);
    let expected = [before[0] - 0.12, before[1] - 0.10, before[2]];
    let off_m = distance(named(&now, "red block").position_m, expected);
    assert!(
        found.is_some() && off_m < 6e-3,
        "found in {found:?}, off by {off_m} m"
    );
}

#[test]
fn what_is_gone_is_lost_within_a_second() {
    let mut solids = scene();
    let (mut grounder, _) = grounded(&solids);
    solids.retain(|solid| solid.label != RED);
    let mut lost = None;
    for step in 1..=30 {
        let now = track(&mut grounder, &solids, step);
        let red = named(&now, "red block");
        assert!(!red.visible, "step {step}: {red:?}");
        if red.confidence < 0.05 && lost.is_none() {
            lost = Some(step);
        }
    }
    assert!(lost.is_some());
}

fn hand(centre: [f64; 3], width_m: f64, step: u64) -> Hand {
    Hand {
        stamp_ns: step * FRAME_NS,
        world_from_tool: Pose {
            position_m: centre,
            quaternion_wxyz: [0.0, 1.0, 0.0, 0.0],
        },
        gripper_width_m: width_m,
    }
}

/// The red block is gripped, hidden and carried off.
fn carried(width_m: f64) -> (Vec<Keypoint>, [f64; 3]) {
    let mut solids = scene();
    let (mut grounder, start) = grounded(&solids);
    let before = named(&start, "red block").position_m;
    for step in 1..=3 {
        grounder.hear(hand(find(&mut solids, RED).centre, width_m, step));
        track(&mut grounder, &solids, step);
    }
    solids.push(screen());
    let mut now = Vec::new();
    for step in 4..=13 {
        let red = find(&mut solids, RED);
        red.centre[2] += 0.004;
        let centre = red.centre;
        grounder.hear(hand(centre, width_m, step));
        now = track(&mut grounder, &solids, step);
    }
    (now, [before[0], before[1], before[2] + 0.04])
}

#[test]
fn what_the_fingers_hold_moves_with_them_unseen() {
    let (now, expected) = carried(0.042);
    let red = named(&now, "red block");
    assert!(!red.visible && red.confidence > 0.5, "{red:?}");
    assert!(
        distance(red.position_m, expected) < 2e-3,
        "{red:?}, expected {expected:?}"
    );
}

#[test]
fn what_no_fingers_hold_stays() {
    for width_m in [0.0, 0.08] {
        let (now, carried) = carried(width_m);
        let red = named(&now, "red block");
        assert!(distance(red.position_m, carried) > 0.03, "{red:?}");
    }
}
