//! Elements read and written by index tensors: `gather`, `index_select`, `scatter` and their like.
//!
//! An index that depends on positions becomes a choice among all entries of its line, as in a
//! subscript; constant indices cost nothing.

use super::arguments::Bound;
use super::containers::NOTHING_LEFT;
use super::gather::wrap_index;
use super::value::Value;
use super::{Lower, Lowered};
use crate::diagnostic::{Draft, Kind, Span};
use crate::graph::NodeId;
use crate::op::Op;
use crate::tensor::{DType, Tensor, count, show_shape, strided_positions, strides};

/// Whether negative indices count from the end.
#[derive(Clone, Copy, PartialEq)]
enum Negative {
    Wraps,
    Refused,
}

impl Lower<'_> {
    fn index_argument(&mut self, b: &Bound, position: usize) -> Lowered<Tensor> {
        let index = b.tensor(self, position)?;
        // An empty list of indices has no dtype of its own.
        if index.dtype == DType::Int || index.len() == 0 {
            return Ok(index);
        }
        Err(self.fail(
            Draft::new(
                Kind::Type,
                b.span_of(position),
                "the index must hold integers",
            )
            .found(Value::Tensor(index).describe())
            .help("write the indices as ints, or add `.long()`"),
        ))
    }

    /// The place that a constant index means.
    fn known_place(
        &mut self,
        index: f64,
        size: usize,
        negative: Negative,
        span: Span,
    ) -> Lowered<usize> {
        let place = wrap_index(index as i64, size);
        match place.filter(|_| index >= 0.0 || negative == Negative::Wraps) {
            Some(place) => Ok(place),
            None => Err(self.fail(
                Draft::new(Kind::Index, span, format!("index {index} is out of range"))
                    .expected(match size {
                        0 => "no index: the dimension is empty".to_owned(),
                        _ => format!("0 to {}", size - 1),
                    })
                    .found(format!("{index}")),
            )),
        }
    }

    /// The entry of a line that `index` selects.
    fn chosen_entry(
        &mut self,
        line: &[NodeId],
        index: NodeId,
        negative: Negative,
        span: Span,
    ) -> Lowered<NodeId> {
        if let Some(known) = self.graph.constant_value(index) {
            return Ok(line[self.known_place(known, line.len(), negative, span)?]);
        }
        self.charge(line.len())?;
        let mut chosen: Option<NodeId> = None;
        for (place, &node) in line.iter().enumerate() {
            chosen = Some(match chosen {
                None => node,
                Some(so_far) => {
                    let is_it = self.node_with(Op::Equal, index, place as f64)?;
                    self.node(Op::Where, &[is_it, node, so_far])?
                }
            });
        }
        chosen.ok_or_else(|| {
            self.fail(
                Draft::new(Kind::Index, span, "there is nothing to choose from").help(NOTHING_LEFT),
            )
        })
    }

    /// `out[..., i, ...] = x[..., index[..., i, ...], ...]` along `dim`.
    fn gathered(
        &mut self,
        x: &Tensor,
        dim: usize,
        index: &Tensor,
        negative: Negative,
        b: &Bound,
    ) -> Lowered<Tensor> {
        let fits = x.rank() == index.rank()
            && (0..x.rank()).all(|d| d == dim || index.shape[d] <= x.shape[d]);
        if !fits {
            return Err(self.index_misfit(x, index, b));
        }
        self.allow(&index.shape)?;
        let own = strides(&x.shape);
        let (nodes, indices) = (x.nodes(), index.nodes());
        let size = x.shape.get(dim).copied().unwrap_or(1);
        let step = own.get(dim).copied().unwrap_or(1);
        let mut flat = own.clone();
        if let Some(step) = flat.get_mut(dim) {
            *step = 0;
        }
        let starts = strided_positions(&index.shape, &flat, 0);
        let mut result = Vec::with_capacity(indices.len());
        for (start, &chosen) in starts.into_iter().zip(&indices) {
            let line: Vec<NodeId> = (0..size).map(|i| nodes[start + i * step]).collect();
            result.push(self.chosen_entry(&line, chosen, negative, b.span)?);
        }
        Ok(Tensor::new(index.shape.clone(), result, x.dtype))
    }

    fn index_misfit(&mut self, x: &Tensor, index: &Tensor, b: &Bound) -> super::Stop {
        self.fail(
            Draft::new(Kind::Shape, b.span, "the index does not fit the tensor")
                .expected(format!(
                    "as many dimensions as shape {} has, and sizes no larger",
                    show_shape(&x.shape)
                ))
                .found(format!("shape {}", show_shape(&index.shape)))
                .help("use `torch.take_along_dim`, which broadcasts, or plain indexing"),
        )
    }

    /// A copy of `x` in which `write(old, new)` stands where `index` points along `dim`.
    fn scattered(
        &mut self,
        x: &Tensor,
        dim: usize,
        index: &Tensor,
        source: &Tensor,
        b: &Bound,
        mut write: impl FnMut(&mut Self, NodeId, NodeId) -> Lowered<NodeId>,
    ) -> Lowered<Tensor> {
        let fits = x.rank() == index.rank()
            && source.rank() == index.rank()
            && (0..x.rank()).all(|d| {
                index.shape[d] <= source.shape[d] && (d == dim || index.shape[d] <= x.shape[d])
            });
        if !fits {
            return Err(self.index_misfit(x, index, b));
        }
        self.charge(x.len() + index.len())?;
        let own = strides(&x.shape);
        let size = x.shape.get(dim).copied().unwrap_or(1);
        let step = own.get(dim).copied().unwrap_or(1);
        let mut flat = own;
        if let Some(step) = flat.get_mut(dim) {
            *step = 0;
        }
        let starts = strided_positions(&index.shape, &flat, 0);
        let sources = strided_positions(&index.shape, &strides(&source.shape), 0);
        let (news, indices) = (source.nodes(), index.nodes());
        let mut nodes = x.nodes();
        for ((start, from), &chosen) in starts.into_iter().zip(sources).zip(&indices) {
            if let Some(known) = self.graph.constant_value(chosen) {
                let place = self.known_place(known, size, Negative::Refused, b.span)?;
                let at = start + place * step;
                nodes[at] = write(self, nodes[at], news[from])?;
                continue;
            }
            self.charge(size)?;
            for place in 0..size {
                let at = start + place * step;
                let is_it = self.node_with(Op::Equal, chosen, place as f64)?;
                let new = write(self, nodes[at], news[from])?;
                nodes[at] = self.node(Op::Where, &[is_it, new, nodes[at]])?;
            }
        }
        Ok(Tensor::new(x.shape.clone(), nodes, x.dtype))
    }

    /// A line of indices along `dim`, spread over the other dimensions of `shape`.
    fn spread_index(
        &mut self,
        index: &Tensor,
        dim: usize,
        shape: &[usize],
        b: &Bound,
    ) -> Lowered<Tensor> {
        if index.rank() > 1 {
            return Err(self.fail(
                Draft::new(Kind::Shape, b.span, "this index must have one dimension")
                    .found(format!("shape {}", show_shape(&index.shape)))
                    .help("give it one dimension: `index.flatten()`"),
            ));
        }
        let mut line = vec![1; shape.len()];
        let mut target = shape.to_vec();
        if let (Some(size), Some(slot)) = (line.get_mut(dim), target.get_mut(dim)) {
            *size = index.len();
            *slot = index.len();
        }
        self.allow(&target)?;
        self.broadcast_to(&index.reshaped(line), &target, b.span)
    }
}

