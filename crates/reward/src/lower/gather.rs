//! The elements that a subscript with known indices selects.

use super::expression::range_length;
use super::index::{Item, dims_used};
use super::{Lower, Lowered};
use crate::diagnostic::{Draft, Kind, Span};
use crate::tensor::{
    DType, Tensor, broadcast, broadcast_positions, count, show_shape, strided_positions, strides,
};

/// A part of the result's shape: its sizes and what each index adds to the position.
struct Axis {
    shape: Vec<usize>,
    offsets: Vec<usize>,
    /// Comes from an index tensor.
    gathered: bool,
}

impl Lower<'_> {
    pub(super) fn too_many_indices(&mut self, tensor: &Tensor, span: Span) -> super::Stop {
        self.fail(
            Draft::new(Kind::Index, span, "too many indices")
                .expected(format!("at most {} for this tensor", tensor.rank()))
                .shapes([tensor.shape.as_slice()])
                .help("one index for each dimension, counted from the left"),
        )
    }

    /// The elements that constant `items` select, as a view of the same storage.
    pub(super) fn gather(
        &mut self,
        tensor: &Tensor,
        items: Vec<Item>,
        span: Span,
    ) -> Lowered<Tensor> {
        let used: usize = items.iter().map(dims_used).sum();
        let ellipses = items
            .iter()
            .filter(|item| matches!(item, Item::Ellipsis))
            .count();
        if used > tensor.rank() || ellipses > 1 {
            return Err(self.too_many_indices(tensor, span));
        }
        let hidden = tensor.rank() - used;
        let own = strides(&tensor.shape);
        let whole = |dim: usize| Axis {
            shape: vec![tensor.shape[dim]],
            offsets: (0..tensor.shape[dim]).map(|i| i * own[dim]).collect(),
            gathered: false,
        };
        let mut axes: Vec<Axis> = Vec::new();
        let mut offset = 0;
        let mut dim = 0;
        // Beside index arrays NumPy takes an integer for one of them, PyTorch does not.
        let joins_integers =
            tensor.form.is_numpy() && items.iter().any(|item| matches!(item, Item::Tensor(..)));
        for item in items {
            match item {
                Item::Int(index, span) => {
                    let place = self.in_range(index, tensor, dim, span)? * own[dim];
                    if joins_integers {
                        axes.push(Axis {
                            shape: Vec::new(),
                            offsets: vec![place],
                            gathered: true,
                        });
                    } else {
                        offset += place;
                    }
                    dim += 1;
                }
                Item::Slice { lower, upper, step } => {
                    let (first, length) =
                        self.slice_bounds(tensor.shape[dim], lower, upper, step, span)?;
                    if step < 0 && !tensor.form.is_numpy() {
                        return Err(self.fail(
                            Draft::new(Kind::Index, span, "tensors have no negative steps").help(
                                "use `.flip(dim)`, for example `.flip(1)` to go back in time",
                            ),
                        ));
                    }
                    let offsets = (0..length as i64)
                        .map(|i| (first + i * step) as usize * own[dim])
                        .collect();
                    axes.push(Axis {
                        shape: vec![length],
                        offsets,
                        gathered: false,
                    });
                    dim += 1;
                }
                Item::NewAxis => {
                    axes.push(Axis {
                        shape: vec![1],
                        offsets: vec![0],
                        gathered: false,
                    });
                }
                Item::Ellipsis => {
                    axes.extend((dim..dim + hidden).map(whole));
                    dim += hidden;
                }
                Item::Tensor(index, span) => {
                    let (axis, dims) = self.index_axis(tensor, dim, &index, &own, span)?;
                    axes.push(axis);
                    dim += dims;
                }
            }
        }
        axes.extend((dim..tensor.rank()).map(whole));
        let axes = self.join_gathered(axes, span)?;
        let shape: Vec<usize> = axes.iter().flat_map(|axis| axis.shape.clone()).collect();
        self.allow(&shape)?;
        let mut positions = vec![offset];
        for axis in &axes {
            positions = positions
                .iter()
                .flat_map(|start| axis.offsets.iter().map(move |offset| start + offset))
                .collect();
        }
        Ok(tensor.view(shape, &positions))
    }

    /// The axis that an index tensor or a mask makes, and how many dimensions it uses up.
    fn index_axis(
        &mut self,
        tensor: &Tensor,
        dim: usize,
        index: &Tensor,
        own: &[usize],
        span: Span,
    ) -> Lowered<(Axis, usize)> {
        self.charge(index.len())?;
        let values = self.constants_of(index).unwrap_or_default();
        if index.dtype == DType::Bool {
            let dims = index.rank();
            if tensor.shape[dim..dim + dims] != index.shape[..] {
                return Err(self.fail(
                    Draft::new(Kind::Shape, span, "the mask does not fit the tensor")
                        .expected(format!(
                            "shape {}",
                            show_shape(&tensor.shape[dim..dim + dims])
                        ))
                        .found(format!("shape {}", show_shape(&index.shape))),
                ));
            }
            let all = strided_positions(&index.shape, &own[dim..dim + dims], 0);
            let offsets: Vec<usize> = all
                .into_iter()
                .zip(&values)
                .filter(|(_, v)| **v != 0.0)
                .map(|(o, _)| o)
                .collect();
            return Ok((
                Axis {
                    shape: vec![offsets.len()],
                    offsets,
                    gathered: true,
                },
                dims,
            ));
        }
        let mut offsets = Vec::with_capacity(values.len());
        for value in values {
            offsets.push(self.in_range(value as i64, tensor, dim, span)? * own[dim]);
        }
        Ok((
            Axis {
                shape: index.shape.clone(),
                offsets,
                gathered: true,
            },
            1,
        ))
    }

    /// Several index tensors are taken together, element by element.
    fn join_gathered(&mut self, axes: Vec<Axis>, span: Span) -> Lowered<Vec<Axis>> {
        let places: Vec<usize> = axes
            .iter()
            .enumerate()
            .filter(|(_, a)| a.gathered)
            .map(|(i, _)| i)
            .collect();
        let (Some(&first), Some(&last)) = (places.first(), places.last()) else {
            return Ok(axes);
        };
        if places.len() == 1 {
            return Ok(axes);
        }
        let adjacent = last - first + 1 == places.len();
        let (gathered, mut rest): (Vec<Axis>, Vec<Axis>) =
            axes.into_iter().partition(|axis| axis.gathered);
        let mut joint = Axis {
            shape: Vec::new(),
            offsets: vec![0],
            gathered: true,
        };
        for axis in gathered {
            let Some(shape) = broadcast(&joint.shape, &axis.shape) else {
                return Err(self.fail(
                    Draft::new(Kind::Shape, span, "the index tensors do not fit together").found(
                        format!(
                            "{} and {}",
                            show_shape(&joint.shape),
                            show_shape(&axis.shape)
                        ),
                    ),
                ));
            };
            self.allow(&shape)?;
            let a = broadcast_positions(&joint.shape, &shape);
            let b = broadcast_positions(&axis.shape, &shape);
            joint.offsets = a
                .iter()
                .zip(&b)
                .map(|(&a, &b)| joint.offsets[a] + axis.offsets[b])
                .collect();
            joint.shape = shape;
        }
        debug_assert_eq!(count(&joint.shape), joint.offsets.len());
        rest.insert(if adjacent { first } else { 0 }, joint);
        Ok(rest)
    }

    fn in_range(&mut self, index: i64, tensor: &Tensor, dim: usize, span: Span) -> Lowered<usize> {
        let size = tensor.shape[dim];
        match wrap_index(index, size) {
            Some(index) => Ok(index),
            None => Err(self.fail(
                Draft::new(
                    Kind::Index,
                    span,
                    format!("index {index} is out of range in dimension {dim}"),
                )
                .expected(match size {
                    0 => "no index: the dimension is empty".to_owned(),
                    _ => format!("-{size} to {}", size - 1),
                })
                .found(format!(
                    "{index} for a tensor of shape {}",
                    show_shape(&tensor.shape)
                ))
                .help(match (tensor.rank() - dim, size) {
                    (1, 3) => "x is 0, y is 1, z is 2; there is no rotation or gripper",
                    (_, 1) => "there is one entry: use 0",
                    _ => "the last entry is -1",
                }),
            )),
        }
    }

    /// The first index and the length that a slice selects from `size` entries.
    pub(super) fn slice_bounds(
        &mut self,
        size: usize,
        lower: Option<i64>,
        upper: Option<i64>,
        step: i64,
        span: Span,
    ) -> Lowered<(i64, usize)> {
        if step == 0 {
            return Err(self.fail(
                Draft::new(Kind::Index, span, "a slice step cannot be zero")
                    .help("leave the step out, or give one of at least 1"),
            ));
        }
        let size = size as i64;
        let clip = |bound: i64, low: i64, high: i64| {
            (if bound < 0 {
                bound.saturating_add(size)
            } else {
                bound
            })
            .clamp(low, high)
        };
        let (low, high) = if step > 0 { (0, size) } else { (-1, size - 1) };
        let first = lower.map_or(if step > 0 { low } else { high }, |b| clip(b, low, high));
        let last = upper.map_or(if step > 0 { high } else { low }, |b| clip(b, low, high));
        Ok((first, range_length(first, last, step)))
    }
}

/// An index counted from the front, if it is in range.
pub(super) fn wrap_index(index: i64, size: usize) -> Option<usize> {
    let size = i64::try_from(size).ok()?;
    (-size..size)
        .contains(&index)
        .then(|| index.rem_euclid(size) as usize)
}
