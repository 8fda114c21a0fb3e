//! Elementary and special functions that are made of the operations.

use super::arguments::Bound;
use super::value::Value;
use super::{Lower, Lowered};
use crate::diagnostic::{Draft, Kind};
use crate::graph::NodeId;
use crate::op::Op;
use crate::tensor::{DType, Tensor};

/// `log2` and `log10`: a scaled natural logarithm.
pub(super) fn log2(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    scaled_log(lower, b, std::f64::consts::LN_2)
}

pub(super) fn log10(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    scaled_log(lower, b, std::f64::consts::LN_10)
}

fn scaled_log(lower: &mut Lower<'_>, b: &Bound, base: f64) -> Lowered<Value> {
    let x = b.tensor(lower, 0)?;
    let log = lower.unary(Op::Log, &x)?;
    Ok(Value::Tensor(lower.with_number(Op::Div, &log, base)?))
}

pub(super) fn hypot(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    pairwise(lower, b, |lower, x, y| {
        let (x, y) = (lower.node(Op::Square, &[x])?, lower.node(Op::Square, &[y])?);
        let sum = lower.node(Op::Add, &[x, y])?;
        lower.node(Op::Sqrt, &[sum])
    })
}

/// `lerp(start, end, weight)`.
pub(super) fn lerp(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let (start, end, weight) = (
        b.tensor(lower, 0)?,
        b.tensor(lower, 1)?,
        b.tensor(lower, 2)?,
    );
    let difference = lower.binary(Op::Sub, &end, &start, b.span)?;
    let part = lower.binary(Op::Mul, &weight, &difference, b.span)?;
    Ok(Value::Tensor(lower.binary(
        Op::Add,
        &start,
        &part,
        b.span,
    )?))
}

pub(super) fn degrees(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let x = b.tensor(lower, 0)?;
    Ok(Value::Tensor(lower.with_number(
        Op::Mul,
        &x,
        180.0 / std::f64::consts::PI,
    )?))
}

pub(super) fn radians(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let x = b.tensor(lower, 0)?;
    Ok(Value::Tensor(lower.with_number(
        Op::Mul,
        &x,
        std::f64::consts::PI / 180.0,
    )?))
}

