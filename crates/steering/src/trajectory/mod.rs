//! From a normalised chunk to the path that the hand would take, and back.

mod affine;
#[cfg(test)]
mod tests;
mod walk;

use serde::{Deserialize, Serialize};
use tiller_core::kinematics::{self, JointVector};
use tiller_core::{GripperColumn, Pose, Trajectories, TrajectoriesMut};

use crate::action::ActionSpace;
use crate::real::Real;
use affine::Affine;
use walk::Walk;

/// What a chunk starts from.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Start {
    /// The hand's pose in the base frame.
    pub pose: Pose,
    /// How far the gripper is open: 0 closed, 1 open.
    pub opening: f64,
    /// The arm's joints, rad; only joint-space policies need them, and theirs is then the pose.
    pub joints_rad: Option<JointVector>,
}

impl Start {
    /// At a position (m) with the open gripper straight down.
    #[must_use]
    pub const fn at(position_m: [f64; 3]) -> Self {
        Self {
            pose: Pose::down(position_m),
            opening: 1.0,
            joints_rad: None,
        }
    }

    /// At joints (rad) with the gripper open.
    #[must_use]
    pub fn at_joints(joints_rad: JointVector) -> Self {
        Self {
            pose: kinematics::forward(&joints_rad),
            opening: 1.0,
            joints_rad: Some(joints_rad),
        }
    }

    /// The first number that is not finite.
    pub(crate) fn unsound(&self) -> Option<f64> {
        let joints = self.joints_rad.iter().flatten();
        let numbers = self.pose.position_m.iter().chain(joints);
        numbers
            .chain(&self.pose.quaternion_wxyz)
            .chain([&self.opening])
            .copied()
            .find(|number| !number.is_finite())
    }
}

impl From<Pose> for Start {
    /// With the gripper open.
    fn from(pose: Pose) -> Self {
        Self {
            pose,
            opening: 1.0,
            joints_rad: None,
        }
    }
}

/// `traj(x)`: reads `steps` actions from `start` on, the first that is executed, into the `steps + 1`
/// poses and gripper openings that they lead through, and the exact adjoint of that map.
///
/// Counting actions from `start`, point `k + 1` is where the robot is after actions `0..=k`; point 0
/// is the start. Formulas stand in the modules `affine` and `walk`. Where only positions are asked
/// for, and they are displacements in the base frame or places that nothing clips, the map is affine
/// and computed in `F`; else in double precision.
#[derive(Debug, Clone)]
pub struct TrajectoryMap<F: Real = f32> {
    rows: Rows,
    affine: Option<Affine<F>>,
    walk: Walk,
    gripper: Option<Gripper>,
}

/// Which rows of a chunk make the trajectory.
#[derive(Debug, Clone, Copy)]
struct Rows {
    dim: usize,
    horizon: usize,
    start: usize,
    steps: usize,
}

impl Rows {
    fn stride(&self) -> usize {
        self.horizon * self.dim
    }

    fn points(&self) -> usize {
        self.steps + 1
    }

    fn action<'a, F>(&self, chunk: &'a [F], step: usize) -> &'a [F] {
        &chunk[(self.start + step) * self.dim..][..self.dim]
    }

    fn action_mut<'a, F>(&self, chunk: &'a mut [F], step: usize) -> &'a mut [F] {
        &mut chunk[(self.start + step) * self.dim..][..self.dim]
    }
}

/// The gripper's opening is `x * scale + offset`.
#[derive(Debug, Clone, Copy)]
struct Gripper {
    at: usize,
    scale: f64,
    offset: f64,
}

impl Gripper {
    fn new(column: GripperColumn, space: &ActionSpace) -> Self {
        let range = column.open - column.closed;
        Self {
            at: column.column,
            scale: f64::from(space.scale[column.column]) / range,
            offset: column.opening(f64::from(space.offset[column.column])),
        }
    }
}

impl<F: Real> TrajectoryMap<F> {
    /// The map for chunks of `horizon` actions of which `steps` from `start` on make the trajectory.
    /// The space must be valid and `start + steps <= horizon`.
    #[must_use]
    pub fn new(space: &ActionSpace, horizon: usize, start: usize, steps: usize) -> Self {
        let rows = Rows {
            dim: space.dim(),
            horizon,
            start,
            steps: steps.min(horizon.saturating_sub(start)),
        };
        Self {
            rows,
            affine: Affine::new(space),
            walk: Walk::new(space, rows.points()),
            gripper: space
                .layout
                .gripper
                .map(|column| Gripper::new(column, space)),
        }
    }

    /// Points `P` of a trajectory: one more than its actions.
    #[must_use]
    pub fn points(&self) -> usize {
        self.rows.points()
    }

    /// Actions that make the trajectory.
    #[must_use]
    pub fn steps(&self) -> usize {
        self.rows.steps
    }

    /// Writes the trajectories of the normalised `samples` `[B, T, D]`. Without a gripper in the
    /// layout its opening stays that of the start.
    pub fn forward(&self, samples: &[F], start: &Start, mut out: TrajectoriesMut<'_, F>) {
        match &self.affine {
            Some(affine) if out.rotations.is_empty() => {
                let first = start.pose.position_m.map(F::from_f64);
                affine.forward(&self.rows, samples, first, out.positions);
            }
            _ => self.walk.forward(&self.rows, samples, start, &mut out),
        }
        let chunks = samples.chunks_exact(self.rows.stride());
        for (chunk, points) in chunks.zip(out.gripper.chunks_exact_mut(self.points())) {
            points.fill(F::from_f64(start.opening));
            if let Some(Gripper { at, scale, offset }) = self.gripper {
                for (step, point) in points[1..].iter_mut().enumerate() {
                    let value = self.rows.action(chunk, step)[at].to_f64();
                    *point = F::from_f64(value * scale + offset);
                }
            }
        }
    }

    /// Writes into `gradient` `[B, T, D]` what `cotangents`, derivatives with respect to the
    /// trajectories, mean for the normalised `samples` at which they were taken. Columns and steps
    /// that do not move the trajectory get 0.
    pub fn adjoint(
        &mut self,
        samples: &[F],
        start: &Start,
        cotangents: &Trajectories<'_, F>,
        gradient: &mut [F],
    ) {
        gradient.fill(F::default());
        match &self.affine {
            Some(affine) if cotangents.rotations.is_empty() => {
                affine.adjoint(&self.rows, cotangents.positions, gradient);
            }
            _ => self
                .walk
                .adjoint(&self.rows, samples, start, cotangents, gradient),
        }
        let Some(Gripper { at, scale, .. }) = self.gripper else {
            return;
        };
        let chunks = gradient.chunks_exact_mut(self.rows.stride());
        for (chunk, points) in chunks.zip(cotangents.gripper.chunks_exact(self.points())) {
            for (step, point) in points[1..].iter().enumerate() {
                self.rows.action_mut(chunk, step)[at] = F::from_f64(point.to_f64() * scale);
            }
        }
    }

    /// Where the arm is before each action of one chunk `[T, D]`, and after the last: `P` places from
    /// which a chunk that carries it on can start.
    pub fn path(&self, chunk: &[F], start: &Start) -> impl Iterator<Item = Start> {
        let gripper = self.gripper;
        let openings = (0..self.points()).map(move |point| match (gripper, point) {
            (Some(Gripper { at, scale, offset }), 1..) => {
                self.rows.action(chunk, point - 1)[at].to_f64() * scale + offset
            }
            _ => start.opening,
        });
        let places = self.walk.path(&self.rows, chunk, start);
        places
            .zip(openings)
            .map(|(place, opening)| Start { opening, ..place })
    }
}
