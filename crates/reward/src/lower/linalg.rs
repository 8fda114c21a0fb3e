//! Norms, products and distances.

use super::arguments::Bound;
use super::value::Value;
use super::{Lower, Lowered};
use crate::diagnostic::{Draft, Kind, Span};
use crate::graph::NodeId;
use crate::op::Op;
use crate::tensor::{
    DType, Tensor, broadcast, broadcast_positions, count, extent, show_shape, strided_positions,
    strides,
};

impl Lower<'_> {
    /// The p-norm of some elements. PyTorch's gradient at the origin is 0 for every p.
    fn norm_nodes(&mut self, members: &[NodeId], p: f64) -> Lowered<NodeId> {
        if members.is_empty() {
            return self.constant(0.0);
        }
        if p == 2.0 {
            return self.node(Op::Norm2, members);
        }
        let mut sizes = Vec::with_capacity(members.len());
        for &member in members {
            sizes.push(self.node(Op::Abs, &[member])?);
        }
        if p == 1.0 {
            return self.node(Op::Sum, &sizes);
        }
        if p.is_infinite() {
            return self.node(if p > 0.0 { Op::AMax } else { Op::AMin }, &sizes);
        }
        let (zero, one) = (self.constant(0.0)?, self.constant(1.0)?);
        let (power, root) = (self.constant(p)?, self.constant(1.0 / p)?);
        if p == 0.0 {
            for size in &mut sizes {
                *size = self.node(Op::NotEqual, &[*size, zero])?;
            }
            return self.node(Op::Sum, &sizes);
        }
        for size in &mut sizes {
            *size = self.node(Op::Pow, &[*size, power])?;
        }
        let sum = self.node(Op::Sum, &sizes)?;
        let at_origin = self.node(Op::Equal, &[sum, zero])?;
        let safe = self.node(Op::Where, &[at_origin, one, sum])?;
        let norm = self.node(Op::Pow, &[safe, root])?;
        self.node(Op::Where, &[at_origin, zero, norm])
    }

    pub(super) fn norm_over(
        &mut self,
        x: &Tensor,
        dims: &[usize],
        keepdim: bool,
        p: f64,
    ) -> Lowered<Tensor> {
        self.reduce(x, dims, keepdim, DType::Float, |lower, members| {
            lower.norm_nodes(members, p)
        })
    }

    pub(super) fn matmul(&mut self, a: &Tensor, b: &Tensor, span: Span) -> Lowered<Tensor> {
        let promote = |x: &Tensor, at_end: bool| {
            let mut shape = x.shape.clone();
            if shape.len() == 1 {
                shape.insert(usize::from(at_end), 1);
            }
            x.reshaped(shape)
        };
        let (left, right) = (promote(a, false), promote(b, true));
        let mismatch = |lower: &mut Self| {
            lower.fail(
                Draft::new(Kind::Shape, span, "these shapes cannot be multiplied")
                    .expected("the last size of the left to equal the second last of the right")
                    .found(format!(
                        "{} and {}",
                        show_shape(&a.shape),
                        show_shape(&b.shape)
                    )),
            )
        };
        if a.rank() == 0 || b.rank() == 0 {
            return Err(mismatch(self));
        }
        let (l, r) = (left.rank(), right.rank());
        let (rows, inner, columns) = (left.shape[l - 2], left.shape[l - 1], right.shape[r - 1]);
        let batch = broadcast(&left.shape[..l - 2], &right.shape[..r - 2]);
        let (Some(batch), true) = (batch, right.shape[r - 2] == inner) else {
            return Err(mismatch(self));
        };
        let mut shape = batch.clone();
        shape.extend([rows, columns]);
        self.allow(&shape)?;
        self.charge(count(&shape).saturating_mul(inner))?;
        let (a_nodes, b_nodes) = (left.nodes(), right.nodes());
        let a_blocks = broadcast_positions(&left.shape[..l - 2], &batch);
        let b_blocks = broadcast_positions(&right.shape[..r - 2], &batch);
        let mut nodes = Vec::with_capacity(count(&shape));
        for (a_block, b_block) in a_blocks.into_iter().zip(b_blocks) {
            let a_part = &a_nodes[a_block * rows * inner..(a_block + 1) * rows * inner];
            let b_part = &b_nodes[b_block * inner * columns..(b_block + 1) * inner * columns];
            for row in 0..rows {
                for column in 0..columns {
                    let mut terms = Vec::with_capacity(inner);
                    for k in 0..inner {
                        let pair = [a_part[row * inner + k], b_part[k * columns + column]];
                        terms.push(self.node(Op::Mul, &pair)?);
                    }
                    nodes.push(self.sum_nodes(&terms)?);
                }
            }
        }
        let dtype = a.dtype.max(b.dtype);
        let mut result = Tensor::new(shape, nodes, dtype);
        let mut shape = result.shape.clone();
        if b.rank() == 1 {
            shape.pop();
        }
        if a.rank() == 1 {
            shape.remove(shape.len() - if b.rank() == 1 { 1 } else { 2 });
        }
        result = result.reshaped(shape);
        Ok(result)
    }

    pub(super) fn dot_over(
        &mut self,
        a: &Tensor,
        b: &Tensor,
        dim: i64,
        span: Span,
    ) -> Lowered<Tensor> {
        let product = self.binary(Op::Mul, a, b, span)?;
        let dim = self.wrap_dim(dim, product.rank(), span)?;
        self.sum_over(&product, &[dim])
    }
}

