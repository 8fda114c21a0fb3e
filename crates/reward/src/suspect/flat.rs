//! Rewards without a slope where the hand goes.

use super::around;
use crate::diagnostic::{Draft, Kind, Span};
use crate::options::{CompileOptions, Workspace};
use crate::probe::{Probes, Random, TRAJECTORIES};
use crate::program::CompiledReward;
use crate::run::evaluator::{Evaluator, Scene};

/// A reward is remarked that has no slope on so many times as many probes as with one.
pub(super) const SELDOM: usize = 2;
/// Looks into the workspace, at its keypoints, and around it.
const LOOKS: [Look; 8] = [
    Look::Inside,
    Look::Inside,
    Look::Inside,
    Look::Inside,
    Look::AtKeypoints,
    Look::AtKeypoints,
    Look::Around,
    Look::Around,
];
/// Distances from keypoints.
const NEAR_M: (f64, f64) = (0.02, 0.15);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Look {
    Inside,
    AtKeypoints,
    Around,
}

/// Where a slope is found after all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    Nowhere,
    /// Only where the workspace ends.
    Outside,
    Somewhere,
}

/// Looks for a slope that the usual probes did not meet.
pub(super) fn reach(
    reward: &CompiledReward,
    evaluator: &mut Evaluator<f64>,
    options: &CompileOptions,
) -> Reach {
    let points = options.points;
    let used = reward.used_keypoints();
    let mut values = [0.0; TRAJECTORIES];
    let mut slopes = Probes::new(points);
    for (round, look) in LOOKS.into_iter().enumerate() {
        let mut random = Random(1000 + round as u64);
        let keypoints = random.points(&options.workspace, options.keypoints);
        let mut probes = Probes::default();
        for _ in 0..TRAJECTORIES {
            let wide = around(&options.workspace);
            let place = |random: &mut Random| match (look, used.as_slice()) {
                (Look::Around, _) => random.point(&wide),
                (Look::AtKeypoints, used @ [_, ..]) => {
                    let pick = random.between(0.0, used.len() as f64) as usize;
                    let centre = keypoints[used[pick]];
                    let away = random.point(&BALL);
                    let length = away.iter().map(|v| v * v).sum::<f64>().sqrt().max(1e-6);
                    let distance = random.between(NEAR_M.0, NEAR_M.1);
                    std::array::from_fn(|axis| centre[axis] + away[axis] / length * distance)
                }
                _ => random.point(&options.workspace),
            };
            let (from, to) = (place(&mut random), place(&mut random));
            for point in 0..points {
                let share = point as f64 / (points - 1) as f64;
                let between = |axis: usize| from[axis] + share * (to[axis] - from[axis]);
                probes.positions.extend([0, 1, 2].map(between));
                probes.rotations.extend(random.axes().into_iter().flatten());
                probes.gripper.push(random.between(0.0, 1.0));
            }
        }
        let scene = Scene::from(keypoints.as_slice());
        // Where it is not finite, its slope is of no use either.
        let _ =
            evaluator.evaluate_whole(&scene, &probes.view(), &mut values, Some(slopes.view_mut()));
        if (0..TRAJECTORIES).any(|particle| slopes.is_usable(particle, points)) {
            return if look == Look::Around {
                Reach::Outside
            } else {
                Reach::Somewhere
            };
        }
    }
    Reach::Nowhere
}

const BALL: Workspace = Workspace {
    min_m: [-1.0; 3],
    max_m: [1.0; 3],
};

/// A term that does nothing as long as the hand stays where it may go.
pub(super) fn outside(name: &str, span: Span) -> Draft {
    Draft::new(
        Kind::Flat,
        span,
        format!("`{name}` changes only where the workspace ends"),
    )
    .expected("a reward that says where to go inside the workspace")
    .help("this keeps the hand in and guides it nowhere: add what it should reach")
}

/// A reward whose slope reaches a few centimetres.
pub(super) fn seldom(name: &str, span: Span) -> Draft {
    Draft::new(
        Kind::Flat,
        span,
        format!("`{name}` is flat nearly everywhere"),
    )
    .expected("a reward that changes wherever the hand may be")
    .help("a distance has a slope everywhere: use it itself, or divide it by some 0.1 before `exp`")
}
