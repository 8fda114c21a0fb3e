//! Element-by-element operations with broadcasting.

use super::arguments::Bound;
use super::value::Value;
use super::{Lower, Lowered};
use crate::diagnostic::{Draft, Kind, Span};
use crate::op::Op;
use crate::tensor::{DType, Tensor, broadcast, broadcast_positions, show_shape};

impl Lower<'_> {
    pub(super) fn unary(&mut self, op: Op, x: &Tensor) -> Lowered<Tensor> {
        self.charge(x.len())?;
        let dtype = match op {
            Op::Not => DType::Bool,
            Op::Neg | Op::Abs | Op::Sign | Op::Square | Op::Relu | Op::Detach => x.dtype,
            Op::Floor | Op::Ceil | Op::Round | Op::Trunc => x.dtype,
            _ => DType::Float,
        };
        let mut nodes = x.nodes();
        for node in &mut nodes {
            *node = self.node(op, &[*node])?;
        }
        Ok(Tensor::new(x.shape.clone(), nodes, dtype))
    }

    pub(super) fn binary(&mut self, op: Op, a: &Tensor, b: &Tensor, span: Span) -> Lowered<Tensor> {
        let dtype = match op {
            Op::Less | Op::LessEqual | Op::Equal | Op::NotEqual | Op::And | Op::Or => DType::Bool,
            Op::Div | Op::Atan2 => DType::Float,
            Op::Add | Op::Sub | Op::Mul | Op::Pow | Op::Remainder | Op::FloorDiv => {
                // Arithmetic on two bools counts.
                a.dtype.max(b.dtype).max(DType::Int)
            }
            _ => a.dtype.max(b.dtype),
        };
        let shape = self.common_shape(&[a, b], span)?;
        let (a, b) = (self.spread(a, &shape), self.spread(b, &shape));
        let mut nodes = Vec::with_capacity(a.len());
        for (&a, &b) in a.iter().zip(&b) {
            nodes.push(self.node(op, &[a, b])?);
        }
        Ok(Tensor::new(shape, nodes, dtype))
    }

    /// `binary` with a number on the right.
    pub(super) fn with_number(&mut self, op: Op, a: &Tensor, number: f64) -> Lowered<Tensor> {
        let node = self.constant(number)?;
        let span = self.graph.span;
        self.binary(op, a, &Tensor::scalar(node, DType::Float), span)
    }

    pub(super) fn choose(
        &mut self,
        condition: &Tensor,
        a: &Tensor,
        b: &Tensor,
        span: Span,
    ) -> Lowered<Tensor> {
        let shape = self.common_shape(&[condition, a, b], span)?;
        let dtype = a.dtype.max(b.dtype);
        let (c, a, b) = (
            self.spread(condition, &shape),
            self.spread(a, &shape),
            self.spread(b, &shape),
        );
        let mut nodes = Vec::with_capacity(c.len());
        for ((&c, &a), &b) in c.iter().zip(&a).zip(&b) {
            nodes.push(self.node(Op::Where, &[c, a, b])?);
        }
        Ok(Tensor::new(shape, nodes, dtype))
    }

    /// The shape that all tensors broadcast to.
    pub(super) fn common_shape(&mut self, tensors: &[&Tensor], span: Span) -> Lowered<Vec<usize>> {
        let mut shape: Vec<usize> = Vec::new();
        for tensor in tensors {
            match broadcast(&shape, &tensor.shape) {
                Some(common) => shape = common,
                None => {
                    let shapes: Vec<String> = tensors
                        .iter()
                        .map(|tensor| show_shape(&tensor.shape))
                        .collect();
                    return Err(self.fail(
                        Draft::new(Kind::Shape, span, "these shapes do not fit together")
                            .expected("sizes that are equal or 1, compared from the last one back")
                            .found(shapes.join(" and "))
                            .help(broadcast_help(&shape, &tensor.shape)),
                    ));
                }
            }
        }
        self.allow(&shape)?;
        Ok(shape)
    }

    fn spread(&self, tensor: &Tensor, shape: &[usize]) -> Vec<u32> {
        let nodes = tensor.nodes();
        if tensor.shape == shape {
            return nodes;
        }
        broadcast_positions(&tensor.shape, shape)
            .into_iter()
            .map(|p| nodes[p])
            .collect()
    }

    /// `tensor` broadcast to exactly `shape`.
    pub(super) fn broadcast_to(
        &mut self,
        tensor: &Tensor,
        shape: &[usize],
        span: Span,
    ) -> Lowered<Tensor> {
        let mut tensor = tensor.clone();
        // Writing through a view also accepts leading dimensions of size 1.
        while tensor.rank() > shape.len() && tensor.shape.first() == Some(&1) {
            tensor = tensor.reshaped(tensor.shape[1..].to_vec());
        }
        if broadcast(&tensor.shape, shape).as_deref() != Some(shape) {
            return Err(self.fail(
                Draft::new(
                    Kind::Shape,
                    span,
                    "the value does not fit the place it is put in",
                )
                .expected(format!(
                    "something that broadcasts to {}",
                    show_shape(shape)
                ))
                .found(format!("shape {}", show_shape(&tensor.shape))),
            ));
        }
        self.allow(shape)?;
        let positions = broadcast_positions(&tensor.shape, shape);
        Ok(tensor.view(shape.to_vec(), &positions))
    }

    /// Converts to another element type, as `.to(dtype)` does.
    pub(super) fn cast(&mut self, tensor: &Tensor, dtype: DType) -> Lowered<Tensor> {
        let converted = match (tensor.dtype, dtype) {
            (DType::Float, DType::Int) => self.unary(Op::Trunc, tensor)?,
            (DType::Float | DType::Int, DType::Bool) => {
                self.with_number(Op::NotEqual, tensor, 0.0)?
            }
            _ => tensor.clone(),
        };
        Ok(converted.with_dtype(dtype))
    }
}

