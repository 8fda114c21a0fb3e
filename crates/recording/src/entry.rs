//! One message of a recording.

use std::io::Cursor;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, NullArray};
use arrow::error::ArrowError;
use arrow::ipc::reader::StreamReader;
use dora_message::common::Timestamped;
use dora_message::daemon_to_daemon::InterDaemonEvent;
use dora_message::metadata::{Metadata, MetadataParameters};
use dora_recording::RecordEntry;
use tiller_messages::{AnyMessage, Message, MessageError};

/// A recorded message that is still as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Who sent it.
    pub node: String,
    /// On which output.
    pub output: String,
    /// When it came to the recorder, ns after the recording's start.
    pub received_ns: u64,
    bytes: Vec<u8>,
}

/// Why an entry holds no message.
#[derive(Debug, thiserror::Error)]
pub enum EntryError {
    /// Not what the daemons of this version of dora send each other.
    #[error("{node}/{output}: expected a message, found {found}")]
    Form {
        /// Who sent it.
        node: String,
        /// On which output.
        output: String,
        /// What is wrong with it.
        found: String,
    },
    /// The data is no stream of Arrow's with one column in one batch.
    #[error("{node}/{output}: expected one Arrow array, found {found}")]
    Data {
        /// Who sent it.
        node: String,
        /// On which output.
        output: String,
        /// What is wrong with it.
        found: String,
    },
}

impl Entry {
    /// Whether it came from this output.
    #[must_use]
    pub fn is(&self, node: &str, output: &str) -> bool {
        self.node == node && self.output == output
    }

    /// The output in a dataflow's words, `node/output`.
    #[must_use]
    pub fn topic(&self) -> String {
        format!("{}/{}", self.node, self.output)
    }

    /// Bytes that it takes in the recording.
    #[must_use]
    pub fn byte_len(&self) -> usize {
        self.bytes.len()
    }

    /// Decodes it.
    ///
    /// # Errors
    /// [`EntryError`] when it holds no message; the entries behind it may.
    pub fn open(&self) -> Result<Sent, EntryError> {
        let form = |found: String| EntryError::Form {
            node: self.node.clone(),
            output: self.output.clone(),
            found,
        };
        let event = Timestamped::deserialize_inter_daemon_event(&self.bytes)
            .map_err(|error| form(format!("{error:#}")))?;
        let InterDaemonEvent::Output { metadata, data, .. } = event.inner else {
            return Err(form("another event of a daemon".to_owned()));
        };
        let data = match data {
            None => Arc::new(NullArray::new(0)),
            Some(bytes) => only_array(&bytes).map_err(|error| EntryError::Data {
                node: self.node.clone(),
                output: self.output.clone(),
                found: error.to_string(),
            })?,
        };
        Ok(Sent { metadata, data })
    }
}

impl From<RecordEntry> for Entry {
    fn from(entry: RecordEntry) -> Self {
        Self {
            node: entry.node_id,
            output: entry.output_id,
            received_ns: entry.timestamp_offset_nanos,
            bytes: entry.event_bytes,
        }
    }
}

/// The array of a stream that holds one column in one batch, and nothing else, as dora writes it.
fn only_array(stream: &[u8]) -> Result<ArrayRef, ArrowError> {
    let mut reader = StreamReader::try_new(Cursor::new(stream), None)?;
    let misfit = |what: &str| ArrowError::IpcError(what.to_owned());
    let batch = reader.next().ok_or_else(|| misfit("no batch"))??;
    match reader.next() {
        None => {}
        Some(more) => {
            more?;
            return Err(misfit("more than one batch"));
        }
    }
    if reader.get_ref().position() != stream.len() as u64 {
        return Err(misfit("bytes behind the stream's end"));
    }
    match batch.columns() {
        [column] => Ok(Arc::clone(column)),
        columns => Err(misfit(&format!("{} columns", columns.len()))),
    }
}

/// What was sent: the data, and what was sent beside it.
#[derive(Debug, Clone)]
pub struct Sent {
    metadata: Metadata,
    /// The data; an empty array of Arrow's type `Null` where there was none.
    pub data: ArrayRef,
}

impl Sent {
    /// What was sent beside the data, dora's own time included.
    #[must_use]
    pub fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    /// What the sender put beside the data, by key.
    #[must_use]
    pub fn parameters(&self) -> &MetadataParameters {
        &self.metadata.parameters
    }

    /// Both for sending them again.
    #[must_use]
    pub fn into_parts(self) -> (MetadataParameters, ArrayRef) {
        (self.metadata.parameters, self.data)
    }

    /// When it was sent, ns since 1970.
    #[must_use]
    pub fn sent_ns(&self) -> u64 {
        self.metadata.timestamp().get_time().as_nanos()
    }

    /// The message, which must be of this type.
    ///
    /// # Errors
    /// [`MessageError`] when it is another one, or of another version.
    pub fn message<M: Message>(&self) -> Result<M, MessageError> {
        M::from_arrow(self.data.as_ref())
    }

    /// The message, of whichever type its columns are; none where they are those of no message, as a
    /// picture's are.
    ///
    /// # Errors
    /// [`MessageError`] when the columns are those of a message and the values do not fit.
    pub fn any(&self) -> Result<Option<AnyMessage>, MessageError> {
        AnyMessage::from_arrow(self.data.as_ref() as &dyn Array)
    }
}

#[cfg(test)]
mod tests {
    use dora_message::metadata::Parameter;
    use tiller_messages::{Message, StageCommand};

    use super::*;
    use crate::testing::{array, entry, number};

    #[test]
    fn messages_come_back_with_what_was_sent_beside_them() {
        let command = StageCommand {
            seq: 3,
            stage: 2,
            visit: 1,
            ..StageCommand::default()
        };
        let written = entry("stage-switcher", "stage", Some(&command.to_arrow()));
        let entry = Entry::from(written);
        assert!(entry.is("stage-switcher", "stage") && !entry.is("stage-switcher", "status"));
        let sent = entry.open().unwrap();
        assert_eq!(sent.parameters().get("seq"), Some(&Parameter::Integer(7)));
        assert_eq!(sent.message::<StageCommand>().unwrap(), command);
        assert_eq!(
            sent.any().unwrap(),
            Some(AnyMessage::StageCommand(Box::new(command)))
        );
        assert!(sent.sent_ns() > 1_000_000_000_000_000_000);
    }

    #[test]
    fn what_is_no_message_of_ours_is_still_an_array() {
        let sent = Entry::from(entry("a", "b", Some(&number(5))))
            .open()
            .unwrap();
        assert_eq!(sent.any().unwrap(), None);
        assert_eq!(sent.data.as_ref(), &number(5) as &dyn Array);
        let (_, data) = Entry::from(entry("a", "b", None))
            .open()
            .unwrap()
            .into_parts();
        assert!(data.is_empty());
    }

    #[test]
    fn an_entry_without_a_message_says_what_it_is() {
        let mut written = entry("a", "b", Some(&number(5)));
        written.event_bytes = vec![1, 2, 3];
        let error = Entry::from(written).open().unwrap_err().to_string();
        assert!(error.starts_with("a/b: expected a message"), "{error}");

        let stream = array(&number(5));
        assert!(only_array(&stream).is_ok());
        let error = only_array(&[stream.as_slice(), &[0]].concat()).unwrap_err();
        assert!(error.to_string().contains("bytes behind"), "{error}");
        assert!(only_array(&stream[..stream.len() / 2]).is_err());
    }
}
