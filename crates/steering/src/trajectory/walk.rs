//! Poses along a chunk, action by action, and the way back.
//!
//! Derivatives of positions are forces `f`, those of rotations torques `t` about the base frame's axes
//! (see [`tiller_core::rotation`]); `F` and `T` are what all later points exert on the pose at the end
//! of a step. A step `(d, D)` from `(p, R)`, and what its own numbers and the pose before feel:
//!
//! | mode | step | numbers of `d`, of `D` | pose before |
//! |---|---|---|---|
//! | displacement, base frame | `p + d`, `D R` | `F`, `J' T` | `F`, `D' T` |
//! | displacement, tool frame | `p + R d`, `R D` | `R' F`, `J' R' T` | `F`, `T + R d x F` |
//! | pose | `d`, `D` | `f`, `J' t` | nothing |
//! | joints | forward kinematics | `J' (f, t)` with the arm's Jacobian | nothing |
//!
//! Joint velocities sum up to joints, so that their gradient is a reverse cumulative sum.

use nalgebra::{Matrix3, SVector, Vector3};
use tiller_core::kinematics::{Chain, JointVector};
use tiller_core::rotation::{MAX_WIDTH, cotangent};
use tiller_core::{
    ActionMode, ArmColumns, Frame, JOINTS, Pose, RotationKind, Trajectories, TrajectoriesMut,
};

use super::{Rows, Start};
use crate::action::ActionSpace;
use crate::real::Real;

/// One column of the arm: `clip(x * scale + offset) * unit`.
#[derive(Debug, Clone, Copy)]
struct Column {
    at: usize,
    scale: f64,
    offset: f64,
    clip: f64,
    unit: f64,
}

impl Column {
    fn value<F: Real>(&self, action: &[F]) -> f64 {
        self.raw(action).clamp(-self.clip, self.clip) * self.unit
    }

    /// The derivative of [`Self::value`]: none where it is clipped.
    fn slope<F: Real>(&self, action: &[F]) -> f64 {
        if self.raw(action).abs() <= self.clip {
            self.scale * self.unit
        } else {
            0.0
        }
    }

    fn raw<F: Real>(&self, action: &[F]) -> f64 {
        action[self.at].to_f64() * self.scale + self.offset
    }
}

#[derive(Debug, Clone)]
enum Arm {
    Pose {
        position: [Column; 3],
        rotation: Option<(RotationKind, Vec<Column>)>,
        mode: PoseMode,
    },
    /// `velocity_s`: how long a velocity acts, s; none for positions.
    Joints {
        columns: [Column; JOINTS],
        velocity_s: Option<f64>,
    },
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum PoseMode {
    Base,
    Tool,
    Absolute,
}

/// Where a step ended.
#[derive(Debug, Clone, Copy)]
struct Stop {
    position: Vector3<f64>,
    rotation: Matrix3<f64>,
    /// Of joint-space policies.
    joints: JointVector,
}

/// The map of any layout, in double precision.
#[derive(Debug, Clone)]
pub(super) struct Walk {
    arm: Arm,
    /// `[P]`, the stops of one particle on the way back.
    stops: Vec<Stop>,
}

impl Walk {
    pub(super) fn new(space: &ActionSpace, points: usize) -> Self {
        let layout = &space.layout;
        let column = |at: usize, unit: f64| Column {
            at,
            scale: f64::from(space.scale[at]),
            offset: f64::from(space.offset[at]),
            clip: layout.clip.unwrap_or(f64::INFINITY),
            unit,
        };
        let radians = layout.rotation_rad_per_unit;
        let arm = match &layout.arm {
            ArmColumns::Pose { position, rotation } => Arm::Pose {
                position: position.map(|at| column(at, layout.position_m_per_unit)),
                rotation: rotation.as_ref().map(|rotation| {
                    let columns = rotation.columns.iter().map(|at| column(*at, radians));
                    (rotation.kind, columns.collect())
                }),
                mode: match layout.mode {
                    ActionMode::DeltaPose(Frame::Tool) => PoseMode::Tool,
                    ActionMode::AbsolutePose => PoseMode::Absolute,
                    _ => PoseMode::Base,
                },
            },
            ArmColumns::Joints(joints) => Arm::Joints {
                columns: joints.map(|at| column(at, radians)),
                velocity_s: (layout.mode == ActionMode::JointVelocity)
                    .then_some(1.0 / layout.rate_hz),
            },
        };
        Self {
            arm,
            stops: Vec::with_capacity(points),
        }
    }