fn broadcast_help(a: &[usize], b: &[usize]) -> String {
    let (long, short) = if a.len() >= b.len() { (a, b) } else { (b, a) };
    if short.len() == 1
        && let Some(dim) = long.iter().position(|&size| size == short[0])
        && dim + 1 < long.len()
    {
        let dims = vec!["None"; long.len() - dim - 1].join(", ");
        return format!(
            "dimension {dim} has that size: line them up with `[:, {dims}]`, or index one keypoint"
        );
    }
    "check which dimension is time (1) and which is x, y, z (the last)".to_owned()
}

pub(super) fn where_(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let condition = b.tensor(lower, 0)?;
    let (x, y) = (b.tensor(lower, 1)?, b.tensor(lower, 2)?);
    Ok(Value::Tensor(lower.choose(&condition, &x, &y, b.span)?))
}

/// `clamp(input, min?, max?)`: PyTorch gives no gradient at the bounds themselves when they are
/// numbers, and shares it when they are tensors.
pub(super) fn clamp(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let mut x = b.tensor(lower, 0)?;
    if b.get(1).is_none() && b.get(2).is_none() {
        return Err(lower.fail(Draft::new(
            Kind::Argument,
            b.span,
            "`clamp` needs `min`, `max` or both",
        )));
    }
    for (position, number_op, tensor_op) in [
        (1, Op::ClampMin, Op::Maximum),
        (2, Op::ClampMax, Op::Minimum),
    ] {
        let Some(bound) = b.get(position) else {
            continue;
        };
        let op = if matches!(bound, Value::Tensor(_)) {
            tensor_op
        } else {
            number_op
        };
        let bound = b.tensor(lower, position)?;
        x = lower.binary(op, &x, &bound, b.span)?;
    }
    Ok(Value::Tensor(x))
}

