//! Recipes for the blocks.

use super::terms::{Margin, descend, reach, sweep};
use crate::program::{StageText, number};
use crate::scene::Point;
use crate::understand::Direction;

const ABOVE: Margin = Margin {
    plane: 0.030,
    height: 0.040,
};
const BESIDE: Margin = Margin {
    plane: 0.022,
    height: 0.020,
};

/// Half a block, half a finger and room for an error, m.
const CLEARANCE_M: f64 = 0.055;

/// From the side opposite to the direction, low, through the block.
pub(super) fn push(point: &Point, direction: Option<Direction>) -> Vec<StageText> {
    let (index, [x, y, z]) = (point.index, point.position_m);
    let direction = direction.unwrap_or(Direction::Left);
    let [dx, dy] = direction.unit();
    let start = [-CLEARANCE_M * dx, -CLEARANCE_M * dy];
    let reach_m = 0.10 - 0.03;
    let end = [x + reach_m * dx, y + reach_m * dy, z - 0.01];
    vec![
        reach(
            "move above a point beside the block",
            index,
            [start[0], start[1], 0.08],
            ABOVE,
        ),
        descend(
            "go down beside the block",
            index,
            [start[0], start[1], -0.01],
            BESIDE,
        ),
        sweep(
            "push through the block",
            end,
            index,
            [x, y, z],
            [dx, dy, 0.0],
            0.08,
        ),
    ]
}

/// From above, around the block; the policy closes the fingers.
pub(super) fn lift(point: &Point) -> Vec<StageText> {
    let (index, [_, _, z]) = (point.index, point.position_m);
    let mut grasp = descend(
        "go down to the block and grasp it",
        index,
        [0.0, 0.0, -0.01],
        BESIDE,
    );
    grasp.done = vec![format!(
        "return keypoints[{index}][2] - {}",
        number(z + 0.015)
    )];
    let raise = StageText {
        description: "raise the block".to_owned(),
        guidance: vec![
            format!(
                "missing = torch.relu({} - action_sequence[:, :, 2])",
                number(z + 0.12)
            ),
            "return -missing.mean()".to_owned(),
        ],
        done: vec![format!(
            "return keypoints[{index}][2] - {}",
            number(z + 0.065)
        )],
    };
    vec![
        reach("move above the block", index, [0.0, 0.0, 0.08], ABOVE),
        grasp,
        raise,
    ]
}
