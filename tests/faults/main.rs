//! The real dataflow when something goes wrong: cameras, streams, processes, the disk.
//!
//! What of it is cheap runs with every `cargo xtask test`. The whole matrix of processes and signals, and
//! the table in `tests/README.md`, come of
//! `cargo test --release --workspace --test faults -- --ignored --nocapture`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that panics has failed, as it should"
)]

/// The judge of what arms are told shares no code with what it judges.
#[allow(dead_code, reason = "it judges other robots and cells, too")]
#[path = "../../crates/motion/tests/endurance/checker.rs"]
mod checker;
#[path = "../common/mod.rs"]
mod common;
mod disk;
mod evidence;
mod processes;
mod streams;
