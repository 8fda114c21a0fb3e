//! Sorting by a fixed network of comparisons, so that no index is computed at run time.

use super::arguments::Bound;
use super::value::Value;
use super::{Lower, Lowered};
use crate::diagnostic::{Draft, Kind};
use crate::graph::NodeId;
use crate::op::Op;
use crate::tensor::{DType, Tensor};

/// Odd-even transposition: neighbours swap only if strictly out of order, so it is stable.
pub(super) fn sort_line(
    lower: &mut Lower<'_>,
    members: &[NodeId],
    descending: bool,
) -> Lowered<(Vec<NodeId>, Vec<NodeId>)> {
    lower.charge(members.len() * members.len())?;
    let mut values = members.to_vec();
    let mut indices = Vec::with_capacity(members.len());
    for position in 0..members.len() {
        indices.push(lower.constant(position as f64)?);
    }
    for round in 0..members.len() {
        for left in (round % 2..members.len().saturating_sub(1)).step_by(2) {
            let (a, b) = (values[left], values[left + 1]);
            let (i, j) = (indices[left], indices[left + 1]);
            let order = if descending { [a, b] } else { [b, a] };
            let swap = lower.node(Op::Less, &order)?;
            values[left] = lower.node(Op::Where, &[swap, b, a])?;
            values[left + 1] = lower.node(Op::Where, &[swap, a, b])?;
            indices[left] = lower.node(Op::Where, &[swap, j, i])?;
            indices[left + 1] = lower.node(Op::Where, &[swap, i, j])?;
        }
    }
    Ok((values, indices))
}

fn sorted(
    lower: &mut Lower<'_>,
    x: &Tensor,
    dim: usize,
    descending: bool,
    keep: Option<usize>,
) -> Lowered<(Tensor, Tensor)> {
    let cut = |mut line: Vec<NodeId>| {
        line.truncate(keep.unwrap_or(usize::MAX));
        line
    };
    let values = lower.along(x, dim, x.dtype, |lower, members| {
        Ok(cut(sort_line(lower, members, descending)?.0))
    })?;
    let indices = lower.along(x, dim, DType::Int, |lower, members| {
        Ok(cut(sort_line(lower, members, descending)?.1))
    })?;
    Ok((values, indices))
}

/// `sort(input, dim=-1, descending=False)`.
pub(super) fn sort(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let x = b.tensor(lower, 0)?;
    let dim = b.dim(lower, 1, x.rank(), Some(-1))?.unwrap_or(0);
    let descending = b.flag(lower, 2)?;
    let (values, indices) = sorted(lower, &x, dim, descending, None)?;
    let (values, indices) = (values.laid_out_as(&[&x]), indices.laid_out_as(&[&x]));
    Ok(Value::Pair(values, indices))
}

/// What NumPy sorts, and along which axis: `axis=None` means all elements in one line.
fn numpy_axis(lower: &mut Lower<'_>, b: &Bound) -> Lowered<(Tensor, usize)> {
    let x = b.tensor(lower, 0)?;
    if matches!(b.given(1), Some(Value::None)) {
        lower.charge(x.len())?;
        return Ok((x.reshaped(vec![x.len()]), 0));
    }
    let dim = b.dim(lower, 1, x.rank(), Some(-1))?.unwrap_or(0);
    Ok((x, dim))
}

/// NumPy's `sort(a, axis=-1)` returns the values alone.
pub(super) fn numpy_sort(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let (x, dim) = numpy_axis(lower, b)?;
    let values = sorted(lower, &x, dim, false, None)?.0;
    Ok(Value::Tensor(values.laid_out_as(&[&x])))
}

/// NumPy's `argsort(a, axis=-1)`.
pub(super) fn numpy_argsort(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let (x, dim) = numpy_axis(lower, b)?;
    Ok(Value::Tensor(sorted(lower, &x, dim, false, None)?.1))
}

/// The method `sort` of arrays: in place.
pub(super) fn sort_in_place(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let x = b.tensor(lower, 0)?;
    let dim = b.dim(lower, 1, x.rank(), Some(-1))?.unwrap_or(0);
    let values = sorted(lower, &x, dim, false, None)?.0;
    lower.check_writable(&x, b.span)?;
    lower.overwrite(&x, &values, b.span)?;
    Ok(Value::None)
}

