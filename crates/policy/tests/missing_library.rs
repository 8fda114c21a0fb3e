//! In a process of its own: a process that has loaded ONNX Runtime once keeps it.

#![allow(
    clippy::unwrap_used,
    reason = "a test that panics has failed, as it should"
)]

use std::path::{Path, PathBuf};

use tiller_policy::{Bundle, Policy, PolicyError, RuntimeOptions};

fn data() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data")
}

fn open(library: PathBuf) -> PolicyError {
    let options = RuntimeOptions {
        library_path: Some(library),
        ..RuntimeOptions::default()
    };
    Policy::open(&Bundle::load(&data()).unwrap(), &options).unwrap_err()
}

#[test]
fn a_library_that_is_missing_or_none_is_named_with_the_way_out() {
    let message = open(PathBuf::from("/nowhere/libonnxruntime.so")).to_string();
    assert_eq!(
        message,
        "ONNX Runtime is not set up: looked for `/nowhere/libonnxruntime.so`; run `cargo xtask \
         setup`, or name the library in ORT_DYLIB_PATH"
    );

    let error = open(data().join("policy.toml"));
    assert!(matches!(error, PolicyError::Library { .. }), "{error}");
    let message = error.to_string();
    assert!(
        message.contains("policy.toml` cannot be used") && message.contains("cargo xtask setup"),
        "{message}"
    );
}
