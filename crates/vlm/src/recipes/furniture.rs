//! Recipes for what is fixed to the table: drawer, door, switch, button.

use super::terms::{Margin, descend, reach, sweep};
use crate::program::{StageText, number, tensor};
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

/// Hook the bar from behind and pull it towards the robot.
pub(super) fn open_drawer(point: &Point) -> Vec<StageText> {
    let (index, [x, y, z]) = (point.index, point.position_m);
    // The gap between bar and front is 6 cm wide: its middle lies 3.8 cm behind the bar's middle.
    let gap = 0.036;
    let pull = [x + gap - 0.17, y, z - 0.015];
    vec![
        reach(
            "move above the gap behind the drawer handle",
            index,
            [gap, 0.0, 0.08],
            ABOVE,
        ),
        descend(
            "go down behind the drawer handle",
            index,
            [gap, 0.0, -0.015],
            BESIDE,
        ),
        sweep(
            "pull the drawer open",
            pull,
            index,
            [x, y, z],
            [-1.0, 0.0, 0.0],
            0.13,
        ),
    ]
}

/// Push the bar away from the robot.
pub(super) fn close_drawer(point: &Point) -> Vec<StageText> {
    let (index, [x, y, z]) = (point.index, point.position_m);
    let front = -0.045;
    let push = [x + front + 0.18, y, z - 0.01];
    vec![
        reach(
            "move above a point in front of the drawer handle",
            index,
            [front, 0.0, 0.08],
            ABOVE,
        ),
        descend(
            "go down in front of the drawer handle",
            index,
            [front, 0.0, -0.01],
            BESIDE,
        ),
        sweep(
            "push the drawer shut",
            push,
            index,
            [x, y, z],
            [1.0, 0.0, 0.0],
            0.135,
        ),
    ]
}

/// Push the handle sideways from its other side.
pub(super) fn slide_door(point: &Point, direction: Direction) -> Vec<StageText> {
    let (index, [x, y, z]) = (point.index, point.position_m);
    let [_, side] = direction.unit();
    let (beside, word) = if side > 0.0 {
        ("right", "left")
    } else {
        ("left", "right")
    };
    let start = -0.045 * side;
    let end = [x, y + start + 0.19 * side, z - 0.02];
    vec![
        reach(
            &format!("move above a point {beside} of the door handle"),
            index,
            [0.0, start, 0.08],
            ABOVE,
        ),
        descend(
            &format!("go down on the {beside} of the door handle"),
            index,
            [0.0, start, -0.02],
            BESIDE,
        ),
        sweep(
            &format!("push the door to the {word}"),
            end,
            index,
            [x, y, z],
            [0.0, side, 0.0],
            0.148,
        ),
    ]
}

/// Push the lever over from the side that it leans to.
pub(super) fn turn_switch(point: &Point, on: bool) -> Vec<StageText> {
    let (index, [x, y, z]) = (point.index, point.position_m);
    let (away, side, state) = if on {
        (1.0, "near", "on")
    } else {
        (-1.0, "far", "off")
    };
    let start = -0.045 * away;
    let end = [x + start + 0.09 * away, y, z + 0.01];
    vec![
        reach(
            &format!("move above a point on the {side} side of the switch"),
            index,
            [start, 0.0, 0.07],
            ABOVE,
        ),
        descend(
            &format!("go down on the {side} side of the switch"),
            index,
            [start, 0.0, 0.01],
            BESIDE,
        ),
        sweep(
            &format!("push the switch {state}"),
            end,
            index,
            [x, y, z],
            [away, 0.0, 0.0],
            0.03,
        ),
    ]
}

/// Straight down onto the cap. The hand hides the cap, so the end effector's depth decides.
pub(super) fn press_button(point: &Point) -> Vec<StageText> {
    let (index, [x, y, z]) = (point.index, point.position_m);
    let pressed = [x, y, z - 0.012];
    let press = StageText {
        description: "press the button down".to_owned(),
        guidance: {
            let mut lines = vec![format!("target = {}", tensor([x, y, z - 0.02]))];
            lines.extend(super::terms::distance_to_target([2.0, 2.0, 1.0]));
            lines
        },
        done: vec![
            format!("offset = end_effector - {}", tensor(pressed)),
            format!("plane = {} - torch.norm(offset[:2])", number(0.03)),
            "return torch.minimum(plane, -offset[2])".to_owned(),
        ],
    };
    vec![
        reach("move above the button", index, [0.0, 0.0, 0.07], ABOVE),
        press,
    ]
}
