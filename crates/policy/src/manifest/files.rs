//! The graphs of a bundle.

use serde::Deserialize;
use tiller_core::Problems;

/// The graphs of a bundle.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Files {
    /// Observation to `condition`.
    pub encoder: GraphFile,
    /// `sample`, `timestep`, `condition` to `prediction`.
    pub denoiser: GraphFile,
}

/// A graph and its fingerprint.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GraphFile {
    /// Path relative to the bundle directory.
    pub path: String,
    /// SHA-256 of the file, 64 lower-case hexadecimal digits.
    pub sha256: String,
}

impl GraphFile {
    pub(super) fn check(&self, at: &str, problems: &mut Problems) {
        let path = std::path::Path::new(&self.path);
        problems.require(
            format!("{at}.path"),
            !self.path.is_empty()
                && path
                    .components()
                    .all(|part| matches!(part, std::path::Component::Normal(_))),
            "a path inside the bundle directory",
            format!("`{}`", self.path),
        );
        problems.require(
            format!("{at}.sha256"),
            self.sha256.len() == 64
                && self
                    .sha256
                    .bytes()
                    .all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f')),
            "64 lower-case hexadecimal digits",
            format!("`{}`", self.sha256),
        );
    }
}
