//! Python's own functions: `len`, `range`, `zip`, `sum`, `min`, `float` and their like.

use std::rc::Rc;

use super::arguments::{Bound, Call};
use super::branch::Truth;
use super::containers::CHARACTERS;
use super::expression::{number, range_length};
use super::reflection::is_instance;
use super::value::{Endless, Value};
use super::{Lower, Lowered};
use crate::diagnostic::{Draft, Kind, Span};
use crate::op::Op;
use crate::syntax::Operator;
use crate::tensor::{DType, Form};

impl Lower<'_> {
    /// Python's own functions.
    pub(super) fn builtin(&mut self, name: &str, call: Call) -> Lowered<Value> {
        let call = match self.inquiry(name, call)? {
            Ok(value) => return Ok(value),
            Err(call) => call,
        };
        let span = call.span;
        match name {
            "min" | "max" if call.positional.len() > 1 => {
                let key = call.keywords.into_iter().find(|(name, ..)| name == "key");
                let items = call
                    .positional
                    .into_iter()
                    .map(|(value, _)| value)
                    .collect();
                return self.extreme(name, items, key.map(|(_, key, _)| key), span);
            }
            "range" => return self.range(call),
            "zip" => return self.zip(call),
            "map" => return self.map(call),
            "dict" => return self.dict(call),
            "device" => return self.device(call),
            _ if name.starts_with("torch.cuda.") => return Ok(self.call_device(name)),
            _ if name.contains('.') => return self.library(name, call),
            _ => {}
        }
        if call.positional.is_empty() && call.keywords.is_empty() {
            match name {
                "float" => return Ok(Value::Float(0.0)),
                "int" => return Ok(Value::Int(0)),
                "bool" => return Ok(Value::Bool(false)),
                _ => {}
            }
        }
        let parameters = match name {
            "round" => "number ndigits?",
            "sum" | "enumerate" => "iterable start?",
            "pow" | "divmod" => "base exponent",
            "filter" => "function iterable",
            "sorted" => "value key? reverse?",
            "isinstance" => "value type",
            "min" | "max" => "value key? default?",
            "list" | "tuple" | "str" => "value?",
            "ndarray" => {
                return Err(self.fail(
                    Draft::new(Kind::Unsupported, span, "`np.ndarray` is not called")
                        .help("use `np.array`"),
                ));
            }
            _ => "value",
        };
        let bound = Bound::new(self, call, parameters)?;
        let span = bound.span_of(0);
        let value = bound.given(0).cloned().unwrap_or(Value::None);
        match name {
            // ReKep's check that a keypoint is still held: who holds it is not for a reward to say.
            "get_grasping_cost_by_keypoint_idx" => Ok(Value::Int(0)),
            "len" => match &value {
                Value::Tensor(tensor) if tensor.rank() > 0 => {
                    Ok(Value::Int(tensor.shape[0] as i64))
                }
                Value::ListRef(list) => Ok(Value::Int(self.lists[*list].len() as i64)),
                Value::Dict(dict) | Value::Set(dict) => {
                    Ok(Value::Int(self.dicts[*dict].len() as i64))
                }
                Value::Text(_) => Err(self.open_text(span)),
                Value::Str(text) => {
                    self.charge(text.len() / CHARACTERS)?;
                    Ok(Value::Int(text.chars().count() as i64))
                }
                Value::Range { start, stop, step } => {
                    Ok(Value::Int(range_length(*start, *stop, *step) as i64))
                }
                Value::Object { .. }
                    if let Some(length) = self.special(&value, "__len__", span)? =>
                {
                    Ok(length)
                }
                _ => Ok(Value::Int(self.iterate(value, span)?.len() as i64)),
            },
            "enumerate" => {
                let start = bound.integer(self, 1, 0)?;
                let items = self.iterate(value, span)?;
                self.check_depth(&items, span)?;
                let numbered = items.into_iter().enumerate();
                let pairs = numbered
                    .map(|(i, item)| {
                        Value::tuple(vec![Value::Int(start.saturating_add(i as i64)), item])
                    })
                    .collect();
                Ok(self.new_list(pairs))
            }
            "sum" => {
                let mut total = bound.get(1).cloned().unwrap_or(Value::Int(0));
                for item in self.iterate(value, span)? {
                    total = self.binary_operator(Operator::Add, total, item, span)?;
                }
                Ok(total)
            }
            "min" | "max" => {
                let items = self.iterate(value, span)?;
                match bound.given(2) {
                    Some(default) if items.is_empty() => Ok(default.clone()),
                    _ => self.extreme(name, items, bound.get(1).cloned(), span),
                }
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
                self.binary_operator(Operator::Pow, value, exponent, span)
            }
            "float" | "int" | "bool" | "round" => self.convert(name, value, &bound),
            "list" | "tuple" => {
                let items = match bound.given(0) {
                    Some(_) => self.iterate(value, span)?,
                    None => Vec::new(),
                };
                self.check_depth(&items, span)?;
                Ok(if name == "list" {
                    self.new_list(items)
                } else {
                    Value::tuple(items)
                })
            }
            "any" | "all" => self.any_or_all(name == "any", value, span),
            "filter" => {
                let items = bound.given(1).cloned().unwrap_or(Value::None);
                let mut kept = Vec::new();
                for item in self.iterate(items, span)? {
                    let keep = match &value {
                        Value::None => item.clone(),
                        function => self.apply(function, vec![item.clone()], span)?,
                    };
                    if self.truth(&keep, span)? {
                        kept.push(item);
                    }
                }
                Ok(self.new_list(kept))
            }
            "sorted" => {
                let items = self.iterate(value, span)?;
                let is_reversed = bound.flag(self, 2)?;
                self.sorted(items, bound.get(1).cloned(), is_reversed, span)
            }
            "divmod" => {
                let divisor = bound.given(1).cloned().unwrap_or(Value::None);
                let quotient =
                    self.binary_operator(Operator::FloorDiv, value.clone(), divisor.clone(), span)?;
                let rest = self.binary_operator(Operator::Mod, value, divisor, span)?;
                Ok(Value::tuple(vec![quotient, rest]))
            }
            "str" => match bound.given(0) {
                None => Ok(Value::Str("".into())),
                Some(_) => self.string_of(&value),
            },
            "isinstance" => {
                let wanted = bound.given(1).cloned().unwrap_or(Value::None);
                let types = match wanted {
                    Value::Tuple(types) => types.items.to_vec(),
                    one => vec![one],
                };
                self.charge(types.len() / 4)?;
                let mut holds = false;
                for one in &types {
                    holds |= match (one, &value) {
                        (Value::Class(wanted), Value::Object { class, .. }) => {
                            self.builds_on(*class, *wanted)
                        }
                        _ => is_instance(&value, one),
                    };
                }
                Ok(Value::Bool(holds))
            }
            "Tensor" => {
                if let Value::Int(_) | Value::Float(_) | Value::Bool(_) = value {
                    return Err(self.fail(
                        Draft::new(
                            Kind::Argument,
                            span,
                            "`torch.Tensor` of a number makes a tensor of that size, without values",
                        )
                        .help("write `torch.tensor(...)`, in small letters, or `torch.zeros(...)`"),
                    ));
                }
                let value = self.frozen(value, span)?;
                let tensor = self.tensor_of(value, span)?;
                if self.is_differentiable(&tensor) {
                    return Err(self.fail(
                        Draft::new(
                            Kind::NoGradient,
                            span,
                            "`torch.Tensor` cuts the gradient of what depends on the trajectory",
                        )
                        .help("use `torch.stack([...])`"),
                    ));
                }
                Ok(Value::Tensor(self.cast(&tensor, DType::Float)?))
            }
            _ => {
                let mut items = self.iterate(value, span)?;
                items.reverse();
                Ok(self.new_list(items))
            }
        }
    }

    /// `map(function, iterable, ...)`.
    fn map(&mut self, call: Call) -> Lowered<Value> {
        let span = call.span;
        let mut arguments = call.positional.into_iter();
        let Some((function, _)) = arguments.next() else {
            return Err(self.fail(Draft::new(
                Kind::Argument,
                span,
                "`map` needs a function and what to apply it to",
            )));
        };
        let rows = self.rows(arguments.collect())?;
        let mut results = Vec::with_capacity(rows.len());
        for row in rows {
            results.push(self.apply(&function, row, span)?);
        }
        Ok(self.new_list(results))
    }

    /// `dict(pairs, key=value)`.
    fn dict(&mut self, call: Call) -> Lowered<Value> {
        let span = call.span;
        let value = self.new_dict(Vec::new());
        if let Value::Dict(own) = value {
            for (other, span) in call.positional.into_iter().take(1) {
                self.update(own, other, span)?;
            }
            for (name, item, _) in call.keywords {
                self.insert(own, Value::Str(name.into()), item, span)?;
            }
        }
        Ok(value)
    }

    /// A number that is known now, also as a tensor of one element.
    pub(super) fn known_number(&self, value: &Value) -> Option<f64> {
        match (value, number(value)) {
            (_, Some(known)) => Some(known),
            (Value::Tensor(tensor), _) => match self.constants_of(tensor).as_deref() {
                Some(&[one]) => Some(one),
                _ => None,
            },
            _ => None,
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
        let span = call.span;
        let rows = self.rows(call.positional)?;
        for row in &rows {
            self.check_depth(row, span)?;
        }
        let rows = rows.into_iter().map(Value::tuple).collect();
        Ok(self.new_list(rows))
    }

    /// The first items of all iterables, the second ones, and so on.
    fn rows(&mut self, iterables: Vec<(Value, Span)>) -> Lowered<Vec<Vec<Value>>> {
        // What has no end lasts as long as the others.
        let bounded = iterables
            .iter()
            .any(|(value, _)| !matches!(value, Value::Endless(_)));
        let mut columns = Vec::new();
        for (value, span) in iterables {
            columns.push(match value {
                Value::Endless(endless) if bounded => Err(endless),
                value => Ok(self.iterate(value, span)?),
            });
        }
        let lengths = columns.iter().flatten().map(Vec::len);
        let length = lengths.min().unwrap_or(0);
        self.charge(length.saturating_mul(columns.len()))?;
        let item = |column: &Result<Vec<Value>, Rc<Endless>>, i: usize| match column {
            Ok(items) => items[i].clone(),
            Err(endless) => endless.item(i),
        };
        Ok((0..length)
            .map(|i| columns.iter().map(|column| item(column, i)).collect())
            .collect())
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
                "nan" => Ok(Value::Float(f64::NAN)),
                "-inf" | "-infinity" => Ok(Value::Float(f64::NEG_INFINITY)),
                text => match text.parse() {
                    Ok(number) => Ok(Value::Float(number)),
                    Err(_) => {
                        Err(self.fail(Draft::new(Kind::Type, span, "a number is needed here")))
                    }
                },
            };
        }
        if let (Value::Str(text), "int") = (&value, name) {
            return match text.trim().replace('_', "").parse() {
                Ok(number) => Ok(Value::Int(number)),
                Err(_) => Err(self.fail(Draft::new(Kind::Type, span, "this is not an integer"))),
            };
        }
        let known = self.known_number(&value);
        if name == "bool" {
            return Ok(match self.condition(&value, span)? {
                Truth::Known(known) => Value::Bool(known),
                Truth::Open(node) => self.bool_value(node),
            });
        }
        let Some(known) = known else {
            let tensor = self.tensor_of(value, span)?;
            // What is an integer already stays one.
            if tensor.dtype < DType::Float && tensor.len() == 1 && name != "float" {
                let number = tensor.copied().reshaped(Vec::new());
                let number = number.with_dtype(DType::Int).with_form(Form::Number);
                return Ok(Value::Tensor(number));
            }
            if name != "float" || tensor.len() != 1 {
                return Err(self.fail(
                    Draft::new(
                        Kind::DynamicControl,
                        span,
                        format!("`{name}` needs a known value"),
                    )
                    .found(Value::Tensor(tensor).describe())
                    .help("sizes and indices are fixed before the robot moves: give every point a weight instead"),
                ));
            }
            return self.unknown_number(&tensor);
        };
        match name {
            "float" => Ok(Value::Float(known)),
            "int" if known.abs() < 9e15 => Ok(Value::Int(known.trunc() as i64)),
            "round" if bound.get(1).is_some() => {
                let digits = bound.integer(self, 1, 0)?.clamp(-15, 15) as i32;
                if digits >= 0 {
                    // Python rounds the exact decimal value, as formatting does.
                    let text = format!("{known:.*}", digits as usize);
                    return Ok(Value::Float(text.parse().unwrap_or(known)));
                }
                let scale = 10_f64.powi(-digits);
                Ok(Value::Float((known / scale).round_ties_even() * scale))
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
