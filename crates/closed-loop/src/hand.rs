//! The hand at one moment, as rewards see it.

use tiller_core::{GRIPPER_OPEN_M, Pose, Reads, Trajectories, TrajectoriesMut};
use tiller_messages::{ArmState, ExecutionState};
use tiller_reward::Moment;
use tiller_steering::Start;

/// Where the hand is and how far its gripper is open.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Hand {
    /// Its pose in the base frame.
    pub pose: Pose,
    /// Width between the fingers, m.
    pub gripper_width_m: f64,
}

impl Hand {
    /// At a position (m), straight down and open.
    #[must_use]
    pub const fn down(position_m: [f64; 3]) -> Self {
        Self {
            pose: Pose::down(position_m),
            gripper_width_m: GRIPPER_OPEN_M,
        }
    }

    /// As the arm measures it.
    #[must_use]
    pub fn measured(arm: &ArmState) -> Self {
        Self {
            pose: arm.tcp,
            gripper_width_m: arm.gripper_width_m,
        }
    }

    /// Where the next chunk starts.
    #[must_use]
    pub fn at_anchor(execution: &ExecutionState, arm: &ArmState) -> Self {
        Self {
            pose: execution.anchor,
            gripper_width_m: arm.gripper_width_m,
        }
    }

    /// How far the gripper is open: 0 closed, 1 open.
    #[must_use]
    pub fn opening(&self) -> f64 {
        self.gripper_width_m / GRIPPER_OPEN_M
    }

    /// Rows of the matrix whose columns are the hand's axes in the base frame.
    #[must_use]
    pub fn rotation(&self) -> [[f64; 3]; 3] {
        // nalgebra's matrices are columns.
        self.pose.matrix().transpose().into()
    }

    /// What a done function sees of it.
    pub(crate) fn moment<'a>(
        &self,
        keypoints: &'a [[f64; 3]],
        keypoint_axes: &'a [[[f64; 3]; 3]],
        start_keypoints: &'a [[f64; 3]],
    ) -> Moment<'a> {
        Moment {
            keypoints,
            start_keypoints,
            keypoint_axes,
            end_effector_m: self.pose.position_m,
            rotation: self.rotation(),
            gripper_width_m: self.gripper_width_m,
        }
    }
}

/// Trajectories `[B, P, ..]` in double precision, or derivatives; rotations and openings only where
/// they are read.
#[derive(Debug, Clone, Default)]
pub(crate) struct Paths {
    pub(crate) positions: Vec<f64>,
    pub(crate) rotations: Vec<f64>,
    pub(crate) gripper: Vec<f64>,
}

impl Paths {
    /// Room for `points` points in all.
    pub(crate) fn zeros(points: usize, reads: Reads) -> Self {
        let room = |width: usize, is_read: bool| vec![0.0; points * width * usize::from(is_read)];
        Self {
            positions: room(3, true),
            rotations: room(9, reads.rotations),
            gripper: room(1, reads.gripper),
        }
    }

    /// The way of a planned chunk: its positions `[P, 3]` and the places `[P]` that it leads through.
    pub(crate) fn of_plan(positions_m: &[f32], path: &[Start], reads: Reads) -> Self {
        let mut way = Self {
            positions: positions_m.iter().map(|m| f64::from(*m)).collect(),
            ..Self::default()
        };
        if reads.rotations {
            let rows = path.iter().map(|place| place.pose.matrix().transpose());
            let numbers = rows.flat_map(<[[f64; 3]; 3]>::from);
            way.rotations = numbers.flatten().collect();
        }
        if reads.gripper {
            way.gripper = path.iter().map(|place| place.opening).collect();
        }
        way
    }

    /// Appends a point.
    pub(crate) fn push(
        &mut self,
        position: [f64; 3],
        rotation: &[[f64; 3]; 3],
        opening: f64,
        reads: Reads,
    ) {
        self.positions.extend(position);
        if reads.rotations {
            self.rotations.extend(rotation.iter().flatten());
        }
        if reads.gripper {
            self.gripper.push(opening);
        }
    }

    /// Forgets all points and keeps the room.
    pub(crate) fn clear(&mut self) {
        self.positions.clear();
        self.rotations.clear();
        self.gripper.clear();
    }

    pub(crate) fn view(&self) -> Trajectories<'_, f64> {
        Trajectories {
            positions: &self.positions,
            rotations: &self.rotations,
            gripper: &self.gripper,
        }
    }

    pub(crate) fn view_mut(&mut self) -> TrajectoriesMut<'_, f64> {
        TrajectoriesMut {
            positions: &mut self.positions,
            rotations: &mut self.rotations,
            gripper: &mut self.gripper,
        }
    }
}
