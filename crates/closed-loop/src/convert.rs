//! A chunk as it travels, in the terms of the arm's motion.

use tiller_messages::ActionChunk;
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
