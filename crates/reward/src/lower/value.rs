//! What an expression evaluates to at compile time.

use std::rc::Rc;

use super::table::Function;
use crate::tensor::{DType, Tensor, show_shape};

/// A Python value. Numbers and containers are static; tensors hold graph nodes.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    None,
    Ellipsis,
    Bool(bool),
    Int(i64),
    Float(f64),
    Str(Rc<str>),
    /// A list as the functions of torch see it: a copy.
    List(Sequence),
    /// A list, by position in the table of those.
    ListRef(usize),
    /// A dictionary, by position in the table of those.
    Dict(usize),
    Tuple(Sequence),
    Range {
        start: i64,
        stop: i64,
        step: i64,
    },
    Tensor(Tensor),
    /// What `max(dim)`, `sort`, `topk` and their like return.
    Pair(Tensor, Tensor),
    Module(Module),
    Function(&'static Function),
    /// A function of the module `math`, which takes and gives plain numbers.
    MathFunction(&'static Function),
    Builtin(&'static str),
    DType(DType),
    /// A function or lambda defined inside a stage, by position in the table of those.
    Local(usize),
}

/// An immutable list or tuple; `depth` bounds how containers nest.
#[derive(Clone, Debug)]
pub(crate) struct Sequence {
    pub(crate) items: Rc<Vec<Value>>,
    pub(crate) depth: u8,
}

impl Sequence {
    pub(crate) fn new(items: Vec<Value>) -> Self {
        let depth = items
            .iter()
            .map(Value::depth)
            .max()
            .unwrap_or(0)
            .saturating_add(1);
        Self {
            items: Rc::new(items),
            depth,
        }
    }
}

/// The modules that programs may name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Module {
    Torch,
    TorchNn,
    Functional,
    TorchLinalg,
    TorchSpecial,
    Numpy,
    NumpyLinalg,
    Math,
}

impl Module {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Module::Torch => "torch",
            Module::TorchNn => "torch.nn",
            Module::Functional => "F",
            Module::TorchLinalg => "torch.linalg",
            Module::TorchSpecial => "torch.special",
            Module::Numpy => "np",
            Module::NumpyLinalg => "np.linalg",
            Module::Math => "math",
        }
    }
}

impl Value {
    pub(crate) fn tuple(items: Vec<Value>) -> Self {
        Value::Tuple(Sequence::new(items))
    }

    /// Whether it may hold references to lists.
    pub(crate) fn is_container(&self) -> bool {
        matches!(self, Value::ListRef(_) | Value::Dict(_) | Value::Tuple(_))
    }

    pub(crate) fn depth(&self) -> u8 {
        match self {
            Value::List(sequence) | Value::Tuple(sequence) => sequence.depth,
            _ => 0,
        }
    }

    /// The type as a person would name it, for diagnostics.
    pub(crate) fn describe(&self) -> String {
        match self {
            Value::None => "None".into(),
            Value::Ellipsis => "...".into(),
            Value::Bool(value) => format!("the bool {}", if *value { "True" } else { "False" }),
            Value::Int(value) => format!("the int {value}"),
            Value::Float(value) => format!("the float {value:?}"),
            Value::Str(value) => {
                let start: String = value.chars().take(60).collect();
                let more = if start.len() < value.len() { "..." } else { "" };
                format!("the string '{}{more}'", start.escape_debug())
            }
            Value::List(list) => format!("a list of {}", list.items.len()),
            Value::Tuple(tuple) => format!("a tuple of {}", tuple.items.len()),
            Value::ListRef(_) => "a list".into(),
            Value::Dict(_) => "a dictionary".into(),
            Value::Range { .. } => "a range".into(),
            Value::Tensor(tensor) => {
                let dtype = match tensor.dtype {
                    DType::Float => String::new(),
                    other => format!("{} ", other.name()),
                };
                format!("a {dtype}tensor of shape {}", show_shape(&tensor.shape))
            }
            Value::Pair(..) => "a (values, indices) pair".into(),
            Value::Module(module) => format!("the module {}", module.name()),
            Value::Function(function) | Value::MathFunction(function) => {
                format!("the function `{}`", function.name)
            }
            Value::Builtin(name) => format!("the function `{name}`"),
            Value::DType(dtype) => format!("the dtype {}", dtype.name()),
            Value::Local(_) => "a local function".into(),
        }
    }
}
