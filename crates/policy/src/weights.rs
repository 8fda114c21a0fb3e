//! Weights of a graph in files of their own.

use std::io::Read;
use std::path::PathBuf;
use std::sync::Arc;

use tiller_core::Digest;
use tiller_core::file::open_regular;

use crate::error::PolicyError;

/// Most bytes of one file.
const MAX_BYTES: u64 = 1 << 36;
/// Bytes that are hashed while they are still in the processor's cache.
const PIECE: usize = 1 << 20;

/// A file that a graph asks for, and the fingerprint that it must have.
#[derive(Debug, Clone)]
pub(crate) struct Weights {
    /// As the graph names it.
    pub(crate) location: String,
    pub(crate) path: PathBuf,
    pub(crate) sha256: String,
}

impl Weights {
    /// Reads the file, once: the bytes whose fingerprint is right are those that are returned.
    pub(crate) fn read(&self) -> Result<Arc<[u8]>, PolicyError> {
        let refused = |expected: String, found: String| PolicyError::Weights {
            path: self.path.clone(),
            expected,
            found,
        };
        let unreadable = |found: String| refused("a file that can be read whole".to_owned(), found);
        let mut file = open_regular(&self.path).map_err(|error| unreadable(error.reason()))?;
        let length = file
            .metadata()
            .map_err(|error| unreadable(error.to_string()))?
            .len();
        let room = usize::try_from(length).ok().filter(|_| length <= MAX_BYTES);
        let Some(room) = room else {
            return Err(refused(
                format!("at most {MAX_BYTES} bytes"),
                format!("{length} bytes"),
            ));
        };
        let mut bytes: Arc<[u8]> = std::iter::repeat_n(0, room).collect();
        let mut digest = Digest::default();
        // Nobody else has it yet, so nothing is copied.
        for piece in Arc::make_mut(&mut bytes).chunks_mut(PIECE) {
            file.read_exact(piece)
                .map_err(|error| unreadable(error.to_string()))?;
            digest.add(piece);
        }
        let found = digest.hexadecimal();
        if found == self.sha256 {
            Ok(bytes)
        } else {
            Err(refused(
                format!("the SHA-256 {}", self.sha256),
                format!("{found} ({length} bytes: damaged, or exported anew without its manifest)"),
            ))
        }
    }
}