pub(super) fn clamp_min(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let (x, bound) = (b.tensor(lower, 0)?, b.tensor(lower, 1)?);
    Ok(Value::Tensor(lower.binary(
        Op::ClampMin,
        &x,
        &bound,
        b.span,
    )?))
}

pub(super) fn clamp_max(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let (x, bound) = (b.tensor(lower, 0)?, b.tensor(lower, 1)?);
    Ok(Value::Tensor(lower.binary(
        Op::ClampMax,
        &x,
        &bound,
        b.span,
    )?))
}

pub(super) fn greater(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let (x, y) = (b.tensor(lower, 0)?, b.tensor(lower, 1)?);
    Ok(Value::Tensor(lower.binary(Op::Less, &y, &x, b.span)?))
}

pub(super) fn greater_equal(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let (x, y) = (b.tensor(lower, 0)?, b.tensor(lower, 1)?);
    Ok(Value::Tensor(lower.binary(
        Op::LessEqual,
        &y,
        &x,
        b.span,
    )?))
}

/// `log2` and `log10`: a scaled natural logarithm.
pub(super) fn log2(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    scaled_log(lower, b, std::f64::consts::LN_2)
}

pub(super) fn log10(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    scaled_log(lower, b, std::f64::consts::LN_10)
}

fn scaled_log(lower: &mut Lower<'_>, b: &Bound, base: f64) -> Lowered<Value> {
    let x = b.tensor(lower, 0)?;
    let log = lower.unary(Op::Log, &x)?;
    Ok(Value::Tensor(lower.with_number(Op::Div, &log, base)?))
}

pub(super) fn hypot(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let (x, y) = (b.tensor(lower, 0)?, b.tensor(lower, 1)?);
    let (x, y) = (lower.unary(Op::Square, &x)?, lower.unary(Op::Square, &y)?);
    let sum = lower.binary(Op::Add, &x, &y, b.span)?;
    Ok(Value::Tensor(lower.unary(Op::Sqrt, &sum)?))
}

/// `lerp(start, end, weight)`.
pub(super) fn lerp(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let (start, end, weight) = (
        b.tensor(lower, 0)?,
        b.tensor(lower, 1)?,
        b.tensor(lower, 2)?,
    );
    let difference = lower.binary(Op::Sub, &end, &start, b.span)?;
    let part = lower.binary(Op::Mul, &weight, &difference, b.span)?;
    Ok(Value::Tensor(lower.binary(
        Op::Add,
        &start,
        &part,
        b.span,
    )?))
}

pub(super) fn degrees(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let x = b.tensor(lower, 0)?;
    Ok(Value::Tensor(lower.with_number(
        Op::Mul,
        &x,
        180.0 / std::f64::consts::PI,
    )?))
}

pub(super) fn radians(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let x = b.tensor(lower, 0)?;
    Ok(Value::Tensor(lower.with_number(
        Op::Mul,
        &x,
        std::f64::consts::PI / 180.0,
    )?))
}

/// `softplus(input, beta=1, threshold=20)`; above the threshold it is the identity.
pub(super) fn softplus(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let x = b.tensor(lower, 0)?;
    let beta = b.number(lower, 1, 1.0)?;
    let threshold = b.number(lower, 2, 20.0)?;
    if threshold != 20.0 {
        return Err(lower.fail(Draft::new(
            Kind::Argument,
            b.span_of(2),
            "`softplus` keeps its threshold of 20",
        )));
    }
    let scaled = lower.with_number(Op::Mul, &x, beta)?;
    let y = lower.unary(Op::Softplus, &scaled)?;
    Ok(Value::Tensor(lower.with_number(Op::Div, &y, beta)?))
}

/// `leaky_relu(input, negative_slope=0.01)`.
pub(super) fn leaky_relu(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let x = b.tensor(lower, 0)?;
    let slope = b.number(lower, 1, 0.01)?;
    let scaled = lower.with_number(Op::Mul, &x, slope)?;
    let positive = {
        let zero = lower.with_number(Op::Mul, &x, 0.0)?;
        let zero = lower.unary(Op::Detach, &zero)?;
        lower.binary(Op::Less, &zero, &x, b.span)?
    };
    Ok(Value::Tensor(lower.choose(&positive, &x, &scaled, b.span)?))
}

