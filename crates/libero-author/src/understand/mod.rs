//! From an instruction to goals, or a reason why not.

mod goal;
mod parse;
mod phrase;
mod words;

pub use goal::{Goal, Place};
pub(crate) use parse::parse;
