//! The messages of one input in order: lost, repeated, late, and a sender that is started anew.

use std::sync::Arc;

use arrow::array::{ArrayRef, StructArray, UInt32Array};
use dora_node_api::uhlc::HLC;
use dora_node_api::{DoraArray, Metadata, MetadataParameters};
use tiller_messages::{ArmState, Keypoints, Message, StageCommand};
use tiller_node_kit::{Input, Stream};

fn input(data: ArrayRef) -> Input {
    let stamp = HLC::default().new_timestamp();
    Input {
        id: "arm_state".to_owned(),
        metadata: Metadata::from_parameters(stamp, MetadataParameters::default()),
        data: DoraArray::from(data),
    }
}

fn state(session: u64, seq: u64) -> ArmState {
    ArmState {
        session,
        seq,
        ..Default::default()
    }
}

/// What becomes of states with these sessions and numbers: taken, left out, or refused.
fn taken(stream: &mut Stream<ArmState>, numbers: &[(u64, u64)]) -> Vec<Option<bool>> {
    numbers
        .iter()
        .map(|(session, seq)| {
            let message = input(Arc::new(state(*session, *seq).to_arrow()));
            stream.read(&message).ok().map(|read| read.is_some())
        })
        .collect()
}

const TAKEN: Option<bool> = Some(true);
const LEFT_OUT: Option<bool> = Some(false);
const REFUSED: Option<bool> = None;

#[test]
fn lost_repeated_and_late_messages_are_counted() {
    let mut stream = Stream::default();
    let found = taken(&mut stream, &[(5, 3), (5, 4), (5, 4), (5, 7), (5, 6)]);
    assert_eq!(found, [TAKEN, TAKEN, LEFT_OUT, TAKEN, REFUSED]);
    assert_eq!((stream.lost(), stream.repeated()), (2, 2));
}

#[test]
fn a_sender_that_is_started_anew_is_followed_and_its_past_is_not() {
    let mut stream = Stream::default();
    let found = taken(&mut stream, &[(5, 900), (9, 1), (9, 2), (5, 901), (9, 3)]);
    assert_eq!(found, [TAKEN, TAKEN, TAKEN, REFUSED, TAKEN]);
    assert_eq!(
        stream.lost(),
        0,
        "what another session has counted is not lost"
    );
    // It may have said more before anybody listened.
    assert_eq!(taken(&mut stream, &[(12, 40)]), [TAKEN]);
    assert_eq!(stream.lost(), 0);
}

#[test]
fn a_late_message_is_refused_with_the_numbers() {
    let mut stream = Stream::default();
    taken(&mut stream, &[(5, 7)]);
    let late = input(Arc::new(state(5, 6).to_arrow()));
    let text = stream.read(&late).unwrap_err().to_string();
    let expected = "input `arm_state`: ArmState: expected a message after number 7 of session 5, \
                    found number 6 of session 5";
    assert_eq!(text, expected);
}

#[test]
fn a_refused_message_leaves_the_stream_as_it_was() {
    let mut stream = Stream::default();
    taken(&mut stream, &[(5, 1)]);
    let foreign = input(Arc::new(StageCommand::default().to_arrow()));
    let text = stream.read(&foreign).unwrap_err().to_string();
    assert!(text.contains("input `arm_state`: ArmState: "), "{text}");
    let number = input(Arc::new(UInt32Array::from(vec![1])));
    assert!(stream.read(&number).is_err());
    let sick = ArmState {
        gripper_width_m: f64::NAN,
        ..state(5, 2)
    };
    let sick = input(Arc::new(sick.to_arrow()));
    let text = stream.read(&sick).unwrap_err().to_string();
    assert!(text.contains("gripper_width_m: expected finite"), "{text}");
    // Its number is still free.
    assert!(matches!(stream.read_any_numbers(&sick), Ok(Some(_))));
    assert_eq!(taken(&mut stream, &[(5, 3)]), [TAKEN]);
    assert_eq!((stream.lost(), stream.repeated()), (0, 0));
}

/// What a node in Python sends that takes its types from `types/tiller/v1.yml` and its numbers from
/// the language: `int64`, `double` and lists with 32-bit offsets.
#[test]
fn a_node_in_another_language_is_read() {
    let expected = Keypoints {
        session: 1,
        seq: 1,
        stamp_ns: 5,
        names: vec!["handle".into()],
        xyz_m: vec![0.5, 0.0, 0.25],
        visible: vec![true],
        age_ns: vec![0],
        confidence: vec![0.75],
        ..Default::default()
    };
    let json = r#"{"schema_version": 5, "session": 1, "seq": 1, "stamp_ns": 5, "episode": 0,
        "generation": 0, "names": ["handle"], "xyz_m": [0.5, 0.0, 0.25], "visible": [true],
        "axes": [], "age_ns": [0], "confidence": [0.75]}"#
        .replace('\n', " ");
    let schema = arrow_json::reader::infer_json_schema(json.as_bytes(), None)
        .unwrap()
        .0;
    let mut reader = arrow_json::ReaderBuilder::new(Arc::new(schema))
        .build(json.as_bytes())
        .unwrap();
    let row = StructArray::from(reader.next().unwrap().unwrap());
    let type_of = |name: &str| row.column_by_name(name).unwrap().data_type().to_string();
    assert_eq!(type_of("seq"), "Int64");
    assert!(
        type_of("xyz_m").starts_with("List("),
        "{}",
        type_of("xyz_m")
    );
    let mut stream = Stream::<Keypoints>::default();
    assert_eq!(stream.read(&input(Arc::new(row))), Ok(Some(expected)));
}
