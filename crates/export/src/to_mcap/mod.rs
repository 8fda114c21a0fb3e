//! A recording as an MCAP file, which Foxglove opens.
//!
//! Each output becomes a channel `/node/output` of JSON with a schema made from the message's struct.
//! Beside them stand channels under Foxglove's well-known schemas: pictures, cameras, the tool's pose, keypoints
//! and candidates as a scene, `/tf` and `/log`. Log and publish time are the message's stamp, in the robot's
//! clock (simulated time in simulation); a message without a stamp has the newest stamp that came before it.

mod derived;
mod foxglove;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, StructArray};
use arrow::datatypes::{DataType, Field, Fields};
use mcap::records::MessageHeader;
use mcap::{Attachment, WriteOptions, Writer};
use serde::Serialize;
use serde_json::Value;
use tiller_messages::AnyMessage;
use tiller_recording::{Broken, Clock, Entry, Recording};

use crate::error::ExportError;
use crate::{Watch, json};
use derived::Derived;
use foxglove::Known;

/// Words by themselves, as nodes for OpenArm send them, as a message of one field.
fn with_fields(data: &ArrayRef) -> ArrayRef {
    match data.data_type() {
        DataType::Utf8 | DataType::LargeUtf8 => {
            let field = Field::new("data", data.data_type().clone(), true);
            Arc::new(StructArray::from(vec![(Arc::new(field), Arc::clone(data))]))
        }
        _ => Arc::clone(data),
    }
}

/// What came of an export.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub struct McapSummary {
    /// Messages of the recording that are in the file.
    pub messages: u64,
    /// Messages made from them under Foxglove's schemas.
    pub derived: u64,
    /// Channels of the file.
    pub channels: u64,
    /// Entries that hold no message which can be read, and pictures that are none, with the first of them.
    pub unreadable: u64,
    /// What was wrong with the first of those.
    pub first_unreadable: Option<String>,
    /// First and last stamp, ns.
    pub stamps_ns: Option<[u64; 2]>,
    /// Why the recording ends before its end.
    pub broken: Option<String>,
}

/// Writes a recording as an MCAP file at `target`. It has that name only when it is whole; a file that is
/// there gives way then.
///
/// # Errors
/// [`ExportError`] when the file cannot be written, or `watch` ends it.
pub fn to_mcap(
    recording: &mut Recording,
    target: &Path,
    watch: &mut Watch<'_>,
) -> Result<McapSummary, ExportError> {
    let mut name = target.as_os_str().to_owned();
    name.push(".partial");
    let partial = PathBuf::from(name);
    let written = written(recording, &partial, watch).and_then(|summary| {
        fs::rename(&partial, target).map_err(|cause| ExportError::Io {
            path: target.to_owned(),
            cause,
        })?;
        Ok(summary)
    });
    if written.is_err() {
        let _ = fs::remove_file(&partial);
    }
    written
}

fn written(
    recording: &mut Recording,
    partial: &Path,
    watch: &mut Watch<'_>,
) -> Result<McapSummary, ExportError> {
    let mut file = Mcap::create(partial, &recording.header().dataflow)?;
    while let Some(entry) = recording.next_entry() {
        watch(Recording::position(recording), recording.byte_len())?;
        file.add(&entry)?;
    }
    let mut summary = file.finish()?;
    summary.broken = recording.broken().map(Broken::to_string);
    Ok(summary)
}

/// A file that is being written.
struct Mcap {
    path: PathBuf,
    writer: Writer<BufWriter<File>>,
    schemas: BTreeMap<String, u16>,
    /// By topic and schema: a topic whose messages are of two types has two, as MCAP allows.
    channels: BTreeMap<(String, String), u16>,
    /// Messages so far, by channel.
    counts: BTreeMap<u16, u32>,
    clock: Clock,
    newest_ns: u64,
    summary: McapSummary,
}

impl Mcap {
    fn create(path: &Path, dataflow: &str) -> Result<Self, ExportError> {
        // One that is there was left by an interrupted export.
        let file = File::create(path).map_err(|cause| ExportError::Io {
            path: path.to_owned(),
            cause,
        })?;
        let refused = |cause| ExportError::Mcap {
            path: path.to_owned(),
            cause,
        };
        let options = WriteOptions::new().compression(None).library("tiller");
        let mut writer = options.create(BufWriter::new(file)).map_err(refused)?;
        writer
            .attach(&Attachment {
                log_time: 0,
                create_time: 0,
                name: "dataflow.yml".to_owned(),
                media_type: "text/yaml".to_owned(),
                data: Cow::Borrowed(dataflow.as_bytes()),
            })
            .map_err(refused)?;
        Ok(Self {
            path: path.to_owned(),
            writer,
            schemas: BTreeMap::new(),
            channels: BTreeMap::new(),
            counts: BTreeMap::new(),
            clock: Clock::default(),
            newest_ns: 0,
            summary: McapSummary::default(),
        })
    }

