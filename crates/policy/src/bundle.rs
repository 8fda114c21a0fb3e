//! Loading a bundle directory: manifest, graphs and their fingerprints.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use sha2::{Digest, Sha256};
use tiller_core::Problems;
use tiller_core::file::{read_regular, read_regular_text};
use tiller_steering::scheduler::SchedulerConfig;
use tiller_steering::{ActionSpace, Guide};

use crate::error::BundleError;
use crate::manifest::{GraphFile, Manifest};
use crate::observation::Supply;

/// File name of the manifest in a bundle directory.
pub const MANIFEST_FILE: &str = "policy.toml";

/// Bytes of a manifest.
const MAX_MANIFEST_BYTES: u64 = 1 << 20;
/// Bytes of a graph with its weights.
const MAX_GRAPH_BYTES: u64 = 16 << 30;

/// A bundle whose manifest is sound and whose graphs are the ones that the manifest names.
///
/// It keeps the bytes whose fingerprint was checked: what is run is what was verified, whatever
/// happens to the files meanwhile.
#[derive(Debug, Clone)]
pub struct Bundle {
    directory: PathBuf,
    /// SHA-256 of the manifest's text.
    fingerprint: String,
    manifest: Manifest,
    sampler: SchedulerConfig,
    space: ActionSpace,
    guide: Guide,
    encoder: Graph,
    denoiser: Graph,
}

/// A graph's bytes and where they came from, for messages.
#[derive(Clone)]
pub(crate) struct Graph {
    pub(crate) path: PathBuf,
    pub(crate) bytes: Arc<[u8]>,
}

impl std::fmt::Debug for Graph {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            formatter,
            "Graph({}, {} bytes)",
            self.path.display(),
            self.bytes.len()
        )
    }
}

impl Bundle {
    /// Reads and checks the bundle in `directory`.
    ///
    /// # Errors
    /// [`BundleError`]: no manifest, a manifest that does not parse, or a list of everything else
    /// that is wrong: unknown kinds, impossible shapes, missing files, wrong fingerprints.
    pub fn load(directory: &Path) -> Result<Self, BundleError> {
        let path = directory.join(MANIFEST_FILE);
        let text = read_regular_text(&path, MAX_MANIFEST_BYTES).map_err(|error| {
            BundleError::Unreadable {
                directory: directory.to_path_buf(),
                source: error.into(),
            }
        })?;
        let manifest: Manifest = toml::from_str(&text).map_err(|source| BundleError::Manifest {
            path,
            source: Box::new(source),
        })?;
        let mut problems = manifest.problems();
        let encoder = read(directory, "encoder", &manifest.files.encoder, &mut problems);
        let denoiser = read(
            directory,
            "denoiser",
            &manifest.files.denoiser,
            &mut problems,
        );
        let read = (manifest.sampler(), manifest.action_space());
        match (encoder, denoiser, read) {
            (Some(encoder), Some(denoiser), (Some(sampler), Some((space, guide))))
                if problems.is_empty() =>
            {
                Ok(Self {
                    directory: directory.to_path_buf(),
                    fingerprint: sha256(text.as_bytes()),
                    manifest,
                    sampler,
                    space,
                    guide,
                    encoder,
                    denoiser,
                })
            }
            _ => Err(BundleError::Invalid {
                directory: directory.to_path_buf(),
                problems,
            }),
        }
    }

    /// SHA-256 of its manifest, in which those of its files stand.
    #[must_use]
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// Its folder.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// What the bundle says about itself.
    #[must_use]
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The sampler that the policy was trained for.
    #[must_use]
    pub fn sampler(&self) -> &SchedulerConfig {
        &self.sampler
    }

    /// Layout and normalisation of the policy's actions.
    #[must_use]
    pub fn action_space(&self) -> &ActionSpace {
        &self.space
    }

    /// Which columns of an action guidance may move beside the position, as the bundle says.
    #[must_use]
    pub fn guide(&self) -> Guide {
        self.guide
    }

    /// Compares what the policy wants to see with what there is to see, so that a program refuses a
    /// policy at its start and not at its first observation. The sizes of pictures show only then.
    ///
    /// # Errors
    /// [`BundleError::Invalid`] lists every observation that cannot be had.
    pub fn check_supply(&self, supply: &Supply<'_>) -> Result<(), BundleError> {
        let inputs = self.manifest.observations.iter();
        let mut problems = Problems::default();
        inputs.for_each(|input| supply.check(input, &mut problems));
        problems
            .finish(())
            .map_err(|problems| BundleError::Invalid {
                directory: self.directory.clone(),
                problems,
            })
    }

    pub(crate) fn encoder(&self) -> &Graph {
        &self.encoder
    }

    pub(crate) fn denoiser(&self) -> &Graph {
        &self.denoiser
    }
}

/// Reads a graph and checks its fingerprint; adds to `problems` when it returns nothing.
fn read(directory: &Path, role: &str, file: &GraphFile, problems: &mut Problems) -> Option<Graph> {
    let path = directory.join(&file.path);
    let bytes = match read_regular(&path, MAX_GRAPH_BYTES) {
        Ok(bytes) => bytes,
        Err(error) => {
            let expected = format!("the file `{}`", path.display());
            problems.push(format!("files.{role}"), expected, error.reason());
            return None;
        }
    };
    let found = sha256(&bytes);
    if found != file.sha256 {
        problems.push(
            format!("files.{role}.sha256 of `{}`", path.display()),
            &file.sha256,
            format!(
                "{found} ({} bytes: damaged, or exported anew without its manifest)",
                bytes.len()
            ),
        );
        return None;
    }
    Some(Graph {
        path,
        bytes: bytes.into(),
    })
}

fn sha256(bytes: &[u8]) -> String {
    use std::fmt::Write;
    let mut text = String::with_capacity(64);
    for byte in Sha256::digest(bytes) {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}
