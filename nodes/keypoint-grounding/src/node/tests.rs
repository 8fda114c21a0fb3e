mod carried;
mod clock;
mod damages;
mod episodes;

use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, StringArray};
use tiller_messages::{Encoding, ImageHeader, Keypoints, Label, Level, Status};
use tiller_node_kit::testing::{Script, Sent};
use tiller_node_kit::{Environment, Next};

use super::{ESSENTIAL, Node, run};
use crate::config::Settings;

const SIDE: usize = 64;
const PIXELS: usize = SIDE * SIDE;
const DISTANCE_MM: u16 = 1000;
const MS: u64 = 1_000_000;

fn header(stamp_ms: u64, encoding: Encoding) -> ImageHeader {
    let labels = [(1, "button"), (2, "red block"), (10, "table")];
    ImageHeader {
        seq: stamp_ms,
        stamp_ns: stamp_ms * MS,
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
    (0..PIXELS)
        .map(|i| if inside(i % SIDE, i / SIDE) { id } else { 10 })
        .collect()
}

fn colour(script: Script, stamp_ms: u64) -> Script {
    script.image(
        "image",
        &header(stamp_ms, Encoding::Rgb8),
        &[128; 3 * PIXELS],
    )
}

fn depth(script: Script, stamp_ms: u64, mm: u16) -> Script {
    script.depth("depth", &header(stamp_ms, Encoding::Mono16), &[mm; PIXELS])
}

fn segmentation(script: Script, stamp_ms: u64, labels: &[u8]) -> Script {
    script.image("segmentation", &header(stamp_ms, Encoding::Mono8), labels)
}

fn frame(script: Script, stamp_ms: u64, labels: &[u8]) -> Script {
    segmentation(
        depth(colour(script, stamp_ms), stamp_ms, DISTANCE_MM),
        stamp_ms,
        labels,
    )
}

fn script() -> Script {
    Script::new(ESSENTIAL)
}

fn settings(given: &[(&str, &str)]) -> Settings {
    let known = [("IGNORED", "table")];
    let pairs = known.iter().chain(given).copied();
    Settings::read(Environment::from_pairs(pairs)).unwrap()
}

/// Drives the node by a clock of its own: this long from one message to the next, ms.
fn drive_every(gap_ms: u64, given: &[(&str, &str)], script: Script) -> Sent {
    let settings = settings(given);
    let (result, sent) = script
        .run(|inbox, outbox| {
            let mut node = Node::new(&settings)?;
            let mut now_ns = 0;
            while let Next::Input(input) = inbox.wait() {
                now_ns += gap_ms * MS;
                node.take(&input, now_ns, outbox)?;
                node.look(now_ns, outbox)?;
            }
            Ok(())
        })
        .expect("the harness works");
    result.expect("nothing that arrives ends the node");
    sent
}

fn drive(given: &[(&str, &str)], script: Script) -> Sent {
    drive_every(30, given, script)
}

fn stamps(sent: &Sent) -> Vec<u64> {
    let keypoints = sent.messages::<Keypoints>("keypoints").unwrap();
    keypoints.iter().map(|k| k.stamp_ns / MS).collect()
}

/// How many different pictures of groundings were sent: each is sent again every second.
fn pictures(sent: &Sent) -> usize {
    let mut pictures = sent.images("annotated_image");
    pictures.dedup();
    pictures.len()
}

fn warnings(sent: &Sent) -> Vec<Status> {
    let statuses = sent.messages::<Status>("status").unwrap();
    statuses
        .into_iter()
        .filter(|s| s.level == Level::Warning)
        .collect()
}

#[test]
fn an_object_is_grounded_once_and_followed_in_every_frame() {
    let script = frame(script(), 100, &labels(1, 28));
    let script = frame(script, 200, &labels(1, 36)).closed("image");
    let sent = drive(&[], script);
    assert_eq!(pictures(&sent), 1);
    let keypoints = sent.messages::<Keypoints>("keypoints").unwrap();
    let stamps: Vec<_> = keypoints
        .iter()
        .map(|k| (k.seq, k.stamp_ns / MS, k.generation))
        .collect();
    assert_eq!(stamps, [(1, 100, 1), (2, 200, 1)]);
    assert_eq!(keypoints[0].names, ["button"]);
    // 8 pixels at 1 m with a focal length of 64 pixels.
    let moved = keypoints[1].xyz_m[0] - keypoints[0].xyz_m[0];
    assert!((moved - 0.125).abs() < 0.01, "{moved}");
    assert!((keypoints[0].xyz_m[2] - 1.0).abs() < 1e-6);
    assert_eq!(warnings(&sent), []);
}

#[test]
fn the_loop_ends_with_the_images_and_with_nothing_else() {
    let settings = settings(&[]);
    let first = frame(script(), 100, &labels(1, 28))
        .closed("depth")
        .closed("segmentation");
    let script = colour(first, 200).closed("image");
    let (result, sent) = script
        .run(|inbox, outbox| run(&settings, inbox, outbox))
        .unwrap();
    result.unwrap();
    assert_eq!(stamps(&sent), [100]);
}

#[test]
fn an_incomplete_frame_is_left_out() {
    let script = frame(script(), 100, &labels(1, 28));
    let script = colour(script, 200);
    let sent = drive(&[], frame(script, 300, &labels(1, 28)).closed("image"));
    assert_eq!(stamps(&sent), [100, 300]);
}

#[test]
fn images_a_few_milliseconds_apart_are_of_one_moment() {
    let mut script = script();
    for ms in [100, 200, 300] {
        script = segmentation(
            depth(colour(script, ms), ms + 1, 1000),
            ms + 4,
            &labels(1, 28),
        );
    }
    let sent = drive(&[], script.closed("image"));
    assert_eq!(stamps(&sent), [100, 200, 300]);
    assert_eq!(warnings(&sent), []);
}

#[test]
fn an_empty_scene_is_told_and_objects_are_found_when_they_come() {
    let mut script = script();
    for n in 1..4 {
        script = frame(script, 100 * n, &[10; PIXELS]);
    }
    let sent = drive(&[], frame(script, 400, &labels(1, 28)).closed("image"));
    let told = warnings(&sent);
    assert_eq!((told.len(), told[0].code.as_str()), (1, "nothing_found"));
    assert_eq!(stamps(&sent), [400]);
}

/// What cannot be used: the words that its status must hold, and the message.
fn unusable() -> Vec<(&'static str, &'static str, Script)> {
    let numbers: ArrayRef = Arc::new(Float64Array::from(vec![0.5; 9]));
    let words: ArrayRef = Arc::new(StringArray::from(vec!["no image"]));
    let odd = |change: fn(&mut ImageHeader)| {
        let mut header = header(150, Encoding::Rgb8);
        change(&mut header);
        header
    };
    let pixels = [0; 3 * PIXELS];
    let mut table = vec![];
    for input in ["image", "depth", "segmentation"] {
        table.push((input, "`encoding`", script().array(input, numbers.clone())));
        let rgb = header(150, Encoding::Rgb8);
        table.push((
            input,
            "found UInt16",
            script().depth(input, &rgb, &[7; 3 * PIXELS]),
        ));
        let small = header(150, Encoding::Rgb8);
        table.push((
            input,
            "12288 bytes",
            script().image(input, &small, &[0; 12]),
        ));
        let jpeg = header(150, Encoding::Jpeg);
        table.push((
            input,
            "a whole file",
            script().image(input, &jpeg, &[0xff, 0xd8, 0, 7]),
        ));
        let huge = ImageHeader {
            width: 16384,
            height: 16384,
            ..jpeg
        };
        table.push((
            input,
            "at most 33554432 pixels",
            script().image(input, &huge, &[0]),
        ));
        let other = if input == "image" {
            Encoding::Mono8
        } else {
            Encoding::Bgr8
        };
        let kind = header(150, other);
        let bytes = vec![0; kind.byte_len().unwrap()];
        table.push((
            input,
            "image: expected",
            script().image(input, &kind, &bytes),
        ));
    }
    let nan = odd(|h| h.focal = Some([f64::NAN; 2]));
    table.push(("image", "`focal`", script().image("image", &nan, &pixels)));
    let zero = odd(|h| h.focal = Some([0.0; 2]));
    table.push(("image", "`focal`", script().image("image", &zero, &pixels)));
    let nan = odd(|h| h.world_from_camera = Some([f64::NAN; 16]));
    table.push((
        "image",
        "`world_from_camera`",
        script().image("image", &nan, &pixels),
    ));
    let nan = odd(|h| h.principal_point = Some([f64::INFINITY; 2]));
    table.push((
        "image",
        "`resolution`",
        script().image("image", &nan, &pixels),
    ));
    // Of the last good frame, which the next ones are counted from.
    let last = |table: &Vec<_>| 100 * (table.len() as u64 + 1);
    let again = colour(script(), last(&table));
    table.push(("image", "a new stamp", again));
    let again = depth(script(), last(&table), 5);
    table.push(("depth", "a new stamp", again));
    let again = segmentation(script(), last(&table), &labels(1, 2));
    table.push(("segmentation", "a new stamp", again));
    let before = colour(script(), last(&table) - 50);
    table.push(("image", "a later stamp", before));
    table.push(("", "input `sound`", script().array("sound", words)));
    table
}

#[test]
fn no_message_ends_the_node_and_each_is_refused_by_name() {
    let mut script = frame(script(), 100, &labels(1, 28));
    let table = unusable();
    let expected: Vec<_> = table
        .iter()
        .map(|(input, words, _)| (*input, *words))
        .collect();
    for (n, (.., bad)) in (2..).zip(table) {
        script = frame(script.then(bad), 100 * n, &labels(1, 28));
    }
    let sent = drive_every(150, &[], script.closed("image"));
    let told = warnings(&sent);
    assert_eq!(told.len(), expected.len(), "{told:?}");
    for ((input, words), status) in expected.iter().zip(&told) {
        let text = &status.text;
        assert!(
            text.contains(words) && text.contains(&format!("`{input}")),
            "{words}: {text}"
        );
    }
    let every_good_one: Vec<_> = (1..).take(expected.len() + 1).map(|n| 100 * n).collect();
    assert_eq!(stamps(&sent), every_good_one);
}

#[test]
fn a_frame_that_no_camera_can_have_taken_is_named() {
    let pixels = [128; 3 * PIXELS];
    type Change = fn(&mut ImageHeader);
    let table: [(&str, Change); 4] = [
        ("a rotation", |h| h.world_from_camera = Some([0.0; 16])),
        ("world_from_camera", |h| h.world_from_camera = None),
        ("focal", |h| h.focal = None),
        ("principal_point", |h| h.principal_point = None),
    ];
    let mut script = frame(script(), 100, &labels(1, 28));
    for (n, (_, change)) in (1..).zip(&table) {
        let mut odd = header(200 * n, Encoding::Rgb8);
        change(&mut odd);
        let odd = depth(script.image("image", &odd, &pixels), 200 * n, 1000);
        let odd = segmentation(odd, 200 * n, &labels(1, 28));
        script = frame(odd, 200 * n + 100, &labels(1, 28));
    }
    let sent = drive_every(150, &[], script.closed("image"));
    let told = warnings(&sent);
    assert_eq!(told.len(), table.len(), "{told:?}");
    for ((expected, _), status) in table.iter().zip(&told) {
        assert_eq!(status.code, "camera_unknown");
        assert!(status.text.contains(expected), "{}", status.text);
    }
    assert_eq!(stamps(&sent), [100, 300, 500, 700, 900]);
}

#[test]
fn images_of_different_sizes_are_not_brought_together() {
    let script = frame(script(), 100, &labels(1, 28));
    let small = ImageHeader {
        width: 32,
        ..header(200, Encoding::Mono16)
    };
    let script = colour(script, 200).depth("depth", &small, &[1000; PIXELS / 2]);
    let script = segmentation(script, 200, &labels(1, 28));
    let sent = drive(&[], frame(script, 300, &labels(1, 28)).closed("image"));
    let told = warnings(&sent);
    assert!(told[0].text.contains("64 x 64, found 32 x 64"), "{told:?}");
    assert_eq!(stamps(&sent), [100, 300]);
}

/// What opencv-video-capture and a depth camera of the hub send: no stamp, frame or geometry.
fn hub(script: Script, stamp_ms: u64) -> Script {
    let bare = |encoding| ImageHeader {
        stamp_ns: stamp_ms * MS,
        width: SIDE,
        height: SIDE,
        encoding,
        ..Default::default()
    };
    let named = ImageHeader {
        labels: header(0, Encoding::Mono8).labels,
        ..bare(Encoding::Mono8)
    };
    script
        .image("image", &bare(Encoding::Bgr8), &[128; 3 * PIXELS])
        .depth("depth", &bare(Encoding::Mono16), &[DISTANCE_MM; PIXELS])
        .image("segmentation", &named, &labels(1, 28))
}

#[test]
fn a_calibration_fills_what_a_hub_camera_does_not_say() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("cameras.toml");
    let text = "[front]\nsize = [128, 128]\nfocal = [128, 128]\nprincipal_point = [64, 64]\n\
        position_m = [0, 0, 2]\nquaternion_wxyz = [1, 0, 0, 0]\nclock_offset_ns = 7_000_000\n";
    std::fs::write(&file, text).unwrap();
    let settings = [("CALIBRATION", file.to_str().unwrap()), ("CAMERA", "front")];
    let sent = drive(&settings, hub(script(), 100).closed("image"));
    let keypoints = sent.messages::<Keypoints>("keypoints").unwrap();
    assert_eq!(keypoints[0].stamp_ns, 107 * MS);
    assert!(
        (keypoints[0].xyz_m[2] - 3.0).abs() < 1e-6,
        "{:?}",
        keypoints[0].xyz_m
    );
    let without = drive(&[], hub(script(), 100).closed("image"));
    assert_eq!(without.count("keypoints"), 0);
    let told = warnings(&without);
    assert!(
        told[0]
            .text
            .contains("focal, principal_point, world_from_camera"),
        "{told:?}"
    );
}

