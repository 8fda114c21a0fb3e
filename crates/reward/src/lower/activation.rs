//! Activation functions of torch.nn.functional.

use super::arguments::Bound;
use super::value::Value;
use super::{Lower, Lowered};
use crate::diagnostic::{Draft, Kind};
use crate::op::Op;
use crate::tensor::{DType, Tensor, show_shape};

/// `softplus(input, beta=1, threshold=20)`; above the threshold it is the identity.
pub(super) fn softplus(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let x = b.tensor(lower, 0)?;
    let beta = b.number(lower, 1, 1.0)?;
    let threshold = b.number(lower, 2, 20.0)?;
    if threshold != 20.0 {
        return Err(lower.fail(Draft::new(
            Kind::Argument,
            b.span_of(2),
            "`softplus` keeps its threshold of 20",
        )));
    }
    let scaled = lower.with_number(Op::Mul, &x, beta)?;
    let y = lower.unary(Op::Softplus, &scaled)?;
    Ok(Value::Tensor(lower.with_number(Op::Div, &y, beta)?))
}

/// `x` above zero, `x` times a slope elsewhere.
fn sloped(lower: &mut Lower<'_>, b: &Bound, x: &Tensor, slope: &Tensor) -> Lowered<Value> {
    let scaled = lower.binary(Op::Mul, x, slope, b.span)?;
    let rest = lower.with_number(Op::LessEqual, x, 0.0)?;
    lower.choose(&rest, &scaled, x, b.span).map(Value::Tensor)
}

/// `leaky_relu(input, negative_slope=0.01)`.
pub(super) fn leaky_relu(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let x = b.tensor(lower, 0)?;
    let slope = b.number(lower, 1, 0.01)?;
    let slope = lower.filled(Vec::new(), slope, DType::Float)?;
    sloped(lower, b, &x, &slope)
}

/// `prelu(input, weight)` with one slope.
pub(super) fn prelu(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let (x, slope) = (b.tensor(lower, 0)?, b.tensor(lower, 1)?);
    if slope.len() != 1 {
        return Err(lower.fail(
            Draft::new(Kind::Shape, b.span_of(1), "`prelu` takes one slope here")
                .found(format!("shape {}", show_shape(&slope.shape)))
                .help("use `torch.where(x > 0, x, slope * x)`"),
        ));
    }
    sloped(lower, b, &x, &slope.reshaped(Vec::new()))
}

/// `scale * alpha * (exp(x / width) - 1)` at and below zero, `scale * x` above.
fn exponential(
    lower: &mut Lower<'_>,
    b: &Bound,
    alpha: f64,
    width: f64,
    scale: f64,
) -> Lowered<Value> {
    let x = b.tensor(lower, 0)?;
    let result = lower.each_element(&x, |lower, x| {
        // The exponential sees no large number, so that the branch not taken stays finite.
        let low = lower.node_with(Op::MinLeft, x, 0.0)?;
        let low = lower.node_with(Op::Div, low, width)?;
        let curve = lower.node(Op::Expm1, &[low])?;
        let curve = lower.node_with(Op::Mul, curve, scale * alpha)?;
        let line = lower.node_with(Op::Mul, x, scale)?;
        let negative = lower.node_with(Op::LessEqual, x, 0.0)?;
        lower.node(Op::Where, &[negative, curve, line])
    })?;
    Ok(Value::Tensor(result))
}

/// `elu(input, alpha=1)`.
pub(super) fn elu(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let alpha = b.number(lower, 1, 1.0)?;
    exponential(lower, b, alpha, 1.0, 1.0)
}

/// `celu(input, alpha=1)`.
pub(super) fn celu(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let alpha = b.number(lower, 1, 1.0)?;
    exponential(lower, b, alpha, alpha, 1.0)
}

/// `selu(input)`, with the constants of Klambauer et al., 2017.
pub(super) fn selu(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    exponential(
        lower,
        b,
        1.673_263_242_354_377_2,
        1.0,
        1.050_700_987_355_480_5,
    )
}

/// `gelu(input, approximate='none')`: `x * Phi(x)`.
pub(super) fn gelu(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let x = b.tensor(lower, 0)?;
    let by_tanh = matches!(b.get(1), Some(Value::Str(how)) if &**how == "tanh");
    let result = lower.each_element(&x, |lower, x| {
        let bell = if by_tanh {
            let cube = lower.node_with(Op::Pow, x, 3.0)?;
            let cube = lower.node_with(Op::Mul, cube, 0.044_715)?;
            let inner = lower.node(Op::Add, &[x, cube])?;
            let inner = lower.node_with(Op::Mul, inner, std::f64::consts::FRAC_2_PI.sqrt())?;
            lower.node(Op::Tanh, &[inner])?
        } else {
            let inner = lower.node_with(Op::Mul, x, std::f64::consts::FRAC_1_SQRT_2)?;
            lower.node(Op::Erf, &[inner])?
        };
        let bell = lower.node_with(Op::Add, bell, 1.0)?;
        let half = lower.node_with(Op::Mul, x, 0.5)?;
        lower.node(Op::Mul, &[half, bell])
    })?;
    Ok(Value::Tensor(result))
}

