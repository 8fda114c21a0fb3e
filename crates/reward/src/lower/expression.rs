//! Expressions.

use std::cmp::Ordering;

use super::arguments::Call;
use super::containers::CHARACTERS;
use super::value::Value;
use super::{LocalBody, Lower, Lowered, Stop};
use crate::diagnostic::{Draft, Kind, Span};
use crate::op::Op;
use crate::syntax::{CmpOp, Expr, Number, UnaryOp};
use crate::tensor::{Form, Tensor, strided_positions, strides};

impl<'a> Lower<'a> {
    pub(super) fn expression(&mut self, expression: &'a Expr) -> Lowered<Value> {
        self.charge(1)?;
        let span = Span::of(expression);
        let outer = std::mem::replace(&mut self.graph.span, span);
        let mut value = self
            .descend(span)
            .and_then(|()| self.expression_inner(expression));
        self.depth -= 1;
        if let Ok(read) = &value
            && let Some(reason) = self.absence(read)
        {
            value = Err(self.report_absence(reason, span));
        }
        // A view taken under `torch.no_grad` carries no gradient either.
        if self.is_detached
            && let Ok(Value::Tensor(tensor)) = &value
            && matches!(
                expression,
                Expr::Call(_) | Expr::Subscript(_) | Expr::Attribute(_)
            )
        {
            self.charge(tensor.len())?;
            if self.is_differentiable(tensor) {
                value = self.detached(tensor).map(Value::Tensor);
            }
        }
        self.graph.span = outer;
        value
    }

    fn expression_inner(&mut self, expression: &'a Expr) -> Lowered<Value> {
        let span = Span::of(expression);
        match expression {
            Expr::NumberLiteral(literal) => match &literal.value {
                Number::Int(int) => match int.as_i64() {
                    Some(value) => Ok(Value::Int(value)),
                    None => Err(self.fail(Draft::new(
                        Kind::Arithmetic,
                        span,
                        "this integer is too large",
                    ))),
                },
                Number::Float(value) => Ok(Value::Float(*value)),
                Number::Complex { .. } => {
                    let what = "complex numbers are not part of the reward language";
                    Err(self
                        .fail(Draft::new(Kind::Unsupported, span, what).help("use real numbers")))
                }
            },
            Expr::BooleanLiteral(literal) => Ok(Value::Bool(literal.value)),
            Expr::NoneLiteral(_) => Ok(Value::None),
            Expr::EllipsisLiteral(_) => Ok(Value::Ellipsis),
            Expr::StringLiteral(literal) => {
                let text = literal.value.to_str();
                self.charge(text.len() / CHARACTERS)?;
                Ok(Value::Str(text.into()))
            }
            Expr::Name(name) => self.lookup(name.id.as_str(), span),
            Expr::Tuple(tuple) => Ok(Value::tuple(self.elements(&tuple.elts, span)?)),
            Expr::List(list) => {
                let items = self.elements(&list.elts, span)?;
                Ok(self.new_list(items))
            }
            Expr::Dict(dict) => self.dict_display(dict),
            Expr::DictComp(dict) => match &dict.key {
                Some(key) => self.dict_comprehension(key, &dict.value, &dict.generators),
                None => Err(self.fail(
                    Draft::new(
                        Kind::Unsupported,
                        span,
                        "a dictionary comprehension needs keys",
                    )
                    .help("name keys and values: `key: value for d in ds for key, value in d.items()`"),
                )),
            },
            Expr::Named(named) => {
                let value = self.expression(&named.value)?;
                if let Expr::Name(name) = &*named.target {
                    self.assign_walrus(name.id.as_str(), value.clone());
                }
                Ok(value)
            }
            Expr::BinOp(binary) => {
                let left = self.expression(&binary.left);
                let left = self.despite(left)?;
                let right = self.expression(&binary.right)?;
                match left {
                    Some(left) => self.binary_operator(binary.op, left, right, span),
                    None => Err(Stop::Reported),
                }
            }
            Expr::UnaryOp(unary) => {
                let operand = self.expression(&unary.operand)?;
                self.unary_operator(unary.op, operand, Span::of(&*unary.operand))
            }
            Expr::BoolOp(chain) => self.bool_chain(chain.op, &chain.values),
            Expr::Compare(compare) => self.comparison(compare),
            Expr::If(branch) => self.conditional(branch),
            Expr::FString(string) => self.interpolated(string),
            Expr::Set(set) => {
                let items = self.elements(&set.elts, span)?;
                self.new_set(items, span)
            }
            Expr::SetComp(set) => {
                let items = self.comprehension(&set.elt, &set.generators, span)?;
                let items = self.iterate(items, span)?;
                self.new_set(items, span)
            }
            Expr::ListComp(list) => self.comprehension(&list.elt, &list.generators, span),
            Expr::Generator(list) => self.comprehension(&list.elt, &list.generators, span),
            Expr::Call(call) => self.call(call),
            Expr::Attribute(attribute) => {
                let base = self.expression(&attribute.value)?;
                self.attribute(base, attribute.attr.as_str(), span)
            }
            Expr::Subscript(subscript) => {
                let base = self.expression(&subscript.value)?;
                let base = match base {
                    Value::Str(text) => return self.string_item(&text, &subscript.slice, span),
                    Value::Text(_) => return Ok(Value::Text(None)),
                    Value::Object { class, .. }
                        if let Some((Value::Local(local), _)) =
                            self.class_entry(class, "__getitem__")? =>
                    {
                        let key = (
                            self.expression(&subscript.slice)?,
                            Span::of(&*subscript.slice),
                        );
                        let call = Call {
                            name: "__getitem__".to_owned(),
                            span,
                            positional: vec![key],
                            keywords: Vec::new(),
                        };
                        return self.call_method(local, base, call);
                    }
                    Value::Object { .. } => Value::tuple(self.iterate_object(base, span)?),
                    // Types with parameters.
                    Value::Builtin(_) if is_annotation(&base) => return Ok(base),
                    Value::Class(class) => return self.member_item(class, &subscript.slice, span),
                    Value::Dict(dict) if self.factories.contains_key(&dict) => {
                        let key = self.expression(&subscript.slice)?;
                        self.check_key(&key, span)?;
                        self.fill_in(dict, &key, span)?;
                        return match self.entry(dict, &key)? {
                            Some(value) => Ok(value),
                            None => Err(self.no_such_key(dict, &key, span)),
                        };
                    }
                    base => base,
                };
                self.subscript(base, &subscript.value, &subscript.slice, span)
            }
            Expr::Lambda(lambda) => self.define(
                "lambda",
                lambda.parameters.as_deref(),
                LocalBody::Expression(&lambda.body),
            ),
            other => {
                let (what, help) = unsupported(other);
                Err(self.fail(
                    Draft::new(
                        Kind::Unsupported,
                        span,
                        format!("{what} is not part of the reward language"),
                    )
                    .help(help),
                ))
            }
        }
    }