    /// Writes positions, and rotations where there is room for them.
    pub(super) fn forward<F: Real>(
        &self,
        rows: &Rows,
        samples: &[F],
        start: &Start,
        out: &mut TrajectoriesMut<'_, F>,
    ) {
        let points = rows.points();
        let first = self.begin(start);
        for (particle, chunk) in samples.chunks_exact(rows.stride()).enumerate() {
            let mut stop = first;
            for point in 0..points {
                if point > 0 {
                    stop = self.step(rows.action(chunk, point - 1), &stop);
                }
                let at = particle * points + point;
                for axis in 0..3 {
                    out.positions[at * 3 + axis] = F::from_f64(stop.position[axis]);
                }
                if let Some(room) = out.rotations.get_mut(at * 9..(at + 1) * 9) {
                    // Row by row; nalgebra keeps columns.
                    for (value, number) in room.iter_mut().zip(stop.rotation.transpose().iter()) {
                        *value = F::from_f64(*number);
                    }
                }
            }
        }
    }

    /// What a chunk that starts at each point of one particle starts from.
    pub(super) fn path<F: Real>(
        &self,
        rows: &Rows,
        chunk: &[F],
        start: &Start,
    ) -> impl Iterator<Item = Start> {
        let mut stop = self.begin(start);
        let in_joints = matches!(self.arm, Arm::Joints { .. });
        (0..rows.points()).map(move |point| {
            if point > 0 {
                stop = self.step(rows.action(chunk, point - 1), &stop);
            }
            Start {
                pose: Pose::new(stop.position, &stop.rotation),
                joints_rad: in_joints.then_some(stop.joints),
                ..*start
            }
        })
    }

    /// Writes the arm's columns in the rows of the trajectory.
    pub(super) fn adjoint<F: Real>(
        &mut self,
        rows: &Rows,
        samples: &[F],
        start: &Start,
        cotangents: &Trajectories<'_, F>,
        gradient: &mut [F],
    ) {
        let points = rows.points();
        let first = self.begin(start);
        let chunks = samples.chunks_exact(rows.stride());
        let gradients = gradient.chunks_exact_mut(rows.stride());
        for (particle, (chunk, gradient)) in chunks.zip(gradients).enumerate() {
            self.stops.clear();
            self.stops.push(first);
            let mut stop = first;
            for step in 0..rows.steps {
                stop = self.step(rows.action(chunk, step), &stop);
                self.stops.push(stop);
            }
            let mut load = Load::default();
            for step in (0..rows.steps).rev() {
                let at = particle * points + step + 1;
                let after = &self.stops[step + 1];
                let force =
                    Vector3::from_fn(|axis, _| cotangents.positions[at * 3 + axis].to_f64());
                let torque = match cotangents.rotations.get(at * 9..(at + 1) * 9) {
                    Some(g) => {
                        let g = Matrix3::from_fn(|row, column| g[row * 3 + column].to_f64());
                        cotangent(&after.rotation, &g)
                    }
                    None => Vector3::zeros(),
                };
                self.back(
                    rows.action(chunk, step),
                    &self.stops[step],
                    after,
                    (force, torque),
                    &mut load,
                    rows.action_mut(gradient, step),
                );
            }
        }
    }

    fn begin(&self, start: &Start) -> Stop {
        let joints = start.joints_rad.unwrap_or([f64::NAN; JOINTS]);
        match self.arm {
            Arm::Pose { .. } => Stop {
                position: start.pose.position(),
                rotation: start.pose.matrix(),
                joints,
            },
            Arm::Joints { .. } => at_joints(joints),
        }
    }

