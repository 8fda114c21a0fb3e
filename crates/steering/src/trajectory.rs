//! From a normalised chunk to the path that the end effector would take, and back.

use crate::action::{ActionMode, ActionSpace};
use crate::real::Real;

/// `traj(x)`: unnormalises the position columns of `steps` actions from `start` on, the first that is
/// executed, integrates them from the anchor into `steps + 1` points, and the exact adjoint of that
/// map.
///
/// Counting actions from `start`, point `k + 1` is where the robot is after actions `0..=k`; point 0
/// is the anchor. So for
/// displacements `p_{k+1} = p_0 + sum_{j <= k} (scale x_j + offset)` and
/// `dR/dx_j = scale * sum_{k >= j} dR/dp_{k+1}`: a reverse cumulative sum that leaves out the
/// anchor's own gradient, because no action moves the anchor.
#[derive(Debug, Clone)]
pub struct TrajectoryMap<F: Real = f32> {
    dim: usize,
    horizon: usize,
    start: usize,
    steps: usize,
    columns: [usize; 3],
    scale: [F; 3],
    offset: [F; 3],
    mode: ActionMode,
}

impl<F: Real> TrajectoryMap<F> {
    /// The map for chunks of `horizon` actions of which `steps` from `start` on make the trajectory.
    /// The space must be valid and `start + steps <= horizon`.
    #[must_use]
    pub fn new(space: &ActionSpace, horizon: usize, start: usize, steps: usize) -> Self {
        let pick = |values: &[f32]| {
            space
                .position_columns
                .map(|column| F::from_f64(f64::from(values[column])))
        };
        Self {
            dim: space.dim,
            horizon,
            start,
            steps: steps.min(horizon.saturating_sub(start)),
            columns: space.position_columns,
            scale: pick(&space.scale),
            offset: pick(&space.offset),
            mode: space.mode,
        }
    }

    /// Points `P` of a trajectory: one more than its actions.
    #[must_use]
    pub fn points(&self) -> usize {
        self.steps + 1
    }

    /// Guided numbers in a chunk: `steps * 3`.
    #[must_use]
    pub fn guided(&self) -> usize {
        self.steps * 3
    }

    /// Writes `trajectories` `[B, P, 3]` of the normalised `samples` `[B, T, D]`.
    pub fn forward(&self, samples: &[F], anchor: [F; 3], trajectories: &mut [F]) {
        let chunks = samples.chunks_exact(self.horizon * self.dim);
        for (chunk, points) in chunks.zip(trajectories.chunks_exact_mut(self.points() * 3)) {
            let mut position = anchor;
            points[..3].copy_from_slice(&anchor);
            let actions = chunk.chunks_exact(self.dim).skip(self.start);
            for (action, point) in actions.zip(points[3..].chunks_exact_mut(3)) {
                for axis in 0..3 {
                    let value = action[self.columns[axis]] * self.scale[axis] + self.offset[axis];
                    position[axis] = match self.mode {
                        ActionMode::Delta => position[axis] + value,
                        ActionMode::Absolute => value,
                    };
                }
                point.copy_from_slice(&position);
            }
        }
    }

