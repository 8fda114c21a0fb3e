//! Action chunks as they come from a policy.

use tiller_core::{ActionLayout, Continuation, Pose};

use crate::action::Action;

/// Most steps of a chunk that are executed.
pub const MAX_STEPS: usize = 256;

/// A policy's plan: actions, and what their numbers mean.
#[derive(Debug, Clone, PartialEq)]
pub struct Chunk {
    /// Increases with every chunk.
    pub seq: u64,
    /// When the observation was taken that the plan is made from, ns.
    pub stamp_ns: u64,
    /// TCP pose in the base frame that the plan starts from. Displacements add up from here. Joint
    /// chunks start from where the actuator's joints are due, which must be near it.
    pub anchor: Pose,
    /// What the columns of `actions` mean, and the rate.
    pub layout: ActionLayout,
    /// How many steps are executed, from the first; at most [`MAX_STEPS`].
    pub execute_steps: usize,
    /// The plan, `layout.dim` numbers a step, the steps one after the other; may reach beyond what
    /// is executed.
    pub actions: Vec<f64>,
    /// The chunk under way that this one was planned to carry on, if it was: then it joins that
    /// chunk's path, and the anchor says only where its planner believed step 0 to begin.
    pub continues: Option<Continuation>,
}

/// A displacement of the hand and what the gripper does meanwhile: the plainest action.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ActionStep {
    /// Displacement of the TCP during this step in the base frame, m.
    pub delta_position_m: [f64; 3],
    /// From -1 (close) to +1 (open).
    pub gripper: f64,
}

impl Chunk {
    /// All of `steps` from `anchor`, with the orientation left alone; sequence number and stamp 0.
    pub fn of_displacements(anchor: Pose, rate_hz: f64, steps: &[ActionStep]) -> Self {
        let row = |step: &ActionStep| {
            let [x, y, z] = step.delta_position_m;
            [x, y, z, step.gripper]
        };
        Self {
            seq: 0,
            stamp_ns: 0,
            anchor,
            layout: ActionLayout::position_deltas(4, [0, 1, 2], Some(3), rate_hz),
            execute_steps: steps.len(),
            actions: steps.iter().flat_map(row).collect(),
            continues: None,
        }
    }

    /// Steps of the plan, executed or not.
    pub fn step_count(&self) -> usize {
        self.actions.len() / self.layout.dim.max(1)
    }

    /// One step, of a chunk whose layout is sound.
    pub(crate) fn action(&self, step: usize) -> Action<'_> {
        let dim = self.layout.dim;
        Action {
            layout: &self.layout,
            numbers: &self.actions[step * dim..(step + 1) * dim],
        }
    }
}
