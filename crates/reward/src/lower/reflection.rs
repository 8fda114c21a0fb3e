//! Functions that ask what a value is, and those of Python's library that make or copy values.

use super::arguments::{Bound, Call};
use super::classes::Sort;
use super::containers::NOTHING_LEFT;
use super::table;
use super::value::Value;
use super::{Lower, Lowered, Stop};
use crate::diagnostic::{Draft, Kind, Span};
use crate::tensor::{DType, Form};

impl Lower<'_> {
    /// Calls of functions beyond arithmetic and containers; `None` for those that are built in
    /// elsewhere.
    pub(super) fn inquiry(&mut self, name: &str, call: Call) -> Lowered<Result<Value, Call>> {
        let span = call.span;
        Ok(Ok(match name {
            // What is printed was computed, and so checked.
            "print" => Value::None,
            "getLogger" => Value::Module(super::value::Module::Logging),
            "auto" => Value::Builtin("auto"),
            "identity" | "dataclass" => match call.positional.into_iter().next() {
                Some((
                    value @ (Value::Local(_)
                    | Value::Method(..)
                    | Value::Function(_)
                    | Value::NumpyFunction(_)
                    | Value::Class(_)),
                    _,
                )) => value,
                _ => Value::Builtin("identity"),
            },
            "cast" => match call.positional.into_iter().nth(1) {
                Some((value, _)) => value,
                None => Value::None,
            },
            "namedtuple" => self.named_tuple(call)?,
            "SimpleNamespace" => self.namespace(call)?,
            "replace" => self.replaced(call)?,
            "defaultdict" => self.default_dict(call)?,
            "asdict" | "astuple" => {
                let bound = Bound::new(self, call, "value")?;
                let value = bound.given(0).cloned().unwrap_or(Value::None);
                self.data_as(name, &value, span)?
            }
            "copy" | "deepcopy" => {
                let bound = Bound::new(self, call, "value memo?")?;
                let value = bound.given(0).cloned().unwrap_or(Value::None);
                self.copied(&value, name == "deepcopy")?
            }
            "set" | "frozenset" => {
                let bound = Bound::new(self, call, "value?")?;
                let items = match bound.given(0).cloned() {
                    Some(value) => self.iterate(value, span)?,
                    None => Vec::new(),
                };
                self.new_set(items, span)?
            }
            "deque" => {
                let bound = Bound::new(self, call, "value? maxlen?")?;
                let items = match bound.given(0).cloned() {
                    Some(value) => self.iterate(value, span)?,
                    None => Vec::new(),
                };
                let list = self.lists.len();
                let value = self.new_list(Vec::new());
                if bound.get(1).is_some() {
                    let most = bound.integer(self, 1, 0)?;
                    self.most_items
                        .insert(list, usize::try_from(most).unwrap_or(0));
                }
                self.extend(list, items, span)?;
                value
            }
            "repr" => {
                let bound = Bound::new(self, call, "value")?;
                let value = bound.given(0).cloned().unwrap_or(Value::None);
                self.repr(&value)?
            }
            "format" => {
                let bound = Bound::new(self, call, "value spec?")?;
                let value = bound.given(0).cloned().unwrap_or(Value::None);
                let text = match bound.get(1) {
                    Some(Value::Str(spec)) => self.formatted(&value, spec)?,
                    Some(_) => None,
                    None => self.formatted(&value, "")?,
                };
                self.text_value(text)?
            }
            "callable" => {
                let bound = Bound::new(self, call, "value")?;
                Value::Bool(matches!(
                    bound.given(0),
                    Some(
                        Value::Function(_)
                            | Value::NumpyFunction(_)
                            | Value::MathFunction(_)
                            | Value::Builtin(_)
                            | Value::Local(_)
                            | Value::Method(..)
                            | Value::Class(_)
                            | Value::DType(_)
                    )
                ))
            }
            "type" => {
                let bound = Bound::new(self, call, "value")?;
                let value = bound.given(0).cloned().unwrap_or(Value::None);
                type_of(&value)
            }
            "hasattr" | "getattr" => self.get_attribute(name == "hasattr", call)?,
            "iter" => {
                let bound = Bound::new(self, call, "value")?;
                let value = bound.given(0).cloned().unwrap_or(Value::None);
                let items = self.iterate(value, span)?;
                self.new_list(items)
            }
            "next" => self.next(call)?,
            "object" => {
                let class = self.new_class("object", Sort::Plain, Vec::new());
                self.new_object(class, Vec::new())
            }
            _ => return Ok(Err(call)),
        }))
    }

    /// `next(iterator, default)`: the first item, which is gone then.
    fn next(&mut self, call: Call) -> Lowered<Value> {
        let bound = Bound::new(self, call, "iterator default?")?;
        let span = bound.span;
        let value = bound.given(0).cloned().unwrap_or(Value::None);
        let default = bound.given(1).cloned();
        let first = match value {
            Value::ListRef(list) => {
                self.charge(self.lists[list].len())?;
                let items = self.list_mut(list)?;
                (!items.is_empty()).then(|| items.remove(0))
            }
            other => self.iterate(other, span)?.into_iter().next(),
        };
        match first.or(default) {
            Some(value) => Ok(value),
            None => Err(self.fail(
                Draft::new(Kind::Index, span, "there is no further item").help(NOTHING_LEFT),
            )),
        }
    }

    /// `hasattr(value, name)` and `getattr(value, name, default)`.
    fn get_attribute(&mut self, asks: bool, call: Call) -> Lowered<Value> {
        let parameters = if asks {
            "object name"
        } else {
            "object name default?"
        };
        let bound = Bound::new(self, call, parameters)?;
        let span = bound.span;
        let base = bound.given(0).cloned().unwrap_or(Value::None);
        let name = match bound.get(1) {
            Some(Value::Str(name)) => name.to_string(),
            other => {
                let found = other.map_or("None".to_owned(), Value::describe);
                let what = "the name of an attribute is a string";
                return Err(self.fail(Draft::new(Kind::Type, bound.span_of(1), what).found(found)));
            }
        };
        let is_there = self.has_attribute(&base, &name, span)?;
        if asks {
            return Ok(Value::Bool(is_there));
        }
        match bound.given(2) {
            Some(default) if !is_there => Ok(default.clone()),
            _ => self.attribute(base, &name, span),
        }
    }

    fn has_attribute(&mut self, base: &Value, name: &str, span: Span) -> Lowered<bool> {
        match base {
            Value::Tensor(tensor) if table::find_method(name, tensor.form).is_some() => {
                return Ok(true);
            }
            Value::ListRef(_) => {
                return Ok(matches!(
                    name,
                    "append" | "extend" | "index" | "sort" | "__len__" | "__iter__"
                ));
            }
            Value::Dict(_) => return Ok(matches!(name, "keys" | "items" | "values" | "get")),
            Value::Object { class, fields } => {
                return Ok(self.object_entry(*class, *fields, name, span)?.is_some());
            }
            Value::Class(class) => return Ok(self.class_entry(*class, name)?.is_some()),
            Value::Tensor(_) | Value::Module(_) | Value::Pair(..) => {}
            _ => return Ok(false),
        }
        // Asked for on trial: what is missing is no mistake.
        let before = self.drafts.len();
        let was_tried = std::mem::replace(&mut self.is_tried, false);
        let found = self.attribute(base.clone(), name, span);
        self.is_tried = was_tried;
        if self.drafts.len() > before {
            self.drafts.truncate(before);
        }
        match found {
            Err(Stop::Fatal) if *self.work_left == 0 => Err(Stop::Fatal),
            found => Ok(found.is_ok()),
        }
    }

    /// `defaultdict(factory)`.
    fn default_dict(&mut self, call: Call) -> Lowered<Value> {
        let span = call.span;
        let mut positional = call.positional.into_iter();
        let factory = positional.next().map_or(Value::None, |(value, _)| value);
        let value = self.new_dict(Vec::new());
        if let Value::Dict(dict) = value {
            if let Some((entries, span)) = positional.next() {
                self.update(dict, entries, span)?;
            }
            for (name, item, _) in call.keywords {
                self.insert(dict, Value::Str(name.into()), item, span)?;
            }
            if !matches!(factory, Value::None) {
                self.factories.insert(dict, factory);
            }
        }
        Ok(value)
    }

    /// Fills in what a missing key of a `defaultdict` stands for.
    pub(super) fn fill_in(&mut self, dict: usize, key: &Value, span: Span) -> Lowered<()> {
        let Some(factory) = self.factories.get(&dict).cloned() else {
            return Ok(());
        };
        if self.entry(dict, key)?.is_none() {
            let value = self.apply(&factory, Vec::new(), span)?;
            self.insert(dict, key.clone(), value, span)?;
        }
        Ok(())
    }

    /// Why a value is absent, if it is, or a container of which too little is known.
    pub(super) fn absence(&self, value: &Value) -> Option<usize> {
        let first = match value {
            Value::Absent(reason) => return Some(*reason),
            Value::ListRef(list) => self.lists[*list].first(),
            Value::Dict(dict) | Value::Set(dict) | Value::Object { fields: dict, .. } => {
                self.dicts[*dict].first().map(|(key, _)| key)
            }
            _ => None,
        };
        match first {
            Some(Value::Absent(reason)) => Some(*reason),
            _ => None,
        }
    }

    /// Reports the first use of an absent value.
    pub(super) fn report_absence(&mut self, reason: usize, span: Span) -> Stop {
        if std::mem::replace(&mut self.absences[reason].1, true) {
            return Stop::Reported;
        }
        let mut draft = self.absences[reason].0.clone();
        draft.span = span;
        self.fail(draft)
    }

    /// The reward among what a stage returns: before a dictionary of its parts, or in one.
    pub(super) fn reward_of(&mut self, value: Value) -> Lowered<Value> {
        let is_number = |value: &Value| match value {
            Value::Tensor(tensor) => tensor.len() == 1,
            Value::Bool(_) | Value::Int(_) | Value::Float(_) | Value::Absent(_) => true,
            _ => false,
        };
        match &value {
            Value::Tuple(items) => {
                let Some((first, rest)) = items.items.split_first() else {
                    return Ok(value);
                };
                let is_note = |value: &Value| {
                    matches!(
                        value,
                        Value::Dict(_) | Value::None | Value::Str(_) | Value::Text(_)
                    )
                };
                if is_number(first) && rest.iter().all(is_note) {
                    return Ok(first.clone());
                }
            }
            Value::Dict(dict) => {
                let mut found = None;
                for name in ["reward", "total_reward", "total"] {
                    let entry = self.entry(*dict, &Value::Str(name.into()))?;
                    match (found.is_some(), entry) {
                        (false, Some(entry)) if is_number(&entry) => found = Some(entry),
                        (_, None) => {}
                        _ => return Ok(value),
                    }
                }
                if let Some(found) = found {
                    return Ok(found);
                }
            }
            _ => {}
        }
        Ok(value)
    }
}

