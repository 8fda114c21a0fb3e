//! Norms and distances.

use super::arguments::Bound;
use super::value::Value;
use super::{Lower, Lowered};
use crate::diagnostic::{Draft, Kind};
use crate::graph::NodeId;
use crate::op::Op;
use crate::tensor::{DType, Tensor, show_shape};

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
}

/// `norm(input, p=2, dim=None, keepdim=False)`: vector norms over the given dimensions.
pub(super) fn norm(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let x = b.tensor(lower, 0)?;
    let p = match b.get(1) {
        Some(Value::Str(name)) if &**name == "fro" => 2.0,
        Some(Value::Str(name)) => {
            let name = name.clone();
            return Err(lower.fail(
                Draft::new(Kind::Argument, b.span_of(1), "this norm is not supported")
                    .expected("p = 1, 2, any positive number, float('inf') or 'fro'")
                    .help(singular_values(&name, f64::NAN)),
            ));
        }
        _ => b.number(lower, 1, 2.0)?,
    };
    let (dims, keepdim) = (lower.dims(b, 2, x.rank())?, b.flag(lower, 3)?);
    lower.norm_over(&x, &dims, keepdim, p).map(Value::Tensor)
}

/// `linalg.norm(input, ord=None, dim=None, keepdim=False)`: an `ord` over two dimensions asks for
/// a matrix norm.
pub(super) fn linalg_norm(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let x = b.tensor(lower, 0)?;
    let over = match b.get(2) {
        Some(Value::Tuple(items) | Value::List(items)) => items.items.len(),
        Some(_) => 1,
        None if b.get(1).is_none() => 1,
        None => x.rank(),
    };
    match over {
        2 if b.get(1).is_some() => matrix_norm(lower, b),
        0..=2 => norm(lower, b),
        _ => Err(lower.fail(
            Draft::new(
                Kind::Shape,
                b.span,
                "a norm with `ord` needs one or two dimensions",
            )
            .found(format!("shape {}", show_shape(&x.shape)))
            .help("give `dim=-1`"),
        )),
    }
}

/// How the norms of a matrix that are made of its singular values are written out.
fn singular_values(name: &str, order: f64) -> &'static str {
    match (name, order) {
        ("nuc", _) => "write `torch.linalg.svdvals(x).sum(dim=-1)`",
        (_, 2.0) => {
            "write `torch.linalg.svdvals(x).amax(dim=-1)`; the lengths of vectors are `torch.norm(x, dim=-1)`"
        }
        (_, -2.0) => "write `torch.linalg.svdvals(x).amin(dim=-1)`",
        _ => "use one of the expected norms",
    }
}

/// `matrix_norm(input, ord='fro', dim=(-2, -1), keepdim=False)`: Frobenius, the largest or
/// smallest column sum (1, -1) or row sum (inf, -inf).
pub(super) fn matrix_norm(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let x = b.tensor(lower, 0)?;
    let dims = match b.get(2) {
        Some(_) => lower.dims(b, 2, x.rank())?,
        None => (x.rank().saturating_sub(2)..x.rank()).collect(),
    };
    let keepdim = b.flag(lower, 3)?;
    let &[rows, columns] = dims.as_slice() else {
        return Err(lower.fail(
            Draft::new(Kind::Shape, b.span, "a matrix norm needs two dimensions")
                .found(format!("shape {}", show_shape(&x.shape)))
                .help("use `torch.linalg.vector_norm`"),
        ));
    };
    let order = match b.get(1) {
        None => return lower.norm_over(&x, &dims, keepdim, 2.0).map(Value::Tensor),
        Some(Value::Str(name)) if &**name == "fro" => {
            return lower.norm_over(&x, &dims, keepdim, 2.0).map(Value::Tensor);
        }
        Some(Value::Str(_)) => f64::NAN,
        Some(_) => b.number(lower, 1, 2.0)?,
    };
    let name = match b.get(1) {
        Some(Value::Str(name)) => name.clone(),
        _ => "".into(),
    };
    let (summed, left) = match order.abs() {
        1.0 => (rows, columns),
        f64::INFINITY => (columns, rows),
        _ => {
            return Err(lower.fail(
                Draft::new(
                    Kind::Unsupported,
                    b.span,
                    "this matrix norm is not supported",
                )
                .expected("'fro', 1, -1, float('inf') or -float('inf')")
                .help(singular_values(&name, order)),
            ));
        }
    };
    lower.refuse_empty(&x, &dims, b)?;
    let sizes = lower.unary(Op::Abs, &x)?;
    let sums = lower.reduce(&sizes, &[summed], true, DType::Float, |lower, m| {
        lower.sum_nodes(m)
    })?;
    let op = if order > 0.0 { Op::AMax } else { Op::AMin };
    let norm = lower.reduce(&sums, &[left], true, DType::Float, |lower, m| {
        lower.node(op, m)
    })?;
    let kept = |d: &usize| keepdim || !dims.contains(d);
    let shape = (0..x.rank()).filter(kept).map(|d| norm.shape[d]).collect();
    Ok(Value::Tensor(norm.reshaped(shape)))
}

/// `dist(input, other, p=2)`: the norm of the whole difference.
pub(super) fn dist(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let (x, y) = (b.tensor(lower, 0)?, b.tensor(lower, 1)?);
    let p = b.number(lower, 2, 2.0)?;
    let difference = lower.binary(Op::Sub, &x, &y, b.span)?;
    let dims: Vec<usize> = (0..difference.rank()).collect();
    lower
        .norm_over(&difference, &dims, false, p)
        .map(Value::Tensor)
}

/// `pdist(input, p=2)`: the distances of all pairs of rows, each pair once.
pub(super) fn pdist(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let x = b.tensor(lower, 0)?;
    let p = b.number(lower, 1, 2.0)?;
    let &[rows, width] = x.shape.as_slice() else {
        return Err(lower.fail(
            Draft::new(Kind::Shape, b.span, "`pdist` needs rows of points")
                .expected("(P, 3)")
                .found(format!("shape {}", show_shape(&x.shape)))
                .help("use `torch.cdist`"),
        ));
    };
    lower.charge(rows.saturating_mul(rows).saturating_mul(width))?;
    let nodes = x.nodes();
    let mut distances = Vec::new();
    for i in 0..rows {
        for j in i + 1..rows {
            let mut parts = Vec::with_capacity(width);
            for d in 0..width {
                parts.push(lower.node(Op::Sub, &[nodes[i * width + d], nodes[j * width + d]])?);
            }
            distances.push(lower.norm_nodes(&parts, p)?);
        }
    }
    Ok(Value::Tensor(Tensor::new(
        vec![distances.len()],
        distances,
        DType::Float,
    )))
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
