//! Singular values: the triangle of a Householder decomposition by one-sided Jacobi rotations.

use super::householder::Reflection;
use super::matrix::Matrix;
use super::{gathered, gathered_rows, named};
use crate::graph::NodeId;
use crate::lower::arguments::Bound;
use crate::lower::value::Value;
use crate::lower::{Lower, Lowered};
use crate::op::Op;

/// Singular values that differ by less than this share of the largest count as one.
const SAME: f64 = 1e-14;

/// Operations for the columns that only `full_matrices=True` asks for. Beyond that they are NaN,
/// since hardly a program looks at them.
const COMPLETION_WORK: usize = 8_000;

/// `a = left * diag(values) * right^T`, the values descending.
pub(super) struct Singular {
    pub(super) left: Matrix,
    pub(super) values: Vec<NodeId>,
    pub(super) right: Matrix,
}

impl Lower<'_> {
    /// The singular values and vectors of a matrix; `full` completes the vectors of the longer
    /// side to a basis.
    pub(super) fn singular(&mut self, a: &Matrix, full: bool) -> Lowered<Singular> {
        if a.rows < a.columns {
            let turned = self.singular(&a.transposed(), full)?;
            return Ok(Singular {
                left: turned.right,
                values: turned.values,
                right: turned.left,
            });
        }
        let (rows, columns) = (a.rows, a.columns);
        let held = self.held(a)?;
        let (reflections, triangle) = self.triangular(&held)?;
        let (images, right) = self.orthogonal_columns(&triangle.top(columns))?;
        // A second decomposition makes directions of length 0 orthogonal, too.
        let (inner, lengths) = self.triangular(&images)?;
        let (zero, one, minus) = (
            self.constant(0.0)?,
            self.constant(1.0)?,
            self.constant(-1.0)?,
        );
        let (mut values, mut signs) = (Vec::new(), Vec::new());
        for length in lengths.diagonal() {
            values.push(self.node(Op::Abs, &[length])?);
            let falls = self.node(Op::Less, &[length, zero])?;
            signs.push(self.node(Op::Where, &[falls, minus, one])?);
        }
        let unit = self.unit_matrix(columns)?;
        let own = self.rotated(&inner, &unit)?;
        let own = self.scaled_columns(&own, &signs)?;
        let signs = self.signs(&held, &triangle, &own, &reflections)?;
        let own = self.scaled_columns(&own, &signs)?;
        let right = self.scaled_columns(&right, &signs)?;
        let kept = if full { rows } else { columns };
        let is_cheap = 6 * rows * (kept - columns) * columns <= COMPLETION_WORK;
        let width = if is_cheap { kept } else { columns };
        let start = self.padded(&own, rows, width)?;
        let left = self.rotated(&reflections, &start)?;
        let mut result = self.sloped(a, left, values, right)?;
        if width < kept {
            let nan = self.constant(f64::NAN)?;
            let mut wide: Vec<Vec<NodeId>> = (0..width).map(|c| result.left.column(c)).collect();
            wide.resize(kept, vec![nan; rows]);
            self.allow(&[rows, kept])?;
            result.left = Matrix::from_columns(&wide);
        }
        Ok(result)
    }

    /// Signs for pairs of vectors, near those of LAPACK: it starts from two diagonals and rotates
    /// little, so that vector `i` on the left mostly points along axis `i` of that frame. `own`
    /// are the vectors on the left in the frame of `reflections`, which leave `triangle` of `a`.
    fn signs(
        &mut self,
        a: &Matrix,
        triangle: &Matrix,
        own: &Matrix,
        reflections: &[Reflection],
    ) -> Lowered<Vec<NodeId>> {
        let (rows, size) = (a.rows, a.columns);
        // LAPACK makes a matrix triangular first if it is this much longer than wide.
        let framed = if rows >= 11 * size / 6 {
            let frame = self.bidiagonal(&triangle.top(size))?;
            self.rotated_back(&frame, own)?
        } else {
            let frame = self.bidiagonal(a)?;
            let start = self.padded(own, rows, size)?;
            let left = self.rotated(reflections, &start)?;
            self.rotated_back(&frame, &left)?
        };
        let (zero, one, minus) = (
            self.constant(0.0)?,
            self.constant(1.0)?,
            self.constant(-1.0)?,
        );
        framed
            .diagonal()
            .into_iter()
            .map(|along| {
                let falls = self.node(Op::Less, &[along, zero])?;
                self.node(Op::Where, &[falls, minus, one])
            })
            .collect()
    }

    /// `own` in the upper left of a matrix that is 1 on the rest of its diagonal.
    fn padded(&mut self, own: &Matrix, rows: usize, columns: usize) -> Lowered<Matrix> {
        let mut result = self.unit_matrix(rows)?.left(columns);
        for row in 0..own.rows {
            for column in 0..own.columns {
                result.set(row, column, own.at(row, column));
            }
        }
        Ok(result)
    }

    /// Adds the first-order changes, where `a` has a gradient.
    fn sloped(
        &mut self,
        a: &Matrix,
        mut left: Matrix,
        values: Vec<NodeId>,
        right: Matrix,
    ) -> Lowered<Singular> {
        if !self.is_sloped(a) {
            return Ok(Singular {
                left,
                values,
                right,
            });
        }
        let (rows, size) = (a.rows, a.columns);
        let own = left.left(size);
        let images = self.product(a, &right)?;
        let p = self.product(&own.transposed(), &images)?;
        let zero = self.constant(0.0)?;
        let mut squares = Vec::with_capacity(size);
        for &value in &values {
            squares.push(self.node(Op::Square, &[value])?);
        }
        let least = self.share_of_largest(&squares, SAME)?;
        let mut inverses = Vec::with_capacity(size);
        for &value in &values {
            inverses.push(self.reciprocal_beyond(value, zero)?);
        }
        // How much of vector `i` vector `j` takes on.
        let mut mixes = [(); 2].map(|()| Matrix::new(size, size, vec![zero; size * size]));
        for j in 0..size {
            for i in (0..size).filter(|&i| i != j) {
                let (rise, sum) = (
                    self.sub(values[j], values[i])?,
                    self.add(values[j], values[i])?,
                );
                let gap = self.mul(rise, sum)?;
                let inverse = self.reciprocal_beyond(gap, least)?;
                for (mix, (x, y)) in mixes.iter_mut().zip([(i, j), (j, i)]) {
                    // `p_ij s_j + p_ji s_i` on the left, with `i` and `j` swapped on the right.
                    let first = self.mul(p.at(x, y), values[j])?;
                    let second = self.mul(p.at(y, x), values[i])?;
                    let sum = self.add(first, second)?;
                    let sum = self.mul(sum, inverse)?;
                    mix.set(i, j, sum);
                }
            }
        }
        let [mut left_mix, right_mix] = mixes;
        let turned = self.product(&right, &right_mix)?;
        let right = self.with_slopes(&right, &turned)?;
        if rows > size {
            // What leaves the space of the vectors altogether.
            let inside = self.scaled_columns(&p, &inverses)?;
            for place in 0..size * size {
                let (i, j) = (place / size, place % size);
                let rest = self.sub(left_mix.at(i, j), inside.at(i, j))?;
                left_mix.set(i, j, rest);
            }
        }
        let mut turned = self.product(&own, &left_mix)?;
        if rows > size {
            let outside = self.scaled_columns(&images, &inverses)?;
            for place in 0..rows * size {
                let (i, j) = (place / size, place % size);
                let sum = self.add(turned.at(i, j), outside.at(i, j))?;
                turned.set(i, j, sum);
            }
        }
        let own = self.with_slopes(&own, &turned)?;
        for place in 0..rows * size {
            left.set(
                place / size,
                place % size,
                own.at(place / size, place % size),
            );
        }
        let mut moved = Vec::with_capacity(size);
        for (i, value) in values.into_iter().enumerate() {
            moved.push(self.with_slope(value, p.at(i, i))?);
        }
        Ok(Singular {
            left,
            values: moved,
            right,
        })
    }
}

