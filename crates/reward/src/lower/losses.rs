//! Losses of torch.nn.functional, which rewards use with a minus sign.

use super::arguments::Bound;
use super::value::Value;
use super::{Lower, Lowered};
use crate::diagnostic::{Draft, Kind};
use crate::op::Op;
use crate::tensor::{DType, Tensor};

/// Applies the reduction named by the argument at `position`; the mean by default.
fn reduced(lower: &mut Lower<'_>, b: &Bound, x: Tensor, position: usize) -> Lowered<Value> {
    let how = match b.get(position) {
        Some(Value::Str(how)) => how.to_string(),
        _ => "mean".to_owned(),
    };
    let dims: Vec<usize> = (0..x.rank()).collect();
    match how.as_str() {
        "none" => Ok(Value::Tensor(x)),
        "sum" => lower.sum_over(&x, &dims).map(Value::Tensor),
        "mean" => {
            lower.refuse_empty(&x, &dims, b)?;
            let sum = lower.sum_over(&x, &dims)?;
            lower
                .with_number(Op::Div, &sum, x.len() as f64)
                .map(Value::Tensor)
        }
        _ => Err(lower.fail(
            Draft::new(
                Kind::Argument,
                b.span_of(position),
                "this reduction does not exist",
            )
            .expected("'mean', 'sum' or 'none'")
            .found(how),
        )),
    }
}

