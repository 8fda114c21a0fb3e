//! Finds the operation that first made a number infinite or NaN, and says how to mend it.

use crate::diagnostic::Span;
use crate::op::Op;
use crate::run::code::{Code, Output};
use crate::run::evaluator::Evaluator;

/// An operation whose result or slope is not finite although its operands are.
pub(crate) struct Fault {
    op: Op,
    pub(crate) span: Span,
    /// Operands and result; empty where nothing is known.
    operands: Vec<f64>,
    result: f64,
    /// The slope is infinite, the value is finite.
    of_slope: bool,
    /// Some side of the program is only computed to be left out by `torch.where`.
    may_be_hidden: bool,
    /// It depends on the keypoints alone, not on the trajectory.
    pub(crate) is_of_keypoints: bool,
}

impl Fault {
    /// The first operation on keypoints alone whose value in `slots` is not finite. A constant
    /// comes from no operation: then the fault is at `fallback`.
    pub(crate) fn of_keypoints(code: &Code, slots: &[f64], fallback: Span) -> Self {
        let (op, span, operands, result) =
            code.uniform_fault(slots)
                .unwrap_or((Op::Const, fallback, Vec::new(), f64::NAN));
        Self {
            op,
            span,
            operands,
            result,
            of_slope: false,
            may_be_hidden: false,
            is_of_keypoints: true,
        }
    }

    /// What was computed, such as `log(0) = -inf`.
    pub(crate) fn describe(&self) -> Option<String> {
        let numbers: Vec<String> = self.operands.iter().map(|&v| show(v)).collect();
        let call = match (self.op, numbers.as_slice()) {
            (Op::Mul, [a, b]) => format!("{a} * {b}"),
            (Op::Div, [a, b]) => format!("{a} / {b}"),
            (Op::Pow, [a, b]) => format!("{a} ** {b}"),
            (op, [_] | [_, _]) => format!("{}({})", function(op)?, numbers.join(", ")),
            _ => return None,
        };
        Some(if self.of_slope {
            format!("the slope of {call} is not finite")
        } else {
            format!("{call} = {}", show(self.result))
        })
    }

    /// How to mend it.
    pub(crate) fn mend(&self) -> String {
        let first = self.operands.first().copied().unwrap_or(0.0);
        if self.operands.iter().any(|v| v.is_infinite()) {
            return "use a large finite number, such as 10.0, instead of infinity".to_owned();
        }
        if self.operands.iter().any(|v| v.is_nan()) {
            return "NaN is used here: write every element of `torch.empty` before it is read, keep `nan` out, and give `eig` symmetric matrices only".to_owned();
        }
        let mend = match self.op {
            Op::Sqrt if first < 0.0 && !self.of_slope => {
                "the argument is negative: keep it positive, `torch.sqrt(x.clamp(min=1e-8))`"
            }
            Op::Sqrt | Op::Rsqrt => {
                "the slope of a square root at 0 is infinite: use `torch.norm`, or add 1e-8 inside"
            }
            Op::Log if first < 0.0 => {
                "the argument is negative: keep it positive, `torch.log(x.clamp(min=1e-6))`"
            }
            Op::Log | Op::Log1p => "keep the argument positive: `torch.log(x + 1e-6)`",
            Op::Div | Op::Recip => {
                "the divisor can be 0: add 1e-6 to it, or use `F.normalize` if this makes a direction"
            }
            Op::Asin | Op::Acos if first.abs() > 1.0 + 1e-9 => {
                "the argument lies outside -1 to 1: a cosine is `(F.normalize(a, dim=-1) * F.normalize(b, dim=-1)).sum(dim=-1)`"
            }
            Op::Asin | Op::Acos => "keep the argument inside: `.clamp(-1 + 1e-6, 1 - 1e-6)`",
            Op::Exp | Op::Expm1 | Op::Sinh | Op::Cosh => {
                "the exponent grows too large: scale it down"
            }
            Op::Pow if self.result.is_infinite() && first.abs() > 1.0 => {
                "the number grows too large: scale it down"
            }
            Op::Pow if first < 0.0 => {
                "the base is negative: use `.abs()` first, or an integer exponent"
            }
            Op::Pow => "the base can be 0: add 1e-6 to it",
            Op::Const => "check divisions, logarithms, square roots and infinite constants",
            Op::Where => "use a large finite number, such as 10.0, instead of infinity",
            _ => "the number grows too large: scale it down",
        };
        if self.of_slope && self.may_be_hidden {
            format!("{mend}; `torch.where` does not help, both sides are computed")
        } else {
            mend.to_owned()
        }
    }
}

