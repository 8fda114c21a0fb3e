//! What the hand goes through while a chunk is executed, for many particles at once.

/// Trajectories of `B` particles with `P` points, or derivatives with respect to them. Positions are
/// always there; what else was not asked for is empty, and an empty derivative is 0.
#[derive(Debug, Clone, Copy)]
pub struct Trajectories<'a, F = f32> {
    /// `[B, P, 3]`, metres in the base frame.
    pub positions: &'a [F],
    /// `[B, P, 3, 3]`: rows of matrices whose columns are the hand's axes in the base frame.
    pub rotations: &'a [F],
    /// `[B, P]`: 0 closed, 1 open.
    pub gripper: &'a [F],
}

/// The same to be written.
#[derive(Debug)]
pub struct TrajectoriesMut<'a, F = f32> {
    /// See [`Trajectories::positions`].
    pub positions: &'a mut [F],
    /// See [`Trajectories::rotations`].
    pub rotations: &'a mut [F],
    /// See [`Trajectories::gripper`].
    pub gripper: &'a mut [F],
}

impl<'a, F> Trajectories<'a, F> {
    /// Positions and nothing else.
    #[must_use]
    pub fn of_positions(positions: &'a [F]) -> Self {
        Self {
            positions,
            rotations: &[],
            gripper: &[],
        }
    }
}

impl<'a, F> TrajectoriesMut<'a, F> {
    /// Positions and nothing else.
    #[must_use]
    pub fn of_positions(positions: &'a mut [F]) -> Self {
        Self {
            positions,
            rotations: &mut [],
            gripper: &mut [],
        }
    }
}

/// What is asked of trajectories beside positions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Reads {
    /// The hand's orientation.
    pub rotations: bool,
    /// The gripper's opening.
    pub gripper: bool,
}
