//! Observation, reward and stage to an action chunk.

fn main() {}
