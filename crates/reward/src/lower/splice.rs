//! NumPy's `append`, `delete`, `insert` and `select`.

use super::arguments::Bound;
use super::gather::wrap_index;
use super::value::Value;
use super::{Lower, Lowered};
use crate::diagnostic::{Draft, Kind};
use crate::tensor::{DType, Tensor, count, show_shape};

/// The array and the axis; flattened where none is given.
fn along(lower: &mut Lower<'_>, b: &Bound, position: usize) -> Lowered<(Tensor, usize)> {
    let x = b.tensor(lower, 0)?;
    match b.dim(lower, position, x.rank(), None)? {
        Some(dim) if x.rank() > 0 => Ok((x, dim)),
        _ => Ok((flat(&x), 0)),
    }
}

fn flat(x: &Tensor) -> Tensor {
    Tensor::new(vec![x.len()], x.nodes(), x.dtype)
}

/// The slices of `x` along `dim` at `places`.
fn kept(x: &Tensor, dim: usize, places: &[usize]) -> Tensor {
    let (size, inner) = (x.shape[dim], count(&x.shape[dim + 1..]));
    let mut shape = x.shape.clone();
    shape[dim] = places.len();
    let mut positions = Vec::with_capacity(count(&shape));
    for block in 0..count(&x.shape[..dim]) {
        for place in places {
            let start = (block * size + place) * inner;
            positions.extend(start..start + inner);
        }
    }
    let view = x.view(shape, &positions);
    Tensor::new(view.shape.clone(), view.nodes(), x.dtype)
}

/// `append(arr, values, axis=None)`.
pub(super) fn append(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let (x, dim) = along(lower, b, 2)?;
    let mut values = b.tensor(lower, 1)?;
    lower.charge(x.len() + values.len())?;
    if b.get(2).is_none() {
        values = flat(&values);
    }
    lower
        .concatenated(&[x, values], dim, b.span)
        .map(Value::Tensor)
}

/// `delete(arr, obj, axis=None)`: `obj` is an integer, several, or a mask.
pub(super) fn delete(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let (x, dim) = along(lower, b, 2)?;
    let index = b.tensor(lower, 1)?;
    let Some(values) = lower.constants_of(&index) else {
        let source = lower.dependence(&index);
        return Err(lower.fail(
            Draft::new(
                Kind::DynamicControl,
                b.span_of(1),
                format!("what is deleted depends on {source}"),
            )
            .help("keep the shape: `np.where(mask, 0.0, x)` is 0 where the mask deletes"),
        ));
    };
    let size = x.shape[dim];
    lower.charge(x.len() + values.len())?;
    let mut is_kept = vec![true; size];
    let is_mask = index.dtype == DType::Bool && values.len() == size;
    for (place, &value) in values.iter().enumerate() {
        let found = match is_mask {
            true => Some(place).filter(|_| value != 0.0),
            false => match wrap_index(value as i64, size) {
                Some(place) => Some(place),
                None => return Err(lower.out_of_range(value as i64, size, b.span_of(1))),
            },
        };
        if let Some(place) = found {
            is_kept[place] = false;
        }
    }
    let places: Vec<usize> = (0..size).filter(|&place| is_kept[place]).collect();
    Ok(Value::Tensor(kept(&x, dim, &places)))
}

/// `insert(arr, obj, values, axis=None)` before one place: numbers into a flat array, or a slice.
pub(super) fn insert(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let (x, dim) = along(lower, b, 3)?;
    let place = b.integer(lower, 1, 0)?;
    let mut values = b.tensor(lower, 2)?;
    let size = x.shape[dim];
    let wrapped = if place < 0 {
        place.saturating_add(size as i64)
    } else {
        place
    };
    let place = match usize::try_from(wrapped) {
        Ok(wrapped) if wrapped <= size => wrapped,
        _ => return Err(lower.out_of_range(place, size, b.span_of(1))),
    };
    lower.charge(x.len() + values.len())?;
    if b.get(3).is_none() {
        values = flat(&values);
    } else {
        if values.rank() >= x.rank() {
            return Err(lower.fail(
                Draft::new(Kind::Shape, b.span_of(2), "one slice is inserted at a time")
                    .expected(format!("at most {} dimensions", x.rank() - 1))
                    .found(format!("shape {}", show_shape(&values.shape)))
                    .help("use `np.concatenate`"),
            ));
        }
        let mut shape = x.shape.clone();
        shape.remove(dim);
        values = lower.broadcast_to(&values, &shape, b.span_of(2))?;
        shape.insert(dim, 1);
        values = values.reshaped(shape);
    }
    let before: Vec<usize> = (0..place).collect();
    let after: Vec<usize> = (place..size).collect();
    let values = lower.cast(&values, x.dtype)?;
    let parts = [kept(&x, dim, &before), values, kept(&x, dim, &after)];
    lower.concatenated(&parts, dim, b.span).map(Value::Tensor)
}

/// `select(condlist, choicelist, default=0)`: the first choice whose condition holds.
pub(super) fn select(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let listed = |lower: &mut Lower<'_>, position: usize| {
        let value = b.get(position).cloned().unwrap_or(Value::None);
        lower.iterate(value, b.span_of(position))
    };
    let (conditions, choices) = (listed(lower, 0)?, listed(lower, 1)?);
    if conditions.len() != choices.len() || conditions.is_empty() {
        return Err(lower.fail(
            Draft::new(
                Kind::Argument,
                b.span,
                "`select` needs one choice for each condition",
            )
            .found(format!(
                "{} conditions and {} choices",
                conditions.len(),
                choices.len()
            )),
        ));
    }
    let mut result = match b.get(2) {
        Some(_) => b.tensor(lower, 2)?,
        None => lower.static_scalar(0.0, DType::Int)?,
    };
    for (condition, choice) in conditions.into_iter().zip(choices).rev() {
        let condition = lower.tensor_of(condition, b.span_of(0))?;
        if condition.dtype != DType::Bool {
            return Err(lower.fail(
                Draft::new(Kind::Type, b.span_of(0), "`select` needs bool conditions")
                    .found(Value::Tensor(condition).describe()),
            ));
        }
        let choice = lower.tensor_of(choice, b.span_of(1))?;
        result = lower.choose(&condition, &choice, &result, b.span)?;
    }
    Ok(Value::Tensor(result))
}