/// `norm(input, p=2, dim=None, keepdim=False)`: vector norms over the given dimensions.
pub(super) fn norm(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let x = b.tensor(lower, 0)?;
    let p = match b.get(1) {
        Some(Value::Str(name)) if &**name == "fro" => 2.0,
        Some(Value::Str(_)) => {
            return Err(lower.fail(
                Draft::new(Kind::Argument, b.span_of(1), "this norm is not supported")
                    .expected("p = 1, 2, any positive number, float('inf') or 'fro'"),
            ));
        }
        _ => b.number(lower, 1, 2.0)?,
    };
    let (dims, keepdim) = (lower.dims(b, 2, x.rank())?, b.flag(lower, 3)?);
    lower.norm_over(&x, &dims, keepdim, p).map(Value::Tensor)
}

/// `linalg.norm`: as `norm`, but a matrix norm other than Frobenius is another thing.
pub(super) fn linalg_norm(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let x = b.tensor(lower, 0)?;
    let over_two = match b.get(2) {
        Some(Value::Tuple(items) | Value::List(items)) => items.items.len() == 2,
        Some(_) => false,
        None => x.rank() == 2,
    };
    if over_two && b.get(1).is_some_and(|p| !matches!(p, Value::Str(_))) {
        return Err(lower.fail(
            Draft::new(Kind::Unsupported, b.span, "matrix norms are not supported")
                .help("give one `dim`, or use `torch.norm`"),
        ));
    }
    norm(lower, b)
}

pub(super) fn dot(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let (x, y) = (b.tensor(lower, 0)?, b.tensor(lower, 1)?);
    if x.rank() != 1 || x.shape != y.shape {
        return Err(lower.fail(
            Draft::new(Kind::Shape, b.span, "`dot` needs two vectors of one length")
                .found(format!(
                    "{} and {}",
                    show_shape(&x.shape),
                    show_shape(&y.shape)
                ))
                .help("use `(a * b).sum(dim=-1)` for vectors at every step"),
        ));
    }
    lower.dot_over(&x, &y, 0, b.span).map(Value::Tensor)
}

