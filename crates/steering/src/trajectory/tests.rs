use proptest::prelude::*;
use tiller_core::kinematics::HOME_Q;
use tiller_core::{ActionLayout, ActionMode, Frame, RotationColumns, RotationKind};

use super::*;

/// Three positions in odd places, a column of nothing and a gripper.
fn space(mode: ActionMode) -> ActionSpace {
    let layout = ActionLayout {
        mode,
        ignored: vec![2],
        ..ActionLayout::position_deltas(5, [3, 0, 1], Some(4), 10.0)
    };
    ActionSpace {
        layout,
        scale: vec![0.03, 0.02, 7.0, 0.5, 1.0],
        offset: vec![0.001, -0.002, 3.0, 0.1, 0.0],
    }
}

const DELTA: ActionMode = ActionMode::DeltaPose(Frame::Base);

fn positions(map: &TrajectoryMap<f64>, samples: &[f64], start: &Start) -> Vec<f64> {
    let particles = samples.len() / map.rows.stride();
    let mut found = vec![0.0; particles * map.points() * 3];
    map.forward(samples, start, TrajectoriesMut::of_positions(&mut found));
    found
}

/// Every mode and every spelling, with a gripper, mixed columns, scales, offsets and one that is
/// ignored; `clip` in the layout's units.
fn every_space(clip: Option<f64>) -> Vec<(String, ActionSpace)> {
    let poses = [
        DELTA,
        ActionMode::DeltaPose(Frame::Tool),
        ActionMode::AbsolutePose,
    ];
    let mut layouts = Vec::new();
    for mode in poses {
        for kind in RotationKind::ALL.map(Some).into_iter().chain([None]) {
            let width = kind.map_or(0, RotationKind::width);
            let dim = width + 4;
            let rotation = kind.map(|kind| RotationColumns {
                // Backwards, so that a column that is taken for another shows.
                columns: (0..width).map(|column| width + 1 - column).collect(),
                kind,
            });
            let layout = ActionLayout {
                arm: tiller_core::ArmColumns::Pose {
                    position: [dim - 1, 0, dim - 2],
                    rotation,
                },
                mode,
                position_m_per_unit: 0.05,
                rotation_rad_per_unit: match kind {
                    Some(kind) if kind.is_angles() => 0.5,
                    _ => 1.0,
                },
                ignored: vec![1],
                clip,
                ..ActionLayout::position_deltas(dim + 1, [0; 3], Some(dim), 10.0)
            };
            layouts.push((format!("{mode:?} {kind:?}"), layout));
        }
    }
    for mode in [ActionMode::JointPosition, ActionMode::JointVelocity] {
        let layout = ActionLayout {
            arm: tiller_core::ArmColumns::Joints([7, 1, 2, 3, 4, 5, 6]),
            mode,
            ignored: vec![8],
            rotation_rad_per_unit: 0.7,
            clip,
            ..ActionLayout::position_deltas(9, [0; 3], Some(0), 15.0)
        };
        layouts.push((format!("{mode:?}"), layout));
    }
    let space = |layout: ActionLayout| {
        let dim = layout.dim;
        ActionSpace {
            layout,
            scale: (0..dim).map(|i| 0.4 + 0.05 * i as f32).collect(),
            offset: (0..dim).map(|i| 0.3 - 0.04 * i as f32).collect(),
        }
    };
    let spaces: Vec<_> = layouts
        .into_iter()
        .map(|(name, layout)| (name, space(layout)))
        .collect();
    for (name, space) in &spaces {
        assert_eq!(space.validate(), Ok(()), "{name}");
    }
    spaces
}

fn start() -> Start {
    let [w, x, y, z] = [0.2_f64, 0.9, -0.3, 0.1];
    let length = (w * w + x * x + y * y + z * z).sqrt();
    Start {
        pose: Pose {
            position_m: [0.4, -0.1, 0.3],
            quaternion_wxyz: [w, x, y, z].map(|n| n / length),
        },
        opening: 0.25,
        joints_rad: Some(HOME_Q),
    }
}

/// All numbers of whole trajectories.
struct Whole {
    positions: Vec<f64>,
    rotations: Vec<f64>,
    gripper: Vec<f64>,
}

impl Whole {
    fn of(map: &TrajectoryMap<f64>, samples: &[f64], start: &Start) -> Self {
        let points = samples.len() / map.rows.stride() * map.points();
        let mut whole = Self {
            positions: vec![0.0; points * 3],
            rotations: vec![0.0; points * 9],
            gripper: vec![0.0; points],
        };
        let out = TrajectoriesMut {
            positions: &mut whole.positions,
            rotations: &mut whole.rotations,
            gripper: &mut whole.gripper,
        };
        map.forward(samples, start, out);
        whole
    }

