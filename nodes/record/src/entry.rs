//! A message as it stands in a recording: what the daemons of dora send each other.

use aligned_vec::{AVec, ConstAlign};
use arrow::array::{Array, AsArray, StructArray};
use arrow::datatypes::{DataType, UInt64Type};
use dora_message::common::Timestamped;
use dora_message::daemon_to_daemon::InterDaemonEvent;
use dora_node_api::arrow_utils::ipc_encode::{
    encode_ipc_into, encode_ipc_to_vec, ipc_fast_path_len,
};
use dora_node_api::{DoraArray, Parameter, uuid::Uuid};
use dora_recording::RecordEntry;
use eyre::{Result, WrapErr};
use tiller_node_kit::Input;

use crate::settings::Topic;

/// Bytes at whose multiples Arrow's buffers begin.
const ALIGNMENT: usize = 128;

/// The entry of a message that came `offset_ns` after the recording's start.
///
/// # Errors
/// When Arrow has no such form, which is a mistake of ours.
pub(crate) fn of(topic: &Topic, input: Input, offset_ns: u64) -> Result<RecordEntry> {
    let Input { metadata, data, .. } = input;
    let timestamp = metadata.timestamp();
    let event = Timestamped {
        inner: InterDaemonEvent::Output {
            dataflow_id: Uuid::nil(),
            node_id: topic.node.clone(),
            output_id: topic.output.clone(),
            metadata,
            data: encoded(&data).wrap_err_with(|| format!("cannot encode `{}`", topic.name))?,
        },
        timestamp,
    };
    Ok(RecordEntry {
        node_id: topic.node.to_string(),
        output_id: topic.output.to_string(),
        timestamp_offset_nanos: offset_ns,
        event_bytes: event.serialize()?,
    })
}

/// The data as a stream of Arrow's; none for what is empty without a type.
fn encoded(data: &DoraArray) -> Result<Option<AVec<u8, ConstAlign<ALIGNMENT>>>> {
    let array = data.as_array();
    if array.is_empty() && *array.data_type() == DataType::Null {
        return Ok(None);
    }
    let Some(length) = ipc_fast_path_len(data) else {
        let bytes = encode_ipc_to_vec(data)?;
        return Ok(Some(AVec::from_slice(ALIGNMENT, &bytes)));
    };
    let mut bytes = vec![0; length];
    encode_ipc_into(data, &mut bytes)?;
    Ok(Some(AVec::from_slice(ALIGNMENT, &bytes)))
}

/// Session and number of a message of ours, by which it is seen that one before it is missing: columns of
/// the row, or the number in a picture's metadata. None where the sender counts nothing.
pub(crate) fn number(input: &Input) -> Option<(u64, u64)> {
    let array = input.data.as_array();
    if let Some(row) = array.as_any().downcast_ref::<StructArray>() {
        return Some((column(row, "session").unwrap_or(0), column(row, "seq")?));
    }
    match input.metadata.parameters.get("seq") {
        Some(Parameter::Integer(seq)) => Some((0, u64::try_from(*seq).ok()?)),
        _ => None,
    }
}

fn column(row: &StructArray, name: &str) -> Option<u64> {
    let column = row.column_by_name(name)?.as_primitive_opt::<UInt64Type>()?;
    (column.len() == 1 && column.is_valid(0)).then(|| column.value(0))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, Float64Array, Int32Array, NullArray, UInt64Array};
    use dora_message::metadata::Metadata;
    use dora_node_api::arrow_utils::decode_arrow_ipc;
    use dora_node_api::uhlc::HLC;

    use super::*;

    fn input(array: ArrayRef, parameters: &[(&str, Parameter)]) -> Input {
        let parameters = parameters.iter();
        let parameters = parameters.map(|(key, value)| ((*key).to_owned(), value.clone()));
        let timestamp = HLC::default().new_timestamp();
        Input {
            id: "a___b".to_owned(),
            metadata: Metadata::from_parameters(timestamp, parameters.collect()),
            data: array.into(),
        }
    }

    fn row(session: u64, seq: u64) -> ArrayRef {
        let column = |value| Arc::new(UInt64Array::from(vec![value])) as ArrayRef;
        let columns = [("session", column(session)), ("seq", column(seq))];
        Arc::new(StructArray::try_from(columns.to_vec()).unwrap())
    }

    #[test]
    fn messages_and_pictures_are_counted_and_others_are_not() {
        assert_eq!(number(&input(row(7, 3), &[])), Some((7, 3)));
        let pixels: ArrayRef = Arc::new(Int32Array::from(vec![1]));
        let counted = input(Arc::clone(&pixels), &[("seq", Parameter::Integer(4))]);
        assert_eq!(number(&counted), Some((0, 4)));
        assert_eq!(number(&input(pixels, &[])), None);
    }

    #[test]
    fn what_is_recorded_is_read_again_with_its_type() {
        let topic = Topic {
            name: "a/b".to_owned(),
            node: "a".parse().unwrap(),
            output: "b".parse().unwrap(),
        };
        let empty: ArrayRef = Arc::new(Float64Array::from(Vec::<f64>::new()));
        let nothing: ArrayRef = Arc::new(NullArray::new(0));
        for array in [row(1, 2), empty, nothing] {
            let sent = input(Arc::clone(&array), &[("key", Parameter::Bool(true))]);
            let entry = of(&topic, sent, 5).unwrap();
            assert_eq!(
                (entry.node_id.as_str(), entry.output_id.as_str()),
                ("a", "b")
            );
            let read = Timestamped::deserialize_inter_daemon_event(&entry.event_bytes).unwrap();
            let InterDaemonEvent::Output { metadata, data, .. } = read.inner else {
                panic!("an output");
            };
            assert_eq!(metadata.parameters.get("key"), Some(&Parameter::Bool(true)));
            match data {
                None => assert_eq!(*array.data_type(), DataType::Null),
                Some(bytes) => {
                    let read = decode_arrow_ipc(&bytes).unwrap();
                    assert_eq!(read.as_array(), &array);
                }
            }
        }
    }
}
