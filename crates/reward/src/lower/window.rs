//! Sliding windows, padding, pooling and convolution along the last dimensions.

use super::arguments::Bound;
use super::reduce::mean_nodes;
use super::value::Value;
use super::{Lower, Lowered};
use crate::diagnostic::{Draft, Kind};
use crate::graph::NodeId;
use crate::op::Op;
use crate::tensor::{DType, Tensor, show_shape, strided_positions, strides};

/// Windows of `size` along `dim`, `step` apart, in a new last dimension. A view.
fn windows(
    lower: &mut Lower<'_>,
    b: &Bound,
    x: &Tensor,
    dim: usize,
    size: i64,
    step: i64,
) -> Lowered<Tensor> {
    let length = x.shape.get(dim).copied().unwrap_or(1) as i64;
    if size < 0 || size > length || step < 1 {
        return Err(lower.fail(
            Draft::new(Kind::Shape, b.span, "the window does not fit the dimension")
                .expected(format!(
                    "a window of at most {length} and a step of at least 1"
                ))
                .found(format!("a window of {size} and a step of {step}")),
        ));
    }
    let mut steps = strides(&x.shape);
    let mut shape = x.shape.clone();
    let own = steps.get(dim).copied().unwrap_or(1);
    if let (Some(slot), Some(stride)) = (shape.get_mut(dim), steps.get_mut(dim)) {
        *slot = ((length - size) / step + 1) as usize;
        *stride *= step as usize;
    }
    shape.push(size as usize);
    steps.push(own);
    lower.allow(&shape)?;
    let positions = strided_positions(&shape, &steps, 0);
    Ok(x.view(shape, &positions))
}

/// `x.unfold(dimension, size, step)`.
pub(super) fn unfold(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let x = b.tensor(lower, 0)?;
    let dim = b.dim(lower, 1, x.rank(), None)?.unwrap_or(0);
    let (size, step) = (b.integer(lower, 2, 1)?, b.integer(lower, 3, 1)?);
    windows(lower, b, &x, dim, size, step).map(Value::Tensor)
}

/// How the places beyond the ends are filled.
#[derive(Clone, Copy)]
enum Fill {
    Constant(f64),
    Replicate,
    Reflect,
    Circular,
}

/// The place inside `size` that a place beyond the ends repeats.
fn source(fill: Fill, place: i64, size: i64) -> Option<i64> {
    if (0..size).contains(&place) {
        return Some(place);
    }
    match fill {
        Fill::Constant(_) => None,
        Fill::Replicate => Some(place.clamp(0, size - 1)),
        Fill::Reflect if place < 0 => Some(-place),
        Fill::Reflect => Some(2 * (size - 1) - place),
        Fill::Circular => Some(place.rem_euclid(size)),
    }
}

/// `x` with `before` and `after` more places along `dim`; negative ones are cut off.
fn padded(
    lower: &mut Lower<'_>,
    b: &Bound,
    x: &Tensor,
    dim: usize,
    (before, after): (i64, i64),
    fill: Fill,
) -> Lowered<Tensor> {
    let size = x.shape[dim] as i64;
    let most = match fill {
        Fill::Constant(_) => i64::MAX,
        Fill::Replicate if size > 0 => i64::MAX,
        Fill::Reflect => size - 1,
        Fill::Circular => size,
        Fill::Replicate => 0,
    };
    let length = size.checked_add(before).and_then(|l| l.checked_add(after));
    let Some(length) = length.filter(|&l| l >= 0 && before.max(after) <= most) else {
        return Err(lower.fail(
            Draft::new(
                Kind::Shape,
                b.span,
                "the padding does not fit the dimension",
            )
            .expected(format!("at most {most} places at each end"))
            .found(format!("{before} and {after} for a size of {size}")),
        ));
    };
    let mut shape = x.shape.clone();
    shape[dim] = usize::try_from(length).unwrap_or(usize::MAX);
    lower.allow(&shape)?;
    let blank = lower.constant(match fill {
        Fill::Constant(value) => value,
        _ => 0.0,
    })?;
    let line: Vec<Option<i64>> = (0..length)
        .map(|i| source(fill, i - before, size))
        .collect();
    let (nodes, own, steps) = (x.nodes(), strides(&x.shape), strides(&shape));
    let padded = (0..crate::tensor::count(&shape))
        .map(|position| {
            let mut from = 0;
            for d in 0..shape.len() {
                let place = position / steps[d] % shape[d];
                if d != dim {
                    from += place * own[d];
                } else if let Some(place) = line[place] {
                    from += place as usize * own[d];
                } else {
                    return blank;
                }
            }
            nodes[from]
        })
        .collect();
    Ok(Tensor::new(shape, padded, x.dtype))
}

