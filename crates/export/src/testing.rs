//! A small recording for tests: two cameras, an arm that is told where to go, and what else is sent.

use std::path::Path;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, UInt8Array};
use tiller_core::{EpisodeId, Pose};
use tiller_messages::{
    ArmCommand, ArmState, Encoding, Episode, ExecutionState, HeaderValue, ImageHeader, Keypoints,
    Level, Message, Status, TaskStatus,
};
use tiller_recording::testing::{RecordEntry, entry, entry_beside, write};

const MS: u64 = 1_000_000;

/// Columns and rows of both cameras' pictures.
pub(crate) const SIZE: [usize; 2] = [8, 6];

/// A picture whose pixels all have the value of its number.
pub(crate) fn picture(node: &str, output: &str, number: u64, stamp_ns: u64) -> RecordEntry {
    let header = ImageHeader {
        seq: number + 1,
        stamp_ns,
        width: SIZE[0],
        height: SIZE[1],
        encoding: Encoding::Rgb8,
        focal: Some([9.0, 9.0]),
        principal_point: Some([4.0, 3.0]),
        world_from_camera: Some([
            1.0, 0.0, 0.0, 0.5, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 0.0, 0.0, 0.0, 1.0,
        ]),
        ..ImageHeader::default()
    };
    let pixels: ArrayRef = Arc::new(UInt8Array::from(vec![number as u8; 3 * SIZE[0] * SIZE[1]]));
    let pairs: Vec<(&str, HeaderValue)> = header.to_pairs();
    entry_beside(node, output, Some(pixels.as_ref() as &dyn Array), pairs)
}

fn sent(node: &str, output: &str, message: &impl Message) -> RecordEntry {
    entry(node, output, Some(&message.to_arrow()))
}

/// Two episodes of a second each, 10 pictures and 50 arm states a second; the second one has no success. In
/// between, an episode that ends at once.
pub(crate) fn entries() -> Vec<RecordEntry> {
    let mut entries = Vec::new();
    let names = ["open it", "nothing", "close it"];
    let mut pictures = 0;
    for (index, (begin_ms, last_ms)) in [(0, 1000), (1100, 1100), (1200, 2200)]
        .into_iter()
        .enumerate()
    {
        let id = EpisodeId(index as u64 + 1);
        let episode = Episode {
            id,
            stamp_ns: begin_ms * MS,
            instruction: names[index].to_owned(),
            seed: 40 + index as u64,
            tasks: vec!["it".to_owned()],
            ..Episode::default()
        };
        // Somebody asks, and the world announces, twice.
        let asked = Episode {
            instruction: "another wording".to_owned(),
            ..episode.clone()
        };
        entries.push(sent("console", "episode", &asked));
        entries.push(sent("world", "episode", &episode));
        entries.push(sent("world", "episode", &episode));
        for at_ms in (begin_ms..=last_ms).step_by(20) {
            let stamp_ns = at_ms * MS;
            let tool = |x: f64| Pose {
                position_m: [x, 0.0, 0.2],
                quaternion_wxyz: [0.0, 1.0, 0.0, 0.0],
            };
            let seconds = at_ms as f64 / 1000.0;
            let state = ArmState {
                stamp_ns,
                episode: id,
                tcp: tool(seconds),
                gripper_width_m: 0.04,
                ..ArmState::default()
            };
            entries.push(sent("world", "sim_arm_state", &ArmState::default()));
            entries.push(sent("actuator", "arm_state", &state));
            let execution = ExecutionState {
                stamp_ns,
                episode: id,
                anchor: tool(seconds + 0.01),
                ..ExecutionState::default()
            };
            entries.push(sent("actuator", "execution_state", &execution));
            let command = ArmCommand {
                stamp_ns,
                q_rad: vec![0.0; 7],
                gripper_width_m: 0.08,
                ..ArmCommand::default()
            };
            entries.push(sent("actuator", "arm_command", &command));
            if (at_ms - begin_ms) % 100 == 0 {
                entries.push(picture("world", "image", pictures, stamp_ns));
                entries.push(picture("world", "wrist_image", pictures, stamp_ns));
                entries.push(picture("grounding", "annotated_image", pictures, stamp_ns));
                pictures += 1;
            }
        }
        let keypoints = Keypoints {
            stamp_ns: last_ms * MS,
            names: vec!["handle".to_owned()],
            xyz_m: vec![0.1, 0.2, 0.3],
            visible: vec![true],
            ..Keypoints::default()
        };
        entries.push(sent("grounding", "keypoints", &keypoints));
        let over = TaskStatus {
            stamp_ns: last_ms * MS,
            episode: id,
            tasks: vec!["it".to_owned()],
            success: index == 0,
            episode_over: true,
            ..TaskStatus::default()
        };
        entries.push(sent("world", "task_status", &over));
        let status = Status {
            node: "world".to_owned(),
            level: Level::Warning,
            text: "an episode is over".to_owned(),
            ..Status::default()
        };
        entries.push(sent("world", "status", &status));
    }
    entries
}

/// The recording, written.
pub(crate) fn recording(path: &Path) {
    write(path, &entries());
}
