//! Attributes: what stands in modules, and what tensors say of themselves.

use super::expression::nearest;
use super::table::{self, Home};
use super::value::{Module, Value};
use super::{Lower, Lowered, Stop, environment, substitute};
use crate::diagnostic::{Draft, Kind, Span};
use crate::tensor::{DType, Tensor, strided_positions, strides};

const WRITE_IT_OUT: &str = "write it out with `torch.norm`, `torch.where`, arithmetic and the like";

impl Lower<'_> {
    /// Reports a function that does not exist, with the closest one that does.
    pub(super) fn unknown(&mut self, place: &str, home: Home, name: &str, span: Span) -> Stop {
        let help = if let Some(hint) = substitute::substitute(name) {
            hint.to_owned()
        } else if let Some(elsewhere) = table::find_anywhere(name) {
            format!("use `{}.{name}`", elsewhere.first_home())
        } else if substitute::is_another(name) {
            WRITE_IT_OUT.to_owned()
        } else if let Some(close) = nearest(name, table::names(home)) {
            format!("did you mean `{close}`?")
        } else if let Some(close) = nearest(name, DTYPES.iter().copied())
            && (home == Home::TORCH || home == Home::NUMPY)
        {
            format!("did you mean `{place}.{close}`?")
        } else {
            WRITE_IT_OUT.to_owned()
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
        match base.clone() {
            Value::Module(module) => self.module_attribute(module, name, span),
            Value::Pair(values, indices) => match name {
                "values" => Ok(Value::Tensor(values)),
                "indices" => Ok(Value::Tensor(indices)),
                _ => Err(self.unknown("a (values, indices) pair", Home::METHOD, name, span)),
            },
            Value::Tensor(tensor) => self.tensor_attribute(&tensor, name, span),
            Value::Class(class) => self.class_attribute(class, name, span),
            Value::Object { class, fields } => {
                match self.object_entry(class, fields, name, span)? {
                    Some(value) => Ok(value),
                    None => Err(self.no_attribute(&base, name, span)),
                }
            }
            // Members of an `IntEnum`.
            Value::Int(_) if name == "value" => Ok(base),
            Value::Builtin(of) if name == "__name__" => Ok(Value::Str(of.into())),
            Value::Local(local) if name == "__name__" => {
                Ok(Value::Str(self.locals[local].name.into()))
            }
            Value::Named(named) => match named.part(name) {
                Some(part) => Ok(part.clone()),
                None => Err(self.fail(
                    Draft::new(
                        Kind::UnknownOperation,
                        span,
                        format!("there is no attribute `{name}`"),
                    )
                    .expected(format!("one of: {}", named.fields.join(", ")))
                    .help(if name == "V" && named.part("Vh").is_some() {
                        "`.Vh.mT` is V".to_owned()
                    } else {
                        format!(
                            "take one of its parts first, such as `.{}`",
                            named.fields[0]
                        )
                    }),
                )),
            },
            Value::Builtin(function) => self.builtin_member(function, name, span),
            other => Err(self.fail(
                Draft::new(
                    Kind::UnknownOperation,
                    span,
                    format!("there is no attribute `{name}`"),
                )
                .found(other.describe())
                .help(match other {
                    Value::ListRef(_) | Value::List(_) | Value::Tuple(_) | Value::Dict(_) => {
                        "`len(xs)` counts its items; other attributes belong to tensors"
                    }
                    _ => "attributes such as `.shape` belong to tensors",
                }),
            )),
        }
    }

    pub(super) fn module_attribute(
        &mut self,
        module: Module,
        name: &str,
        span: Span,
    ) -> Lowered<Value> {
        let home = match module {
            Module::Torch => match name {
                "nn" => return Ok(Value::Module(Module::TorchNn)),
                "linalg" => return Ok(Value::Module(Module::TorchLinalg)),
                "special" => return Ok(Value::Module(Module::TorchSpecial)),
                "cuda" => return Ok(Value::Module(Module::Cuda)),
                "backends" => return Ok(Value::Module(Module::Backends)),
                "jit" => return Ok(Value::Module(Module::TorchJit)),
                "compile" => return Ok(Value::Builtin("identity")),
                _ => Home::TORCH,
            },
            Module::TorchNn if name == "functional" => {
                return Ok(Value::Module(Module::Functional));
            }
            Module::TorchNn if table::find(Home::NN, name).is_none() => {
                return Err(self.no_layer(name, span));
            }
            Module::TorchNn => Home::NN,
            Module::Cuda => return self.device_function(name, span),
            Module::Backends => match name {
                "cuda" | "mps" => return Ok(Value::Module(Module::Cuda)),
                _ => return self.device_function(name, span),
            },
            Module::Functools | Module::Itertools | Module::Operator => {
                return self.library_function(module, name, span);
            }
            Module::Numpy if name == "linalg" => return Ok(Value::Module(Module::NumpyLinalg)),
            Module::Functional => Home::FUNCTIONAL,
            Module::TorchLinalg => Home::LINALG,
            Module::TorchSpecial => Home::SPECIAL,
            Module::Numpy => Home::NUMPY,
            Module::NumpyLinalg => Home::NUMPY_LINALG,
            Module::Math => Home::MATH,
            _ => return self.library_attribute(module, name, span),
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
                "r_" if module == Module::Numpy => return Ok(Value::Builtin("np.r_")),
                "c_" if module == Module::Numpy => return Ok(Value::Builtin("np.c_")),
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
            Some(function) if matches!(module, Module::Numpy | Module::NumpyLinalg) => {
                Ok(Value::NumpyFunction(function))
            }
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
            "device" => Ok(environment::device_of("cpu", None)),
            "real" => Ok(Value::Tensor(tensor.clone())),
            "is_cuda" => Ok(Value::Bool(false)),
            "requires_grad" => {
                self.charge(tensor.len())?;
                Ok(Value::Bool(self.is_differentiable(tensor)))
            }
            "data" => self.detached(tensor).map(Value::Tensor),
            "size" if tensor.form.is_numpy() => Ok(Value::Int(tensor.len() as i64)),
            "T" if tensor.form.is_numpy() || tensor.rank() > 2 => {
                let order: Vec<usize> = (0..tensor.rank()).rev().collect();
                self.permuted(tensor, &order).map(Value::Tensor)
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
            _ if table::find_method(name, tensor.form).is_some() => Err(self.fail(
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
}

/// Names that are often misspelt; more are known.
const DTYPES: [&str; 5] = ["float32", "float64", "int32", "int64", "bool"];

/// A dtype by the name that either library gives it.
pub(super) fn dtype_name(name: &str) -> Option<DType> {
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
