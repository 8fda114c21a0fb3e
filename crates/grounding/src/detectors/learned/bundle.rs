//! A folder with a network that names pixels, as `models/train/detector.py` writes it.

use std::path::Path;

use image::RgbImage;
use image::imageops::{FilterType, resize, thumbnail};
use serde::Deserialize;
use tiller_core::Problems;
use tiller_core::file::read_regular_text;
use tiller_policy::{Network, NetworkInput, RuntimeOptions};

use crate::error::GroundingError;
use crate::frame::FrameView;

/// What tells the folder of a network: its manifest, which holds the SHA-256 of the graph.
pub const NETWORK_FILE: &str = "learned.toml";
const MAX_MANIFEST_BYTES: u64 = 1 << 16;
/// Most of one class.
const MOST: usize = 16;
/// How far apart the parts of one thing may show, m, where the manifest does not say.
const APART_M: f64 = 0.25;

/// The manifest.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Manifest {
    /// Version of the format, 1.
    schema: u32,
    /// Rows that pictures are scaled to; columns in proportion.
    rows: usize,
    /// What rows and columns must be a multiple of.
    stride: usize,
    network: File,
    class: Vec<Class>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    file: String,
    sha256: String,
}

/// What the network can name.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Class {
    pub(super) name: String,
    /// How many there may be.
    #[serde(default = "one")]
    pub(super) most: usize,
    /// How many pixels one typically shows in a picture of the manifest's rows; 0 where nobody knows.
    #[serde(default)]
    pub(super) pixels: usize,
    /// What shows further apart is not of the same one, m.
    #[serde(default = "apart_m")]
    pub(super) apart_m: f64,
}

fn one() -> usize {
    1
}

fn apart_m() -> f64 {
    APART_M
}

/// A class for each pixel of a picture.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Named {
    /// Number of the class, from 1; 0 is everything else.
    pub(super) class: Vec<u8>,
    /// How sure the network is of it, 0 to 1.
    pub(super) confidence: Vec<f32>,
}

/// The network.
pub(super) struct Model {
    manifest: Manifest,
    network: Network,
    input: String,
    picture: Vec<f32>,
    cells: Named,
    best: Vec<f32>,
}

impl Model {
    /// Opens the bundle of a folder.
    pub(super) fn open(folder: &Path) -> Result<Self, GroundingError> {
        let refused = |reason: String| GroundingError::Model {
            folder: folder.to_owned(),
            reason,
        };
        let text = read_regular_text(&folder.join(NETWORK_FILE), MAX_MANIFEST_BYTES)
            .map_err(|error| refused(format!("`{NETWORK_FILE}`: {}", error.reason())))?;
        let manifest: Manifest =
            toml::from_str(&text).map_err(|error| refused(format!("`{NETWORK_FILE}`: {error}")))?;
        manifest
            .check()
            .map_err(|problems| refused(problems.to_string()))?;
        let options = RuntimeOptions {
            threads: 1,
            ..Default::default()
        };
        let path = folder.join(&manifest.network.file);
        let network = Network::open(&path, &manifest.network.sha256, &options)
            .map_err(|error| refused(error.to_string()))?;
        let input = network.inputs().next().unwrap_or_default().to_owned();
        let (inputs, outputs) = (network.inputs().count(), network.outputs().count());
        if [inputs, outputs] != [1, 1] {
            let file = &manifest.network.file;
            return Err(refused(format!(
                "expected `{file}` with one input and one output, found {inputs} and {outputs}"
            )));
        }
        Ok(Self {
            manifest,
            network,
            input,
            picture: Vec::new(),
            cells: Named::default(),
            best: Vec::new(),
        })
    }

    /// How many times as many pixels a thing has in a picture of so many rows as in one of the manifest's.
    pub(super) fn enlarged(&self, height: usize) -> f64 {
        (height as f64 / self.manifest.rows as f64).powi(2)
    }

    /// What it can name; the network's numbers count from 1.
    pub(super) fn classes(&self) -> &[Class] {
        &self.manifest.class
    }