/// `gather(input, dim, index)`.
pub(super) fn gather(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let x = b.tensor(lower, 0)?;
    let dim = b.dim(lower, 1, x.rank(), None)?.unwrap_or(0);
    let index = lower.index_argument(b, 2)?;
    lower
        .gathered(&x, dim, &index, Negative::Refused, b)
        .map(Value::Tensor)
}

/// `take_along_dim(input, indices, dim)`: the other dimensions broadcast.
fn along_dim(lower: &mut Lower<'_>, b: &Bound, negative: Negative) -> Lowered<Value> {
    let x = b.tensor(lower, 0)?;
    let index = lower.index_argument(b, 1)?;
    let Some(dim) = b.dim(lower, 2, x.rank(), None)? else {
        let (x, index) = (x.reshaped(vec![x.len()]), index.reshaped(vec![index.len()]));
        return lower
            .gathered(&x, 0, &index, negative, b)
            .map(Value::Tensor);
    };
    if x.rank() != index.rank() {
        return Err(lower.index_misfit(&x, &index, b));
    }
    // All dimensions but `dim` broadcast between the two.
    let (mut x_shape, mut index_shape) = (x.shape.clone(), index.shape.clone());
    for d in (0..x.rank()).filter(|&d| d != dim) {
        let size = if x_shape[d] == 1 {
            index_shape[d]
        } else {
            x_shape[d]
        };
        (x_shape[d], index_shape[d]) = (size, size);
    }
    let x = lower.broadcast_to(&x, &x_shape, b.span)?;
    let index = lower.broadcast_to(&index, &index_shape, b.span)?;
    lower
        .gathered(&x, dim, &index, negative, b)
        .map(Value::Tensor)
}

pub(super) fn take_along_dim(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    along_dim(lower, b, Negative::Refused)
}

pub(super) fn take_along_axis(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    along_dim(lower, b, Negative::Wraps)
}

