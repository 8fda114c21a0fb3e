//! Attributes of classes and objects, and how objects are made.

use super::arguments::Call;
use super::classes::{Role, Sort};
use super::value::Value;
use super::{Lower, Lowered, Stop};
use crate::diagnostic::{Draft, Kind, Span};
use crate::syntax::Expr;

impl<'a> Lower<'a> {
    /// `Class.name`.
    pub(super) fn class_attribute(
        &mut self,
        class: usize,
        name: &str,
        span: Span,
    ) -> Lowered<Value> {
        match (self.class_entry(class, name)?, name) {
            (Some((Value::Local(local), Role::OfClass)), _) => {
                Ok(Value::Method(local, Value::Class(class).into()))
            }
            (Some((value, _)), _) => Ok(value),
            (None, "__name__") => Ok(Value::Str(self.classes[class].name.as_str().into())),
            (None, "_fields") => {
                let fields = self.classes[class].fields.iter();
                let names = fields.map(|field| Value::Str(field.name.as_str().into()));
                Ok(Value::tuple(names.collect()))
            }
            (None, "__members__") => {
                let attributes = self.classes[class].attributes;
                let entries = self.dicts[attributes].to_vec();
                self.charge(entries.len())?;
                Ok(self.new_dict(entries))
            }
            (None, _) => Err(self.no_attribute(&Value::Class(class), name, span)),
        }
    }

    /// `object.name`, if there is such an attribute.
    pub(super) fn object_entry(
        &mut self,
        class: usize,
        fields: usize,
        name: &str,
        span: Span,
    ) -> Lowered<Option<Value>> {
        let receiver = Value::Object { class, fields };
        if let Some(value) = self.entry(fields, &Value::Str(name.into()))? {
            return Ok(Some(value));
        }
        let Some((value, role)) = self.class_entry(class, name)? else {
            return Ok(match name {
                "__class__" => Some(Value::Class(class)),
                "__dict__" => {
                    let entries = self.dicts[fields].to_vec();
                    self.charge(entries.len())?;
                    Some(self.new_dict(entries))
                }
                _ => None,
            });
        };
        Ok(Some(match (value, role) {
            (Value::Local(local), Role::Method) => Value::Method(local, receiver.into()),
            (Value::Local(local), Role::OfClass) => {
                Value::Method(local, Value::Class(class).into())
            }
            (function @ Value::Local(_), Role::Property) => {
                self.apply(&function, vec![receiver], span)?
            }
            (value, _) => value,
        }))
    }

    pub(super) fn no_attribute(&mut self, base: &Value, name: &str, span: Span) -> Stop {
        let (what, attributes) = match base {
            Value::Class(class) => (
                format!("`{}` has no `{name}`", self.classes[*class].name),
                self.classes[*class].attributes,
            ),
            Value::Object { class, fields } => (
                format!(
                    "objects of `{}` have no `{name}`",
                    self.classes[*class].name
                ),
                *fields,
            ),
            _ => (format!("there is no attribute `{name}`"), usize::MAX),
        };
        let names: Vec<String> = self
            .dicts
            .get(attributes)
            .map_or([].as_slice(), |entries| entries.as_slice())
            .iter()
            .take(40)
            .filter_map(|(key, _)| match key {
                Value::Str(key) => Some(key.to_string()),
                _ => None,
            })
            .collect();
        let close = super::expression::nearest(name, names.iter().map(String::as_str));
        let draft = Draft::new(Kind::UnknownOperation, span, what).found(base.describe());
        self.fail(match close {
            Some(close) => draft.help(format!("did you mean `{close}`?")),
            None => draft.help(format!(
                "set `{name}` in the class, or use an attribute that is there"
            )),
        })
    }

    /// `object.name = value`.
    pub(super) fn set_attribute(
        &mut self,
        base: Value,
        name: &str,
        value: Value,
        span: Span,
    ) -> Lowered<()> {
        let key = Value::Str(name.into());
        match base {
            Value::Object { class, fields } => {
                let help = match self.classes[class].sort {
                    Sort::Data { is_frozen: true } => {
                        Some("make a new one with `dataclasses.replace`, or use a plain name")
                    }
                    Sort::NamedTuple => {
                        Some("make a new one with `._replace(...)`, or use a plain name")
                    }
                    Sort::Enum => Some("use a plain name"),
                    _ => None,
                };
                if let Some(help) = help {
                    return Err(self.fail(
                        Draft::new(
                            Kind::Type,
                            span,
                            format!(
                                "objects of `{}` cannot be changed",
                                self.classes[class].name
                            ),
                        )
                        .help(help),
                    ));
                }
                self.insert(fields, key, value, span)
            }
            Value::Class(class) => {
                let attributes = self.classes[class].attributes;
                self.insert(attributes, key, value, span)
            }
            // What hangs on a function or a tensor is read by nobody.
            Value::Local(_) => Ok(()),
            Value::Tensor(_) if matches!(name, "requires_grad" | "grad") => Ok(()),
            Value::Tensor(tensor) if name == "data" => {
                let value = self.tensor_of(value, span)?;
                let value = self.broadcast_to(&value, &tensor.shape, span)?;
                self.overwrite(&tensor, &value, span)
            }
            _ => Err(self.cannot_assign(span)),
        }
    }

