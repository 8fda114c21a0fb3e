//! How keypoints are found and followed.

use std::path::{Path, PathBuf};

use eyre::{Result, ensure};
use serde::{Deserialize, Serialize};
use tiller_core::file::read_regular;
use tiller_grounding::{NETWORK_FILE, detector_names, find_network, tracker_names};
use tiller_world::WorldInfo;

/// The detector that reads the world's own labels: every pixel, privileged.
pub(crate) const LABELS: &str = "labels";
/// The detector that is a network of a world's things.
const LEARNED: &str = "learned";
const MAX_MANIFEST_BYTES: u64 = 1 << 16;

/// What finds objects, and what follows them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sight {
    /// Name of the detector.
    pub detector: String,
    /// Name of the tracker.
    pub tracker: String,
    /// Folder of the detector's network.
    pub model: Option<PathBuf>,
}

/// The same for the record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SightSettings {
    /// Name of the detector.
    pub detector: String,
    /// Name of the tracker.
    pub tracker: String,
    /// SHA-256 of the manifest of the detector's network, which holds that of its graph.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model_sha256: Option<String>,
}

impl Default for Sight {
    fn default() -> Self {
        Self {
            detector: LABELS.to_owned(),
            tracker: "detector".to_owned(),
            model: None,
        }
    }
}

impl Default for SightSettings {
    fn default() -> Self {
        let Sight {
            detector, tracker, ..
        } = Sight::default();
        Self {
            detector,
            tracker,
            model_sha256: None,
        }
    }
}

impl Sight {
    /// In a world, by name; the network is the world's own, found from a folder. Where nobody says, it is that network that finds
    /// objects, in a world that has one, and the world's labels in any other.
    ///
    /// # Errors
    /// When there is no such detector or tracker, or no network of the world's things.
    pub fn of(
        info: &WorldInfo,
        detector: Option<&str>,
        tracker: Option<&str>,
        model: Option<&str>,
        from: &Path,
    ) -> Result<Self> {
        let default = Self::default();
        let known = |names: Vec<&str>, name: &str, option: &str| {
            let all = names.join(", ");
            ensure!(
                names.contains(&name),
                "{option} {name}: expected one of {all}"
            );
            Ok(())
        };
        let usual = if info.detector.is_some() {
            LEARNED
        } else {
            LABELS
        };
        let detector = detector.unwrap_or(usual);
        let tracker = tracker.unwrap_or(&default.tracker);
        known(detector_names().collect(), detector, "--detector")?;
        known(tracker_names().collect(), tracker, "--tracker")?;
        let own = info.detector.filter(|_| detector == LEARNED);
        let model = match model.or(own) {
            Some(name) => Some(find_network(name, from)?),
            None => None,
        };
        ensure!(
            detector == LABELS || model.is_some() || detector == "clusters",
            "--detector {detector}: {} has no network of its own, expected --detector-model",
            info.name
        );
        Ok(Self {
            detector: detector.to_owned(),
            tracker: tracker.to_owned(),
            model,
        })
    }

    pub(crate) fn settings(&self) -> Result<SightSettings> {
        let hash = |folder: &PathBuf| -> Result<Option<String>> {
            let manifest = folder.join(NETWORK_FILE);
            if !manifest.is_file() {
                return Ok(None);
            }
            let bytes = read_regular(&manifest, MAX_MANIFEST_BYTES)?;
            Ok(Some(tiller_core::sha256(&bytes)))
        };
        Ok(SightSettings {
            detector: self.detector.clone(),
            tracker: self.tracker.clone(),
            model_sha256: self.model.as_ref().map(hash).transpose()?.flatten(),
        })
    }
}

impl SightSettings {
    pub(crate) fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// As it would be here, with the network in that folder, or of the folder's name.
    pub(crate) fn here(&self, model: Option<&Path>, from: &Path) -> Result<Sight> {
        let found = match model {
            Some(there) if there.is_dir() => Some(there.to_owned()),
            Some(there) => {
                let name = there.file_name().unwrap_or_default().to_string_lossy();
                Some(find_network(&name, from)?)
            }
            None => None,
        };
        Ok(Sight {
            detector: self.detector.clone(),
            tracker: self.tracker.clone(),
            model: found,
        })
    }
}
