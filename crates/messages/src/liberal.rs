//! Reading what other Arrow libraries write for the same meaning.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::DataType;
use arrow::util::display::array_value_to_string;
use tiller_core::clip;

/// Characters of a value that an error quotes.
const MAX_QUOTED: usize = 60;

/// Why an array is not of the wanted type.
pub(crate) enum Misfit {
    /// Its type means something else.
    Type,
    /// Its type would do, but not the value, which is quoted here.
    Value(String),
}

/// `array`, which has one row, as `wanted`, if it means the same: integers and floats of any width
/// whose values fit, integers for floats, lists of any kind, text of any encoding, and a null
/// without a type.
pub(crate) fn as_type(array: &ArrayRef, wanted: &DataType) -> Result<ArrayRef, Misfit> {
    if array.data_type().equals_datatype(wanted) {
        return Ok(Arc::clone(array));
    }
    if !means_the_same(array.data_type(), wanted) {
        return Err(Misfit::Type);
    }
    // Not `safe`: a value that does not fit is an error instead of a null.
    let options = CastOptions {
        safe: false,
        ..CastOptions::default()
    };
    cast_with_options(array, wanted, &options).map_err(|_| {
        let value = array_value_to_string(array, 0).unwrap_or_default();
        Misfit::Value(clip(&value, MAX_QUOTED).into_owned())
    })
}

fn means_the_same(found: &DataType, wanted: &DataType) -> bool {
    use DataType::{
        FixedSizeList, LargeList, LargeListView, LargeUtf8, List, ListView, Null, Utf8, Utf8View,
    };
    match (found, wanted) {
        // What a dynamic language writes for `None`, and as the items of an empty list.
        (Null, _) => true,
        (
            List(item)
            | LargeList(item)
            | ListView(item)
            | LargeListView(item)
            | FixedSizeList(item, _),
            LargeList(wanted),
        ) => {
            let (item, wanted) = (item.data_type(), wanted.data_type());
            item.equals_datatype(wanted) || means_the_same(item, wanted)
        }
        (Utf8 | LargeUtf8 | Utf8View, Utf8) => true,
        (found, wanted) if wanted.is_floating() => found.is_floating() || found.is_integer(),
        (found, wanted) if wanted.is_integer() => found.is_integer(),
        _ => false,
    }
}
