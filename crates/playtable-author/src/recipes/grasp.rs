//! Grasping a block and raising it, by a policy whose fingers do as they like or whose fingers rewards may
//! move.

use super::block::{LOW_Z_M, MIDDLE_X_M};
use super::terms::{ASIDE, EVEN, Margin, STILL, TRAVEL_Z_M, offset_to_height, reach};
use crate::program::{number, tensor};
use crate::scene::Point;
use tiller_reward::{Access, HandAccess};
use tiller_vlm::text::StageText;

/// How fast the hand comes down around a block, m a step: the policy must find the time to open the
/// fingers, where the reward cannot ask for it.
const DESCENT_M: f64 = 0.012;
/// How much of the trajectory is held to that, points: the policy closes the fingers and rises within
/// the same chunk, and a reward for staying down would lead it to other behaviours. The way that is left from the first
/// point is the same for all trajectories; it makes progress rise on the way down.
const NEAR_POINTS: usize = 7;
/// How far the block has risen, m, when it hangs in the grip and when it is lifted.
const GRIPPED_M: f64 = 0.015;
const LIFTED_M: f64 = 0.070;

/// Down around a block with open fingers, and there while they close.
const AROUND: Margin = Margin {
    plane: 0.018,
    height: 0.018,
    scale: ASIDE,
};
const HELD: Margin = Margin {
    plane: 0.020,
    height: 0.020,
    scale: EVEN,
};
/// What fingers that are open count where they should be closed, m: as much as a distance that matters.
const FINGERS_M: f64 = 0.080;
/// Width beyond which the fingers count as open, and between which they have closed around something, m:
/// blocks are 3 to 5 cm wide.
const OPEN_WIDTH_M: f64 = 0.065;
const CLOSED_WIDTH_M: [f64; 2] = [0.012, 0.058];

/// Who moves the fingers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fingers {
    /// The policy alone.
    Policy,
    /// Rewards may ask for them.
    Guided,
}

impl Fingers {
    /// Who moves them where rewards have that access.
    pub(crate) fn of(hand: HandAccess) -> Self {
        match hand.gripper {
            Access::Guide => Self::Guided,
            Access::Read | Access::Absent => Self::Policy,
        }
    }
}

/// From above, around the block, and up with it.
pub(crate) fn lift(point: &Point, fingers: Fingers) -> Vec<StageText> {
    let mut stages = vec![above(point, fingers)];
    stages.extend(grasp(point, fingers));
    stages
}

/// Above the block; with open fingers if they can be asked for.
pub(crate) fn above(point: &Point, fingers: Fingers) -> StageText {
    let stage = reach(
        "stop above the block",
        point.index,
        over(point, TRAVEL_Z_M),
        STILL,
    );
    match fingers {
        Fingers::Policy => stage,
        Fingers::Guided => StageText {
            description: "stop above the block with open fingers".to_owned(),
            ..opened(stage)
        },
    }
}

/// From a block's keypoint to its middle, at a height above the table, m.
pub(crate) fn over(point: &Point, height_m: f64) -> [f64; 3] {
    [MIDDLE_X_M, 0.0, offset_to_height(height_m, point)]
}

/// Down from above a block, and up with it.
pub(crate) fn grasp(point: &Point, fingers: Fingers) -> Vec<StageText> {
    match fingers {
        Fingers::Policy => {
            let missing = raise_reward(point);
            vec![go_down_and_wait(point), raise(point, missing)]
        }
        Fingers::Guided => {
            let around = |description: &str, margin| StageText {
                description: description.to_owned(),
                ..reach(description, point.index, over(point, LOW_Z_M), margin)
            };
            vec![
                opened(around("go down around the block with open fingers", AROUND)),
                closed(around("close the fingers around the block", HELD), true),
                closed(raise(point, raise_reward(point)), false),
            ]
        }
    }
}

/// The policy closes the fingers; the stage ends when the block has left the table, which it only does
/// in a grip.
fn go_down_and_wait(point: &Point) -> StageText {
    let (index, z) = (point.index, point.position_m[2]);
    StageText {
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
        done: vec![risen(index, z, GRIPPED_M)],
    }
}

fn raise_reward(point: &Point) -> String {
    format!(
        "missing = torch.relu({} - action_sequence[:, :, 2])",
        number(point.above_table_m(TRAVEL_Z_M))
    )
}

fn raise(point: &Point, missing: String) -> StageText {
    StageText {
        description: "raise the block".to_owned(),
        guidance: vec![missing],
        reward: "-missing.mean()".to_owned(),
        done: vec![risen(point.index, point.position_m[2], LIFTED_M)],
    }
}

fn risen(index: usize, z: f64, by_m: f64) -> String {
    format!("return keypoints[{index}][2] - {}", number(z + by_m))
}

/// With the fingers open, and done only then.
pub(crate) fn opened(mut stage: StageText) -> StageText {
    stage.reward = format!(
        "{} - {} * (1.0 - gripper).mean()",
        stage.reward,
        number(FINGERS_M)
    );
    and_done(
        &mut stage,
        &format!("gripper_width_m - {}", number(OPEN_WIDTH_M)),
    );
    stage
}

/// With the fingers closed, and if asked for done only when there is something between them.
pub(crate) fn closed(mut stage: StageText, waits: bool) -> StageText {
    stage.reward = format!("{} - {} * gripper.mean()", stage.reward, number(FINGERS_M));
    if waits {
        let [least, most] = CLOSED_WIDTH_M.map(number);
        let around = format!("torch.minimum(gripper_width_m - {least}, {most} - gripper_width_m)");
        and_done(&mut stage, &around);
    }
    stage
}

/// Done only where this is at or above 0 too.
pub(crate) fn and_done(stage: &mut StageText, margin: &str) {
    if let Some(last) = stage.done.last_mut()
        && let Some(value) = last.strip_prefix("return ")
    {
        *last = format!("return torch.minimum({value}, {margin})");
    }
}
