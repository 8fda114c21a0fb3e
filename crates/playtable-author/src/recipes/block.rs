//! Recipes for the blocks.

use super::room::Approach;
use super::terms::{
    ABOVE, AT_CONTACT, STILL, TRAVEL_Z_M, distance_at_height, offset_to_height, reach, sweep,
};
use crate::program::{StageText, number, tensor};
use crate::scene::Point;
use crate::understand::Direction;

/// From the keypoint to the block's middle along x, m: the camera sees the top and the far face.
pub(super) const MIDDLE_X_M: f64 = -0.0085;
/// Height of the end effector beside and around a block, m.
const LOW_Z_M: f64 = 0.022;
/// Height of the end effector that pushes a block, m: above its middle, so that the fingertips,
/// which reach 9 mm lower and sink under the push, stay off the table.
const PUSH_Z_M: f64 = 0.030;
/// From the block's middle to where the fingers come down, m: half a block, half the fingers, a gap.
pub(super) const STANDOFF_M: f64 = 0.060;
/// How far the block must have moved, m, and where the fingers aim beyond its first place: they
/// touch it 4 cm behind its middle.
pub(super) const PUSH_TRAVEL_M: f64 = 0.080;
const PUSH_AIM_M: f64 = 0.075;
/// How fast the hand comes down around a block, m a step: the policy must find the time to open the
/// fingers, which the reward cannot ask for.
const DESCENT_M: f64 = 0.012;
/// How much of the trajectory is held to that, points: the policy closes the fingers and rises within
/// the same chunk, and a reward for staying down would lead it to other behaviours. The way that is left from the first
/// point is the same for all trajectories; it makes progress rise on the way down.
const NEAR_POINTS: usize = 7;

/// From the side opposite to the direction, low, through the block.
pub(super) fn push(point: &Point, approach: &Approach) -> Vec<StageText> {
    let (index, [x, y, z]) = (point.index, point.position_m);
    let direction = approach.direction;
    let [dx, dy] = direction.unit();
    let [entry_x, entry_y] = approach.entry_m();
    let behind = |height_m: f64| {
        let offset_z = offset_to_height(height_m, point);
        [MIDDLE_X_M + entry_x, entry_y, offset_z]
    };
    let end = [
        x + MIDDLE_X_M + PUSH_AIM_M * dx,
        y + PUSH_AIM_M * dy,
        point.above_table_m(PUSH_Z_M),
    ];
    let (side, way) = match direction {
        Direction::Left => ("on the right of the block", "left"),
        Direction::Right => ("on the left of the block", "right"),
        Direction::Away => ("on the near side of the block", "forward"),
        Direction::Near => ("on the far side of the block", "backward"),
    };
    vec![
        reach(
            &format!("move above a place {side}"),
            index,
            behind(TRAVEL_Z_M),
            ABOVE,
        ),
        reach(
            &format!("go down {side}"),
            index,
            behind(LOW_Z_M),
            AT_CONTACT,
        ),
        sweep(
            &format!("push the block {way}"),
            end,
            distance_at_height(),
            index,
            [x, y, z],
            [dx, dy, 0.0],
            PUSH_TRAVEL_M,
        ),
    ]
}

/// From above, around the block; the policy closes the fingers. The second stage ends when the
/// block has left the table, which it only does in a grip.
pub(super) fn lift(point: &Point) -> Vec<StageText> {
    let mut stages = vec![reach(
        "stop above the block",
        point.index,
        over(point, TRAVEL_Z_M),
        STILL,
    )];
    stages.extend(grasp(point));
    stages
}

/// From a block's keypoint to its middle, at a height above the table, m.
pub(super) fn over(point: &Point, height_m: f64) -> [f64; 3] {
    [MIDDLE_X_M, 0.0, offset_to_height(height_m, point)]
}

/// Down from above a block, and up with it.
pub(super) fn grasp(point: &Point) -> [StageText; 2] {
    let (index, [_, _, z]) = (point.index, point.position_m);
    let grasp = StageText {
        description: "go down around the block and grasp it".to_owned(),
        guidance: vec![
            format!(
                "target = keypoints[{index}] + {}",
                tensor(over(point, LOW_Z_M))
            ),
            format!("near = action_sequence[:, :{NEAR_POINTS}]"),
            "steps = torch.arange(near.shape[1])".to_owned(),
            format!(
                "height = torch.maximum(near[:, :1, 2] - {} * steps, target[2])",
                number(DESCENT_M)
            ),
            "aside = torch.norm(near[:, :, :2] - target[:2], dim=-1)".to_owned(),
            "late = torch.abs(near[:, :, 2] - height)".to_owned(),
            "left = torch.relu(near[:, 0, 2] - target[2]).mean()".to_owned(),
        ],
        reward: "-(2.000 * aside + late).mean() - 0.500 * left".to_owned(),
        done: vec![format!(
            "return keypoints[{index}][2] - {}",
            number(z + 0.015)
        )],
    };
    let raise = StageText {
        description: "raise the block".to_owned(),
        guidance: vec![format!(
            "missing = torch.relu({} - action_sequence[:, :, 2])",
            number(point.above_table_m(TRAVEL_Z_M))
        )],
        reward: "-missing.mean()".to_owned(),
        done: vec![format!(
            "return keypoints[{index}][2] - {}",
            number(z + 0.070)
        )],
    };
    [grasp, raise]
}
