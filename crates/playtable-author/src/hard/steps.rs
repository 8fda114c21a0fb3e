//! What the recipes have in common: directions between keypoints, and a hand that is turned.

use tiller_reward::{Access, HandAccess};
use tiller_vlm::text::StageText;

use crate::program::{number, tensor};
use crate::recipes::grasp::{Fingers, and_done, closed, opened};
use crate::recipes::terms::{Margin, constant, to_target};
use crate::scene::{Point, Scene};

/// Above a place, to come down from there.
pub(super) const OVER: Margin = Margin {
    plane: 0.010,
    height: 0.020,
    scale: [1.0; 3],
};
/// At a place where a centimetre matters.
pub(super) const AT: Margin = Margin {
    plane: 0.008,
    height: 0.008,
    scale: [2.0, 2.0, 1.0],
};
/// A block whose keypoint is nearer to the hand than this along the table is in it, m.
const ALONG_M: f64 = 0.050;
/// What a quarter of a turn counts, m: as much as a distance that matters.
const TURN_M: f64 = 0.080;

/// Where a thing's keypoints are in the mean, m.
pub(super) fn middle_m(scene: &Scene, object: &str) -> Option<[f64; 3]> {
    let points = || scene.points().filter(|point| point.object == object);
    let count = points().count() as f64;
    let mean = |axis: usize| points().map(|point| point.position_m[axis]).sum::<f64>() / count;
    (count > 0.0).then(|| [mean(0), mean(1), mean(2)])
}

/// The unit vector along the table from one place to another; `None` where they are less than a centimetre apart.
pub(super) fn direction(from: [f64; 3], to: [f64; 3]) -> Option<[f64; 2]> {
    let way = [to[0] - from[0], to[1] - from[1]];
    let length = way[0].hypot(way[1]);
    (length > 0.01).then(|| way.map(|part| part / length))
}

/// Done when a keypoint has gone so far along a direction from where it was seen, m.
pub(super) fn travelled(point: &Point, [dx, dy]: [f64; 2], by_m: f64) -> Vec<String> {
    vec![
        format!(
            "travel = keypoints[{}] - {}",
            point.index,
            tensor(point.position_m)
        ),
        format!(
            "return {} * travel[0] + {} * travel[1] - {}",
            number(dx),
            number(dy),
            number(by_m)
        ),
    ]
}

/// The unit vector between the two keypoints of a thing.
pub(super) fn axis(scene: &Scene, object: &str) -> Option<[f64; 2]> {
    let mut points = scene.points().filter(|point| point.object == object);
    let (first, second) = (points.next()?, points.next()?);
    direction(first.position_m, second.position_m)
}

/// A place so far along a direction, m.
pub(super) fn along([x, y, _]: [f64; 3], [dx, dy]: [f64; 2], by_m: f64, z_m: f64) -> [f64; 3] {
    [x + by_m * dx, y + by_m * dy, z_m]
}

/// A stage that brings the hand to a fixed place.
pub(super) fn go(description: &str, to_m: [f64; 3], margin: Margin) -> StageText {
    to_target(description, &constant(to_m), margin)
}

/// With fingers closed, where rewards may ask for it.
pub(super) fn holding(stage: StageText, fingers: Fingers) -> StageText {
    match fingers {
        Fingers::Policy => stage,
        Fingers::Guided => closed(stage, false),
    }
}

/// Done only where a block is along: one that was lost on the way is to be fetched again.
pub(super) fn carried(mut stage: StageText, block: &Point) -> StageText {
    let along = format!(
        "{} - torch.norm(keypoints[{}][:2] - end_effector[:2])",
        number(ALONG_M),
        block.index
    );
    and_done(&mut stage, &along);
    stage
}

/// With fingers open, where rewards may ask for it.
pub(super) fn releasing(stage: StageText, fingers: Fingers) -> StageText {
    match fingers {
        Fingers::Policy => stage,
        Fingers::Guided => opened(stage),
    }
}

/// With the hand's x axis along a direction, either way round, where rewards may turn it.
pub(super) fn turned(mut stage: StageText, [dx, dy]: [f64; 2], hand: HandAccess) -> StageText {
    if hand.rotations == Access::Guide {
        stage.guidance.push(format!(
            "facing = {} * rotations[:, :, 0, 0] + {} * rotations[:, :, 1, 0]",
            number(dx),
            number(dy)
        ));
        stage.reward = format!(
            "{} - {} * (1.0 - facing * facing).mean()",
            stage.reward,
            number(TURN_M)
        );
    }
    stage
}
