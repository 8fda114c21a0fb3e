//! Tensors as nested lists of Python's numbers.

use super::arguments::Bound;
use super::expression::select;
use super::value::{Sequence, Value};
use super::{Lower, Lowered, convert};
use crate::tensor::Tensor;

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
        convert::number(self, x)
    }
}

/// `x.tolist()`: what is not known yet stays a number without gradient, as in PyTorch.
pub(super) fn tolist(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let x = b.tensor(lower, 0)?;
    if x.rank() >= usize::from(super::MAX_CONTAINER_DEPTH) {
        return Err(lower.too_deep(b.span));
    }
    lower.listed(&x)
}
