//! Loading a bundle directory: manifest, graphs and their fingerprints.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tiller_core::Problems;
use tiller_core::file::{open_regular, read_regular, read_regular_text};
use tiller_steering::scheduler::SchedulerConfig;
use tiller_steering::{ActionSpace, Guide};

use crate::error::BundleError;
use crate::manifest::{GraphFile, Manifest};
use crate::observation::Supply;
use crate::weights::Weights;

/// File name of the manifest in a bundle directory.
pub const MANIFEST_FILE: &str = "policy.toml";

/// Bytes of a manifest.
const MAX_MANIFEST_BYTES: u64 = 1 << 20;
/// Bytes of a graph with its weights.
const MAX_GRAPH_BYTES: u64 = 16 << 30;
/// Bytes of a tokenizer.
const MAX_TOKENIZER_BYTES: u64 = 256 << 20;

/// A bundle whose manifest is sound and whose graphs are the ones that the manifest names.
///
/// It keeps the bytes whose fingerprint was checked: what is run is what was verified, whatever
/// happens to the files meanwhile. Weights in files of their own, which may be large, are read and checked
/// by [`Policy::open`](crate::Policy::open), and are not kept here.
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
    tokenizer: Option<Arc<[u8]>>,
}

/// A graph's bytes and where they came from, for messages.
#[derive(Clone)]
pub(crate) struct Graph {
    pub(crate) path: PathBuf,
    pub(crate) bytes: Arc<[u8]>,
    /// Read and checked when the graph is opened.
    pub(crate) weights: Vec<Weights>,
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
        let tokenizer = manifest.files.tokenizer.as_ref();
        let tokenizer = tokenizer.and_then(|file| {
            let (path, sha256) = (&file.path, &file.sha256);
            read_checked(
                directory,
                "tokenizer",
                path,
                sha256,
                MAX_TOKENIZER_BYTES,
                &mut problems,
            )
        });
        let read = (manifest.sampler(), manifest.action_space());
        match (encoder, denoiser, read) {
            (Some(encoder), Some(denoiser), (Some(sampler), Some((space, guide))))
                if problems.is_empty() =>
            {
                Ok(Self {
                    directory: directory.to_path_buf(),
                    fingerprint: tiller_core::sha256(text.as_bytes()),
                    manifest,
                    sampler,
                    space,
                    guide,
                    encoder,
                    denoiser,
                    tokenizer: tokenizer.map(|(_, bytes)| bytes),
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

    /// The text of its tokenizer, if it has one.
    pub(crate) fn tokenizer(&self) -> Option<&[u8]> {
        self.tokenizer.as_deref()
    }

    pub(crate) fn denoiser(&self) -> &Graph {
        &self.denoiser
    }
}

/// Reads a graph and checks its fingerprint, and that its weights are there; adds to `problems` when it
/// returns nothing.
fn read(directory: &Path, role: &str, file: &GraphFile, problems: &mut Problems) -> Option<Graph> {
    let weights: Vec<Weights> = file
        .weights
        .iter()
        .map(|file| Weights {
            location: file.path.clone(),
            path: directory.join(&file.path),
            sha256: file.sha256.clone(),
        })
        .collect();
    for (index, weights) in weights.iter().enumerate() {
        if let Err(error) = open_regular(&weights.path) {
            let expected = format!("the file `{}`", weights.path.display());
            problems.push(
                format!("files.{role}.weights[{index}]"),
                expected,
                error.reason(),
            );
        }
    }
    let (path, sha256) = (&file.path, &file.sha256);
    let (path, bytes) = read_checked(directory, role, path, sha256, MAX_GRAPH_BYTES, problems)?;
    Some(Graph {
        path,
        bytes,
        weights,
    })
}

/// Reads a file whose fingerprint must be `sha256`; adds to `problems` when it returns nothing.
fn read_checked(
    directory: &Path,
    role: &str,
    path: &str,
    sha256: &str,
    limit: u64,
    problems: &mut Problems,
) -> Option<(PathBuf, Arc<[u8]>)> {
    let path = directory.join(path);
    let bytes = match read_regular(&path, limit) {
        Ok(bytes) => bytes,
        Err(error) => {
            let expected = format!("the file `{}`", path.display());
            problems.push(format!("files.{role}"), expected, error.reason());
            return None;
        }
    };
    let found = tiller_core::sha256(&bytes);
    if found != sha256 {
        problems.push(
            format!("files.{role}.sha256 of `{}`", path.display()),
            sha256,
            format!(
                "{found} ({} bytes: damaged, or exported anew without its manifest)",
                bytes.len()
            ),
        );
        return None;
    }
    Some((path, bytes.into()))
}
