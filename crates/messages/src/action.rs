//! What the sampler wants the arm to do, and what else it considered.

use crate::message::{check_length, message};
use crate::{Message, MessageError};

message! {
    /// A sequence of policy actions.
    pub struct ActionChunk {
        /// Counts from 1.
        pub seq: u64,
        /// Stamp of the observation that it was planned from, ns.
        pub stamp_ns: u64,
        /// Stage that it serves, counted from 1; 0 for unsteered chunks.
        pub stage: u32,
        /// Where the deltas start, `[3]`, m.
        pub anchor_position_m: [f64; 3],
        /// Actions a second.
        pub rate_hz: f64,
        /// How many of the actions are to be executed before the arm holds still.
        pub execute_steps: u32,
        /// Actions in the chunk, T.
        pub horizon: u32,
        /// Numbers in an action, D.
        pub action_dim: u32,
        /// `[T x D]` row-major, unnormalised.
        pub actions: Vec<f32>,
        /// Columns of an action that hold x, y and z in metres.
        pub position_columns: [u32; 3],
        /// Column that holds the gripper, -1 close to +1 open; none if the policy has no say in it.
        pub gripper_column: Option<u32>,
        /// Positions are deltas a step from the anchor on; else absolute.
        pub delta: bool,
        /// The `seq` of the chunk under way that this one carries on; 0 if it starts afresh.
        pub continues_seq: u64,
        /// The step of that chunk that action 0 repeats.
        pub continues_step: u32,
        /// How many leading actions repeat that chunk's, because they are executed while this one
        /// is planned.
        pub frozen_steps: u32,
    }
    check ActionChunk::check;
}

impl ActionChunk {
    /// The actions, one row of D numbers each.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = &[f32]> {
        self.actions.chunks_exact(self.action_dim.max(1) as usize)
    }

    fn check(&self) -> Result<(), MessageError> {
        let (horizon, dim) = (self.horizon as usize, self.action_dim as usize);
        check_length(
            Self::NAME,
            "actions",
            horizon.saturating_mul(dim),
            self.actions.len(),
        )?;
        let columns = self.position_columns.iter().chain(&self.gripper_column);
        for &column in columns {
            if column >= self.action_dim {
                return Err(MessageError::Value {
                    message: Self::NAME,
                    column: "position_columns, gripper_column",
                    expected: format!("columns below {dim}"),
                    found: column.to_string(),
                });
            }
        }
        if self.execute_steps == 0 || self.execute_steps > self.horizon {
            return Err(MessageError::Value {
                message: Self::NAME,
                column: "execute_steps",
                expected: format!("1 to {horizon}"),
                found: self.execute_steps.to_string(),
            });
        }
        if self.frozen_steps >= self.execute_steps {
            return Err(MessageError::Value {
                message: Self::NAME,
                column: "frozen_steps",
                expected: format!("below execute_steps = {}", self.execute_steps),
                found: self.frozen_steps.to_string(),
            });
        }
        Ok(())
    }
}

message! {
    /// All particles of one sampling run, for viewing.
    pub struct Candidates {
        /// Counts from 1.
        pub seq: u64,
        /// Stamp of the observation, ns.
        pub stamp_ns: u64,
        /// The chunk that came of it.
        pub chunk_seq: u64,
        /// Particles, B.
        pub particles: u32,
        /// Points of a trajectory, T + 1; the first is the anchor.
        pub points: u32,
        /// `[B x (T + 1) x 3]` row-major, m.
        pub xyz_m: Vec<f32>,
        /// Reward of each particle, `[B]`; empty when unsteered.
        pub rewards: Vec<f32>,
        /// Index of the particle that was chosen.
        pub selected: u32,
    }
    check Candidates::check;
}

impl Candidates {
    fn check(&self) -> Result<(), MessageError> {
        let (particles, points) = (self.particles as usize, self.points as usize);
        let expected = particles.saturating_mul(points).saturating_mul(3);
        check_length(Self::NAME, "xyz_m", expected, self.xyz_m.len())?;
        if !self.rewards.is_empty() {
            check_length(Self::NAME, "rewards", particles, self.rewards.len())?;
        }
        if self.selected >= self.particles {
            return Err(MessageError::Value {
                message: Self::NAME,
                column: "selected",
                expected: format!("below {particles}"),
                found: self.selected.to_string(),
            });
        }
        Ok(())
    }
}
