//! Operations that only rearrange elements.

use super::arguments::Bound;
use super::expression::select;
use super::value::Value;
use super::{Lower, Lowered};
use crate::diagnostic::{Draft, Kind, Span};
use crate::tensor::{Tensor, broadcast_positions, count, show_shape, strided_positions, strides};

impl Lower<'_> {
    /// A shape argument in which one size may be -1.
    fn resolve_shape(&mut self, sizes: &[i64], total: usize, span: Span) -> Lowered<Vec<usize>> {
        let known: usize = count(
            &sizes
                .iter()
                .filter_map(|&s| usize::try_from(s).ok())
                .collect::<Vec<_>>(),
        );
        let open = sizes.iter().filter(|&&size| size == -1).count();
        let valid = sizes.iter().all(|&size| size >= -1);
        let shape: Option<Vec<usize>> = match open {
            0 if valid && known == total => sizes
                .iter()
                .map(|&size| usize::try_from(size).ok())
                .collect(),
            1 if valid && known > 0 && total.is_multiple_of(known) => Some(
                sizes
                    .iter()
                    .map(|&s| usize::try_from(s).unwrap_or(total / known))
                    .collect(),
            ),
            _ => None,
        };
        shape.ok_or_else(|| {
            let sizes: Vec<String> = sizes.iter().map(i64::to_string).collect();
            self.fail(
                Draft::new(
                    Kind::Shape,
                    span,
                    "the new shape holds another number of elements",
                )
                .expected(format!("{total} elements"))
                .found(format!("({})", sizes.join(", ")))
                .help("let one size follow from the others: -1"),
            )
        })
    }

    pub(super) fn permuted(&mut self, x: &Tensor, order: &[usize]) -> Lowered<Tensor> {
        self.charge(x.len())?;
        let own = strides(&x.shape);
        let shape: Vec<usize> = order.iter().map(|&d| x.shape[d]).collect();
        let steps: Vec<usize> = order.iter().map(|&d| own[d]).collect();
        let positions = strided_positions(&shape, &steps, 0);
        Ok(x.view(shape, &positions))
    }
}

pub(super) fn reshape(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let x = b.tensor(lower, 0)?;
    if let Some(&Value::DType(dtype)) = b.get(1) {
        return lower.cast(&x, dtype).map(Value::Tensor);
    }
    let sizes = b.integers(lower, 1)?;
    let shape = lower.resolve_shape(&sizes, x.len(), b.span)?;
    lower.allow(&shape)?;
    Ok(Value::Tensor(x.reshaped(shape)))
}

/// `flatten(input, start_dim=0, end_dim=-1)`.
pub(super) fn flatten(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let x = b.tensor(lower, 0)?;
    if x.rank() == 0 {
        return Ok(Value::Tensor(x.reshaped(vec![1])));
    }
    let start = b.dim(lower, 1, x.rank(), Some(0))?.unwrap_or(0);
    let end = b.dim(lower, 2, x.rank(), Some(-1))?.unwrap_or(0);
    if start > end {
        return Err(lower.fail(Draft::new(
            Kind::Index,
            b.span,
            "`flatten` ends before it starts",
        )));
    }
    let mut shape = x.shape[..start].to_vec();
    shape.push(count(&x.shape[start..=end]));
    shape.extend_from_slice(&x.shape[end + 1..]);
    Ok(Value::Tensor(x.reshaped(shape)))
}

pub(super) fn squeeze(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let x = b.tensor(lower, 0)?;
    let dims = lower.dims(b, 1, x.rank())?;
    let kept = (0..x.rank()).filter(|d| !(dims.contains(d) && x.shape[*d] == 1));
    let shape = kept.map(|d| x.shape[d]).collect();
    Ok(Value::Tensor(x.reshaped(shape)))
}

pub(super) fn unsqueeze(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let x = b.tensor(lower, 0)?;
    let dim = b.dim(lower, 1, x.rank() + 1, None)?.unwrap_or(0);
    let mut shape = x.shape.clone();
    shape.insert(dim, 1);
    lower.allow(&shape)?;
    Ok(Value::Tensor(x.reshaped(shape)))
}

