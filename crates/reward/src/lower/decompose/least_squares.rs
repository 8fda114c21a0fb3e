//! What singular values and triangles are good for: least squares, pseudoinverses, ranks.

use super::matrix::Matrix;
use super::{gathered, named};
use crate::diagnostic::{Draft, Kind};
use crate::graph::NodeId;
use crate::lower::arguments::Bound;
use crate::lower::value::Value;
use crate::lower::{Lower, Lowered};
use crate::op::Op;
use crate::tensor::{DType, Tensor, show_shape};

/// Below which singular values count as 0.
#[derive(Clone, Copy)]
struct Cut {
    /// Share of the largest; as many roundings as the matrix is long if it is not given.
    share: Option<f64>,
    least: f64,
}

impl Lower<'_> {
    fn cut(&mut self, values: &[NodeId], longest: usize, cut: Cut) -> Lowered<NodeId> {
        let share = cut.share.unwrap_or(f64::EPSILON * longest as f64);
        let threshold = self.share_of_largest(values, share)?;
        if cut.least > 0.0 {
            return self.node_with(Op::Maximum, threshold, cut.least);
        }
        Ok(threshold)
    }

    /// `1 / s`, and 0 for what counts as 0.
    fn inverses(&mut self, values: &[NodeId], longest: usize, cut: Cut) -> Lowered<Vec<NodeId>> {
        let threshold = self.cut(values, longest, cut)?;
        values
            .iter()
            .map(|&value| self.reciprocal_beyond(value, threshold))
            .collect()
    }

    /// The pseudoinverse, of which the rank is taken as fixed.
    fn pseudoinverse(&mut self, a: &Matrix, cut: Cut) -> Lowered<Matrix> {
        if a.rows < a.columns {
            return Ok(self.pseudoinverse(&a.transposed(), cut)?.transposed());
        }
        let held = self.held(a)?;
        let parts = self.singular(&held, false)?;
        let inverses = self.inverses(&parts.values, a.rows, cut)?;
        let scaled = self.scaled_columns(&parts.right, &inverses)?;
        let x = self.product(&scaled, &parts.left.transposed())?;
        if !self.is_sloped(a) {
            return Ok(x);
        }
        // -X dA X + X X^T dA^T (I - A X) + (I - X A) dA^T X^T X
        let turned = a.transposed();
        let (xa, across) = (self.product(&x, a)?, self.product(&turned, &held)?);
        let through = self.product(&xa, &x)?;
        let covered = self.product(&across, &x)?;
        let outside = self.minus(&turned, &covered)?;
        let weights = self.product(&x, &x.transposed())?;
        let outside = self.product(&weights, &outside)?;
        let unit = self.unit_matrix(a.columns)?;
        let kept = self.product(&x, &held)?;
        let missing = self.minus(&unit, &kept)?;
        let back = self.product(&turned, &x.transposed())?;
        let back = self.product(&missing, &back)?;
        let back = self.product(&back, &x)?;
        let change = self.minus(&outside, &through)?;
        let mut forms = change.clone();
        for row in 0..forms.rows {
            for column in 0..forms.columns {
                let sum = self.add(change.at(row, column), back.at(row, column))?;
                forms.set(row, column, sum);
            }
        }
        self.with_slopes(&x, &forms)
    }

    fn minus(&mut self, a: &Matrix, b: &Matrix) -> Lowered<Matrix> {
        let mut result = a.clone();
        for row in 0..a.rows {
            for column in 0..a.columns {
                let node = self.sub(a.at(row, column), b.at(row, column))?;
                result.set(row, column, node);
            }
        }
        Ok(result)
    }

    /// The solution of least length of `a x = right`, and the singular values of `a`.
    fn least_squares(
        &mut self,
        a: &Matrix,
        right: &Matrix,
        cut: Cut,
    ) -> Lowered<(Matrix, Vec<NodeId>)> {
        if a.rows < a.columns || self.is_sloped(a) {
            let inverse = self.pseudoinverse(a, cut)?;
            let held = self.held(a)?;
            let values = self.singular(&held, false)?.values;
            return Ok((self.product(&inverse, right)?, values));
        }
        let (reflections, triangle) = self.triangular(a)?;
        let parts = self.singular(&triangle.top(a.columns), false)?;
        let inverses = self.inverses(&parts.values, a.rows, cut)?;
        let image = self.rotated_back(&reflections, right)?.top(a.columns);
        let image = self.product(&parts.left.transposed(), &image)?;
        let scaled = self.scaled_columns(&parts.right, &inverses)?;
        Ok((self.product(&scaled, &image)?, parts.values))
    }

    /// The number of singular values above the cut.
    fn rank(&mut self, values: &[NodeId], longest: usize, cut: Cut) -> Lowered<NodeId> {
        let threshold = self.cut(values, longest, cut)?;
        let mut counts = Vec::with_capacity(values.len());
        for &value in values {
            counts.push(self.node(Op::Less, &[threshold, value])?);
        }
        self.sum_nodes(&counts)
    }
}