/// Whole slices along `dim`: the dimension becomes those of the index.
fn slices(
    lower: &mut Lower<'_>,
    b: &Bound,
    x: &Tensor,
    dim: usize,
    index: &Tensor,
    negative: Negative,
) -> Lowered<Value> {
    let line = index.reshaped(vec![index.len()]);
    let mut shape = x.shape.clone();
    if x.rank() > 0 {
        shape[dim] = line.len();
    }
    let wide = lower.spread_index(&line, dim, &shape, b)?;
    let picked = lower.gathered(x, dim, &wide, negative, b)?;
    let mut shape = picked.shape.clone();
    if x.rank() > 0 {
        shape.splice(dim..=dim, index.shape.iter().copied());
    }
    Ok(Value::Tensor(picked.reshaped(shape)))
}

/// `index_select(input, dim, index)`.
pub(super) fn index_select(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let x = b.tensor(lower, 0)?;
    let dim = b.dim(lower, 1, x.rank(), None)?.unwrap_or(0);
    let index = lower.index_argument(b, 2)?;
    let index = index.reshaped(vec![index.len()]);
    slices(lower, b, &x, dim, &index, Negative::Refused)
}

/// `take(input, index)`: of the flattened tensor; NumPy's has an axis.
pub(super) fn take(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let x = b.tensor(lower, 0)?;
    let index = lower.index_argument(b, 1)?;
    match b.dim(lower, 2, x.rank(), None)? {
        Some(dim) => slices(lower, b, &x, dim, &index, Negative::Wraps),
        None => slices(
            lower,
            b,
            &x.reshaped(vec![x.len()]),
            0,
            &index,
            Negative::Wraps,
        ),
    }
}

fn replace(_: &mut Lower<'_>, _: NodeId, new: NodeId) -> Lowered<NodeId> {
    Ok(new)
}

fn accumulate(lower: &mut Lower<'_>, old: NodeId, new: NodeId) -> Lowered<NodeId> {
    lower.node(Op::Add, &[old, new])
}

/// `scatter(input, dim, index, src)`; `src` may be a number.
pub(super) fn scatter(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    if b.get(4).is_some() {
        return Err(lower.fail(
            Draft::new(
                Kind::NoGradient,
                b.span_of(4),
                "PyTorch has no gradient of a `scatter` that reduces",
            )
            .help("use `torch.scatter_add`"),
        ));
    }
    let x = b.tensor(lower, 0)?;
    let dim = b.dim(lower, 1, x.rank(), None)?.unwrap_or(0);
    let index = lower.index_argument(b, 2)?;
    let mut source = b.tensor(lower, 3)?;
    if source.rank() == 0 {
        source = lower.broadcast_to(&source, &index.shape, b.span)?;
    }
    lower
        .scattered(&x, dim, &index, &source, b, replace)
        .map(Value::Tensor)
}

/// `scatter_add(input, dim, index, src)`.
pub(super) fn scatter_add(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let x = b.tensor(lower, 0)?;
    let dim = b.dim(lower, 1, x.rank(), None)?.unwrap_or(0);
    let (index, source) = (lower.index_argument(b, 2)?, b.tensor(lower, 3)?);
    lower
        .scattered(&x, dim, &index, &source, b, accumulate)
        .map(Value::Tensor)
}

/// The slices along `dim` that a line of indices names, written with those of `source`.
fn index_write(
    lower: &mut Lower<'_>,
    b: &Bound,
    source: Option<Tensor>,
    write: fn(&mut Lower<'_>, NodeId, NodeId) -> Lowered<NodeId>,
) -> Lowered<Value> {
    let x = b.tensor(lower, 0)?;
    let dim = b.dim(lower, 1, x.rank(), None)?.unwrap_or(0);
    let index = lower.index_argument(b, 2)?;
    let wide = lower.spread_index(&index, dim, &x.shape, b)?;
    let source = match source {
        Some(source) if source.shape != wide.shape => {
            return Err(lower.fail(
                Draft::new(
                    Kind::Shape,
                    b.span_of(3),
                    "the source does not fit the index",
                )
                .expected(format!("shape {}", show_shape(&wide.shape)))
                .found(format!("shape {}", show_shape(&source.shape))),
            ));
        }
        Some(source) => source,
        None => {
            let value = b.tensor(lower, 3)?;
            lower.broadcast_to(&value, &wide.shape, b.span_of(3))?
        }
    };
    debug_assert_eq!(count(&wide.shape), source.len());
    lower
        .scattered(&x, dim, &wide, &source, b, write)
        .map(Value::Tensor)
}

/// `index_add(input, dim, index, source, alpha=1)`.
pub(super) fn index_add(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let source = b.tensor(lower, 3)?;
    let source = super::elementary::scaled(lower, b, source, 4)?;
    index_write(lower, b, Some(source), accumulate)
}

/// `index_copy(input, dim, index, source)`.
pub(super) fn index_copy(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let source = b.tensor(lower, 3)?;
    index_write(lower, b, Some(source), replace)
}

/// `index_fill(input, dim, index, value)`.
pub(super) fn index_fill(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    index_write(lower, b, None, replace)
}
