//! Python's own functions: `len`, `range`, `zip`, `sum`, `min`, `float` and their like.

use super::arguments::{Bound, Call};
use super::expression::{number, range_length};
use super::value::Value;
use super::{Lower, Lowered};
use crate::diagnostic::{Draft, Kind, Span};
use crate::op::Op;

impl Lower<'_> {
    /// Python's own functions.
    pub(super) fn builtin(&mut self, name: &str, call: Call) -> Lowered<Value> {
        let span = call.span;
        match name {
            "min" | "max" if call.positional.len() > 1 => {
                let items = call
                    .positional
                    .into_iter()
                    .map(|(value, _)| value)
                    .collect();
                return self.extreme(name, items, span);
            }
            "range" => return self.range(call),
            "zip" => return self.zip(call),
            _ => {}
        }
        let parameters = match name {
            "round" => "number ndigits?",
            "sum" | "enumerate" => "iterable start?",
            "pow" => "base exponent",
            _ => "value",
        };
        let bound = Bound::new(self, call, parameters)?;
        let value = bound.get(0).cloned().unwrap_or(Value::None);
        match name {
            "len" => match &value {
                Value::Tensor(tensor) if tensor.rank() > 0 => {
                    Ok(Value::Int(tensor.shape[0] as i64))
                }
                Value::Range { start, stop, step } => {
                    Ok(Value::Int(range_length(*start, *stop, *step) as i64))
                }
                _ => Ok(Value::Int(self.iterate(value, span)?.len() as i64)),
            },
            "enumerate" => {
                let start = bound.integer(self, 1, 0)?;
                let items = self.iterate(value, span)?;
                let numbered = items.into_iter().enumerate();
                Ok(Value::list(
                    numbered
                        .map(|(i, item)| {
                            Value::tuple(vec![Value::Int(start.saturating_add(i as i64)), item])
                        })
                        .collect(),
                ))
            }
            "sum" => {
                let mut total = bound.get(1).cloned().unwrap_or(Value::Int(0));
                for item in self.iterate(value, span)? {
                    total =
                        self.binary_operator(ruff_python_ast::Operator::Add, total, item, span)?;
                }
                Ok(total)
            }
            "min" | "max" => {
                let items = self.iterate(value, span)?;
                self.extreme(name, items, span)
            }
            "abs" => match value {
                Value::Int(value) => Ok(Value::Int(value.saturating_abs())),
                Value::Float(value) => Ok(Value::Float(value.abs())),
                other => {
                    let tensor = self.tensor_of(other, span)?;
                    Ok(Value::Tensor(self.unary(Op::Abs, &tensor)?))
                }
            },
            "pow" => {
                let exponent = bound.get(1).cloned().unwrap_or(Value::None);
                self.binary_operator(ruff_python_ast::Operator::Pow, value, exponent, span)
            }
            "float" | "int" | "bool" | "round" => self.convert(name, value, &bound),
            "list" => Ok(Value::list(self.iterate(value, span)?)),
            "tuple" => Ok(Value::tuple(self.iterate(value, span)?)),
            _ => {
                let mut items = self.iterate(value, span)?;
                items.reverse();
                Ok(Value::list(items))
            }
        }
    }

    fn range(&mut self, call: Call) -> Lowered<Value> {
        let span = call.span;
        let mut bounds = Vec::new();
        for (value, span) in &call.positional {
            bounds.push(self.integer_argument(value, *span)?);
        }
        match (bounds.as_slice(), call.keywords.is_empty()) {
            (&[stop], true) => Ok(Value::Range {
                start: 0,
                stop,
                step: 1,
            }),
            (&[start, stop], true) => Ok(Value::Range {
                start,
                stop,
                step: 1,
            }),
            (&[start, stop, step], true) if step != 0 => Ok(Value::Range { start, stop, step }),
            _ => Err(self.fail(
                Draft::new(Kind::Argument, span, "`range` takes one to three integers")
                    .expected("range(stop), range(start, stop) or range(start, stop, step)"),
            )),
        }
    }

    fn zip(&mut self, call: Call) -> Lowered<Value> {
        let mut columns = Vec::new();
        for (value, span) in call.positional {
            columns.push(self.iterate(value, span)?);
        }
        let length = columns.iter().map(Vec::len).min().unwrap_or(0);
        self.charge(length * columns.len())?;
        let rows = (0..length)
            .map(|i| Value::tuple(columns.iter().map(|column| column[i].clone()).collect()));
        Ok(Value::list(rows.collect()))
    }

    /// Python's `min` and `max` of several values: the first of equals is returned.
    fn extreme(&mut self, name: &str, items: Vec<Value>, span: Span) -> Lowered<Value> {
        let mut items = items.into_iter();
        let Some(mut best) = items.next() else {
            return Err(self.fail(Draft::new(
                Kind::Argument,
                span,
                format!("`{name}` of nothing has no value"),
            )));
        };
        for item in items {
            best = match (number(&best), number(&item)) {
                (Some(a), Some(b)) => {
                    let better = if name == "max" { b > a } else { b < a };
                    if better { item } else { best }
                }
                _ => {
                    let a = self.tensor_of(best, span)?;
                    let b = self.tensor_of(item, span)?;
                    if a.len() != 1 || b.len() != 1 {
                        let function = if name == "max" { "maximum" } else { "minimum" };
                        return Err(self.fail(
                            Draft::new(
                                Kind::Shape,
                                span,
                                format!("Python's `{name}` compares single numbers"),
                            )
                            .help(format!(
                                "use `torch.{function}` for two tensors, `torch.{name}` for one"
                            )),
                        ));
                    }
                    let op = if name == "max" {
                        Op::MaxLeft
                    } else {
                        Op::MinLeft
                    };
                    Value::Tensor(self.binary(op, &a, &b, span)?)
                }
            };
        }
        Ok(best)
    }

    /// `float(x)`, `int(x)`, `bool(x)` and `round(x)`: static where the value is known; a tensor
    /// loses its gradient, as in PyTorch.
    fn convert(&mut self, name: &str, value: Value, bound: &Bound) -> Lowered<Value> {
        let span = bound.span_of(0);
        if let Value::Str(text) = &value
            && name == "float"
        {
            return match text.trim().trim_start_matches('+') {
                "inf" | "infinity" => Ok(Value::Float(f64::INFINITY)),
                "-inf" | "-infinity" => Ok(Value::Float(f64::NEG_INFINITY)),
                _ => Err(self.fail(Draft::new(Kind::Type, span, "a number is needed here"))),
            };
        }
        let known = match (&value, number(&value)) {
            (_, Some(known)) => Some(known),
            (Value::Tensor(tensor), _) => match self.constants_of(tensor).as_deref() {
                Some(&[one]) => Some(one),
                _ => None,
            },
            _ => None,
        };
        if name == "bool" {
            return Ok(Value::Bool(self.truth(&value, span)?));
        }
        let Some(known) = known else {
            let tensor = self.tensor_of(value, span)?;
            if name != "float" || tensor.len() != 1 {
                return Err(self.fail(
                    Draft::new(
                        Kind::DynamicControl,
                        span,
                        format!("`{name}` needs a known value"),
                    )
                    .found(Value::Tensor(tensor).describe())
                    .help("use the tensor itself, or `torch.round` and `torch.floor`"),
                ));
            }
            let tensor = self.unary(Op::Detach, &tensor)?;
            return Ok(Value::Tensor(tensor.reshaped(Vec::new())));
        };
        match name {
            "float" => Ok(Value::Float(known)),
            "int" if known.abs() < 9e15 => Ok(Value::Int(known.trunc() as i64)),
            "round" if bound.get(1).is_some() => {
                let digits = bound.integer(self, 1, 0)?.clamp(-15, 15) as i32;
                let scale = 10_f64.powi(digits);
                Ok(Value::Float((known * scale).round_ties_even() / scale))
            }
            "round" if known.abs() < 9e15 => Ok(Value::Int(known.round_ties_even() as i64)),
            _ => Err(self.fail(Draft::new(
                Kind::Arithmetic,
                span,
                "this integer is too large",
            ))),
        }
    }
}
