//! The few shapes that rewards and done functions take. All are distances in metres: 0 is perfect
//! and nothing is above it, so that progress has a fixed end.

use crate::program::{number, tensor};
use crate::scene::Point;
use tiller_vlm::text::StageText;

/// What an error along x, y and z weighs in a reward.
pub(crate) type Scale = [f64; 3];
/// All alike.
pub(crate) const EVEN: Scale = [1.0; 3];
/// Sideways double: on the way down, so that the fingers come down beside the object and not on it.
pub(crate) const ASIDE: Scale = [2.0, 2.0, 1.0];

/// How near to a place counts as there, and what errors weigh on the way.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Margin {
    /// m.
    pub(crate) plane: f64,
    /// m.
    pub(crate) height: f64,
    pub(crate) scale: Scale,
}

/// Above a place on the way down: the next stage corrects what is left.
pub(crate) const ABOVE: Margin = Margin {
    plane: 0.025,
    height: 0.050,
    scale: EVEN,
};
/// Above a place, to pause there.
pub(crate) const STILL: Margin = Margin {
    plane: 0.010,
    height: 0.015,
    scale: EVEN,
};
/// Down at the place from which the contact begins.
pub(crate) const AT_CONTACT: Margin = Margin {
    plane: 0.022,
    height: 0.018,
    scale: ASIDE,
};

/// Height at which the end effector clears everything on the table, m.
pub(crate) const TRAVEL_Z_M: f64 = 0.14;

/// The offset that brings a keypoint to a height above the table.
pub(crate) fn offset_to_height(height_m: f64, point: &Point) -> f64 {
    point.above_table_m(height_m) - point.position_m[2]
}

/// A line that makes a fixed point the target.
pub(crate) fn constant(point_m: [f64; 3]) -> String {
    format!("target = {}", tensor(point_m))
}

/// A stage that brings the end effector to the target that the line defines.
pub(crate) fn to_target(description: &str, target: &str, margin: Margin) -> StageText {
    let mut guidance = vec![target.to_owned()];
    guidance.extend(distance_to_target(margin.scale));
    let done = vec![
        target.to_owned(),
        "offset = end_effector - target".to_owned(),
        format!("plane = {} - torch.norm(offset[:2])", number(margin.plane)),
        format!("height = {} - torch.abs(offset[2])", number(margin.height)),
        "return torch.minimum(plane, height)".to_owned(),
    ];
    StageText {
        description: description.to_owned(),
        guidance,
        reward: DISTANCE.to_owned(),
        done,
    }
}

/// A stage that brings the end effector to a point that moves with a keypoint.
pub(crate) fn reach(
    description: &str,
    keypoint: usize,
    offset_m: [f64; 3],
    margin: Margin,
) -> StageText {
    to_target(description, &beside(keypoint, offset_m), margin)
}

/// A stage that moves the end effector to a fixed point through a contact; done when the keypoint
/// has travelled `travel_m` along `direction` from where it was seen. The start is a constant, not
/// `start_keypoints`: a stage that is entered again half-way must not ask for the whole way again.
pub(crate) fn sweep(
    description: &str,
    target_m: [f64; 3],
    distance: Vec<String>,
    keypoint: usize,
    seen_m: [f64; 3],
    direction: [f64; 3],
    travel_m: f64,
) -> StageText {
    let mut guidance = vec![constant(target_m)];
    guidance.extend(distance);
    let done = vec![
        format!("travel = keypoints[{keypoint}] - {}", tensor(seen_m)),
        format!("along = (travel * {}).sum()", tensor(direction)),
        format!("return along - {}", number(travel_m)),
    ];
    StageText {
        description: description.to_owned(),
        guidance,
        reward: DISTANCE.to_owned(),
        done,
    }
}

/// Minus the mean distance to `target`, later points counting up to double.
pub(crate) const DISTANCE: &str = "-(weight * distance).sum() / weight.sum()";

/// What [`DISTANCE`] needs: the distance to `target`, errors weighed along each axis.
pub(crate) fn distance_to_target(scale: Scale) -> Vec<String> {
    let offset = if scale == EVEN {
        "offset = action_sequence - target".to_owned()
    } else {
        format!("offset = (action_sequence - target) * {}", tensor(scale))
    };
    let distance = "distance = torch.norm(offset, dim=-1)";
    vec![offset, distance.to_owned(), WEIGHT.to_owned()]
}

/// What [`DISTANCE`] needs for a way along the table: height counts by itself. In a common norm it
/// would weigh nothing beside a long way ahead, and the fingers would dig into the table.
pub(crate) fn distance_at_height() -> Vec<String> {
    let lines = [
        "offset = action_sequence - target",
        "aside = torch.norm(offset[:, :, :2], dim=-1)",
        "distance = aside + 2.000 * torch.abs(offset[:, :, 2])",
        WEIGHT,
    ];
    lines.map(ToOwned::to_owned).to_vec()
}

const WEIGHT: &str = "weight = torch.linspace(0.5, 1.0, action_sequence.shape[1])";

fn beside(keypoint: usize, offset_m: [f64; 3]) -> String {
    format!("target = keypoints[{keypoint}] + {}", tensor(offset_m))
}
