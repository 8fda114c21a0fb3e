//! Products of vectors and matrices.

use super::arguments::Bound;
use super::elementary::scaled;
use super::value::Value;
use super::{Lower, Lowered};
use crate::diagnostic::{Draft, Kind, Span};
use crate::op::Op;
use crate::tensor::{
    DType, Tensor, broadcast, broadcast_positions, count, show_shape, strided_positions, strides,
};

impl Lower<'_> {
    pub(super) fn matmul(&mut self, a: &Tensor, b: &Tensor, span: Span) -> Lowered<Tensor> {
        let promote = |x: &Tensor, at_end: bool| {
            let mut shape = x.shape.clone();
            if shape.len() == 1 {
                shape.insert(usize::from(at_end), 1);
            }
            x.reshaped(shape)
        };
        let (left, right) = (promote(a, false), promote(b, true));
        let mismatch = |lower: &mut Self| {
            lower.fail(
                Draft::new(Kind::Shape, span, "these shapes cannot be multiplied")
                    .expected("the last size of the left to equal the second last of the right")
                    .shapes([a.shape.as_slice(), b.shape.as_slice()])
                    .help(if b.rank() == 2 && a.shape.last() == b.shape.last() {
                        "transpose the right one, `b.T`"
                    } else if broadcast(&a.shape, &b.shape).is_some() {
                        "the dot product of vectors is `(a * b).sum(dim=-1)`"
                    } else {
                        "the sizes that are summed over must be equal"
                    }),
            )
        };
        if a.rank() == 0 || b.rank() == 0 {
            return Err(mismatch(self));
        }
        if a.dtype == DType::Bool && b.dtype == DType::Bool {
            return Err(self.fail(
                Draft::new(Kind::Type, span, "bools are not multiplied as matrices")
                    .found("two bool tensors")
                    .help("make them numbers first: `x.float()`"),
            ));
        }
        let (l, r) = (left.rank(), right.rank());
        let (rows, inner, columns) = (left.shape[l - 2], left.shape[l - 1], right.shape[r - 1]);
        let batch = broadcast(&left.shape[..l - 2], &right.shape[..r - 2]);
        let (Some(batch), true) = (batch, right.shape[r - 2] == inner) else {
            return Err(mismatch(self));
        };
        let mut shape = batch.clone();
        shape.extend([rows, columns]);
        self.allow(&shape)?;
        self.charge(count(&shape).saturating_mul(inner))?;
        let (a_nodes, b_nodes) = (left.nodes(), right.nodes());
        let a_blocks = broadcast_positions(&left.shape[..l - 2], &batch);
        let b_blocks = broadcast_positions(&right.shape[..r - 2], &batch);
        let mut nodes = Vec::with_capacity(count(&shape));
        for (a_block, b_block) in a_blocks.into_iter().zip(b_blocks) {
            let a_part = &a_nodes[a_block * rows * inner..(a_block + 1) * rows * inner];
            let b_part = &b_nodes[b_block * inner * columns..(b_block + 1) * inner * columns];
            for row in 0..rows {
                for column in 0..columns {
                    let mut terms = Vec::with_capacity(inner);
                    for k in 0..inner {
                        let pair = [a_part[row * inner + k], b_part[k * columns + column]];
                        terms.push(self.node(Op::Mul, &pair)?);
                    }
                    nodes.push(self.sum_nodes(&terms)?);
                }
            }
        }
        let dtype = a.dtype.max(b.dtype);
        let mut result = Tensor::new(shape, nodes, dtype);
        let mut shape = result.shape.clone();
        if b.rank() == 1 {
            shape.pop();
        }
        if a.rank() == 1 {
            shape.remove(shape.len() - if b.rank() == 1 { 1 } else { 2 });
        }
        result = result.reshaped(shape);
        Ok(result)
    }

    pub(super) fn dot_over(
        &mut self,
        a: &Tensor,
        b: &Tensor,
        dim: i64,
        span: Span,
    ) -> Lowered<Tensor> {
        let product = self.binary(Op::Mul, a, b, span)?;
        let dim = self.wrap_dim(dim, product.rank(), span)?;
        self.sum_over(&product, &[dim])
    }
}

