//! What is asked of a planner: everything that a plan is made of, by value, so that a request can
//! wait, travel to another thread, or be recorded and asked again.

use std::sync::Arc;

use serde::Serialize;
use tiller_core::kinematics::HOME_Q;
use tiller_core::{
    Continuation, EpisodeId, GRIPPER_OPEN_M, Pose, ProgramId, StateComponent, Visit,
};
use tiller_messages::{ArmState, ExecutionState};
use tiller_reward::Program;

/// One moment to plan from.
#[derive(Debug, Clone, Serialize)]
pub struct PlanRequest {
    /// Counts the requests of a sampler, from 1.
    pub id: u64,
    /// The episode under way.
    pub episode: EpisodeId,
    /// What the robot is told to do in it; of policies that read.
    #[serde(skip)]
    pub instruction: String,
    /// The visit that the chunk is for; no stage where nothing steers.
    pub visit: Visit,
    /// Stamp of the observation to plan from, ns.
    pub observation_ns: u64,
    /// What the arm measured last.
    pub arm: ArmState,
    /// What the actuator was doing; the chunk starts at its anchor.
    pub execution: ExecutionState,
    /// The keypoints now, in the program's order, `[K]`, m.
    pub keypoints: Vec<[f64; 3]>,
    /// The axes of the things that they are on, `[K]`; empty where none are known.
    pub keypoint_axes: Vec<[[f64; 3]; 3]>,
    /// The reward that steers; without, the policy is sampled as it is.
    #[serde(skip)]
    pub program: Option<Arc<Program>>,
    /// Progress of the chunk planned last; fades guidance.
    pub planned_progress: f64,
    /// What the guidance strength is multiplied by, 1 unless the stage has reached a plateau.
    pub gain: f32,
    /// From the stage's reward at entry to that of its goal, in units of reward: what inverse
    /// temperatures count in; 0 where it is not known.
    pub way: f64,
    /// With the chunk's index the source of all randomness.
    pub seed: u64,
    /// Index of the chunk in the episode, from 0.
    pub chunk_index: u64,
    /// Set if the plan is made while the one before is executed.
    pub carry_on: Option<CarryOn>,
}

impl PlanRequest {
    /// A request outside of any run: the first chunk of a visit, for an arm at rest with the hand
    /// straight down, `anchor_m` where the chunk starts and `end_effector_m` where the arm is
    /// measured to be.
    #[must_use]
    pub fn outside_of_runs(
        program: Option<Arc<Program>>,
        stage: u32,
        keypoints: &[[f64; 3]],
        anchor_m: [f64; 3],
        end_effector_m: [f64; 3],
    ) -> Self {
        Self {
            id: 1,
            episode: EpisodeId(1),
            instruction: String::new(),
            visit: Visit {
                program: ProgramId(1),
                stage: if program.is_some() { stage } else { 0 },
                visit: 1,
            },
            observation_ns: 0,
            arm: ArmState {
                tcp: Pose::down(end_effector_m),
                gripper_width_m: GRIPPER_OPEN_M,
                ..Default::default()
            },
            execution: ExecutionState {
                anchor: Pose::down(anchor_m),
                anchor_q_rad: HOME_Q,
                step_start: Pose::down(anchor_m),
                step_start_q_rad: HOME_Q,
                ..Default::default()
            },
            keypoints: keypoints.to_vec(),
            keypoint_axes: Vec::new(),
            program,
            planned_progress: 0.0,
            gain: 1.0,
            way: 0.0,
            seed: 0,
            chunk_index: 0,
            carry_on: None,
        }
    }
}

/// Numbers in the state that policies are shown which do not say what they want to know.
pub const POLICY_STATE: usize = 4;

/// Writes the state that a policy is shown, in place of what was in `out`: of a policy that does not
/// say what it wants to know TCP x, y, z and gripper width, m.
pub fn policy_state(components: &[StateComponent], arm: &ArmState, out: &mut Vec<f32>) {
    StateComponent::write(components, &arm.tcp, arm.gripper_width_m, out);
}

/// How a plan carries on the chunk that is being executed.
#[derive(Debug, Clone, Serialize)]
pub struct CarryOn {
    /// Which of its steps are repeated.
    pub continuation: Continuation,
    /// Whether the goal is still the same: then what both plans cover may be drawn together.
    pub same_goal: bool,
    /// The chunk under way.
    #[serde(skip)]
    pub under_way: Arc<UnderWay>,
}

/// What of a plan the next one may repeat.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct UnderWay {
    /// The chunk, normalised `[T, D]`, from row 0 of the policy's horizon on.
    pub sample: Vec<f32>,
    /// How far the gripper is open, 0 to 1, where its executed steps begin and the last one ends, `[P]`.
    pub openings: Vec<f64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_is_told_what_it_asks_for() {
        let arm = ArmState {
            tcp: Pose::down([0.4, 0.1, 0.2]),
            gripper_width_m: 0.06,
            ..Default::default()
        };
        let mut state = Vec::new();
        policy_state(StateComponent::DEFAULT, &arm, &mut state);
        assert_eq!(state, [0.4, 0.1, 0.2, 0.06]);
        assert_eq!(state.len(), POLICY_STATE);
        let wanted = [
            StateComponent::Position,
            StateComponent::Rotation6d,
            StateComponent::GripperWidth,
        ];
        policy_state(&wanted, &arm, &mut state);
        assert_eq!(state.len(), 10);
        assert_eq!(
            (state[2], state[3], state[7], state[9]),
            (0.2, 1.0, -1.0, 0.06)
        );
    }
}
