//! How a chunk carries on the one that is being executed (real-time chunking).

use serde::{Deserialize, Serialize};

/// Which part of the chunk under way a new chunk begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Continuation {
    /// Sequence number of the chunk under way.
    pub seq: u64,
    /// The executed step of that chunk, from 0, which the new chunk's step 0 repeats.
    pub step: u32,
    /// How many leading steps of the new chunk repeat the old one's, because they are executed
    /// while the new one is planned; they are in-painted.
    pub frozen_steps: u32,
}
