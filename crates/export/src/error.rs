//! Why an export fails.

use std::io;
use std::path::PathBuf;

use tiller_core::shown;

/// Why a recording is not exported.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExportError {
    /// The recording cannot be read.
    #[error(transparent)]
    Recording(#[from] tiller_recording::RecordingError),
    /// The output cannot be written.
    #[error("cannot write {}: {cause}", shown(&.path.to_string_lossy()))]
    Io {
        /// The output.
        path: PathBuf,
        /// The operating system's error.
        cause: io::Error,
    },
    /// MCAP's writer refuses.
    #[error("cannot write {}: {cause}", shown(&.path.to_string_lossy()))]
    Mcap {
        /// The output.
        path: PathBuf,
        /// Why.
        cause: mcap::McapError,
    },
    /// The data set cannot be written.
    #[error(transparent)]
    Dataset(#[from] tiller_lerobot::DatasetError),
    /// A video cannot be made.
    #[error(transparent)]
    Video(#[from] tiller_lerobot::VideoError),
    /// The recording lacks what the output needs.
    #[error("expected {expected} in the recording, found {found}")]
    Lacks {
        /// What is needed.
        expected: &'static str,
        /// What there is.
        found: String,
    },
    /// A picture that was announced cannot be decoded.
    #[error("{topic}: expected a picture, found {found}")]
    Picture {
        /// Whose it is.
        topic: String,
        /// What is wrong with it.
        found: String,
    },
    /// Whoever watches wants no more.
    #[error("interrupted")]
    Interrupted,
}
