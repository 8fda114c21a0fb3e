//! Blocks: lifted, turned, pushed along the table and over its edge.

use tiller_reward::Access;
use tiller_vlm::AuthorError;
use tiller_vlm::recipe::{
    Axis, Fingers, Hand, StageDraft, hold, number, tensor, until_along, until_closed, until_held,
    until_open,
};

use super::approach::{Approach, Entry, Within};
use super::measures::{EMPTY_WIDTH_M, TOOL_TO_TIP_M, held_width_m, middle, middle_of};
use super::push::{Enough, Push, across, down};
use crate::scene::{Point, Spot};
use crate::understand::Side;

/// How far out of a block the fingertips stop first, and how far it is raised, m.
const HOVER_M: f64 = 0.075;
const RAISE_M: f64 = 0.120;
/// When it counts as raised, m: the oracle asks for 0.05.
const RAISED_M: f64 = 0.070;
/// How far from its middle the fingertips may be that have closed to hold it, and that hold it, m: what the hand hides
/// of a block moves its keypoint.
const GRASPED_WITHIN_M: f64 = 0.030;
const HELD_WITHIN_M: f64 = 0.045;
/// On the way: what is left of it the next stage corrects.
const BEFORE: Within = Within {
    aside: 0.025,
    along: 0.035,
};
const AROUND: Within = Within {
    aside: 0.014,
    along: 0.014,
};

/// To a block's middle. The hand comes in as it points: how it turns to a block is the policy's to see, for the keypoint
/// does not tell.
fn approach(block: &Point, height: String, hand: Hand) -> Approach {
    let [x, y, _] = middle(block);
    let middle = format!(
        "middle = keypoints[{}][:2] + {}",
        block.index,
        tensor([x, y])
    );
    let place = format!("place = torch.stack([middle[0], middle[1], {height}])");
    Approach {
        place: vec![middle, place],
        entry: Entry::AsItPoints,
        hover_m: HOVER_M,
        access: hand.access,
    }
}

/// Out of it, in around it, and the fingers closed.
fn grasp(block: &Point, hand: Hand) -> [StageDraft; 3] {
    let name = &block.name;
    // Its height is that of where it was seen: fingers hide a part of it.
    let [.., z] = middle_of(block);
    let approach = approach(block, format!("torch.tensor({})", number(z)), hand);
    let before = approach.before(&format!("stop above the {name}"), BEFORE);
    let inward = approach.inward(&format!("go down to the {name}"), AROUND);
    let close = approach.until_there(GRASPED_WITHIN_M, hold(&format!("grasp the {name}")));
    let close = until_closed(close, held_width_m(block));
    [
        hand.with(Fingers::Open, until_open(before)),
        hand.with(Fingers::Open, until_open(inward)),
        hand.with(Fingers::Closed, until_held(close, EMPTY_WIDTH_M)),
    ]
}

/// Grasped, and out as the hand came in.
pub(super) fn lift(block: &Point, hand: Hand) -> Vec<StageDraft> {
    let (index, [.., seen_z]) = (block.index, block.position_m);
    let [.., z] = middle(block);
    let now = approach(
        block,
        format!("keypoints[{index}][2] + {}", number(z)),
        hand,
    );
    let to_z_m = middle_of(block)[2] + TOOL_TO_TIP_M + RAISE_M;
    let mut guidance = now.lost(HELD_WITHIN_M);
    guidance.extend([
        format!(
            "missing = torch.relu({} - action_sequence[:, :, 2])",
            number(to_z_m)
        ),
        format!(
            "out = -points{}",
            if hand.access.rotations == Access::Absent {
                ""
            } else {
                "[:, :1]"
            }
        ),
        "offset = action_sequence - action_sequence[:, :1]".to_owned(),
        "beside = offset - (offset * out).sum(dim=-1).unsqueeze(-1) * out".to_owned(),
        "aside = torch.sqrt((beside * beside).sum(dim=-1) + 0.000001)".to_owned(),
    ]);
    let up = StageDraft {
        description: format!("lift the {}", block.name),
        guidance,
        reward: "-lost - (missing + aside).mean()".to_owned(),
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
