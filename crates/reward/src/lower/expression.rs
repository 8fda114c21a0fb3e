//! Expressions.

use ruff_python_ast::{CmpOp, Comprehension, Expr, Number, UnaryOp};

use super::value::{Module, Value};
use super::{Local, LocalBody, Lower, Lowered, MAX_CONTAINER_DEPTH, Stop};
use crate::diagnostic::{Draft, Kind, Span};
use crate::op::Op;
use crate::tensor::{DType, Tensor, strided_positions, strides};

/// Python's own functions that programs may call.
pub(super) const BUILTINS: [&str; 16] = [
    "len",
    "range",
    "enumerate",
    "zip",
    "sum",
    "min",
    "max",
    "abs",
    "float",
    "int",
    "bool",
    "round",
    "list",
    "tuple",
    "reversed",
    "pow",
];

impl<'a> Lower<'a> {
    pub(super) fn expression(&mut self, expression: &'a Expr) -> Lowered<Value> {
        self.charge(1)?;
        let outer = std::mem::replace(&mut self.graph.span, Span::of(expression));
        let value = self.expression_inner(expression);
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
                Number::Complex { .. } => Err(self.fail(Draft::new(
                    Kind::Unsupported,
                    span,
                    "complex numbers are not part of the reward language",
                ))),
            },
            Expr::BooleanLiteral(literal) => Ok(Value::Bool(literal.value)),
            Expr::NoneLiteral(_) => Ok(Value::None),
            Expr::EllipsisLiteral(_) => Ok(Value::Ellipsis),
            Expr::StringLiteral(literal) => Ok(Value::Str(literal.value.to_str().into())),
            Expr::Name(name) => self.lookup(name.id.as_str(), span),
            Expr::Tuple(tuple) => Ok(Value::tuple(self.elements(&tuple.elts, span)?)),
            Expr::List(list) => Ok(Value::list(self.elements(&list.elts, span)?)),
            Expr::BinOp(binary) => {
                let left = self.expression(&binary.left)?;
                let right = self.expression(&binary.right)?;
                self.binary_operator(binary.op, left, right, span)
            }
            Expr::UnaryOp(unary) => {
                let operand = self.expression(&unary.operand)?;
                self.unary_operator(unary.op, operand, Span::of(&*unary.operand))
            }
            Expr::BoolOp(chain) => {
                let stops_at = chain.op == ruff_python_ast::BoolOp::Or;
                let mut last = Value::None;
                for (position, value) in chain.values.iter().enumerate() {
                    last = self.expression(value)?;
                    let more = position + 1 < chain.values.len();
                    if more && self.truth(&last, Span::of(value))? == stops_at {
                        break;
                    }
                }
                Ok(last)
            }
            Expr::Compare(compare) => {
                let mut left = self.expression(&compare.left)?;
                let mut left_span = Span::of(&*compare.left);
                let mut result = Value::Bool(true);
                for (position, (&op, right)) in
                    compare.ops.iter().zip(&compare.comparators).enumerate()
                {
                    if position > 0 && !self.truth(&result, left_span)? {
                        return Ok(result);
                    }
                    let value = self.expression(right)?;
                    result = self.compare(op, left, value.clone(), span)?;
                    left = value;
                    left_span = Span::of(right);
                }
                Ok(result)
            }
            Expr::If(branch) => {
                let test = self.expression(&branch.test)?;
                if self.truth(&test, Span::of(&*branch.test))? {
                    self.expression(&branch.body)
                } else {
                    self.expression(&branch.orelse)
                }
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
                self.subscript(base, &subscript.value, &subscript.slice, span)
            }
            Expr::Lambda(lambda) => {
                self.locals.push(Local {
                    name: "lambda",
                    parameters: lambda.parameters.as_deref(),
                    body: LocalBody::Expression(&lambda.body),
                });
                Ok(Value::Local(self.locals.len() - 1))
            }
            other => Err(self.fail(
                Draft::new(
                    Kind::Unsupported,
                    span,
                    format!("{} is not part of the reward language", what(other)),
                )
                .help("use numbers, lists, tensors and the functions of torch"),
            )),
        }
    }

    fn elements(&mut self, elements: &'a [Expr], span: Span) -> Lowered<Vec<Value>> {
        let mut values = Vec::with_capacity(elements.len());
        for element in elements {
            if let Expr::Starred(starred) = element {
                let inner = self.expression(&starred.value)?;
                let items = self.iterate(inner, Span::of(&*starred.value))?;
                values.extend(items);
            } else {
                values.push(self.expression(element)?);
            }
        }
        self.check_depth(&values, span)?;
        Ok(values)
    }

    /// Bounds how deeply containers nest, so that nothing recurses without end.
    pub(super) fn check_depth(&mut self, values: &[Value], span: Span) -> Lowered<()> {
        let too_deep = values.iter().any(|value| match value {
            Value::List(sequence) | Value::Tuple(sequence) => sequence.depth >= MAX_CONTAINER_DEPTH,
            _ => false,
        });
        if too_deep {
            return Err(self.fail(
                Draft::new(Kind::Limit, span, "lists are nested too deeply")
                    .expected(format!("at most {MAX_CONTAINER_DEPTH} levels")),
            ));
        }
        Ok(())
    }

    /// The value of a name: a variable, a module or a function of Python's own.
    pub(super) fn lookup(&mut self, name: &str, span: Span) -> Lowered<Value> {
        match self.scope.get(name) {
            Some(Some(value)) => return Ok(value.clone()),
            // Already reported where it should have been computed.
            Some(None) => return Err(Stop::Reported),
            None => {}
        }
        match name {
            "torch" => return Ok(Value::Module(Module::Torch)),
            "F" => return Ok(Value::Module(Module::Functional)),
            "np" | "numpy" => return Ok(Value::Module(Module::Numpy)),
            "math" => return Ok(Value::Module(Module::Math)),
            _ => {}
        }
        if let Some(builtin) = BUILTINS.iter().find(|&&builtin| builtin == name) {
            return Ok(Value::Builtin(builtin));
        }
        let mut known: Vec<&str> = self.scope.keys().map(String::as_str).collect();
        known.sort_unstable();
        let close = nearest(name, known.iter().copied());
        let help = match close {
            Some(close) => format!("did you mean `{close}`?"),
            None => "every stage must be self-contained: define it inside the function".to_owned(),
        };
        Err(self.fail(
            Draft::new(Kind::UnknownName, span, format!("`{name}` is not defined")).help(help),
        ))
    }

    fn unary_operator(&mut self, op: UnaryOp, operand: Value, span: Span) -> Lowered<Value> {
        match (op, operand) {
            (UnaryOp::Not, value) => Ok(Value::Bool(!self.truth(&value, span)?)),
            (UnaryOp::USub, Value::Int(value)) => Ok(Value::Int(value.wrapping_neg())),
            (UnaryOp::USub, Value::Float(value)) => Ok(Value::Float(-value)),
            (UnaryOp::USub, Value::Bool(value)) => Ok(Value::Int(-i64::from(value))),
            (UnaryOp::UAdd, value @ (Value::Int(_) | Value::Float(_) | Value::Tensor(_))) => {
                Ok(value)
            }
            (UnaryOp::USub, Value::Tensor(tensor)) => {
                Ok(Value::Tensor(self.unary(Op::Neg, &tensor)?))
            }
            (UnaryOp::Invert, Value::Tensor(tensor)) if tensor.dtype == DType::Bool => {
                Ok(Value::Tensor(self.unary(Op::Not, &tensor)?))
            }
            (op, value) => Err(self.fail(
                Draft::new(
                    Kind::Type,
                    span,
                    format!("`{}` does not apply here", op.as_str()),
                )
                .found(value.describe()),
            )),
        }
    }

    fn compare(&mut self, op: CmpOp, left: Value, right: Value, span: Span) -> Lowered<Value> {
        match (op, &left, &right) {
            (CmpOp::Is, value, Value::None) | (CmpOp::Is, Value::None, value) => {
                return Ok(Value::Bool(matches!(value, Value::None)));
            }
            (CmpOp::IsNot, value, Value::None) | (CmpOp::IsNot, Value::None, value) => {
                return Ok(Value::Bool(!matches!(value, Value::None)));
            }
            (CmpOp::In | CmpOp::NotIn, needle, Value::List(items) | Value::Tuple(items)) => {
                self.charge(items.items.len())?;
                let found = items
                    .items
                    .iter()
                    .any(|item| equal(item, needle) == Some(true));
                return Ok(Value::Bool(found == (op == CmpOp::In)));
            }
            _ => {}
        }
        let eager = match op {
            CmpOp::Eq | CmpOp::NotEq => equal(&left, &right).map(|same| same == (op == CmpOp::Eq)),
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

    fn comprehension(
        &mut self,
        element: &'a Expr,
        generators: &'a [Comprehension],
        span: Span,
    ) -> Lowered<Value> {
        // The targets live in a scope of their own.
        let saved = self.scope.clone();
        self.charge(saved.len())?;
        let mut items = Vec::new();
        let outcome = self.generate(element, generators, &mut items);
        self.scope = saved;
        outcome?;
        self.check_depth(&items, span)?;
        Ok(Value::list(items))
    }

    fn generate(
        &mut self,
        element: &'a Expr,
        generators: &'a [Comprehension],
        items: &mut Vec<Value>,
    ) -> Lowered<()> {
        let Some((generator, inner)) = generators.split_first() else {
            items.push(self.expression(element)?);
            return Ok(());
        };
        let iterable = self.expression(&generator.iter)?;
        'items: for item in self.iterate(iterable, Span::of(&generator.iter))? {
            self.charge(1)?;
            self.bind(&generator.target, item)?;
            for condition in &generator.ifs {
                let value = self.expression(condition)?;
                if !self.truth(&value, Span::of(condition))? {
                    continue 'items;
                }
            }
            self.generate(element, inner, items)?;
        }
        Ok(())
    }

    /// Whether a value counts as true. Control flow must be known now.
    pub(super) fn truth(&mut self, value: &Value, span: Span) -> Lowered<bool> {
        match value {
            Value::None => Ok(false),
            Value::Bool(value) => Ok(*value),
            Value::Int(value) => Ok(*value != 0),
            Value::Float(value) => Ok(*value != 0.0),
            Value::Str(value) => Ok(!value.is_empty()),
            Value::List(items) | Value::Tuple(items) => Ok(!items.items.is_empty()),
            Value::Tensor(tensor) => match self.constants_of(tensor).as_deref() {
                Some(&[one]) => Ok(one != 0.0),
                Some(_) => Err(self.fail(
                    Draft::new(Kind::Type, span, "a condition must be one value")
                        .found(value.describe())
                        .help("reduce it with `.any()` or `.all()`"),
                )),
                None => {
                    let source = self.dependence(tensor);
                    Err(self.fail(
                        Draft::new(
                            Kind::DynamicControl,
                            span,
                            format!("this condition depends on {source}"),
                        )
                        .expected("a condition that is known before the robot moves")
                        .help("use `torch.where(condition, a, b)`, or `&` and `|` between tensors"),
                    ))
                }
            },
            _ => Ok(true),
        }
    }

    /// The items of anything that can be looped over.
    pub(super) fn iterate(&mut self, value: Value, span: Span) -> Lowered<Vec<Value>> {
        match value {
            Value::List(items) | Value::Tuple(items) => {
                self.charge(items.items.len())?;
                Ok(items.items.to_vec())
            }
            Value::Range { start, stop, step } => {
                let length = range_length(start, stop, step);
                self.charge(length)?;
                Ok((0..length as i64)
                    .map(|i| Value::Int(start + i * step))
                    .collect())
            }
            Value::Pair(values, indices) => Ok(vec![Value::Tensor(values), Value::Tensor(indices)]),
            Value::Tensor(tensor) if tensor.rank() > 0 => {
                self.charge(tensor.len() + tensor.shape[0])?;
                Ok((0..tensor.shape[0])
                    .map(|i| Value::Tensor(select(&tensor, 0, i)))
                    .collect())
            }
            other => Err(self.fail(
                Draft::new(Kind::Type, span, "this cannot be looped over")
                    .expected("a range, a list, a tuple or a tensor")
                    .found(other.describe()),
            )),
        }
    }
}

