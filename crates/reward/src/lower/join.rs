//! Tensors put together and taken apart along a dimension.

use super::arguments::Bound;
use super::expression::select;
use super::value::Value;
use super::{Lower, Lowered};
use crate::diagnostic::{Draft, Kind, Span};
use crate::tensor::{Tensor, count, show_shape, strided_positions, strides};

impl Lower<'_> {
    /// Tensors of one shape along a new dimension.
    pub(super) fn stacked(&mut self, parts: &[Tensor], dim: usize, span: Span) -> Lowered<Tensor> {
        let first = &parts[0];
        if let Some(other) = parts.iter().find(|part| part.shape != first.shape) {
            let shapes = parts.iter().map(|part| part.shape.as_slice());
            return Err(self.fail(
                Draft::new(Kind::Shape, span, "all parts must have the same shape")
                    .shapes(shapes)
                    .help(stack_help(&first.shape, &other.shape)),
            ));
        }
        let parts: Vec<Tensor> = parts
            .iter()
            .map(|part| {
                let mut shape = part.shape.clone();
                shape.insert(dim, 1);
                part.reshaped(shape)
            })
            .collect();
        self.concatenated(&parts, dim, span)
    }

    /// Tensors one after another along `dim`.
    pub(super) fn concatenated(
        &mut self,
        parts: &[Tensor],
        dim: usize,
        span: Span,
    ) -> Lowered<Tensor> {
        let first = &parts[0];
        let mut shape = first.shape.clone();
        shape[dim] = 0;
        for part in parts {
            let fits = part.rank() == first.rank()
                && (0..first.rank()).all(|d| d == dim || part.shape[d] == first.shape[d]);
            if !fits {
                return Err(self.fail(
                    Draft::new(Kind::Shape, span, "the parts do not fit together")
                        .expected(format!(
                            "shape {} but for dimension {dim}",
                            show_shape(&first.shape)
                        ))
                        .shapes(parts.iter().map(|part| part.shape.as_slice()))
                        .help(if part.rank() == first.rank() {
                            "only the sizes along `dim` may differ: check `dim`"
                        } else {
                            "give every part as many dimensions: `keypoints[None]`, `x[:, None]`"
                        }),
                ));
            }
            shape[dim] += part.shape[dim];
        }
        self.allow(&shape)?;
        let dtype = parts
            .iter()
            .map(|part| part.dtype)
            .max()
            .unwrap_or(first.dtype);
        let outer = count(&shape[..dim]);
        self.charge(outer.saturating_mul(parts.len()))?;
        let inner = count(&shape[dim + 1..]);
        let lines: Vec<Vec<u32>> = parts.iter().map(Tensor::nodes).collect();
        let mut nodes = Vec::with_capacity(count(&shape));
        for block in 0..outer {
            for (part, line) in parts.iter().zip(&lines) {
                let length = part.shape[dim] * inner;
                nodes.extend_from_slice(&line[block * length..(block + 1) * length]);
            }
        }
        Ok(Tensor::new(shape, nodes, dtype))
    }

    /// The tensors of a list argument.
    pub(super) fn parts(&mut self, b: &Bound) -> Lowered<Vec<Tensor>> {
        let span = b.span_of(0);
        let mut value = b.get(0).cloned().unwrap_or(Value::None);
        // One list in the place of separate tensors.
        if let Value::Tuple(items) = &value
            && let [inner @ (Value::List(_) | Value::Tuple(_))] = items.items.as_slice()
        {
            value = inner.clone();
        }
        let items = self.iterate(value, span)?;
        let mut parts = Vec::with_capacity(items.len());
        for item in items {
            parts.push(self.tensor_of(item, span)?);
        }
        if parts.is_empty() {
            return Err(self.fail(Draft::new(
                Kind::Argument,
                span,
                format!("`{}` needs at least one tensor", b.name),
            )));
        }
        Ok(parts)
    }
}

pub(super) fn stack(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let parts = lower.parts(b)?;
    let dim = b.dim(lower, 1, parts[0].rank() + 1, Some(0))?.unwrap_or(0);
    lower.stacked(&parts, dim, b.span).map(Value::Tensor)
}

pub(super) fn cat(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let parts = lower.parts(b)?;
    if parts[0].rank() == 0 {
        return Err(lower.fail(
            Draft::new(Kind::Shape, b.span, "scalars cannot be concatenated")
                .help("use `torch.stack`"),
        ));
    }
    let dim = b.dim(lower, 1, parts[0].rank(), Some(0))?.unwrap_or(0);
    lower.concatenated(&parts, dim, b.span).map(Value::Tensor)
}

