//! The highest reward that a trajectory can reach within the motion limits.
//!
//! Gradients of a compiled reward cost microseconds, so the goal of a stage is searched directly:
//! several trajectories climb the reward's gradient side by side, every step kept inside its box.

use nalgebra::{Matrix3, Vector3};
use tiller_core::rotation::{cotangent, exp};
use tiller_core::{Reads, Trajectories, TrajectoriesMut};
use tiller_steering::random::{Purpose, Random};

use crate::hand::{Hand, Paths};

/// Trajectories that climb together: one block of the reward's evaluator.
const CLIMBERS: usize = 24;
/// Steps of the climb; a straight line across the box takes one.
const ITERATIONS: usize = 120;
/// Random trajectories in the check whether a reward ever becomes positive.
const PROBES: usize = 96;
/// Above this a reward counts as positive; rounding is below it.
const POSITIVE: f64 = 1e-9;
/// The probes must be the same in every run.
const SEED: u64 = 0x7117_e500;
/// Furthest turn about an axis of the base frame in one step, rad: a Franka's 2.5 rad/s at 10 Hz.
const MAX_TURN_RAD: f64 = 0.25;
/// How far all turns of a trajectory together change in the first step of the climb, rad.
const FIRST_TURN_RAD: f64 = 1.0;

/// What is asked of a reward: values `[B]` and, if wanted, gradients of trajectories.
pub(crate) trait Landscape {
    type Error;
    fn evaluate(
        &mut self,
        trajectories: &Trajectories<'_, f64>,
        values: &mut [f64],
        gradients: Option<TrajectoriesMut<'_, f64>>,
    ) -> Result<(), Self::Error>;
}

/// Where trajectories start and how they may move.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reach<'a> {
    pub(crate) anchor: Hand,
    pub(crate) keypoints: &'a [[f64; 3]],
    /// Points `P` of a trajectory, the anchor included.
    pub(crate) points: usize,
    /// Largest displacement along an axis in one step, metres.
    pub(crate) max_step_m: f64,
    /// What the reward reads beside positions.
    pub(crate) reads: Reads,
}

/// One trajectory's moves: in every step a displacement (m), a turn about the base frame's axes
/// (rad), and the opening after it.
#[derive(Debug, Clone, Copy, Default)]
struct Move {
    step: [f64; 3],
    turn: [f64; 3],
    opening: f64,
}

impl Reach<'_> {
    fn actions(&self) -> usize {
        self.points - 1
    }

    /// The keypoints that are known.
    fn targets(&self) -> impl Iterator<Item = [f64; 3]> + '_ {
        let known = |keypoint: &[f64; 3]| keypoint.iter().all(|value| value.is_finite());
        self.keypoints.iter().copied().filter(known)
    }

    /// Random numbers that depend on nothing but the index.
    fn direction(index: usize) -> [f64; 3] {
        let mut normal = [0.0f32; 3];
        Random::new(SEED, 0).normal(Purpose::Initial, 0, 0, index, &mut normal);
        normal.map(f64::from)
    }

    fn still(&self) -> Move {
        Move {
            opening: self.anchor.opening(),
            ..Move::default()
        }
    }

    /// The displacement of each step on the straight way to `target`, unlimited.
    fn straight_to(&self, target: [f64; 3]) -> Move {
        let from = self.anchor.pose.position_m;
        Move {
            step: std::array::from_fn(|axis| (target[axis] - from[axis]) / self.actions() as f64),
            ..self.still()
        }
    }

    /// The displacement of each step in direction `index` with the longest axis at `share` of the
    /// limit.
    fn random_step(&self, index: usize, share: f64) -> Move {
        let direction = Self::direction(index);
        let longest = direction
            .iter()
            .fold(f64::MIN_POSITIVE, |most, d| most.max(d.abs()));
        Move {
            step: direction.map(|d| d / longest * share * self.max_step_m),
            ..self.still()
        }
    }

    /// The same way with the hand turning as trajectory `index` does, and with its fingers.
    fn turning(&self, way: Move, index: usize) -> Move {
        let [x, y, z] = Self::direction(index + PROBES);
        let length = (x * x + y * y + z * z).sqrt().max(f64::MIN_POSITIVE);
        Move {
            turn: [x, y, z].map(|v| v / length * MAX_TURN_RAD * [0.0, 0.3, 1.0][index % 3]),
            opening: [way.opening, 0.0, 1.0][index / 3 % 3],
            ..way
        }
    }

    /// Writes the points that moves lead through.
    fn integrate(&self, moves: &[Move], out: &mut Paths) {
        let mut position = self.anchor.pose.position_m;
        let mut rotation = self.anchor.pose.matrix();
        let mut opening = self.anchor.opening();
        let rows = |rotation: &Matrix3<f64>| rotation.transpose().into();
        out.push(position, &rows(&rotation), opening, self.reads);
        for action in moves {
            for (axis, step) in action.step.iter().enumerate() {
                position[axis] += step;
            }
            if self.reads.rotations {
                rotation = exp(&Vector3::from(action.turn)) * rotation;
            }
            opening = action.opening;
            out.push(position, &rows(&rotation), opening, self.reads);
        }
    }

    /// Appends the points of a trajectory with the same move in every step. Points of straight lines
    /// are multiples of the step, not sums.
    fn push_line(&self, way: Move, out: &mut Paths) {
        let first = out.positions.len();
        self.integrate(&vec![way; self.actions()], out);
        for (index, point) in out.positions[first..].chunks_exact_mut(3).enumerate() {
            for (axis, value) in point.iter_mut().enumerate() {
                *value = self.anchor.pose.position_m[axis] + index as f64 * way.step[axis];
            }
        }
    }
}

