//! Inputs that a node does not know, and inputs that are not as they should be.

#![allow(
    clippy::unwrap_used,
    reason = "a test that panics has failed, as it should"
)]

use std::sync::Arc;

use arrow::array::{ArrayRef, UInt8Array};
use eyre::Result;
use tiller_messages::{ArmState, Encoding, ImageHeader, Status};
use tiller_node_kit::testing::{Damage, Script, Sent, Trial, image_damages, message_damages};
use tiller_node_kit::{ImageReader, Inbox, Next, Outbox, Refused, Stream};

const SIDE: usize = 4;

fn state(seq: u64) -> ArmState {
    ArmState {
        seq,
        stamp_ns: seq * 20_000_000,
        ..Default::default()
    }
}

fn header(seq: u64) -> ImageHeader {
    ImageHeader {
        seq,
        stamp_ns: seq * 100_000_000,
        width: SIDE,
        height: SIDE,
        encoding: Encoding::Rgb8,
        ..Default::default()
    }
}

/// Reads states and images as every node does, and passes the states on.
fn reader(inbox: &mut Inbox, outbox: &mut Outbox) -> Result<()> {
    outbox.check_inputs(&["arm_state", "image", "*_status"])?;
    let (mut states, mut images) = (Stream::<ArmState>::default(), ImageReader::new());
    while let Next::Input(input) = inbox.wait() {
        if input.id == "image" {
            let read = images.read(&input.metadata, &input.data);
            let read = read.and_then(|image| image.rgb().map(<[u8]>::len));
            outbox.accept(read.map(Some).map_err(|error| Refused::new("image", error)))?;
        } else if let Some(state) = outbox.accept(states.read(&input))? {
            outbox.send("copy", state)?;
        }
    }
    Ok(())
}

fn texts(sent: &Sent) -> Vec<String> {
    let statuses = sent.messages::<Status>("status").unwrap();
    statuses.into_iter().map(|status| status.text).collect()
}

#[test]
fn an_input_that_the_node_does_not_read_is_named_at_the_start() {
    let start = |script: Script| script.stop().run(reader).unwrap().0;
    start(Script::new(&[]).wired(&["image", "arm_state", "camera_status"])).unwrap();
    let wired = ["image", "wheel_speed", "grip"];
    let error = start(Script::new(&[]).wired(&wired))
        .unwrap_err()
        .to_string();
    assert!(error.ends_with("found `grip`, `wheel_speed`"), "{error}");
    assert!(error.contains("`arm_state`"), "{error}");
    let error = start(Script::new(&[]).message("grip", &state(1))).unwrap_err();
    assert!(error.to_string().contains("`grip`"), "{error}");
}

fn trial_of_states(drive: &dyn Fn(Script) -> (Result<()>, Sent)) -> Vec<String> {
    let trial = Trial {
        input: "arm_state",
        before: &|| {
            let start = Script::new(&[]).gap(0.003);
            start
                .message("arm_state", &state(1))
                .message("arm_state", &state(2))
        },
        after: &|script| script.message("arm_state", &state(4)),
        drive,
        texts: &texts,
        accepted: &|sent| {
            let copies = sent.messages::<ArmState>("copy").unwrap();
            let seen: Vec<_> = copies.iter().map(|state| state.seq).collect();
            (seen == [1, 2, 4]).then_some(()).ok_or(format!("{seen:?}"))
        },
    };
    trial.faults(&message_damages(&state(2), &state(3)))
}

#[test]
fn every_damage_of_a_message_is_told_and_the_next_one_is_taken() {
    let faults = trial_of_states(&|script| script.run(reader).unwrap());
    assert!(faults.is_empty(), "{faults:#?}");
}

#[test]
fn every_damage_of_an_image_is_told() {
    let pixels: ArrayRef = Arc::new(UInt8Array::from(vec![7; SIDE * SIDE * 3]));
    let image = |script: Script, seq| script.image("image", &header(seq), &[7; SIDE * SIDE * 3]);
    let trial = Trial {
        input: "image",
        before: &|| image(Script::new(&[]).gap(0.003), 1),
        after: &|script| image(script, 3),
        drive: &|script| script.run(reader).unwrap(),
        texts: &texts,
        accepted: &|sent| match texts(sent).len() {
            1 => Ok(()),
            found => Err(format!("{found} statuses")),
        },
    };
    let faults = trial.faults(&image_damages(&header(2), &pixels));
    assert!(faults.is_empty(), "{faults:#?}");
}

#[test]
fn a_node_that_ends_or_keeps_silent_is_found_out() {
    let ends = |inbox: &mut Inbox, outbox: &mut Outbox| {
        let mut states = Stream::<ArmState>::default();
        while let Next::Input(input) = inbox.wait() {
            if let Some(state) = states.read(&input)? {
                outbox.send("copy", state)?;
            }
        }
        Ok(())
    };
    let faults = trial_of_states(&|script| script.run(ends).unwrap());
    let all = message_damages(&state(2), &state(3));
    let told = all.iter().filter(|damage| damage.told.is_some());
    assert_eq!(faults.len(), told.count(), "{faults:#?}");
    let silent = |inbox: &mut Inbox, outbox: &mut Outbox| {
        let mut states = Stream::<ArmState>::default();
        while let Next::Input(input) = inbox.wait() {
            if let Ok(Some(state)) = states.read(&input) {
                outbox.send("copy", state)?;
            }
        }
        Ok(())
    };
    let silent = trial_of_states(&|script| script.run(silent).unwrap());
    assert_eq!(silent.len(), faults.len(), "{silent:#?}");
}

#[test]
fn refusals_are_told_at_once_and_then_once_a_second() {
    let sick: Damage = message_damages(&state(2), &state(3)).remove(0);
    let mut script = Script::new(&[]).gap(0.02);
    for _ in 0..70 {
        script = script.damaged("arm_state", &sick);
    }
    let (result, sent) = script.run(reader).unwrap();
    result.unwrap();
    let texts = texts(&sent);
    assert_eq!(texts.len(), 2, "in 1.4 s: {texts:?}");
    assert!(texts[0].contains("(1 refused so far)"), "{texts:?}");
}
