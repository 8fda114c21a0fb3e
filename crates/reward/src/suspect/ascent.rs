//! Where a reward leads: uphill from points all over the workspace, with the whole trajectory but its
//! first point at one place.

use crate::diagnostic::{Draft, Kind, Span};
use crate::options::{CompileOptions, Workspace};
use crate::probe::{Probes, Random, TRAJECTORIES};
use crate::program::{CompiledReward, DOWN};
use crate::run::evaluator::{Evaluator, Scene};

/// Steps uphill at most.
const STEPS: usize = 28;
/// Steps times scalar operations: what this may cost.
const BUDGET: usize = 150_000;
/// First step, longest step, and the step at which a top counts as found, in metres.
const STEP_M: (f64, f64, f64) = (0.08, 0.6, 0.01);
/// A path that turns back with a step below this has found a top nearby.
const SETTLED_M: f64 = 0.06;
/// How far from the workspace nobody goes on.
const FAR_M: f64 = 3.0;
/// Beyond this distance from the workspace a path has run away.
const AWAY_M: f64 = 1.0;
/// How far outside the workspace a best point may lie unremarked, and how far apart the ends of
/// paths to one best point.
const OUTSIDE_M: f64 = 0.1;

/// What becomes of the paths uphill.
enum Ends {
    /// They run away to all sides.
    Apart,
    /// They run away to one side, into this direction.
    OneSide([f64; 3]),
    /// They meet outside the workspace.
    Outside([f64; 3]),
    /// All else.
    Inside,
}

/// What is remarked about where the reward leads.
pub(super) fn judge(
    reward: &CompiledReward,
    evaluator: &mut Evaluator<f64>,
    options: &CompileOptions,
    (name, span): (&str, Span),
) -> Option<Draft> {
    let steps = STEPS.min(BUDGET / reward.operations().max(1));
    if steps < STEPS / 2 || reward.code.inputs[0].components.is_empty() || options.points < 2 {
        return None;
    }
    let mut climb = |seed: u64| ends(evaluator, options, steps, seed);
    // Another scene must say the same.
    match (climb(1), &mut climb) {
        (Ends::Inside, _) => None,
        (Ends::Apart, climb) => {
            matches!(climb(2), Ends::Apart).then(|| repelled(reward, name, span))
        }
        (Ends::OneSide(direction), climb) => {
            matches!(climb(2), Ends::OneSide(_)).then(|| edge(direction, name, span))
        }
        (Ends::Outside(best), climb) => {
            matches!(climb(2), Ends::Outside(_)).then(|| outside(best, options, name, span))
        }
    }
}

fn ends(evaluator: &mut Evaluator<f64>, options: &CompileOptions, steps: usize, seed: u64) -> Ends {
    let (workspace, points) = (&options.workspace, options.points);
    let inside = |share: f64, axis: usize| {
        workspace.min_m[axis] + share * (workspace.max_m[axis] - workspace.min_m[axis])
    };
    // Keypoints in the middle, so that what is beside them is inside, too.
    let middle = Workspace {
        min_m: std::array::from_fn(|axis| inside(0.35, axis)),
        max_m: std::array::from_fn(|axis| inside(0.65, axis)),
    };
    let keypoints = Random(seed).points(&middle, options.keypoints);
    let scene = Scene::from(keypoints.as_slice());
    let start: [f64; 3] = std::array::from_fn(|axis| inside(0.5, axis));
    let mut places: [[f64; 3]; TRAJECTORIES] = std::array::from_fn(|lane| {
        std::array::from_fn(|axis| inside(if lane >> axis & 1 == 0 { 0.2 } else { 0.8 }, axis))
    });
    let mut stride = [STEP_M.0; TRAJECTORIES];
    let mut last = [[0.0; 3]; TRAJECTORIES];
    let mut values = [0.0; TRAJECTORIES];
    let mut slopes = Probes::new(points);
    let mut probes = Probes::new(points);
    for opening in &mut probes.gripper {
        *opening = 1.0;
    }
    for (index, number) in probes.rotations.iter_mut().enumerate() {
        *number = DOWN[index / 3 % 3][index % 3];
    }
    for _ in 0..steps {
        for (lane, path) in probes.positions.chunks_exact_mut(3 * points).enumerate() {
            for (index, point) in path.chunks_exact_mut(3).enumerate() {
                point.copy_from_slice(if index == 0 { &start } else { &places[lane] });
            }
        }
        let finite =
            evaluator.evaluate_whole(&scene, &probes.view(), &mut values, Some(slopes.view_mut()));
        if finite.is_err() {
            return Ends::Inside;
        }
        let mut is_over = true;
        for (lane, slope) in slopes.positions.chunks_exact(3 * points).enumerate() {
            let mut uphill = [0.0; 3];
            for point in slope[3..].chunks_exact(3) {
                uphill = std::array::from_fn(|axis| uphill[axis] + point[axis]);
            }
            let length = uphill.iter().map(|v| v * v).sum::<f64>().sqrt();
            // Steering would make nothing of it, either.
            if length < 1e-9 || stride[lane] < STEP_M.2 {
                continue;
            }
            let uphill = uphill.map(|v| v / length);
            let turned: f64 = (0..3).map(|axis| uphill[axis] * last[lane][axis]).sum();
            stride[lane] = if turned < 0.0 {
                stride[lane] * 0.4
            } else {
                (stride[lane] * 1.6).min(STEP_M.1)
            };
            last[lane] = uphill;
            for axis in 0..3 {
                let (low, high) = (workspace.min_m[axis] - FAR_M, workspace.max_m[axis] + FAR_M);
                let next = places[lane][axis] + stride[lane] * uphill[axis];
                places[lane][axis] = next.clamp(low, high);
            }
            let outside = beyond(&places[lane], workspace);
            // One path that ends inside is enough: nothing is remarked then.
            if turned < 0.0 && stride[lane] < SETTLED_M && outside == 0.0 {
                return Ends::Inside;
            }
            is_over &= outside > AWAY_M;
        }
        if is_over {
            break;
        }
    }
    classify(&places, workspace)
}