    pub(super) fn elements(&mut self, elements: &'a [Expr], span: Span) -> Lowered<Vec<Value>> {
        let mut values = Vec::with_capacity(elements.len());
        let mut is_whole = true;
        for element in elements {
            if let Expr::Starred(starred) = element {
                let inner = self.expression(&starred.value)?;
                let items = self.iterate(inner, Span::of(&*starred.value))?;
                values.extend(items);
            } else {
                let value = self.expression(element);
                match self.despite(value)? {
                    Some(value) => values.push(value),
                    None => is_whole = false,
                }
            }
        }
        if !is_whole {
            return Err(Stop::Reported);
        }
        self.check_depth(&values, span)?;
        Ok(values)
    }

    /// Goes on looking for mistakes after one: `None` for a value that has one.
    pub(super) fn despite(&mut self, value: Lowered<Value>) -> Lowered<Option<Value>> {
        match value {
            Ok(value) => Ok(Some(value)),
            Err(Stop::Reported) => Ok(None),
            Err(stop) => Err(stop),
        }
    }

    fn unary_operator(&mut self, op: UnaryOp, operand: Value, span: Span) -> Lowered<Value> {
        match (op, operand) {
            (UnaryOp::Not, value) => self.logical_not(&value, span),
            (UnaryOp::USub, Value::Int(value)) => Ok(Value::Int(value.wrapping_neg())),
            (UnaryOp::USub, Value::Float(value)) => Ok(Value::Float(-value)),
            (UnaryOp::USub, Value::Bool(value)) => Ok(Value::Int(-i64::from(value))),
            (UnaryOp::UAdd, Value::Tensor(tensor)) if tensor.form.is_numpy() => {
                self.charge(tensor.len())?;
                Ok(Value::Tensor(tensor.copied()))
            }
            (UnaryOp::UAdd, value @ (Value::Int(_) | Value::Float(_) | Value::Tensor(_))) => {
                Ok(value)
            }
            (UnaryOp::USub, Value::Tensor(tensor)) => {
                Ok(Value::Tensor(self.unary(Op::Neg, &tensor)?))
            }
            (UnaryOp::Invert, Value::Tensor(tensor)) => {
                self.complement(&tensor, span).map(Value::Tensor)
            }
            (UnaryOp::Invert, Value::Int(value)) => Ok(Value::Int(!value)),
            (UnaryOp::Invert, Value::Bool(value)) => Ok(Value::Int(!i64::from(value))),
            (op, value) => Err(self.fail(
                Draft::new(
                    Kind::Type,
                    span,
                    format!("`{}` does not apply here", op.as_str()),
                )
                .found(value.describe())
                .help(match value {
                    Value::Pair(..) => "take its `.values`",
                    _ => "use a number or a tensor",
                }),
            )),
        }
    }

