//! A block into the drawer: grasped, carried over its front, lowered and let go.

use super::grasp::{Fingers, above as above_block, closed, grasp, opened};
use super::terms::{ABOVE, TRAVEL_Z_M, offset_to_height, reach};
use crate::program::{number, tensor};
use crate::scene::Point;
use tiller_vlm::text::StageText;

/// The handle's keypoint stands nearer to the robot than this when the drawer is open, m: shut it is at
/// 0.594, open at 0.434 or nearer, and scenes shift both by up to 0.05.
const OPEN_X_M: f64 = 0.514;
/// From the handle's keypoint to the middle of what is accessible of the open drawer along x, m.
const INSIDE_X_M: f64 = 0.130;
/// How far from there a block may lie and be inside for sure, m along x and y.
const INSIDE_M: f64 = 0.045;
/// Height of the end effector when it lets go, m: the block hangs between the drawer's sides, which end at
/// 0.063, and the palm is above its front, which ends at 0.078.
const RELEASE_Z_M: f64 = 0.070;
/// A block's keypoint is at 0.048 when it lies in the drawer, and above this in the hand, m.
const LYING_Z_M: f64 = 0.062;

/// Whether the drawer is shut.
pub(super) fn is_shut(handle: &Point) -> bool {
    handle.position_m[0] > OPEN_X_M
}

/// By how much a block moves on its way into the drawer, m.
pub(super) fn way(block: &Point, handle: &Point) -> [f64; 2] {
    let [x, y, _] = block.position_m;
    let [to_x, to_y, _] = handle.position_m;
    [to_x + INSIDE_X_M - x, to_y - y]
}

/// Into the open drawer; a block that is `held` need not be grasped.
pub(super) fn put(block: &Point, handle: &Point, held: bool, fingers: Fingers) -> Vec<StageText> {
    let (index, bar) = (block.index, handle.index);
    let above = |height_m: f64| [INSIDE_X_M, 0.0, offset_to_height(height_m, handle)];
    let inside = [
        format!(
            "inside = torch.abs(keypoints[{index}] - keypoints[{bar}] - {})",
            tensor([INSIDE_X_M, 0.0, 0.0])
        ),
        format!(
            "margin = {} - torch.maximum(inside[0], inside[1])",
            number(INSIDE_M)
        ),
    ];
    let done = |last: String| {
        let mut lines = inside.to_vec();
        lines.push(last);
        lines
    };
    let mut stages = Vec::new();
    if !held {
        stages.push(above_block(block, fingers));
        stages.extend(grasp(block, fingers));
    }
    let mut carry = reach(
        "carry the block over the drawer",
        bar,
        above(TRAVEL_Z_M),
        ABOVE,
    );
    carry.done = done("return margin".to_owned());
    let mut lower = reach(
        "lower the block into the drawer and release it",
        bar,
        above(RELEASE_Z_M),
        ABOVE,
    );
    lower.done = done(format!(
        "return torch.minimum(margin, {} - keypoints[{index}][2])",
        number(block.above_table_m(LYING_Z_M))
    ));
    let mut rise = reach(
        "rise above the drawer and leave the block there",
        bar,
        above(TRAVEL_Z_M),
        ABOVE,
    );
    rise.done = done(format!(
        "return torch.minimum(margin, end_effector[2] - keypoints[{index}][2] - 0.050)"
    ));
    if fingers == Fingers::Guided {
        let open = |stage: StageText| StageText {
            done: stage.done.clone(),
            ..opened(stage)
        };
        carry = closed(carry, false);
        (lower, rise) = (open(lower), open(rise));
    }
    stages.extend([carry, lower, rise]);
    stages
}
