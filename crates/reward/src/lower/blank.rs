//! Tensors without contents: every element is NaN, so that the probes catch one that is read
//! before it is written.

use super::arguments::Bound;
use super::value::Value;
use super::{Lower, Lowered};
use crate::tensor::DType;

fn blank(lower: &mut Lower<'_>, shape: Vec<usize>, dtype: DType) -> Lowered<Value> {
    lower.filled(shape, f64::NAN, dtype).map(Value::Tensor)
}

/// `empty(*shape)`.
pub(super) fn empty(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let shape = lower.sizes(b, 0)?;
    blank(lower, shape, b.dtype(1).unwrap_or(DType::Float))
}

/// `empty_like(input)`.
pub(super) fn empty_like(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let x = b.tensor(lower, 0)?;
    blank(lower, x.shape.clone(), b.dtype(1).unwrap_or(x.dtype))
}

/// `x.new_empty(*shape)`.
pub(super) fn new_empty(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let x = b.tensor(lower, 0)?;
    let shape = lower.sizes(b, 1)?;
    blank(lower, shape, b.dtype(2).unwrap_or(x.dtype))
}
