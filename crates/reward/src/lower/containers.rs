//! Lists and dictionaries: shared by everything that names them, as in Python.
//!
//! They live in tables and values refer to them by position, so that one that holds itself
//! neither leaks nor recurses.

use std::rc::Rc;

use super::arguments::{Bound, Call};
use super::branch::Truth;
use super::expression::number;
use super::gather::wrap_index;
use super::value::Value;
use super::{Lower, Lowered, Stop};
use crate::diagnostic::{Draft, Kind, Span};
use crate::syntax::{Expr, ExprDict, Operator};
use crate::tensor::DType;

/// Help for taking what an empty container does not have.
pub(super) const NOTHING_LEFT: &str = "check first that something is there: `if xs:`";
/// Help for looking up what is not there.
pub(super) const NOT_THERE: &str = "check with `in` first that it is there";

/// Characters of a string that are compared or copied for one unit of work.
pub(super) const CHARACTERS: usize = 16;

impl<'a> Lower<'a> {
    pub(super) fn new_list(&mut self, items: Vec<Value>) -> Value {
        self.lists.push(Rc::new(items));
        Value::ListRef(self.lists.len() - 1)
    }

    pub(super) fn new_dict(&mut self, entries: Vec<(Value, Value)>) -> Value {
        self.dicts.push(Rc::new(entries));
        Value::Dict(self.dicts.len() - 1)
    }

    /// A list to change. A copy that a branch keeps is paid for.
    pub(super) fn list_mut(&mut self, list: usize) -> Lowered<&mut Vec<Value>> {
        let span = self.graph.span;
        self.check_single(self.double_lists.contains(&list), span)?;
        if Rc::strong_count(&self.lists[list]) > 1 {
            self.charge(self.lists[list].len())?;
        }
        Ok(Rc::make_mut(&mut self.lists[list]))
    }