/// NumPy's `dot` multiplies matrices too; `inner` of vectors is the same.
pub(super) fn numpy_dot(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let (x, y) = (b.tensor(lower, 0)?, b.tensor(lower, 1)?);
    if x.rank() == 0 || y.rank() == 0 {
        return Ok(Value::Tensor(lower.binary(Op::Mul, &x, &y, b.span)?));
    }
    if y.rank() > 2 {
        return Err(lower.fail(
            Draft::new(Kind::Shape, b.span, "`dot` needs vectors or matrices").found(format!(
                "{} and {}",
                show_shape(&x.shape),
                show_shape(&y.shape)
            )),
        ));
    }
    lower.matmul(&x, &y, b.span).map(Value::Tensor)
}

pub(super) fn vecdot(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let (x, y) = (b.tensor(lower, 0)?, b.tensor(lower, 1)?);
    let dim = b.integer(lower, 2, -1)?;
    lower.dot_over(&x, &y, dim, b.span).map(Value::Tensor)
}

pub(super) fn matmul(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let (x, y) = (b.tensor(lower, 0)?, b.tensor(lower, 1)?);
    lower.matmul(&x, &y, b.span).map(Value::Tensor)
}

pub(super) fn outer(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let (x, y) = (b.tensor(lower, 0)?, b.tensor(lower, 1)?);
    let column = x.reshaped(vec![x.len(), 1]);
    let row = y.reshaped(vec![1, y.len()]);
    lower
        .binary(Op::Mul, &column, &row, b.span)
        .map(Value::Tensor)
}

/// `cross(input, other, dim)`: along a dimension of size 3.
pub(super) fn cross(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let (x, y) = (b.tensor(lower, 0)?, b.tensor(lower, 1)?);
    let shape = lower.common_shape(&[&x, &y], b.span)?;
    let dim = b.integer(lower, 2, -1)?;
    let dim = lower.wrap_dim(dim, shape.len(), b.span)?;
    if shape.get(dim) != Some(&3) {
        return Err(lower.fail(
            Draft::new(
                Kind::Shape,
                b.span,
                "a cross product needs three components",
            )
            .expected(format!("size 3 in dimension {dim}"))
            .found(format!("shape {}", show_shape(&shape))),
        ));
    }
    let (x, y) = (
        lower.broadcast_to(&x, &shape, b.span)?,
        lower.broadcast_to(&y, &shape, b.span)?,
    );
    let (x, y) = (x.nodes(), y.nodes());
    let mut kept = shape.clone();
    kept[dim] = 1;
    let steps = strides(&shape);
    let step = steps[dim];
    let mut nodes = vec![0; x.len()];
    for start in strided_positions(&kept, &steps, 0) {
        for axis in 0..3 {
            let (i, j) = (start + (axis + 1) % 3 * step, start + (axis + 2) % 3 * step);
            let plus = lower.node(Op::Mul, &[x[i], y[j]])?;
            let minus = lower.node(Op::Mul, &[x[j], y[i]])?;
            nodes[start + axis * step] = lower.node(Op::Sub, &[plus, minus])?;
        }
    }
    Ok(Value::Tensor(Tensor::new(shape, nodes, DType::Float)))
}

/// `normalize(input, p=2, dim=1, eps=1e-12) = x / max(norm(x), eps)`.
pub(super) fn normalize(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let x = b.tensor(lower, 0)?;
    let p = b.number(lower, 1, 2.0)?;
    let dim = b.dim(lower, 2, x.rank(), Some(1))?.unwrap_or(0);
    let eps = b.number(lower, 3, 1e-12)?;
    let norm = lower.norm_over(&x, &[dim], true, p)?;
    let norm = lower.with_number(Op::ClampMin, &norm, eps)?;
    lower.binary(Op::Div, &x, &norm, b.span).map(Value::Tensor)
}

