//! A block into a drawer that points anywhere, and the drawer shut.

use tiller_reward::HandAccess;
use tiller_vlm::text::StageText;

use super::Suite;
use super::steps::{
    AT, OVER, along, carried, direction, go, holding, middle_m, releasing, travelled,
};
use crate::program::number;
use crate::recipes::grasp::{self, Fingers, and_done};
use crate::recipes::terms::TRAVEL_Z_M;
use crate::scene::Scene;

pub(super) struct Into;

const SAID: [&str; 3] = [
    "put|place the red block|cube into|in|inside the drawer and shut|close it inside",
    "put|place the red block|cube into|in|inside the drawer and ?then shut|close the drawer ?with ?it ?inside",
    "shut|close the red block|cube into|in|inside the drawer",
];

/// From the keypoint on the bar to where a block is let go, and to before the bar, m.
const INSIDE_M: f64 = 0.130;
const BEFORE_M: f64 = 0.065;
/// How far the hand follows the bar, and by how much an open drawer moves when it is shut, m. One that was less open
/// is pushed on, which does no harm.
const AIM_M: f64 = 0.150;
const SHUT_M: f64 = 0.140;
/// Height of the hand that lets go, and at the bar, m.
const RELEASE_Z_M: f64 = 0.072;
const BAR_Z_M: f64 = 0.045;
/// A block's keypoint in the drawer is below this, m.
const LYING_Z_M: f64 = 0.062;
/// The hand is above the drawer by this when it has left the block there, m.
const LEFT_Z_M: f64 = 0.110;

impl Suite for Into {
    fn said(&self) -> &'static [(&'static str, &'static [&'static str])] {
        &[("into_drawer", &SAID)]
    }

    fn stages(&self, _id: &str, scene: &Scene, hand: HandAccess) -> Option<Vec<StageText>> {
        let (block, bar) = (scene.find("red block")?, scene.find("drawer handle")?);
        let inwards = direction(bar.position_m, middle_m(scene, "drawer")?)?;
        let fingers = Fingers::of(hand);
        let place = |by_m: f64, z_m: f64| along(bar.position_m, inwards, by_m, z_m);
        let mut stages = grasp::lift(block, fingers);
        let carry = go(
            "carry the block over the drawer",
            place(INSIDE_M, TRAVEL_Z_M),
            OVER,
        );
        let mut lower = go(
            "lower the block into the drawer and release it",
            place(INSIDE_M, RELEASE_Z_M),
            AT,
        );
        lower.done = vec![format!(
            "return {} - keypoints[{}][2]",
            number(LYING_Z_M),
            block.index
        )];
        let mut rise = go("leave the block there", place(INSIDE_M, TRAVEL_Z_M), OVER);
        rise.done = vec![format!("return end_effector[2] - {}", number(LEFT_Z_M))];
        let mut shut = go("push the drawer shut", place(AIM_M, BAR_Z_M), AT);
        shut.done = travelled(bar, inwards, SHUT_M);
        let before = go("go down before the handle", place(-BEFORE_M, BAR_Z_M), AT);
        stages.extend([
            carried(holding(carry, fingers), block),
            carried(releasing_at_once(lower, fingers), block),
            releasing(rise, fingers),
            go(
                "move above a place before the handle",
                place(-BEFORE_M, TRAVEL_Z_M),
                OVER,
            ),
            holding(before, fingers),
            holding(shut, fingers),
        ]);
        Some(stages)
    }
}

/// Opens the fingers at the place, which the block's fall ends.
fn releasing_at_once(stage: StageText, fingers: Fingers) -> StageText {
    let done = stage.done.clone();
    let mut stage = StageText {
        done,
        ..releasing(stage, fingers)
    };
    and_done(&mut stage, "0.090 - end_effector[2]");
    stage
}
