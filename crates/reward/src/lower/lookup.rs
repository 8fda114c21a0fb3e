//! Tables: positions in sorted sequences, piecewise linear functions, and what only constants have.

use super::arguments::Bound;
use super::value::Value;
use super::{Lower, Lowered};
use crate::diagnostic::{Draft, Kind};
use crate::graph::NodeId;
use crate::op::Op;
use crate::tensor::{DType, Tensor, show_shape, strides};

/// How many of the sorted `bounds` lie before each value; with `right`, equal ones count.
fn positions(
    lower: &mut Lower<'_>,
    bounds: &Tensor,
    values: &Tensor,
    right: bool,
    b: &Bound,
) -> Lowered<Value> {
    if bounds.rank() != 1 {
        return Err(lower.fail(
            Draft::new(
                Kind::Shape,
                b.span,
                "the sorted sequence must have one dimension",
            )
            .found(format!("shape {}", show_shape(&bounds.shape))),
        ));
    }
    let bounds = bounds.nodes();
    lower.charge(values.len().saturating_mul(bounds.len()))?;
    let op = if right { Op::LessEqual } else { Op::Less };
    let found = lower.each_element(values, |lower, value| {
        let mut flags = Vec::with_capacity(bounds.len());
        for &bound in &bounds {
            flags.push(lower.node(op, &[bound, value])?);
        }
        lower.sum_nodes(&flags)
    })?;
    Ok(Value::Tensor(found.with_dtype(DType::Int)))
}

/// `searchsorted(sorted_sequence, values, right=False, side='left')`.
pub(super) fn searchsorted(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let (bounds, values) = (b.tensor(lower, 0)?, b.tensor(lower, 1)?);
    let from_right =
        |value: Option<&Value>| matches!(value, Some(Value::Str(side)) if &**side == "right");
    // NumPy has `side` where PyTorch has `right`.
    let right = match b.get(2) {
        Some(Value::Str(_)) => from_right(b.get(2)),
        _ => b.flag(lower, 2)?,
    };
    positions(lower, &bounds, &values, right || from_right(b.get(3)), b)
}

/// `bucketize(input, boundaries, right=False)`.
pub(super) fn bucketize(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let (values, bounds) = (b.tensor(lower, 0)?, b.tensor(lower, 1)?);
    let right = b.flag(lower, 2)?;
    positions(lower, &bounds, &values, right, b)
}

/// NumPy's `digitize(x, bins, right=False)`, whose `right` means the other side.
pub(super) fn digitize(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let (values, bounds) = (b.tensor(lower, 0)?, b.tensor(lower, 1)?);
    let right = b.flag(lower, 2)?;
    positions(lower, &bounds, &values, !right, b)
}

/// `np.interp(x, xp, fp)`: linear between the points, constant outside.
pub(super) fn interp(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let x = b.tensor(lower, 0)?;
    let (xs, ys) = (b.tensor(lower, 1)?, b.tensor(lower, 2)?);
    if xs.rank() != 1 || xs.shape != ys.shape || xs.len() == 0 {
        return Err(lower.fail(
            Draft::new(
                Kind::Shape,
                b.span,
                "`interp` needs as many places as values",
            )
            .expected("two lists of one length")
            .found(format!(
                "shapes {} and {}",
                show_shape(&xs.shape),
                show_shape(&ys.shape)
            )),
        ));
    }
    let (xs, ys) = (xs.nodes(), ys.nodes());
    let end = |lower: &mut Lower<'_>, at: usize, default: NodeId| match b.get(at) {
        Some(_) => b
            .number(lower, at, 0.0)
            .and_then(|value| lower.constant(value)),
        None => Ok(default),
    };
    let (left, right) = (end(lower, 3, ys[0])?, end(lower, 4, ys[ys.len() - 1])?);
    lower.charge(x.len().saturating_mul(xs.len()))?;
    let mut slopes = Vec::with_capacity(xs.len());
    for i in 1..xs.len() {
        let rise = lower.node(Op::Sub, &[ys[i], ys[i - 1]])?;
        let run = lower.node(Op::Sub, &[xs[i], xs[i - 1]])?;
        slopes.push(lower.node(Op::Div, &[rise, run])?);
    }
    let result = lower.each_element(&x, |lower, x| {
        let mut result = left;
        for (i, &slope) in slopes.iter().enumerate() {
            let reached = lower.node(Op::LessEqual, &[xs[i], x])?;
            let along = lower.node(Op::Sub, &[x, xs[i]])?;
            let climb = lower.node(Op::Mul, &[slope, along])?;
            let here = lower.node(Op::Add, &[ys[i], climb])?;
            result = lower.node(Op::Where, &[reached, here, result])?;
        }
        let last = xs.len() - 1;
        let at_end = lower.node(Op::Equal, &[x, xs[last]])?;
        let beyond = lower.node(Op::Less, &[xs[last], x])?;
        result = lower.node(Op::Where, &[at_end, ys[last], result])?;
        lower.node(Op::Where, &[beyond, right, result])
    })?;
    Ok(Value::Tensor(result))
}

