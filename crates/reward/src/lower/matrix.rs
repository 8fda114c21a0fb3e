//! Small matrices: determinants and inverses in closed form, diagonals and triangles.

use super::arguments::Bound;
use super::value::Value;
use super::{Lower, Lowered};
use crate::diagnostic::{Draft, Kind};
use crate::graph::NodeId;
use crate::op::Op;
use crate::tensor::{DType, Tensor, count, show_shape, strided_positions, strides};

/// Rows of the largest matrix whose determinant and inverse are written out.
const MAX_SIZE: usize = 4;

impl Lower<'_> {
    /// The size of square matrices in the last two dimensions.
    pub(super) fn square_size(&mut self, x: &Tensor, b: &Bound) -> Lowered<usize> {
        if let &[.., rows, columns] = x.shape.as_slice()
            && rows == columns
        {
            return Ok(rows);
        }
        Err(self.fail(
            Draft::new(
                Kind::Shape,
                b.span,
                format!("`{}` needs square matrices", b.name),
            )
            .expected("(..., n, n)")
            .found(format!("shape {}", show_shape(&x.shape))),
        ))
    }

    pub(super) fn identity(&mut self, size: usize) -> Lowered<Tensor> {
        self.allow(&[size, size])?;
        let mut nodes = Vec::with_capacity(size * size);
        for place in 0..size * size {
            nodes.push(self.constant(f64::from(u8::from(place % (size + 1) == 0)))?);
        }
        Ok(Tensor::new(vec![size, size], nodes, DType::Float))
    }

    /// The views with the last two dimensions swapped; a vector stays as it is.
    pub(super) fn transposed(&mut self, x: &Tensor) -> Lowered<Tensor> {
        let mut order: Vec<usize> = (0..x.rank()).collect();
        if let [.., a, b] = order.as_mut_slice() {
            std::mem::swap(a, b);
        }
        self.permuted(x, &order)
    }

    fn written_out(&mut self, x: &Tensor, b: &Bound) -> Lowered<usize> {
        let size = self.square_size(x, b)?;
        if (1..=MAX_SIZE).contains(&size) {
            self.charge(x.len().saturating_mul(4))?;
            return Ok(size);
        }
        Err(self.fail(
            Draft::new(
                Kind::Unsupported,
                b.span,
                "this matrix is too large to be inverted",
            )
            .expected(format!("at most {MAX_SIZE} rows"))
            .found(format!("shape {}", show_shape(&x.shape)))
            .help("use a smaller matrix"),
        ))
    }

    /// The determinant of the rows and columns that are named, by the first row.
    fn minor(
        &mut self,
        matrix: &[NodeId],
        size: usize,
        rows: &[usize],
        columns: &[usize],
    ) -> Lowered<NodeId> {
        let (Some((&row, below)), Some((&column, _))) = (rows.split_first(), columns.split_first())
        else {
            return self.constant(1.0);
        };
        if below.is_empty() {
            return Ok(matrix[row * size + column]);
        }
        let mut total: Option<NodeId> = None;
        for (position, &column) in columns.iter().enumerate() {
            let others: Vec<usize> = columns.iter().copied().filter(|&c| c != column).collect();
            let inner = self.minor(matrix, size, below, &others)?;
            let term = self.node(Op::Mul, &[matrix[row * size + column], inner])?;
            total = Some(match total {
                None => term,
                Some(so_far) if position % 2 == 1 => self.node(Op::Sub, &[so_far, term])?,
                Some(so_far) => self.node(Op::Add, &[so_far, term])?,
            });
        }
        match total {
            Some(total) => Ok(total),
            None => self.constant(1.0),
        }
    }

    /// Adjugate over determinant, for every matrix.
    fn inverted(&mut self, x: &Tensor, b: &Bound) -> Lowered<Tensor> {
        let size = self.written_out(x, b)?;
        let all: Vec<usize> = (0..size).collect();
        let mut nodes = Vec::with_capacity(x.len());
        for matrix in x.nodes().chunks_exact(size * size) {
            let determinant = self.minor(matrix, size, &all, &all)?;
            for row in 0..size {
                for column in 0..size {
                    let rows: Vec<usize> = (0..size).filter(|&i| i != column).collect();
                    let columns: Vec<usize> = (0..size).filter(|&i| i != row).collect();
                    let mut cofactor = self.minor(matrix, size, &rows, &columns)?;
                    if (row + column) % 2 == 1 {
                        cofactor = self.node(Op::Neg, &[cofactor])?;
                    }
                    nodes.push(self.node(Op::Div, &[cofactor, determinant])?);
                }
            }
        }
        Ok(Tensor::new(x.shape.clone(), nodes, DType::Float))
    }
}

