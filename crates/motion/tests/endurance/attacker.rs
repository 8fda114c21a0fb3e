//! Whoever sends the chunks, and wants the arm to break a limit.

use tiller_core::{
    ActionLayout, ActionMode, ArmColumns, Continuation, Frame, GripperColumn, RotationColumns,
    RotationKind,
};
use tiller_motion::{ActuatorStatus, Chunk, Limits};

/// A xorshift generator: the same seed gives the same attack everywhere.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    pub(crate) fn within(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * ((self.next() >> 11) as f64 / (1u64 << 53) as f64)
    }

    pub(crate) fn chance(&mut self, of: f64) -> bool {
        self.within(0.0, 1.0) < of
    }

    fn below(&mut self, count: usize) -> usize {
        (self.next() >> 33) as usize % count
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }

    /// One that no arm should see.
    fn poison(&mut self) -> f64 {
        self.pick(&[
            f64::NAN,
            f64::INFINITY,
            f64::NEG_INFINITY,
            5e-324,
            1e-310,
            -0.0,
            1e300,
            -1e300,
            f64::MAX,
            f64::MIN,
            1e9,
        ])
    }
}

/// What is tried for a while.
#[derive(Debug, Clone, Copy)]
enum Tactic {
    /// Anything.
    Anywhere,
    /// Always the same way, at a limit or beyond: into walls, the table, itself, joints' ends.
    Onwards,
    /// To and fro at the limits.
    Alternating,
    /// To a place, or joints, at the end of what can be reached.
    Cornered,
}

/// Sends chunks of one action mode.
pub(crate) struct Attacker {
    mode: ActionMode,
    kind: Option<RotationKind>,
    limits: Limits,
    tactic: Tactic,
    /// Chunks left of the tactic.
    left: u32,
    /// Where it leads, each from -1 to 1.
    direction: [f64; 7],
    rate_hz: f64,
    seq: u64,
}

impl Attacker {
    pub(crate) fn new(mode: ActionMode, kind: Option<RotationKind>, limits: Limits) -> Self {
        Self {
            mode,
            kind,
            limits,
            tactic: Tactic::Anywhere,
            left: 0,
            direction: [0.0; 7],
            rate_hz: 10.0,
            seq: 0,
        }
    }

    pub(crate) fn chunk(
        &mut self,
        random: &mut Random,
        status: &ActuatorStatus,
        now_ns: u64,
    ) -> Chunk {
        if self.left == 0 {
            self.left = random.within(3.0, 250.0) as u32;
            self.tactic = random.pick(&[
                Tactic::Anywhere,
                Tactic::Onwards,
                Tactic::Onwards,
                Tactic::Alternating,
                Tactic::Cornered,
                Tactic::Cornered,
            ]);
            self.direction = std::array::from_fn(|_| match random.below(3) {
                0 => random.pick(&[-1.0, 0.0, 1.0]),
                _ => random.within(-1.0, 1.0),
            });
            self.rate_hz = random.pick(&[1.0, 5.0, 10.0, 10.0, 15.0, 30.0, 50.0, 100.0]);
        }
        self.left -= 1;
        self.seq += 1;
        let layout = self.layout(random);
        let execute_steps = random.pick(&[1, 1, 2, 3, 4, 8]);
        let mut actions = Vec::new();
        for step in 0..execute_steps {
            actions.extend(self.row(random, &layout, status, step));
        }
        if random.chance(0.03) {
            let at = random.below(actions.len());
            actions[at] = random.poison();
        }
        let mut chunk = Chunk {
            seq: self.seq,
            stamp_ns: now_ns,
            anchor: status.anchor,
            layout,
            execute_steps,
            actions,
            continues: None,
        };
        self.spoil(random, status, &mut chunk);
        chunk
    }

    /// What else may be wrong with a chunk.
    fn spoil(&mut self, random: &mut Random, status: &ActuatorStatus, chunk: &mut Chunk) {
        if random.chance(0.3) {
            chunk.continues = Some(Continuation {
                seq: status.chunk_seq,
                step: status.chunk_step + random.below(2) as u32,
                frozen_steps: random.below(3) as u32,
            });
        }
        if random.chance(0.1) {
            let size = random.pick(&[0.001, 0.05, 0.0999, 0.1001, 10.0]);
            for value in &mut chunk.anchor.position_m {
                *value += random.within(-size, size);
            }
        }
        match random.below(100) {
            0 => chunk.seq = chunk.seq.saturating_sub(random.below(3) as u64),
            1 => chunk.layout.rate_hz = random.poison(),
            2 => chunk.stamp_ns = chunk.stamp_ns.saturating_sub(2_000_000_000),
            3 => chunk.stamp_ns = chunk.stamp_ns.saturating_add(random.next()),
            4 => chunk.execute_steps = random.below(300),
            5 => chunk.anchor.position_m[0] = random.poison(),
            6 => chunk.anchor.quaternion_wxyz[2] = random.within(-1.0, 1.0),
            _ => {}
        }
    }