    /// Adds a message and what is shown of it.
    fn add(&mut self, entry: &Entry) -> Result<(), ExportError> {
        let sent = match entry.open() {
            Ok(sent) => sent,
            Err(error) => return self.skip(&error.to_string()),
        };
        let topic = format!("/{}", entry.topic());
        match sent.image_header(&self.clock) {
            Ok(None) => {}
            Ok(Some(header)) => {
                let stamp_ns = self.stamp(Some(header.stamp_ns));
                return match derived::of_picture(&topic, stamp_ns, &header, &sent) {
                    Ok(derived) => {
                        self.summary.messages += 1;
                        self.add_derived(stamp_ns, derived, 1)
                    }
                    Err(text) => self.skip(&format!("{}: {text}", entry.topic())),
                };
            }
            Err(error) => return self.skip(&format!("{}: {error}", entry.topic())),
        }
        let data = with_fields(&sent.data);
        let DataType::Struct(fields) = data.data_type() else {
            let text = format!("{}: data of type {}", entry.topic(), data.data_type());
            return self.skip(&text);
        };
        let message = match sent.any() {
            Ok(message) => message,
            Err(error) => return self.skip(&format!("{}: {error}", entry.topic())),
        };
        // Bytes for `tiller replay`, which say nothing to anybody else.
        if let Some(AnyMessage::Journal(_)) = message {
            return Ok(());
        }
        // What was read is written, in the types of the schema and not in those of a sender's library.
        let (name, fields, value): (String, Fields, Value) = match &message {
            Some(message) => {
                let row = message.to_arrow();
                let name = format!("tiller.{}", message.name());
                (name, row.fields().clone(), json::row(&row))
            }
            None => {
                let name = format!("{}.{}", entry.node, entry.output);
                (name, fields.clone(), json::row(data.as_ref()))
            }
        };
        let own = value.get("stamp_ns").and_then(Value::as_u64);
        if let (Some(own), Some(AnyMessage::ArmState(_))) = (own, &message) {
            self.clock.observe(own, sent.sent_ns());
        }
        let stamp_ns = self.stamp(own);
        let schema = || json::schema(&name, &fields);
        let channel = self.channel(&topic, &name, schema)?;
        self.write(channel, stamp_ns, &value)?;
        self.summary.messages += 1;
        match message {
            Some(message) => {
                let derived = derived::of_message(&topic, stamp_ns, &message);
                self.add_derived(stamp_ns, derived, 0)
            }
            None => Ok(()),
        }
    }

    /// The time of a message: its own stamp, else the newest one before it.
    fn stamp(&mut self, own: Option<u64>) -> u64 {
        let stamp_ns = own.filter(|own| *own > 0).unwrap_or(self.newest_ns);
        self.newest_ns = self.newest_ns.max(stamp_ns);
        let [first, last] = self.summary.stamps_ns.unwrap_or([stamp_ns; 2]);
        self.summary.stamps_ns = Some([first.min(stamp_ns), last.max(stamp_ns)]);
        stamp_ns
    }

    fn skip(&mut self, text: &str) -> Result<(), ExportError> {
        self.summary.unreadable += 1;
        self.summary
            .first_unreadable
            .get_or_insert_with(|| text.to_owned());
        Ok(())
    }

    /// Writes what was made; the first `own` of them are the message itself.
    fn add_derived(
        &mut self,
        stamp_ns: u64,
        derived: Vec<Derived>,
        own: usize,
    ) -> Result<(), ExportError> {
        for (index, made) in derived.into_iter().enumerate() {
            let known: Known = made.known;
            let channel = self.channel(&made.topic, known.name(), || known.schema())?;
            self.write(channel, stamp_ns, &made.value)?;
            self.summary.derived += u64::from(index >= own);
        }
        Ok(())
    }

    /// The channel of a topic, made when it is met first.
    fn channel(
        &mut self,
        topic: &str,
        name: &str,
        schema: impl FnOnce() -> Value,
    ) -> Result<u16, ExportError> {
        let key = (topic.to_owned(), name.to_owned());
        if let Some(channel) = self.channels.get(&key) {
            return Ok(*channel);
        }
        let schema_id = match self.schemas.get(name) {
            Some(id) => *id,
            None => {
                let text = schema().to_string();
                let id = self.writer.add_schema(name, "jsonschema", text.as_bytes());
                let id = id.map_err(|cause| self.refused(cause))?;
                self.schemas.insert(name.to_owned(), id);
                id
            }
        };
        let channel = self
            .writer
            .add_channel(schema_id, topic, "json", &BTreeMap::new())
            .map_err(|cause| self.refused(cause))?;
        self.channels.insert(key, channel);
        self.summary.channels += 1;
        Ok(channel)
    }

    fn write(&mut self, channel: u16, stamp_ns: u64, value: &Value) -> Result<(), ExportError> {
        let sequence = self.counts.entry(channel).or_default();
        *sequence += 1;
        let header = MessageHeader {
            channel_id: channel,
            sequence: *sequence,
            log_time: stamp_ns,
            publish_time: stamp_ns,
        };
        let bytes = value.to_string();
        self.writer
            .write_to_known_channel(&header, bytes.as_bytes())
            .map_err(|cause| self.refused(cause))
    }

    fn refused(&self, cause: mcap::McapError) -> ExportError {
        ExportError::Mcap {
            path: self.path.clone(),
            cause,
        }
    }

    fn finish(mut self) -> Result<McapSummary, ExportError> {
        self.writer.finish().map_err(|cause| ExportError::Mcap {
            path: self.path.clone(),
            cause,
        })?;
        Ok(self.summary)
    }
}

#[cfg(test)]
mod tests;
