//! Reductions and scans over dimensions.

use super::arguments::Bound;
use super::value::Value;
use super::{Lower, Lowered};
use crate::diagnostic::{Draft, Kind};
use crate::graph::NodeId;
use crate::op::Op;
use crate::tensor::{DType, Tensor, count, extent, reduction_groups, show_shape, strides};

impl Lower<'_> {
    /// Replaces every group of elements along `dims` by one element.
    pub(super) fn reduce(
        &mut self,
        x: &Tensor,
        dims: &[usize],
        keepdim: bool,
        dtype: DType,
        mut combine: impl FnMut(&mut Self, &[NodeId]) -> Lowered<NodeId>,
    ) -> Lowered<Tensor> {
        self.charge(extent(&x.shape))?;
        let nodes = x.nodes();
        let (kept, groups) = reduction_groups(&x.shape, dims);
        let mut results = Vec::with_capacity(groups.len());
        for group in groups {
            let members: Vec<NodeId> = group.into_iter().map(|p| nodes[p]).collect();
            results.push(combine(self, &members)?);
        }
        let shape = if keepdim {
            (0..x.rank())
                .map(|d| if dims.contains(&d) { 1 } else { x.shape[d] })
                .collect()
        } else {
            kept
        };
        Ok(Tensor::new(shape, results, dtype))
    }

    pub(super) fn sum_nodes(&mut self, members: &[NodeId]) -> Lowered<NodeId> {
        if members.is_empty() {
            self.constant(0.0)
        } else {
            self.node(Op::Sum, members)
        }
    }

    pub(super) fn sum_over(&mut self, x: &Tensor, dims: &[usize]) -> Lowered<Tensor> {
        self.reduce(x, dims, false, x.dtype.max(DType::Int), |lower, m| {
            lower.sum_nodes(m)
        })
    }

    /// The last dimension; a scalar counts as having one.
    pub(super) fn last_dim(x: &Tensor) -> usize {
        x.rank().saturating_sub(1)
    }

    /// Every dimension named by the argument at `position`, or all of them.
    pub(super) fn dims(&mut self, b: &Bound, position: usize, rank: usize) -> Lowered<Vec<usize>> {
        let Some(value) = b.get(position) else {
            return Ok((0..rank).collect());
        };
        let span = b.span_of(position);
        let mut dims = Vec::new();
        let given = match value {
            Value::List(items) | Value::Tuple(items) => items.items.to_vec(),
            one => vec![one.clone()],
        };
        self.charge(given.len())?;
        for dim in &given {
            let dim = self.integer_argument(dim, span)?;
            let dim = self.wrap_dim(dim, rank, span)?;
            if dims.contains(&dim) {
                return Err(self.fail(Draft::new(Kind::Index, span, "a dimension is named twice")));
            }
            if rank > 0 {
                dims.push(dim);
            }
        }
        Ok(if given.is_empty() {
            (0..rank).collect()
        } else {
            dims
        })
    }

    pub(super) fn refuse_empty(&mut self, x: &Tensor, dims: &[usize], b: &Bound) -> Lowered<()> {
        if dims.iter().all(|&dim| x.shape[dim] > 0) {
            return Ok(());
        }
        Err(self.fail(
            Draft::new(
                Kind::Shape,
                b.span,
                format!("`{}` of nothing has no value", b.name),
            )
            .found(format!("shape {}", show_shape(&x.shape)))
            .help("check the slice that comes before: it selects no element"),
        ))
    }

    /// Applies `scan` along one dimension: it maps the elements of a line to as many results.
    pub(super) fn along(
        &mut self,
        x: &Tensor,
        dim: usize,
        dtype: DType,
        mut scan: impl FnMut(&mut Self, &[NodeId]) -> Lowered<Vec<NodeId>>,
    ) -> Lowered<Tensor> {
        self.charge(2 * extent(&x.shape))?;
        let nodes = x.nodes();
        let (shape, groups) = if x.rank() == 0 {
            (Vec::new(), vec![vec![0]])
        } else {
            (x.shape.clone(), reduction_groups(&x.shape, &[dim]).1)
        };
        let mut results: Vec<NodeId> = Vec::new();
        let mut length = None;
        let mut lines = Vec::with_capacity(groups.len());
        for group in &groups {
            let members: Vec<NodeId> = group.iter().map(|&p| nodes[p]).collect();
            let line = scan(self, &members)?;
            length = Some(line.len());
            lines.push(line);
        }
        let mut shape = shape;
        if let (Some(length), Some(size)) = (length, shape.get_mut(dim)) {
            *size = length;
        }
        results.resize(count(&shape), 0);
        let step = strides(&shape).get(dim).copied().unwrap_or(1);
        let (_, places) = if shape.is_empty() {
            (Vec::new(), vec![vec![0]])
        } else {
            reduction_groups(&shape, &[dim])
        };
        debug_assert!(places.iter().all(|p| p.len() < 2 || p[1] - p[0] == step));
        for (place, line) in places.iter().zip(lines) {
            for (&position, node) in place.iter().zip(line) {
                results[position] = node;
            }
        }
        Ok(Tensor::new(shape, results, dtype))
    }
}

