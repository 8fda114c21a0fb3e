//! Models behind HTTP, against a real server in this process.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that panics has failed, as it should"
)]

mod adapting;
mod exchanges;
mod providers;
mod secrets;
mod spending;
mod waiting;