    fn view(&self) -> Trajectories<'_, f64> {
        Trajectories {
            positions: &self.positions,
            rotations: &self.rotations,
            gripper: &self.gripper,
        }
    }

    fn dot(&self, other: &Self) -> f64 {
        let pairs = [
            (&self.positions, &other.positions),
            (&self.rotations, &other.rotations),
            (&self.gripper, &other.gripper),
        ];
        let products = pairs.into_iter().flat_map(|(a, b)| a.iter().zip(b));
        products.map(|(a, b)| a * b).sum()
    }
}

/// Numbers without a pattern, in `[-1, 1]`.
fn numbers(count: usize, seed: u64) -> Vec<f64> {
    let number = |i: usize| ((i as f64 + 1.0) * 12.9898 + seed as f64 * 78.233).sin() * 43758.5453;
    (0..count)
        .map(|i| 2.0 * number(i).rem_euclid(1.0) - 1.0)
        .collect()
}

const STEPS: usize = 5;
const HORIZON: usize = 7;
const PAST: usize = 1;

fn cotangents(points: usize) -> Whole {
    Whole {
        positions: numbers(points * 3, 2),
        rotations: numbers(points * 9, 3),
        gripper: numbers(points, 4),
    }
}

/// `<y, traj(x + h e) - traj(x - h e)> / 2h` is entry `e` of the adjoint of `y`.
fn assert_exact(name: &str, space: &ActionSpace, seed: u64) {
    let mut map = TrajectoryMap::<f64>::new(space, HORIZON, PAST, STEPS);
    let stride = HORIZON * space.dim();
    let samples = numbers(2 * stride, seed);
    let cotangents = cotangents(2 * map.points());
    let mut gradient = vec![9.0; samples.len()];
    map.adjoint(&samples, &start(), &cotangents.view(), &mut gradient);
    let largest = gradient.iter().fold(0.0_f64, |most, g| most.max(g.abs()));
    for at in 0..samples.len() {
        let h = 1e-6;
        let moved = |by: f64| {
            let mut moved = samples.clone();
            moved[at] += by;
            Whole::of(&map, &moved, &start()).dot(&cotangents)
        };
        let expected = (moved(h) - moved(-h)) / (2.0 * h);
        let off = (gradient[at] - expected).abs() / largest.max(1e-3);
        assert!(
            off < 1e-6,
            "{name}[{at}]: {} is not {expected}",
            gradient[at]
        );
        let executed = (PAST..PAST + STEPS).contains(&(at % stride / space.dim()));
        assert!(
            executed || gradient[at] == 0.0,
            "{name}[{at}] is not executed"
        );
    }
    assert!(largest > 0.01, "{name}");
}

#[test]
fn the_adjoint_of_every_layout_is_the_derivative() {
    for (name, space) in every_space(None) {
        for seed in [11, 12, 13] {
            assert_exact(&name, &space, seed);
        }
    }
}

#[test]
fn what_is_clipped_has_no_slope() {
    for (name, space) in every_space(Some(0.35)) {
        assert_exact(&name, &space, 17);
    }
    // Position column 3 is `0.5 x + 0.1`, so 1 is clipped and 0.2 is not.
    let mut clipped = space(DELTA);
    clipped.layout.clip = Some(0.3);
    let mut map = TrajectoryMap::<f64>::new(&clipped, 2, 0, 2);
    let samples = [0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.2, 0.0];
    let x = positions(&map, &samples, &Start::at([0.0; 3]));
    assert!(
        (x[3] - 0.3).abs() < 1e-7 && (x[6] - 0.5).abs() < 1e-7,
        "{x:?}"
    );
    let mut gradient = [9.0; 10];
    let of_points = [1.0; 9];
    let cotangents = Trajectories::of_positions(&of_points);
    map.adjoint(&samples, &Start::at([0.0; 3]), &cotangents, &mut gradient);
    assert_eq!([gradient[3], gradient[8]], [0.0, 0.5]);
}

