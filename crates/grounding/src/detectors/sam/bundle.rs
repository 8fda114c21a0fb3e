//! A folder with the graphs of a promptable segmenter, as `models/export/sam.py` writes it.

use std::path::Path;

use serde::Deserialize;
use tiller_core::Problems;
use tiller_core::file::read_regular_text;
use tiller_policy::{Network, NetworkInput, NetworkOutput, RuntimeOptions};

use super::resample::{encoded, restored};
use crate::error::GroundingError;
use crate::frame::FrameView;

/// File name of the manifest.
const MANIFEST: &str = "sam.toml";
const MAX_MANIFEST_BYTES: u64 = 1 << 16;

/// What a prompt's point is, as the published prompt encoder numbers it.
const OBJECT: f32 = 1.0;
const CORNERS: [f32; 2] = [2.0, 3.0];
const PADDING: f32 = -1.0;

/// The manifest.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Manifest {
    /// Version of the format, 1.
    schema: u32,
    /// What the graphs were exported from.
    #[serde(rename = "architecture")]
    _architecture: String,
    /// Side of the square that the encoder sees, pixels.
    side: usize,
    /// Mean and deviation of red, green and blue that the encoder expects, of 255.
    mean: [f32; 3],
    deviation: [f32; 3],
    /// Whether the first of the decoder's masks is the one for prompts that leave no doubt.
    single_mask: bool,
    encoder: File,
    decoder: File,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    file: String,
    sha256: String,
}

/// Where an object is, pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Prompt {
    /// A point on it.
    Point([f64; 2]),
    /// A box around it: left, top, right, bottom.
    Box([f64; 4]),
}

/// A mask that the decoder proposes.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Proposal {
    /// Logits at the picture's size.
    pub(super) logits: Vec<f32>,
    /// The overlap with the true mask that the decoder expects of itself.
    pub(super) expected_overlap: f32,
}

/// The graphs, and what the last picture's encoding was.
pub(super) struct Model {
    manifest: Manifest,
    encoder: Network,
    decoder: Network,
    encoding: Vec<NetworkOutput>,
    size: [usize; 2],
}

impl Model {
    /// Opens the bundle of a folder.
    pub(super) fn open(folder: &Path) -> Result<Self, GroundingError> {
        let refused = |reason: String| GroundingError::Model {
            folder: folder.to_owned(),
            reason,
        };
        let text = read_regular_text(&folder.join(MANIFEST), MAX_MANIFEST_BYTES)
            .map_err(|error| refused(format!("`{MANIFEST}`: {}", error.reason())))?;
        let manifest: Manifest =
            toml::from_str(&text).map_err(|error| refused(format!("`{MANIFEST}`: {error}")))?;
        manifest
            .check()
            .map_err(|problems| refused(problems.to_string()))?;
        let options = RuntimeOptions {
            threads: threads(),
            ..Default::default()
        };
        let open = |file: &File| {
            let network = Network::open(&folder.join(&file.file), &file.sha256, &options);
            network.map_err(|error| refused(error.to_string()))
        };
        Ok(Self {
            encoder: open(&manifest.encoder)?,
            decoder: open(&manifest.decoder)?,
            manifest,
            encoding: Vec::new(),
            size: [0; 2],
        })
    }

    /// Encodes a picture, once for all prompts.
    pub(super) fn encode(&mut self, frame: &FrameView<'_>) -> Result<(), GroundingError> {
        let Manifest {
            side,
            mean,
            deviation,
            ..
        } = self.manifest;
        let picture = encoded(frame, side, mean, deviation)
            .ok_or_else(|| GroundingError::Detection("the picture has no pixels".to_owned()))?;
        let name = self.encoder.inputs().next().unwrap_or("image").to_owned();
        let input = NetworkInput {
            name: &name,
            shape: &[1, 3, side, side],
            values: &picture,
        };
        self.encoding = self.encoder.run(&[input]).map_err(failed)?;
        self.size = [frame.width, frame.height];
        Ok(())
    }

