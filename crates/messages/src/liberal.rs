//! Reading what other Arrow libraries write for the same meaning.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::DataType;

/// `array` as `wanted`, if it means the same: integers and floats of any width whose values fit,
/// integers for floats, lists of any kind, text of any encoding. `None` where it does not.
pub(crate) fn as_type(array: &ArrayRef, wanted: &DataType) -> Option<ArrayRef> {
    if array.data_type().equals_datatype(wanted) {
        return Some(Arc::clone(array));
    }
    if !means_the_same(array.data_type(), wanted) {
        return None;
    }
    // Not `safe`: a value that does not fit is an error instead of a null.
    let options = CastOptions {
        safe: false,
        ..CastOptions::default()
    };
    cast_with_options(array, wanted, &options).ok()
}

fn means_the_same(found: &DataType, wanted: &DataType) -> bool {
    use DataType::{
        FixedSizeList, LargeList, LargeListView, LargeUtf8, List, ListView, Utf8, Utf8View,
    };
    match (found, wanted) {
        (
            List(item)
            | LargeList(item)
            | ListView(item)
            | LargeListView(item)
            | FixedSizeList(item, _),
            LargeList(wanted),
        ) => {
            // An empty list written by a dynamic language has items of type null.
            let (item, wanted) = (item.data_type(), wanted.data_type());
            item.equals_datatype(wanted) || *item == DataType::Null || means_the_same(item, wanted)
        }
        (Utf8 | LargeUtf8 | Utf8View, Utf8) => true,
        (found, wanted) if wanted.is_floating() => found.is_floating() || found.is_integer(),
        (found, wanted) if wanted.is_integer() => found.is_integer(),
        _ => false,
    }
}
