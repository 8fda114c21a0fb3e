//! LeRobot data sets, format v3.0, with images inside the Parquet files or in videos beside them.
//!
//! Layout: `data/chunk-000/file-000.parquet` holds the frames, `meta/episodes/` one row an episode
//! (where its frames lie, its statistics), `meta/tasks.parquet` the instructions, `meta/info.json`
//! the features and totals, `meta/stats.json` the statistics of the whole set. Videos lie in
//! `videos/<feature>/`, one an episode.

mod columns;
mod info;
mod stats;
mod video;
mod writer;

pub use info::{CameraSpec, DatasetSpec, ImageStorage};
pub use stats::{FeatureStats, ImageStats};
pub use video::{Codec, Ffmpeg, VideoError, VideoWriter};
pub use writer::{DatasetError, DatasetSummary, DatasetWriter, Episode, Frame};
