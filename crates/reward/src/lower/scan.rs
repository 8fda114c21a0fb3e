//! Scans along one dimension: as many results as elements, or nearly so.

use super::arguments::Bound;
use super::join::narrowed;
use super::value::Value;
use super::{Lower, Lowered};
use crate::diagnostic::{Draft, Kind};
use crate::graph::NodeId;
use crate::op::Op;
use crate::tensor::{DType, Tensor, count, extent, reduction_groups, show_shape, strides};

impl Lower<'_> {
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

pub(super) fn log_sum_exp_nodes(lower: &mut Lower<'_>, members: &[NodeId]) -> Lowered<NodeId> {
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
    accumulated(lower, &x, dim, op)
}

/// Sums and products of bools are integers.
fn accumulated(lower: &mut Lower<'_>, x: &Tensor, dim: usize, op: Op) -> Lowered<Tensor> {
    let dtype = match op {
        Op::Add | Op::Mul => x.dtype.max(DType::Int),
        _ => x.dtype,
    };
    lower.along(x, dim, dtype, |lower, members| running(lower, members, op))
}

/// NumPy flattens where no axis is given.
fn numpy_cumulative(lower: &mut Lower<'_>, b: &Bound, op: Op) -> Lowered<Value> {
    let x = b.tensor(lower, 0)?;
    let result = match b.dim(lower, 1, x.rank(), None)? {
        Some(dim) => accumulated(lower, &x, dim, op)?,
        None => accumulated(lower, &x.reshaped(vec![x.len()]), 0, op)?,
    };
    Ok(Value::Tensor(result))
}

pub(super) fn numpy_cumsum(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    numpy_cumulative(lower, b, Op::Add)
}

pub(super) fn numpy_cumprod(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    numpy_cumulative(lower, b, Op::Mul)
}

