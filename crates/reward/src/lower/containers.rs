//! Lists and dictionaries: shared by everything that names them, as in Python.
//!
//! They live in tables and values refer to them by position, so that one that holds itself
//! neither leaks nor recurses.

use super::arguments::{Bound, Call};
use super::expression::number;
use super::gather::wrap_index;
use super::value::{Sequence, Value};
use super::{Lower, Lowered, MAX_CONTAINER_DEPTH, Stop, table};
use crate::diagnostic::{Draft, Kind, Span};
use crate::syntax::{Expr, ExprDict};
use crate::tensor::Form;

/// Characters of a string that are compared or copied for one unit of work.
pub(super) const CHARACTERS: usize = 16;

impl<'a> Lower<'a> {
    pub(super) fn new_list(&mut self, items: Vec<Value>) -> Value {
        self.lists.push(items);
        Value::ListRef(self.lists.len() - 1)
    }

    pub(super) fn new_dict(&mut self, entries: Vec<(Value, Value)>) -> Value {
        self.dicts.push(entries);
        Value::Dict(self.dicts.len() - 1)
    }

    /// `{...}`, whose later entries replace earlier ones.
    pub(super) fn dict_display(&mut self, dict: &'a ExprDict) -> Lowered<Value> {
        let value = self.new_dict(Vec::new());
        let Value::Dict(own) = value else {
            return Err(Stop::Reported);
        };
        for item in &dict.items {
            let span = Span::of(&item.value);
            match &item.key {
                Some(key) => {
                    let key_span = Span::of(key);
                    let key = self.expression(key)?;
                    self.check_key(&key, key_span)?;
                    let value = self.expression(&item.value)?;
                    self.insert(own, key, value, span)?;
                }
                None => {
                    let other = self.expression(&item.value)?;
                    self.update(own, other, span)?;
                }
            }
        }
        Ok(value)
    }

    /// Keys are compared as the program is compiled.
    pub(super) fn check_key(&mut self, key: &Value, span: Span) -> Lowered<()> {
        let is_known = match key {
            Value::Tuple(items) => items
                .items
                .iter()
                .all(|item| number(item).is_some() || matches!(item, Value::Str(_) | Value::None)),
            other => number(other).is_some() || matches!(other, Value::Str(_) | Value::None),
        };
        if is_known {
            return Ok(());
        }
        Err(self.fail(
            Draft::new(Kind::Type, span, "this cannot be a key")
                .expected("a number or a string")
                .found(key.describe()),
        ))
    }

    fn position(&mut self, dict: usize, key: &Value) -> Lowered<Option<usize>> {
        let keys: Vec<Value> = self.dicts[dict]
            .iter()
            .map(|(key, _)| key.clone())
            .collect();
        self.charge(keys.len())?;
        for (position, known) in keys.iter().enumerate() {
            if self.equal(known, key)? == Some(true) {
                return Ok(Some(position));
            }
        }
        Ok(None)
    }

    /// The value of a key, if there is one.
    pub(super) fn entry(&mut self, dict: usize, key: &Value) -> Lowered<Option<Value>> {
        let position = self.position(dict, key)?;
        Ok(position.map(|position| self.dicts[dict][position].1.clone()))
    }

    pub(super) fn insert(
        &mut self,
        dict: usize,
        key: Value,
        value: Value,
        span: Span,
    ) -> Lowered<()> {
        self.check_key(&key, span)?;
        self.charge(1)?;
        match self.position(dict, &key)? {
            Some(position) => self.dicts[dict][position].1 = value,
            None => self.dicts[dict].push((key, value)),
        }
        Ok(())
    }

    /// Removes a key and gives its value.
    pub(super) fn take_entry(&mut self, dict: usize, key: &Value, span: Span) -> Lowered<Value> {
        match self.position(dict, key)? {
            Some(position) => Ok(self.dicts[dict].remove(position).1),
            None => Err(self.no_such_key(dict, key, span)),
        }
    }

    pub(super) fn no_such_key(&mut self, dict: usize, key: &Value, span: Span) -> Stop {
        let keys = self.dicts[dict].iter().take(10);
        let keys: Vec<String> = keys.map(|(key, _)| key.describe()).collect();
        self.fail(
            Draft::new(Kind::Index, span, "there is no such key")
                .expected(format!("one of: {}", keys.join(", ")))
                .found(key.describe()),
        )
    }

