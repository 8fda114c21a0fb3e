//! Pictures and summaries of a run.
//!
//! A [`Recorder`] collects what happens; [`Recorder::write`] leaves a folder with
//!
//! | file | shows |
//! |---|---|
//! | `annotated.png` | the keypoints that the reward author saw |
//! | `contact_sheet.png` | twelve moments of the episode with time and stage |
//! | `episode.gif` | the episode in motion, under 3 MB |
//! | `plot.png` | reward, progress and guidance strength over time, stages as bands |
//! | `program.py` | the reward program |
//! | `summary.json` | outcome, stages, decisions: for machines |
//!
//! Texts from outside are shown with whatever is hidden in them made visible; `summary.json` holds them
//! as they are, in escapes, and `program.py` is the program to the byte.
//!
//! What was never recorded is left out: a run that failed early still leaves what it had.
//!
//! A [`FieldPicture`] shows a scalar field, such as a stage's reward, over two slices through the
//! workspace. A [`CandidatesPicture`] shows what a sampler had to choose from, and how it came about.
//! [`live`] is about a run that goes on.

mod animation;
mod candidates;
mod contact_sheet;
mod curve;
mod field;
pub mod live;
mod mark;
mod picture;
mod plane;
mod plot;
mod record;
mod scale;
mod sheet;
mod stroke;
mod summary;
mod text;

pub use candidates::{CandidateStep, CandidateView, CandidatesPicture};
pub use contact_sheet::contact_sheet_tiles;
pub use field::{Arrow, Axis, FieldPicture, Mark, MarkKind, Slice};
pub use picture::{Picture, PictureError};
pub use record::{Decision, Recorder, RunInfo, Sample};
pub use summary::{Outcome, StageSpan, Summary};

use std::fs;
use std::io::Cursor;
use std::path::{Path, PathBuf};

use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use tiller_core::file::write_whole;
use tiller_core::{MAX_INSTRUCTION, clip, visible_json};

/// A report could not be written.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// The file system refused.
    #[error("cannot write {}", path.display())]
    Io {
        /// What was being written.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// An image could not be encoded.
    #[error("cannot encode {}", path.display())]
    Encode {
        /// What was being written.
        path: PathBuf,
        /// Why not.
        source: image::ImageError,
    },
    /// The animation could not be encoded.
    #[error("cannot encode {}", path.display())]
    Animation {
        /// What was being written.
        path: PathBuf,
        /// Why not.
        source: gif::EncodingError,
    },
    /// The plot could not be drawn.
    #[error("cannot draw {}: {reason}", path.display())]
    Draw {
        /// What was being written.
        path: PathBuf,
        /// Why not.
        reason: String,
    },
    /// The summary holds a value that JSON cannot express.
    #[error("cannot write the summary as JSON")]
    Json(#[from] serde_json::Error),
}

impl Recorder {
    /// The run in numbers, as it stands.
    #[must_use]
    pub fn summary(&self, outcome: &Outcome) -> Summary {
        summary::summarise(self, outcome, Vec::new())
    }

    /// What the robot is told now, and the seed of the scene.
    pub fn set_instruction(&mut self, instruction: &str, seed: u64) {
        self.info.instruction = clip(instruction, MAX_INSTRUCTION).into_owned();
        self.info.seed = seed;
    }

    /// Writes the report into `folder`, which is made when missing; files of an earlier report in
    /// it are replaced. Returns the summary that `summary.json` holds.
    ///
    /// # Errors
    /// [`ReportError`] with the file that could not be written.
    pub fn write(&self, folder: &Path, outcome: &Outcome) -> Result<Summary, ReportError> {
        fs::create_dir_all(folder).map_err(|source| ReportError::Io {
            path: folder.to_owned(),
            source,
        })?;
        let mut files = Vec::new();
        if let Some(annotated) = &self.annotated {
            save(annotated, &named(folder, "annotated.png", &mut files))?;
        }
        if !self.frames.is_empty() {
            let sheet = contact_sheet::draw(self, outcome);
            save(&sheet, &named(folder, "contact_sheet.png", &mut files))?;
            let path = named(folder, "episode.gif", &mut files);
            let bytes = animation::encode(self).map_err(|source| ReportError::Animation {
                path: path.clone(),
                source,
            })?;
            put(&path, &bytes)?;
        }
        if !self.samples.is_empty() {
            let path = named(folder, "plot.png", &mut files);
            let plot = plot::draw(self).map_err(|reason| ReportError::Draw {
                path: path.clone(),
                reason,
            })?;
            save(&plot, &path)?;
        }
        if let Some(program) = &self.program {
            put(&named(folder, "program.py", &mut files), program.as_bytes())?;
        }
        let path = named(folder, "summary.json", &mut files);
        let summary = summary::summarise(self, outcome, files);
        let text = serde_json::to_string_pretty(&summary)?;
        put(&path, format!("{}\n", visible_json(&text)).as_bytes())?;
        Ok(summary)
    }
}

fn named(folder: &Path, name: &str, files: &mut Vec<String>) -> PathBuf {
    files.push(name.to_owned());
    folder.join(name)
}

fn put(path: &Path, bytes: &[u8]) -> Result<(), ReportError> {
    write_whole(path, bytes).map_err(|error| ReportError::Io {
        path: path.to_owned(),
        source: error.into(),
    })
}

fn save(picture: &image::RgbImage, path: &Path) -> Result<(), ReportError> {
    let mut bytes = Cursor::new(Vec::new());
    picture
        .write_to(&mut bytes, image::ImageFormat::Png)
        .map_err(encode(path))?;
    put(path, bytes.get_ref())
}

/// Writes a picture that is mostly smooth: the best compression saves a third.
fn save_small(picture: &image::RgbImage, path: &Path) -> Result<(), ReportError> {
    let mut bytes = Vec::new();
    let encoder =
        PngEncoder::new_with_quality(&mut bytes, CompressionType::Best, FilterType::Adaptive);
    picture.write_with_encoder(encoder).map_err(encode(path))?;
    put(path, &bytes)
}

fn encode(path: &Path) -> impl FnOnce(image::ImageError) -> ReportError {
    let path = path.to_owned();
    move |source| ReportError::Encode { path, source }
}