/// `permute(dims)`; NumPy's `transpose` without axes reverses them.
pub(super) fn permute(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let x = b.tensor(lower, 0)?;
    let given = b.integers(lower, 1)?;
    let mut order = Vec::with_capacity(given.len());
    for dim in &given {
        order.push(lower.wrap_dim(*dim, x.rank(), b.span)?);
    }
    if given.is_empty() {
        order = (0..x.rank()).rev().collect();
    }
    let mut sorted = order.clone();
    sorted.sort_unstable();
    if sorted != (0..x.rank()).collect::<Vec<_>>() {
        return Err(lower.fail(
            Draft::new(
                Kind::Index,
                b.span,
                "a permutation names every dimension once",
            )
            .expected(format!("{} dimensions", x.rank()))
            .found(format!("{}", given.len()))
            .help("name all of them, or use `.transpose(dim0, dim1)`"),
        ));
    }
    lower.permuted(&x, &order).map(Value::Tensor)
}

pub(super) fn transpose(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let x = b.tensor(lower, 0)?;
    let first = b.dim(lower, 1, x.rank(), None)?.unwrap_or(0);
    let second = b.dim(lower, 2, x.rank(), None)?.unwrap_or(0);
    let mut order: Vec<usize> = (0..x.rank()).collect();
    if !order.is_empty() {
        order.swap(first, second);
    }
    lower.permuted(&x, &order).map(Value::Tensor)
}

/// `t()`: the transpose of a matrix.
pub(super) fn matrix_transpose(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let x = b.tensor(lower, 0)?;
    if x.rank() > 2 {
        return Err(lower.fail(
            Draft::new(Kind::Shape, b.span, "`t` needs at most two dimensions")
                .found(format!("shape {}", show_shape(&x.shape)))
                .help("use `transpose(-2, -1)`"),
        ));
    }
    let order: Vec<usize> = (0..x.rank()).rev().collect();
    lower.permuted(&x, &order).map(Value::Tensor)
}

/// `movedim(input, source, destination)`: ints, or lists of as many.
pub(super) fn movedim(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let x = b.tensor(lower, 0)?;
    let (source, destination) = (lower.dims(b, 1, x.rank())?, lower.dims(b, 2, x.rank())?);
    if source.len() != destination.len() {
        return Err(lower.fail(
            Draft::new(
                Kind::Argument,
                b.span,
                "every dimension needs a destination",
            )
            .found(format!("{} for {}", destination.len(), source.len())),
        ));
    }
    let mut rest = (0..x.rank()).filter(|d| !source.contains(d));
    let order: Vec<usize> = (0..x.rank())
        .filter_map(|place| match destination.iter().position(|&d| d == place) {
            Some(position) => source.get(position).copied(),
            None => rest.next(),
        })
        .collect();
    lower.permuted(&x, &order).map(Value::Tensor)
}

/// `expand(sizes)`: -1 keeps a size.
pub(super) fn expand(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let x = b.tensor(lower, 0)?;
    let sizes = b.integers(lower, 1)?;
    let lead = sizes.len().saturating_sub(x.rank());
    let fits = sizes.len() >= x.rank()
        && sizes.iter().enumerate().all(|(d, &size)| {
            size >= 0 && (d < lead || x.shape[d - lead] == 1 || x.shape[d - lead] as i64 == size)
                || size == -1 && d >= lead
        });
    if !fits {
        let sizes: Vec<String> = sizes.iter().map(i64::to_string).collect();
        return Err(lower.fail(
            Draft::new(
                Kind::Shape,
                b.span,
                "only dimensions of size 1 can be expanded",
            )
            .expected(format!(
                "sizes that shape {} broadcasts to",
                show_shape(&x.shape)
            ))
            .found(format!("({})", sizes.join(", ")))
            .help("index one entry first: `x[0]`"),
        ));
    }
    let shape: Vec<usize> = sizes
        .iter()
        .enumerate()
        .map(|(d, &size)| {
            if size < 0 {
                x.shape[d - lead]
            } else {
                size as usize
            }
        })
        .collect();
    lower.allow(&shape)?;
    let positions = broadcast_positions(&x.shape, &shape);
    Ok(Value::Tensor(x.view(shape, &positions)))
}

