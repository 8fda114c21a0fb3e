//! Calls: of functions in modules, methods, Python's own functions and local ones.

use super::arguments::{Bound, Call};
use super::table::{self, Home, Run};
use super::value::Value;
use super::{Lower, Lowered, Stop};
use crate::diagnostic::{Draft, Kind, Span};
use crate::syntax::{Expr, ExprCall};
use crate::tensor::{DType, Form};

impl<'a> Lower<'a> {
    pub(super) fn call(&mut self, call: &'a ExprCall) -> Lowered<Value> {
        let span = Span::of(call);
        let callee = if let Expr::Attribute(attribute) = &*call.func {
            let base = self.expression(&attribute.value)?;
            let method = attribute.attr.as_str();
            match base {
                Value::Module(module) => {
                    self.module_attribute(module, method, Span::of(attribute))?
                }
                Value::Builtin("dict") if method == "fromkeys" => {
                    let arguments = self.arguments(call, method.to_owned(), None)?;
                    return self.dict_of_keys(arguments);
                }
                Value::Builtin("str") if !call.arguments.args.is_empty() => {
                    let mut arguments = self.arguments(call, method.to_owned(), None)?;
                    let place = Span::of(&attribute.attr);
                    if arguments.positional.is_empty() {
                        let what = format!("`str.{method}` needs a string");
                        return Err(self.fail(Draft::new(Kind::Argument, place, what)));
                    }
                    let (base, _) = arguments.positional.remove(0);
                    return self.string_method(&base, method, place, arguments);
                }
                Value::Builtin(_) | Value::Named(_) => {
                    self.attribute(base, method, Span::of(attribute))?
                }
                Value::ListRef(_) | Value::Tuple(_) | Value::Dict(_) => {
                    let arguments = self.arguments(call, method.to_owned(), None)?;
                    let place = Span::of(&attribute.attr);
                    return self.container_method(base, method, place, arguments);
                }
                Value::Str(_) | Value::Text(_) => {
                    let arguments = self.arguments(call, method.to_owned(), None)?;
                    let place = Span::of(&attribute.attr);
                    return self.string_method(&base, method, place, arguments);
                }
                Value::Set(set) => {
                    let arguments = self.arguments(call, method.to_owned(), None)?;
                    return self.set_method(set, method, Span::of(&attribute.attr), arguments);
                }
                Value::Object { .. } if method == "_replace" => {
                    let arguments = self.arguments(call, method.to_owned(), Some(base))?;
                    return self.replaced(arguments);
                }
                Value::Object { .. } if method == "_asdict" => {
                    return self.data_as("asdict", &base, span);
                }
                Value::Object { .. } | Value::Class(_) => {
                    self.attribute(base, method, Span::of(attribute))?
                }
                Value::Tensor(tensor) => {
                    return self.method(Value::Tensor(tensor), method, call, span);
                }
                Value::Bool(_) | Value::Int(_) | Value::Float(_) => {
                    // What torch returns as a scalar tensor may be a static number here.
                    let tensor = self.tensor_of(base, span)?;
                    return self.method(Value::Tensor(tensor), method, call, span);
                }
                other => {
                    return Err(self.fail(
                        Draft::new(
                            Kind::UnknownOperation,
                            Span::of(&attribute.attr),
                            format!("`.{method}` does not exist here"),
                        )
                        .found(other.describe())
                        .help(match &other {
                            Value::Pair(..) => format!("take its values: `.values.{method}(...)`"),
                            _ => "methods belong to tensors".to_owned(),
                        }),
                    ));
                }
            }
        } else {
            self.expression(&call.func)?
        };
        let name = match &callee {
            Value::Function(function) => format!("{}.{}", function.first_home(), function.name),
            Value::NumpyFunction(function) => function.numpy_name(),
            Value::MathFunction(function) => format!("math.{}", function.name),
            Value::Builtin(name) => (*name).to_owned(),
            Value::Local(local) | Value::Method(local, _) => self.locals[*local].name.to_owned(),
            Value::Class(class) => self.classes[*class].name.clone(),
            Value::Object { class, fields } => {
                let (class, fields) = (*class, *fields);
                match self.object_entry(class, fields, "__call__", span)? {
                    Some(method @ Value::Method(..)) => {
                        let arguments = self.arguments(call, "__call__".to_owned(), None)?;
                        return self.call_value(&method, arguments);
                    }
                    _ => {
                        let what = "this cannot be called";
                        return Err(self.fail(
                            Draft::new(Kind::Type, Span::of(&*call.func), what)
                                .found(callee.describe()),
                        ));
                    }
                }
            }
            Value::DType(dtype) => dtype.name().to_owned(),
            Value::Partial(partial) => partial.name.clone(),
            other => {
                return Err(self.fail(
                    Draft::new(Kind::Type, Span::of(&*call.func), "this cannot be called")
                        .found(other.describe())
                        .help(match &other {
                            Value::Tensor(_)
                            | Value::List(_)
                            | Value::ListRef(_)
                            | Value::Tuple(_)
                            | Value::Dict(_) => "index with square brackets: `keypoints[0]`",
                            Value::Bool(_) | Value::Int(_) | Value::Float(_) => {
                                "write `*` to multiply"
                            }
                            _ => "call a function by its name",
                        }),
                ));
            }
        };
        let arguments = self.arguments(call, name, None)?;
        self.call_value(&callee, arguments)
    }

