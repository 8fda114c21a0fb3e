//! Operators between values, and the passage from Python numbers to tensors.

use super::expression::number;
use super::value::Value;
use super::{Lower, Lowered};
use crate::diagnostic::{Draft, Kind, Span};
use crate::op::{Op, floor_divided};
use crate::syntax::Operator;
use crate::tensor::{DType, Form, Tensor};

impl Lower<'_> {
    pub(super) fn binary_operator(
        &mut self,
        op: Operator,
        left: Value,
        right: Value,
        span: Span,
    ) -> Lowered<Value> {
        if let (Some(a), Some(b)) = (number(&left), number(&right)) {
            return self.python_arithmetic(op, &left, &right, a, b, span);
        }
        if let Some(result) = self.container_operator(op, &left, &right, span)? {
            return Ok(result);
        }
        match (op, &left, &right) {
            (Operator::Add, Value::ListRef(_), Value::ListRef(_))
            | (Operator::Add, Value::Tuple(_), Value::Tuple(_)) => {
                let is_list = matches!(left, Value::ListRef(_));
                let mut items = self.iterate(left, span)?;
                items.extend(self.iterate(right, span)?);
                return Ok(self.sequence(is_list, items));
            }
            (Operator::Mult, items @ (Value::ListRef(_) | Value::Tuple(_)), times)
            | (Operator::Mult, times, items @ (Value::ListRef(_) | Value::Tuple(_)))
                if integer(times).is_some() =>
            {
                let times = usize::try_from(integer(times).unwrap_or(0)).unwrap_or(0);
                let is_list = matches!(items, Value::ListRef(_));
                let items = self.iterate(items.clone(), span)?;
                let times = if items.is_empty() { 0 } else { times };
                self.charge(items.len().saturating_mul(times))?;
                let repeated = (0..times).flat_map(|_| items.clone()).collect();
                return Ok(self.sequence(is_list, repeated));
            }
            (Operator::Add, Value::Str(a), Value::Str(b)) => {
                self.charge(a.len() + b.len())?;
                return Ok(Value::Str(format!("{a}{b}").into()));
            }
            _ => {}
        }
        if op == Operator::MatMult {
            let (left, right) = (self.tensor_of(left, span)?, self.tensor_of(right, span)?);
            let product = self.matmul(&left, &right, span)?;
            let form = Form::of_result([left.form, right.form], product.rank());
            return Ok(Value::Tensor(product.with_form(form)));
        }
        let code = match op {
            Operator::Add => Op::Add,
            Operator::Sub => Op::Sub,
            Operator::Mult => Op::Mul,
            Operator::Div => Op::Div,
            Operator::Pow => Op::Pow,
            Operator::Mod => Op::Remainder,
            Operator::FloorDiv => Op::FloorDiv,
            Operator::BitAnd | Operator::BitOr | Operator::BitXor => Op::And,
            Operator::MatMult | Operator::LShift | Operator::RShift => {
                let what = format!("`{}` is not part of the reward language", op.as_str());
                return Err(self.fail(
                    Draft::new(Kind::Unsupported, span, what)
                        .help("multiply by a power of two: `x * 2 ** n`, `x // 2 ** n`"),
                ));
            }
        };
        let (left, right) = (self.tensor_of(left, span)?, self.tensor_of(right, span)?);
        if matches!(op, Operator::BitAnd | Operator::BitOr | Operator::BitXor) {
            return self
                .bitwise(op, op.as_str(), &left, &right, span)
                .map(Value::Tensor);
        }
        Ok(Value::Tensor(self.arithmetic(code, &left, &right, span)?))
    }

    fn sequence(&mut self, is_list: bool, items: Vec<Value>) -> Value {
        if is_list {
            self.new_list(items)
        } else {
            Value::tuple(items)
        }
    }

    /// Arithmetic of tensors as both libraries have it. Sums and products of two bools are bools;
    /// whole numbers have no negative powers.
    pub(super) fn arithmetic(
        &mut self,
        op: Op,
        left: &Tensor,
        right: &Tensor,
        span: Span,
    ) -> Lowered<Tensor> {
        let dtype = left.dtype.max(right.dtype);
        match op {
            Op::Add if dtype == DType::Bool => return self.binary(Op::Or, left, right, span),
            Op::Mul if dtype == DType::Bool => return self.binary(Op::And, left, right, span),
            Op::Sub if dtype == DType::Bool => {
                return Err(self.fail(
                    Draft::new(Kind::Type, span, "bools cannot be subtracted")
                        .found("two bool tensors")
                        .help("use `a & ~b` or `a != b`, or `.float()` first"),
                ));
            }
            Op::Pow if dtype == DType::Bool => {
                return Err(self.fail(
                    Draft::new(Kind::Type, span, "a power of bools has no meaning here")
                        .found("two bools")
                        .help("make them numbers first: `x.float()`"),
                ));
            }
            Op::Pow if dtype == DType::Int => {
                let powers = self.constants_of(right).unwrap_or_default();
                if powers.iter().any(|&power| power < 0.0) {
                    return Err(self.fail(
                        Draft::new(Kind::Arithmetic, span, "integers have no negative powers")
                            .help("make one of them a float: `x.float() ** -1`, `2.0 ** n`"),
                    ));
                }
                // A negative power that only the robot knows is cut to a whole number.
                if powers.is_empty() && right.len() > 0 {
                    let power = self.binary(op, left, right, span)?;
                    return self.unary(Op::Trunc, &power);
                }
            }
            Op::FloorDiv | Op::Remainder if dtype < DType::Float => {
                let divisors = self.constants_of(right).unwrap_or_default();
                if divisors.contains(&0.0) {
                    return Err(self.fail(
                        Draft::new(Kind::Arithmetic, span, "division by zero")
                            .help("the divisor is 0 already now: correct it"),
                    ));
                }
            }
            _ => {}
        }
        self.binary(op, left, right, span)
    }

    /// `&`, `|` and `^`: of bools, and of integers that are known now.
    pub(super) fn bitwise(
        &mut self,
        op: Operator,
        name: &str,
        left: &Tensor,
        right: &Tensor,
        span: Span,
    ) -> Lowered<Tensor> {
        let dtype = left.dtype.max(right.dtype);
        if dtype == DType::Bool {
            let op = match op {
                Operator::BitAnd => Op::And,
                Operator::BitOr => Op::Or,
                _ => Op::NotEqual,
            };
            return self.binary(op, left, right, span);
        }
        let is_known = self.constants_of(left).is_some() && self.constants_of(right).is_some();
        if dtype == DType::Float || !is_known {
            let found = format!("{} and {}", left.dtype.name(), right.dtype.name());
            return Err(self.fail(
                Draft::new(
                    Kind::Type,
                    span,
                    format!("`{name}` needs bools, or integers that are known now"),
                )
                .found(found)
                .help("compare first, and put parentheses around the comparisons"),
            ));
        }
        let bits = self.each_pair(left, right, span, |lower, left, right| {
            let value = |node| lower.graph.constant_value(node).unwrap_or_default() as i64;
            let (left, right) = (value(left), value(right));
            lower.constant(match op {
                Operator::BitAnd => left & right,
                Operator::BitOr => left | right,
                _ => left ^ right,
            } as f64)
        })?;
        Ok(bits.with_dtype(DType::Int))
    }

    /// Python's own arithmetic on two static numbers.
    fn python_arithmetic(
        &mut self,
        op: Operator,
        left: &Value,
        right: &Value,
        a: f64,
        b: f64,
        span: Span,
    ) -> Lowered<Value> {
        let divides = matches!(op, Operator::Div | Operator::FloorDiv | Operator::Mod);
        if divides && b == 0.0 {
            return Err(self.fail(
                Draft::new(Kind::Arithmetic, span, "division by zero")
                    .help("the divisor is 0 already now: correct it"),
            ));
        }
        if let (Some(x), Some(y)) = (integer(left), integer(right))
            && let Some(result) = integer_arithmetic(op, x, y)
        {
            return match result {
                Some(value) => Ok(Value::Int(value)),
                None => Err(self.fail(Draft::new(
                    Kind::Arithmetic,
                    span,
                    "this integer is too large",
                ))),
            };
        }
        let value = match op {
            Operator::Add => a + b,
            Operator::Sub => a - b,
            Operator::Mult => a * b,
            Operator::Div => a / b,
            Operator::FloorDiv => floor_divided(a, b).0,
            Operator::Mod => floor_divided(a, b).1,
            Operator::Pow if a == 0.0 && b < 0.0 => {
                return Err(self.fail(Draft::new(Kind::Arithmetic, span, "division by zero")));
            }
            Operator::Pow => a.powf(b),
            _ => {
                return Err(self.fail(Draft::new(
                    Kind::Type,
                    span,
                    format!("`{}` does not apply to these numbers", op.as_str()),
                )));
            }
        };
        if value.is_nan() {
            return Err(self.fail(Draft::new(Kind::Arithmetic, span, "this has no real value")));
        }
        Ok(Value::Float(value))
    }

    /// A tensor of any number, list of numbers or tensor, as PyTorch would convert it.
    pub(super) fn tensor_of(&mut self, value: Value, span: Span) -> Lowered<Tensor> {
        match value {
            Value::Tensor(tensor) => Ok(tensor),
            Value::Bool(value) => self.static_scalar(f64::from(u8::from(value)), DType::Bool),
            Value::Int(value) => self.static_scalar(value as f64, DType::Int),
            Value::Float(value) => self.static_scalar(value, DType::Float),
            Value::ListRef(_) | Value::Dict(_) => {
                let value = self.frozen(value, span)?;
                self.tensor_of(value, span)
            }
            Value::List(items) | Value::Tuple(items) => {
                self.allow(&[items.items.len()])?;
                let mut parts = Vec::with_capacity(items.items.len());
                for item in items.items.iter() {
                    self.charge(2)?;
                    parts.push(self.tensor_of(item.clone(), span)?);
                }
                if parts.is_empty() {
                    return Ok(
                        Tensor::new(vec![0], Vec::new(), DType::Float).with_form(Form::Number)
                    );
                }
                let form = match parts.iter().map(|part| part.form).max() {
                    Some(form @ (Form::Array | Form::Tensor)) => form,
                    _ => Form::Number,
                };
                Ok(self.stacked(&parts, 0, span)?.with_form(form))
            }
            Value::Pair(..) => Err(self.fail(
                Draft::new(Kind::Type, span, "this is a (values, indices) pair")
                    .expected("a tensor")
                    .help("take its `.values`, or unpack it: `values, indices = ...`"),
            )),
            other => {
                let help = match &other {
                    Value::None => {
                        "give it a value first; `xs.append(x)` and a bare `return` give None"
                    }
                    Value::Str(_) => "a string means nothing here: use `keypoints[0]` and numbers",
                    Value::Function(_)
                    | Value::NumpyFunction(_)
                    | Value::Builtin(_)
                    | Value::Local(_) => "call it: put its arguments in parentheses",
                    _ => "use a number, a list of numbers or a tensor",
                };
                Err(self.fail(
                    Draft::new(Kind::Type, span, "a tensor or a number is needed here")
                        .found(other.describe())
                        .help(help),
                ))
            }
        }
    }

    pub(super) fn static_scalar(&mut self, value: f64, dtype: DType) -> Lowered<Tensor> {
        let node = self.constant(value)?;
        Ok(Tensor::scalar(node, dtype).with_form(Form::Number))
    }

    /// A static integer: an int, or a tensor whose single element is known.
    pub(super) fn integer_argument(&mut self, value: &Value, span: Span) -> Lowered<i64> {
        if let Some(value) = integer(value) {
            return Ok(value);
        }
        if let Value::Tensor(tensor) = value
            && tensor.dtype == DType::Int
            && let Some([one]) = self.constants_of(tensor).as_deref()
        {
            return Ok(*one as i64);
        }
        Err(self.fail(
            Draft::new(Kind::Type, span, "an integer is needed here")
                .expected("an int that is known before the robot moves")
                .found(value.describe())
                .help(match value {
                    Value::Float(_) => "use `//` instead of `/`, or `int(...)`",
                    _ => "write the number itself, or take it from `x.shape`",
                }),
        ))
    }

    /// A static number: an int, a float, or a tensor whose single element is known.
    pub(super) fn number_argument(&mut self, value: &Value, span: Span) -> Lowered<f64> {
        if let Some(value) = number(value) {
            return Ok(value);
        }
        if let Value::Tensor(tensor) = value
            && let Some([one]) = self.constants_of(tensor).as_deref()
        {
            return Ok(*one);
        }
        Err(self.fail(
            Draft::new(Kind::Type, span, "a number is needed here")
                .expected("a number that is known before the robot moves")
                .found(value.describe()),
        ))
    }
}

