//! The derivative of every operation, as closures over any floating-point type `T`. Where a
//! function is not differentiable, they follow PyTorch.

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
            Op::Asinh => {
                let $d = |x: T, _y: T, g: T| g / (x * x + T::ONE).sqrt();
                $body
            }
            Op::Acosh => {
                let $d = |x: T, _y: T, g: T| g / (x * x - T::ONE).sqrt();
                $body
            }
            Op::Atanh => {
                let $d = |x: T, _y: T, g: T| g / (T::ONE - x * x);
                $body
            }
            Op::Erf => {
                let $d = |x: T, _y: T, g: T| {
                    let slope = T::from_f64(std::f64::consts::FRAC_2_SQRT_PI);
                    g * (slope * (-(x * x)).math(Math::Exp))
                };
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

pub(crate) use {binary_gradient, unary_gradient};