/// `lstsq(A, B)`: solution, squared residuals, rank, singular values.
fn solved(lower: &mut Lower<'_>, b: &Bound, numpy: bool) -> Lowered<Value> {
    let batch = lower.batch(b, 0)?;
    let right = b.tensor(lower, 1)?;
    let rank = batch.sizes.len() + 2;
    let (rows, columns) = batch
        .matrices
        .first()
        .map_or((0, 0), |matrix| (matrix.rows, matrix.columns));
    let is_vector = right.rank() + 1 == rank;
    let mut shape = right.shape.clone();
    if is_vector {
        shape.push(1);
    }
    let fits = shape.len() == rank && shape[..rank - 2] == batch.sizes && shape[rank - 2] == rows;
    if !fits {
        return Err(lower.fail(
            Draft::new(
                Kind::Shape,
                b.span,
                "the right side does not fit the matrix",
            )
            .expected(format!("{rows} rows, as the matrix has"))
            .found(format!("shape {}", show_shape(&right.shape))),
        ));
    }
    let width = shape[rank - 1];
    lower.charge(right.len())?;
    let cut = Cut {
        share: match b.number(lower, 2, -1.0)? {
            share if share >= 0.0 => Some(share),
            _ => None,
        },
        least: 0.0,
    };
    let nodes = right.nodes();
    let (mut solutions, mut residuals) = (Vec::new(), Vec::new());
    let (mut ranks, mut singular) = (Vec::new(), Vec::new());
    for (matrix, part) in batch.matrices.iter().enumerate().map(|(i, matrix)| {
        let size = rows * width;
        (matrix, nodes[i * size..(i + 1) * size].to_vec())
    }) {
        let part = Matrix::new(rows, width, part);
        let (solution, values) = lower.least_squares(matrix, &part, cut)?;
        let reached = lower.product(matrix, &solution)?;
        let rest = lower.minus(&part, &reached)?;
        for column in 0..width {
            let column = rest.column(column);
            residuals.push(lower.dot(&column, &column)?);
        }
        ranks.push(lower.rank(&values, rows.max(columns), cut)?);
        singular.extend(values);
        solutions.push(solution);
    }
    let solution = match gathered(&batch.sizes, &solutions, (columns, width)) {
        Value::Tensor(tensor) if is_vector => {
            Value::Tensor(tensor.reshaped([batch.sizes.as_slice(), &[columns]].concat()))
        }
        other => other,
    };
    let float = |shape: Vec<usize>, nodes| Value::Tensor(Tensor::new(shape, nodes, DType::Float));
    let residuals = if rows > columns {
        let shape = if is_vector && !numpy {
            batch.sizes.clone()
        } else {
            [batch.sizes.as_slice(), &[width]].concat()
        };
        float(shape, residuals)
    } else {
        float(vec![0], Vec::new())
    };
    let ranks = Value::Tensor(Tensor::new(batch.sizes.clone(), ranks, DType::Int));
    let count = rows.min(columns);
    let values = float([batch.sizes.as_slice(), &[count]].concat(), singular);
    let items = vec![solution, residuals, ranks, values];
    if numpy {
        return Ok(Value::tuple(items));
    }
    let fields = &["solution", "residuals", "rank", "singular_values"];
    Ok(named("lstsq", fields, items))
}

/// `torch.linalg.lstsq(A, B, rcond=None)`.
pub(in crate::lower) fn lstsq(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    solved(lower, b, false)
}

/// NumPy's `lstsq(a, b, rcond=None)`: a tuple of four.
pub(in crate::lower) fn numpy_lstsq(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    solved(lower, b, true)
}

