//! Compiled form and its evaluation.

mod block;
pub(crate) mod code;
mod elementary;
pub(crate) mod evaluator;
mod fuse;
#[cfg(test)]
mod fuse_tests;
mod kernels;
pub(crate) mod real;
mod reduce;
mod target;
