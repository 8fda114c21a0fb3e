//! The operations of the intermediate form, each with its value and its derivative.
//!
//! One table serves three users: constant folding and the once-per-call scalar section (both in
//! `f64`), and the row kernels that run all particles at once. Derivatives follow PyTorch's
//! choices where a function is not differentiable.

pub(crate) mod erf;
mod gradient;
mod value;

pub(crate) use gradient::{binary_gradient, unary_gradient};
pub(crate) use value::{binary_value, unary_value};

/// An operation on scalars. Every operand and result is a number; booleans are 0 and 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Op {
    // Leaves: their payload is stored beside them.
    Const,
    Uniform,
    Varying,
    // One operand.
    Neg,
    Abs,
    Sign,
    Square,
    Recip,
    Sqrt,
    Rsqrt,
    Exp,
    Expm1,
    Log,
    Log1p,
    Sin,
    Cos,
    Tan,
    Asin,
    Acos,
    Atan,
    Asinh,
    Acosh,
    Atanh,
    Erf,
    Sinh,
    Cosh,
    Tanh,
    Sigmoid,
    Relu,
    Softplus,
    LogSigmoid,
    Floor,
    Ceil,
    Round,
    Trunc,
    Not,
    Detach,
    // Two operands.
    Add,
    Sub,
    Mul,
    Div,
    Pow,
    Atan2,
    FloorDiv,
    Remainder,
    /// The larger; on a tie the left one takes the gradient.
    MaxLeft,
    /// The larger; on a tie the right one takes the gradient.
    MaxRight,
    /// The smaller; on a tie the left one takes the gradient.
    MinLeft,
    /// The smaller; on a tie the right one takes the gradient.
    MinRight,
    /// The larger; a tie shares the gradient.
    Maximum,
    /// The smaller; a tie shares the gradient.
    Minimum,
    /// `max(x, bound)` with no gradient at or below the bound.
    ClampMin,
    /// `min(x, bound)` with no gradient at or above the bound.
    ClampMax,
    Less,
    LessEqual,
    Equal,
    NotEqual,
    And,
    Or,
    // Three operands: condition, value if true, value if false.
    Where,
    // Any number of operands.
    Sum,
    /// Euclidean length; its gradient at the origin is 0.
    Norm2,
    /// The largest; ties share the gradient.
    AMax,
    /// The smallest; ties share the gradient.
    AMin,
}

impl Op {
    /// Whether this is an input or a constant.
    pub(crate) fn is_leaf(self) -> bool {
        matches!(self, Op::Const | Op::Uniform | Op::Varying)
    }

    /// Whether swapping the two operands changes nothing, gradients included.
    pub(crate) fn commutes(self) -> bool {
        matches!(
            self,
            Op::Add | Op::Mul | Op::Maximum | Op::Minimum | Op::Equal | Op::NotEqual
        )
    }

    /// Units of work that one node takes, from folding to the last probe.
    pub(crate) fn work(self) -> usize {
        match self {
            Op::Pow => 12,
            Op::Exp
            | Op::Expm1
            | Op::Log
            | Op::Log1p
            | Op::Sin
            | Op::Cos
            | Op::Tan
            | Op::Asin
            | Op::Acos
            | Op::Atan
            | Op::Atan2
            | Op::Sinh
            | Op::Cosh
            | Op::Tanh
            | Op::Sigmoid
            | Op::Softplus
            | Op::LogSigmoid => 5,
            _ => 1,
        }
    }

    /// Whether operand `position` can receive a gradient.
    pub(crate) fn passes_gradient(self, position: usize) -> bool {
        match self {
            Op::Sign
            | Op::Floor
            | Op::Ceil
            | Op::Round
            | Op::Trunc
            | Op::Not
            | Op::Detach
            | Op::FloorDiv
            | Op::Less
            | Op::LessEqual
            | Op::Equal
            | Op::NotEqual
            | Op::And
            | Op::Or => false,
            Op::Where => position > 0,
            Op::ClampMin | Op::ClampMax => position == 0,
            _ => true,
        }
    }
}

/// Quotient and remainder as Python, NumPy and PyTorch have them: the remainder is exact, so that
/// `1.0 // 0.1` is 9.
pub(crate) fn floor_divided(a: f64, b: f64) -> (f64, f64) {
    if b == 0.0 {
        return ((a / b).floor(), f64::NAN);
    }
    let mut remainder = a % b;
    let mut quotient = (a - remainder) / b;
    if remainder != 0.0 && (b < 0.0) != (remainder < 0.0) {
        remainder += b;
        quotient -= 1.0;
    }
    let whole = quotient.floor();
    (
        if quotient - whole > 0.5 {
            whole + 1.0
        } else {
            whole
        },
        remainder,
    )
}

/// The value of `op` in double precision. Leaves have none of their own and give NaN.
pub(crate) fn apply(op: Op, x: &[f64]) -> f64 {
    use crate::run::real::Real;
    type T = f64;
    match (op, x) {
        (Op::Where, &[condition, a, b]) => {
            if condition != 0.0 {
                a
            } else {
                b
            }
        }
        (Op::Sum, _) => x.iter().sum(),
        (Op::Norm2, _) => x.iter().map(|v| v * v).sum::<f64>().sqrt(),
        (Op::AMax, [first, rest @ ..]) => rest
            .iter()
            .fold(*first, |a, &b| if b > a || b.is_nan() { b } else { a }),
        (Op::AMin, [first, rest @ ..]) => rest
            .iter()
            .fold(*first, |a, &b| if b < a || b.is_nan() { b } else { a }),
        (Op::FloorDiv, &[a, b]) => floor_divided(a, b).0,
        (Op::Remainder, &[a, b]) => floor_divided(a, b).1,
        (_, &[a]) => unary_value!(op, f => f(a), else f64::NAN),
        (_, &[a, b]) => binary_value!(op, f => f(a, b), else f64::NAN),
        _ => f64::NAN,
    }
}
