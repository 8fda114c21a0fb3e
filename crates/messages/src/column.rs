//! How one field of a message becomes one Arrow column of length 1, and back.
//!
//! Lists are `LargeList` with nullable items, because that is what dora's `List<T>` means; fixed
//! lengths are checked when read.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Float64Array, LargeListArray, PrimitiveArray,
    StringArray, UInt32Array, UInt64Array,
};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{
    ArrowPrimitiveType, DataType, Field, Float32Type, Float64Type, UInt8Type, UInt32Type,
    UInt64Type,
};

/// What was expected and what was found in a column's only row.
#[derive(Debug)]
pub(crate) struct ValueError {
    pub(crate) expected: String,
    pub(crate) found: String,
}

impl ValueError {
    pub(crate) fn new(expected: impl Into<String>, found: impl Into<String>) -> Self {
        Self {
            expected: expected.into(),
            found: found.into(),
        }
    }

    fn null(expected: &str) -> Self {
        Self::new(expected, "null")
    }
}

/// A field type with an Arrow form. `read` may rely on the array having type [`Column::data_type`]
/// and length 1.
pub(crate) trait Column: Sized {
    const NULLABLE: bool = false;
    fn data_type() -> DataType;
    fn write(&self) -> ArrayRef;
    fn read(array: &dyn Array) -> Result<Self, ValueError>;
    /// The first number that is not finite.
    fn not_finite(&self) -> Option<String> {
        None
    }
}

/// Says which of the numbers is not finite.
fn first_not_finite(values: impl IntoIterator<Item = f64>) -> Option<String> {
    let mut values = values.into_iter().enumerate();
    let (index, found) = values.find(|(_, value)| !value.is_finite())?;
    Some(format!("{found} at {index}"))
}

macro_rules! scalar {
    ($rust:ty, $array:ident, $arrow:ident, $kind:ident $(, $not_finite:expr)?) => {
        impl Column for $rust {
            fn data_type() -> DataType {
                DataType::$kind
            }

            fn write(&self) -> ArrayRef {
                Arc::new($array::from(vec![*self]))
            }

            fn read(array: &dyn Array) -> Result<Self, ValueError> {
                if array.is_null(0) {
                    return Err(ValueError::null(stringify!($kind)));
                }
                Ok(array.as_primitive::<$arrow>().value(0))
            }

            $( fn not_finite(&self) -> Option<String> {
                $not_finite(*self)
            } )?
        }
    };
}

/// A number that is not finite, in words.
fn not_finite(value: f64) -> Option<String> {
    (!value.is_finite()).then(|| value.to_string())
}

scalar!(u32, UInt32Array, UInt32Type, UInt32);
scalar!(u64, UInt64Array, UInt64Type, UInt64);
scalar!(f64, Float64Array, Float64Type, Float64, not_finite);

impl Column for bool {
    fn data_type() -> DataType {
        DataType::Boolean
    }

    fn write(&self) -> ArrayRef {
        Arc::new(BooleanArray::from(vec![*self]))
    }

    fn read(array: &dyn Array) -> Result<Self, ValueError> {
        if array.is_null(0) {
            return Err(ValueError::null("Boolean"));
        }
        Ok(array.as_boolean().value(0))
    }
}

impl Column for String {
    fn data_type() -> DataType {
        DataType::Utf8
    }

    fn write(&self) -> ArrayRef {
        Arc::new(StringArray::from(vec![self.as_str()]))
    }

    fn read(array: &dyn Array) -> Result<Self, ValueError> {
        if array.is_null(0) {
            return Err(ValueError::null("Utf8"));
        }
        Ok(array.as_string::<i32>().value(0).to_owned())
    }
}

macro_rules! optional {
    ($rust:ty, $array:ident, $arrow:ident, $kind:ident $(, $not_finite:expr)?) => {
        impl Column for Option<$rust> {
            const NULLABLE: bool = true;

            fn data_type() -> DataType {
                DataType::$kind
            }

            fn write(&self) -> ArrayRef {
                Arc::new($array::from(vec![*self]))
            }

            fn read(array: &dyn Array) -> Result<Self, ValueError> {
                Ok((!array.is_null(0)).then(|| array.as_primitive::<$arrow>().value(0)))
            }

            $( fn not_finite(&self) -> Option<String> {
                self.and_then($not_finite)
            } )?
        }
    };
}

optional!(u32, UInt32Array, UInt32Type, UInt32);
optional!(u64, UInt64Array, UInt64Type, UInt64);
optional!(f64, Float64Array, Float64Type, Float64, not_finite);

impl Column for Option<String> {
    const NULLABLE: bool = true;

    fn data_type() -> DataType {
        DataType::Utf8
    }

    fn write(&self) -> ArrayRef {
        Arc::new(StringArray::from(vec![self.as_deref()]))
    }

    fn read(array: &dyn Array) -> Result<Self, ValueError> {
        Ok((!array.is_null(0)).then(|| array.as_string::<i32>().value(0).to_owned()))
    }
}

macro_rules! identity {
    ($id:ty) => {
        impl Column for $id {
            fn data_type() -> DataType {
                DataType::UInt64
            }

            fn write(&self) -> ArrayRef {
                self.0.write()
            }

            fn read(array: &dyn Array) -> Result<Self, ValueError> {
                u64::read(array).map(Self)
            }
        }
    };
}