pub(super) fn dot(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let (x, y) = (b.tensor(lower, 0)?, b.tensor(lower, 1)?);
    if x.rank() != 1 || x.shape != y.shape {
        return Err(lower.fail(
            Draft::new(Kind::Shape, b.span, "`dot` needs two vectors of one length")
                .shapes([x.shape.as_slice(), y.shape.as_slice()])
                .help("use `(a * b).sum(dim=-1)` for vectors at every step"),
        ));
    }
    lower.dot_over(&x, &y, 0, b.span).map(Value::Tensor)
}

/// `inner(input, other)`: sums over the last dimension of both.
pub(super) fn inner(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let (x, y) = (b.tensor(lower, 0)?, b.tensor(lower, 1)?);
    if x.rank() == 0 || y.rank() == 0 {
        return lower.binary(Op::Mul, &x, &y, b.span).map(Value::Tensor);
    }
    let (m, n) = (vec![x.rank() - 1], vec![y.rank() - 1]);
    lower.contracted(&x, &y, &m, &n, b.span).map(Value::Tensor)
}

/// NumPy's `dot` multiplies matrices too.
pub(super) fn numpy_dot(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let (x, y) = (b.tensor(lower, 0)?, b.tensor(lower, 1)?);
    if x.rank() == 0 || y.rank() == 0 {
        return Ok(Value::Tensor(lower.arithmetic(Op::Mul, &x, &y, b.span)?));
    }
    if y.rank() > 2 {
        return Err(lower.fail(
            Draft::new(Kind::Shape, b.span, "`dot` needs vectors or matrices").found(format!(
                "{} and {}",
                show_shape(&x.shape),
                show_shape(&y.shape)
            )),
        ));
    }
    lower.matmul(&x, &y, b.span).map(Value::Tensor)
}

pub(super) fn vecdot(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let (x, y) = (b.tensor(lower, 0)?, b.tensor(lower, 1)?);
    let dim = b.integer(lower, 2, -1)?;
    lower.dot_over(&x, &y, dim, b.span).map(Value::Tensor)
}

pub(super) fn matmul(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let (x, y) = (b.tensor(lower, 0)?, b.tensor(lower, 1)?);
    lower.matmul(&x, &y, b.span).map(Value::Tensor)
}

pub(super) fn outer(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let (x, y) = (b.tensor(lower, 0)?, b.tensor(lower, 1)?);
    let column = x.reshaped(vec![x.len(), 1]);
    let row = y.reshaped(vec![1, y.len()]);
    lower
        .arithmetic(Op::Mul, &column, &row, b.span)
        .map(Value::Tensor)
}

/// `torch.cross(input, other, dim=None)`.
pub(super) fn cross(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    crossed(lower, b, None)
}

/// `linalg.cross(input, other, dim=-1)` and NumPy's.
pub(super) fn linalg_cross(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    crossed(lower, b, Some(-1))
}

