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

/// A fault in a journal: its word.
pub(crate) mod fault {
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};
    use tiller_motion::ArmFault;

    pub(crate) fn serialize<S: Serializer>(
        fault: &Option<ArmFault>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        fault.map(ArmFault::as_str).serialize(serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<ArmFault>, D::Error> {
        let Some(word) = Option::<String>::deserialize(deserializer)? else {
            return Ok(None);
        };
        let known = ArmFault::ALL.into_iter().find(|one| one.as_str() == word);
        known.map(Some).ok_or_else(|| {
            D::Error::custom(format!("expected the word of a fault, found `{word}`"))
        })
    }
}