    /// What the decoder takes a prompt for: several masks, or the one that is meant where the prompt
    /// leaves no doubt.
    pub(super) fn decode(&mut self, prompt: Prompt) -> Result<Vec<Proposal>, GroundingError> {
        let scale = self.manifest.side as f64 / self.size[0].max(self.size[1]) as f64;
        let place = |n: f64| (n * scale) as f32;
        let (points, labels) = match prompt {
            Prompt::Point([x, y]) => ([place(x), place(y), 0.0, 0.0], [OBJECT, PADDING]),
            Prompt::Box(corners) => (corners.map(place), CORNERS),
        };
        let mut inputs: Vec<NetworkInput<'_>> = self
            .encoding
            .iter()
            .map(|output| NetworkInput {
                name: &output.name,
                shape: &output.shape,
                values: &output.values,
            })
            .collect();
        inputs.push(NetworkInput {
            name: "point_coords",
            shape: &[1, 2, 2],
            values: &points,
        });
        inputs.push(NetworkInput {
            name: "point_labels",
            shape: &[1, 2],
            values: &labels,
        });
        let outputs = self.decoder.run(&inputs).map_err(failed)?;
        let named = |name: &str| outputs.iter().find(|output| output.name == name);
        let (Some(masks), Some(overlaps)) = (named("masks"), named("iou")) else {
            let reason = "expected outputs `masks` and `iou` of the decoder";
            return Err(GroundingError::Detection(reason.to_owned()));
        };
        let [_, count, rows, low] = masks.shape[..] else {
            let reason = format!("expected `masks` with four axes, found {:?}", masks.shape);
            return Err(GroundingError::Detection(reason));
        };
        if rows != low || overlaps.values.len() != count {
            let reason = format!(
                "masks of {rows} x {low}, {} overlaps",
                overlaps.values.len()
            );
            return Err(GroundingError::Detection(reason));
        }
        let single = self.manifest.single_mask;
        let wanted = match (prompt, single) {
            (Prompt::Box(_), true) => 0..1,
            (Prompt::Point(_), true) => 1..count,
            (_, false) => 0..count,
        };
        let proposals = wanted.map(|index| Proposal {
            logits: restored(
                &masks.values[index * low * low..(index + 1) * low * low],
                low,
                self.manifest.side,
                self.size,
            ),
            expected_overlap: overlaps.values[index],
        });
        Ok(proposals.collect())
    }
}

impl Manifest {
    fn check(&self) -> Result<(), Problems> {
        let mut problems = Problems::default();
        problems.require("schema", self.schema == 1, "1", self.schema);
        problems.require(
            "side",
            (64..=4096).contains(&self.side),
            "64 to 4096 pixels",
            self.side,
        );
        let sound = |numbers: &[f32; 3]| numbers.iter().all(|n| n.is_finite());
        problems.require(
            "mean",
            sound(&self.mean),
            "finite numbers",
            format!("{:?}", self.mean),
        );
        let positive = sound(&self.deviation) && self.deviation.iter().all(|n| *n > 0.0);
        problems.require(
            "deviation",
            positive,
            "numbers above 0",
            format!("{:?}", self.deviation),
        );
        for (key, file) in [
            ("encoder.file", &self.encoder),
            ("decoder.file", &self.decoder),
        ] {
            let inside = Path::new(&file.file).components().count() == 1;
            problems.require(key, inside, "the name of a file of the folder", &file.file);
        }
        problems.finish(())
    }
}

/// Grounding is rare and everybody waits for it: all cores but one.
fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, |cores| cores.get().saturating_sub(1).max(1))
}

fn failed(error: tiller_policy::PolicyError) -> GroundingError {
    GroundingError::Detection(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(manifest: &str) -> String {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(MANIFEST), manifest).unwrap();
        Model::open(folder.path()).err().unwrap().to_string()
    }

    #[test]
    fn a_bundle_that_is_not_sound_is_refused_with_all_that_is_wrong() {
        let text = "schema = 2\narchitecture = \"vit_b\"\nside = 8\nmean = [0, 0, 0]\n\
            deviation = [1, 0, 1]\nsingle_mask = true\n\
            encoder = { file = \"../e.onnx\", sha256 = \"\" }\n\
            decoder = { file = \"d.onnx\", sha256 = \"\" }\n";
        let told = refused(text);
        for key in ["schema", "side", "deviation", "encoder.file"] {
            assert!(told.contains(key), "{told}");
        }
        assert!(refused("schema = 1\ncolour = 3\n").contains("sam.toml"));
        let missing = Model::open(Path::new("/nowhere"))
            .err()
            .unwrap()
            .to_string();
        assert!(missing.contains("/nowhere"), "{missing}");
    }
}
