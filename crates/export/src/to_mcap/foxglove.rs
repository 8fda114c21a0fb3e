//! Foxglove's well-known schemas, as far as they are used: their JSON form.

use serde_json::{Value, json};
use tiller_core::Pose;

/// The frame of reference of everything: the robot's base.
pub(crate) const BASE: &str = "base";

/// A well-known schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Known {
    CompressedImage,
    RawImage,
    CameraCalibration,
    FrameTransform,
    PoseInFrame,
    SceneUpdate,
    Log,
}

impl Known {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::CompressedImage => "foxglove.CompressedImage",
            Self::RawImage => "foxglove.RawImage",
            Self::CameraCalibration => "foxglove.CameraCalibration",
            Self::FrameTransform => "foxglove.FrameTransform",
            Self::PoseInFrame => "foxglove.PoseInFrame",
            Self::SceneUpdate => "foxglove.SceneUpdate",
            Self::Log => "foxglove.Log",
        }
    }

    /// Its JSON Schema.
    pub(crate) fn schema(self) -> Value {
        let properties = match self {
            Self::CompressedImage => json!({
                "timestamp": time_schema(), "frame_id": text(), "data": base64(), "format": text(),
            }),
            Self::RawImage => json!({
                "timestamp": time_schema(), "frame_id": text(), "width": count(), "height": count(),
                "encoding": text(), "step": count(), "data": base64(),
            }),
            Self::CameraCalibration => json!({
                "timestamp": time_schema(), "frame_id": text(), "width": count(), "height": count(),
                "distortion_model": text(), "D": list(&number()), "K": list(&number()),
                "R": list(&number()), "P": list(&number()),
            }),
            Self::FrameTransform => json!({
                "timestamp": time_schema(), "parent_frame_id": text(), "child_frame_id": text(),
                "translation": numbers(&["x", "y", "z"]),
                "rotation": numbers(&["x", "y", "z", "w"]),
            }),
            Self::PoseInFrame => json!({
                "timestamp": time_schema(), "frame_id": text(), "pose": pose_schema(),
            }),
            Self::SceneUpdate => json!({
                "deletions": list(&object(json!({
                    "timestamp": time_schema(), "type": count(), "id": text(),
                }))),
                "entities": list(&entity_schema()),
            }),
            Self::Log => json!({
                "timestamp": time_schema(), "level": count(), "message": text(), "name": text(),
                "file": text(), "line": count(),
            }),
        };
        let mut schema = object(properties);
        schema["title"] = json!(self.name());
        schema
    }
}

fn entity_schema() -> Value {
    let colour = numbers(&["r", "g", "b", "a"]);
    let place = |more: Value| {
        let mut properties = json!({"pose": pose_schema(), "color": colour});
        if let (Some(all), Value::Object(more)) = (properties.as_object_mut(), more) {
            all.extend(more);
        }
        list(&object(properties))
    };
    object(json!({
        "timestamp": time_schema(),
        "frame_id": text(),
        "id": text(),
        "lifetime": time_schema(),
        "frame_locked": {"type": "boolean"},
        "metadata": list(&object(json!({"key": text(), "value": text()}))),
        "arrows": list(&object(json!({}))),
        "cubes": list(&object(json!({}))),
        "spheres": place(json!({"size": numbers(&["x", "y", "z"])})),
        "cylinders": list(&object(json!({}))),
        "lines": place(json!({
            "type": count(), "thickness": number(), "scale_invariant": {"type": "boolean"},
            "points": list(&numbers(&["x", "y", "z"])), "colors": list(&numbers(&["r", "g", "b", "a"])),
            "indices": list(&count()),
        })),
        "triangles": list(&object(json!({}))),
        "texts": place(json!({
            "billboard": {"type": "boolean"}, "font_size": number(),
            "scale_invariant": {"type": "boolean"}, "text": text(),
        })),
        "models": list(&object(json!({}))),
    }))
}

fn object(properties: Value) -> Value {
    json!({"type": "object", "properties": properties})
}

fn list(items: &Value) -> Value {
    json!({"type": "array", "items": items})
}

fn text() -> Value {
    json!({"type": "string"})
}

fn base64() -> Value {
    json!({"type": "string", "contentEncoding": "base64"})
}

fn number() -> Value {
    json!({"type": "number"})
}

fn count() -> Value {
    json!({"type": "integer"})
}

