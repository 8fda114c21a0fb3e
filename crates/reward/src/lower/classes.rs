//! Classes of constants, of data and of methods, and their objects.

use std::collections::HashMap;

use super::functions::dotted;
use super::value::Value;
use super::{LocalBody, Lower, Lowered};
use crate::diagnostic::{Draft, Kind, Span};
use crate::syntax::{Expr, Stmt, StmtClassDef, StmtFunctionDef};

/// What kind of class it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sort {
    Plain,
    Data {
        is_frozen: bool,
    },
    NamedTuple,
    Enum,
    /// Its members are plain integers here.
    IntEnum,
    /// `types.SimpleNamespace`.
    Namespace,
}

/// How a function of a class is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Method,
    Static,
    OfClass,
    Property,
}

/// A parameter of the objects of a class of data.
#[derive(Clone, Debug)]
pub(super) struct Field {
    pub(super) name: String,
    pub(super) default: Default,
}

#[derive(Clone, Debug)]
pub(super) enum Default {
    Missing,
    Value(Value),
    /// Called for every object.
    Factory(Value),
}

#[derive(Clone, Debug)]
pub(super) struct Class {
    pub(super) name: String,
    pub(super) sort: Sort,
    /// The class that it builds on.
    pub(super) base: Option<usize>,
    /// Its attributes, in the table of dictionaries.
    pub(super) attributes: usize,
    /// Whether its members are strings, too.
    pub(super) is_text: bool,
    roles: HashMap<String, Role>,
    pub(super) fields: Vec<Field>,
}

/// Classes that build on one another.
const MAX_BASES: usize = 8;

impl<'a> Lower<'a> {
    pub(super) fn new_class(&mut self, name: &str, sort: Sort, fields: Vec<Field>) -> usize {
        self.dicts.push(std::rc::Rc::default());
        self.classes.push(Class {
            name: name.to_owned(),
            sort,
            base: None,
            attributes: self.dicts.len() - 1,
            is_text: false,
            roles: HashMap::new(),
            fields,
        });
        self.classes.len() - 1
    }

    pub(super) fn new_object(&mut self, class: usize, entries: Vec<(Value, Value)>) -> Value {
        self.dicts.push(std::rc::Rc::new(entries));
        Value::Object {
            class,
            fields: self.dicts.len() - 1,
        }
    }

    /// What a `class` statement binds its name to.
    pub(super) fn class(&mut self, class: &'a StmtClassDef) -> Lowered<Value> {
        let mut sort = Sort::Plain;
        let (mut base, mut is_text) = (None, false);
        for expression in class.arguments.iter().flat_map(|arguments| &arguments.args) {
            let name = dotted(expression).unwrap_or_default();
            if matches!(
                name.as_str(),
                "object" | "ABC" | "abc.ABC" | "Protocol" | "Generic"
            ) {
                continue;
            }
            if matches!(expression, Expr::Subscript(_)) {
                continue;
            }
            match self.expression(expression)? {
                Value::Builtin("Enum") => sort = Sort::Enum,
                Value::Builtin("StrEnum") => (sort, is_text) = (Sort::Enum, true),
                Value::Builtin("IntEnum") => sort = Sort::IntEnum,
                Value::Builtin("NamedTuple") => sort = Sort::NamedTuple,
                // A mixed-in type such as `str` before `Enum`.
                Value::Builtin("str") => is_text = true,
                Value::Builtin("float" | "tuple" | "dict") | Value::None => {}
                Value::Builtin("int") => sort = Sort::IntEnum,
                Value::Class(outer) if base.is_none() => {
                    base = Some(outer);
                    is_text = self.classes[outer].is_text;
                    sort = self.classes[outer].sort;
                }
                other => {
                    return Err(self.fail(
                        Draft::new(
                            Kind::Unsupported,
                            Span::of(expression),
                            "this class cannot be built upon",
                        )
                        .found(other.describe())
                        .help("write plain functions, or a class of its own"),
                    ));
                }
            }
        }
        let mut bases = 0;
        let mut at = base;
        while let Some(outer) = at {
            bases += 1;
            at = self.classes[outer].base;
        }
        if bases > MAX_BASES {
            let span = Span::of(&class.name);
            return Err(self.fail(Draft::new(
                Kind::Limit,
                span,
                "too many classes build on one another",
            )));
        }
        let inherited = base.map_or(Vec::new(), |outer| self.classes[outer].fields.clone());
        self.charge(8 + inherited.len())?;
        let own = self.new_class(class.name.as_str(), sort, inherited);
        self.classes[own].base = base;
        self.classes[own].is_text = is_text;
        for decorator in class.decorator_list.iter().rev() {
            self.decorate(own, &decorator.expression)?;
        }
        let outer = self.frame;
        let locals = self.locals.len();
        let frame = self.frames.len();
        let back = self.enter(outer, false);
        let outcome = self.class_body(own, &class.body);
        self.frame = back;
        // Functions of a class see the names around it, not those in it.
        for local in &mut self.locals[locals..] {
            if local.frame != outer && self.frames[local.frame].outer == Some(outer) {
                local.frame = outer;
            }
        }
        if self.locals[locals..]
            .iter()
            .all(|local| local.frame <= outer)
        {
            self.frames.truncate(frame);
        }
        outcome?;
        Ok(Value::Class(own))
    }

