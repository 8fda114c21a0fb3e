//! What the sampler wants the arm to do, and what else it considered.

use tiller_core::{ActionLayout, Continuation, EpisodeId, JOINTS, MAX_STATUS, Pose, ProgramId};

use crate::message::{check_length, message};
use crate::{Message, MessageError};

message! {
    /// A sequence of policy actions, and what each of their columns means.
    pub struct ActionChunk {
        /// Stamp of the observation that it was planned from, ns.
        pub stamp_ns: u64,
        /// The episode that it was planned in.
        pub episode: EpisodeId,
        /// The program that steered it; 0 for unsteered chunks.
        pub program: ProgramId,
        /// Stage that it serves, counted from 1; 0 for unsteered chunks.
        pub stage: u32,
        /// Where its displacements start, in the base frame.
        pub anchor: Pose,
        /// The joints there, `[7]`, rad; where joint velocities start.
        pub anchor_q_rad: [f64; JOINTS],
        /// How many of the actions are to be executed before the arm holds still.
        pub execute_steps: u32,
        /// Actions in the chunk, T.
        pub horizon: u32,
        /// `[T x D]` row-major, unnormalised; D is the layout's `action_dim`.
        pub actions: Vec<f32>,
        /// What the columns mean.
        pub layout: ActionLayout,
        /// Wall time that planning took, ns; 0 for chunks that nobody planned.
        pub planning_ns: u64,
        /// Set if it carries on the chunk under way; else it starts afresh.
        pub continues: Option<Continuation>,
    }
    check ActionChunk::check;
}

impl ActionChunk {
    /// The actions, one row of D numbers each.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = &[f32]> {
        self.actions.chunks_exact(self.layout.dim.max(1))
    }

    fn check(&self) -> Result<(), MessageError> {
        let (horizon, dim) = (self.horizon as usize, self.layout.dim);
        check_length(
            Self::NAME,
            "actions",
            horizon.saturating_mul(dim),
            self.actions.len(),
        )?;
        if self.execute_steps == 0 || self.execute_steps > self.horizon {
            return Err(MessageError::Value {
                message: Self::NAME,
                column: "execute_steps",
                expected: format!("1 to {horizon}"),
                found: self.execute_steps.to_string(),
            });
        }
        let frozen_steps = self.continues.map_or(0, |c| c.frozen_steps);
        if frozen_steps >= self.execute_steps {
            return Err(MessageError::Value {
                message: Self::NAME,
                column: "frozen_steps",
                expected: format!("below execute_steps = {}", self.execute_steps),
                found: frozen_steps.to_string(),
            });
        }
        Ok(())
    }
}

message! {
    /// All particles of one sampling run, for viewing.
    pub struct Candidates {
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
        let counts = [self.particles, self.points, self.selected];
        check_particles(Self::NAME, counts, &self.xyz_m, &self.rewards)
    }
}

/// Whether trajectories and rewards are those of so many particles and points, and one of them was chosen.
fn check_particles(
    message: &'static str,
    [particles, points, selected]: [u32; 3],
    xyz_m: &[f32],
    rewards: &[f32],
) -> Result<(), MessageError> {
    let (count, points) = (particles as usize, points as usize);
    let expected = count.saturating_mul(points).saturating_mul(3);
    check_length(message, "xyz_m", expected, xyz_m.len())?;
    if !rewards.is_empty() {
        check_length(message, "rewards", count, rewards.len())?;
    }
    if selected >= particles {
        return Err(MessageError::Value {
            message,
            column: "selected",
            expected: format!("below {particles}"),
            found: selected.to_string(),
        });
    }
    Ok(())
}

message! {
    /// What would come first of a program that waits for a decision, planned from what is seen now and executed by
    /// nobody.
    pub struct DryPlan {
        /// Stamp of the observation, ns.
        pub stamp_ns: u64,
        /// The program that waits.
        pub program: ProgramId,
        /// The stage that it is for, counted from 1.
        pub stage: u32,
        /// Particles, B; 0 where there is no plan.
        pub particles: u32,
        /// Points of a trajectory, T + 1; the first is the anchor.
        pub points: u32,
        /// `[B x (T + 1) x 3]` row-major, m.
        pub xyz_m: Vec<f32>,
        /// Reward of each particle, `[B]`; empty where the stage has none.
        pub rewards: Vec<f32>,
        /// Index of the particle that would be executed.
        pub selected: u32,
        /// Why there is no plan; empty where there is one.
        pub problem: String,
    }
    cut problem to MAX_STATUS;
    check DryPlan::check;
}

impl DryPlan {
    fn check(&self) -> Result<(), MessageError> {
        if self.particles == 0 {
            return check_length(Self::NAME, "xyz_m", 0, self.xyz_m.len());
        }
        let counts = [self.particles, self.points, self.selected];
        check_particles(Self::NAME, counts, &self.xyz_m, &self.rewards)
    }
}

/// Most points of a trajectory: receivers compile programs for as many.
const MAX_POINTS: u32 = 1025;

message! {
    /// What the sampler's policy demands of reward programs, said by the sampler at its start.
    pub struct ProgramContract {
        /// Name of the policy bundle.
        pub policy: String,
        /// Points of a trajectory, T + 1, 2 to 1025: what programs are compiled for.
        pub points: u32,
        /// Guidance may move the rotation.
        pub guides_rotation: bool,
        /// Guidance may move the gripper.
        pub guides_gripper: bool,
        /// What the policy's actions hold.
        pub layout: ActionLayout,
    }
    check ProgramContract::check;
}

impl ProgramContract {
    fn check(&self) -> Result<(), MessageError> {
        if (2..=MAX_POINTS).contains(&self.points) {
            return Ok(());
        }
        Err(MessageError::Value {
            message: Self::NAME,
            column: "points",
            expected: format!("2 to {MAX_POINTS}"),
            found: self.points.to_string(),
        })
    }
}