pub(super) fn sum(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let x = b.tensor(lower, 0)?;
    let (dims, keepdim) = (lower.dims(b, 1, x.rank())?, b.flag(lower, 2)?);
    let dtype = x.dtype.max(DType::Int);
    Ok(Value::Tensor(lower.reduce(
        &x,
        &dims,
        keepdim,
        dtype,
        |lower, m| lower.sum_nodes(m),
    )?))
}

pub(super) fn mean(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let x = b.tensor(lower, 0)?;
    let (dims, keepdim) = (lower.dims(b, 1, x.rank())?, b.flag(lower, 2)?);
    lower.refuse_empty(&x, &dims, b)?;
    Ok(Value::Tensor(lower.reduce(
        &x,
        &dims,
        keepdim,
        DType::Float,
        mean_nodes,
    )?))
}

fn mean_nodes(lower: &mut Lower<'_>, members: &[NodeId]) -> Lowered<NodeId> {
    let sum = lower.node(Op::Sum, members)?;
    let count = lower.constant(members.len() as f64)?;
    lower.node(Op::Div, &[sum, count])
}

pub(super) fn prod(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let x = b.tensor(lower, 0)?;
    let (dims, keepdim) = (lower.dims(b, 1, x.rank())?, b.flag(lower, 2)?);
    let dtype = x.dtype.max(DType::Int);
    Ok(Value::Tensor(lower.reduce(
        &x,
        &dims,
        keepdim,
        dtype,
        |lower, members| {
            let one = lower.constant(1.0)?;
            members
                .iter()
                .try_fold(one, |product, &m| lower.node(Op::Mul, &[product, m]))
        },
    )?))
}

/// `var(input, dim, correction=1, keepdim)`; `unbiased` is its older name.
fn variance(lower: &mut Lower<'_>, b: &Bound, root: bool, default: i64) -> Lowered<Value> {
    let x = b.tensor(lower, 0)?;
    let mut dims_at = 1;
    let mut correction = default;
    // `x.var(False)` gives `unbiased` in the place of `dim`.
    if let Some(Value::Bool(unbiased)) = b.get(1) {
        correction = i64::from(*unbiased);
        dims_at = usize::MAX;
    }
    for position in [2, 4, 5] {
        if b.get(position).is_some() {
            correction = b.integer(lower, position, correction)?;
        }
    }
    let dims = lower.dims(b, dims_at, x.rank())?;
    let keepdim = b.flag(lower, 3)?;
    let size = count(&dims.iter().map(|&d| x.shape[d]).collect::<Vec<_>>()) as i64;
    if size <= correction {
        return Err(lower.fail(
            Draft::new(
                Kind::Shape,
                b.span,
                format!("`{}` needs more elements", b.name),
            )
            .expected(format!(
                "more than {correction} along the reduced dimensions"
            ))
            .found(format!("{size}")),
        ));
    }
    let result = lower.reduce(&x, &dims, keepdim, DType::Float, |lower, members| {
        let mean = mean_nodes(lower, members)?;
        let mut squares = Vec::with_capacity(members.len());
        for &member in members {
            let difference = lower.node(Op::Sub, &[member, mean])?;
            squares.push(difference);
        }
        let divisor = lower.constant(size.saturating_sub(correction) as f64)?;
        if root {
            // A norm has gradient 0 where all elements are equal, as PyTorch's std has.
            let norm = lower.node(Op::Norm2, &squares)?;
            let scale = lower.node(Op::Sqrt, &[divisor])?;
            return lower.node(Op::Div, &[norm, scale]);
        }
        for square in &mut squares {
            *square = lower.node(Op::Square, &[*square])?;
        }
        let sum = lower.node(Op::Sum, &squares)?;
        lower.node(Op::Div, &[sum, divisor])
    })?;
    Ok(Value::Tensor(result))
}

pub(super) fn var(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    variance(lower, b, false, 1)
}

pub(super) fn std(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    variance(lower, b, true, 1)
}

/// NumPy divides by n, PyTorch by n - 1.
pub(super) fn numpy_var(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    variance(lower, b, false, 0)
}

