//! Largest and smallest elements, and where they are.

use super::arguments::Bound;
use super::reduce::Reduction;
use super::value::Value;
use super::{Lower, Lowered};
use crate::graph::NodeId;
use crate::op::Op;
use crate::tensor::{DType, Tensor};

fn extreme(lower: &mut Lower<'_>, b: &Bound, op: Op) -> Lowered<Value> {
    let reduction = Reduction::of_some(lower, b)?;
    reduction.run(lower, reduction.x.dtype, |lower, m| lower.node(op, m))
}

pub(super) fn amax(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    extreme(lower, b, Op::AMax)
}

pub(super) fn amin(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    extreme(lower, b, Op::AMin)
}

/// `aminmax(input, dim, keepdim)`: the smallest and the largest.
pub(super) fn aminmax(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    Ok(Value::tuple(vec![
        extreme(lower, b, Op::AMin)?,
        extreme(lower, b, Op::AMax)?,
    ]))
}

/// NumPy's `ptp`: the largest minus the smallest.
pub(super) fn ptp(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let reduction = Reduction::of_some(lower, b)?;
    reduction.run(lower, reduction.x.dtype, |lower, m| {
        let (high, low) = (lower.node(Op::AMax, m)?, lower.node(Op::AMin, m)?);
        lower.node(Op::Sub, &[high, low])
    })
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
    Reduction::of_some(lower, b)?.run(lower, DType::Int, |lower, members| {
        Ok(best(lower, members, largest)?.1)
    })
}

pub(super) fn argmax(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    arg_extreme(lower, b, true)
}

pub(super) fn argmin(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    arg_extreme(lower, b, false)
}
