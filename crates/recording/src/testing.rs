//! Recordings for tests.

#![allow(
    clippy::unwrap_used,
    clippy::missing_panics_doc,
    reason = "a test that panics has failed, as it should"
)]

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use aligned_vec::AVec;
use arrow::array::{Array, Int32Array, RecordBatch, make_array};
use arrow::ipc::writer::StreamWriter;
use dora_message::common::Timestamped;
use dora_message::daemon_to_daemon::InterDaemonEvent;
use dora_message::metadata::{Metadata, Parameter};
use dora_message::{DataflowId, uhlc};
pub use dora_recording::RecordEntry;
use dora_recording::{FORMAT_VERSION, RecordingHeader, RecordingWriter};
use tiller_messages::HeaderValue;

/// An array of one number.
pub fn number(value: i32) -> Int32Array {
    Int32Array::from(vec![value])
}

/// The stream that dora sends an array as.
pub fn array(data: &dyn Array) -> Vec<u8> {
    let column = make_array(data.to_data());
    let batch = RecordBatch::try_from_iter([("data", Arc::clone(&column))]).unwrap();
    let mut writer = StreamWriter::try_new(Vec::new(), &batch.schema()).unwrap();
    writer.write(&batch).unwrap();
    writer.into_inner().unwrap()
}

/// What the recorder writes for a message.
pub fn entry(node: &str, output: &str, data: Option<&dyn Array>) -> RecordEntry {
    entry_beside(node, output, data, vec![("seq", HeaderValue::Integer(7))])
}

/// The same with this beside the data.
pub fn entry_beside(
    node: &str,
    output: &str,
    data: Option<&dyn Array>,
    parameters: Vec<(&str, HeaderValue)>,
) -> RecordEntry {
    let timestamp = uhlc::HLC::default().new_timestamp();
    let parameters = parameters
        .into_iter()
        .map(|(key, value)| (key.to_owned(), parameter(value)));
    let event = Timestamped {
        inner: InterDaemonEvent::Output {
            dataflow_id: DataflowId::nil(),
            node_id: node.parse().unwrap(),
            output_id: output.parse().unwrap(),
            metadata: Metadata::from_parameters(timestamp, parameters.collect()),
            data: data.map(|data| AVec::from_slice(128, &array(data))),
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

fn parameter(value: HeaderValue) -> Parameter {
    match value {
        HeaderValue::Integer(n) => Parameter::Integer(n),
        HeaderValue::Number(n) => Parameter::Float(n),
        HeaderValue::Text(text) => Parameter::String(text),
        HeaderValue::Numbers(numbers) => Parameter::ListFloat(numbers),
        HeaderValue::Texts(texts) => Parameter::ListString(texts),
        HeaderValue::Flag(flag) => Parameter::Bool(flag),
    }
}

/// A whole recording.
pub fn write(path: &Path, entries: &[RecordEntry]) {
    let header = RecordingHeader {
        version: FORMAT_VERSION,
        start_nanos: 12,
        dataflow_id: DataflowId::nil(),
        descriptor_yaml: b"nodes: []".to_vec(),
    };
    let mut writer = RecordingWriter::new(File::create(path).unwrap(), &header).unwrap();
    for entry in entries {
        writer.write_entry(entry).unwrap();
    }
    writer.finish().unwrap();
}
