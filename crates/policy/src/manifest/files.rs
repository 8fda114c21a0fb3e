//! The files of a bundle.

use serde::Deserialize;
use tiller_core::Problems;

/// The files of a bundle beside its manifest.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Files {
    /// Observation to conditions.
    pub encoder: GraphFile,
    /// `sample`, `timestep`, conditions to `prediction`.
    pub denoiser: GraphFile,
    /// `tokenizer.json` of a policy that reads an instruction.
    pub tokenizer: Option<BundleFile>,
}

/// A graph and its fingerprint.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GraphFile {
    /// Path relative to the bundle directory.
    pub path: String,
    /// SHA-256 of the file, 64 lower-case hexadecimal digits.
    pub sha256: String,
    /// Files with weights of the graph's, under the names by which it asks for them; none if they are in
    /// the graph.
    #[serde(default)]
    pub weights: Vec<BundleFile>,
}

/// A file and its fingerprint.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BundleFile {
    /// Path relative to the bundle directory.
    pub path: String,
    /// SHA-256 of the file, 64 lower-case hexadecimal digits.
    pub sha256: String,
}

impl GraphFile {
    pub(super) fn check(&self, at: &str, problems: &mut Problems) {
        check(at, &self.path, &self.sha256, problems);
        for (index, file) in self.weights.iter().enumerate() {
            file.check(&format!("{at}.weights[{index}]"), problems);
            let earlier = &self.weights[..index];
            problems.require(
                format!("{at}.weights[{index}].path"),
                !earlier.iter().any(|other| other.path == file.path),
                "a file that is named once",
                format!("`{}` again", file.path),
            );
        }
    }
}

impl BundleFile {
    pub(super) fn check(&self, at: &str, problems: &mut Problems) {
        check(at, &self.path, &self.sha256, problems);
    }
}

fn check(at: &str, path: &str, sha256: &str, problems: &mut Problems) {
    let parts = std::path::Path::new(path).components();
    problems.require(
        format!("{at}.path"),
        !path.is_empty()
            && parts
                .into_iter()
                .all(|part| matches!(part, std::path::Component::Normal(_))),
        "a path inside the bundle directory",
        format!("`{path}`"),
    );
    let is_digit = |digit: u8| matches!(digit, b'0'..=b'9' | b'a'..=b'f');
    problems.require(
        format!("{at}.sha256"),
        sha256.len() == 64 && sha256.bytes().all(is_digit),
        "64 lower-case hexadecimal digits",
        format!("`{sha256}`"),
    );
}