fn difference(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Tensor> {
    let (x, y) = (b.tensor(lower, 0)?, b.tensor(lower, 1)?);
    lower.binary(Op::Sub, &x, &y, b.span)
}

pub(super) fn mse_loss(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let difference = difference(lower, b)?;
    let loss = lower.unary(Op::Square, &difference)?;
    reduced(lower, b, loss, 2)
}

pub(super) fn l1_loss(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let difference = difference(lower, b)?;
    let loss = lower.unary(Op::Abs, &difference)?;
    reduced(lower, b, loss, 2)
}

/// Quadratic within `width` of zero, linear beyond, continuous in value and slope.
fn rounded(
    lower: &mut Lower<'_>,
    b: &Bound,
    width: f64,
    quadratic_scale: f64,
    linear_scale: f64,
) -> Lowered<Tensor> {
    let difference = difference(lower, b)?;
    let size = lower.unary(Op::Abs, &difference)?;
    let square = lower.unary(Op::Square, &difference)?;
    let quadratic = lower.with_number(Op::Mul, &square, 0.5 * quadratic_scale)?;
    let linear = lower.with_number(Op::Sub, &size, 0.5 * width)?;
    let linear = lower.with_number(Op::Mul, &linear, linear_scale)?;
    let width = lower.filled(Vec::new(), width, DType::Float)?;
    let near = lower.binary(Op::Less, &size, &width, b.span)?;
    lower.choose(&near, &quadratic, &linear, b.span)
}

/// `smooth_l1_loss(input, target, reduction='mean', beta=1)`.
pub(super) fn smooth_l1_loss(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let beta = positive(lower, b, 3)?;
    let loss = rounded(lower, b, beta, 1.0 / beta, 1.0)?;
    reduced(lower, b, loss, 2)
}

/// `huber_loss(input, target, reduction='mean', delta=1)`.
pub(super) fn huber_loss(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let delta = positive(lower, b, 3)?;
    let loss = rounded(lower, b, delta, 1.0, delta)?;
    reduced(lower, b, loss, 2)
}

fn positive(lower: &mut Lower<'_>, b: &Bound, position: usize) -> Lowered<f64> {
    let value = b.number(lower, position, 1.0)?;
    if value > 0.0 {
        return Ok(value);
    }
    Err(lower.fail(
        Draft::new(Kind::Argument, b.span_of(position), "this must be positive")
            .found(format!("{value}")),
    ))
}

/// `binary_cross_entropy(input, target, weight, reduction)`: logarithms of at least -100.
pub(super) fn binary_cross_entropy(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let (x, target) = (b.tensor(lower, 0)?, b.tensor(lower, 1)?);
    let loss = lower.each_pair(&x, &target, b.span, |lower, x, target| {
        let one = lower.constant(1.0)?;
        let (rest, missing) = (
            lower.node(Op::Sub, &[one, x])?,
            lower.node(Op::Sub, &[one, target])?,
        );
        let mut terms = Vec::with_capacity(2);
        for (weight, probability) in [(target, x), (missing, rest)] {
            let log = lower.node(Op::Log, &[probability])?;
            let log = lower.node_with(Op::ClampMin, log, -100.0)?;
            terms.push(lower.node(Op::Mul, &[weight, log])?);
        }
        let sum = lower.node(Op::Add, &terms)?;
        lower.node(Op::Neg, &[sum])
    })?;
    weighted(lower, b, loss)
}

/// `binary_cross_entropy_with_logits(input, target, weight, reduction)`.
pub(super) fn binary_cross_entropy_with_logits(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let (x, target) = (b.tensor(lower, 0)?, b.tensor(lower, 1)?);
    let loss = lower.each_pair(&x, &target, b.span, |lower, x, target| {
        let one = lower.constant(1.0)?;
        let missing = lower.node(Op::Sub, &[one, target])?;
        let linear = lower.node(Op::Mul, &[missing, x])?;
        let log = lower.node(Op::LogSigmoid, &[x])?;
        lower.node(Op::Sub, &[linear, log])
    })?;
    weighted(lower, b, loss)
}

fn weighted(lower: &mut Lower<'_>, b: &Bound, loss: Tensor) -> Lowered<Value> {
    let loss = super::elementary::scaled(lower, b, loss, 2)?;
    reduced(lower, b, loss, 3)
}

/// `margin_ranking_loss(input1, input2, target, margin=0) = max(0, -target * (a - b) + margin)`.
pub(super) fn margin_ranking_loss(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let target = b.tensor(lower, 2)?;
    let margin = b.number(lower, 3, 0.0)?;
    let difference = difference(lower, b)?;
    let loss = lower.each_pair(&difference, &target, b.span, |lower, difference, target| {
        let minus = lower.node(Op::Neg, &[target])?;
        let loss = lower.node(Op::Mul, &[minus, difference])?;
        let loss = lower.node_with(Op::Add, loss, margin)?;
        lower.node_with(Op::ClampMin, loss, 0.0)
    })?;
    reduced(lower, b, loss, 4)
}

/// `cosine_embedding_loss(input1, input2, target, margin=0)`: `1 - cos` where the target is 1,
/// `max(0, cos - margin)` where it is -1.
pub(super) fn cosine_embedding_loss(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let (x, y) = (b.tensor(lower, 0)?, b.tensor(lower, 1)?);
    let (target, margin) = (b.tensor(lower, 2)?, b.number(lower, 3, 0.0)?);
    let last = Lower::last_dim(&x);
    let mut parts = Vec::with_capacity(3);
    for (left, right) in [(&x, &y), (&x, &x), (&y, &y)] {
        let product = lower.binary(Op::Mul, left, right, b.span)?;
        parts.push(lower.sum_over(&product, &[last])?);
    }
    // PyTorch adds this to the squares of both lengths.
    let left = lower.with_number(Op::Add, &parts[1], 1e-12)?;
    let right = lower.with_number(Op::Add, &parts[2], 1e-12)?;
    let lengths = lower.binary(Op::Mul, &left, &right, b.span)?;
    let lengths = lower.unary(Op::Sqrt, &lengths)?;
    let cosine = lower.binary(Op::Div, &parts[0], &lengths, b.span)?;
    let loss = lower.each_pair(&cosine, &target, b.span, |lower, cosine, target| {
        let (zero, one) = (lower.constant(0.0)?, lower.constant(1.0)?);
        let apart = lower.node(Op::Sub, &[one, cosine])?;
        let close = lower.node_with(Op::Sub, cosine, margin)?;
        let close = lower.node_with(Op::ClampMin, close, 0.0)?;
        let is_one = lower.node(Op::Equal, &[target, one])?;
        let is_minus = lower.node_with(Op::Equal, target, -1.0)?;
        let other = lower.node(Op::Where, &[is_minus, close, zero])?;
        lower.node(Op::Where, &[is_one, apart, other])
    })?;
    reduced(lower, b, loss, 4)
}