/// `mish(x) = x * tanh(softplus(x))`.
pub(super) fn mish(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let x = b.tensor(lower, 0)?;
    let result = lower.each_element(&x, |lower, x| {
        let gate = lower.node(Op::Softplus, &[x])?;
        let gate = lower.node(Op::Tanh, &[gate])?;
        lower.node(Op::Mul, &[x, gate])
    })?;
    Ok(Value::Tensor(result))
}

/// `softsign(x) = x / (1 + |x|)`.
pub(super) fn softsign(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let x = b.tensor(lower, 0)?;
    let result = lower.each_element(&x, |lower, x| {
        let size = lower.node(Op::Abs, &[x])?;
        let size = lower.node_with(Op::Add, size, 1.0)?;
        lower.node(Op::Div, &[x, size])
    })?;
    Ok(Value::Tensor(result))
}

/// `tanhshrink(x) = x - tanh(x)`.
pub(super) fn tanhshrink(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let x = b.tensor(lower, 0)?;
    let result = lower.each_element(&x, |lower, x| {
        let part = lower.node(Op::Tanh, &[x])?;
        lower.node(Op::Sub, &[x, part])
    })?;
    Ok(Value::Tensor(result))
}

/// Zero within `width` of zero; beyond, `x`, moved towards zero by `shift` widths.
fn shrunk(lower: &mut Lower<'_>, b: &Bound, shift: f64) -> Lowered<Value> {
    let x = b.tensor(lower, 0)?;
    let width = b.number(lower, 1, 0.5)?;
    let result = lower.each_element(&x, |lower, x| {
        let zero = lower.constant(0.0)?;
        let above = lower.node_with(Op::LessEqual, x, width)?;
        let up = lower.node_with(Op::Sub, x, shift * width)?;
        let down = lower.node_with(Op::Add, x, shift * width)?;
        let below = lower.node_with(Op::Less, x, -width)?;
        let rest = lower.node(Op::Where, &[below, down, zero])?;
        lower.node(Op::Where, &[above, rest, up])
    })?;
    Ok(Value::Tensor(result))
}

/// `softshrink(input, lambd=0.5)`.
pub(super) fn softshrink(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    shrunk(lower, b, 1.0)
}

/// `hardshrink(input, lambd=0.5)`.
pub(super) fn hardshrink(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    shrunk(lower, b, 0.0)
}

/// `threshold(input, threshold, value)`: `x` where it is above the threshold.
pub(super) fn threshold(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let x = b.tensor(lower, 0)?;
    let (bound, value) = (b.number(lower, 1, 0.0)?, b.number(lower, 2, 0.0)?);
    let result = lower.each_element(&x, |lower, x| {
        let value = lower.constant(value)?;
        let low = lower.node_with(Op::LessEqual, x, bound)?;
        lower.node(Op::Where, &[low, value, x])
    })?;
    Ok(Value::Tensor(result))
}

/// `hardsigmoid(x) = clamp(x + 3, 0, 6) / 6`.
pub(super) fn hardsigmoid(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let x = b.tensor(lower, 0)?;
    let result = lower.each_element(&x, |lower, x| {
        let x = lower.node_with(Op::Add, x, 3.0)?;
        let x = lower.node_with(Op::ClampMin, x, 0.0)?;
        let x = lower.node_with(Op::ClampMax, x, 6.0)?;
        lower.node_with(Op::Div, x, 6.0)
    })?;
    Ok(Value::Tensor(result))
}

/// `hardswish(x) = x * clamp(x + 3, 0, 6) / 6`.
pub(super) fn hardswish(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let x = b.tensor(lower, 0)?;
    let result = lower.each_element(&x, |lower, x| {
        let zero = lower.constant(0.0)?;
        let gate = lower.node_with(Op::Add, x, 3.0)?;
        let gate = lower.node_with(Op::Div, gate, 6.0)?;
        let middle = lower.node(Op::Mul, &[x, gate])?;
        let low = lower.node_with(Op::LessEqual, x, -3.0)?;
        let inside = lower.node_with(Op::Less, x, 3.0)?;
        let rest = lower.node(Op::Where, &[inside, middle, x])?;
        lower.node(Op::Where, &[low, zero, rest])
    })?;
    Ok(Value::Tensor(result))
}

/// `silu(x) = x * sigmoid(x)`.
pub(super) fn silu(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let x = b.tensor(lower, 0)?;
    let gate = lower.unary(Op::Sigmoid, &x)?;
    Ok(Value::Tensor(lower.binary(Op::Mul, &x, &gate, b.span)?))
}

/// `hardtanh(input, min_val=-1, max_val=1)`.
pub(super) fn hardtanh(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let x = b.tensor(lower, 0)?;
    let (low, high) = (b.number(lower, 1, -1.0)?, b.number(lower, 2, 1.0)?);
    let x = lower.with_number(Op::ClampMin, &x, low)?;
    Ok(Value::Tensor(lower.with_number(Op::ClampMax, &x, high)?))
}

pub(super) fn relu6(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let x = b.tensor(lower, 0)?;
    let x = lower.with_number(Op::ClampMin, &x, 0.0)?;
    Ok(Value::Tensor(lower.with_number(Op::ClampMax, &x, 6.0)?))
}
