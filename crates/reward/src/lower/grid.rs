//! Combinations of tensors: grids, products, pairs and triangles of indices.

use super::arguments::Bound;
use super::value::Value;
use super::{Lower, Lowered};
use crate::diagnostic::{Draft, Kind};
use crate::tensor::{DType, Tensor, show_shape};

/// `meshgrid(*tensors, indexing)`: a tuple of tensors of one shape.
fn grids(lower: &mut Lower<'_>, b: &Bound, default_xy: bool) -> Lowered<Value> {
    let parts = lower.parts(b)?;
    let by_xy = match b.get(1) {
        None => default_xy,
        Some(Value::Str(order)) if &**order == "ij" => false,
        Some(Value::Str(order)) if &**order == "xy" => true,
        Some(other) => {
            let found = other.describe();
            return Err(lower.fail(
                Draft::new(Kind::Argument, b.span_of(1), "this indexing does not exist")
                    .expected("'ij' or 'xy'")
                    .found(found),
            ));
        }
    };
    vectors_only(lower, b, &parts)?;
    // The dimension along which each part runs.
    let along = |position: usize| match position {
        0 | 1 if by_xy && parts.len() > 1 => 1 - position,
        _ => position,
    };
    let mut shape = vec![1; parts.len()];
    for (position, part) in parts.iter().enumerate() {
        shape[along(position)] = part.len();
    }
    lower.allow(&shape)?;
    let mut grids = Vec::with_capacity(parts.len());
    for (position, part) in parts.iter().enumerate() {
        let mut own = vec![1; parts.len()];
        own[along(position)] = part.len();
        let grid = lower.broadcast_to(&part.reshaped(own), &shape, b.span)?;
        grids.push(Value::Tensor(grid));
    }
    Ok(Value::tuple(grids))
}

fn vectors_only(lower: &mut Lower<'_>, b: &Bound, parts: &[Tensor]) -> Lowered<()> {
    match parts.iter().find(|part| part.rank() > 1) {
        None => Ok(()),
        Some(part) => Err(lower.fail(
            Draft::new(Kind::Shape, b.span, format!("`{}` needs vectors", b.name))
                .found(format!("shape {}", show_shape(&part.shape))),
        )),
    }
}

pub(super) fn meshgrid(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    grids(lower, b, false)
}

pub(super) fn numpy_meshgrid(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    grids(lower, b, true)
}

/// `cartesian_prod(*tensors)`: a row for every choice of one element each.
pub(super) fn cartesian_prod(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let parts = lower.parts(b)?;
    vectors_only(lower, b, &parts)?;
    if let [one] = parts.as_slice() {
        return Ok(Value::Tensor(one.clone()));
    }
    let rows = parts
        .iter()
        .fold(1_usize, |rows, part| rows.saturating_mul(part.len()));
    lower.allow(&[rows, parts.len()])?;
    let lines: Vec<Vec<u32>> = parts.iter().map(Tensor::nodes).collect();
    let mut nodes = Vec::with_capacity(rows * parts.len());
    for row in 0..rows {
        let mut left = rows;
        for line in &lines {
            left /= line.len();
            nodes.push(line[row / left % line.len()]);
        }
    }
    let dtype = parts.iter().map(|part| part.dtype).max();
    Ok(Value::Tensor(Tensor::new(
        vec![rows, parts.len()],
        nodes,
        dtype.unwrap_or(DType::Float),
    )))
}

