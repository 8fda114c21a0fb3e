//! Rewards on the whole hand.

use nalgebra::{Matrix3, Vector3};
use tiller_core::rotation::skew;
use tiller_steering::{Reads, Reward, RewardError, Trajectories, TrajectoriesMut};

/// A reward on the last point: a function of position, orientation and opening, and its gradient with
/// respect to these; that of the orientation as a torque.
pub(crate) struct Last<F> {
    pub(crate) reads: Reads,
    pub(crate) of_last: F,
}

/// The reward, force, torque and what opening the gripper does.
pub(crate) type OfLast = (f32, Vector3<f64>, Vector3<f64>, f32);

impl<F: FnMut(Vector3<f64>, Matrix3<f64>, f32) -> OfLast> Reward for Last<F> {
    fn reads(&self) -> Reads {
        self.reads
    }

    fn evaluate(&mut self, _: &[f32], _: &mut [f32], _: &mut [f32]) -> Result<(), RewardError> {
        Err(RewardError::new("a whole trajectory is needed"))
    }

    fn evaluate_whole(
        &mut self,
        trajectories: &Trajectories<'_>,
        values: &mut [f32],
        gradients: &mut TrajectoriesMut<'_>,
    ) -> Result<(), RewardError> {
        let points = trajectories.positions.len() / 3 / values.len();
        for values in [
            &mut *gradients.positions,
            &mut *gradients.rotations,
            &mut *gradients.gripper,
        ] {
            values.fill(0.0);
        }
        for (particle, value) in values.iter_mut().enumerate() {
            let at = particle * points + points - 1;
            let wide = |values: &[f32]| values.iter().map(|v| f64::from(*v)).collect::<Vec<_>>();
            let position = Vector3::from_vec(wide(&trajectories.positions[at * 3..][..3]));
            let rotation = match self.reads.rotations {
                true => Matrix3::from_row_slice(&wide(&trajectories.rotations[at * 9..][..9])),
                false => Matrix3::identity(),
            };
            let opening = match self.reads.gripper {
                true => trajectories.gripper[at],
                false => 0.0,
            };
            let (reward, force, torque, of_opening) = (self.of_last)(position, rotation, opening);
            *value = reward;
            for axis in 0..3 {
                gradients.positions[at * 3 + axis] = force[axis] as f32;
            }
            if self.reads.rotations {
                // `<[t]x R / 2, [w]x R>` is `t . w`.
                let g = skew(&torque) * rotation * 0.5;
                for (number, value) in gradients.rotations[at * 9..][..9]
                    .iter_mut()
                    .zip(g.transpose().iter())
                {
                    *number = *value as f32;
                }
            }
            if self.reads.gripper {
                gradients.gripper[at] = of_opening;
            }
        }
        Ok(())
    }
}
