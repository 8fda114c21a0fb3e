//! Eigenvalues and eigenvectors of symmetric matrices.

use super::matrix::Matrix;
use super::{gathered, gathered_rows, named};
use crate::diagnostic::{Draft, Kind};
use crate::graph::NodeId;
use crate::lower::arguments::Bound;
use crate::lower::value::Value;
use crate::lower::{Lower, Lowered};
use crate::op::Op;

/// Eigenvalues that differ by less than this share of the largest count as one: the direction of
/// their vectors is rounding, and so would be its slope.
const SAME: f64 = 1e-14;

/// Difference between an element and its mirror, as a share of the largest element, at which a
/// matrix no longer counts as symmetric; single precision leaves about 1e-7.
const ASYMMETRY: f64 = 1e-6;

impl Lower<'_> {
    /// The largest magnitude among `nodes`, times `share`.
    pub(super) fn share_of_largest(&mut self, nodes: &[NodeId], share: f64) -> Lowered<NodeId> {
        let mut sizes = Vec::with_capacity(nodes.len());
        for &node in nodes {
            sizes.push(self.node(Op::Abs, &[node])?);
        }
        let largest = self.node(Op::AMax, &sizes)?;
        let largest = self.node(Op::Detach, &[largest])?;
        self.node_with(Op::Mul, largest, share)
    }

    /// Eigenvalues, ascending, and eigenvectors, with their gradients.
    fn eigen(&mut self, a: &Matrix) -> Lowered<(Vec<NodeId>, Matrix)> {
        let size = a.rows;
        let (mut values, vectors) = self.symmetric_eigen(a)?;
        if !self.is_sloped(a) {
            return Ok((values, vectors));
        }
        // `v_i . dA v_j` moves value `j` if `i = j`, else vector `j` along vector `i`.
        let forms = self.product(a, &vectors)?;
        let forms = self.product(&vectors.transposed(), &forms)?;
        let least = self.share_of_largest(&values, SAME)?;
        let mut mixing = self.unit_matrix(size)?;
        for j in 0..size {
            for i in (0..size).filter(|&i| i != j) {
                let gap = self.sub(values[j], values[i])?;
                let inverse = self.reciprocal_beyond(gap, least)?;
                let weight = self.mul(forms.at(i, j), inverse)?;
                let zero = self.constant(0.0)?;
                let weight = self.with_slope(zero, weight)?;
                mixing.set(i, j, weight);
            }
        }
        for (i, value) in values.iter_mut().enumerate() {
            *value = self.with_slope(*value, forms.at(i, i))?;
        }
        let vectors = self.product(&vectors, &mixing)?;
        Ok((values, vectors))
    }

    /// 1 where a matrix is symmetric, else NaN; a mistake where it is known not to be.
    fn symmetric_or_nan(&mut self, a: &Matrix, b: &Bound) -> Lowered<NodeId> {
        let one = self.constant(1.0)?;
        let mut differences = Vec::new();
        for row in 0..a.rows {
            for column in 0..row {
                let (x, y) = (a.at(row, column), a.at(column, row));
                if x != y {
                    let difference = self.sub(x, y)?;
                    let difference = self.node(Op::Detach, &[difference])?;
                    differences.push(self.node(Op::Abs, &[difference])?);
                }
            }
        }
        if differences.is_empty() {
            return Ok(one);
        }
        let largest = self.node(Op::AMax, &differences)?;
        let limit = self.share_of_largest(a.nodes(), ASYMMETRY)?;
        let is_symmetric = self.node(Op::LessEqual, &[largest, limit])?;
        if self.graph.constant_value(is_symmetric) == Some(0.0) {
            return Err(self.fail(
                Draft::new(
                    Kind::Unsupported,
                    b.span,
                    format!("`{}` takes symmetric matrices only", b.name),
                )
                .found("a matrix that differs from its transpose")
                .help("covariances and products such as `A.T @ A` are symmetric"),
            ));
        }
        let nan = self.constant(f64::NAN)?;
        self.node(Op::Where, &[is_symmetric, one, nan])
    }
}

/// Which part of the result a function returns.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Both(&'static str),
    Values,
}

fn eigen_of(lower: &mut Lower<'_>, b: &Bound, part: Part, any: bool) -> Lowered<Value> {
    let batch = lower.square_batch(b, 0)?;
    let size = batch.matrices.first().map_or(0, |matrix| matrix.rows);
    let (mut values, mut vectors) = (Vec::new(), Vec::new());
    for matrix in &batch.matrices {
        let (mut own, mut columns) = lower.eigen(matrix)?;
        if any {
            let sound = lower.symmetric_or_nan(matrix, b)?;
            for value in &mut own {
                *value = lower.mul(*value, sound)?;
            }
            columns = lower.scaled_columns(&columns, &vec![sound; size])?;
        }
        values.push(own);
        vectors.push(columns);
    }
    let values = gathered_rows(&batch.sizes, &values, size);
    Ok(match part {
        Part::Values => values,
        Part::Both(name) => {
            let vectors = gathered(&batch.sizes, &vectors, (size, size));
            named(
                name,
                &["eigenvalues", "eigenvectors"],
                vec![values, vectors],
            )
        }
    })
}

/// `UPLO='U'` reads the other triangle of what is symmetric: nothing changes.
pub(in crate::lower) fn eigh(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    eigen_of(lower, b, Part::Both("eigh"), false)
}

pub(in crate::lower) fn eigvalsh(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    eigen_of(lower, b, Part::Values, false)
}

/// `eig`: of symmetric matrices, whose eigenvalues are real. Their order is nobody's promise.
pub(in crate::lower) fn eig(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    eigen_of(lower, b, Part::Both("eig"), true)
}

pub(in crate::lower) fn eigvals(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    eigen_of(lower, b, Part::Values, true)
}
