//! Quantiles: weighted neighbours in the sorted order.

use super::arguments::Bound;
use super::order::sort_line;
use super::value::Value;
use super::{Lower, Lowered};
use crate::diagnostic::{Draft, Kind};
use crate::graph::NodeId;
use crate::op::Op;
use crate::tensor::{DType, Tensor};

/// How a quantile that falls between two elements is made of them.
#[derive(Clone, Copy)]
enum Between {
    Linear,
    Lower,
    Higher,
    Midpoint,
    Nearest,
}

fn between(lower: &mut Lower<'_>, b: &Bound, position: usize) -> Lowered<Between> {
    let Some(value) = b.get(position) else {
        return Ok(Between::Linear);
    };
    if let Value::Str(name) = value {
        match &**name {
            "linear" => return Ok(Between::Linear),
            "lower" => return Ok(Between::Lower),
            "higher" => return Ok(Between::Higher),
            "midpoint" => return Ok(Between::Midpoint),
            "nearest" => return Ok(Between::Nearest),
            _ => {}
        }
    }
    let found = value.describe();
    Err(lower.fail(
        Draft::new(
            Kind::Argument,
            b.span_of(position),
            "this interpolation does not exist",
        )
        .expected("'linear', 'lower', 'higher', 'midpoint' or 'nearest'")
        .found(found),
    ))
}

/// The quantile `q` of sorted elements.
fn pick(lower: &mut Lower<'_>, sorted: &[NodeId], q: f64, between: Between) -> Lowered<NodeId> {
    let rank = q * (sorted.len() - 1) as f64;
    let (below, above) = (sorted[rank.floor() as usize], sorted[rank.ceil() as usize]);
    let weight = match between {
        Between::Linear => rank.fract(),
        Between::Lower => 0.0,
        Between::Higher => 1.0,
        Between::Midpoint if below == above => 0.0,
        Between::Midpoint => 0.5,
        Between::Nearest => return Ok(sorted[rank.round_ties_even() as usize]),
    };
    if weight == 0.0 || below == above {
        return Ok(below);
    }
    if weight == 1.0 {
        return Ok(above);
    }
    let distance = lower.node(Op::Sub, &[above, below])?;
    let part = lower.node_with(Op::Mul, distance, weight)?;
    lower.node(Op::Add, &[below, part])
}

/// `quantile(input, q, dim=None, keepdim=False, interpolation='linear')`: several `q` make a
/// dimension in front. `scale` is 100 for percentiles.
fn quantiles(lower: &mut Lower<'_>, b: &Bound, scale: f64) -> Lowered<Value> {
    let x = b.tensor(lower, 0)?;
    let wanted = b.tensor(lower, 1)?;
    let Some(fractions) = lower.constants_of(&wanted) else {
        return Err(lower.fail(
            Draft::new(
                Kind::Type,
                b.span_of(1),
                "`q` must be known before the robot moves",
            )
            .help("use a number such as 0.9"),
        ));
    };
    let fractions: Vec<f64> = fractions.into_iter().map(|q| q / scale).collect();
    if let Some(bad) = fractions.iter().find(|q| !(0.0..=1.0).contains(*q)) {
        return Err(lower.fail(
            Draft::new(Kind::Argument, b.span_of(1), "`q` is out of range")
                .expected(format!("0 to {scale}"))
                .found(format!("{}", bad * scale)),
        ));
    }
    if wanted.rank() > 1 {
        return Err(lower.fail(
            Draft::new(
                Kind::Shape,
                b.span_of(1),
                "`q` is a number or a list of numbers",
            )
            .found(Value::Tensor(wanted).describe()),
        ));
    }
    let dims = lower.dims(b, 2, x.rank())?;
    let keepdim = b.flag(lower, 3)?;
    let between = between(lower, b, 4)?;
    lower.refuse_empty(&x, &dims, b)?;
    let mut lines: Vec<Vec<NodeId>> = vec![Vec::new(); fractions.len()];
    let frame = lower.reduce(&x, &dims, keepdim, DType::Float, |lower, members| {
        lower.charge(fractions.len())?;
        let sorted = sort_line(lower, members, false)?.0;
        for (line, &q) in lines.iter_mut().zip(&fractions) {
            line.push(pick(lower, &sorted, q, between)?);
        }
        lower.constant(0.0)
    })?;
    let mut shape = frame.shape;
    if wanted.rank() == 1 {
        shape.insert(0, fractions.len());
    }
    lower.allow(&shape)?;
    Ok(Value::Tensor(Tensor::new(
        shape,
        lines.concat(),
        DType::Float,
    )))
}

pub(super) fn quantile(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    quantiles(lower, b, 1.0)
}

pub(super) fn percentile(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    quantiles(lower, b, 100.0)
}

/// NumPy's median: the mean of two middles.
pub(super) fn numpy_median(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    super::reduce::Reduction::of_some(lower, b)?.run(lower, DType::Float, |lower, members| {
        let sorted = sort_line(lower, members, false)?.0;
        let (below, above) = (sorted[(sorted.len() - 1) / 2], sorted[sorted.len() / 2]);
        if below == above {
            return Ok(below);
        }
        let sum = lower.node(Op::Add, &[below, above])?;
        lower.node_with(Op::Mul, sum, 0.5)
    })
}