/// `cosine_similarity(x1, x2, dim=1, eps=1e-8)`: each norm is at least eps.
pub(super) fn cosine_similarity(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let (x, y) = (b.tensor(lower, 0)?, b.tensor(lower, 1)?);
    let shape = lower.common_shape(&[&x, &y], b.span)?;
    let dim = b.dim(lower, 2, shape.len(), Some(1))?.unwrap_or(0);
    let eps = b.number(lower, 3, 1e-8)?;
    let mut parts = Vec::with_capacity(2);
    for side in [x, y] {
        let side = lower.broadcast_to(&side, &shape, b.span)?;
        let norm = lower.norm_over(&side, &[dim], true, 2.0)?;
        let norm = lower.with_number(Op::ClampMin, &norm, eps)?;
        parts.push(lower.binary(Op::Div, &side, &norm, b.span)?);
    }
    lower
        .dot_over(&parts[0], &parts[1], dim as i64, b.span)
        .map(Value::Tensor)
}

/// `cdist(x1, x2, p=2)`: distances between every row of one and every row of the other.
pub(super) fn cdist(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let (x, y) = (b.tensor(lower, 0)?, b.tensor(lower, 1)?);
    let p = b.number(lower, 2, 2.0)?;
    if x.rank() < 2 || y.rank() < 2 {
        return Err(lower.fail(
            Draft::new(Kind::Shape, b.span, "`cdist` needs two tensors of points")
                .expected("(..., P, 3) and (..., R, 3)")
                .found(format!(
                    "{} and {}",
                    show_shape(&x.shape),
                    show_shape(&y.shape)
                )),
        ));
    }
    let (mut left, mut right) = (x.shape.clone(), y.shape.clone());
    left.insert(x.rank() - 1, 1);
    right.insert(y.rank() - 2, 1);
    let difference = lower.binary(Op::Sub, &x.reshaped(left), &y.reshaped(right), b.span)?;
    let last = difference.rank() - 1;
    lower
        .norm_over(&difference, &[last], false, p)
        .map(Value::Tensor)
}

/// `pairwise_distance(x1, x2, p=2, eps=1e-6, keepdim=False)`: eps is added to the difference.
pub(super) fn pairwise_distance(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let (x, y) = (b.tensor(lower, 0)?, b.tensor(lower, 1)?);
    let (p, eps) = (b.number(lower, 2, 2.0)?, b.number(lower, 3, 1e-6)?);
    let keepdim = b.flag(lower, 4)?;
    let difference = lower.binary(Op::Sub, &x, &y, b.span)?;
    let difference = lower.with_number(Op::Add, &difference, eps)?;
    let last = Lower::last_dim(&difference);
    lower
        .norm_over(&difference, &[last], keepdim, p)
        .map(Value::Tensor)
}