    /// Calls whatever can be called.
    pub(super) fn call_value(&mut self, callee: &Value, call: Call) -> Lowered<Value> {
        match callee {
            Value::Function(function) => {
                let value = self.run(function.run, call, function.parameters)?;
                Ok(value.formed(&|_| Form::Tensor))
            }
            Value::NumpyFunction(function) => self.call_numpy(function, call),
            Value::MathFunction(function) => {
                let span = call.span;
                let value = self.run(function.run, call, function.parameters)?;
                self.python_number(function.name, value, span)
            }
            Value::Builtin(name) => self.builtin(name, call),
            Value::Local(local) => self.call_local(*local, call),
            Value::Partial(partial) => self.call_partial(partial, call),
            Value::Method(local, receiver) => {
                self.call_method(*local, Value::clone(receiver), call)
            }
            Value::Class(class) => self.instantiate(*class, call),
            Value::DType(dtype) => {
                let bound = Bound::new(self, call, "input")?;
                let tensor = bound.tensor(self, 0)?;
                Ok(Value::Tensor(self.cast(&tensor, *dtype)?))
            }
            other => Err(self.fail(
                Draft::new(Kind::Type, call.span, "this cannot be called")
                    .found(other.describe())
                    .help("give a function or a lambda"),
            )),
        }
    }

    /// What a function of `math` returns: a number, which carries no gradient.
    fn python_number(&mut self, name: &str, value: Value, span: Span) -> Lowered<Value> {
        let Value::Tensor(tensor) = value else {
            return Ok(value);
        };
        if tensor.len() != 1 {
            return Err(self.fail(
                Draft::new(
                    Kind::Type,
                    span,
                    format!("`math.{name}` takes single numbers"),
                )
                .found(Value::Tensor(tensor).describe())
                .help(format!("use `torch.{name}`")),
            ));
        }
        let tensor = tensor.reshaped(Vec::new());
        match self.constants_of(&tensor).as_deref() {
            Some(&[value]) if value.is_nan() => {
                Err(self.fail(Draft::new(Kind::Arithmetic, span, "this has no real value")))
            }
            Some(&[value]) if matches!(name, "floor" | "ceil" | "trunc") && value.abs() < 9e15 => {
                Ok(Value::Int(value as i64))
            }
            Some(&[value]) if tensor.dtype != DType::Bool => Ok(Value::Float(value)),
            Some(&[value]) => Ok(Value::Bool(value != 0.0)),
            _ => self.unknown_number(&tensor),
        }
    }

    /// Evaluates arguments; `receiver` goes first.
    pub(super) fn arguments(
        &mut self,
        call: &'a ExprCall,
        name: String,
        receiver: Option<Value>,
    ) -> Lowered<Call> {
        let span = Span::of(call);
        let mut positional: Vec<(Value, Span)> =
            receiver.into_iter().map(|value| (value, span)).collect();
        let mut is_whole = true;
        for argument in &call.arguments.args {
            if let Expr::Starred(starred) = argument {
                let inner = self.expression(&starred.value)?;
                for item in self.iterate(inner, Span::of(&*starred.value))? {
                    positional.push((item, Span::of(argument)));
                }
            } else {
                let value = self.expression(argument);
                match self.despite(value)? {
                    Some(value) => positional.push((value, Span::of(argument))),
                    None => is_whole = false,
                }
            }
        }
        let mut keywords = Vec::new();
        for keyword in &call.arguments.keywords {
            let Some(name) = &keyword.arg else {
                let value = self.expression(&keyword.value)?;
                self.spread_keywords(value, Span::of(keyword), &mut keywords)?;
                continue;
            };
            // What is ignored need not be understood: `device=action_sequence.device`.
            let value = if name.as_str() == "device" && !self.calls_program(call) {
                Ok(Value::None)
            } else {
                self.expression(&keyword.value)
            };
            match self.despite(value)? {
                Some(value) => keywords.push((name.to_string(), value, Span::of(keyword))),
                None => is_whole = false,
            }
        }
        if !is_whole {
            return Err(Stop::Reported);
        }
        Ok(Call {
            name,
            span,
            positional,
            keywords,
        })
    }

