//! A chunk as it travels, in the terms of the arm's motion, and what motion says of it as it travels.

use tiller_messages::{ActionChunk, SafetyEvent};
use tiller_motion::Chunk;

/// The same plan; motion calculates in double precision.
pub(crate) fn chunk(message: &ActionChunk) -> Chunk {
    Chunk {
        seq: message.seq,
        stamp_ns: message.stamp_ns,
        anchor: message.anchor,
        layout: message.layout.clone(),
        execute_steps: message.execute_steps as usize,
        actions: message
            .actions
            .iter()
            .map(|value| f64::from(*value))
            .collect(),
        continues: message.continues,
    }
}

/// What was refused, clamped or stopped, with its numbers.
pub(crate) fn safety_event(event: tiller_motion::SafetyEvent) -> SafetyEvent {
    let violation = event.violation;
    SafetyEvent {
        stamp_ns: event.stamp_ns,
        kind: event.kind.as_str().to_owned(),
        chunk_seq: event.chunk_seq,
        quantity: violation.map(|found| found.quantity.as_str().to_owned()),
        limit: violation.map(|found| found.limit),
        value: violation.map(|found| found.value),
        step: violation.and_then(|found| found.step),
        text: event.text,
        ..Default::default()
    }
}