impl Lower<'_> {
    /// The elements as numbers; a result whose shape depends on them needs constants.
    fn fixed(&mut self, b: &Bound, x: &Tensor) -> Lowered<Vec<f64>> {
        if let Some(values) = self.constants_of(x) {
            self.charge(values.len())?;
            return Ok(values);
        }
        let source = self.dependence(x);
        Err(self.fail(
            Draft::new(
                Kind::DynamicControl,
                b.span,
                format!("the shape of this `{}` depends on {source}", b.name),
            )
            .expected("a shape that is known before the robot moves")
            .help("keep the shape: `torch.where(mask, x, 0.0)`, or count with `mask.sum()`"),
        ))
    }

    fn numbers(&mut self, shape: Vec<usize>, values: &[f64], dtype: DType) -> Lowered<Tensor> {
        self.allow(&shape)?;
        let nodes = values
            .iter()
            .map(|&value| self.constant(value))
            .collect::<Lowered<_>>()?;
        Ok(Tensor::new(shape, nodes, dtype))
    }
}

/// The indices of the elements that are not zero: one line of indices for each dimension.
fn nonzero_lines(lower: &mut Lower<'_>, b: &Bound, x: &Tensor) -> Lowered<Vec<Vec<f64>>> {
    let values = lower.fixed(b, x)?;
    let steps = strides(&x.shape);
    let places: Vec<usize> = (0..values.len()).filter(|&i| values[i] != 0.0).collect();
    let line = |dim: usize| {
        places
            .iter()
            .map(|place| (place / steps[dim] % x.shape[dim]) as f64)
            .collect()
    };
    Ok((0..x.rank()).map(line).collect())
}

pub(super) fn nonzero_tuple(lower: &mut Lower<'_>, b: &Bound, x: &Tensor) -> Lowered<Value> {
    let lines = nonzero_lines(lower, b, x)?;
    let mut parts = Vec::with_capacity(lines.len());
    for line in lines {
        parts.push(Value::Tensor(lower.numbers(
            vec![line.len()],
            &line,
            DType::Int,
        )?));
    }
    Ok(Value::tuple(parts))
}

/// `nonzero(input, as_tuple=False)` and `argwhere`: a row of indices for each element.
pub(super) fn nonzero(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let x = b.tensor(lower, 0)?;
    if b.flag(lower, 1)? {
        return nonzero_tuple(lower, b, &x);
    }
    let lines = nonzero_lines(lower, b, &x)?;
    let rows = lines.first().map_or(0, Vec::len);
    let values: Vec<f64> = (0..rows)
        .flat_map(|row| lines.iter().map(move |line| line[row]))
        .collect();
    lower
        .numbers(vec![rows, lines.len()], &values, DType::Int)
        .map(Value::Tensor)
}

/// NumPy's `nonzero`: always one line of indices for each dimension.
pub(super) fn numpy_nonzero(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let x = b.tensor(lower, 0)?;
    nonzero_tuple(lower, b, &x)
}

/// `unique(input)` of constants: sorted.
pub(super) fn unique(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let x = b.tensor(lower, 0)?;
    let mut values = lower.fixed(b, &x)?;
    values.sort_by(f64::total_cmp);
    values.dedup();
    lower
        .numbers(vec![values.len()], &values, x.dtype)
        .map(Value::Tensor)
}

/// `masked_select(input, mask)` with a constant mask.
pub(super) fn masked_select(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let (x, mask) = (b.tensor(lower, 0)?, b.tensor(lower, 1)?);
    let shape = lower.common_shape(&[&x, &mask], b.span)?;
    let x = lower.broadcast_to(&x, &shape, b.span)?;
    let mask = lower.broadcast_to(&mask, &shape, b.span)?;
    let chosen = lower.fixed(b, &mask)?;
    let nodes: Vec<NodeId> = x
        .nodes()
        .into_iter()
        .zip(chosen)
        .filter(|&(_, flag)| flag != 0.0)
        .map(|(node, _)| node)
        .collect();
    Ok(Value::Tensor(Tensor::new(
        vec![nodes.len()],
        nodes,
        x.dtype,
    )))
}

/// `one_hot(tensor, num_classes)`: a new last dimension; computed classes are fine.
pub(super) fn one_hot(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let x = b.tensor(lower, 0)?;
    let known = lower.constants_of(&x);
    let largest = known
        .as_ref()
        .and_then(|v| v.iter().copied().reduce(f64::max));
    let classes = match (b.integer(lower, 1, -1)?, largest) {
        (-1, Some(largest)) => largest as i64 + 1,
        (-1, None) => {
            return Err(lower.fail(
                Draft::new(Kind::Argument, b.span, "`one_hot` needs `num_classes` here")
                    .help("write `F.one_hot(index, num_classes=n)`"),
            ));
        }
        (classes, _) => classes,
    };
    let classes = usize::try_from(classes).unwrap_or(0);
    let in_range = known
        .iter()
        .flatten()
        .all(|&v| v >= 0.0 && v < classes as f64);
    if x.dtype != DType::Int || !in_range {
        return Err(lower.fail(
            Draft::new(Kind::Argument, b.span, "`one_hot` needs classes from 0 on")
                .expected(format!("integers below {classes}"))
                .found(Value::Tensor(x).describe()),
        ));
    }
    let mut shape = x.shape.clone();
    shape.push(classes);
    lower.allow(&shape)?;
    let mut nodes = Vec::new();
    for node in x.nodes() {
        for class in 0..classes {
            nodes.push(lower.node_with(Op::Equal, node, class as f64)?);
        }
    }
    Ok(Value::Tensor(Tensor::new(shape, nodes, DType::Int)))
}