fn decomposed(lower: &mut Lower<'_>, b: &Bound, full: bool, old: bool) -> Lowered<Value> {
    let batch = lower.batch(b, 0)?;
    let (rows, columns) = batch
        .matrices
        .first()
        .map_or((0, 0), |matrix| (matrix.rows, matrix.columns));
    let rank = rows.min(columns);
    let (wide, high) = if full { (rows, columns) } else { (rank, rank) };
    let (mut left, mut values, mut right) = (Vec::new(), Vec::new(), Vec::new());
    for matrix in &batch.matrices {
        let parts = lower.singular(matrix, full)?;
        left.push(parts.left);
        values.push(parts.values);
        right.push(if old {
            parts.right
        } else {
            parts.right.transposed()
        });
    }
    let values = gathered_rows(&batch.sizes, &values, rank);
    let left = gathered(&batch.sizes, &left, (rows, wide));
    let sizes = if old {
        (columns, high)
    } else {
        (high, columns)
    };
    let right = gathered(&batch.sizes, &right, sizes);
    let fields: &[&str] = if old {
        &["U", "S", "V"]
    } else {
        &["U", "S", "Vh"]
    };
    Ok(named("svd", fields, vec![left, values, right]))
}

/// `svd(A, full_matrices=True)`, and NumPy's `compute_uv=True` after that.
pub(in crate::lower) fn svd(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    if let Some(Value::Bool(false)) = b.get(2) {
        return svdvals(lower, b);
    }
    let full = b.get(1).is_none() || b.flag(lower, 1)?;
    decomposed(lower, b, full, false)
}

/// `torch.svd(input, some=True)`: V itself, not its transpose.
pub(in crate::lower) fn old_svd(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let some = b.get(1).is_none() || b.flag(lower, 1)?;
    decomposed(lower, b, !some, true)
}

/// `svdvals(A)`: descending.
pub(in crate::lower) fn svdvals(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let batch = lower.batch(b, 0)?;
    let mut values = Vec::new();
    let mut rank = 0;
    for matrix in &batch.matrices {
        rank = matrix.rows.min(matrix.columns);
        values.push(lower.singular(matrix, false)?.values);
    }
    Ok(gathered_rows(&batch.sizes, &values, rank))
}