/// `einsum(equation, *operands)`: letters only, with or without `->`.
pub(super) fn einsum(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let equation = match b.get(0) {
        Some(Value::Str(text)) => text.replace(' ', ""),
        _ => return Err(bad_equation(lower, b, "the equation must be a string")),
    };
    let mut operands = match b.get(1) {
        Some(Value::Tuple(items)) => items.items.to_vec(),
        _ => Vec::new(),
    };
    if let [Value::List(inner) | Value::Tuple(inner)] = operands.as_slice() {
        operands = inner.items.to_vec();
    }
    let (inputs, output) = match equation.split_once("->") {
        Some((inputs, output)) => (inputs.to_owned(), Some(output.to_owned())),
        None => (equation.clone(), None),
    };
    let terms: Vec<&str> = inputs.split(',').collect();
    let letters = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphabetic());
    if terms.len() != operands.len()
        || !terms.iter().all(|term| letters(term))
        || !output.as_deref().is_none_or(letters)
    {
        return Err(bad_equation(
            lower,
            b,
            "the equation does not fit the operands",
        ));
    }
    let mut sizes: Vec<(u8, usize)> = Vec::new();
    let mut tensors = Vec::new();
    for (term, operand) in terms.iter().zip(operands) {
        let tensor = lower.tensor_of(operand, b.span)?;
        if tensor.rank() != term.len() {
            return Err(bad_equation(
                lower,
                b,
                "an operand has another number of dimensions",
            ));
        }
        for (letter, &size) in term.bytes().zip(&tensor.shape) {
            match sizes.iter().find(|(known, _)| *known == letter) {
                Some(&(_, known)) if known != size => {
                    return Err(bad_equation(lower, b, "a letter stands for two sizes"));
                }
                Some(_) => {}
                None => sizes.push((letter, size)),
            }
        }
        tensors.push(tensor);
    }
    // Without an arrow: the letters that occur once, in alphabetical order.
    let output: Vec<u8> = output.map_or_else(
        || {
            let mut once: Vec<u8> = sizes
                .iter()
                .map(|&(letter, _)| letter)
                .filter(|&letter| inputs.bytes().filter(|&other| other == letter).count() == 1)
                .collect();
            once.sort_unstable();
            once
        },
        String::into_bytes,
    );
    if (1..output.len()).any(|place| output[..place].contains(&output[place])) {
        let message = "the result names a letter twice";
        return Err(bad_equation(lower, b, message));
    }
    let size_of = |letter: u8| {
        sizes
            .iter()
            .find(|(known, _)| *known == letter)
            .map(|s| s.1)
    };
    let Some(shape) = output
        .iter()
        .map(|&l| size_of(l))
        .collect::<Option<Vec<usize>>>()
    else {
        return Err(bad_equation(
            lower,
            b,
            "the result names a letter that no operand has",
        ));
    };
    let summed: Vec<(u8, usize)> = sizes
        .iter()
        .copied()
        .filter(|(letter, _)| !output.contains(letter))
        .collect();
    let inner: Vec<usize> = summed.iter().map(|&(_, size)| size).collect();
    lower.allow(&shape)?;
    lower.charge(
        extent(&shape)
            .saturating_mul(extent(&inner))
            .saturating_mul(tensors.len()),
    )?;
    // For each operand, how far a step along an output or summed letter moves.
    let steps_for = |term: &str, tensor: &Tensor, letter: u8| -> usize {
        let own = strides(&tensor.shape);
        term.bytes()
            .zip(own)
            .filter(|(l, _)| *l == letter)
            .map(|(_, step)| step)
            .sum()
    };
    let plans: Vec<(Vec<usize>, Vec<usize>, Vec<NodeId>)> = terms
        .iter()
        .zip(&tensors)
        .map(|(term, tensor)| {
            let outer: Vec<usize> = output
                .iter()
                .map(|&letter| steps_for(term, tensor, letter))
                .collect();
            let inside: Vec<usize> = summed
                .iter()
                .map(|&(letter, _)| steps_for(term, tensor, letter))
                .collect();
            (
                strided_positions(&shape, &outer, 0),
                strided_positions(&inner, &inside, 0),
                tensor.nodes(),
            )
        })
        .collect();
    let mut nodes = Vec::with_capacity(count(&shape));
    for place in 0..count(&shape) {
        let mut products = Vec::with_capacity(count(&inner));
        for term in 0..count(&inner) {
            let mut product: Option<NodeId> = None;
            for (outer, inside, elements) in &plans {
                let element = elements[outer[place] + inside[term]];
                product = Some(match product {
                    Some(so_far) => lower.node(Op::Mul, &[so_far, element])?,
                    None => element,
                });
            }
            products.extend(product);
        }
        nodes.push(lower.sum_nodes(&products)?);
    }
    Ok(Value::Tensor(Tensor::new(shape, nodes, DType::Float)))
}

fn bad_equation(lower: &mut Lower<'_>, b: &Bound, message: &str) -> super::Stop {
    lower.fail(
        Draft::new(Kind::Argument, b.span, message)
            .expected("letters, one group for each operand, as in 'btd,d->bt'"),
    )
}