    /// Writes into `samples` `[B, T, D]` the gradient that `trajectories` `[B, P, 3]` (gradients
    /// with respect to the points) mean for the normalised samples. Columns and steps that do not
    /// move the trajectory get 0.
    pub fn adjoint(&self, trajectories: &[F], samples: &mut [F]) {
        let chunks = samples.chunks_exact_mut(self.horizon * self.dim);
        for (chunk, points) in chunks.zip(trajectories.chunks_exact(self.points() * 3)) {
            chunk.fill(F::default());
            let mut sum = [F::default(); 3];
            let executed = chunk.chunks_exact_mut(self.dim).skip(self.start);
            let actions = executed.take(self.steps);
            for (action, point) in actions.zip(points[3..].chunks_exact(3)).rev() {
                for axis in 0..3 {
                    sum[axis] = match self.mode {
                        ActionMode::Delta => sum[axis] + point[axis],
                        ActionMode::Absolute => point[axis],
                    };
                    action[self.columns[axis]] = sum[axis] * self.scale[axis];
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn space(mode: ActionMode) -> ActionSpace {
        ActionSpace {
            dim: 5,
            position_columns: [3, 0, 1],
            gripper_column: Some(4),
            rotation_columns: Vec::new(),
            scale: vec![0.03, 0.02, 7.0, 0.5, 1.0],
            offset: vec![0.001, -0.002, 3.0, 0.1, 0.0],
            mode,
        }
    }

    proptest! {
        /// `<traj(x) - traj(0), y> = <x, adjoint(y)>`: the map is affine, so this is exact.
        #[test]
        fn the_adjoint_is_exact(
            values in prop::collection::vec(-2.0..2.0f64, 3 * 6 * 5),
            cotangent in prop::collection::vec(-2.0..2.0f64, 3 * 7 * 3),
            start in 0usize..6,
            share in 0usize..6,
            absolute in any::<bool>(),
        ) {
            let mode = if absolute { ActionMode::Absolute } else { ActionMode::Delta };
            let steps = 1 + share % (6 - start);
            let map = TrajectoryMap::<f64>::new(&space(mode), 6, start, steps);
            let length = 3 * map.points() * 3;
            let anchor = [0.3, -0.1, 0.2];
            let (mut at_x, mut at_zero) = (vec![0.0; length], vec![0.0; length]);
            map.forward(&values, anchor, &mut at_x);
            map.forward(&vec![0.0; values.len()], anchor, &mut at_zero);
            let mut pulled = vec![1.0; values.len()];
            map.adjoint(&cotangent[..length], &mut pulled);
            let forward: f64 =
                (0..length).map(|i| (at_x[i] - at_zero[i]) * cotangent[i]).sum();
            let backward: f64 = values.iter().zip(&pulled).map(|(a, b)| a * b).sum();
            prop_assert!((forward - backward).abs() < 1e-10, "{forward} is not {backward}");
        }
    }

    #[test]
    fn point_k_plus_1_depends_on_actions_0_to_k_and_on_nothing_else() {
        let map = TrajectoryMap::<f64>::new(&space(ActionMode::Delta), 4, 0, 4);
        for point in 0..5 {
            let mut cotangent = vec![0.0; 5 * 3];
            cotangent[point * 3] = 1.0;
            let mut gradient = vec![0.0; 4 * 5];
            map.adjoint(&cotangent, &mut gradient);
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
        let map = TrajectoryMap::<f64>::new(&space(ActionMode::Delta), 4, 1, 2);
        assert_eq!(map.points(), 3);
        let mut chunk = vec![9.0; 4 * 5];
        for (step, action) in chunk.chunks_exact_mut(5).enumerate() {
            action[3] = [100.0, 1.0, 2.0, 50.0][step];
        }
        let mut points = vec![0.0; 9];
        map.forward(&chunk, [0.5, 0.0, 0.0], &mut points);
        let x: Vec<f64> = points.iter().step_by(3).copied().collect();
        // Column 3 is x: half of the number and 0.1 more.
        for (found, expected) in x.iter().zip([0.5, 1.1, 2.2]) {
            assert!((found - expected).abs() < 1e-6, "{x:?}");
        }
        map.adjoint(&[1.0; 9], &mut chunk);
        let gradients: Vec<f64> = chunk.chunks_exact(5).map(|action| action[3]).collect();
        assert_eq!(gradients, [0.0, 1.0, 0.5, 0.0]);
    }

    #[test]
    fn actions_beyond_the_guided_steps_are_left_alone() {
        let map = TrajectoryMap::<f64>::new(&space(ActionMode::Delta), 4, 0, 2);
        assert_eq!((map.points(), map.guided()), (3, 6));
        let mut gradient = vec![9.0; 4 * 5];
        map.adjoint(&[1.0; 9], &mut gradient);
        assert!(gradient[2 * 5..].iter().all(|g| *g == 0.0));
        assert_eq!(gradient[3], 2.0 * 0.5);
    }
}
