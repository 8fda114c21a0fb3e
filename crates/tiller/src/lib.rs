//! What the `tiller` command line does, as a library so that tests reach it.

pub mod cli;
pub mod sample;
mod worlds;

pub use worlds::worlds;