#[test]
fn a_plane_does_without_a_depth_camera() {
    let script = segmentation(colour(script(), 100), 100, &labels(1, 28));
    let sent = drive(&[("PLANE_HEIGHT_M", "2")], script.closed("image"));
    let keypoints = sent.messages::<Keypoints>("keypoints").unwrap();
    assert!((keypoints[0].xyz_m[2] - 2.0).abs() < 1e-3);
    assert_eq!(warnings(&sent), []);
}

/// Frames of three images every 90 ms for a while; what `change` makes of them arrives.
fn streaming(frames: u64, change: impl Fn(Script, u64) -> Script) -> Script {
    (1..=frames).fold(script(), change)
}

#[test]
fn depth_or_labels_that_go_dark_are_told_and_keypoints_marked() {
    let dark_depth = |script: Script, n: u64| {
        let mm = if (4..16).contains(&n) { 0 } else { 1000 };
        segmentation(
            depth(colour(script, 100 * n), 100 * n, mm),
            100 * n,
            &labels(1, 28),
        )
    };
    let dark_labels = |script: Script, n: u64| {
        let ids = if (4..16).contains(&n) {
            vec![0; PIXELS]
        } else {
            labels(1, 28)
        };
        frame(script, 100 * n, &ids)
    };
    for (script, reason) in [
        (streaming(20, dark_depth), "the depth image is empty"),
        (streaming(20, dark_labels), "the labels name nothing"),
    ] {
        let sent = drive(&[], script.closed("image"));
        let keypoints = sent.messages::<Keypoints>("keypoints").unwrap();
        let visible: Vec<_> = keypoints.iter().map(|k| k.visible[0]).collect();
        let expected: Vec<_> = (1..=20).map(|n| !(4..16).contains(&n)).collect();
        assert_eq!(visible, expected);
        assert!(keypoints.iter().all(|k| k.xyz_m == keypoints[0].xyz_m));
        let statuses = sent.messages::<Status>("status").unwrap();
        let codes: Vec<_> = statuses.iter().map(|s| s.code.as_str()).collect();
        assert_eq!(codes, ["keypoints_lost", "keypoints_seen"], "{statuses:?}");
        assert!(statuses[0].text.contains(reason), "{}", statuses[0].text);
    }
}