    /// A dictionary to change.
    pub(super) fn dict_mut(&mut self, dict: usize) -> Lowered<&mut Vec<(Value, Value)>> {
        let span = self.graph.span;
        self.check_single(self.double_dicts.contains(&dict), span)?;
        if Rc::strong_count(&self.dicts[dict]) > 1 {
            self.charge(self.dicts[dict].len())?;
        }
        Ok(Rc::make_mut(&mut self.dicts[dict]))
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
                .all(|item| number(item).is_some() || is_key(item)),
            other => number(other).is_some() || is_key(other),
        };
        if is_known {
            return Ok(());
        }
        if let Value::Text(_) = key {
            return Err(self.open_text(span));
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
            Some(position) => self.dict_mut(dict)?[position].1 = value,
            None => self.dict_mut(dict)?.push((key, value)),
        }
        Ok(())
    }

    /// Removes a key and gives its value.
    pub(super) fn take_entry(&mut self, dict: usize, key: &Value, span: Span) -> Lowered<Value> {
        match self.position(dict, key)? {
            Some(position) => Ok(self.dict_mut(dict)?.remove(position).1),
            None => Err(self.no_such_key(dict, key, span)),
        }
    }

    pub(super) fn no_such_key(&mut self, dict: usize, key: &Value, span: Span) -> Stop {
        let keys = self.dicts[dict].iter().take(10);
        let keys: Vec<String> = keys.map(|(key, _)| key.describe()).collect();
        self.fail(
            Draft::new(Kind::Index, span, "there is no such key")
                .expected(format!("one of: {}", keys.join(", ")))
                .found(key.describe())
                .help("use a key that is there, or `d.get(key, default)`"),
        )
    }

    /// Takes over the entries of another dictionary or of a list of pairs.
    pub(super) fn update(&mut self, dict: usize, other: Value, span: Span) -> Lowered<()> {
        let entries = match other {
            Value::None => Vec::new(),
            Value::Dict(other) => {
                self.charge(self.dicts[other].len())?;
                self.dicts[other].to_vec()
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
        self.list_mut(list)?.extend(items);
        let excess = self.excess(list);
        if excess > 0 {
            self.charge(self.lists[list].len())?;
            self.list_mut(list)?.drain(..excess);
        }
        Ok(())
    }

    /// How many items a list has beyond those that it may hold.
    fn excess(&self, list: usize) -> usize {
        let most = self.most_items.get(&list);
        most.map_or(0, |&most| self.lists[list].len().saturating_sub(most))
    }

    pub(super) fn out_of_range(&mut self, index: i64, length: usize, span: Span) -> Stop {
        let draft = Draft::new(Kind::Index, span, "this index is out of range")
            .expected(format!("an index into {length} items"))
            .found(format!("{index}"));
        self.fail(if length == 0 {
            draft.help(NOTHING_LEFT)
        } else {
            draft
        })
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
        if let Value::Tensor(chosen) = &value
            && chosen.dtype == DType::Int
            && chosen.len() == 1
            && self.constants_of(chosen).is_none()
        {
            return self.one_of(items, chosen.nodes()[0], span);
        }
        let position = self.integer_argument(&value, Span::of(index))?;
        match wrap_index(position, items.len()) {
            Some(position) => Ok(items[position].clone()),
            None => Err(self.out_of_range(position, items.len(), Span::of(index))),
        }
    }

    /// Operators of strings, sets and dictionaries.
    pub(super) fn container_operator(
        &mut self,
        op: Operator,
        left: &Value,
        right: &Value,
        span: Span,
    ) -> Lowered<Option<Value>> {
        if let (Operator::Add, Value::Text(Some(_)), _) | (Operator::Add, _, Value::Text(Some(_))) =
            (op, left, right)
        {
            let joined = self.each_option(left, span, &mut |lower, left| {
                lower.each_option(right, span, &mut |lower, right| {
                    lower.binary_operator(op, left.clone(), right.clone(), span)
                })
            });
            return joined.map(Some);
        }
        match (op, left, right) {
            (Operator::Mod, Value::Str(pattern), values) => self.percent(pattern, values).map(Some),
            (Operator::Mod, Value::Text(_), _)
            | (Operator::Add, Value::Text(_), Value::Text(_) | Value::Str(_))
            | (Operator::Add, Value::Str(_), Value::Text(_)) => Ok(Some(Value::Text(None))),
            (Operator::Mult, Value::Str(text), Value::Int(times))
            | (Operator::Mult, Value::Int(times), Value::Str(text)) => {
                let times = usize::try_from(*times).unwrap_or(0);
                self.charge(text.len().saturating_mul(times))?;
                Ok(Some(Value::Str(text.repeat(times).into())))
            }
            (_, Value::Set(a), Value::Set(b)) => {
                let members = self.members(*b)?;
                self.combine_sets(op, *a, members, span)
            }
            (Operator::BitOr, Value::Dict(a), Value::Dict(_)) => {
                let entries = self.dicts[*a].to_vec();
                self.charge(entries.len())?;
                let merged = self.new_dict(entries);
                if let Value::Dict(own) = merged {
                    self.update(own, right.clone(), span)?;
                }
                Ok(Some(merged))
            }
            _ => Ok(None),
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
            (Value::ListRef(_), "append" | "appendleft" | "extend" | "remove") => "item",
            (Value::ListRef(_), "insert") => "index item",
            (Value::ListRef(_), "pop") => "index?",
            (Value::ListRef(_), "reverse" | "copy" | "clear" | "popleft") => "",
            (Value::ListRef(_), "sort") => "key? reverse?",
            (Value::ListRef(_) | Value::Tuple(_), "index" | "count") => "item",
            (Value::Dict(_), "items" | "keys" | "values" | "copy" | "clear" | "popitem") => "",
            (Value::Dict(_), "get" | "pop" | "setdefault") => "key default?",
            (Value::Dict(_), "update") => "other",
            _ => return Err(self.no_method(&base, method, place)),
        };
        if let (Value::Dict(dict), "update") = (&base, method) {
            return self.update_method(*dict, call);
        }
        let bound = Bound::new(self, call, parameters)?;
        let first = bound.given(0).cloned().unwrap_or(Value::None);
        let second = bound.given(1).cloned();
        match base {
            Value::ListRef(list) => self.list_method(list, method, first, second, &bound),
            Value::Dict(dict) => match method {
                "items" | "keys" | "values" => {
                    let entries = self.dicts[dict].to_vec();
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
                    let entries = self.dicts[dict].to_vec();
                    self.charge(entries.len())?;
                    Ok(self.new_dict(entries))
                }
                "clear" => {
                    self.dict_mut(dict)?.clear();
                    Ok(Value::None)
                }
                "popitem" => match self.dict_mut(dict)?.pop() {
                    Some((key, value)) => Ok(Value::tuple(vec![key, value])),
                    None => Err(self.fail(
                        Draft::new(Kind::Index, span, "this dictionary is empty")
                            .help(NOTHING_LEFT),
                    )),
                },
                "get" => self.each_option(&first, span, &mut |lower, key| {
                    lower.check_key(key, span)?;
                    let value = lower.entry(dict, key)?;
                    Ok(value.or_else(|| second.clone()).unwrap_or(Value::None))
                }),
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
                self.each_option(&first, span, &mut |lower, first| {
                    lower.search(&items, method, first, span)
                })
            }
        }
    }

    /// `d.update(other, name=value)`.
    fn update_method(&mut self, dict: usize, call: Call) -> Lowered<Value> {
        for (other, span) in call.positional {
            self.update(dict, other, span)?;
        }
        for (name, value, span) in call.keywords {
            self.insert(dict, Value::Str(name.into()), value, span)?;
        }
        Ok(Value::None)
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
            "appendleft" => {
                self.charge(self.lists[list].len())?;
                self.check_depth(std::slice::from_ref(&first), span)?;
                self.list_mut(list)?.insert(0, first);
                let kept = self.lists[list].len() - self.excess(list);
                self.list_mut(list)?.truncate(kept);
            }
            "sort" => {
                let items = self.iterate(Value::ListRef(list), span)?;
                let is_reversed = bound.flag(self, 1)?;
                let sorted = self.sorted(items, bound.get(0).cloned(), is_reversed, span)?;
                let items = self.iterate(sorted, span)?;
                *self.list_mut(list)? = items;
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
                self.list_mut(list)?.insert(at as usize, item);
            }
            "pop" | "popleft" => {
                let length = self.lists[list].len();
                self.charge(length)?;
                let index = match bound.given(0) {
                    Some(index) => self.integer_argument(index, bound.span_of(0))?,
                    None if method == "popleft" => 0,
                    None => -1,
                };
                return match wrap_index(index, length) {
                    Some(position) => Ok(self.list_mut(list)?.remove(position)),
                    None => Err(self.out_of_range(index, length, span)),
                };
            }
            "reverse" => {
                self.charge(self.lists[list].len())?;
                self.list_mut(list)?.reverse();
            }
            "clear" => self.list_mut(list)?.clear(),
            "copy" => {
                let items = self.iterate(Value::ListRef(list), span)?;
                return Ok(self.new_list(items));
            }
            _ => {
                if method == "remove" && self.options(&first)?.is_some() {
                    return Err(self.open_text(span));
                }
                let items = self.iterate(Value::ListRef(list), span)?;
                let found = self.each_option(&first, span, &mut |lower, first| {
                    lower.search(&items, method, first, span)
                })?;
                match (method, found) {
                    ("remove", Value::Int(position)) => {
                        self.list_mut(list)?.remove(position as usize);
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
        let mut open = Vec::new();
        for (position, item) in items.iter().enumerate() {
            let place = Value::Int(position as i64);
            match self.same(item, wanted, span)? {
                Truth::Known(true) => {
                    places.push(position as i64);
                    let always = self.constant(1.0)?;
                    open.push((always, place));
                }
                Truth::Known(false) => {}
                Truth::Open(node) => open.push((node, place)),
            }
        }
        if open.len() > places.len() {
            return self.open_search(open, method, wanted, span);
        }
        match (method, places.first()) {
            ("count", _) => Ok(Value::Int(places.len() as i64)),
            (_, Some(&first)) => Ok(Value::Int(first)),
            (_, None) => Err(self.fail(
                Draft::new(Kind::Index, span, "there is no such item")
                    .found(wanted.describe())
                    .help(NOT_THERE),
            )),
        }
    }
}

/// What may be a key beside numbers.
fn is_key(value: &Value) -> bool {
    matches!(
        value,
        Value::Str(_)
            | Value::None
            | Value::Object { .. }
            | Value::Class(_)
            | Value::Local(_)
            | Value::Builtin(_)
    )
}