    pub(super) fn compare(
        &mut self,
        op: CmpOp,
        left: Value,
        right: Value,
        span: Span,
    ) -> Lowered<Value> {
        if let Some(result) = self.compare_options(op, &left, &right, span)? {
            return Ok(result);
        }
        match (op, &left, &right) {
            (CmpOp::Is, value, Value::None) | (CmpOp::Is, Value::None, value) => {
                return Ok(Value::Bool(matches!(value, Value::None)));
            }
            (CmpOp::IsNot, value, Value::None) | (CmpOp::IsNot, Value::None, value) => {
                return Ok(Value::Bool(!matches!(value, Value::None)));
            }
            (
                CmpOp::In | CmpOp::NotIn,
                needle,
                Value::ListRef(_)
                | Value::Tuple(_)
                | Value::Range { .. }
                | Value::Dict(_)
                | Value::Set(_)
                | Value::Object { .. }
                | Value::Class(_),
            ) => {
                let items = self.iterate(right.clone(), span)?;
                return self.membership(op, needle, items, span);
            }
            (_, Value::Set(a), Value::Set(b)) => {
                let (a, b) = (*a, *b);
                if let Some(result) = self.compare_sets(op, a, b)? {
                    return Ok(Value::Bool(result));
                }
            }
            (_, Value::Str(a), Value::Str(b)) if is_order(op) => {
                self.charge(a.len().min(b.len()) / CHARACTERS)?;
                return Ok(Value::Bool(ordered(op, a.cmp(b))));
            }
            (CmpOp::Is | CmpOp::IsNot, _, _) if is_identified(&left) && is_identified(&right) => {
                let same = self.equal(&left, &right)? == Some(true);
                return Ok(Value::Bool(same == (op == CmpOp::Is)));
            }
            (_, Value::Text(_), _) | (_, _, Value::Text(_))
                if op != CmpOp::Is && op != CmpOp::IsNot =>
            {
                return Err(self.open_text(span));
            }
            (CmpOp::In | CmpOp::NotIn, Value::Str(needle), Value::Str(text)) => {
                self.charge((needle.len() + text.len()) / CHARACTERS)?;
                return Ok(Value::Bool(text.contains(&**needle) == (op == CmpOp::In)));
            }
            (CmpOp::Is | CmpOp::IsNot, Value::Bool(_), Value::Bool(_))
            | (CmpOp::Is | CmpOp::IsNot, Value::DType(_), Value::DType(_)) => {
                let same = self.equal(&left, &right)? == Some(true);
                return Ok(Value::Bool(same == (op == CmpOp::Is)));
            }
            _ => {}
        }
        let eager = match op {
            CmpOp::Eq | CmpOp::NotEq => self
                .equal(&left, &right)?
                .map(|same| same == (op == CmpOp::Eq)),
            CmpOp::Lt | CmpOp::LtE | CmpOp::Gt | CmpOp::GtE => {
                match (number(&left), number(&right)) {
                    (Some(a), Some(b)) => Some(match op {
                        CmpOp::Lt => a < b,
                        CmpOp::LtE => a <= b,
                        CmpOp::Gt => a > b,
                        _ => a >= b,
                    }),
                    _ => None,
                }
            }
            _ => None,
        };
        if let Some(result) = eager {
            return Ok(Value::Bool(result));
        }
        let (op, swap) = match op {
            CmpOp::Eq => (Op::Equal, false),
            CmpOp::NotEq => (Op::NotEqual, false),
            CmpOp::Lt => (Op::Less, false),
            CmpOp::LtE => (Op::LessEqual, false),
            CmpOp::Gt => (Op::Less, true),
            CmpOp::GtE => (Op::LessEqual, true),
            CmpOp::Is | CmpOp::IsNot | CmpOp::In | CmpOp::NotIn => {
                return Err(self.fail(
                    Draft::new(
                        Kind::Type,
                        span,
                        "these values cannot be compared like this",
                    )
                    .found(format!(
                        "{} and {}",
                        left.describe(),
                        right.describe()
                    )),
                ));
            }
        };
        let (left, right) = (self.tensor_of(left, span)?, self.tensor_of(right, span)?);
        let (left, right) = if swap { (right, left) } else { (left, right) };
        Ok(Value::Tensor(self.binary(op, &left, &right, span)?))
    }
}