/// Whether the reward is positive on any probe: holding still, going straight to every keypoint,
/// and going in random directions at the speed limit and far below it, where it matters turning and
/// with open and closed fingers.
pub(crate) fn becomes_positive<L: Landscape>(
    landscape: &mut L,
    reach: &Reach<'_>,
) -> Result<bool, L::Error> {
    let mut ways = vec![reach.still()];
    ways.extend(reach.targets().map(|target| reach.straight_to(target)));
    ways.extend((0..PROBES).map(|index| reach.random_step(index, [1.0, 0.5, 0.1][index % 3])));
    if reach.reads != Reads::default() {
        let turning = |(index, way): (usize, &Move)| reach.turning(*way, index);
        let more: Vec<Move> = ways.iter().enumerate().map(turning).collect();
        ways.extend(more);
    }
    let mut trajectories = Paths::default();
    for way in &ways {
        reach.push_line(*way, &mut trajectories);
    }
    let mut values = vec![0.0; ways.len()];
    landscape.evaluate(&trajectories.view(), &mut values, None)?;
    Ok(values.iter().any(|value| *value > POSITIVE))
}

/// The highest reward found by climbing from several starts within the motion limits; never below
/// that of holding still. Values that are not finite are passed over.
pub(crate) fn highest_reward<L: Landscape>(
    landscape: &mut L,
    reach: &Reach<'_>,
) -> Result<f64, L::Error> {
    let actions = reach.actions();
    let mut moves = Vec::with_capacity(CLIMBERS * actions);
    let mut targets = reach.targets();
    for climber in 0..CLIMBERS {
        let way = match climber.checked_sub(1) {
            None => reach.still(),
            Some(index) => match targets.next() {
                Some(keypoint) => reach.straight_to(keypoint),
                None => reach.random_step(index, 0.5),
            },
        };
        let limit = reach.max_step_m;
        let step = way.step.map(|s| s.clamp(-limit, limit));
        moves.extend(std::iter::repeat_n(Move { step, ..way }, actions));
    }
    let all = CLIMBERS * reach.points;
    let mut trajectories = Paths::zeros(0, reach.reads);
    let mut gradients = Paths::zeros(all, reach.reads);
    let mut values = vec![0.0; CLIMBERS];
    let mut best = f64::NEG_INFINITY;
    for iteration in 0..=ITERATIONS {
        trajectories.clear();
        for moves in moves.chunks_exact(actions) {
            reach.integrate(moves, &mut trajectories);
        }
        let slopes = Some(gradients.view_mut());
        landscape.evaluate(&trajectories.view(), &mut values, slopes)?;
        for value in values.iter().filter(|value| value.is_finite()) {
            best = best.max(*value);
        }
        // A shrinking step: across the box at first, a thousandth of it in the end.
        let share = 1.0 - iteration as f64 / (ITERATIONS + 1) as f64;
        let share = share * share * share;
        climb(reach, &trajectories, &gradients, share, &mut moves);
    }
    Ok(best)
}