/// How parts of two shapes are made equal.
fn stack_help(first: &[usize], other: &[usize]) -> String {
    if first.iter().product::<usize>() == other.iter().product::<usize>() {
        let (long, short) = (first.len().max(other.len()), first.len().min(other.len()));
        let zeros = vec!["0"; long - short].join(", ");
        return format!("take the batch dimension away first: `x[{zeros}]`");
    }
    "stack positions with positions and numbers with numbers: `keypoints[0, 2]` is one number"
        .to_owned()
}

/// `hstack` and `vstack`: scalars and vectors gain dimensions first.
fn joined(lower: &mut Lower<'_>, b: &Bound, rank: usize, dim: usize) -> Lowered<Value> {
    let mut parts = lower.parts(b)?;
    for part in &mut parts {
        while part.rank() < rank {
            let mut shape = part.shape.clone();
            shape.insert(0, 1);
            *part = part.reshaped(shape);
        }
    }
    let dim = if parts[0].rank() == 1 { 0 } else { dim };
    lower.concatenated(&parts, dim, b.span).map(Value::Tensor)
}

pub(super) fn hstack(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    joined(lower, b, 1, 1)
}

pub(super) fn vstack(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    joined(lower, b, 2, 0)
}

/// `dstack`: along the third dimension.
pub(super) fn dstack(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let mut parts = lower.parts(b)?;
    for part in &mut parts {
        *part = at_least(part, 3);
    }
    lower.concatenated(&parts, 2, b.span).map(Value::Tensor)
}

/// `column_stack`: vectors become columns.
pub(super) fn column_stack(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let mut parts = lower.parts(b)?;
    for part in &mut parts {
        if part.rank() < 2 {
            *part = part.reshaped(vec![part.len(), 1]);
        }
    }
    lower.concatenated(&parts, 1, b.span).map(Value::Tensor)
}

/// At least `rank` dimensions; of three, a vector lies along the second.
fn at_least(x: &Tensor, rank: usize) -> Tensor {
    let mut shape = x.shape.clone();
    while shape.len() < rank {
        let dim = if shape.len() == 2 { 2 } else { 0 };
        shape.insert(dim, 1);
    }
    x.reshaped(shape)
}

/// `atleast_1d` and its like; several tensors give a tuple.
fn raised(lower: &mut Lower<'_>, b: &Bound, rank: usize) -> Lowered<Value> {
    let parts = lower.parts(b)?;
    Ok(match parts.as_slice() {
        [one] => Value::Tensor(at_least(one, rank)),
        many => Value::tuple(
            many.iter()
                .map(|x| Value::Tensor(at_least(x, rank)))
                .collect(),
        ),
    })
}

pub(super) fn atleast_1d(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    raised(lower, b, 1)
}

pub(super) fn atleast_2d(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    raised(lower, b, 2)
}

pub(super) fn atleast_3d(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    raised(lower, b, 3)
}

/// `unbind(input, dim=0)`: the slices as a tuple.
pub(super) fn unbind(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let x = b.tensor(lower, 0)?;
    let dim = b.dim(lower, 1, x.rank(), Some(0))?.unwrap_or(0);
    let size = x.shape.get(dim).copied().unwrap_or(0);
    lower.charge(x.len() + size)?;
    Ok(Value::tuple(
        (0..size)
            .map(|i| Value::Tensor(select(&x, dim, i)))
            .collect(),
    ))
}

/// The part of a dimension from `start` on.
pub(super) fn narrowed(x: &Tensor, dim: usize, start: usize, length: usize) -> Tensor {
    let steps = strides(&x.shape);
    let mut shape = x.shape.clone();
    shape[dim] = length;
    let positions = strided_positions(&shape, &steps, start * steps[dim]);
    x.view(shape, &positions)
}

/// `narrow(input, dim, start, length)`.
pub(super) fn narrow(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let x = b.tensor(lower, 0)?;
    let dim = b.dim(lower, 1, x.rank(), None)?.unwrap_or(0);
    let size = x.shape.get(dim).copied().unwrap_or(0) as i64;
    let (start, length) = (b.integer(lower, 2, 0)?, b.integer(lower, 3, 0)?);
    let start = if start < 0 {
        start.saturating_add(size)
    } else {
        start
    };
    if start < 0 || length < 0 || start.saturating_add(length) > size {
        return Err(lower.fail(
            Draft::new(Kind::Index, b.span, "`narrow` reaches beyond the tensor")
                .found(format!("shape {}", show_shape(&x.shape))),
        ));
    }
    lower.charge(x.len())?;
    Ok(Value::Tensor(narrowed(
        &x,
        dim,
        start as usize,
        length as usize,
    )))
}