pub(super) fn argsort(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let x = b.tensor(lower, 0)?;
    let dim = b.dim(lower, 1, x.rank(), Some(-1))?.unwrap_or(0);
    let descending = b.flag(lower, 2)?;
    Ok(Value::Tensor(sorted(lower, &x, dim, descending, None)?.1))
}

/// `topk(input, k, dim=-1, largest=True)`.
pub(super) fn topk(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let x = b.tensor(lower, 0)?;
    let k = b.integer(lower, 1, 1)?;
    let dim = b.dim(lower, 2, x.rank(), Some(-1))?.unwrap_or(0);
    let largest = if b.get(3).is_some() {
        b.flag(lower, 3)?
    } else {
        true
    };
    let size = x.shape.get(dim).copied().unwrap_or(1);
    let Some(k) = usize::try_from(k).ok().filter(|&k| k <= size) else {
        return Err(lower.fail(
            Draft::new(
                Kind::Index,
                b.span_of(1),
                "`topk` asks for more elements than there are",
            )
            .expected(format!("at most {size}"))
            .found(format!("{k}"))
            .help("ask for fewer"),
        ));
    };
    let (values, indices) = sorted(lower, &x, dim, largest, Some(k))?;
    Ok(Value::Pair(values, indices))
}

/// The element at one rank of the sorted dimension, and its index.
fn ranked(
    lower: &mut Lower<'_>,
    b: &Bound,
    x: &Tensor,
    dim: usize,
    rank: usize,
    keepdim: bool,
) -> Lowered<(Tensor, Tensor)> {
    let dims: Vec<usize> = if x.rank() == 0 { Vec::new() } else { vec![dim] };
    lower.refuse_empty(x, &dims, b)?;
    let mut indices = Vec::new();
    let values = lower.reduce(x, &dims, keepdim, x.dtype, |lower, members| {
        let (values, places) = sort_line(lower, members, false)?;
        indices.push(places[rank]);
        Ok(values[rank])
    })?;
    let indices = Tensor::new(values.shape.clone(), indices, DType::Int);
    Ok((values, indices))
}

/// `median(input)` is one number, whose gradient all equal elements share; `median(input, dim)`
/// is a pair: the lower of two middles and its index.
pub(super) fn median(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let x = b.tensor(lower, 0)?;
    let Some(dim) = b.dim(lower, 1, x.rank(), None)? else {
        let dims: Vec<usize> = (0..x.rank()).collect();
        lower.refuse_empty(&x, &dims, b)?;
        let median = lower.reduce(&x, &dims, false, x.dtype, |lower, members| {
            let middle = sort_line(lower, members, false)?.0[(members.len() - 1) / 2];
            let lowest = lower.constant(f64::NEG_INFINITY)?;
            let mut equal = Vec::with_capacity(members.len());
            for &member in members {
                let is_it = lower.node(Op::Equal, &[member, middle])?;
                equal.push(lower.node(Op::Where, &[is_it, member, lowest])?);
            }
            lower.node(Op::AMax, &equal)
        })?;
        return Ok(Value::Tensor(median));
    };
    let keepdim = b.flag(lower, 2)?;
    let size = x.shape.get(dim).copied().unwrap_or(1);
    let rank = size.saturating_sub(1) / 2;
    let (values, indices) = ranked(lower, b, &x, dim, rank, keepdim)?;
    Ok(Value::Pair(values, indices))
}

/// `kthvalue(input, k, dim=-1, keepdim=False)`: the k-th smallest, counted from 1.
pub(super) fn kthvalue(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let x = b.tensor(lower, 0)?;
    let k = b.integer(lower, 1, 1)?.max(0);
    let dim = b.dim(lower, 2, x.rank(), Some(-1))?.unwrap_or(0);
    let keepdim = b.flag(lower, 3)?;
    let size = x.shape.get(dim).copied().unwrap_or(1);
    let Some(rank) = usize::try_from(k - 1).ok().filter(|&rank| rank < size) else {
        return Err(lower.fail(
            Draft::new(Kind::Index, b.span_of(1), "there is no such k-th value")
                .expected(format!("1 to {size}"))
                .found(format!("{k}")),
        ));
    };
    let (values, indices) = ranked(lower, b, &x, dim, rank, keepdim)?;
    Ok(Value::Pair(values, indices))
}
