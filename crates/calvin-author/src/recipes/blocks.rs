//! Blocks: lifted, turned, pushed along the table and over its edge.

use tiller_reward::Access;
use tiller_vlm::AuthorError;
use tiller_vlm::recipe::{
    Axis, Fingers, Hand, Margin, StageDraft, Target, hold, number, reach, stay, tensor,
    until_along, until_closed, until_held, until_open,
};

use super::measures::{EMPTY_WIDTH_M, TOOL_TO_TIP_M, held_width_m, middle, middle_of};
use super::push::{Enough, Push, across, down};
use crate::scene::{Point, Spot};
use crate::understand::Side;

/// How far above a block the fingertips stop first, and how far it is raised, m.
const HOVER_M: f64 = 0.075;
const RAISE_M: f64 = 0.120;
/// When it counts as raised, m: the oracle asks for 0.05.
const RAISED_M: f64 = 0.070;
/// How far the fingertips are taken to be tilted forwards where a reward does not see it, rad.
const TILT_RAD: f64 = 0.3;
const ABOVE: Margin = Margin {
    plane: 0.010,
    height: 0.012,
};
const AROUND: Margin = Margin {
    plane: 0.012,
    height: 0.012,
};

/// Fingertips above a block's middle; its height is that of where it was seen, for fingers hide a part of it. The hand
/// may turn so that they come nearer.
fn over(block: &Point, above_m: f64, hand: Hand) -> Target {
    let [x, y, _] = middle(block);
    let [.., z] = middle_of(block);
    let with = |points: String| {
        vec![
            format!(
                "place = keypoints[{}][:2] + {}",
                block.index,
                tensor([x, y])
            ),
            format!(
                "tips = torch.stack([place[0], place[1], torch.tensor({})])",
                number(z + above_m)
            ),
            format!("target = tips - {} * {points}", number(TOOL_TO_TIP_M)),
        ]
    };
    let sees = hand.access.rotations != Access::Absent;
    Target {
        guidance: with(if sees {
            "rotations[:, :, :, 2]".to_owned()
        } else {
            tensor(down(TILT_RAD))
        }),
        done: with("rotation[:, 2]".to_owned()),
    }
}

/// Above it, down around it, and the fingers closed. How the hand turns to a block is the policy's to see, for the
/// keypoint does not tell.
fn grasp(block: &Point, hand: Hand) -> [StageDraft; 3] {
    let name = &block.name;
    let above = reach(
        &format!("stop above the {name}"),
        &over(block, HOVER_M, hand),
        ABOVE,
    );
    let around = reach(
        &format!("go down to the {name}"),
        &over(block, 0.0, hand),
        AROUND,
    );
    let close = stay(&format!("grasp the {name}"), &over(block, 0.0, hand));
    let close = until_closed(close, held_width_m(block));
    [
        hand.with(Fingers::Open, until_open(above)),
        hand.with(Fingers::Open, until_open(around)),
        hand.with(Fingers::Closed, until_held(close, EMPTY_WIDTH_M)),
    ]
}

/// Grasped, and straight up.
pub(super) fn lift(block: &Point, hand: Hand) -> Vec<StageDraft> {
    let (index, [.., seen_z]) = (block.index, block.position_m);
    let to_z_m = middle_of(block)[2] + TOOL_TO_TIP_M + RAISE_M;
    let up = StageDraft {
        description: format!("lift the {}", block.name),
        guidance: vec![
            format!(
                "missing = torch.relu({} - action_sequence[:, :, 2])",
                number(to_z_m)
            ),
            "offset = action_sequence[:, :, :2] - action_sequence[:, :1, :2]".to_owned(),
            "aside = torch.sqrt((offset * offset).sum(dim=-1) + 0.000001)".to_owned(),
        ],
        reward: "-(missing + aside).mean()".to_owned(),
        done: Vec::new(),
        margins: vec![format!(
            "keypoints[{index}][2] - {}",
            number(seen_z + RAISED_M)
        )],
    };
    let mut stages = grasp(block, hand).to_vec();
    stages.push(hand.with(Fingers::Closed, up));
    stages
}

/// How far the wrist turns from the middle of where it is free to turn, and how near to that it must come, rad. Fingers
/// that close turn a block by up to 45 degrees to themselves.
const TURNS_RAD: f64 = 1.05;
const TURNED_WITHIN_RAD: f64 = 0.20;