/// Cross products along a dimension of size 3.
fn crossed(lower: &mut Lower<'_>, b: &Bound, default: Option<i64>) -> Lowered<Value> {
    let (x, y) = (b.tensor(lower, 0)?, b.tensor(lower, 1)?);
    let shape = lower.common_shape(&[&x, &y], b.span)?;
    let dim = match (b.get(2), default) {
        // `torch.cross` without `dim` takes the first dimension of size 3.
        (None, None) => shape.iter().position(|&size| size == 3).unwrap_or(0),
        (_, default) => {
            let dim = b.integer(lower, 2, default.unwrap_or(-1))?;
            lower.wrap_dim(dim, shape.len(), b.span)?
        }
    };
    if shape.get(dim) != Some(&3) {
        return Err(lower.fail(
            Draft::new(
                Kind::Shape,
                b.span,
                "a cross product needs three components",
            )
            .expected(format!("size 3 in dimension {dim}"))
            .shapes([x.shape.as_slice(), y.shape.as_slice()])
            .help("keep x, y and z; set the third to zero instead of leaving it out"),
        ));
    }
    let (x, y) = (
        lower.broadcast_to(&x, &shape, b.span)?,
        lower.broadcast_to(&y, &shape, b.span)?,
    );
    let (x, y) = (x.nodes(), y.nodes());
    let mut kept = shape.clone();
    kept[dim] = 1;
    let steps = strides(&shape);
    let step = steps[dim];
    let mut nodes = vec![0; x.len()];
    for start in strided_positions(&kept, &steps, 0) {
        for axis in 0..3 {
            let (i, j) = (start + (axis + 1) % 3 * step, start + (axis + 2) % 3 * step);
            let plus = lower.node(Op::Mul, &[x[i], y[j]])?;
            let minus = lower.node(Op::Mul, &[x[j], y[i]])?;
            nodes[start + axis * step] = lower.node(Op::Sub, &[plus, minus])?;
        }
    }
    Ok(Value::Tensor(Tensor::new(shape, nodes, DType::Float)))
}

impl Lower<'_> {
    /// Sums over pairs of dimensions; the others of `a` come first, then those of `b`.
    fn contracted(
        &mut self,
        a: &Tensor,
        b: &Tensor,
        left: &[usize],
        right: &[usize],
        span: Span,
    ) -> Lowered<Tensor> {
        let sizes =
            |x: &Tensor, dims: &[usize]| dims.iter().map(|&d| x.shape[d]).collect::<Vec<_>>();
        if sizes(a, left) != sizes(b, right) {
            return Err(self.fail(
                Draft::new(Kind::Shape, span, "the contracted dimensions differ").found(format!(
                    "{} and {}",
                    show_shape(&sizes(a, left)),
                    show_shape(&sizes(b, right))
                )),
            ));
        }
        let free = |x: &Tensor, dims: &[usize]| {
            (0..x.rank())
                .filter(|d| !dims.contains(d))
                .collect::<Vec<_>>()
        };
        let (a_free, b_free) = (free(a, left), free(b, right));
        let shape = [sizes(a, &a_free), sizes(b, &b_free)].concat();
        self.allow(&shape)?;
        let inner = count(&sizes(a, left));
        let rows = self.permuted(a, &[a_free.clone(), left.to_vec()].concat())?;
        let columns = self.permuted(b, &[right.to_vec(), b_free.clone()].concat())?;
        let rows = rows.reshaped(vec![count(&sizes(a, &a_free)), inner]);
        let columns = columns.reshaped(vec![inner, count(&sizes(b, &b_free))]);
        Ok(self.matmul(&rows, &columns, span)?.reshaped(shape))
    }
}

/// `tensordot(a, b, dims=2)`: a number of dimensions, or two lists of them.
pub(super) fn tensordot(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let (x, y) = (b.tensor(lower, 0)?, b.tensor(lower, 1)?);
    let (left, right) = match b.get(2) {
        Some(Value::Tuple(lists) | Value::List(lists)) if lists.items.len() == 2 => {
            let lists = lists.items.to_vec();
            let mut both = Vec::with_capacity(2);
            for (list, rank) in lists.iter().zip([x.rank(), y.rank()]) {
                let items = match list {
                    Value::Tuple(items) | Value::List(items) => items.items.to_vec(),
                    one => vec![one.clone()],
                };
                let mut dims = Vec::with_capacity(items.len());
                for item in &items {
                    let dim = lower.integer_argument(item, b.span_of(2))?;
                    dims.push(lower.wrap_dim(dim, rank, b.span_of(2))?);
                }
                both.push(dims);
            }
            (both[0].clone(), both[1].clone())
        }
        _ => {
            let count = usize::try_from(b.integer(lower, 2, 2)?).unwrap_or(usize::MAX);
            if count > x.rank().min(y.rank()) {
                return Err(tensordot_misfit(lower, b, &x, &y));
            }
            ((x.rank() - count..x.rank()).collect(), (0..count).collect())
        }
    };
    let distinct = |dims: &[usize], rank: usize| {
        dims.iter()
            .enumerate()
            .all(|(i, d)| *d < rank && !dims[..i].contains(d))
    };
    if left.len() != right.len() || !distinct(&left, x.rank()) || !distinct(&right, y.rank()) {
        return Err(tensordot_misfit(lower, b, &x, &y));
    }
    lower
        .contracted(&x, &y, &left, &right, b.span)
        .map(Value::Tensor)
}

