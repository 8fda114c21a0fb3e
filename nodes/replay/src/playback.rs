//! Messages at their times.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use eyre::{Result, WrapErr, bail};
use tiller_node_kit::{Inbox, Next, Outbox};
use tiller_recording::{Broken, Recording};

use crate::settings::Settings;

/// What came of a node's messages.
#[derive(Debug, Default, PartialEq, Eq)]
struct Played {
    sent: u64,
    /// Entries that hold no message.
    unreadable: u64,
    /// Why the recording ends before its end.
    broken: Option<Broken>,
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
            broken,
        } = played;
        if let Some(broken) = broken {
            tracing::warn!("{broken}");
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
    let mut recording =
        Recording::open(path).wrap_err_with(|| format!("cannot replay {}", path.display()))?;
    let mut played = Played::default();
    let mut unsent = BTreeSet::new();
    let begin = Instant::now();
    while let Some(entry) = recording.next_of(&settings.node) {
        let due = begin + pause(entry.received_ns, settings.speed);
        if !waits_until(due, inbox) {
            return Ok(None);
        }
        match entry.open() {
            Ok(sent) => {
                let (parameters, data) = sent.into_parts();
                if outbox.send_again(&entry.output, parameters, data.into())? {
                    played.sent += 1;
                } else if unsent.insert(entry.output.clone()) {
                    let output = &entry.output;
                    tracing::warn!("`{output}` is recorded, and not declared in this dataflow");
                }
            }
            Err(error) => {
                tracing::debug!("{error}");
                played.unreadable += 1;
            }
        }
    }
    played.broken = recording.broken().cloned();
    Ok(Some(played))
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

#[cfg(test)]
mod tests;
