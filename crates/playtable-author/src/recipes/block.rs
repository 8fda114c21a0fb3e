//! Pushing a block.

use super::room::Approach;
use super::terms::{
    ABOVE, AT_CONTACT, TRAVEL_Z_M, distance_at_height, offset_to_height, reach, sweep,
};
use crate::scene::Point;
use crate::understand::Direction;
use tiller_vlm::text::StageText;

/// From the keypoint to the block's middle along x, m: the camera sees the top and the far face.
pub(crate) const MIDDLE_X_M: f64 = -0.0085;
/// Height of the end effector beside and around a block, m.
pub(crate) const LOW_Z_M: f64 = 0.022;
/// Height of the end effector that pushes a block, m: above its middle, so that the fingertips,
/// which reach 9 mm lower and sink under the push, stay off the table.
const PUSH_Z_M: f64 = 0.030;
/// From the block's middle to where the fingers come down, m: half a block, half the fingers, a gap.
pub(super) const STANDOFF_M: f64 = 0.060;
/// How far the block must have moved, m, and where the fingers aim beyond its first place: they
/// touch it 4 cm behind its middle.
pub(super) const PUSH_TRAVEL_M: f64 = 0.080;
const PUSH_AIM_M: f64 = 0.075;
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
