//! What of the hand the policy in question lets rewards move.

use clap::Args;
use tiller_reward::{Access, HandAccess};
use tiller_steering::Guide;

#[derive(Args, Clone, Copy, Debug)]
pub(super) struct HandArgs {
    /// What guidance may move with the policy in question: `position`, and `,rotation` or `,gripper` or
    /// both after it. Programs can ask for nothing else.
    #[arg(
        long,
        value_name = "BLOCKS",
        default_value = "position,rotation,gripper"
    )]
    guide: Guide,
}

impl HandArgs {
    pub(super) fn access(self) -> HandAccess {
        let access = |is_moved| match is_moved {
            true => Access::Guide,
            false => Access::Absent,
        };
        HandAccess {
            rotations: access(self.guide.rotation),
            gripper: access(self.guide.gripper),
        }
    }
}