    /// Whether a call names a function of the program, of which any parameter may matter.
    fn calls_program(&self, call: &ExprCall) -> bool {
        let Expr::Name(name) = &*call.func else {
            return false;
        };
        matches!(
            self.known(name.id.as_str()),
            Some(Value::Local(_) | Value::Class(_))
        )
    }

    /// `dict.fromkeys(keys, value)`.
    fn dict_of_keys(&mut self, call: Call) -> Lowered<Value> {
        let bound = Bound::new(self, call, "keys value?")?;
        let span = bound.span;
        let keys = bound.given(0).cloned().unwrap_or(Value::None);
        let value = bound.given(1).cloned().unwrap_or(Value::None);
        let dict = self.new_dict(Vec::new());
        if let Value::Dict(own) = dict {
            for key in self.iterate(keys, span)? {
                self.insert(own, key, value.clone(), span)?;
            }
        }
        Ok(dict)
    }

    /// `**options` with a dictionary whose keys are names.
    fn spread_keywords(
        &mut self,
        value: Value,
        span: Span,
        keywords: &mut Vec<(String, Value, Span)>,
    ) -> Lowered<()> {
        let entries = match value {
            Value::Dict(dict) => self.dicts[dict].to_vec(),
            other => {
                return Err(self.fail(
                    Draft::new(Kind::Type, span, "`**` takes a dictionary").found(other.describe()),
                ));
            }
        };
        self.charge(entries.len())?;
        for (key, value) in entries {
            match key {
                Value::Str(name) => keywords.push((name.to_string(), value, span)),
                other => {
                    return Err(self.fail(
                        Draft::new(Kind::Type, span, "a keyword is a string")
                            .found(other.describe()),
                    ));
                }
            }
        }
        Ok(())
    }

    pub(super) fn run(&mut self, run: Run, mut call: Call, parameters: &str) -> Lowered<Value> {
        let span = call.span;
        for (value, span) in &mut call.positional {
            *value = self.frozen(std::mem::replace(value, Value::None), *span)?;
        }
        for (_, value, span) in &mut call.keywords {
            *value = self.frozen(std::mem::replace(value, Value::None), *span)?;
        }
        let bound = Bound::new(self, call, parameters)?;
        match run {
            Run::Unary(op) => {
                let x = bound.tensor(self, 0)?;
                Ok(Value::Tensor(self.unary(op, &x)?))
            }
            Run::Binary(op) => {
                let (a, b) = (bound.tensor(self, 0)?, bound.tensor(self, 1)?);
                Ok(Value::Tensor(self.arithmetic(op, &a, &b, span)?))
            }
            Run::Layer(target) => self.layer(target, parameters, &bound),
            Run::Special(run) => {
                let value = run(self, &bound)?;
                self.thawed(value)
            }
        }
    }

    fn method(
        &mut self,
        receiver: Value,
        name: &str,
        call: &'a ExprCall,
        span: Span,
    ) -> Lowered<Value> {
        let form = match &receiver {
            Value::Tensor(tensor) => tensor.form,
            _ => Form::Number,
        };
        let Some((function, in_place)) = table::find_method(name, form) else {
            let Expr::Attribute(attribute) = &*call.func else {
                return Err(Stop::Reported);
            };
            return Err(self.unknown("tensor", Home::METHOD, name, Span::of(&attribute.attr)));
        };
        let place = receiver.clone();
        let arguments = self.arguments(call, format!("Tensor.{name}"), Some(receiver))?;
        debug_assert_eq!(arguments.span, span);
        let result = self.run(function.run, arguments, function.parameters)?;
        if let (true, Value::Tensor(place), Value::Tensor(result)) = (in_place, &place, &result) {
            self.write_back(place, result, name, span)?;
            return Ok(Value::Tensor(place.clone()));
        }
        Ok(self.method_result(form, name, result))
    }
}
