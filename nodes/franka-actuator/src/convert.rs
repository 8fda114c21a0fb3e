//! A chunk as it travels, in the actuator's terms.

use tiller_core::{Continuation, Pose};
use tiller_messages::ActionChunk;
use tiller_motion::{ActionStep, Chunk};

/// The chunk's motion as displacements from its anchor, with the orientation of `expected`, where the
/// actuator wants chunks to start; whatever else a policy puts out is its own affair. A policy without
/// a gripper leaves the gripper as it is.
pub(crate) fn chunk(message: &ActionChunk, expected: &Pose) -> Chunk {
    let mut last = message.anchor_position_m;
    let steps: Vec<_> = message
        .rows()
        .map(|row| {
            let position: [f64; 3] =
                std::array::from_fn(|i| f64::from(row[message.position_columns[i] as usize]));
            let delta_position_m = if message.delta {
                position
            } else {
                let delta = std::array::from_fn(|i| position[i] - last[i]);
                last = position;
                delta
            };
            let gripper = message
                .gripper_column
                .map_or(0.0, |column| f64::from(row[column as usize]));
            ActionStep {
                delta_position_m,
                gripper,
            }
        })
        .collect();
    let anchor = Pose {
        position_m: message.anchor_position_m,
        ..*expected
    };
    Chunk {
        seq: message.seq,
        stamp_ns: message.stamp_ns,
        execute_steps: message.execute_steps as usize,
        continues: (message.continues_seq > 0).then_some(Continuation {
            seq: message.continues_seq,
            step: message.continues_step,
            frozen_steps: message.frozen_steps,
        }),
        ..Chunk::of_displacements(anchor, message.rate_hz, &steps)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(delta: bool, gripper_column: Option<u32>) -> ActionChunk {
        ActionChunk {
            anchor_position_m: [0.5, 0.0, 0.2],
            rate_hz: 10.0,
            execute_steps: 1,
            horizon: 2,
            action_dim: 4,
            actions: vec![-1.0, 0.5, 0.25, 0.25, 1.0, 0.625, 0.25, 0.25],
            position_columns: [1, 2, 3],
            gripper_column,
            delta,
            ..Default::default()
        }
    }

    #[test]
    fn displacements_and_gripper_are_taken_from_their_columns() {
        let chunk = chunk(&message(true, Some(0)), &Pose::IDENTITY);
        assert_eq!(chunk.actions[..4], [0.5, 0.25, 0.25, -1.0]);
        assert_eq!(chunk.actions[7], 1.0);
    }

    #[test]
    fn absolute_positions_become_displacements() {
        let chunk = chunk(&message(false, None), &Pose::IDENTITY);
        for (found, expected) in chunk.actions[..4].iter().zip([0.0, 0.25, 0.05, 0.0]) {
            assert!((found - expected).abs() < 1e-12);
        }
        assert_eq!(chunk.actions[4..], [0.125, 0.0, 0.0, 0.0]);
    }

    #[test]
    fn a_chunk_carries_another_on_only_if_it_names_one() {
        let chunk = |message| chunk(&message, &Pose::IDENTITY);
        assert_eq!(chunk(message(true, None)).continues, None);
        let mut planned_ahead = message(true, None);
        planned_ahead.continues_seq = 3;
        planned_ahead.continues_step = 6;
        planned_ahead.frozen_steps = 2;
        let expected = Continuation {
            seq: 3,
            step: 6,
            frozen_steps: 2,
        };
        assert_eq!(chunk(planned_ahead).continues, Some(expected));
    }
}
