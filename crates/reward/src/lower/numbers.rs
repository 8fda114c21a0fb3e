//! Functions of Python's `math`, which take and give numbers.

use super::arguments::Bound;
use super::value::Value;
use super::{Lower, Lowered};
use crate::op::Op;
use crate::tensor::{DType, Tensor};

/// `math.isclose(a, b, rel_tol=1e-9, abs_tol=0)`.
pub(super) fn isclose(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let (x, y) = (b.tensor(lower, 0)?, b.tensor(lower, 1)?);
    let (relative, absolute) = (b.number(lower, 2, 1e-9)?, b.number(lower, 3, 0.0)?);
    let near = lower.each_pair(&x, &y, b.span, |lower, x, y| {
        let distance = lower.node(Op::Sub, &[x, y])?;
        let distance = lower.node(Op::Abs, &[distance])?;
        let (x, y) = (lower.node(Op::Abs, &[x])?, lower.node(Op::Abs, &[y])?);
        let allowed = lower.node(Op::Maximum, &[x, y])?;
        let allowed = lower.node_with(Op::Mul, allowed, relative)?;
        let allowed = lower.node_with(Op::Maximum, allowed, absolute)?;
        lower.node(Op::LessEqual, &[distance, allowed])
    })?;
    Ok(Value::Tensor(near.with_dtype(DType::Bool)))
}

fn euclidean(lower: &mut Lower<'_>, x: &Tensor) -> Lowered<Value> {
    let dims: Vec<usize> = (0..x.rank()).collect();
    lower.norm_over(x, &dims, false, 2.0).map(Value::Tensor)
}

/// `math.dist(p, q)`.
pub(super) fn dist(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let (x, y) = (b.tensor(lower, 0)?, b.tensor(lower, 1)?);
    let difference = lower.binary(Op::Sub, &x, &y, b.span)?;
    euclidean(lower, &difference)
}

/// `math.hypot(*coordinates)`.
pub(super) fn hypot(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let x = b.tensor(lower, 0)?;
    euclidean(lower, &x)
}

/// `math.fsum(numbers)`.
pub(super) fn fsum(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let x = b.tensor(lower, 0)?;
    let dims: Vec<usize> = (0..x.rank()).collect();
    lower.sum_over(&x, &dims).map(Value::Tensor)
}

/// `math.prod(numbers)`.
pub(super) fn prod(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let x = b.tensor(lower, 0)?;
    let dims: Vec<usize> = (0..x.rank()).collect();
    let product = lower.reduce(&x, &dims, false, x.dtype, |lower, members| {
        let one = lower.constant(1.0)?;
        members
            .iter()
            .try_fold(one, |product, &m| lower.node(Op::Mul, &[product, m]))
    })?;
    Ok(Value::Tensor(product))
}

pub(super) fn pow(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let (x, y) = (b.tensor(lower, 0)?, b.tensor(lower, 1)?);
    let (x, y) = (lower.cast(&x, DType::Float)?, lower.cast(&y, DType::Float)?);
    lower.binary(Op::Pow, &x, &y, b.span).map(Value::Tensor)
}
