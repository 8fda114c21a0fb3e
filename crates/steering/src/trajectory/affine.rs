//! Positions that are sums or places: an affine map, the fast path of most policies.
//!
//! For displacements in the base frame `p_{k+1} = p_0 + sum_{j <= k} (scale x_j + offset)` and
//! `dR/dx_j = scale * sum_{k >= j} dR/dp_{k+1}`: a reverse cumulative sum that leaves out the first
//! point's own gradient, because no action moves it.

use tiller_core::{ActionMode, ArmColumns, Frame};

use super::Rows;
use crate::action::ActionSpace;
use crate::real::Real;

#[derive(Debug, Clone)]
pub(super) struct Affine<F> {
    columns: [usize; 3],
    scale: [F; 3],
    offset: [F; 3],
    sums: bool,
}

impl<F: Real> Affine<F> {
    /// `None` when positions depend on more than their columns, or are clipped.
    pub(super) fn new(space: &ActionSpace) -> Option<Self> {
        let layout = &space.layout;
        let ArmColumns::Pose { position, .. } = layout.arm else {
            return None;
        };
        let sums = match layout.mode {
            ActionMode::DeltaPose(Frame::Base) => true,
            ActionMode::AbsolutePose => false,
            _ => return None,
        };
        if layout.clip.is_some() {
            return None;
        }
        let unit = layout.position_m_per_unit;
        let pick =
            |values: &[f32]| position.map(|column| F::from_f64(f64::from(values[column]) * unit));
        Some(Self {
            columns: position,
            scale: pick(&space.scale),
            offset: pick(&space.offset),
            sums,
        })
    }

    pub(super) fn forward(&self, rows: &Rows, samples: &[F], first: [F; 3], positions: &mut [F]) {
        let chunks = samples.chunks_exact(rows.stride());
        for (chunk, points) in chunks.zip(positions.chunks_exact_mut(rows.points() * 3)) {
            let mut position = first;
            points[..3].copy_from_slice(&first);
            let actions = chunk.chunks_exact(rows.dim).skip(rows.start);
            for (action, point) in actions.zip(points[3..].chunks_exact_mut(3)) {
                for axis in 0..3 {
                    let value = action[self.columns[axis]] * self.scale[axis] + self.offset[axis];
                    position[axis] = if self.sums {
                        position[axis] + value
                    } else {
                        value
                    };
                }
                point.copy_from_slice(&position);
            }
        }
    }

    /// Writes the columns of the position in the rows of the trajectory.
    pub(super) fn adjoint(&self, rows: &Rows, positions: &[F], gradient: &mut [F]) {
        let chunks = gradient.chunks_exact_mut(rows.stride());
        for (chunk, points) in chunks.zip(positions.chunks_exact(rows.points() * 3)) {
            let mut sum = [F::default(); 3];
            let executed = chunk.chunks_exact_mut(rows.dim).skip(rows.start);
            let actions = executed.take(rows.steps);
            for (action, point) in actions.zip(points[3..].chunks_exact(3)).rev() {
                for axis in 0..3 {
                    sum[axis] = if self.sums {
                        sum[axis] + point[axis]
                    } else {
                        point[axis]
                    };
                    action[self.columns[axis]] = sum[axis] * self.scale[axis];
                }
            }
        }
    }
}