pub(super) fn numpy_std(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    variance(lower, b, true, 0)
}

fn extreme(lower: &mut Lower<'_>, b: &Bound, op: Op) -> Lowered<Value> {
    let x = b.tensor(lower, 0)?;
    let (dims, keepdim) = (lower.dims(b, 1, x.rank())?, b.flag(lower, 2)?);
    lower.refuse_empty(&x, &dims, b)?;
    Ok(Value::Tensor(lower.reduce(
        &x,
        &dims,
        keepdim,
        x.dtype,
        |lower, m| lower.node(op, m),
    )?))
}

pub(super) fn amax(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    extreme(lower, b, Op::AMax)
}

pub(super) fn amin(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    extreme(lower, b, Op::AMin)
}

/// The best element of a line and its index; the first of equals wins.
pub(super) fn best(
    lower: &mut Lower<'_>,
    members: &[NodeId],
    largest: bool,
) -> Lowered<(NodeId, NodeId)> {
    let pick = if largest { Op::MaxLeft } else { Op::MinLeft };
    let mut value = members[0];
    let mut index = lower.constant(0.0)?;
    for (position, &member) in members.iter().enumerate().skip(1) {
        let order = if largest {
            [value, member]
        } else {
            [member, value]
        };
        let better = lower.node(Op::Less, &order)?;
        let position = lower.constant(position as f64)?;
        index = lower.node(Op::Where, &[better, position, index])?;
        value = lower.node(pick, &[value, member])?;
    }
    Ok((value, index))
}

/// `max(input)`, `max(input, dim)` or `max(input, other)`.
fn max_or_min(lower: &mut Lower<'_>, b: &Bound, largest: bool) -> Lowered<Value> {
    let (shared, pairwise) = if largest {
        (Op::AMax, Op::Maximum)
    } else {
        (Op::AMin, Op::Minimum)
    };
    let x = b.tensor(lower, 0)?;
    match b.get(1) {
        None => extreme(lower, b, shared),
        Some(Value::Tensor(other)) => {
            let other = other.clone();
            Ok(Value::Tensor(lower.binary(pairwise, &x, &other, b.span)?))
        }
        Some(_) => {
            let dim = b.dim(lower, 1, x.rank(), None)?.unwrap_or(0);
            let keepdim = b.flag(lower, 2)?;
            extreme_pair(lower, b, &x, dim, keepdim, largest)
        }
    }
}

fn extreme_pair(
    lower: &mut Lower<'_>,
    b: &Bound,
    x: &Tensor,
    dim: usize,
    keepdim: bool,
    largest: bool,
) -> Lowered<Value> {
    let dims: Vec<usize> = if x.rank() == 0 { Vec::new() } else { vec![dim] };
    lower.refuse_empty(x, &dims, b)?;
    let mut indices = Vec::new();
    let values = lower.reduce(x, &dims, keepdim, x.dtype, |lower, members| {
        let (value, index) = best(lower, members, largest)?;
        indices.push(index);
        Ok(value)
    })?;
    let indices = Tensor::new(values.shape.clone(), indices, DType::Int);
    Ok(Value::Pair(values, indices))
}

pub(super) fn max(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    max_or_min(lower, b, true)
}

pub(super) fn min(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    max_or_min(lower, b, false)
}

fn arg_extreme(lower: &mut Lower<'_>, b: &Bound, largest: bool) -> Lowered<Value> {
    let x = b.tensor(lower, 0)?;
    let (dims, keepdim) = (lower.dims(b, 1, x.rank())?, b.flag(lower, 2)?);
    lower.refuse_empty(&x, &dims, b)?;
    let indices = lower.reduce(&x, &dims, keepdim, DType::Int, |lower, members| {
        Ok(best(lower, members, largest)?.1)
    })?;
    Ok(Value::Tensor(indices))
}

pub(super) fn argmax(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    arg_extreme(lower, b, true)
}

pub(super) fn argmin(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    arg_extreme(lower, b, false)
}

fn logical(lower: &mut Lower<'_>, b: &Bound, op: Op, start: f64) -> Lowered<Value> {
    let x = b.tensor(lower, 0)?;
    let (dims, keepdim) = (lower.dims(b, 1, x.rank())?, b.flag(lower, 2)?);
    Ok(Value::Tensor(lower.reduce(
        &x,
        &dims,
        keepdim,
        DType::Bool,
        |lower, members| {
            let start = lower.constant(start)?;
            members
                .iter()
                .try_fold(start, |all, &m| lower.node(op, &[all, m]))
        },
    )?))
}

pub(super) fn all(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    logical(lower, b, Op::And, 1.0)
}

pub(super) fn any(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    logical(lower, b, Op::Or, 0.0)
}