/// `pad(input, pad, mode='constant', value=0)`: pairs from the last dimension on.
pub(super) fn pad(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let mut x = b.tensor(lower, 0)?;
    let amounts = b.integers(lower, 1)?;
    let value = b.number(lower, 3, 0.0)?;
    let mode = match b.get(2) {
        Some(Value::Str(mode)) => mode.to_string(),
        _ => "constant".to_owned(),
    };
    let fill = match mode.as_str() {
        "constant" => Fill::Constant(value),
        "replicate" => Fill::Replicate,
        "reflect" => Fill::Reflect,
        "circular" => Fill::Circular,
        _ => {
            return Err(lower.fail(
                Draft::new(Kind::Argument, b.span_of(2), "this padding does not exist")
                    .expected("'constant', 'replicate', 'reflect' or 'circular'")
                    .found(mode),
            ));
        }
    };
    // PyTorch pads by repetition only behind one or two leading dimensions.
    let lead = match fill {
        Fill::Constant(_) => 0,
        _ => 1,
    };
    let pairs = amounts.len() / 2;
    if !amounts.len().is_multiple_of(2)
        || pairs + lead > x.rank()
        || x.rank() > pairs + 2 && lead > 0
    {
        return Err(lower.fail(
            Draft::new(
                Kind::Shape,
                b.span_of(1),
                "the padding does not fit the tensor",
            )
            .expected("two numbers for each dimension, the last one first")
            .found(format!(
                "{} for shape {}",
                amounts.len(),
                show_shape(&x.shape)
            ))
            .help("use `torch.cat([x[:, :1], x], dim=1)` to repeat an end"),
        ));
    }
    for (position, pair) in amounts.chunks_exact(2).enumerate() {
        let dim = x.rank() - 1 - position;
        x = padded(lower, b, &x, dim, (pair[0], pair[1]), fill)?;
    }
    Ok(Value::Tensor(x))
}

/// `avg_pool1d` and `max_pool1d(input, kernel_size, stride=None, padding=0)`.
fn pooled(
    lower: &mut Lower<'_>,
    b: &Bound,
    blank: f64,
    combine: fn(&mut Lower<'_>, &[NodeId]) -> Lowered<NodeId>,
) -> Lowered<Value> {
    let x = b.tensor(lower, 0)?;
    if !(2..=3).contains(&x.rank()) {
        return Err(needs_channels(lower, b, &x));
    }
    let one = |lower: &mut Lower<'_>, position: usize, default: i64| -> Lowered<i64> {
        match b.integers(lower, position)?.as_slice() {
            &[value] => Ok(value),
            _ => Ok(default),
        }
    };
    let size = one(lower, 1, 1)?;
    let (stride, padding) = (one(lower, 2, size)?, one(lower, 3, 0)?);
    if padding < 0 || padding > size / 2 {
        return Err(lower.fail(
            Draft::new(
                Kind::Argument,
                b.span_of(3),
                "the padding is at most half the window",
            )
            .found(format!("{padding} for a window of {size}")),
        ));
    }
    let last = x.rank() - 1;
    let x = padded(
        lower,
        b,
        &x,
        last,
        (padding, padding),
        Fill::Constant(blank),
    )?;
    let views = windows(lower, b, &x, last, size, stride)?;
    lower
        .reduce(&views, &[last + 1], false, x.dtype, combine)
        .map(Value::Tensor)
}

fn needs_channels(lower: &mut Lower<'_>, b: &Bound, x: &Tensor) -> super::Stop {
    lower.fail(
        Draft::new(
            Kind::Shape,
            b.span,
            format!("`{}` needs channels and time", b.name),
        )
        .expected("(channels, time) or (batch, channels, time)")
        .found(format!("shape {}", show_shape(&x.shape)))
        .help("write `action_sequence.transpose(1, 2)`"),
    )
}

pub(super) fn avg_pool1d(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    pooled(lower, b, 0.0, mean_nodes)
}

pub(super) fn max_pool1d(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    pooled(lower, b, f64::NEG_INFINITY, |lower, members| {
        Ok(super::extremes::best(lower, members, true)?.0)
    })
}

