//! Matching the arguments of a call to the parameters of a function.

use super::attribute::dtype_name;
use super::expression::nearest;
use super::value::Value;
use super::{Lower, Lowered};
use crate::diagnostic::{Draft, Kind, Span};
use crate::tensor::{DType, Tensor};

/// Evaluated arguments as written.
#[derive(Clone)]
pub(super) struct Call {
    /// The function as written, for messages.
    pub(super) name: String,
    pub(super) span: Span,
    pub(super) positional: Vec<(Value, Span)>,
    pub(super) keywords: Vec<(String, Value, Span)>,
}

/// Arguments in the order of the parameters.
pub(super) struct Bound {
    pub(super) name: String,
    pub(super) span: Span,
    values: Vec<Option<(Value, Span)>>,
}

/// Keywords that change where or how a tensor is stored, not what it holds.
const IGNORED: [&str; 8] = [
    "device",
    "requires_grad",
    "layout",
    "pin_memory",
    "memory_format",
    "non_blocking",
    "copy",
    "dtype",
];

/// Pairs of a keyword and a parameter that are compared for one unit of work.
const COMPARED: usize = 64;

impl Bound {
    /// Binds a call to parameters. `parameters` is a blank-separated list: `name` is required,
    /// `name?` optional, and `*name` collects all positional arguments that are left.
    pub(super) fn new(lower: &mut Lower<'_>, call: Call, parameters: &str) -> Lowered<Self> {
        Self::bind(lower, call, parameters, true)
    }

    /// Binds a call of a function that the program defines: its parameters have one name each.
    pub(super) fn of_program(lower: &mut Lower<'_>, call: Call, parameters: &str) -> Lowered<Self> {
        Self::bind(lower, call, parameters, false)
    }

    fn bind(
        lower: &mut Lower<'_>,
        call: Call,
        parameters: &str,
        is_built_in: bool,
    ) -> Lowered<Self> {
        let names: Vec<&str> = parameters.split_whitespace().collect();
        let mut values: Vec<Option<(Value, Span)>> = vec![None; names.len()];
        let count = call.positional.len();
        let mut positional = call.positional.into_iter();
        for (slot, name) in values.iter_mut().zip(&names) {
            if name.starts_with('*') {
                let (items, spans): (Vec<Value>, Vec<Span>) = positional.by_ref().unzip();
                if let Some(&span) = spans.first() {
                    lower.check_depth(&items, call.span)?;
                    *slot = Some((Value::tuple(items), span));
                }
                break;
            }
            match positional.next() {
                Some(argument) => *slot = Some(argument),
                None => break,
            }
        }
        if let Some((_, span)) = positional.next() {
            return Err(lower.fail(
                Draft::new(
                    Kind::Argument,
                    span,
                    format!("`{}` takes fewer arguments", call.name),
                )
                .expected(signature(&call.name, &names))
                .found(format!("{count} arguments"))
                .help(match names.first() {
                    Some(&("tensors" | "data")) => {
                        format!("put them in a list: `{}([a, b, c])`", call.name)
                    }
                    _ => "remove it".to_owned(),
                }),
            ));
        }
        lower.charge(names.len() * call.keywords.len() / COMPARED)?;
        for (keyword, value, span) in call.keywords {
            let known = if is_built_in {
                canonical(&keyword, &names)
            } else {
                &keyword
            };
            let position = names.iter().position(|name| plain(name) == known);
            match position {
                Some(position) if values[position].is_some() => {
                    return Err(lower.fail(
                        Draft::new(Kind::Argument, span, format!("`{keyword}` is given twice"))
                            .expected(signature(&call.name, &names))
                            .help("remove one: it is given by position already"),
                    ));
                }
                Some(position) => values[position] = Some((value, span)),
                None if is_built_in && IGNORED.contains(&keyword.as_str()) => {}
                None => {
                    return Err(lower.fail(
                        Draft::new(
                            Kind::Argument,
                            span,
                            format!("`{}` has no argument `{keyword}`", call.name),
                        )
                        .expected(signature(&call.name, &names))
                        .help(
                            match nearest(&keyword, names.iter().map(|name| plain(name))) {
                                Some(close) => format!("did you mean `{close}`?"),
                                None if keyword.starts_with("ax") => {
                                    "did you mean `dim`?".to_owned()
                                }
                                None => "use one of the expected names, or remove it".to_owned(),
                            },
                        ),
                    ));
                }
            }
        }
        for (slot, name) in values.iter().zip(&names) {
            if slot.is_none() && !name.ends_with('?') && !name.starts_with('*') {
                return Err(lower.fail(
                    Draft::new(
                        Kind::Argument,
                        call.span,
                        format!("`{}` needs the argument `{name}`", call.name),
                    )
                    .expected(signature(&call.name, &names))
                    .help(format!("add it: `{name}=...`")),
                ));
            }
        }
        Ok(Self {
            name: call.name,
            span: call.span,
            values,
        })
    }

    /// An argument that was given and is not `None`.
    pub(super) fn get(&self, position: usize) -> Option<&Value> {
        match self.values.get(position) {
            Some(Some((Value::None, _))) | Some(None) | None => None,
            Some(Some((value, _))) => Some(value),
        }
    }

    /// An argument that was given, `None` included.
    pub(super) fn given(&self, position: usize) -> Option<&Value> {
        let (value, _) = self.values.get(position)?.as_ref()?;
        Some(value)
    }

    /// The source of an argument, or of the whole call.
    pub(super) fn span_of(&self, position: usize) -> Span {
        match self.values.get(position) {
            Some(Some((_, span))) => *span,
            _ => self.span,
        }
    }

