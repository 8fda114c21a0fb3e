//! A chunk as it travels, in the terms of the arm's motion.

use tiller_core::{ActionMode, ArmColumns, Frame};
use tiller_messages::ActionChunk;
use tiller_motion::{ActionStep, Chunk, Continuation};

/// The chunk's motion as displacements from its anchor.
pub(crate) fn chunk(message: &ActionChunk) -> Chunk {
    let layout = &message.layout;
    let mut last = message.anchor.position_m;
    let position = match &layout.arm {
        ArmColumns::Pose { position, .. } => *position,
        ArmColumns::Joints(_) => [0, 1, 2],
    };
    let steps = message
        .rows()
        .map(|row| {
            let place = position.map(|column| f64::from(row[column]));
            let delta_position_m = if layout.mode == ActionMode::DeltaPose(Frame::Base) {
                place
            } else {
                let delta = std::array::from_fn(|i| place[i] - last[i]);
                last = place;
                delta
            };
            let gripper = layout.gripper.map_or(0.0, |gripper| {
                2.0 * gripper.opening(f64::from(row[gripper.column])) - 1.0
            });
            ActionStep {
                delta_position_m,
                gripper,
            }
        })
        .collect();
    Chunk {
        seq: message.seq,
        stamp_ns: message.stamp_ns,
        anchor_position_m: message.anchor.position_m,
        rate_hz: layout.rate_hz,
        execute_steps: message.execute_steps as usize,
        steps,
        continues: message.continues.map(|c| Continuation {
            seq: c.seq,
            step: c.step as usize,
            frozen: c.frozen_steps as usize,
        }),
    }
}
