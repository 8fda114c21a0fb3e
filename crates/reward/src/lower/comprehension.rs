//! Comprehensions, what can be looped over, and which values count as true.

use super::expression::{range_length, select};
use super::value::Value;
use super::{Lower, Lowered};
use crate::diagnostic::{Draft, Kind, Span};
use crate::syntax::{Comprehension, Expr};

impl<'a> Lower<'a> {
    /// A list or generator: all its items now.
    pub(super) fn comprehension(
        &mut self,
        element: &'a Expr,
        generators: &'a [Comprehension],
        span: Span,
    ) -> Lowered<Value> {
        let mut items = Vec::new();
        self.in_comprehension(generators, &mut |lower| {
            items.push(lower.expression(element)?);
            Ok(())
        })?;
        self.check_depth(&items, span)?;
        Ok(self.new_list(items))
    }

    pub(super) fn dict_comprehension(
        &mut self,
        key: &'a Expr,
        element: &'a Expr,
        generators: &'a [Comprehension],
    ) -> Lowered<Value> {
        let dict = self.dicts.len();
        let value = self.new_dict(Vec::new());
        self.in_comprehension(generators, &mut |lower| {
            let key = lower.expression(key)?;
            let value = lower.expression(element)?;
            lower.insert(dict, key, value, Span::of(element))
        })?;
        Ok(value)
    }

    /// Calls `each` for every combination; the targets live in a frame of their own.
    fn in_comprehension(
        &mut self,
        generators: &'a [Comprehension],
        each: &mut dyn FnMut(&mut Self) -> Lowered<()>,
    ) -> Lowered<()> {
        let locals = self.locals.len();
        let outer = self.enter(self.frame, false);
        let outcome = self.generate(generators, each);
        self.leave(outer, locals);
        outcome
    }

    fn generate(
        &mut self,
        generators: &'a [Comprehension],
        each: &mut dyn FnMut(&mut Self) -> Lowered<()>,
    ) -> Lowered<()> {
        let Some((generator, inner)) = generators.split_first() else {
            return each(self);
        };
        let span = Span::of(&generator.iter);
        if generator.is_async {
            return Err(self.fail(
                Draft::new(
                    Kind::Unsupported,
                    span,
                    "`async` is not part of the reward language",
                )
                .help("remove it"),
            ));
        }
        let iterable = self.expression(&generator.iter)?;
        'items: for item in self.iterate(iterable, span)? {
            self.charge(1)?;
            self.bind(&generator.target, item)?;
            for condition in &generator.ifs {
                let value = self.expression(condition)?;
                if !self.truth(&value, Span::of(condition))? {
                    continue 'items;
                }
            }
            self.generate(inner, each)?;
        }
        Ok(())
    }

    /// Whether a value counts as true. Control flow must be known now.
    pub(super) fn truth(&mut self, value: &Value, span: Span) -> Lowered<bool> {
        match value {
            Value::None => Ok(false),
            Value::Bool(value) => Ok(*value),
            Value::Int(value) => Ok(*value != 0),
            Value::Float(value) => Ok(*value != 0.0),
            Value::Str(value) => Ok(!value.is_empty()),
            Value::List(items) | Value::Tuple(items) => Ok(!items.items.is_empty()),
            Value::ListRef(list) => Ok(!self.lists[*list].is_empty()),
            Value::Dict(dict) | Value::Set(dict) => Ok(!self.dicts[*dict].is_empty()),
            Value::Text(_) => Ok(true),
            Value::Range { start, stop, step } => Ok(range_length(*start, *stop, *step) > 0),
            Value::Tensor(tensor) => match self.constants_of(tensor).as_deref() {
                Some(&[one]) => Ok(one != 0.0),
                Some(_) => Err(self.fail(
                    Draft::new(Kind::Type, span, "a condition must be one value")
                        .found(value.describe())
                        .help("reduce it with `.any()` or `.all()`"),
                )),
                None if tensor.len() != 1 => Err(self.fail(
                    Draft::new(Kind::Type, span, "a condition must be one value")
                        .found(value.describe())
                        .help("reduce it with `.any()` or `.all()`"),
                )),
                None => Err(self.refuse_open(tensor, span)),
            },
            _ => Ok(true),
        }
    }

    /// The items of anything that can be looped over.
    pub(super) fn iterate(&mut self, value: Value, span: Span) -> Lowered<Vec<Value>> {
        match value {
            Value::List(items) | Value::Tuple(items) => {
                self.charge(items.items.len())?;
                Ok(items.items.to_vec())
            }
            Value::ListRef(list) => {
                self.charge(self.lists[list].len())?;
                Ok(self.lists[list].to_vec())
            }
            Value::Dict(dict) => {
                self.charge(self.dicts[dict].len())?;
                Ok(self.dicts[dict]
                    .iter()
                    .map(|(key, _)| key.clone())
                    .collect())
            }
            Value::Range { start, stop, step } => {
                let length = range_length(start, stop, step);
                self.charge(length)?;
                Ok((0..length as i64)
                    .map(|i| Value::Int(start + i * step))
                    .collect())
            }
            Value::Named(named) if named.name != "device" => Ok(named.items.items.to_vec()),
            Value::Set(set) => self.members(set),
            Value::Str(text) => {
                self.charge(text.len())?;
                Ok(text
                    .chars()
                    .map(|c| Value::Str(c.to_string().into()))
                    .collect())
            }
            Value::Object { .. } | Value::Class(_) => self.iterate_object(value, span),
            Value::Pair(values, indices) => Ok(vec![Value::Tensor(values), Value::Tensor(indices)]),
            Value::Tensor(tensor) if tensor.rank() > 0 => {
                self.charge(tensor.len() + tensor.shape[0])?;
                Ok((0..tensor.shape[0])
                    .map(|i| Value::Tensor(select(&tensor, 0, i)))
                    .collect())
            }
            other => Err(self.fail(
                Draft::new(Kind::Type, span, "this cannot be looped over")
                    .expected("a range, a list, a tuple or a tensor")
                    .found(other.describe())
                    .help(match &other {
                        Value::Int(count) => format!("write `range({count})`"),
                        Value::Endless(_) => {
                            "take as many as you need: `itertools.islice(..., n)`".to_owned()
                        }
                        Value::None => {
                            "`xs.append(x)` changes the list and returns nothing: do not assign it"
                                .to_owned()
                        }
                        _ => "put it in a list: `[x]`".to_owned(),
                    }),
            )),
        }
    }
}
