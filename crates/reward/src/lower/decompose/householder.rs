//! Householder reflections with the signs of LAPACK, and the decomposition into Q and R.

use super::matrix::Matrix;
use super::{gathered, named};
use crate::diagnostic::{Draft, Kind};
use crate::graph::NodeId;
use crate::lower::arguments::Bound;
use crate::lower::value::Value;
use crate::lower::{Lower, Lowered};
use crate::op::Op;

/// `I - factor v v^T`, where `v` is 1 at `first` and `rest` below.
pub(super) struct Reflection {
    first: usize,
    factor: NodeId,
    rest: Vec<NodeId>,
}

impl Lower<'_> {
    /// The reflection that clears column `first` of `a` below the diagonal, and what the diagonal
    /// becomes. A column that is clear already stays, with its sign.
    fn reflection(&mut self, a: &Matrix, first: usize) -> Lowered<(Reflection, NodeId)> {
        self.reflection_of(&a.column(first)[first..], first)
    }

    /// The same of the part of a column from row `first` on.
    fn reflection_of(&mut self, column: &[NodeId], first: usize) -> Lowered<(Reflection, NodeId)> {
        let (alpha, below) = (column[0], column[1..].to_vec());
        let (zero, one) = (self.constant(0.0)?, self.constant(1.0)?);
        if below.is_empty() {
            let factor = zero;
            let rest = below;
            return Ok((
                Reflection {
                    first,
                    factor,
                    rest,
                },
                alpha,
            ));
        }
        let length = self.node(Op::Norm2, &below)?;
        let is_clear = self.node(Op::Equal, &[length, zero])?;
        let whole = self.node(Op::Norm2, &[vec![alpha], below.clone()].concat())?;
        let negative = self.node(Op::Neg, &[whole])?;
        let falls = self.node(Op::Less, &[alpha, zero])?;
        let beta = self.node(Op::Where, &[falls, whole, negative])?;
        let beta = self.node(Op::Where, &[is_clear, one, beta])?;
        let rise = self.sub(beta, alpha)?;
        let ratio = self.node(Op::Div, &[rise, beta])?;
        let factor = self.node(Op::Where, &[is_clear, zero, ratio])?;
        let drop = self.sub(alpha, beta)?;
        let drop = self.node(Op::Where, &[is_clear, one, drop])?;
        let mut rest = Vec::with_capacity(below.len());
        for node in below {
            rest.push(self.node(Op::Div, &[node, drop])?);
        }
        let diagonal = self.node(Op::Where, &[is_clear, alpha, beta])?;
        Ok((
            Reflection {
                first,
                factor,
                rest,
            },
            diagonal,
        ))
    }

    /// Applies a reflection to the columns of `c` from `from` on.
    fn reflect(&mut self, by: &Reflection, c: &mut Matrix, from: usize) -> Lowered<()> {
        for column in from..c.columns {
            let below: Vec<NodeId> = (by.first + 1..c.rows).map(|r| c.at(r, column)).collect();
            let head = c.at(by.first, column);
            let along = self.dot(&by.rest, &below)?;
            let along = self.add(head, along)?;
            let along = self.mul(by.factor, along)?;
            let head = self.sub(head, along)?;
            c.set(by.first, column, head);
            for (place, node) in below.into_iter().enumerate() {
                let part = self.mul(along, by.rest[place])?;
                let node = self.sub(node, part)?;
                c.set(by.first + 1 + place, column, node);
            }
        }
        Ok(())
    }

    /// The reflections that make `a` upper triangular, and what it becomes.
    pub(super) fn triangular(&mut self, a: &Matrix) -> Lowered<(Vec<Reflection>, Matrix)> {
        let mut r = a.clone();
        let zero = self.constant(0.0)?;
        let mut reflections = Vec::new();
        for first in 0..a.rows.min(a.columns) {
            let (reflection, diagonal) = self.reflection(&r, first)?;
            self.reflect(&reflection, &mut r, first + 1)?;
            r.set(first, first, diagonal);
            for row in first + 1..a.rows {
                r.set(row, first, zero);
            }
            reflections.push(reflection);
        }
        Ok((reflections, r))
    }

    /// The reflections from the left of those that leave two diagonals of `a`.
    pub(super) fn bidiagonal(&mut self, a: &Matrix) -> Lowered<Vec<Reflection>> {
        let mut a = a.clone();
        let mut reflections = Vec::new();
        for first in 0..a.columns {
            let (reflection, _) = self.reflection(&a, first)?;
            self.reflect(&reflection, &mut a, first + 1)?;
            reflections.push(reflection);
            if first + 2 < a.columns {
                let (across, _) = self.reflection_of(&a.row(first)[first + 1..], first + 1)?;
                let mut turned = a.transposed();
                self.reflect(&across, &mut turned, first + 1)?;
                a = turned.transposed();
            }
        }
        Ok(reflections)
    }

    /// `Q c`.
    pub(super) fn rotated(&mut self, reflections: &[Reflection], c: &Matrix) -> Lowered<Matrix> {
        let mut c = c.clone();
        for reflection in reflections.iter().rev() {
            self.reflect(reflection, &mut c, 0)?;
        }
        Ok(c)
    }

    /// `Q^T c`.
    pub(super) fn rotated_back(
        &mut self,
        reflections: &[Reflection],
        c: &Matrix,
    ) -> Lowered<Matrix> {
        let mut c = c.clone();
        for reflection in reflections {
            self.reflect(reflection, &mut c, 0)?;
        }
        Ok(c)
    }
}

fn decomposed(lower: &mut Lower<'_>, b: &Bound, numpy: bool) -> Lowered<Value> {
    let mode = match b.get(1) {
        Some(Value::Str(mode)) => mode.to_string(),
        _ => "reduced".to_owned(),
    };
    if !matches!(mode.as_str(), "reduced" | "complete" | "r") {
        return Err(lower.fail(
            Draft::new(Kind::Argument, b.span_of(1), "this mode does not exist")
                .expected("'reduced', 'complete' or 'r'")
                .found(mode),
        ));
    }
    let batch = lower.batch(b, 0)?;
    let (rows, columns) = batch
        .matrices
        .first()
        .map_or((0, 0), |matrix| (matrix.rows, matrix.columns));
    let kept = if mode == "complete" {
        rows
    } else {
        rows.min(columns)
    };
    let (mut qs, mut rs) = (Vec::new(), Vec::new());
    for matrix in &batch.matrices {
        let (reflections, r) = lower.triangular(matrix)?;
        if mode != "r" {
            let unit = lower.unit_matrix(rows)?.left(kept);
            qs.push(lower.rotated(&reflections, &unit)?);
        }
        rs.push(r.top(kept));
    }
    let r = gathered(&batch.sizes, &rs, (kept, columns));
    if mode == "r" && numpy {
        return Ok(r);
    }
    let q = match mode.as_str() {
        "r" => Value::Tensor(lower.filled(vec![0], 0.0, crate::tensor::DType::Float)?),
        _ => gathered(&batch.sizes, &qs, (rows, kept)),
    };
    Ok(named("qr", &["Q", "R"], vec![q, r]))
}

/// `torch.linalg.qr(A, mode='reduced')`.
pub(in crate::lower) fn qr(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    decomposed(lower, b, false)
}

/// NumPy's `qr(a, mode='reduced')`, which returns R alone for `'r'`.
pub(in crate::lower) fn numpy_qr(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    decomposed(lower, b, true)
}
