//! Tensors made from numbers.

use super::arguments::Bound;
use super::value::Value;
use super::{Lower, Lowered, convert};
use crate::diagnostic::{Draft, Kind, Span};
use crate::op::Op;
use crate::tensor::{DType, Form, Tensor};

impl Lower<'_> {
    pub(super) fn filled(
        &mut self,
        shape: Vec<usize>,
        value: f64,
        dtype: DType,
    ) -> Lowered<Tensor> {
        self.allow(&shape)?;
        let node = self.constant(value)?;
        let nodes = vec![node; crate::tensor::count(&shape)];
        Ok(Tensor::new(shape, nodes, dtype))
    }

    pub(super) fn row(
        &mut self,
        values: impl Iterator<Item = f64>,
        dtype: DType,
    ) -> Lowered<Tensor> {
        let mut nodes = Vec::new();
        for value in values {
            nodes.push(self.constant(value)?);
        }
        Ok(Tensor::new(vec![nodes.len()], nodes, dtype))
    }

    pub(super) fn sizes(&mut self, b: &Bound, position: usize) -> Lowered<Vec<usize>> {
        let mut shape = Vec::new();
        for size in b.integers(self, position)? {
            match usize::try_from(size) {
                Ok(size) => shape.push(size),
                Err(_) => {
                    return Err(self.fail(
                        Draft::new(Kind::Shape, b.span_of(position), "a size is negative")
                            .found(format!("{size}"))
                            .help("take sizes from a tensor: `action_sequence.shape[1]`"),
                    ));
                }
            }
        }
        Ok(shape)
    }

    pub(super) fn length(&mut self, length: f64, span: Span) -> Lowered<usize> {
        let limit = self.limits.elements;
        if length >= 0.0 && length <= limit as f64 {
            self.charge(length as usize)?;
            return Ok(length as usize);
        }
        Err(self.fail(
            Draft::new(
                Kind::Limit,
                span,
                "this tensor has too many elements or a negative size",
            )
            .expected(format!("0 to {limit}"))
            .found(format!("{length}")),
        ))
    }
}

/// `torch.tensor(data)`: a copy of numbers, without a gradient. A list of what has one is hardly
/// meant so; an array has one only here, where `np.` functions keep it.
pub(super) fn tensor(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let mut x = b.tensor(lower, 0)?;
    lower.charge(2 * x.len())?;
    let given_tensor = matches!(b.get(0), Some(Value::Tensor(_)));
    if lower.is_differentiable(&x) && !given_tensor {
        return Err(lower.fail(
            Draft::new(
                Kind::NoGradient,
                b.span,
                "`torch.tensor` cuts the gradient of what depends on the trajectory",
            )
            .help("use `torch.stack([...])`, which keeps it, with numbers as `torch.tensor(0.2)`"),
        ));
    }
    if x.form == Form::Tensor {
        x = lower.detached(&x)?;
    }
    let x = convert::copied(lower, &x)?;
    match b.dtype(1) {
        Some(dtype) => lower.cast(&x, dtype).map(Value::Tensor),
        None => Ok(Value::Tensor(x)),
    }
}

/// `np.array(data)`: a copy that keeps the gradient of tensors in a list, as the program means.
pub(super) fn array(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let shares = match b.get(2) {
        Some(_) => !b.flag(lower, 2)?,
        None => b.given(2).is_some(),
    };
    if shares {
        return shared(lower, b);
    }
    let x = b.tensor(lower, 0)?;
    let x = convert::copied(lower, &x)?;
    let dtype = b.dtype(1).unwrap_or(x.dtype);
    lower.cast(&x, dtype).map(Value::Tensor)
}

/// `np.asarray(data)`, `torch.as_tensor(data)` and `torch.from_numpy(data)`: the same memory
/// where it is a tensor or an array already.
pub(super) fn shared(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let x = b.tensor(lower, 0)?;
    let dtype = b.dtype(1).unwrap_or(x.dtype);
    let x = lower.cast(&x, dtype)?;
    if b.get(2).is_some() && b.flag(lower, 2)? {
        return convert::copied(lower, &x).map(Value::Tensor);
    }
    Ok(Value::Tensor(x))
}

fn constant_of(lower: &mut Lower<'_>, b: &Bound, value: f64) -> Lowered<Value> {
    let shape = lower.sizes(b, 0)?;
    let dtype = b.dtype(1).unwrap_or(DType::Float);
    lower.filled(shape, value, dtype).map(Value::Tensor)
}

pub(super) fn zeros(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    constant_of(lower, b, 0.0)
}

pub(super) fn ones(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    constant_of(lower, b, 1.0)
}

/// `full(size, fill_value)`.
pub(super) fn full(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let shape = lower.sizes(b, 0)?;
    let value = b.tensor(lower, 1)?;
    spread_out(lower, b, value, &shape, b.dtype(2))
}

