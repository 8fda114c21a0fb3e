//! What an expression evaluates to at compile time.

use std::rc::Rc;

use super::options::Options;
use super::table::Function;
use crate::diagnostic::Span;
use crate::tensor::{DType, Form, Tensor, show_shape};

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
    /// A function of NumPy, which gives arrays.
    NumpyFunction(&'static Function),
    /// A function of the module `math`, which takes and gives plain numbers.
    MathFunction(&'static Function),
    Builtin(&'static str),
    DType(DType),
    /// A function or lambda that the program defines, by position in the table of those.
    Local(usize),
    /// A result whose parts have names, as of `svd`.
    Named(Rc<Named>),
    /// A function that remembers arguments, as `functools.partial` and the objects of torch.nn.
    Partial(Rc<Partial>),
    /// `itertools.count` and `repeat`: items without an end.
    Endless(Rc<Endless>),
    /// A function of an object's class, with the object.
    Method(usize, Rc<Value>),
    /// A set, by position in the table of dictionaries: its members are the keys.
    Set(usize),
    /// A class that the program defines, by position in the table of those.
    Class(usize),
    /// An object of a class, with the position of its attributes in the table of dictionaries.
    Object {
        class: usize,
        fields: usize,
    },
    /// A string whose text depends on positions, with the texts that it may have where they are known.
    Text(Option<Rc<Options>>),
    /// What no value can stand for, by position in the table of reasons; a mistake where it is used.
    Absent(usize),
}

/// Parts with names, in order; they also count as a tuple.
#[derive(Clone, Debug)]
pub(crate) struct Named {
    pub(crate) name: &'static str,
    pub(crate) fields: &'static [&'static str],
    pub(crate) items: Sequence,
}

impl Named {
    pub(crate) fn new(
        name: &'static str,
        fields: &'static [&'static str],
        items: Vec<Value>,
    ) -> Self {
        debug_assert_eq!(fields.len(), items.len());
        let items = Sequence::new(items);
        Self {
            name,
            fields,
            items,
        }
    }

    /// The part of that name.
    pub(crate) fn part(&self, name: &str) -> Option<&Value> {
        let position = self.fields.iter().position(|&field| field == name)?;
        self.items.items.get(position)
    }
}

/// A function and the arguments that it remembers.
#[derive(Clone, Debug)]
pub(crate) struct Partial {
    pub(crate) name: String,
    pub(crate) function: Value,
    pub(crate) positional: Sequence,
    pub(crate) keywords: Vec<(String, Value, Span)>,
    /// How deeply containers nest in the arguments.
    pub(crate) depth: u8,
}

/// Items without an end.
#[derive(Clone, Debug)]
pub(crate) enum Endless {
    Count { start: i64, step: i64 },
    Repeat { item: Value, depth: u8 },
}

impl Endless {
    pub(crate) fn item(&self, position: usize) -> Value {
        match self {
            Endless::Count { start, step } => {
                let along = step.saturating_mul(i64::try_from(position).unwrap_or(i64::MAX));
                Value::Int(start.saturating_add(along))
            }
            Endless::Repeat { item, .. } => item.clone(),
        }
    }
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
    Cuda,
    Backends,
    Functools,
    Itertools,
    Operator,
    TorchJit,
    Dataclasses,
    Enum,
    Collections,
    Types,
    Typing,
    Copy,
    Warnings,
    /// `logging`, and the loggers that it gives.
    Logging,
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
            Module::Cuda => "torch.cuda",
            Module::Backends => "torch.backends",
            Module::Functools => "functools",
            Module::Itertools => "itertools",
            Module::Operator => "operator",
            Module::TorchJit => "torch.jit",
            Module::Dataclasses => "dataclasses",
            Module::Enum => "enum",
            Module::Collections => "collections",
            Module::Types => "types",
            Module::Typing => "typing",
            Module::Copy => "copy",
            Module::Warnings => "warnings",
            Module::Logging => "logging",
        }
    }
}

impl Value {
    pub(crate) fn tuple(items: Vec<Value>) -> Self {
        Value::Tuple(Sequence::new(items))
    }

    /// The same value with the form of every tensor in it set.
    pub(crate) fn formed(self, form: &impl Fn(&Tensor) -> Form) -> Self {
        let set = |tensor: Tensor| match form(&tensor) {
            // A number shares no memory.
            Form::Scalar if tensor.form != Form::Scalar => tensor.copied().with_form(Form::Scalar),
            form => tensor.with_form(form),
        };
        let all = |sequence: Sequence| {
            let items = sequence.items.iter().cloned();
            Sequence::new(items.map(|item| item.formed(form)).collect())
        };
        match self {
            Value::Tensor(tensor) => Value::Tensor(set(tensor)),
            Value::Pair(values, indices) => Value::Pair(set(values), set(indices)),
            Value::Tuple(sequence) => Value::Tuple(all(sequence)),
            Value::List(sequence) => Value::List(all(sequence)),
            Value::Named(named) => Value::Named(Rc::new(Named {
                items: all(named.items.clone()),
                ..*named
            })),
            other => other,
        }
    }

    /// Whether it may hold references to lists.
    pub(crate) fn is_container(&self) -> bool {
        matches!(
            self,
            Value::ListRef(_)
                | Value::Dict(_)
                | Value::Tuple(_)
                | Value::Set(_)
                | Value::Object { .. }
                | Value::Absent(_)
        )
    }

    pub(crate) fn depth(&self) -> u8 {
        match self {
            Value::List(sequence) | Value::Tuple(sequence) => sequence.depth,
            Value::Named(named) => named.items.depth,
            Value::Partial(partial) => partial.depth,
            Value::Endless(endless) => match **endless {
                Endless::Count { .. } => 1,
                Endless::Repeat { depth, .. } => depth,
            },
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
                let (article, what) = match (tensor.form.is_numpy(), tensor.dtype) {
                    (false, _) => ("a", "tensor"),
                    (true, DType::Bool) => ("a", "array"),
                    (true, _) => ("an", "array"),
                };
                format!(
                    "{article} {dtype}{what} of shape {}",
                    show_shape(&tensor.shape)
                )
            }
            Value::Pair(..) => "a (values, indices) pair".into(),
            Value::Module(module) => format!("the module {}", module.name()),
            Value::Function(function)
            | Value::NumpyFunction(function)
            | Value::MathFunction(function) => {
                format!("the function `{}`", function.name)
            }
            Value::Builtin(name) => format!("the function `{name}`"),
            Value::DType(dtype) => format!("the dtype {}", dtype.name()),
            Value::Local(_) | Value::Method(..) => "a local function".into(),
            Value::Set(_) => "a set".into(),
            Value::Class(_) => "a class".into(),
            Value::Object { .. } => "an object".into(),
            Value::Text(_) => "a string".into(),
            Value::Absent(_) => "nothing that is known".into(),
            Value::Named(named) => format!("({})", named.fields.join(", ")),
            Value::Partial(partial) => format!("the function `{}`", partial.name),
            Value::Endless(_) => "items without an end".into(),
        }
    }
}
