//! Rows of Arrow as JSON, and their schemas: what the message structs say, said once more by a machine.

use arrow::array::{Array, AsArray};
use arrow::datatypes::{
    DataType, Field, Fields, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
    UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use serde_json::{Map, Value, json};

/// The JSON Schema of a row with these columns. What may be null is not required.
pub(crate) fn schema(title: &str, fields: &Fields) -> Value {
    let properties: Map<String, Value> = fields
        .iter()
        .map(|field| (field.name().clone(), kind(field)))
        .collect();
    let required: Vec<&str> = fields
        .iter()
        .filter(|field| !field.is_nullable())
        .map(|field| field.name().as_str())
        .collect();
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": title,
        "type": "object",
        "properties": properties,
        "required": required,
    })
}

fn kind(field: &Field) -> Value {
    match field.data_type() {
        DataType::Boolean => json!({"type": "boolean"}),
        DataType::Utf8 | DataType::LargeUtf8 => json!({"type": "string"}),
        DataType::List(item) | DataType::LargeList(item) | DataType::FixedSizeList(item, _) => {
            json!({"type": "array", "items": kind(item)})
        }
        DataType::Struct(fields) => {
            let fields = fields.iter();
            let properties: Map<String, Value> = fields
                .map(|field| (field.name().clone(), kind(field)))
                .collect();
            json!({"type": "object", "properties": properties})
        }
        number if number.is_integer() => json!({"type": "integer"}),
        number if number.is_floating() => json!({"type": "number"}),
        _ => json!({}),
    }
}

/// The first row of a struct array. What is null is left out; numbers that JSON has not are null.
pub(crate) fn row(array: &dyn Array) -> Value {
    value(array, 0)
}

fn value(array: &dyn Array, at: usize) -> Value {
    if at >= array.len() || array.is_null(at) {
        return Value::Null;
    }
    macro_rules! primitive {
        ( $type:ty ) => {
            json!(array.as_primitive::<$type>().value(at))
        };
    }
    match array.data_type() {
        DataType::Boolean => json!(array.as_boolean().value(at)),
        DataType::Utf8 => json!(array.as_string::<i32>().value(at)),
        DataType::LargeUtf8 => json!(array.as_string::<i64>().value(at)),
        DataType::UInt8 => primitive!(UInt8Type),
        DataType::UInt16 => primitive!(UInt16Type),
        DataType::UInt32 => primitive!(UInt32Type),
        DataType::UInt64 => primitive!(UInt64Type),
        DataType::Int8 => primitive!(Int8Type),
        DataType::Int16 => primitive!(Int16Type),
        DataType::Int32 => primitive!(Int32Type),
        DataType::Int64 => primitive!(Int64Type),
        DataType::Float32 => primitive!(Float32Type),
        DataType::Float64 => primitive!(Float64Type),
        DataType::List(_) => list(array.as_list::<i32>().value(at).as_ref()),
        DataType::LargeList(_) => list(array.as_list::<i64>().value(at).as_ref()),
        DataType::FixedSizeList(..) => list(array.as_fixed_size_list().value(at).as_ref()),
        DataType::Struct(fields) => {
            let columns = fields.iter().zip(array.as_struct().columns());
            let pairs = columns.filter(|(_, column)| !column.is_null(at));
            pairs
                .map(|(field, column)| (field.name().clone(), value(column.as_ref(), at)))
                .collect::<Map<_, _>>()
                .into()
        }
        _ => Value::Null,
    }
}

fn list(items: &dyn Array) -> Value {
    (0..items.len()).map(|at| value(items, at)).collect()
}

#[cfg(test)]
mod tests {
    use tiller_messages::{AnyMessage, Message, SafetyEvent, schemas};

    use super::*;

    #[test]
    fn a_row_is_written_as_its_columns_are() {
        let event = SafetyEvent {
            session: u64::MAX,
            seq: 2,
            stamp_ns: 3,
            kind: "stale_chunk".to_owned(),
            limit: None,
            step: Some(4),
            text: "late".to_owned(),
            ..SafetyEvent::default()
        };
        let found = row(&event.to_arrow());
        assert_eq!(found["session"], json!(u64::MAX));
        assert_eq!(
            (&found["kind"], &found["step"]),
            (&json!("stale_chunk"), &json!(4))
        );
        assert_eq!(found.get("limit"), None);
        let schema = schema("SafetyEvent", &SafetyEvent::fields());
        assert_eq!(schema["properties"]["text"], json!({"type": "string"}));
        let required = schema["required"].as_array().unwrap();
        assert!(required.contains(&json!("kind")) && !required.contains(&json!("limit")));
    }

    /// Foxglove wants a type for everything.
    #[test]
    fn every_column_of_every_message_has_a_type() {
        for (name, fields) in schemas() {
            for field in fields.iter() {
                assert!(kind(field)["type"].is_string(), "{name}.{}", field.name());
            }
        }
    }

    #[test]
    fn every_value_fits_its_schema() {
        let message = tiller_messages::Keypoints {
            names: vec!["handle".to_owned()],
            xyz_m: vec![0.1, 0.2, 0.3],
            visible: vec![true],
            ..Default::default()
        };
        let any = AnyMessage::from_arrow(&message.to_arrow())
            .unwrap()
            .unwrap();
        let found = row(&any.to_arrow());
        assert_eq!(found["xyz_m"], json!([0.1, 0.2, 0.3]));
        assert_eq!(found["visible"], json!([true]));
        assert_eq!(found["names"], json!(["handle"]));
    }
}
