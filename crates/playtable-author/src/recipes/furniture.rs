//! Recipes for what is fixed to the table: drawer, door, switch, button.
//!
//! Offsets are from the keypoint, which lies on the surface that the camera sees: up to 2 cm above
//! and beyond the middle of the part that the fingers touch.

use super::terms::{
    ABOVE, ASIDE, AT_CONTACT, DISTANCE, EVEN, constant, distance_to_target, reach, sweep, to_target,
};
use super::terms::{TRAVEL_Z_M, offset_to_height};
use crate::program::{number, tensor};
use crate::scene::Point;
use crate::understand::Direction;
use tiller_vlm::text::StageText;

/// From the keypoint on the drawer's bar to its middle along x, m.
const BAR_X_M: f64 = -0.012;
/// From the middle of the bar to the middle of the gap behind it, and to a place before it, m.
const GAP_X_M: f64 = 0.037;
const BEFORE_BAR_X_M: f64 = -0.045;
/// Height of the end effector at the bar, m.
const BAR_Z_M: f64 = 0.045;
/// How far the drawer must have moved, m, and how far the pull or push aims.
const DRAWER_TRAVEL_M: f64 = 0.137;
const DRAWER_AIM_M: f64 = 0.175;

/// From the keypoint on the door's knob to its middle along x, m.
const KNOB_X_M: f64 = -0.012;
/// From the knob's middle to a place beside it, m: half the knob, the fingers and a gap.
const BESIDE_KNOB_M: f64 = 0.058;
const KNOB_Z_M: f64 = 0.070;
const DOOR_TRAVEL_M: f64 = 0.150;
const DOOR_AIM_M: f64 = 0.185;

const SWITCH_Z_M: f64 = 0.058;
const SWITCH_TRAVEL_M: f64 = 0.033;

/// How far from the cap's middle the hand comes down, along the way that the fingers open, m.
const PRESS_ASIDE_M: f64 = 0.013;

/// Hook the bar from behind and pull it towards the robot.
pub(super) fn open_drawer(point: &Point) -> Vec<StageText> {
    let (index, [x, y, z]) = (point.index, point.position_m);
    let gap = BAR_X_M + GAP_X_M;
    let pull = [
        x + BAR_X_M - DRAWER_AIM_M + 0.02,
        y,
        point.above_table_m(BAR_Z_M),
    ];
    let above = [gap, 0.0, offset_to_height(TRAVEL_Z_M, point)];
    let hook = [gap, 0.0, offset_to_height(BAR_Z_M, point)];
    vec![
        reach(
            "move above the gap behind the drawer handle",
            index,
            above,
            ABOVE,
        ),
        reach("go down behind the drawer handle", index, hook, AT_CONTACT),
        sweep(
            "pull the drawer open",
            pull,
            distance_to_target(EVEN),
            index,
            [x, y, z],
            [-1.0, 0.0, 0.0],
            DRAWER_TRAVEL_M,
        ),
    ]
}

/// Push the bar away from the robot.
pub(super) fn close_drawer(point: &Point) -> Vec<StageText> {
    let (index, [x, y, z]) = (point.index, point.position_m);
    let before = BAR_X_M + BEFORE_BAR_X_M;
    let push = [
        x + BAR_X_M + DRAWER_AIM_M - 0.02,
        y,
        point.above_table_m(BAR_Z_M),
    ];
    let above = [before, 0.0, offset_to_height(TRAVEL_Z_M, point)];
    let down = [before, 0.0, offset_to_height(BAR_Z_M, point)];
    vec![
        reach(
            "move above a place in front of the drawer handle",
            index,
            above,
            ABOVE,
        ),
        reach(
            "go down in front of the drawer handle",
            index,
            down,
            AT_CONTACT,
        ),
        sweep(
            "push the drawer shut",
            push,
            distance_to_target(EVEN),
            index,
            [x, y, z],
            [1.0, 0.0, 0.0],
            DRAWER_TRAVEL_M,
        ),
    ]
}

