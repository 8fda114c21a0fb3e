//! A detector, and a picture for it to look at.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use clap::Args;
use eyre::{Result, WrapErr};
use image::RgbImage;
use tiller_grounding::{
    FrameView, Grounder, GroundingConfig, GroundingError, Keypoint, find_network,
};

/// Largest picture that is read, bytes.
const MAX_PICTURE_BYTES: u64 = 64 << 20;
/// How far away everything in it is taken to be, mm.
const DEPTH_MM: u16 = 1000;
/// What tells a segmenter's folder.
const SEGMENTER: &str = "sam.toml";

/// Which detector, and what it sees.
#[derive(Debug, Args)]
pub(super) struct EyeArgs {
    /// The detector: a folder, or a name below models/detectors.
    detector: String,
    /// A picture to look at [default: a grey one].
    #[arg(long, value_name = "FILE")]
    picture: Option<PathBuf>,
    /// Columns and rows of the grey one.
    #[arg(long, value_name = "WxH", default_value = "256x256", value_parser = size, conflicts_with = "picture")]
    size: [u32; 2],
}

fn size(text: &str) -> Result<[u32; 2], String> {
    let numbers = text.split_once('x').and_then(|(width, height)| {
        let sides = [width.parse().ok()?, height.parse().ok()?];
        let fits = sides.iter().all(|side| (16..=4096).contains(side));
        fits.then_some(sides)
    });
    numbers.ok_or_else(|| "expected columns and rows of 16 to 4096, such as 640x480".to_owned())
}

/// An open detector with its picture.
pub(super) struct Eye {
    grounder: Grounder,
    picture: RgbImage,
    depth_mm: Vec<u16>,
    /// How long opening took.
    pub(super) opening: Duration,
}

impl EyeArgs {
    /// # Errors
    /// When the detector is not sound, or the picture none.
    pub(super) fn open(&self) -> Result<Eye> {
        let folder = find_network(&self.detector, Path::new("."))?;
        let is_segmenter = folder.join(SEGMENTER).is_file();
        let picture = match &self.picture {
            Some(path) => read(path).wrap_err_with(|| format!("--picture {}", path.display()))?,
            None => {
                let [width, height] = self.size;
                RgbImage::from_pixel(width, height, image::Rgb([127; 3]))
            }
        };
        let begun = Instant::now();
        let grounder = Grounder::new(GroundingConfig {
            detector: if is_segmenter { "sam" } else { "learned" }.to_owned(),
            model: Some(folder),
            ..GroundingConfig::default()
        })?;
        Ok(Eye {
            opening: begun.elapsed(),
            grounder,
            depth_mm: vec![DEPTH_MM; (picture.width() * picture.height()) as usize],
            picture,
        })
    }
}

fn read(path: &Path) -> Result<RgbImage> {
    let bytes = tiller_core::file::read_regular(path, MAX_PICTURE_BYTES)?;
    Ok(image::load_from_memory(&bytes)?.to_rgb8())
}

impl Eye {
    /// Columns and rows.
    pub(super) fn size(&self) -> [u32; 2] {
        [self.picture.width(), self.picture.height()]
    }

    /// Looks once. A grey picture shows nothing, which is no mistake of the detector's.
    ///
    /// # Errors
    /// When the detector fails.
    pub(super) fn look(&mut self) -> Result<Vec<Keypoint>, GroundingError> {
        let [width, height] = self.size().map(|side| side as usize);
        let frame = FrameView {
            width,
            height,
            rgb: self.picture.as_raw(),
            depth_mm: Some(&self.depth_mm),
            segmentation: None,
            labels: &[],
            focal: [width as f64; 2],
            principal_point: [width as f64 / 2.0, height as f64 / 2.0],
            world_from_camera: [
                1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0,
            ],
            stamp_ns: 0,
        };
        match self.grounder.ground(&frame) {
            Ok(keypoints) => Ok(keypoints.to_vec()),
            Err(GroundingError::NothingFound { .. }) => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }
}
