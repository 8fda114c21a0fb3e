//! `F.interpolate`: sums of neighbours with fixed weights, dimension by dimension.

use super::arguments::Bound;
use super::value::Value;
use super::{Lower, Lowered};
use crate::diagnostic::{Draft, Kind};
use crate::op::Op;
use crate::tensor::{DType, Tensor, count, show_shape};

/// How places between the given ones get their value.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Nearest { exact: bool },
    Linear { align_corners: bool },
    Area,
}

/// The neighbours of a place and their weights.
type Neighbours = Vec<(usize, f64)>;

impl Mode {
    /// The neighbours of every one of `out` places among `size`, one place being `1 / scale` wide.
    fn neighbours(self, size: usize, out: usize, scale: Option<f64>) -> Vec<Neighbours> {
        let last = size.saturating_sub(1);
        // PyTorch finds nearest places in single precision.
        let narrow = match scale {
            Some(scale) => (1.0 / scale) as f32,
            None => size as f32 / out as f32,
        };
        let wide = scale.map_or(size as f64 / out as f64, |scale| 1.0 / scale);
        let place = |i: usize| match self {
            Mode::Nearest { exact } => {
                let shift = if exact { 0.5 } else { 0.0 };
                let at = ((i as f32 + shift) * narrow).floor() as usize;
                vec![(at.min(last), 1.0)]
            }
            Mode::Area => {
                let (start, end) = (i * size / out, ((i + 1) * size).div_ceil(out));
                let weight = 1.0 / (end - start) as f64;
                (start..end).map(|at| (at, weight)).collect()
            }
            Mode::Linear { align_corners } => {
                let at = if align_corners {
                    i as f64 * (last as f64 / out.saturating_sub(1).max(1) as f64)
                } else {
                    (wide * (i as f64 + 0.5) - 0.5).max(0.0)
                };
                let left = (at as usize).min(last);
                let along = (at - left as f64).clamp(0.0, 1.0);
                let right = (left + 1).min(last);
                if along == 0.0 || right == left {
                    vec![(left, 1.0)]
                } else {
                    vec![(left, 1.0 - along), (right, along)]
                }
            }
        };
        (0..out).map(place).collect()
    }
}

impl Lower<'_> {
    /// `x` with dimension `dim` replaced by weighted neighbours.
    fn resampled(&mut self, x: &Tensor, dim: usize, neighbours: &[Neighbours]) -> Lowered<Tensor> {
        let mut shape = x.shape.clone();
        let size = shape[dim];
        shape[dim] = neighbours.len();
        self.allow(&shape)?;
        let inner = count(&shape[dim + 1..]);
        let all = x.nodes();
        let mut nodes = Vec::with_capacity(count(&shape));
        for block in 0..count(&shape[..dim]) {
            for near in neighbours {
                for place in 0..inner {
                    let mut terms = Vec::with_capacity(near.len());
                    for &(at, weight) in near {
                        let node = all[(block * size + at) * inner + place];
                        terms.push(self.node_with(Op::Mul, node, weight)?);
                    }
                    nodes.push(self.sum_nodes(&terms)?);
                }
            }
        }
        Ok(Tensor::new(shape, nodes, DType::Float))
    }
}

/// One number for each of `dims` dimensions, given one by one or once for all.
fn each_dim(
    lower: &mut Lower<'_>,
    b: &Bound,
    position: usize,
    dims: usize,
) -> Lowered<Option<Vec<f64>>> {
    let span = b.span_of(position);
    let items = match b.get(position) {
        None => return Ok(None),
        Some(Value::Tuple(items) | Value::List(items)) => items.items.to_vec(),
        Some(value) => vec![value.clone(); dims],
    };
    if items.len() != dims {
        return Err(lower.fail(
            Draft::new(
                Kind::Argument,
                span,
                "these sizes do not fit the dimensions",
            )
            .expected(format!("{dims}: batch and channels stay as they are"))
            .found(format!("{}", items.len())),
        ));
    }
    let mut numbers = Vec::with_capacity(dims);
    for item in &items {
        let number = lower.number_argument(item, span)?;
        if !(number > 0.0 && number.is_finite()) {
            return Err(lower.fail(
                Draft::new(Kind::Argument, span, "this must be positive")
                    .found(format!("{number}")),
            ));
        }
        numbers.push(number);
    }
    Ok(Some(numbers))
}

/// `interpolate(input, size, scale_factor, mode='nearest', align_corners=False)`.
pub(super) fn interpolate(lower: &mut Lower<'_>, b: &Bound) -> Lowered<Value> {
    let x = b.tensor(lower, 0)?;
    let dims = match x.rank() {
        3 | 4 => x.rank() - 2,
        _ => {
            return Err(lower.fail(
                Draft::new(
                    Kind::Shape,
                    b.span,
                    "`interpolate` needs batch, channels and one or two dimensions",
                )
                .expected("(B, C, L) or (B, C, H, W)")
                .found(format!("shape {}", show_shape(&x.shape)))
                .help("for a trajectory: `F.interpolate(action_sequence.transpose(1, 2), ...)`"),
            ));
        }
    };
    let name = match b.get(3) {
        Some(Value::Str(name)) => name.to_string(),
        _ => "nearest".to_owned(),
    };
    let align_corners = b.flag(lower, 4)?;
    let mode = match (name.as_str(), dims) {
        ("nearest", _) => Mode::Nearest { exact: false },
        ("nearest-exact", _) => Mode::Nearest { exact: true },
        ("area", _) => Mode::Area,
        ("linear", 1) | ("bilinear", 2) => Mode::Linear { align_corners },
        _ => {
            let expected = if dims == 1 {
                "'nearest', 'linear' or 'area' for (B, C, L)"
            } else {
                "'nearest', 'bilinear' or 'area' for (B, C, H, W)"
            };
            return Err(lower.fail(
                Draft::new(
                    Kind::Argument,
                    b.span_of(3),
                    "this mode is not supported here",
                )
                .expected(expected)
                .found(name),
            ));
        }
    };
    let (sizes, scales) = (each_dim(lower, b, 1, dims)?, each_dim(lower, b, 2, dims)?);
    let own = x.shape[2..].to_vec();
    let (outs, scales) = match (sizes, scales) {
        (Some(sizes), None) => (sizes, None),
        (None, Some(scales)) => {
            let outs = own.iter().zip(&scales);
            let outs = outs.map(|(&size, scale)| (size as f64 * scale).floor());
            (outs.collect(), Some(scales))
        }
        _ => {
            return Err(lower.fail(Draft::new(
                Kind::Argument,
                b.span,
                "`interpolate` needs either `size` or `scale_factor`",
            )));
        }
    };
    let recomputes = b.flag(lower, 5)?;
    let mut result = x;
    for dim in 0..dims {
        let out = lower.length(outs[dim], b.span)?;
        if out == 0 || own[dim] == 0 {
            return Err(lower.fail(
                Draft::new(
                    Kind::Shape,
                    b.span,
                    "nothing can be interpolated to nothing",
                )
                .found(format!("{} to {out} places", own[dim])),
            ));
        }
        let scale = scales.as_ref().map(|scales| scales[dim]);
        let scale = scale.filter(|_| !recomputes);
        let neighbours = mode.neighbours(own[dim], out, scale);
        result = lower.resampled(&result, dim + 2, &neighbours)?;
    }
    Ok(Value::Tensor(result))
}