pub(super) fn expand_as(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let (x, other) = (b.tensor(lower, 0)?, b.tensor(lower, 1)?);
    lower
        .broadcast_to(&x, &other.shape, b.span)
        .map(Value::Tensor)
}

/// `repeat(sizes)` and `tile`: whole copies, one after another.
pub(super) fn repeat(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let x = b.tensor(lower, 0)?;
    let mut times = b.integers(lower, 1)?;
    while times.len() < x.rank() {
        times.insert(0, 1);
    }
    let lead = times.len() - x.rank();
    let mut shape = vec![1; lead];
    shape.extend_from_slice(&x.shape);
    let mut target = Vec::with_capacity(shape.len());
    for (&size, &times) in shape.iter().zip(&times) {
        target.push(size.saturating_mul(usize::try_from(times).unwrap_or(0)));
    }
    lower.allow(&target)?;
    let own = strides(&shape);
    let steps = strides(&target);
    let nodes = x.nodes();
    let repeated = (0..count(&target))
        .map(|position| {
            let from: usize = (0..shape.len())
                .map(|d| position / steps[d] % target[d] % shape[d] * own[d])
                .sum();
            nodes[from]
        })
        .collect();
    Ok(Value::Tensor(Tensor::new(target, repeated, x.dtype)))
}

fn flipped(lower: &mut Lower<'_>, x: &Tensor, dims: &[usize]) -> Lowered<Value> {
    lower.charge(x.len())?;
    Ok(Value::Tensor(moved(x, |d, i, size| {
        if dims.contains(&d) { size - 1 - i } else { i }
    })))
}

/// `flip(input, *dims)`.
pub(super) fn flip(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let x = b.tensor(lower, 0)?;
    let mut dims = Vec::new();
    for dim in b.integers(lower, 1)? {
        dims.push(lower.wrap_dim(dim, x.rank(), b.span)?);
    }
    flipped(lower, &x, &dims)
}

/// NumPy's `flip(a, axis=None)`: of all axes by default.
pub(super) fn numpy_flip(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let x = b.tensor(lower, 0)?;
    let dims = lower.dims(b, 1, x.rank())?;
    flipped(lower, &x, &dims)
}

fn flip_one(lower: &mut Lower<'_>, b: &Bound, dim: usize) -> Lowered<Value> {
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
    flipped(lower, &x, &[dim])
}

pub(super) fn flipud(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    flip_one(lower, b, 0)
}

pub(super) fn fliplr(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    flip_one(lower, b, 1)
}

/// `rot90(input, k=1, dims=(0, 1))`: a quarter turn from the first dimension to the second.
pub(super) fn rot90(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
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
        1 => lower.permuted(&moved(&x, reversed(&[second])), &order)?,
        2 => moved(&x, reversed(&[first, second])),
        3 => lower.permuted(&moved(&x, reversed(&[first])), &order)?,
        _ => moved(&x, |_, i, _| i),
    };
    Ok(Value::Tensor(turned))
}

fn reversed(dims: &[usize]) -> impl Fn(usize, usize, usize) -> usize + '_ {
    |d, i, size| if dims.contains(&d) { size - 1 - i } else { i }
}

