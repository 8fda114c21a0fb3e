//! Values that hold others: when they are equal, and copies of them without references.

use std::rc::Rc;

use super::classes::Sort;
use super::containers::CHARACTERS;
use super::expression::number;
use super::value::{Sequence, Value};
use super::{Lower, Lowered, MAX_CONTAINER_DEPTH, Stop};
use crate::diagnostic::{Draft, Kind, Span};

impl Lower<'_> {
    /// Static equality, where it can be decided without a tensor.
    pub(super) fn equal(&mut self, left: &Value, right: &Value) -> Lowered<Option<bool>> {
        self.equal_within(left, right, MAX_CONTAINER_DEPTH)
    }

    fn equal_within(&mut self, left: &Value, right: &Value, depth: u8) -> Lowered<Option<bool>> {
        self.charge(1)?;
        Ok(match (left, right) {
            (Value::None, Value::None) => Some(true),
            (Value::Str(a), Value::Str(b)) => {
                self.charge(a.len() / CHARACTERS)?;
                Some(a == b)
            }
            (Value::DType(a), Value::DType(b)) => Some(a == b),
            (Value::Builtin(a), Value::Builtin(b)) => Some(a == b),
            (Value::Named(a), Value::Named(b)) if depth > 0 => {
                let (a, b) = (a.items.clone(), b.items.clone());
                return self.equal_within(&Value::Tuple(a), &Value::Tuple(b), depth - 1);
            }
            (Value::Tensor(_), _) | (_, Value::Tensor(_)) => None,
            (Value::Text(_), _) | (_, Value::Text(_)) => None,
            (Value::Class(a), Value::Class(b)) | (Value::Local(a), Value::Local(b)) => Some(a == b),
            (
                Value::Object { class, fields: a },
                Value::Object {
                    class: other,
                    fields: b,
                },
            ) => {
                if a == b || class != other || depth == 0 {
                    return Ok(Some(a == b));
                }
                let is_data = matches!(
                    self.classes[*class].sort,
                    Sort::Data { .. } | Sort::NamedTuple
                );
                let (a, b) = (Rc::clone(&self.dicts[*a]), Rc::clone(&self.dicts[*b]));
                if !is_data || a.len() != b.len() {
                    return Ok(Some(false));
                }
                for ((_, a), (_, b)) in a.iter().zip(b.iter()) {
                    if self.equal_within(a, b, depth - 1)? != Some(true) {
                        return Ok(Some(false));
                    }
                }
                Some(true)
            }
            (Value::ListRef(_), Value::ListRef(_)) | (Value::Tuple(_), Value::Tuple(_)) => {
                let span = self.graph.span;
                let a = self.iterate(left.clone(), span)?;
                let b = self.iterate(right.clone(), span)?;
                if a.len() != b.len() || depth == 0 {
                    return Ok(Some(false));
                }
                for (a, b) in a.iter().zip(&b) {
                    if self.equal_within(a, b, depth - 1)? != Some(true) {
                        return Ok(Some(false));
                    }
                }
                Some(true)
            }
            (Value::Object { class, fields }, text @ Value::Str(_))
            | (text @ Value::Str(_), Value::Object { class, fields })
                if self.classes[*class].is_text && depth > 0 =>
            {
                let key = Value::Str("value".into());
                return match self.entry(*fields, &key)? {
                    Some(value) => self.equal_within(&value, text, depth - 1),
                    None => Ok(Some(false)),
                };
            }
            (a, b) => match (number(a), number(b)) {
                (Some(a), Some(b)) => Some(a == b),
                _ => Some(false),
            },
        })
    }

    /// A copy of a value without references, as the functions of torch take it.
    pub(super) fn frozen(&mut self, value: Value, span: Span) -> Lowered<Value> {
        self.frozen_within(value, MAX_CONTAINER_DEPTH, span)
    }

    fn frozen_within(&mut self, value: Value, depth: u8, span: Span) -> Lowered<Value> {
        let is_list = matches!(value, Value::ListRef(_));
        let items = match &value {
            Value::ListRef(list) => self.lists[*list].to_vec(),
            Value::Tuple(items) if items.items.iter().any(Value::is_container) => {
                items.items.to_vec()
            }
            Value::Object { class, fields } if self.classes[*class].sort == Sort::NamedTuple => {
                self.dicts[*fields]
                    .iter()
                    .map(|(_, value)| value.clone())
                    .collect()
            }
            Value::Absent(reason) => return Err(self.report_absence(*reason, span)),
            Value::Set(_) => {
                return Err(self.fail(
                    Draft::new(Kind::Type, span, "a set cannot be used here")
                        .help("put its members in order: `sorted(...)`"),
                ));
            }
            Value::Dict(_) => {
                return Err(self.fail(
                    Draft::new(Kind::Type, span, "a dictionary cannot be used here")
                        .help("take `list(d.values())`"),
                ));
            }
            _ => return Ok(value),
        };
        if depth == 0 {
            return Err(self.too_deep(span));
        }
        self.charge(items.len())?;
        let items = items
            .into_iter()
            .map(|item| self.frozen_within(item, depth - 1, span))
            .collect::<Lowered<Vec<_>>>()?;
        let items = Sequence::new(items);
        Ok(if is_list {
            Value::List(items)
        } else {
            Value::Tuple(items)
        })
    }

    /// The opposite of [`Self::frozen`], for what a function returns.
    pub(super) fn thawed(&mut self, value: Value) -> Lowered<Value> {
        let Value::List(items) = value else {
            return Ok(value);
        };
        self.charge(items.items.len())?;
        let items = items
            .items
            .iter()
            .map(|item| self.thawed(item.clone()))
            .collect::<Lowered<Vec<_>>>()?;
        Ok(self.new_list(items))
    }

    /// Bounds how deeply tuples nest, so that nothing recurses without end.
    pub(super) fn check_depth(&mut self, values: &[Value], span: Span) -> Lowered<()> {
        if values
            .iter()
            .any(|value| value.depth() >= MAX_CONTAINER_DEPTH)
        {
            return Err(self.too_deep(span));
        }
        Ok(())
    }

    pub(super) fn too_deep(&mut self, span: Span) -> Stop {
        self.fail(
            Draft::new(Kind::Limit, span, "lists are nested too deeply")
                .expected(format!("at most {MAX_CONTAINER_DEPTH} levels")),
        )
    }
}
