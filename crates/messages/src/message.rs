//! The trait that every message has, and the macro that derives it from a struct.

use arrow::array::{Array, StructArray};
use arrow::datatypes::Fields;
use tiller_core::{MAX_NAME, clip, visible_line};

use crate::MessageError;
use crate::liberal::{Misfit, as_type};

/// Version of all schemas of this crate; it rises with any change to any of them.
pub const SCHEMA_VERSION: u32 = 5;

/// A message with an Arrow form.
pub trait Message: Sized {
    /// The name in `types/tiller/v1.yml`.
    const NAME: &'static str;

    /// The columns, the first of which is `schema_version`.
    fn fields() -> Fields;

    /// The sender's session: drawn when it starts, larger after every restart.
    fn session(&self) -> u64;

    /// The message's number on its stream in this session, counted from 1.
    fn seq(&self) -> u64;

    /// Numbers the message on its stream.
    fn number(&mut self, session: u64, seq: u64);

    /// The struct array of length 1.
    fn to_arrow(&self) -> StructArray;

    /// Reads a struct array of length 1; columns are found by name. Integers and floats of other
    /// widths, lists of other offset widths and other encodings of text are read as well, since
    /// other languages' Arrow libraries write those by default.
    ///
    /// # Errors
    /// [`MessageError`] when the version differs, a column is missing, unknown or of another type,
    /// or the values contradict each other (for instance names and positions of different counts).
    fn from_arrow(array: &dyn Array) -> Result<Self, MessageError>;

    /// Checks that all numbers are finite, as they are in every message that makes sense.
    ///
    /// # Errors
    /// [`MessageError::Value`] with the first column that holds another one.
    fn check_finite(&self) -> Result<(), MessageError>;
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
    if row.is_null(0) {
        return Err(MessageError::NullRow { message });
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

/// Refuses columns that the schema does not have.
pub(crate) fn check_columns<M: Message>(row: &StructArray) -> Result<(), MessageError> {
    let known = M::fields();
    match row
        .column_names()
        .into_iter()
        .find(|name| known.find(name).is_none())
    {
        Some(unknown) => Err(MessageError::UnknownColumn {
            message: M::NAME,
            column: unknown.to_owned(),
        }),
        None => Ok(()),
    }
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
    let array = as_type(array, &C::data_type()).map_err(|misfit| {
        let expected = C::data_type().to_string();
        match misfit {
            Misfit::Type => MessageError::ColumnType {
                message,
                column,
                expected,
                found: array.data_type().to_string(),
            },
            Misfit::Value(found) => MessageError::Value {
                message,
                column,
                expected,
                found,
            },
        }
    })?;
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

/// A column of one text or of several.
pub(crate) trait Texts {
    fn texts(&self) -> &[String];
    fn texts_mut(&mut self) -> &mut [String];
}

impl Texts for String {
    fn texts(&self) -> &[String] {
        std::slice::from_ref(self)
    }

    fn texts_mut(&mut self) -> &mut [String] {
        std::slice::from_mut(self)
    }
}

impl Texts for Vec<String> {
    fn texts(&self) -> &[String] {
        self
    }

    fn texts_mut(&mut self) -> &mut [String] {
        self
    }
}

/// Characters of a name that an error quotes.
const MAX_QUOTED: usize = 60;

/// Refuses names that are longer than any name.
pub(crate) fn check_names(
    message: &'static str,
    column: &'static str,
    names: &impl Texts,
) -> Result<(), MessageError> {
    let is_longer = |name: &&String| name.chars().nth(MAX_NAME).is_some();
    match names.texts().iter().find(is_longer) {
        None => Ok(()),
        Some(name) => Err(MessageError::Value {
            message,
            column,
            expected: format!("at most {MAX_NAME} characters"),
            found: format!("`{}`", visible_line(name, MAX_QUOTED)),
        }),
    }
}

/// Cuts texts for people; an ellipsis stands for the rest.
pub(crate) fn cut(texts: &mut impl Texts, limit: usize) {
    for text in texts.texts_mut() {
        if text.chars().nth(limit).is_some() {
            *text = clip(text, limit).into_owned();
        }
    }
}

/// Declares a message: the struct, its schema and both conversions. Every message has a `session`
/// and a `seq` as its first columns after `schema_version`.
/// What is read from elsewhere is bounded: `names` that are too long are refused, texts for people are
/// `cut`. `check` (a function of `&Self`) says whether the values fit together.
macro_rules! message {
    (
        $(#[$meta:meta])*
        pub struct $name:ident {
            $( $(#[$field_meta:meta])* pub $field:ident : $type:ty, )*
        }
        $( names $( $named:ident ),+; )?
        $( cut $( $text:ident to $limit:expr ),+; )?
        $( check $check:path; )?
    ) => {
        $(#[$meta])*
        #[derive(
            Debug, Clone, Default, PartialEq, serde::Serialize, serde::Deserialize,
        )]
        pub struct $name {
            /// The sender's session: drawn when it starts, larger after every restart.
            pub session: u64,
            /// Counts from 1 in each session.
            pub seq: u64,
            $( $(#[$field_meta])* pub $field: $type, )*
        }

        impl $crate::Message for $name {
            const NAME: &'static str = stringify!($name);

            fn fields() -> arrow::datatypes::Fields {
                use $crate::part::Part;
                let mut fields = <u32 as Part>::fields("schema_version");
                fields.extend(<u64 as Part>::fields("session"));
                fields.extend(<u64 as Part>::fields("seq"));
                $( fields.extend(<$type as Part>::fields(stringify!($field))); )*
                fields.into()
            }

            fn session(&self) -> u64 {
                self.session
            }

            fn seq(&self) -> u64 {
                self.seq
            }

            fn number(&mut self, session: u64, seq: u64) {
                (self.session, self.seq) = (session, seq);
            }

            fn to_arrow(&self) -> arrow::array::StructArray {
                use $crate::part::Part;
                let mut columns = Vec::new();
                Part::write(&$crate::SCHEMA_VERSION, &mut columns);
                Part::write(&self.session, &mut columns);
                Part::write(&self.seq, &mut columns);
                $( Part::write(&self.$field, &mut columns); )*
                arrow::array::StructArray::new(Self::fields(), columns, None)
            }

            fn from_arrow(array: &dyn arrow::array::Array) -> Result<Self, $crate::MessageError> {
                use $crate::part::Part;
                let row = $crate::message::open(Self::NAME, array)?;
                $crate::message::check_columns::<Self>(row)?;
                #[allow(unused_mut, reason = "messages without texts have none to cut")]
                let mut value = Self {
                    session: Part::read(Self::NAME, row, "session")?,
                    seq: Part::read(Self::NAME, row, "seq")?,
                    $( $field: Part::read(Self::NAME, row, stringify!($field))?, )*
                };
                $( $(
                    $crate::message::check_names(Self::NAME, stringify!($named), &value.$named)?;
                )+ )?
                $( $( $crate::message::cut(&mut value.$text, $limit); )+ )?
                $( $check(&value)?; )?
                Ok(value)
            }

            fn check_finite(&self) -> Result<(), $crate::MessageError> {
                use $crate::part::Part;
                let found = None
                    $( .or_else(|| Part::not_finite(&self.$field, stringify!($field))) )*;
                match found {
                    None => Ok(()),
                    Some((column, found)) => Err($crate::MessageError::Value {
                        message: Self::NAME,
                        column,
                        expected: "finite numbers".to_owned(),
                        found,
                    }),
                }
            }
        }
    };
}
pub(crate) use message;