    /// Names the pixels of a picture.
    pub(super) fn name(
        &mut self,
        frame: &FrameView<'_>,
        named: &mut Named,
    ) -> Result<(), GroundingError> {
        let [columns, rows] = self.manifest.fitted([frame.width, frame.height]);
        self.picture.resize(3 * rows * columns, 0.0);
        if [columns, rows] == [frame.width, frame.height] {
            planes(frame.rgb, &mut self.picture);
        } else {
            let size = [frame.width, frame.height, columns, rows].map(|n| n as u32);
            let source = RgbImage::from_raw(size[0], size[1], frame.rgb.to_vec())
                .ok_or_else(|| GroundingError::Detection("the picture has no pixels".to_owned()))?;
            let scaled = if rows < frame.height {
                // Averages, many times faster than filters.
                thumbnail(&source, size[2], size[3])
            } else {
                resize(&source, size[2], size[3], FilterType::Triangle)
            };
            planes(scaled.as_raw(), &mut self.picture);
        }
        let input = NetworkInput {
            name: &self.input,
            shape: &[1, 3, rows, columns],
            values: &self.picture,
        };
        let failed = |reason: String| GroundingError::Detection(reason);
        let outputs = self
            .network
            .run(&[input])
            .map_err(|error| failed(error.to_string()))?;
        let logits = outputs.first();
        let shape = logits.map_or(&[][..], |logits| &logits.shape);
        let classes = self.manifest.class.len() + 1;
        let ([1, found, below, across], Some(logits)) = (shape, logits) else {
            return Err(failed(format!("expected logits with four axes, found {shape:?}")));
        };
        if *found != classes || *below == 0 || *across == 0 {
            return Err(failed(format!(
                "expected logits of {classes} classes, the first of everything else, found {shape:?}"
            )));
        }
        self.decide(&logits.values, below * across);
        named.class.clear();
        named.confidence.clear();
        let columns: Vec<usize> = (0..frame.width)
            .map(|column| column * across / frame.width)
            .collect();
        for row in 0..frame.height {
            let from = (row * below / frame.height) * across;
            let at = columns.iter().map(|column| from + column);
            let class = at.clone().map(|at| self.cells.class[at]);
            named.class.extend(class);
            named.confidence.extend(at.map(|at| self.cells.confidence[at]));
        }
        Ok(())
    }

    /// The likeliest class of each of the network's cells, and how likely it is.
    fn decide(&mut self, logits: &[f32], cells: usize) {
        let Named { class, confidence } = &mut self.cells;
        class.clear();
        class.resize(cells, 0);
        self.best.clear();
        self.best.extend_from_slice(&logits[..cells]);
        for (number, plane) in (1..).zip(logits.chunks_exact(cells).skip(1)) {
            for ((best, class), value) in self.best.iter_mut().zip(class.iter_mut()).zip(plane) {
                if *value > *best {
                    (*best, *class) = (*value, number);
                }
            }
        }
        confidence.clear();
        for (at, (class, best)) in class.iter().zip(&self.best).enumerate() {
            // Nobody asks how sure it is of everything else.
            let planes = logits.chunks_exact(cells).filter(|_| *class != 0);
            let sum: f32 = planes.map(|plane| (plane[at] - best).exp()).sum();
            confidence.push(if *class == 0 { 1.0 } else { sum.recip() });
        }
    }
}

/// Interleaved bytes to planes of numbers.
fn planes(rgb: &[u8], planes: &mut [f32]) {
    let size = planes.len() / 3;
    for (at, pixel) in rgb.chunks_exact(3).enumerate() {
        for (channel, value) in pixel.iter().enumerate() {
            planes[channel * size + at] = f32::from(*value);
        }
    }
}

impl Manifest {
    /// Columns and rows that a picture is scaled to.
    fn fitted(&self, [width, height]: [usize; 2]) -> [usize; 2] {
        let columns = width as f64 * self.rows as f64 / height as f64;
        let steps = (columns / self.stride as f64).round().max(1.0);
        [steps as usize * self.stride, self.rows]
    }

    fn check(&self) -> Result<(), Problems> {
        let mut problems = Problems::default();
        problems.require("schema", self.schema == 1, "1", self.schema);
        let fits = self.stride > 0 && self.rows.is_multiple_of(self.stride);
        problems.require(
            "rows",
            fits && (64..=2048).contains(&self.rows),
            "64 to 2048, a multiple of `stride`",
            self.rows,
        );
        let name = &self.network.file;
        let inside = Path::new(name).components().count() == 1;
        problems.require("network.file", inside, "the name of a file of the folder", name);
        let count = self.class.len();
        problems.require("class", (1..=255).contains(&count), "1 to 255 of them", count);
        for (index, class) in self.class.iter().enumerate() {
            let earlier = &self.class[..index];
            let fresh = !class.name.is_empty() && earlier.iter().all(|it| it.name != class.name);
            problems.require("class.name", fresh, "a name of its own", &class.name);
            let most = (1..=MOST).contains(&class.most);
            problems.require("class.most", most, "1 to 16", class.most);
            let apart = class.apart_m.is_finite() && class.apart_m > 0.0;
            problems.require("class.apart_m", apart, "a length above 0", class.apart_m);
        }
        problems.finish(())
    }
}