pub(super) fn integer(value: &Value) -> Option<i64> {
    match value {
        Value::Bool(value) => Some(i64::from(*value)),
        Value::Int(value) => Some(*value),
        _ => None,
    }
}

/// `None`: not an integer result; `Some(None)`: overflow.
fn integer_arithmetic(op: Operator, a: i64, b: i64) -> Option<Option<i64>> {
    match op {
        Operator::Add => Some(a.checked_add(b)),
        Operator::Sub => Some(a.checked_sub(b)),
        Operator::Mult => Some(a.checked_mul(b)),
        // Python rounds toward minus infinity.
        Operator::FloorDiv => Some(a.checked_div(b).map(|q| {
            if a % b != 0 && (a < 0) != (b < 0) {
                q - 1
            } else {
                q
            }
        })),
        Operator::Mod => Some(a.checked_rem(b).map(|r| {
            if r != 0 && (r < 0) != (b < 0) {
                r + b
            } else {
                r
            }
        })),
        Operator::Pow if b >= 0 => Some(u32::try_from(b).ok().and_then(|b| a.checked_pow(b))),
        Operator::BitAnd => Some(Some(a & b)),
        Operator::BitOr => Some(Some(a | b)),
        Operator::BitXor => Some(Some(a ^ b)),
        Operator::LShift => Some(
            u32::try_from(b)
                .ok()
                .filter(|&b| b < 32)
                .and_then(|b| a.checked_mul(1 << b)),
        ),
        Operator::RShift => Some(u32::try_from(b).ok().map(|b| a >> b.min(63))),
        _ => None,
    }
}