/// Moves every trajectory's moves up its gradient and back into the box: of displacements, turns and
/// openings each the one with the steepest slope by `share` of what it may be.
fn climb(reach: &Reach<'_>, at: &Paths, gradients: &Paths, share: f64, moves: &mut [Move]) {
    let actions = reach.actions();
    let mut slopes = vec![Move::default(); actions];
    for (climber, moves) in moves.chunks_exact_mut(actions).enumerate() {
        // A step moves, and a turn turns, all later points: dR/dstep_j = sum of dR/dpoint_k over k > j.
        let mut sum = Move::default();
        for (action, slope) in slopes.iter_mut().enumerate().rev() {
            let point = climber * reach.points + action + 1;
            let force = &gradients.positions[3 * point..][..3];
            let own = 9 * point..9 * (point + 1);
            let torque = match (at.rotations.get(own.clone()), gradients.rotations.get(own)) {
                (Some(rotation), Some(gradient)) => cotangent(
                    &Matrix3::from_row_slice(rotation),
                    &Matrix3::from_row_slice(gradient),
                ),
                _ => Vector3::zeros(),
            };
            for axis in 0..3 {
                sum.step[axis] += force[axis];
                sum.turn[axis] += torque[axis];
            }
            *slope = Move {
                opening: gradients.gripper.get(point).copied().unwrap_or(0.0),
                ..sum
            };
        }
        let steepest = |of: fn(&Move) -> &[f64]| {
            let slopes = slopes.iter().flat_map(of);
            let steepest = slopes.fold(0.0f64, |most, slope| most.max(slope.abs()));
            (steepest.is_finite() && steepest > 0.0).then_some(steepest)
        };
        let of_steps = steepest(|slope| &slope.step);
        let of_turns = steepest(|slope| &slope.turn);
        let of_openings = steepest(|slope| std::slice::from_ref(&slope.opening));
        // All turns together stay well below half a turn, beyond which the slope leads the other way.
        let longest_turn = MAX_TURN_RAD.min(FIRST_TURN_RAD / actions as f64);
        for (own, slope) in moves.iter_mut().zip(&slopes) {
            let most = reach.max_step_m;
            for axis in 0..3 {
                let (step, turn) = (&mut own.step[axis], &mut own.turn[axis]);
                rise(
                    step,
                    slope.step[axis],
                    of_steps,
                    most * share,
                    [-most, most],
                );
                let range = [-MAX_TURN_RAD, MAX_TURN_RAD];
                rise(
                    turn,
                    slope.turn[axis],
                    of_turns,
                    longest_turn * share,
                    range,
                );
            }
            rise(
                &mut own.opening,
                slope.opening,
                of_openings,
                share,
                [0.0, 1.0],
            );
        }
    }
}

