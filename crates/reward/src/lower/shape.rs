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

    /// Another shape: a view where the elements lie right for it, else a copy.
    pub(super) fn shaped(&mut self, x: &Tensor, shape: Vec<usize>) -> Lowered<Tensor> {
        self.allow(&shape)?;
        self.charge(x.len())?;
        Ok(match x.viewed(shape.clone()) {
            Some(view) => view,
            None => x.copied().reshaped(shape),
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
    lower.shaped(&x, shape).map(Value::Tensor)
}

/// `view(*shape)`: never a copy.
pub(super) fn view(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let x = b.tensor(lower, 0)?;
    if let Some(&Value::DType(dtype)) = b.get(1) {
        return lower.cast(&x, dtype).map(Value::Tensor);
    }
    let sizes = b.integers(lower, 1)?;
    view_of(lower, b, &x, &sizes)
}

fn view_of(lower: &mut Lower<'_>, b: &Bound, x: &Tensor, sizes: &[i64]) -> Lowered<Value> {
    let shape = lower.resolve_shape(sizes, x.len(), b.span)?;
    lower.allow(&shape)?;
    lower.charge(x.len())?;
    let Some(view) = x.viewed(shape.clone()) else {
        return Err(lower.fail(
            Draft::new(
                Kind::Shape,
                b.span,
                "these elements do not lie in memory as a view of this shape would need them",
            )
            .expected("a tensor whose elements lie in order, as `x.contiguous()` is")
            .found(format!(
                "a view of shape {} for shape {}",
                show_shape(&x.shape),
                show_shape(&shape)
            ))
            .help("use `.reshape(...)`, which copies where it has to"),
        ));
    };
    Ok(Value::Tensor(view))
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
        return Err(lower.fail(
            Draft::new(Kind::Index, b.span, "`flatten` ends before it starts")
                .help("swap the two dimensions"),
        ));
    }
    let mut shape = x.shape[..start].to_vec();
    shape.push(count(&x.shape[start..=end]));
    shape.extend_from_slice(&x.shape[end + 1..]);
    lower.shaped(&x, shape).map(Value::Tensor)
}

/// NumPy's method `flatten`: always a copy.
pub(super) fn flat_copy(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let x = b.tensor(lower, 0)?;
    lower.charge(x.len())?;
    Ok(Value::Tensor(x.copied().reshaped(vec![x.len()])))
}

/// `ravel`: a view of what lies in order, else a copy.
pub(super) fn ravel(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let x = b.tensor(lower, 0)?;
    lower.charge(x.len())?;
    let line = if x.is_contiguous() { x } else { x.copied() };
    Ok(Value::Tensor(line.reshaped(vec![line.len()])))
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

/// NumPy's `broadcast_to`: nobody may write to it.
pub(super) fn numpy_broadcast_to(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    Ok(match expand(lower, b)? {
        Value::Tensor(mut view) => {
            view.is_read_only = true;
            Value::Tensor(view)
        }
        other => other,
    })
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

/// `view_as(input, other)`.
pub(super) fn view_as(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let (x, other) = (b.tensor(lower, 0)?, b.tensor(lower, 1)?);
    let sizes: Vec<i64> = other.shape.iter().map(|&size| size as i64).collect();
    view_of(lower, b, &x, &sizes)
}

/// `reshape_as(input, other)`.
pub(super) fn reshape_as(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let (x, other) = (b.tensor(lower, 0)?, b.tensor(lower, 1)?);
    let sizes: Vec<i64> = other.shape.iter().map(|&size| size as i64).collect();
    let shape = lower.resolve_shape(&sizes, x.len(), b.span)?;
    lower.shaped(&x, shape).map(Value::Tensor)
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
