use arrow::array::AsArray;
use arrow::datatypes::UInt64Type;
use tiller_core::EpisodeId;
use tiller_messages::{ArmState, Episode, StageCommand};

use super::*;
use crate::Next;
use crate::testing::{Script, Sent};

/// Runs `act` with the outbox of a node that is then stopped.
fn with_outbox<T>(act: impl FnOnce(&mut Outbox) -> Result<T>) -> (T, Sent) {
    let (result, sent) = Script::new(&[])
        .stop()
        .run(|inbox, outbox| {
            let done = act(outbox)?;
            while !matches!(inbox.wait(), Next::End(_)) {}
            Ok(done)
        })
        .unwrap();
    (result.unwrap(), sent)
}

fn episode(id: u64) -> Episode {
    Episode {
        id: EpisodeId(id),
        ..Default::default()
    }
}

/// The episodes that went out: their ids and numbers.
fn episodes(sent: &Sent) -> Vec<(u64, u64)> {
    let messages = sent.messages::<Episode>("episode").unwrap();
    messages.iter().map(|m| (m.id.0, m.seq)).collect()
}

#[test]
fn each_output_counts_from_1_in_the_session_of_the_node() {
    let (session, sent) = with_outbox(|outbox| {
        outbox.send("episode", episode(1))?;
        outbox.send("stage", StageCommand::default())?;
        outbox.send("episode", episode(2))?;
        outbox.send("episode", episode(3))?;
        outbox.tell(Level::Info, "said", "a word".to_owned())?;
        Ok(outbox.session())
    });
    assert_eq!(episodes(&sent), [(1, 1), (2, 2), (3, 3)]);
    let stages = sent.messages::<StageCommand>("stage").unwrap();
    let statuses = sent.messages::<Status>("status").unwrap();
    assert_eq!((stages[0].seq, statuses[0].seq), (1, 1));
    let sessions = sent.messages::<Episode>("episode").unwrap();
    let mut sessions: Vec<_> = sessions.iter().map(|m| m.session).collect();
    sessions.extend([stages[0].session, statuses[0].session]);
    assert_eq!(sessions, [session; 5]);
}

#[test]
fn a_message_with_a_number_of_its_own_keeps_it() {
    let state = ArmState {
        session: 3,
        seq: 70,
        ..Default::default()
    };
    let (_, sent) = with_outbox(|outbox| outbox.send("arm_state", state.clone()));
    assert_eq!(sent.messages::<ArmState>("arm_state").unwrap(), [state]);
}

#[test]
fn a_node_that_is_started_anew_has_a_later_session() {
    let first = super::session_from_clock();
    std::thread::sleep(std::time::Duration::from_millis(1));
    let second = super::session_from_clock();
    assert!(second > first, "{first} {second}");
}

/// As if what is latched had been sent a second earlier.
fn let_a_second_pass(outbox: &mut Outbox) {
    for latched in outbox.latched.values_mut() {
        latched.sent -= LATCH;
    }
    for refusals in outbox.refusals.values_mut() {
        refusals.told = refusals.told.map(|told| told - REFUSALS);
    }
}

#[test]
fn what_is_latched_is_sent_again_each_second_as_it_was() {
    let (_, sent) = with_outbox(|outbox| {
        outbox.latch("episode", episode(1))?;
        outbox.repeat_latched()?;
        let_a_second_pass(outbox);
        outbox.repeat_latched()?;
        outbox.repeat_latched()?;
        outbox.latch("episode", episode(2))?;
        outbox.send("stage", StageCommand::default())?;
        let_a_second_pass(outbox);
        outbox.repeat_latched()
    });
    // A reader takes the number for that of a message which it has, or has missed.
    assert_eq!(episodes(&sent), [(1, 1), (1, 1), (2, 2), (2, 2)]);
    assert_eq!(sent.count("stage"), 1);
}

#[test]
fn a_latched_picture_is_repeated_until_it_holds_no_longer() {
    let header = ImageHeader {
        width: 2,
        height: 1,
        ..ImageHeader::default()
    };
    let (_, sent) = with_outbox(|outbox| {
        assert!(outbox.latch_image("image", &header, vec![0; 5]).is_err());
        outbox.latch_image("image", &header, vec![1, 2, 3, 4, 5, 6])?;
        let_a_second_pass(outbox);
        outbox.repeat_latched()?;
        outbox.unlatch("image");
        let_a_second_pass(outbox);
        outbox.repeat_latched()
    });
    assert_eq!(sent.images("image"), [[1, 2, 3, 4, 5, 6]; 2]);
}