/// A number as a person would write it.
fn show(value: f64) -> String {
    let magnitude = value.abs();
    if !value.is_finite() || value.fract() == 0.0 && magnitude < 1e6 {
        format!("{}", value + 0.0)
    } else if (1e-3..1e6).contains(&magnitude) {
        format!("{value:.3}")
    } else {
        format!("{value:.1e}")
    }
}

/// The function of an operation that can fail.
fn function(op: Op) -> Option<&'static str> {
    Some(match op {
        Op::Sqrt => "sqrt",
        Op::Rsqrt => "rsqrt",
        Op::Recip => "reciprocal",
        Op::Log => "log",
        Op::Log1p => "log1p",
        Op::Exp => "exp",
        Op::Expm1 => "expm1",
        Op::Sinh => "sinh",
        Op::Cosh => "cosh",
        Op::Tan => "tan",
        Op::Asin => "asin",
        Op::Acos => "acos",
        Op::Atan2 => "atan2",
        _ => return None,
    })
}

/// Whether the slope of an operation is infinite somewhere.
fn is_singular(op: Op) -> bool {
    matches!(
        op,
        Op::Sqrt | Op::Rsqrt | Op::Recip | Op::Log | Op::Log1p | Op::Div | Op::Pow
    ) || matches!(op, Op::Asin | Op::Acos | Op::Atan2)
}

/// The operation that made the value of lane `lane` infinite or NaN.
pub(crate) fn value_fault(
    code: &Code,
    evaluator: &Evaluator<f64>,
    lane: usize,
    keypoints: impl Fn(usize) -> f64,
) -> Fault {
    let of_keypoints = |fallback: Span| {
        let mut slots = code.new_slots();
        code.run_uniform(&keypoints, &mut slots);
        Fault::of_keypoints(code, &slots, fallback)
    };
    let at = evaluator.inspect(lane);
    let Output::Row(mut row) = code.output else {
        return of_keypoints(Span::default());
    };
    // Down from the result, as long as an operand is not finite either.
    loop {
        let Some((op, operands)) = code.producer(row) else {
            return of_keypoints(code.spans[row]);
        };
        let bad = operands.iter().copied().find(|&o| !at(o).0.is_finite());
        let is_leaf = |operand: usize| code.producer(operand).is_none();
        match bad {
            // An infinite constant: what uses it is where it does harm.
            Some(operand)
                if is_leaf(operand) && of_keypoints(Span::default()).operands.is_empty() => {}
            Some(operand) => {
                row = operand;
                continue;
            }
            None => {}
        }
        return Fault {
            op,
            span: code.spans[row],
            operands: operands.iter().map(|&operand| at(operand).0).collect(),
            result: at(row).0,
            of_slope: false,
            may_be_hidden: false,
            is_of_keypoints: false,
        };
    }
}

/// The operation that made the gradient of lane `lane` infinite or NaN.
pub(crate) fn adjoint_fault(code: &Code, evaluator: &Evaluator<f64>, lane: usize) -> Fault {
    let at = evaluator.inspect(lane);
    // Up from an input, as long as a user's adjoint is not finite either.
    let first = code.splats.len();
    let bad = (first..first + code.inputs.len()).find(|&input| !at(input).1.is_finite());
    let mut row = bad.unwrap_or(first);
    let all = code.users();
    let mut users = &all[row];
    while let Some(&(_, user)) = users.iter().find(|&&(_, user)| !at(user).1.is_finite()) {
        row = user;
        users = &all[row];
    }
    // Sums and differences pass on what they get.
    let is_risky = |op: Op| !matches!(op, Op::Add | Op::Sub | Op::Sum | Op::Neg);
    let user = users
        .iter()
        .find(|(op, _)| is_singular(*op))
        .or_else(|| users.iter().find(|(op, _)| is_risky(*op)))
        .or(users.first());
    let (op, user) = user.copied().unwrap_or((Op::Const, row));
    let operands = code.producer(user).map_or(Vec::new(), |(_, rows)| rows);
    Fault {
        op,
        span: code.spans[user],
        operands: operands.iter().map(|&operand| at(operand).0).collect(),
        result: at(user).0,
        of_slope: true,
        may_be_hidden: code.batches.iter().any(|batch| batch.op == Op::Where),
        is_of_keypoints: false,
    }
}
