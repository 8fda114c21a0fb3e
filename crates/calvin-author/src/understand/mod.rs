//! From an instruction to goals, or a reason why not.

mod goal;
mod means;
mod of_thing;
mod parse;
mod phrase;
mod words;

pub use goal::{Goal, Side};
pub(crate) use parse::parse;
