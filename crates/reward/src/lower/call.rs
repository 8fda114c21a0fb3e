//! Calls and attributes: modules, methods, Python's own functions and local functions.

use ruff_python_ast::{Expr, ExprCall};

use super::arguments::{Bound, Call};
use super::expression::nearest;
use super::statement::Flow;
use super::table::{self, Home, Run};
use super::value::{Module, Value};
use super::{LocalBody, Lower, Lowered, Stop, substitute};
use crate::diagnostic::{Draft, Kind, Span};
use crate::op::Op;
use crate::tensor::{DType, Tensor, strided_positions, strides};

/// Local functions calling one another.
const MAX_CALL_DEPTH: usize = 8;

impl<'a> Lower<'a> {
    pub(super) fn call(&mut self, call: &'a ExprCall) -> Lowered<Value> {
        let span = Span::of(call);
        if let Expr::Attribute(attribute) = &*call.func {
            let base = self.expression(&attribute.value)?;
            let method = attribute.attr.as_str();
            match base {
                Value::Module(_) => {}
                Value::List(_) if matches!(method, "append" | "extend") => {
                    return self.grow_list(&attribute.value, method, call, span);
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
                        .found(other.describe()),
                    ));
                }
            }
        }
        match self.expression(&call.func)? {
            Value::Function(function) => {
                let name = format!("{}.{}", function.first_home(), function.name);
                let arguments = self.arguments(call, name, None)?;
                self.run(function.run, arguments, function.parameters)
            }
            Value::Builtin(name) => {
                let arguments = self.arguments(call, name.to_owned(), None)?;
                self.builtin(name, arguments)
            }
            Value::Local(local) => {
                let name = self.locals[local].name.to_owned();
                let arguments = self.arguments(call, name, None)?;
                self.call_local(local, arguments)
            }
            Value::DType(dtype) => {
                let arguments = self.arguments(call, dtype.name().to_owned(), None)?;
                let bound = Bound::new(self, arguments, "input")?;
                let tensor = bound.tensor(self, 0)?;
                Ok(Value::Tensor(self.cast(&tensor, dtype)?))
            }
            other => Err(self.fail(
                Draft::new(Kind::Type, Span::of(&*call.func), "this cannot be called")
                    .found(other.describe()),
            )),
        }
    }

    /// Evaluates arguments; `receiver` goes first.
    fn arguments(
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
                return Err(self.fail(Draft::new(
                    Kind::Unsupported,
                    Span::of(keyword),
                    "`**` is not part of the reward language",
                )));
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

    pub(super) fn run(&mut self, run: Run, call: Call, parameters: &str) -> Lowered<Value> {
        let span = call.span;
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
            Run::Special(run) => run(self, &bound),
        }
    }

    fn method(
        &mut self,
        receiver: Value,
        name: &str,
        call: &'a ExprCall,
        span: Span,
    ) -> Lowered<Value> {
        let Some(function) = table::find(Home::METHOD, name) else {
            let Expr::Attribute(attribute) = &*call.func else {
                return Err(Stop::Reported);
            };
            return Err(self.unknown("tensor", Home::METHOD, name, Span::of(&attribute.attr)));
        };
        let arguments = self.arguments(call, format!("Tensor.{name}"), Some(receiver))?;
        debug_assert_eq!(arguments.span, span);
        self.run(function.run, arguments, function.parameters)
    }

    /// Reports a function that does not exist, with the closest one that does.
    fn unknown(&mut self, place: &str, home: Home, name: &str, span: Span) -> Stop {
        let help = if let Some(hint) = substitute::substitute(name) {
            hint.to_owned()
        } else if let Some(elsewhere) = table::find_anywhere(name) {
            format!("use `{}.{name}`", elsewhere.first_home())
        } else if let Some(close) = nearest(name, table::names(home)) {
            format!("did you mean `{close}`?")
        } else {
            "build it from the supported tensor functions".to_owned()
        };
        self.fail(
            Draft::new(
                Kind::UnknownOperation,
                span,
                format!("`{name}` of {place} is not an operation of the reward language"),
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
                "newaxis" => return Ok(Value::None),
                "Tensor" => return self.module_attribute(module, "tensor", span),
                _ => {}
            }
        }
        if matches!(module, Module::Torch | Module::Numpy)
            && let Some(dtype) = dtype_name(name)
        {
            return Ok(Value::DType(dtype));
        }
        match table::find(home, name) {
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
            "requires_grad" => Ok(Value::Bool(self.is_differentiable(tensor))),
            "data" => Ok(Value::Tensor(self.unary(Op::Detach, tensor)?)),
            "T" | "mT" if tensor.rank() == 2 || (name == "mT" && tensor.rank() > 2) => {
                let rank = tensor.rank();
                let mut steps = strides(&tensor.shape);
                let mut shape = tensor.shape.clone();
                steps.swap(rank - 2, rank - 1);
                shape.swap(rank - 2, rank - 1);
                let positions = strided_positions(&shape, &steps, 0);
                Ok(Value::Tensor(tensor.view(shape, &positions)))
            }
            "T" if tensor.rank() < 2 => Ok(Value::Tensor(tensor.clone())),
            _ if table::find(Home::METHOD, name).is_some() => Err(self.fail(
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

    /// `list.append(x)` and `list.extend(xs)` on a list that a name holds.
    fn grow_list(
        &mut self,
        base: &'a Expr,
        method: &str,
        call: &'a ExprCall,
        span: Span,
    ) -> Lowered<Value> {
        let Expr::Name(name) = base else {
            return Err(self.fail(Draft::new(
                Kind::Unsupported,
                span,
                "only a list that has a name can grow",
            )));
        };
        let arguments = self.arguments(call, format!("list.{method}"), None)?;
        let bound = Bound::new(self, arguments, "item")?;
        let item = bound.get(0).cloned().unwrap_or(Value::None);
        let items = if method == "extend" {
            self.iterate(item, span)?
        } else {
            vec![item]
        };
        self.check_depth(&items, span)?;
        if let Some(Some(Value::List(list))) = self.scope.get_mut(name.id.as_str()) {
            for item in items {
                list.push(item);
            }
        }
        Ok(Value::None)
    }

    fn call_local(&mut self, local: usize, call: Call) -> Lowered<Value> {
        let function = self.locals[local];
        if self.call_depth >= MAX_CALL_DEPTH {
            return Err(self.fail(
                Draft::new(
                    Kind::Limit,
                    call.span,
                    "functions call one another too deeply",
                )
                .expected(format!("at most {MAX_CALL_DEPTH} calls inside one another"))
                .help("recursion is not part of the reward language"),
            ));
        }
        let span = call.span;
        let mut names = Vec::new();
        let mut specification = String::new();
        let mut defaults = Vec::new();
        if let Some(parameters) = function.parameters {
            if parameters.vararg.is_some() || parameters.kwarg.is_some() {
                return Err(self.fail(Draft::new(
                    Kind::Unsupported,
                    span,
                    "`*` and `**` parameters are not part of the reward language",
                )));
            }
            let all = parameters.posonlyargs.iter().chain(&parameters.args);
            for parameter in all.chain(&parameters.kwonlyargs) {
                names.push(parameter.parameter.name.to_string());
                specification.push_str(parameter.parameter.name.as_str());
                specification.push_str(if parameter.default.is_some() {
                    "? "
                } else {
                    " "
                });
                defaults.push(parameter.default.as_deref());
            }
        }
        let bound = Bound::new(self, call, &specification)?;
        self.charge(self.scope.len() + 1)?;
        let outer = self.scope.clone();
        for (position, (name, default)) in names.into_iter().zip(defaults).enumerate() {
            let value = match (bound.get(position), default) {
                (Some(value), _) => value.clone(),
                (None, Some(default)) => self.expression(default)?,
                (None, None) => Value::None,
            };
            self.scope.insert(name, Some(value));
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
        self.scope = outer;
        result
    }
}

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
