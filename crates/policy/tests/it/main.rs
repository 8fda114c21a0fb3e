//! Bundles on disk and policies in a real ONNX Runtime, on the tiny graphs of `tests/data`.

mod bundle;
mod common;
mod policy;
