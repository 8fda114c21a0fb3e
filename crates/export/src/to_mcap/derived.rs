//! What is shown of a message beside the message itself.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use nalgebra::{Matrix3, Vector3};
use serde_json::{Value, json};
use tiller_core::Pose;
use tiller_messages::{AnyMessage, Candidates, Encoding, ImageHeader, Keypoints, Level};
use tiller_recording::Sent;

use super::foxglove::{Grade, Known, Shapes, log, pose_in_base, scene, time, transform, vector};
use tiller_recording::pixels as picture;

/// Diameter of a keypoint, m.
const KEYPOINT_M: f64 = 0.02;
const SEEN: [f64; 4] = [0.1, 0.8, 0.2, 1.0];
const UNSEEN: [f64; 4] = [0.6, 0.6, 0.6, 0.6];
const CHOSEN: [f64; 4] = [1.0, 0.6, 0.0, 1.0];
const OTHER: [f64; 4] = [0.3, 0.5, 0.9, 0.4];
const WHITE: [f64; 4] = [1.0; 4];
/// Paths of candidates that are drawn at most: more hide each other.
const PATHS: usize = 64;

/// A message for a topic, under a well-known schema.
pub(crate) struct Derived {
    pub(crate) topic: String,
    pub(crate) known: Known,
    pub(crate) value: Value,
}

fn on(topic: &str, known: Known, value: Value) -> Derived {
    Derived {
        topic: topic.to_owned(),
        known,
        value,
    }
}

/// What Foxglove's panels show of a message of ours; `topic` is `/node/output`.
pub(crate) fn of_message(topic: &str, stamp_ns: u64, message: &AnyMessage) -> Vec<Derived> {
    match message {
        AnyMessage::ArmState(state) => {
            let tool = format!("{topic}/tool");
            vec![
                on(
                    &tool,
                    Known::PoseInFrame,
                    pose_in_base(stamp_ns, &state.tcp),
                ),
                on(
                    "/tf",
                    Known::FrameTransform,
                    transform(stamp_ns, &tool, &state.tcp),
                ),
            ]
        }
        AnyMessage::ExecutionState(state) => {
            let commanded = pose_in_base(stamp_ns, &state.anchor);
            vec![on(
                &format!("{topic}/commanded"),
                Known::PoseInFrame,
                commanded,
            )]
        }
        AnyMessage::Keypoints(keypoints) => vec![on(
            &format!("{topic}/scene"),
            Known::SceneUpdate,
            keypoint_scene(stamp_ns, keypoints),
        )],
        AnyMessage::Candidates(candidates) => vec![on(
            &format!("{topic}/scene"),
            Known::SceneUpdate,
            candidate_scene(stamp_ns, candidates),
        )],
        AnyMessage::Status(status) => {
            let grade = match status.level {
                Level::Info => Grade::Info,
                Level::Warning => Grade::Warning,
                Level::Error => Grade::Error,
            };
            vec![on(
                "/log",
                Known::Log,
                log(stamp_ns, grade, &status.node, &status.text),
            )]
        }
        AnyMessage::SafetyEvent(event) => {
            let text = format!("{}: {}", event.kind, event.text);
            let line = log(stamp_ns, Grade::Warning, topic, &text);
            vec![on("/log", Known::Log, line)]
        }
        AnyMessage::StageCommand(command) => {
            let text = format!(
                "stage {}, {}: {}",
                command.stage, command.kind, command.reason
            );
            vec![on(
                "/log",
                Known::Log,
                log(stamp_ns, Grade::Info, topic, &text),
            )]
        }
        AnyMessage::Episode(episode) => {
            let text = format!("episode {}: {}", episode.id.0, episode.instruction);
            vec![on(
                "/log",
                Known::Log,
                log(stamp_ns, Grade::Info, topic, &text),
            )]
        }
        _ => Vec::new(),
    }
}

fn keypoint_scene(stamp_ns: u64, keypoints: &Keypoints) -> Value {
    let mut shapes = Shapes::default();
    let seen = keypoints.names.iter().zip(&keypoints.visible);
    for (index, (at, (name, visible))) in keypoints.points().zip(seen).enumerate() {
        let colour = if *visible { SEEN } else { UNSEEN };
        shapes.sphere(at, KEYPOINT_M, colour);
        let [x, y, z] = at;
        shapes.text([x, y, z + KEYPOINT_M], &format!("{index} {name}"), WHITE);
    }
    scene(vec![shapes.entity(stamp_ns, "keypoints")])
}

fn candidate_scene(stamp_ns: u64, candidates: &Candidates) -> Value {
    let points = candidates.points as usize;
    let mut shapes = Shapes::default();
    let selected = candidates.selected as usize;
    for (index, path) in candidates.xyz_m.chunks_exact(3 * points.max(1)).enumerate() {
        if index >= PATHS && index != selected {
            continue;
        }
        let points = path.chunks_exact(3);
        let points = points.map(|p| vector([p[0].into(), p[1].into(), p[2].into()]));
        let (thickness, colour) = if index == selected {
            (4.0, CHOSEN)
        } else {
            (1.0, OTHER)
        };
        shapes.path(points.collect(), thickness, colour);
    }
    scene(vec![shapes.entity(stamp_ns, "candidates")])
}