fn log_sum_exp_nodes(lower: &mut Lower<'_>, members: &[NodeId]) -> Lowered<NodeId> {
    let peak = lower.node(Op::AMax, members)?;
    let peak = lower.node(Op::Detach, &[peak])?;
    let mut exponentials = Vec::with_capacity(members.len());
    for &member in members {
        let shifted = lower.node(Op::Sub, &[member, peak])?;
        exponentials.push(lower.node(Op::Exp, &[shifted])?);
    }
    let sum = lower.node(Op::Sum, &exponentials)?;
    let log = lower.node(Op::Log, &[sum])?;
    lower.node(Op::Add, &[log, peak])
}

pub(super) fn logsumexp(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let x = b.tensor(lower, 0)?;
    let (dims, keepdim) = (lower.dims(b, 1, x.rank())?, b.flag(lower, 2)?);
    lower.refuse_empty(&x, &dims, b)?;
    Ok(Value::Tensor(lower.reduce(
        &x,
        &dims,
        keepdim,
        DType::Float,
        log_sum_exp_nodes,
    )?))
}

/// `softmax(x) = exp(x - max) / sum(exp(x - max))`; `softmin` is that of `-x`.
fn soft(lower: &mut Lower<'_>, b: &Bound, log: bool, negate: bool) -> Lowered<Value> {
    let x = b.tensor(lower, 0)?;
    let x = if negate { lower.unary(Op::Neg, &x)? } else { x };
    let dim = b.dim(lower, 1, x.rank(), Some(-1))?.unwrap_or(0);
    let result = lower.along(&x, dim, DType::Float, |lower, members| {
        let total = log_sum_exp_nodes(lower, members)?;
        members
            .iter()
            .map(|&member| {
                let logarithm = lower.node(Op::Sub, &[member, total])?;
                if log {
                    Ok(logarithm)
                } else {
                    lower.node(Op::Exp, &[logarithm])
                }
            })
            .collect()
    })?;
    Ok(Value::Tensor(result))
}

pub(super) fn softmax(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    soft(lower, b, false, false)
}

pub(super) fn softmin(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    soft(lower, b, false, true)
}

pub(super) fn log_softmax(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    soft(lower, b, true, false)
}

/// Running combination from the first element on.
fn running(lower: &mut Lower<'_>, members: &[NodeId], op: Op) -> Lowered<Vec<NodeId>> {
    let mut line: Vec<NodeId> = Vec::with_capacity(members.len());
    for &member in members {
        let next = match line.last() {
            Some(&previous) => lower.node(op, &[previous, member])?,
            None => member,
        };
        line.push(next);
    }
    Ok(line)
}

fn cumulative(lower: &mut Lower<'_>, b: &Bound, op: Op) -> Lowered<Tensor> {
    let x = b.tensor(lower, 0)?;
    let dim = b.dim(lower, 1, x.rank(), Some(0))?.unwrap_or(0);
    lower.along(&x, dim, x.dtype, |lower, members| {
        running(lower, members, op)
    })
}

pub(super) fn cumsum(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    cumulative(lower, b, Op::Add).map(Value::Tensor)
}

pub(super) fn cumprod(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    cumulative(lower, b, Op::Mul).map(Value::Tensor)
}

/// NumPy's `maximum.accumulate` has no indices; PyTorch's `cummax` is a pair, and the newest of
/// equals wins.
fn cumulative_pair(lower: &mut Lower<'_>, b: &Bound, largest: bool) -> Lowered<Value> {
    let values = cumulative(lower, b, if largest { Op::MaxRight } else { Op::MinRight })?;
    let x = b.tensor(lower, 0)?;
    let dim = b.dim(lower, 1, x.rank(), Some(0))?.unwrap_or(0);
    let indices = lower.along(&x, dim, DType::Int, |lower, members| {
        let op = if largest { Op::MaxRight } else { Op::MinRight };
        let best = running(lower, members, op)?;
        let mut line: Vec<NodeId> = Vec::with_capacity(members.len());
        for (position, (&member, &best)) in members.iter().zip(&best).enumerate() {
            let here = lower.constant(position as f64)?;
            let next = match line.last() {
                Some(&previous) => {
                    let is_new = lower.node(Op::Equal, &[member, best])?;
                    lower.node(Op::Where, &[is_new, here, previous])?
                }
                None => here,
            };
            line.push(next);
        }
        Ok(line)
    })?;
    Ok(Value::Pair(values, indices))
}

pub(super) fn cummax(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    cumulative_pair(lower, b, true)
}

pub(super) fn cummin(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    cumulative_pair(lower, b, false)
}
