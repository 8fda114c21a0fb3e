//! Element-by-element operations with broadcasting.

use super::arguments::Bound;
use super::value::Value;
use super::{Lower, Lowered, convert, lookup};
use crate::diagnostic::{Draft, Kind, Span};
use crate::graph::NodeId;
use crate::op::Op;
use crate::syntax::Operator;
use crate::tensor::{DType, Form, Tensor, broadcast, broadcast_positions, show_shape};

impl Lower<'_> {
    pub(super) fn unary(&mut self, op: Op, x: &Tensor) -> Lowered<Tensor> {
        self.charge(x.len())?;
        let dtype = match op {
            Op::Not => DType::Bool,
            // A power of a bool counts.
            Op::Square => x.dtype.max(DType::Int),
            Op::Neg | Op::Abs | Op::Sign | Op::Relu | Op::Detach => x.dtype,
            Op::Floor | Op::Ceil | Op::Round | Op::Trunc => x.dtype,
            _ => DType::Float,
        };
        let mut nodes = x.nodes();
        for node in &mut nodes {
            *node = self.node(op, &[*node])?;
        }
        Ok(fresh(x.shape.clone(), nodes, dtype, &[x]))
    }

    pub(super) fn binary(&mut self, op: Op, a: &Tensor, b: &Tensor, span: Span) -> Lowered<Tensor> {
        let dtype = match op {
            Op::Less | Op::LessEqual | Op::Equal | Op::NotEqual | Op::And | Op::Or => DType::Bool,
            Op::Div | Op::Atan2 => DType::Float,
            Op::Add | Op::Sub | Op::Mul | Op::Pow | Op::Remainder | Op::FloorDiv => {
                // To a tensor, a bool of NumPy's is a float.
                let is_foreign = |x: &Tensor, other: &Tensor| {
                    x.form == Form::Scalar && x.dtype == DType::Bool && other.form == Form::Tensor
                };
                if is_foreign(a, b) || is_foreign(b, a) {
                    DType::Float
                } else {
                    // Arithmetic on two bools counts.
                    a.dtype.max(b.dtype).max(DType::Int)
                }
            }
            _ => a.dtype.max(b.dtype),
        };
        let shape = self.common_shape(&[a, b], span)?;
        let (left, right) = (self.spread(a, &shape), self.spread(b, &shape));
        let mut nodes = Vec::with_capacity(left.len());
        for (left, right) in left.into_iter().zip(right) {
            nodes.push(self.node(op, &[left, right])?);
        }
        Ok(fresh(shape, nodes, dtype, &[a, b]))
    }

    /// `~x`: of bools the opposite, of integers `-x - 1`.
    pub(super) fn complement(&mut self, x: &Tensor, span: Span) -> Lowered<Tensor> {
        match x.dtype {
            DType::Bool => self.unary(Op::Not, x),
            DType::Int => {
                let negative = self.unary(Op::Neg, x)?;
                let one = self.static_scalar(1.0, DType::Int)?;
                self.binary(Op::Sub, &negative, &one, span)
            }
            DType::Float => Err(self.fail(
                Draft::new(Kind::Type, span, "`~` needs bools or integers")
                    .found("float")
                    .help("compare first: `~(x > 0.1)`"),
            )),
        }
    }

    /// Applies a formula to every element; the result is a float.
    pub(super) fn each_element(
        &mut self,
        x: &Tensor,
        mut formula: impl FnMut(&mut Self, NodeId) -> Lowered<NodeId>,
    ) -> Lowered<Tensor> {
        self.charge(x.len())?;
        let mut nodes = x.nodes();
        for node in &mut nodes {
            *node = formula(self, *node)?;
        }
        Ok(fresh(x.shape.clone(), nodes, DType::Float, &[x]))
    }

    /// Applies a formula to every pair of elements; the result is a float.
    pub(super) fn each_pair(
        &mut self,
        a: &Tensor,
        b: &Tensor,
        span: Span,
        mut formula: impl FnMut(&mut Self, NodeId, NodeId) -> Lowered<NodeId>,
    ) -> Lowered<Tensor> {
        let shape = self.common_shape(&[a, b], span)?;
        let mut nodes = self.spread(a, &shape);
        let others = self.spread(b, &shape);
        for (node, other) in nodes.iter_mut().zip(others) {
            *node = formula(self, *node, other)?;
        }
        Ok(fresh(shape, nodes, DType::Float, &[a, b]))
    }

    /// `op` of a node and a number.
    pub(super) fn node_with(&mut self, op: Op, a: NodeId, number: f64) -> Lowered<NodeId> {
        let number = self.constant(number)?;
        self.node(op, &[a, number])
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
        let chosen = self.spread(condition, &shape);
        let (ifs, elses) = (self.spread(a, &shape), self.spread(b, &shape));
        let mut nodes = Vec::with_capacity(chosen.len());
        for ((choice, left), right) in chosen.into_iter().zip(ifs).zip(elses) {
            nodes.push(self.node(Op::Where, &[choice, left, right])?);
        }
        Ok(fresh(shape, nodes, dtype, &[condition, a, b]))
    }

    /// The shape that all tensors broadcast to.
    pub(super) fn common_shape(&mut self, tensors: &[&Tensor], span: Span) -> Lowered<Vec<usize>> {
        let mut shape: Vec<usize> = Vec::new();
        for tensor in tensors {
            match broadcast(&shape, &tensor.shape) {
                Some(common) => shape = common,
                None => {
                    let shapes = tensors.iter().map(|tensor| tensor.shape.as_slice());
                    return Err(self.fail(
                        Draft::new(Kind::Shape, span, "these shapes do not fit together")
                            .expected("sizes that are equal or 1, compared from the last one back")
                            .shapes(shapes),
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
                .found(format!("shape {}", show_shape(&tensor.shape)))
                .help("give as many values as the place has, or one for all"),
            ));
        }
        self.allow(shape)?;
        let positions = broadcast_positions(&tensor.shape, shape);
        Ok(tensor.view(shape.to_vec(), &positions))
    }

    /// Converts to another element type, as `.to(dtype)` does.
    pub(super) fn cast(&mut self, tensor: &Tensor, dtype: DType) -> Lowered<Tensor> {
        let converted = match (tensor.dtype, dtype) {
            (from, to) if from == to => tensor.clone(),
            (DType::Float, DType::Int) => self.unary(Op::Trunc, tensor)?,
            (_, DType::Bool) => self.with_number(Op::NotEqual, tensor, 0.0)?,
            _ => convert::copied(self, tensor)?,
        };
        Ok(converted.with_dtype(dtype))
    }
}

/// What is computed element by element from `operands`.
fn fresh(shape: Vec<usize>, nodes: Vec<NodeId>, dtype: DType, operands: &[&Tensor]) -> Tensor {
    let form = Form::of_result(operands.iter().map(|operand| operand.form), shape.len());
    Tensor::new(shape, nodes, dtype)
        .with_form(form)
        .laid_out_as(operands)
}

/// `where(condition, input, other)`; with the condition alone, the indices of what is true.
pub(super) fn where_(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let condition = b.tensor(lower, 0)?;
    if b.get(1).is_none() && b.get(2).is_none() {
        return lookup::nonzero_tuple(lower, b, &condition);
    }
    let (x, y) = (b.tensor(lower, 1)?, b.tensor(lower, 2)?);
    lower.choose(&condition, &x, &y, b.span).map(Value::Tensor)
}

/// `x.where(condition, other)`.
pub(super) fn method_where(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let (x, condition, y) = (
        b.tensor(lower, 0)?,
        b.tensor(lower, 1)?,
        b.tensor(lower, 2)?,
    );
    lower.choose(&condition, &x, &y, b.span).map(Value::Tensor)
}

/// `masked_fill(input, mask, value)`: the value takes the input's dtype.
pub(super) fn masked_fill(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let (x, mask, value) = (
        b.tensor(lower, 0)?,
        b.tensor(lower, 1)?,
        b.tensor(lower, 2)?,
    );
    if mask.dtype != DType::Bool || value.rank() > 0 {
        return Err(lower.fail(
            Draft::new(
                Kind::Type,
                b.span,
                "`masked_fill` needs a bool mask and one value",
            )
            .found(format!(
                "a {} mask and a value of shape {}",
                mask.dtype.name(),
                show_shape(&value.shape)
            ))
            .help("use `torch.where(mask, value, x)`"),
        ));
    }
    let value = lower.cast(&value, x.dtype)?;
    lower.choose(&mask, &value, &x, b.span).map(Value::Tensor)
}

/// PyTorch gives no gradient at bounds that are numbers, and shares it with tensors.
fn bounded(
    lower: &mut Lower<'_>,
    b: &Bound,
    x: &Tensor,
    at: usize,
    upper: bool,
) -> Lowered<Tensor> {
    let op = match (matches!(b.get(at), Some(Value::Tensor(_))), upper) {
        (true, false) => Op::Maximum,
        (true, true) => Op::Minimum,
        (false, false) => Op::ClampMin,
        (false, true) => Op::ClampMax,
    };
    let bound = b.tensor(lower, at)?;
    lower.binary(op, x, &bound, b.span)
}

/// `clamp(input, min?, max?)`.
pub(super) fn clamp(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let mut x = b.tensor(lower, 0)?;
    if b.get(1).is_none() && b.get(2).is_none() {
        return Err(lower.fail(
            Draft::new(Kind::Argument, b.span, "`clamp` needs `min`, `max` or both")
                .help("write `.clamp(min=0.0)` or `.clamp(0.0, 1.0)`"),
        ));
    }
    for (position, upper) in [(1, false), (2, true)] {
        if b.get(position).is_some() {
            x = bounded(lower, b, &x, position, upper)?;
        }
    }
    Ok(Value::Tensor(x))
}

pub(super) fn clamp_min(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let x = b.tensor(lower, 0)?;
    bounded(lower, b, &x, 1, false).map(Value::Tensor)
}

pub(super) fn clamp_max(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let x = b.tensor(lower, 0)?;
    bounded(lower, b, &x, 1, true).map(Value::Tensor)
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

/// `bitwise_and`, `bitwise_or` and their like.
fn bitwise(lower: &mut Lower<'_>, b: &Bound, op: Operator) -> Lowered<Value> {
    let (x, y) = (b.tensor(lower, 0)?, b.tensor(lower, 1)?);
    lower
        .bitwise(op, &b.name, &x, &y, b.span)
        .map(Value::Tensor)
}

pub(super) fn bitwise_and(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    bitwise(lower, b, Operator::BitAnd)
}

pub(super) fn bitwise_or(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    bitwise(lower, b, Operator::BitOr)
}

pub(super) fn bitwise_xor(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    bitwise(lower, b, Operator::BitXor)
}

pub(super) fn bitwise_not(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let x = b.tensor(lower, 0)?;
    lower.complement(&x, b.span).map(Value::Tensor)
}

pub(super) fn logical_xor(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let (x, y) = (b.tensor(lower, 0)?, b.tensor(lower, 1)?);
    let (x, y) = (lower.cast(&x, DType::Bool)?, lower.cast(&y, DType::Bool)?);
    lower
        .binary(Op::NotEqual, &x, &y, b.span)
        .map(Value::Tensor)
}
