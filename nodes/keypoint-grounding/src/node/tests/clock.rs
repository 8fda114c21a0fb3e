//! The arm's state as the clock that cameras should share, and as a sign that pictures must change.

use super::damages::arm;
use super::*;

/// A frame whose picture tells it from others.
fn frame_of(script: Script, stamp_ms: u64, brightness: u8) -> Script {
    let pixels = [brightness; 3 * PIXELS];
    let script = script.image("image", &header(stamp_ms, Encoding::Rgb8), &pixels);
    segmentation(
        depth(script, stamp_ms, DISTANCE_MM),
        stamp_ms,
        &labels(1, 28),
    )
}

/// Frames every 120 ms (four messages of 30 ms) beside an arm that moves this fast.
fn beside_an_arm(frames: u64, speed_rad_s: f64, show: impl Fn(Script, u64) -> Script) -> Sent {
    let script = (1..=frames).fold(script(), |script, n| {
        let mut state = arm(n, 120 * n);
        state.dq_rad_s[3] = speed_rad_s;
        show(script.message("arm_state", &state), n)
    });
    drive(&[], script.closed("image"))
}

fn codes(sent: &Sent) -> Vec<String> {
    warnings(sent)
        .into_iter()
        .map(|status| status.code)
        .collect()
}

#[test]
fn pictures_that_stay_the_same_while_the_arm_moves_are_frozen() {
    let frozen = |script, n: u64| frame_of(script, 120 * n, n.min(3) as u8);
    let sent = beside_an_arm(13, 0.5, frozen);
    let told = warnings(&sent);
    assert_eq!(codes(&sent), ["camera_frozen"], "{told:?}");
    assert!(
        told[0].text.contains("`image` is frozen"),
        "{}",
        told[0].text
    );
    assert!(told[0].text.contains("the same pixels"), "{}", told[0].text);
}

#[test]
fn pictures_may_stay_the_same_while_the_arm_rests_and_change_while_it_moves() {
    let still = |script, n: u64| frame_of(script, 120 * n, 7);
    assert_eq!(codes(&beside_an_arm(16, 0.0, still)), [""; 0]);
    let moving = |script, n: u64| frame_of(script, 120 * n, n as u8);
    assert_eq!(codes(&beside_an_arm(16, 0.5, moving)), [""; 0]);
}

#[test]
fn cameras_of_another_clock_are_named_and_their_images_not_used() {
    let wall = |script, n: u64| frame_of(script, 1_700_000_000_000 + 120 * n, n as u8);
    let sent = beside_an_arm(9, 0.5, wall);
    assert_eq!(sent.count("keypoints"), 0);
    let told = warnings(&sent);
    let clock = told.iter().find(|status| status.code == "camera_clock");
    let clock = clock.unwrap_or_else(|| panic!("{told:?}"));
    assert!(clock.text.contains("`arm_state`"), "{}", clock.text);
    assert!(clock.text.contains("time since 1970"), "{}", clock.text);
}

#[test]
fn one_frame_far_off_does_not_begin_another_scene() {
    let odd = |script, n: u64| match n {
        5 => frame_of(script, 90_000, 9),
        9 => frame_of(script, 0, 9),
        _ => frame_of(script, 120 * n, n as u8),
    };
    let sent = beside_an_arm(14, 0.5, odd);
    let keypoints = sent.messages::<Keypoints>("keypoints").unwrap();
    assert!(keypoints.iter().all(|k| k.generation == 1), "{keypoints:?}");
    let expected: Vec<_> = (1..=14)
        .filter(|n| ![5, 9].contains(n))
        .map(|n| 120 * n)
        .collect();
    assert_eq!(stamps(&sent), expected);
    let told = warnings(&sent);
    for input in ["image", "depth", "segmentation"] {
        let expected = format!("input `{input}`: stamp_ns: expected within 1 s of the arm's");
        assert!(
            told.iter().any(|s| s.text.starts_with(&expected)),
            "{told:?}"
        );
    }
}