/// What the second argument of a splitting function means.
#[derive(Clone, Copy)]
enum Cut {
    /// The size of each piece; the last may be smaller.
    Sizes,
    /// The number of pieces, as even as `chunk` makes them.
    Chunks,
    /// The number of pieces, the first ones larger by one; or where to cut.
    Places,
    /// The same, in equal pieces only.
    EqualPlaces,
}

/// The lengths of the pieces of a dimension of `size`.
fn lengths(how: Cut, listed: bool, given: &[i64], size: usize) -> Option<Vec<usize>> {
    let one = match given {
        &[one] if !listed => Some(usize::try_from(one).ok().filter(|&one| one > 0)?),
        _ => None,
    };
    match (how, one) {
        (Cut::Sizes | Cut::Chunks, Some(one)) => {
            let length = match how {
                Cut::Chunks => size.div_ceil(one),
                _ => one,
            };
            let length = length.max(1);
            let pieces = size.div_ceil(length);
            Some((0..pieces).map(|i| length.min(size - i * length)).collect())
        }
        (Cut::EqualPlaces, Some(one)) if !size.is_multiple_of(one) => None,
        (_, Some(one)) if one > size.max(1) => None,
        (_, Some(one)) => Some(
            (0..one)
                .map(|i| size / one + usize::from(i < size % one))
                .collect(),
        ),
        (Cut::Sizes | Cut::Chunks, None) => given
            .iter()
            .map(|&length| usize::try_from(length).ok())
            .collect(),
        (_, None) => {
            let clip = |place: i64| {
                let place = if place < 0 {
                    place.saturating_add(size as i64)
                } else {
                    place
                };
                usize::try_from(place).unwrap_or(0).min(size)
            };
            let mut ends: Vec<usize> = given.iter().map(|&place| clip(place)).collect();
            ends.push(size);
            let starts = std::iter::once(0).chain(ends.iter().copied());
            Some(
                ends.iter()
                    .zip(starts)
                    .map(|(end, start)| end.saturating_sub(start))
                    .collect(),
            )
        }
    }
}

/// `split`, `chunk`, `tensor_split` and NumPy's: the views, as a tuple.
fn pieces(lower: &mut Lower<'_>, b: &Bound, how: Cut) -> Lowered<Value> {
    let x = b.tensor(lower, 0)?;
    let dim = b.dim(lower, 2, x.rank(), Some(0))?.unwrap_or(0);
    let size = x.shape.get(dim).copied().unwrap_or(0);
    let given = b.integers(lower, 1)?;
    let listed = matches!(b.get(1), Some(Value::List(_) | Value::Tuple(_)));
    let cut = lengths(how, listed, &given, size);
    let total = cut
        .as_ref()
        .map(|cut| cut.iter().fold(0_usize, |sum, &l| sum.saturating_add(l)));
    let Some(cut) = cut.filter(|_| total == Some(size) && x.rank() > 0) else {
        let given: Vec<String> = given.iter().map(i64::to_string).collect();
        return Err(lower.fail(
            Draft::new(
                Kind::Shape,
                b.span,
                "the pieces do not add up to the dimension",
            )
            .expected(format!("{size}"))
            .found(total.map_or_else(|| given.join(", "), |total| format!("{total}"))),
        ));
    };
    lower.charge(x.len() + cut.len())?;
    let mut start = 0;
    let mut parts = Vec::with_capacity(cut.len());
    for length in cut {
        parts.push(Value::Tensor(narrowed(&x, dim, start, length)));
        start += length;
    }
    Ok(Value::tuple(parts))
}

pub(super) fn split(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    pieces(lower, b, Cut::Sizes)
}

pub(super) fn chunk(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    pieces(lower, b, Cut::Chunks)
}

/// `tensor_split(input, sections or indices, dim=0)`; NumPy's `array_split`.
pub(super) fn tensor_split(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    pieces(lower, b, Cut::Places)
}

/// NumPy's `split(a, sections or indices, axis=0)`.
pub(super) fn numpy_split(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    pieces(lower, b, Cut::EqualPlaces)
}