/// A picture and its camera. Colour that is no file yet becomes a PNG file.
///
/// # Errors
/// With what was found instead of a picture.
pub(crate) fn of_picture(
    topic: &str,
    stamp_ns: u64,
    header: &ImageHeader,
    sent: &Sent,
) -> Result<Vec<Derived>, String> {
    let data = sent.data.as_ref();
    let frame = if header.frame_id.is_empty() {
        topic
    } else {
        &header.frame_id
    };
    let size = || -> Result<[u32; 2], String> {
        let side = |side: usize| u32::try_from(side).map_err(|error| error.to_string());
        Ok([side(header.width)?, side(header.height)?])
    };
    let file = |format: &str, bytes: &[u8]| {
        let value = json!({
            "timestamp": time(stamp_ns),
            "frame_id": frame,
            "data": STANDARD.encode(bytes),
            "format": format,
        });
        on(topic, Known::CompressedImage, value)
    };
    let picture = match header.encoding {
        Encoding::Rgb8 | Encoding::Bgr8 => {
            let rgb = picture::rgb(header, data)?;
            file("png", &picture::png(&rgb, size()?)?)
        }
        Encoding::Jpeg => file("jpeg", &picture::bytes(header, data)?),
        Encoding::Png => file("png", &picture::bytes(header, data)?),
        Encoding::Mono8 | Encoding::Mono16 | Encoding::Depth32F => {
            let bytes = picture::bytes(header, data)?;
            let pixel = header.encoding.bytes_per_pixel().unwrap_or(1);
            let value = json!({
                "timestamp": time(stamp_ns),
                "frame_id": frame,
                "width": header.width,
                "height": header.height,
                "encoding": header.encoding.as_str(),
                "step": header.width * pixel,
                "data": STANDARD.encode(&bytes),
            });
            on(topic, Known::RawImage, value)
        }
    };
    let mut all = vec![picture];
    all.extend(calibration(topic, stamp_ns, frame, header));
    if let Some(matrix) = &header.world_from_camera {
        let pose = pose_of(matrix);
        all.push(on(
            "/tf",
            Known::FrameTransform,
            transform(stamp_ns, frame, &pose),
        ));
    }
    Ok(all)
}

/// The pinhole camera, where its geometry is known.
fn calibration(topic: &str, stamp_ns: u64, frame: &str, header: &ImageHeader) -> Option<Derived> {
    let ([fx, fy], [cx, cy]) = (header.focal?, header.principal_point?);
    let value = json!({
        "timestamp": time(stamp_ns),
        "frame_id": frame,
        "width": header.width,
        "height": header.height,
        "distortion_model": "",
        "D": [],
        "K": [fx, 0.0, cx, 0.0, fy, cy, 0.0, 0.0, 1.0],
        "R": [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0],
        "P": [fx, 0.0, cx, 0.0, 0.0, fy, cy, 0.0, 0.0, 0.0, 1.0, 0.0],
    });
    Some(on(
        &format!("{topic}/calibration"),
        Known::CameraCalibration,
        value,
    ))
}

/// The pose of a rigid transform, row-major 4 x 4.
fn pose_of(m: &[f64; 16]) -> Pose {
    let rotation = Matrix3::from_fn(|row, column| m[4 * row + column]);
    Pose::new(Vector3::new(m[3], m[7], m[11]), &rotation)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_camera_stands_where_its_matrix_says() {
        // A quarter turn about z.
        let m = [
            0.0, -1.0, 0.0, 0.1, 1.0, 0.0, 0.0, 0.2, 0.0, 0.0, 1.0, 0.3, 0.0, 0.0, 0.0, 1.0,
        ];
        let pose = pose_of(&m);
        assert_eq!(pose.position_m, [0.1, 0.2, 0.3]);
        let [w, x, y, z] = pose.quaternion_wxyz;
        let half = std::f64::consts::FRAC_1_SQRT_2;
        assert!(
            (w - half).abs() < 1e-12 && (z - half).abs() < 1e-12,
            "{w} {x} {y} {z}"
        );
    }

    #[test]
    fn candidates_are_paths_and_the_chosen_one_stands_out() {
        let candidates = Candidates {
            particles: 2,
            points: 2,
            xyz_m: vec![0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0],
            selected: 1,
            ..Candidates::default()
        };
        let scene = candidate_scene(5, &candidates);
        let lines = scene["entities"][0]["lines"].as_array().unwrap();
        assert_eq!(lines.len(), 2);
        assert_eq!(lines[1]["points"][1], vector([0.0, 1.0, 0.0]));
        assert!(lines[1]["thickness"].as_f64() > lines[0]["thickness"].as_f64());
    }

    #[test]
    fn pictures_without_geometry_have_no_calibration() {
        let mut header = ImageHeader {
            width: 2,
            height: 1,
            ..ImageHeader::default()
        };
        assert!(calibration("/a/b", 0, "camera", &header).is_none());
        header.focal = Some([3.0, 4.0]);
        header.principal_point = Some([1.0, 0.5]);
        let found = calibration("/a/b", 0, "camera", &header).unwrap();
        assert_eq!(found.topic, "/a/b/calibration");
        assert_eq!(found.value["K"][4], json!(4.0));
    }
}