    /// Takes over the entries of another dictionary or of a list of pairs.
    pub(super) fn update(&mut self, dict: usize, other: Value, span: Span) -> Lowered<()> {
        let entries = match other {
            Value::None => Vec::new(),
            Value::Dict(other) => {
                self.charge(self.dicts[other].len())?;
                self.dicts[other].clone()
            }
            other => {
                let mut entries = Vec::new();
                for pair in self.iterate(other, span)? {
                    match <[Value; 2]>::try_from(self.iterate(pair, span)?) {
                        Ok([key, value]) => entries.push((key, value)),
                        Err(_) => {
                            return Err(self.fail(Draft::new(
                                Kind::Type,
                                span,
                                "a dictionary is made from (key, value) pairs",
                            )));
                        }
                    }
                }
                entries
            }
        };
        for (key, value) in entries {
            self.insert(dict, key, value, span)?;
        }
        Ok(())
    }

    pub(super) fn extend(&mut self, list: usize, items: Vec<Value>, span: Span) -> Lowered<()> {
        self.check_depth(&items, span)?;
        self.lists[list].extend(items);
        Ok(())
    }

    pub(super) fn out_of_range(&mut self, index: i64, length: usize, span: Span) -> Stop {
        self.fail(
            Draft::new(Kind::Index, span, "this index is out of range")
                .expected(format!("an index into {length} items"))
                .found(format!("{index}")),
        )
    }

    /// `base[index]` of a list, tuple or range.
    pub(super) fn sequence_item(
        &mut self,
        base: Value,
        index: &'a Expr,
        span: Span,
    ) -> Lowered<Value> {
        let is_tuple = matches!(base, Value::Tuple(_));
        let items = self.iterate(base, span)?;
        if let Expr::Slice(slice) = index {
            let (lower, upper, step) = self.slice(slice)?;
            let (first, length) = self.slice_bounds(items.len(), lower, upper, step, span)?;
            self.charge(length)?;
            let picked = (0..length as i64)
                .map(|i| items[(first + i * step) as usize].clone())
                .collect();
            return Ok(if is_tuple {
                Value::tuple(picked)
            } else {
                self.new_list(picked)
            });
        }
        let value = self.expression(index)?;
        let position = self.integer_argument(&value, Span::of(index))?;
        match wrap_index(position, items.len()) {
            Some(position) => Ok(items[position].clone()),
            None => Err(self.out_of_range(position, items.len(), Span::of(index))),
        }
    }

    /// A method of a list, tuple or dictionary.
    pub(super) fn container_method(
        &mut self,
        base: Value,
        method: &str,
        place: Span,
        call: Call,
    ) -> Lowered<Value> {
        let span = call.span;
        let parameters = match (&base, method) {
            (Value::ListRef(_), "append" | "extend" | "remove") => "item",
            (Value::ListRef(_), "insert") => "index item",
            (Value::ListRef(_), "pop") => "index?",
            (Value::ListRef(_), "reverse" | "copy" | "clear") => "",
            (Value::ListRef(_) | Value::Tuple(_), "index" | "count") => "item",
            (Value::Dict(_), "items" | "keys" | "values" | "copy") => "",
            (Value::Dict(_), "get" | "pop" | "setdefault") => "key default?",
            (Value::Dict(_), "update") => "other",
            _ => {
                return Err(self.fail(
                    Draft::new(
                        Kind::UnknownOperation,
                        place,
                        format!("`.{method}` does not exist here"),
                    )
                    .found(base.describe())
                    .help(match &base {
                        Value::ListRef(_) | Value::Tuple(_)
                            if table::find_method(method, Form::Tensor).is_some() =>
                        {
                            "make a tensor of it first: `torch.stack(xs)`"
                        }
                        _ => "use comprehensions, `sorted` and indexing",
                    }),
                ));
            }
        };
        let bound = Bound::new(self, call, parameters)?;
        let first = bound.given(0).cloned().unwrap_or(Value::None);
        let second = bound.given(1).cloned();
        match base {
            Value::ListRef(list) => self.list_method(list, method, first, second, &bound),
            Value::Dict(dict) => match method {
                "items" | "keys" | "values" => {
                    let entries = self.dicts[dict].clone();
                    self.charge(entries.len())?;
                    let items = entries.into_iter().map(|(key, value)| match method {
                        "items" => Value::tuple(vec![key, value]),
                        "keys" => key,
                        _ => value,
                    });
                    let items = items.collect();
                    Ok(self.new_list(items))
                }
                "copy" => {
                    let entries = self.dicts[dict].clone();
                    self.charge(entries.len())?;
                    Ok(self.new_dict(entries))
                }
                "update" => {
                    self.update(dict, first, span)?;
                    Ok(Value::None)
                }
                _ => match (self.entry(dict, &first)?, second) {
                    (Some(_), _) if method == "pop" => self.take_entry(dict, &first, span),
                    (Some(value), _) => Ok(value),
                    (None, default) if method == "setdefault" => {
                        let value = default.unwrap_or(Value::None);
                        self.insert(dict, first, value.clone(), span)?;
                        Ok(value)
                    }
                    (None, None) if method == "pop" => Err(self.no_such_key(dict, &first, span)),
                    (None, default) => Ok(default.unwrap_or(Value::None)),
                },
            },
            other => {
                let items = self.iterate(other, span)?;
                self.search(&items, method, &first, span)
            }
        }
    }