fn numbers(names: &[&str]) -> Value {
    let properties = names.iter().map(|name| ((*name).to_owned(), number()));
    object(Value::Object(properties.collect()))
}

fn time_schema() -> Value {
    object(json!({"sec": count(), "nsec": count()}))
}

fn pose_schema() -> Value {
    object(json!({
        "position": numbers(&["x", "y", "z"]),
        "orientation": numbers(&["x", "y", "z", "w"]),
    }))
}

/// A moment or a duration, ns.
pub(crate) fn time(ns: u64) -> Value {
    json!({"sec": ns / 1_000_000_000, "nsec": ns % 1_000_000_000})
}

/// A position or displacement.
pub(crate) fn vector([x, y, z]: [f64; 3]) -> Value {
    json!({"x": x, "y": y, "z": z})
}

fn quaternion([w, x, y, z]: [f64; 4]) -> Value {
    json!({"x": x, "y": y, "z": z, "w": w})
}

/// A pose, of whatever frame its user says.
pub(crate) fn pose(pose: &Pose) -> Value {
    json!({
        "position": vector(pose.position_m),
        "orientation": quaternion(pose.quaternion_wxyz),
    })
}

/// A pose in the base frame.
pub(crate) fn pose_in_base(stamp_ns: u64, of: &Pose) -> Value {
    json!({"timestamp": time(stamp_ns), "frame_id": BASE, "pose": pose(of)})
}

/// Where a frame is in the base frame.
pub(crate) fn transform(stamp_ns: u64, child: &str, base_from_child: &Pose) -> Value {
    json!({
        "timestamp": time(stamp_ns),
        "parent_frame_id": BASE,
        "child_frame_id": child,
        "translation": vector(base_from_child.position_m),
        "rotation": quaternion(base_from_child.quaternion_wxyz),
    })
}

/// How grave a log line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Grade {
    Info = 2,
    Warning = 3,
    Error = 4,
}

/// A line of the log.
pub(crate) fn log(stamp_ns: u64, grade: Grade, name: &str, message: &str) -> Value {
    json!({
        "timestamp": time(stamp_ns),
        "level": grade as u8,
        "message": message,
        "name": name,
        "file": "",
        "line": 0,
    })
}

/// Things of a scene that take the place of those of the same identity.
pub(crate) fn scene(entities: Vec<Value>) -> Value {
    json!({"deletions": [], "entities": entities})
}

/// Shapes of one entity, in the base frame.
#[derive(Debug, Default)]
pub(crate) struct Shapes {
    pub(crate) spheres: Vec<Value>,
    pub(crate) lines: Vec<Value>,
    pub(crate) texts: Vec<Value>,
}

impl Shapes {
    pub(crate) fn sphere(&mut self, at: [f64; 3], diameter_m: f64, colour: [f64; 4]) {
        self.spheres.push(json!({
            "pose": pose(&at_rest(at)),
            "size": vector([diameter_m; 3]),
            "color": rgba(colour),
        }));
    }

    pub(crate) fn text(&mut self, at: [f64; 3], text: &str, colour: [f64; 4]) {
        self.texts.push(json!({
            "pose": pose(&at_rest(at)),
            "billboard": true,
            "font_size": 12.0,
            "scale_invariant": true,
            "color": rgba(colour),
            "text": text,
        }));
    }

    pub(crate) fn path(&mut self, points: Vec<Value>, thickness_px: f64, colour: [f64; 4]) {
        self.lines.push(json!({
            "type": 0,
            "pose": pose(&Pose::IDENTITY),
            "thickness": thickness_px,
            "scale_invariant": true,
            "points": points,
            "color": rgba(colour),
            "colors": [],
            "indices": [],
        }));
    }

    /// The entity, which stays until another one of its identity comes.
    pub(crate) fn entity(self, stamp_ns: u64, id: &str) -> Value {
        json!({
            "timestamp": time(stamp_ns),
            "frame_id": BASE,
            "id": id,
            "lifetime": time(0),
            "frame_locked": false,
            "metadata": [],
            "arrows": [],
            "cubes": [],
            "spheres": self.spheres,
            "cylinders": [],
            "lines": self.lines,
            "triangles": [],
            "texts": self.texts,
            "models": [],
        })
    }
}

fn at_rest(position_m: [f64; 3]) -> Pose {
    Pose {
        position_m,
        ..Pose::IDENTITY
    }
}

fn rgba([r, g, b, a]: [f64; 4]) -> Value {
    json!({"r": r, "g": g, "b": b, "a": a})
}
