//! Compiled form and its evaluation.

pub(crate) mod code;
pub(crate) mod evaluator;
mod kernels;
pub(crate) mod real;
