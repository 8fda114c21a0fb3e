//! Calls and attributes: modules, methods, Python's own functions and local functions.

use ruff_python_ast::{Expr, ExprCall, Parameters};

use super::arguments::{Bound, Call};
use super::expression::nearest;
use super::statement::Flow;
use super::table::{self, Home, Run};
use super::value::{Module, Value};
use super::{Local, LocalBody, Lower, Lowered, MAX_PARAMETERS, Stop, substitute};
use crate::diagnostic::{Draft, Kind, Span};
use crate::op::Op;
use crate::tensor::{DType, Tensor, strided_positions, strides};

/// Local functions calling one another.
const MAX_CALL_DEPTH: usize = 8;

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
                Value::ListRef(_) | Value::Tuple(_) | Value::Dict(_) => {
                    let arguments = self.arguments(call, method.to_owned(), None)?;
                    let place = Span::of(&attribute.attr);
                    return self.container_method(base, method, place, arguments);
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
                            Value::List(_) | Value::Tuple(_) => {
                                format!("make it a tensor first: `torch.stack(...).{method}(...)`")
                            }
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
            Value::MathFunction(function) => format!("math.{}", function.name),
            Value::Builtin(name) => (*name).to_owned(),
            Value::Local(local) => self.locals[*local].name.to_owned(),
            Value::DType(dtype) => dtype.name().to_owned(),
            other => {
                return Err(self.fail(
                    Draft::new(Kind::Type, Span::of(&*call.func), "this cannot be called")
                        .found(other.describe())
                        .help(match &other {
                            Value::Tensor(_) => "index with square brackets: `keypoints[0]`",
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
            Value::Function(function) => self.run(function.run, call, function.parameters),
            Value::MathFunction(function) => {
                let span = call.span;
                let value = self.run(function.run, call, function.parameters)?;
                self.python_number(function.name, value, span)
            }
            Value::Builtin(name) => self.builtin(name, call),
            Value::Local(local) => self.call_local(*local, call),
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
            _ => Ok(Value::Tensor(self.unary(Op::Detach, &tensor)?)),
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
        for argument in &call.arguments.args {
            if let Expr::Starred(starred) = argument {
                let inner = self.expression(&starred.value)?;
                for item in self.iterate(inner, Span::of(&*starred.value))? {
                    positional.push((item, Span::of(argument)));
                }
            } else {
                let value = self.expression(argument)?;
                positional.push((value, Span::of(argument)));
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
            let value = if name.as_str() == "device" {
                Value::None
            } else {
                self.expression(&keyword.value)?
            };
            keywords.push((name.to_string(), value, Span::of(keyword)));
        }
        Ok(Call {
            name,
            span,
            positional,
            keywords,
        })
    }

    /// `**options` with a dictionary whose keys are names.
    fn spread_keywords(
        &mut self,
        value: Value,
        span: Span,
        keywords: &mut Vec<(String, Value, Span)>,
    ) -> Lowered<()> {
        let entries = match value {
            Value::Dict(dict) => self.dicts[dict].clone(),
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
                Ok(Value::Tensor(self.binary(op, &a, &b, span)?))
            }
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
        let Some((function, in_place)) = table::find_method(name) else {
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
        Ok(result)
    }

    /// Reports a function that does not exist, with the closest one that does.
    fn unknown(&mut self, place: &str, home: Home, name: &str, span: Span) -> Stop {
        let help = if let Some(hint) = substitute::substitute(name) {
            hint.to_owned()
        } else if let Some(elsewhere) = table::find_anywhere(name) {
            format!("use `{}.{name}`", elsewhere.first_home())
        } else if let Some(close) = nearest(name, table::names(home)) {
            format!("did you mean `{close}`?")
        } else if let Some(close) = nearest(name, DTYPES.iter().copied())
            && (home == Home::TORCH || home == Home::NUMPY)
        {
            format!("did you mean `{place}.{close}`?")
        } else {
            "write it out with `torch.norm`, `torch.where`, arithmetic and the like".to_owned()
        };
        self.fail(
            Draft::new(
                Kind::UnknownOperation,
                span,
                match place {
                    "tensor" => format!("tensors have no `{name}` in the reward language"),
                    _ => format!("`{place}.{name}` is not an operation of the reward language"),
                },
            )
            .help(help),
        )
    }

    pub(super) fn attribute(&mut self, base: Value, name: &str, span: Span) -> Lowered<Value> {
        match base {
            Value::Module(module) => self.module_attribute(module, name, span),
            Value::Pair(values, indices) => match name {
                "values" => Ok(Value::Tensor(values)),
                "indices" => Ok(Value::Tensor(indices)),
                _ => Err(self.unknown("a (values, indices) pair", Home::METHOD, name, span)),
            },
            Value::Tensor(tensor) => self.tensor_attribute(&tensor, name, span),
            other => Err(self.fail(
                Draft::new(
                    Kind::UnknownOperation,
                    span,
                    format!("there is no attribute `{name}`"),
                )
                .found(other.describe()),
            )),
        }
    }

    fn module_attribute(&mut self, module: Module, name: &str, span: Span) -> Lowered<Value> {
        let home = match module {
            Module::Torch => match name {
                "nn" => return Ok(Value::Module(Module::TorchNn)),
                "linalg" => return Ok(Value::Module(Module::TorchLinalg)),
                "special" => return Ok(Value::Module(Module::TorchSpecial)),
                _ => Home::TORCH,
            },
            Module::TorchNn if name == "functional" => {
                return Ok(Value::Module(Module::Functional));
            }
            Module::TorchNn => {
                return Err(self.fail(
                    Draft::new(
                        Kind::UnknownOperation,
                        span,
                        format!("`torch.nn.{name}` is not available to rewards"),
                    )
                    .help("use the functions of torch.nn.functional (`F`)"),
                ));
            }
            Module::Numpy if name == "linalg" => return Ok(Value::Module(Module::NumpyLinalg)),
            Module::Functional => Home::FUNCTIONAL,
            Module::TorchLinalg => Home::LINALG,
            Module::TorchSpecial => Home::SPECIAL,
            Module::Numpy => Home::NUMPY,
            Module::NumpyLinalg => Home::NUMPY_LINALG,
            Module::Math => Home::MATH,
        };
        if matches!(module, Module::Torch | Module::Numpy | Module::Math) {
            match name {
                "pi" => return Ok(Value::Float(std::f64::consts::PI)),
                "e" => return Ok(Value::Float(std::f64::consts::E)),
                "tau" if module == Module::Math => return Ok(Value::Float(std::f64::consts::TAU)),
                "inf" => return Ok(Value::Float(f64::INFINITY)),
                "nan" => return Ok(Value::Float(f64::NAN)),
                "newaxis" => return Ok(Value::None),
                "Tensor" | "FloatTensor" if module == Module::Torch => {
                    return Ok(Value::Builtin("Tensor"));
                }
                "ndarray" if module == Module::Numpy => return Ok(Value::Builtin("ndarray")),
                "Size" if module == Module::Torch => return Ok(Value::Builtin("tuple")),
                // Everything is computed in one place.
                "device" if module == Module::Torch => return Ok(Value::Builtin("device")),
                _ => {}
            }
        }
        if matches!(module, Module::Torch | Module::Numpy)
            && let Some(dtype) = dtype_name(name)
        {
            return Ok(Value::DType(dtype));
        }
        match table::find(home, name) {
            Some(function) if module == Module::Math => Ok(Value::MathFunction(function)),
            Some(function) => Ok(Value::Function(function)),
            None => Err(self.unknown(module.name(), home, name, span)),
        }
    }

    fn tensor_attribute(&mut self, tensor: &Tensor, name: &str, span: Span) -> Lowered<Value> {
        match name {
            "shape" => Ok(Value::tuple(
                tensor.shape.iter().map(|&s| Value::Int(s as i64)).collect(),
            )),
            "ndim" => Ok(Value::Int(tensor.rank() as i64)),
            "dtype" => Ok(Value::DType(tensor.dtype)),
            "device" => Ok(Value::None),
            "real" => Ok(Value::Tensor(tensor.clone())),
            "is_cuda" => Ok(Value::Bool(false)),
            "requires_grad" => {
                self.charge(tensor.len())?;
                Ok(Value::Bool(self.is_differentiable(tensor)))
            }
            "data" => {
                self.charge(tensor.len())?;
                if !self.is_differentiable(tensor) {
                    return Ok(Value::Tensor(tensor.clone()));
                }
                Ok(Value::Tensor(self.unary(Op::Detach, tensor)?))
            }
            "T" | "mT" if tensor.rank() == 2 || (name == "mT" && tensor.rank() > 2) => {
                let rank = tensor.rank();
                self.charge(tensor.len())?;
                let mut steps = strides(&tensor.shape);
                let mut shape = tensor.shape.clone();
                steps.swap(rank - 2, rank - 1);
                shape.swap(rank - 2, rank - 1);
                let positions = strided_positions(&shape, &steps, 0);
                Ok(Value::Tensor(tensor.view(shape, &positions)))
            }
            "T" if tensor.rank() < 2 => Ok(Value::Tensor(tensor.clone())),
            _ if table::find_method(name).is_some() => Err(self.fail(
                Draft::new(
                    Kind::Type,
                    span,
                    format!("the method `{name}` is not called"),
                )
                .help(format!("write `.{name}()`")),
            )),
            _ => Err(self.unknown("tensor", Home::METHOD, name, span)),
        }
    }

    /// A function or lambda defined inside a stage, with its defaults evaluated now.
    pub(super) fn define(
        &mut self,
        name: &'a str,
        parameters: Option<&'a Parameters>,
        body: LocalBody<'a>,
    ) -> Lowered<Value> {
        let mut defaults = Vec::new();
        if let Some(parameters) = parameters {
            let plain = parameters.posonlyargs.iter().chain(&parameters.args);
            for parameter in plain.chain(&parameters.kwonlyargs) {
                self.charge(1)?;
                defaults.push(match &parameter.default {
                    Some(default) => Some(self.expression(default)?),
                    None => None,
                });
            }
        }
        self.locals.push(Local {
            name,
            parameters,
            defaults: defaults.into(),
            body,
            frame: self.frame,
        });
        Ok(Value::Local(self.locals.len() - 1))
    }

    fn call_local(&mut self, local: usize, call: Call) -> Lowered<Value> {
        let function = self.locals[local].clone();
        if self.call_depth >= MAX_CALL_DEPTH {
            return Err(self.fail(
                Draft::new(
                    Kind::Limit,
                    call.span,
                    "functions call one another too deeply",
                )
                .expected(format!("at most {MAX_CALL_DEPTH} calls inside one another"))
                .help("use a `for` loop instead of recursion"),
            ));
        }
        let mut names = Vec::new();
        let mut specification = String::new();
        if let Some(parameters) = function.parameters {
            if let Some(rest) = &parameters.kwarg {
                return Err(self.fail(
                    Draft::new(
                        Kind::Unsupported,
                        Span::of(&**rest),
                        "`**` parameters are not part of the reward language",
                    )
                    .help("name the parameters"),
                ));
            }
            let count = parameters.len();
            if count > MAX_PARAMETERS {
                return Err(self.fail(
                    Draft::new(
                        Kind::Limit,
                        call.span,
                        "this function has too many parameters",
                    )
                    .expected(format!("at most {MAX_PARAMETERS}"))
                    .found(format!("{count}")),
                ));
            }
            self.charge(count)?;
            let plain = parameters.posonlyargs.iter().chain(&parameters.args);
            for parameter in plain.chain(&parameters.kwonlyargs) {
                let name = parameter.parameter.name.as_str();
                names.push(name);
                if parameters.vararg.is_some()
                    && names.len() == parameters.posonlyargs.len() + parameters.args.len() + 1
                {
                    specification.push_str("*rest ");
                }
                specification.push_str(name);
                specification.push_str(if parameter.default.is_some() {
                    "? "
                } else {
                    " "
                });
            }
            if let Some(rest) = &parameters.vararg {
                let plain = parameters.posonlyargs.len() + parameters.args.len();
                names.insert(plain, rest.name.as_str());
                if parameters.kwonlyargs.is_empty() {
                    specification.push_str("*rest");
                }
            }
        }
        let rest = specification
            .split_whitespace()
            .position(|name| name.starts_with('*'));
        let bound = Bound::new(self, call, &specification)?;
        let locals = self.locals.len();
        let outer = self.enter(function.frame, true);
        for (position, name) in names.into_iter().enumerate() {
            self.charge(1)?;
            let value = match rest {
                Some(rest) if position == rest => bound
                    .given(rest)
                    .cloned()
                    .unwrap_or_else(|| Value::tuple(Vec::new())),
                _ => {
                    let own = position - usize::from(rest.is_some_and(|rest| position > rest));
                    let default = function.defaults.get(own).cloned().flatten();
                    bound
                        .given(position)
                        .cloned()
                        .or(default)
                        .unwrap_or(Value::None)
                }
            };
            self.assign(name, Some(value));
        }
        self.call_depth += 1;
        let result = match function.body {
            LocalBody::Expression(expression) => self.expression(expression),
            LocalBody::Block(statements) => self.block(statements).map(|flow| match flow {
                Flow::Return(value, _) => value,
                _ => Value::None,
            }),
        };
        self.call_depth -= 1;
        self.leave(outer, locals);
        result
    }
}

/// Names that are often misspelt; more are known.
const DTYPES: [&str; 5] = ["float32", "float64", "int32", "int64", "bool"];

fn dtype_name(name: &str) -> Option<DType> {
    match name {
        "float" | "float16" | "float32" | "float64" | "double" | "half" | "bfloat16" => {
            Some(DType::Float)
        }
        "int" | "long" | "int8" | "int16" | "int32" | "int64" | "uint8" | "short" => {
            Some(DType::Int)
        }
        "bool" | "bool_" => Some(DType::Bool),
        _ => None,
    }
}
