//! What can be wrong with a bundle, the runtime or an observation.

use std::path::PathBuf;

use tiller_core::Problems;

use crate::provider::Provider;

fn list(problems: &Problems) -> String {
    problems
        .found
        .iter()
        .map(|problem| format!("\n  - {problem}"))
        .collect()
}

fn names(known: &[String]) -> String {
    if known.is_empty() {
        return "there are no named ones".to_owned();
    }
    let known: Vec<_> = known.iter().map(|name| format!("`{name}`")).collect();
    format!("known: {}", known.join(", "))
}

/// Why a bundle cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// The directory or its manifest is missing or unreadable.
    #[error("no policy bundle at `{}`: cannot read `{}`: {source}", .directory.display(), crate::MANIFEST_FILE)]
    Unreadable {
        /// The bundle directory.
        directory: PathBuf,
        /// What the file system said.
        source: std::io::Error,
    },
    /// The manifest is not TOML, lacks a key, has an unknown key or a value of the wrong type.
    #[error("`{}` is not a policy manifest:\n{source}", .path.display())]
    Manifest {
        /// The manifest file.
        path: PathBuf,
        /// Where and what, with the offending line.
        source: Box<toml::de::Error>,
    },
    /// There is no folder of that name.
    #[error(
        "no policy `{name}`: expected a folder, or a name below models/policies in `{}` or a folder above it; {}",
        .from.display(), names(.known)
    )]
    NotFound {
        /// What was asked for.
        name: String,
        /// The folder from which it was looked for.
        from: PathBuf,
        /// The names that there are.
        known: Vec<String>,
    },
    /// The manifest parses, but what it says is not usable; all problems at once.
    #[error("policy bundle `{}` is not usable:{}", .directory.display(), list(.problems))]
    Invalid {
        /// The bundle directory.
        directory: PathBuf,
        /// Everything that is wrong, never empty.
        problems: Problems,
    },
}

/// Why a policy cannot be opened or run.
#[derive(Debug, thiserror::Error)]
pub enum PolicyError {
    /// ONNX Runtime's shared library was not found anywhere.
    #[error(
        "ONNX Runtime is not set up: looked for {}; run `cargo xtask setup`, or name the library in ORT_DYLIB_PATH",
        .looked.iter().map(|path| format!("`{}`", path.display())).collect::<Vec<_>>().join(", ")
    )]
    LibraryMissing {
        /// Every place that was tried, in order.
        looked: Vec<PathBuf>,
    },
    /// The shared library was found but cannot serve: not a library, too old, or failed to start.
    #[error("ONNX Runtime at `{}` cannot be used: {reason}; run `cargo xtask setup`", .path.display())]
    Library {
        /// The library that was tried.
        path: PathBuf,
        /// What the loader or the runtime said.
        reason: String,
    },
    /// The graphs cannot run on the processor that was asked for.
    #[error("graphs cannot run on `{provider}`: {reason}; {remedy}, or choose the provider `cpu`")]
    Provider {
        /// What was asked for.
        provider: Provider,
        /// Why it cannot be had.
        reason: String,
        /// What to do about it.
        remedy: String,
    },
    /// A graph could not be loaded: not ONNX, truncated, or an unsupported operator.
    #[error("`{}` is not a usable ONNX graph: {reason}", .path.display())]
    Graph {
        /// The graph's file.
        path: PathBuf,
        /// What ONNX Runtime said.
        reason: String,
    },
    /// A file with weights is missing, or is not the one that the manifest names.
    #[error("the weights `{}` cannot be used: expected {expected}, found {found}", .path.display())]
    Weights {
        /// The file.
        path: PathBuf,
        /// What it was to be.
        expected: String,
        /// What it is.
        found: String,
    },
    /// The bundle's tokenizer does not load.
    #[error("the tokenizer of `{}` cannot be used: {reason}", .directory.display())]
    Tokenizer {
        /// The bundle.
        directory: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A graph's inputs or outputs do not agree with the manifest; all problems at once.
    #[error("`{}` does not agree with the manifest:{}", .path.display(), list(.problems))]
    Interface {
        /// The graph's file.
        path: PathBuf,
        /// Everything that is wrong, never empty.
        problems: Problems,
    },
    /// The observation does not have what the policy needs; all problems at once.
    #[error("the observation does not fit the policy:{}", list(.0))]
    Observation(Problems),
    /// There is no observation to encode.
    #[error("nothing has been observed yet: call `encode`, or `observe` before `encode_history`")]
    NotObserved,
    /// `predict` was called before any observation was encoded.
    #[error("no observation has been encoded yet: call `encode` before `predict`")]
    NotEncoded,
    /// A buffer handed to the denoiser has the wrong length.
    #[error("{what}: expected {expected} numbers, found {found}")]
    Length {
        /// Which buffer.
        what: &'static str,
        /// Numbers that the policy's shapes ask for.
        expected: usize,
        /// Numbers in the buffer.
        found: usize,
    },
    /// The encoder produced NaN or infinity.
    #[error("the encoder's `{condition}` is not finite (number {index} of {count})")]
    NotFinite {
        /// Which condition.
        condition: String,
        /// Position of the first bad number.
        index: usize,
        /// Length of the condition.
        count: usize,
    },
    /// ONNX Runtime failed while a graph ran.
    #[error("the {graph} failed: {reason}")]
    Run {
        /// `encoder` or `denoiser`.
        graph: &'static str,
        /// What ONNX Runtime said.
        reason: String,
    },
}
