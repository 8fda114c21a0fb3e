//! `np.r_[...]` and `np.c_[...]`: arrays laid one after another by a subscript.

use super::value::Value;
use super::{Lower, Lowered};
use crate::diagnostic::{Draft, Kind, Span};
use crate::syntax::{Expr, ExprSlice, Number};
use crate::tensor::{DType, Tensor};

impl<'a> Lower<'a> {
    /// `name[index]`, where `name` is `np.r_` or `np.c_`.
    pub(super) fn laid_out(&mut self, name: &str, index: &'a Expr, span: Span) -> Lowered<Value> {
        let items = match index {
            Expr::Tuple(tuple) => tuple.elts.as_slice(),
            single => std::slice::from_ref(single),
        };
        let mut parts = Vec::with_capacity(items.len());
        for item in items {
            let part = match item {
                Expr::Slice(slice) => self.slice_values(slice)?,
                other => {
                    let value = self.expression(other)?;
                    if let Value::Str(_) = value {
                        return Err(self.fail(
                            Draft::new(
                                Kind::Unsupported,
                                Span::of(other),
                                format!("`{name}` takes no directions here"),
                            )
                            .help("use `np.concatenate` or `np.stack` with `axis`"),
                        ));
                    }
                    self.tensor_of(value, Span::of(other))?
                }
            };
            let part = match part.rank() {
                0 => part.reshaped(vec![1]),
                _ => part,
            };
            parts.push(if name == "np.c_" && part.rank() == 1 {
                let length = part.len();
                part.reshaped(vec![length, 1])
            } else {
                part
            });
        }
        let Some(first) = parts.first() else {
            return Err(self.fail(Draft::new(
                Kind::Argument,
                span,
                format!("`{name}` needs at least one part"),
            )));
        };
        let dim = if name == "np.c_" { first.rank() - 1 } else { 0 };
        self.concatenated(&parts, dim, span).map(Value::Tensor)
    }

    /// `start:stop:step` as numbers; `start:stop:5j` are five from the one to the other.
    fn slice_values(&mut self, slice: &'a ExprSlice) -> Lowered<Tensor> {
        let span = Span::of(slice);
        let mut is_whole = true;
        let mut bound = |lower: &mut Self, at: &'a Option<Box<Expr>>, default: f64| match at {
            None => Ok(default),
            Some(expression) => {
                let value = lower.expression(expression)?;
                is_whole &= matches!(value, Value::Int(_));
                lower.number_argument(&value, Span::of(&**expression))
            }
        };
        let start = bound(self, &slice.lower, 0.0)?;
        let Some(_) = &slice.upper else {
            return Err(self.fail(Draft::new(
                Kind::Argument,
                span,
                "a slice needs an end here: nothing else says how long it is",
            )));
        };
        let stop = bound(self, &slice.upper, 0.0)?;
        if let Some(Expr::NumberLiteral(literal)) = slice.step.as_deref()
            && let Number::Complex { imag, .. } = &literal.value
        {
            let count = self.length(imag.trunc(), span)?;
            let step = (stop - start) / count.saturating_sub(1).max(1) as f64;
            let values = (0..count).map(|i| start + step * i as f64);
            return self.row(values, DType::Float);
        }
        let step = bound(self, &slice.step, 1.0)?;
        if step == 0.0 {
            return Err(self.fail(Draft::new(Kind::Argument, span, "a step is not zero")));
        }
        let count = self.length(((stop - start) / step).ceil().max(0.0), span)?;
        let dtype = if is_whole { DType::Int } else { DType::Float };
        self.row((0..count).map(|i| start + step * i as f64), dtype)
    }
}
