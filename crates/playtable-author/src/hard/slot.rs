//! A block between two walls.

use tiller_reward::HandAccess;
use tiller_vlm::text::StageText;

use super::Suite;
use super::steps::{AT, OVER, axis, carried, go, holding, middle_m, releasing, turned};
use crate::program::number;
use crate::recipes::block::LOW_Z_M;
use crate::recipes::grasp::{self, Fingers};
use crate::recipes::terms::TRAVEL_Z_M;
use crate::scene::Scene;

pub(super) struct Slot;

const SAID: [&str; 2] = [
    "put|place|insert|fit|push the red block|cube into|in|inside the slot",
    "put|place|set the red block|cube between the ?two walls ?of ?the ?slot",
];

/// The walls' keypoints lie on what the camera sees of them, their tops and far faces, m.
const WALL_X_M: f64 = -0.004;
/// The hand has left the slot at this height, and a block's keypoint is below the other when it lies on the table, m:
/// on the walls it would be at 0.06.
const LEFT_Z_M: f64 = 0.080;
const LYING_Z_M: f64 = 0.044;

impl Suite for Slot {
    fn said(&self) -> &'static [(&'static str, &'static [&'static str])] {
        &[("slot_red", &SAID)]
    }

    fn stages(&self, _id: &str, scene: &Scene, hand: HandAccess) -> Option<Vec<StageText>> {
        let block = scene.find("red block")?;
        let [x, y, _] = middle_m(scene, "slot wall")?;
        let across = axis(scene, "slot wall")?;
        let fingers = Fingers::of(hand);
        let place = |z_m: f64| [x + WALL_X_M, y, z_m];
        let turned = |stage: StageText| turned(stage, across, hand);
        let mut stages = grasp::lift(block, fingers);
        let carry = go("carry the block over the slot", place(TRAVEL_Z_M), OVER);
        let lower = go("lower the block into the slot", place(LOW_Z_M), AT);
        let let_go = go("let go of the block", place(LOW_Z_M), AT);
        let mut leave = go(
            "open the fingers and leave the block",
            place(TRAVEL_Z_M),
            OVER,
        );
        leave.done = vec![
            format!("up = end_effector[2] - {}", number(LEFT_Z_M)),
            format!(
                "low = {} - keypoints[{}][2]",
                number(LYING_Z_M),
                block.index
            ),
            "return torch.minimum(up, low)".to_owned(),
        ];
        stages.extend([
            turned(carried(holding(carry, fingers), block)),
            turned(carried(holding(lower, fingers), block)),
        ]);
        if fingers == Fingers::Guided {
            stages.push(turned(releasing(let_go, fingers)));
        }
        stages.push(releasing(leave, fingers));
        Some(stages)
    }
}
