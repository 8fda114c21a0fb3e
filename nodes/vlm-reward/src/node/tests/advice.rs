//! Advice on the present visit of the present program, and no other.

use arrow::array::{ArrayRef, UInt8Array};
use tiller_messages::Message;
use tiller_node_kit::testing::{Damage, Trial, image_damages, message_damages};
use tiller_node_kit::{Inbox, Input, Next, Outbox};

use super::*;
use crate::node::Node;

/// A program, and advice in the same answer: the file answers every question with both.
const BOTH: &str = "```python\nnum_stages = 2\n# Stage 1: reach\ndef stage1_guidance(keypoints, action_sequence):\n    return -torch.norm(action_sequence - keypoints[0], dim=-1).mean()\n# Stage 2: stay\ndef stage2_guidance(keypoints, action_sequence):\n    return -torch.norm(action_sequence - keypoints[1], dim=-1).mean()\n```\n";

fn query(seq: u64, visit: u32) -> StageQuery {
    StageQuery {
        seq,
        stage: 1,
        visit,
        reason: "it drags on".into(),
        ..Default::default()
    }
}

fn command(seq: u64, visit: u32) -> StageCommand {
    StageCommand {
        seq,
        stage: 1,
        visit,
        ..Default::default()
    }
}

/// The message in the input, with the number of the program under way.
fn about<M: Message>(mut input: Input, program: ProgramId, set: fn(&mut M, ProgramId)) -> Input {
    if let Ok(mut message) = M::from_arrow(input.data.as_array().as_ref()) {
        set(&mut message, program);
        let array: ArrayRef = Arc::new(message.to_arrow());
        input.data = array.into();
    }
    input
}

/// Runs the node; commands and queries without a program are about the one under way, whose number
/// is known only then.
fn drive_advice(answer: &str, script: Script) -> (eyre::Result<()>, Sent) {
    with_answer(answer, |file| {
        let setup = setup(&[("VLM_PROVIDER", "files"), ("ANSWERS", file)]);
        let run = |inbox: &mut Inbox, outbox: &mut Outbox| {
            let mut node = Node::new(&setup, outbox)?;
            while let Next::Input(input) = inbox.wait() {
                let program = node.program.as_ref().map(|program| program.id);
                let program = program.unwrap_or_default();
                let input = match input.id.as_str() {
                    "stage" => about(input, program, |m: &mut StageCommand, id| m.program = id),
                    "stage_query" => about(input, program, |m: &mut StageQuery, id| {
                        if m.program == ProgramId(0) {
                            m.program = id;
                        }
                    }),
                    _ => input,
                };
                node.take(&input, outbox)?;
                node.work(outbox)?;
            }
            Ok(())
        };
        script.run(run).expect("the harness works")
    })
}

fn visits(sent: &Sent) -> Vec<u32> {
    let advice = sent.messages::<StageAdvice>("stage_advice").unwrap();
    advice.iter().map(|advice| advice.visit).collect()
}

#[test]
fn advice_on_the_present_visit_is_passed_on() {
    let answer = format!("{BOTH}{{\"stage\": 2, \"reason\": \"it is there\"}}");
    let script = image(ready("open the drawer"), "image", 1200)
        .message("stage", &command(1, 1))
        .message("stage_query", &query(1, 1))
        .closed("keypoints");
    let (result, sent) = drive_advice(&answer, script);
    result.unwrap();
    let advice = sent.messages::<StageAdvice>("stage_advice").unwrap();
    assert_eq!(advice.len(), 1, "{:?}", codes(&sent));
    assert_eq!((advice[0].visit, advice[0].stage), (1, 2));
    assert_eq!(advice[0].program, programs(&sent)[0].id);
    assert_eq!(codes(&sent).last(), Some(&told(Level::Info, "advice")));
}

#[test]
fn advice_that_is_late_malformed_or_impossible_is_dropped_and_told() {
    let drop_of = |advice: &str, now: u32| {
        let script = ready("open the drawer")
            .message("stage", &command(1, now))
            .message("stage_query", &query(1, 3))
            .closed("keypoints");
        let (result, sent) = drive_advice(&format!("{BOTH}{advice}"), script);
        result.unwrap();
        assert_eq!(visits(&sent), [0; 0]);
        codes(&sent).pop().unwrap()
    };
    let good = r#"{"stage": 2}"#;
    assert_eq!(drop_of(good, 4), told(Level::Warning, "advice_late"));
    assert_eq!(drop_of("stay", 3), told(Level::Warning, "advice_malformed"));
    let ninth = r#"{"stage": 9}"#;
    assert_eq!(drop_of(ninth, 3), told(Level::Warning, "advice_impossible"));
}

#[test]
fn a_query_about_another_program_gets_no_advice() {
    let other = StageQuery {
        program: ProgramId(5),
        ..query(1, 1)
    };
    let script = ready("open the drawer")
        .message("stage_query", &other)
        .closed("keypoints");
    let (result, sent) = drive_advice(&format!("{BOTH}{{\"stage\": 2}}"), script);
    result.unwrap();
    assert_eq!(visits(&sent), [0; 0]);
    assert_eq!(codes(&sent).last(), Some(&told(Level::Info, "query_void")));
}

/// Tries an input between advice on visits 1 and 2, and before a program for another grounding.
fn faults(input: &'static str, damages: &[Damage]) -> Vec<String> {
    let answer = format!("{BOTH}{{\"stage\": 2}}");
    let trial = Trial {
        input,
        before: &|| {
            image(ready("open the drawer").gap(0.003), "image", 1200)
                .message("stage", &command(2, 1))
                .message("stage_query", &query(2, 1))
        },
        after: &|script| {
            let script = image(script, "image", 1400)
                .message("stage", &command(4, 2))
                .message("stage_query", &query(4, 2));
            grounded(script, 1, 2, 500).closed("keypoints")
        },
        drive: &|script| drive_advice(&answer, script),
        texts: &refusals,
        accepted: &|sent| {
            let found = (visits(sent), programs(sent).len());
            (found == (vec![1, 2], 2))
                .then_some(())
                .ok_or(format!("{found:?}"))
        },
    };
    trial.faults(damages)
}

#[test]
fn damaged_stages_and_queries_and_pictures() {
    let stages = message_damages(&command(2, 1), &command(3, 1));
    let queries = message_damages(&query(2, 1), &query(3, 1));
    let pixels: ArrayRef = Arc::new(UInt8Array::from(vec![0; SIDE * SIDE * 3]));
    let pictures = image_damages(&header(1300), &pixels);
    for (input, damages) in [
        ("stage", stages),
        ("stage_query", queries),
        ("image", pictures),
    ] {
        let faults = faults(input, &damages);
        assert!(faults.is_empty(), "{faults:#?}");
    }
}
