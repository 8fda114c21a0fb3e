//! Reductions over dimensions.

use super::arguments::Bound;
use super::scan::log_sum_exp_nodes;
use super::value::Value;
use super::{Lower, Lowered};
use crate::diagnostic::{Draft, Kind};
use crate::graph::NodeId;
use crate::op::Op;
use crate::tensor::{DType, Tensor, extent, reduction_groups};

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
                return Err(self.fail(
                    Draft::new(Kind::Index, span, "a dimension is named twice")
                        .help("name each dimension once"),
                ));
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
            .shapes([x.shape.as_slice()])
            .help(if x.rank() == 3 && x.shape[2] == 0 {
                "positions have 3 columns, x, y and z; there is no rotation or gripper: remove it"
            } else {
                "the slice before it selects no element: check its bounds"
            }),
        ))
    }
}

/// What every reduction reads first: `input, dims, keepdim, dtype`.
pub(super) struct Reduction {
    pub(super) x: Tensor,
    pub(super) dims: Vec<usize>,
    keepdim: bool,
}

impl Reduction {
    /// `dtype`, where it is given, converts the input first.
    pub(super) fn new(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Self> {
        let x = b.tensor(lower, 0)?;
        let x = match b.dtype(3) {
            Some(dtype) => lower.cast(&x, dtype)?,
            None => x,
        };
        let (dims, keepdim) = (lower.dims(b, 1, x.rank())?, b.flag(lower, 2)?);
        Ok(Self { x, dims, keepdim })
    }

    /// The same, for what has no value without elements.
    pub(super) fn of_some(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Self> {
        let reduction = Self::new(lower, b)?;
        lower.refuse_empty(&reduction.x, &reduction.dims, b)?;
        Ok(reduction)
    }

    pub(super) fn run(
        &self,
        lower: &mut Lower<'_>,
        dtype: DType,
        combine: impl FnMut(&mut Lower<'_>, &[NodeId]) -> Lowered<NodeId>,
    ) -> Lowered<Value> {
        lower
            .reduce(&self.x, &self.dims, self.keepdim, dtype, combine)
            .map(Value::Tensor)
    }

    /// Sums and products of bools are integers.
    fn counted(&self) -> DType {
        self.x.dtype.max(DType::Int)
    }
}

pub(super) fn sum(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let reduction = Reduction::new(lower, b)?;
    reduction.run(lower, reduction.counted(), |lower, m| lower.sum_nodes(m))
}

pub(super) fn mean(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    Reduction::of_some(lower, b)?.run(lower, DType::Float, mean_nodes)
}

/// `np.average(input, axis, weights)`: the weights broadcast, or lie along one axis.
pub(super) fn average(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let x = b.tensor(lower, 0)?;
    let dims = lower.dims(b, 1, x.rank())?;
    lower.refuse_empty(&x, &dims, b)?;
    if b.get(2).is_none() {
        return lower
            .reduce(&x, &dims, false, DType::Float, mean_nodes)
            .map(Value::Tensor);
    }
    let mut weights = b.tensor(lower, 2)?;
    if let (&[dim], 1) = (dims.as_slice(), weights.rank()) {
        let mut shape = vec![1; x.rank()];
        shape[dim] = weights.len();
        if x.shape[dim] == weights.len() {
            weights = weights.reshaped(shape);
        }
    }
    let weights = lower.broadcast_to(&weights, &x.shape, b.span_of(2))?;
    let weighted = lower.binary(Op::Mul, &x, &weights, b.span)?;
    let (total, weight) = (
        lower.sum_over(&weighted, &dims)?,
        lower.sum_over(&weights, &dims)?,
    );
    lower
        .binary(Op::Div, &total, &weight, b.span)
        .map(Value::Tensor)
}

pub(super) fn mean_nodes(lower: &mut Lower<'_>, members: &[NodeId]) -> Lowered<NodeId> {
    let sum = lower.node(Op::Sum, members)?;
    let count = lower.constant(members.len() as f64)?;
    lower.node(Op::Div, &[sum, count])
}

/// 1 for every NaN.
fn nan_flags(lower: &mut Lower<'_>, members: &[NodeId]) -> Lowered<Vec<NodeId>> {
    members
        .iter()
        .map(|&m| lower.node(Op::NotEqual, &[m, m]))
        .collect()
}

/// The sum of what is not NaN, and how many that are.
fn known_sum(lower: &mut Lower<'_>, members: &[NodeId]) -> Lowered<(NodeId, NodeId)> {
    let zero = lower.constant(0.0)?;
    let flags = nan_flags(lower, members)?;
    let (mut known, mut counts) = (Vec::new(), Vec::new());
    for (&member, flag) in members.iter().zip(flags) {
        known.push(lower.node(Op::Where, &[flag, zero, member])?);
        counts.push(lower.node(Op::Not, &[flag])?);
    }
    Ok((lower.sum_nodes(&known)?, lower.sum_nodes(&counts)?))
}

pub(super) fn nansum(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let reduction = Reduction::new(lower, b)?;
    reduction.run(lower, reduction.counted(), |lower, members| {
        Ok(known_sum(lower, members)?.0)
    })
}

pub(super) fn nanmean(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    Reduction::of_some(lower, b)?.run(lower, DType::Float, |lower, members| {
        let (sum, count) = known_sum(lower, members)?;
        lower.node(Op::Div, &[sum, count])
    })
}

pub(super) fn prod(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let reduction = Reduction::new(lower, b)?;
    reduction.run(lower, reduction.counted(), |lower, members| {
        let one = lower.constant(1.0)?;
        members
            .iter()
            .try_fold(one, |product, &m| lower.node(Op::Mul, &[product, m]))
    })
}

pub(super) fn count_nonzero(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    Reduction::new(lower, b)?.run(lower, DType::Int, |lower, members| {
        let zero = lower.constant(0.0)?;
        let mut flags = Vec::with_capacity(members.len());
        for &member in members {
            flags.push(lower.node(Op::NotEqual, &[member, zero])?);
        }
        lower.sum_nodes(&flags)
    })
}

fn logical(lower: &mut Lower<'_>, b: &Bound, op: Op, start: f64) -> Lowered<Value> {
    Reduction::new(lower, b)?.run(lower, DType::Bool, |lower, members| {
        let start = lower.constant(start)?;
        members
            .iter()
            .try_fold(start, |all, &m| lower.node(op, &[all, m]))
    })
}

pub(super) fn all(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    logical(lower, b, Op::And, 1.0)
}

pub(super) fn any(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    logical(lower, b, Op::Or, 0.0)
}

pub(super) fn logsumexp(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    Reduction::of_some(lower, b)?.run(lower, DType::Float, log_sum_exp_nodes)
}