/// How far a point lies outside the workspace.
fn beyond(point: &[f64; 3], workspace: &Workspace) -> f64 {
    let excess = |axis: usize| {
        let (low, high) = (workspace.min_m[axis], workspace.max_m[axis]);
        (low - point[axis]).max(point[axis] - high)
    };
    (0..3).map(excess).fold(0.0, f64::max)
}

fn classify(places: &[[f64; 3]; TRAJECTORIES], workspace: &Workspace) -> Ends {
    let range = |axis: usize| {
        let of = places.iter().map(|place| place[axis]);
        (
            of.clone().fold(f64::MAX, f64::min),
            of.fold(f64::MIN, f64::max),
        )
    };
    let mean: [f64; 3] = std::array::from_fn(|axis| {
        places.iter().map(|place| place[axis]).sum::<f64>() / TRAJECTORIES as f64
    });
    if places.iter().all(|place| beyond(place, workspace) > AWAY_M) {
        let is_apart = (0..3).any(|axis| {
            let (low, high) = range(axis);
            low < workspace.min_m[axis] - AWAY_M / 2.0
                && high > workspace.max_m[axis] + AWAY_M / 2.0
        });
        if is_apart {
            return Ends::Apart;
        }
        return Ends::OneSide(std::array::from_fn(|axis| {
            mean[axis] - (workspace.min_m[axis] + workspace.max_m[axis]) / 2.0
        }));
    }
    let is_one_place = (0..3).all(|axis| {
        let (low, high) = range(axis);
        high - low < OUTSIDE_M
    });
    if is_one_place
        && places
            .iter()
            .all(|place| beyond(place, workspace) > OUTSIDE_M)
    {
        Ends::Outside(mean)
    } else {
        Ends::Inside
    }
}

fn repelled(reward: &CompiledReward, name: &str, span: Span) -> Draft {
    let what = match *reward.used_keypoints() {
        [one] => format!("keypoint {one}"),
        _ => "what it reads".to_owned(),
    };
    Draft::new(
        Kind::Repelled,
        span,
        format!("`{name}` drives the hand away from {what}, as far as it can go"),
    )
    .expected("a reward that is highest where the hand should be")
    .help("a reward is higher where it is better: is a minus missing, as in `-distance`?")
}

fn edge(direction: [f64; 3], name: &str, span: Span) -> Draft {
    let names = [
        ("lower x", "higher x"),
        ("lower y", "higher y"),
        ("lower z", "higher z"),
    ];
    let largest = (0..3).max_by(|&a, &b| direction[a].abs().total_cmp(&direction[b].abs()));
    let largest = largest.unwrap_or(2);
    let (down, up) = names[largest];
    let toward = if direction[largest] > 0.0 { up } else { down };
    Draft::new(
        Kind::Edge,
        span,
        format!("`{name}` rises without end towards {toward}: its best point is the edge"),
    )
    .expected("a best point inside the workspace")
    .help("say where it should end: `-(x - limit).abs()`, or `x.clamp(max=limit)`")
}

fn outside(best: [f64; 3], options: &CompileOptions, name: &str, span: Span) -> Draft {
    let Workspace { min_m, max_m } = &options.workspace;
    let [x, y, z] = best.map(|v| (v * 100.0).round() / 100.0 + 0.0);
    Draft::new(
        Kind::Outside,
        span,
        format!("the best point of `{name}` lies outside the workspace"),
    )
    .expected(format!(
        "x from {} to {}, y from {} to {}, z from {} to {}",
        min_m[0], max_m[0], min_m[1], max_m[1], min_m[2], max_m[2]
    ))
    .found(format!(
        "about ({x}, {y}, {z}) with keypoints in its middle"
    ))
    .help(
        "positions are metres in the robot base frame: x away from the robot, y to the left, z up",
    )
}
