//! The operations of the intermediate form, each with its value and its derivative.
//!
//! One table serves three users: constant folding and the once-per-call scalar section (both in
//! `f64`), and the row kernels that run all particles at once. Derivatives follow PyTorch's
//! choices where a function is not differentiable.

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
    /// Whether swapping the two operands changes nothing, gradients included.
    pub(crate) fn commutes(self) -> bool {
        matches!(
            self,
            Op::Add | Op::Mul | Op::Maximum | Op::Minimum | Op::Equal | Op::NotEqual
        )
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

/// Selects the value of a one-operand operation as a closure named `$f` and runs `$body`.
macro_rules! unary_value {
    ($op:expr, $f:ident => $body:expr, else $other:expr) => {{
        use $crate::op::Op;
        use $crate::run::real::Math;
        match $op {
            Op::Neg => {
                let $f = |x: T| -x;
                $body
            }
            Op::Abs => {
                let $f = |x: T| x.abs();
                $body
            }
            Op::Sign => {
                let $f = |x: T| {
                    if x > T::ZERO {
                        T::ONE
                    } else if x < T::ZERO {
                        -T::ONE
                    } else {
                        x
                    }
                };
                $body
            }
            Op::Square => {
                let $f = |x: T| x * x;
                $body
            }
            Op::Recip => {
                let $f = |x: T| T::ONE / x;
                $body
            }
            Op::Sqrt => {
                let $f = |x: T| x.sqrt();
                $body
            }
            Op::Rsqrt => {
                let $f = |x: T| T::ONE / x.sqrt();
                $body
            }
            Op::Exp => {
                let $f = |x: T| x.math(Math::Exp);
                $body
            }
            Op::Expm1 => {
                let $f = |x: T| x.math(Math::Expm1);
                $body
            }
            Op::Log => {
                let $f = |x: T| x.math(Math::Log);
                $body
            }
            Op::Log1p => {
                let $f = |x: T| x.math(Math::Log1p);
                $body
            }
            Op::Sin => {
                let $f = |x: T| x.math(Math::Sin);
                $body
            }
            Op::Cos => {
                let $f = |x: T| x.math(Math::Cos);
                $body
            }
            Op::Tan => {
                let $f = |x: T| x.math(Math::Tan);
                $body
            }
            Op::Asin => {
                let $f = |x: T| x.math(Math::Asin);
                $body
            }
            Op::Acos => {
                let $f = |x: T| x.math(Math::Acos);
                $body
            }
            Op::Atan => {
                let $f = |x: T| x.math(Math::Atan);
                $body
            }
            Op::Sinh => {
                let $f = |x: T| x.math(Math::Sinh);
                $body
            }
            Op::Cosh => {
                let $f = |x: T| x.math(Math::Cosh);
                $body
            }
            Op::Tanh => {
                let $f = |x: T| x.math(Math::Tanh);
                $body
            }
            // Both branches divide by at least 1, so neither overflows into 0/0.
            Op::Sigmoid => {
                let $f = |x: T| {
                    let e = (-x.abs()).math(Math::Exp);
                    (if x >= T::ZERO { T::ONE } else { e }) / (T::ONE + e)
                };
                $body
            }
            Op::Relu => {
                let $f = |x: T| if x < T::ZERO { T::ZERO } else { x };
                $body
            }
            // PyTorch's softplus turns linear above 20.
            Op::Softplus => {
                let $f = |x: T| {
                    if x > T::from_f64(20.0) {
                        x
                    } else {
                        x.math(Math::Exp).math(Math::Log1p)
                    }
                };
                $body
            }
            Op::LogSigmoid => {
                let $f = |x: T| {
                    (if x < T::ZERO { x } else { T::ZERO })
                        - (-x.abs()).math(Math::Exp).math(Math::Log1p)
                };
                $body
            }
            Op::Floor => {
                let $f = |x: T| x.floor();
                $body
            }
            Op::Ceil => {
                let $f = |x: T| x.math(Math::Ceil);
                $body
            }
            Op::Round => {
                let $f = |x: T| x.math(Math::Round);
                $body
            }
            Op::Trunc => {
                let $f = |x: T| x.math(Math::Trunc);
                $body
            }
            Op::Not => {
                let $f = |x: T| if x == T::ZERO { T::ONE } else { T::ZERO };
                $body
            }
            Op::Detach => {
                let $f = |x: T| x;
                $body
            }
            _ => $other,
        }
    }};
}

/// Selects the derivative of a one-operand operation: `(operand, value, adjoint)` to the
/// operand's share.
macro_rules! unary_gradient {
    ($op:expr, $d:ident => $body:expr, else $other:expr) => {{
        use $crate::op::Op;
        use $crate::run::real::Math;
        match $op {
            Op::Neg => {
                let $d = |_x: T, _y: T, g: T| -g;
                $body
            }
            Op::Abs => {
                let $d = |x: T, _y: T, g: T| {
                    if x > T::ZERO {
                        g
                    } else if x < T::ZERO {
                        -g
                    } else {
                        T::ZERO
                    }
                };
                $body
            }
            Op::Square => {
                let $d = |x: T, _y: T, g: T| g * (x + x);
                $body
            }
            Op::Recip => {
                let $d = |_x: T, y: T, g: T| -(g * (y * y));
                $body
            }
            Op::Sqrt => {
                let $d = |_x: T, y: T, g: T| g / (y + y);
                $body
            }
            Op::Rsqrt => {
                let $d = |_x: T, y: T, g: T| -(T::HALF * g * (y * y * y));
                $body
            }
            Op::Exp => {
                let $d = |_x: T, y: T, g: T| g * y;
                $body
            }
            Op::Expm1 => {
                let $d = |_x: T, y: T, g: T| g * (y + T::ONE);
                $body
            }
            Op::Log => {
                let $d = |x: T, _y: T, g: T| g / x;
                $body
            }
            Op::Log1p => {
                let $d = |x: T, _y: T, g: T| g / (x + T::ONE);
                $body
            }
            Op::Sin => {
                let $d = |x: T, _y: T, g: T| g * x.math(Math::Cos);
                $body
            }
            Op::Cos => {
                let $d = |x: T, _y: T, g: T| -(g * x.math(Math::Sin));
                $body
            }
            Op::Tan => {
                let $d = |_x: T, y: T, g: T| g * (T::ONE + y * y);
                $body
            }
            Op::Asin => {
                let $d = |x: T, _y: T, g: T| g / (T::ONE - x * x).sqrt();
                $body
            }
            Op::Acos => {
                let $d = |x: T, _y: T, g: T| -(g / (T::ONE - x * x).sqrt());
                $body
            }
            Op::Atan => {
                let $d = |x: T, _y: T, g: T| g / (T::ONE + x * x);
                $body
            }
            Op::Sinh => {
                let $d = |x: T, _y: T, g: T| g * x.math(Math::Cosh);
                $body
            }
            Op::Cosh => {
                let $d = |x: T, _y: T, g: T| g * x.math(Math::Sinh);
                $body
            }
            Op::Tanh => {
                let $d = |_x: T, y: T, g: T| g * (T::ONE - y * y);
                $body
            }
            Op::Sigmoid => {
                let $d = |_x: T, y: T, g: T| g * (y * (T::ONE - y));
                $body
            }
            Op::Relu => {
                let $d = |x: T, _y: T, g: T| if x > T::ZERO { g } else { T::ZERO };
                $body
            }
            Op::Softplus => {
                let $d = |x: T, _y: T, g: T| {
                    if x > T::from_f64(20.0) {
                        g
                    } else {
                        let z = x.math(Math::Exp);
                        g * (z / (z + T::ONE))
                    }
                };
                $body
            }
            Op::LogSigmoid => {
                let $d = |x: T, _y: T, g: T| {
                    let z = (-x.abs()).math(Math::Exp);
                    g * ((if x < T::ZERO { T::ONE } else { z }) / (T::ONE + z))
                };
                $body
            }
            _ => $other,
        }
    }};
}

/// Selects the value of a two-operand operation.
macro_rules! binary_value {
    ($op:expr, $f:ident => $body:expr, else $other:expr) => {{
        use $crate::op::Op;
        match $op {
            Op::Add => {
                let $f = |a: T, b: T| a + b;
                $body
            }
            Op::Sub => {
                let $f = |a: T, b: T| a - b;
                $body
            }
            Op::Mul => {
                let $f = |a: T, b: T| a * b;
                $body
            }
            Op::Div => {
                let $f = |a: T, b: T| a / b;
                $body
            }
            Op::Pow => {
                let $f = |a: T, b: T| a.powf(b);
                $body
            }
            Op::Atan2 => {
                let $f = |a: T, b: T| a.atan2(b);
                $body
            }
            Op::FloorDiv => {
                let $f = |a: T, b: T| (a / b).floor();
                $body
            }
            Op::Remainder => {
                let $f = |a: T, b: T| a - (a / b).floor() * b;
                $body
            }
            // A NaN on either side stays a NaN, so that no check misses it.
            Op::MaxLeft => {
                let $f = |a: T, b: T| if b > a || b.is_nan() { b } else { a };
                $body
            }
            Op::MaxRight => {
                let $f = |a: T, b: T| if a > b || a.is_nan() { a } else { b };
                $body
            }
            Op::MinLeft => {
                let $f = |a: T, b: T| if b < a || b.is_nan() { b } else { a };
                $body
            }
            Op::MinRight => {
                let $f = |a: T, b: T| if a < b || a.is_nan() { a } else { b };
                $body
            }
            Op::Maximum | Op::ClampMin => {
                let $f = |a: T, b: T| if b > a || b.is_nan() { b } else { a };
                $body
            }
            Op::Minimum | Op::ClampMax => {
                let $f = |a: T, b: T| if b < a || b.is_nan() { b } else { a };
                $body
            }
            Op::Less => {
                let $f = |a: T, b: T| if a < b { T::ONE } else { T::ZERO };
                $body
            }
            Op::LessEqual => {
                let $f = |a: T, b: T| if a <= b { T::ONE } else { T::ZERO };
                $body
            }
            Op::Equal => {
                let $f = |a: T, b: T| if a == b { T::ONE } else { T::ZERO };
                $body
            }
            Op::NotEqual => {
                let $f = |a: T, b: T| if a != b { T::ONE } else { T::ZERO };
                $body
            }
            Op::And => {
                let $f = |a: T, b: T| {
                    if a != T::ZERO && b != T::ZERO {
                        T::ONE
                    } else {
                        T::ZERO
                    }
                };
                $body
            }
            Op::Or => {
                let $f = |a: T, b: T| {
                    if a != T::ZERO || b != T::ZERO {
                        T::ONE
                    } else {
                        T::ZERO
                    }
                };
                $body
            }
            _ => $other,
        }
    }};
}

/// Selects the derivatives of a two-operand operation: `(a, b, value, adjoint)` to the share of
/// `a` (closure `$da`) and of `b` (closure `$db`).
macro_rules! binary_gradient {
    ($op:expr, ($da:ident, $db:ident) => $body:expr, else $other:expr) => {{
        use $crate::op::Op;
        use $crate::run::real::Math;
        match $op {
            Op::Add => {
                let $da = |_a: T, _b: T, _y: T, g: T| g;
                let $db = |_a: T, _b: T, _y: T, g: T| g;
                $body
            }
            Op::Sub => {
                let $da = |_a: T, _b: T, _y: T, g: T| g;
                let $db = |_a: T, _b: T, _y: T, g: T| -g;
                $body
            }
            Op::Mul => {
                let $da = |_a: T, b: T, _y: T, g: T| g * b;
                let $db = |a: T, _b: T, _y: T, g: T| g * a;
                $body
            }
            Op::Div => {
                let $da = |_a: T, b: T, _y: T, g: T| g / b;
                let $db = |_a: T, b: T, y: T, g: T| -(g * (y / b));
                $body
            }
            Op::Pow => {
                let $da = |a: T, b: T, _y: T, g: T| {
                    if b == T::ZERO {
                        T::ZERO
                    } else {
                        g * (b * a.powf(b - T::ONE))
                    }
                };
                let $db = |a: T, b: T, y: T, g: T| {
                    if a == T::ZERO && b >= T::ZERO {
                        T::ZERO
                    } else {
                        g * (y * a.math(Math::Log))
                    }
                };
                $body
            }
            // PyTorch masks the origin, where both shares are 0/0.
            Op::Atan2 => {
                let $da = |a: T, b: T, _y: T, g: T| {
                    let r = a * a + b * b;
                    if r == T::ZERO { T::ZERO } else { g * (b / r) }
                };
                let $db = |a: T, b: T, _y: T, g: T| {
                    let r = a * a + b * b;
                    if r == T::ZERO {
                        T::ZERO
                    } else {
                        -(g * (a / r))
                    }
                };
                $body
            }
            Op::Remainder => {
                let $da = |_a: T, _b: T, _y: T, g: T| g;
                let $db = |a: T, b: T, _y: T, g: T| -(g * (a / b).floor());
                $body
            }
            Op::MaxLeft => {
                let $da = |a: T, b: T, _y: T, g: T| if b > a { T::ZERO } else { g };
                let $db = |a: T, b: T, _y: T, g: T| if b > a { g } else { T::ZERO };
                $body
            }
            Op::MaxRight => {
                let $da = |a: T, b: T, _y: T, g: T| if a > b { g } else { T::ZERO };
                let $db = |a: T, b: T, _y: T, g: T| if a > b { T::ZERO } else { g };
                $body
            }
            Op::MinLeft => {
                let $da = |a: T, b: T, _y: T, g: T| if b < a { T::ZERO } else { g };
                let $db = |a: T, b: T, _y: T, g: T| if b < a { g } else { T::ZERO };
                $body
            }
            Op::MinRight => {
                let $da = |a: T, b: T, _y: T, g: T| if a < b { g } else { T::ZERO };
                let $db = |a: T, b: T, _y: T, g: T| if a < b { T::ZERO } else { g };
                $body
            }
            Op::Maximum => {
                let $da = |a: T, b: T, _y: T, g: T| {
                    if a > b {
                        g
                    } else if a == b {
                        g * T::HALF
                    } else {
                        T::ZERO
                    }
                };
                let $db = |a: T, b: T, _y: T, g: T| {
                    if b > a {
                        g
                    } else if a == b {
                        g * T::HALF
                    } else {
                        T::ZERO
                    }
                };
                $body
            }
            Op::Minimum => {
                let $da = |a: T, b: T, _y: T, g: T| {
                    if a < b {
                        g
                    } else if a == b {
                        g * T::HALF
                    } else {
                        T::ZERO
                    }
                };
                let $db = |a: T, b: T, _y: T, g: T| {
                    if b < a {
                        g
                    } else if a == b {
                        g * T::HALF
                    } else {
                        T::ZERO
                    }
                };
                $body
            }
            Op::ClampMin => {
                let $da = |a: T, b: T, _y: T, g: T| if a > b { g } else { T::ZERO };
                let $db = |_a: T, _b: T, _y: T, _g: T| T::ZERO;
                $body
            }
            Op::ClampMax => {
                let $da = |a: T, b: T, _y: T, g: T| if a < b { g } else { T::ZERO };
                let $db = |_a: T, _b: T, _y: T, _g: T| T::ZERO;
                $body
            }
            _ => $other,
        }
    }};
}

pub(crate) use {binary_gradient, binary_value, unary_gradient, unary_value};

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
        (_, &[a]) => unary_value!(op, f => f(a), else f64::NAN),
        (_, &[a, b]) => binary_value!(op, f => f(a, b), else f64::NAN),
        _ => f64::NAN,
    }
}