#[test]
fn each_latched_output_is_repeated() {
    let (numbers, sent) = with_outbox(|outbox| {
        outbox.latch("episode", episode(1))?;
        outbox.latch("stage", StageCommand::default())?;
        let_a_second_pass(outbox);
        outbox.repeat_latched()?;
        let seq = |latched: &Latched| {
            let row = latched.array.as_struct();
            let seq = row.column_by_name("seq").map(|column| column.as_ref());
            seq.map(|column| column.as_primitive::<UInt64Type>().value(0))
        };
        Ok(outbox.latched.values().filter_map(seq).collect::<Vec<_>>())
    });
    assert_eq!(numbers, [1, 1]);
    assert_eq!((sent.count("episode"), sent.count("stage")), (2, 2));
}

fn texts(sent: &Sent) -> Vec<String> {
    let statuses = sent.messages::<Status>("status").unwrap();
    assert!(
        statuses
            .iter()
            .all(|s| s.code == "message_refused" && s.level == Level::Warning)
    );
    statuses.into_iter().map(|status| status.text).collect()
}

#[test]
fn refusals_of_an_input_are_told_at_once_and_then_at_most_once_a_second() {
    let refused = |input| Refused::new(input, "expected 7 numbers, found 6");
    let (_, sent) = with_outbox(|outbox| {
        for _ in 0..50 {
            outbox.refuse(&refused("arm_state"))?;
        }
        outbox.refuse(&refused("keypoints"))?;
        let_a_second_pass(outbox);
        outbox.refuse(&refused("arm_state"))?;
        outbox.refuse(&refused("arm_state"))
    });
    let told = |input, count| {
        format!("input `{input}`: expected 7 numbers, found 6 ({count} refused so far)")
    };
    let expected = [
        told("arm_state", 1),
        told("keypoints", 1),
        told("arm_state", 51),
    ];
    assert_eq!(texts(&sent), expected);
}

#[test]
fn what_is_accepted_comes_through_and_what_is_not_is_told() {
    let (found, sent) = with_outbox(|outbox| {
        let refused = Refused::new("stage", "expected 1 row, found 2");
        Ok([
            outbox.accept(Ok(Some(1)))?,
            outbox.accept(Ok(None))?,
            outbox.accept(Err(refused))?,
        ])
    });
    assert_eq!(found, [Some(1), None, None]);
    assert_eq!(
        texts(&sent),
        ["input `stage`: expected 1 row, found 2 (1 refused so far)"]
    );
}

#[test]
fn a_status_of_any_length_is_cut() {
    let (_, sent) =
        with_outbox(|outbox| outbox.tell(Level::Error, "hold", "why ".repeat(1_000_000)));
    let statuses = sent.messages::<Status>("status").unwrap();
    assert_eq!(statuses[0].text.chars().count(), MAX_STATUS + 1);
    assert_eq!(statuses[0].node, "test-node");
}

#[test]
fn a_status_hides_nothing() {
    let text = "`\u{1b}[2J\u{202e}drawer\u{200b}` is\nnot\tunderstood\r".to_owned();
    let (_, sent) = with_outbox(|outbox| outbox.tell(Level::Error, "refused", text));
    let statuses = sent.messages::<Status>("status").unwrap();
    let texts: Vec<_> = statuses.iter().map(|status| status.text.as_str()).collect();
    assert_eq!(
        texts,
        ["`\\u{1b}[2J\\u{202e}drawer\\u{200b}` is\nnot\tunderstood\\r"]
    );
}

#[test]
fn an_output_that_the_dataflow_does_not_declare_is_named() {
    let (said, _) = with_outbox(|outbox| {
        // Without a dataflow nothing is declared, and nothing refused.
        outbox.check_outputs(&["image"])?;
        outbox.declared = Some(vec!["image".to_owned(), "status".to_owned()]);
        outbox.check_outputs(&["image"])?;
        let refused = outbox.check_outputs(&["image", "wrist_image"]);
        Ok(refused.unwrap_err().to_string())
    });
    let expected = "expected `wrist_image` among its `outputs`, found `image`, `status`";
    assert!(said.ends_with(expected), "{said}");
}