pub(super) fn logcumsumexp(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let x = b.tensor(lower, 0)?;
    let dim = b.dim(lower, 1, x.rank(), None)?.unwrap_or(0);
    let result = lower.along(&x, dim, DType::Float, |lower, members| {
        let mut line: Vec<NodeId> = Vec::with_capacity(members.len());
        for &member in members {
            let next = match line.last() {
                Some(&previous) => log_sum_exp_nodes(lower, &[previous, member])?,
                None => member,
            };
            line.push(next);
        }
        Ok(line)
    })?;
    Ok(Value::Tensor(result))
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

/// `diff(input, n=1, dim=-1, prepend, append)`: differences of neighbours.
pub(super) fn diff(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let mut x = b.tensor(lower, 0)?;
    let times = b.integer(lower, 1, 1)?;
    let dim = b.dim(lower, 2, x.rank(), Some(-1))?.unwrap_or(0);
    if x.rank() == 0 {
        return Err(needs_a_line(lower, b));
    }
    if b.get(3).is_some() || b.get(4).is_some() {
        let mut parts = vec![x];
        if b.get(3).is_some() {
            parts.insert(0, b.tensor(lower, 3)?);
        }
        if b.get(4).is_some() {
            parts.push(b.tensor(lower, 4)?);
        }
        x = lower.concatenated(&parts, dim, b.span)?;
    }
    for _ in 0..times.max(0) {
        if x.shape[dim] == 0 {
            break;
        }
        // The difference of two bools is whether they differ.
        x = if x.dtype == DType::Bool {
            neighbours(lower, &x, dim, Op::NotEqual, b)?
        } else {
            neighbours(lower, &x, dim, Op::Sub, b)?
        };
    }
    Ok(Value::Tensor(x))
}

fn needs_a_line(lower: &mut Lower<'_>, b: &Bound) -> super::Stop {
    lower.fail(Draft::new(
        Kind::Shape,
        b.span,
        format!("`{}` needs at least one dimension", b.name),
    ))
}

/// `op` of every later element and the one before it.
fn neighbours(lower: &mut Lower<'_>, x: &Tensor, dim: usize, op: Op, b: &Bound) -> Lowered<Tensor> {
    let rest = x.shape[dim].saturating_sub(1);
    let first = x.shape[dim] - rest;
    let (later, earlier) = (narrowed(x, dim, first, rest), narrowed(x, dim, 0, rest));
    lower.binary(op, &later, &earlier, b.span)
}

/// The areas under the segments: `(y_i + y_{i+1}) / 2 * dx`.
fn areas(lower: &mut Lower<'_>, b: &Bound) -> Lowered<(Tensor, usize)> {
    let y = b.tensor(lower, 0)?;
    let dim = b.dim(lower, 3, y.rank(), Some(-1))?.unwrap_or(0);
    if y.rank() == 0 {
        return Err(needs_a_line(lower, b));
    }
    let sums = neighbours(lower, &y, dim, Op::Add, b)?;
    let sums = lower.with_number(Op::Mul, &sums, 0.5)?;
    let widths = match b.get(1) {
        None => b
            .number(lower, 2, 1.0)
            .and_then(|dx| lower.filled(Vec::new(), dx, DType::Float))?,
        // PyTorch takes `dx` as the second argument too.
        Some(Value::Int(_) | Value::Float(_)) => b.tensor(lower, 1)?,
        Some(_) => {
            let x = b.tensor(lower, 1)?;
            let (x, own) = match x.rank() {
                1 => {
                    let mut shape = vec![1; y.rank()];
                    shape[dim] = x.len();
                    (x.reshaped(shape), dim)
                }
                rank if rank == y.rank() => (x, dim),
                _ => {
                    return Err(lower.fail(
                        Draft::new(Kind::Shape, b.span_of(1), "`x` does not fit `y`")
                            .expected(format!("one dimension, or shape {}", show_shape(&y.shape)))
                            .found(format!("shape {}", show_shape(&x.shape))),
                    ));
                }
            };
            neighbours(lower, &x, own, Op::Sub, b)?
        }
    };
    Ok((lower.binary(Op::Mul, &sums, &widths, b.span)?, dim))
}

/// `trapezoid(y, x=None, dx=1, dim=-1)`.
pub(super) fn trapezoid(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let (areas, dim) = areas(lower, b)?;
    lower.sum_over(&areas, &[dim]).map(Value::Tensor)
}

pub(super) fn cumulative_trapezoid(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let (areas, dim) = areas(lower, b)?;
    accumulated(lower, &areas, dim, Op::Add).map(Value::Tensor)
}

/// Central differences inside, one-sided ones at the ends, at a constant spacing.
fn slopes(
    lower: &mut Lower<'_>,
    b: &Bound,
    x: &Tensor,
    dim: usize,
    spacing: f64,
) -> Lowered<Tensor> {
    let size = x.shape.get(dim).copied().unwrap_or(0);
    if size < 2 {
        return Err(lower.fail(
            Draft::new(Kind::Shape, b.span, "`gradient` needs two elements")
                .expected(format!("a size of at least 2 in dimension {dim}"))
                .found(format!("shape {}", show_shape(&x.shape))),
        ));
    }
    lower.along(x, dim, DType::Float, |lower, line| {
        let (one, two) = (lower.constant(spacing)?, lower.constant(2.0 * spacing)?);
        (0..size)
            .map(|i| {
                let (before, after) = (i.saturating_sub(1), (i + 1).min(size - 1));
                let rise = lower.node(Op::Sub, &[line[after], line[before]])?;
                lower.node(
                    Op::Div,
                    &[rise, if after - before == 2 { two } else { one }],
                )
            })
            .collect()
    })
}

/// `torch.gradient(input, spacing=1, dim=None)`: a tuple, one derivative a dimension. NumPy's
/// has the derivative itself where there is one axis. It is no derivative of the program.
fn finite_differences(lower: &mut Lower<'_>, b: &Bound, unwrap: bool) -> Lowered<Value> {
    let x = b.tensor(lower, 0)?;
    let dims = lower.dims(b, 2, x.rank())?;
    let spacings = match b.get(1) {
        None => vec![1.0],
        Some(Value::Tuple(items) | Value::List(items)) => {
            let items = items.items.to_vec();
            items
                .iter()
                .map(|item| lower.number_argument(item, b.span_of(1)))
                .collect::<Lowered<_>>()?
        }
        Some(_) => vec![b.number(lower, 1, 1.0)?],
    };
    let edges = b.integer(lower, 3, 1)?;
    if edges != 1 || !(spacings.len() == 1 || spacings.len() == dims.len()) {
        return Err(lower.fail(
            Draft::new(
                Kind::Argument,
                b.span,
                "these arguments of `gradient` are not supported",
            )
            .expected("one spacing, or one for each dimension, and `edge_order=1`")
            .help("space the points evenly and leave the order of the edges as it is"),
        ));
    }
    let mut parts = Vec::with_capacity(dims.len());
    for (position, &dim) in dims.iter().enumerate() {
        let spacing = spacings[position.min(spacings.len() - 1)];
        parts.push(Value::Tensor(slopes(lower, b, &x, dim, spacing)?));
    }
    Ok(match parts.as_slice() {
        [one] if unwrap => one.clone(),
        _ => Value::tuple(parts),
    })
}

pub(super) fn gradient(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    finite_differences(lower, b, false)
}

pub(super) fn numpy_gradient(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    finite_differences(lower, b, true)
}
