//! Binds policy, reward and steering into one step: observation to action chunk.
