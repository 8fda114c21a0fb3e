//! Copies and conversions between element types.

use super::arguments::Bound;
use super::value::Value;
use super::{Lower, Lowered};
use crate::diagnostic::{Draft, Kind};
use crate::op::Op;
use crate::tensor::{DType, Tensor, show_shape};

/// Conversions that keep the values and the gradient: `clone`, `float`, `cpu`, `contiguous`.
pub(super) fn same(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let x = b.tensor(lower, 0)?;
    lower.charge(x.len())?;
    // A copy: later writes must not show in the original.
    let copy = Tensor::new(x.shape.clone(), x.nodes(), x.dtype);
    Ok(Value::Tensor(copy))
}

/// The same tensor, on whatever device: `cpu`, `cuda`.
pub(super) fn itself(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    b.tensor(lower, 0).map(Value::Tensor)
}

/// `contiguous`: a copy, unless the elements already lie in order.
pub(super) fn contiguous(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let x = b.tensor(lower, 0)?;
    if x.is_contiguous() {
        return Ok(Value::Tensor(x));
    }
    same(lower, b)
}

/// `.to(...)`: a dtype converts, also that of another tensor; a device is ignored.
pub(super) fn to(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let x = b.tensor(lower, 0)?;
    for position in 1..4 {
        let dtype = match b.get(position) {
            Some(&Value::DType(dtype)) => dtype,
            Some(Value::Tensor(other)) => other.dtype,
            _ => continue,
        };
        return lower.cast(&x, dtype).map(Value::Tensor);
    }
    Ok(Value::Tensor(x))
}

/// `is_tensor(x)`.
pub(super) fn is_tensor(_: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    Ok(Value::Bool(matches!(b.get(0), Some(Value::Tensor(_)))))
}

pub(super) fn is_floating_point(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    Ok(Value::Bool(b.tensor(lower, 0)?.dtype == DType::Float))
}

pub(super) fn to_float(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let x = b.tensor(lower, 0)?;
    Ok(Value::Tensor(lower.cast(&x, DType::Float)?))
}

pub(super) fn to_int(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let x = b.tensor(lower, 0)?;
    Ok(Value::Tensor(lower.cast(&x, DType::Int)?))
}

pub(super) fn to_bool(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let x = b.tensor(lower, 0)?;
    Ok(Value::Tensor(lower.cast(&x, DType::Bool)?))
}

/// `.item()`: the number without its gradient, as in PyTorch; static if it is known now.
pub(super) fn item(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let x = b.tensor(lower, 0)?;
    if x.len() != 1 {
        return Err(lower.fail(
            Draft::new(Kind::Shape, b.span, "`item` needs a tensor of one element")
                .found(format!("shape {}", show_shape(&x.shape))),
        ));
    }
    if let Some([value]) = lower.constants_of(&x).as_deref() {
        return Ok(match x.dtype {
            DType::Bool => Value::Bool(*value != 0.0),
            DType::Int => Value::Int(*value as i64),
            DType::Float => Value::Float(*value),
        });
    }
    let x = lower.unary(Op::Detach, &x)?;
    Ok(Value::Tensor(x.reshaped(Vec::new())))
}