/// Moves a number up its slope, by `length` where that is the steepest one, and back into its range.
fn rise(number: &mut f64, slope: f64, steepest: Option<f64>, length: f64, [low, high]: [f64; 2]) {
    if let Some(steepest) = steepest {
        *number = (*number + length * slope / steepest).clamp(low, high);
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use proptest::prelude::*;

    use super::*;

    /// `peak - |end - target|^2`.
    struct Bowl {
        peak: f64,
        target: [f64; 3],
    }

    impl Landscape for Bowl {
        type Error = Infallible;
        fn evaluate(
            &mut self,
            trajectories: &Trajectories<'_, f64>,
            values: &mut [f64],
            gradients: Option<TrajectoriesMut<'_, f64>>,
        ) -> Result<(), Infallible> {
            let trajectories = trajectories.positions;
            let width = trajectories.len() / values.len();
            let mut slopes = vec![0.0; trajectories.len()];
            for (b, value) in values.iter_mut().enumerate() {
                *value = self.peak;
                for axis in 0..3 {
                    let at = (b + 1) * width - 3 + axis;
                    let off = trajectories[at] - self.target[axis];
                    *value -= off * off;
                    slopes[at] = -2.0 * off;
                }
            }
            if let Some(gradients) = gradients {
                gradients.positions.copy_from_slice(&slopes);
            }
            Ok(())
        }
    }

    fn reach(keypoints: &[[f64; 3]]) -> Reach<'_> {
        Reach {
            anchor: Hand::down([0.4, 0.0, 0.2]),
            keypoints,
            points: 17,
            max_step_m: 0.03,
            reads: Reads::default(),
        }
    }

    proptest! {
        #[test]
        fn a_target_within_reach_is_reached(
            x in -0.45..0.45f64, y in -0.45..0.45f64, z in -0.45..0.45f64,
        ) {
            let mut bowl = Bowl { peak: 3.0, target: [0.4 + x, y, 0.2 + z] };
            let found = highest_reward(&mut bowl, &reach(&[])).unwrap();
            prop_assert!(found <= 3.0 && found > 3.0 - 1e-4, "{found}");
        }
    }

    #[test]
    fn the_motion_limit_bounds_what_is_out_of_reach() {
        // 16 steps of 0.03 m reach 0.48 m of the 0.6 m along x.
        let mut bowl = Bowl {
            peak: 1.0,
            target: [1.0, 0.0, 0.2],
        };
        let found = highest_reward(&mut bowl, &reach(&[])).unwrap();
        assert!((found - (1.0 - 0.12f64.powi(2))).abs() < 1e-4, "{found}");
    }

    #[test]
    fn probes_tell_positive_rewards_from_penalties() {
        let keypoint = [[0.7, 0.3, 0.05]];
        let mut penalty = Bowl {
            peak: 0.0,
            target: keypoint[0],
        };
        assert!(!becomes_positive(&mut penalty, &reach(&keypoint)).unwrap());
        // Positive only within a centimetre of the keypoint.
        let mut bonus = Bowl {
            peak: 1e-4,
            target: keypoint[0],
        };
        assert!(becomes_positive(&mut bonus, &reach(&keypoint)).unwrap());
    }

    /// `2 - |R - target|^2 / 4 - (opening - 0.3)^2` at the end of the trajectory.
    struct Grasp {
        target: Matrix3<f64>,
    }

    impl Landscape for Grasp {
        type Error = Infallible;
        fn evaluate(
            &mut self,
            trajectories: &Trajectories<'_, f64>,
            values: &mut [f64],
            gradients: Option<TrajectoriesMut<'_, f64>>,
        ) -> Result<(), Infallible> {
            let points = trajectories.gripper.len() / values.len();
            let mut slopes = Paths::zeros(trajectories.gripper.len(), WHOLE);
            for (b, value) in values.iter_mut().enumerate() {
                let last = (b + 1) * points - 1;
                let own = 9 * last..9 * (last + 1);
                let rotation = &trajectories.rotations[own.clone()];
                let off = Matrix3::from_row_slice(rotation) - self.target;
                let open = trajectories.gripper[last] - 0.3;
                *value = 2.0 - off.norm_squared() / 4.0 - open * open;
                let slope = (off * -0.5).transpose();
                slopes.rotations[own].copy_from_slice(slope.as_slice());
                slopes.gripper[last] = -2.0 * open;
            }
            if let Some(gradients) = gradients {
                gradients.positions.copy_from_slice(&slopes.positions);
                gradients.rotations.copy_from_slice(&slopes.rotations);
                gradients.gripper.copy_from_slice(&slopes.gripper);
            }
            Ok(())
        }
    }

    const WHOLE: Reads = Reads {
        rotations: true,
        gripper: true,
    };

    proptest! {
        #[test]
        fn the_hand_is_turned_and_its_fingers_moved(
            x in -1.0..1.0f64, y in -1.0..1.0f64, z in -1.5..1.5f64,
        ) {
            let way = Reach { reads: WHOLE, ..reach(&[]) };
            let turn = exp(&Vector3::new(x, y, z));
            let mut grasp = Grasp { target: turn * way.anchor.pose.matrix() };
            let found = highest_reward(&mut grasp, &way).unwrap();
            prop_assert!(found <= 2.0 && found > 2.0 - 1e-3, "{found}");
        }
    }

    #[test]
    fn a_reward_of_closed_fingers_is_seen_to_become_positive() {
        struct Closed;
        impl Landscape for Closed {
            type Error = Infallible;
            fn evaluate(
                &mut self,
                trajectories: &Trajectories<'_, f64>,
                values: &mut [f64],
                _: Option<TrajectoriesMut<'_, f64>>,
            ) -> Result<(), Infallible> {
                let points = trajectories.gripper.len() / values.len();
                for (value, way) in values.iter_mut().zip(trajectories.gripper.chunks(points)) {
                    *value = 0.2 - way[points - 1];
                }
                Ok(())
            }
        }
        let way = Reach {
            reads: WHOLE,
            ..reach(&[])
        };
        assert!(becomes_positive(&mut Closed, &way).unwrap());
    }
}
