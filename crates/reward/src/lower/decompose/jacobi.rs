//! Cyclic Jacobi rotations, a fixed number of sweeps: they converge quadratically.

use super::matrix::Matrix;
use crate::graph::NodeId;
use crate::lower::{Lower, Lowered};
use crate::op::Op;

/// Sweeps until nothing is left but rounding, also for graded matrices.
fn sweeps(size: usize) -> usize {
    match size {
        0..=2 => 2,
        3 => 5,
        4 => 6,
        _ => 7,
    }
}

/// A rotation of two columns: tangent, cosine and sine.
struct Rotation {
    tangent: NodeId,
    cosine: NodeId,
    sine: NodeId,
}

impl Lower<'_> {
    /// The rotation that makes `[[a, b], [b, c]]` diagonal; none where `b` is 0.
    fn rotation(&mut self, a: NodeId, b: NodeId, c: NodeId) -> Lowered<Rotation> {
        let (zero, one, minus) = (
            self.constant(0.0)?,
            self.constant(1.0)?,
            self.constant(-1.0)?,
        );
        let twice = self.add(b, b)?;
        let gap = self.sub(c, a)?;
        let radius = self.node(Op::Norm2, &[gap, twice])?;
        let width = self.node(Op::Abs, &[gap])?;
        let sum = self.add(width, radius)?;
        // The radius of tiny numbers underflows.
        let least = self.node(Op::Abs, &[twice])?;
        let sum = self.node(Op::Maximum, &[sum, least])?;
        let is_done = self.node(Op::Equal, &[b, zero])?;
        let safe = self.node(Op::Where, &[is_done, one, sum])?;
        let ratio = self.node(Op::Div, &[twice, safe])?;
        let falls = self.node(Op::Less, &[gap, zero])?;
        let sign = self.node(Op::Where, &[falls, minus, one])?;
        let tangent = self.mul(sign, ratio)?;
        let square = self.node(Op::Square, &[tangent])?;
        let square = self.add(square, one)?;
        let cosine = self.node(Op::Rsqrt, &[square])?;
        let sine = self.mul(tangent, cosine)?;
        Ok(Rotation {
            tangent,
            cosine,
            sine,
        })
    }

    /// `(cosine x - sine y, sine x + cosine y)`.
    fn turned(&mut self, by: &Rotation, x: NodeId, y: NodeId) -> Lowered<(NodeId, NodeId)> {
        let (cx, sy) = (self.mul(by.cosine, x)?, self.mul(by.sine, y)?);
        let (sx, cy) = (self.mul(by.sine, x)?, self.mul(by.cosine, y)?);
        Ok((self.sub(cx, sy)?, self.add(sx, cy)?))
    }

    fn turn_columns(
        &mut self,
        by: &Rotation,
        matrix: &mut Matrix,
        p: usize,
        q: usize,
    ) -> Lowered<()> {
        for row in 0..matrix.rows {
            let (x, y) = self.turned(by, matrix.at(row, p), matrix.at(row, q))?;
            matrix.set(row, p, x);
            matrix.set(row, q, y);
        }
        Ok(())
    }

    /// Eigenvalues, ascending, and eigenvectors of the symmetric matrix whose lower triangle is
    /// that of `a`; without gradient.
    pub(super) fn symmetric_eigen(&mut self, a: &Matrix) -> Lowered<(Vec<NodeId>, Matrix)> {
        let size = a.rows;
        let mut a = self.held(a)?;
        for row in 0..size {
            for column in row + 1..size {
                a.set(row, column, a.at(column, row));
            }
        }
        let mut vectors = self.unit_matrix(size)?;
        let zero = self.constant(0.0)?;
        for _ in 0..sweeps(size) {
            for p in 0..size {
                for q in p + 1..size {
                    let off = a.at(p, q);
                    let turn = self.rotation(a.at(p, p), off, a.at(q, q))?;
                    let shift = self.mul(turn.tangent, off)?;
                    let (low, high) = (self.sub(a.at(p, p), shift)?, self.add(a.at(q, q), shift)?);
                    a.set(p, p, low);
                    a.set(q, q, high);
                    a.set(p, q, zero);
                    a.set(q, p, zero);
                    for other in (0..size).filter(|&i| i != p && i != q) {
                        let (x, y) = self.turned(&turn, a.at(other, p), a.at(other, q))?;
                        for (column, node) in [(p, x), (q, y)] {
                            a.set(other, column, node);
                            a.set(column, other, node);
                        }
                    }
                    self.turn_columns(&turn, &mut vectors, p, q)?;
                }
            }
        }
        let mut values = a.diagonal();
        let mut columns: Vec<Vec<NodeId>> = (0..size).map(|c| vectors.column(c)).collect();
        self.sort_columns(&mut values, &mut [&mut columns])?;
        Ok((values, Matrix::from_columns(&columns)))
    }

    /// Rotates the columns of `a` until each is orthogonal to all others: what they became, by
    /// descending length, and the product of the rotations.
    pub(super) fn orthogonal_columns(&mut self, a: &Matrix) -> Lowered<(Matrix, Matrix)> {
        let size = a.columns;
        let mut a = a.clone();
        let mut turns = self.unit_matrix(size)?;
        for _ in 0..sweeps(size) {
            for p in 0..size {
                for q in p + 1..size {
                    let (x, y) = (a.column(p), a.column(q));
                    let (xx, xy, yy) = (self.dot(&x, &x)?, self.dot(&x, &y)?, self.dot(&y, &y)?);
                    let turn = self.rotation(xx, xy, yy)?;
                    self.turn_columns(&turn, &mut a, p, q)?;
                    self.turn_columns(&turn, &mut turns, p, q)?;
                }
            }
        }
        let mut lengths = Vec::with_capacity(size);
        for column in 0..size {
            let length = self.node(Op::Norm2, &a.column(column))?;
            lengths.push(self.node(Op::Neg, &[length])?);
        }
        let mut columns: Vec<Vec<NodeId>> = (0..size).map(|c| a.column(c)).collect();
        let mut turned: Vec<Vec<NodeId>> = (0..size).map(|c| turns.column(c)).collect();
        self.sort_columns(&mut lengths, &mut [&mut columns, &mut turned])?;
        Ok((
            Matrix::from_columns(&columns),
            Matrix::from_columns(&turned),
        ))
    }

    /// Sorts `keys`, ascending, and whatever belongs to them.
    fn sort_columns(
        &mut self,
        keys: &mut [NodeId],
        followers: &mut [&mut Vec<Vec<NodeId>>],
    ) -> Lowered<()> {
        for end in (1..keys.len()).rev() {
            for i in 0..end {
                let swaps = self.node(Op::Less, &[keys[i + 1], keys[i]])?;
                let exchange = |lower: &mut Self, x: &mut NodeId, y: &mut NodeId| {
                    let (a, b) = (*x, *y);
                    *x = lower.node(Op::Where, &[swaps, b, a])?;
                    *y = lower.node(Op::Where, &[swaps, a, b])?;
                    Ok(())
                };
                let (left, right) = keys.split_at_mut(i + 1);
                exchange(self, &mut left[i], &mut right[0])?;
                for columns in followers.iter_mut() {
                    let (left, right) = columns.split_at_mut(i + 1);
                    for (x, y) in left[i].iter_mut().zip(&mut right[0]) {
                        exchange(self, x, y)?;
                    }
                }
            }
        }
        Ok(())
    }
}
