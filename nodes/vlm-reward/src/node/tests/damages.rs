//! Whatever arrives: it is named, the node lives, and the next good input is used.

use arrow::array::{ArrayRef, UInt8Array};
use tiller_node_kit::testing::{Damage, Trial, image_damages, message_damages};

use super::*;

const HOUR_MS: u64 = 3_600_000;

/// Tries an input after the program of one grounding, and before that of another.
fn faults(input: &'static str, damages: &[Damage]) -> Vec<String> {
    let trial = Trial {
        input,
        before: &|| {
            let script = script()
                .gap(0.003)
                .message("program_contract", &contract(2, 17))
                .message("episode", &episode(2, "open the drawer"));
            grounded(script, 2, 1, 100)
        },
        after: &|script| {
            let script = script.message("program_contract", &contract(4, 17));
            grounded(script, 2, 2, 500).closed("keypoints")
        },
        drive: &drive,
        texts: &refusals,
        accepted: &|sent| {
            let found: Vec<_> = programs(sent)
                .iter()
                .map(|p| (p.episode.0, p.generation, p.points))
                .collect();
            (found == [(2, 1, 17), (2, 2, 17)])
                .then_some(())
                .ok_or(format!("{found:?}"))
        },
    };
    trial.faults(damages)
}

#[test]
fn damaged_keypoints() {
    let good = keypoints(2, 1, 200);
    let mut damages = message_damages(&keypoints(2, 1, 100), &good);
    // There is no clock here that could tell; the next ones take their place.
    damages.push(Damage::stamped(&good, HOUR_MS * MS, &[]));
    damages.push(Damage::stamped(&good, 0, &[]));
    let faults = faults("keypoints", &damages);
    assert!(faults.is_empty(), "{faults:#?}");
}

#[test]
fn damaged_episodes() {
    let damages = message_damages(
        &episode(2, "open the drawer"),
        &episode(3, "push the red block"),
    );
    let faults = faults("episode", &damages);
    assert!(faults.is_empty(), "{faults:#?}");
}

#[test]
fn damaged_contracts() {
    let mut damages = message_damages(&contract(2, 17), &contract(3, 17));
    for points in [0, 1, u32::MAX] {
        let array = Arc::new(tiller_messages::Message::to_arrow(&contract(3, points)));
        let found = points.to_string();
        let words = ["ProgramContract.points: expected 2 to", "found", &found];
        damages.push(Damage::told(format!("{points} points"), array, &words));
    }
    let faults = faults("program_contract", &damages);
    assert!(faults.is_empty(), "{faults:#?}");
}

#[test]
fn damaged_pictures() {
    let pixels: ArrayRef = Arc::new(UInt8Array::from(vec![0; SIDE * SIDE * 3]));
    let good = header(2200);
    let mut damages = image_damages(&good, &pixels);
    for stamp_ms in [0, HOUR_MS] {
        damages.push(Damage::image_stamped(&good, &pixels, stamp_ms * MS, &[]));
    }
    let faults = faults("annotated_image", &damages);
    assert!(faults.is_empty(), "{faults:#?}");
}

#[test]
fn an_input_that_nobody_reads_is_named_at_the_start() {
    let (result, _) = drive(script().wired(&["keypoints", "advice"]).closed("keypoints"));
    let error = result.unwrap_err().to_string();
    assert!(error.ends_with("found `advice`"), "{error}");
}