pub(super) fn det(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let x = b.tensor(lower, 0)?;
    let size = lower.written_out(&x, b)?;
    let all: Vec<usize> = (0..size).collect();
    let mut nodes = Vec::new();
    for matrix in x.nodes().chunks_exact(size * size) {
        nodes.push(lower.minor(matrix, size, &all, &all)?);
    }
    let shape = x.shape[..x.rank() - 2].to_vec();
    Ok(Value::Tensor(Tensor::new(shape, nodes, DType::Float)))
}

pub(super) fn inv(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let x = b.tensor(lower, 0)?;
    lower.inverted(&x, b).map(Value::Tensor)
}

/// `solve(A, B)`: `B` is a vector, or has the shape of a batch of vectors, or matrices.
pub(super) fn solve(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let (a, right) = (b.tensor(lower, 0)?, b.tensor(lower, 1)?);
    let inverse = lower.inverted(&a, b)?;
    let batched = a.rank() > 2 && right.shape == a.shape[..a.rank() - 1];
    if batched {
        let mut column = right.shape.clone();
        column.push(1);
        let result = lower.matmul(&inverse, &right.reshaped(column), b.span)?;
        return Ok(Value::Tensor(result.reshaped(right.shape)));
    }
    lower.matmul(&inverse, &right, b.span).map(Value::Tensor)
}

/// The diagonal `offset` places above the main one, along two dimensions: a view.
fn diagonal_view(x: &Tensor, offset: i64, rows: usize, columns: usize) -> Tensor {
    let steps = strides(&x.shape);
    let clip = |size: usize, cut: i64| usize::try_from(size as i64 - cut.max(0)).unwrap_or(0);
    let length = clip(x.shape[rows], offset.saturating_neg()).min(clip(x.shape[columns], offset));
    let start = match usize::try_from(offset) {
        Ok(right) => right.saturating_mul(steps[columns]),
        Err(_) => (offset.unsigned_abs() as usize).saturating_mul(steps[rows]),
    };
    let kept = |d: &usize| *d != rows && *d != columns;
    let (mut shape, mut along): (Vec<usize>, Vec<usize>) = (0..x.rank())
        .filter(kept)
        .map(|d| (x.shape[d], steps[d]))
        .unzip();
    shape.push(length);
    along.push(steps[rows] + steps[columns]);
    let positions = strided_positions(&shape, &along, start);
    x.view(shape, &positions)
}

fn two_dims(
    lower: &mut Lower<'_>,
    b: &Bound,
    x: &Tensor,
    at: [usize; 2],
    default: [i64; 2],
) -> Lowered<(usize, usize)> {
    let first = b
        .dim(lower, at[0], x.rank(), Some(default[0]))?
        .unwrap_or(0);
    let second = b
        .dim(lower, at[1], x.rank(), Some(default[1]))?
        .unwrap_or(0);
    if x.rank() < 2 || first == second {
        return Err(lower.fail(
            Draft::new(
                Kind::Shape,
                b.span,
                format!("`{}` needs two dimensions", b.name),
            )
            .found(format!("shape {}", show_shape(&x.shape))),
        ));
    }
    Ok((first, second))
}

/// `diagonal(input, offset=0, dim1=0, dim2=1)`.
pub(super) fn diagonal(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let x = b.tensor(lower, 0)?;
    if x.rank() < 2 {
        two_dims(lower, b, &x, [2, 3], [0, 0])?;
    }
    let (rows, columns) = two_dims(lower, b, &x, [2, 3], [0, 1])?;
    let offset = b.integer(lower, 1, 0)?;
    Ok(Value::Tensor(diagonal_view(&x, offset, rows, columns)))
}

/// `linalg.diagonal`: of the last two dimensions.
pub(super) fn linalg_diagonal(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let x = b.tensor(lower, 0)?;
    if x.rank() < 2 {
        two_dims(lower, b, &x, [2, 3], [-1, -1])?;
    }
    let (rows, columns) = two_dims(lower, b, &x, [2, 3], [-2, -1])?;
    let offset = b.integer(lower, 1, 0)?;
    Ok(Value::Tensor(diagonal_view(&x, offset, rows, columns)))
}