fn tensordot_misfit(lower: &mut Lower<'_>, b: &Bound, x: &Tensor, y: &Tensor) -> super::Stop {
    lower.fail(
        Draft::new(
            Kind::Shape,
            b.span,
            "`tensordot` cannot contract these dimensions",
        )
        .expected("as many dimensions of the one as of the other")
        .found(format!(
            "{} and {}",
            show_shape(&x.shape),
            show_shape(&y.shape)
        ))
        .help("use `torch.einsum`"),
    )
}

/// `multi_dot(tensors)` and `chain_matmul(*matrices)`: from left to right.
pub(super) fn multi_dot(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let parts = lower.parts(b)?;
    let (first, rest) = (parts[0].clone(), &parts[1..]);
    rest.iter()
        .try_fold(first, |product, part| lower.matmul(&product, part, b.span))
        .map(Value::Tensor)
}

/// `addmm`, `addmv` and `baddbmm(input, a, b, beta=1, alpha=1) = beta * input + alpha * a @ b`.
pub(super) fn addmm(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let (x, y, z) = (
        b.tensor(lower, 0)?,
        b.tensor(lower, 1)?,
        b.tensor(lower, 2)?,
    );
    let product = lower.matmul(&y, &z, b.span)?;
    let product = scaled(lower, b, product, 4)?;
    let x = scaled(lower, b, x, 3)?;
    lower
        .binary(Op::Add, &x, &product, b.span)
        .map(Value::Tensor)
}

/// `matrix_power(input, n)` for n from 0 on.
pub(super) fn matrix_power(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let x = b.tensor(lower, 0)?;
    let size = lower.square_size(&x, b)?;
    let times = b.integer(lower, 1, 1)?;
    if !(0..=64).contains(&times) {
        return Err(lower.fail(
            Draft::new(Kind::Argument, b.span_of(1), "this power is not supported")
                .expected("0 to 64")
                .found(format!("{times}")),
        ));
    }
    let mut power = lower.identity(size)?;
    for turn in 0..times {
        power = if turn == 0 {
            x.clone()
        } else {
            lower.matmul(&power, &x, b.span)?
        };
    }
    Ok(Value::Tensor(power))
}

/// `kron(input, other)`: blocks of `other`, scaled by the elements of `input`.
pub(super) fn kron(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let (x, y) = (b.tensor(lower, 0)?, b.tensor(lower, 1)?);
    let rank = x.rank().max(y.rank());
    let (mut wide_x, mut wide_y, mut shape) = (Vec::new(), Vec::new(), Vec::new());
    for d in 0..rank {
        let size = |t: &Tensor| {
            (d + t.rank())
                .checked_sub(rank)
                .map_or(1, |own| t.shape[own])
        };
        wide_x.extend([size(&x), 1]);
        wide_y.extend([1, size(&y)]);
        shape.push(size(&x).saturating_mul(size(&y)));
    }
    lower.allow(&shape)?;
    let product = lower.binary(Op::Mul, &x.reshaped(wide_x), &y.reshaped(wide_y), b.span)?;
    Ok(Value::Tensor(product.reshaped(shape)))
}