/// `repeat_interleave(input, repeats, dim=None)`: every slice so many times in a row.
pub(super) fn repeat_interleave(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let x = b.tensor(lower, 0)?;
    let times = b.tensor(lower, 1)?;
    let (x, dim) = match b.dim(lower, 2, x.rank(), None)? {
        Some(dim) => (x, dim),
        None => (x.reshaped(vec![x.len()]), 0),
    };
    let size = x.shape.get(dim).copied().unwrap_or(1);
    let known = lower.constants_of(&times).unwrap_or_default();
    let fits = known.len() == 1 || known.len() == size;
    if !fits || known.iter().any(|&t| t < 0.0 || t.fract() != 0.0) || x.rank() == 0 {
        return Err(lower.fail(
            Draft::new(
                Kind::Argument,
                b.span_of(1),
                "the repeats do not fit the dimension",
            )
            .expected(format!("one int, or {size}, known before the robot moves"))
            .found(Value::Tensor(times).describe()),
        ));
    }
    let total: f64 = (0..size).map(|i| known[i % known.len()]).sum();
    let mut shape = x.shape.clone();
    shape[dim] = if total < 1e9 {
        total as usize
    } else {
        usize::MAX
    };
    lower.allow(&shape)?;
    let line: Vec<usize> = (0..size)
        .flat_map(|i| std::iter::repeat_n(i, known[i % known.len()] as usize))
        .collect();
    let (own, steps) = (strides(&x.shape), strides(&shape));
    let nodes = x.nodes();
    let repeated = (0..count(&shape))
        .map(|position| {
            let from: usize = (0..shape.len())
                .map(|d| {
                    let i = position / steps[d] % shape[d];
                    (if d == dim { line[i] } else { i }) * own[d]
                })
                .sum();
            nodes[from]
        })
        .collect();
    Ok(Value::Tensor(Tensor::new(shape, repeated, x.dtype)))
}

/// `unflatten(input, dim, sizes)`: one dimension becomes several.
pub(super) fn unflatten(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let x = b.tensor(lower, 0)?;
    let dim = b.dim(lower, 1, x.rank(), None)?.unwrap_or(0);
    let sizes = b.integers(lower, 2)?;
    let own = x.shape.get(dim).copied().unwrap_or(1);
    let parts = lower.resolve_shape(&sizes, own, b.span)?;
    let mut shape = x.shape.clone();
    if x.rank() > 0 {
        shape.splice(dim..=dim, parts);
    }
    lower.allow(&shape)?;
    Ok(Value::Tensor(x.reshaped(shape)))
}

/// `view_as` and `reshape_as(input, other)`.
pub(super) fn view_as(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let (x, other) = (b.tensor(lower, 0)?, b.tensor(lower, 1)?);
    let sizes: Vec<i64> = other.shape.iter().map(|&size| size as i64).collect();
    let shape = lower.resolve_shape(&sizes, x.len(), b.span)?;
    Ok(Value::Tensor(x.reshaped(shape)))
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
    let steps = strides(&x.shape);
    let nodes = x.nodes();
    let moved = (0..x.len())
        .map(|position| {
            let source: usize = (0..x.rank())
                .map(|d| from(d, position / steps[d] % x.shape[d], x.shape[d]) * steps[d])
                .sum();
            nodes[source]
        })
        .collect();
    Tensor::new(x.shape.clone(), moved, x.dtype)
}

pub(super) fn select_(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let x = b.tensor(lower, 0)?;
    let dim = b.dim(lower, 1, x.rank(), None)?.unwrap_or(0);
    let index = b.integer(lower, 2, 0)?;
    let size = x.shape.get(dim).copied().unwrap_or(0) as i64;
    if !(-size..size).contains(&index) {
        return Err(lower.fail(
            Draft::new(
                Kind::Index,
                b.span_of(2),
                format!("index {index} is out of range"),
            )
            .expected(format!("-{size} to {}", size - 1)),
        ));
    }
    lower.charge(x.len())?;
    Ok(Value::Tensor(select(
        &x,
        dim,
        index.rem_euclid(size) as usize,
    )))
}

pub(super) fn size(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let x = b.tensor(lower, 0)?;
    match b.dim(lower, 1, x.rank(), None)? {
        Some(dim) => Ok(Value::Int(x.shape.get(dim).copied().unwrap_or(1) as i64)),
        None => Ok(Value::tuple(
            x.shape.iter().map(|&s| Value::Int(s as i64)).collect(),
        )),
    }
}

pub(super) fn numel(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let x = b.tensor(lower, 0)?;
    Ok(Value::Int(x.len() as i64))
}

pub(super) fn rank(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let x = b.tensor(lower, 0)?;
    Ok(Value::Int(x.rank() as i64))
}
