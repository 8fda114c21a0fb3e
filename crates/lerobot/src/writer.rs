//! Writes a data set episode by episode.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::file::properties::WriterProperties;
use parquet::schema::types::ColumnPath;
use serde_json::{Value, json};

use crate::columns::{self, Columns};
use crate::info::{CameraSpec, DATA_FILE_SIZE_MB, DatasetSpec, FILES_PER_CHUNK, ImageStorage};
use crate::stats::{FeatureStats, ImageStats, VectorStats};
use crate::video::{Ffmpeg, VideoError, VideoWriter};

/// One recorded step.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Frame {
    /// `observation.state`, in the order of [`DatasetSpec::state_names`].
    pub state: Vec<f32>,
    /// `action`, in the order of [`DatasetSpec::action_names`].
    pub action: Vec<f32>,
    /// One PNG file a camera, in the order of [`DatasetSpec::cameras`]; none where images go into videos.
    pub pngs: Vec<Vec<u8>>,
}

/// One recorded demonstration.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Episode {
    /// The instruction that it follows.
    pub task: String,
    /// Seed of its scene and of its expert.
    pub seed: u64,
    /// Its steps, in time order.
    pub frames: Vec<Frame>,
    /// Statistics of each camera's images.
    pub image_stats: Vec<ImageStats>,
    /// Whether the task was done, where somebody judged that: a column of `meta/episodes` if any episode
    /// says so.
    pub success: Option<bool>,
}

/// Totals of a finished data set.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct DatasetSummary {
    /// Number of demonstrations.
    pub episodes: u64,
    /// Number of steps.
    pub frames: u64,
    /// Instructions, in the order of their index.
    pub tasks: Vec<String>,
    /// Size of all data files, bytes.
    pub data_bytes: u64,
}

