//! Copies and conversions between element types.

use super::arguments::Bound;
use super::value::Value;
use super::{Lower, Lowered};
use crate::diagnostic::{Draft, Kind};
use crate::tensor::{DType, Form, Tensor, show_shape};

/// Conversions that keep the values and the gradient: `clone`, `float`, `cpu`, `contiguous`.
pub(super) fn same(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let x = b.tensor(lower, 0)?;
    copied(lower, &x).map(Value::Tensor)
}

/// A copy that lies in memory as the original does.
pub(super) fn copied(lower: &mut Lower<'_>, x: &Tensor) -> Lowered<Tensor> {
    lower.charge(x.len())?;
    Ok(x.copied().laid_out_as(&[x]))
}

/// The method `copy` of arrays: the elements in order.
pub(super) fn copy(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let x = b.tensor(lower, 0)?;
    lower.charge(x.len())?;
    Ok(Value::Tensor(x.copied()))
}

/// `detach()`: the same memory without the gradient.
pub(super) fn detach(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let x = b.tensor(lower, 0)?;
    lower.detached(&x).map(Value::Tensor)
}

/// `numpy()`: the same memory as an array. PyTorch refuses where that would lose a gradient.
pub(super) fn numpy(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let x = b.tensor(lower, 0)?;
    lower.charge(x.len())?;
    if lower.is_differentiable(&x) && !(b.get(1).is_some() && b.flag(lower, 1)?) {
        return Err(lower.fail(
            Draft::new(
                Kind::NoGradient,
                b.span,
                "`.numpy()` of what depends on the trajectory would cut the gradient",
            )
            .help("remove `.numpy()`: `np.` functions take tensors as they are and keep it"),
        ));
    }
    let x = lower.detached(&x)?;
    Ok(Value::Tensor(x.with_form(Form::Array)))
}

/// A single element as a number of Python's.
pub(super) fn number(lower: &mut Lower<'_>, x: &Tensor) -> Lowered<Value> {
    if let Some([value]) = lower.constants_of(x).as_deref() {
        return Ok(match x.dtype {
            DType::Bool => Value::Bool(*value != 0.0),
            DType::Int => Value::Int(*value as i64),
            DType::Float => Value::Float(*value),
        });
    }
    lower.unknown_number(x)
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
            Some(Value::Tensor(other)) => other.dtype,
            _ => match b.dtype(position) {
                Some(dtype) => dtype,
                None => continue,
            },
        };
        return converted(lower, b, &x, Some(dtype), 4, false);
    }
    converted(lower, b, &x, None, 4, false)
}

/// `astype(dtype, copy=True)` of arrays.
pub(super) fn astype(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let x = b.tensor(lower, 0)?;
    let dtype = match b.get(1) {
        Some(Value::Tensor(other)) => Some(other.dtype),
        _ => b.dtype(1),
    };
    converted(lower, b, &x, dtype, 2, true)
}

/// Another dtype; where it stays the same, the flag at `copy_at` says whether to copy.
fn converted(
    lower: &mut Lower<'_>,
    b: &Bound,
    x: &Tensor,
    dtype: Option<DType>,
    copy_at: usize,
    default: bool,
) -> Lowered<Value> {
    let dtype = dtype.unwrap_or(x.dtype);
    if dtype != x.dtype {
        return lower.cast(x, dtype).map(Value::Tensor);
    }
    let copies = match b.get(copy_at) {
        Some(_) => b.flag(lower, copy_at)?,
        None => default,
    };
    Ok(Value::Tensor(if copies {
        copied(lower, x)?
    } else {
        x.clone()
    }))
}

/// `is_tensor(x)`.
pub(super) fn is_tensor(_: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    Ok(Value::Bool(matches!(
        b.get(0),
        Some(Value::Tensor(tensor)) if tensor.form == Form::Tensor
    )))
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
                .found(format!("shape {}", show_shape(&x.shape)))
                .help("make one number of it: `x.mean()`, or an index for each dimension"),
        ));
    }
    number(lower, &x)
}

/// NumPy's `item(*index)`: of several elements, one by its place in the flattened array or by
/// all its indices.
pub(super) fn array_item(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let mut x = b.tensor(lower, 0)?;
    let index = b.integers(lower, 1)?;
    lower.charge(x.len())?;
    if index.len() == 1 && x.rank() != 1 {
        x = x.reshaped(vec![x.len()]);
    }
    if index.is_empty() || index.len() != x.rank() {
        return item(lower, b);
    }
    for place in index {
        let Some(place) = super::gather::wrap_index(place, x.shape[0]) else {
            return Err(lower.fail(
                Draft::new(
                    Kind::Index,
                    b.span_of(1),
                    format!("index {place} is out of range"),
                )
                .found(format!("shape {}", show_shape(&x.shape))),
            ));
        };
        x = super::expression::select(&x, 0, place);
    }
    number(lower, &x)
}
