//! `meta/info.json`: features, totals and file patterns.

use serde_json::{Value, json};

use crate::video::Codec;

/// Version of the format that is written.
pub(crate) const CODEBASE_VERSION: &str = "v3.0";
/// A data file is closed once it is larger; LeRobot's own default.
pub(crate) const DATA_FILE_SIZE_MB: u64 = 100;
/// Files in one `chunk-000` folder; LeRobot's own default.
pub(crate) const FILES_PER_CHUNK: u64 = 1000;

/// Where videos lie, in LeRobot's words.
const VIDEO_PATH: &str = "videos/{video_key}/chunk-{chunk_index:03d}/file-{file_index:03d}.mp4";

/// What a data set holds, fixed before the first episode.
#[derive(Clone, Debug, PartialEq)]
pub struct DatasetSpec {
    /// Frames a second, Hz.
    pub fps: u32,
    /// Name of the robot.
    pub robot_type: String,
    /// Names of the entries of `observation.state`.
    pub state_names: Vec<String>,
    /// Names of the entries of `action`.
    pub action_names: Vec<String>,
    /// Cameras.
    pub cameras: Vec<CameraSpec>,
    /// Where their images go.
    pub images: ImageStorage,
}

/// Where the images of a data set go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ImageStorage {
    /// Into the Parquet files, each as a PNG file.
    #[default]
    Png,
    /// Into a video an episode and camera, encoded by `ffmpeg`.
    Video(Codec),
}

/// A camera of a data set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CameraSpec {
    /// Its name: `static` becomes the feature `observation.images.static`.
    pub name: String,
    /// Columns and rows of its images, pixels.
    pub size: [u32; 2],
}

impl DatasetSpec {
    /// Feature name of a camera.
    #[must_use]
    pub fn image_key(camera: &str) -> String {
        format!("observation.images.{camera}")
    }

    /// The `features` entry of a camera.
    fn image_feature(&self, camera: &CameraSpec) -> Value {
        let [width, height] = camera.size;
        let names = ["height", "width", "channels"];
        let shape = [height, width, 3];
        match self.images {
            ImageStorage::Png => json!({"dtype": "image", "shape": shape, "names": names}),
            ImageStorage::Video(codec) => json!({
                "dtype": "video",
                "shape": shape,
                "names": names,
                "info": {
                    "video.height": height,
                    "video.width": width,
                    "video.codec": codec.name(),
                    "video.pix_fmt": codec.pixel_format(camera.size),
                    "video.is_depth_map": false,
                    "video.fps": self.fps,
                    "video.channels": 3,
                    "has_audio": false,
                },
            }),
        }
    }

    /// The `features` object of `info.json`.
    pub(crate) fn features(&self) -> Value {
        let mut features = serde_json::Map::new();
        let vector =
            |names: &[String]| json!({"dtype": "float32", "shape": [names.len()], "names": names});
        features.insert("observation.state".to_owned(), vector(&self.state_names));
        features.insert("action".to_owned(), vector(&self.action_names));
        for camera in &self.cameras {
            features.insert(Self::image_key(&camera.name), self.image_feature(camera));
        }
        features.insert("timestamp".to_owned(), scalar("float32"));
        for name in ["frame_index", "episode_index", "index", "task_index"] {
            features.insert(name.to_owned(), scalar("int64"));
        }
        Value::Object(features)
    }

    /// The whole of `info.json`.
    pub(crate) fn info(&self, episodes: u64, frames: u64, tasks: u64) -> Value {
        let video_path = match self.images {
            ImageStorage::Png => Value::Null,
            ImageStorage::Video(_) => json!(VIDEO_PATH),
        };
        json!({
            "codebase_version": CODEBASE_VERSION,
            "robot_type": self.robot_type,
            "total_episodes": episodes,
            "total_frames": frames,
            "total_tasks": tasks,
            "chunks_size": FILES_PER_CHUNK,
            "data_files_size_in_mb": DATA_FILE_SIZE_MB,
            "video_files_size_in_mb": 200,
            "fps": self.fps,
            "splits": {"train": format!("0:{episodes}")},
            "data_path": "data/chunk-{chunk_index:03d}/file-{file_index:03d}.parquet",
            "video_path": video_path,
            "features": self.features(),
        })
    }

    /// The same features in the words of Hugging Face `datasets`, kept in the Parquet metadata so
    /// that its readers decode the images.
    pub(crate) fn hugging_face(&self) -> Value {
        let mut features = serde_json::Map::new();
        let list = |len: usize| json!({"_type": "List", "length": len, "feature": {"_type": "Value", "dtype": "float32"}});
        features.insert("observation.state".to_owned(), list(self.state_names.len()));
        features.insert("action".to_owned(), list(self.action_names.len()));
        // Videos lie beside the table, not in it.
        let in_table = matches!(self.images, ImageStorage::Png);
        for camera in self.cameras.iter().filter(|_| in_table) {
            features.insert(Self::image_key(&camera.name), json!({"_type": "Image"}));
        }
        features.insert(
            "timestamp".to_owned(),
            json!({"_type": "Value", "dtype": "float32"}),
        );
        for name in ["frame_index", "episode_index", "index", "task_index"] {
            features.insert(name.to_owned(), json!({"_type": "Value", "dtype": "int64"}));
        }
        json!({"info": {"features": features}})
    }
}

fn scalar(dtype: &str) -> Value {
    json!({"dtype": dtype, "shape": [1], "names": null})
}
