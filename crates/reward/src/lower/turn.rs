//! Elements in another order along their dimensions: `flip`, `rot90`, `roll`.

use super::arguments::Bound;
use super::value::Value;
use super::{Lower, Lowered};
use crate::diagnostic::{Draft, Kind};
use crate::tensor::{Tensor, show_shape, strides};

/// `flip(input, *dims)`.
pub(super) fn flip(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let x = b.tensor(lower, 0)?;
    let mut dims = Vec::new();
    for dim in b.integers(lower, 1)? {
        dims.push(lower.wrap_dim(dim, x.rank(), b.span)?);
    }
    lower.charge(x.len())?;
    Ok(Value::Tensor(copy_of(&mirrored(&x, &dims))))
}

/// NumPy's `flip(a, axis=None)`: of all axes by default, as a view.
pub(super) fn numpy_flip(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let x = b.tensor(lower, 0)?;
    let dims = lower.dims(b, 1, x.rank())?;
    lower.charge(x.len())?;
    Ok(Value::Tensor(mirrored(&x, &dims)))
}

fn flip_one(lower: &mut Lower<'_>, b: &Bound, dim: usize) -> Lowered<Tensor> {
    let x = b.tensor(lower, 0)?;
    if x.rank() <= dim {
        return Err(lower.fail(
            Draft::new(
                Kind::Shape,
                b.span,
                format!("`{}` needs more dimensions", b.name),
            )
            .found(format!("shape {}", show_shape(&x.shape)))
            .help("use `torch.flip(x, [0])`"),
        ));
    }
    lower.charge(x.len())?;
    Ok(mirrored(&x, &[dim]))
}

pub(super) fn flipud(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    Ok(Value::Tensor(copy_of(&flip_one(lower, b, 0)?)))
}

pub(super) fn fliplr(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    Ok(Value::Tensor(copy_of(&flip_one(lower, b, 1)?)))
}

/// NumPy's `flipud`: a view.
pub(super) fn numpy_flipud(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    flip_one(lower, b, 0).map(Value::Tensor)
}

/// NumPy's `fliplr`: a view.
pub(super) fn numpy_fliplr(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    flip_one(lower, b, 1).map(Value::Tensor)
}

/// The same elements, mirrored along `dims`.
fn mirrored(x: &Tensor, dims: &[usize]) -> Tensor {
    let sources = sources(
        x,
        |d, i, size| {
            if dims.contains(&d) { size - 1 - i } else { i }
        },
    );
    x.view(x.shape.clone(), &sources)
}

/// A copy that lies in memory as its source would from the first element on.
fn copy_of(x: &Tensor) -> Tensor {
    x.copied().laid_out_as(&[x])
}

/// `rot90(input, k=1, dims=(0, 1))`: a quarter turn from the first dimension to the second.
fn turned(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Tensor> {
    let x = b.tensor(lower, 0)?;
    let turns = b.integer(lower, 1, 1)?.rem_euclid(4);
    let dims = match b.get(2) {
        Some(_) => lower.dims(b, 2, x.rank())?,
        None => vec![0, 1],
    };
    let (&[first, second], true) = (dims.as_slice(), x.rank() >= 2) else {
        return Err(lower.fail(
            Draft::new(Kind::Shape, b.span, "`rot90` needs two dimensions")
                .found(format!("shape {}", show_shape(&x.shape))),
        ));
    };
    lower.charge(x.len())?;
    let mut order: Vec<usize> = (0..x.rank()).collect();
    order.swap(first, second);
    let turned = match turns {
        1 => lower.permuted(&mirrored(&x, &[second]), &order)?,
        2 => mirrored(&x, &[first, second]),
        3 => lower.permuted(&mirrored(&x, &[first]), &order)?,
        _ => x,
    };
    Ok(turned)
}

pub(super) fn rot90(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    Ok(Value::Tensor(copy_of(&turned(lower, b)?)))
}

/// NumPy's `rot90`: a view.
pub(super) fn numpy_rot90(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    turned(lower, b).map(Value::Tensor)
}

/// `roll(input, shifts, dims)`; without dimensions, of the flattened tensor.
pub(super) fn roll(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let x = b.tensor(lower, 0)?;
    let shifts = b.integers(lower, 1)?;
    lower.charge(x.len())?;
    if b.get(2).is_none() {
        let line = x.reshaped(vec![x.len()]);
        let shift = i128::from(shifts.first().copied().unwrap_or(0));
        let rolled = moved(&line, |_, i, size| rolled_from(i, shift, size));
        return Ok(Value::Tensor(rolled.reshaped(x.shape)));
    }
    let dims = lower.dims(b, 2, x.rank())?;
    // NumPy rolls several axes by one shift.
    let shift_of = |position: usize| {
        shifts
            .get(position)
            .or(shifts.first())
            .copied()
            .unwrap_or(0)
    };
    if shifts.len() != 1 && shifts.len() != dims.len() {
        return Err(lower.fail(
            Draft::new(
                Kind::Argument,
                b.span,
                "`roll` needs one shift for each dimension",
            )
            .found(format!(
                "{} shifts for {} dimensions",
                shifts.len(),
                dims.len()
            )),
        ));
    }
    let rolled = moved(&x, |d, i, size| {
        match dims.iter().position(|&dim| dim == d) {
            Some(position) => rolled_from(i, i128::from(shift_of(position)), size),
            None => i,
        }
    });
    Ok(Value::Tensor(rolled))
}

fn rolled_from(i: usize, shift: i128, size: usize) -> usize {
    (i as i128 - shift).rem_euclid(size as i128) as usize
}

/// A copy whose index `i` along dimension `d` reads index `from(d, i, size)`.
fn moved(x: &Tensor, from: impl Fn(usize, usize, usize) -> usize) -> Tensor {
    x.view(x.shape.clone(), &sources(x, from)).copied()
}

/// Where each element comes from if index `i` along dimension `d` reads `from(d, i, size)`.
fn sources(x: &Tensor, from: impl Fn(usize, usize, usize) -> usize) -> Vec<usize> {
    let steps = strides(&x.shape);
    let source = |position: usize| {
        (0..x.rank())
            .map(|d| from(d, position / steps[d] % x.shape[d], x.shape[d]) * steps[d])
            .sum()
    };
    (0..x.len()).map(source).collect()
}
