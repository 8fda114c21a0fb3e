//! A camera on the hand.

use tiller_core::Pose;
use tiller_messages::{ArmState, Keypoints};

use super::{MS, drive, hub, script, warnings};

fn arm(stamp_ms: u64, x_m: f64) -> ArmState {
    ArmState {
        seq: stamp_ms,
        stamp_ns: stamp_ms * MS,
        tcp: Pose {
            position_m: [x_m, 0.0, 2.0],
            ..Pose::IDENTITY
        },
        ..ArmState::default()
    }
}

#[test]
fn a_camera_on_the_hand_is_where_the_hand_was_when_it_took_the_picture() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("cameras.toml");
    let text = "[front]\nfocal = [64, 64]\nprincipal_point = [32, 32]\n\
        hand_position_m = [0, 0.1, 0]\nhand_quaternion_wxyz = [1, 0, 0, 0]\n";
    std::fs::write(&file, text).unwrap();
    let settings = [("CALIBRATION", file.to_str().unwrap()), ("CAMERA", "front")];
    // The picture is of half way between the two states.
    let known = script()
        .message("arm_state", &arm(90, 0.2))
        .message("arm_state", &arm(110, 0.4));
    let sent = drive(&settings, hub(known, 100).closed("image"));
    let keypoints = sent.messages::<Keypoints>("keypoints").unwrap();
    let found = &keypoints[0].xyz_m;
    assert!(
        (found[0] - 0.3).abs() < 1e-6 && (found[1] - 0.1).abs() < 1e-6,
        "{found:?}"
    );
    assert!((found[2] - 3.0).abs() < 1e-6, "{found:?}");

    let without = drive(&settings, hub(script(), 100).closed("image"));
    assert_eq!(without.count("keypoints"), 0);
    let told = warnings(&without);
    assert!(told[0].text.contains("state of the arm"), "{told:?}");
}
