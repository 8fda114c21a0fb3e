//! Tensors as nested lists of Python's numbers.

use super::arguments::Bound;
use super::expression::select;
use super::value::{Sequence, Value};
use super::{Lower, Lowered};
use crate::op::Op;
use crate::tensor::{DType, Tensor};

impl Lower<'_> {
    /// Nested lists of the elements of `x`.
    fn listed(&mut self, x: &Tensor) -> Lowered<Value> {
        self.charge(x.len() + 1)?;
        if x.rank() > 0 {
            let items = (0..x.shape[0])
                .map(|i| self.listed(&select(x, 0, i)))
                .collect::<Lowered<Vec<_>>>()?;
            return Ok(Value::List(Sequence::new(items)));
        }
        let known = self.constants_of(x);
        Ok(match (known.as_deref(), x.dtype) {
            (Some(&[value]), DType::Bool) => Value::Bool(value != 0.0),
            (Some(&[value]), DType::Int) => Value::Int(value as i64),
            (Some(&[value]), DType::Float) => Value::Float(value),
            _ => {
                let x = Tensor::new(Vec::new(), x.nodes(), x.dtype);
                Value::Tensor(x)
            }
        })
    }
}

/// `x.tolist()`: what is not known yet stays a number without gradient, as in PyTorch.
pub(super) fn tolist(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let x = b.tensor(lower, 0)?;
    let x = if lower.is_differentiable(&x) {
        lower.unary(Op::Detach, &x)?
    } else {
        x
    };
    if x.rank() >= usize::from(super::MAX_CONTAINER_DEPTH) {
        return Err(lower.too_deep(b.span));
    }
    lower.listed(&x)
}
