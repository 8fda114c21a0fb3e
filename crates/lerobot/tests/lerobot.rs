//! A data set that was written is read back through Parquet.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that panics has failed, as it should"
)]

use std::fs::File;
use std::os::unix::fs::symlink;
use std::path::Path;

use arrow::array::{
    Array, AsArray, BinaryArray, FixedSizeListArray, Float32Array, Int64Array, RecordBatch,
};
use arrow::datatypes::{Float32Type, Float64Type, Int64Type};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use tiller_lerobot::{
    CameraSpec, DatasetError, DatasetSpec, DatasetWriter, Episode, Frame, ImageStats, ImageStorage,
};

fn spec() -> DatasetSpec {
    let names = |names: [&str; 4]| names.map(str::to_owned).to_vec();
    DatasetSpec {
        images: ImageStorage::Png,
        fps: 10,
        robot_type: "panda".to_owned(),
        state_names: names(["x", "y", "z", "gripper_width"]),
        action_names: names(["dx", "dy", "dz", "gripper"]),
        cameras: [("static", [8, 8]), ("wrist", [6, 4])]
            .map(|(name, size)| CameraSpec {
                name: name.to_owned(),
                size,
            })
            .to_vec(),
    }
}

fn episode(task: &str, seed: u64, frames: usize) -> Episode {
    let mut stats = ImageStats::default();
    stats.push(&[128; 8 * 8 * 3], 8);
    let frames = (0..frames)
        .map(|i| Frame {
            state: vec![i as f32, 1.0, 2.0, seed as f32],
            action: vec![0.01 * i as f32, 0.0, -0.01, 1.0],
            pngs: vec![vec![i as u8, 1, 2], vec![seed as u8; 5]],
        })
        .collect();
    Episode {
        task: task.to_owned(),
        seed,
        frames,
        image_stats: vec![stats.clone(), stats],
        success: None,
    }
}

fn read(path: &Path) -> RecordBatch {
    let file = File::open(path).unwrap();
    let mut reader = ParquetRecordBatchReaderBuilder::try_new(file)
        .unwrap()
        .with_batch_size(1 << 20)
        .build()
        .unwrap();
    let batch = reader.next().unwrap().unwrap();
    assert!(reader.next().is_none());
    batch
}