    /// The items of a named tuple or the members of an enumeration.
    pub(super) fn iterate_object(&mut self, value: Value, span: Span) -> Lowered<Vec<Value>> {
        match value {
            Value::Object { class, fields } if self.classes[class].sort == Sort::NamedTuple => {
                self.charge(self.dicts[fields].len())?;
                Ok(self.dicts[fields]
                    .iter()
                    .map(|(_, value)| value.clone())
                    .collect())
            }
            Value::Class(class)
                if matches!(self.classes[class].sort, Sort::Enum | Sort::IntEnum) =>
            {
                self.enum_members(class)
            }
            other => Err(self.fail(
                Draft::new(Kind::Type, span, "this cannot be looped over")
                    .expected("a range, a list, a tuple or a tensor")
                    .found(other.describe()),
            )),
        }
    }

    /// `Enumeration["NAME"]`.
    pub(super) fn member_item(
        &mut self,
        class: usize,
        index: &'a Expr,
        span: Span,
    ) -> Lowered<Value> {
        match self.expression(index)? {
            Value::Str(name) => self.class_attribute(class, &name, span),
            other => Err(self.fail(
                Draft::new(Kind::Type, span, "a class is not indexed like this")
                    .found(other.describe()),
            )),
        }
    }

    /// Makes an object, or finds the member of an enumeration that has a value.
    pub(super) fn instantiate(&mut self, class: usize, call: Call) -> Lowered<Value> {
        let span = call.span;
        match self.classes[class].sort {
            Sort::Enum | Sort::IntEnum => {
                let wanted = call.positional.into_iter().next();
                let wanted = wanted.map_or(Value::None, |(value, _)| value);
                for member in self.enum_members(class)? {
                    let own = match &member {
                        Value::Object { fields, .. } => {
                            self.entry(*fields, &Value::Str("value".into()))?
                        }
                        _ => Some(member.clone()),
                    };
                    if let Some(own) = own
                        && self.equal(&own, &wanted)? == Some(true)
                    {
                        return Ok(member);
                    }
                }
                Err(self.fail(
                    Draft::new(Kind::Index, span, "no member has this value")
                        .found(wanted.describe())
                        .help("use a value of one of the members"),
                ))
            }
            Sort::Data { .. } | Sort::NamedTuple => self.data_object(class, call),
            Sort::Namespace => {
                let entries = call
                    .keywords
                    .into_iter()
                    .map(|(name, value, _)| (Value::Str(name.into()), value))
                    .collect();
                Ok(self.new_object(class, entries))
            }
            Sort::Plain => {
                let object = self.new_object(class, Vec::new());
                match self.class_entry(class, "__init__")? {
                    Some((Value::Local(local), _)) => {
                        self.call_method(local, object.clone(), call)?;
                    }
                    _ if call.positional.is_empty() && call.keywords.is_empty() => {}
                    _ => {
                        let what = format!("`{}` takes no arguments", self.classes[class].name);
                        return Err(self.fail(
                            Draft::new(Kind::Argument, span, what)
                                .help("give the class an `__init__` that takes them"),
                        ));
                    }
                }
                Ok(object)
            }
        }
    }

    /// What a method without arguments gives, where the object's class has it.
    pub(super) fn special(
        &mut self,
        object: &Value,
        name: &str,
        span: Span,
    ) -> Lowered<Option<Value>> {
        let Value::Object { class, .. } = object else {
            return Ok(None);
        };
        match self.class_entry(*class, name)? {
            Some((function @ Value::Local(_), _)) => {
                self.apply(&function, vec![object.clone()], span).map(Some)
            }
            _ => Ok(None),
        }
    }

    /// Calls a function of a class with the object first.
    pub(super) fn call_method(
        &mut self,
        local: usize,
        receiver: Value,
        mut call: Call,
    ) -> Lowered<Value> {
        call.positional.insert(0, (receiver, call.span));
        self.call_local(local, call)
    }
}
