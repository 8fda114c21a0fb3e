//! The few shapes that rewards and done functions take. All are distances in metres: 0 is perfect
//! and nothing is above it, so that progress has a fixed end.

use crate::program::{StageText, number, tensor};

/// How near counts as there: in the plane and in height, m.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Margin {
    pub(crate) plane: f64,
    pub(crate) height: f64,
}

/// A stage that brings the end effector to a point that moves with a keypoint.
pub(crate) fn reach(
    description: &str,
    keypoint: usize,
    offset_m: [f64; 3],
    margin: Margin,
) -> StageText {
    let target = format!("target = keypoints[{keypoint}] + {}", tensor(offset_m));
    let mut guidance = vec![target.clone()];
    guidance.extend(distance_to_target([1.0, 1.0, 1.0]));
    StageText {
        description: description.to_owned(),
        guidance,
        done: within(target, margin),
    }
}

/// Like [`reach`], straight down: sideways errors weigh double, so that the fingers come down
/// beside the object and not on it.
pub(crate) fn descend(
    description: &str,
    keypoint: usize,
    offset_m: [f64; 3],
    margin: Margin,
) -> StageText {
    let target = format!("target = keypoints[{keypoint}] + {}", tensor(offset_m));
    let mut guidance = vec![target.clone()];
    guidance.extend(distance_to_target([2.0, 2.0, 1.0]));
    StageText {
        description: description.to_owned(),
        guidance,
        done: within(target, margin),
    }
}

/// A stage that moves the end effector to a fixed point through a contact; done when the keypoint
/// has travelled `travel_m` along `direction` from where it was seen.
pub(crate) fn sweep(
    description: &str,
    target_m: [f64; 3],
    keypoint: usize,
    seen_m: [f64; 3],
    direction: [f64; 3],
    travel_m: f64,
) -> StageText {
    let mut guidance = vec![format!("target = {}", tensor(target_m))];
    guidance.extend(distance_to_target([1.0, 1.0, 1.0]));
    let done = vec![
        format!("travel = keypoints[{keypoint}] - {}", tensor(seen_m)),
        format!("along = (travel * {}).sum()", tensor(direction)),
        format!("return along - {}", number(travel_m)),
    ];
    StageText {
        description: description.to_owned(),
        guidance,
        done,
    }
}

/// Minus the mean distance to `target`, later points counting up to double.
pub(crate) fn distance_to_target(scale: [f64; 3]) -> Vec<String> {
    let offset = if scale == [1.0; 3] {
        "offset = action_sequence - target".to_owned()
    } else {
        format!("offset = (action_sequence - target) * {}", tensor(scale))
    };
    vec![
        offset,
        "distance = torch.norm(offset, dim=-1)".to_owned(),
        "weight = torch.linspace(0.5, 1.0, action_sequence.shape[1])".to_owned(),
        "return -(weight * distance).sum() / weight.sum()".to_owned(),
    ]
}

/// At or above 0 when the end effector is within the margin of `target`.
fn within(target: String, margin: Margin) -> Vec<String> {
    vec![
        target,
        "offset = end_effector - target".to_owned(),
        format!("plane = {} - torch.norm(offset[:2])", number(margin.plane)),
        format!("height = {} - torch.abs(offset[2])", number(margin.height)),
        "return torch.minimum(plane, height)".to_owned(),
    ]
}
