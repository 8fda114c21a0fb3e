//! What a sampling run works in.

use tiller_core::{ActionMode, ArmColumns, Frame, Reads, Trajectories, TrajectoriesMut};

use super::Run;
use crate::action::ActionSpace;
use crate::config::GradientPoint;
use crate::guidance::BLOCKS;
use crate::guide::Guide;
use crate::trajectory::TrajectoryMap;

/// `[B, T, D]` unless stated otherwise.
#[derive(Debug, Default)]
pub(super) struct Buffers {
    pub(super) sample: Vec<f32>,
    pub(super) prediction: Vec<f32>,
    pub(super) clean: Vec<f32>,
    pub(super) noise: Vec<f32>,
    pub(super) gradient: Vec<f32>,
    pub(super) trajectories: Poses,
    /// Gradients with respect to these.
    pub(super) trajectory_gradient: Poses,
    /// `[B]`.
    pub(super) rewards: Vec<f32>,
    /// `[B]`, root mean squares of the gradients before normalisation.
    pub(super) gradient_norms: Vec<f32>,
    /// `[B]`.
    pub(super) lost: Vec<bool>,
    /// `[T, D]`, fresh noise of one particle.
    pub(super) fresh: Vec<f32>,
}

impl Buffers {
    /// Room for `most` samples of `stride` numbers and trajectories of `points` points.
    pub(super) fn new(most: usize, stride: usize, points: usize) -> Self {
        let sample = || vec![0.0; most * stride];
        let poses = || Poses {
            positions: vec![0.0; most * points * 3],
            ..Poses::default()
        };
        Self {
            sample: sample(),
            prediction: sample(),
            clean: sample(),
            noise: sample(),
            gradient: sample(),
            trajectories: poses(),
            trajectory_gradient: poses(),
            rewards: vec![0.0; most],
            gradient_norms: vec![0.0; most],
            lost: vec![false; most],
            fresh: vec![0.0; stride],
        }
    }

    /// Writes the trajectories of the samples at `at`, whole ones as far as a reward reads them.
    pub(super) fn lay_out(
        &mut self,
        map: &TrajectoryMap,
        run: &Run,
        at: GradientPoint,
        whole: bool,
    ) {
        let source = match at {
            GradientPoint::Clean => &self.clean,
            GradientPoint::Noisy => &self.sample,
        };
        let used = ..run.particles * self.fresh.len();
        let points = run.particles * map.points();
        let mut room = self.trajectories.view_mut(points);
        if !whole {
            room = TrajectoriesMut::of_positions(room.positions);
        }
        map.forward(&source[used], &run.start, room);
    }

    /// Makes room for what a reward reads beside positions.
    pub(super) fn make_room(&mut self, reads: Reads) {
        for poses in [&mut self.trajectories, &mut self.trajectory_gradient] {
            let points = poses.positions.len() / 3;
            let (rotations, gripper) = (usize::from(reads.rotations), usize::from(reads.gripper));
            poses.rotations.resize(points * 9 * rotations, 0.0);
            poses.gripper.resize(points * gripper, 0.0);
        }
    }
}

/// `P` points of every particle; rotations and gripper are empty until a reward reads them.
#[derive(Debug, Default)]
pub(super) struct Poses {
    /// `[B, P, 3]`.
    pub(super) positions: Vec<f32>,
    /// `[B, P, 3, 3]`.
    pub(super) rotations: Vec<f32>,
    /// `[B, P]`.
    pub(super) gripper: Vec<f32>,
}

impl Poses {
    /// The points from `first` to `end`.
    pub(super) fn view(&self, first: usize, end: usize) -> Trajectories<'_> {
        Trajectories {
            positions: &self.positions[first * 3..end * 3],
            rotations: self.rotations.get(first * 9..end * 9).unwrap_or_default(),
            gripper: self.gripper.get(first..end).unwrap_or_default(),
        }
    }

    /// The first `end` points.
    pub(super) fn view_mut(&mut self, end: usize) -> TrajectoriesMut<'_> {
        TrajectoriesMut {
            positions: &mut self.positions[..end * 3],
            rotations: self.rotations.get_mut(..end * 9).unwrap_or_default(),
            gripper: self.gripper.get_mut(..end).unwrap_or_default(),
        }
    }
}

/// Which columns guidance moves.
#[derive(Debug)]
pub(super) struct Blocks {
    /// Of the position or the joints, of the rotation, of the gripper: each is normalised by itself.
    pub(super) moved: [Vec<usize>; BLOCKS],
    /// Whether a gradient of positions reaches the rotation, which is to be moved.
    pub(super) coupled: bool,
    /// Columns of the rotation that a gradient of positions reaches and that are not to be moved.
    held: Vec<usize>,
}

impl Blocks {
    pub(super) fn new(space: &ActionSpace, guide: Guide) -> Self {
        let layout = &space.layout;
        let (arm, rotation) = match &layout.arm {
            ArmColumns::Pose { position, rotation } => {
                let rotation = rotation.as_ref().map(|rotation| rotation.columns.clone());
                (position.to_vec(), rotation.unwrap_or_default())
            }
            ArmColumns::Joints(joints) => (joints.to_vec(), Vec::new()),
        };
        let gripper = layout.gripper.iter().map(|gripper| gripper.column);
        let in_tool_frame = layout.mode == ActionMode::DeltaPose(Frame::Tool);
        let coupled = in_tool_frame && !rotation.is_empty();
        let held = if coupled && !guide.rotation {
            rotation.clone()
        } else {
            Vec::new()
        };
        Self {
            moved: [
                arm,
                if guide.rotation { rotation } else { Vec::new() },
                gripper.filter(|_| guide.gripper).collect(),
            ],
            coupled: coupled && guide.rotation,
            held,
        }
    }

    /// Columns of the position or the joints.
    pub(super) fn arm(&self) -> usize {
        self.moved[0].len()
    }

    /// Multiplies the gradient `[.., D]` of the gripper.
    pub(super) fn weigh_gripper(&self, gradient: &mut [f32], dim: usize, by: f32) {
        let [.., gripper] = &self.moved;
        for row in gradient.chunks_exact_mut(dim) {
            for column in gripper {
                row[*column] *= by;
            }
        }
    }

    /// Sets the gradient `[.., D]` of columns that are not to be moved to 0.
    pub(super) fn hold(&self, gradient: &mut [f32], dim: usize) {
        if self.held.is_empty() {
            return;
        }
        for row in gradient.chunks_exact_mut(dim) {
            for column in &self.held {
                row[*column] = 0.0;
            }
        }
    }
}
