//! LeRobot data sets, format v3.0, with images inside the Parquet files.
//!
//! Layout: `data/chunk-000/file-000.parquet` holds the frames, `meta/episodes/` one row an episode
//! (where its frames lie, its statistics), `meta/tasks.parquet` the instructions, `meta/info.json`
//! the features and totals, `meta/stats.json` the statistics of the whole set.

mod columns;
mod info;
mod stats;
mod writer;

pub use info::{CameraSpec, DatasetSpec};
pub use stats::{FeatureStats, ImageStats};
pub use writer::{DatasetError, DatasetSummary, DatasetWriter, Episode, Frame};
