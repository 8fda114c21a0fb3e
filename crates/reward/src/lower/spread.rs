//! Variance, standard deviation and covariance.

use super::arguments::Bound;
use super::reduce::mean_nodes;
use super::value::Value;
use super::{Lower, Lowered};
use crate::diagnostic::{Draft, Kind};
use crate::op::Op;
use crate::tensor::{DType, Tensor, count, show_shape};

/// `var(input, dim, correction=1, keepdim)`; `unbiased` is its older name.
fn variance(lower: &mut Lower<'_>, b: &Bound, root: bool, default: i64) -> Lowered<Value> {
    let x = b.tensor(lower, 0)?;
    let mut dims_at = 1;
    let mut correction = default;
    // `x.var(False)` gives `unbiased` in the place of `dim`.
    if let Some(Value::Bool(unbiased)) = b.get(1) {
        correction = i64::from(*unbiased);
        dims_at = usize::MAX;
    }
    for position in [2, 4, 5] {
        if b.get(position).is_some() {
            correction = b.integer(lower, position, correction)?;
        }
    }
    let dims = lower.dims(b, dims_at, x.rank())?;
    let keepdim = b.flag(lower, 3)?;
    let size = count(&dims.iter().map(|&d| x.shape[d]).collect::<Vec<_>>()) as i64;
    if size <= correction {
        return Err(lower.fail(
            Draft::new(
                Kind::Shape,
                b.span,
                format!("`{}` needs more elements", b.name),
            )
            .expected(format!(
                "more than {correction} along the reduced dimensions"
            ))
            .found(format!("{size}")),
        ));
    }
    let result = lower.reduce(&x, &dims, keepdim, DType::Float, |lower, members| {
        let mean = mean_nodes(lower, members)?;
        let mut squares = Vec::with_capacity(members.len());
        for &member in members {
            let difference = lower.node(Op::Sub, &[member, mean])?;
            squares.push(difference);
        }
        let divisor = lower.constant(size.saturating_sub(correction) as f64)?;
        if root {
            // A norm has gradient 0 where all elements are equal, as PyTorch's std has.
            let norm = lower.node(Op::Norm2, &squares)?;
            let scale = lower.node(Op::Sqrt, &[divisor])?;
            return lower.node(Op::Div, &[norm, scale]);
        }
        for square in &mut squares {
            *square = lower.node(Op::Square, &[*square])?;
        }
        let sum = lower.node(Op::Sum, &squares)?;
        lower.node(Op::Div, &[sum, divisor])
    })?;
    Ok(Value::Tensor(result))
}

pub(super) fn var(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    variance(lower, b, false, 1)
}

pub(super) fn std(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    variance(lower, b, true, 1)
}

/// NumPy divides by n, PyTorch by n - 1.
pub(super) fn numpy_var(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    variance(lower, b, false, 0)
}

pub(super) fn numpy_std(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    variance(lower, b, true, 0)
}

/// `var_mean` and `std_mean`: a pair.
fn with_mean(lower: &mut Lower<'_>, b: &Bound, spread: Value) -> Lowered<Value> {
    let x = b.tensor(lower, 0)?;
    let at = if matches!(b.get(1), Some(Value::Bool(_))) {
        usize::MAX
    } else {
        1
    };
    let (dims, keepdim) = (lower.dims(b, at, x.rank())?, b.flag(lower, 3)?);
    let mean = lower.reduce(&x, &dims, keepdim, DType::Float, mean_nodes)?;
    Ok(Value::tuple(vec![spread, Value::Tensor(mean)]))
}

pub(super) fn var_mean(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let spread = variance(lower, b, false, 1)?;
    with_mean(lower, b, spread)
}

pub(super) fn std_mean(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let spread = variance(lower, b, true, 1)?;
    with_mean(lower, b, spread)
}

/// The covariances of rows, or of one row with itself.
fn covariance(lower: &mut Lower<'_>, b: &Bound, x: &Tensor, correction: i64) -> Lowered<Tensor> {
    let rows = match x.shape.as_slice() {
        [length] => x.reshaped(vec![1, *length]),
        [_, _] => x.clone(),
        _ => {
            return Err(lower.fail(
                Draft::new(
                    Kind::Shape,
                    b.span,
                    format!("`{}` needs variables in rows", b.name),
                )
                .expected("(variables, observations)")
                .found(format!("shape {}", show_shape(&x.shape))),
            ));
        }
    };
    let left = (rows.shape[1] as i64).saturating_sub(correction);
    if left < 1 {
        return Err(lower.fail(
            Draft::new(
                Kind::Shape,
                b.span,
                format!("`{}` needs more observations", b.name),
            )
            .found(format!("shape {}", show_shape(&x.shape))),
        ));
    }
    let mean = lower.reduce(&rows, &[1], true, DType::Float, mean_nodes)?;
    let centred = lower.binary(Op::Sub, &rows, &mean, b.span)?;
    let other = lower.transposed(&centred)?;
    let product = lower.matmul(&centred, &other, b.span)?;
    let matrix = lower.with_number(Op::Div, &product, left as f64)?;
    Ok(if x.rank() == 1 {
        matrix.reshaped(Vec::new())
    } else {
        matrix
    })
}

/// `cov(input, correction=1)`.
pub(super) fn cov(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let correction = b.integer(lower, 1, 1)?;
    let x = b.tensor(lower, 0)?;
    covariance(lower, b, &x, correction).map(Value::Tensor)
}

/// NumPy's `cov(m, rowvar=True, bias=False, ddof=None)`.
pub(super) fn numpy_cov(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let x = b.tensor(lower, 0)?;
    let in_rows = b.get(1).is_none() || b.flag(lower, 1)?;
    let bias = i64::from(!b.flag(lower, 2)?);
    let correction = b.integer(lower, 3, bias)?;
    let x = if in_rows || x.rank() != 2 {
        x
    } else {
        lower.transposed(&x)?
    };
    covariance(lower, b, &x, correction).map(Value::Tensor)
}

/// `corrcoef(input)`: covariances over the standard deviations, between -1 and 1.
pub(super) fn corrcoef(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let x = b.tensor(lower, 0)?;
    let matrix = covariance(lower, b, &x, 1)?;
    let &[size, _] = matrix.shape.as_slice() else {
        return lower
            .binary(Op::Div, &matrix, &matrix, b.span)
            .map(Value::Tensor);
    };
    let nodes = matrix.nodes();
    let mut deviations = Vec::with_capacity(size);
    for i in 0..size {
        deviations.push(lower.node(Op::Sqrt, &[nodes[i * size + i]])?);
    }
    let mut result = Vec::with_capacity(nodes.len());
    for (place, &node) in nodes.iter().enumerate() {
        let value = lower.node(Op::Div, &[node, deviations[place / size]])?;
        let value = lower.node(Op::Div, &[value, deviations[place % size]])?;
        let value = lower.node_with(Op::ClampMin, value, -1.0)?;
        result.push(lower.node_with(Op::ClampMax, value, 1.0)?);
    }
    Ok(Value::Tensor(Tensor::new(
        vec![size, size],
        result,
        DType::Float,
    )))
}