    fn decorate(&mut self, class: usize, decorator: &'a Expr) -> Lowered<()> {
        if super::functions::is_inert_decorator(decorator) {
            return Ok(());
        }
        let (function, keywords) = match decorator {
            Expr::Call(call) => (&*call.func, call.arguments.keywords.as_slice()),
            other => (other, [].as_slice()),
        };
        match self.expression(function)? {
            Value::Builtin("dataclass") => {
                let is_frozen = keywords.iter().any(|keyword| {
                    keyword.arg.as_ref().is_some_and(|name| name == "frozen")
                        && matches!(&keyword.value, Expr::BooleanLiteral(flag) if flag.value)
                });
                self.classes[class].sort = Sort::Data { is_frozen };
                Ok(())
            }
            Value::Builtin("identity") => Ok(()),
            other => Err(self.fail(
                Draft::new(
                    Kind::Unsupported,
                    Span::of(decorator),
                    "this decorator of a class is not part of the reward language",
                )
                .found(other.describe())
                .help("remove it"),
            )),
        }
    }

    /// Carries out the statements of a class and takes over the names that they bind.
    fn class_body(&mut self, class: usize, body: &'a [Stmt]) -> Lowered<()> {
        let span = self.graph.span;
        let sort = self.classes[class].sort;
        let has_fields = matches!(sort, Sort::Data { .. } | Sort::NamedTuple);
        let mut order: Vec<&'a str> = Vec::new();
        for statement in body {
            self.charge(1)?;
            match statement {
                Stmt::FunctionDef(function) => {
                    let role = role(function);
                    let value = self.define(
                        function.name.as_str(),
                        Some(&function.parameters),
                        LocalBody::Block(&function.body),
                    )?;
                    let name = function.name.as_str();
                    self.classes[class].roles.insert(name.to_owned(), role);
                    self.assign(name, Some(value));
                }
                Stmt::AnnAssign(assign) if has_fields => {
                    let Expr::Name(name) = &*assign.target else {
                        continue;
                    };
                    let default = match &assign.value {
                        Some(value) => self.field_default(value)?,
                        None => Default::Missing,
                    };
                    if let Default::Value(value) = &default {
                        self.assign(name.id.as_str(), Some(value.clone()));
                    }
                    let name = name.id.to_string();
                    let fields = &mut self.classes[class].fields;
                    match fields.iter_mut().find(|field| field.name == name) {
                        Some(field) => field.default = default,
                        None => fields.push(Field { name, default }),
                    }
                }
                other => {
                    self.block(std::slice::from_ref(other))?;
                }
            }
            order.extend(super::statement::target_names(statement));
        }
        let attributes = self.classes[class].attributes;
        let mut seen = Vec::new();
        for name in order {
            if seen.contains(&name) {
                continue;
            }
            self.charge(1 + seen.len() / 16)?;
            seen.push(name);
            let Some(Some(value)) = self.frames[self.frame].names.get(name).cloned() else {
                continue;
            };
            let is_member = !name.starts_with('_')
                && !matches!(value, Value::Local(_))
                && matches!(sort, Sort::Enum | Sort::IntEnum);
            let value = if is_member {
                self.member(class, name, value)?
            } else {
                value
            };
            self.insert(attributes, Value::Str(name.into()), value, span)?;
        }
        Ok(())
    }

    /// A member of an enumeration.
    fn member(&mut self, class: usize, name: &str, value: Value) -> Lowered<Value> {
        let value = match value {
            Value::Builtin("auto") if self.classes[class].is_text => {
                Value::Str(name.to_lowercase().into())
            }
            Value::Builtin("auto") => {
                let count = self.enum_members(class)?.len();
                Value::Int(count as i64 + 1)
            }
            value => value,
        };
        if self.classes[class].sort == Sort::IntEnum {
            return Ok(value);
        }
        let entries = vec![
            (Value::Str("name".into()), Value::Str(name.into())),
            (Value::Str("value".into()), value),
        ];
        Ok(self.new_object(class, entries))
    }

    /// The members of an enumeration, in order.
    pub(super) fn enum_members(&mut self, class: usize) -> Lowered<Vec<Value>> {
        let attributes = self.classes[class].attributes;
        self.charge(self.dicts[attributes].len())?;
        let is_int = self.classes[class].sort == Sort::IntEnum;
        let members = self.dicts[attributes].iter().map(|(_, value)| value);
        Ok(members
            .filter(|value| match value {
                Value::Object { class: own, .. } => *own == class,
                Value::Int(_) => is_int,
                _ => false,
            })
            .cloned()
            .collect())
    }

    /// Whether `class` is `wanted` or builds on it.
    pub(super) fn builds_on(&self, class: usize, wanted: usize) -> bool {
        let mut at = Some(class);
        while let Some(own) = at {
            if own == wanted {
                return true;
            }
            at = self.classes[own].base;
        }
        false
    }

    /// An attribute of a class or of one that it builds on.
    pub(super) fn class_entry(
        &mut self,
        class: usize,
        name: &str,
    ) -> Lowered<Option<(Value, Role)>> {
        let key = Value::Str(name.into());
        let mut at = Some(class);
        while let Some(own) = at {
            let attributes = self.classes[own].attributes;
            if let Some(value) = self.entry(attributes, &key)? {
                let role = self.classes[own].roles.get(name).copied();
                return Ok(Some((value, role.unwrap_or(Role::Static))));
            }
            at = self.classes[own].base;
        }
        Ok(None)
    }
}

fn role(function: &StmtFunctionDef) -> Role {
    for decorator in &function.decorator_list {
        let path = dotted(&decorator.expression).unwrap_or_default();
        match path.rsplit('.').next() {
            Some("staticmethod") => return Role::Static,
            Some("classmethod") => return Role::OfClass,
            Some("property" | "cached_property") => return Role::Property,
            _ => {}
        }
    }
    Role::Method
}