#[test]
fn a_stream_that_is_not_well_is_named_within_a_second() {
    type Change = fn(Script, u64) -> Script;
    let table: [(&str, &str, Change); 5] = [
        ("camera_missing", "`depth`", |s, n| {
            segmentation(colour(s, 100 * n), 100 * n, &labels(1, 28))
        }),
        ("camera_stopped", "`segmentation`", |s, n| match n {
            1..4 => frame(s, 100 * n, &labels(1, 28)),
            _ => depth(colour(s, 100 * n), 100 * n, 1000),
        }),
        ("camera_unmatched", "`depth` is 40 ms behind", |s, n| {
            let s = depth(colour(s, 100 * n), 100 * n - 40, 1000);
            segmentation(s, 100 * n, &labels(1, 28))
        }),
        ("camera_clock", "`depth` is", |s, n| {
            let s = depth(colour(s, 100 * n), 1_700_000_000_000 + 100 * n, 1000);
            segmentation(s, 100 * n, &labels(1, 28))
        }),
        ("camera_frozen", "`depth`", |s, n| {
            let s = depth(colour(s, 100 * n), 100 * n.min(3), 1000);
            segmentation(s, 100 * n, &labels(1, 28))
        }),
    ];
    for (code, expected, change) in table {
        // 20 frames of 3 images every 30 ms: well over a second.
        let sent = drive(&[], streaming(20, change).closed("image"));
        let told = warnings(&sent);
        let found = told.iter().find(|s| s.code == code);
        let found = found.unwrap_or_else(|| panic!("{code} in {told:?}"));
        assert!(found.text.contains(expected), "{}", found.text);
    }
}

#[test]
fn a_camera_that_starts_anew_is_grounded_anew() {
    let script = frame(
        frame(script(), 90_000, &labels(1, 28)),
        90_100,
        &labels(1, 28),
    );
    let script = frame(frame(script, 100, &labels(2, 10)), 200, &labels(2, 10));
    let sent = drive(&[], script.closed("image"));
    let keypoints = sent.messages::<Keypoints>("keypoints").unwrap();
    let found: Vec<_> = keypoints
        .iter()
        .map(|k| (k.generation, k.names[0].as_str()))
        .collect();
    let expected = [
        (1, "button"),
        (1, "button"),
        (2, "red block"),
        (2, "red block"),
    ];
    assert_eq!(found, expected);
    assert_eq!(pictures(&sent), 2);
}