fn column<'a, T: 'static>(batch: &'a RecordBatch, name: &str) -> &'a T {
    batch
        .column_by_name(name)
        .unwrap()
        .as_any()
        .downcast_ref()
        .unwrap()
}

#[test]
fn frames_and_metadata_come_back() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("set");
    let mut writer = DatasetWriter::create(&root, spec()).unwrap();
    for (task, seed, frames) in [
        ("open the drawer", 7, 3),
        ("push", 8, 2),
        ("open the drawer", 9, 4),
    ] {
        writer.push(&episode(task, seed, frames)).unwrap();
    }
    assert!(
        !root.exists(),
        "nothing under the final name before it is whole"
    );
    let summary = writer.finish().unwrap();
    assert_eq!((summary.episodes, summary.frames), (3, 9));
    assert_eq!(summary.tasks, ["open the drawer", "push"]);

    let data = read(&root.join("data/chunk-000/file-000.parquet"));
    assert_eq!(data.num_rows(), 9);
    let index: &Int64Array = column(&data, "index");
    assert_eq!(index.values().as_ref(), (0..9).collect::<Vec<i64>>());
    let episodes: &Int64Array = column(&data, "episode_index");
    assert_eq!(episodes.values().as_ref(), [0, 0, 0, 1, 1, 2, 2, 2, 2]);
    let tasks: &Int64Array = column(&data, "task_index");
    assert_eq!(tasks.values().as_ref(), [0, 0, 0, 1, 1, 0, 0, 0, 0]);
    let timestamps: &Float32Array = column(&data, "timestamp");
    assert_eq!(timestamps.values()[5..], [0.0, 0.1, 0.2, 0.3]);
    let states: &FixedSizeListArray = column(&data, "observation.state");
    assert_eq!(
        states
            .value(6)
            .as_primitive::<Float32Type>()
            .values()
            .as_ref(),
        [1.0, 1.0, 2.0, 9.0]
    );
    let images = data
        .column_by_name("observation.images.wrist")
        .unwrap()
        .as_struct();
    let bytes: &BinaryArray = images
        .column_by_name("bytes")
        .unwrap()
        .as_any()
        .downcast_ref()
        .unwrap();
    assert_eq!(bytes.value(3), [8; 5]);

    let rows = read(&root.join("meta/episodes/chunk-000/file-000.parquet"));
    let to: &Int64Array = column(&rows, "dataset_to_index");
    assert_eq!(to.values().as_ref(), [3, 5, 9]);
    let max = rows
        .column_by_name("stats/observation.state/max")
        .unwrap()
        .as_list::<i32>()
        .value(2);
    assert_eq!(
        max.as_primitive::<Float64Type>().values().as_ref(),
        [3.0, 1.0, 2.0, 9.0]
    );
    let names = read(&root.join("meta/tasks.parquet"));
    let ids = names
        .column_by_name("task_index")
        .unwrap()
        .as_primitive::<Int64Type>();
    assert_eq!(ids.values().as_ref(), [0, 1]);

    let json = |name: &str| -> serde_json::Value {
        serde_json::from_slice(&std::fs::read(root.join("meta").join(name)).unwrap()).unwrap()
    };
    let info = json("info.json");
    assert_eq!(info["codebase_version"], "v3.0");
    assert_eq!(info["total_frames"], 9);
    assert_eq!(info["splits"]["train"], "0:3");
    for (camera, size) in [("static", [8, 8, 3]), ("wrist", [4, 6, 3])] {
        let feature = &info["features"][format!("observation.images.{camera}")];
        assert_eq!(feature["shape"], serde_json::json!(size), "{camera}");
    }
    let stats = json("stats.json");
    assert_eq!(stats["observation.state"]["count"], serde_json::json!([9]));
    assert_eq!(stats["action"]["min"][2], -0.01_f32 as f64);
    let grey = stats["observation.images.static"]["mean"][0][0][0]
        .as_f64()
        .unwrap();
    assert!((grey - 128.0 / 255.0).abs() < 1e-12);
}

#[test]
fn an_existing_folder_is_not_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let refused = DatasetWriter::create(folder.path(), spec());
    assert!(matches!(refused, Err(DatasetError::Exists(_))));
}

#[test]
fn nothing_is_written_through_a_link() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    std::fs::create_dir(at("victim")).unwrap();
    std::fs::write(at("victim/diary"), "untouched").unwrap();
    for target in ["victim", "nowhere"] {
        symlink(target, at("set")).unwrap();
        let refused = DatasetWriter::create(&at("set"), spec());
        assert!(matches!(refused, Err(DatasetError::Exists(_))), "{target}");
        std::fs::remove_file(at("set")).unwrap();

        // In the place where a set is made.
        symlink(target, at("set.partial")).unwrap();
        let mut writer = DatasetWriter::create(&at("set"), spec()).unwrap();
        writer.push(&episode("push", 1, 2)).unwrap();
        writer.finish().unwrap();
        assert!(at("set/meta/info.json").is_file());
        std::fs::remove_dir_all(at("set")).unwrap();
    }
    assert_eq!(std::fs::read(at("victim/diary")).unwrap(), b"untouched");
    assert_eq!(std::fs::read_dir(at("victim")).unwrap().count(), 1);
    assert!(!at("nowhere").exists());
}

#[test]
fn a_frame_of_another_shape_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let mut writer = DatasetWriter::create(&folder.path().join("set"), spec()).unwrap();
    let mut wrong = episode("push", 1, 2);
    wrong.frames[1].action.pop();
    let error = writer.push(&wrong).unwrap_err().to_string();
    assert_eq!(error, "episode 0: action: expected 4 entries, found 3");
}