/// `combinations(input, r=2, with_replacement=False)`: rows in lexicographic order.
pub(super) fn combinations(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let x = b.tensor(lower, 0)?;
    let width = usize::try_from(b.integer(lower, 1, 2)?).unwrap_or(usize::MAX);
    let again = usize::from(!b.flag(lower, 2)?);
    vectors_only(lower, b, std::slice::from_ref(&x))?;
    if !(1..=8).contains(&width) {
        return Err(lower.fail(
            Draft::new(
                Kind::Argument,
                b.span_of(1),
                "combinations of this size are not supported",
            )
            .expected("1 to 8 elements"),
        ));
    }
    let line = x.nodes();
    let mut nodes = Vec::new();
    let mut rows = 0;
    let mut chosen: Vec<usize> = Vec::new();
    // The next index to try at every depth.
    let mut next = vec![0];
    while let Some(&at) = next.last() {
        lower.charge(1)?;
        if at >= line.len() {
            next.pop();
            chosen.pop();
            continue;
        }
        if let Some(last) = next.last_mut() {
            *last += 1;
        }
        if next.len() == width {
            lower.charge(width)?;
            nodes.extend(chosen.iter().map(|&i| line[i]));
            nodes.push(line[at]);
            rows += 1;
        } else {
            chosen.push(at);
            next.push(at + again);
        }
    }
    lower.allow(&[rows, width])?;
    Ok(Value::Tensor(Tensor::new(
        vec![rows, width],
        nodes,
        x.dtype,
    )))
}

/// Rows and columns of one triangle of a matrix, row by row.
fn triangle(
    lower: &mut Lower<'_>,
    b: &Bound,
    (rows, columns): (i64, i64),
    keep: impl Fn(i64) -> bool,
) -> Lowered<[Tensor; 2]> {
    let size = |value: i64| usize::try_from(value).unwrap_or(usize::MAX);
    if rows < 0 || columns < 0 {
        return Err(lower.fail(Draft::new(Kind::Shape, b.span, "a size is negative")));
    }
    lower.allow(&[size(rows), size(columns)])?;
    let (mut first, mut second) = (Vec::new(), Vec::new());
    for row in 0..rows {
        for column in (0..columns).filter(|column| keep(column - row)) {
            first.push(lower.constant(row as f64)?);
            second.push(lower.constant(column as f64)?);
        }
    }
    Ok([first, second].map(|line| Tensor::new(vec![line.len()], line, DType::Int)))
}

/// `triu_indices(row, col, offset=0)`: two rows of indices.
fn indices(lower: &mut Lower<'_>, b: &Bound, upper: bool) -> Lowered<Value> {
    let (rows, columns) = (b.integer(lower, 0, 0)?, b.integer(lower, 1, 0)?);
    let offset = b.integer(lower, 2, 0)?;
    let pair = triangle(lower, b, (rows, columns), |place| {
        if upper {
            place >= offset
        } else {
            place <= offset
        }
    })?;
    lower.stacked(&pair, 0, b.span).map(Value::Tensor)
}

pub(super) fn triu_indices(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    indices(lower, b, true)
}

pub(super) fn tril_indices(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    indices(lower, b, false)
}

/// NumPy's `triu_indices(n, k=0, m=None)`: a tuple.
fn numpy_indices(lower: &mut Lower<'_>, b: &Bound, upper: bool) -> Lowered<Value> {
    let rows = b.integer(lower, 0, 0)?;
    let (offset, columns) = (b.integer(lower, 1, 0)?, b.integer(lower, 2, rows)?);
    let [first, second] = triangle(lower, b, (rows, columns), |place| {
        if upper {
            place >= offset
        } else {
            place <= offset
        }
    })?;
    Ok(Value::tuple(vec![
        Value::Tensor(first),
        Value::Tensor(second),
    ]))
}

pub(super) fn numpy_triu_indices(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    numpy_indices(lower, b, true)
}

pub(super) fn numpy_tril_indices(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    numpy_indices(lower, b, false)
}

/// `broadcast_tensors(*tensors)`: views of one shape.
pub(super) fn broadcast_tensors(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let parts = lower.parts(b)?;
    let all: Vec<&Tensor> = parts.iter().collect();
    let shape = lower.common_shape(&all, b.span)?;
    let mut views = Vec::with_capacity(parts.len());
    for part in &parts {
        views.push(Value::Tensor(lower.broadcast_to(part, &shape, b.span)?));
    }
    Ok(Value::tuple(views))
}
