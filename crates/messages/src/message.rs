//! The trait that every message has, and the macro that derives it from a struct.

use arrow::array::{Array, StructArray};
use arrow::datatypes::Fields;

use crate::MessageError;

/// Version of all schemas of this crate; it rises with any change to any of them.
pub const SCHEMA_VERSION: u32 = 1;

/// A message with an Arrow form.
pub trait Message: Sized {
    /// The name in `types/tiller/v1.yml`.
    const NAME: &'static str;

    /// The columns, the first of which is `schema_version`.
    fn fields() -> Fields;

    /// The message's number on its stream, counted from 1.
    fn seq(&self) -> u64;

    /// The struct array of length 1.
    fn to_arrow(&self) -> StructArray;

    /// Reads a struct array of length 1; columns are found by name and further ones are ignored.
    ///
    /// # Errors
    /// [`MessageError`] when the version differs, a column is missing or of another type, or the
    /// values contradict each other (for instance names and positions of different counts).
    fn from_arrow(array: &dyn Array) -> Result<Self, MessageError>;
}

/// Name and columns of every message, for the comparison with the dataflow's type declarations.
pub fn schemas() -> Vec<(&'static str, Fields)> {
    fn entry<M: Message>() -> (&'static str, Fields) {
        (M::NAME, M::fields())
    }
    vec![
        entry::<crate::RobotState>(),
        entry::<crate::ArmCommand>(),
        entry::<crate::ActionChunk>(),
        entry::<crate::Candidates>(),
        entry::<crate::Keypoints>(),
        entry::<crate::RewardProgram>(),
        entry::<crate::Status>(),
        entry::<crate::StageCommand>(),
        entry::<crate::StageQuery>(),
        entry::<crate::StageAdvice>(),
        entry::<crate::Progress>(),
        entry::<crate::SafetyEvent>(),
        entry::<crate::TaskStatus>(),
    ]
}

/// The struct array behind `array`, if it is one row of this version.
pub(crate) fn open<'a>(
    message: &'static str,
    array: &'a dyn Array,
) -> Result<&'a StructArray, MessageError> {
    let Some(row) = array.as_any().downcast_ref::<StructArray>() else {
        return Err(MessageError::NotAStruct {
            message,
            found: array.data_type().to_string(),
        });
    };
    if row.len() != 1 {
        return Err(MessageError::Rows {
            message,
            found: row.len(),
        });
    }
    let found: u32 = field(message, row, "schema_version")?;
    if found != SCHEMA_VERSION {
        return Err(MessageError::SchemaVersion {
            message,
            expected: SCHEMA_VERSION,
            found,
        });
    }
    Ok(row)
}

/// One field's value.
pub(crate) fn field<C: crate::column::Column>(
    message: &'static str,
    row: &StructArray,
    column: &'static str,
) -> Result<C, MessageError> {
    let Some(array) = row.column_by_name(column) else {
        return Err(MessageError::MissingColumn { message, column });
    };
    let expected = C::data_type();
    if !array.data_type().equals_datatype(&expected) {
        return Err(MessageError::ColumnType {
            message,
            column,
            expected: expected.to_string(),
            found: array.data_type().to_string(),
        });
    }
    C::read(array.as_ref()).map_err(|e| MessageError::Value {
        message,
        column,
        expected: e.expected,
        found: e.found,
    })
}

/// The error of a list whose length contradicts the rest of the message.
pub(crate) fn check_length(
    message: &'static str,
    column: &'static str,
    expected: usize,
    found: usize,
) -> Result<(), MessageError> {
    if expected == found {
        return Ok(());
    }
    Err(MessageError::Value {
        message,
        column,
        expected: format!("{expected} items"),
        found: found.to_string(),
    })
}

/// Declares a message: the struct, its schema and both conversions.
/// `check` (a function of `&Self`) says whether the values fit together.
macro_rules! message {
    (
        $(#[$meta:meta])*
        pub struct $name:ident {
            $( $(#[$field_meta:meta])* pub $field:ident : $type:ty, )*
        }
        $( check $check:path; )?
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Default, PartialEq)]
        pub struct $name {
            $( $(#[$field_meta])* pub $field: $type, )*
        }

        impl $crate::Message for $name {
            const NAME: &'static str = stringify!($name);

            fn fields() -> arrow::datatypes::Fields {
                use arrow::datatypes::{DataType, Field};
                use $crate::column::Column;
                vec![
                    Field::new("schema_version", DataType::UInt32, false),
                    $( Field::new(
                        stringify!($field),
                        <$type as Column>::data_type(),
                        <$type as Column>::NULLABLE,
                    ), )*
                ]
                .into()
            }

            fn seq(&self) -> u64 {
                self.seq
            }

            fn to_arrow(&self) -> arrow::array::StructArray {
                use $crate::column::Column;
                let columns = vec![
                    Column::write(&$crate::SCHEMA_VERSION),
                    $( Column::write(&self.$field), )*
                ];
                arrow::array::StructArray::new(Self::fields(), columns, None)
            }

            fn from_arrow(array: &dyn arrow::array::Array) -> Result<Self, $crate::MessageError> {
                let row = $crate::message::open(Self::NAME, array)?;
                let value = Self {
                    $( $field: $crate::message::field(Self::NAME, row, stringify!($field))?, )*
                };
                $( $check(&value)?; )?
                Ok(value)
            }
        }
    };
}
pub(crate) use message;
