//! The two floating-point types that compiled rewards run in.

use std::fmt::Debug;
use std::ops::{Add, AddAssign, Div, Mul, Neg, Sub};

use super::elementary;

mod sealed {
    pub trait Sealed {}
    impl Sealed for f32 {}
    impl Sealed for f64 {}
}

/// A floating-point type that rewards can be evaluated in: `f32` for the hot path, `f64` for
/// checking and for the command line. Sealed.
pub trait Real:
    sealed::Sealed
    + Copy
    + Default
    + Debug
    + PartialEq
    + PartialOrd
    + Send
    + Sync
    + Add<Output = Self>
    + AddAssign
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
    + 'static
{
    /// 0.
    const ZERO: Self;
    /// 1.
    const ONE: Self;
    /// One half.
    const HALF: Self;
    /// The nearest value.
    fn from_f64(value: f64) -> Self;
    /// The same value in double precision.
    fn to_f64(self) -> f64;
    /// Whether this is neither infinite nor NaN.
    fn is_finite(self) -> bool;
    #[doc(hidden)]
    fn is_nan(self) -> bool;
    #[doc(hidden)]
    fn math(self, function: Math) -> Self;
    #[doc(hidden)]
    fn sqrt(self) -> Self;
    #[doc(hidden)]
    fn abs(self) -> Self;
    #[doc(hidden)]
    fn floor(self) -> Self;
    #[doc(hidden)]
    fn powf(self, exponent: Self) -> Self;
    #[doc(hidden)]
    fn atan2(self, x: Self) -> Self;
}

/// Functions of one argument, from the system's mathematics library or from `elementary`.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub enum Math {
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
    Ceil,
    Trunc,
    Round,
}

macro_rules! implement {
    ($type:ty, $exp:path, $tanh:path) => {
        impl Real for $type {
            const ZERO: Self = 0.0;
            const ONE: Self = 1.0;
            const HALF: Self = 0.5;

            #[inline(always)]
            fn from_f64(value: f64) -> Self {
                value as Self
            }

            #[inline(always)]
            fn to_f64(self) -> f64 {
                f64::from(self)
            }

            #[inline(always)]
            fn is_finite(self) -> bool {
                <$type>::is_finite(self)
            }

            #[inline(always)]
            fn math(self, function: Math) -> Self {
                match function {
                    Math::Exp => $exp(self),
                    Math::Expm1 => self.exp_m1(),
                    Math::Log => self.ln(),
                    Math::Log1p => self.ln_1p(),
                    Math::Sin => self.sin(),
                    Math::Cos => self.cos(),
                    Math::Tan => self.tan(),
                    Math::Asin => self.asin(),
                    Math::Acos => self.acos(),
                    Math::Atan => self.atan(),
                    Math::Sinh => self.sinh(),
                    Math::Cosh => self.cosh(),
                    Math::Tanh => $tanh(self),
                    Math::Ceil => self.ceil(),
                    Math::Trunc => self.trunc(),
                    Math::Round => self.round_ties_even(),
                }
            }

            #[inline(always)]
            fn is_nan(self) -> bool {
                <$type>::is_nan(self)
            }

            #[inline(always)]
            fn sqrt(self) -> Self {
                <$type>::sqrt(self)
            }

            #[inline(always)]
            fn abs(self) -> Self {
                <$type>::abs(self)
            }

            #[inline(always)]
            fn floor(self) -> Self {
                <$type>::floor(self)
            }

            #[inline(always)]
            fn powf(self, exponent: Self) -> Self {
                <$type>::powf(self, exponent)
            }

            #[inline(always)]
            fn atan2(self, x: Self) -> Self {
                <$type>::atan2(self, x)
            }
        }
    };
}

// In single precision, what gates are made of must not call a library lane by lane.
implement!(f32, elementary::exp, elementary::tanh);
implement!(f64, f64::exp, f64::tanh);
