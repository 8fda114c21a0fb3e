//! Where points of the table's things have gone.

use nalgebra::{Isometry3, Point3, Translation3, UnitQuaternion, Vector3};
use tiller_grounding::Keypoint;
use tiller_playtable::{Block, ObjectStates};

/// A thing that has moved by this much is the one that was moved, m.
const MOVED_M: f64 = 0.01;

/// Things and keypoints as they were at the start.
pub(crate) struct Truth {
    objects: ObjectStates,
    keypoints: Vec<Keypoint>,
}

impl Truth {
    pub(crate) fn new(objects: ObjectStates, keypoints: &[Keypoint]) -> Self {
        Self {
            objects,
            keypoints: keypoints.to_vec(),
        }
    }

    /// How far a keypoint is off where its point has gone, m, and whether that has moved.
    pub(crate) fn off_m(&self, now: &ObjectStates, keypoint: &Keypoint) -> (f64, bool) {
        let start = Point3::from(self.keypoints[keypoint.index].position_m);
        let from = pose(&self.objects, &keypoint.object);
        let to = pose(now, &keypoint.object);
        let gone = to * from.inverse() * start;
        let off_m = (gone - Point3::from(keypoint.position_m)).norm();
        (off_m, (gone - start).norm() > MOVED_M)
    }
}

/// Pose of the part that a label names.
fn pose(objects: &ObjectStates, name: &str) -> Isometry3<f64> {
    let at = |position_m: [f64; 3], axis: Vector3<f64>, angle_rad: f64| {
        let turned = UnitQuaternion::from_scaled_axis(axis * angle_rad);
        Isometry3::from_parts(Translation3::from(Vector3::from(position_m)), turned)
    };
    let block = |block: Block| {
        let state = objects.blocks[block.index()];
        at(state.position_m, Vector3::z(), state.yaw_rad)
    };
    match name {
        "drawer" | "drawer handle" => at(objects.drawer_handle_m, Vector3::z(), 0.0),
        "door" | "door handle" => at(objects.door_handle_m, Vector3::z(), 0.0),
        "switch" => at(objects.switch_m, Vector3::y(), objects.switch_rad),
        "button" => at(objects.button_cap_m, Vector3::z(), 0.0),
        "red block" => block(Block::Red),
        "blue block" => block(Block::Blue),
        _ => block(Block::Pink),
    }
}
