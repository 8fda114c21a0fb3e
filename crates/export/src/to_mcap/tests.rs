use std::collections::BTreeMap;

use mcap::MessageStream;
use tiller_recording::testing::{entry, write};

use super::*;
use crate::testing;

/// Messages of a file: topic, schema, stamp and content.
fn read(path: &Path) -> Vec<(String, String, u64, Value)> {
    let bytes = fs::read(path).unwrap();
    let messages = MessageStream::new(&bytes).unwrap();
    let read = messages.map(|message| {
        let message = message.unwrap();
        let channel = &message.channel;
        assert_eq!(channel.message_encoding, "json");
        let schema = channel.schema.as_ref().unwrap();
        assert_eq!(schema.encoding, "jsonschema");
        let declared: Value = serde_json::from_slice(&schema.data).unwrap();
        assert_eq!(declared["type"], "object");
        let value: Value = serde_json::from_slice(&message.data).unwrap();
        for required in declared["required"].as_array().into_iter().flatten() {
            assert!(
                value.get(required.as_str().unwrap()).is_some(),
                "{required} in {value}"
            );
        }
        assert_eq!(message.log_time, message.publish_time);
        (
            channel.topic.clone(),
            schema.name.clone(),
            message.log_time,
            value,
        )
    });
    read.collect()
}

#[test]
fn every_message_is_there_under_its_own_time() {
    let folder = tempfile::tempdir().unwrap();
    let (path, target) = (folder.path().join("x.drec"), folder.path().join("x.mcap"));
    testing::recording(&path);
    let mut recording = Recording::open(&path).unwrap();
    let summary = to_mcap(&mut recording, &target, &mut |_, _| Ok(())).unwrap();
    assert_eq!((summary.unreadable, &summary.broken), (0, &None));
    assert_eq!(summary.messages, testing::entries().len() as u64);
    let read = read(&target);
    assert_eq!(read.len() as u64, summary.messages + summary.derived);
    let mut schemas: BTreeMap<&str, &str> = BTreeMap::new();
    for (topic, schema, ..) in &read {
        schemas.insert(topic, schema);
    }
    for (topic, schema) in [
        ("/world/image", "foxglove.CompressedImage"),
        ("/world/image/calibration", "foxglove.CameraCalibration"),
        ("/actuator/arm_state", "tiller.ArmState"),
        ("/actuator/arm_state/tool", "foxglove.PoseInFrame"),
        (
            "/actuator/execution_state/commanded",
            "foxglove.PoseInFrame",
        ),
        ("/grounding/keypoints/scene", "foxglove.SceneUpdate"),
        ("/world/task_status", "tiller.TaskStatus"),
        ("/tf", "foxglove.FrameTransform"),
        ("/log", "foxglove.Log"),
    ] {
        assert_eq!(schemas.get(topic), Some(&schema), "{topic}");
    }
    let of = |topic: &str| read.iter().filter(|(t, ..)| t == topic).collect::<Vec<_>>();
    for (_, _, stamp_ns, value) in of("/actuator/arm_state") {
        assert_eq!(value["stamp_ns"], *stamp_ns);
    }
    // A status has no stamp: it is of the moment before it.
    let statuses: Vec<u64> = of("/world/status")
        .iter()
        .map(|(_, _, at, _)| *at)
        .collect();
    assert_eq!(statuses, [1_000_000_000, 1_100_000_000, 2_200_000_000]);
    assert_eq!(of("/world/image")[1].3["timestamp"]["nsec"], 100_000_000);
    assert_eq!(of("/world/image")[0].3["format"], "png");
}

#[test]
fn what_cannot_be_read_is_counted_and_told() {
    let folder = tempfile::tempdir().unwrap();
    let (path, target) = (folder.path().join("x.drec"), folder.path().join("x.mcap"));
    let mut broken = testing::picture("camera", "image", 1, 5);
    broken.event_bytes.truncate(9);
    write(
        &path,
        &[
            broken,
            entry("a", "b", None),
            testing::picture("camera", "image", 2, 6),
        ],
    );
    let bytes = fs::read(&path).unwrap();
    fs::write(&path, &bytes[..bytes.len() - 1]).unwrap();
    let mut recording = Recording::open(&path).unwrap();
    let summary = to_mcap(&mut recording, &target, &mut |_, _| Ok(())).unwrap();
    assert_eq!((summary.messages, summary.unreadable), (1, 2));
    let first = summary.first_unreadable.unwrap();
    assert!(
        first.starts_with("camera/image: expected a message"),
        "{first}"
    );
    assert!(summary.broken.unwrap().contains("cut off"));
    assert_eq!(summary.stamps_ns, Some([6, 6]));
}

#[test]
fn an_export_that_is_ended_leaves_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let (path, target) = (folder.path().join("x.drec"), folder.path().join("x.mcap"));
    testing::recording(&path);
    let mut recording = Recording::open(&path).unwrap();
    let mut watch = |_: u64, _: u64| Err(ExportError::Interrupted);
    let error = to_mcap(&mut recording, &target, &mut watch).unwrap_err();
    assert!(matches!(error, ExportError::Interrupted));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}