    fn step<F: Real>(&self, action: &[F], from: &Stop) -> Stop {
        match &self.arm {
            Arm::Pose {
                position,
                rotation,
                mode,
            } => {
                let d = Vector3::from_fn(|axis, _| position[axis].value(action));
                let turn = rotation.as_ref().map(|(kind, columns)| {
                    let numbers = spelled(columns, action);
                    kind.matrix(&numbers)
                });
                let (p, r) = (from.position, from.rotation);
                let (position, rotation) = match mode {
                    PoseMode::Base => (p + d, turn.map_or(r, |turn| turn * r)),
                    PoseMode::Tool => (p + r * d, turn.map_or(r, |turn| r * turn)),
                    PoseMode::Absolute => (d, turn.unwrap_or(r)),
                };
                Stop {
                    position,
                    rotation,
                    joints: from.joints,
                }
            }
            Arm::Joints {
                columns,
                velocity_s,
            } => at_joints(std::array::from_fn(|joint| {
                let value = columns[joint].value(action);
                velocity_s.map_or(value, |seconds| from.joints[joint] + value * seconds)
            })),
        }
    }

    /// One step back: writes the gradient of its numbers and leaves in `load` what the pose before
    /// feels.
    fn back<F: Real>(
        &self,
        action: &[F],
        before: &Stop,
        after: &Stop,
        (force, torque): (Vector3<f64>, Vector3<f64>),
        load: &mut Load,
        gradient: &mut [F],
    ) {
        let mut write = |column: &Column, value: f64| {
            gradient[column.at] = F::from_f64(value * column.slope(action));
        };
        match &self.arm {
            Arm::Pose {
                position,
                rotation,
                mode,
            } => {
                let numbers = rotation
                    .as_ref()
                    .map(|(kind, columns)| (*kind, columns, spelled(columns, action)));
                if *mode == PoseMode::Absolute {
                    *load = Load::default();
                }
                load.force += force;
                load.torque += torque;
                let (of_d, of_turn) = match mode {
                    PoseMode::Base | PoseMode::Absolute => (load.force, load.torque),
                    PoseMode::Tool => {
                        let r = &before.rotation;
                        (r.tr_mul(&load.force), r.tr_mul(&load.torque))
                    }
                };
                for axis in 0..3 {
                    write(&position[axis], of_d[axis]);
                }
                if let Some((kind, columns, numbers)) = &numbers {
                    let of_numbers = kind.pull_back(&numbers[..], &of_turn);
                    for (column, value) in columns.iter().zip(of_numbers.iter()) {
                        write(column, *value);
                    }
                }
                match mode {
                    PoseMode::Base => {
                        if let Some((kind, _, numbers)) = &numbers {
                            load.torque = kind.matrix(&numbers[..]).tr_mul(&load.torque);
                        }
                    }
                    PoseMode::Tool => {
                        let moved = after.position - before.position;
                        load.torque += moved.cross(&load.force);
                    }
                    PoseMode::Absolute => {}
                }
            }
            Arm::Joints {
                columns,
                velocity_s,
            } => {
                let mut wrench = SVector::<f64, 6>::zeros();
                wrench.fixed_rows_mut::<3>(0).copy_from(&force);
                wrench.fixed_rows_mut::<3>(3).copy_from(&torque);
                let of_joints = Chain::new(&after.joints).jacobian().tr_mul(&wrench);
                let seconds = velocity_s.unwrap_or(1.0);
                if velocity_s.is_none() {
                    load.joints = SVector::zeros();
                }
                load.joints += of_joints;
                for (column, value) in columns.iter().zip(load.joints.iter()) {
                    write(column, value * seconds);
                }
            }
        }
    }
}

/// What later points exert.
#[derive(Default)]
struct Load {
    force: Vector3<f64>,
    torque: Vector3<f64>,
    joints: SVector<f64, JOINTS>,
}

fn at_joints(joints: JointVector) -> Stop {
    let chain = Chain::new(&joints);
    Stop {
        position: chain.position,
        rotation: chain.rotation,
        joints,
    }
}

fn spelled<F: Real>(columns: &[Column], action: &[F]) -> [f64; MAX_WIDTH] {
    let mut numbers = [0.0; MAX_WIDTH];
    for (number, column) in numbers.iter_mut().zip(columns) {
        *number = column.value(action);
    }
    numbers
}