fn is_annotation(value: &Value) -> bool {
    matches!(value, Value::Builtin("list" | "tuple" | "dict" | "set"))
}

fn is_order(op: CmpOp) -> bool {
    matches!(op, CmpOp::Lt | CmpOp::LtE | CmpOp::Gt | CmpOp::GtE)
}

fn ordered(op: CmpOp, order: Ordering) -> bool {
    match op {
        CmpOp::Lt => order.is_lt(),
        CmpOp::LtE => order.is_le(),
        CmpOp::Gt => order.is_gt(),
        _ => order.is_ge(),
    }
}

/// What `is` compares as `==` does: types, members of enumerations, functions and classes.
fn is_identified(value: &Value) -> bool {
    matches!(
        value,
        Value::Builtin(_) | Value::Object { .. } | Value::Class(_) | Value::Local(_)
    )
}

/// The view of a tensor at one index of a dimension.
pub(super) fn select(tensor: &Tensor, dim: usize, index: usize) -> Tensor {
    let mut steps = strides(&tensor.shape);
    let offset = index * steps.remove(dim);
    let mut shape = tensor.shape.clone();
    shape.remove(dim);
    let positions = strided_positions(&shape, &steps, offset);
    let view = tensor.view(shape, &positions);
    // A single element of an array is a number, not a view.
    if view.rank() == 0 && view.form == Form::Array {
        return view.copied().with_form(Form::Scalar);
    }
    view
}

pub(super) fn range_length(start: i64, stop: i64, step: i64) -> usize {
    let (start, stop, step) = (i128::from(start), i128::from(stop), i128::from(step));
    let length = match step {
        0 => 0,
        step if step > 0 => (stop - start + step - 1) / step,
        step => (start - stop - step - 1) / -step,
    };
    usize::try_from(length.max(0)).unwrap_or(usize::MAX)
}

/// A static Python number.
pub(super) fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Bool(value) => Some(f64::from(u8::from(*value))),
        Value::Int(value) => Some(*value as f64),
        Value::Float(value) => Some(*value),
        _ => None,
    }
}

/// Names that a misspelt one is compared with at most.
const MAX_CANDIDATES: usize = 250;

/// The candidate that `name` is most likely a misspelling of: a letter or two in a long name, one in a
/// short name, two neighbours swapped.
pub(super) fn nearest<'n>(
    name: &str,
    candidates: impl Iterator<Item = &'n str>,
) -> Option<&'n str> {
    if name.len() > 40 {
        return None;
    }
    candidates
        .take(MAX_CANDIDATES)
        .map(|candidate| (edit_distance(name, candidate), candidate))
        .filter(|&(distance, candidate)| {
            let allowed = match candidate.len().min(name.len()) {
                0..3 => 0,
                3..8 => 1,
                _ => 2,
            };
            distance <= allowed
        })
        .min()
        .map(|(_, candidate)| candidate)
}

/// Letters that are added, left out, replaced or swapped with their neighbour.
fn edit_distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let (mut before, mut last) = (Vec::new(), (0..=b.len()).collect::<Vec<usize>>());
    for i in 0..a.len() {
        let mut row = vec![i + 1];
        for j in 0..b.len() {
            let mut cost = (last[j] + usize::from(a[i] != b[j]))
                .min(last[j + 1] + 1)
                .min(row[j] + 1);
            if i > 0 && j > 0 && a[i] == b[j - 1] && a[i - 1] == b[j] {
                cost = cost.min(before[j - 1] + 1);
            }
            row.push(cost);
        }
        before = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

/// An expression that the language does not have, in words, and what to use instead.
fn unsupported(expression: &Expr) -> (&'static str, &'static str) {
    match expression {
        Expr::Await(_) => ("`await`", "remove it"),
        Expr::Yield(_) | Expr::YieldFrom(_) => ("`yield`", "return a list"),
        Expr::TString(_) => ("a t-string", "write a plain string"),
        Expr::BytesLiteral(_) => ("a bytes literal", "remove it"),
        Expr::Starred(_) => ("`*` here", "write the items out"),
        Expr::Slice(_) => ("a slice here", "index a tensor or a list with it"),
        _ => ("this expression", "remove it"),
    }
}
