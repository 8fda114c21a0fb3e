//! A block on another.

use tiller_reward::HandAccess;
use tiller_vlm::text::StageText;

use super::Suite;
use super::steps::{AT, OVER, carried, holding, releasing};
use crate::program::number;
use crate::recipes::block::{LOW_Z_M, MIDDLE_X_M};
use crate::recipes::grasp::{self, Fingers};
use crate::recipes::terms::{TRAVEL_Z_M, reach};
use crate::scene::Scene;

pub(super) struct Stack;

const SAID: [&str; 2] = [
    "stack|put|place|set the red block|cube on|onto|upon ?top ?of the yellow block|cube|one",
    "stack the red block|cube and the yellow block|cube with the red one on top",
];

/// From the keypoint of a block, which lies below its top, to the top, m.
const TOP_M: f64 = 0.008;
/// Room between the blocks when the upper one is let go, m.
const GAP_M: f64 = 0.003;
/// The hand has left the blocks when it is this far above, m.
const LEFT_M: f64 = 0.040;
/// The upper block's keypoint is above the lower one's by more than this when it lies on it, m.
const ON_M: f64 = 0.025;

impl Suite for Stack {
    fn said(&self) -> &'static [(&'static str, &'static [&'static str])] {
        &[("stack_red", &SAID)]
    }

    fn stages(&self, _id: &str, scene: &Scene, hand: HandAccess) -> Option<Vec<StageText>> {
        let (upper, lower) = (scene.find("red block")?, scene.find("yellow block")?);
        let fingers = Fingers::of(hand);
        let over = |above_m: f64| [MIDDLE_X_M, 0.0, above_m];
        let high_m = TRAVEL_Z_M - lower.position_m[2];
        let place_m = TOP_M + LOW_Z_M + GAP_M;
        let mut stages = grasp::lift(upper, fingers);
        let carry = reach(
            "carry the block over the other",
            lower.index,
            over(high_m),
            OVER,
        );
        let lower_it = reach("set the block on the other", lower.index, over(place_m), AT);
        let mut leave = reach(
            "open the fingers and leave the block there",
            lower.index,
            over(high_m),
            OVER,
        );
        leave.done = vec![
            format!(
                "up = end_effector[2] - keypoints[{}][2] - {}",
                upper.index,
                number(LEFT_M)
            ),
            format!(
                "on = keypoints[{}][2] - keypoints[{}][2] - {}",
                upper.index,
                lower.index,
                number(ON_M)
            ),
            "return torch.minimum(up, on)".to_owned(),
        ];
        let let_go = reach("let go of the block", lower.index, over(place_m), AT);
        stages.extend([
            carried(holding(carry, fingers), upper),
            carried(holding(lower_it, fingers), upper),
        ]);
        if fingers == Fingers::Guided {
            stages.push(releasing(let_go, fingers));
        }
        stages.push(releasing(leave, fingers));
        Some(stages)
    }
}