identity!(tiller_core::EpisodeId);
identity!(tiller_core::ProgramId);

fn item_field(data_type: DataType) -> Arc<Field> {
    Arc::new(Field::new("item", data_type, true))
}

fn one_list(items: ArrayRef) -> ArrayRef {
    let field = item_field(items.data_type().clone());
    let offsets = OffsetBuffer::from_lengths([items.len()]);
    Arc::new(LargeListArray::new(field, offsets, items, None))
}

fn items(array: &dyn Array) -> Result<ArrayRef, ValueError> {
    if array.is_null(0) {
        return Err(ValueError::null("a list"));
    }
    let items = array.as_list::<i64>().value(0);
    if items.null_count() > 0 {
        return Err(ValueError::new(
            "no null items",
            format!("{}", items.null_count()),
        ));
    }
    Ok(items)
}

fn primitive_items<P: ArrowPrimitiveType>(array: &dyn Array) -> Result<Vec<P::Native>, ValueError> {
    Ok(items(array)?.as_primitive::<P>().values().to_vec())
}

fn primitive_list<P: ArrowPrimitiveType>(values: &[P::Native]) -> ArrayRef {
    one_list(Arc::new(PrimitiveArray::<P>::from_iter_values(
        values.iter().copied(),
    )))
}

macro_rules! primitive_vec {
    ($rust:ty, $arrow:ident, $kind:ident $(, $number:expr)?) => {
        impl Column for Vec<$rust> {
            fn data_type() -> DataType {
                DataType::LargeList(item_field(DataType::$kind))
            }

            fn write(&self) -> ArrayRef {
                primitive_list::<$arrow>(self)
            }

            fn read(array: &dyn Array) -> Result<Self, ValueError> {
                primitive_items::<$arrow>(array)
            }

            $( fn not_finite(&self) -> Option<String> {
                first_not_finite(self.iter().copied().map($number))
            } )?
        }
    };
}

primitive_vec!(f32, Float32Type, Float32, f64::from);
primitive_vec!(f64, Float64Type, Float64, f64::from);
primitive_vec!(u32, UInt32Type, UInt32);
primitive_vec!(u64, UInt64Type, UInt64);
primitive_vec!(u8, UInt8Type, UInt8);

impl<const N: usize> Column for [f64; N] {
    fn data_type() -> DataType {
        Vec::<f64>::data_type()
    }

    fn write(&self) -> ArrayRef {
        primitive_list::<Float64Type>(self)
    }

    fn read(array: &dyn Array) -> Result<Self, ValueError> {
        fixed(primitive_items::<Float64Type>(array)?)
    }

    fn not_finite(&self) -> Option<String> {
        first_not_finite(*self)
    }
}

fn fixed<T, const N: usize>(values: Vec<T>) -> Result<[T; N], ValueError> {
    values
        .try_into()
        .map_err(|v: Vec<T>| ValueError::new(format!("{N} numbers"), format!("{}", v.len())))
}

impl Column for Vec<bool> {
    fn data_type() -> DataType {
        DataType::LargeList(item_field(DataType::Boolean))
    }

    fn write(&self) -> ArrayRef {
        one_list(Arc::new(BooleanArray::from(self.clone())))
    }

    fn read(array: &dyn Array) -> Result<Self, ValueError> {
        Ok(items(array)?.as_boolean().values().iter().collect())
    }
}

impl Column for Vec<String> {
    fn data_type() -> DataType {
        DataType::LargeList(item_field(DataType::Utf8))
    }

    fn write(&self) -> ArrayRef {
        one_list(Arc::new(StringArray::from_iter_values(self)))
    }

    fn read(array: &dyn Array) -> Result<Self, ValueError> {
        let items = items(array)?;
        Ok(items
            .as_string::<i32>()
            .iter()
            .flatten()
            .map(str::to_owned)
            .collect())
    }
}

/// An enumeration that travels as one of a few words.
macro_rules! words {
    ($name:ident { $( $variant:ident => $word:literal, )* }) => {
        impl $name {
            /// All of them.
            pub const ALL: &[Self] = &[$( Self::$variant, )*];

            /// The word that stands for it in the message.
            pub fn as_str(self) -> &'static str {
                match self {
                    $( Self::$variant => $word, )*
                }
            }
        }

        impl $crate::column::Column for $name {
            fn data_type() -> arrow::datatypes::DataType {
                <String as $crate::column::Column>::data_type()
            }

            fn write(&self) -> arrow::array::ArrayRef {
                std::sync::Arc::new(arrow::array::StringArray::from(vec![self.as_str()]))
            }

            fn read(
                array: &dyn arrow::array::Array,
            ) -> Result<Self, $crate::column::ValueError> {
                let word = <String as $crate::column::Column>::read(array)?;
                Self::ALL
                    .iter()
                    .copied()
                    .find(|known| known.as_str() == word)
                    .ok_or_else(|| {
                        let known: Vec<_> = Self::ALL
                            .iter()
                            .map(|known| format!("`{}`", known.as_str()))
                            .collect();
                        $crate::column::ValueError::new(
                            format!("one of {}", known.join(", ")),
                            format!("`{word}`"),
                        )
                    })
            }
        }
    };
}
pub(crate) use words;
