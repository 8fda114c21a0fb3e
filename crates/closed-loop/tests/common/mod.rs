//! A policy that wanders and a program with a stage of each kind.

use tiller_core::ActionLayout;
use tiller_steering::{ActionSpace, Denoiser, DenoiserError};

/// Where the handle is, the first keypoint, m.
pub(crate) const HANDLE: [f64; 3] = [0.55, 0.15, 0.15];
/// Handle and cup, m.
pub(crate) const KEYPOINTS: [[f64; 3]; 2] = [HANDLE, [0.5, -0.2, 0.02]];

pub(crate) const PROGRAM: &str = "
num_stages = 3
# Stage 1: reach the handle
def stage1_guidance(keypoints, action_sequence):
    return -torch.norm(action_sequence[:, -1] - keypoints[0], dim=-1).mean()
def stage1_done(keypoints, start_keypoints, end_effector):
    return 0.02 - torch.norm(end_effector - keypoints[0])
# Stage 2: let the policy grasp
def stage2_guidance(keypoints, action_sequence):
    return 0
def stage2_done(keypoints, start_keypoints, end_effector):
    return torch.norm(keypoints[0] - start_keypoints[0]) - 0.05
# Stage 3: pull along x
def stage3_guidance(keypoints, action_sequence):
    return (action_sequence[:, -1, 0] - action_sequence[:, 0, 0]).mean()
";

/// Independent normalised actions with mean 0 and deviation 0.4: the exact velocity.
pub(crate) struct Wanderer {
    /// Actions of a chunk.
    pub(crate) horizon: usize,
    /// Columns of an action.
    pub(crate) action_dim: usize,
}

impl Denoiser for Wanderer {
    fn horizon(&self) -> usize {
        self.horizon
    }
    fn action_dim(&self) -> usize {
        self.action_dim
    }
    fn predict(
        &mut self,
        sample: &[f32],
        _: usize,
        time: f32,
        out: &mut [f32],
    ) -> Result<(), DenoiserError> {
        let (rest, data) = (1.0 - time, 0.16);
        let factor = (time - rest * data) / (rest * rest * data + time * time);
        out.iter_mut()
            .zip(sample)
            .for_each(|(v, x)| *v = factor * x);
        Ok(())
    }
}

/// Displacements of up to 0.03 m along an axis, and a gripper.
pub(crate) fn space(rate_hz: f64) -> ActionSpace {
    ActionSpace::from_min_max(
        ActionLayout::position_deltas(4, [0, 1, 2], Some(3), rate_hz),
        &[-0.03, -0.03, -0.03, -1.0],
        &[0.03, 0.03, 0.03, 1.0],
    )
}