    fn layout(&self, random: &mut Random) -> ActionLayout {
        let width = match (self.mode.is_joints(), self.kind) {
            (true, _) => 7,
            (false, kind) => 3 + kind.map_or(0, RotationKind::width),
        };
        let has_gripper = random.chance(0.5);
        ActionLayout {
            dim: width + usize::from(has_gripper),
            arm: if self.mode.is_joints() {
                ArmColumns::Joints([0, 1, 2, 3, 4, 5, 6])
            } else {
                ArmColumns::Pose {
                    position: [0, 1, 2],
                    rotation: self.kind.map(|kind| RotationColumns {
                        columns: (3..3 + kind.width()).collect(),
                        kind,
                    }),
                }
            },
            gripper: has_gripper.then_some(GripperColumn {
                column: width,
                open: 1.0,
                closed: -1.0,
            }),
            mode: self.mode,
            ..ActionLayout::position_deltas(3, [0, 1, 2], None, self.rate_hz)
        }
    }

    /// One step's numbers.
    fn row(
        &self,
        random: &mut Random,
        layout: &ActionLayout,
        status: &ActuatorStatus,
        step: usize,
    ) -> Vec<f64> {
        let beyond = random.pick(&[0.3, 0.99, 1.0, 1.0001, 1.5, 20.0]);
        let sign = match self.tactic {
            Tactic::Alternating if (self.left as usize + step).is_multiple_of(2) => -1.0,
            _ => 1.0,
        };
        let towards: [f64; 7] = std::array::from_fn(|index| match self.tactic {
            Tactic::Anywhere => random.within(-1.0, 1.0),
            _ => self.direction[index] * sign * random.within(0.9, 1.0),
        });
        let mut row = match self.mode {
            ActionMode::JointPosition => self.joints(&towards, beyond, status),
            ActionMode::JointVelocity => {
                let rates = self.limits.joint.velocity_rad_s;
                (0..7).map(|j| rates[j] * towards[j] * beyond).collect()
            }
            ActionMode::DeltaPose(Frame::Base | Frame::Tool) => self.delta(&towards, beyond),
            ActionMode::AbsolutePose => self.absolute(&towards, beyond, status),
        };
        if layout.gripper.is_some() {
            row.push(random.pick(&[-1.0, 1.0, 0.0, 1.0005, -7.0, 1e300]));
        }
        row
    }

    fn joints(&self, towards: &[f64; 7], beyond: f64, status: &ActuatorStatus) -> Vec<f64> {
        let joint = &self.limits.joint;
        let place = |j: usize| {
            let (low, high) = (joint.position_min_rad[j], joint.position_max_rad[j]);
            let (middle, half) = (0.5 * (low + high), 0.5 * (high - low));
            match self.tactic {
                // At a joint's end and just beyond; where two links are in one place as well.
                Tactic::Cornered => middle + half * self.direction[j] * beyond.min(1.5),
                Tactic::Anywhere => middle + half * towards[j],
                _ => status.anchor_q_rad[j] + 0.2 * towards[j] * beyond,
            }
        };
        (0..7).map(place).collect()
    }

    fn delta(&self, towards: &[f64; 7], beyond: f64) -> Vec<f64> {
        let (metres, radians) = (self.limits.max_step_m, self.limits.max_step_rad);
        let mut row: Vec<f64> = towards[..3].iter().map(|t| t * metres * beyond).collect();
        if let Some(kind) = self.kind {
            row.extend(spelled(kind, towards, radians * beyond));
        }
        row
    }

    fn absolute(&self, towards: &[f64; 7], beyond: f64, status: &ActuatorStatus) -> Vec<f64> {
        let bounds = &self.limits.workspace.bounds;
        let place = |axis: usize| {
            let (low, high) = (bounds.min_m[axis], bounds.max_m[axis]);
            let (middle, half) = (0.5 * (low + high), 0.5 * (high - low));
            match self.tactic {
                Tactic::Cornered => middle + half * self.direction[axis] * beyond.min(1.5),
                Tactic::Anywhere => middle + half * towards[axis],
                _ => status.anchor.position_m[axis] + 0.06 * towards[axis] * beyond,
            }
        };
        let mut row: Vec<f64> = (0..3).map(place).collect();
        if let Some(kind) = self.kind {
            row.extend(spelled(kind, towards, 3.2));
        }
        row
    }
}

/// A rotation by up to so many radians about each axis, in numbers that may spell none.
fn spelled(kind: RotationKind, towards: &[f64; 7], size: f64) -> Vec<f64> {
    let [_, _, _, x, y, z, w] = *towards;
    match kind {
        RotationKind::RotationVector | RotationKind::EulerXyz => {
            vec![x * size, y * size, z * size]
        }
        RotationKind::QuaternionWxyz | RotationKind::QuaternionXyzw => vec![w, x, y, z],
        RotationKind::Matrix6d => vec![x, y, z, w, -x, towards[0]],
    }
}
