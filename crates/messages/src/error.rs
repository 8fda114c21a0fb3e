//! What can be wrong with an Arrow array that claims to be a message.

/// Why an array is not the message that was asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MessageError {
    /// The array is not a struct.
    #[error("{message}: expected an Arrow struct, found {found}")]
    NotAStruct {
        /// The message asked for.
        message: &'static str,
        /// The Arrow type that arrived.
        found: String,
    },
    /// The struct array does not hold exactly one row.
    #[error("{message}: expected 1 row, found {found}")]
    Rows {
        /// The message asked for.
        message: &'static str,
        /// Rows that arrived.
        found: usize,
    },
    /// The only row is null.
    #[error("{message}: expected 1 row, found a null")]
    NullRow {
        /// The message asked for.
        message: &'static str,
    },
    /// The sender speaks another version of the schema.
    #[error("{message}: expected schema version {expected}, found {found}; rebuild both nodes")]
    SchemaVersion {
        /// The message asked for.
        message: &'static str,
        /// This build's version.
        expected: u32,
        /// The sender's version.
        found: u32,
    },
    /// A column is missing.
    #[error("{message}: expected a column `{column}`, found none")]
    MissingColumn {
        /// The message asked for.
        message: &'static str,
        /// The column's name.
        column: &'static str,
    },
    /// A column is not part of the schema: what is not understood is not dropped in silence.
    #[error("{message}: column `{column}` is unknown")]
    UnknownColumn {
        /// The message asked for.
        message: &'static str,
        /// The column's name.
        column: String,
    },
    /// A column has another type.
    #[error("{message}.{column}: expected {expected}, found {found}")]
    ColumnType {
        /// The message asked for.
        message: &'static str,
        /// The column's name.
        column: &'static str,
        /// The Arrow type of the schema.
        expected: String,
        /// The Arrow type that arrived.
        found: String,
    },
    /// A value is missing, has the wrong length or is not one of the allowed words.
    #[error("{message}.{column}: expected {expected}, found {found}")]
    Value {
        /// The message asked for.
        message: &'static str,
        /// The column's name.
        column: &'static str,
        /// What the schema allows.
        expected: String,
        /// What arrived.
        found: String,
    },
    /// The message is older than one that was read before.
    #[error(
        "{message}: expected a message after number {} of session {}, found number {} of session {}",
        last.1, last.0, found.1, found.0
    )]
    OutOfOrder {
        /// The message asked for.
        message: &'static str,
        /// Session and number of the newest one.
        last: (u64, u64),
        /// Session and number of this one.
        found: (u64, u64),
    },
}
