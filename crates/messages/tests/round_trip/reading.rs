//! What other Arrow libraries write for the same meaning is read.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, FixedSizeListArray, Float32Array, Float64Array, Int16Array,
    Int32Array, Int64Array, LargeListArray, LargeStringArray, ListArray, NullArray, StringArray,
    StringViewArray, StructArray, UInt8Array, UInt16Array, UInt64Array, new_empty_array,
};
use arrow::buffer::OffsetBuffer;
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{DataType, Field};
use tiller_core::Pose;
use tiller_messages::*;

use crate::with_column;

/// What `pyarrow.array([{...}])` infers for the same values: `int64`, `double`, `string`,
/// `list<..>`, `null` for `None` and `list<null>` for an empty list.
pub(crate) fn as_pyarrow(message: &StructArray) -> StructArray {
    let columns: Vec<_> = message
        .fields()
        .iter()
        .zip(message.columns())
        .map(|(field, column)| {
            let column = inferred(column);
            let field = Field::new(field.name(), column.data_type().clone(), true);
            (Arc::new(field), column)
        })
        .collect();
    StructArray::from(columns)
}

fn inferred(column: &ArrayRef) -> ArrayRef {
    if column.null_count() == column.len() && !column.is_empty() {
        return Arc::new(NullArray::new(column.len()));
    }
    match column.data_type() {
        DataType::LargeList(_) => {
            let items = column.as_list::<i64>().value(0);
            list_of(match items.is_empty() {
                true => new_empty_array(&DataType::Null),
                false => inferred(&items),
            })
        }
        DataType::UInt32 | DataType::UInt64 => {
            let strict = CastOptions {
                safe: false,
                ..Default::default()
            };
            // Numbers that no `int64` holds become `uint64`.
            cast_with_options(column, &DataType::Int64, &strict).unwrap_or_else(|_| column.clone())
        }
        DataType::Float32 => {
            cast_with_options(column, &DataType::Float64, &CastOptions::default()).unwrap()
        }
        _ => column.clone(),
    }
}

fn item(items: &ArrayRef) -> Arc<Field> {
    Arc::new(Field::new("item", items.data_type().clone(), true))
}

pub(crate) fn list_of(items: ArrayRef) -> ArrayRef {
    let offsets = OffsetBuffer::from_lengths([items.len()]);
    Arc::new(ListArray::new(item(&items), offsets, items, None))
}

fn large_list_of(items: ArrayRef) -> ArrayRef {
    let offsets = OffsetBuffer::from_lengths([items.len()]);
    Arc::new(LargeListArray::new(item(&items), offsets, items, None))
}

fn fixed_list_of(items: ArrayRef) -> ArrayRef {
    let length = items.len().try_into().unwrap();
    Arc::new(FixedSizeListArray::new(item(&items), length, items, None))
}

#[test]
fn numbers_of_other_widths_are_read() {
    let expected = Progress {
        seq: 5,
        stage: 2,
        planned: 3.0,
        ..Default::default()
    };
    let message = expected.to_arrow();
    let fives: [ArrayRef; 6] = [
        Arc::new(Int64Array::from(vec![5])),
        Arc::new(Int32Array::from(vec![5])),
        Arc::new(Int16Array::from(vec![5])),
        Arc::new(UInt8Array::from(vec![5])),
        Arc::new(UInt16Array::from(vec![5])),
        Arc::new(UInt64Array::from(vec![5])),
    ];
    for five in fives {
        let read = Progress::from_arrow(&with_column(&message, "seq", Some(five)));
        assert_eq!(read.as_ref(), Ok(&expected));
    }
    let two: ArrayRef = Arc::new(Int64Array::from(vec![2]));
    let read = Progress::from_arrow(&with_column(&message, "stage", Some(two)));
    assert_eq!(read.as_ref(), Ok(&expected));
    let threes: [ArrayRef; 3] = [
        Arc::new(Float32Array::from(vec![3.0])),
        Arc::new(Int64Array::from(vec![3])),
        Arc::new(UInt8Array::from(vec![3])),
    ];
    for three in threes {
        let read = Progress::from_arrow(&with_column(&message, "planned", Some(three)));
        assert_eq!(read.as_ref(), Ok(&expected));
    }
}

#[test]
fn lists_of_every_kind_are_read() {
    let expected = ArmState {
        q_rad: [0.0, -1.0, 2.0, 0.5, 4.0, -5.0, 6.0],
        tcp: Pose::IDENTITY,
        ..Default::default()
    };
    let message = expected.to_arrow();
    let doubles: ArrayRef = Arc::new(Float64Array::from(expected.q_rad.to_vec()));
    let floats: ArrayRef = Arc::new(Float32Array::from_iter_values(
        expected.q_rad.map(|q| q as f32),
    ));
    for items in [doubles, floats] {
        for list in [list_of, large_list_of, fixed_list_of] {
            let q = list(items.clone());
            let found = q.data_type().clone();
            let read = ArmState::from_arrow(&with_column(&message, "q_rad", Some(q)));
            assert_eq!(read.as_ref(), Ok(&expected), "{found}");
        }
    }
    let quaternion = list_of(Arc::new(Int64Array::from(vec![1, 0, 0, 0])));
    let changed = with_column(&message, "tcp_quaternion_wxyz", Some(quaternion));
    assert_eq!(ArmState::from_arrow(&changed).as_ref(), Ok(&expected));
}

#[test]
fn text_of_every_kind_is_read() {
    let expected = Episode {
        instruction: "push it".into(),
        tasks: vec!["push_red".into()],
        ..Default::default()
    };
    let message = expected.to_arrow();
    let texts = |text: &str| -> [ArrayRef; 3] {
        [
            Arc::new(StringArray::from(vec![text])),
            Arc::new(LargeStringArray::from(vec![text])),
            Arc::new(StringViewArray::from(vec![text])),
        ]
    };
    for instruction in texts("push it") {
        let changed = with_column(&message, "instruction", Some(instruction));
        assert_eq!(Episode::from_arrow(&changed).as_ref(), Ok(&expected));
    }
    for items in texts("push_red") {
        let changed = with_column(&message, "tasks", Some(list_of(items)));
        assert_eq!(Episode::from_arrow(&changed).as_ref(), Ok(&expected));
    }
}

#[test]
fn an_empty_list_without_a_type_is_read() {
    for list in [list_of, large_list_of] {
        let empty = list(new_empty_array(&DataType::Null));
        let changed = with_column(&Episode::default().to_arrow(), "tasks", Some(empty));
        assert_eq!(Episode::from_arrow(&changed), Ok(Episode::default()));
    }
}
