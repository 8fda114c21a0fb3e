//! The value of every operation, as closures over any floating-point type `T`.

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
            Op::Asinh => {
                let $f = |x: T| T::from_f64(x.to_f64().asinh());
                $body
            }
            Op::Acosh => {
                let $f = |x: T| T::from_f64(x.to_f64().acosh());
                $body
            }
            Op::Atanh => {
                let $f = |x: T| T::from_f64(x.to_f64().atanh());
                $body
            }
            Op::Erf => {
                let $f = |x: T| T::from_f64($crate::op::erf::erf(x.to_f64()));
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

pub(crate) use {binary_value, unary_value};