/// Where the hand is as it turns does not depend on how the turn is spelled.
#[test]
fn all_spellings_mean_the_same_path() {
    let turn = RotationKind::RotationVector.matrix(&[0.3, -0.5, 0.8]);
    let mut paths = Vec::new();
    for kind in RotationKind::ALL {
        let width = kind.width();
        let rotation = RotationColumns {
            columns: (3..3 + width).collect(),
            kind,
        };
        let layout = ActionLayout {
            arm: tiller_core::ArmColumns::Pose {
                position: [0, 1, 2],
                rotation: Some(rotation),
            },
            mode: ActionMode::DeltaPose(Frame::Tool),
            ..ActionLayout::position_deltas(3 + width, [0; 3], None, 10.0)
        };
        let mut action = vec![0.01, 0.02, -0.03];
        action.resize(3 + width, 0.0);
        kind.spell(&turn, &mut action[3..]);
        let map = TrajectoryMap::<f64>::new(&ActionSpace::plain(layout), 4, 0, 4);
        paths.push(Whole::of(&map, &action.repeat(4), &start()));
    }
    for path in &paths {
        for (found, expected) in path.positions.iter().zip(&paths[0].positions) {
            assert!((found - expected).abs() < 1e-12);
        }
        for (found, expected) in path.rotations.iter().zip(&paths[0].rotations) {
            assert!((found - expected).abs() < 1e-12);
        }
    }
    let (first, last) = (&paths[0].rotations[..9], &paths[0].rotations[36..]);
    assert!(first.iter().zip(last).any(|(a, b)| (a - b).abs() > 0.5));
}

/// Whether rotations are asked for changes only rounding.
#[test]
fn the_fast_path_is_the_walk() {
    for (name, space) in every_space(None) {
        let mut map = TrajectoryMap::<f64>::new(&space, HORIZON, PAST, STEPS);
        let samples = numbers(3 * HORIZON * space.dim(), 5);
        let whole = Whole::of(&map, &samples, &start());
        let close = |a: &[f64], b: &[f64]| a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-12);
        let alone = positions(&map, &samples, &start());
        assert!(close(&whole.positions, &alone), "{name}");
        let forces = Whole {
            rotations: vec![0.0; whole.rotations.len()],
            gripper: vec![0.0; whole.gripper.len()],
            ..cotangents(3 * map.points())
        };
        let (mut slow, mut fast) = (samples.clone(), samples.clone());
        map.adjoint(&samples, &start(), &forces.view(), &mut slow);
        let of_positions = Trajectories::of_positions(&forces.positions);
        map.adjoint(&samples, &start(), &of_positions, &mut fast);
        assert!(close(&slow, &fast), "{name}");
    }
}

#[test]
fn the_path_of_a_chunk_is_where_the_next_one_can_start() {
    for (name, space) in every_space(None) {
        let map = TrajectoryMap::<f64>::new(&space, HORIZON, PAST, STEPS);
        let chunk = numbers(HORIZON * space.dim(), 6);
        let path: Vec<Start> = map.path(&chunk, &start()).collect();
        assert_eq!(path.len(), map.points());
        let whole = Whole::of(&map, &chunk, &start());
        for (point, place) in path.iter().enumerate() {
            let at = Pose::new(
                nalgebra::Vector3::from_column_slice(&whole.positions[point * 3..][..3]),
                &nalgebra::Matrix3::from_row_slice(&whole.rotations[point * 9..][..9]),
            );
            let (distance, angle) = place.pose.distance_to(&at);
            assert!(distance < 1e-12 && angle < 1e-7, "{name} at {point}");
            assert!((place.opening - whole.gripper[point]).abs() < 1e-12);
        }
        // A chunk from step 2 on goes where the old one went.
        let rest = TrajectoryMap::<f64>::new(&space, HORIZON - 2, PAST, STEPS - 2);
        let ends = Whole::of(&rest, &chunk[2 * space.dim()..], &path[2]);
        let last = ends.positions.len() - 3;
        let expected = &whole.positions[whole.positions.len() - 3..];
        for (found, expected) in ends.positions[last..].iter().zip(expected) {
            assert!(
                (found - expected).abs() < 1e-9,
                "{name}: {found} is not {expected}"
            );
        }
    }
}

#[test]
fn a_gripper_is_as_open_as_its_values_say() {
    let mut inverted = space(DELTA);
    inverted.layout.gripper = Some(GripperColumn {
        column: 4,
        open: -1.0,
        closed: 1.0,
    });
    let mut map = TrajectoryMap::<f64>::new(&inverted, 2, 0, 2);
    let mut samples = vec![0.0; 10];
    (samples[4], samples[9]) = (-1.0, 0.0);
    let whole = Whole::of(&map, &samples, &start());
    assert_eq!(whole.gripper, [0.25, 1.0, 0.5]);
    let cotangents = Trajectories {
        gripper: &[9.0, 1.0, 2.0],
        ..Trajectories::of_positions(&[0.0; 9])
    };
    map.adjoint(&samples.clone(), &start(), &cotangents, &mut samples);
    assert_eq!([samples[4], samples[9]], [-0.5, -1.0]);
    inverted.layout.gripper = None;
    inverted.layout.ignored = vec![2, 4];
    let map = TrajectoryMap::<f64>::new(&inverted, 2, 0, 2);
    assert_eq!(Whole::of(&map, &samples, &start()).gripper, [0.25; 3]);
}