/// A data set could not be written.
#[derive(Debug, thiserror::Error)]
pub enum DatasetError {
    /// The folder is already there.
    #[error("{} exists; choose another folder or remove it", .0.display())]
    Exists(PathBuf),
    /// The file system refused.
    #[error("cannot write {}", path.display())]
    Io {
        /// What was being written.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// Parquet refused.
    #[error("cannot write {}", path.display())]
    Parquet {
        /// What was being written.
        path: PathBuf,
        /// Why not.
        source: parquet::errors::ParquetError,
    },
    /// A video was not made.
    #[error(transparent)]
    Video(#[from] VideoError),
    /// The columns do not fit each other.
    #[error("columns do not form a table")]
    Arrow(#[from] arrow::error::ArrowError),
    /// A frame disagrees with the [`DatasetSpec`].
    #[error("episode {episode}: {what}: expected {expected} entries, found {found}")]
    Shape {
        /// Index of the episode.
        episode: u64,
        /// Which part of the frame.
        what: &'static str,
        /// By the specification.
        expected: usize,
        /// In the frame.
        found: usize,
    },
}

/// Where an episode lies, and its statistics: one row of `meta/episodes`.
struct EpisodeRow {
    task: String,
    seed: u64,
    length: u64,
    first_index: u64,
    file: u64,
    stats: Vec<FeatureStats>,
    success: Option<bool>,
}

/// Writes a data set; nothing stands under the final name before [`DatasetWriter::finish`].
pub struct DatasetWriter {
    spec: DatasetSpec,
    target: PathBuf,
    partial: PathBuf,
    tasks: Vec<String>,
    rows: Vec<EpisodeRow>,
    vectors: Vec<VectorStats>,
    images: Vec<ImageStats>,
    data: Option<ArrowWriter<File>>,
    file: u64,
    frames: u64,
    data_bytes: u64,
}

impl DatasetWriter {
    /// Starts a data set at `target`, which must not exist.
    ///
    /// # Errors
    /// [`DatasetError::Exists`], or [`DatasetError::Io`] when the folder cannot be made.
    pub fn create(target: &Path, spec: DatasetSpec) -> Result<Self, DatasetError> {
        // A link that leads nowhere is there too, and nothing could take its place at the end.
        if fs::symlink_metadata(target).is_ok() {
            return Err(DatasetError::Exists(target.to_owned()));
        }
        let mut partial = target.as_os_str().to_owned();
        partial.push(".partial");
        let partial = PathBuf::from(partial);
        if fs::symlink_metadata(&partial).is_ok() {
            // Left by an interrupted run: of no use to anybody. Of a link only itself goes.
            fs::remove_dir_all(&partial).map_err(io(&partial))?;
        }
        if let Some(above) = partial.parent() {
            fs::create_dir_all(above).map_err(io(above))?;
        }
        fs::create_dir(&partial).map_err(io(&partial))?;
        let vectors = vector_features(&spec)
            .iter()
            .map(|(_, dims)| VectorStats::new(*dims))
            .collect();
        let images = vec![ImageStats::default(); spec.cameras.len()];
        Ok(Self {
            spec,
            target: target.to_owned(),
            partial,
            tasks: Vec::new(),
            rows: Vec::new(),
            vectors,
            images,
            data: None,
            file: 0,
            frames: 0,
            data_bytes: 0,
        })
    }

    /// Starts the videos of an episode, one a camera; none where images go into the tables. Each gets every
    /// frame and its end before the episode is pushed; `episode` counts from 0 in the order of pushing.
    ///
    /// # Errors
    /// When `ffmpeg` cannot be started, or the folder cannot be made.
    pub fn start_videos(
        &self,
        ffmpeg: &Ffmpeg,
        episode: u64,
    ) -> Result<Vec<VideoWriter>, DatasetError> {
        let ImageStorage::Video(codec) = self.spec.images else {
            return Ok(Vec::new());
        };
        let start = |camera: &CameraSpec| {
            let path = self.video_path(&camera.name, episode);
            if let Some(folder) = path.parent() {
                fs::create_dir_all(folder).map_err(io(folder))?;
            }
            Ok(VideoWriter::start(
                ffmpeg,
                codec,
                &path,
                camera.size,
                self.spec.fps,
            )?)
        };
        self.spec.cameras.iter().map(start).collect()
    }

    /// A video an episode and camera: episodes are encoded one by one, and none waits for another.
    fn video_path(&self, camera: &str, episode: u64) -> PathBuf {
        let (chunk, file) = (episode / FILES_PER_CHUNK, episode % FILES_PER_CHUNK);
        let key = DatasetSpec::image_key(camera);
        self.partial
            .join(format!("videos/{key}/chunk-{chunk:03}/file-{file:03}.mp4"))
    }

    /// Appends one episode; where images go into videos, these must be there.
    ///
    /// # Errors
    /// [`DatasetError::Shape`] when a frame disagrees with the specification, [`DatasetError::Io`] when a
    /// video is missing; otherwise what the
    /// file system or Parquet said.
    pub fn push(&mut self, episode: &Episode) -> Result<(), DatasetError> {
        self.check(episode)?;
        let index = self.rows.len() as u64;
        let task = self.task_index(&episode.task);
        let columns = columns::frames(&self.spec, &episode.frames, index, self.frames, task)?;
        let metadata = HashMap::from([(
            "huggingface".to_owned(),
            self.spec.hugging_face().to_string(),
        )]);
        let batch = columns::batch(columns, metadata.clone())?;

        let path = self.data_path(self.file);
        if self.data.is_none() {
            let raw = match self.spec.images {
                ImageStorage::Png => self.image_columns(),
                ImageStorage::Video(_) => Vec::new(),
            };
            self.data = Some(open(&path, &batch, raw, &metadata)?);
        }
        let file = self.file;
        if let Some(writer) = &mut self.data {
            writer.write(&batch).map_err(parquet(&path))?;
            // A row group an episode: readers fetch whole episodes.
            writer.flush().map_err(parquet(&path))?;
            if writer.bytes_written() as u64 >= DATA_FILE_SIZE_MB << 20 {
                self.close_data()?;
                self.file += 1;
            }
        }

        let stats = self.add_stats(episode, index, task);
        self.rows.push(EpisodeRow {
            task: episode.task.clone(),
            seed: episode.seed,
            length: episode.frames.len() as u64,
            first_index: self.frames,
            file,
            stats,
            success: episode.success,
        });
        self.frames += episode.frames.len() as u64;
        Ok(())
    }

    /// Writes the metadata and gives the data set its final name.
    ///
    /// # Errors
    /// What the file system or Parquet said.
    pub fn finish(mut self) -> Result<DatasetSummary, DatasetError> {
        self.close_data()?;
        let none = HashMap::new();
        let episodes = columns::batch(self.episode_columns()?, none.clone())?;
        let path = self
            .partial
            .join("meta/episodes/chunk-000/file-000.parquet");
        write_table(&path, &episodes, &none)?;

        let tasks = columns::tasks(&self.tasks)?;
        let metadata = tasks.schema().metadata().clone();
        write_table(&self.partial.join("meta/tasks.parquet"), &tasks, &metadata)?;

        let counts = [self.rows.len() as u64, self.frames, self.tasks.len() as u64];
        let info = self.spec.info(counts[0], counts[1], counts[2]);
        write_json(&self.partial.join("meta/info.json"), &info)?;
        write_json(&self.partial.join("meta/stats.json"), &self.total_stats())?;
        fs::rename(&self.partial, &self.target).map_err(io(&self.target))?;
        Ok(DatasetSummary {
            episodes: counts[0],
            frames: counts[1],
            tasks: self.tasks,
            data_bytes: self.data_bytes,
        })
    }

    fn check(&self, episode: &Episode) -> Result<(), DatasetError> {
        let index = self.rows.len() as u64;
        let shape = |what, expected, found| {
            if expected == found {
                Ok(())
            } else {
                Err(DatasetError::Shape {
                    episode: index,
                    what,
                    expected,
                    found,
                })
            }
        };
        shape(
            "image statistics",
            self.spec.cameras.len(),
            episode.image_stats.len(),
        )?;
        let pngs = match self.spec.images {
            ImageStorage::Png => self.spec.cameras.len(),
            ImageStorage::Video(_) => {
                for camera in &self.spec.cameras {
                    let path = self.video_path(&camera.name, index);
                    fs::metadata(&path).map_err(io(&path))?;
                }
                0
            }
        };
        for frame in &episode.frames {
            shape("state", self.spec.state_names.len(), frame.state.len())?;
            shape("action", self.spec.action_names.len(), frame.action.len())?;
            shape("images", pngs, frame.pngs.len())?;
        }
        Ok(())
    }

    fn task_index(&mut self, task: &str) -> usize {
        if let Some(index) = self.tasks.iter().position(|known| known == task) {
            return index;
        }
        self.tasks.push(task.to_owned());
        self.tasks.len() - 1
    }

    /// Folds the episode into the totals; returns its own statistics, one entry a feature.
    fn add_stats(&mut self, episode: &Episode, index: u64, task: usize) -> Vec<FeatureStats> {
        let mut own: Vec<VectorStats> = vector_features(&self.spec)
            .iter()
            .map(|(_, dims)| VectorStats::new(*dims))
            .collect();
        for (i, frame) in episode.frames.iter().enumerate() {
            own[0].push(frame.state.iter().copied().map(f64::from));
            own[1].push(frame.action.iter().copied().map(f64::from));
            let i = i as f64;
            own[2].push([i / f64::from(self.spec.fps)]);
            own[3].push([i]);
            own[4].push([index as f64]);
            own[5].push([self.frames as f64 + i]);
            own[6].push([task as f64]);
        }
        for (total, own) in self.vectors.iter_mut().zip(&own) {
            total.merge(own);
        }
        for (total, own) in self.images.iter_mut().zip(&episode.image_stats) {
            total.merge(own);
        }
        let images = episode.image_stats.iter().map(ImageStats::finish);
        own.iter().map(VectorStats::finish).chain(images).collect()
    }

    fn feature_names(&self) -> Vec<String> {
        let vectors = vector_features(&self.spec)
            .into_iter()
            .map(|(name, _)| name.to_owned());
        vectors.chain(self.image_columns()).collect()
    }

    fn image_columns(&self) -> Vec<String> {
        self.spec
            .cameras
            .iter()
            .map(|camera| DatasetSpec::image_key(&camera.name))
            .collect()
    }

    fn episode_columns(&self) -> Result<Columns, DatasetError> {
        let rows = &self.rows;
        let tasks: Vec<String> = rows.iter().map(|row| row.task.clone()).collect();
        let column = |f: &dyn Fn(&EpisodeRow) -> u64| columns::int64(rows.iter().map(f));
        let mut table: Columns = vec![
            (
                "episode_index".to_owned(),
                columns::int64(0..rows.len() as u64),
            ),
            (
                "tasks".to_owned(),
                columns::list(columns::strings(&tasks), &vec![1; tasks.len()])?,
            ),
            ("length".to_owned(), column(&|row| row.length)),
            ("seed".to_owned(), column(&|row| row.seed)),
            (
                "data/chunk_index".to_owned(),
                column(&|row| row.file / FILES_PER_CHUNK),
            ),
            (
                "data/file_index".to_owned(),
                column(&|row| row.file % FILES_PER_CHUNK),
            ),
            (
                "dataset_from_index".to_owned(),
                column(&|row| row.first_index),
            ),
            (
                "dataset_to_index".to_owned(),
                column(&|row| row.first_index + row.length),
            ),
            ("meta/episodes/chunk_index".to_owned(), column(&|_| 0)),
            ("meta/episodes/file_index".to_owned(), column(&|_| 0)),
        ];
        let judged = rows.iter().any(|row| row.success.is_some());
        if judged {
            let success = columns::flags(rows.iter().map(|row| row.success));
            table.push(("success".to_owned(), success));
        }
        let images = self.image_columns();
        if let ImageStorage::Video(_) = self.spec.images {
            for key in &images {
                let index = |f: &dyn Fn(u64) -> u64| columns::int64((0..rows.len() as u64).map(f));
                let seconds = rows
                    .iter()
                    .map(|row| row.length as f64 / f64::from(self.spec.fps));
                table.extend([
                    (
                        format!("videos/{key}/chunk_index"),
                        index(&|i| i / FILES_PER_CHUNK),
                    ),
                    (
                        format!("videos/{key}/file_index"),
                        index(&|i| i % FILES_PER_CHUNK),
                    ),
                    (
                        format!("videos/{key}/from_timestamp"),
                        columns::float64(rows.iter().map(|_| 0.0)),
                    ),
                    (
                        format!("videos/{key}/to_timestamp"),
                        columns::float64(seconds),
                    ),
                ]);
            }
        }
        for (i, feature) in self.feature_names().iter().enumerate() {
            let stats: Vec<&FeatureStats> = rows.iter().map(|row| &row.stats[i]).collect();
            table.extend(columns::stats(feature, images.contains(feature), &stats)?);
        }
        Ok(table)
    }

    fn total_stats(&self) -> Value {
        let vectors = self.vectors.iter().map(VectorStats::finish);
        let totals = vectors.chain(self.images.iter().map(ImageStats::finish));
        let images = self.image_columns();
        let mut all = serde_json::Map::new();
        for (feature, stats) in self.feature_names().into_iter().zip(totals) {
            let mut entry = serde_json::Map::new();
            for (name, values) in &stats.rows {
                let value = if images.contains(&feature) {
                    json!(values.iter().map(|value| [[value]]).collect::<Vec<_>>())
                } else {
                    json!(values)
                };
                entry.insert((*name).to_owned(), value);
            }
            entry.insert("count".to_owned(), json!([stats.count]));
            all.insert(feature, Value::Object(entry));
        }
        Value::Object(all)
    }

    fn data_path(&self, file: u64) -> PathBuf {
        let (chunk, file) = (file / FILES_PER_CHUNK, file % FILES_PER_CHUNK);
        self.partial
            .join(format!("data/chunk-{chunk:03}/file-{file:03}.parquet"))
    }

    fn close_data(&mut self) -> Result<(), DatasetError> {
        let path = self.data_path(self.file);
        if let Some(writer) = self.data.take() {
            writer.close().map_err(parquet(&path))?;
            self.data_bytes += fs::metadata(&path).map_err(io(&path))?.len();
        }
        Ok(())
    }
}

/// Features that are numbers, with their dimensions, in the order of their statistics.
fn vector_features(spec: &DatasetSpec) -> [(&'static str, usize); 7] {
    [
        ("observation.state", spec.state_names.len()),
        ("action", spec.action_names.len()),
        ("timestamp", 1),
        ("frame_index", 1),
        ("episode_index", 1),
        ("index", 1),
        ("task_index", 1),
    ]
}

fn open(
    path: &Path,
    batch: &arrow::array::RecordBatch,
    raw_columns: Vec<String>,
    metadata: &HashMap<String, String>,
) -> Result<ArrowWriter<File>, DatasetError> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(io(folder))?;
    }
    let file = File::create_new(path).map_err(io(path))?;
    let pairs = metadata
        .iter()
        .map(|(key, value)| parquet::file::metadata::KeyValue::new(key.clone(), value.clone()))
        .collect();
    let mut properties = WriterProperties::builder()
        .set_compression(Compression::SNAPPY)
        .set_key_value_metadata(Some(pairs));
    for column in raw_columns {
        // PNG files are compressed already; a dictionary of them would only be copied.
        let bytes = ColumnPath::new(vec![column, "bytes".to_owned()]);
        properties = properties
            .set_column_compression(bytes.clone(), Compression::UNCOMPRESSED)
            .set_column_dictionary_enabled(bytes, false);
    }
    ArrowWriter::try_new(file, batch.schema(), Some(properties.build())).map_err(parquet(path))
}

fn write_table(
    path: &Path,
    batch: &arrow::array::RecordBatch,
    metadata: &HashMap<String, String>,
) -> Result<(), DatasetError> {
    let mut writer = open(path, batch, Vec::new(), metadata)?;
    writer.write(batch).map_err(parquet(path))?;
    writer.close().map_err(parquet(path))?;
    Ok(())
}

fn write_json(path: &Path, value: &Value) -> Result<(), DatasetError> {
    let mut file = File::create_new(path).map_err(io(path))?;
    writeln!(file, "{value:#}").map_err(io(path))
}

fn io(path: &Path) -> impl FnOnce(std::io::Error) -> DatasetError {
    let path = path.to_owned();
    move |source| DatasetError::Io { path, source }
}

fn parquet(path: &Path) -> impl FnOnce(parquet::errors::ParquetError) -> DatasetError {
    let path = path.to_owned();
    move |source| DatasetError::Parquet { path, source }
}
