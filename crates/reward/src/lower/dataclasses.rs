//! `dataclass`, `namedtuple`, `SimpleNamespace`, and copies of values.

use super::arguments::{Bound, Call};
use super::classes::{Default, Field, Sort};
use super::functions::dotted;
use super::value::Value;
use super::{Lower, Lowered, MAX_CONTAINER_DEPTH};
use crate::diagnostic::{Draft, Kind, Span};
use crate::syntax::Expr;

impl<'a> Lower<'a> {
    /// What a field of a class starts with.
    pub(super) fn field_default(&mut self, value: &'a Expr) -> Lowered<Default> {
        if let Expr::Call(call) = value
            && let Some(path) = dotted(&call.func)
            && matches!(path.as_str(), "field" | "dataclasses.field")
        {
            for keyword in &call.arguments.keywords {
                match keyword.arg.as_ref().map(|name| name.as_str()) {
                    Some("default") => return self.expression(&keyword.value).map(Default::Value),
                    Some("default_factory") => {
                        return self.expression(&keyword.value).map(Default::Factory);
                    }
                    _ => {}
                }
            }
            return Ok(Default::Missing);
        }
        self.expression(value).map(Default::Value)
    }

    /// An object of a class of data: its fields from the arguments.
    pub(super) fn data_object(&mut self, class: usize, mut call: Call) -> Lowered<Value> {
        let span = call.span;
        let fields = self.classes[class].fields.clone();
        self.charge(1 + fields.len())?;
        let specification: Vec<String> = fields
            .iter()
            .map(|field| match field.default {
                Default::Missing => field.name.clone(),
                _ => format!("{}?", field.name),
            })
            .collect();
        call.name.clone_from(&self.classes[class].name);
        let bound = Bound::new(self, call, &specification.join(" "))?;
        let mut entries = Vec::with_capacity(fields.len());
        for (position, field) in fields.into_iter().enumerate() {
            let value = match (bound.given(position), field.default) {
                (Some(value), _) => value.clone(),
                (None, Default::Value(value)) => value,
                (None, Default::Factory(factory)) => self.apply(&factory, Vec::new(), span)?,
                (None, Default::Missing) => Value::None,
            };
            entries.push((Value::Str(field.name.into()), value));
        }
        let object = self.new_object(class, entries);
        if let Some((Value::Local(local), _)) = self.class_entry(class, "__post_init__")? {
            self.apply(&Value::Local(local), vec![object.clone()], span)?;
        }
        Ok(object)
    }

    /// `namedtuple("Point", ["x", "y"])`.
    pub(super) fn named_tuple(&mut self, call: Call) -> Lowered<Value> {
        let bound = Bound::new(self, call, "typename fields defaults? rename? module?")?;
        let span = bound.span;
        let name = match bound.get(0) {
            Some(Value::Str(name)) => name.to_string(),
            _ => "namedtuple".to_owned(),
        };
        let names = match bound.given(1).cloned().unwrap_or(Value::None) {
            Value::Str(names) => {
                let names = names.replace(',', " ");
                names.split_whitespace().map(str::to_owned).collect()
            }
            list => {
                let mut names = Vec::new();
                for item in self.iterate(list, span)? {
                    match item {
                        Value::Str(name) => names.push(name.to_string()),
                        other => {
                            return Err(self.fail(
                                Draft::new(Kind::Type, span, "the name of a field is a string")
                                    .found(other.describe()),
                            ));
                        }
                    }
                }
                names
            }
        };
        let defaults = match bound.get(2) {
            Some(defaults) => self.iterate(defaults.clone(), span)?,
            None => Vec::new(),
        };
        self.charge(names.len())?;
        let first = names.len().saturating_sub(defaults.len());
        let fields = names.into_iter().enumerate().map(|(position, name)| Field {
            name,
            default: match position.checked_sub(first).and_then(|i| defaults.get(i)) {
                Some(value) => Default::Value(value.clone()),
                None => Default::Missing,
            },
        });
        let fields = fields.collect();
        Ok(Value::Class(self.new_class(
            &name,
            Sort::NamedTuple,
            fields,
        )))
    }

