//! Whatever arrives: it is named, the node lives, and the next good input is used.

use arrow::array::{ArrayRef, UInt8Array, UInt16Array};
use tiller_core::EpisodeId;
use tiller_grounding::FrameView;
use tiller_messages::{ArmState, Episode};
use tiller_node_kit::testing::{Damage, Trial, image_damages, message_damages};
use tiller_node_kit::{Inbox, Outbox};

use super::*;

/// Stamps of the frames before and after a damaged input, ms; it has one between.
const BEFORE: u64 = 200;
const BETWEEN: u64 = 300;
const AFTER: u64 = 400;
const HOUR_MS: u64 = 3_600_000;

pub(super) fn arm(seq: u64, stamp_ms: u64) -> ArmState {
    ArmState {
        seq,
        stamp_ns: stamp_ms * MS,
        ..Default::default()
    }
}

fn episode(seq: u64) -> Episode {
    Episode {
        seq,
        id: EpisodeId(seq),
        stamp_ns: 150 * MS,
        ..Default::default()
    }
}

/// The node with a scene that is grounded already: its picture is large, and the harness takes a
/// second to write it.
fn grounded(settings: &Settings) -> Node {
    let mut node = Node::new(settings).unwrap();
    let good = header(100, Encoding::Mono8);
    let names: Vec<_> = good.labels.into_iter().map(|l| (l.id, l.name)).collect();
    let view = FrameView {
        width: SIDE,
        height: SIDE,
        rgb: &[128; 3 * PIXELS],
        depth_mm: Some(&[DISTANCE_MM; PIXELS]),
        segmentation: Some(&labels(1, 28)),
        labels: &names,
        focal: [64.0; 2],
        principal_point: [32.0; 2],
        world_from_camera: std::array::from_fn(|i| f64::from(u8::from(i % 5 == 0))),
        stamp_ns: 100 * MS,
    };
    node.grounder.ground(&view).unwrap();
    (node.grounded, node.episode) = (true, EpisodeId(4));
    node.sight.begin(150 * MS);
    node
}

/// Tries an input after one frame of episode 4, and before another.
fn faults(input: &'static str, damages: &[Damage]) -> Vec<String> {
    let settings = settings(&[]);
    let trial = Trial {
        input,
        before: &|| {
            let script = script()
                .gap(0.003)
                .message("arm_state", &arm(4, BEFORE))
                .message("episode", &episode(4));
            frame(script, BEFORE, &labels(1, 28))
        },
        after: &|script| frame(script, AFTER, &labels(1, 28)).closed("image"),
        drive: &|script| {
            let mut node = grounded(&settings);
            let run = |inbox: &mut Inbox, outbox: &mut Outbox| {
                let mut now_ns = 0;
                while let Next::Input(input) = inbox.wait() {
                    now_ns += 30 * MS;
                    node.take(&input, now_ns, outbox)?;
                    node.look(now_ns, outbox)?;
                }
                Ok(())
            };
            script.run(run).expect("the harness works")
        },
        texts: &|sent| {
            let told = warnings(sent).into_iter();
            told.map(|status| status.text).collect()
        },
        accepted: &|sent| {
            let keypoints = sent.messages::<Keypoints>("keypoints").unwrap();
            let found: Vec<_> = keypoints
                .iter()
                .map(|k| (k.stamp_ns / MS, k.episode.0, k.generation))
                .collect();
            let expected = [(BEFORE, 4, 1), (AFTER, 4, 1)];
            (found == expected)
                .then_some(())
                .ok_or(format!("{found:?}"))
        },
    };
    trial.faults(damages)
}

#[test]
fn damaged_images() {
    let colours: ArrayRef = Arc::new(UInt8Array::from(vec![128; 3 * PIXELS]));
    let depths: ArrayRef = Arc::new(UInt16Array::from(vec![DISTANCE_MM; PIXELS]));
    let ids: ArrayRef = Arc::new(UInt8Array::from(labels(1, 28)));
    for (input, encoding, pixels) in [
        ("image", Encoding::Rgb8, colours),
        ("depth", Encoding::Mono16, depths),
        ("segmentation", Encoding::Mono8, ids),
    ] {
        let good = header(BETWEEN, encoding);
        let mut damages = image_damages(&good, &pixels);
        let stamped =
            |stamp_ms: u64, words| Damage::image_stamped(&good, &pixels, stamp_ms * MS, words);
        damages.push(stamped(
            HOUR_MS,
            &["stamp_ns: expected within 1 s", "found"],
        ));
        damages.push(stamped(BEFORE, &["expected a new stamp", "found"]));
        // Of the time before the episode.
        damages.push(stamped(100, &[]));
        let faults = faults(input, &damages);
        assert!(faults.is_empty(), "{faults:#?}");
    }
}

#[test]
fn damaged_episodes() {
    let mut damages = message_damages(&episode(4), &episode(5));
    let late = ["stamp_ns", "expected at most 1 s after the arm's", "found"];
    damages.push(Damage::stamped(&episode(5), HOUR_MS * MS, &late));
    let faults = faults("episode", &damages);
    assert!(faults.is_empty(), "{faults:#?}");
}

#[test]
fn damaged_arm_states() {
    let good = arm(5, BETWEEN);
    let mut damages = message_damages(&arm(4, BEFORE), &good);
    let words = ["stamp_ns", "expected", "found"];
    damages.push(Damage::stamped(&good, HOUR_MS * MS, &words));
    damages.push(Damage::stamped(&good, 0, &words));
    let faults = faults("arm_state", &damages);
    assert!(faults.is_empty(), "{faults:#?}");
}

#[test]
fn an_input_that_nobody_reads_is_named_at_the_start() {
    let settings = settings(&[]);
    let script = script().wired(&["image", "masks"]).closed("image");
    let (result, _) = script
        .run(|inbox, outbox| run(&settings, inbox, outbox))
        .expect("the harness works");
    let error = result.unwrap_err().to_string();
    assert!(error.ends_with("found `masks`"), "{error}");
}