/// Square matrices with the last dimension on a diagonal and zeros elsewhere.
fn embedded(lower: &mut Lower<'_>, x: &Tensor, offset: i64) -> Lowered<Tensor> {
    let length = x.shape.last().copied().unwrap_or(1);
    let size = length.saturating_add(usize::try_from(offset.unsigned_abs()).unwrap_or(usize::MAX));
    let mut shape = x.shape[..x.rank().saturating_sub(1)].to_vec();
    shape.extend([size, size]);
    let matrix = lower.filled(shape, 0.0, x.dtype)?;
    let rank = matrix.rank();
    diagonal_view(&matrix, offset, rank - 2, rank - 1).write(&x.nodes());
    Ok(matrix)
}

/// `diag(input, diagonal=0)`: of a vector the matrix, of a matrix the diagonal.
pub(super) fn diag(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let x = b.tensor(lower, 0)?;
    let offset = b.integer(lower, 1, 0)?;
    match x.rank() {
        1 => embedded(lower, &x, offset).map(Value::Tensor),
        2 => {
            let view = diagonal_view(&x, offset, 0, 1);
            Ok(Value::Tensor(Tensor::new(
                view.shape.clone(),
                view.nodes(),
                view.dtype,
            )))
        }
        _ => Err(lower.fail(
            Draft::new(Kind::Shape, b.span, "`diag` needs a vector or a matrix")
                .found(format!("shape {}", show_shape(&x.shape)))
                .help("use `torch.diagonal(x, dim1=-2, dim2=-1)` or `torch.diag_embed(x)`"),
        )),
    }
}

/// NumPy's `diagonal`: nobody may write to it.
pub(super) fn numpy_diagonal(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    Ok(match diagonal(lower, b)? {
        Value::Tensor(mut view) => {
            view.is_read_only = true;
            Value::Tensor(view)
        }
        other => other,
    })
}

/// NumPy's `diag`: of a matrix a view.
pub(super) fn numpy_diag(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    if b.tensor(lower, 0)?.rank() == 2 {
        return numpy_diagonal(lower, b);
    }
    diag(lower, b)
}

/// `diag_embed(input, offset=0)`.
pub(super) fn diag_embed(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let x = b.tensor(lower, 0)?;
    let offset = b.integer(lower, 1, 0)?;
    embedded(lower, &x, offset).map(Value::Tensor)
}

/// `diagflat(input, offset=0)`: flattened first.
pub(super) fn diagflat(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let x = b.tensor(lower, 0)?;
    let offset = b.integer(lower, 1, 0)?;
    embedded(lower, &x.reshaped(vec![x.len()]), offset).map(Value::Tensor)
}

pub(super) fn trace(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let x = b.tensor(lower, 0)?;
    if x.rank() != 2 {
        return Err(lower.fail(
            Draft::new(Kind::Shape, b.span, "`trace` needs one matrix")
                .found(format!("shape {}", show_shape(&x.shape)))
                .help("use `torch.diagonal(x, dim1=-2, dim2=-1).sum(-1)`"),
        ));
    }
    lower
        .sum_over(&diagonal_view(&x, 0, 0, 1), &[0])
        .map(Value::Tensor)
}

/// Keeps the part of every matrix for which `keep(column - row)` holds.
fn triangle(lower: &mut Lower<'_>, b: &Bound, keep: fn(i64, i64) -> bool) -> Lowered<Value> {
    let x = b.tensor(lower, 0)?;
    let offset = b.integer(lower, 1, 0)?;
    let &[.., rows, columns] = x.shape.as_slice() else {
        return Err(lower.fail(
            Draft::new(Kind::Shape, b.span, format!("`{}` needs a matrix", b.name))
                .found(format!("shape {}", show_shape(&x.shape))),
        ));
    };
    lower.charge(count(&x.shape))?;
    let zero = lower.constant(0.0)?;
    let mut nodes = x.nodes();
    for (position, node) in nodes.iter_mut().enumerate() {
        let (row, column) = (position / columns % rows, position % columns);
        if !keep(column as i64 - row as i64, offset) {
            *node = zero;
        }
    }
    Ok(Value::Tensor(Tensor::new(x.shape.clone(), nodes, x.dtype)))
}

/// `tril(input, diagonal=0)`.
pub(super) fn tril(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    triangle(lower, b, |place, offset| place <= offset)
}

/// `triu(input, diagonal=0)`.
pub(super) fn triu(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    triangle(lower, b, |place, offset| place >= offset)
}