    /// `SimpleNamespace(a=1, b=2)`.
    pub(super) fn namespace(&mut self, call: Call) -> Lowered<Value> {
        let class = self.new_class("SimpleNamespace", Sort::Namespace, Vec::new());
        self.instantiate(class, call)
    }

    /// `dataclasses.replace(object, name=value)` and `object._replace(name=value)`.
    pub(super) fn replaced(&mut self, call: Call) -> Lowered<Value> {
        let span = call.span;
        let object = call.positional.first().map(|(value, _)| value.clone());
        let Some(Value::Object { class, fields }) = object else {
            return Err(self.fail(
                Draft::new(Kind::Type, span, "`replace` takes an object")
                    .found(object.map_or("nothing".to_owned(), |value| value.describe())),
            ));
        };
        let entries = self.dicts[fields].to_vec();
        self.charge(entries.len())?;
        let copy = self.new_object(class, entries);
        if let Value::Object { fields, .. } = copy {
            for (name, value, place) in call.keywords {
                let key = Value::Str(name.as_str().into());
                if self.entry(fields, &key)?.is_none() {
                    return Err(self.no_attribute(&copy, &name, place));
                }
                self.insert(fields, key, value, place)?;
            }
        }
        Ok(copy)
    }

    /// `asdict` and `astuple`.
    pub(super) fn data_as(&mut self, name: &str, value: &Value, span: Span) -> Lowered<Value> {
        let Value::Object { fields, .. } = value else {
            return Err(self.fail(
                Draft::new(Kind::Type, span, format!("`{name}` takes an object"))
                    .found(value.describe()),
            ));
        };
        let entries = self.dicts[*fields].to_vec();
        self.charge(entries.len())?;
        Ok(if name == "asdict" {
            self.new_dict(entries)
        } else {
            Value::tuple(entries.into_iter().map(|(_, value)| value).collect())
        })
    }

    /// `copy.copy` and `copy.deepcopy`.
    pub(super) fn copied(&mut self, value: &Value, is_deep: bool) -> Lowered<Value> {
        let depth = if is_deep { MAX_CONTAINER_DEPTH } else { 0 };
        self.copied_within(value, depth)
    }

    fn copied_within(&mut self, value: &Value, depth: u8) -> Lowered<Value> {
        self.charge(1)?;
        let inner = |lower: &mut Self, items: Vec<Value>| -> Lowered<Vec<Value>> {
            if depth == 0 {
                return Ok(items);
            }
            let copies = items
                .iter()
                .map(|item| lower.copied_within(item, depth - 1));
            copies.collect()
        };
        let entries = |lower: &Self, dict: usize| lower.dicts[dict].iter().cloned().unzip();
        match value {
            Value::Tensor(tensor) => {
                self.charge(tensor.len())?;
                Ok(Value::Tensor(tensor.copied()))
            }
            Value::ListRef(list) => {
                let items = self.lists[*list].to_vec();
                self.charge(items.len())?;
                let items = inner(self, items)?;
                Ok(self.new_list(items))
            }
            Value::Tuple(items) => Ok(Value::tuple(inner(self, items.items.to_vec())?)),
            Value::Dict(dict) | Value::Set(dict) | Value::Object { fields: dict, .. } => {
                let (keys, values): (Vec<Value>, Vec<Value>) = entries(self, *dict);
                self.charge(keys.len())?;
                let values = inner(self, values)?;
                let entries = keys.into_iter().zip(values).collect();
                Ok(match value {
                    Value::Object { class, .. } => self.new_object(*class, entries),
                    other => match (self.new_dict(entries), other) {
                        (Value::Dict(copy), Value::Set(_)) => Value::Set(copy),
                        (copy, _) => copy,
                    },
                })
            }
            other => Ok(other.clone()),
        }
    }
}