/// The view of a tensor at one index of a dimension.
pub(super) fn select(tensor: &Tensor, dim: usize, index: usize) -> Tensor {
    let mut steps = strides(&tensor.shape);
    let offset = index * steps.remove(dim);
    let mut shape = tensor.shape.clone();
    shape.remove(dim);
    let positions = strided_positions(&shape, &steps, offset);
    tensor.view(shape, &positions)
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

/// Static equality, where it can be decided without a tensor.
fn equal(left: &Value, right: &Value) -> Option<bool> {
    match (left, right) {
        (Value::None, Value::None) => Some(true),
        (Value::Str(a), Value::Str(b)) => Some(a == b),
        (Value::Tensor(_), _) | (_, Value::Tensor(_)) => None,
        (Value::List(a), Value::List(b)) | (Value::Tuple(a), Value::Tuple(b)) => {
            if a.items.len() != b.items.len() || a.depth > 1 || b.depth > 1 {
                return Some(false);
            }
            let mut pairs = a.items.iter().zip(b.items.iter());
            Some(pairs.all(|(a, b)| equal(a, b) == Some(true)))
        }
        (a, b) => match (number(a), number(b)) {
            (Some(a), Some(b)) => Some(a == b),
            _ => Some(false),
        },
    }
}

/// The candidate that differs least from `name`, if any is close.
pub(super) fn nearest<'n>(
    name: &str,
    candidates: impl Iterator<Item = &'n str>,
) -> Option<&'n str> {
    if name.len() > 40 {
        return None;
    }
    candidates
        .map(|candidate| (edit_distance(name, candidate), candidate))
        .filter(|&(distance, candidate)| distance <= 1 + candidate.len().min(name.len()) / 4)
        .min()
        .map(|(_, candidate)| candidate)
}

fn edit_distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, &y) in b.iter().enumerate() {
            let cost = (diagonal + usize::from(x != y))
                .min(row[j] + 1)
                .min(row[j + 1] + 1);
            diagonal = row[j + 1];
            row[j + 1] = cost;
        }
    }
    row[b.len()]
}

/// An expression that the language does not have, in words.
fn what(expression: &Expr) -> &'static str {
    match expression {
        Expr::Named(_) => "`:=`",
        Expr::Dict(_) | Expr::DictComp(_) => "a dictionary",
        Expr::Set(_) | Expr::SetComp(_) => "a set",
        Expr::Await(_) | Expr::Yield(_) | Expr::YieldFrom(_) => "a coroutine",
        Expr::FString(_) | Expr::TString(_) => "an f-string",
        Expr::BytesLiteral(_) => "a bytes literal",
        Expr::Starred(_) => "`*` here",
        _ => "this expression",
    }
}