/// Push the knob sideways from its other side.
pub(super) fn slide_door(point: &Point, direction: Direction) -> Vec<StageText> {
    let (index, [x, y, z]) = (point.index, point.position_m);
    let [_, side] = direction.unit();
    let (from, to) = if side > 0.0 {
        ("right", "left")
    } else {
        ("left", "right")
    };
    let beside = -BESIDE_KNOB_M * side;
    let above = [KNOB_X_M, beside, offset_to_height(TRAVEL_Z_M, point)];
    let down = [KNOB_X_M, beside, offset_to_height(KNOB_Z_M, point)];
    let end = [
        x + KNOB_X_M,
        y + DOOR_AIM_M * side,
        point.above_table_m(KNOB_Z_M),
    ];
    vec![
        reach(
            &format!("move above a place on the {from} of the door handle"),
            index,
            above,
            ABOVE,
        ),
        reach(
            &format!("go down on the {from} of the door handle"),
            index,
            down,
            AT_CONTACT,
        ),
        sweep(
            &format!("push the door to the {to}"),
            end,
            distance_to_target(EVEN),
            index,
            [x, y, z],
            [0.0, side, 0.0],
            DOOR_TRAVEL_M,
        ),
    ]
}

/// Push the lever over from the side that it leans to: on is away from the robot. The lever turns
/// where it stands, and the hand hides it, so the approach goes by where it was seen.
pub(super) fn turn_switch(point: &Point, on: bool) -> Vec<StageText> {
    let (index, [x, y, z]) = (point.index, point.position_m);
    // The camera looks from beyond the table, hence the lever's middle is nearer to the robot.
    let (away, side, state, start, end) = if on {
        (1.0, "near", "on", x - 0.088, x + 0.065)
    } else {
        (-1.0, "far", "off", x + 0.063, x - 0.090)
    };
    let place = |x: f64, height_m: f64| constant([x, y + 0.004, point.above_table_m(height_m)]);
    vec![
        to_target(
            &format!("move above a place on the {side} side of the switch"),
            &place(start, TRAVEL_Z_M),
            ABOVE,
        ),
        to_target(
            &format!("go down on the {side} side of the switch"),
            &place(start, SWITCH_Z_M),
            AT_CONTACT,
        ),
        sweep(
            &format!("push the switch {state}"),
            [end, y + 0.004, point.above_table_m(SWITCH_Z_M)],
            distance_to_target(EVEN),
            index,
            [x, y, z],
            [away, 0.0, 0.0],
            SWITCH_TRAVEL_M,
        ),
    ]
}

/// Straight down onto the cap, off its middle: open fingers pass on both sides of the middle down to the
/// plate, and a hand that is as low as a pressed cap would then have pressed nothing. The hand may
/// hide the cap, so depth counts as well as its travel.
pub(super) fn press_button(point: &Point) -> Vec<StageText> {
    let (index, [x, y, z]) = (point.index, point.position_m);
    let middle = [x - 0.0075, y + PRESS_ASIDE_M, z];
    let above = [-0.0075, PRESS_ASIDE_M, offset_to_height(TRAVEL_Z_M, point)];
    let mut guidance = vec![constant([middle[0], middle[1], z - 0.012])];
    guidance.extend(distance_to_target(ASIDE));
    let press = StageText {
        description: "press the button down".to_owned(),
        guidance,
        reward: DISTANCE.to_owned(),
        done: vec![
            format!(
                "offset = end_effector - {}",
                tensor([middle[0], middle[1], z - 0.003])
            ),
            format!("plane = {} - torch.norm(offset[:2])", number(0.03)),
            "depth = torch.minimum(plane, -offset[2])".to_owned(),
            format!("travel = {} - keypoints[{index}][2] - 0.011", number(z)),
            "return torch.maximum(depth, travel)".to_owned(),
        ],
    };
    vec![reach("move above the button", index, above, ABOVE), press]
}
