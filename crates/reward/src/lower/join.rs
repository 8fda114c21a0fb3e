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
            return Err(self.fail(
                Draft::new(Kind::Shape, span, "all parts must have the same shape")
                    .expected(format!("shape {}", show_shape(&first.shape)))
                    .found(format!("shape {}", show_shape(&other.shape))),
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
                        .found(format!("shape {}", show_shape(&part.shape))),
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
    fn parts(&mut self, b: &Bound) -> Lowered<Vec<Tensor>> {
        let span = b.span_of(0);
        let value = b.get(0).cloned().unwrap_or(Value::None);
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

/// `split(input, sizes, dim=0)` and `chunk(input, chunks, dim=0)`.
fn pieces(lower: &mut Lower<'_>, b: &Bound, chunks: bool) -> Lowered<Value> {
    let x = b.tensor(lower, 0)?;
    let dim = b.dim(lower, 2, x.rank(), Some(0))?.unwrap_or(0);
    let size = x.shape.get(dim).copied().unwrap_or(0);
    let given = b.integers(lower, 1)?;
    let lengths: Vec<usize> = match given.as_slice() {
        &[one] if one > 0 => {
            let one = one as usize;
            let length = if chunks { size.div_ceil(one) } else { one }.max(1);
            (0..size.div_ceil(length))
                .map(|i| length.min(size - i * length))
                .collect()
        }
        many => many
            .iter()
            .map(|&l| usize::try_from(l).unwrap_or(usize::MAX))
            .collect(),
    };
    let total = lengths
        .iter()
        .fold(0_usize, |sum, &l| sum.saturating_add(l));
    if total != size || x.rank() == 0 {
        return Err(lower.fail(
            Draft::new(
                Kind::Shape,
                b.span,
                "the pieces do not add up to the dimension",
            )
            .expected(format!("{size}"))
            .found(format!("{total}")),
        ));
    }
    lower.charge(x.len() + lengths.len())?;
    let mut start = 0;
    let mut parts = Vec::with_capacity(lengths.len());
    for length in lengths {
        parts.push(Value::Tensor(narrowed(&x, dim, start, length)));
        start += length;
    }
    Ok(Value::tuple(parts))
}

pub(super) fn split(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    pieces(lower, b, false)
}

pub(super) fn chunk(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    pieces(lower, b, true)
}