/// A fresh tensor of one value, of the value's dtype unless another is given.
fn spread_out(
    lower: &mut Lower<'_>,
    b: &Bound,
    value: Tensor,
    shape: &[usize],
    dtype: Option<DType>,
) -> Lowered<Value> {
    let value = match dtype {
        Some(dtype) => lower.cast(&value, dtype)?,
        None => value,
    };
    let tensor = lower.broadcast_to(&value, shape, b.span)?;
    Ok(Value::Tensor(Tensor::new(
        shape.to_vec(),
        tensor.nodes(),
        tensor.dtype,
    )))
}

fn like(lower: &mut Lower<'_>, b: &Bound, value: f64) -> Lowered<Value> {
    let x = b.tensor(lower, 0)?;
    let dtype = b.dtype(1).unwrap_or(x.dtype);
    let fresh = lower.filled(x.shape.clone(), value, dtype)?;
    Ok(Value::Tensor(fresh.laid_out_as(&[&x])))
}

pub(super) fn zeros_like(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    like(lower, b, 0.0)
}

pub(super) fn ones_like(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    like(lower, b, 1.0)
}

/// `full_like(input, fill_value)`.
pub(super) fn full_like(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let x = b.tensor(lower, 0)?;
    let value = b.tensor(lower, 1)?;
    let dtype = b.dtype(2).unwrap_or(x.dtype);
    spread_out(lower, b, value, &x.shape, Some(dtype))
}

/// `eye(n, m=n, dtype)`.
pub(super) fn eye(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    identity_matrix(lower, b, b.get(1).is_some().then_some(1), None, 2)
}

/// NumPy's `eye(N, M=N, k=0, dtype)`.
pub(super) fn numpy_eye(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    identity_matrix(lower, b, b.get(1).is_some().then_some(1), Some(2), 3)
}

/// NumPy's `identity(n, dtype)`.
pub(super) fn identity(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    identity_matrix(lower, b, None, None, 1)
}

fn identity_matrix(
    lower: &mut Lower<'_>,
    b: &Bound,
    columns_at: Option<usize>,
    offset_at: Option<usize>,
    dtype_at: usize,
) -> Lowered<Value> {
    let rows = b.integer(lower, 0, 0)?;
    let columns = match columns_at {
        Some(at) => b.integer(lower, at, rows)?,
        None => rows,
    };
    let offset = match offset_at {
        Some(at) => b.integer(lower, at, 0)?,
        None => 0,
    };
    let rows = lower.length(rows as f64, b.span)?;
    let columns = lower.length(columns as f64, b.span)?;
    let dtype = b.dtype(dtype_at).unwrap_or(DType::Float);
    let tensor = lower.filled(vec![rows, columns], 0.0, dtype)?;
    let one = lower.constant(1.0)?;
    let diagonal: Vec<usize> = (0..rows)
        .filter_map(|row| {
            let column = usize::try_from((row as i64).saturating_add(offset)).ok()?;
            (column < columns).then_some(row * columns + column)
        })
        .collect();
    tensor
        .view(vec![diagonal.len()], &diagonal)
        .write(&vec![one; diagonal.len()]);
    Ok(Value::Tensor(tensor))
}

/// `linspace(start, end, steps)`; PyTorch counts from both ends toward the middle.
pub(super) fn linspace(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let (start, end) = (b.number(lower, 0, 0.0)?, b.number(lower, 1, 0.0)?);
    let steps = b.integer(lower, 2, 50)?;
    let steps = lower.length(steps as f64, b.span_of(2))?;
    let step = if steps > 1 {
        (end - start) / (steps - 1) as f64
    } else {
        0.0
    };
    let values = (0..steps).map(move |i| {
        if i < steps.div_ceil(2) || steps < 2 {
            start + step * i as f64
        } else {
            end - step * (steps - 1 - i) as f64
        }
    });
    let row = lower.row(values, DType::Float)?;
    let dtype = b.dtype(3).unwrap_or(DType::Float);
    lower.cast(&row, dtype).map(Value::Tensor)
}

/// NumPy's `linspace(start, stop, num=50, endpoint=True)`.
pub(super) fn numpy_linspace(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let has_end = b.get(3).is_none() || b.flag(lower, 3)?;
    let (start, end) = (b.number(lower, 0, 0.0)?, b.number(lower, 1, 0.0)?);
    let steps = b.integer(lower, 2, 50)?;
    let steps = lower.length(steps as f64, b.span_of(2))?;
    let gaps = if has_end {
        steps.saturating_sub(1)
    } else {
        steps
    };
    let step = (end - start) / gaps.max(1) as f64;
    let last = if has_end && steps > 1 {
        gaps
    } else {
        usize::MAX
    };
    let values = (0..steps).map(|i| {
        if i == last {
            end
        } else {
            i as f64 * step + start
        }
    });
    let row = lower.row(values, DType::Float)?;
    let dtype = b.dtype(4).unwrap_or(DType::Float);
    lower.cast(&row, dtype).map(Value::Tensor)
}