/// The share and the absolute bound at these positions.
fn cut_at(lower: &mut Lower<'_>, b: &Bound, shares: &[usize], least: usize) -> Lowered<Cut> {
    let least = match b.get(least) {
        Some(_) => Some(b.number(lower, least, 0.0)?),
        None => None,
    };
    let mut share = least.map(|_| 0.0);
    for &position in shares {
        if b.get(position).is_some() {
            share = Some(b.number(lower, position, 0.0)?);
        }
    }
    Ok(Cut {
        share,
        least: least.unwrap_or(0.0),
    })
}

/// `pinv(A, rcond, hermitian, rtol, atol)` and `pinverse(A, rcond)`.
pub(in crate::lower) fn pinv(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let cut = cut_at(lower, b, &[1, 3], 4)?;
    let batch = lower.batch(b, 0)?;
    let mut sizes = (0, 0);
    let mut inverses = Vec::new();
    for matrix in &batch.matrices {
        sizes = (matrix.columns, matrix.rows);
        inverses.push(lower.pseudoinverse(matrix, cut)?);
    }
    Ok(gathered(&batch.sizes, &inverses, sizes))
}

fn ranked(lower: &mut Lower<'_>, b: &Bound, cut: Cut) -> Lowered<Value> {
    let batch = lower.batch(b, 0)?;
    let mut ranks = Vec::new();
    for matrix in &batch.matrices {
        let held = lower.held(matrix)?;
        let values = lower.singular(&held, false)?.values;
        ranks.push(lower.rank(&values, matrix.rows.max(matrix.columns), cut)?);
    }
    Ok(Value::Tensor(Tensor::new(batch.sizes, ranks, DType::Int)))
}

/// `torch.linalg.matrix_rank(A, tol, hermitian, rtol, atol)`.
pub(in crate::lower) fn matrix_rank(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let at = if b.get(4).is_some() { 4 } else { 1 };
    let cut = cut_at(lower, b, &[3], at)?;
    ranked(lower, b, cut)
}

/// `cond(A, p=None)`: the largest singular value over the smallest.
pub(in crate::lower) fn cond(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    if !matches!(b.get(1), None | Some(Value::Int(2))) {
        return Err(lower.fail(
            Draft::new(Kind::Argument, b.span_of(1), "this norm is not supported")
                .expected("2, the default"),
        ));
    }
    let batch = lower.batch(b, 0)?;
    let mut ratios = Vec::new();
    for matrix in &batch.matrices {
        let values = lower.singular(matrix, false)?.values;
        let (largest, smallest) = (values[0], values[values.len() - 1]);
        ratios.push(lower.node(Op::Div, &[largest, smallest])?);
    }
    let ratios = Tensor::new(batch.sizes, ratios, DType::Float);
    Ok(Value::Tensor(ratios))
}

/// `cholesky(A, upper=False)`: the gradient belongs to the symmetric matrix, half to each side.
pub(in crate::lower) fn cholesky(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let batch = lower.square_batch(b, 0)?;
    let upper = b.flag(lower, 1)?;
    let mut size = 0;
    let mut factors = Vec::new();
    for matrix in &batch.matrices {
        size = matrix.rows;
        let zero = lower.constant(0.0)?;
        let mut factor = Matrix::new(size, size, vec![zero; size * size]);
        for column in 0..size {
            for row in column..size {
                let (x, y) = (matrix.at(row, column), matrix.at(column, row));
                let mut rest = x;
                if x != y {
                    // The value of one triangle, the slope of both.
                    let both = lower.sub(y, x)?;
                    let half = lower.node_with(Op::Mul, both, 0.5)?;
                    rest = lower.with_slope(rest, half)?;
                }
                let known = lower.dot(&factor.row(row)[..column], &factor.row(column)[..column])?;
                rest = lower.sub(rest, known)?;
                let node = if row == column {
                    lower.node(Op::Sqrt, &[rest])?
                } else {
                    lower.node(Op::Div, &[rest, factor.at(column, column)])?
                };
                factor.set(row, column, node);
            }
        }
        factors.push(if upper { factor.transposed() } else { factor });
    }
    Ok(gathered(&batch.sizes, &factors, (size, size)))
}