/// `elu(input, alpha=1)`.
pub(super) fn elu(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let x = b.tensor(lower, 0)?;
    let alpha = b.number(lower, 1, 1.0)?;
    // The exponential sees no large number, so that the branch not taken stays finite.
    let low = lower.with_number(Op::MinLeft, &x, 0.0)?;
    let curve = lower.unary(Op::Expm1, &low)?;
    let curve = lower.with_number(Op::Mul, &curve, alpha)?;
    let negative = lower.with_number(Op::LessEqual, &x, 0.0)?;
    Ok(Value::Tensor(lower.choose(&negative, &curve, &x, b.span)?))
}

/// `silu(x) = x * sigmoid(x)`.
pub(super) fn silu(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let x = b.tensor(lower, 0)?;
    let gate = lower.unary(Op::Sigmoid, &x)?;
    Ok(Value::Tensor(lower.binary(Op::Mul, &x, &gate, b.span)?))
}

/// `hardtanh(input, min_val=-1, max_val=1)`.
pub(super) fn hardtanh(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let x = b.tensor(lower, 0)?;
    let (low, high) = (b.number(lower, 1, -1.0)?, b.number(lower, 2, 1.0)?);
    let x = lower.with_number(Op::ClampMin, &x, low)?;
    Ok(Value::Tensor(lower.with_number(Op::ClampMax, &x, high)?))
}

pub(super) fn relu6(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let x = b.tensor(lower, 0)?;
    let x = lower.with_number(Op::ClampMin, &x, 0.0)?;
    Ok(Value::Tensor(lower.with_number(Op::ClampMax, &x, 6.0)?))
}

/// Conversions that keep the values and the gradient: `clone`, `float`, `cpu`, `contiguous`.
pub(super) fn same(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let x = b.tensor(lower, 0)?;
    lower.charge(x.len())?;
    // A copy: later writes must not show in the original.
    let copy = Tensor::new(x.shape.clone(), x.nodes(), x.dtype);
    Ok(Value::Tensor(copy))
}

/// `.to(...)`: a dtype converts, a device is ignored.
pub(super) fn to(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let x = b.tensor(lower, 0)?;
    match b.get(1) {
        Some(&Value::DType(dtype)) => Ok(Value::Tensor(lower.cast(&x, dtype)?)),
        _ => Ok(Value::Tensor(x)),
    }
}

pub(super) fn to_float(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let x = b.tensor(lower, 0)?;
    Ok(Value::Tensor(lower.cast(&x, DType::Float)?))
}

pub(super) fn to_int(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let x = b.tensor(lower, 0)?;
    Ok(Value::Tensor(lower.cast(&x, DType::Int)?))
}

pub(super) fn to_bool(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let x = b.tensor(lower, 0)?;
    Ok(Value::Tensor(lower.cast(&x, DType::Bool)?))
}

/// `.item()`: the number without its gradient, as in PyTorch; static if it is known now.
pub(super) fn item(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let x = b.tensor(lower, 0)?;
    if x.len() != 1 {
        return Err(lower.fail(
            Draft::new(Kind::Shape, b.span, "`item` needs a tensor of one element")
                .found(format!("shape {}", show_shape(&x.shape))),
        ));
    }
    if let Some([value]) = lower.constants_of(&x).as_deref() {
        return Ok(match x.dtype {
            DType::Bool => Value::Bool(*value != 0.0),
            DType::Int => Value::Int(*value as i64),
            DType::Float => Value::Float(*value),
        });
    }
    let x = lower.unary(Op::Detach, &x)?;
    Ok(Value::Tensor(x.reshaped(Vec::new())))
}
