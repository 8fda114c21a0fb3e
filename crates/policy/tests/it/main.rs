//! Bundles on disk and policies in a real ONNX Runtime, on the tiny graphs of `tests/data`.

#![allow(
    clippy::unwrap_used,
    reason = "a test that panics has failed, as it should"
)]

mod bundle;
mod common;
mod components;
mod conditions;
mod damage;
mod find;
mod golden;
mod lerobot;
mod manifest;
mod observer;
mod policy;
mod provider;
mod shipped;
mod vla;
mod warm_up;
