use tiller_messages::{Encoding, ImageHeader, Keypoints, Label};
use tiller_node_kit::Environment;
use tiller_node_kit::testing::{Script, Sent};

use super::{ESSENTIAL, run};
use crate::config::Settings;

const SIDE: usize = 64;
const DISTANCE_MM: u16 = 1000;

fn header(stamp_ns: u64, encoding: Encoding) -> ImageHeader {
    let labels = [(1, "button"), (2, "red block"), (10, "table")];
    ImageHeader {
        seq: stamp_ns,
        stamp_ns,
        frame_id: "static".into(),
        width: SIDE,
        height: SIDE,
        encoding,
        focal: Some([64.0; 2]),
        principal_point: Some([32.0; 2]),
        world_from_camera: Some(std::array::from_fn(|i| f64::from(u8::from(i % 5 == 0)))),
        labels: labels
            .map(|(id, name)| Label {
                id,
                name: name.into(),
            })
            .to_vec(),
    }
}

/// A flat wall at 1 m with one 8 x 8 object whose left column is `left`.
fn labels(id: u8, left: usize) -> Vec<u8> {
    let inside = |x: usize, y: usize| (left..left + 8).contains(&x) && (28..36).contains(&y);
    (0..SIDE * SIDE)
        .map(|i| if inside(i % SIDE, i / SIDE) { id } else { 10 })
        .collect()
}

fn frame(script: Script, stamp_ns: u64, labels: &[u8]) -> Script {
    script
        .image(
            "image",
            &header(stamp_ns, Encoding::Rgb8),
            &[128; SIDE * SIDE * 3],
        )
        .depth(
            "depth",
            &header(stamp_ns, Encoding::Mono16),
            &[DISTANCE_MM; SIDE * SIDE],
        )
        .image("segmentation", &header(stamp_ns, Encoding::Mono8), labels)
}

fn drive(settings: &[(&str, &str)], script: Script) -> (eyre::Result<()>, Sent) {
    let settings = Settings::read(Environment::from_pairs(settings.iter().copied())).unwrap();
    script
        .run(|inbox, outbox| run(&settings, inbox, outbox))
        .expect("the harness works")
}

#[test]
fn an_object_is_grounded_once_and_followed_in_every_frame() {
    let script = frame(Script::new(ESSENTIAL), 100, &labels(1, 28));
    let script = frame(script, 200, &labels(1, 36)).closed("image");
    let (result, sent) = drive(&[], script);
    result.unwrap();
    assert_eq!(sent.count("annotated_image"), 1);
    let keypoints = sent.messages::<Keypoints>("keypoints").unwrap();
    let stamps: Vec<_> = keypoints
        .iter()
        .map(|k| (k.seq, k.stamp_ns, k.generation))
        .collect();
    assert_eq!(stamps, [(1, 100, 1), (2, 200, 1)]);
    assert_eq!(keypoints[0].names, ["button"]);
    // 8 pixels at 1 m with a focal length of 64 pixels.
    let moved = keypoints[1].xyz_m[0] - keypoints[0].xyz_m[0];
    assert!((moved - 0.125).abs() < 0.01, "{moved}");
    assert!((keypoints[0].xyz_m[2] - 1.0).abs() < 1e-6);
}

#[test]
fn an_incomplete_frame_is_left_out() {
    let script = frame(Script::new(ESSENTIAL), 100, &labels(1, 28));
    let script = script.image("image", &header(200, Encoding::Rgb8), &[0; SIDE * SIDE * 3]);
    let script = frame(script, 300, &labels(1, 28)).closed("depth");
    let (result, sent) = drive(&[], script);
    result.unwrap();
    let keypoints = sent.messages::<Keypoints>("keypoints").unwrap();
    assert_eq!(
        keypoints.iter().map(|k| k.stamp_ns).collect::<Vec<_>>(),
        [100, 300]
    );
}

#[test]
fn an_empty_scene_is_an_error_after_the_frames_that_were_allowed() {
    let mut script = Script::new(ESSENTIAL);
    for stamp_ns in 1..4 {
        script = frame(script, stamp_ns, &[10; SIDE * SIDE]);
    }
    let (result, sent) = drive(&[("MAX_EMPTY_FRAMES", "3")], script.closed("image"));
    let error = format!("{:#}", result.unwrap_err());
    assert!(error.contains("nothing to steer by in 3 frames"), "{error}");
    assert_eq!(sent.count("keypoints"), 0);
}

#[test]
fn an_image_of_the_wrong_size_is_an_error_that_names_the_input() {
    let script = Script::new(ESSENTIAL).image("image", &header(1, Encoding::Rgb8), &[0; 12]);
    let (result, _) = drive(&[], script.closed("image"));
    let error = format!("{:#}", result.unwrap_err());
    assert!(
        error.contains("`image`") && error.contains("12288 bytes"),
        "{error}"
    );
}
