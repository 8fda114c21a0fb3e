//! Python's `math`, on numbers.

use super::{A, Function, binary, special, unary};
use crate::lower::{elementary, numbers};
use crate::op::Op;

const PAIR: &str = "input other";
const ONE: &str = "input";

pub(super) const FUNCTIONS: &[Function] = &[
    unary("fabs", A, Op::Abs),
    unary("sqrt", A, Op::Sqrt),
    unary("exp", A, Op::Exp),
    unary("expm1", A, Op::Expm1),
    unary("log1p", A, Op::Log1p),
    unary("sin", A, Op::Sin),
    unary("cos", A, Op::Cos),
    unary("tan", A, Op::Tan),
    unary("asin", A, Op::Asin),
    unary("acos", A, Op::Acos),
    unary("atan", A, Op::Atan),
    unary("sinh", A, Op::Sinh),
    unary("cosh", A, Op::Cosh),
    unary("tanh", A, Op::Tanh),
    unary("asinh", A, Op::Asinh),
    unary("acosh", A, Op::Acosh),
    unary("atanh", A, Op::Atanh),
    unary("erf", A, Op::Erf),
    special("log", A, "input base?", elementary::math_log),
    special("log2", A, ONE, elementary::log2),
    special("log10", A, ONE, elementary::log10),
    special("exp2", A, ONE, elementary::exp2),
    special("cbrt", A, ONE, elementary::cbrt),
    special("erfc", A, ONE, elementary::erfc),
    special("isnan", A, ONE, elementary::isnan),
    special("isinf", A, ONE, elementary::isinf),
    special("isfinite", A, ONE, elementary::isfinite),
    special("copysign", A, PAIR, elementary::copysign),
    special("fmod", A, PAIR, elementary::fmod),
    special("degrees", A, ONE, elementary::degrees),
    special("radians", A, ONE, elementary::radians),
    unary("floor", A, Op::Floor),
    unary("ceil", A, Op::Ceil),
    unary("trunc", A, Op::Trunc),
    binary("atan2", A, Op::Atan2),
    special("pow", A, PAIR, numbers::pow),
    special("hypot", A, "*coordinates", numbers::hypot),
    special("dist", A, PAIR, numbers::dist),
    special(
        "isclose",
        A,
        "input other rel_tol? abs_tol?",
        numbers::isclose,
    ),
    special("fsum", A, ONE, numbers::fsum),
    special("prod", A, ONE, numbers::prod),
];