proptest! {
    /// `<traj(x) - traj(0), y> = <x, adjoint(y)>`: the map is affine, so this is exact.
    #[test]
    fn the_adjoint_of_an_affine_map_is_exact(
        values in prop::collection::vec(-2.0..2.0f64, 3 * 6 * 5),
        cotangent in prop::collection::vec(-2.0..2.0f64, 3 * 7 * 3),
        start in 0usize..6,
        share in 0usize..6,
        absolute in any::<bool>(),
    ) {
        let mode = if absolute { ActionMode::AbsolutePose } else { DELTA };
        let steps = 1 + share % (6 - start);
        let mut map = TrajectoryMap::<f64>::new(&space(mode), 6, start, steps);
        let length = 3 * map.points() * 3;
        let from = Start::at([0.3, -0.1, 0.2]);
        let at_x = positions(&map, &values, &from);
        let at_zero = positions(&map, &vec![0.0; values.len()], &from);
        let mut pulled = vec![1.0; values.len()];
        let cotangents = Trajectories::of_positions(&cotangent[..length]);
        map.adjoint(&values, &from, &cotangents, &mut pulled);
        let forward: f64 =
            (0..length).map(|i| (at_x[i] - at_zero[i]) * cotangent[i]).sum();
        let backward: f64 = values.iter().zip(&pulled).map(|(a, b)| a * b).sum();
        prop_assert!((forward - backward).abs() < 1e-10, "{forward} is not {backward}");
    }

    /// Wherever the sample is, and whatever turns it holds.
    #[test]
    fn the_adjoint_is_the_derivative_anywhere(at in 0usize..20, seed in 100u64..10_000) {
        let spaces = every_space(None);
        let (name, space) = &spaces[at % spaces.len()];
        assert_exact(name, space, seed);
    }
}

#[test]
fn point_k_plus_1_depends_on_actions_0_to_k_and_on_nothing_else() {
    let mut map = TrajectoryMap::<f64>::new(&space(DELTA), 4, 0, 4);
    for point in 0..5 {
        let mut cotangent = vec![0.0; 5 * 3];
        cotangent[point * 3] = 1.0;
        let mut gradient = vec![0.0; 4 * 5];
        let cotangents = Trajectories::of_positions(&cotangent);
        map.adjoint(&[0.0; 20], &start(), &cotangents, &mut gradient);
        for (step, action) in gradient.chunks_exact(5).enumerate() {
            let expected = if step < point { 0.5 } else { 0.0 };
            assert_eq!(
                action,
                [0.0, 0.0, 0.0, expected, 0.0],
                "point {point} step {step}"
            );
        }
    }
}

#[test]
fn actions_before_the_start_neither_move_the_robot_nor_are_moved() {
    let mut map = TrajectoryMap::<f64>::new(&space(DELTA), 4, 1, 2);
    assert_eq!(map.points(), 3);
    let mut chunk = vec![9.0; 4 * 5];
    for (step, action) in chunk.chunks_exact_mut(5).enumerate() {
        action[3] = [100.0, 1.0, 2.0, 50.0][step];
    }
    let from = Start::at([0.5, 0.0, 0.0]);
    let points = positions(&map, &chunk, &from);
    let x: Vec<f64> = points.iter().step_by(3).copied().collect();
    // Column 3 is x: half of the number and 0.1 more.
    for (found, expected) in x.iter().zip([0.5, 1.1, 2.2]) {
        assert!((found - expected).abs() < 1e-6, "{x:?}");
    }
    let ones = [1.0; 9];
    let cotangents = Trajectories::of_positions(&ones);
    map.adjoint(&chunk.clone(), &from, &cotangents, &mut chunk);
    let gradients: Vec<f64> = chunk.chunks_exact(5).map(|action| action[3]).collect();
    assert_eq!(gradients, [0.0, 1.0, 0.5, 0.0]);
}

#[test]
fn actions_beyond_the_guided_steps_are_left_alone() {
    let mut map = TrajectoryMap::<f64>::new(&space(DELTA), 4, 0, 2);
    assert_eq!((map.points(), map.steps()), (3, 2));
    let mut gradient = vec![9.0; 4 * 5];
    let ones = [1.0; 9];
    let cotangents = Trajectories::of_positions(&ones);
    map.adjoint(&[0.0; 20], &start(), &cotangents, &mut gradient);
    assert!(gradient[2 * 5..].iter().all(|g| *g == 0.0));
    assert_eq!(gradient[3], 2.0 * 0.5);
}