/// The middle of the turns that the arm leaves free at a place, rad: clockwise far from the base.
fn usual_turn_rad(x_m: f64) -> f64 {
    (-1.8 * (x_m - 0.38)).clamp(-0.6, 0.2)
}

/// Grasped with the wrist turned the other way, and turned; one that is in the hand is turned at once.
pub(super) fn rotate(block: &Point, side: Side, held: bool, hand: Hand) -> Vec<StageDraft> {
    let usual_rad = usual_turn_rad(block.position_m[0]);
    // To the left is counter-clockwise.
    let from = across(usual_rad + side.sign() * TURNS_RAD);
    let to = across(usual_rad - side.sign() * TURNS_RAD);
    let turned = |to, stage| {
        let stage = hand.along("down", Axis::Points, down(0.0), stage);
        hand.along("opens", Axis::Fingers, to, stage)
    };
    let mut stages = Vec::new();
    if !held {
        let [before, inward, close] = grasp(block, hand).map(|stage| turned(from, stage));
        let before = until_along(Axis::Fingers, from, TURNED_WITHIN_RAD, before);
        stages.extend([before, inward, close]);
    }
    let turn = hold(&format!("turn the {}", block.name));
    let turn = until_along(Axis::Fingers, to, TURNED_WITHIN_RAD, turned(to, turn));
    stages.push(hand.with(Fingers::Closed, turn));
    stages
}

/// From a block's middle to where fingertips push it from, whichever way it lies, and how far they go then, m.
const BESIDE_M: f64 = 0.065;
const TRAVEL_M: f64 = 0.190;
/// A block counts as pushed when it has moved so far, m: the oracle asks for 0.1.
const PUSHED_M: f64 = 0.110;
/// How far above the table's surface the fingertips push, from a block's middle, m.
const LOW_M: f64 = -0.003;
/// The table ends here, and its back begins, along y; the fingertips come no farther back than that, m.
const FRONT_EDGE_Y_M: f64 = 0.279;
const FARTHEST_BACK_Y_M: f64 = 0.450;
/// How far over the edge the fingertips go, m.
const BEYOND_EDGE_M: f64 = 0.030;
/// The least room between a block's middle and fingertips behind it, m.
const ROOM_M: f64 = 0.045;

fn pushed(push: Push<'_>, hand: Hand) -> Vec<StageDraft> {
    let name = &push.thing.name;
    push.stages(
        [
            &format!("stop above the table beside the {name}"),
            &format!("go down beside the {name}"),
            &format!("push the {name}"),
        ],
        hand,
    )
}

/// Along the table to one side.
pub(super) fn push_aside(block: &Point, side: Side, hand: Hand) -> Vec<StageDraft> {
    let push = Push {
        thing: block,
        beside_m: [-side.sign() * BESIDE_M, 0.0, LOW_M],
        way: [side.sign(), 0.0, 0.0],
        entry: [0.0, 0.0, 1.0],
        hover_m: HOVER_M,
        tilt_rad: 0.0,
        travel_m: TRAVEL_M,
        enough: Enough::Thing(PUSHED_M),
        tracked: false,
    };
    pushed(push, hand)
}

/// Over the table's front edge into the open drawer.
///
/// # Errors
/// [`AuthorError::NoRoom`] for one that lies too far back.
pub(super) fn push_into(
    block: &Point,
    hand: Hand,
    no_room: impl FnOnce() -> AuthorError,
) -> Result<Vec<StageDraft>, AuthorError> {
    let [_, y, _] = middle_of(block);
    let behind_m = BESIDE_M.min(FARTHEST_BACK_Y_M - y);
    if behind_m < ROOM_M || Spot::of(block) != Spot::Table {
        return Err(no_room());
    }
    let travel_m = y + behind_m - FRONT_EDGE_Y_M + BEYOND_EDGE_M;
    let push = Push {
        thing: block,
        beside_m: [0.0, behind_m, LOW_M],
        way: [0.0, -1.0, 0.0],
        entry: [0.0, 0.0, 1.0],
        hover_m: HOVER_M,
        tilt_rad: 0.0,
        travel_m: travel_m + 0.010,
        enough: Enough::Tips(travel_m),
        tracked: false,
    };
    Ok(pushed(push, hand))
}