    fn list_method(
        &mut self,
        list: usize,
        method: &str,
        first: Value,
        second: Option<Value>,
        bound: &Bound,
    ) -> Lowered<Value> {
        let span = bound.span;
        match method {
            "append" => {
                self.charge(1)?;
                self.extend(list, vec![first], span)?;
            }
            "extend" => {
                let items = self.iterate(first, span)?;
                self.extend(list, items, span)?;
            }
            "insert" => {
                let length = self.lists[list].len();
                self.charge(length)?;
                let at = self.integer_argument(&first, bound.span_of(0))?;
                let size = length as i64;
                let at = if at < 0 { at.saturating_add(size) } else { at }.clamp(0, size);
                let item = second.unwrap_or(Value::None);
                self.check_depth(std::slice::from_ref(&item), span)?;
                self.lists[list].insert(at as usize, item);
            }
            "pop" => {
                let length = self.lists[list].len();
                self.charge(length)?;
                let index = match bound.given(0) {
                    Some(index) => self.integer_argument(index, bound.span_of(0))?,
                    None => -1,
                };
                return match wrap_index(index, length) {
                    Some(position) => Ok(self.lists[list].remove(position)),
                    None => Err(self.out_of_range(index, length, span)),
                };
            }
            "reverse" => {
                self.charge(self.lists[list].len())?;
                self.lists[list].reverse();
            }
            "clear" => self.lists[list].clear(),
            "copy" => {
                let items = self.iterate(Value::ListRef(list), span)?;
                return Ok(self.new_list(items));
            }
            _ => {
                let items = self.iterate(Value::ListRef(list), span)?;
                let found = self.search(&items, method, &first, span)?;
                match (method, found) {
                    ("remove", Value::Int(position)) => {
                        self.lists[list].remove(position as usize);
                    }
                    (_, found) => return Ok(found),
                }
            }
        }
        Ok(Value::None)
    }

    /// `index` and `count`.
    fn search(
        &mut self,
        items: &[Value],
        method: &str,
        wanted: &Value,
        span: Span,
    ) -> Lowered<Value> {
        let mut places = Vec::new();
        for (position, item) in items.iter().enumerate() {
            if self.equal(item, wanted)? == Some(true) {
                places.push(position as i64);
            }
        }
        match (method, places.first()) {
            ("count", _) => Ok(Value::Int(places.len() as i64)),
            (_, Some(&first)) => Ok(Value::Int(first)),
            (_, None) => Err(self.fail(
                Draft::new(Kind::Index, span, "there is no such item").found(wanted.describe()),
            )),
        }
    }

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
            Value::ListRef(list) => self.lists[*list].clone(),
            Value::Tuple(items) if items.items.iter().any(Value::is_container) => {
                items.items.to_vec()
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