/// `arange(end)`, `arange(start, end)` or `arange(start, end, step)`.
pub(super) fn arange(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let first = b.number(lower, 0, 0.0)?;
    let (start, end) = match b.get(1) {
        Some(_) => (first, b.number(lower, 1, 0.0)?),
        None => (0.0, first),
    };
    let step = b.number(lower, 2, 1.0)?;
    if step == 0.0 || (end - start) / step < 0.0 {
        return Err(lower.fail(
            Draft::new(Kind::Argument, b.span, "`arange` never reaches its end")
                .found(format!("from {start} to {end} by {step}")),
        ));
    }
    let count = lower.length(((end - start) / step).ceil(), b.span)?;
    let whole = [start, end, step].iter().all(|v| v.fract() == 0.0);
    let is_int = |position| match b.get(position) {
        Some(Value::Float(_)) => false,
        Some(Value::Tensor(tensor)) => tensor.dtype != DType::Float,
        _ => true,
    };
    let integers = whole && (0..3).all(is_int);
    let dtype = b
        .dtype(3)
        .unwrap_or(if integers { DType::Int } else { DType::Float });
    lower
        .row((0..count).map(|i| start + step * i as f64), dtype)
        .map(Value::Tensor)
}

/// A tensor of one number, with the dtype of `x` unless another is given at `at`.
fn new_filled(lower: &mut Lower<'_>, b: &Bound, value: f64, at: usize) -> Lowered<Value> {
    let x = b.tensor(lower, 0)?;
    let shape = lower.sizes(b, 1)?;
    let dtype = b.dtype(at).unwrap_or(x.dtype);
    lower.filled(shape, value, dtype).map(Value::Tensor)
}

/// `x.new_zeros(*shape)`.
pub(super) fn new_zeros(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    new_filled(lower, b, 0.0, 2)
}

/// `x.new_ones(*shape)`.
pub(super) fn new_ones(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    new_filled(lower, b, 1.0, 2)
}

/// `x.new_full(shape, value)`.
pub(super) fn new_full(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let value = b.number(lower, 2, 0.0)?;
    new_filled(lower, b, value, 3)
}

/// The element types that the older constructors name: `torch.FloatTensor([...])`.
fn typed(lower: &mut Lower<'_>, b: &Bound, dtype: DType) -> Lowered<Value> {
    if !matches!(
        b.get(0),
        Some(Value::List(_) | Value::Tuple(_) | Value::Tensor(_))
    ) {
        return Err(lower.fail(
            Draft::new(
                Kind::Argument,
                b.span,
                format!("`{}` needs a list of numbers", b.name),
            )
            .help("use `torch.zeros(...)` for a shape, `torch.tensor(...)` for a number"),
        ));
    }
    let Value::Tensor(x) = tensor(lower, b)? else {
        return Ok(Value::None);
    };
    lower.cast(&x, dtype).map(Value::Tensor)
}

pub(super) fn float_tensor(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    typed(lower, b, DType::Float)
}

pub(super) fn long_tensor(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    typed(lower, b, DType::Int)
}

pub(super) fn bool_tensor(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    typed(lower, b, DType::Bool)
}

/// `zero_()` and `fill_(value)`: the new contents.
pub(super) fn fill(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let x = b.tensor(lower, 0)?;
    match b.get(1) {
        None => lower.filled(x.shape, 0.0, x.dtype).map(Value::Tensor),
        Some(_) => {
            let value = b.tensor(lower, 1)?;
            copied(lower, b, &x, &value)
        }
    }
}

/// `copy_(src)`: the new contents, broadcast and converted.
pub(super) fn copy_from(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let (x, source) = (b.tensor(lower, 0)?, b.tensor(lower, 1)?);
    copied(lower, b, &x, &source)
}

fn copied(lower: &mut Lower<'_>, b: &Bound, x: &Tensor, source: &Tensor) -> Lowered<Value> {
    let source = lower.cast(source, x.dtype)?;
    lower
        .broadcast_to(&source, &x.shape, b.span)
        .map(Value::Tensor)
}

/// `logspace(start, end, steps=50, base=10)`.
pub(super) fn logspace(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let base = b.number(lower, 3, 10.0)?;
    let Value::Tensor(exponents) = linspace(lower, b)? else {
        return Ok(Value::None);
    };
    let base = lower.filled(Vec::new(), base, DType::Float)?;
    lower
        .binary(Op::Pow, &base, &exponents, b.span)
        .map(Value::Tensor)
}

/// `x.new_tensor(data)`: numbers in the dtype of `x`.
pub(super) fn new_tensor(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let (x, data) = (b.tensor(lower, 0)?, b.tensor(lower, 1)?);
    let data = lower.detached(&data)?;
    let data = convert::copied(lower, &data)?;
    let dtype = b
        .dtype(2)
        .unwrap_or(if matches!(b.get(1), Some(Value::Tensor(_))) {
            data.dtype
        } else {
            x.dtype
        });
    lower.cast(&data, dtype).map(Value::Tensor)
}
