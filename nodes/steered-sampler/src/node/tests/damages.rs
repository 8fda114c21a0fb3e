//! Nothing that arrives ends the node or keeps it from the next chunk.

use std::sync::Arc;

use arrow::array::{ArrayRef, UInt8Array};
use tiller_messages::{Message, ProposalState};
use tiller_node_kit::testing::{Damage, Trial, image_damages, message_damages};

use super::dry::proposal;
use super::*;

const HOUR_NS: u64 = 3_600_000 * MS;

fn texts(sent: &Sent) -> Vec<String> {
    let refusals = statuses(sent)
        .into_iter()
        .filter(|s| s.code.ends_with("_refused"));
    refusals.map(|status| status.text).collect()
}

/// Runs that go on at the same time: each of them mostly waits.
const THREADS: usize = 4;

/// Tries an input between the first plan and the second; `more` is good and comes after the damage.
pub(super) fn survive(
    input: &'static str,
    damages: &[Damage],
    more: &(dyn Fn(Script) -> Script + Sync),
) {
    let share = damages.len().div_ceil(THREADS);
    let faults: Vec<String> = std::thread::scope(|scope| {
        let threads: Vec<_> = damages
            .chunks(share)
            .map(|damages| scope.spawn(move || faults(input, damages, more)))
            .collect();
        let found = threads.into_iter().map(|thread| thread.join().unwrap());
        found.flatten().collect()
    });
    assert!(faults.is_empty(), "{faults:#?}");
}

fn faults(input: &'static str, damages: &[Damage], more: &dyn Fn(Script) -> Script) -> Vec<String> {
    let trial = Trial {
        input,
        // States and keypoints up to number 5, the first chunk executed.
        before: &|| {
            let decided = proposal(4, ProposalState::Refused);
            let script = nearly().gap(0.004).message("proposal", &decided);
            let script = script.message("keypoints", &keypoints(4, 100));
            let script = state(
                script.until("arm_state", sent("action_chunk", 1)),
                4,
                300,
                1,
                1,
            );
            state(
                script.message("keypoints", &keypoints(5, 300)),
                5,
                320,
                1,
                2,
            )
        },
        after: &|script| {
            let script = more(script);
            scene(state(script, 8, 340, 1, 2), 8, 400)
                .until("arm_state", sent("action_chunk", 2))
                .closed("arm_state")
        },
        drive: &|script| drive(&[], script),
        texts: &texts,
        accepted: &|sent| {
            let stamps: Vec<_> = chunks(sent).iter().map(|c| c.stamp_ns / MS).collect();
            (stamps == [100, 400])
                .then_some(())
                .ok_or(format!("{stamps:?}"))
        },
    };
    trial.faults(damages)
}

fn nothing(script: Script) -> Script {
    script
}

/// The table of a message whose stamp must follow those before.
fn stamped<M: Message>(before: &M, good: &M) -> Vec<Damage> {
    let words = ["expected a stamp", "found"];
    let mut damages = message_damages(before, good);
    damages.push(Damage::stamped(good, HOUR_NS, &words));
    damages.push(Damage::stamped(good, MS, &words));
    damages
}

#[test]
fn damaged_arm_states() {
    let damages = stamped(&arm(5, 320), &arm(6, 330));
    survive("arm_state", &damages, &nothing);
}

#[test]
fn damaged_execution_states() {
    let damages = stamped(&execution(5, 320, 1, 2), &execution(6, 330, 1, 2));
    survive("execution_state", &damages, &nothing);
}

#[test]
fn damaged_keypoints() {
    survive(
        "keypoints",
        &stamped(&keypoints(5, 300), &keypoints(6, 310)),
        &nothing,
    );
}

#[test]
fn damaged_programs() {
    let damages = message_damages(&program(4), &program(5));
    survive("reward_program", &damages, &|script| {
        script.message("reward_program", &program(6))
    });
}

#[test]
fn damaged_stages() {
    let mut damages = message_damages(&stage(4, 1), &stage(5, 1));
    // It says when it was decided, which nobody counts by.
    damages.push(Damage::stamped(&stage(5, 1), HOUR_NS, &[]));
    survive("stage", &damages, &|script| {
        script.message("stage", &stage(6, 1))
    });
}

#[test]
fn damaged_episodes() {
    let mut damages = message_damages(&episode(4), &episode(5));
    let words = ["episode", "expected a stamp", "found"];
    damages.push(Damage::stamped(&episode(5), HOUR_NS, &words));
    survive("episode", &damages, &|script| {
        script.message("episode", &episode(6))
    });
}

#[test]
fn damaged_images() {
    let pixels: ArrayRef = Arc::new(UInt8Array::from(vec![77; SIDE * SIDE * 3]));
    for input in ["image", "wrist_image"] {
        let mut damages = image_damages(&header(330), &pixels);
        let words = ["stamp_ns", "expected", "found"];
        damages.push(Damage::image_stamped(
            &header(330),
            &pixels,
            HOUR_NS,
            &words,
        ));
        survive(input, &damages, &nothing);
    }
    // The camera that leads has shown this moment, and a later one.
    let late = [
        Damage::image_stamped(
            &header(60),
            &pixels,
            60 * MS,
            &["expected a stamp after", "found"],
        ),
        Damage::image_stamped(&header(100), &pixels, 100 * MS, &[]),
    ];
    survive("image", &late, &nothing);
}
