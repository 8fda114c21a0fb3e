//! Messages at their times.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use dora_message::common::Timestamped;
use dora_message::daemon_to_daemon::InterDaemonEvent;
use dora_node_api::arrow_utils::decode_arrow_ipc;
use dora_node_api::{DoraArray, MetadataParameters};
use dora_recording::{RecordEntry, RecordingReader};
use eyre::{Result, WrapErr, bail};
use tiller_core::file::open_regular;
use tiller_node_kit::{Inbox, Next, Outbox};

use crate::settings::Settings;

/// What came of a node's messages.
#[derive(Debug, Default, PartialEq, Eq)]
struct Played {
    sent: u64,
    /// Entries that hold no message.
    unreadable: u64,
    /// Whether the file ends in the midst of an entry.
    is_torn: bool,
}

/// Sends the node's messages at the times at which they were recorded, once or again and again, until it
/// is told to stop.
///
/// # Errors
/// When there is no such recording, or it holds no message of the node that can be read.
pub(crate) fn run(settings: &Settings, inbox: &mut Inbox, outbox: &mut Outbox) -> Result<()> {
    loop {
        let Some(played) = play(settings, inbox, outbox)? else {
            tracing::info!("stopped");
            return Ok(());
        };
        let Played {
            sent,
            unreadable,
            is_torn,
        } = played;
        if is_torn {
            tracing::warn!("the recording is cut off: its last entry is left out");
        }
        if unreadable > 0 {
            tracing::warn!("{unreadable} entries hold no message that can be read");
        }
        if sent == 0 {
            let (file, node) = (settings.file.display(), &settings.node);
            bail!("{file} holds no message of `{node}`");
        }
        tracing::info!("{sent} messages sent");
        if !settings.loops {
            return Ok(());
        }
    }
}

/// Plays the file once; none where it was told to stop.
fn play(settings: &Settings, inbox: &mut Inbox, outbox: &mut Outbox) -> Result<Option<Played>> {
    let path = &settings.file;
    let cannot = || format!("cannot replay {}", path.display());
    let file = open_regular(path).wrap_err_with(cannot)?;
    let mut reader = RecordingReader::open(file).wrap_err_with(cannot)?;
    let mut played = Played::default();
    let mut unsent = BTreeSet::new();
    let begin = Instant::now();
    loop {
        let entry = match reader.next_entry_for_node(&settings.node) {
            Ok(Some(entry)) => entry,
            Ok(None) => return Ok(Some(played)),
            // Nothing behind a broken entry can be found.
            Err(error) => {
                tracing::debug!("{error:#}");
                played.is_torn = true;
                return Ok(Some(played));
            }
        };
        let due = begin + pause(entry.timestamp_offset_nanos, settings.speed);
        if !waits_until(due, inbox) {
            return Ok(None);
        }
        match message(&entry) {
            Ok((parameters, data)) => {
                if outbox.send_again(&entry.output_id, parameters, data)? {
                    played.sent += 1;
                } else if unsent.insert(entry.output_id.clone()) {
                    let output = &entry.output_id;
                    tracing::warn!("`{output}` is recorded, and not declared in this dataflow");
                }
            }
            Err(error) => {
                tracing::debug!("an entry of `{}`: {error:#}", entry.output_id);
                played.unreadable += 1;
            }
        }
    }
}

/// When a message is due after the start.
fn pause(offset_ns: u64, speed: f64) -> Duration {
    if speed > 0.0 {
        Duration::from_nanos(offset_ns).div_f64(speed)
    } else {
        Duration::ZERO
    }
}

/// Waits; false where the node must end.
fn waits_until(due: Instant, inbox: &mut Inbox) -> bool {
    loop {
        let left = due.saturating_duration_since(Instant::now());
        if matches!(inbox.wait_at_most(left), Next::End(_)) {
            return false;
        }
        if Instant::now() >= due {
            return true;
        }
    }
}

/// What was sent beside the data, and the data.
fn message(entry: &RecordEntry) -> Result<(MetadataParameters, DoraArray)> {
    let event = Timestamped::deserialize_inter_daemon_event(&entry.event_bytes)?;
    let InterDaemonEvent::Output { metadata, data, .. } = event.inner else {
        bail!("expected an output");
    };
    let data = match data {
        Some(bytes) => decode_arrow_ipc(&bytes)?,
        None => DoraArray::from_array(dora_node_api::arrow_v59::array::NullArray::new(0)),
    };
    Ok((metadata.parameters, data))
}

#[cfg(test)]
mod tests;
