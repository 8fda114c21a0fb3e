//! From an instruction to goals, or a reason why not.
//!
//! Every word must be accounted for. A reader that skips what it does not know would open the drawer when told to
//! open it *halfway* or *never*, which is worse than asking back.

mod goal;
mod parse;
mod phrase;
mod words;

pub(crate) use goal::wording;
pub use goal::{Goal, Place};
pub(crate) use parse::parse;