/// A formula of one argument.
fn elementwise(
    lower: &mut Lower<'_>,
    b: &Bound,
    formula: impl FnMut(&mut Lower<'_>, NodeId) -> Lowered<NodeId>,
) -> Lowered<Value> {
    let x = b.tensor(lower, 0)?;
    lower.each_element(&x, formula).map(Value::Tensor)
}

/// A formula of two arguments.
fn pairwise(
    lower: &mut Lower<'_>,
    b: &Bound,
    formula: impl FnMut(&mut Lower<'_>, NodeId, NodeId) -> Lowered<NodeId>,
) -> Lowered<Value> {
    let (x, y) = (b.tensor(lower, 0)?, b.tensor(lower, 1)?);
    lower.each_pair(&x, &y, b.span, formula).map(Value::Tensor)
}

/// `math.log(x, base)`.
pub(super) fn math_log(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let x = b.tensor(lower, 0)?;
    let log = lower.unary(Op::Log, &x)?;
    match b.get(1) {
        None => Ok(Value::Tensor(log)),
        Some(_) => {
            let base = b.number(lower, 1, std::f64::consts::E)?;
            lower
                .with_number(Op::Div, &log, base.ln())
                .map(Value::Tensor)
        }
    }
}

pub(super) fn exp2(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    elementwise(lower, b, |lower, x| {
        let two = lower.constant(2.0)?;
        lower.node(Op::Pow, &[two, x])
    })
}

/// `cbrt(x) = sign(x) * |x| ** (1 / 3)`.
pub(super) fn cbrt(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    elementwise(lower, b, |lower, x| {
        let size = lower.node(Op::Abs, &[x])?;
        let root = lower.node_with(Op::Pow, size, 1.0 / 3.0)?;
        let sign = lower.node(Op::Sign, &[x])?;
        lower.node(Op::Mul, &[sign, root])
    })
}

/// `frac(x) = x - trunc(x)`.
pub(super) fn frac(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    elementwise(lower, b, |lower, x| {
        let whole = lower.node(Op::Trunc, &[x])?;
        lower.node(Op::Sub, &[x, whole])
    })
}

/// `erfc(x) = 1 - erf(x)`.
pub(super) fn erfc(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    elementwise(lower, b, |lower, x| {
        let one = lower.constant(1.0)?;
        let erf = lower.node(Op::Erf, &[x])?;
        lower.node(Op::Sub, &[one, erf])
    })
}

/// `sinc(x) = sin(pi x) / (pi x)`, and 1 at zero.
pub(super) fn sinc(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    elementwise(lower, b, |lower, x| {
        let one = lower.constant(1.0)?;
        let angle = lower.node_with(Op::Mul, x, std::f64::consts::PI)?;
        let at_zero = lower.node_with(Op::Equal, x, 0.0)?;
        let safe = lower.node(Op::Where, &[at_zero, one, angle])?;
        let sine = lower.node(Op::Sin, &[safe])?;
        let ratio = lower.node(Op::Div, &[sine, safe])?;
        lower.node(Op::Where, &[at_zero, one, ratio])
    })
}

/// `logit(input, eps=None) = log(x / (1 - x))`, with `x` kept `eps` away from 0 and 1.
pub(super) fn logit(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let eps = match b.get(1) {
        Some(_) => Some(b.number(lower, 1, 0.0)?),
        None => None,
    };
    elementwise(lower, b, |lower, mut x| {
        let one = lower.constant(1.0)?;
        if let Some(eps) = eps {
            let (low, high) = (lower.constant(eps)?, lower.constant(1.0 - eps)?);
            let below = lower.node(Op::Less, &[x, low])?;
            let above = lower.node(Op::Less, &[high, x])?;
            x = lower.node(Op::Where, &[below, low, x])?;
            x = lower.node(Op::Where, &[above, high, x])?;
        }
        let rest = lower.node(Op::Sub, &[one, x])?;
        let odds = lower.node(Op::Div, &[x, rest])?;
        lower.node(Op::Log, &[odds])
    })
}

/// `xlogy(x, y) = x * log(y)`, and 0 where `x` is 0.
pub(super) fn xlogy(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    pairwise(lower, b, |lower, x, y| {
        let one = lower.constant(1.0)?;
        let zero = lower.node_with(Op::Equal, x, 0.0)?;
        let bad = lower.node_with(Op::LessEqual, y, 0.0)?;
        let masked = lower.node(Op::And, &[zero, bad])?;
        let safe = lower.node(Op::Where, &[masked, one, y])?;
        let log = lower.node(Op::Log, &[safe])?;
        lower.node(Op::Mul, &[x, log])
    })
}

/// The larger plus `log(1 + exp(-distance))`; the shares of the gradient are the sigmoids.
fn log_add(lower: &mut Lower<'_>, a: NodeId, b: NodeId) -> Lowered<NodeId> {
    super::scan::log_sum_exp_nodes(lower, &[a, b])
}

pub(super) fn logaddexp(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    pairwise(lower, b, log_add)
}

pub(super) fn logaddexp2(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    pairwise(lower, b, |lower, x, y| {
        let x = lower.node_with(Op::Mul, x, std::f64::consts::LN_2)?;
        let y = lower.node_with(Op::Mul, y, std::f64::consts::LN_2)?;
        let sum = log_add(lower, x, y)?;
        lower.node_with(Op::Div, sum, std::f64::consts::LN_2)
    })
}

/// `copysign(x, y)`: the size of `x` with the sign of `y`.
pub(super) fn copysign(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    pairwise(lower, b, |lower, x, y| {
        let size = lower.node(Op::Abs, &[x])?;
        let minus = lower.node(Op::Neg, &[size])?;
        let negative = lower.node_with(Op::Less, y, 0.0)?;
        lower.node(Op::Where, &[negative, minus, size])
    })
}

/// `fmod(x, y) = x - trunc(x / y) * y`: the remainder with the sign of `x`.
pub(super) fn fmod(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    pairwise(lower, b, |lower, x, y| {
        let ratio = lower.node(Op::Div, &[x, y])?;
        let whole = lower.node(Op::Trunc, &[ratio])?;
        let part = lower.node(Op::Mul, &[whole, y])?;
        lower.node(Op::Sub, &[x, part])
    })
}

/// `heaviside(input, values)`: a step, for which PyTorch has no derivative.
pub(super) fn heaviside(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let (x, values) = (b.tensor(lower, 0)?, b.tensor(lower, 1)?);
    if lower.is_differentiable(&x) || lower.is_differentiable(&values) {
        return Err(lower.fail(
            Draft::new(
                Kind::NoGradient,
                b.span,
                "PyTorch has no gradient of `heaviside`",
            )
            .help("use `(x > 0).float()`, or `torch.sigmoid(x * 50)` for a smooth step"),
        ));
    }
    pairwise(lower, b, |lower, x, value| {
        let zero = lower.constant(0.0)?;
        let at_zero = lower.node(Op::Equal, &[x, zero])?;
        let above = lower.node(Op::Less, &[zero, x])?;
        lower.node(Op::Where, &[at_zero, value, above])
    })
}

/// `add(input, other, alpha=1)` and `sub`: `other` is scaled first.
fn scaled_sum(lower: &mut Lower<'_>, b: &Bound, op: Op, flipped: bool) -> Lowered<Value> {
    let (x, mut y) = (b.tensor(lower, 0)?, b.tensor(lower, 1)?);
    let (left, right) = if flipped {
        (y, scaled(lower, b, x, 2)?)
    } else {
        y = scaled(lower, b, y, 2)?;
        (x, y)
    };
    lower
        .arithmetic(op, &left, &right, b.span)
        .map(Value::Tensor)
}

/// The tensor times the number at `position`, if one is given.
pub(super) fn scaled(
    lower: &mut Lower<'_>,
    b: &Bound,
    x: Tensor,
    position: usize,
) -> Lowered<Tensor> {
    match b.get(position) {
        None => Ok(x),
        Some(_) => {
            let factor = b.tensor(lower, position)?;
            lower.binary(Op::Mul, &x, &factor, b.span)
        }
    }
}

pub(super) fn add(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    scaled_sum(lower, b, Op::Add, false)
}

pub(super) fn sub(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    scaled_sum(lower, b, Op::Sub, false)
}

/// `rsub(input, other) = other - input`.
pub(super) fn rsub(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    scaled_sum(lower, b, Op::Sub, true)
}

/// `div(input, other, rounding_mode=None)`.
pub(super) fn div(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let (x, y) = (b.tensor(lower, 0)?, b.tensor(lower, 1)?);
    let quotient = match b.get(2) {
        None => lower.binary(Op::Div, &x, &y, b.span)?,
        Some(Value::Str(mode)) if &**mode == "floor" => {
            lower.binary(Op::FloorDiv, &x, &y, b.span)?
        }
        Some(Value::Str(mode)) if &**mode == "trunc" => {
            let quotient = lower.binary(Op::Div, &x, &y, b.span)?;
            lower
                .unary(Op::Trunc, &quotient)?
                .with_dtype(x.dtype.max(y.dtype))
        }
        Some(other) => {
            let found = other.describe();
            return Err(lower.fail(
                Draft::new(
                    Kind::Argument,
                    b.span_of(2),
                    "this rounding mode does not exist",
                )
                .expected("None, 'floor' or 'trunc'")
                .found(found),
            ));
        }
    };
    Ok(Value::Tensor(quotient))
}

pub(super) fn float_power(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    pairwise(lower, b, |lower, x, y| lower.node(Op::Pow, &[x, y]))
}

/// `round(input, decimals=0)`: halves go to the even neighbour.
pub(super) fn round(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let x = b.tensor(lower, 0)?;
    let decimals = b.integer(lower, 1, 0)?.clamp(-15, 15) as i32;
    // Integers are round already.
    if decimals == 0 || decimals > 0 && x.dtype != DType::Float {
        return lower.unary(Op::Round, &x).map(Value::Tensor);
    }
    let scale = 10_f64.powi(decimals);
    elementwise(lower, b, |lower, x| {
        let large = lower.node_with(Op::Mul, x, scale)?;
        let large = lower.node(Op::Round, &[large])?;
        lower.node_with(Op::Div, large, scale)
    })
}

/// `addcmul(input, tensor1, tensor2, value=1)`.
pub(super) fn addcmul(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    add_combined(lower, b, Op::Mul)
}

/// `addcdiv(input, tensor1, tensor2, value=1)`.
pub(super) fn addcdiv(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    add_combined(lower, b, Op::Div)
}

fn add_combined(lower: &mut Lower<'_>, b: &Bound, op: Op) -> Lowered<Value> {
    let (x, y, z) = (
        b.tensor(lower, 0)?,
        b.tensor(lower, 1)?,
        b.tensor(lower, 2)?,
    );
    let combined = lower.arithmetic(op, &y, &z, b.span)?;
    let combined = scaled(lower, b, combined, 3)?;
    lower
        .binary(Op::Add, &x, &combined, b.span)
        .map(Value::Tensor)
}

/// `nan_to_num(input, nan=0, posinf=largest, neginf=smallest)`.
pub(super) fn nan_to_num(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let nan = b.number(lower, 1, 0.0)?;
    let (high, low) = (b.number(lower, 2, f64::MAX)?, b.number(lower, 3, f64::MIN)?);
    elementwise(lower, b, |lower, x| {
        let mut result = x;
        for (from, to) in [(f64::INFINITY, high), (f64::NEG_INFINITY, low)] {
            let to = lower.constant(to)?;
            let is_it = lower.node_with(Op::Equal, x, from)?;
            result = lower.node(Op::Where, &[is_it, to, result])?;
        }
        let nan = lower.constant(nan)?;
        let is_nan = lower.node(Op::NotEqual, &[x, x])?;
        lower.node(Op::Where, &[is_nan, nan, result])
    })
}

/// A question about every element.
fn ask(
    lower: &mut Lower<'_>,
    b: &Bound,
    question: impl FnMut(&mut Lower<'_>, NodeId) -> Lowered<NodeId>,
) -> Lowered<Value> {
    let x = b.tensor(lower, 0)?;
    Ok(Value::Tensor(
        lower.each_element(&x, question)?.with_dtype(DType::Bool),
    ))
}

pub(super) fn isnan(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    ask(lower, b, |lower, x| lower.node(Op::NotEqual, &[x, x]))
}

pub(super) fn isfinite(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    ask(lower, b, |lower, x| {
        let size = lower.node(Op::Abs, &[x])?;
        lower.node_with(Op::Less, size, f64::INFINITY)
    })
}

pub(super) fn isinf(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    ask(lower, b, |lower, x| {
        let size = lower.node(Op::Abs, &[x])?;
        lower.node_with(Op::Equal, size, f64::INFINITY)
    })
}

pub(super) fn signbit(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    ask(lower, b, |lower, x| lower.node_with(Op::Less, x, 0.0))
}

/// Whether two elements differ by at most `atol + rtol * |other|`.
fn close(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Tensor> {
    let (x, y) = (b.tensor(lower, 0)?, b.tensor(lower, 1)?);
    let (relative, absolute) = (b.number(lower, 2, 1e-5)?, b.number(lower, 3, 1e-8)?);
    let flags = lower.each_pair(&x, &y, b.span, |lower, x, y| {
        let same = lower.node(Op::Equal, &[x, y])?;
        let distance = lower.node(Op::Sub, &[x, y])?;
        let distance = lower.node(Op::Abs, &[distance])?;
        let allowed = lower.node(Op::Abs, &[y])?;
        let allowed = lower.node_with(Op::Mul, allowed, relative)?;
        let allowed = lower.node_with(Op::Add, allowed, absolute)?;
        let near = lower.node(Op::LessEqual, &[distance, allowed])?;
        lower.node(Op::Or, &[same, near])
    })?;
    Ok(flags.with_dtype(DType::Bool))
}

/// `isclose(input, other, rtol=1e-5, atol=1e-8)`.
pub(super) fn isclose(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    close(lower, b).map(Value::Tensor)
}

/// Whether all flags are set.
fn every(lower: &mut Lower<'_>, flags: &Tensor) -> Lowered<Value> {
    let dims: Vec<usize> = (0..flags.rank()).collect();
    let all = lower.reduce(flags, &dims, false, DType::Bool, |lower, members| {
        let start = lower.constant(1.0)?;
        members
            .iter()
            .try_fold(start, |all, &m| lower.node(Op::And, &[all, m]))
    })?;
    Ok(Value::Tensor(all))
}

pub(super) fn allclose(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let flags = close(lower, b)?;
    every(lower, &flags)
}

/// `torch.equal(input, other)`: same shape and same elements.
pub(super) fn equal(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let (x, y) = (b.tensor(lower, 0)?, b.tensor(lower, 1)?);
    if x.shape != y.shape {
        return Ok(Value::Bool(false));
    }
    let flags = lower.binary(Op::Equal, &x, &y, b.span)?;
    every(lower, &flags)
}

/// `isin(elements, test_elements)`.
pub(super) fn isin(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let tests = b.tensor(lower, 1)?;
    let tests = tests.nodes();
    let x = b.tensor(lower, 0)?;
    lower.charge(x.len().saturating_mul(tests.len()))?;
    ask(lower, b, |lower, x| {
        let no = lower.constant(0.0)?;
        tests.iter().try_fold(no, |found, &test| {
            let same = lower.node(Op::Equal, &[x, test])?;
            lower.node(Op::Or, &[found, same])
        })
    })
}
