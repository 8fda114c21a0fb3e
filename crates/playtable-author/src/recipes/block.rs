//! Recipes for the blocks.

use super::terms::{ABOVE, AT_CONTACT, STILL, TRAVEL_Z_M, descend, offset_to_height, reach, sweep};
use crate::program::{StageText, number, tensor};
use crate::scene::{Point, Scene};
use crate::understand::Direction;

/// From the keypoint to the block's middle along x, m: the camera sees the top and the far face.
const MIDDLE_X_M: f64 = -0.0085;
/// Height of the end effector beside and around a block, m.
const LOW_Z_M: f64 = 0.022;
/// From the block's middle to where the fingers come down, m: half a block, half the fingers, a gap.
const STANDOFF_M: f64 = 0.060;
/// How far the block must have moved, m, and where the fingers aim beyond its first place: they
/// touch it 4 cm behind its middle.
const PUSH_TRAVEL_M: f64 = 0.080;
const PUSH_AIM_M: f64 = 0.075;
/// Where fingers and block may be during a push, x and y, m: on the table, clear of the furniture.
const FREE_X_M: [f64; 2] = [0.33, 0.58];
const FREE_Y_M: [f64; 2] = [-0.10, 0.33];
/// How fast the hand comes down around a block, m a step: the policy must find the time to open the
/// fingers, which the reward cannot ask for.
const DESCENT_M: f64 = 0.012;
/// How much of the trajectory is held to that, points: the policy closes the fingers and rises within
/// the same chunk, and a reward for staying down would lead it to other behaviours. The way that is left from the first
/// point is the same for all trajectories; it makes progress rise on the way down.
const NEAR_POINTS: usize = 7;
/// Least distance of the fingers on the way down, and of the pushed block, from anything else, m.
const ENTRY_ROOM_M: f64 = 0.058;
const PUSH_ROOM_M: f64 = 0.068;

/// From the side opposite to the direction, low, through the block.
pub(super) fn push(point: &Point, direction: Option<Direction>, scene: &Scene) -> Vec<StageText> {
    let (index, [x, y, z]) = (point.index, point.position_m);
    let direction = direction.unwrap_or_else(|| free_direction(point, scene));
    let [dx, dy] = direction.unit();
    let behind = |height_m: f64| {
        let offset_z = offset_to_height(height_m, point);
        [MIDDLE_X_M - STANDOFF_M * dx, -STANDOFF_M * dy, offset_z]
    };
    let end = [
        x + MIDDLE_X_M + PUSH_AIM_M * dx,
        y + PUSH_AIM_M * dy,
        point.above_table_m(LOW_Z_M),
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
        descend(
            &format!("go down {side}"),
            index,
            behind(LOW_Z_M),
            AT_CONTACT,
        ),
        sweep(
            &format!("push the block {way}"),
            end,
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
    let (index, [_, _, z]) = (point.index, point.position_m);
    let over = |height_m: f64| [MIDDLE_X_M, 0.0, offset_to_height(height_m, point)];
    let grasp = StageText {
        description: "go down around the block and grasp it".to_owned(),
        guidance: vec![
            format!("target = keypoints[{index}] + {}", tensor(over(LOW_Z_M))),
            format!("near = action_sequence[:, :{NEAR_POINTS}]"),
            format!("steps = torch.arange({NEAR_POINTS})"),
            format!(
                "height = torch.maximum(near[:, :1, 2] - {} * steps, target[2])",
                number(DESCENT_M)
            ),
            "aside = torch.norm(near[:, :, :2] - target[:2], dim=-1)".to_owned(),
            "late = torch.abs(near[:, :, 2] - height)".to_owned(),
            "left = torch.relu(near[:, 0, 2] - target[2]).mean()".to_owned(),
            "return -(2.000 * aside + late).mean() - 0.500 * left".to_owned(),
        ],
        done: vec![format!(
            "return keypoints[{index}][2] - {}",
            number(z + 0.015)
        )],
    };
    let raise = StageText {
        description: "raise the block".to_owned(),
        guidance: vec![
            format!(
                "missing = torch.relu({} - action_sequence[:, :, 2])",
                number(point.above_table_m(TRAVEL_Z_M))
            ),
            "return -missing.mean()".to_owned(),
        ],
        done: vec![format!(
            "return keypoints[{index}][2] - {}",
            number(z + 0.070)
        )],
    };
    vec![
        reach("stop above the block", index, over(TRAVEL_Z_M), STILL),
        grasp,
        raise,
    ]
}

/// The first direction with free way, or else the one with the most room. Towards the robot comes
/// last: there the hand hides the block from the camera.
pub(super) fn free_direction(point: &Point, scene: &Scene) -> Direction {
    let order = [
        Direction::Left,
        Direction::Right,
        Direction::Away,
        Direction::Near,
    ];
    let room = |direction: Direction| room_m(point, direction, scene);
    let free = order.into_iter().find(|direction| room(*direction) > 0.0);
    let most = order
        .into_iter()
        .max_by(|a, b| room(*a).total_cmp(&room(*b)));
    free.or(most).unwrap_or(Direction::Left)
}

/// Distance to the nearest thing in the way of a push beyond what is needed, m; negative when
/// blocked.
fn room_m(point: &Point, direction: Direction, scene: &Scene) -> f64 {
    let [dx, dy] = direction.unit();
    let middle = [point.position_m[0] + MIDDLE_X_M, point.position_m[1]];
    let along = |length: f64| [middle[0] + dx * length, middle[1] + dy * length];
    let inside = |[x, y]: [f64; 2]| {
        let [x_low, x_high] = FREE_X_M;
        let [y_low, y_high] = FREE_Y_M;
        (x - x_low).min(x_high - x).min(y - y_low).min(y_high - y)
    };
    let entry = along(-STANDOFF_M);
    let mut room = inside(entry).min(inside(along(PUSH_TRAVEL_M)));
    for other in scene.points().filter(|other| other.index != point.index) {
        let at = [other.position_m[0], other.position_m[1]];
        let distance = |from: [f64; 2]| (from[0] - at[0]).hypot(from[1] - at[1]);
        room = room.min(distance(entry) - ENTRY_ROOM_M);
        for part in 0..=4 {
            let place = along(PUSH_TRAVEL_M * f64::from(part) / 4.0);
            room = room.min(distance(place) - PUSH_ROOM_M);
        }
    }
    room
}