fn type_of(value: &Value) -> Value {
    match value {
        Value::Tensor(_) => Value::Builtin("Tensor"),
        Value::Bool(_) => Value::Builtin("bool"),
        Value::Int(_) => Value::Builtin("int"),
        Value::Float(_) => Value::Builtin("float"),
        Value::Str(_) | Value::Text(_) => Value::Builtin("str"),
        Value::ListRef(_) => Value::Builtin("list"),
        Value::Tuple(_) => Value::Builtin("tuple"),
        Value::Dict(_) => Value::Builtin("dict"),
        Value::Set(_) => Value::Builtin("set"),
        Value::Object { class, .. } => Value::Class(*class),
        _ => Value::Builtin("NoneType"),
    }
}

/// Whether `isinstance` holds for a type that is no class of the program.
pub(super) fn is_instance(value: &Value, kind: &Value) -> bool {
    if let (Value::Tensor(tensor), &Value::Builtin(kind)) = (value, kind) {
        return match tensor.form {
            Form::Tensor => matches!(kind, "Tensor" | "object"),
            Form::Array => matches!(kind, "ndarray" | "object"),
            Form::Scalar | Form::Number => {
                kind == "object" || kind == "float" && tensor.dtype == DType::Float
            }
        };
    }
    matches!(
        (value, kind),
        (Value::Bool(_) | Value::Int(_), Value::Builtin("int"))
            | (Value::Bool(_), Value::Builtin("bool"))
            | (Value::Float(_), Value::Builtin("float"))
            | (Value::ListRef(_), Value::Builtin("list"))
            | (Value::Tuple(_), Value::Builtin("tuple"))
            | (Value::Dict(_), Value::Builtin("dict"))
            | (Value::Set(_), Value::Builtin("set" | "frozenset"))
            | (Value::Str(_) | Value::Text(_), Value::Builtin("str"))
            | (_, Value::Builtin("object"))
    )
}