    pub(super) fn tensor(&self, lower: &mut Lower<'_>, position: usize) -> Lowered<Tensor> {
        let value = self.get(position).cloned().unwrap_or(Value::None);
        lower.tensor_of(value, self.span_of(position))
    }

    pub(super) fn number(
        &self,
        lower: &mut Lower<'_>,
        position: usize,
        default: f64,
    ) -> Lowered<f64> {
        match self.get(position) {
            Some(value) => lower.number_argument(value, self.span_of(position)),
            None => Ok(default),
        }
    }

    pub(super) fn integer(
        &self,
        lower: &mut Lower<'_>,
        position: usize,
        default: i64,
    ) -> Lowered<i64> {
        match self.get(position) {
            Some(value) => lower.integer_argument(value, self.span_of(position)),
            None => Ok(default),
        }
    }

    pub(super) fn flag(&self, lower: &mut Lower<'_>, position: usize) -> Lowered<bool> {
        match self.get(position) {
            Some(value) => lower.truth(value, self.span_of(position)),
            None => Ok(false),
        }
    }

    /// The dtype argument at `position`, if one was given.
    pub(super) fn dtype(&self, position: usize) -> Option<DType> {
        match self.get(position) {
            Some(&Value::DType(dtype)) => Some(dtype),
            Some(Value::Builtin("float")) => Some(DType::Float),
            Some(Value::Builtin("int")) => Some(DType::Int),
            Some(Value::Builtin("bool")) => Some(DType::Bool),
            Some(Value::Str(name)) => dtype_name(name),
            _ => None,
        }
    }

    /// Integers given one by one or as one list: sizes, dimensions, repeats.
    pub(super) fn integers(&self, lower: &mut Lower<'_>, position: usize) -> Lowered<Vec<i64>> {
        let span = self.span_of(position);
        let mut items = match self.get(position) {
            Some(Value::Tuple(items) | Value::List(items)) => items.items.to_vec(),
            Some(value) => vec![value.clone()],
            None => Vec::new(),
        };
        if let [Value::Tuple(inner) | Value::List(inner)] = items.as_slice() {
            items = inner.items.to_vec();
        }
        lower.charge(items.len())?;
        items
            .iter()
            .map(|item| lower.integer_argument(item, span))
            .collect()
    }

    /// A dimension of a tensor of `rank` dimensions, counted from the end if negative.
    pub(super) fn dim(
        &self,
        lower: &mut Lower<'_>,
        position: usize,
        rank: usize,
        default: Option<i64>,
    ) -> Lowered<Option<usize>> {
        let span = self.span_of(position);
        let dim = match self.get(position) {
            Some(value) => lower.integer_argument(value, span)?,
            None => match default {
                Some(default) => default,
                None => return Ok(None),
            },
        };
        lower.wrap_dim(dim, rank, span).map(Some)
    }
}

impl Lower<'_> {
    /// A dimension counted from the front. A scalar counts as having one dimension.
    pub(super) fn wrap_dim(&mut self, dim: i64, rank: usize, span: Span) -> Lowered<usize> {
        let size = rank.max(1) as i64;
        if (-size..size).contains(&dim) {
            return Ok(dim.rem_euclid(size) as usize);
        }
        Err(self.fail(
            Draft::new(Kind::Index, span, format!("there is no dimension {dim}"))
                .expected(format!("-{size} to {}", size - 1))
                .found(format!("{dim} for a tensor of {rank} dimensions"))
                .help("count dimensions from 0, or from the end: -1 is the last"),
        ))
    }
}

fn plain(name: &str) -> &str {
    name.trim_start_matches('*').trim_end_matches('?')
}

/// NumPy's names for PyTorch's parameters, and the names that only one spelling has.
fn canonical<'k>(keyword: &'k str, names: &[&str]) -> &'k str {
    let has = |name: &str| names.iter().any(|candidate| plain(candidate) == name);
    if has(keyword) {
        return keyword;
    }
    match keyword {
        "axis" | "axes" if has("dims") => "dims",
        "axis" => "dim",
        "dims" => "dim",
        "axis1" if has("dim0") => "dim0",
        "axis2" if has("dim0") => "dim1",
        "axis1" => "dim1",
        "axis2" => "dim2",
        "dim" if has("dims") => "dims",
        "keepdims" => "keepdim",
        "ord" => "p",
        "a" | "x" | "x1" | "arr" | "ary" | "m" | "v" | "self" if has("input") => "input",
        "b" | "x2" | "y" | "vec2" if has("other") => "other",
        "A" | "tensor" | "y" if has("input") => "input",
        "B" | "mat2" | "vec" => "other",
        "k" if has("diagonal") => "diagonal",
        "k" => "offset",
        "indices" | "indices_or_sections" => "sections",
        "method" => "interpolation",
        "a_min" => "min",
        "a_max" => "max",
        "arrays" => "tensors",
        "newshape" | "size" | "sizes" => "shape",
        "fill_value" => "value",
        "repeats" | "reps" => "shape",
        "num" => "steps",
        "stop" => "end",
        "object" => "data",
        other => other,
    }
}

/// A call as it should be; what may be left out stands in brackets.
fn signature(function: &str, names: &[&str]) -> String {
    let shown: Vec<String> = names
        .iter()
        .map(|name| match name.strip_suffix('?') {
            Some(optional) => format!("[{optional}]"),
            None => (*name).to_owned(),
        })
        .collect();
    format!("{function}({})", shown.join(", "))
}