/// `conv1d(input, weight, bias=None, stride=1, padding=0, dilation=1, groups=1)`.
pub(super) fn conv1d(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let (x, weight) = (b.tensor(lower, 0)?, b.tensor(lower, 1)?);
    if !(2..=3).contains(&x.rank()) {
        return Err(needs_channels(lower, b, &x));
    }
    let one = |lower: &mut Lower<'_>, position: usize, default: i64| -> Lowered<i64> {
        match b.integers(lower, position)?.as_slice() {
            &[value] => Ok(value),
            _ => Ok(default),
        }
    };
    let (stride, dilation, groups) = (one(lower, 3, 1)?, one(lower, 5, 1)?, one(lower, 6, 1)?);
    let channels = x.shape[x.rank() - 2];
    let groups = usize::try_from(groups).unwrap_or(0);
    let fits = groups > 0
        && weight.rank() == 3
        && weight.shape[1].checked_mul(groups) == Some(channels)
        && weight.shape[0].is_multiple_of(groups)
        && weight.shape[2] > 0
        && stride > 0
        && (1..=i64::from(u16::MAX)).contains(&dilation);
    if !fits {
        return Err(lower.fail(
            Draft::new(Kind::Shape, b.span, "the weight does not fit the input")
                .expected(format!(
                    "(out channels, {channels} / groups, window), and a positive stride"
                ))
                .found(format!(
                    "shape {} and {groups} groups",
                    show_shape(&weight.shape)
                )),
        ));
    }
    let (filters, inner, taps) = (weight.shape[0], weight.shape[1], weight.shape[2]);
    let span = (taps as i64 - 1) * dilation + 1;
    let padding = match b.get(4) {
        Some(Value::Str(how)) if &**how == "same" => ((span - 1) / 2, span - 1 - (span - 1) / 2),
        Some(Value::Str(_)) => (0, 0),
        _ => {
            let padding = one(lower, 4, 0)?.max(0);
            (padding, padding)
        }
    };
    let last = x.rank() - 1;
    let x = padded(lower, b, &x, last, padding, Fill::Constant(0.0))?;
    let views = windows(lower, b, &x, last, span, stride)?;
    let mut shape = views.shape.clone();
    shape.pop();
    let length = shape[last];
    shape[last - 1] = filters;
    lower.allow(&shape)?;
    let batch: usize = shape[..last - 1].iter().product();
    lower.charge(
        batch
            .saturating_mul(filters * length)
            .saturating_mul(inner * taps),
    )?;
    let (elements, weights) = (views.nodes(), weight.nodes());
    let bias = match b.get(2) {
        Some(_) => {
            let bias = b.tensor(lower, 2)?;
            Some(lower.broadcast_to(&bias, &[filters], b.span_of(2))?.nodes())
        }
        None => None,
    };
    let width = span as usize;
    let mut nodes = Vec::new();
    for item in 0..batch {
        for filter in 0..filters {
            let first = filter / (filters / groups) * inner;
            for time in 0..length {
                let mut terms = Vec::with_capacity(inner * taps + 1);
                for channel in 0..inner {
                    let row = (item * channels + first + channel) * length + time;
                    for tap in 0..taps {
                        let element = elements[row * width + tap * dilation as usize];
                        let weight = weights[(filter * inner + channel) * taps + tap];
                        terms.push(lower.node(Op::Mul, &[element, weight])?);
                    }
                }
                terms.extend(bias.as_ref().map(|bias| bias[filter]));
                nodes.push(lower.sum_nodes(&terms)?);
            }
        }
    }
    Ok(Value::Tensor(Tensor::new(shape, nodes, DType::Float)))
}

/// `linear(input, weight, bias=None) = input @ weight.T + bias`.
pub(super) fn linear(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let (x, weight) = (b.tensor(lower, 0)?, b.tensor(lower, 1)?);
    let weight = lower.transposed(&weight)?;
    let product = lower.matmul(&x, &weight, b.span)?;
    match b.get(2) {
        Some(_) => {
            let bias = b.tensor(lower, 2)?;
            lower
                .binary(Op::Add, &product, &bias, b.span)
                .map(Value::Tensor)
        }
        None => Ok(Value::Tensor(product)),
    }
}

/// NumPy's `convolve(a, v, mode='full')` of two vectors.
pub(super) fn convolve(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let (x, kernel) = (b.tensor(lower, 0)?, b.tensor(lower, 1)?);
    if x.rank() != 1 || kernel.rank() != 1 || x.len() == 0 || kernel.len() == 0 {
        return Err(lower.fail(
            Draft::new(Kind::Shape, b.span, "`convolve` needs two vectors")
                .found(format!(
                    "{} and {}",
                    show_shape(&x.shape),
                    show_shape(&kernel.shape)
                ))
                .help("use `F.conv1d`, or slices: `(x[:, :-1] + x[:, 1:]) / 2`"),
        ));
    }
    let (n, m) = (x.len(), kernel.len());
    let (first, length) = match b.get(2) {
        Some(Value::Str(mode)) if &**mode == "same" => ((n.min(m) - 1) / 2, n.max(m)),
        Some(Value::Str(mode)) if &**mode == "valid" => (n.min(m) - 1, n.max(m) - n.min(m) + 1),
        _ => (0, n + m - 1),
    };
    lower.charge(n.saturating_mul(m))?;
    let (a, v) = (x.nodes(), kernel.nodes());
    let mut nodes = Vec::with_capacity(length);
    for place in first..first + length {
        let mut terms = Vec::new();
        for i in place.saturating_sub(m - 1)..=place.min(n - 1) {
            terms.push(lower.node(Op::Mul, &[a[i], v[place - i]])?);
        }
        nodes.push(lower.sum_nodes(&terms)?);
    }
    Ok(Value::Tensor(Tensor::new(
        vec![length],
        nodes,
        DType::Float,
    )))
}
