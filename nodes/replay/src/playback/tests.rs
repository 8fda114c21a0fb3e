use std::fs::File;
use std::path::Path;

use aligned_vec::AVec;
use arrow::array::Int32Array;
use dora_message::common::Timestamped;
use dora_message::daemon_to_daemon::InterDaemonEvent;
use dora_message::metadata::Metadata;
use dora_node_api::arrow_utils::encode_arrow_ipc;
use dora_node_api::{DoraArray, Parameter, uhlc, uuid::Uuid};
use dora_recording::{FORMAT_VERSION, RecordEntry, RecordingHeader, RecordingWriter};
use tiller_node_kit::Environment;
use tiller_node_kit::testing::{Script, Sent};

use super::*;

fn entry(node: &str, output: &str, value: Option<i32>) -> RecordEntry {
    let timestamp = uhlc::HLC::default().new_timestamp();
    let encode = |value| {
        let array = DoraArray::from_array(Int32Array::from(vec![value]));
        AVec::from_slice(128, &encode_arrow_ipc(&array).unwrap())
    };
    let parameters = [("seq".to_owned(), Parameter::Integer(7))];
    let event = Timestamped {
        inner: InterDaemonEvent::Output {
            dataflow_id: Uuid::nil(),
            node_id: node.parse().unwrap(),
            output_id: output.parse().unwrap(),
            metadata: Metadata::from_parameters(timestamp, parameters.into_iter().collect()),
            data: value.map(encode),
        },
        timestamp,
    };
    RecordEntry {
        node_id: node.to_owned(),
        output_id: output.to_owned(),
        timestamp_offset_nanos: 1_000,
        event_bytes: event.serialize().unwrap(),
    }
}

fn write(path: &Path, entries: &[RecordEntry]) {
    let header = RecordingHeader {
        version: FORMAT_VERSION,
        start_nanos: 0,
        dataflow_id: Uuid::nil(),
        descriptor_yaml: Vec::new(),
    };
    let mut writer = RecordingWriter::new(File::create(path).unwrap(), &header).unwrap();
    for entry in entries {
        writer.write_entry(entry).unwrap();
    }
    writer.finish().unwrap();
}

fn replay(path: &Path, node: &str) -> (Result<()>, Sent) {
    let pairs = [
        ("DORA_REPLAY_FILE", path.to_str().unwrap()),
        ("DORA_REPLAY_NODE", node),
    ];
    let settings = Settings::read(Environment::from_pairs(pairs)).unwrap();
    Script::new(&[])
        .wait(600.0)
        .stop()
        .run(|inbox, outbox| run(&settings, inbox, outbox))
        .expect("the harness works")
}

#[test]
fn a_nodes_messages_are_sent_again_and_no_others() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.drec");
    write(
        &path,
        &[
            entry("camera", "image", Some(3)),
            entry("arm", "state", Some(4)),
            entry("camera", "image", None),
            entry("camera", "depth", Some(5)),
        ],
    );
    let (result, sent) = replay(&path, "camera");
    result.unwrap();
    assert_eq!((sent.count("image"), sent.count("depth")), (2, 1));
    assert_eq!(sent.count("state"), 0);
    let (result, _) = replay(&path, "hand");
    let text = result.unwrap_err().to_string();
    assert!(text.contains("holds no message of `hand`"), "{text}");
}

#[test]
fn a_recording_that_is_cut_off_is_played_as_far_as_it_goes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.drec");
    let broken = RecordEntry {
        event_bytes: vec![1, 2, 3],
        ..entry("camera", "image", Some(1))
    };
    let last = entry("camera", "image", Some(3));
    write(&path, &[entry("camera", "image", Some(2)), broken, last]);
    let bytes = std::fs::read(&path).unwrap();
    // Without the file's end and some of the last entry.
    std::fs::write(&path, &bytes[..bytes.len() - 40]).unwrap();
    let (result, sent) = replay(&path, "camera");
    result.unwrap();
    assert_eq!(sent.count("image"), 1);
    std::fs::write(&path, b"no recording").unwrap();
    let (result, _) = replay(&path, "camera");
    let text = result.unwrap_err().to_string();
    assert!(text.contains("cannot replay"), "{text}");
}

#[test]
fn speed_shortens_pauses_and_0_leaves_them_out() {
    let second = 1_000_000_000;
    assert_eq!(pause(second, 2.0), Duration::from_millis(500));
    assert_eq!(pause(second, 0.0), Duration::ZERO);
}
